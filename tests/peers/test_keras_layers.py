"""Layers against Keras on its JAX backend: same arguments, same weights, same numbers."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fusegrad as fg

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

X = np.random.default_rng(2).normal(1.0, 2.0, (75, 6)).astype(np.float32)
Y = np.random.default_rng(3).integers(0, 4, 75)
CUBE = np.random.default_rng(4).normal(1.0, 2.0, (30, 3, 4)).astype(np.float32)
LIMIT = 1e-4  # relative, in float32, after training: two orders of summation


@pytest.fixture(scope="module")
def keras(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Keras, with a configuration of its own."""
    pytest.importorskip("jax")
    patch = pytest.MonkeyPatch()
    patch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "jax"))
    patch.setenv("KERAS_HOME", str(tmp_path_factory.mktemp("keras")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = pytest.importorskip("keras", exc_type=ImportError)
        yield module
    patch.undo()


def close(ours: Any, theirs: Any, limit: float) -> None:
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert a.shape == b.shape
    assert np.linalg.norm(a - b) <= limit * max(np.linalg.norm(b), 1e-3)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ReLU", {}),
        ("ReLU", {"max_value": 1.5}),
        ("ReLU", {"negative_slope": 0.25, "threshold": 0.5, "max_value": 3.0}),
        ("LeakyReLU", {}),
        ("LeakyReLU", {"negative_slope": 0.1}),
        ("Softmax", {}),
        ("Softmax", {"axis": 1}),
        ("BatchNormalization", {}),
        ("BatchNormalization", {"axis": 1, "center": False, "epsilon": 0.1}),
        ("Normalization", {"mean": 3.0, "variance": 2.0}),
        ("Normalization", {"axis": (1, 2), "mean": [1.0, 2.0, 3.0, 4.0], "variance": [1.0] * 4}),
        ("Normalization", {"axis": None, "mean": 3.0, "variance": 2.0, "invert": True}),
    ],
)
def test_outputs_and_configurations(keras: Any, name: str, arguments: dict[str, Any]) -> None:
    theirs = getattr(keras.layers, name)(**arguments)
    ours = getattr(fg.layers, name)(**arguments)
    close(ours(CUBE).numpy(), theirs(CUBE), 1e-6)
    assert ours.count_params() == theirs.count_params()
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    found, expected = ours.get_config(), theirs.get_config()
    for key in found.keys() & expected.keys() - {"dtype", "name"}:
        mine, their = found[key], expected[key]
        if isinstance(their, dict):
            mine, their = mine["class_name"], their["class_name"]
        assert np.array_equal(mine, their), key


def test_initial_names(keras: Any) -> None:
    keras.utils.clear_session()
    fg.utils.clear_session()
    for name in ("ReLU", "LeakyReLU", "Softmax", "BatchNormalization", "Normalization"):
        assert getattr(fg.layers, name)().name == getattr(keras.layers, name)().name


STACKS: dict[str, Callable[[Any], list[Any]]] = {
    "batch normalization": lambda layers: [
        layers.Dense(9, use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Dense(7),
        layers.BatchNormalization(momentum=0.7, epsilon=1e-2),
        layers.LeakyReLU(),
        layers.Dense(4),
        layers.Softmax(),
    ],
    "parts of it": lambda layers: [
        layers.BatchNormalization(center=False),
        layers.Dense(9, activation="tanh"),
        layers.BatchNormalization(scale=False),
        layers.Dense(4, activation=layers.Softmax()),
    ],
    "frozen": lambda layers: [
        layers.Dense(9),
        layers.BatchNormalization(trainable=False, moving_variance_initializer="zeros", epsilon=1),
        layers.Dense(4, activation="softmax"),
    ],
    "regularized": lambda layers: [
        layers.Dense(9),
        layers.BatchNormalization(beta_regularizer="l2", gamma_regularizer="l1"),
        layers.Dense(4, activation="softmax"),
    ],
    "activations": lambda layers: [
        layers.Dense(9, activation=layers.LeakyReLU(negative_slope=0.1)),
        layers.Dense(8, activation="leaky_relu"),
        layers.Dense(7, activation=layers.ReLU(max_value=1.0, negative_slope=0.2)),
        layers.Dense(4, activation="softmax"),
    ],
}


@pytest.mark.parametrize("name", STACKS)
def test_training(keras: Any, name: str) -> None:
    build = STACKS[name]
    theirs = keras.Sequential([keras.Input((6,)), *build(keras.layers)])
    ours = fg.Sequential([fg.Input((6,)), *build(fg.layers)])
    ours.set_weights(theirs.get_weights())
    histories = []
    for library, model in ((keras, theirs), (fg, ours)):
        model.compile(library.optimizers.SGD(0.05), "sparse_categorical_crossentropy")
        histories.append(
            model.fit(
                X, Y, epochs=4, batch_size=16, shuffle=False, verbose=0, validation_data=(X, Y)
            ).history
        )
    assert histories[0].keys() == histories[1].keys()
    for key, values in histories[0].items():
        close(histories[1][key], values, LIMIT)
    for mine, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(mine, their, LIMIT)
    close(ours.predict(X, verbose=0), theirs.predict(X, verbose=0), LIMIT)


def test_called_with_training(keras: Any) -> None:
    theirs, ours = keras.layers.BatchNormalization(axis=1), fg.layers.BatchNormalization(axis=1)
    for _ in range(3):
        close(ours(CUBE, training=True).numpy(), theirs(CUBE, training=True), 1e-6)
    for mine, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(mine, their, 1e-6)
    close(ours(CUBE).numpy(), theirs(CUBE), 1e-6)


@pytest.mark.parametrize("axis", [-1, 1, 2, (1, 2), None])
def test_adapt(keras: Any, axis: Any) -> None:
    theirs, ours = keras.layers.Normalization(axis=axis), fg.layers.Normalization(axis=axis)
    for layer in (theirs, ours):
        layer.adapt(CUBE)
    for mine, their in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert mine.dtype == their.dtype
        close(mine, their, 1e-6)
    close(ours(CUBE).numpy(), theirs(CUBE), 1e-6)
    close(np.broadcast_to(ours.mean.numpy(), theirs.mean.shape), theirs.mean, 1e-6)
    assert [w.path for w in ours.weights] == [
        w.path.replace(theirs.name, ours.name) for w in theirs.weights
    ]
