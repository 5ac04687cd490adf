"""Keras on its JAX backend as an oracle: same names, same initial weights, same numbers."""

from __future__ import annotations

import io
import math
import os
import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fusegrad as fg

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

ROWS, FEATURES, CLASSES, BATCH, EPOCHS = 75, 6, 4, 16, 4  # the last batch has 11 rows
LIMIT = 1e-4  # relative, in float32: two orders of summation, and Keras's clipped probabilities


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


def problem(kind: str) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(ROWS, FEATURES)).astype(np.float32)
    score = x @ rng.normal(size=(FEATURES, CLASSES)).astype(np.float32)
    labels = np.argmax(score, axis=1)
    targets = {
        "labels": labels,
        "labels (n, 1)": labels[:, np.newaxis],
        "one-hot": np.eye(CLASSES, dtype=np.float32)[labels],
        "binary": (score[:, 0] > 0).astype(np.int64),
        "multi-label": (score > 0).astype(np.float32),
        "value": np.tanh(score[:, 0]),
        "values": np.tanh(score),
    }
    return x, targets[kind]


def pair(keras: Any, build: Callable[[Any], list[Any]], x: np.ndarray) -> tuple[Any, Any]:
    """Return the same model twice, with Keras's initial weights, the same in every run."""
    keras.utils.set_random_seed(11)
    theirs = keras.Sequential([keras.Input(x.shape[1:]), *build(keras.layers)])
    ours = fg.Sequential([fg.Input(x.shape[1:]), *build(fg.layers)])
    assert [w.shape for w in ours.get_weights()] == [w.shape for w in theirs.get_weights()]
    ours.set_weights(theirs.get_weights())
    return theirs, ours


def network(activation: Any, units: int, head: str) -> Callable[[Any], list[Any]]:
    return lambda layers: [
        layers.Dense(9, activation=activation),
        layers.Dense(7, activation=activation),
        layers.Dense(units, activation=head),
    ]


def close(ours: Any, theirs: Any, limit: float = LIMIT) -> None:
    a, b = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    assert a.shape == b.shape
    assert np.linalg.norm(a - b) <= limit * max(np.linalg.norm(b), 1e-3)


def same_training(
    theirs: Any, ours: Any, x: np.ndarray, y: np.ndarray, compile_: Any, keras: Any, **options: Any
) -> None:
    """Train both, and compare history and weights."""
    theirs.compile(**compile_(keras))
    ours.compile(**compile_(fg))
    given = {"epochs": EPOCHS, "batch_size": BATCH, "shuffle": False, "verbose": 0, **options}
    expected = theirs.fit(x, y, **given)
    found = ours.fit(x, y, **given)
    assert list(found.history) == list(expected.history)
    assert found.epoch == expected.epoch
    for name, values in expected.history.items():
        close(found.history[name], values)
    for mine, reference in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        close(mine, reference)
    assert int(ours.optimizer.iterations.numpy()) == int(theirs.optimizer.iterations.numpy())


def same_results(theirs: Any, ours: Any, x: np.ndarray, y: np.ndarray) -> None:
    """Compare evaluate and predict of two trained models."""
    result = ours.evaluate(x, y, batch_size=32, verbose=0)
    reference = theirs.evaluate(x, y, batch_size=32, verbose=0)
    assert isinstance(result, list) == isinstance(reference, list)
    close(result, reference)
    prediction = ours.predict(x, verbose=0)
    assert prediction.dtype == np.float32
    close(prediction, theirs.predict(x, verbose=0))


OPTIMIZERS: dict[str, tuple[str, dict[str, Any]]] = {
    "SGD": ("SGD", {"learning_rate": 0.05}),
    "SGD momentum": ("SGD", {"learning_rate": 0.02, "momentum": 0.9}),
    "SGD nesterov": ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
    "RMSprop": ("RMSprop", {}),
    "RMSprop momentum": ("RMSprop", {"rho": 0.8, "momentum": 0.5}),
    "RMSprop centered": ("RMSprop", {"centered": True, "momentum": 0.3, "epsilon": 1e-5}),
    "Adam": ("Adam", {"learning_rate": 0.01}),
    "Adam amsgrad": ("Adam", {"beta_1": 0.8, "beta_2": 0.95, "amsgrad": True}),
}

