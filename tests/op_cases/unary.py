"""Elementwise ops of one operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import ops
from op_cases.table import (
    BENCH,
    F32,
    away_from_zero,
    bools,
    case,
    draw,
    inside_or_outside,
    internal,
    normal,
    positive,
)
from references import elu, erf, erfc, gelu, magnitude, sigmoid, silu, softplus

UNARY: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[int, ...]]] = [
    ("negative", np.negative, normal, (0,)),
    ("abs", magnitude, away_from_zero, (0,)),
    ("square", np.square, normal, (0,)),
    ("sqrt", np.sqrt, positive, (0,)),
    ("reciprocal", lambda x: 1.0 / x, away_from_zero, (0,)),
    ("exp", np.exp, normal, (0,)),
    ("expm1", np.expm1, normal, (0,)),
    ("log", np.log, positive, (0,)),
    ("log1p", np.log1p, positive, (0,)),
    ("tanh", np.tanh, normal, (0,)),
    ("sigmoid", sigmoid, normal, (0,)),
    ("log_sigmoid", lambda x: -softplus(-x), normal, (0,)),
    ("softplus", softplus, normal, (0,)),
    ("erf", erf, normal, (0,)),
    ("erfc", erfc, normal, (0,)),
    ("silu", silu, normal, (0,)),
    ("gelu", gelu, normal, (0,)),
    ("relu", lambda x: np.maximum(x, 0), away_from_zero, (0,)),
    ("sign", np.sign, away_from_zero, ()),
    ("identity", lambda x: x, normal, (0,)),
    ("stop_gradient", lambda x: x, normal, ()),
]
NEEDS_FLOAT = {
    "sqrt", "reciprocal", "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "log_sigmoid",
    "softplus",
}  # fmt: skip
for _name, _reference, _domain, _grad in UNARY:
    _function = getattr(ops, _name)
    case(
        _name,
        _function,
        draw(_domain(3, 5)),
        _reference,
        grad=_grad,
        bench=BENCH,
        domains=(_domain,),
    )
    case(_name, _function, draw(_domain()), _reference, grad=_grad, label="0d")
    case(_name, _function, draw(_domain(2, 67)), _reference, grad=_grad, label="tail")

case(
    "log_sigmoid",
    internal("log_sigmoid", flag=True),
    draw(normal(3, 5)),
    lambda x: -softplus(x),
    grad=(0,),
    label="complement",
    domains=(normal,),
)
case(
    "leaky_relu",
    lambda x: ops.leaky_relu(x, 0.1),
    draw(away_from_zero(3, 5)),
    lambda x: np.where(np.real(x) > 0, x, 0.1 * x),
    grad=(0,),
    bench=BENCH,
    domains=(away_from_zero,),
)
case(
    "elu",
    lambda x: ops.elu(x, 0.7),
    draw(away_from_zero(3, 5)),
    lambda x: elu(x, 0.7),
    grad=(0,),
    bad=(
        (lambda: ops.elu(np.ones(2, F32), -1.0), "alpha"),
        (lambda: ops.elu(np.ones(2, F32), float("nan")), "alpha"),
    ),
    bench=BENCH,
    domains=(away_from_zero,),
)
case(
    "clip",
    lambda x: ops.clip(x, -0.7, 0.9),
    draw(lambda rng: np.array([-3.0, -0.75, -0.2, 0.1, 0.85, 2.0])),
    lambda x: np.clip(x, -0.7, 0.9),
    grad=(0,),
    domains=(inside_or_outside,),
    bad=((lambda: ops.clip(np.ones(2, F32), 1.0, -1.0), "x_m"),),
)
case(
    "cast",
    lambda x: ops.cast(x, "float64"),
    draw(normal(4)),
    lambda x: x,
    grad=(0,),
    domains=(normal,),
)
case("logical_not", ops.logical_not, draw(bools(7)), np.logical_not)
