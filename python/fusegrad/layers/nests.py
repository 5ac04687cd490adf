"""Several inputs of a layer: lists, tuples and dicts of Tensors, and of their shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad._tensor import Tensor
from fusegrad.variable import Variable


def holds_shapes(shape: Any) -> bool:
    """Whether this is a nest of shapes: of a layer that is called on several Tensors."""
    if isinstance(shape, dict):
        return bool(shape)
    return (
        isinstance(shape, tuple | list)
        and bool(shape)
        and all(isinstance(inner, tuple | list | dict) for inner in shape)
    )


def plain_shape(shape: Any) -> Any:
    """Return a shape as a tuple, and a nest of shapes as it is."""
    return shape if holds_shapes(shape) else tuple(shape)


def shape_of(x: Any) -> Any:
    """Return the shape that a layer is built for, with None for the rows; a nest of a nest."""
    if isinstance(x, Tensor):
        return (None, *x.shape[1:]) if x.ndim else ()
    return map_nest(shape_of, x)


def is_nest(x: Any) -> bool:
    """Whether this is a list, tuple or dict with a Tensor in it: several inputs."""
    if isinstance(x, dict):
        x = x.values()
    elif not isinstance(x, list | tuple):
        return False
    return any(isinstance(part, Tensor | Variable) or is_nest(part) for part in x)


def map_nest(function: Callable[[Any], Any], x: Any) -> Any:
    if isinstance(x, dict):
        return {key: map_nest(function, part) for key, part in x.items()}
    if isinstance(x, list | tuple) and is_nest(x):
        return type(x)(map_nest(function, part) for part in x)
    return function(x)
