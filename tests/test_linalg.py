"""Linear algebra beyond the case table: what is composed of factorizations, norms, errors."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError
from fusegrad.ops import linalg

RNG = np.random.default_rng(17)
A = RNG.normal(size=(2, 4, 4)) + 3 * np.eye(4)
SINGULAR = np.ones((3, 3))


def close(got: Any, want: Any, rtol: float = 1e-13) -> None:
    want = np.asarray(want)
    assert got.shape == want.shape
    np.testing.assert_allclose(got.numpy(), want, rtol=rtol, atol=rtol * np.max(np.abs(want)))


# ---- singular and indefinite matrices ------------------------------------------------------------

FAILING: list[tuple[str, Callable[[Any], Any], np.ndarray]] = [
    ("solve", lambda a: linalg.solve(a, np.ones(3)), SINGULAR),
    ("inv", linalg.inv, SINGULAR),
    ("power", lambda a: linalg.matrix_power(a, -2), SINGULAR),
    ("cholesky", linalg.cholesky, -np.eye(3)),
    ("eigh", linalg.eigvalsh, np.full((3, 3), np.nan)),
    ("slogdet", fg.grad(lambda a: linalg.slogdet(a).logabsdet), SINGULAR),
    ("qr", fg.grad(lambda a: ops.sum(linalg.qr(a)[1])), np.zeros((3, 3))),
]


@pytest.mark.quick
@pytest.mark.parametrize(("call", "a"), [f[1:] for f in FAILING], ids=[f[0] for f in FAILING])
def test_what_has_no_factors_raises(call: Callable[[Any], Any], a: np.ndarray) -> None:
    compiled = fg.jit(call)
    for function in (call, compiled):
        with pytest.raises(np.linalg.LinAlgError):
            function(a)
    good = np.diag([1.0, 2.0, 3.0])
    assert compiled(good).numpy().tobytes() == call(good).numpy().tobytes()


def test_a_singular_constant_is_found_by_the_program() -> None:
    function = fg.jit(lambda x: x * ops.sum(linalg.inv(SINGULAR)))
    with pytest.raises(np.linalg.LinAlgError, match="Singular"):
        function(np.ones(2))


def test_slogdet_of_a_singular_matrix() -> None:
    sign, logabsdet = linalg.slogdet(np.zeros((2, 2)))
    assert (sign.item(), logabsdet.item()) == (0.0, -math.inf)
    big = np.eye(400) * 1e3
    close(linalg.slogdet(big).logabsdet, 400 * math.log(1e3))


# ---- conventions -------------------------------------------------------------------------------


def test_results_are_single_only_for_single() -> None:
    single = A.astype(np.float32)
    for function in (linalg.inv, linalg.det, linalg.svdvals, linalg.pinv, linalg.norm):
        assert function(single).dtype == np.float32
        assert function(A).dtype == np.float64
        assert function(np.array([[2, 1], [1, 1]])).dtype == np.float64
    assert linalg.solve(single, A).dtype == np.float64
    assert linalg.matrix_power(single, 0).dtype == np.float32


def test_single_precision_is_computed_in_double() -> None:
    hilbert = (1.0 / (1.0 + np.add.outer(np.arange(6), np.arange(6)))).astype(np.float32)
    want = np.linalg.inv(hilbert.astype(np.float64)).astype(np.float32)
    np.testing.assert_array_equal(linalg.inv(hilbert).numpy(), want)


def test_equal_eigenvalues_and_singular_values_give_finite_gradients() -> None:
    for function in (
        lambda a: ops.sum(linalg.eigh(a).eigenvectors ** 3),
        lambda a: ops.sum(linalg.eigvalsh(a) ** 3),
        lambda a: ops.sum(linalg.svd(a).U ** 3),
    ):
        assert np.isfinite(fg.grad(function)(np.eye(3)).numpy()).all()
    close(fg.grad(lambda a: ops.sum(linalg.eigvalsh(a) ** 3))(2 * np.eye(3)), 12 * np.eye(3))


def test_cholesky_and_eigh_see_the_symmetric_part() -> None:
    skew = np.array([[0.0, 1.0], [-1.0, 0.0]])
    for function in (linalg.cholesky, linalg.eigvalsh):
        np.testing.assert_array_equal(
            function(2 * np.eye(2) + skew).numpy(), function(2 * np.eye(2)).numpy()
        )


def test_full_matrices() -> None:
    a = RNG.normal(size=(3, 2))
    u, s, vh = linalg.svd(a)
    assert (u.shape, s.shape, vh.shape) == ((3, 3), (2,), (2, 2))
    want = fg.grad(lambda x: ops.sum(linalg.svdvals(x)))(a)
    close(fg.grad(lambda x: ops.sum(linalg.svd(x).S))(a), want.numpy())
    with pytest.raises(ArgumentError, match="full_matrices"):
        fg.grad(lambda x: ops.sum(linalg.svd(x).U))(a)


@pytest.mark.parametrize("n", [-3, -1, 0, 1, 2, 3, 7, np.int64(10)])
def test_matrix_power(n: int) -> None:
    close(linalg.matrix_power(A, n), np.linalg.matrix_power(A, n), 1e-12)


@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 4), (4, 5)],
        [(20, 2), (2, 30), (30, 1), (1, 7)],
        [(4,), (4, 5), (5, 6), (6,)],
        [(4,), (4, 3)],
        [(3,), (3,)],
    ],
)
def test_multi_dot(shapes: list[tuple[int, ...]]) -> None:
    arrays = [RNG.normal(size=shape) for shape in shapes]
    close(linalg.multi_dot(arrays), np.linalg.multi_dot(arrays))


def test_multi_dot_takes_the_cheapest_order() -> None:
    """By the textbook's example (Cormen et al., Introduction to Algorithms, section 15.2)."""
    sizes = [30, 35, 15, 5, 10, 20, 25]
    arrays = [np.ones(pair, np.float32) for pair in itertools.pairwise(sizes)]
    text = fg.jit(lambda *xs: linalg.multi_dot(xs)).lower(*arrays).text("trace")
    products = [
        line.split("float32")[1].split(" = ")[0] for line in text.splitlines() if "matmul" in line
    ]
    assert products == ["[35, 5]", "[30, 5]", "[5, 20]", "[5, 25]", "[30, 25]"]


