"""Reductions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import ops
from op_cases.table import BENCH, F32, Domain, away_from_zero, case, distinct, draw, normal
from references import largest, logsumexp, smallest, variance


def zeros_among(share: float) -> Domain:
    """Whole rows and columns of zeros or of NaN, so that results differ."""

    def domain(*shape: int) -> Any:
        def make(rng: np.random.Generator) -> Any:
            x = np.where(rng.uniform(size=shape) < share**0.25, 0.0, np.nan)
            for axis in range(len(shape)):
                keep = rng.uniform(size=[n if i == axis else 1 for i, n in enumerate(shape)]) < 0.5
                x = np.where(keep, x, 0.0 if share > 0.5 else 1.0)
            return x

        return make

    return domain


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
for _name, _domain in (("any", zeros_among(0.9)), ("all", zeros_among(0.1))):
    _function, _reference = getattr(ops, _name), getattr(np, _name)
    for _shape, _axis, _label in (
        ((3, 700), None, ""),
        ((700, 3), 0, "axis0"),
        ((6, 40), 1, "axis1"),
        ((2, 3, 4), (0, 2), "axes"),
        ((0, 3), 0, "empty"),
    ):
        case(
            _name,
            lambda x, f=_function, a=_axis: f(x, axis=a),
            draw(_domain(*_shape)),
            lambda x, f=_reference, a=_axis: f(x, axis=a),
            label=_label,
            bench=BENCH if not _label else (),
            bad=((lambda f=_function: f(np.ones((2, 3), F32), axis=2), "axis"),),
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
