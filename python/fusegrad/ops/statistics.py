"""Averages, quantiles, spreads and covariances."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import Axis, as_floating, elements, normal_axes
from fusegrad.ops.binary import add, clip, divide, less, multiply, not_equal, subtract, where
from fusegrad.ops.indexing import take
from fusegrad.ops.joining import vstack
from fusegrad.ops.matrices import diagonal
from fusegrad.ops.products import matmul
from fusegrad.ops.reductions import max, mean, min, sum
from fusegrad.ops.shapes import broadcast_to, moveaxis
from fusegrad.ops.sorting import sort
from fusegrad.ops.unary import sqrt

__all__ = [
    "average",
    "corrcoef",
    "cov",
    "median",
    "percentile",
    "ptp",
    "quantile",
]


def ptp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the range ``max(x) - min(x)`` over axes.

    Parameters
    ----------
    x : array_like
        float32, float64, int32 or int64.
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
    NaN if any element is. Equal extremes share the gradient evenly.

    Examples
    --------
    >>> ptp([1.0, 5.0, 3.0])
    Tensor(4., dtype=float32)
    """
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


def average(
    x: Any, axis: Axis = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """Return the weighted mean ``sum(x * weights) / sum(weights)`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    weights : array_like, optional
        Shape of `x`, or its sizes along `axis`; all 1 by default.
    returned : bool, default False
        Also return the sum of the weights.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor or tuple of Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or shapes do not agree.

    Notes
    -----
    NaN or infinite where the weights add up to 0. Differentiable in `weights` too.

    Examples
    --------
    >>> average([1.0, 4.0], weights=[2.0, 1.0])
    Tensor(2., dtype=float32)
    """
    x = as_floating(x)
    if weights is None:
        found = mean(x, axis, keepdims)
        count = x.size / found.size if found.size else 0.0
        total = broadcast_to(as_tensor(count, x.dtype), found.shape)
    else:
        weights = as_tensor(weights)
        if weights.dtype.kind != "f":
            weights = weights.astype(x.dtype)
        if weights.shape != x.shape:
            axes = normal_axes("average", axis, x.ndim)
            if axis is None or weights.shape != tuple(x.shape[i] for i in axes):
                expected = f"shape {x.shape}, or its sizes along axis"
                raise ArgumentError("average", "weights", expected, f"shape {weights.shape}")
            order = sorted(range(len(axes)), key=lambda i: axes[i])
            spread = tuple(x.shape[i] if i in axes else 1 for i in range(x.ndim))
            weights = broadcast_to(weights.transpose(order).reshape(spread), x.shape)
        total = sum(weights, axis, keepdims)
        found = divide(sum(multiply(x, weights), axis, keepdims), total)
    return (found, total) if returned else found


def _sorted_rows(where_: str, x: Tensor, axis: Axis) -> tuple[Tensor, tuple[int, ...]]:
    """The reduced axes as one last, sorted axis; and the shape of the result with kept axes."""
    axes = normal_axes(where_, axis, x.ndim)
    others = [i for i in range(x.ndim) if i not in axes]
    count = math.prod(x.shape[i] for i in axes)
    if count == 0:
        expected = "at least one element along the reduced axes"
        raise ArgumentError(where_, "x", expected, f"shape {x.shape}")
    rows = x.transpose([*others, *axes]).reshape((*[x.shape[i] for i in others], count))
    return sort(rows), tuple(1 if i in axes else size for i, size in enumerate(x.shape))


def _nan_of(rows: Tensor, found: Tensor) -> Tensor:
    """NaN, which is sorted last, for rows that have one."""
    if rows.dtype.kind != "f":
        return found
    last = rows[..., -1:]
    return where(not_equal(last, last), math.nan, found)


def median(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the middle element over axes, or the mean of the middle two.

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
    NaN if any element is. The gradient goes to the elements in the middle of the sorted order; of
    equal ones, to those that `sort` puts there.

    Examples
    --------
    >>> median([1.0, 9.0, 2.0, 4.0])
    Tensor(3., dtype=float32)
    """
    rows, kept = _sorted_rows("median", as_floating(x), axis)
    count = rows.shape[-1]
    middle = mean(rows[..., (count - 1) // 2 : count // 2 + 1], -1, keepdims=True)
    found = _nan_of(rows, middle)
    return found.reshape(kept if keepdims else rows.shape[:-1])


METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


def quantile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return the value below which the share `q` of the elements over axes lies.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    q : array_like
        Numbers in [0, 1]; they must be known, so not those of a trace.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}, default "linear"
        What lies between two elements: a line; the smaller or larger one; their mean; or the nearer
        one, where both are as near the one with an even index.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Shape of `q` before that of the reduced array; float32 for float32, else float64. The dtype
        of `x` for "lower", "higher" and "nearest".

    Raises
    ------
    fusegrad.errors.ArgumentError
        `q` or an axis is out of range, an axis is named twice, `method` is another word, or there
        is no element to reduce.

    Notes
    -----
    The sorted elements are taken at ``q * (n - 1)``. NaN if any element is. The gradient goes to
    the elements that the value lies between; of equal ones, to those that `sort` puts there.

    Examples
    --------
    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.25)
    Tensor(1.75, dtype=float32)
    """
    return _quantile("quantile", x, q, 1.0, axis, method, keepdims)


def percentile(
    x: Any, q: Any, axis: Axis = None, method: str = "linear", keepdims: bool = False
) -> Tensor:
    """Return the value below which `q` percent of the elements over axes lie.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    q : array_like
        Numbers in [0, 100]; they must be known, so not those of a trace.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    method : {"linear", "lower", "higher", "midpoint", "nearest"}, default "linear"
        As for `quantile`.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        Shape of `q` before that of the reduced array; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `q` or an axis is out of range, an axis is named twice, `method` is another word, or there
        is no element to reduce.

    Notes
    -----
    See `quantile`.

    Examples
    --------
    >>> percentile([1.0, 2.0, 3.0, 4.0], 25)
    Tensor(1.75, dtype=float32)
    """
    return _quantile("percentile", x, q, 100.0, axis, method, keepdims)


def _quantile(
    name: str, x: Any, q: Any, most: float, axis: Axis, method: str, keepdims: bool
) -> Tensor:
    if method not in METHODS:
        raise ArgumentError(name, "method", "one of " + ", ".join(METHODS), repr(method))
    given = elements(name, "q", as_tensor(q, "float64"))
    shares = [float(share) / most for share in given.reshape(-1).tolist()]
    for share in shares:
        if not 0.0 <= share <= 1.0:
            raise ArgumentError(name, "q", f"numbers in [0, {most:g}]", repr(share * most))
    # What only picks elements keeps their dtype.
    picks = method in ("lower", "higher", "nearest")
    rows, kept = _sorted_rows(name, as_tensor(x) if picks else as_floating(x), axis)
    low, high, fractions = _between(shares, rows.shape[-1], method)
    below = take(rows, as_tensor(low, "int64"), -1)
    above = take(rows, as_tensor(high, "int64"), -1)
    found = below
    if not picks:
        t = as_tensor(fractions, rows.dtype)
        step = subtract(above, below)
        # From the nearer end, so that both ends are exact; alone where there is nothing between.
        near = add(below, multiply(step, t))
        far = subtract(above, multiply(step, subtract(1.0, t)))
        found = where(less(t, 0.5), near, far)
        found = where(as_tensor([f == 0.0 for f in fractions], "bool"), below, found)
    found = moveaxis(_nan_of(rows, found), -1, 0)
    return found.reshape((*given.shape, *(kept if keepdims else rows.shape[:-1])))


def _between(
    shares: Sequence[float], count: int, method: str
) -> tuple[list[int], list[int], list[float]]:
    """For each share the places of two elements and how far between them it lies."""
    low, high, fractions = [], [], []
    for share in shares:
        position = share * (count - 1)
        first = math.floor(position)
        fraction = position - first
        if method in ("lower", "higher", "nearest"):
            first = {"lower": first, "higher": math.ceil(position), "nearest": round(position)}[
                method
            ]
            fraction = 0.0
        elif method == "midpoint" and fraction:
            fraction = 0.5
        low.append(first)
        high.append(first + 1 if fraction else first)
        fractions.append(fraction)
    return low, high, fractions


def cov(
    m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: int | None = None
) -> Tensor:
    """Return the matrix of covariances of variables.

    Parameters
    ----------
    m : array_like
        At most two axes; a row for each variable, or a column where `rowvar` is false.
    y : array_like, optional
        More variables.
    rowvar : bool, default True
    bias : bool, default False
        Divide by n instead of n - 1 for n observations.
    ddof : int, optional
        Divide by n - ddof, whatever `bias` says.

    Returns
    -------
    Tensor
        (variables, variables), or a number for one variable; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are more than two axes, or n is not above `ddof`.

    Notes
    -----
    The products of a pair are added as in `matmul`.

    Examples
    --------
    >>> cov([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    Tensor([[ 1., -1.],
            [-1.,  1.]], dtype=float32)
    """
    rows = _variables("cov", m, rowvar)
    if y is not None:
        rows = vstack((rows, _variables("cov", y, rowvar)))
    count = rows.shape[-1]
    less_by = ddof if ddof is not None else (0 if bias else 1)
    if not count > less_by:
        raise ArgumentError("cov", "m", f"more than {less_by} observations", str(count))
    about = subtract(rows, mean(rows, 1, keepdims=True))
    found = divide(matmul(about, about.T), float(count - less_by))
    return found.reshape(()) if found.size == 1 else found


def _variables(where_: str, m: Any, rowvar: bool) -> Tensor:
    rows = as_floating(m)
    if rows.ndim > 2:
        raise ArgumentError(where_, "m", "at most two axes", f"shape {rows.shape}")
    if rows.ndim < 2:
        return rows.reshape((1, -1))
    return rows if rowvar or rows.shape[0] == 1 else rows.T


def corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Tensor:
    """Return the matrix of correlation coefficients of variables.

    Parameters
    ----------
    x : array_like
        At most two axes; a row for each variable, or a column where `rowvar` is false.
    y : array_like, optional
        More variables.
    rowvar : bool, default True

    Returns
    -------
    Tensor
        (variables, variables), or a number for one variable; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are more than two axes, or less than two observations.

    Notes
    -----
    ``C[i, j] / sqrt(C[i, i] * C[j, j])`` of the covariances C, clipped to [-1, 1]; NaN for a
    variable that is constant.

    Examples
    --------
    >>> corrcoef([[0.0, 1.0, 2.0], [2.0, 1.0, 0.0]])
    Tensor([[ 1., -1.],
            [-1.,  1.]], dtype=float32)
    """
    covariances = cov(x, y, rowvar)
    if covariances.ndim == 0:
        return divide(covariances, covariances)
    spread = sqrt(diagonal(covariances))
    found = divide(divide(covariances, spread.reshape((-1, 1))), spread)
    return clip(found, -1.0, 1.0)
