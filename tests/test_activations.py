"""Activations against float64 formulas, their corners, and the names that they go by."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

import fusegrad as fg
from fusegrad import activations, layers, ops
from fusegrad.errors import ArgumentError
from references import elu, erfc, log_softmax, sigmoid, softplus

SELU_ALPHA, SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def halves(x: Any) -> Any:
    a, b = np.split(x, 2, axis=-1)
    return a * sigmoid(b)


def between(x: Any, low: float, high: float) -> Any:
    """clip, with the derivative of the part that is taken."""
    return np.where(np.real(x) < low, low, np.where(np.real(x) > high, high, x))


def shrunk(x: Any) -> Any:
    return np.where(np.abs(np.real(x)) > 0.5, x, 0)


def mish(x: Any) -> Any:
    return x * np.tanh(softplus(x))


# Of complex numbers too, for their slopes.
FORMULAS: dict[str, Callable[[Any], Any]] = {
    "celu": lambda x: np.where(np.real(x) > 0, x, np.exp(x * (np.real(x) <= 0)) - 1),
    "glu": halves,
    "hard_shrink": shrunk,
    "hard_silu": lambda x: x * between(x / 6 + 0.5, 0, 1),
    "hard_swish": lambda x: x * between(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: between(x, -1, 1),
    "mish": mish,
    "soft_shrink": lambda x: shrunk(x) - 0.5 * np.sign(np.real(shrunk(x))),
    "sparse_plus": lambda x: np.where(np.real(x) < 1, between((x + 1) / 2, 0, 1) ** 2, x),
    "sparse_sigmoid": lambda x: between((x + 1) / 2, 0, 1),
    "squareplus": lambda x: (x + np.sqrt(x * x + 4)) / 2,
    "tanh_shrink": lambda x: x - np.tanh(x),
    "elu": elu,
    "exponential": np.exp,
    "gelu": lambda x: 0.5 * x * erfc(-x / np.sqrt(2)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "log_sigmoid": lambda x: -softplus(-x),
    "log_softmax": log_softmax,
    "relu6": lambda x: np.clip(x, 0, 6),
    "selu": lambda x: SELU_SCALE * elu(x, SELU_ALPHA),
    "silu": lambda x: x * sigmoid(x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "swish": lambda x: x * sigmoid(x),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FORMULAS)
def test_formula(name: str, dtype: str) -> None:
    x = np.linspace(-9, 9, 98).astype(dtype).reshape(1, -1)
    got = activations.get(name)(x).numpy()
    assert got.dtype == dtype
    want = FORMULAS[name](x.astype(np.float64))
    tolerance = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * np.abs(want).max())


@pytest.mark.parametrize("name", [name for name in FORMULAS if name != "glu"])
def test_in_a_compiled_model(name: str) -> None:
    x = np.random.default_rng(0).normal(size=(12, 4)).astype(np.float32)
    model = fg.Sequential([layers.Dense(3, activation=name)])
    model.compile("sgd", "mse")
    model.fit(x, x[:, :3], epochs=1, verbose=0)
    z = x.astype(np.float64) @ model.get_weights()[0] + model.get_weights()[1]
    np.testing.assert_allclose(model.predict(x, verbose=0), FORMULAS[name](z), rtol=1e-5, atol=1e-6)


def approximate_gelu(x: Any) -> Any:
    u = mpmath.sqrt(2 / mpmath.pi) * (x + mpmath.mpf("0.044715") * x**3)
    return x / (1 + mpmath.exp(-2 * u))


def test_approximate_gelu() -> None:
    x = np.concatenate([np.linspace(-20, 20, 401), [-1e30, 1e30]])
    slope = fg.grad(lambda x: ops.sum(activations.gelu(x, approximate=True)))
    values, slopes = activations.gelu(x, approximate=True).numpy(), slope(x).numpy()
    with mpmath.workdps(400):  # e^-u of the central difference cancels down to 1e-278
        h = mpmath.mpf(10) ** -40
        for v, value, slope_ in zip(x[:-2], values, slopes, strict=False):
            exact = mpmath.mpf(float(v))
            want = (approximate_gelu(exact + h) - approximate_gelu(exact - h)) / (2 * h)
            # exp multiplies the rounding errors of its argument, 2u, by it
            assert abs(value - approximate_gelu(exact)) <= 1e-12 * abs(approximate_gelu(exact))
            assert abs(slope_ - want) <= 1e-12 * max(abs(want), 1e-290)
    np.testing.assert_array_equal(values[-2:], [0.0, 1e30])
    for dtype in (np.float32, np.float64):
        np.testing.assert_array_equal(slope(x[-2:].astype(dtype)).numpy(), [0.0, 1.0])
    x32 = np.linspace(-5, 5, 101, dtype=np.float32)
    difference = activations.gelu(x32, True).numpy() - activations.gelu(x32).numpy()
    assert 1e-4 < np.abs(difference).max() < 5e-4  # the published error of the approximation


def test_slope_of_softsign_keeps_its_digits() -> None:
    x = np.array([-1e12, -1e5, -3.0, -1.0, -0.3, 0.0, 1e-9, 0.9, 1.0, 1e3, 1e14])
    slope = fg.grad(lambda x: ops.sum(activations.softsign(x)))(x).numpy()
    np.testing.assert_allclose(slope, 1 / (1 + np.abs(x)) ** 2, rtol=1e-14)
    np.testing.assert_array_equal(
        activations.softsign(np.array([-np.inf, np.inf, np.nan])).numpy(), [-1.0, 1.0, np.nan]
    )


SMOOTH = [name for name in FORMULAS if name not in {"elu", "gelu", "relu6", "selu", "softsign"}]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", SMOOTH)
def test_slope(name: str, dtype: Any) -> None:
    """Against complex steps of the formula; compiled the same bits."""
    x = np.linspace(-7, 7, 58).astype(dtype).reshape(1, -1)
    weights = np.random.default_rng(3).normal(size=FORMULAS[name](x).shape).astype(dtype)
    slope = fg.grad(lambda x: ops.sum(ops.multiply(activations.get(name)(x), weights)))
    got = slope(x).numpy()
    step = 1e-30j * np.eye(x.size)[:, None]
    want = (FORMULAS[name](x.astype(np.float64) + step).imag / 1e-30 * weights).sum(axis=(1, 2))
    scale = np.abs(weights).max()
    tolerance = 16 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(got[0], want, rtol=tolerance, atol=tolerance * scale)
    assert fg.jit(slope, exact_rewrites=False)(x).numpy().tobytes() == got.tobytes()


def test_digits_that_the_formulas_lose() -> None:
    x = np.array([-1e8, -300.0, -30.0, -1.0, -1e-5, 1e-9, 1e-3, 0.5, 0.999, 1.001, 40.0])
    with mpmath.workdps(60):
        for name, exact in (
            ("squareplus", lambda v: (v + mpmath.sqrt(v * v + 4)) / 2),
            ("tanh_shrink", lambda v: v - mpmath.tanh(v)),
            ("mish", lambda v: v * mpmath.tanh(mpmath.log1p(mpmath.exp(v)))),
        ):
            for v, got in zip(x, activations.get(name)(x).numpy(), strict=True):
                want = exact(mpmath.mpf(float(v)))
                assert abs(got - want) <= 1e-15 * abs(want) or abs(want) < 1e-300


def test_shapes_and_arguments_of_activations() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for axis in (0, 2, -1):
        a, b = np.split(x, 2, axis=axis)
        np.testing.assert_allclose(ops.glu(x, axis).numpy(), a * sigmoid(b), rtol=1e-15)
    assert ops.hard_swish is ops.hard_silu
    np.testing.assert_array_equal(ops.threshold([1.0, 3.0], 2.0, -1.0).numpy(), [-1.0, 3.0])
    for call, argument in (
        (lambda: ops.glu(x, axis=1), "x"),
        (lambda: ops.glu(x, axis=3), "axis"),
        (lambda: ops.celu(x, 0.0), "alpha"),
        (lambda: ops.squareplus(x, -1.0), "b"),
        (lambda: ops.soft_shrink(x, -1.0), "threshold"),
        (lambda: ops.hard_shrink(x, float("nan")), "threshold"),
    ):
        with pytest.raises(ArgumentError) as caught:
            call()
        assert caught.value.argument == argument


@pytest.mark.parametrize("arguments", [{}, {"negative_slope": 0.5}, {"threshold": 1.0}])
def test_relu_at_its_bound(arguments: dict[str, float]) -> None:
    x = np.array([1.5, 4.0, 5.0, np.nan, np.inf])
    f = fg.value_and_grad(lambda x: ops.sum(activations.relu(x, max_value=4.0, **arguments)))
    np.testing.assert_array_equal(f(x[:3])[1].numpy(), [1.0, 0.0, 0.0])
    value = activations.relu(x, max_value=4.0, **arguments).numpy()
    np.testing.assert_array_equal(value, [1.5, 4.0, 4.0, np.nan, 4.0])


def test_names() -> None:
    for name in activations.__all__:
        if name not in {"get", "serialize", "deserialize"}:
            function = getattr(activations, name)
            assert activations.get(name) is function
            assert activations.serialize(function) == name
    assert activations.get("swish") is activations.silu
    assert activations.get("hard_swish") is activations.hard_silu
    assert activations.serialize(activations.silu) == "silu"


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Relu", "relu"),
        ("ReLU", "relu"),
        ("LeakyReLU", "leaky_relu"),
        ("Sigmoid", "sigmoid"),
        ("Tan", "tanh"),
        ("SoftMax", "softmax"),
        ("GELU", "gelu"),
        ("Swish", "swish"),
    ],
)
def test_names_are_spelled_as_in_keras(name: str, near: str) -> None:
    with pytest.raises(ArgumentError, match=f"did you mean '{near}'") as caught:
        layers.Dense(2, activation=name)
    assert caught.value.argument == "activation"


def test_a_class_is_not_an_activation() -> None:
    with pytest.raises(ArgumentError, match=r"write Activation\(\) for the layer") as caught:
        layers.Dense(2, activation=layers.Activation)
    assert caught.value.argument == "activation"


def test_bad_arguments() -> None:
    with pytest.raises(ArgumentError, match="alpha"):
        activations.elu([1.0], -0.5)
    with pytest.raises(ArgumentError, match="axis"):
        activations.log_softmax([1.0], axis=3)
