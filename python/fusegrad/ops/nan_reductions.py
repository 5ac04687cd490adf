"""Reductions over the elements that are not NaN."""

from __future__ import annotations

import math
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.ops._call import Axis, as_floating
from fusegrad.ops.binary import divide, equal, not_equal, subtract, where
from fusegrad.ops.reductions import max, min, prod, sum
from fusegrad.ops.unary import sqrt, square

__all__ = [
    "nanmax",
    "nanmean",
    "nanmin",
    "nanprod",
    "nanstd",
    "nansum",
    "nanvar",
]


def _filled(x: Any, value: float) -> Tensor:
    """The elements with `value` for NaN; integers have none."""
    array = as_tensor(x)
    return where(not_equal(array, array), value, array) if array.dtype.kind == "f" else array


def _counts(x: Tensor, axis: Axis, keepdims: bool) -> Tensor:
    return sum(equal(x, x), axis, keepdims)


def nansum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes of the elements that are not NaN.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    0 where there is nothing else. The gradient of NaN is 0.

    Examples
    --------
    >>> nansum([1.0, float("nan"), 2.0])
    Tensor(3., dtype=float32)
    """
    return sum(_filled(x, 0.0), axis, keepdims)


def nanprod(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the product over axes of the elements that are not NaN.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    1 where there is nothing else. The gradient of NaN is 0.

    Examples
    --------
    >>> nanprod([3.0, float("nan"), 2.0])
    Tensor(6., dtype=float32)
    """
    return prod(_filled(x, 1.0), axis, keepdims)


def nanmean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the mean over axes of the elements that are not NaN.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    NaN where there is nothing else. The gradient of NaN is 0.

    Examples
    --------
    >>> nanmean([1.0, float("nan"), 2.0])
    Tensor(1.5, dtype=float32)
    """
    x = as_floating(x)
    count = _counts(x, axis, keepdims).astype(x.dtype)
    return divide(sum(_filled(x, 0.0), axis, keepdims), count)


def nanvar(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the variance over axes of the elements that are not NaN.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    ddof : float, default 0
        Subtracted from the number of elements; 1 gives the unbiased estimate.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    NaN where there are not more than `ddof` other elements, or an infinite one. The gradient of NaN
    is 0.

    Examples
    --------
    >>> nanvar([1.0, float("nan"), 3.0])
    Tensor(1., dtype=float32)
    """
    x = as_floating(x)
    about = where(equal(x, x), subtract(x, nanmean(x, axis, keepdims=True)), 0.0)
    squares = sum(square(about), axis, keepdims)
    freedom = subtract(_counts(x, axis, keepdims), ddof).astype(x.dtype)
    return divide(squares, where(freedom > 0, freedom, math.nan))


def nanstd(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation over axes of the elements that are not NaN.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    ddof : float, default 0
        Subtracted from the number of elements.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    NaN where there are not more than `ddof` other elements. The gradient of NaN, and of equal
    elements, is 0.

    Examples
    --------
    >>> nanstd([1.0, float("nan"), 3.0])
    Tensor(1., dtype=float32)
    """
    return sqrt(nanvar(x, axis, ddof, keepdims))


def nanmax(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over axes that is not NaN.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    NaN where there is nothing else. Equal largest elements share the gradient evenly.

    Examples
    --------
    >>> nanmax([1.0, float("nan"), 2.0])
    Tensor(2., dtype=float32)
    """
    return _extreme(x, -math.inf, max, axis, keepdims)


def nanmin(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over axes that is not NaN.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    NaN where there is nothing else. Equal smallest elements share the gradient evenly.

    Examples
    --------
    >>> nanmin([1.0, float("nan"), 2.0])
    Tensor(1., dtype=float32)
    """
    return _extreme(x, math.inf, min, axis, keepdims)


def _extreme(x: Any, least: float, reduce: Any, axis: Axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    found: Tensor = reduce(_filled(x, least), axis, keepdims)
    if x.dtype.kind != "f":
        return found
    return where(equal(_counts(x, axis, keepdims), 0), math.nan, found)
