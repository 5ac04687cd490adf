"""NumPy's array functions: value, gradient, jit and errors of each, in one table.

A row is a function of a module and arrays. NumPy itself is the module for the reference.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops

Array = np.ndarray[Any, Any]
nan = float("nan")


@dataclass(frozen=True)
class Row:
    name: str
    call: Callable[..., Any]  # of a module and arrays
    shapes: tuple[tuple[int, ...], ...]
    integers: bool  # also of int64
    grad: bool
    number: int

    def draw(self, dtype: str = "float64") -> list[Array]:
        """Distinct numbers, so that no order is a tie; those of float32, so that both dtypes see
        one point."""
        rng = np.random.default_rng(zlib.crc32(f"{self.name}{self.number}".encode()))
        arrays = []
        for shape in self.shapes:
            count = int(np.prod(shape))
            values = rng.permutation(np.arange(count)) - count // 3
            if dtype != "int64":
                values = (values + rng.uniform(0.1, 0.6, count)) / 4
            arrays.append(values.reshape(shape).astype("float32").astype(dtype))
        return arrays


ROWS: list[Row] = []


def row(name: str, call: Any, *shapes: Any, integers: bool = True, grad: bool = True) -> None:
    number = sum(r.name == name for r in ROWS)
    ROWS.append(Row(name, call, shapes, integers, grad, number))


# ---- reductions ----------------------------------------------------------------------------------

for name in ("prod", "ptp", "median", "any", "all", "count_nonzero", "nansum", "nanprod", "nanmean",
             "nanmax", "nanmin", "nanvar", "nanstd"):  # fmt: skip
    grad = name not in ("any", "all", "count_nonzero")
    for shape, axis in [((3, 4), None), ((3, 4), 1), ((2, 3, 4), 0), ((7,), -1)]:
        row(name, lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a), shape, grad=grad)
        row(
            name,
            lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a, keepdims=True),
            shape,
            grad=grad,
        )
    # NumPy's count of several axes, and ours
    axes = (0, 2) if name != "count_nonzero" else (0, 1)
    row(name, lambda m, x, n=name, a=axes: getattr(m, n)(x, axis=a), (2, 3, 3), grad=grad)
row("any", lambda m, x: m.any(x > 0.5, axis=0), (3, 4), grad=False)
row("all", lambda m, x: m.all(x > -1, axis=1), (3, 4), grad=False)
row("any", lambda m, x: m.any(x, axis=0), (0, 3), grad=False)
row("all", lambda m, x: m.all(x, axis=0), (0, 3), grad=False)
row("nanvar", lambda m, x: m.nanvar(x, axis=0, ddof=1), (3, 4))
for name, hole in [("nansum", 0), ("nanprod", 1), ("nanmean", 2), ("nanmax", 3), ("nanmin", 4),
                   ("nanvar", 5), ("nanstd", 6)]:  # fmt: skip
    row(
        name,
        lambda m, x, n=name, h=hole: getattr(m, n)(
            m.where((np.arange(12) % 7 == h).reshape(3, 4), nan, x), axis=0
        ),
        (3, 4),
        integers=False,
    )
for method in ("linear", "lower", "higher", "midpoint", "nearest"):
    for q in (0.0, 1.0, 0.3, 0.5, [0.1, 0.9], [[0.25, 1.0], [0.0, 0.7]]):
        row("quantile", lambda m, x, q=q, k=method: m.quantile(x, q, axis=1, method=k), (3, 5))
for axis, keep in [(None, False), (0, True), ((0, 2), False), ((2, 0), True)]:
    row("quantile", lambda m, x, a=axis, k=keep: m.quantile(x, [0.3, 0.6], axis=a, keepdims=k),
        (2, 3, 3))  # fmt: skip
    row("percentile", lambda m, x, a=axis, k=keep: m.percentile(x, 30, axis=a, keepdims=k),
        (2, 3, 3))  # fmt: skip
row("average", lambda m, x: m.average(x), (3, 4))
row("average", lambda m, x, w: m.average(x, 1, w * w + 1), (3, 4), (4,))
row("average", lambda m, x, w: m.average(x, 0, w * w + 1, keepdims=True), (3, 4), (3, 4))
row("average", lambda m, x, w: m.average(x, (0, 2), w * w + 1), (2, 3, 4), (2, 4))
row("average", lambda m, x, w: m.average(x, (2, 0), w * w + 1), (2, 3, 4), (4, 2))
row("average", lambda m, x, w: m.average(x, 0, w * w + 1, True), (3, 4), (3,))
row("average", lambda m, x: m.average(x, 0, None, True), (3, 4), grad=False)
row("cov", lambda m, x: m.cov(x), (3, 5))
row("cov", lambda m, x: m.cov(x), (5,))
row("cov", lambda m, x: m.cov(x, rowvar=False, bias=True), (5, 3))
row("cov", lambda m, x, y: m.cov(x, y, ddof=0), (2, 5), (5,))
row("corrcoef", lambda m, x: m.corrcoef(x) * [[0, 1, 1], [1, 0, 1], [1, 1, 0]], (3, 5))

# ---- cumulative ----------------------------------------------------------------------------------

for name in ("cumsum", "cumprod"):
    for shape, axis in [((3, 4), None), ((3, 4), 1), ((2, 3, 4), 0), ((0, 3), 0)]:
        row(name, lambda m, x, n=name, a=axis: getattr(m, n)(x, axis=a), shape)
for n, axis, shape in [(1, -1, (3, 4)), (2, 0, (3, 4)), (3, 0, (3, 2)), (5, 0, (3, 2)),
                       (0, 0, (3,))]:  # fmt: skip
    row("diff", lambda m, x, n=n, a=axis: m.diff(x, n, axis=a), shape)
row("diff", lambda m, x, y: m.diff(x, 1, 0, 2, y), (3, 4), (2, 4))
row("diff", lambda m, x: m.diff(x > 0), (9,), grad=False)

# ---- sorting -------------------------------------------------------------------------------------

for shape, axis in [((7,), -1), ((3, 4), 0), ((3, 4), None), ((300, 2), 0), ((0, 3), 0)]:
    small = int(np.prod(shape)) < 100
    row("sort", lambda m, x, a=axis: m.sort(x, axis=a), shape, grad=small)
    row("argsort", lambda m, x, a=axis: m.argsort(x, axis=a), shape, grad=False)
row("partition", lambda m, x: m.partition(x, 2, 0)[2], (5, 3))
row("argpartition", lambda m, x: m.argpartition(x, [2, 3])[2:], (5,), grad=False)
row("searchsorted", lambda m, x, v: m.searchsorted(x, v, "right", m.argsort(x)), (5,), (2, 3),
    grad=False)  # fmt: skip
for right in (False, True):
    for step in (1, -1):
        row("digitize", lambda m, x, r=right, s=step: m.digitize(x, np.arange(-2, 3)[::s], r),
            (3, 4), grad=False)  # fmt: skip
row("unique", lambda m, x: m.unique(m.concatenate((x, x))), (2, 3))
row("unique", lambda m, x: m.unique(m.concatenate((x, x[:1])), True, True, True), (2, 3),
    grad=False)  # fmt: skip

# ---- indexing ------------------------------------------------------------------------------------

row("take_along_axis", lambda m, x: m.take_along_axis(x, np.array([[0, 2]]), 1), (3, 4))
row("take_along_axis", lambda m, x: m.take_along_axis(x, np.array([0, -2, 0]), None), (3, 4))
row("take_along_axis", lambda m, x: m.take_along_axis(x, np.ones((3, 5, 2), int), 0), (2, 1, 2))
row("nonzero", lambda m, x: m.nonzero(x > 0), (3, 4), grad=False)
row("where", lambda m, x: m.where(x > 0), (3, 4), grad=False)
row("flatnonzero", lambda m, x: m.flatnonzero(x > 0), (3, 4), grad=False)
row("argwhere", lambda m, x: m.argwhere(x > 0), (3, 4), grad=False)
row("select", lambda m, x, y: m.select([x < 0, x > 1], [x * x, y], 7), (3, 4), (4,))
row("bincount", lambda m, x: m.bincount(np.array([0, 3, 3, 1]), x, 6), (4,), integers=False)
row("bincount", lambda m: m.bincount(np.array([0, 3, 3, 1])))
row("bincount", lambda m: m.bincount(np.array([], int), minlength=2))

# ---- shapes --------------------------------------------------------------------------------------

for shape in [(), (3,), (2, 3), (2, 3, 4), (2, 3, 1, 2)]:
    row("ravel", lambda m, x: m.ravel(x), shape)
    for name in ("atleast_1d", "atleast_2d", "atleast_3d"):
        row(name, lambda m, x, n=name: getattr(m, n)(x), shape)
row("atleast_2d", lambda m, x, y: m.atleast_2d(x, y), (3,), ())
row("swapaxes", lambda m, x: m.swapaxes(x, 0, -1), (2, 3, 4))
row("moveaxis", lambda m, x: m.moveaxis(x, 0, -1), (2, 3, 4))
row("moveaxis", lambda m, x: m.moveaxis(x, (0, -1), (2, 0)), (2, 3, 4, 1))
row("broadcast_arrays", lambda m, x, y: m.broadcast_arrays(x, y), (3, 1), (2, 1, 4))
for axis in (None, 0, -1, (0, 2)):
    row("flip", lambda m, x, a=axis: m.flip(x, a), (2, 3, 4))
row("fliplr", lambda m, x: m.fliplr(x), (2, 3))
row("flipud", lambda m, x: m.flipud(x), (3,))
row("flip", lambda m, x: m.flip(x), (0, 3))
for shift, axis in [(2, None), (-1, 0), (7, 1), ((1, 2), (0, 1)), (2, (0, 1)), ((1, -3), 1),
                    ((1, 1), (0, 0))]:  # fmt: skip
    row("roll", lambda m, x, s=shift, a=axis: m.roll(x, s, a), (3, 4))
row("roll", lambda m, x: m.roll(x, 2), (0,))
for k in range(-1, 5):
    row("rot90", lambda m, x, k=k: m.rot90(x, k), (2, 3))
row("rot90", lambda m, x: m.rot90(x, 1, (2, 0)), (2, 3, 4))
for reps in (2, (2, 3), (1, 2, 2), (3, 1, 1, 2), 0, ()):
    row("tile", lambda m, x, r=reps: m.tile(x, r), (2, 3))
row("tile", lambda m, x: m.tile(x, 3), ())
row("tile", lambda m, x: m.tile(x, (2, 1, 2, 1, 2, 1)), (1, 2, 1, 1, 2, 1))
for reps, axis in [(2, None), (3, 0), (2, -1), ([1, 0, 2], 0), ([2], 1), (0, 0)]:
    row("repeat", lambda m, x, r=reps, a=axis: m.repeat(x, r, a), (3, 2))
for width in (1, (2, 1), ((1, 2),), ((0, 3), (2, 0)), 0):
    for mode in ("constant", "edge", "reflect", "symmetric", "wrap"):
        row("pad", lambda m, x, w=width, k=mode: m.pad(x, w, k), (4, 3))
for mode in ("edge", "reflect", "symmetric", "wrap"):
    row("pad", lambda m, x, k=mode: m.pad(x, 5, k), (2,))
    row("pad", lambda m, x, k=mode: m.pad(x, 3, k), (1,))
for values in (3, (1, 2), ((1, 2), (3, 4))):
    row("pad", lambda m, x, v=values: m.pad(x, ((1, 2), (0, 1)), constant_values=v), (2, 3))
row("pad", lambda m, x: m.pad(x, 2), ())
row("pad", lambda m, x: m.pad(x, 2), (0, 3))

# ---- joining -------------------------------------------------------------------------------------

for name in ("hstack", "vstack", "dstack"):
    for shape in [(3,), (2, 3), (2, 3, 4)]:
        row(name, lambda m, x, y, n=name: getattr(m, n)((x, y)), shape, shape)
row("hstack", lambda m, x, y: m.hstack((x, y)), (), ())
row("column_stack", lambda m, x, y: m.column_stack((x, y)), (3,), (3, 2))
row("append", lambda m, x, y: m.append(x, y), (2, 3), (2,))
row("concatenate", lambda m, x, y, z: m.concatenate([x, y, z], axis=None), (2, 3), (), (0, 2))
row("append", lambda m, x, y: m.append(x, y, 1), (2, 3), (2, 1))
for parts in (1, 3, [1, 4], [], [2, 1, -1], [5, 9]):
    row("split", lambda m, x, p=parts: m.split(x, p), (6, 2))
    row("hsplit", lambda m, x, p=parts: m.hsplit(x, p), (2, 6))
    row("vsplit", lambda m, x, p=parts: m.vsplit(x, p), (6, 2))
    row("dsplit", lambda m, x, p=parts: m.dsplit(x, p), (1, 2, 6))
row("hsplit", lambda m, x: m.hsplit(x, 2), (4,))
for parts in (1, 4, 9, [2]):
    row("array_split", lambda m, x, p=parts: m.array_split(x, p, -1), (2, 7))
row("unstack", lambda m, x: m.unstack(x, axis=1), (2, 3))

# ---- matrices ------------------------------------------------------------------------------------

for k in (-3, -1, 0, 2, 5):
    for shape in [(3, 4), (4, 2), (2, 2, 3)]:
        row("tril", lambda m, x, k=k: m.tril(x, k), shape)
        row("triu", lambda m, x, k=k: m.triu(x, k), shape)
        row("diagonal", lambda m, x, k=k: m.diagonal(x, k), shape)
        row("trace", lambda m, x, k=k: m.trace(x, k), shape)
    row("diagonal", lambda m, x, k=k: m.diagonal(x, k, -1, 0), (2, 3, 4))
    row("diag", lambda m, x, k=k: m.diag(x, k), (3,))
    row("diag", lambda m, x, k=k: m.diag(x, k), (3, 2))
    row("diagflat", lambda m, x, k=k: m.diagflat(x, k), (2, 2))
    row("eye", lambda m, k=k: m.eye(3, 4, k))
    row("tri", lambda m, k=k: m.tri(4, 3, k))
row("diagonal", lambda m, x: m.diagonal(x), (0, 3))
row("eye", lambda m: m.eye(3, dtype="int64"))
row("diag", lambda m, x: m.diag(x), (0,))

# ---- creation ------------------------------------------------------------------------------------

for start, stop, num, endpoint in [(0, 1, 7, True), (-2.5, 3, 4, False), (1, 0, 1, True),
                                   (0, 1, 0, True), (3, 3, 2, False)]:  # fmt: skip
    row("linspace", lambda m, a=(start, stop, num, endpoint): m.linspace(*a))
    row("logspace", lambda m, a=(start, stop, num, endpoint): m.logspace(*a, base=2.0))
row("linspace", lambda m, a, b: m.linspace(a, b, 5), (), (3,))
row("linspace", lambda m, a, b: m.linspace(a, b, 4, False, axis=-1), (2, 1), (3,))
row("linspace", lambda m, a, b: m.linspace(a, b, 4, True, True), (2,), (2,))
row("linspace", lambda m, a, b: m.linspace(a, b, 1), (2,), ())
row("linspace", lambda m: m.linspace(-2.5, 3, 8, dtype="int64"))
row("full_like", lambda m, x, y: m.full_like(x, y), (2, 3), (3,), grad=False)
row("full_like", lambda m, x: m.full_like(x, 7, dtype="int32"), (2, 3), grad=False)
row("zeros_like", lambda m, x: 0 * m.empty_like(x), (2, 3), grad=False)
for indexing in ("xy", "ij"):
    for sparse in (False, True):
        row("meshgrid", lambda m, x, y, z, o={"indexing": indexing, "sparse": sparse}:
            m.meshgrid(x, y, z, **o), (2,), (3,), (4,))  # fmt: skip
row("meshgrid", lambda m, x: m.meshgrid(x), (3,))

# ---- signals -------------------------------------------------------------------------------------

for mode in ("full", "same", "valid"):
    for long, short in [(7, 3), (3, 7), (4, 4), (6, 2), (2, 6), (5, 1)]:
        row("convolve", lambda m, a, v, k=mode: m.convolve(a, v, k), (long,), (short,))
        row("correlate", lambda m, a, v, k=mode: m.correlate(a, v, k), (long,), (short,))
for kwargs in ({}, {"left": -7.0}, {"left": 1, "right": 2}):
    row("interp", lambda m, x, y, o=kwargs: m.interp(x, np.arange(-2.0, 3.0), y, **o), (3, 4), (5,))
row("interp", lambda m, x, y: m.interp(x, [0.5], y), (4,), (1,))


def leaves(result: Any) -> list[Any]:
    return list(result) if isinstance(result, (list, tuple)) else [result]


def values(result: Any) -> list[Array]:
    return [np.asarray(part.numpy()) for part in leaves(result)]


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("index", range(len(ROWS)), ids=[f"{r.name}-{r.number}" for r in ROWS])
def test_function(index: int) -> None:
    """Value against NumPy, gradient against central differences, jit against eager bit by bit."""
    case = ROWS[index]
    for dtype in ("float64", "float32", *(["int64"] if case.integers else [])):
        arrays = case.draw(dtype)
        found = values(case.call(ops, *[fg.Tensor(x) for x in arrays]))
        wide = [x if dtype == "int64" else x.astype("float64") for x in arrays]
        rtol = 3e-6 if dtype == "float32" or not arrays else 1e-13
        expected = [np.asarray(part) for part in leaves(case.call(np, *wide))]
        for got, want in zip(found, expected, strict=True):
            assert got.shape == want.shape
            assert got.dtype.kind == want.dtype.kind
            scale = np.max(np.abs(want[np.isfinite(want)]), initial=0) if want.dtype != bool else 0
            np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol * scale)
        if case.name in NO_TRACE:
            continue
        compiled = fg.jit(lambda *xs: case.call(ops, *xs), exact_rewrites=False)(*arrays)
        for got, want in zip(values(compiled), found, strict=True):
            assert got.tobytes() == want.tobytes()
            assert got.dtype == want.dtype
    if case.grad and case.shapes:
        check_gradient(case)


# Their shapes depend on the elements.
NO_TRACE = {"unique", "nonzero", "where", "flatnonzero", "argwhere"}


def check_gradient(case: Row) -> None:
    arrays = case.draw()
    weights = [
        np.random.default_rng(k).normal(size=np.shape(part))
        for k, part in enumerate(leaves(case.call(np, *arrays)))
    ]

    def total(*xs: Any) -> Any:
        parts = zip(leaves(case.call(ops, *xs)), weights, strict=True)
        return ops.sum(ops.stack([ops.sum(part * w) for part, w in parts]))

    def reference(*xs: Array) -> float:
        parts = zip(leaves(case.call(np, *xs)), weights, strict=True)
        return float(sum(np.sum(part * w) for part, w in parts))

    numbers = tuple(range(len(arrays)))
    gradient = fg.grad(total, argnums=numbers)
    found = gradient(*arrays)
    if case.name not in NO_TRACE:
        for got, want in zip(fg.jit(gradient, exact_rewrites=False)(*arrays), found, strict=True):
            assert got.numpy().tobytes() == want.numpy().tobytes()
    step = 1e-3
    for i, x in enumerate(arrays):
        want = np.zeros(x.shape)
        for place in np.ndindex(*x.shape):
            moved = []
            for k in (1, -1, 2, -2):
                other = [a.copy() for a in arrays]
                other[i][place] += k * step
                moved.append(reference(*other))
            want[place] = (8 * (moved[0] - moved[1]) - (moved[2] - moved[3])) / (12 * step)
        scale = max(1.0, np.max(np.abs(want), initial=0.0))
        np.testing.assert_allclose(found[i].numpy(), want, rtol=0, atol=1e-8 * scale)


@pytest.mark.quick
def test_every_array_function_is_in_the_table() -> None:
    from fusegrad.ops import (
        creation,
        cumulative,
        joining,
        matrices,
        nan_reductions,
        rearranging,
        segments,
        signals,
        sorting,
        statistics,
    )

    modules = (creation, cumulative, joining, matrices, nan_reductions, rearranging, segments,
               signals, sorting, statistics)  # fmt: skip
    elsewhere = {"in_top_k", "logcumsumexp", "segment_max", "segment_mean", "segment_sum", "top_k"}
    elsewhere |= {
        "matrix_transpose",
        "arange",
        "full",
        "ones",
        "ones_like",
        "zeros",
        "empty",
        "empty_like",
    }
    names = {name for module in modules for name in module.__all__}
    assert names == {r.name for r in ROWS if r.name in names} | (elsewhere & names)
