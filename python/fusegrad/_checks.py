"""Checks of plain arguments: numbers, whole numbers, yes or no, dtypes."""

from __future__ import annotations

import math
import sys
import warnings
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
    if (
        not real
        or not math.isfinite(given)
        or not low <= given <= high
        or (below and given == high)
    ):
        expected = f"a number in [{low:g}, {high:g}{')' if below else ']'}"
        if high == math.inf:
            expected = "a finite number" + ("" if low == -math.inf else f" >= {low:g}")
        raise ArgumentError(where, argument, expected, repr(value))
    return float(given)


def positive(where: str, argument: str, value: Any) -> float:
    """Return a finite number above 0 checked."""
    given = number(where, argument, value)
    if given <= 0.0:
        raise ArgumentError(where, argument, "a finite number > 0", repr(value))
    return given


def positive_int(where: str, argument: str, value: Any, zero: bool = False) -> int:
    """Return an integer argument checked: at least 1, or 0 where `zero`."""
    least = 0 if zero else 1
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
        raise ArgumentError(where, argument, f"an integer >= {least}", repr(value))
    return int(value)


def integer(where: str, argument: str, value: Any) -> int:
    """Return an integer argument checked, of either sign."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ArgumentError(where, argument, "an integer", repr(value))
    return int(value)


def flag(where: str, argument: str, value: Any) -> bool:
    """Return True or False checked: a string such as "False" is neither."""
    if not isinstance(value, bool | np.bool_):
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
