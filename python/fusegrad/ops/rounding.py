"""Rounding to integers and decimals, and division with a remainder."""

from __future__ import annotations

import operator
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import of_one, of_two
from fusegrad.ops.binary import divide, multiply, where
from fusegrad.ops.nonfinite import isfinite
from fusegrad.ops.unary import cast

__all__ = [
    "ceil",
    "floor",
    "floor_divide",
    "mod",
    "remainder",
    "rint",
    "round",
    "trunc",
]


def floor(x: Any) -> Tensor:
    """Return the largest integer that is not above `x`.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    Exact; -0, infinities and NaN stay. Integers are returned as they are. The derivative is 0
    everywhere.

    Examples
    --------
    >>> floor([1.7, -1.2])
    Tensor([ 1., -2.], dtype=float32)
    """
    return of_one("floor", x)


def ceil(x: Any) -> Tensor:
    """Return the smallest integer that is not below `x`.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    Exact; -0, infinities and NaN stay, and ``ceil(-0.5)`` is -0. Integers are returned as they are.
    The derivative is 0 everywhere.

    Examples
    --------
    >>> ceil([1.2, -1.7])
    Tensor([ 2., -1.], dtype=float32)
    """
    return of_one("ceil", x)


def trunc(x: Any) -> Tensor:
    """Return `x` without its fraction: the nearest integer towards 0.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    Exact; -0, infinities and NaN stay. Integers are returned as they are. The derivative is 0
    everywhere.

    Examples
    --------
    >>> trunc([1.7, -1.7])
    Tensor([ 1., -1.], dtype=float32)
    """
    return of_one("trunc", x)


def rint(x: Any) -> Tensor:
    """Return the nearest integer, of two the even one.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Exact; -0, infinities and NaN stay. The derivative is 0 everywhere.

    Examples
    --------
    >>> rint([0.5, 1.5, -1.7])
    Tensor([ 0.,  2., -2.], dtype=float32)
    """
    return of_one("rint", x)


def round(x: Any, decimals: int = 0) -> Tensor:
    """Return `x` rounded to a number of decimals, halves to the even last digit.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.
    decimals : int, default 0
        Digits after the decimal point; -1 rounds to tens.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool, or `decimals` is no integer.

    Notes
    -----
    As in NumPy ``rint(x * 10**decimals) / 10**decimals``, both of whose operations are rounded;
    where the product would overflow `x` is returned as it is. The derivative is 0 elsewhere.

    Examples
    --------
    >>> round([0.5, 1.5, -1.7])
    Tensor([ 0.,  2., -2.], dtype=float32)
    >>> round([3.14159, 2.71828], decimals=2)
    Tensor([3.14, 2.72], dtype=float32)
    """
    x = as_tensor(x)
    try:
        decimals = operator.index(decimals)
    except TypeError:
        raise ArgumentError("round", "decimals", "an integer", repr(decimals)) from None
    if x.dtype.kind != "f":
        whole = trunc(x)
        if decimals >= 0:
            return whole
    if decimals == 0:
        return rint(x)
    scale = 10.0 ** min(-decimals if decimals < 0 else decimals, 300)
    if decimals < 0:
        return cast(multiply(rint(divide(x, scale)), scale), x.dtype)
    rounded = divide(rint(multiply(x, scale)), scale)
    return where(isfinite(rounded), rounded, x)


def floor_divide(x1: Any, x2: Any) -> Tensor:
    """Return ``floor(x1 / x2)``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    Floats: the floor of the exact quotient, rounded where it has more digits than the dtype; by 0
    ``x1 / x2``, NaN where `x1` is infinite. Integers: 0 where `x2` is 0, and the most negative
    integer over -1 wraps around. The derivatives are 0.

    Examples
    --------
    >>> floor_divide([7.0, -7.0], 2.0)
    Tensor([ 3., -4.], dtype=float32)
    """
    return of_two("floor_divide", x1, x2)


def remainder(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 - floor(x1 / x2) * x2``, which has the sign of `x2`; also called `mod`.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    Floats: exact but for one rounding, also for large quotients; NaN where `x2` is 0 or `x1` is
    infinite. Integers: 0 where `x2` is 0. The derivatives are 1 and ``-floor(x1 / x2)``.

    Examples
    --------
    >>> remainder([7.0, -7.0], 3.0)
    Tensor([1., 2.], dtype=float32)
    """
    return of_two("remainder", x1, x2)


mod = remainder