# targets, units, last activation, loss, its arguments
LOSSES: dict[str, tuple[str, int, str, str, dict[str, Any]]] = {
    "mse": ("value", 1, "linear", "MeanSquaredError", {}),
    "mse of several": ("values", CLASSES, "tanh", "MeanSquaredError", {"reduction": "sum"}),
    "mae": ("value", 1, "linear", "MeanAbsoluteError", {}),
    "huber": ("values", CLASSES, "tanh", "Huber", {"delta": 0.4}),
    "binary": ("binary", 1, "sigmoid", "BinaryCrossentropy", {}),
    "binary logits": ("binary", 1, "linear", "BinaryCrossentropy", {"from_logits": True}),
    "multi-label": ("multi-label", CLASSES, "sigmoid", "BinaryCrossentropy",
                    {"label_smoothing": 0.1}),
    "sparse": ("labels", CLASSES, "softmax", "SparseCategoricalCrossentropy", {}),
    "sparse logits": ("labels (n, 1)", CLASSES, "linear", "SparseCategoricalCrossentropy",
                      {"from_logits": True}),
    "categorical": ("one-hot", CLASSES, "softmax", "CategoricalCrossentropy", {}),
    "categorical logits": ("one-hot", CLASSES, "linear", "CategoricalCrossentropy",
                           {"from_logits": True, "label_smoothing": 0.2}),
}  # fmt: skip
ACTIVATIONS = [
    "linear", "sigmoid", "relu", "leaky_relu", "tanh", "softmax", "softplus", "elu", "selu",
    "gelu", "silu", "relu6", "hard_sigmoid", "log_sigmoid", "log_softmax", "softsign",
    "exponential",
]  # fmt: skip
INITIALIZERS = [
    "Zeros", "Ones", "Constant", "Identity", "RandomNormal", "TruncatedNormal", "RandomUniform",
    "VarianceScaling", "GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform",
    "LecunNormal", "Orthogonal",
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_training(keras: Any, loss: str, optimizer: str) -> None:
    kind, units, head, name, arguments = LOSSES[loss]
    rule, settings = OPTIMIZERS[optimizer]
    x, y = problem(kind)
    theirs, ours = pair(keras, network("relu", units, head), x)

    def compile_(library: Any) -> dict[str, Any]:
        metrics = [] if head in {"tanh", "sigmoid"} or units == 1 else ["accuracy"]
        return {
            "optimizer": getattr(library.optimizers, rule)(**settings),
            "loss": getattr(library.losses, name)(**arguments),
            "metrics": metrics,
        }

    same_training(theirs, ours, x, y, compile_, keras)
    if optimizer == "Adam":
        same_results(theirs, ours, x, y)


# More settings of optimizers, among them limits that some gradients stay below.
CLIPPED: dict[str, tuple[str, dict[str, Any]]] = {
    "clipnorm": ("SGD", {"learning_rate": 0.05, "momentum": 0.5, "clipnorm": 0.2}),
    "clipvalue": ("RMSprop", {"clipvalue": 0.02}),
    "global_clipnorm": ("Adam", {"learning_rate": 0.01, "global_clipnorm": 0.3}),
}
SCHEDULES: dict[str, tuple[str, dict[str, Any]]] = {
    "exponential": ("ExponentialDecay", {"decay_steps": 9, "decay_rate": 0.8}),
    "exponential stairs": (
        "ExponentialDecay",
        {"decay_steps": 9, "decay_rate": 0.8, "staircase": True},
    ),
    "inverse time": ("InverseTimeDecay", {"decay_steps": 9, "decay_rate": 0.8}),
    "inverse time stairs": (
        "InverseTimeDecay",
        {"decay_steps": 9, "decay_rate": 0.8, "staircase": True},
    ),
    "line": ("PolynomialDecay", {"decay_steps": 12}),
    "cycles": (
        "PolynomialDecay",
        {"decay_steps": 8, "end_learning_rate": 0.01, "power": 2.0, "cycle": True},
    ),
    "cosine": ("CosineDecay", {"decay_steps": 16}),
    "warm cosine": (
        "CosineDecay",
        {"decay_steps": 16, "alpha": 0.1, "warmup_target": 0.2, "warmup_steps": 5},
    ),
    "warm start": ("CosineDecay", {"decay_steps": 16, "warmup_steps": 5, "warmup_target": 0.02}),
    "restarts": ("CosineDecayRestarts", {"first_decay_steps": 4}),
    "restarts that shrink": (
        "CosineDecayRestarts",
        {"first_decay_steps": 4, "t_mul": 1.5, "m_mul": 0.8, "alpha": 0.1},
    ),
    "equal restarts": ("CosineDecayRestarts", {"first_decay_steps": 4, "t_mul": 1.0}),
    "pieces": ("PiecewiseConstantDecay", {"boundaries": [3, 9], "values": [0.1, 0.05, 0.01]}),
}


@pytest.mark.parametrize("kind", CLIPPED)
def test_clipping(keras: Any, kind: str) -> None:
    rule, settings = CLIPPED[kind]
    x, y = problem("labels")
    theirs, ours = pair(keras, network("relu", CLASSES, "softmax"), x)

    def compile_(library: Any) -> dict[str, Any]:
        optimizer = getattr(library.optimizers, rule)(**settings)
        return {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy"}

    same_training(theirs, ours, x, y, compile_, keras)


@pytest.mark.parametrize("kind", SCHEDULES)
def test_schedules(keras: Any, kind: str) -> None:
    name, settings = SCHEDULES[kind]
    first = {} if name == "PiecewiseConstantDecay" else {"initial_learning_rate": 0.1}

    def schedule(library: Any) -> Any:
        return getattr(library.optimizers.schedules, name)(**first, **settings)

    expected = schedule(keras).get_config()
    found = schedule(fg).get_config()
    assert list(found) == list(expected)
    assert found == expected
    rates = [float(schedule(keras)(step)) for step in range(40)]
    np.testing.assert_allclose(schedule(fg)(np.arange(40)).numpy(), rates, rtol=2e-5, atol=1e-8)
    x, y = problem("labels")
    theirs, ours = pair(keras, network("relu", CLASSES, "softmax"), x)

    def compile_(library: Any) -> dict[str, Any]:
        optimizer = library.optimizers.SGD(schedule(library))
        return {"optimizer": optimizer, "loss": "sparse_categorical_crossentropy"}

    same_training(theirs, ours, x, y, compile_, keras)
    close(ours.optimizer.learning_rate.numpy(), theirs.optimizer.learning_rate)
    assert len(ours.optimizer.variables) == len(theirs.optimizer.variables)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_activations(keras: Any, activation: str) -> None:
    x, y = problem("labels")
    values = np.linspace(-12, 12, 97, dtype=np.float32).reshape(1, -1)
    expected = np.asarray(getattr(keras.activations, activation)(values))
    close(getattr(fg.activations, activation)(values).numpy(), expected, 1e-6)
    if activation == "gelu":
        expected = np.asarray(keras.activations.gelu(values, approximate=True))
        close(fg.activations.gelu(values, approximate=True).numpy(), expected, 1e-6)
    theirs, ours = pair(keras, network(activation, CLASSES, "linear"), x)

    def compile_(library: Any) -> dict[str, Any]:
        # Of logits: Keras clips probabilities, which large logits would show.
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
        return {"loss": loss, "metrics": ["accuracy"]}

    same_training(theirs, ours, x, y, compile_, keras)


@pytest.mark.parametrize(
    ("kind", "units", "head", "loss"),
    [
        ("binary", 1, "sigmoid", "binary_crossentropy"),
        ("multi-label", CLASSES, "sigmoid", "bce"),
        ("labels", CLASSES, "softmax", "sparse_categorical_crossentropy"),
        ("one-hot", CLASSES, "softmax", "categorical_crossentropy"),
    ],
)
@pytest.mark.parametrize("split", [0.2, 0.33])
def test_validation_and_accuracy(
    keras: Any, kind: str, units: int, head: str, loss: str, split: float
) -> None:
    """Which accuracy "accuracy" is, which rows are held out, and the keys of History."""
    x, y = problem(kind)
    theirs, ours = pair(keras, network("tanh", units, head), x)

    def compile_(library: Any) -> dict[str, Any]:
        # Keras counts a multi-label row by its largest output, here each output counts.
        accuracy = "binary_accuracy" if kind == "multi-label" else "accuracy"
        return {
            "optimizer": "adam",
            "loss": loss,
            "metrics": ["acc"] if kind == "labels" else [accuracy, "mse"],
        }

    same_training(theirs, ours, x, y, compile_, keras, validation_split=split)


def test_validation_data_and_frequency(keras: Any) -> None:
    x, y = problem("labels")
    theirs, ours = pair(keras, network("relu", CLASSES, "softmax"), x)

    def compile_(library: Any) -> dict[str, Any]:
        return {"loss": "sparse_categorical_crossentropy"}

    same_training(
        theirs, ours, x, y, compile_, keras,
        validation_data=(x[:20], y[:20]), validation_freq=2, validation_batch_size=7,
        validation_split=0.5, initial_epoch=1,
    )  # fmt: skip


@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]
)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_values(keras: Any, loss: str, reduction: str | None) -> None:
    kind, units, head, name, arguments = LOSSES[loss]
    _, y = problem(kind)
    rng = np.random.default_rng(3)
    scores = rng.normal(scale=2.0, size=(ROWS, units)).astype(np.float32)
    if head == "sigmoid":
        scores = 1 / (1 + np.exp(-scores))
    elif head == "softmax":
        scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    given = {**arguments, "reduction": reduction}
    theirs = getattr(keras.losses, name)(**given)
    ours = getattr(fg.losses, name)(**given)
    assert ours.name == theirs.name
    weights = rng.random(ROWS).astype(np.float32)
    close(ours(y, scores).numpy(), theirs(y, scores), 1e-6)
    close(ours(y, scores, weights).numpy(), theirs(y, scores, weights), 1e-6)
    if y.ndim == 1 and units == 1:  # (n,) and (n, 1) mean the same
        close(ours(y[:, np.newaxis], scores).numpy(), theirs(y[:, np.newaxis], scores), 1e-6)


