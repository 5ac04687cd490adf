"""Ops that pass values through: gradient rules of users, barriers."""

from __future__ import annotations

from typing import Any

from fusegrad import _tensor, ops
from fusegrad._tensor import Tensor
from op_cases.table import case, draw, internal, normal


def cube(x: Any) -> Tensor:
    """x**3 with its derivative as a rule."""
    x = _tensor.as_tensor(x)

    def rule(values: list[Tensor], cotangent: Tensor, needed: list[bool]) -> list[Tensor | None]:
        return [None, cotangent * ops.square(values[1]) * 3.0]

    return _tensor.custom_vjp(ops.stop_gradient(x * x * x), [x], rule)


case("custom_vjp", cube, draw(normal(3, 5)), lambda x: x**3, grad=(0,), domains=(normal,))
case(
    "barrier",
    internal("barrier"),
    draw(normal(3, 5)),
    lambda x: x,
    grad=(0,),
    domains=(normal,),
)
