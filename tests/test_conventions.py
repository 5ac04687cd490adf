"""Kinks, ties, origins and edges: one cell of the table in docs/numerics.md a test.

Each in float32 and float64, eager and compiled.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses, ops
from fusegrad.errors import ArgumentError

Array = np.ndarray[Any, Any]
INF, NAN = np.inf, np.nan


@pytest.fixture(params=[np.float32, np.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(params=["eager", "compiled"])
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """The function as it is, or compiled."""
    return fg.jit if request.param == "compiled" else lambda function: function


def norm(x: Any) -> Any:
    return ops.sqrt(ops.sum(ops.square(x)))


def hinge(x: Any) -> Any:
    return ops.relu(ops.subtract(1.0, x))


SELU = 1.6732632423543772 * 1.0507009873554805
# The function, where, its value there (None: not of interest) and its slope.
SLOPES: list[tuple[str, Callable[[Any], Any], float, float | None, float]] = [
    ("relu", ops.relu, 0.0, 0.0, 0.0),
    ("relu", ops.relu, -0.0, 0.0, 0.0),
    ("relu6", ops.relu6, 0.0, 0.0, 0.0),
    ("relu6", ops.relu6, 6.0, 6.0, 0.0),
    ("hinge", hinge, 1.0, 0.0, 0.0),
    ("leaky_relu", lambda x: ops.leaky_relu(x, 0.25), 0.0, 0.0, 0.25),
    ("elu", lambda x: ops.elu(x, 0.25), 0.0, 0.0, 0.25),
    ("selu", ops.selu, 0.0, 0.0, SELU),
    ("celu", lambda x: ops.celu(x, 0.25), 0.0, 0.0, 1.0),
    ("softsign", ops.softsign, 0.0, 0.0, 1.0),
    ("abs", ops.abs, 0.0, 0.0, 0.0),
    ("sign", ops.sign, 0.0, 0.0, 0.0),
    ("sign", ops.sign, -0.0, 0.0, 0.0),
    ("copysign", lambda x: ops.copysign(x, -1.0), 0.0, -0.0, 0.0),
    ("clip", lambda x: ops.clip(x, -1.0, 1.0), -1.0, -1.0, 1.0),
    ("clip", lambda x: ops.clip(x, -1.0, 1.0), 1.0, 1.0, 1.0),
    ("hard_tanh", ops.hard_tanh, -1.0, -1.0, 1.0),
    ("hard_tanh", ops.hard_tanh, 1.0, 1.0, 1.0),
    ("hard_sigmoid", ops.hard_sigmoid, -3.0, 0.0, 0.0),
    ("hard_sigmoid", ops.hard_sigmoid, 3.0, 1.0, 0.0),
    ("hard_silu", ops.hard_silu, -3.0, -0.0, 0.0),
    ("hard_silu", ops.hard_silu, 3.0, 3.0, 1.0),
    ("hard_shrink", ops.hard_shrink, 0.5, 0.0, 0.0),
    ("hard_shrink", ops.hard_shrink, -0.5, 0.0, 0.0),
    ("soft_shrink", ops.soft_shrink, 0.5, 0.0, 0.0),
    ("soft_shrink", ops.soft_shrink, -0.5, 0.0, 0.0),
    ("threshold", lambda x: ops.threshold(x, 2.0, 7.0), 2.0, 7.0, 0.0),
    ("sparse_plus", ops.sparse_plus, -1.0, 0.0, 0.0),
    ("sparse_plus", ops.sparse_plus, 1.0, 1.0, 1.0),
    ("sparse_sigmoid", ops.sparse_sigmoid, 1.0, 1.0, 0.5),
    ("squareplus", lambda x: ops.squareplus(x, 0.0), 0.0, 0.0, 0.5),
    ("squareplus", lambda x: ops.squareplus(x, 0.0), -2.0, 0.0, 0.0),
    ("sqrt", ops.sqrt, 0.0, 0.0, 0.0),
    ("cbrt", ops.cbrt, 0.0, 0.0, INF),
    ("sinc", ops.sinc, 0.0, 1.0, 0.0),
    ("x ** 2", lambda x: ops.power(x, 2.0), 0.0, 0.0, 0.0),
    ("x ** 1.5", lambda x: ops.power(x, 1.5), 0.0, 0.0, 0.0),
    ("x ** 1", lambda x: ops.power(x, 1.0), 0.0, 0.0, 1.0),
    ("x ** 0.5", lambda x: ops.power(x, 0.5), 0.0, 0.0, INF),
    ("x ** 0", lambda x: ops.power(x, 0.0), 0.0, 1.0, 0.0),
    ("x ** 0", lambda x: ops.power(x, 0.0), 3.0, 1.0, 0.0),
    ("x ** [1]", lambda x: ops.power(x, ops.ones_like(x)), 0.0, 0.0, 1.0),
    ("x ** [0]", lambda x: ops.power(x, ops.zeros_like(x)), 0.0, 1.0, 0.0),
    ("x ** [0.5]", lambda x: ops.power(x, ops.full((), 0.5, x.dtype)), 0.0, 0.0, INF),
    ("floor", ops.floor, 2.0, 2.0, 0.0),
    ("rint", ops.rint, 2.5, 2.0, 0.0),
    ("round", ops.round, 0.5, 0.0, 0.0),
    ("round", lambda x: ops.round(x, 1), 0.26, None, 0.0),
    ("remainder", lambda x: ops.remainder(x, 1.5), 3.0, 0.0, 1.0),
    ("floor_divide", lambda x: ops.floor_divide(x, 1.5), 3.0, 2.0, 0.0),
    ("arcsin", ops.arcsin, 1.0, None, INF),
    ("arccosh", ops.arccosh, 1.0, 0.0, INF),
    ("nan_to_num", ops.nan_to_num, NAN, 0.0, 0.0),
    ("nan_to_num", lambda x: ops.nan_to_num(x, posinf=2.0), INF, 2.0, 0.0),
    ("silu", ops.silu, -INF, -0.0, 0.0),
    ("gelu", ops.gelu, -INF, -0.0, 0.0),
    ("mish", ops.mish, -INF, -0.0, 0.0),
    ("hard_silu", ops.hard_silu, -INF, -0.0, 0.0),
]


@pytest.mark.parametrize(
    ("function", "x", "value", "slope"),
    [pytest.param(*row[1:], id=f"{row[0]} at {row[2]}") for row in SLOPES],
)
def test_slope(
    function: Callable[[Any], Any],
    x: float,
    value: float | None,
    slope: float,
    dtype: Any,
    run: Callable[..., Any],
) -> None:
    got, gradient = run(fg.value_and_grad(function))(np.asarray(x, dtype))
    assert gradient.dtype == dtype
    np.testing.assert_allclose(gradient.numpy(), slope, rtol=4 * np.finfo(dtype).eps, atol=0)
    if value is not None:
        np.testing.assert_array_equal(got.numpy(), dtype(value))
        assert np.signbit(got.numpy()) == np.signbit(value)


# Functions of two numbers: where, and both slopes.
PAIRS: list[tuple[str, Callable[..., Any], tuple[float, float], tuple[float, float]]] = [
    ("maximum", ops.maximum, (1.0, 1.0), (0.5, 0.5)),
    ("minimum", ops.minimum, (1.0, 1.0), (0.5, 0.5)),
    ("clip", lambda x, low: ops.clip(x, low, None), (1.0, 1.0), (0.5, 0.5)),
    ("hypot", ops.hypot, (0.0, 0.0), (0.0, 0.0)),
    ("hypot", ops.hypot, (-0.0, 3.0), (0.0, 1.0)),
    ("hypot", ops.hypot, (3e30, 4e30), (0.6, 0.8)),
    ("arctan2", ops.arctan2, (0.0, 0.0), (0.0, 0.0)),
    ("arctan2", ops.arctan2, (0.0, -0.0), (0.0, 0.0)),
    ("arctan2", ops.arctan2, (3e30, 4e30), (1.6e-31, -1.2e-31)),
    ("logaddexp", ops.logaddexp, (2.0, 2.0), (0.5, 0.5)),
    ("logaddexp", ops.logaddexp, (INF, INF), (0.5, 0.5)),
    ("logaddexp", ops.logaddexp, (-INF, -INF), (0.5, 0.5)),
    ("logaddexp", ops.logaddexp, (-INF, 3.0), (0.0, 1.0)),
    ("logaddexp", ops.logaddexp, (INF, 3.0), (1.0, 0.0)),
    ("remainder", ops.remainder, (3.0, 1.5), (1.0, -2.0)),
    ("power", ops.power, (0.0, 2.0), (0.0, 0.0)),
    ("power", ops.power, (0.0, 0.0), (0.0, 0.0)),
]


@pytest.mark.parametrize(
    ("function", "at", "slopes"),
    [pytest.param(*row[1:], id=f"{row[0]} at {row[2]}") for row in PAIRS],
)
def test_slopes(
    function: Callable[..., Any],
    at: tuple[float, float],
    slopes: tuple[float, float],
    dtype: Any,
    run: Callable[..., Any],
) -> None:
    x, y = (np.asarray(v, dtype) for v in at)
    found = run(fg.grad(function, argnums=(0, 1)))(x, y)
    for got, want in zip(found, slopes, strict=True):
        np.testing.assert_allclose(got.numpy(), want, rtol=8 * np.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("function", [ops.hypot, ops.arctan2])
def test_second_slopes_at_the_origin_are_not_nan(
    function: Callable[..., Any], dtype: Any, run: Callable[..., Any]
) -> None:
    def slope(x: Any, y: Any) -> Any:
        in_x, in_y = fg.grad(function, argnums=(0, 1))(x, y)
        return ops.add(in_x, in_y)

    for got in run(fg.grad(slope, argnums=(0, 1)))(np.zeros((), dtype), np.zeros((), dtype)):
        assert not np.isnan(got.numpy())


def test_slope_of_a_norm_and_of_a_deviation_at_0(dtype: Any, run: Callable[..., Any]) -> None:
    for function, x in [(norm, np.zeros(3, dtype)), (ops.std, np.full(4, 2.5, dtype))]:
        np.testing.assert_array_equal(run(fg.grad(function))(x).numpy(), np.zeros_like(x))


@pytest.mark.parametrize("function", [ops.max, ops.min])
def test_ties_of_max_and_min_are_split_evenly(
    function: Callable[..., Any], dtype: Any, run: Callable[..., Any]
) -> None:
    sign = 1 if function is ops.max else -1
    x = sign * np.array([2.0, 1.0, 2.0, 2.0, 2.0], dtype)
    gradient = run(fg.grad(function))(x).numpy()
    np.testing.assert_array_equal(gradient, np.array([0.25, 0, 0.25, 0.25, 0.25], dtype))


def test_nan_prevails_in_max_and_min(dtype: Any, run: Callable[..., Any]) -> None:
    x = np.array([1.0, NAN, 3.0, NAN], dtype)
    for function in (ops.max, ops.min):
        assert np.isnan(run(function)(x).numpy())
    for function in (ops.maximum, ops.minimum):
        for a, b in ((x, x[::-1].copy()), (x[::-1].copy(), x)):
            got = run(function)(a, b).numpy()
            np.testing.assert_array_equal(np.isnan(got), np.isnan(a) | np.isnan(b))


def test_argmax_gives_the_first(dtype: Any, run: Callable[..., Any]) -> None:
    for values, largest, smallest in (
        ([3.0, 1.0, 3.0, 1.0], 0, 1),
        ([1.0, NAN, 3.0, NAN], 1, 1),
        ([0.0, -0.0], 0, 0),
        ([-INF, -INF], 0, 0),
    ):
        x = np.array(values, dtype)
        assert run(ops.argmax)(x).numpy() == largest
        assert run(ops.argmin)(x).numpy() == smallest


@pytest.mark.parametrize("base", [0.0, -0.0, 2.0, -3.0, INF, -INF, NAN])
def test_the_power_0_is_1(base: float, dtype: Any, run: Callable[..., Any]) -> None:
    assert run(ops.power)(np.array([base], dtype), np.zeros(1, dtype)).numpy() == 1


def test_softmax_of_one_class(dtype: Any, run: Callable[..., Any]) -> None:
    z = np.array([[3.0], [-1e30]], dtype)
    np.testing.assert_array_equal(run(ops.softmax)(z).numpy(), np.ones((2, 1), dtype))

    def loss(z: Any) -> Any:
        return ops.sum(ops.sparse_softmax_cross_entropy(np.array([0, 0]), z))

    for function in (loss, lambda z: ops.sum(ops.multiply(ops.softmax(z), [[2.0], [3.0]]))):
        np.testing.assert_array_equal(run(fg.grad(function))(z).numpy(), np.zeros((2, 1), dtype))


def test_softmax_of_rows_that_have_none(dtype: Any, run: Callable[..., Any]) -> None:
    z = np.array([[NAN, 1.0], [INF, 1.0], [-INF, -INF], [0.0, 0.0]], dtype)
    got = run(ops.softmax)(z).numpy()
    np.testing.assert_array_equal(np.isnan(got).all(axis=1), [True, True, True, False])


def test_a_masked_class_takes_no_part(dtype: Any, run: Callable[..., Any]) -> None:
    z = np.array([[1.0, -INF, 2.0]], dtype)

    def loss(z: Any) -> Any:
        return ops.sum(ops.sparse_softmax_cross_entropy(np.array([0]), z))

    value, gradient = run(fg.value_and_grad(loss))(z)
    np.testing.assert_allclose(value.numpy(), np.log1p(np.exp(1.0)), rtol=1e-6)
    assert gradient.numpy()[0, 1] == 0


def test_where_and_clipping_mask_infinities(dtype: Any, run: Callable[..., Any]) -> None:
    """The element that is not taken counts exactly 0, and so does its gradient."""
    x = np.array([1.0, INF, NAN], dtype)
    mask = np.isfinite(x)

    def total(x: Any) -> Any:
        return ops.sum(ops.where(mask, ops.multiply(x, 3.0), 0.0))

    value, gradient = run(fg.value_and_grad(total))(x)
    assert value.numpy() == 3.0
    np.testing.assert_array_equal(gradient.numpy(), np.array([3.0, 0.0, 0.0], dtype))


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_a_row_of_weight_0_is_left_out(reduction: Any, dtype: Any, run: Callable[..., Any]) -> None:
    """Also where its loss is infinite or NaN."""
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, reduction=reduction)
    z = np.array([[1.0, 2.0], [0.0, -INF], [NAN, 0.0]], dtype)
    y, weights = np.array([0, 1, 0]), np.array([2.0, 0.0, 0.0], dtype)
    got = run(lambda z: loss(y, z, weights))(z).numpy()
    rows = {"sum_over_batch_size": 3.0, "sum": 1.0, "mean_with_sample_weight": 2.0}[reduction]
    np.testing.assert_allclose(got, 2 * np.log1p(np.exp(1.0)) / rows, rtol=1e-6)
    # The gradient of NaN is NaN whatever multiplies it; that of an infinite loss is finite.
    gradient = run(fg.grad(lambda z: loss(y[:2], z, weights[:2])))(z[:2]).numpy()
    np.testing.assert_array_equal(gradient[1], np.zeros(2, dtype))


def test_cross_entropy_of_probability_0(dtype: Any, run: Callable[..., Any]) -> None:
    """Clipped to 1e-7, as in Keras: finite, with a gradient that is finite too."""
    p, one_hot = np.array([[0.0, 1.0]], dtype), np.array([[1.0, 0.0]], dtype)
    for function in (
        lambda p: ops.sum(ops.categorical_cross_entropy(one_hot, p)),
        lambda p: ops.sum(ops.sparse_categorical_cross_entropy(np.array([0]), p)),
        lambda p: ops.mean(ops.binary_cross_entropy(one_hot, p)),
    ):
        value, gradient = run(fg.value_and_grad(function))(p)
        np.testing.assert_allclose(value.numpy(), -np.log(1e-7), rtol=1e-6)
        assert np.isfinite(gradient.numpy()).all()


@pytest.mark.parametrize(
    ("function", "shape"),
    [
        (ops.mean, (0,)),
        (ops.var, (0,)),
        (ops.std, (0,)),
        (ops.max, (0,)),
        (ops.min, (0,)),
        (ops.argmax, (0,)),
        (ops.argmin, (0,)),
        (ops.logsumexp, (0,)),
        (lambda x: ops.mean(x, axis=1), (3, 0)),
        (lambda x: ops.var(x, ddof=1), (1,)),
        (lambda x: ops.std(x, axis=0, ddof=1), (1, 3)),
    ],
)
def test_what_has_no_value_is_an_error(
    function: Callable[..., Any], shape: Any, dtype: Any, run: Callable[..., Any]
) -> None:
    with pytest.raises(ArgumentError) as caught:
        run(function)(np.zeros(shape, dtype))
    assert caught.value.argument


def test_the_sum_of_nothing_is_0(dtype: Any, run: Callable[..., Any]) -> None:
    assert run(ops.sum)(np.zeros((0, 3), dtype)).numpy() == 0
    assert run(ops.var)(np.ones(1, dtype)).numpy() == 0


@pytest.mark.parametrize(("rate", "factor"), [(0.0, 1.0), (1.0, 0.0)])
def test_dropout_of_none_and_of_all(
    rate: float, factor: float, dtype: Any, run: Callable[..., Any]
) -> None:
    x = np.array([[1.0, -2.0, 3e38 if dtype is np.float32 else 1e308]], dtype)

    def drop(x: Any) -> Any:
        return ops.dropout(x, np.array([0, 0]), rate, seed=1, stream=2)

    np.testing.assert_array_equal(run(drop)(x).numpy(), factor * x)
    gradient = run(fg.grad(lambda x: ops.sum(drop(x))))(x).numpy()
    np.testing.assert_array_equal(gradient, np.full_like(x, factor))


def test_batch_normalization_of_a_constant_column(dtype: Any) -> None:
    """beta, exactly in float32, and a finite gradient, in training and compiled."""
    beta = np.array([0.7, -1.5], dtype)
    layer = layers.BatchNormalization(dtype=np.dtype(dtype).name, beta_initializer=beta)
    x = np.tile(np.array([-3.25, 12.5], dtype), (8, 1))
    np.testing.assert_array_equal(layer(x, training=True).numpy(), np.tile(beta, (8, 1)))
    slope = fg.grad(lambda z: ops.sum(ops.square(layer(z, training=True))))(x).numpy()
    assert np.isfinite(slope).all()
