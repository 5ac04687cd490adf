"""Elementwise functions of one operand."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor
from fusegrad.ops._call import of_one, one

__all__ = [
    "abs",
    "cast",
    "cbrt",
    "erf",
    "erfc",
    "identity",
    "logical_not",
    "negative",
    "reciprocal",
    "sign",
    "signbit",
    "sqrt",
    "square",
    "stop_gradient",
    "tanh",
]


def identity(x: Any) -> Tensor:
    """Return the same elements: ``y = x``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Notes
    -----
    The gradient passes unchanged. The exactness rewrites of `fusegrad.jit` do not look through it.

    Examples
    --------
    >>> identity([1.0])
    Tensor([1.], dtype=float32)
    """
    return of_one("identity", x)


def stop_gradient(x: Any) -> Tensor:
    """Return the same elements, as a constant to derivatives: ``dy/dx = 0``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Examples
    --------
    >>> from fusegrad import grad
    >>> grad(lambda x: x * stop_gradient(x))(3.0)
    Tensor(3., dtype=float32)
    """
    return one("stop_gradient", (x,))


def cast(x: Any, dtype: Any) -> Tensor:
    """Return the elements as `dtype`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    dtype : str or numpy.dtype
        float32, float64, int32, int64, uint8 or bool.

    Returns
    -------
    Tensor
        Shape of `x`, of `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For another dtype.

    Notes
    -----
    Floats to integers drop the fraction; NaN and what int32 or int64 cannot hold become its most
    negative value. To uint8, and from int64 to int32, the low bits are kept. All but 0 is true. The
    gradient is cast back; none passes through integers and booleans.

    Examples
    --------
    >>> cast([1.7, -1.7], "int32")
    Tensor([ 1, -1], dtype=int32)
    """
    return one("cast", (x,), dtype=dtype)


def negative(x: Any) -> Tensor:
    """Return ``-x``.

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
    Integers wrap around: the most negative one is its own negative.

    Examples
    --------
    >>> negative([1.0, -2.0])
    Tensor([-1.,  2.], dtype=float32)
    """
    return of_one("negative", x)


def abs(x: Any) -> Tensor:
    """Return ``|x|``.

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
    The derivative at 0 is 0. Integers wrap around as in `negative`.

    Examples
    --------
    >>> abs([1.0, -2.0])
    Tensor([1., 2.], dtype=float32)
    """
    return of_one("abs", x)


def sign(x: Any) -> Tensor:
    """Return -1, 0 or 1 with the sign of `x`.

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
    0 at 0 and -0, NaN at NaN. The derivative is 0 everywhere.

    Examples
    --------
    >>> sign([3.0, 0.0, -2.0])
    Tensor([ 1.,  0., -1.], dtype=float32)
    """
    return of_one("sign", x)


def signbit(x: Any) -> Tensor:
    """Return whether the sign of `x` is negative, that of -0 and NaN included.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        Shape of `x`, bool.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> signbit([-0.0, 0.0, -2.0])
    Tensor([ True, False,  True], dtype=bool)
    """
    return of_one("signbit", x)


def square(x: Any) -> Tensor:
    """Return ``x * x``.

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
    The derivative is ``2 * x``. Integers wrap around.

    Examples
    --------
    >>> square([3, -2])
    Tensor([9, 4], dtype=int64)
    """
    return of_one("square", x)


def sqrt(x: Any) -> Tensor:
    """Return the square root of `x`.

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
    Correctly rounded; NaN below 0. The derivative ``1 / (2 * sqrt(x))`` is taken as 0 at 0, so that
    no NaN arises there.

    Examples
    --------
    >>> sqrt([4.0, 0.25])
    Tensor([2. , 0.5], dtype=float32)
    """
    return of_one("sqrt", x)


def cbrt(x: Any) -> Tensor:
    """Return the cube root of `x`.

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
    Within 0.51 units in the last place; that of a negative number is negative. The derivative
    ``1 / (3 * y**2)`` is infinite at 0.

    Examples
    --------
    >>> cbrt([27.0, -8.0])
    Tensor([ 3., -2.], dtype=float32)
    """
    return one("cbrt", (x,))


def reciprocal(x: Any) -> Tensor:
    """Return ``1 / x``.

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
    Correctly rounded; infinite at 0, with the sign of the 0. The derivative is ``-y * y``.

    Examples
    --------
    >>> reciprocal([4.0, 0.0])
    Tensor([0.25,  inf], dtype=float32)
    """
    return of_one("reciprocal", x)


def tanh(x: Any) -> Tensor:
    """Return ``(e**x - e**-x) / (e**x + e**-x)``.

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
    Computed as ``-t / (2 + t)`` with ``t = expm1(-2 * abs(x))`` and the sign of `x`: no overflow,
    no cancellation. Within 1 unit in the last place for float32 and 2 for float64. The
    derivative is ``1 - y**2``.

    Examples
    --------
    >>> tanh([0.0, 1000.0])
    Tensor([0., 1.], dtype=float32)
    """
    return of_one("tanh", x)


def erf(x: Any) -> Tensor:
    """Return the error function, ``2 / sqrt(pi)`` times the integral of ``e**-t**2`` from 0 to `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [-1, 1].

    Notes
    -----
    Within 2 units in the last place. The derivative is ``2 / sqrt(pi) * e**-x**2``.

    Examples
    --------
    >>> erf([0.0, 10.0])
    Tensor([0., 1.], dtype=float32)
    """
    return of_one("erf", x)


def erfc(x: Any) -> Tensor:
    """Return ``1 - erf(x)``, without the cancellation of that formula for large `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [0, 2].

    Notes
    -----
    Within 0.51 units in the last place for float32 and 3 for float64, also where the result is
    subnormal. The derivative is ``-2 / sqrt(pi) * e**-x**2``.

    Examples
    --------
    >>> erfc([0.0, 9.0])
    Tensor([1.0000000e+00, 4.1370317e-37], dtype=float32)
    """
    return of_one("erfc", x)


def logical_not(x: Any) -> Tensor:
    """Return True where the element is 0 or False.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        Shape of `x`, bool.

    Notes
    -----
    NaN counts as true. There is no gradient.

    Examples
    --------
    >>> logical_not([True, False])
    Tensor([False,  True], dtype=bool)
    """
    return of_one("logical_not", x)
