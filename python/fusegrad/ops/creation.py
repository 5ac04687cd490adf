"""New arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor, empty
from fusegrad._tensor import full as _full
from fusegrad.config import floatx
from fusegrad.errors import ArgumentError

__all__ = [
    "arange",
    "full",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def zeros(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 0s.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> zeros(2)
    Tensor([0., 0.], dtype=float32)
    """
    return _full(shape, 0.0, dtype or floatx())


def ones(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 1s.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> ones(2)
    Tensor([1., 1.], dtype=float32)
    """
    return _full(shape, 1.0, dtype or floatx())


def full(shape: int | Sequence[int], fill_value: float, dtype: Any = None) -> Tensor:
    """Return an array of one number.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    fill_value : float
        A single number.
    dtype : str or numpy.dtype, optional
        By default int64 for an int, bool for a bool, else `config.floatx()`.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> full(2, 7)
    Tensor([7, 7], dtype=int64)
    """
    return _full(shape, fill_value, dtype)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 0s with the shape of `x`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> zeros_like([1, 2])
    Tensor([0, 0], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 0, dtype or x.dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 1s with the shape of `x`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> ones_like([1, 2])
    Tensor([1, 1], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 1, dtype or x.dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """Return ``start + i * step`` for i = 0, 1, ... as long as it is before `stop`.

    Parameters
    ----------
    start : float
        The first number; the end, and the first is 0, where `stop` is not given.
    stop : float, optional
    step : float, default 1
        Not 0; it may be negative.
    dtype : str or numpy.dtype, optional
        By default int64 where all are integers, else `config.floatx()`.

    Returns
    -------
    Tensor
        One axis of ``ceil((stop - start) / step)`` elements, none where that is negative.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `step` is 0, or a number is infinite or NaN.
    MemoryError
        For more elements than there is memory.

    Examples
    --------
    >>> arange(5, 0, -2)
    Tensor([5, 3, 1], dtype=int64)
    """
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("arange", "step", "a number other than 0", repr(step))
    if not all(map(math.isfinite, (first, last, step))):
        got = repr((first, last, step))
        raise ArgumentError("arange", "start, stop, step", "finite numbers", got)
    count = 0 if (last - first) / step <= 0 else (math.ceil((last - first) / step))
    exact = all(isinstance(value, int) for value in (first, last, step))
    dtype = dtype or ("int64" if exact else floatx())
    # What no memory holds is refused before it is counted up.
    empty((count if count < 1 << 62 else 1 << 62,), dtype)
    return as_tensor([first + i * step for i in range(count)], dtype)
