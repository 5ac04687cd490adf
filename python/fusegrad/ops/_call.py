"""How the functions call the op table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad._tensor import Tensor, apply, apply_one, apply_reduction, apply_two
from fusegrad.errors import ArgumentError

__all__ = ["Axis", "axes_of", "in_bfloat16", "normal_axis", "of_one", "of_two", "one", "reduced"]

Axis = int | tuple[int, ...] | None


# `apply` for ops with one result.
one: Callable[..., Tensor] = apply
# The same of one or two operands without attributes, and over axes: shorter ways.
of_one: Callable[[str, Any], Tensor] = apply_one
of_two: Callable[[str, Any, Any], Tensor] = apply_two
reduced: Callable[[str, Any, Axis, bool], Tensor] = apply_reduction


def axes_of(axis: Axis) -> dict[str, Any]:
    """Return the attributes that say which axes are reduced."""
    return {"all_axes": True} if axis is None else {"axes": axis}


def normal_axis(where: str, axis: int, ndim: int) -> int:
    """Return an axis counted from the front, or raise ArgumentError."""
    if not -ndim <= axis < ndim:
        raise ArgumentError(where, "axis", f"an axis in [{-ndim}, {ndim})", repr(axis))
    return axis % ndim


def in_bfloat16(where: str, compute_dtype: Any) -> bool:
    """Return whether products are of bfloat16; raise ArgumentError for another dtype."""
    if compute_dtype not in (None, "float32", "float64", "bfloat16"):
        expected = "None, 'float32', 'float64' or 'bfloat16'"
        raise ArgumentError(where, "compute_dtype", expected, repr(compute_dtype))
    return bool(compute_dtype == "bfloat16")