@pytest.mark.parametrize(("call", "words"), [
    (lambda: linalg.matrix_power(np.eye(2), 0.5), "an integer"),
    (lambda: linalg.matrix_power(np.ones((2, 3)), 2), "square"),
    (lambda: linalg.multi_dot([np.eye(2)]), "at least two"),
    (lambda: linalg.multi_dot([np.eye(2), np.ones(2), np.eye(2)]), "index 1"),
    (lambda: linalg.matrix_transpose(np.ones(2)), "two axes"),
    (lambda: linalg.norm(np.ones((2, 2)), "no"), "'fro', 'nuc'"),
    (lambda: linalg.norm(np.ones((2, 2)), 3), "'fro', 'nuc'"),
    (lambda: linalg.norm(np.ones(2), "fro"), "a number"),
    (lambda: linalg.norm(np.ones(2), math.nan), "a number"),
    (lambda: linalg.norm(np.ones((2, 2, 2)), 2), "an axis, or two"),
    (lambda: linalg.norm(np.ones((2, 2)), axis=(0, 0)), "distinct"),
    (lambda: linalg.norm(np.ones((2, 2)), axis=(0, 1, 2)), "one axis, or two"),
    (lambda: linalg.norm(np.ones((2, 2)), axis=4), "axis"),
    (lambda: linalg.matrix_norm(np.ones(2)), "two axes"),
])  # fmt: skip
def test_bad_arguments(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        call()


# ---- norms -------------------------------------------------------------------------------------

VECTOR_ORDERS = [None, 2, 1, 0, 3, 2.5, 0.5, -1, -2, math.inf, -math.inf]
MATRIX_ORDERS = [None, "fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf]


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_norm_is_numpys(dtype: str, keepdims: bool) -> None:
    x = RNG.normal(size=(3, 4, 5)).astype(dtype)
    wide = x.astype(np.float64)
    rtol = 4e-7 if dtype == "float32" else 1e-13
    chosen = [(o, axis) for o in VECTOR_ORDERS for axis in (0, 1, -1)]
    chosen += [(o, axis) for o in MATRIX_ORDERS for axis in ((0, 1), (2, 0), (-1, -2))]
    for order, axis in [*chosen, (None, None)]:
        got = linalg.norm(x, order, axis=axis, keepdims=keepdims)
        close(got, np.linalg.norm(wide, order, axis=axis, keepdims=keepdims), rtol)
        assert got.dtype == dtype
    for order in MATRIX_ORDERS[1:]:
        want = np.linalg.matrix_norm(wide, ord=order, keepdims=keepdims)
        close(linalg.matrix_norm(x, ord=order, keepdims=keepdims), want, rtol)
    for axis in (None, 1, (0, 2)):
        want = np.linalg.vector_norm(wide, axis=axis, keepdims=keepdims)
        close(linalg.vector_norm(x, axis=axis, keepdims=keepdims), want, rtol)


@pytest.mark.parametrize(("order", "axis"), [
    *((o, 1) for o in VECTOR_ORDERS if o not in {None, 0}),
    *((o, (0, 1)) for o in MATRIX_ORDERS if o is not None),
])  # fmt: skip
def test_gradients_of_norms(order: Any, axis: Any) -> None:
    """Against central differences of NumPy's norm, of arrays without ties."""
    x = np.array([[0.3, -1.2, 2.5], [1.9, 0.7, -0.45]])
    got = fg.grad(lambda t: ops.sum(linalg.norm(t, order, axis=axis)))(x).numpy()

    def value(moved: np.ndarray) -> Any:
        return np.sum(np.linalg.norm(moved, order, axis=axis))

    step = 1e-6
    for place in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        want = (value(up) - value(down)) / (2 * step)
        assert got[place] == pytest.approx(want, rel=1e-7, abs=2e-9)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_of_norms_at_zero_are_zero(dtype: str) -> None:
    for order in [None, 2, 1, 3, 2.5, math.inf, "fro", "nuc"]:
        zeros = np.zeros((3, 3) if isinstance(order, str) else 3, dtype)
        first = fg.grad(lambda x, o=order: linalg.norm(x, o))
        second = fg.grad(lambda x, f=first: ops.sum(f(x) ** 2))
        if order != "nuc":
            np.testing.assert_array_equal(first(zeros).numpy(), zeros)
        for gradient in (first, second, fg.jit(first)):
            assert np.isfinite(gradient(zeros).numpy()).all(), order
    partly = fg.grad(lambda x: linalg.norm(x, 0.5))(np.array([0.0, 4.0], dtype)).numpy()
    np.testing.assert_allclose(partly, [0.0, 1.0], rtol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "scale"),
    [("float32", 1e30), ("float32", 1e-30), ("float64", 1e300), ("float64", 1e-300)],
)
def test_euclidean_norms_neither_overflow_nor_underflow(dtype: str, scale: float) -> None:
    x = (np.array([[3.0, 4.0], [6.0, 8.0]]) * scale).astype(dtype)
    rtol = 1e-6 if dtype == "float32" else 1e-14
    want = np.array([5.0, 10.0]) * scale
    np.testing.assert_allclose(linalg.norm(x, axis=1).numpy(), want, rtol=rtol)
    slopes = fg.grad(lambda t: ops.sum(linalg.norm(t, axis=1)))(x)
    np.testing.assert_allclose(slopes.numpy(), [[0.6, 0.8], [0.6, 0.8]], rtol=rtol)
    np.testing.assert_array_equal(linalg.norm(x[:, :0], axis=1).numpy(), [0.0, 0.0])


def test_norms_let_nan_and_infinity_through() -> None:
    assert math.isnan(linalg.norm(np.array([np.nan, 1.0])).item())
    assert linalg.norm(np.array([np.inf, 1.0])).item() == math.inf


# ---- in models -----------------------------------------------------------------------------------


def test_a_model_is_trained_through_a_factorization() -> None:
    """A layer with a precision matrix: the loss that it leaves is that of its eager steps."""

    class Whiten(fg.layers.Layer):
        def build(self, input_shape: Any) -> None:
            size = input_shape[-1]
            self.w = self.add_weight(shape=(size, size), initializer="identity")

        def call(self, x: Any) -> Any:
            precision = ops.matmul(self.w, ops.transpose(self.w)) + np.eye(3, dtype=np.float32)
            lower = linalg.cholesky(precision)
            return linalg.matrix_transpose(linalg.solve(lower, ops.transpose(x)))

    x = RNG.normal(size=(64, 3)).astype(np.float32)
    losses = []
    for eager in (False, True):
        fg.random.set_seed(3)
        model = fg.Sequential([Whiten(), fg.layers.Dense(1)])
        model.compile("adam", "mse", run_eagerly=eager)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            losses.append(model.fit(x, x[:, :1], epochs=3, verbose=0).history["loss"])
    assert losses[0] == losses[1]
    assert losses[0][-1] < losses[0][0]
