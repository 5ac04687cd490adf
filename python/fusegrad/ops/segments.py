"""Functions that reduce rows by the number of the segment that each belongs to."""

from __future__ import annotations

import math
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import elements, one, whole
from fusegrad.ops.binary import divide, maximum
from fusegrad.ops.creation import ones

__all__ = [
    "bincount",
    "segment_max",
    "segment_mean",
    "segment_sum",
]


def _segments(
    where: str, data: Any, segment_ids: Any, num_segments: int | None
) -> tuple[Tensor, Tensor, int]:
    """The data with one axis of rows, a number for each row, and how many segments there are."""
    data, ids = as_tensor(data), as_tensor(segment_ids)
    if data.dtype.kind not in "f":
        data = data.astype("int64")
    if ids.size == 0 and ids.dtype.kind == "f":
        ids = ids.astype("int64")  # [] reads as float
    if ids.ndim == 0 or ids.ndim > data.ndim or ids.shape != data.shape[: ids.ndim]:
        expected = f"a shape that {data.shape} begins with"
        raise ArgumentError(where, "segment_ids", expected, f"shape {ids.shape}")
    if num_segments is None:
        known = elements(where, "segment_ids", ids)
        count = int(known.max()) + 1 if known.size else 0
        count = max(count, 0)
    else:
        count = whole(where, "num_segments", num_segments, 0)
    rows = math.prod(ids.shape)
    return data.reshape((rows, *data.shape[ids.ndim :])), ids.reshape(-1), count


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Return the sum of the rows of each segment.

    Parameters
    ----------
    data : array_like
        Any dtype.
    segment_ids : array_like
        The segment of each row, in [0, num_segments); int32, int64 or uint8, of a shape that the
        shape of `data` begins with.
    num_segments : int, optional
        By default one more than the largest of `segment_ids`, which then must be known: it is not
        in a trace.
    sorted : bool, default False
        Keras's: whether `segment_ids` are in order. Nothing depends on it.

    Returns
    -------
    Tensor
        `num_segments` rows; dtype of `data` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is out of range, or shapes do not agree.

    Notes
    -----
    0 for a segment without rows. Floats are added in double precision in the order of the rows and
    rounded once. The gradient of a row is that of its segment.

    Examples
    --------
    >>> segment_sum([1.0, 2.0, 3.0], [0, 1, 0])
    Tensor([4., 2.], dtype=float32)
    """
    data, ids, count = _segments("segment_sum", data, segment_ids, num_segments)
    return one("segment_sum", (data, ids), shape=count)


def segment_max(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """Return the largest row of each segment, element by element.

    Parameters
    ----------
    data : array_like
        Any dtype.
    segment_ids : array_like
        The segment of each row, in [0, num_segments); int32, int64 or uint8, of a shape that the
        shape of `data` begins with.
    num_segments : int, optional
        By default one more than the largest of `segment_ids`, which then must be known: it is not
        in a trace.
    sorted : bool, default False
        Keras's: whether `segment_ids` are in order. Nothing depends on it.

    Returns
    -------
    Tensor
        `num_segments` rows; dtype of `data` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is out of range, or shapes do not agree.

    Notes
    -----
    -inf, or the least integer, for a segment without rows; NaN where one is. Equal largest elements
    share the gradient evenly.

    Examples
    --------
    >>> segment_max([1.0, 2.0, 3.0], [0, 1, 0])
    Tensor([3., 2.], dtype=float32)
    """
    data, ids, count = _segments("segment_max", data, segment_ids, num_segments)
    return one("segment_max", (data, ids), shape=count)


def segment_mean(data: Any, segment_ids: Any, num_segments: int | None = None) -> Tensor:
    """Return the mean of the rows of each segment.

    Parameters
    ----------
    data : array_like
        Any dtype; integers and booleans are converted to float64.
    segment_ids : array_like
        The segment of each row, in [0, num_segments); int32, int64 or uint8, of a shape that the
        shape of `data` begins with.
    num_segments : int, optional
        By default one more than the largest of `segment_ids`, which then must be known: it is not
        in a trace.

    Returns
    -------
    Tensor
        `num_segments` rows; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is out of range, or shapes do not agree.

    Notes
    -----
    0 for a segment without rows.

    Examples
    --------
    >>> segment_mean([1.0, 2.0, 3.0], [0, 1, 0])
    Tensor([2., 2.], dtype=float32)
    """
    data, ids, count = _segments("segment_mean", data, segment_ids, num_segments)
    if data.dtype.kind != "f":
        data = data.astype("float64")
    each = ones((ids.shape[0], *(1,) * (data.ndim - 1)), data.dtype)
    rows = maximum(one("segment_sum", (each, ids), shape=count), 1.0)
    return divide(one("segment_sum", (data, ids), shape=count), rows)


def bincount(x: Any, weights: Any = None, minlength: int = 0) -> Tensor:
    """Return how often each integer comes, or the sum of the weights that come with it.

    Parameters
    ----------
    x : array_like
        Integers of at least 0; one axis. They must be known, so not in a trace.
    weights : array_like, optional
        Shape of `x`.
    minlength : int, default 0
        Least size of the result.

    Returns
    -------
    Tensor
        One axis, of one more than the largest of `x`; int64, or the dtype of `weights` where
        floating.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An integer is negative, shapes do not agree, or in a trace: the shape of the result depends
        on the elements (write `segment_sum` with `num_segments`).

    Notes
    -----
    Differentiable in `weights`.

    Examples
    --------
    >>> bincount([0, 2, 2])
    Tensor([1, 0, 2], dtype=int64)
    """
    least = whole("bincount", "minlength", minlength, 0)
    x = as_tensor(x)
    if x.ndim != 1:
        raise ArgumentError("bincount", "x", "one axis", f"shape {x.shape}")
    known = elements("bincount", "x", x)
    if known.size and (known.dtype.kind not in "iu" or known.min() < 0):
        got = f"dtype {known.dtype}" if known.dtype.kind not in "iu" else str(known.min())
        raise ArgumentError("bincount", "x", "integers >= 0", got)
    weights = ones(x.shape, "int64") if weights is None else as_tensor(weights)
    if weights.shape != x.shape:
        raise ArgumentError("bincount", "weights", f"shape {x.shape}", f"shape {weights.shape}")
    count = max(least, int(known.max()) + 1 if known.size else 0)
    return segment_sum(weights, x, count)
