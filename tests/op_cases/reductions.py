"""Reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import ops
from op_cases.table import BENCH, F32, away_from_zero, case, distinct, draw, normal
from references import largest, logsumexp, smallest, variance

REDUCE: list[tuple[str, Callable[..., Any], Callable[..., Any]]] = [
    ("sum", np.sum, normal),
    ("mean", np.mean, normal),
    ("var", variance, normal),
    ("max", largest, distinct),
    ("min", smallest, distinct),
    ("logsumexp", logsumexp, normal),
    ("prod", np.prod, away_from_zero),
]
AXES: list[tuple[tuple[int, ...], Any, bool, str]] = [
    ((3, 5), None, False, ""),
    ((3, 5), 0, False, "axis0"),
    ((3, 21), -1, True, "keepdims"),
    ((2, 3, 4), (0, 2), False, "axes"),
    ((40, 3), 0, False, "long"),
]
for _name, _reference, _domain in REDUCE:
    for _shape, _axis, _keep, _label in AXES:
        _function = getattr(ops, _name)
        case(
            _name,
            lambda x, f=_function, a=_axis, k=_keep: f(x, axis=a, keepdims=k),
            draw(_domain(*_shape)),
            lambda x, f=_reference, a=_axis, k=_keep: f(x, axis=a, keepdims=k),
            grad=(0,),
            label=_label,
            bench=BENCH if not _label else (),
            bad=((lambda f=_function: f(np.ones((2, 3), F32), axis=2), "axis"),),
        )
case(
    "var",
    lambda x: ops.var(x, axis=0, ddof=1),
    draw(normal(4, 3)),
    lambda x: variance(x, axis=0, ddof=1),
    grad=(0,),
    label="ddof",
    bad=((lambda: ops.var(np.ones((1, 3), F32), axis=0, ddof=1), "ddof"),),
)
for _name in ["argmax", "argmin"]:
    _function, _reference = getattr(ops, _name), getattr(np, _name)
    for _axis in (None, 0, 1):
        case(
            _name,
            lambda x, f=_function, a=_axis: f(x, axis=a),
            draw(distinct(4, 6)),
            lambda x, f=_reference, a=_axis: f(x, axis=a),
            label=f"axis{_axis}",
            bad=((lambda f=_function: f(np.ones((0, 3), F32), axis=0), "empty|zero|at least"),),
        )
