"""New arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad._tensor import empty as _empty
from fusegrad._tensor import full as _full
from fusegrad.config import floatx
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import as_floating, broadcast_shape, normal_axis, one, whole
from fusegrad.ops.binary import add, divide, greater, multiply, power, subtract
from fusegrad.ops.shapes import broadcast_to, concatenate, moveaxis

__all__ = [
    "arange",
    "empty",
    "empty_like",
    "full",
    "full_like",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def zeros(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 0s.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> zeros(2)
    Tensor([0., 0.], dtype=float32)
    """
    return _full(shape, 0.0, dtype or floatx())


def ones(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 1s.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> ones(2)
    Tensor([1., 1.], dtype=float32)
    """
    return _full(shape, 1.0, dtype or floatx())


def full(shape: int | Sequence[int], fill_value: float, dtype: Any = None) -> Tensor:
    """Return an array of one number.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    fill_value : float
        A single number.
    dtype : str or numpy.dtype, optional
        By default int64 for an int, bool for a bool, else `config.floatx()`.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> full(2, 7)
    Tensor([7, 7], dtype=int64)
    """
    return _full(shape, fill_value, dtype)


def empty(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 0s: elements of a Tensor cannot be written later.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> empty(2).shape
    (2,)
    """
    return zeros(shape, dtype)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 0s with the shape of `x`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> zeros_like([1, 2])
    Tensor([0, 0], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 0, dtype or x.dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 1s with the shape of `x`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> ones_like([1, 2])
    Tensor([1, 1], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 1, dtype or x.dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Tensor:
    """Return an array of one number with the shape of `x`.

    Parameters
    ----------
    x : array_like
    fill_value : array_like
        A number, or an array that broadcasts to the shape of `x`.
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `fill_value` does not fit, or for a dtype that there is not.

    Examples
    --------
    >>> full_like([1, 2], 7)
    Tensor([7, 7], dtype=int64)
    """
    x = as_tensor(x)
    if isinstance(fill_value, (int, float)):
        return _full(x.shape, fill_value, dtype or x.dtype)
    return broadcast_to(as_tensor(fill_value).astype(dtype or x.dtype), x.shape)


def empty_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 0s with the shape of `x`: see `empty`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> empty_like([1, 2]).shape
    (2,)
    """
    return zeros_like(x, dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """Return ``start + i * step`` for i = 0, 1, ... as long as it is before `stop`.

    Parameters
    ----------
    start : float
        The first number; the end, and the first is 0, where `stop` is not given.
    stop : float, optional
    step : float, default 1
        Not 0; it may be negative.
    dtype : str or numpy.dtype, optional
        By default int64 where all are integers, else `config.floatx()`.

    Returns
    -------
    Tensor
        One axis of ``ceil((stop - start) / step)`` elements, none where that is negative.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `step` is 0, or a number is infinite or NaN.
    MemoryError
        For more elements than there is memory.

    Examples
    --------
    >>> arange(5, 0, -2)
    Tensor([5, 3, 1], dtype=int64)
    """
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("arange", "step", "a number other than 0", repr(step))
    if not all(map(math.isfinite, (first, last, step))):
        got = repr((first, last, step))
        raise ArgumentError("arange", "start, stop, step", "finite numbers", got)
    count = 0 if (last - first) / step <= 0 else (math.ceil((last - first) / step))
    exact = all(isinstance(value, int) for value in (first, last, step))
    dtype = dtype or ("int64" if exact else floatx())
    # What no memory holds is refused before it is counted up.
    kind = _empty((count if count < 1 << 62 else 1 << 62,), dtype).dtype
    if kind not in ("float32", "float64", "int64") or (exact and kind != "int64"):
        return as_tensor([first + i * step for i in range(count)], dtype)
    if exact:
        return add(multiply(_places(count), step), first)
    return add(multiply(_places(count).astype("float64"), float(step)), float(first)).astype(kind)


def _places(count: int) -> Tensor:
    """0, 1, ... up to before `count`."""
    return subtract(one("cumsum", (_full((count,), 1, "int64"),), axes=0), 1)


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Return numbers at equal distances from `start` to `stop`.

    Parameters
    ----------
    start, stop : array_like
        Shapes that broadcast.
    num : int, default 50
        How many, at least 0.
    endpoint : bool, default True
        Whether `stop` is the last one; else it is the next one after the last.
    retstep : bool, default False
        Also return the distance.
    dtype : str or numpy.dtype, optional
        By default `config.floatx()` for numbers, else the promoted floating dtype.
    axis : int, default 0
        Place of the new axis in the result.

    Returns
    -------
    Tensor or tuple of Tensor
        The numbers; with `retstep` also their distance.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `num` is negative, shapes do not broadcast, or `axis` is out of range.

    Notes
    -----
    ``start + i * step``; the last one is `stop` itself. Numbers are computed in float64, and
    rounded down where `dtype` is of integers. Differentiable in `start` and `stop`.

    Examples
    --------
    >>> linspace(0.0, 1.0, 5)
    Tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    count = whole("linspace", "num", num, 0)
    numbers = all(isinstance(x, (int, float)) for x in (start, stop))
    if numbers:
        start, stop = float(start), float(stop)
        first, last = as_tensor(start, "float64"), as_tensor(stop, "float64")
    else:
        first, last = as_floating(start), as_floating(stop)
    broadcast_shape("linspace", first.shape, last.shape)
    length = subtract(last, first)
    last = broadcast_to(last.astype(length.dtype), length.shape)
    parts = count - 1 if endpoint else count
    step = divide(length, parts) if parts > 0 else multiply(length, math.nan)
    column = arange(count).astype(length.dtype).reshape((count,) + (1,) * length.ndim)
    found = add(broadcast_to(first, length.shape), multiply(column, step if parts > 0 else length))
    if endpoint and count > 1:
        found = concatenate((found[:-1], last.reshape((1, *last.shape))))
    dtype = dtype or (floatx() if numbers else None)
    if dtype is not None:
        found = _as_dtype(found, dtype)
    found = moveaxis(found, 0, normal_axis("linspace", axis, found.ndim))
    if retstep:
        return found, step.astype(floatx()) if numbers else step
    return found


def _as_dtype(x: Tensor, dtype: Any) -> Tensor:
    """As another dtype: floats become integers downwards."""
    cut = x.astype(dtype)
    if cut.dtype.kind != "i":
        return cut
    return subtract(cut, greater(cut, x).astype(cut.dtype))


def logspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: int = 0,
) -> Tensor:
    """Return the powers ``base ** linspace(start, stop)``.

    Parameters
    ----------
    start, stop : array_like
        Exponents; shapes that broadcast.
    num : int, default 50
        How many, at least 0.
    endpoint : bool, default True
        Whether `stop` is the last exponent; else it is the next one after the last.
    base : array_like, default 10.0
    dtype : str or numpy.dtype, optional
        By default `config.floatx()` for numbers, else the promoted floating dtype.
    axis : int, default 0
        Place of the new axis in the result.

    Returns
    -------
    Tensor

    Raises
    ------
    fusegrad.errors.ArgumentError
        `num` is negative, shapes do not broadcast, or `axis` is out of range.

    Notes
    -----
    Of numbers, computed in float64. Differentiable in `start`, `stop` and `base`.

    Examples
    --------
    >>> logspace(0.0, 2.0, 3)
    Tensor([  1.,  10., 100.], dtype=float32)
    """
    numbers = all(isinstance(x, (int, float)) for x in (start, stop, base))
    if numbers:
        start, stop = as_tensor(float(start), "float64"), as_tensor(float(stop), "float64")
    found = power(base, linspace(start, stop, num, endpoint, axis=axis))
    dtype = dtype or (floatx() if numbers else None)
    return found if dtype is None else found.astype(dtype)


def meshgrid(*xs: Any, indexing: str = "xy", sparse: bool = False) -> list[Tensor]:
    """Return arrays of the coordinates of a grid, one for each axis.

    Parameters
    ----------
    *xs : array_like
        The coordinates along each axis: one axis, or a number.
    indexing : {"xy", "ij"}, default "xy"
        Whether the first two axes of the grid are exchanged, as in pictures, or in order.
    sparse : bool, default False
        Keep axes along which nothing changes at size 1.

    Returns
    -------
    list of Tensor
        Of the shape of the grid, each with the dtype of its coordinates.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Coordinates have more than one axis, or `indexing` is another word.

    Notes
    -----
    The gradients of a coordinate's copies are added.

    Examples
    --------
    >>> meshgrid([1, 2], [3, 4])[0]
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError("meshgrid", "indexing", "'xy' or 'ij'", repr(indexing))
    arrays = [as_tensor(x) for x in xs]
    for x in arrays:
        if x.ndim > 1:
            raise ArgumentError("meshgrid", "xs", "arrays of one axis", f"shape {x.shape}")
    places = list(range(len(arrays)))
    if indexing == "xy" and len(arrays) > 1:
        places[:2] = 1, 0
    found = [
        x.reshape(tuple(-1 if i == place else 1 for i in range(len(arrays))))
        for x, place in zip(arrays, places, strict=True)
    ]
    if sparse:
        return found
    shape = broadcast_shape("meshgrid", *[x.shape for x in found])
    return [broadcast_to(x, shape) for x in found]
