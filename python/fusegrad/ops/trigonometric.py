"""Trigonometric and hyperbolic functions, their inverses, and `hypot`."""

from __future__ import annotations

import math
from typing import Any

from fusegrad._tensor import Tensor
from fusegrad.ops._call import of_one, of_two
from fusegrad.ops.binary import divide, less, multiply, subtract, where
from fusegrad.ops.unary import abs, square

__all__ = [
    "arccos",
    "arccosh",
    "arcsin",
    "arcsinh",
    "arctan",
    "arctan2",
    "arctanh",
    "cos",
    "cosh",
    "hypot",
    "sin",
    "sinc",
    "sinh",
    "tan",
]


def sin(x: Any) -> Tensor:
    """Return the sine of `x`, in radians.

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
    Within 0.51 units in the last place for float32 and 1 for float64, for arguments of any size.
    NaN at infinities; ``sin(-0.0)`` is -0. The derivative is ``cos(x)``.

    Examples
    --------
    >>> sin([0.0, 1.0])
    Tensor([0.        , 0.84147096], dtype=float32)
    """
    return of_one("sin", x)


def cos(x: Any) -> Tensor:
    """Return the cosine of `x`, in radians.

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
    Within 0.51 units in the last place for float32 and 1 for float64, for arguments of any size.
    NaN at infinities. The derivative is ``-sin(x)``.

    Examples
    --------
    >>> cos([0.0, 1.0])
    Tensor([1.       , 0.5403023], dtype=float32)
    """
    return of_one("cos", x)


def tan(x: Any) -> Tensor:
    """Return ``sin(x) / cos(x)``.

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
    Within 0.51 units in the last place for float32 and 1 for float64, for arguments of any size.
    NaN at infinities. The derivative is ``1 + y**2``.

    Examples
    --------
    >>> tan([0.0, 1.0])
    Tensor([0.       , 1.5574077], dtype=float32)
    """
    return of_one("tan", x)


def arcsin(x: Any) -> Tensor:
    """Return the angle in [-pi/2, pi/2] whose sine is `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [-pi/2, pi/2].

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64; NaN outside [-1, 1]. The
    derivative is ``1 / sqrt((1 - x) * (1 + x))``, infinite at -1 and 1.

    Examples
    --------
    >>> arcsin([0.0, 1.0])
    Tensor([0.       , 1.5707964], dtype=float32)
    """
    return of_one("arcsin", x)


def arccos(x: Any) -> Tensor:
    """Return the angle in [0, pi] whose cosine is `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [0, pi].

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64; NaN outside [-1, 1]. The
    derivative is ``-1 / sqrt((1 - x) * (1 + x))``, infinite at -1 and 1.

    Examples
    --------
    >>> arccos([1.0, 0.0])
    Tensor([0.       , 1.5707964], dtype=float32)
    """
    return of_one("arccos", x)


def arctan(x: Any) -> Tensor:
    """Return the angle in [-pi/2, pi/2] whose tangent is `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [-pi/2, pi/2].

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64. The derivative is ``1 / (1 +
    x**2)``.

    Examples
    --------
    >>> arctan([1.0, float("inf")])
    Tensor([0.7853982, 1.5707964], dtype=float32)
    """
    return of_one("arctan", x)


def arctan2(x1: Any, x2: Any) -> Tensor:
    """Return the angle of the point ``(x2, x1)`` against the first axis, in [-pi, pi].

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
    The quadrant is that of the signs of both operands, also of zeros and infinities: ``arctan2(0.0,
    -0.0)`` is pi. Within 0.51 units in the last place for float32 and 1 for float64. With ``h =
    hypot(x1, x2)`` the derivatives are ``x2 / h**2`` and ``-x1 / h**2``, taken as 0 at the origin.

    Examples
    --------
    >>> arctan2([1.0, 1.0], [1.0, -1.0])
    Tensor([0.7853982, 2.3561945], dtype=float32)
    """
    return of_two("arctan2", x1, x2)


def hypot(x1: Any, x2: Any) -> Tensor:
    """Return ``sqrt(x1**2 + x2**2)``, without overflow or underflow of the squares.

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
    Within 0.51 units in the last place for float32 and 1 for float64. Infinite where either operand
    is, even if the other is NaN. The derivatives are ``x1 / y`` and ``x2 / y``, taken as 0 at the
    origin.

    Examples
    --------
    >>> hypot([3.0, 1e30], [4.0, 1e30])
    Tensor([5.0000000e+00, 1.4142135e+30], dtype=float32)
    """
    return of_two("hypot", x1, x2)


def sinh(x: Any) -> Tensor:
    """Return ``(e**x - e**-x) / 2``.

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
    Within 0.51 units in the last place for float32 and 1 for float64, near 0 too, where that
    formula cancels. The derivative is ``cosh(x)``.

    Examples
    --------
    >>> sinh([0.0, 1.0])
    Tensor([0.       , 1.1752012], dtype=float32)
    """
    return of_one("sinh", x)


def cosh(x: Any) -> Tensor:
    """Return ``(e**x + e**-x) / 2``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. At least 1.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64. The derivative is
    ``sinh(x)``.

    Examples
    --------
    >>> cosh([0.0, 1.0])
    Tensor([1.       , 1.5430807], dtype=float32)
    """
    return of_one("cosh", x)


def arcsinh(x: Any) -> Tensor:
    """Return ``log(x + sqrt(x**2 + 1))``.

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
    Within 0.51 units in the last place for float32 and 1 for float64, without overflow of the
    square. The derivative is ``1 / hypot(x, 1)``.

    Examples
    --------
    >>> arcsinh([0.0, 1e30])
    Tensor([ 0.    , 69.7707], dtype=float32)
    """
    return of_one("arcsinh", x)


def arccosh(x: Any) -> Tensor:
    """Return ``log(x + sqrt(x**2 - 1))``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. At least 0.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64, near 1 too; NaN below 1. The
    derivative is ``1 / (sqrt(x - 1) * sqrt(x + 1))``, infinite at 1.

    Examples
    --------
    >>> arccosh([1.0, 2.0])
    Tensor([0.      , 1.316958], dtype=float32)
    """
    return of_one("arccosh", x)


def arctanh(x: Any) -> Tensor:
    """Return ``log((1 + x) / (1 - x)) / 2``.

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
    Within 0.51 units in the last place for float32 and 1 for float64, near 0 too. Infinite at -1
    and 1, NaN outside. The derivative is ``1 / ((1 - x) * (1 + x))``.

    Examples
    --------
    >>> arctanh([0.0, 0.5])
    Tensor([0.        , 0.54930615], dtype=float32)
    """
    return of_one("arctanh", x)


def sinc(x: Any) -> Tensor:
    """Return ``sin(pi * x) / (pi * x)``, and 1 at 0.

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
    Where ``pi * x`` is in [-1, 1] a polynomial, whose derivatives of any order keep their digits
    at 0. The rounding error of ``pi * x`` is the largest: as in NumPy, whole numbers give small
    numbers instead of 0.

    Examples
    --------
    >>> sinc([0.0, 0.5])
    Tensor([1.        , 0.63661975], dtype=float32)
    """
    angle = multiply(x, math.pi)
    near = less(abs(angle), 1.0)
    z = square(where(near, angle, 0.0))
    series = divide(z, 20.0 * 21.0)  # of 1 - z/(2 3) (1 - z/(4 5) (1 - ... z/(20 21)))
    for n in range(18, 0, -2):
        series = divide(multiply(z, subtract(1.0, series)), n * (n + 1.0))
    far = where(near, 1.0, angle)
    return where(near, subtract(1.0, series), divide(sin(far), far))
