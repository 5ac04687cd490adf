"""Random numbers from counters: what is drawn depends on seeds alone, never on threads.

`set_seed` fixes all that follows in this process. Where it was not called, a seed from the
operating system is used.

Examples
--------
>>> from fusegrad import random
>>> random.uniform((2,), seed=1).shape
(2,)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from fusegrad._spelling import missing
from fusegrad.errors import ArgumentError

__all__ = ["get_seed", "next_seed", "normal", "set_seed", "truncated_normal", "uniform"]

__getattr__ = missing(__name__, __all__)

_USER_STREAM = 1 << 16  # kUserStream of the core
_NORMAL_STREAM = _USER_STREAM + 1  # kUserNormalStream
_MASK = (1 << 64) - 1
_lock = threading.Lock()
_counters: dict[str, int] = {}
_seed: int | None = None


def set_seed(seed: int) -> None:
    """Set the seed that all following random numbers of this process derive from.

    Parameters
    ----------
    seed : int
        In [0, 2**64).

    Raises
    ------
    fusegrad.errors.ArgumentError
        `seed` is not such an integer.

    Examples
    --------
    >>> set_seed(7)
    >>> first = uniform((3,)).tolist()
    >>> set_seed(7)
    >>> uniform((3,)).tolist() == first
    True
    """
    global _seed  # noqa: PLW0603
    seed = _checked("set_seed", seed)
    with _lock:
        _seed = seed
        _counters.clear()


def get_seed() -> int:
    """Return the seed of this process; drawn from the operating system where none was set.

    Examples
    --------
    >>> set_seed(7)
    >>> get_seed()
    7
    """
    with _lock:
        return _current_seed()


def next_seed(purpose: str = "") -> int:
    """Return the next seed of a sequence; each purpose has a sequence of its own.

    So drawing more for one purpose, say initial weights, changes nothing for another, say
    dropout. Safe to call from several threads.

    Parameters
    ----------
    purpose : str, default ""
        The name of the sequence.

    Returns
    -------
    int
        In [0, 2**64).

    Examples
    --------
    >>> set_seed(7)
    >>> first = next_seed("dropout")
    >>> _ = next_seed("weights")
    >>> set_seed(7)
    >>> next_seed("dropout") == first
    True
    """
    with _lock:
        count = _counters.get(purpose, 0)
        _counters[purpose] = count + 1
        state = _current_seed()
    for byte in purpose.encode():
        state = _mixed(state ^ byte)
    return _mixed(_mixed(state) ^ count)


def uniform(
    shape: int | Sequence[int],
    low: float = 0.0,
    high: float = 1.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a Tensor of numbers uniform in [low, high).

    Philox4x32-10 (J. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11); element
    i, in C order, comes from counter i.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of the axes.
    low, high : float, default 0.0 and 1.0
        The bounds; `low` may be drawn, `high` not.
    dtype : str, optional
        "float32" or "float64"; `config.floatx()` by default.
    seed : int, optional
        The same seed gives the same numbers. By default the next one of the process's sequence.

    Returns
    -------
    Tensor

    Raises
    ------
    fusegrad.errors.ArgumentError
        `seed` is no integer in [0, 2**64), or `low` > `high`.

    Examples
    --------
    >>> x = uniform((1000,), -1.0, 1.0, seed=3)
    >>> -1.0 <= x.min().item() <= x.max().item() < 1.0
    True
    """
    from fusegrad import _core, config
    from fusegrad._checks import array_shape, number

    low, high = number("uniform", "low", low), number("uniform", "high", high)
    if not low <= high:
        raise ArgumentError("uniform", "low", f"a number <= high = {high}", repr(low))
    seed = next_seed("uniform") if seed is None else _checked("uniform", seed)
    dtype = dtype or config.floatx()
    return _core.fill_uniform(
        array_shape("uniform", shape, dtype), dtype, seed, _USER_STREAM, low, high
    )


def normal(
    shape: int | Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a Tensor of normal numbers.

    By inversion: the quantile function of the normal distribution (M. J. Wichura, "Algorithm AS
    241: The percentage points of the normal distribution", Applied Statistics 37, 1988) at uniform
    numbers of 52 bits. Element i, in C order, comes from counter i of Philox4x32-10. No number is
    further than 8.21 standard deviations from the mean.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of the axes.
    mean : float, default 0.0
    stddev : float, default 1.0
        The standard deviation, at least 0.
    dtype : str, optional
        "float32" or "float64"; `config.floatx()` by default. The float32 numbers are the float64
        ones, rounded.
    seed : int, optional
        The same seed gives the same numbers. By default the next one of the process's sequence.

    Returns
    -------
    Tensor

    Raises
    ------
    fusegrad.errors.ArgumentError
        `seed` is no integer in [0, 2**64), `mean` is not finite, or `stddev` is not finite or
        negative.

    Examples
    --------
    >>> x = normal((10000,), mean=5.0, stddev=2.0, seed=3)
    >>> 4.9 < x.mean().item() < 5.1
    True
    """
    return _normal("normal", shape, mean, stddev, dtype, seed, truncated=False)


def truncated_normal(
    shape: int | Sequence[int],
    mean: float = 0.0,
    stddev: float = 1.0,
    dtype: str | None = None,
    seed: int | None = None,
) -> Any:
    """Return a Tensor of normal numbers within two standard deviations of the mean.

    The distribution is that of `normal` numbers of which those further away are drawn again; its
    own standard deviation is 0.8796 times `stddev`. Computed by inversion, like `normal`.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of the axes.
    mean : float, default 0.0
    stddev : float, default 1.0
        The standard deviation before truncation, at least 0.
    dtype : str, optional
        "float32" or "float64"; `config.floatx()` by default. The float32 numbers are the float64
        ones, rounded.
    seed : int, optional
        The same seed gives the same numbers. By default the next one of the process's sequence.

    Returns
    -------
    Tensor

    Raises
    ------
    fusegrad.errors.ArgumentError
        `seed` is no integer in [0, 2**64), `mean` is not finite, or `stddev` is not finite or
        negative.

    Examples
    --------
    >>> x = truncated_normal((1000,), stddev=0.5, seed=3)
    >>> -1.0 <= x.min().item() <= x.max().item() <= 1.0
    True
    """
    return _normal("truncated_normal", shape, mean, stddev, dtype, seed, truncated=True)


def _normal(
    where: str,
    shape: int | Sequence[int],
    mean: float,
    stddev: float,
    dtype: str | None,
    seed: int | None,
    truncated: bool,
) -> Any:
    from fusegrad import _core, config
    from fusegrad._checks import array_shape, number

    mean = number(where, "mean", mean)
    stddev = number(where, "stddev", stddev, 0.0)
    seed = next_seed(where) if seed is None else _checked(where, seed)
    dtype = dtype or config.floatx()
    sizes = array_shape(where, shape, dtype)
    return _core.fill_normal(sizes, dtype, seed, _NORMAL_STREAM, mean, stddev, truncated)


def _checked(where: str, seed: int) -> int:
    if isinstance(seed, bool) or not hasattr(seed, "__index__") or not 0 <= int(seed) <= _MASK:
        raise ArgumentError(where, "seed", "an integer in [0, 2**64)", repr(seed))
    return int(seed)


def _current_seed() -> int:
    global _seed  # noqa: PLW0603
    if _seed is None:
        _seed = int.from_bytes(os.urandom(8), "little")
    return _seed


def _mixed(state: int) -> int:
    """Return a 64-bit permutation of `state` (the finaliser of SplitMix64; Steele et al., 2014)."""
    state = (state + 0x9E3779B97F4A7C15) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)
