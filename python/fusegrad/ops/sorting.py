"""Functions of the order of elements: sorting, searching, the largest few."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fusegrad._tensor import Tensor, as_tensor, detached, in_current_trace
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import elements, normal_axis, one, whole
from fusegrad.ops.binary import greater, less, logical_and
from fusegrad.ops.indexing import take, take_along_axis
from fusegrad.ops.reductions import sum
from fusegrad.ops.unary import abs

__all__ = [
    "argpartition",
    "argsort",
    "digitize",
    "in_top_k",
    "partition",
    "searchsorted",
    "sort",
    "top_k",
    "unique",
]


def sort(x: Any, axis: int | None = -1) -> Tensor:
    """Return the elements in ascending order along an axis.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    axis : int or None, default -1
        None sorts all elements, as one axis.

    Returns
    -------
    Tensor
        Shape of `x`, or one axis where `axis` is None; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    NaN comes last. Equal elements keep their order. The gradient of an element goes to where the
    element came from.

    Examples
    --------
    >>> sort([3.0, 1.0, 2.0])
    Tensor([1., 2., 3.], dtype=float32)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    axis = normal_axis("sort", axis, x.ndim)
    return take_along_axis(x, argsort(x, axis), axis)


def argsort(x: Any, axis: int | None = -1) -> Tensor:
    """Return the indices that sort `x` along an axis.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    axis : int or None, default -1
        None sorts all elements, as one axis.

    Returns
    -------
    Tensor
        int64; shape of `x`, or one axis where `axis` is None.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    NaN comes last. Equal elements keep their order (a stable sort), 0 and -0 are equal. There is no
    gradient.

    Examples
    --------
    >>> argsort([3.0, 1.0, 2.0])
    Tensor([1, 2, 0], dtype=int64)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return one("argsort", (x,), axes=normal_axis("argsort", axis, x.ndim))


def _check_kth(where: str, kth: int | Sequence[int], x: Tensor, axis: int | None) -> None:
    size = x.size if axis is None else x.shape[normal_axis(where, axis, x.ndim)]
    for k in kth if isinstance(kth, (tuple, list)) else (kth,):
        if not -size <= whole(where, "kth", k) < size:
            raise ArgumentError(where, "kth", f"an integer in [{-size}, {size})", repr(k))


def partition(x: Any, kth: int | Sequence[int], axis: int | None = -1) -> Tensor:
    """Return `x` with the `kth` smallest element in its sorted place, smaller ones before it.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    kth : int or sequence of int
        Places in the sorted order.
    axis : int or None, default -1
        None partitions all elements, as one axis.

    Returns
    -------
    Tensor
        Shape of `x`, or one axis where `axis` is None; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` or `kth` is out of range.

    Notes
    -----
    All elements are sorted, which is one of the orders that NumPy allows: see `sort`.

    Examples
    --------
    >>> partition([3.0, 1.0, 2.0], 1)[1]
    Tensor(2., dtype=float32)
    """
    x = as_tensor(x)
    _check_kth("partition", kth, x, axis)
    return sort(x, axis)


def argpartition(x: Any, kth: int | Sequence[int], axis: int | None = -1) -> Tensor:
    """Return the indices that `partition` takes the elements from.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    kth : int or sequence of int
        Places in the sorted order.
    axis : int or None, default -1
        None partitions all elements, as one axis.

    Returns
    -------
    Tensor
        int64; shape of `x`, or one axis where `axis` is None.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` or `kth` is out of range.

    Notes
    -----
    All elements are sorted: see `argsort`. There is no gradient.

    Examples
    --------
    >>> argpartition([3.0, 1.0, 2.0], 1)[1]
    Tensor(2, dtype=int64)
    """
    x = as_tensor(x)
    _check_kth("argpartition", kth, x, axis)
    return argsort(x, axis)


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Tensor, Tensor]:
    """Return the `k` largest elements along the last axis, and their indices.

    Parameters
    ----------
    x : array_like
        At least one axis; any dtype.
    k : int
        At most the size of the last axis.
    sorted : bool, default True
        Keras's; the result is in descending order either way.

    Returns
    -------
    values : Tensor
        Shape of `x` with `k` for the last axis; dtype of `x`.
    indices : Tensor
        int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `k` is out of range, or there is no axis.

    Notes
    -----
    Of equal elements the one with the lowest index is first. NaN counts as the largest. The
    gradient of a value goes to the element that it came from.

    Examples
    --------
    >>> values, indices = top_k([1.0, 3.0, 2.0], k=2)
    >>> values, indices
    (Tensor([3., 2.], dtype=float32), Tensor([1, 2], dtype=int64))
    """
    x = as_tensor(x)
    if x.ndim == 0:
        raise ArgumentError("top_k", "x", "at least one axis", "a number")
    count = whole("top_k", "k", k)
    if not 0 <= count <= x.shape[-1]:
        raise ArgumentError("top_k", "k", f"an integer in [0, {x.shape[-1]}]", repr(k))
    indices = one("argsort", (x,), axes=-1, flag=True, shape=(count,))
    return take_along_axis(x, indices, -1), indices


def in_top_k(targets: Any, predictions: Any, k: int) -> Tensor:
    """Return whether the prediction of each target is among the `k` largest of its row.

    Parameters
    ----------
    targets : array_like
        Class indices; int32, int64 or uint8.
    predictions : array_like
        Shape of `targets` and a last axis of classes.
    k : int
        At least 0.

    Returns
    -------
    Tensor
        bool; shape of `targets`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A target is out of range, shapes do not agree, or `k` is negative.

    Notes
    -----
    Classes that are equal to the `k`-th largest are all among the `k`, as in Keras. False where the
    prediction of the target is infinite or NaN.

    Examples
    --------
    >>> in_top_k([1, 0], [[0.1, 0.9], [0.2, 0.8]], k=1)
    Tensor([ True, False], dtype=bool)
    """
    targets, predictions = as_tensor(targets), as_tensor(predictions)
    whole("in_top_k", "k", k, 0)
    if predictions.ndim == 0 or targets.shape != predictions.shape[:-1]:
        expected = f"shape {predictions.shape[:-1]}, a class for each row of predictions"
        raise ArgumentError("in_top_k", "targets", expected, f"shape {targets.shape}")
    known = detached(targets)
    classes = predictions.shape[-1]
    if not in_current_trace(known):
        for target in known.reshape(-1).tolist():
            if not 0 <= target < classes:
                raise ArgumentError(
                    "in_top_k", "targets", f"classes in [0, {classes})", str(target)
                )
    own = take_along_axis(predictions, targets.reshape((*targets.shape, 1)), -1)
    larger = sum(greater(predictions, own), axis=-1)
    inside = less(larger, k)
    if predictions.dtype.kind != "f":
        return inside
    return logical_and(inside, less(abs(own), float("inf")).reshape(targets.shape))


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None) -> Tensor:
    """Return where each element of `v` would be inserted into the sorted array `a`.

    Parameters
    ----------
    a : array_like
        One axis, in ascending order.
    v : array_like
        Any shape.
    side : {"left", "right"}, default "left"
        Whether the place is before or behind elements that are equal.
    sorter : array_like, optional
        Indices that sort `a`, as from `argsort`.

    Returns
    -------
    Tensor
        int64 in [0, n] for n elements of `a`; shape of `v`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `a` has not one axis, or `side` is another word.

    Notes
    -----
    NaN lies behind all numbers. `a` is not checked: where it is not sorted the result means
    nothing. There is no gradient.

    Examples
    --------
    >>> searchsorted([1.0, 2.0, 3.0], [2.0, 5.0])
    Tensor([1, 3], dtype=int64)
    """
    if side not in ("left", "right"):
        raise ArgumentError("searchsorted", "side", "'left' or 'right'", repr(side))
    if sorter is not None:
        a = take(a, sorter)
    return one("searchsorted", (a, v), flag=side == "right")


def digitize(x: Any, bins: Any, right: bool = False) -> Tensor:
    """Return the index of the bin that each element lies in.

    Parameters
    ----------
    x : array_like
        Any shape.
    bins : array_like
        Edges, one axis; ascending, or descending where its elements are known (not in a trace).
    right : bool, default False
        Whether a bin has its right edge, instead of its left one.

    Returns
    -------
    Tensor
        int64; shape of `x`. i where ``bins[i - 1] <= x < bins[i]``, or ``bins[i - 1] < x <=
        bins[i]`` with `right`; 0 below and ``len(bins)`` above all edges. For descending edges
        ``bins[i - 1] > x >= bins[i]``, or ``bins[i - 1] >= x > bins[i]``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `bins` has not one axis, or is known not to be monotonic.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> digitize([0.5, 1.0, 7.0], [0.0, 1.0, 2.0])
    Tensor([1, 2, 3], dtype=int64)
    """
    bins = as_tensor(bins)
    side = "left" if right else "right"
    known = detached(bins)
    if bins.ndim == 1 and not in_current_trace(known):
        edges = known.tolist()
        steps = list(pairwise(edges))
        if any(a > b for a, b in steps):
            if any(a < b for a, b in steps):
                raise ArgumentError("digitize", "bins", "monotonic edges", repr(edges[:8]))
            return len(edges) - searchsorted(bins[::-1], x, side)
    return searchsorted(bins, x, side)


def unique(
    x: Any, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False
) -> Any:
    """Return the distinct elements in ascending order.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; its elements must be known, so not in a trace.
    return_index : bool, default False
        Also the index of the first of each, counting in C order.
    return_inverse : bool, default False
        Also the index in the result of each element of `x`, in the shape of `x`.
    return_counts : bool, default False
        Also how often each comes.

    Returns
    -------
    Tensor or tuple of Tensor
        The elements, one axis, dtype of `x`; with what else is asked for, int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        In a trace: the shape of the result depends on the elements.

    Notes
    -----
    NaN comes last, once. The gradient of an element goes to the first that is equal to it.

    Examples
    --------
    >>> unique([3, 1, 3])
    Tensor([1, 3], dtype=int64)
    """
    import numpy as np

    x = as_tensor(x)
    known = elements("unique", "x", x).reshape(-1)
    order = argsort(known).numpy()
    ascending = known[order]
    first = np.ones(known.size, bool)
    first[1:] = ascending[1:] != ascending[:-1]
    if known.dtype.kind == "f":
        first[1:] &= ~np.isnan(ascending[:-1])  # behind which there is only NaN
    index = order[first]
    found = [take(x, index)]
    if return_index:
        found.append(as_tensor(index))
    if return_inverse:
        inverse = np.empty_like(order)
        inverse[order] = np.cumsum(first) - 1
        found.append(as_tensor(inverse.reshape(x.shape)))
    if return_counts:
        found.append(as_tensor(np.diff(np.append(np.flatnonzero(first), known.size))))
    return found[0] if len(found) == 1 else tuple(found)
