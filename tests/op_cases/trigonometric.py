"""Exponentials, logarithms and roots to other bases, trigonometric and hyperbolic functions."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from op_cases.table import (
    BENCH,
    F32,
    above_one,
    away_from_zero,
    case,
    draw,
    inside,
    normal,
    positive,
)
from references import arctan2

for _name, _reference, _domain in (
    ("exp2", lambda x: 2.0**x, normal),
    ("log2", np.log2, positive),
    ("log10", np.log10, positive),
    ("cbrt", lambda x: x ** (1 / 3), positive),
    ("sin", np.sin, normal),
    ("cos", np.cos, normal),
    ("tan", np.tan, inside),
    ("arcsin", np.arcsin, inside),
    ("arccos", np.arccos, inside),
    ("arctan", np.arctan, normal),
    ("sinh", np.sinh, normal),
    ("cosh", np.cosh, normal),
    ("arcsinh", np.arcsinh, normal),
    ("arccosh", np.arccosh, above_one),
    ("arctanh", np.arctanh, inside),
):
    case(
        _name,
        getattr(ops, _name),
        draw(_domain(3, 5)),
        _reference,
        grad=(0,),
        bench=BENCH,
        domains=(_domain,),
    )
for _name, _reference, _domain in (
    ("arctan2", arctan2, away_from_zero),
    ("hypot", lambda x, y: np.sqrt(x * x + y * y), away_from_zero),
    ("logaddexp", lambda x, y: np.log(np.exp(x) + np.exp(y)), normal),
):
    _function = getattr(ops, _name)
    case(
        _name,
        _function,
        draw(_domain(3, 5), _domain(3, 5)),
        _reference,
        grad=(0, 1),
        bench=BENCH,
        domains=(_domain, _domain),
        shapes="broadcast",
        bad=((lambda f=_function: f(np.ones((2, 3), F32), np.ones((4,), F32)), "shape"),),
    )
