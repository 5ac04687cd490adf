"""Functions that reduce axes: sums, products, means, extremes, truth."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.ops._call import Axis, axes_of, one, reduced
from fusegrad.ops.unary import sqrt

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "logsumexp",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes.

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
    0 for no elements. Floats are added in double precision over 16 lanes in a fixed order and
    rounded once; integers are exact modulo 2**64.

    Examples
    --------
    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([4., 6.], dtype=float32)
    """
    return reduced("sum", x, axis, keepdims)


def prod(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the product over axes.

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
    1 for no elements. Floats are multiplied in double precision over 16 lanes in a fixed order and
    rounded once; integers are exact modulo 2**64. The derivative is the product of the others,
    which divides by nothing: it is right where elements are 0.

    Examples
    --------
    >>> prod([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([3., 8.], dtype=float32)
    """
    return one("prod", (x,), keepdims=keepdims, **axes_of(axis))


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the arithmetic mean ``sum(x) / n`` over axes.

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
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    Added and divided in double precision, rounded once.

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=1)
    Tensor([1.5, 3.5], dtype=float32)
    """
    return reduced("mean", x, axis, keepdims)


def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the variance ``sum((x - mean(x))**2) / (n - ddof)`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    ddof : float, default 0
        Subtracted from n; 1 gives the unbiased estimate.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice; n, the number of reduced elements, is 0 or not above
        `ddof`.

    Notes
    -----
    Two passes in double precision: the mean, then the squares about it.

    Examples
    --------
    >>> var([1.0, 3.0])
    Tensor(1., dtype=float32)
    """
    return one("var", (x,), scalars=[ddof], keepdims=keepdims, **axes_of(axis))


def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation ``sqrt(var(x))`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    ddof : float, default 0
        Subtracted from n; 1 gives the unbiased estimate.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `var`.

    Notes
    -----
    The gradient is 0 where the deviation is 0, by the convention of `sqrt`.

    Examples
    --------
    >>> std([1.0, 3.0])
    Tensor(1., dtype=float32)
    """
    return sqrt(var(x, axis, ddof, keepdims))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over axes.

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
    NaN if any element is. Equal largest elements share the gradient evenly.

    Examples
    --------
    >>> max([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([3., 4.], dtype=float32)
    """
    return reduced("max", x, axis, keepdims)


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over axes.

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
    NaN if any element is. Equal smallest elements share the gradient evenly.

    Examples
    --------
    >>> min([[1.0, 2.0], [3.0, 4.0]])
    Tensor(1., dtype=float32)
    """
    return reduced("min", x, axis, keepdims)


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the largest element along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default the index counts all elements in C order.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The axis is out of range, or there is no element to reduce.

    Notes
    -----
    The first of equal elements; the first NaN if there is one. There is no gradient.

    Examples
    --------
    >>> argmax([1.0, 3.0, 4.0])
    Tensor(2, dtype=int64)
    """
    return reduced("argmax", x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the smallest element along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default the index counts all elements in C order.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The axis is out of range, or there is no element to reduce.

    Notes
    -----
    The first of equal elements; the first NaN if there is one. There is no gradient.

    Examples
    --------
    >>> argmin([1.0, 3.0, 4.0])
    Tensor(0, dtype=int64)
    """
    return reduced("argmin", x, axis, keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return ``log(sum(e**x))`` over axes.

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
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    Computed in double precision as ``m + log1p(s)``, with m the first largest element and s the sum
    of ``e**(x - m)`` over the others: no overflow. P. Blanchard, D. J. Higham, N. J. Higham,
    "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021). In
    float64 digits are lost where m and log1p(s) nearly cancel. The derivative is `softmax`.

    Examples
    --------
    >>> logsumexp([1000.0, 1000.0])
    Tensor(1000.6932, dtype=float32)
    """
    return reduced("logsumexp", x, axis, keepdims)


def any(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether any element over axes is true.

    Parameters
    ----------
    x : array_like
        Any dtype; all but 0 is true, NaN as well.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    False for no elements. There is no gradient.

    Examples
    --------
    >>> any([[True, False], [False, False]], axis=1)
    Tensor([ True, False], dtype=bool)
    """
    return reduced("any", x, axis, keepdims)


def all(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return whether all elements over axes are true.

    Parameters
    ----------
    x : array_like
        Any dtype; all but 0 is true, NaN as well.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    True for no elements. There is no gradient.

    Examples
    --------
    >>> all([[True, True], [True, False]], axis=1)
    Tensor([ True, False], dtype=bool)
    """
    return reduced("all", x, axis, keepdims)


def count_nonzero(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return how many elements over axes are not 0.

    Parameters
    ----------
    x : array_like
        Any dtype; NaN is not 0.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> count_nonzero([[0, 1], [2, 3]], axis=0)
    Tensor([1, 2], dtype=int64)
    """
    return sum(as_tensor(x).astype("bool"), axis, keepdims)
