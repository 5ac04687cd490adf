"""Array functions where NumPy is no reference: ties, NaN, rounding, traces, Keras's functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError

nan, inf = float("nan"), float("inf")


def gradient(f: Callable[..., Any], *xs: Any) -> Any:
    return fg.grad(f)(*[np.asarray(x, "float64") for x in xs]).numpy()


# ---- rounding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
def test_float32_is_carried_in_double(name: str, axis: int) -> None:
    """Each result is that of float64, rounded once."""
    x = np.random.default_rng(1).uniform(0.9, 1.1, (300, 70)).astype("float32")
    want = getattr(np, name)(x.astype("float64"), axis=axis).astype("float32")
    for layout in (x, np.asfortranarray(x)):
        assert getattr(ops, name)(layout, axis=axis).numpy().tobytes() == want.tobytes()


def test_segment_sum_is_carried_in_double() -> None:
    x = np.full(10_000, 0.1, "float32")
    want = np.float32(np.sum(x.astype("float64")))
    assert ops.segment_sum(x, np.zeros(10_000, int), 1).numpy()[0] == want


def test_prod_does_not_overflow_on_its_way() -> None:
    x = np.array([1e30, 1e30, 1e-30, 1e-30], "float32")
    np.testing.assert_allclose(ops.prod(x).numpy(), 1.0, rtol=1e-6)
    slopes = fg.grad(ops.prod)(x).numpy()
    np.testing.assert_allclose(slopes, [1e-30, 1e-30, 1e30, 1e30], rtol=1e-6)


def test_logcumsumexp_of_extremes() -> None:
    x = np.array([-inf, -inf, -1e4, 1e4, -inf, 1e4])
    with np.errstate(all="ignore"):
        want = np.logaddexp.accumulate(x)
    np.testing.assert_allclose(ops.logcumsumexp(x).numpy(), want, rtol=1e-15)
    last = gradient(lambda x: ops.logcumsumexp(x)[-1], x)
    np.testing.assert_allclose(last, [0, 0, 0, 0.5, 0, 0.5], atol=1e-15)
    assert np.isfinite(gradient(lambda x: ops.sum(ops.logcumsumexp(x)[2:]), x)).all()
    np.testing.assert_array_equal(ops.logcumsumexp([0.0, nan, 0.0]).numpy(), [0.0, nan, nan])
    np.testing.assert_array_equal(ops.logcumsumexp([0.0, inf, 0.0]).numpy(), [0.0, inf, inf])


# ---- ties and NaN --------------------------------------------------------------------------------


def test_top_k() -> None:
    x = np.array([[1.0, 3.0, nan, 3.0, -inf], [0.0, -0.0, 0.0, 0.0, 0.0]])
    found, indices = ops.top_k(x, 4)
    np.testing.assert_array_equal(indices.numpy(), [[2, 1, 3, 0], [0, 1, 2, 3]])
    np.testing.assert_array_equal(found.numpy(), [[nan, 3, 3, 1], [0, 0, 0, 0]])
    assert ops.top_k(x, 0)[0].shape == (2, 0)
    wide = np.random.default_rng(2).integers(0, 50, (3, 1000))
    for k in (1, 5, 63, 1000):  # by selection and by sorting
        want = np.argsort(-wide, axis=-1, kind="stable")[:, :k]
        np.testing.assert_array_equal(ops.top_k(wide, k)[1].numpy(), want)
    slopes = gradient(lambda x: ops.sum(ops.top_k(x, 2)[0] * [10.0, 1.0]), [1.0, 3.0, 2.0])
    np.testing.assert_array_equal(slopes, [0, 10, 1])


def test_in_top_k() -> None:
    predictions = np.array([[0.1, 0.3, 0.3], [0.5, nan, 0.2], [inf, 0.1, 0.2]])
    for k, want in [(0, [0, 0, 0]), (1, [1, 0, 0]), (2, [1, 0, 0]), (3, [1, 0, 0])]:
        found = ops.in_top_k([2, 1, 0], predictions, k).numpy()
        np.testing.assert_array_equal(found, np.array(want, bool))
    found = ops.in_top_k(np.array([[0], [1]]), np.array([[[3, 1]], [[3, 1]]]), 1)
    np.testing.assert_array_equal(found.numpy(), [[True], [False]])


def test_sort_shares_nothing_among_ties() -> None:
    slopes = gradient(lambda x: ops.sum(ops.sort(x) * [1.0, 2.0, 3.0, 4.0]), [5.0, 1.0, 5.0, 1.0])
    np.testing.assert_array_equal(slopes, [3, 1, 4, 2])
    np.testing.assert_array_equal(ops.sort([nan, 1.0, -inf, inf]).numpy(), [-inf, 1, inf, nan])


def test_segment_max() -> None:
    x, ids = np.array([2.0, 2.0, 1.0, 2.0, nan]), [0, 0, 1, 0, 3]
    np.testing.assert_array_equal(ops.segment_max(x, ids, 4).numpy(), [2, 1, -inf, nan])
    slopes = gradient(lambda x: ops.sum(ops.segment_max(x, [0, 0, 1, 0], 3)[:2]), x[:4])
    np.testing.assert_allclose(slopes, [1 / 3, 1 / 3, 1, 1 / 3])
    least = np.iinfo(np.int64).min
    np.testing.assert_array_equal(ops.segment_max([1, 5], [1, 1]).numpy(), [least, 5])


def test_segments_of_several_axes() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    ids = np.array([[0, 1, 0], [2, 2, 0]])
    want = np.zeros((3, 4))
    np.add.at(want, ids, x)
    for sorted_ in (False, True):
        found = ops.segment_sum(x, ids, num_segments=3, sorted=sorted_)
        np.testing.assert_array_equal(found.numpy(), want)
    counts = np.array([3, 1, 2])[:, None]
    np.testing.assert_allclose(ops.segment_mean(x, ids).numpy(), want / counts)
    assert ops.segment_mean(x, ids, 5).numpy()[4].tolist() == [0.0] * 4
    assert ops.segment_sum(np.ones(3, bool), [1, 1, 0]).dtype == np.int64


def test_nan_reductions_of_nothing_else() -> None:
    x = np.array([[nan, nan], [nan, 2.0]])
    for name, want in [("nansum", [0, 2]), ("nanprod", [1, 2]), ("nanmean", [nan, 2]),
                       ("nanmax", [nan, 2]), ("nanmin", [nan, 2]), ("nanvar", [nan, 0]),
                       ("nanstd", [nan, 0])]:  # fmt: skip
        np.testing.assert_array_equal(getattr(ops, name)(x, axis=1).numpy(), want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_reductions_of_infinities(dtype: str) -> None:
    x = np.array([[nan, inf, 1.0], [-inf, inf, nan], [nan, -inf, nan], [3.0, nan, 1.0]], dtype)
    for name in ("nansum", "nanprod", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"):
        with np.errstate(invalid="ignore"):
            want = getattr(np, name)(x, axis=1)
        np.testing.assert_array_equal(getattr(ops, name)(x, axis=1).numpy(), want, name)
    slope = fg.grad(lambda x: ops.sum(ops.nanvar(x, axis=1)))(x[3:])
    np.testing.assert_array_equal(slope.numpy(), [[1, 0, -1]])


def test_quantiles_of_nan_and_infinity() -> None:
    x = np.array([[1.0, nan, 3.0], [inf, 1.0, inf], [-inf, 0.0, inf]])
    np.testing.assert_array_equal(ops.median(x, axis=1).numpy(), [nan, inf, 0])
    np.testing.assert_array_equal(ops.quantile(x, [0.0, 1.0], axis=1).numpy(),
                                  [[nan, 1, -inf], [nan, inf, inf]])  # fmt: skip


def test_interp_at_the_ends() -> None:
    xp, fp = np.array([0.0, 1.0, 3.0]), np.array([0.1, 0.7, 0.3])
    x = np.array([nan, 0.0, 3.0, -1.0, 4.0, 1.0])
    np.testing.assert_array_equal(ops.interp(x, xp, fp).numpy(), [nan, 0.1, 0.3, 0.1, 0.3, 0.7])
    slopes = gradient(lambda x: ops.sum(ops.interp(x, xp, fp)), x[1:])
    np.testing.assert_allclose(slopes, [0.6, 0, 0, 0, -0.2])


# ---- scattering ----------------------------------------------------------------------------------


def test_scatter() -> None:
    indices, rows = np.array([[0, 1], [-1, 2], [0, 1]]), np.array([[1.0, 2], [3, 4], [5, 6]])
    want = np.zeros((2, 3, 2))
    np.add.at(want, (indices[:, 0], indices[:, 1]), rows)
    np.testing.assert_array_equal(ops.scatter(indices, rows, (2, 3, 2)).numpy(), want)
    traced = fg.jit(lambda i, v: ops.scatter(i, v, (2, 3, 2)))
    np.testing.assert_array_equal(traced(indices, rows).numpy(), want)
    with pytest.raises(ArgumentError, match="segment_ids"):
        traced(indices + 1, rows)
    weights = np.arange(12.0).reshape(2, 3, 2)
    slopes = gradient(lambda v: ops.sum(ops.scatter(indices, v, (2, 3, 2)) * weights), rows)
    np.testing.assert_array_equal(slopes, weights[indices[:, 0], indices[:, 1]])


def test_scatter_update() -> None:
    x, updates = np.arange(12.0).reshape(3, 4), np.array([10.0, 20.0, 30.0])
    indices = np.array([[1, 2], [-1, 0], [1, 2]])  # the last of two counts
    want = x.copy()
    want[2, 0], want[1, 2] = 20, 30
    np.testing.assert_array_equal(ops.scatter_update(x, indices, updates).numpy(), want)
    np.testing.assert_array_equal(fg.jit(ops.scatter_update)(x, indices, updates).numpy(), want)
    weights = np.arange(12.0).reshape(3, 4) + 1

    def total(x: Any, updates: Any) -> Any:
        return ops.sum(ops.scatter_update(x, indices, updates) * weights)

    in_x, in_updates = fg.grad(total, argnums=(0, 1))(x, updates)
    np.testing.assert_array_equal(in_updates.numpy(), [0, weights[2, 0], weights[1, 2]])
    np.testing.assert_array_equal(in_x.numpy(), np.where(want == x, weights, 0))
    rows = ops.scatter_update(x, [[1]], np.ones((1, 4))).numpy()
    np.testing.assert_array_equal(rows, np.where(np.arange(3)[:, None] == 1, 1, x))
    np.testing.assert_array_equal(ops.scatter_update(x, np.zeros((0, 2), int), []).numpy(), x)


def test_slice_update() -> None:
    x, updates = np.arange(12.0).reshape(3, 4), np.array([[7.0, 8.0]])
    want = x.copy()
    want[1:2, 2:4] = updates
    np.testing.assert_array_equal(ops.slice_update(x, (1, 2), updates).numpy(), want)

    def total(x: Any, updates: Any) -> Any:
        return ops.sum(ops.square(ops.slice_update(x, (1, 2), updates)))

    in_x, in_updates = fg.grad(total, argnums=(0, 1))(x, updates)
    np.testing.assert_array_equal(in_x.numpy(), np.where(want == x, 2 * x, 0))
    np.testing.assert_array_equal(in_updates.numpy(), 2 * updates)


# ---- gradients that other modules of a row cannot see --------------------------------------------


def test_gradients_of_parameters() -> None:
    fill = gradient(lambda v: ops.sum(ops.pad(ops.ones(3), (1, 2), constant_values=v)), 2.0)
    assert fill == 3.0
    x = np.array([3.0, 1.0, 2.0])
    found = gradient(lambda x: ops.sum(ops.unique(x) * [1.0, 2.0, 3.0]), x)
    np.testing.assert_array_equal(found, [3, 1, 2])
    base = gradient(lambda b: ops.sum(ops.logspace(0.0, 2.0, 3, base=b)), 3.0)
    np.testing.assert_allclose(base, 7.0)


def test_second_derivatives_with_zeros() -> None:
    x = np.array([0.0, 2.0, 3.0])
    mixed = fg.grad(lambda x: fg.grad(ops.prod)(x)[1])(x).numpy()
    np.testing.assert_array_equal(mixed, [3, 0, 0])
    third = fg.grad(lambda x: fg.grad(lambda x: fg.grad(ops.prod)(x)[1])(x)[0])(x).numpy()
    np.testing.assert_array_equal(third, [0, 0, 1])


# ---- what is refused -----------------------------------------------------------------------------

X = np.arange(6.0).reshape(2, 3)
TRACED = [
    ops.nonzero,
    ops.flatnonzero,
    ops.argwhere,
    ops.where,
    ops.unique,
    lambda x: ops.bincount(ops.cast(x[0], "int64")),
    lambda x: ops.repeat(x, x[:, 0], 0),
    lambda x: ops.quantile(X, x[0, 0]),
    lambda x: ops.segment_sum(X, ops.cast(x[:, 0], "int64")),
]


@pytest.mark.parametrize("index", range(len(TRACED)))
def test_shapes_that_depend_on_elements(index: int) -> None:
    with pytest.raises(ArgumentError, match="depends on"):
        fg.jit(TRACED[index])(X)
    with pytest.raises(ArgumentError, match="depends on"):
        fg.jit(fg.grad(lambda x: ops.sum(TRACED[index](x)[0])))(X)


BAD: list[tuple[Callable[[], Any], str, str]] = [
    (lambda: ops.cumsum(X, 2), "axis", r"\[-2, 2\)"),
    (lambda: ops.cumprod(X, -3), "axis", r"\[-2, 2\)"),
    (lambda: ops.logcumsumexp(X, 2), "axis", r"\[-2, 2\)"),
    (lambda: ops.diff(X, -1), "n", ">= 0"),
    (lambda: ops.diff(1.0), "axis", "axis"),
    (lambda: ops.prod(X, (0, 0)), "axis", "distinct"),
    (lambda: ops.sort(1.0), "axis", "axis"),
    (lambda: ops.partition(X, 3), "kth", r"\[-3, 3\)"),
    (lambda: ops.top_k(X, -1), "k", r"\[0, 3\]"),
    (lambda: ops.top_k(X, 1.5), "k", "an integer"),
    (lambda: ops.top_k(1.0, 1), "x", "at least one axis"),
    (lambda: ops.in_top_k([0], X, 1), "targets", r"shape \(2,\)"),
    (lambda: ops.in_top_k([0, 3], X, 1), "targets", r"\[0, 3\)"),
    (lambda: ops.digitize(X, [0.0, 2.0, 1.0]), "bins", "monotonic"),
    (lambda: ops.segment_sum(X, [0, 1, 1]), "segment_ids", "begins with"),
    (lambda: ops.segment_max(X, [0, 2], 2), "segment_ids", r"integers in \[0, 2\)"),
    (lambda: ops.segment_mean(X, [0, 1], 1.5), "num_segments", "an integer"),
    (lambda: ops.bincount([0, -1]), "x", "got '?-1"),
    (lambda: ops.bincount([0.5]), "x", "float32"),
    (lambda: ops.bincount([[0]]), "x", "one axis"),
    (lambda: ops.bincount([0], [1.0, 2.0]), "weights", r"shape \(1,\)"),
    (lambda: ops.scatter([[2]], [1.0], (2,)), "indices", r"places in .* got '?\[2\]"),
    (lambda: ops.scatter([[0, 0]], [1.0], (2,)), "indices", "1 to 1"),
    (lambda: ops.scatter([[0]], [1.0, 2.0], (2,)), "values", r"shape \(1,\)"),
    (lambda: ops.scatter_update(X, [[0.5]], X[:1]), "indices", "integers"),
    (lambda: ops.scatter_update(X, [[0]], X[0]), "updates", r"shape \(1, 3\)"),
    (lambda: ops.slice_update(X, (0, 2), X[:1, :2]), "updates", "fits into"),
    (lambda: ops.slice_update(X, (0,), X), "start_indices", "2 integers"),
    (lambda: ops.nonzero(1.0), "x", "at least one axis"),
    (lambda: ops.where(X > 1, 1.0), "x2", "neither"),
    (lambda: ops.select([X > 0], []), "condlist", "as many"),
    (lambda: ops.swapaxes(X, 0, 2), "axis", r"\[-2, 2\)"),
    (lambda: ops.moveaxis(X, (0, 1), 0), "destination", "as many"),
    (lambda: ops.broadcast_arrays(X, X.T), "operands", "broadcast together"),
    (lambda: ops.flip(X, (1, -1)), "axis", "distinct"),
    (lambda: ops.fliplr([1.0]), "x", "at least 2 axes"),
    (lambda: ops.roll(X, (1, 2, 3), (0, 1)), "shift", "one for each axis"),
    (lambda: ops.rot90(X, 1, (0, 0)), "axis", "distinct"),
    (lambda: ops.tile(X, -1), "repeats", ">= 0"),
    (lambda: ops.repeat(X, [1, 2], 1), "repeats", "3 of them"),
    (lambda: ops.repeat(X, -1), "repeats", ">= 0"),
    (lambda: ops.pad(X, -1), "pad_width", ">= 0"),
    (lambda: ops.pad(X, ((1, 1), (1, 1), (1, 1))), "pad_width", "2 such pairs"),
    (lambda: ops.pad(X, 1, "mean"), "mode", "constant, edge"),
    (lambda: ops.pad(X, 1, "edge", 3), "constant_values", "None"),
    (lambda: ops.pad(ops.zeros((0, 2)), 1, "reflect"), "x", "elements to repeat"),
    (lambda: ops.split(X, 2, 1), "indices_or_sections", "divides 3"),
    (lambda: ops.array_split(X, 0), "indices_or_sections", ">= 1"),
    (lambda: ops.vsplit([1.0], 1), "x", "at least 2 axes"),
    (lambda: ops.unstack(X, 3), "num", "axis 0, 2"),
    (lambda: ops.hstack((X, X[0])), "xs", "agree"),
    (lambda: ops.squeeze(X[:1], (0, -2)), "axis", "distinct"),
    (lambda: ops.diag(1.0), "x", "one or two axes"),
    (lambda: ops.trace([1.0]), "x", "at least two axes"),
    (lambda: ops.diagonal(X, 0, 1, 1), "axis2", "another axis"),
    (lambda: ops.triu([1.0]), "x", "at least two axes"),
    (lambda: ops.eye(-1), "N", ">= 0"),
    (lambda: ops.linspace(0, 1, -1), "num", ">= 0"),
    (lambda: ops.linspace(X, X.T, 3), "operands", "broadcast together"),
    (lambda: ops.meshgrid(X), "xs", "one axis"),
    (lambda: ops.meshgrid([1.0], indexing="yx"), "indexing", "'xy' or 'ij'"),
    (lambda: ops.average(X, 0, [1.0, 2.0, 3.0]), "weights", r"shape \(2, 3\)"),
    (lambda: ops.average(X, None, [1.0, 2.0]), "weights", r"shape \(2, 3\)"),
    (lambda: ops.quantile(X, 1.5), "q", r"\[0, 1\]"),
    (lambda: ops.percentile(X, nan), "q", r"\[0, 100\]"),
    (lambda: ops.quantile(X, 0.5, method="cubic"), "method", "linear, lower"),
    (lambda: ops.median(np.zeros((0, 3))), "x", "at least one element"),
    (lambda: ops.nanmax(np.zeros((0, 3))), "x", "at least one element"),
    (lambda: ops.cov([1.0]), "m", "more than 1"),
    (lambda: ops.interp(X, [], []), "xp", "one axis of points"),
    (lambda: ops.interp(X, [0.0, 1.0], [1.0]), "fp", r"shape \(2,\)"),
    (lambda: ops.convolve([], [1.0]), "a", "with elements"),
    (lambda: ops.correlate([1.0], [1.0], "middle"), "mode", "'valid'"),
]


@pytest.mark.quick
@pytest.mark.parametrize("index", range(len(BAD)))
def test_bad_input(index: int) -> None:
    call, argument, words = BAD[index]
    with pytest.raises(ArgumentError, match=words) as caught:
        call()
    assert caught.value.argument == argument
