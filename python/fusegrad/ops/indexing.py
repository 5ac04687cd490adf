"""Functions that choose elements by where they lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.ops._call import one

__all__ = [
    "slice",
    "take",
]


def slice(
    x: Any, start: Sequence[int], shape: Sequence[int], step: Sequence[int] | None = None
) -> Tensor:
    """Return `shape[i]` elements of each axis i: from `start[i]` on, every `step[i]`-th.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    start : sequence of int
        For each axis, the first index, at least 0.
    shape : sequence of int
        Of the result.
    step : sequence of int, optional
        1 by default; it may be negative, not 0.

    Returns
    -------
    Tensor
        Of `shape`, dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An element lies outside `x`, a step is 0, or the lengths are not the number of axes.

    Notes
    -----
    What ``x[...]`` with slices becomes.

    Examples
    --------
    >>> slice([0, 1, 2, 3], start=(1,), shape=(2,))
    Tensor([1, 2], dtype=int64)
    """
    steps = (1,) * len(start) if step is None else step
    return one("slice", (x,), start=start, step=steps, shape=shape)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the elements of `x` at `indices` along an axis.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    indices : array_like
        int32, int64 or uint8; negative ones count from the end.
    axis : int, optional
        By default `indices` count all elements in C order.

    Returns
    -------
    Tensor
        Shape of `x` with the axis replaced by the shape of `indices`; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An index or `axis` is out of range, or `indices` are not integers.

    Notes
    -----
    The gradients of an element that is taken several times are added.

    Examples
    --------
    >>> take([10, 20, 30], [2, 0, -1])
    Tensor([30, 10, 30], dtype=int64)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return one("take", (x, indices), axes=axis)
