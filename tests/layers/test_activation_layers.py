"""ReLU, LeakyReLU and Softmax; every activation by name, by function and as a layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import activations, layers, ops
from fusegrad.errors import ArgumentError

Z = np.array([-7.0, -1.5, -0.25, 0.0, 0.25, 1.0, 1.5, 3.0, 6.0, 7.5])


def relu(z: Any, max_value: Any = None, negative_slope: float = 0.0, threshold: float = 0.0) -> Any:
    y = np.where(z >= threshold, z, negative_slope * (z - threshold))
    return y if max_value is None else np.minimum(y, max_value)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"max_value": 6.0},
        {"max_value": 0.0},
        {"negative_slope": 0.25},
        {"threshold": 1.0},
        {"max_value": 3.0, "negative_slope": 0.5, "threshold": 1.0},
    ],
    ids=str,
)
def test_relu(arguments: dict[str, float], dtype: str) -> None:
    layer = layers.ReLU(**arguments, dtype=dtype)
    out = layer(Z)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out.numpy(), relu(Z, **arguments))
    corners = {0.0, arguments.get("threshold", 0.0), arguments.get("max_value", 0.0)}
    smooth = ~np.isin(Z, list(corners))
    slope = fg.grad(lambda z: ops.sum(layer(z)))(Z.astype(dtype)).numpy()
    step = 2.0**-10  # exact in both dtypes
    central = (relu(Z + step, **arguments) - relu(Z - step, **arguments)) / (2 * step)
    np.testing.assert_array_equal(slope[smooth], central[smooth])


def test_positions_of_arguments() -> None:
    layer = layers.ReLU(6.0, 0.5, 1.0)
    assert (layer.max_value, layer.negative_slope, layer.threshold) == (6.0, 0.5, 1.0)
    assert layers.LeakyReLU().negative_slope == 0.3
    assert layers.LeakyReLU(0.5).negative_slope == 0.5
    assert layers.Softmax().axis == -1
    assert layers.Softmax(1).axis == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_leaky_relu(dtype: str) -> None:
    layer = layers.LeakyReLU(0.25, dtype=dtype)
    np.testing.assert_array_equal(layer(Z).numpy(), np.where(Z > 0, Z, 0.25 * Z))
    slope = fg.grad(lambda z: ops.sum(layer(z)))(Z.astype(dtype)).numpy()
    np.testing.assert_array_equal(slope, np.where(Z > 0, 1.0, 0.25))


@pytest.mark.parametrize("axis", [-1, 1, 2, -2])
def test_softmax(axis: int) -> None:
    x = np.random.default_rng(0).normal(size=(3, 4, 5))
    e = np.exp(x)
    out = layers.Softmax(axis, dtype="float64")(x).numpy()
    np.testing.assert_allclose(out, e / e.sum(axis=axis, keepdims=True), rtol=1e-14)


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layers.ReLU(max_value=-1.0), r"ReLU.*max_value.*>= 0"),
        (lambda: layers.ReLU(negative_slope=-0.1), r"ReLU.*negative_slope.*>= 0"),
        (lambda: layers.ReLU(negative_slope=None), r"ReLU.*negative_slope"),  # type: ignore[arg-type]
        (lambda: layers.ReLU(threshold=float("nan")), r"ReLU.*threshold"),
        (lambda: layers.ReLU(threshold="1"), r"ReLU.*threshold"),  # type: ignore[arg-type]
        (lambda: layers.LeakyReLU(-0.1), r"LeakyReLU.*negative_slope.*>= 0"),
        (lambda: layers.LeakyReLU(None), r"LeakyReLU.*negative_slope"),  # type: ignore[arg-type]
        (lambda: layers.LeakyReLU(True), r"LeakyReLU.*negative_slope"),
        (lambda: layers.LeakyReLU(float("inf")), r"LeakyReLU.*negative_slope"),
        (lambda: layers.Softmax(1.0), r"Softmax.*axis.*an integer"),  # type: ignore[arg-type]
        (lambda: layers.Softmax((1, 2)), r"Softmax.*axis"),  # type: ignore[arg-type]
        (lambda: layers.Softmax(None), r"Softmax.*axis"),  # type: ignore[arg-type]
        (lambda: layers.Softmax(2)(np.ones((2, 2))), r"Softmax 'softmax.*axis 2.*\(None, 2\)"),
        (lambda: layers.Softmax(-3).compute_output_shape((None, 2)), r"axis -3"),
    ],
)
def test_bad_arguments(make: Any, match: str) -> None:
    with pytest.raises(ArgumentError, match=match):
        make()


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: layers.LeakyReLU(alpha=0.1), r"LeakyReLU\(\).*'alpha'.*negative_slope"),
        (lambda: layers.ReLU(alpha=0.1), r"ReLU\(\).*'alpha'.*negative_slope"),
        (lambda: layers.ReLU(max_val=6.0), r"did you mean 'max_value'"),
        (lambda: layers.Softmax(axes=1), r"did you mean 'axis'"),
    ],
)
def test_misspelled_arguments(make: Any, match: str) -> None:
    with pytest.raises(TypeError, match=match):
        make()


@pytest.mark.parametrize("layer", [layers.ReLU(), layers.LeakyReLU(), layers.Softmax()])
def test_shapes_and_weights(layer: layers.Layer) -> None:
    assert layer.compute_output_shape((None, 3, 4)) == (None, 3, 4)
    assert layer(np.ones((2, 3))).shape == (2, 3)
    assert layer.count_params() == 0
    assert type(layer).__name__ in layers.__all__


# ---- every activation, however it is written


def trained(stack: list[layers.Layer]) -> tuple[bytes, list[float]]:
    """Return the bits of weights and loss after one step."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(16, 6)), rng.normal(size=(16, 2))
    model = fg.Sequential([fg.Input((6,)), *stack])
    for i, layer in enumerate(part for part in model.layers if part.weights):
        kernel, bias = layer.weights
        kernel.assign(np.random.default_rng(i).normal(size=kernel.shape))
        bias.assign(np.random.default_rng(9).normal(size=bias.shape))
    model.compile(fg.optimizers.SGD(0.1), "mse")
    loss = model.fit(x, y, batch_size=16, shuffle=False, verbose=0).history["loss"]
    return b"".join(array.tobytes() for array in model.get_weights()), loss


