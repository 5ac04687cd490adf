"""Exponentials and logarithms."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor
from fusegrad.ops._call import of_one, of_two

__all__ = [
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
]


def exp(x: Any) -> Tensor:
    """Return ``e**x``.

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
    Within 1 unit in the last place; subnormal results are kept.

    Examples
    --------
    >>> exp([0.0, 1.0])
    Tensor([1.       , 2.7182817], dtype=float32)
    """
    return of_one("exp", x)


def expm1(x: Any) -> Tensor:
    """Return ``e**x - 1``.

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
    Within 1 unit in the last place, near 0 too, where ``exp(x) -
    1`` cancels.

    Examples
    --------
    >>> expm1([1e-10])
    Tensor([1.e-10], dtype=float32)
    """
    return of_one("expm1", x)


def log(x: Any) -> Tensor:
    """Return the natural logarithm of `x`.

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
    -inf at 0 and NaN below; the derivative ``1 / x`` is infinite at 0. Within 1 unit in the
    last place.

    Examples
    --------
    >>> log([1.0, 0.0])
    Tensor([  0., -inf], dtype=float32)
    """
    return of_one("log", x)


def log1p(x: Any) -> Tensor:
    """Return ``log(1 + x)``.

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
    -inf at -1 and NaN below. Within 1 unit in the last place,
    near 0 too, where ``log(1 + x)`` loses `x`.

    Examples
    --------
    >>> log1p([1e-10])
    Tensor([1.e-10], dtype=float32)
    """
    return of_one("log1p", x)


def exp2(x: Any) -> Tensor:
    """Return ``2**x``.

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
    Within 0.51 units in the last place for float32 and 1 for float64, and exact for whole `x`;
    subnormal results are kept. The derivative is ``y * log(2)``.

    Examples
    --------
    >>> exp2([0.5, 10.0])
    Tensor([   1.4142135, 1024.       ], dtype=float32)
    """
    return of_one("exp2", x)


def log2(x: Any) -> Tensor:
    """Return the logarithm of `x` to the base 2.

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
    -inf at 0 and NaN below. Within 0.51 units in the last place for float32 and 1 for float64, and
    exact for powers of 2. The derivative is ``1 / (x * log(2))``.

    Examples
    --------
    >>> log2([8.0, 10.0])
    Tensor([3.      , 3.321928], dtype=float32)
    """
    return of_one("log2", x)


def log10(x: Any) -> Tensor:
    """Return the logarithm of `x` to the base 10.

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
    -inf at 0 and NaN below. Within 0.51 units in the last place for float32 and 1 for float64, and
    exact for powers of 10. The derivative is ``1 / (x * log(10))``.

    Examples
    --------
    >>> log10([1000.0, 2.0])
    Tensor([3.     , 0.30103], dtype=float32)
    """
    return of_one("log10", x)


def logaddexp(x1: Any, x2: Any) -> Tensor:
    """Return ``log(e**x1 + e**x2)``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    Computed as ``m + log1p(e**-abs(x1 - x2))`` with ``m = max(x1, x2)``, which cannot overflow.
    Within 0.51 units in the last place for float32 and 3 for float64, in units of `m` where it is
    larger than the result, with which it nearly cancels. The derivatives are ``sigmoid(x1 - x2)``
    and ``sigmoid(x2 - x1)``; half each for equal infinities.

    Examples
    --------
    >>> logaddexp([0.0, 1000.0], [0.0, 1000.0])
    Tensor([6.9314718e-01, 1.0006932e+03], dtype=float32)
    """
    return of_two("logaddexp", x1, x2)
