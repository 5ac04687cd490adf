"""Functions that join arrays along their axes, and split them again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import normal_axis, whole
from fusegrad.ops.shapes import atleast_1d, atleast_2d, atleast_3d, concatenate

__all__ = [
    "append",
    "array_split",
    "column_stack",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "unstack",
    "vsplit",
    "vstack",
]


def hstack(xs: Sequence[Any]) -> Tensor:
    """Return arrays joined side by side: along the second axis, or the only one.

    Parameters
    ----------
    xs : sequence of array_like
        At least one; numbers are arrays of one element.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, or shapes do not agree.

    Examples
    --------
    >>> hstack(([1, 2], [3]))
    Tensor([1, 2, 3], dtype=int64)
    """
    parts = [atleast_1d(x) for x in xs]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1)


def vstack(xs: Sequence[Any]) -> Tensor:
    """Return arrays joined as rows: along the first axis, vectors being rows.

    Parameters
    ----------
    xs : sequence of array_like
        At least one.

    Returns
    -------
    Tensor
        At least two axes, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, or shapes do not agree.

    Examples
    --------
    >>> vstack(([1, 2], [3, 4]))
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return concatenate([atleast_2d(x) for x in xs], 0)


def dstack(xs: Sequence[Any]) -> Tensor:
    """Return arrays joined along the third axis: see `atleast_3d`.

    Parameters
    ----------
    xs : sequence of array_like
        At least one.

    Returns
    -------
    Tensor
        At least three axes, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, or shapes do not agree.

    Examples
    --------
    >>> dstack(([1, 2], [3, 4]))
    Tensor([[[1, 3],
             [2, 4]]], dtype=int64)
    """
    return concatenate([atleast_3d(x) for x in xs], 2)


def column_stack(xs: Sequence[Any]) -> Tensor:
    """Return arrays joined as columns: along the second axis, vectors being columns.

    Parameters
    ----------
    xs : sequence of array_like
        At least one; of at most two axes.

    Returns
    -------
    Tensor
        Two axes, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, or shapes do not agree.

    Examples
    --------
    >>> column_stack(([1, 2], [3, 4]))
    Tensor([[1, 3],
            [2, 4]], dtype=int64)
    """
    parts = [as_tensor(x) for x in xs]
    return concatenate([x.reshape((-1, 1)) if x.ndim < 2 else x for x in parts], 1)


def append(x: Any, values: Any, axis: int | None = None) -> Tensor:
    """Return `x` with `values` behind it.

    Parameters
    ----------
    x, values : array_like
        Shapes that agree except along `axis`.
    axis : int, optional
        By default both are one axis of all their elements.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not agree, or `axis` is out of range.

    Examples
    --------
    >>> append([1, 2], [[3, 4]])
    Tensor([1, 2, 3, 4], dtype=int64)
    """
    if axis is None:
        return concatenate((as_tensor(x).reshape(-1), as_tensor(values).reshape(-1)))
    return concatenate((x, values), axis)


def _pieces(x: Tensor, bounds: Sequence[int], axis: int) -> list[Tensor]:
    """The parts of an axis between bounds, which NumPy takes for those of slices."""
    before = (slice(None),) * axis
    edges = [0, *bounds, x.shape[axis]]
    return [x[(*before, slice(a, b))] for a, b in pairwise(edges)]


