"""The numerics contract, held against slow references that spell it out, and its edges."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops

Array = np.ndarray[Any, Any]


def round_to(exact: Fraction, dtype: Any) -> Any:
    """`exact` correctly rounded, ties to even, inside the normal range."""
    near = dtype(float(exact))
    return min(
        (np.nextafter(near, dtype(-np.inf)), near, np.nextafter(near, dtype(np.inf))),
        key=lambda c: (abs(Fraction(float(c)) - exact), int(c.view(f"i{c.itemsize}")) & 1),
    )


def fma_chain(a: Array, b: Array) -> Any:
    """Blocks of 256: one fused chain each from +0, block sums added in order."""
    dtype = a.dtype.type
    total: Any = None
    for start in range(0, len(a), 256):
        accumulator = dtype(0)
        for x, y in zip(a[start : start + 256], b[start : start + 256], strict=True):
            exact = Fraction(float(x)) * Fraction(float(y)) + Fraction(float(accumulator))
            accumulator = round_to(exact, dtype)
        total = accumulator if total is None else dtype(total + accumulator)
    return total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("k", [1, 5, 255, 256, 257, 600])
def test_matmul_is_a_chain_of_fused_operations_in_blocks(dtype: Any, k: int) -> None:
    rng = np.random.default_rng(k)
    a, b = rng.normal(size=(3, k)).astype(dtype), rng.normal(size=(k, 2)).astype(dtype)
    got = ops.matmul(a, b).numpy()
    want = np.array([[fma_chain(row, column) for column in b.T] for row in a])
    assert got.tobytes() == want.tobytes()


def fused_float32(a: Array, b: Array, c: Array) -> Array:
    """a * b + c with one rounding: in float64 the product is exact and the sum is rounded to odd.

    S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums", 2008.
    """
    product, addend = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    total = product + addend
    part = total - product
    error = (product - (total - part)) + (addend - part)
    away = (error > 0) == (total > 0)
    even = (total.view(np.int64) & 1) == 0
    odd = (total.view(np.int64) + np.where(away, 1, -1)).view(np.float64)
    return np.where((error != 0) & even, odd, total).astype(np.float32)


def product_float32(a: Array, b: Array) -> Array:
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for start in range(0, a.shape[1], 256):
        block = np.zeros_like(total)
        for k in range(start, min(start + 256, a.shape[1])):
            block = fused_float32(a[:, k : k + 1], b[k : k + 1], block)
        total = block if start == 0 else total + block
    return total


# Sizes on both sides of every choice: tile heights and widths, packing, lanes along either axis of
# the result, more rows and columns than are packed at a time, few columns whose rows are transposed
# in registers.
PRODUCTS = [
    (1, 40, 70), (2, 300, 2), (3, 5, 130), (7, 33, 17), (15, 32, 10), (32, 300, 25), (70, 64, 33),
    (300, 9, 15), (64, 20, 65), (65, 20, 64), (520, 3, 24), (205, 260, 120), (30, 2, 2100),
    (230, 30, 2070), (19, 6, 28), (790, 32, 25), (28, 7, 19), (50, 519, 9),
]  # fmt: skip


@pytest.mark.parametrize("size", PRODUCTS, ids=str)
def test_products_of_all_sizes_and_orders_are_the_same_chain(size: tuple[int, int, int]) -> None:
    m, k, n = size
    rng = np.random.default_rng(m + k + n)
    a, b = rng.normal(size=(m, k)).astype(np.float32), rng.normal(size=(k, n)).astype(np.float32)
    want = product_float32(a, b)
    for x in (a, np.asfortranarray(a)):
        for y in (b, np.asfortranarray(b)):
            np.testing.assert_array_equal(ops.matmul(x, y).numpy(), want)
    # float64 by the same code: whole numbers, whose products and sums are exact.
    a, b = np.rint(8 * a).astype(np.float64), np.rint(8 * b).astype(np.float64)
    whole = a.astype(np.int64) @ b.astype(np.int64)
    for x in (a, np.asfortranarray(a)):
        for y in (b, np.asfortranarray(b)):
            np.testing.assert_array_equal(ops.matmul(x, y).numpy(), whole)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_products_with_any_number_of_few_columns_are_the_same_chain(dtype: Any) -> None:
    rng = np.random.default_rng(4)
    a = np.rint(rng.normal(size=(37, 261), scale=8)).astype(dtype)  # whole numbers: exact
    b = np.rint(rng.normal(size=(261, 40), scale=8)).astype(dtype)
    for n in range(2, 41):
        want = a.astype(np.int64) @ b[:, :n].astype(np.int64)
        np.testing.assert_array_equal(ops.matmul(a, b[:, :n].copy()).numpy(), want)
        np.testing.assert_array_equal(ops.matmul(b[:, :n].T.copy(), a.T).numpy(), want.T)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("act", ["linear", "relu", "leaky_relu", "sigmoid"])
@pytest.mark.parametrize("size", PRODUCTS[1::2], ids=str)
def test_fused_dense_has_the_bits_of_its_parts(
    size: tuple[int, int, int], act: str, dtype: Any
) -> None:
    m, k, n = size
    rng = np.random.default_rng(m + k + n)
    x, w, bias = (rng.normal(size=s).astype(dtype) for s in ((m, k), (k, n), (n,)))

    def dense(x: Any, w: Any, bias: Any) -> Any:
        total = ops.add(ops.matmul(x, w), bias)
        return total if act == "linear" else getattr(ops, act)(total)

    fused = fg.jit(dense, exact_rewrites=False)
    want = dense(x, w, bias).numpy()
    assert "dense(" in fused.lower(x, w, bias).text("plan")
    for rows in (x, np.asfortranarray(x)):
        for weights in (w, np.asfortranarray(w)):
            np.testing.assert_array_equal(fused(rows, weights, bias).numpy(), want)


def lanes_sum(x: Array) -> float:
    """Sixteen lanes in float64, each in order, then the tree 8-4-2-1."""
    lanes = [np.float64(0.0)] * 16
    for i, value in enumerate(x.astype(np.float64)):
        lanes[i % 16] = lanes[i % 16] + value
    for step in (8, 4, 2, 1):
        for j in range(step):
            lanes[j] = lanes[j] + lanes[j + step]
    return float(lanes[0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [1, 15, 16, 17, 100, 1000])
def test_sums_run_over_sixteen_lanes(dtype: Any, n: int) -> None:
    x = (np.random.default_rng(n).normal(size=(n, 3)) * 1e4).astype(dtype)
    want = np.array([lanes_sum(column) for column in x.T]).astype(dtype)
    for layout in (np.ascontiguousarray, np.asfortranarray):
        assert ops.sum(layout(x), axis=0).numpy().tobytes() == want.tobytes()
        assert ops.sum(layout(x.T), axis=1).numpy().tobytes() == want.tobytes()
    mean = np.array([lanes_sum(column) / n for column in x.T]).astype(dtype)
    assert ops.mean(x, axis=0).numpy().tobytes() == mean.tobytes()


def ulps(got: Any, exact: Any, dtype: Any) -> float:
    """Distance from the exact value in units of the last place of `dtype`."""
    if exact == 0:
        return 0.0 if got == 0 else float("inf")
    place = float(np.spacing(dtype(abs(float(exact)))))
    return float(abs(mpmath.mpf(float(got)) - exact) / place)


SCALES = [1.0, 10.0, 100.0, 1e4]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("classes", [2, 10, 100])
def test_cross_entropy_keeps_every_element(dtype: Any, scale: float, classes: int) -> None:
    """Value and gradient within 4 units of the last place, also where the textbook gives 0."""
    rng = np.random.default_rng(classes)
    z = (rng.normal(size=(20, classes)) * scale).astype(dtype)
    y = np.where(np.arange(20) % 2 == 0, np.argmax(z, axis=1), rng.integers(0, classes, 20))
    value, gradient = fg.value_and_grad(lambda z: ops.sum(ops.sparse_softmax_cross_entropy(y, z)))(
        z
    )
    losses = ops.sparse_softmax_cross_entropy(y, z).numpy()
    tiny = float(np.finfo(dtype).tiny)
    with mpmath.workdps(60):
        for i in range(20):
            row = [mpmath.mpf(float(v)) for v in z[i]]
            others = mpmath.fsum(mpmath.exp(v - row[y[i]]) for j, v in enumerate(row) if j != y[i])
            exact = mpmath.log1p(others)
            if exact > tiny:
                assert ulps(losses[i], exact, dtype) <= 4
            total = mpmath.fsum(mpmath.exp(v - max(row)) for v in row)
            for j, v in enumerate(row):
                p = mpmath.exp(v - max(row)) / total
                exact = -others / (1 + others) if j == y[i] else p
                if abs(exact) > tiny:
                    assert ulps(gradient.numpy()[i, j], exact, dtype) <= 4
    assert value.item() >= 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binary_cross_entropy_keeps_every_element(dtype: Any) -> None:
    z = np.array([-80.0, -30.0, -5.0, -1e-3, 0.0, 1e-3, 5.0, 30.0, 80.0], dtype)
    for t in (0.0, 1.0):
        targets = np.full_like(z, t)
        losses = ops.sigmoid_cross_entropy(targets, z).numpy()
        gradient = fg.grad(lambda z, t=targets: ops.sum(ops.sigmoid_cross_entropy(t, z)))(z).numpy()
        with mpmath.workdps(60):
            for x, loss, g in zip(z, losses, gradient, strict=True):
                signed = mpmath.mpf(float(x)) * (-1 if t else 1)
                assert ulps(loss, mpmath.log1p(mpmath.exp(signed)), dtype) <= 4
                slope = 1 / (1 + mpmath.exp(-signed)) * (-1 if t else 1)
                assert ulps(g, slope, dtype) <= 4


def test_cross_entropy_is_translation_invariant() -> None:
    z = (np.random.default_rng(0).integers(-64, 64, size=(8, 10)) / 8).astype(np.float32)
    y = np.arange(8)
    shifted = z + np.float32(1024)
    assert np.array_equal(shifted - np.float32(1024), z)
    f = fg.value_and_grad(lambda z: ops.sum(ops.sparse_softmax_cross_entropy(y, z)))
    (value, gradient), (value_2, gradient_2) = f(z), f(shifted)
    assert value.item() == value_2.item()
    assert gradient.numpy().tobytes() == gradient_2.numpy().tobytes()


def softmax_results(z: Array, y: Array, t: Array) -> list[Array]:
    """What the softmax family gives for each row of z: (rows, ...) arrays."""

    def losses(z: Any) -> Any:
        return ops.sum(ops.sparse_softmax_cross_entropy(y, z))

    def soft_losses(z: Any) -> Any:
        return ops.sum(ops.softmax_cross_entropy(t, z))

    results = [
        ops.sparse_softmax_cross_entropy(y, z),
        fg.grad(losses)(z),
        fg.jit(fg.grad(losses))(z),
        ops.softmax_cross_entropy(t, z),
        fg.grad(soft_losses)(z),
        ops.softmax(z),
        ops.log_softmax(z),
        ops.logsumexp(z, axis=1),
    ]
    return [r.numpy() for r in results]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [1, 2, 3, 10, 16, 17, 32, 33, 100, 130, 1001])
def test_softmax_rows_have_the_bits_of_one_row(dtype: Any, classes: int) -> None:
    """Lanes along rows or across them, for any number of rows, with ties and without."""
    rng = np.random.default_rng(classes)
    n = 70
    z = (rng.normal(size=(n, classes)) * 10).astype(dtype)
    z[::2] = np.round(z[::2] / 8)  # the largest occurs more than once
    z[5, 0] = -np.inf if classes > 1 else 0
    y = np.where(np.arange(n) % 3 == 0, np.argmax(z, axis=1), rng.integers(0, classes, n))
    y[5] = classes - 1
    t = rng.dirichlet(np.ones(classes), n).astype(dtype)
    t[5, 0] = 0
    rows = [softmax_results(z[i : i + 1], y[i : i + 1], t[i : i + 1]) for i in range(n)]
    want = [np.concatenate(parts) for parts in zip(*rows, strict=True)]
    for count in (2, 7, 8, 9, 31, 32, 33, 70):
        for z_layout in (np.ascontiguousarray, np.asfortranarray):
            for t_layout in (np.ascontiguousarray, np.asfortranarray):
                got = softmax_results(z_layout(z[:count]), y[:count], t_layout(t[:count]))
                for a, b in zip(got, want, strict=True):
                    assert a.tobytes() == b[:count].tobytes()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("classes", [3, 40])
def test_a_row_that_is_not_a_number_stays_alone(dtype: Any, classes: int) -> None:
    z = np.random.default_rng(0).normal(size=(40, classes)).astype(dtype)
    z[7, 1], z[20, 0], z[33, classes - 1], z[39] = np.nan, np.nan, np.inf, -np.inf
    bad = np.isin(np.arange(40), (7, 20, 33, 39))
    y = np.full(40, 2)
    for values in (
        ops.sparse_softmax_cross_entropy(y, z).numpy(),
        fg.grad(lambda z: ops.sum(ops.sparse_softmax_cross_entropy(y, z)))(z).numpy(),
        ops.softmax(z).numpy(),
    ):
        assert np.isnan(values[bad]).all()
        assert np.isfinite(values[~bad]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n", [5, 16, 24, 32, 70])
def test_logsumexp_of_infinity_and_nan_is_the_same_everywhere(dtype: Any, n: int) -> None:
    for place in {0, 2, n - 16, n - 8, n - 4, n - 1} - {1}:
        if place < 0:
            continue
        x = np.zeros((9, n), dtype)
        x[:, 1] = np.inf
        x[:, place] = np.nan
        expected = np.full(9, np.nan if place == 0 else np.inf, dtype)
        for rows in (x, np.asfortranarray(x)):
            np.testing.assert_array_equal(ops.logsumexp(rows, axis=1).numpy(), expected)
        np.testing.assert_array_equal(ops.logsumexp(x[:1], axis=1).numpy(), expected[:1])


def test_large_logits_stay_finite() -> None:
    z = np.array([[1e8, 0.0], [0.0, 1e30]], np.float32)
    losses = ops.sparse_softmax_cross_entropy(np.array([1, 1]), z).numpy()
    np.testing.assert_array_equal(losses, np.array([1e8, 0.0], np.float32))


UNARY_LIMITS = {
    "exp": 1.0,
    "expm1": 1.0,
    "log": 1.0,
    "log1p": 1.0,
    "tanh": 1.0,
    "sigmoid": 2.0,
    "softplus": 2.0,
    "erf": 1.0,
    "erfc": 1.0,
    "silu": 1.0,
    "gelu": 1.0,
    "elu": 1.0,
}
DOUBLE_LIMITS = {
    "exp": 1.0,
    "expm1": 1.0,
    "log": 1.0,
    "log1p": 1.0,
    "tanh": 2.0,
    "sigmoid": 2.0,
    "softplus": 2.0,
    "erf": 2.0,
    "erfc": 3.0,
    "silu": 2.0,
    "gelu": 3.0,
    "elu": 1.0,
}
EXACT = {
    "exp": mpmath.exp, "expm1": mpmath.expm1, "log": mpmath.log, "log1p": mpmath.log1p,
    "tanh": mpmath.tanh, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "softplus": lambda x: mpmath.log1p(mpmath.exp(x)),
    "erf": mpmath.erf, "erfc": mpmath.erfc, "silu": lambda x: x / (1 + mpmath.exp(-x)),
    "gelu": lambda x: x * mpmath.erfc(-x / mpmath.sqrt(2)) / 2,
    "elu": lambda x: x if x > 0 else mpmath.expm1(x),
}  # fmt: skip


@pytest.mark.parametrize(
    ("dtype", "limits"), [(np.float32, UNARY_LIMITS), (np.float64, DOUBLE_LIMITS)]
)
@pytest.mark.parametrize("name", sorted(EXACT))
def test_functions_are_within_their_bound(name: str, dtype: Any, limits: dict[str, float]) -> None:
    rng = np.random.default_rng(1)
    x = np.concatenate([rng.normal(size=300) * s for s in (1e-3, 0.3, 1.0, 10.0, 60.0)]).astype(
        dtype
    )
    if name in {"log", "log1p"}:
        x = np.abs(x)
        x = x[x > 0]
    got = getattr(ops, name)(x).numpy()
    with mpmath.workdps(50):
        worst = max(
            ulps(g, EXACT[name](mpmath.mpf(float(v))), dtype)
            for v, g in zip(x, got, strict=True)
            if np.isfinite(g) and abs(g) > np.finfo(dtype).tiny
        )
    assert worst <= limits[name]


TAILS = {
    "erf": (-6.5, 6.5), "erfc": (-6.0, 27.4), "gelu": (-38.8, 12.0), "silu": (-752.0, 45.0),
    "elu": (-45.0, 1.0),
}  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(TAILS))
def test_tails_keep_their_digits(name: str, dtype: Any) -> None:
    """Down to the smallest subnormal of the results, and of the inputs."""
    rng = np.random.default_rng(2)
    smallest = np.log10(np.finfo(dtype).smallest_subnormal)
    near_zero = 10.0 ** rng.uniform(smallest, 0, 200) * rng.choice([-1.0, 1.0], 200)
    x = np.concatenate([rng.uniform(*TAILS[name], 500), near_zero]).astype(dtype)
    got = getattr(ops, name)(x).numpy()
    limit = (UNARY_LIMITS if dtype is np.float32 else DOUBLE_LIMITS)[name]
    with mpmath.workdps(60):
        for v, g in zip(x, got, strict=True):
            assert ulps(g, EXACT[name](mpmath.mpf(float(v))), dtype) <= limit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("name", "at_minus_infinity", "at_infinity", "at_minus_zero"),
    [
        ("erf", -1.0, 1.0, -0.0),
        ("erfc", 2.0, 0.0, 1.0),
        ("silu", -0.0, np.inf, -0.0),
        ("gelu", -0.0, np.inf, -0.0),
        ("elu", -1.0, np.inf, -0.0),
    ],
)
def test_limits_of_functions(
    name: str, at_minus_infinity: float, at_infinity: float, at_minus_zero: float, dtype: Any
) -> None:
    large = np.finfo(dtype).max
    x = np.array([-np.inf, -large, np.inf, large, -0.0, np.nan], dtype)
    got = getattr(ops, name)(x).numpy()
    want = np.array(
        [at_minus_infinity] * 2 + [at_infinity, min(at_infinity, large), at_minus_zero, np.nan],
        dtype,
    )
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(np.signbit(got[:5]), np.signbit(want[:5]))


def normal_density(x: Any) -> Any:
    return mpmath.exp(-x * x / 2) / mpmath.sqrt(2 * mpmath.pi)


def logistic(x: Any) -> Any:
    return 1 / (1 + mpmath.exp(-x))


SLOPES = {
    "erf": lambda x: 2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x),
    "erfc": lambda x: -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x * x),
    "silu": lambda x: logistic(x) * (1 + x * logistic(-x)),
    "gelu": lambda x: mpmath.erfc(-x / mpmath.sqrt(2)) / 2 + x * normal_density(x),
    "elu": lambda x: mpmath.mpf(1) if x > 0 else mpmath.exp(x),
}
BENDS = {
    "erf": lambda x: -2 * x * SLOPES["erf"](x),
    "erfc": lambda x: 2 * x * SLOPES["erf"](x),
    "silu": lambda x: logistic(x) * logistic(-x) * (2 + x * (logistic(-x) - logistic(x))),
    "gelu": lambda x: normal_density(x) * (2 - x * x),
    "elu": lambda x: mpmath.mpf(0) if x > 0 else mpmath.exp(x),
}
# Near a root the absolute error is what counts: 1e-12 of the largest slope, which is about 1.
ROOTS = {"silu": (-1.278,), "gelu": (-0.752,)}
BEND_ROOTS = {"erf": (0.0,), "erfc": (0.0,), "silu": (-2.4, 2.4), "gelu": (-(2**0.5), 2**0.5)}


def away_from(x: Array, roots: tuple[float, ...]) -> Array:
    return x[np.all([np.abs(x - root) > 0.1 for root in roots], axis=0)] if roots else x


@pytest.mark.parametrize("name", sorted(SLOPES))
def test_slopes_and_their_slopes(name: str) -> None:
    """Float64 within 1e-12 of the exact value, float32 within 4 units of the last place."""
    rng = np.random.default_rng(3)
    low = {"silu": -690.0, "elu": -690.0, "gelu": -36.0}.get(name, -25.0)
    x = np.concatenate([rng.normal(size=200), rng.uniform(low, -low / 20, 200)])
    function = getattr(ops, name)
    slope = fg.grad(lambda x: ops.sum(function(x)))
    bend = fg.grad(lambda x: ops.sum(slope(x)))
    with mpmath.workdps(60):
        for f, exact, roots in ((slope, SLOPES, ROOTS), (bend, BENDS, BEND_ROOTS)):
            chosen = away_from(x, roots.get(name, ()))
            for v, g in zip(chosen, f(chosen).numpy(), strict=True):
                want = exact[name](mpmath.mpf(float(v)))
                assert abs(mpmath.mpf(float(g)) - want) <= 1e-12 * abs(want)
        single = away_from(x, ROOTS.get(name, ())).astype(np.float32)
        for v, g in zip(single, slope(single).numpy(), strict=True):
            assert ulps(g, SLOPES[name](mpmath.mpf(float(v))), np.float32) <= 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", sorted(SLOPES))
def test_slopes_stay_finite(name: str, dtype: Any) -> None:
    x = np.array([-1e30, -1e10, -800.0, -0.0, 0.0, 800.0, 1e10, 1e30], dtype)
    slope = fg.grad(lambda x: ops.sum(getattr(ops, name)(x)))
    at_zero = float(SLOPES[name](mpmath.mpf(0)))
    above = 0.0 if name in {"erf", "erfc"} else 1.0
    want = [0.0] * 3 + [at_zero] * 2 + [above] * 3
    np.testing.assert_allclose(slope(x).numpy(), np.array(want, dtype), rtol=1e-6)
    assert np.isfinite(fg.grad(lambda x: ops.sum(slope(x)))(x).numpy()).all()


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(70, 33)).astype(np.float32)
    w, b = rng.normal(size=(33, 9)).astype(np.float32), rng.normal(size=9).astype(np.float32)
    whole = ops.softmax(ops.dense(x, w, b, "tanh")).numpy()
    for rows in (slice(0, 1), slice(3, 20), slice(64, 70)):
        part = ops.softmax(ops.dense(x[rows], w, b, "tanh")).numpy()
        assert part.tobytes() == whole[rows].tobytes()