OWN_LAYERS: dict[str, Any] = {
    "relu": layers.ReLU,
    "leaky_relu": lambda: layers.LeakyReLU(0.2),
    "softmax": layers.Softmax,
}


@pytest.mark.parametrize("name", sorted(activations._REGISTRY))
def test_by_name_by_function_and_as_a_layer(name: str) -> None:
    makers: list[Any] = [
        lambda: name,
        lambda: getattr(activations, name),
        lambda: layers.Activation(name),
        lambda: layers.Activation(layers.Activation(name)),
    ]
    if name in OWN_LAYERS:
        makers.append(OWN_LAYERS[name])
    dense = layers.Dense
    results = []
    for make in makers:
        results.append(trained([dense(4, make()), dense(4, make()), dense(2, "tanh")]))
        apart = [layers.Activation(make()) for _ in range(2)]
        results.append(trained([dense(4), apart[0], dense(4), apart[1], dense(2, "tanh")]))
    assert all(result == results[0] for result in results)
    if name != "linear":
        assert results[0] != trained([dense(5), dense(4), dense(2, "tanh")])


def test_a_different_activation_for_each_layer() -> None:
    dense = layers.Dense
    by_name = trained([dense(5, "relu"), dense(4, "tanh"), dense(3, "leaky_relu"), dense(2)])
    mixed = trained(
        [
            dense(5, layers.ReLU()),
            dense(4, activations.tanh),
            dense(3),
            layers.LeakyReLU(0.2),
            dense(2, layers.Activation("linear")),
        ]
    )
    assert mixed == by_name


def test_a_layer_as_activation_belongs_to_its_layer() -> None:
    slope = layers.LeakyReLU(0.5)
    layer = layers.Dense(1, activation=slope, kernel_initializer=np.ones((1, 1)))
    model = fg.Sequential([fg.Input((1,)), layer])
    model.compile(fg.optimizers.SGD(0.0), "mse")
    x = np.array([[-2.0]])
    assert slope.built
    assert model.predict(x, verbose=0).item() == -1.0
    slope.negative_slope = 0.25
    assert model.predict(x, verbose=0).item() == -0.5
    layer.activation = "relu"
    assert model.predict(x, verbose=0).item() == 0.0
    assert layer._sublayers == []
    layer.activation = layers.LeakyReLU(1.0)
    assert model.predict(x, verbose=0).item() == -2.0
    assert layer.get_config()["activation"]["config"]["negative_slope"] == 1.0


def test_configurations_of_activations() -> None:
    entry = activations.serialize(layers.LeakyReLU(0.1))
    assert isinstance(entry, dict)
    copy = activations.deserialize(entry)
    assert isinstance(copy, layers.LeakyReLU)
    assert copy.negative_slope == 0.1
    model = fg.Sequential([fg.Input((2,)), layers.Dense(3, activation=layers.LeakyReLU(0.1))])
    same = fg.Sequential.from_config(model.get_config())
    same.set_weights(model.get_weights())
    x = np.array([[1.0, -2.0]])
    assert np.array_equal(same.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(ArgumentError, match=r"layer.*LeakyReLU"):
        layers.Dense(1, activation={"class_name": "LeakyRelu6", "config": {}})
    with pytest.raises(ArgumentError, match=r"Dense.*activation.*class_name"):
        layers.Dense(1, activation={"negative_slope": 0.1})
