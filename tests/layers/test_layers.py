"""Layers against their formulas; names, configurations, weights."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import activations, layers, ops
from fusegrad.errors import ArgumentError

X = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)

FORMULAS: dict[str, Any] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "tanh": np.tanh,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True),
    "softplus": lambda z: np.log1p(np.exp(z)),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize("form", ["string", "function", "layer", "own layer"])
def test_dense(name: str, form: str) -> None:
    activation: Any = name
    if form == "function":
        activation = getattr(activations, name)
    if form == "layer":
        activation = layers.Activation(name)
    layer = layers.Dense(3, activation=None if form == "own layer" else activation)
    layer.build((None, 4))
    layer.set_weights([np.arange(12).reshape(4, 3) / 10, [0.1, -0.2, 0.3]])
    z = X.astype(np.float64) @ layer.get_weights()[0] + layer.get_weights()[1]
    out = layers.Activation(name)(layer(X)) if form == "own layer" else layer(X)
    np.testing.assert_allclose(out.numpy(), FORMULAS[name](z), rtol=2e-6, atol=1e-7)


def test_dense_acts_on_the_last_axis() -> None:
    layer = layers.Dense(2)
    x = np.random.default_rng(1).normal(size=(3, 5, 4)).astype(np.float32)
    out = layer(x)
    assert out.shape == (3, 5, 2)
    kernel, bias = layer.get_weights()
    np.testing.assert_allclose(out.numpy(), x @ kernel + bias, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((None, 5, 4)) == (None, 5, 2)


def test_dense_without_bias() -> None:
    layer = layers.Dense(2, use_bias=False)
    layer(X)
    assert len(layer.weights) == 1
    assert layer.bias is None


@pytest.mark.parametrize("units", [0, -1, 2.0, True, "3", None])
def test_dense_units(units: Any) -> None:
    with pytest.raises(ArgumentError, match="units"):
        layers.Dense(units)


@pytest.mark.parametrize(
    "given",
    [np.ones((4, 3)), lambda shape, dtype=None: np.ones(shape, dtype), "array config"],
)
def test_initializers_of_my_own(given: Any) -> None:
    if isinstance(given, str):
        given = fg.Tensor(np.ones((4, 3)))
    layer = layers.Dense(3, kernel_initializer=given)
    layer(X)
    assert np.array_equal(layer.get_weights()[0], np.ones((4, 3)))


def test_dropout() -> None:
    layer = layers.Dropout(0.25, seed=1)
    x = np.ones((100, 200), np.float32)
    assert np.array_equal(layer(x).numpy(), x)
    out = layer(x, training=True).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    sigma = np.sqrt(0.25 * 0.75 / x.size)
    assert abs((out == 0).mean() - 0.25) < 5 * sigma
    assert not np.array_equal(layer(x, training=True).numpy(), out)
    assert np.array_equal(layers.Dropout(0.0)(x, training=True).numpy(), x)
    assert not layers.Dropout(1.0)(x, training=True).numpy().any()


@pytest.mark.parametrize("rate", [-0.1, 1.1, float("nan"), "half", None, True])
def test_dropout_rates(rate: Any) -> None:
    with pytest.raises(ArgumentError, match="rate"):
        layers.Dropout(rate)


def test_constants_of_a_compiled_step_take_effect_when_set() -> None:
    x = np.ones((8, 4), np.float32)
    dropout, scale, head = layers.Dropout(0.0), layers.Rescaling(1.0), layers.Activation("relu")
    model = fg.Sequential(
        [scale, dropout, layers.Dense(2, kernel_initializer=np.ones((4, 2))), head]
    )
    model.compile(fg.optimizers.SGD(0.0), "mse")
    fit = lambda: model.fit(x, np.zeros((8, 2)), verbose=0).history["loss"][0]  # noqa: E731
    assert fit() == pytest.approx(16.0)
    dropout.rate = 1.0
    assert fit() == 0.0
    dropout.rate = 0.0
    scale.scale = 2.0
    assert fit() == pytest.approx(64.0)
    head.activation = "softmax"
    assert fit() == pytest.approx(0.25)
    model.layers[2].activation = "sigmoid"
    assert model.layers[2].get_config()["activation"] == "sigmoid"
    assert model.predict(x, verbose=0) == pytest.approx(0.5)
    with pytest.raises(ArgumentError, match="rate"):
        dropout.rate = 50
    assert dropout.rate == 0.0
    with pytest.raises(ArgumentError, match="activation"):
        head.activation = "softmaxx"


def test_dropout_depends_on_the_place_and_not_on_the_batch() -> None:
    x, y = np.ones((40, 8), np.float32), np.ones(40)
    results = []
    for size in (40, 10):
        fg.utils.set_random_seed(1)
        model = fg.Sequential(
            [layers.Dropout(0.5, seed=3), layers.Dense(1, kernel_initializer="zeros")]
        )
        model.compile(fg.optimizers.SGD(0.0), "mse", metrics=[_first])
        history = model.fit(x, y, batch_size=size, shuffle=False, verbose=0)
        results.append(history.history["loss"])
    assert results[0] == results[1]


def _first(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(y_pred, axis=-1)


def test_flatten() -> None:
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    layer = layers.Flatten()
    assert np.array_equal(layer(x).numpy(), x.reshape(2, 12))
    assert layer(np.ones(3)).shape == (3, 1)
    assert layer.compute_output_shape((None, 3, 4)) == (None, 12)


def test_rescaling() -> None:
    x = np.arange(256, dtype=np.uint8)[:, None]
    expected = x.astype(np.float32) * np.float32(1 / 255) + np.float32(-0.5)
    assert np.array_equal(layers.Rescaling(1 / 255, -0.5)(x).numpy(), expected)
    for scale in (float("nan"), "big", None, True):
        with pytest.raises(ArgumentError, match="scale"):
            layers.Rescaling(scale)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(), (0,), (2.5,), ("a",), -1, "abc", (None,), True])
def test_input_shapes(shape: Any) -> None:
    with pytest.raises(ArgumentError, match="shape"):
        layers.Input(shape)


def test_names() -> None:
    fg.utils.clear_session()
    names = [layer.name for layer in (layers.Dense(1), layers.Dense(1), layers.Flatten())]
    assert names == ["dense", "dense_1", "flatten"]
    assert layers.Dense(1, name="mine").name == "mine"
    for bad in ("", "a/b", 3):
        with pytest.raises(ArgumentError, match="name"):
            layers.Dense(1, name=bad)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(3, activation="relu", use_bias=False, name="d", dtype="float64"),
        layers.Activation("tanh"),
        layers.Dropout(0.3, seed=5),
        layers.Flatten(),
        layers.Rescaling(2.0, 1.0, trainable=False),
        layers.Dense(3, activation=layers.LeakyReLU(0.1, name="slope")),
        layers.Activation(layers.Softmax(axis=1)),
        layers.ReLU(6.0, 0.1, 0.5),
        layers.LeakyReLU(0.2, dtype="float64"),
        layers.Softmax(axis=1),
        layers.BatchNormalization(1, 0.9, 1e-5, center=False, gamma_regularizer="l2"),
        layers.Normalization((1, 2), invert=True),
        layers.Normalization(None, mean=1.0, variance=4.0),
        layers.Normalization(mean=[1.0, 2.0], variance=[0.0, 3.0]),
        layers.Input((3, 4)),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_configurations(layer: layers.Layer) -> None:
    copy = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert type(copy) is type(layer)
    assert copy.get_config() == layer.get_config()


def test_layer_of_my_own() -> None:
    class Scale(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight((input_shape[-1],), lambda s, dtype=None: np.full(s, 2.0))

        def call(self, x: Any) -> Any:
            return x * self.factor

    class Pair(layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.scale = Scale()
            self.dense = layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.dense(self.scale(x))

    layer = Pair()
    assert layer(X).shape == (6, 2)
    assert [tuple(w.shape) for w in layer.weights] == [(4,), (4, 2), (2,)]
    layer.trainable = False
    assert layer.trainable_weights == []
    assert len(layer.non_trainable_weights) == 3
    model = fg.Sequential([Pair(), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X, X[:, 0], verbose=0)
    assert model.output_shape == (None, 1)


def test_gradients_through_layers() -> None:
    layer = layers.Dense(2, activation="tanh")
    layer(X)
    kernel, bias = layer.get_weights()
    gradient = fg.grad(lambda x: ops.sum(layer(x)))(fg.Tensor(X))
    expected = (1 - np.tanh(X @ kernel + bias) ** 2) @ kernel.T
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-4, atol=1e-6)


def test_relu_arguments() -> None:
    x = np.array([-3.0, -0.5, 0.5, 2.0, 9.0], np.float32)
    np.testing.assert_allclose(activations.relu(x, 0.1, 6.0).numpy(), [-0.3, -0.05, 0.5, 2, 6])
    np.testing.assert_allclose(
        activations.relu(x, 0.5, threshold=1.0).numpy(), [-2.0, -0.75, -0.25, 2, 9]
    )


def test_names_of_activations() -> None:
    for name in FORMULAS:
        assert activations.serialize(activations.get(name)) == name
    assert activations.get(None) is activations.linear
    for bad in (3, layers.Dense):
        with pytest.raises(ArgumentError):
            activations.get(bad)


@pytest.mark.parametrize(
    "first",
    [
        lambda: layers.Dense(3, input_shape=(4,)),
        lambda: layers.Dense(3, input_dim=4),
        lambda: layers.Flatten(input_shape=(2, 2)),
        lambda: layers.Rescaling(0.5, input_shape=(4,)),
    ],
)
def test_input_shape_of_the_first_layer(first: Any) -> None:
    model = fg.Sequential([first(), layers.Dense(2)])
    assert model.built
    assert np.prod(model.input_shape[1:]) == 4
    same = fg.Sequential.from_config(model.get_config())
    assert same.input_shape == model.input_shape
    with pytest.raises(ArgumentError, match="shape"):
        fg.Sequential([layers.Dense(3, input_shape="wide")])


def test_layers_in_containers_belong_to_their_layer() -> None:
    class Stack(fg.models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.blocks = [layers.Dense(3), (layers.Dense(2), {"last": layers.Dense(1)})]
            self.offset = [fg.Variable([1.0], name="offset")]

        def call(self, x: Any) -> Any:
            first, (second, rest) = self.blocks
            return rest["last"](second(first(x))) + self.offset[0]

    model = Stack()
    model.compile("adam", "mse")
    model.fit(X, np.ones(len(X)), verbose=0)
    assert [w.shape for w in model.get_weights()].count((1,)) == 2
    assert len(model.trainable_weights) == 7
    before = model.get_weights()
    model.fit(X, np.zeros(len(X)), verbose=0)
    changed = zip(before, model.get_weights(), strict=True)
    assert all(not np.array_equal(old, new) for old, new in changed)


def test_super_comes_first() -> None:
    class Early(layers.Layer):
        def __init__(self) -> None:
            self.dense = layers.Dense(1)
            super().__init__()

    class Never(layers.Layer):
        def __init__(self) -> None:
            self.size = 3

    with pytest.raises(AttributeError, match=r"Early.__init__ must call super\(\).__init__\(\)"):
        Early()
    with pytest.raises(AttributeError, match=r"Never.__init__ must call super\(\).__init__\(\)"):
        Never()(X)
    with pytest.raises(AttributeError, match="'Dense' object has no attribute 'unit'"):
        _ = layers.Dense(1).unit


def test_a_layer_of_ones_own_is_built_once() -> None:
    class Scale(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight((input_shape[-1],), "zeros")

        def call(self, x: Any) -> Any:
            return x * self.factor

    layer = Scale()
    layer.build((None, 3))
    assert layer.built
    layer(np.ones((2, 3)))
    assert len(layer.weights) == 1
    assert layer.output_shape == (None, 3)
