"""Functions that reorder, repeat and pad: flip, roll, tile, repeat, pad."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import Axis, elements, normal_axes, normal_axis, one, whole
from fusegrad.ops.indexing import take
from fusegrad.ops.shapes import broadcast_to, concatenate, swapaxes

__all__ = [
    "flip",
    "fliplr",
    "flipud",
    "pad",
    "repeat",
    "roll",
    "rot90",
    "tile",
]


def flip(x: Any, axis: Axis = None) -> Tensor:
    """Return `x` with the elements along axes in reverse order.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int, tuple of int or None, default None
        None reverses all.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Examples
    --------
    >>> flip([1, 2, 3])
    Tensor([3, 2, 1], dtype=int64)
    """
    array = as_tensor(x)
    axes = normal_axes("flip", axis, array.ndim)
    return array[tuple(slice(None, None, -1 if i in axes else None) for i in range(array.ndim))]


def _flipped(where: str, x: Any, axis: int) -> Tensor:
    x = as_tensor(x)
    if x.ndim <= axis:
        raise ArgumentError(where, "x", f"at least {axis + 1} axes", f"shape {x.shape}")
    return flip(x, axis)


def fliplr(x: Any) -> Tensor:
    """Return `x` with its second axis in reverse order.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than two axes.

    Examples
    --------
    >>> fliplr([[1, 2], [3, 4]])
    Tensor([[2, 1],
            [4, 3]], dtype=int64)
    """
    return _flipped("fliplr", x, 1)


def flipud(x: Any) -> Tensor:
    """Return `x` with its first axis in reverse order.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no axis.

    Examples
    --------
    >>> flipud([[1, 2], [3, 4]])
    Tensor([[3, 4],
            [1, 2]], dtype=int64)
    """
    return _flipped("flipud", x, 0)


def roll(x: Any, shift: int | Sequence[int], axis: int | Sequence[int] | None = None) -> Tensor:
    """Return `x` with elements moved along axes; those that leave at the end enter at the start.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    shift : int or sequence of int
        By how many places, for each axis; backwards where negative.
    axis : int or sequence of int, optional
        By default all elements in C order. An axis may be named twice.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range, or there are not as many shifts as axes.

    Examples
    --------
    >>> roll([1, 2, 3, 4], 1)
    Tensor([4, 1, 2, 3], dtype=int64)
    """
    array = as_tensor(x)
    if axis is None:
        return roll(array.reshape(-1), shift, 0).reshape(array.shape)
    shifts, axes = _listed(shift), _listed(axis)
    if len(shifts) != len(axes):
        if 1 not in (len(shifts), len(axes)):
            got = f"{shift!r} for axes {axis!r}"
            raise ArgumentError("roll", "shift", "one shift, or one for each axis", got)
        shifts = shifts * len(axes) if len(shifts) == 1 else shifts
        axes = axes * len(shifts) if len(axes) == 1 else axes
    for one_shift, one_axis in zip(shifts, axes, strict=True):
        place = normal_axis("roll", one_axis, array.ndim)
        size = array.shape[place]
        by = whole("roll", "shift", one_shift) % size if size else 0
        if by:
            before = (slice(None),) * place
            end, start = slice(size - by, None), slice(None, size - by)
            array = concatenate((array[(*before, end)], array[(*before, start)]), place)
    return array


def _listed(given: int | Sequence[int]) -> list[Any]:
    return [given] if isinstance(given, int) else list(given)


def rot90(x: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Tensor:
    """Return `x` turned by 90 degrees in the plane of two axes.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.
    k : int, default 1
        How often.
    axes : tuple of two int, default (0, 1)
        From the first towards the second.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range, or both are one.

    Examples
    --------
    >>> rot90([[1, 2], [3, 4]])
    Tensor([[2, 4],
            [1, 3]], dtype=int64)
    """
    array = as_tensor(x)
    plane = normal_axes("rot90", tuple(axes), array.ndim)
    if len(plane) != 2:
        raise ArgumentError("rot90", "axes", "two axes", repr(axes))
    turns = whole("rot90", "k", k) % 4
    if turns == 0:
        return array
    if turns == 2:
        return flip(array, plane)
    if turns == 1:
        return swapaxes(flip(array, plane[1]), *plane)
    return flip(swapaxes(array, *plane), plane[1])


def _repeated(x: Tensor, axis: int, times: int, each: bool) -> Tensor:
    """An axis several times over: each element after itself, or all after all."""
    outer, inner = math.prod(x.shape[:axis]), math.prod(x.shape[axis + 1 :])
    size = x.shape[axis]
    whole_shape = (*x.shape[:axis], size * times, *x.shape[axis + 1 :])
    rows = (outer, size, 1, inner) if each else (outer, 1, size, inner)
    wide = (outer, size, times, inner) if each else (outer, times, size, inner)
    return broadcast_to(x.reshape(rows), wide).reshape(whole_shape)


def tile(x: Any, repeats: int | Sequence[int]) -> Tensor:
    """Return `x` several times over along each axis.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    repeats : int or sequence of int
        How often, for the last axes; new axes come first where there are more.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is negative.

    Notes
    -----
    The gradients of an element's copies are added.

    Examples
    --------
    >>> tile([1, 2], 2)
    Tensor([1, 2, 1, 2], dtype=int64)
    """
    array = as_tensor(x)
    times = [whole("tile", "repeats", n, 0) for n in _listed(repeats)]
    times = [1] * (array.ndim - len(times)) + times
    array = array.reshape((1,) * (len(times) - array.ndim) + array.shape)
    for axis, count in enumerate(times):
        if count != 1:
            array = _repeated(array, axis, count, each=False)
    return array


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Tensor:
    """Return `x` with each element of an axis several times in a row.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    repeats : int or array_like
        How often: of all, or of each index of the axis. An array must be known, so not one of a
        trace.
    axis : int, optional
        By default all elements in C order.

    Returns
    -------
    Tensor
        dtype of `x`; one axis where `axis` is None.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is negative, there are not as many as elements, or `axis` is out of range.

    Notes
    -----
    The gradients of an element's copies are added.

    Examples
    --------
    >>> repeat([1, 2], 2)
    Tensor([1, 1, 2, 2], dtype=int64)
    >>> repeat([1, 2], [0, 3])
    Tensor([2, 2, 2], dtype=int64)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = normal_axis("repeat", axis, x.ndim)
    if isinstance(repeats, int):
        return _repeated(x, axis, whole("repeat", "repeats", repeats, 0), each=True)
    counts = elements("repeat", "repeats", repeats).reshape(-1).tolist()
    counts = [whole("repeat", "repeats", count, 0) for count in counts]
    size = x.shape[axis]
    if len(counts) == 1:
        return _repeated(x, axis, counts[0], each=True)
    if len(counts) != size:
        got = f"{len(counts)} numbers"
        raise ArgumentError("repeat", "repeats", f"one number, or {size} of them", got)
    places = [i for i, count in enumerate(counts) for _ in range(count)]
    return take(x, as_tensor(places, "int64"), axis)


MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def pad(x: Any, pad_width: Any, mode: str = "constant", constant_values: Any = None) -> Tensor:
    """Return `x` with elements added before and behind it along each axis.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    pad_width : int or nested sequence of int
        How many: n, or (before, behind), for all axes; or one such pair for each.
    mode : {"constant", "edge", "reflect", "symmetric", "wrap"}, default "constant"
        What they are: `constant_values`; the element at the edge; the array mirrored at the edge,
        without repeating it or with; or the array from its other end.
    constant_values : array_like, optional
        0 by default; a number, (before, behind), or one such pair for each axis.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A width is negative, `mode` is another word, `constant_values` come with another mode, or
        there is no element to repeat.

    Notes
    -----
    The gradients of an element's copies are added. A number of `constant_values` has one too.

    Examples
    --------
    >>> pad([1, 2], (1, 2))
    Tensor([0, 1, 2, 0, 0], dtype=int64)
    >>> pad([1, 2, 3], 2, "reflect")
    Tensor([3, 2, 1, 2, 3, 2, 1], dtype=int64)
    """
    array = as_tensor(x)
    widths = [
        [whole("pad", "pad_width", n, 0) for n in pair]
        for pair in _pairs("pad_width", pad_width, array.ndim)
    ]
    if mode not in MODES:
        raise ArgumentError("pad", "mode", "one of " + ", ".join(MODES), repr(mode))
    if mode == "constant":
        return _pad_constant(array, widths, constant_values)
    if constant_values is not None:
        raise ArgumentError("pad", "constant_values", f"None with mode {mode!r}", "values")
    for axis, (before, behind) in enumerate(widths):
        size = array.shape[axis]
        if before == behind == 0:
            continue
        if size == 0:
            got = f"shape {array.shape}"
            raise ArgumentError("pad", "x", "elements to repeat along each padded axis", got)
        array = take(array, as_tensor(_sources(before, size, behind, mode)), axis)
    return array


def _sources(before: int, size: int, behind: int, mode: str) -> Any:
    """The indices of an axis whose elements stand at the places before, in and behind it."""
    import numpy as np

    places = np.arange(-before, size + behind, dtype=np.int64)
    if mode == "edge":
        return np.minimum(np.maximum(places, 0), size - 1)
    if mode == "wrap":
        return places % size
    period = 2 * size if mode == "symmetric" else max(2 * size - 2, 1)
    places %= period
    return np.minimum(places, period - (mode == "symmetric") - places)


def _pairs(argument: str, given: Any, ndim: int) -> list[tuple[Any, Any]]:
    """(before, behind) of each axis."""
    nested = given.tolist() if hasattr(given, "tolist") and given.ndim > 0 else given
    if not isinstance(nested, (tuple, list)):
        return [(nested, nested)] * ndim
    if not any(isinstance(item, (tuple, list)) for item in nested):
        if len(nested) in (1, 2):
            return [(nested[0], nested[-1])] * ndim
    elif all(isinstance(item, (tuple, list)) and len(item) in (1, 2) for item in nested):
        pairs = [(item[0], item[-1]) for item in nested]
        if len(pairs) == 1:
            return pairs * ndim
        if len(pairs) == ndim:
            return pairs
    expected = f"a number, (before, behind), or {ndim} such pairs"
    raise ArgumentError("pad", argument, expected, repr(given))


def _pad_constant(x: Tensor, widths: list[list[int]], values: Any) -> Tensor:
    if values is None or (isinstance(values, (int, float)) and values == 0):
        padded = [size + sum(pair) for size, pair in zip(x.shape, widths, strict=True)]
        starts = [before if size else 0 for size, (before, _) in zip(x.shape, widths, strict=True)]
        return one("slice_grad", (x,), shape=padded, start=starts, step=[1] * x.ndim)
    pairs = _pairs("constant_values", values, x.ndim)
    for axis, (pair, fills) in enumerate(zip(widths, pairs, strict=True)):
        shape = x.shape
        blocks = [
            broadcast_to(
                as_tensor(fill).astype(x.dtype), (*shape[:axis], count, *shape[axis + 1 :])
            )
            for fill, count in zip(fills, pair, strict=True)
        ]
        x = concatenate((blocks[0], x, blocks[1]), axis)
    return x
