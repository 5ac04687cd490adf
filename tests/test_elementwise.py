"""Elementwise functions against mpmath, exact fractions and NumPy: bounds, limits, corners."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError

Array = np.ndarray[Any, Any]
DTYPES = [np.float32, np.float64]
# Units in the last place that docstrings and docs/numerics.md promise.
LIMITS = {np.float32: 0.51, np.float64: 1.0}
EXACT: dict[str, Callable[[Any], Any]] = {
    "exp2": lambda x: mpmath.power(2, x),
    "log2": lambda x: mpmath.log(x) / mpmath.log(2),
    "log10": mpmath.log10,
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "arcsin": mpmath.asin,
    "arccos": mpmath.acos,
    "arctan": mpmath.atan,
    "sinh": mpmath.sinh,
    "cosh": mpmath.cosh,
    "arcsinh": mpmath.asinh,
    "arccosh": mpmath.acosh,
    "arctanh": mpmath.atanh,
}


def units(got: Any, exact: Any, dtype: Any) -> float:
    """Distance from the exact value in units of its last place; subnormal ones count."""
    if exact == 0:
        return 0.0 if got == 0 else np.inf
    largest = float(np.finfo(dtype).max)
    if not np.isfinite(got):
        return (
            0.0
            if abs(exact) > largest and got == np.sign(float(mpmath.sign(exact))) * np.inf
            else np.inf
        )
    place = float(np.spacing(dtype(min(abs(float(exact)), largest))))
    return float(abs(mpmath.mpf(float(got)) - exact) / mpmath.mpf(place))


def arguments(name: str, dtype: Any) -> Array:
    """Of all sizes for which the function is neither 0, infinite nor NaN."""
    rng = np.random.default_rng(len(name))
    single = dtype is np.float32
    smallest, largest = (-44.0, 38.0) if single else (-320.0, 307.0)
    if name in {"log2", "log10"}:
        parts = [10.0 ** rng.uniform(smallest, largest, 200), 1 + rng.normal(size=100) / 1e3]
        parts.append(rng.uniform(0.4, 3.0, 200))
    elif name == "arccosh":
        parts = [1 + 10.0 ** rng.uniform(-15, 1, 300), 10.0 ** rng.uniform(0, largest, 200)]
    elif name in {"arcsin", "arccos", "arctanh"}:
        close = rng.choice([-1.0, 1.0], 100) * (1 - 10.0 ** rng.uniform(-15, -1, 100))
        parts = [rng.uniform(-1, 1, 300), close, 10.0 ** rng.uniform(smallest, -1, 100)]
    else:
        parts = [rng.normal(size=100) * s for s in (1e-5, 0.1, 1.0, 3.0)]
        parts.append(10.0 ** rng.uniform(smallest, 0, 100))
        top = {"exp2": 127.0 if single else 1023.0, "sinh": 89.0 if single else 710.4}
        top["cosh"] = top["sinh"]
        if name in top:
            low = -149.0 if single else -1074.0
            parts.append(rng.uniform(low if name == "exp2" else -top[name], top[name], 200))
        else:
            parts.append(10.0 ** rng.uniform(0, largest, 150) * rng.choice([-1.0, 1.0], 150))
    x = np.concatenate(parts).astype(dtype)
    return x[np.isfinite(x) & ((x >= 1) | (name != "arccosh")) & (np.abs(x) != np.inf)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", sorted(EXACT))
def test_functions_are_within_their_bound(name: str, dtype: Any) -> None:
    x = arguments(name, dtype)
    got = getattr(ops, name)(x).numpy()
    assert got.dtype == dtype
    with mpmath.workprec(1300 if name in {"sin", "cos", "tan"} else 300):
        worst = max(
            units(g, EXACT[name](mpmath.mpf(float(v))), dtype) for v, g in zip(x, got, strict=True)
        )
    assert worst <= LIMITS[dtype]


# Close to multiples of pi/2: the closest of all doubles and floats, 1e22, powers of 2, and what is
# nearest to small multiples.
HARD = [6381956970095103.0 * 2.0**797, 1e22, 2.0**1000, 2.0**120, 16367173.0 * 2.0**72, 2.0**30]
HARD += [np.nextafter(2.0**30, 0), 1.7976931348623157e308, 5319372264326541.0 * 2.0**100]
HARD += [float(n * mpmath.pi / 2) for n in (1, 2, 3, 4, 11, 22, 355, 710, 10**5, 10**8)]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_hard_angles(name: str, dtype: Any) -> None:
    with np.errstate(over="ignore"):
        x = np.array(HARD).astype(dtype)
    x = x[np.isfinite(x)]
    x = np.concatenate([x, -x])
    with mpmath.workprec(1400):
        for v, g in zip(x, getattr(ops, name)(x).numpy(), strict=True):
            assert units(g, EXACT[name](mpmath.mpf(float(v))), dtype) <= LIMITS[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
def test_powers_and_their_logarithms_are_exact(dtype: Any) -> None:
    low, high = (-149, 128) if dtype is np.float32 else (-1074, 1024)
    n = np.arange(low, high)
    powers = np.ldexp(dtype(1), n)
    np.testing.assert_array_equal(ops.exp2(n.astype(dtype)).numpy(), powers)
    np.testing.assert_array_equal(ops.log2(powers).numpy(), n.astype(dtype))
    k = np.arange(-200.0, 200.0).astype(dtype)
    np.testing.assert_array_equal(ops.cbrt(k * k * k).numpy(), k)
    tens = np.array([float(10**k) for k in range(11 if dtype is np.float32 else 23)], dtype)
    np.testing.assert_array_equal(ops.log10(tens).numpy(), np.arange(len(tens)))


def binary_arguments(dtype: Any) -> tuple[Array, Array]:
    """Pairs of all sizes, alike and far apart, also where squares overflow or underflow."""
    rng = np.random.default_rng(5)
    smallest, largest = (-44.0, 38.0) if dtype is np.float32 else (-322.0, 307.9)
    sets = [
        rng.normal(size=(2, 300)),
        rng.normal(size=(2, 100)) * [[1.0], [1e-4]],
        rng.choice([-1.0, 1.0], (2, 200)) * 10.0 ** rng.uniform(smallest, largest, (2, 200)),
        10.0 ** rng.uniform(smallest, smallest + 5, (2, 50)),
        10.0 ** rng.uniform(largest - 1, largest, (2, 50)),
    ]
    x, y = np.concatenate(sets, axis=1).astype(dtype)
    return x, y


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "exact"), [("arctan2", mpmath.atan2), ("hypot", mpmath.hypot)])
def test_angle_and_length_are_within_their_bound(name: str, exact: Any, dtype: Any) -> None:
    x, y = binary_arguments(dtype)
    got = getattr(ops, name)(x, y).numpy()
    with mpmath.workprec(300):
        worst = max(
            units(g, exact(mpmath.mpf(float(a)), mpmath.mpf(float(b))), dtype)
            for a, b, g in zip(x, y, got, strict=True)
        )
    assert worst <= LIMITS[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
def test_logaddexp_is_within_its_bound(dtype: Any) -> None:
    """In units of the larger operand, where that is larger than the result."""
    rng = np.random.default_rng(6)
    x, y = np.concatenate([rng.normal(size=(2, 400)) * s for s in (0.5, 5.0, 300.0)], axis=1)
    x, y = x.astype(dtype), y.astype(dtype)
    limit = 0.51 if dtype is np.float32 else 3.0
    with mpmath.workprec(2000):
        for a, b, g in zip(x, y, ops.logaddexp(x, y).numpy(), strict=True):
            m, d = max(float(a), float(b)), abs(mpmath.mpf(float(a)) - mpmath.mpf(float(b)))
            exact = m + mpmath.log1p(mpmath.exp(-d))
            place = float(np.spacing(dtype(max(abs(float(exact)), abs(m)))))
            assert abs(mpmath.mpf(float(g)) - exact) <= limit * place


SPECIAL = [0.0, -0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0, 1e30, -1e30, np.inf, -np.inf, np.nan]


def same(got: Array, want: Array, dtype: Any) -> None:
    """Equal but for the last place, and signs of zeros."""
    np.testing.assert_allclose(got, want, rtol=4 * np.finfo(dtype).eps, atol=0)
    known = ~np.isnan(want)
    np.testing.assert_array_equal(np.signbit(got[known]), np.signbit(want[known]))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [*sorted(EXACT), "rint", "floor", "ceil", "trunc"])
def test_limits(name: str, dtype: Any) -> None:
    info = np.finfo(dtype)
    more = [info.smallest_subnormal, -info.smallest_subnormal, info.max, -info.max, 1 + info.eps]
    x = np.array([*SPECIAL, *more], dtype)
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x)
    same(getattr(ops, name)(x).numpy(), want, dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["arctan2", "hypot", "logaddexp", "copysign"])
def test_limits_of_two(name: str, dtype: Any) -> None:
    x, y = (v.ravel() for v in np.meshgrid(*[np.array(SPECIAL, dtype)] * 2))
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x, y)
    same(getattr(ops, name)(x, y).numpy(), want, dtype)


# ---- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["rint", "floor", "ceil", "trunc"])
def test_rounding_is_exact(name: str, dtype: Any) -> None:
    rng = np.random.default_rng(1)
    large = 2.0 ** (23 if dtype is np.float32 else 52)
    halves = np.arange(-40, 41) / 2
    edges = [(large + halves), -(large / 2 + halves), np.nextafter(dtype(0.5), dtype([0, 1]))]
    x = np.concatenate([*(rng.normal(size=200) * s for s in (1, 1e4, large)), halves, *edges])
    x = x.astype(dtype)
    got, want = getattr(ops, name)(x).numpy(), getattr(np, name)(x)
    assert got.tobytes() == want.tobytes()


def test_integers_are_rounded_as_in_numpy() -> None:
    x = np.array([-15, 25, 1234], np.int32)
    for name in ("floor", "ceil", "trunc", "round"):
        got = getattr(ops, name)(x).numpy()
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, x)
    assert ops.rint(x).dtype == np.float64
    for decimals in (-1, -2):
        got = ops.round(x, decimals).numpy()
        assert got.dtype == np.int32
        np.testing.assert_array_equal(got, np.round(x, decimals))


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3, 40, 400])
@pytest.mark.parametrize("dtype", DTYPES)
def test_round_to_decimals(dtype: Any, decimals: int) -> None:
    rng = np.random.default_rng(2)
    x = np.concatenate([rng.normal(size=300) * s for s in (0.1, 10.0, 1e4)])
    x = np.concatenate([x, [0.0, -0.0, np.inf, -np.inf, np.nan]]).astype(dtype)
    got = ops.round(x, decimals).numpy()
    assert got.dtype == dtype
    # Beyond 38 decimals NumPy's product, or its power of ten, is infinite.
    want = np.round(x, decimals) if decimals < 38 else x
    np.testing.assert_allclose(got, want, rtol=2 * np.finfo(dtype).eps, atol=0)


def test_what_cannot_be_rounded() -> None:
    with pytest.raises(ArgumentError, match="decimals"):
        ops.round([1.0], 1.5)  # type: ignore[arg-type]
    for name in ("floor", "ceil", "trunc", "round"):
        with pytest.raises(ArgumentError):
            getattr(ops, name)(np.ones(2, np.uint8))
    with pytest.raises(ArgumentError):
        ops.round(np.ones(2, np.bool_), -1)


# ---- division with remainder ---------------------------------------------------------------------


def fraction_remainder(a: float, b: float) -> Fraction:
    return Fraction(a) % Fraction(b)


@pytest.mark.parametrize("dtype", DTYPES)
def test_remainder_is_exact(dtype: Any) -> None:
    """But for the rounding of a remainder that is a little less than the divisor."""
    x, y = binary_arguments(dtype)
    keep = y != 0
    x, y = x[keep], y[keep]
    got = ops.remainder(x, y).numpy()
    for a, b, g in zip(x, y, got, strict=True):
        want = fraction_remainder(float(a), float(b))
        assert dtype(float(want)) == g
    with np.errstate(all="ignore"):
        assert got.tobytes() == np.remainder(x, y).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_floor_divide_is_the_floor_of_the_exact_quotient(dtype: Any) -> None:
    x, y = binary_arguments(dtype)
    x = np.concatenate([x, np.array([1.0, 0.3, 6.0, -1.0, 7.0, 1.0], dtype)])
    y = np.concatenate([y, np.array([0.1, 0.1, 0.1, 0.1, 0.07, -0.1], dtype)])
    keep = y != 0
    for a, b, g in zip(x[keep], y[keep], ops.floor_divide(x[keep], y[keep]).numpy(), strict=True):
        exact = Fraction(float(a)) // Fraction(float(b))
        if abs(exact) < 2**24:
            assert g == exact
        elif abs(exact) < Fraction(float(np.finfo(dtype).max)):
            assert abs(Fraction(float(g)) - exact) <= Fraction(float(np.spacing(dtype(abs(exact)))))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["floor_divide", "remainder"])
def test_limits_of_division(name: str, dtype: Any) -> None:
    x, y = (v.ravel() for v in np.meshgrid(*[np.array(SPECIAL, dtype)] * 2))
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x, y)
    same(getattr(ops, name)(x, y).numpy(), want, dtype)


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@pytest.mark.parametrize("name", ["floor_divide", "remainder", "mod"])
def test_division_of_integers(name: str, dtype: Any) -> None:
    low = np.iinfo(dtype).min
    values = np.array([low, low + 1, -7, -1, 0, 1, 2, 7, -(low + 1)], dtype)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        want = getattr(np, name)(x, y)
    got = getattr(ops, name)(x, y).numpy()
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, want)


# ---- NaN and infinities --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [*DTYPES, np.int32, np.uint8, np.bool_])
@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "signbit"])
def test_tests_of_one_operand(name: str, dtype: Any) -> None:
    floating = dtype in DTYPES
    x = np.array(SPECIAL * 3, dtype) if floating else np.array([0, 1, 1, 0, 1] * 7, dtype)
    got = getattr(ops, name)(x).numpy()
    assert got.dtype == bool
    want = getattr(np, name)(x) if floating else np.full(x.shape, name == "isfinite")
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(getattr(ops, name)(x[::-2]).numpy(), got[::-2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_to_num(dtype: Any) -> None:
    x = np.array(SPECIAL, dtype)
    for options in ({}, {"nan": 7.0}, {"posinf": 1.0, "neginf": -2.0}):
        got = ops.nan_to_num(x, **options).numpy()
        np.testing.assert_array_equal(got, np.nan_to_num(x, **options))
        np.testing.assert_array_equal(fg.jit(lambda x, o=options: ops.nan_to_num(x, **o))(x), got)
    assert ops.nan_to_num(np.arange(3)).dtype == np.int64


# ---- sinc ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_sinc_and_its_slopes(dtype: Any) -> None:
    """The value as NumPy's; in float64 slopes of both orders by mpmath, near 0 too."""
    x = np.concatenate([np.linspace(-3, 3, 61), [1e-9, 1e-3, 0.3183, 0.3184]]).astype(dtype)
    eps = float(np.finfo(dtype).eps)
    exact = np.sinc(x.astype(np.float64))
    np.testing.assert_allclose(ops.sinc(x).numpy(), exact, rtol=2 * eps, atol=2 * eps)
    slope = fg.grad(lambda x: ops.sum(ops.sinc(x)))
    bend = fg.grad(lambda x: ops.sum(slope(x)))
    with mpmath.workdps(60):
        for order, function in ((1, slope), (2, bend)):
            got = function(x).numpy()
            for v, g in zip(x, got, strict=True):
                want = mpmath.diff(
                    mpmath.sincpi, mpmath.mpf(float(v)) or mpmath.mpf(10) ** -20, order
                )
                assert abs(g - want) <= 40 * eps
