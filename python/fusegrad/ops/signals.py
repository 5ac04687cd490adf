"""Functions of samples along one axis: interpolation, convolution, correlation."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import as_floating, one
from fusegrad.ops.binary import (
    add,
    divide,
    equal,
    greater,
    less,
    maximum,
    minimum,
    multiply,
    subtract,
    where,
)
from fusegrad.ops.indexing import take
from fusegrad.ops.rearranging import flip, pad
from fusegrad.ops.sorting import searchsorted

__all__ = [
    "convolve",
    "correlate",
    "interp",
]


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Tensor:
    """Return the values at `x` of the lines between points (xp, fp).

    Parameters
    ----------
    x : array_like
        Any shape.
    xp : array_like
        One axis, at least one point, ascending.
    fp : array_like
        Shape of `xp`.
    left, right : array_like, optional
        Values below and above all points; by default those of the first and last point.

    Returns
    -------
    Tensor
        Shape of `x`; the promoted floating dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `xp` has not one axis, or no point, or `fp` has another shape.

    Notes
    -----
    ``fp[i] * (1 - t) + fp[i + 1] * t`` with ``t = (x - xp[i]) / (xp[i + 1] - xp[i])``. `xp` is not
    checked: where it does not ascend the result means nothing. NaN where `x` is. At a point the
    derivative in `x` is that of the line on its right; at the last point and outside it is 0.

    Examples
    --------
    >>> interp([0.5, 2.0, 9.0], [0.0, 1.0, 3.0], [0.0, 10.0, 30.0])
    Tensor([ 5., 20., 30.], dtype=float32)
    """
    x, xp, fp = as_floating(x), as_floating(xp), as_floating(fp)
    if xp.ndim != 1 or xp.shape[0] == 0:
        raise ArgumentError("interp", "xp", "one axis of points", f"shape {xp.shape}")
    if fp.shape != xp.shape:
        raise ArgumentError("interp", "fp", f"shape {xp.shape}", f"shape {fp.shape}")
    count = xp.shape[0]
    if count == 1:
        found = where(equal(x, x), fp[0], x)
    else:
        place = minimum(maximum(subtract(searchsorted(xp, x, "right"), 1), 0), count - 2)
        x0, x1 = take(xp, place), take(xp, add(place, 1))
        y0, y1 = take(fp, place), take(fp, add(place, 1))
        width = subtract(x1, x0)
        t = divide(subtract(x, x0), where(equal(width, 0.0), 1.0, width))
        found = add(multiply(y0, subtract(1.0, t)), multiply(y1, t))
        found = where(equal(x, xp[-1]), fp[-1], found)
    found = where(less(x, xp[0]), fp[0] if left is None else left, found)
    return where(greater(x, xp[-1]), fp[-1] if right is None else right, found)


MODES = ("full", "same", "valid")


def _vectors(name: str, a: Any, v: Any, mode: str) -> tuple[Tensor, Tensor]:
    a, v = as_tensor(a), as_tensor(v)
    for argument, x in (("a", a), ("v", v)):
        if x.ndim > 1 or x.size == 0:
            raise ArgumentError(name, argument, "one axis with elements", f"shape {x.shape}")
    if mode not in MODES:
        raise ArgumentError(name, "mode", "'full', 'same' or 'valid'", repr(mode))
    return a.reshape(-1), v.reshape(-1)


def _slid(a: Tensor, v: Tensor, first: int, count: int) -> Tensor:
    """Sums over j of ``a[k + j] * v[j]`` for `count` places k from `first` on; a is 0 outside."""
    size = v.shape[0]
    behind = max(0, first + count + size - 1 - a.shape[0])
    before = max(0, -first)
    padded = pad(a, (before, behind)) if before or behind else a
    return one("correlate", (padded[first + before :][: count + size - 1], v))


def convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    """Return the discrete convolution ``sum over j of a[k - j] * v[j]``.

    Parameters
    ----------
    a, v : array_like
        One axis, at least one element; float32, float64, int32 or int64.
    mode : {"full", "same", "valid"}, default "full"
        All places where they meet; the middle ones, as many as the longer has; or those where the
        shorter lies within the longer.

    Returns
    -------
    Tensor
        One axis; promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is another number of axes, no element, or `mode` is another word.

    Notes
    -----
    Computed as it is written, which takes as many products as both sizes multiplied. Floats are
    added in double precision, in the order of the elements of the shorter, and rounded once.

    Examples
    --------
    >>> convolve([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    Tensor([0. , 1. , 2.5, 4. , 1.5], dtype=float32)
    """
    a, v = _vectors("convolve", a, v, mode)
    if v.shape[0] > a.shape[0]:
        a, v = v, a
    return _slid(a, flip(v), *_places(a.shape[0], v.shape[0], mode))


def _places(long: int, short: int, mode: str) -> tuple[int, int]:
    if mode == "full":
        return 1 - short, long + short - 1
    if mode == "same":
        return -(short // 2), long
    return 0, long - short + 1


def correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    """Return the cross-correlation ``sum over j of a[k + j] * v[j]``.

    Parameters
    ----------
    a, v : array_like
        One axis, at least one element; float32, float64, int32 or int64.
    mode : {"valid", "same", "full"}, default "valid"
        As for `convolve`.

    Returns
    -------
    Tensor
        One axis; promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is another number of axes, no element, or `mode` is another word.

    Notes
    -----
    See `convolve`.

    Examples
    --------
    >>> correlate([1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    Tensor([3.5], dtype=float32)
    """
    a, v = _vectors("correlate", a, v, mode)
    if v.shape[0] > a.shape[0]:
        return flip(_slid(v, a, *_places(v.shape[0], a.shape[0], mode)))
    return _slid(a, v, *_places(a.shape[0], v.shape[0], mode))