@pytest.mark.parametrize("unit_sums", [True, False])
def test_cross_entropy_of_improper_probabilities(keras: Any, unit_sums: bool) -> None:
    """Outputs of a forgotten activation: divided by their sum and clipped, never NaN."""
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(ROWS, CLASSES)).astype(np.float32)
    if unit_sums:
        scores /= scores.sum(axis=1, keepdims=True)
    _, y = problem("one-hot")
    found = fg.losses.CategoricalCrossentropy(reduction="none")(y, scores).numpy()
    close(found, keras.losses.CategoricalCrossentropy(reduction="none")(y, scores), 1e-5)


METRICS: list[tuple[str, str, dict[str, Any]]] = [
    ("BinaryAccuracy", "multi-label", {"threshold": 0.3}),
    ("CategoricalAccuracy", "one-hot", {}),
    ("SparseCategoricalAccuracy", "labels", {}),
    ("TopKCategoricalAccuracy", "one-hot", {"k": 2}),
    ("TopKCategoricalAccuracy", "one-hot", {}),
    ("SparseTopKCategoricalAccuracy", "labels", {"k": 3}),
    ("SparseTopKCategoricalAccuracy", "labels (n, 1)", {"k": 1}),
    ("MeanSquaredError", "values", {}),
    ("MeanAbsoluteError", "values", {}),
    ("RootMeanSquaredError", "values", {}),
    ("BinaryCrossentropy", "multi-label", {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", "one-hot", {"from_logits": True}),
    ("SparseCategoricalCrossentropy", "labels (n, 1)", {}),
    ("TruePositives", "multi-label", {}),
    ("FalsePositives", "multi-label", {"thresholds": [0.1, 0.25, 0.6]}),
    ("TrueNegatives", "multi-label", {"thresholds": 0.2}),
    ("FalseNegatives", "one-hot", {"thresholds": [0.0, 0.5, 1.0]}),
    ("Precision", "multi-label", {}),
    ("Precision", "multi-label", {"thresholds": [0.1, 0.9], "class_id": 1}),
    ("Precision", "one-hot", {"top_k": 2}),
    ("Precision", "one-hot", {"top_k": 2, "thresholds": 0.4, "class_id": 2}),
    ("Recall", "multi-label", {"thresholds": 0.3}),
    ("Recall", "multi-label", {"class_id": 0}),
    ("Recall", "one-hot", {"top_k": 1}),
    *(
        ("AUC", "multi-label", {"curve": curve, "summation_method": method, **more})
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
        for more in ({}, {"thresholds": [0.1, 0.15, 0.4]})
    ),
    ("AUC", "one-hot", {"num_thresholds": 11}),
    ("AUC", "multi-label", {"label_weights": [1.0, 0.5, 2.0, 0.0]}),
    ("AUC", "multi-label", {"multi_label": True, "num_labels": CLASSES}),
    ("AUC", "multi-label", {"multi_label": True, "label_weights": [1.0, 0.5, 2.0, 0.0],
                            "curve": "PR", "num_labels": CLASSES}),
    ("AUC", "multi-label", {"from_logits": True}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kind", "arguments"), METRICS, ids=[f"{name} {given}" for name, _, given in METRICS]
)
def test_metric_values(keras: Any, name: str, kind: str, arguments: dict[str, Any]) -> None:
    _, y = problem(kind)
    rng = np.random.default_rng(4)
    scores = rng.dirichlet(np.ones(CLASSES), size=ROWS).astype(np.float32)
    weights = rng.random(ROWS).astype(np.float32)
    theirs = getattr(keras.metrics, name)(**arguments)
    ours = getattr(fg.metrics, name)(**arguments)
    assert theirs.name.startswith(ours.name)  # Keras numbers some of them
    for rows, weight in ((slice(0, 30), None), (slice(30, ROWS), weights[30:])):
        theirs.update_state(y[rows], scores[rows], weight)
        ours.update_state(y[rows], scores[rows], weight)
        close(ours.result(), theirs.result(), 1e-6)
    ours.reset_state()
    theirs.reset_state()
    np.testing.assert_array_equal(ours.result(), theirs.result())
    config = theirs.get_config()
    for key, value in ours.get_config().items():
        if key not in {"name", "dtype", "from_sorted_ids"}:
            assert value == pytest.approx(config[key]), key


def test_metrics_of_values(keras: Any) -> None:
    rng = np.random.default_rng(9)
    for name in ("Mean", "Sum"):
        theirs, ours = getattr(keras.metrics, name)(), getattr(fg.metrics, name)()
        for shape, weights in (((), None), ((5,), None), ((5,), (5,)), ((5, 3), (5,)),
                               ((5, 3), (5, 3))):  # fmt: skip
            values = rng.random(shape).astype(np.float32)
            given = None if weights is None else rng.random(weights).astype(np.float32)
            theirs.update_state(values, given)
            ours.update_state(values, given)
            close(ours.result(), theirs.result(), 1e-6)


FUNCTIONS: list[tuple[str, str, dict[str, Any]]] = [
    ("binary_accuracy", "multi-label", {"threshold": 0.3}),
    ("binary_crossentropy", "multi-label", {}),
    ("categorical_accuracy", "one-hot", {}),
    ("categorical_crossentropy", "one-hot", {"label_smoothing": 0.1}),
    ("huber", "values", {"delta": 0.5}),
    ("mean_absolute_error", "values", {}),
    ("mean_squared_error", "values", {}),
    ("sparse_categorical_accuracy", "labels", {}),
    ("sparse_categorical_crossentropy", "labels", {}),
    ("sparse_top_k_categorical_accuracy", "labels", {"k": 2}),
    ("top_k_categorical_accuracy", "one-hot", {"k": 2}),
]


@pytest.mark.parametrize(("name", "kind", "arguments"), FUNCTIONS)
def test_metric_functions(keras: Any, name: str, kind: str, arguments: dict[str, Any]) -> None:
    _, y = problem(kind)
    scores = np.random.default_rng(4).dirichlet(np.ones(CLASSES), size=ROWS).astype(np.float32)
    theirs = getattr(keras.metrics, name)(y, scores, **arguments)
    close(getattr(fg.metrics, name)(y, scores, **arguments).numpy(), theirs, 1e-6)


def test_metric_strings(keras: Any) -> None:
    """Every name that both know is the same metric."""
    from keras.src.metrics import ALL_OBJECTS_DICT

    known = {
        name for name in ALL_OBJECTS_DICT if hasattr(fg.metrics, ALL_OBJECTS_DICT[name].__name__)
    }
    assert {"mse", "MAE", "auc", "Precision", "sparse_top_k_categorical_accuracy"} <= known
    for name in known - {"Metric", "metric", "MeanMetricWrapper", "mean_metric_wrapper"}:
        assert type(fg.metrics.get(name)).__name__ == ALL_OBJECTS_DICT[name].__name__


# ---- weights and penalties


@pytest.mark.parametrize("weighted", ["sample", "class"])  # Keras refuses both together
@pytest.mark.parametrize(
    ("kind", "units", "head", "loss"),
    [
        ("binary", 1, "sigmoid", "binary_crossentropy"),
        ("labels", CLASSES, "softmax", "sparse_categorical_crossentropy"),
        ("one-hot", CLASSES, "softmax", "categorical_crossentropy"),
    ],
)
def test_weights(keras: Any, kind: str, units: int, head: str, loss: str, weighted: str) -> None:
    x, y = problem(kind)
    theirs, ours = pair(keras, network("tanh", units, head), x)

    def compile_(library: Any) -> dict[str, Any]:
        return {
            "optimizer": "adam",
            "loss": loss,
            "metrics": ["accuracy"],
            "weighted_metrics": ["mse" if kind != "labels" else "acc", library.metrics.AUC(name="a")
                                 if kind != "labels" else "sparse_categorical_accuracy"],
        }  # fmt: skip

    options: dict[str, Any] = {}
    classes = 2 if units == 1 else CLASSES
    if weighted == "sample":
        options["sample_weight"] = np.random.default_rng(5).random(ROWS)
        options["validation_split"] = 0.2
    else:
        options["class_weight"] = {label: 0.5 + 0.75 * label for label in range(classes)}
    same_training(theirs, ours, x, y, compile_, keras, **options)
    weights = np.linspace(0.1, 2.0, ROWS)
    result = ours.evaluate(x, y, sample_weight=weights, batch_size=32, verbose=0)
    close(result, theirs.evaluate(x, y, sample_weight=weights, batch_size=32, verbose=0))
    close(ours.train_on_batch(x, y, weights), theirs.train_on_batch(x, y, weights))
    close(ours.test_on_batch(x, y, weights), theirs.test_on_batch(x, y, weights))


def test_validation_data_with_weights(keras: Any) -> None:
    x, y = problem("labels")
    theirs, ours = pair(keras, network("relu", CLASSES, "softmax"), x)

    def compile_(library: Any) -> dict[str, Any]:
        return {"loss": "sparse_categorical_crossentropy", "weighted_metrics": ["accuracy"]}

    same_training(
        theirs, ours, x, y, compile_, keras,
        class_weight={label: 1.0 + label for label in range(CLASSES)},
        validation_data=(x[:20], y[:20], np.linspace(0.0, 3.0, 20)),
    )  # fmt: skip


def test_regularizers(keras: Any) -> None:
    x, y = problem("labels")
    for name, arguments in (("L1", {}), ("L2", {"l2": 0.3}), ("L1L2", {"l1": 0.1, "l2": 0.2})):
        theirs = getattr(keras.regularizers, name)(**arguments)
        ours = getattr(fg.regularizers, name)(**arguments)
        close(ours(x).item(), theirs(x), 1e-6)
        assert ours.get_config() == pytest.approx(theirs.get_config())

    def build(layers: Any) -> list[Any]:
        return [
            # No "l1" of the biases: from 0, where JAX's slope of abs is 1 and ours is 0.
            layers.Dense(9, "relu", kernel_regularizer="l1", bias_regularizer="l2"),
            layers.Dense(8, "tanh", activity_regularizer="l2", kernel_regularizer="L1L2"),
            layers.Dense(5, "relu", kernel_regularizer="l2", trainable=False),
            layers.Dense(CLASSES, "softmax", activity_regularizer="l1"),
        ]

    theirs, ours = pair(keras, build, x)

    def compile_(library: Any) -> dict[str, Any]:
        return {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", "metrics": ["acc"]}

    same_training(theirs, ours, x, y, compile_, keras, validation_split=0.2)
    same_results(theirs, ours, x, y)


@pytest.mark.parametrize("shape", [(3, 5), (400, 25), (1, 1), (60,)])
def test_glorot_uniform(keras: Any, shape: tuple[int, ...]) -> None:
    """The same limit, and the spread of a uniform distribution."""
    many = np.concatenate(
        [fg.initializers.GlorotUniform(seed=i)(shape).numpy().ravel() for i in range(40)]
    )
    theirs = np.concatenate(
        [np.ravel(keras.initializers.GlorotUniform(seed=i)(shape)) for i in range(40)]
    )
    fan_in, fan_out = (shape[0], shape[0]) if len(shape) == 1 else shape
    limit = math.sqrt(6 / (fan_in + fan_out))
    assert max(np.abs(theirs).max(), np.abs(many).max()) <= limit * (1 + 1e-6)
    if many.size > 1000:
        assert np.abs(many).max() > 0.99 * limit
        assert np.std(many) == pytest.approx(np.std(theirs), rel=0.05)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_initializers(keras: Any, name: str) -> None:
    """The same spread and bounds, on a shape with four axes where the initializer takes one."""
    shape = (40, 30) if name == "Identity" else (3, 3, 40, 30)
    theirs = np.asarray(getattr(keras.initializers, name)()(shape))
    ours = getattr(fg.initializers, name)()(shape).numpy()
    assert ours.dtype == theirs.dtype
    spread = float(theirs.std())
    mean = pytest.approx(float(theirs.mean()), abs=7 * spread / math.sqrt(ours.size))
    assert float(ours.mean()) == mean
    assert float(ours.std()) == pytest.approx(spread, rel=0.05)
    if name not in {"RandomNormal", "Orthogonal"}:
        assert float(ours.max()) == pytest.approx(float(theirs.max()), rel=0.01)
        assert float(ours.min()) == pytest.approx(float(theirs.min()), rel=0.01)


def test_names_of_initializers_and_activations(keras: Any) -> None:
    """Strings mean the same in both, and what neither spells so is refused by both."""
    names = [name for name in INITIALIZERS if name != "Constant"]  # of which Keras wants a value
    snake = [re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower() for name in names]
    for name in [*names, *snake, "one", "zero", "normal", "uniform"]:
        assert (
            type(fg.initializers.get(name)).__name__ == type(keras.initializers.get(name)).__name__
        )
    for name in [*ACTIVATIONS, "swish"]:
        assert fg.activations.get(name).__name__ == keras.activations.get(name).__name__
    for name in ("Relu", "LeakyReLU", "Tanh", "GELU"):
        for library in (fg, keras):
            with pytest.raises(ValueError, match=name):
                library.activations.get(name)
    for name in ("HE_NORMAL", "Glorot_uniform"):
        for library in (fg, keras):
            with pytest.raises((ValueError, TypeError), match=name):
                library.initializers.get(name)


def test_defaults(keras: Any) -> None:
    """Constructors have Keras's defaults, where both have the argument."""
    for group, names in {
        "initializers": INITIALIZERS,
        "optimizers": ["SGD", "RMSprop", "Adam"],
        "losses": [
            "MeanSquaredError",
            "MeanAbsoluteError",
            "Huber",
            "BinaryCrossentropy",
            "CategoricalCrossentropy",
            "SparseCategoricalCrossentropy",
        ],
        "metrics": ["AUC", "BinaryAccuracy", "Precision", "TopKCategoricalAccuracy"],
        "regularizers": ["L1", "L2", "L1L2"],
    }.items():
        for name in names:
            theirs = getattr(getattr(keras, group), name)().get_config()
            ours = getattr(getattr(fg, group), name)().get_config()
            for key in ours.keys() & theirs.keys() - {"dtype", "name"}:
                assert ours[key] == pytest.approx(theirs[key]), (name, key)


def test_summary_totals(keras: Any) -> None:
    x, y = problem("labels")

    def build(layers: Any) -> list[Any]:
        return [
            layers.Rescaling(0.5, offset=-1.0),
            layers.Flatten(),
            layers.Dense(250, activation="relu"),
            layers.Dropout(0.25),
            layers.Dense(15, use_bias=False),
            layers.Activation("tanh"),
            layers.Dense(CLASSES),
        ]

    theirs, ours = pair(keras, build, x)
    assert ours.count_params() == theirs.count_params()
    assert [layer.output_shape for layer in ours.layers] == [
        layer.output.shape for layer in theirs.layers
    ]
    totals = []
    for model, library in ((theirs, keras), (ours, fg)):
        model.compile(
            optimizer="adam", loss=library.losses.SparseCategoricalCrossentropy(from_logits=True)
        )
        model.fit(x, y, verbose=0)
        text = io.StringIO()
        model.summary(print_fn=lambda line, *_, text=text, **__: text.write(line + "\n"))
        totals.append(
            re.findall(r"((?:Total|Trainable|Non-trainable) params: .*)", text.getvalue())
        )
    assert len(totals[0]) == 3
    assert [line.split("(")[0] for line in totals[1]] == [line.split("(")[0] for line in totals[0]]


@pytest.mark.parametrize("columns", [64, 84, 92, 200])
def test_summary_look(keras: Any, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same text, but for the heading "Trainable", which Keras cuts, and for long names."""
    monkeypatch.setenv("COLUMNS", str(columns))
    choices: list[dict[str, Any]] = [
        {},
        {"expand_nested": True},
        {"layer_range": ("inner", "dr.*")},
        {"layer_range": ("out", "drop")},
        {"positions": [0.3, 0.6, 1.0], "line_length": 60},
    ]
    texts = []
    for library in (keras, fg):
        layers = library.layers
        deep = library.Sequential([library.Input((4,)), layers.Dense(4, name="deep")], name="d")
        inner = library.Sequential(
            [library.Input((8,)), layers.Dense(4, name="x"), deep], name="inner"
        )
        model = library.Sequential(
            [
                library.Input((8,)),
                inner,
                layers.Dropout(0.5, name="drop"),
                layers.Dense(3000, name="out"),
            ],
            name="m",
        )
        unbuilt = library.Sequential(
            [layers.Dense(3, name="a"), layers.Dense(2, name="b")], name="u"
        )
        texts.append([])
        for case, arguments in [*[(model, choice) for choice in choices], (unbuilt, {})]:
            case.summary(print_fn=texts[-1].append, **arguments)
    for theirs, ours in zip(*texts, strict=True):
        assert ours.rstrip() == theirs.rstrip()


def test_to_categorical(keras: Any) -> None:
    labels = [2, 0, 1, 3]
    np.testing.assert_array_equal(
        fg.utils.to_categorical(labels, 5), keras.utils.to_categorical(labels, 5)
    )


def test_hook_order(keras: Any) -> None:
    def recorder(library: Any) -> tuple[Any, list[str]]:
        calls: list[str] = []
        hooks = [
            f"on_{kind}{batch}_{end}"
            for kind in ("train", "test", "predict")
            for batch in ("", "_batch")
            for end in ("begin", "end")
        ]

        def record(hook: str) -> Callable[..., None]:
            def method(self: Any, *args: Any, logs: Any = None) -> None:
                logs = args[-1] if args and isinstance(args[-1], dict) else logs
                numbers = [arg for arg in args if isinstance(arg, int)]
                calls.append(f"{hook} {numbers} {sorted(logs or [])}")

            return method

        members = {hook: record(hook) for hook in [*hooks, "on_epoch_begin", "on_epoch_end"]}
        return type("Recorder", (library.callbacks.Callback,), members)(), calls

    x, y = problem("labels")
    theirs, ours = pair(keras, network("relu", CLASSES, "softmax"), x)
    lists = []
    for model, library in ((theirs, keras), (ours, fg)):
        callback, calls = recorder(library)
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        options: dict[str, Any] = {"batch_size": 32, "verbose": 0, "callbacks": [callback]}
        model.fit(x, y, epochs=2, validation_split=0.3, **options)
        model.evaluate(x, y, **options)
        model.predict(x, **options)
        lists.append(calls)
    assert lists[1] == lists[0]
