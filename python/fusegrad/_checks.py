"""Checks of plain arguments: numbers, whole numbers, yes or no, dtypes."""

from __future__ import annotations

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from fusegrad.errors import ArgumentError


def number(
    where: str,
    argument: str,
    value: Any,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    below: bool = False,
) -> float:
    """Return a finite number in [low, high] checked, or in [low, high) where `below`."""
    given = value[()] if isinstance(value, np.ndarray) and value.ndim == 0 else value
    real = isinstance(given, int | float | np.integer | np.floating) and not isinstance(given, bool)
    if not real or not _is_finite(given) or not low <= given <= high or (below and given == high):
        expected = f"a number in [{low:g}, {high:g}{')' if below else ']'}"
        if high == math.inf:
            expected = "a finite number" + ("" if low == -math.inf else f" >= {low:g}")
        raise ArgumentError(where, argument, expected, repr(value))
    return float(given)


def _is_finite(value: Any) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a Python integer beyond all floats
        return False


def positive(where: str, argument: str, value: Any) -> float:
    """Return a finite number above 0 checked."""
    given = number(where, argument, value)
    if given <= 0.0:
        raise ArgumentError(where, argument, "a finite number > 0", repr(value))
    return given


def positive_int(where: str, argument: str, value: Any, zero: bool = False) -> int:
    """Return an integer argument checked: at least 1, or 0 where `zero`, and below 2**63."""
    least = 0 if zero else 1
    if type(value) is int and least <= value <= sys.maxsize:
        return value
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(where, argument, f"an integer >= {least}", repr(value))
    if value > sys.maxsize:
        raise ArgumentError(where, argument, "an integer below 2**63", repr(value))
    return int(value)


def integer(where: str, argument: str, value: Any) -> int:
    """Return an integer argument checked, of either sign."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(where, argument, "an integer", repr(value))
    return int(value)


def sizes(where: str, argument: str, shape: Any) -> tuple[int, ...]:
    """Return the shape of one sample checked: positive sizes, of which there is at least one."""
    if isinstance(shape, int | np.integer) and not isinstance(shape, bool):
        shape = (shape,)
    if isinstance(shape, str) or not isinstance(shape, Sequence | np.ndarray):
        raise ArgumentError(where, argument, "a tuple of positive integers", repr(shape))
    if len(shape) == 0:
        raise ArgumentError(where, argument, "at least one size", "()")
    if shape[0] is None and len(shape) > 1:
        raise ArgumentError(
            where, argument, "the shape of one sample, without the batch axis", repr(tuple(shape))
        )
    return tuple(positive_int(where, argument, size) for size in shape)


def array_shape(where: str, shape: Any, dtype: Any) -> tuple[int, ...]:
    """Return the shape of an array checked: sizes of at least 0, of which the array can be made."""
    if isinstance(shape, int | np.integer) and not isinstance(shape, bool):
        shape = (shape,)
    if isinstance(shape, str | bytes) or not isinstance(shape, Sequence | np.ndarray):
        raise ArgumentError(where, "shape", "a tuple of integers >= 0", repr(shape))
    try:
        known = np.dtype(dtype)
    except TypeError:
        known = np.dtype(object)
    if known.kind not in "fiub":
        raise ArgumentError(where, "dtype", "a dtype of numbers, such as 'float32'", repr(dtype))
    if all(isinstance(size, int | np.integer) for size in shape):
        storable(tuple(shape), known.name)
    return tuple(positive_int(where, "shape", size, zero=True) for size in shape)


def storable(shape: tuple[int, ...], dtype: str) -> None:
    """Raise MemoryError, as NumPy words it, for a shape whose bytes no address can count."""
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > sys.maxsize:
        raise MemoryError(
            f"Unable to allocate {size / 2**60:.3g} EiB for an array with shape {shape} and data "
            f"type {dtype}"
        )


def checked_name(where: str, name: Any) -> None:
    """Raise ArgumentError for a name that is neither None nor a non-empty string."""
    if name is not None and (not isinstance(name, str) or not name):
        raise ArgumentError(where, "name", "a non-empty string", repr(name))


def flag(where: str, argument: str, value: Any) -> bool:
    """Return True or False checked: a string such as "False" is neither."""
    if type(value) is bool:
        return value
    if not isinstance(value, np.bool_):
        raise ArgumentError(where, argument, "True or False", repr(value))
    return bool(value)


def float_dtype(where: str, dtype: Any) -> str:
    """Return "float32" or "float64", or raise ArgumentError."""
    try:
        name = str(np.dtype(dtype).name)
    except TypeError:
        name = ""
    if name not in {"float32", "float64"}:
        raise ArgumentError(where, "dtype", "'float32' or 'float64'", repr(dtype))
    return name


def warn(text: str) -> None:
    """Give a UserWarning at the line, outside of this package, that called it."""
    level, frame = 1, sys._getframe()
    while frame.f_back is not None and _is_ours(frame.f_globals.get("__name__", "")):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)


def _is_ours(module: str) -> bool:
    return module.partition(".")[0] == "fusegrad"
