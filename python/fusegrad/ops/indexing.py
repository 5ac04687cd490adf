"""Functions that choose elements by where they lie."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor, detached, in_current_trace
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import broadcast_shape, elements, normal_axis, one, whole
from fusegrad.ops.binary import (
    add,
    greater_equal,
    less,
    logical_and,
    maximum,
    multiply,
    where,
)
from fusegrad.ops.creation import arange, ones
from fusegrad.ops.shapes import broadcast_to, stack

__all__ = [
    "argwhere",
    "flatnonzero",
    "nonzero",
    "ravel_multi_index",
    "scatter",
    "scatter_update",
    "select",
    "slice",
    "slice_update",
    "take",
    "take_along_axis",
]


def ravel_multi_index(multi_index: Sequence[Any], dims: int | Sequence[int]) -> Tensor:
    """Return where elements lie, counted in C order, from an index for each axis.

    Parameters
    ----------
    multi_index : sequence of array_like
        For each axis the indices, at least 0; they broadcast. int32, int64 or uint8.
    dims : int or sequence of int
        The sizes of the axes.

    Returns
    -------
    Tensor
        Broadcast shape, int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An index is out of range or no integer, shapes do not broadcast, or `multi_index` has not
        an entry for each axis.

    Notes
    -----
    ``x[i, j]`` is ``take(x, ravel_multi_index((i, j), x.shape))``. There is no gradient.

    Examples
    --------
    >>> ravel_multi_index(([0, 1], [2, 0]), (2, 3))
    Tensor([2, 3], dtype=int64)
    """
    return one("ravel_multi_index", multi_index, shape=dims)


def slice(
    x: Any, start: Sequence[int], shape: Sequence[int], step: Sequence[int] | None = None
) -> Tensor:
    """Return `shape[i]` elements of each axis i: from `start[i]` on, every `step[i]`-th.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    start : sequence of int
        For each axis, the first index, at least 0.
    shape : sequence of int
        Of the result.
    step : sequence of int, optional
        1 by default; it may be negative, not 0.

    Returns
    -------
    Tensor
        Of `shape`, dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An element lies outside `x`, a step is 0, or the lengths are not the number of axes.

    Notes
    -----
    What ``x[...]`` with slices becomes.

    Examples
    --------
    >>> slice([0, 1, 2, 3], start=(1,), shape=(2,))
    Tensor([1, 2], dtype=int64)
    """
    steps = (1,) * len(start) if step is None else step
    return one("slice", (x,), start=start, step=steps, shape=shape)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the elements of `x` at `indices` along an axis.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    indices : array_like
        int32, int64 or uint8; negative ones count from the end.
    axis : int, optional
        By default `indices` count all elements in C order.

    Returns
    -------
    Tensor
        Shape of `x` with the axis replaced by the shape of `indices`; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An index or `axis` is out of range, or `indices` are not integers.

    Notes
    -----
    The gradients of an element that is taken several times are added.

    Examples
    --------
    >>> take([10, 20, 30], [2, 0, -1])
    Tensor([30, 10, 30], dtype=int64)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return one("take", (x, indices), axes=axis)


def take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Tensor:
    """Return the elements of each line of `x` at the indices of that line.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    indices : array_like
        int32, int64 or uint8; negative ones count from the end. As many axes as `x`, and shapes
        that broadcast but for `axis`.
    axis : int or None, default -1
        Of the lines. None takes `x` as one axis of all its elements.

    Returns
    -------
    Tensor
        The broadcast shape, with the size of `indices` along `axis`; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An index or `axis` is out of range, shapes do not agree, or `indices` are not integers.

    Notes
    -----
    The gradients of an element that is taken several times are added.

    Examples
    --------
    >>> take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1)
    Tensor([[20],
            [30]], dtype=int64)
    """
    x, indices = as_tensor(x), as_tensor(indices)
    if axis is None:
        x, axis = x.reshape(-1), 0
    if indices.ndim != x.ndim:
        expected = f"as many axes as x has, {x.ndim}"
        raise ArgumentError("take_along_axis", "indices", expected, f"shape {indices.shape}")
    axis = normal_axis("take_along_axis", axis, x.ndim)

    def others(shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape[:axis], 1, *shape[axis + 1 :])

    if others(x.shape) != others(indices.shape):
        lines = broadcast_shape("take_along_axis", others(x.shape), others(indices.shape))
        x = broadcast_to(x, (*lines[:axis], x.shape[axis], *lines[axis + 1 :]))
        size = indices.shape[axis]
        indices = broadcast_to(indices, (*lines[:axis], size, *lines[axis + 1 :]))
    return one("take_along_axis", (x, indices), axes=axis)


def slice_update(inputs: Any, start_indices: Sequence[int], updates: Any) -> Tensor:
    """Return `inputs` with `updates` in place of the elements from `start_indices` on.

    Parameters
    ----------
    inputs : array_like
        Any shape and dtype.
    start_indices : sequence of int
        The first index along each axis, at least 0.
    updates : array_like
        As many axes as `inputs`; becomes its dtype.

    Returns
    -------
    Tensor
        Shape and dtype of `inputs`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `updates` do not lie inside `inputs`.

    Notes
    -----
    The gradient of what is replaced is 0.

    Examples
    --------
    >>> slice_update([1, 2, 3, 4], (1,), [7, 8])
    Tensor([1, 7, 8, 4], dtype=int64)
    """
    array = as_tensor(inputs)
    updates = as_tensor(updates).astype(array.dtype)
    starts = [whole("slice_update", "start_indices", i) for i in start_indices]
    if len(starts) != array.ndim:
        expected = f"{array.ndim} integers, one for each axis"
        raise ArgumentError("slice_update", "start_indices", expected, repr(start_indices))
    fits = updates.ndim == array.ndim and all(
        0 <= start <= size - count
        for start, count, size in zip(starts, updates.shape, array.shape, strict=True)
    )
    if not fits:
        expected = f"a shape that fits into {array.shape} from {tuple(starts)} on"
        raise ArgumentError("slice_update", "updates", expected, f"shape {updates.shape}")
    if updates.size == 0:
        return array
    place = {"shape": array.shape, "start": starts, "step": [1] * len(starts)}
    inside = one("slice_grad", (ones(updates.shape, "bool"),), **place)
    return where(inside, one("slice_grad", (updates,), **place), array)


def _flat_index(
    name: str, indices: Any, shape: tuple[int, ...], given: Any
) -> tuple[Tensor, Tensor, int, tuple[int, ...]]:
    """Indices (..., d) of an array of `shape` as places among its first d axes, one axis; the
    values that belong to them, in rows; how many places there are; and the shape of a row."""
    indices = as_tensor(indices)
    if indices.size == 0 and indices.dtype.kind == "f":
        indices = indices.astype("int64")  # [] reads as float
    if indices.dtype.kind not in "iu":
        raise ArgumentError(name, "indices", "integers", f"dtype {indices.dtype}")
    depth = indices.shape[-1] if indices.ndim else 0
    if not 1 <= depth <= len(shape):
        expected = f"a last axis of 1 to {len(shape)} indices"
        raise ArgumentError(name, "indices", expected, f"shape {indices.shape}")
    row = shape[depth:]
    values = as_tensor(given)
    expected_shape = (*indices.shape[:-1], *row)
    if values.shape != expected_shape:
        argument = "values" if name == "scatter" else "updates"
        raise ArgumentError(name, argument, f"shape {expected_shape}", f"shape {values.shape}")
    count = math.prod(indices.shape[:-1])
    columns = indices.astype("int64").reshape((count, depth))
    sizes = as_tensor(list(shape[:depth]), "int64")
    columns = where(less(columns, 0), add(columns, sizes), columns)
    inside = logical_and(greater_equal(columns, 0), less(columns, sizes))
    steps = [math.prod(shape[i + 1 : depth]) for i in range(depth)]
    flat = one("sum", (multiply(columns, as_tensor(steps, "int64")),), axes=1)
    valid = one("min", (inside.astype("int64"),), axes=1)
    if not in_current_trace(detached(valid)):
        outside = detached(valid).tolist()
        if 0 in outside:
            bad = detached(indices).reshape((count, depth))[outside.index(0)]
            raise ArgumentError(
                name, "indices", f"places in an array of shape {shape}", repr(bad.tolist())
            )
    # In a trace a place outside becomes -1, which the segments refuse.
    flat = where(valid, flat, -1)
    return flat, values.reshape((count, *row)), math.prod(shape[:depth]), row


def scatter(indices: Any, values: Any, shape: Sequence[int]) -> Tensor:
    """Return zeros of `shape` with `values` added at `indices`.

    Parameters
    ----------
    indices : array_like
        Integers (..., d): the first d indices of each place; negative ones count from the end.
    values : array_like
        Shape ``(..., *shape[d:])``; any dtype.
    shape : sequence of int
        Of the result.

    Returns
    -------
    Tensor
        Of `shape`; dtype of `values` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A place is outside, or shapes do not agree.

    Notes
    -----
    What is put at one place several times is added, in order, in double precision.

    Examples
    --------
    >>> scatter([[0], [2], [2]], [1.0, 2.0, 3.0], (4,))
    Tensor([1., 0., 5., 0.], dtype=float32)
    """
    sizes = tuple(whole("scatter", "shape", size, 0) for size in shape)
    flat, rows, count, _ = _flat_index("scatter", indices, sizes, values)
    if rows.dtype.kind != "f":
        rows = rows.astype("int64")
    return one("segment_sum", (rows, flat), shape=count).reshape(sizes)


def scatter_update(inputs: Any, indices: Any, updates: Any) -> Tensor:
    """Return `inputs` with `updates` in place of the elements at `indices`.

    Parameters
    ----------
    inputs : array_like
        At least one axis; any dtype.
    indices : array_like
        Integers (..., d): the first d indices of each place; negative ones count from the end.
    updates : array_like
        Shape ``(..., *inputs.shape[d:])``; becomes the dtype of `inputs`.

    Returns
    -------
    Tensor
        Shape and dtype of `inputs`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A place is outside, or shapes do not agree.

    Notes
    -----
    Of several updates of one place the last counts. The gradient of what is replaced is 0.

    Examples
    --------
    >>> scatter_update([1, 2, 3, 4], [[1], [3]], [7, 8])
    Tensor([1, 7, 3, 8], dtype=int64)
    """
    array = as_tensor(inputs)
    updates = as_tensor(updates).astype(array.dtype)
    flat, rows, count, row = _flat_index("scatter_update", indices, array.shape, updates)
    if rows.shape[0] == 0 or array.size == 0:
        return array
    last = one("segment_max", (arange(rows.shape[0]), flat), shape=count)
    updated = greater_equal(last, 0).reshape((count,) + (1,) * len(row))
    chosen = take(rows, maximum(last, 0), 0)
    return where(updated, chosen, array.reshape((count, *row))).reshape(array.shape)


def nonzero(x: Any) -> tuple[Tensor, ...]:
    """Return the indices of the elements other than 0, an array for each axis.

    Parameters
    ----------
    x : array_like
        At least one axis; its elements must be known, so not in a trace.

    Returns
    -------
    tuple of Tensor
        int64, in C order.

    Raises
    ------
    fusegrad.errors.ArgumentError
        In a trace: the shape of the result depends on the elements. Or there is no axis.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> nonzero([0, 5, 0, 7])
    (Tensor([1, 3], dtype=int64),)
    """
    known = elements("nonzero", "x", x)
    if known.ndim == 0:
        raise ArgumentError("nonzero", "x", "at least one axis", "a number")
    return tuple(as_tensor(places) for places in known.nonzero())


def flatnonzero(x: Any) -> Tensor:
    """Return the indices of the elements other than 0, counting all in C order.

    Parameters
    ----------
    x : array_like
        Any shape; its elements must be known, so not in a trace.

    Returns
    -------
    Tensor
        int64, one axis.

    Raises
    ------
    fusegrad.errors.ArgumentError
        In a trace: the shape of the result depends on the elements.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> flatnonzero([[0, 5], [0, 7]])
    Tensor([1, 3], dtype=int64)
    """
    return as_tensor(elements("flatnonzero", "x", x).reshape(-1).nonzero()[0])


def argwhere(x: Any) -> Tensor:
    """Return the indices of the elements other than 0, a row for each.

    Parameters
    ----------
    x : array_like
        At least one axis; its elements must be known, so not in a trace.

    Returns
    -------
    Tensor
        int64; in C order, a column for each axis.

    Raises
    ------
    fusegrad.errors.ArgumentError
        In a trace: the shape of the result depends on the elements. Or there is no axis.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> argwhere([[0, 5], [0, 7]])
    Tensor([[0, 1],
            [1, 1]], dtype=int64)
    """
    elements("argwhere", "x", x)
    return stack(nonzero(x), axis=1)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Tensor:
    """Return the choice of the first condition that is true at each place.

    Parameters
    ----------
    condlist : sequence of array_like
        Conditions; all but 0 is true.
    choicelist : sequence of array_like
        A choice for each. All shapes broadcast.
    default : array_like, default 0
        Where no condition is true.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype of the choices and `default`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no condition, there are not as many choices, or shapes do not broadcast.

    Notes
    -----
    Each element's gradient goes to the choice that it was taken from: see `where`.

    Examples
    --------
    >>> x = arange(5)
    >>> select([x < 2, x > 3], [x, 10 * x], 7)
    Tensor([ 0,  1,  7,  7, 40], dtype=int64)
    """
    if len(condlist) != len(choicelist) or not condlist:
        got = f"{len(condlist)} conditions and {len(choicelist)} choices"
        raise ArgumentError("select", "condlist", "as many conditions as choices", got)
    found = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        found = where(condition, choice, found)
    return as_tensor(found)
