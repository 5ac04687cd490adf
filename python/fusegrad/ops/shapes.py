"""Functions that move elements and compute none: shapes, axes, joining."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import Axis, broadcast_shape, normal_axes, normal_axis, one

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "concatenate",
    "expand_dims",
    "moveaxis",
    "ravel",
    "reshape",
    "squeeze",
    "stack",
    "swapaxes",
    "transpose",
]


def reshape(x: Any, newshape: int | Sequence[int]) -> Tensor:
    """Return the same elements, in C order, with another shape.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    newshape : int or sequence of int
        One size may be -1: it is what is left.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The number of elements would differ, or more than one size is -1.

    Examples
    --------
    >>> reshape([1, 2, 3, 4], (2, -1))
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return as_tensor(x).reshape(newshape)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Return `x` with its axes in another order.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axes : sequence of int, optional
        Axis i of the result is axis ``axes[i]`` of `x`; reversed by default.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axes` is not a permutation of the axes.

    Examples
    --------
    >>> transpose([[1, 2]]).shape
    (2, 1)
    """
    return as_tensor(x).transpose(axes)


def ravel(x: Any) -> Tensor:
    """Return all elements as one axis, in C order.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        One axis, dtype of `x`.

    Examples
    --------
    >>> ravel([[1, 2], [3, 4]])
    Tensor([1, 2, 3, 4], dtype=int64)
    """
    return as_tensor(x).reshape(-1)


def swapaxes(x: Any, axis1: int, axis2: int) -> Tensor:
    """Return `x` with two axes exchanged.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis1, axis2 : int

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range.

    Examples
    --------
    >>> swapaxes([[1, 2]], 0, 1).shape
    (2, 1)
    """
    array = as_tensor(x)
    order = list(range(array.ndim))
    first = normal_axis("swapaxes", axis1, array.ndim)
    second = normal_axis("swapaxes", axis2, array.ndim)
    order[first], order[second] = second, first
    return array.transpose(order)


def moveaxis(x: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Tensor:
    """Return `x` with axes moved to new places; the others keep their order.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    source : int or sequence of int
        Which axes.
    destination : int or sequence of int
        Their places in the result.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there are not as many of both.

    Examples
    --------
    >>> moveaxis([[[1, 2]]], -1, 0).shape
    (2, 1, 1)
    """
    array = as_tensor(x)
    moved = normal_axes("moveaxis", _axes(source), array.ndim)
    places = normal_axes("moveaxis", _axes(destination), array.ndim)
    if len(moved) != len(places):
        got = f"{source!r} and {destination!r}"
        raise ArgumentError("moveaxis", "destination", "as many axes as in source", got)
    order = [axis for axis in range(array.ndim) if axis not in moved]
    for place, axis in sorted(zip(places, moved, strict=True)):
        order.insert(place, axis)
    return array.transpose(order)


def _axes(axis: int | Sequence[int]) -> tuple[int, ...]:
    return (axis,) if isinstance(axis, int) else tuple(axis)


def expand_dims(x: Any, axis: int) -> Tensor:
    """Return `x` with a new axis of size 1.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int
        Its place in the result; -1 is last.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Examples
    --------
    >>> expand_dims([1.0, 2.0], -1).shape
    (2, 1)
    """
    array = as_tensor(x)
    place = normal_axis("expand_dims", axis, array.ndim + 1)
    return array.reshape((*array.shape[:place], 1, *array.shape[place:]))


def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """Return `x` without axes of size 1.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int, tuple of int or None, default None
        Axes to remove; None removes all of size 1.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range, named twice, or of another size.

    Examples
    --------
    >>> squeeze([[1.0, 2.0]]).shape
    (2,)
    """
    array = as_tensor(x)
    if axis is None:
        return array.reshape(tuple(size for size in array.shape if size != 1))
    places = normal_axes("squeeze", axis, array.ndim)
    for place in places:
        if array.shape[place] != 1:
            raise ArgumentError(
                "squeeze", "axis", "axes of size 1", f"axis {place} of {array.shape}"
            )
    return array.reshape(tuple(size for i, size in enumerate(array.shape) if i not in places))


def broadcast_to(x: Any, shape: int | Sequence[int]) -> Tensor:
    """Return `x` repeated to `shape` by NumPy's rules of broadcasting.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    shape : int or sequence of int

    Returns
    -------
    Tensor
        Of `shape`, dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` does not broadcast to `shape`.

    Notes
    -----
    The gradient is summed over the repeated axes.

    Examples
    --------
    >>> broadcast_to([1, 2], (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    return one("broadcast_to", (x,), shape=shape)


def broadcast_arrays(*xs: Any) -> tuple[Tensor, ...]:
    """Return arrays repeated to their common shape by NumPy's rules of broadcasting.

    Parameters
    ----------
    *xs : array_like
        Any shapes that broadcast, any dtypes.

    Returns
    -------
    tuple of Tensor
        One for each, with the dtype that it had.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Examples
    --------
    >>> broadcast_arrays([1, 2], [[3], [4]])[0]
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    arrays = [as_tensor(x) for x in xs]
    shape = broadcast_shape("broadcast_arrays", *[x.shape for x in arrays])
    return tuple(broadcast_to(x, shape) for x in arrays)


def _at_least(xs: tuple[Any, ...], shapes: Any) -> Any:
    found = [as_tensor(x) for x in xs]
    found = [x.reshape(shapes(x.shape)) for x in found]
    return found[0] if len(found) == 1 else tuple(found)


def atleast_1d(*xs: Any) -> Any:
    """Return arrays with at least one axis.

    Parameters
    ----------
    *xs : array_like
        Any shapes and dtypes.

    Returns
    -------
    Tensor or tuple of Tensor
        A tuple unless there is one array.

    Examples
    --------
    >>> atleast_1d(1.0)
    Tensor([1.], dtype=float32)
    """
    return _at_least(xs, lambda shape: shape or (1,))


def atleast_2d(*xs: Any) -> Any:
    """Return arrays with at least two axes: new ones come first.

    Parameters
    ----------
    *xs : array_like
        Any shapes and dtypes.

    Returns
    -------
    Tensor or tuple of Tensor
        A tuple unless there is one array.

    Examples
    --------
    >>> atleast_2d([1.0, 2.0])
    Tensor([[1., 2.]], dtype=float32)
    """
    return _at_least(xs, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*xs: Any) -> Any:
    """Return arrays with at least three axes: shapes (1, n, 1) and (m, n, 1) of one and two axes.

    Parameters
    ----------
    *xs : array_like
        Any shapes and dtypes.

    Returns
    -------
    Tensor or tuple of Tensor
        A tuple unless there is one array.

    Examples
    --------
    >>> atleast_3d([1.0, 2.0]).shape
    (1, 2, 1)
    """
    return _at_least(xs, lambda shape: ((1,) * (2 - len(shape)) + shape + (1,))[:3] + shape[3:])


def concatenate(xs: Sequence[Any], axis: int | None = 0) -> Tensor:
    """Return arrays joined along an axis that they have.

    Parameters
    ----------
    xs : sequence of array_like
        At least one; shapes that agree except along `axis`.
    axis : int or None, default 0
        None joins the elements of all, in C order, to one axis.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, shapes do not agree, or `axis` is out of range.

    Examples
    --------
    >>> concatenate([[1, 2], [3]])
    Tensor([1, 2, 3], dtype=int64)
    """
    if axis is None:
        return one("concatenate", [reshape(x, -1) for x in xs], axes=0)
    return one("concatenate", xs, axes=axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return arrays of one shape joined along a new axis.

    Parameters
    ----------
    xs : sequence of array_like
        At least one; all of one shape.
    axis : int, default 0
        Place of the new axis in the result.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, shapes differ, or `axis` is out of range.

    Examples
    --------
    >>> stack([[1, 2], [3, 4]])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return one("stack", xs, axes=axis)
