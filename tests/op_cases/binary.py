"""Elementwise ops of two or three operands."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from op_cases.table import (
    BENCH,
    F32,
    away_from_zero,
    bools,
    case,
    distinct,
    distinct_too,
    draw,
    internal,
    ints,
    normal,
    positive,
    unit,
)
from references import gelu_slope, silu_slope

SHAPES_2 = [
    ((3, 5), (3, 5), ""),
    ((3, 5), (5,), "row"),
    ((4, 1), (1, 6), "outer"),
    ((2, 3), (), "0d"),
]
BINARY = [
    ("add", np.add, normal, normal),
    ("subtract", np.subtract, normal, normal),
    ("multiply", np.multiply, normal, normal),
    ("divide", np.divide, normal, away_from_zero),
    ("power", np.power, positive, normal),
]
for _name, _reference, _left, _right in BINARY:
    for _a, _b, _label in SHAPES_2:
        _function = getattr(ops, _name)
        case(
            _name,
            _function,
            draw(_left(*_a), _right(*_b)),
            _reference,
            grad=(0, 1),
            label=_label,
            bench=BENCH if not _label else (),
            bad=((lambda f=_function: f(np.ones((2, 3), F32), np.ones((4,), F32)), "shape"),),
            domains=() if _label else (_left, _right),
            shapes="broadcast",
        )
for _exponent in (0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 2.5):
    case(
        "power",
        lambda x, p=_exponent: ops.power(x, p),
        draw(positive(3, 5)),
        lambda x, p=_exponent: x**p,
        grad=(0,),
        label=f"exponent{_exponent}",
        domains=(positive,),
    )
for _name, _reference in [("maximum", np.maximum), ("minimum", np.minimum)]:
    case(
        _name,
        getattr(ops, _name),
        draw(distinct(3, 4), distinct_too(3, 4)),
        _reference,
        grad=(0, 1),
        bench=BENCH,
        domains=(distinct, distinct_too),
        shapes="broadcast",
    )
for _name in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]:
    case(_name, getattr(ops, _name), draw(ints(3, 4, 5), ints(3, 4, 5)), getattr(np, _name))
    case(
        _name,
        getattr(ops, _name),
        draw(
            lambda rng: np.array([1.0, np.nan, 2.0, -0.0]),
            lambda rng: np.array([1.0, 1.0, 3.0, 0.0]),
        ),
        getattr(np, _name),
        label="nan",
    )
for _name in ["logical_and", "logical_or", "logical_xor"]:
    case(_name, getattr(ops, _name), draw(bools(9), bools(9)), getattr(np, _name))
case(
    "where",
    ops.where,
    draw(bools(3, 5), normal(3, 5), normal(5)),
    np.where,
    grad=(1, 2),
    domains=(bools, normal, normal),
    shapes="broadcast",
)
case(
    "where", ops.where, draw(bools(3, 1), normal(), normal(3, 4)), np.where, grad=(1, 2), label="0d"
)

case(
    "relu_grad",
    internal("relu_grad"),
    draw(normal(3, 5), away_from_zero(3, 5)),
    lambda dy, y: np.where(np.real(y) > 0, dy, 0),
    grad=(0,),
    domains=(normal, away_from_zero),
    shapes="broadcast",
)
case(
    "leaky_relu_grad",
    internal("leaky_relu_grad", scalars=(0.3,)),
    draw(normal(3, 5), away_from_zero(3, 5)),
    lambda dy, y: np.where(np.real(y) > 0, dy, 0.3 * dy),
    grad=(0,),
    domains=(normal, away_from_zero),
    shapes="broadcast",
)
case(
    "sigmoid_grad",
    internal("sigmoid_grad"),
    draw(normal(3, 5), unit(3, 5)),
    lambda d, y: d * y * (1 - y),
    grad=(0, 1),
    domains=(normal, unit),
    shapes="broadcast",
)
case(
    "tanh_grad",
    internal("tanh_grad"),
    draw(normal(3, 5), unit(3, 5)),
    lambda d, y: d * (1 - y * y),
    grad=(0, 1),
    domains=(normal, unit),
    shapes="broadcast",
)

for _name, _slope in (
    ("silu_grad", silu_slope),
    ("gelu_grad", gelu_slope),
    ("erf_grad", lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
):
    case(
        _name,
        internal(_name),
        draw(normal(3, 5), normal(3, 5)),
        lambda d, x, f=_slope: d * f(x),
        grad=(0, 1),
        domains=(normal, normal),
        shapes="broadcast",
    )
