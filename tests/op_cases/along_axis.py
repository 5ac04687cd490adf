"""Ops along one axis: cumulative ones, order, one index for each element, segments."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from op_cases.table import (
    F32,
    away_from_zero,
    bools,
    case,
    distinct,
    draw,
    int_array,
    internal,
    ints,
    normal,
    unit,
)
from references import (
    linear_recurrence,
    segment_max,
    segment_sum,
    take_along_axis_grad,
)

for _name, _reference, _domain in [
    ("cumsum", np.cumsum, normal),
    ("cumprod", np.cumprod, away_from_zero),
]:
    _function = getattr(ops, _name)
    for _shape, _axis in [((3, 5), 1), ((3, 5), 0), ((2, 33), -1), ((70, 3), 0), ((2, 3, 4), None)]:
        case(
            _name,
            lambda x, f=_function, a=_axis: f(x, axis=a),
            draw(_domain(*_shape)),
            lambda x, f=_reference, a=_axis: f(x, axis=a),
            grad=(0,),
            label=f"{_shape}axis{_axis}",
            bench=((512, 512),) if _shape == (3, 5) else (),
            bad=((lambda f=_function: f(np.ones((2, 3), F32), axis=2), "axis"),),
        )
    case(
        _name,
        lambda x, f=_function: f(x, axis=0),
        draw(ints(9, 4, 3)),
        lambda x, f=_reference: f(x, axis=0),
        label="integers",
    )
for _reverse in (False, True):
    case(
        "linear_recurrence",
        internal("linear_recurrence", axes=(1,), flag=_reverse),
        draw(unit(3, 9), normal(3, 9)),
        lambda a, b, r=_reverse: linear_recurrence(a, b, 1, r),
        grad=(0, 1),
        label="reverse" if _reverse else "",
    )
case(
    "running_max",
    internal("running_max", axes=(1,)),
    draw(normal(3, 9)),
    lambda x: np.maximum.accumulate(x, axis=1),
)

for _label, _maker in [
    ("floats", normal(4, 9)),
    ("long", normal(2, 700)),
    ("ties", lambda rng: rng.integers(-3, 3, (3, 400)) * 0.5),
    ("nan", lambda rng: np.array([[0.0, np.nan, -0.0, -1.0, np.inf, np.nan, -np.inf, 0.0]])),
    ("integers", lambda rng: rng.integers(-(2**40), 2**40, (3, 300))),
    ("booleans", bools(2, 9)),
]:
    for _axis in (1, 0):
        case(
            "argsort",
            lambda x, a=_axis: ops.argsort(x, axis=a),
            draw(_maker),
            lambda x, a=_axis: np.argsort(x, axis=a, kind="stable"),
            label=f"{_label}{_axis}",
            bad=((lambda: ops.argsort(np.ones((2, 3), F32), axis=2), "axis"),),
            bench=((1, 1000), (100, 100)) if (_label, _axis) == ("floats", 1) else (),
        )
case(
    "argsort",
    lambda x: ops.top_k(x, 3)[1],
    draw(lambda rng: rng.integers(0, 9, (4, 100)) * 1.0),
    lambda x: np.argsort(-x, axis=-1, kind="stable")[:, :3],
    label="top_k",
    bad=((lambda: ops.top_k(np.ones((2, 3), F32), 4), r"\[0, 3\]"),),
)
for _side in ("left", "right"):
    case(
        "searchsorted",
        lambda a, v, s=_side: ops.searchsorted(a, v, s),
        draw(
            lambda rng: np.sort(rng.integers(-3, 4, 9) * 1.0),
            lambda rng: rng.integers(-5, 6, (3, 7)) * 1.0,
        ),
        lambda a, v, s=_side: np.searchsorted(a, v, s),
        label=_side,
        bad=(
            (lambda: ops.searchsorted(np.ones((2, 3), F32), 1.0), "one axis"),
            (lambda: ops.searchsorted(np.ones(3, F32), 1.0, "middle"), "side"),
        ),
    )

case(
    "correlate",
    ops.correlate,
    draw(normal(9), normal(4)),
    lambda a, v: np.convolve(a, v[::-1], "valid"),
    grad=(0, 1),
    bad=(
        (lambda: ops.correlate(np.ones((2, 3), F32), np.ones(2, F32)), "one axis"),
        (lambda: internal("correlate")(np.ones(2, F32), np.ones(3, F32)), "1 to 2"),
    ),
)

for _axis, _places in [(1, [[5, 0, 0, -2]]), (0, [[1, 0, 2, 0, 0, -1], [2, 0, 2, 1, -3, 0]])]:
    case(
        "take_along_axis",
        lambda x, i, a=_axis: ops.take_along_axis(x, i, axis=a),
        draw(normal(3, 6), lambda rng, p=_places: np.array(p)),
        lambda x, i, a=_axis: np.take_along_axis(x, i, axis=a),
        grad=(0,),
        label=f"axis{_axis}",
        bad=(
            (lambda: ops.take_along_axis(np.ones((2, 3), F32), [[3]], axis=1), r"\[-3, 3\)"),
            (lambda: ops.take_along_axis(np.ones((2, 3), F32), [0], axis=1), "as many axes"),
            (lambda: ops.take_along_axis(np.ones((2, 3), F32), [[0.5]], axis=1), "dtype int32"),
            (
                lambda: ops.take_along_axis(np.ones((2, 3), F32), int_array(3, 1), axis=1),
                "broadcast",
            ),
        ),
    )
case(
    "take_along_axis_grad",
    internal("take_along_axis_grad", shape=(3, 6), axes=(1,)),
    draw(normal(3, 4), lambda rng: np.array([[5, 0, 0, 2], [1, 2, -1, 4], [3, 3, 3, 3]])),
    lambda g, i: take_along_axis_grad(g, i, (3, 6), 1),
    grad=(0,),
)

_IDS = [2, 0, 2, 2, 4, 0]
for _name, _function, _reference, _domain in [
    ("segment_sum", ops.segment_sum, segment_sum, normal),
    # -infinity, of no rows, has no finite differences.
    (
        "segment_max",
        lambda x, i, n: ops.maximum(ops.segment_max(x, i, n), -9),
        segment_max,
        distinct,
    ),
]:
    for _shape, _ids in [((6,), [0, 1, 1, 0, 2, 1]), ((6, 3), [1, 1, 0, 1, 0, 2])]:
        case(
            _name,
            lambda x, i, f=_function: f(x, i, 3),
            draw(_domain(*_shape), lambda rng, i=_ids: np.array(i)),
            lambda x, i, f=_reference: f(x, i, 3),
            grad=(0,),
            label=f"{len(_shape)}d",
            bad=(
                (lambda f=_function: f(np.ones(2, F32), [0, 3], 3), r"\[0, 3\)"),
                (lambda f=_function: f(np.ones(2, F32), [0, -1], 3), r"got -1"),
                (lambda f=_function: f(np.ones(2, F32), [0], 3), "segment_ids"),
                (lambda f=_function: f(np.ones(2, F32), [0, 1], -1), "num_segments"),
            ),
        )
case(
    "segment_sum",
    lambda x, i: ops.segment_sum(x, i, 6),
    draw(normal(6, 2), lambda rng: np.array(_IDS)),
    lambda x, i: segment_sum(x, i, 6),
    grad=(0,),
    label="no rows",
)