def array_split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Return parts of `x` along an axis, of sizes that differ by at most one.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    indices_or_sections : int or sequence of int
        How many parts, or where each but the first begins.
    axis : int, default 0

    Returns
    -------
    list of Tensor
        dtype of `x`; the larger parts come first.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range, or the number of parts is below 1.

    Examples
    --------
    >>> [part.size for part in array_split([1, 2, 3, 4, 5], 3)]
    [2, 2, 1]
    """
    return _split("array_split", x, indices_or_sections, axis, equal=False)


def split(x: Any, indices_or_sections: int | Sequence[int], axis: int = 0) -> list[Tensor]:
    """Return parts of `x` along an axis: of one size, or between indices.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    indices_or_sections : int or sequence of int
        How many parts, or where each but the first begins.
    axis : int, default 0

    Returns
    -------
    list of Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range, or the number of parts does not divide its size.

    Examples
    --------
    >>> split([1, 2, 3, 4], 2)
    [Tensor([1, 2], dtype=int64), Tensor([3, 4], dtype=int64)]
    >>> [part.size for part in split([1, 2, 3, 4], [1])]
    [1, 3]
    """
    return _split("split", x, indices_or_sections, axis, equal=True)


def _split(
    where: str, x: Any, indices_or_sections: int | Sequence[int], axis: int, equal: bool
) -> list[Tensor]:
    x = as_tensor(x)
    axis = normal_axis(where, axis, x.ndim)
    size = x.shape[axis]
    if not hasattr(indices_or_sections, "__index__"):
        bounds = [whole(where, "indices_or_sections", i) for i in indices_or_sections]
        return _pieces(x, bounds, axis)
    count = whole(where, "indices_or_sections", indices_or_sections, 1)
    least, more = divmod(size, count)
    if equal and more:
        expected = f"a number of parts that divides {size}"
        raise ArgumentError(where, "indices_or_sections", expected, repr(count))
    return _pieces(x, [i * least + min(i, more) for i in range(1, count)], axis)


def hsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Return `x` split along its second axis, or its only one.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    indices_or_sections : int or sequence of int
        How many parts, or where each but the first begins.

    Returns
    -------
    list of Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no axis, or the number of parts does not divide its size.

    Examples
    --------
    >>> [part.shape for part in hsplit([[1, 2], [3, 4]], 2)]
    [(2, 1), (2, 1)]
    """
    x = as_tensor(x)
    return _split("hsplit", x, indices_or_sections, 1 if x.ndim > 1 else 0, equal=True)


def vsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Return `x` split along its first axis.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.
    indices_or_sections : int or sequence of int
        How many parts, or where each but the first begins.

    Returns
    -------
    list of Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than two axes, or the number of parts does not divide the size.

    Examples
    --------
    >>> [part.shape for part in vsplit([[1, 2], [3, 4]], 2)]
    [(1, 2), (1, 2)]
    """
    return _split("vsplit", _of_axes("vsplit", x, 2), indices_or_sections, 0, equal=True)


def dsplit(x: Any, indices_or_sections: int | Sequence[int]) -> list[Tensor]:
    """Return `x` split along its third axis.

    Parameters
    ----------
    x : array_like
        At least three axes; any dtype.
    indices_or_sections : int or sequence of int
        How many parts, or where each but the first begins.

    Returns
    -------
    list of Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than three axes, or the number of parts does not divide the size.

    Examples
    --------
    >>> [part.shape for part in dsplit([[[1, 2], [3, 4]]], 2)]
    [(1, 2, 1), (1, 2, 1)]
    """
    return _split("dsplit", _of_axes("dsplit", x, 3), indices_or_sections, 2, equal=True)


def _of_axes(where: str, x: Any, least: int) -> Tensor:
    array = as_tensor(x)
    if array.ndim < least:
        raise ArgumentError(where, "x", f"at least {least} axes", f"shape {array.shape}")
    return array


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Tensor]:
    """Return the parts of `x` at each index of an axis, which they do not have.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    num : int, optional
        The size of the axis.
    axis : int, default 0

    Returns
    -------
    list of Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range, or `num` is not its size.

    Examples
    --------
    >>> unstack([[1, 2], [3, 4]])
    [Tensor([1, 2], dtype=int64), Tensor([3, 4], dtype=int64)]
    """
    x = as_tensor(x)
    axis = normal_axis("unstack", axis, x.ndim)
    count = x.shape[axis]
    if num is not None and num != count:
        raise ArgumentError("unstack", "num", f"the size of axis {axis}, {count}", repr(num))
    return [x[(slice(None),) * axis + (i,)] for i in range(count)]
