"""The same values in memory in other ways: what NumPy users pass without knowing it."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def fortran(x: Array) -> Array:
    return x.copy(order="F")


def axes_rotated(x: Array) -> Array:
    """A transposed view: of three axes or more, neither in C nor in Fortran order."""
    return np.moveaxis(np.moveaxis(x, 0, -1).copy(), -1, 0) if x.ndim else x


def strided(x: Array) -> Array:
    wide = np.zeros(tuple(2 * n + 1 for n in x.shape), x.dtype)
    view = wide[(..., *(slice(1, None, 2) for _ in x.shape))]
    view[...] = x
    return view


def reversed_view(x: Array) -> Array:
    flip = (..., *(slice(None, None, -1) for _ in x.shape))
    return x[flip].copy()[flip]


def byte_swapped(x: Array) -> Array:
    return x.astype(x.dtype.newbyteorder(">"))


def misaligned(x: Array) -> Array:
    raw = np.zeros(x.nbytes + 1, np.uint8)[1:]
    view = raw.view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def read_only(x: Array) -> Array:
    copy = x.copy()
    copy.flags.writeable = False
    return copy


def repeated(x: Array) -> Array:
    """The first entry of the first axis over and over, with stride 0: these values are others."""
    return np.broadcast_to(x[:1], x.shape) if x.ndim else x


LAYOUTS = [fortran, axes_rotated, strided, reversed_view, byte_swapped, misaligned, read_only]
