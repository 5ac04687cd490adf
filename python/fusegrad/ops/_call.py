"""How the functions call the op table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fusegrad._tensor import (
    Tensor,
    apply,
    apply_one,
    apply_reduction,
    apply_two,
    as_tensor,
    detached,
    in_current_trace,
)
from fusegrad.errors import ArgumentError

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "Axis",
    "as_floating",
    "axes_of",
    "broadcast_shape",
    "elements",
    "in_bfloat16",
    "normal_axes",
    "normal_axis",
    "of_one",
    "of_two",
    "one",
    "reduced",
    "whole",
]

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
    if not hasattr(axis, "__index__"):
        raise ArgumentError(where, "axis", "an integer", repr(axis))
    if not -ndim <= axis < ndim:
        raise ArgumentError(where, "axis", f"an axis in [{-ndim}, {ndim})", repr(axis))
    return axis % ndim


def normal_axes(where: str, axis: Axis, ndim: int) -> tuple[int, ...]:
    """Return distinct axes counted from the front, all for None, or raise ArgumentError."""
    if axis is None:
        return tuple(range(ndim))
    given = axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(normal_axis(where, one, ndim) for one in given)
    if len(set(axes)) != len(axes):
        raise ArgumentError(where, "axis", "distinct axes", repr(axis))
    return axes


def whole(where: str, argument: str, value: Any, least: int | None = None) -> int:
    """Return an integer of at least `least`, or raise ArgumentError."""
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ArgumentError(where, argument, "an integer", repr(value))
    number = value.__index__()
    if least is not None and number < least:
        raise ArgumentError(where, argument, f"an integer >= {least}", repr(value))
    return int(number)


def as_floating(x: Any) -> Tensor:
    """Return `x` where it is floating, else as float64."""
    array = as_tensor(x)
    return array if array.dtype.kind == "f" else array.astype("float64")


def broadcast_shape(where: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that all broadcast to, or raise ArgumentError."""
    result: list[int] = []
    for i in range(1, max(map(len, shapes), default=0) + 1):
        sizes = {shape[-i] for shape in shapes if len(shape) >= i} - {1}
        if len(sizes) > 1:
            got = ", ".join(map(str, shapes))
            raise ArgumentError(where, "operands", "shapes that broadcast together", got)
        result.insert(0, sizes.pop() if sizes else 1)
    return tuple(result)


def elements(where: str, argument: str, x: Any) -> np.ndarray[Any, Any]:
    """Return the elements of what the shape of a result depends on; ArgumentError in a trace."""
    array = detached(as_tensor(x))
    if in_current_trace(array):
        expected = "an array with elements: the shape of the result depends on them"
        raise ArgumentError(where, argument, expected, "a symbolic Tensor, in a trace")
    return array.numpy()


def in_bfloat16(where: str, compute_dtype: Any) -> bool:
    """Return whether products are of bfloat16; raise ArgumentError for another dtype."""
    if compute_dtype not in (None, "float32", "float64", "bfloat16"):
        expected = "None, 'float32', 'float64' or 'bfloat16'"
        raise ArgumentError(where, "compute_dtype", expected, repr(compute_dtype))
    return bool(compute_dtype == "bfloat16")
