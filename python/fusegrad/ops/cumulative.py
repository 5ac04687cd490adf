"""Functions whose result at an index comes from the elements up to it."""

from __future__ import annotations

import math
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.ops._call import as_floating, normal_axis, one, whole
from fusegrad.ops.binary import equal, minimum, not_equal, subtract, where
from fusegrad.ops.exponential import exp, log
from fusegrad.ops.shapes import broadcast_to, concatenate
from fusegrad.ops.unary import abs

__all__ = [
    "cumprod",
    "cumsum",
    "diff",
    "logcumsumexp",
]


def _along(where_: str, x: Any, axis: int | None) -> tuple[Tensor, int]:
    """The array and its axis; one axis of all elements for None."""
    x = as_tensor(x)
    if axis is None:
        return x.reshape(-1), 0
    return x, normal_axis(where_, axis, x.ndim)


def cumsum(x: Any, axis: int | None = None) -> Tensor:
    """Return the sums of the elements up to each one along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default all elements in C order.

    Returns
    -------
    Tensor
        Shape of `x`, or one axis where `axis` is None; dtype of `x` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Floats are added in double precision in the order of their indices, and each sum is rounded
    once; integers are exact modulo 2**64. The gradient is the same sum of the cotangent from the
    end.

    Examples
    --------
    >>> cumsum([1.0, 2.0, 3.0])
    Tensor([1., 3., 6.], dtype=float32)
    """
    x, axis = _along("cumsum", x, axis)
    return one("cumsum", (x,), axes=axis)


def cumprod(x: Any, axis: int | None = None) -> Tensor:
    """Return the products of the elements up to each one along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default all elements in C order.

    Returns
    -------
    Tensor
        Shape of `x`, or one axis where `axis` is None; dtype of `x` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Floats are multiplied in double precision in the order of their indices, and each product is
    rounded once; integers are exact modulo 2**64. The gradient divides by nothing: it is right
    where elements are 0.

    Examples
    --------
    >>> cumprod([1.0, 2.0, 3.0])
    Tensor([1., 2., 6.], dtype=float32)
    """
    x, axis = _along("cumprod", x, axis)
    return one("cumprod", (x,), axes=axis)


def logcumsumexp(x: Any, axis: int | None = None) -> Tensor:
    """Return ``log(cumsum(e**x))`` along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, optional
        By default all elements in C order.

    Returns
    -------
    Tensor
        Shape of `x`, or one axis where `axis` is None; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Each sum is scaled by the largest element so far, so that it neither overflows nor underflows.
    -inf where all elements so far are, NaN from the first NaN on.

    Examples
    --------
    >>> logcumsumexp([1000.0, 1000.0])
    Tensor([1000.    , 1000.6932], dtype=float32)
    """
    x, axis = _along("logcumsumexp", as_floating(x), axis)
    most = one("running_max", (x,), axes=axis)
    most = where(equal(abs(most), math.inf), 0.0, most)
    count = most.shape[axis]
    earlier = (slice(None),) * axis + (slice(0, max(count - 1, 0)),)
    first = (slice(None),) * axis + (slice(0, min(count, 1)),)
    # What the sum so far is scaled by when the largest element grows: at most 1, also where that
    # was -inf and stands as 0.
    shrink = exp(minimum(subtract(concatenate((most[first], most[earlier]), axis), most), 0.0))
    total = one("linear_recurrence", (shrink, exp(subtract(x, most))), axes=axis)
    none = equal(total, 0.0)
    return where(none, -math.inf, most + log(where(none, 1.0, total)))


def diff(x: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Return the differences ``x[i + 1] - x[i]`` along an axis, `n` times over.

    Parameters
    ----------
    x : array_like
        At least one axis; differences of booleans are whether they are unequal.
    n : int, default 1
        How often; 0 returns `x`.
    axis : int, default -1
    prepend, append : array_like, optional
        What stands before and behind `x` along the axis: a number, or an array of its rank.

    Returns
    -------
    Tensor
        Shape of `x` with the axis shorter by `n`, but not below 0; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range, `n` is negative, or shapes do not fit.

    Examples
    --------
    >>> diff([1.0, 4.0, 9.0])
    Tensor([3., 5.], dtype=float32)
    """
    array = as_tensor(x)
    times = whole("diff", "n", n, 0)
    axis = normal_axis("diff", axis, array.ndim)
    if times == 0:
        return array
    if prepend is not None or append is not None:
        edge = (*array.shape[:axis], 1, *array.shape[axis + 1 :])
        parts = [array]
        if prepend is not None:
            parts.insert(0, _edge(prepend, edge))
        if append is not None:
            parts.append(_edge(append, edge))
        array = concatenate(parts, axis)
    before = (slice(None),) * axis
    for _ in range(min(times, array.shape[axis])):
        late, early = array[(*before, slice(1, None))], array[(*before, slice(None, -1))]
        array = not_equal(late, early) if array.dtype.kind == "b" else subtract(late, early)
    return array


def _edge(value: Any, shape: tuple[int, ...]) -> Tensor:
    edge = as_tensor(value)
    return broadcast_to(edge, shape) if edge.ndim == 0 else edge
