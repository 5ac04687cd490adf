"""Entries of the gradient matrix for ops along one axis, and by segment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fusegrad import ops
from gradient_entries import TAILS, Entry, Shape, entry, fixed
from op_cases.table import away_from_zero, distinct, draw, internal, normal, unit
from references import (
    linear_recurrence,
    logsumexp,
    segment_max,
    segment_sum,
    take_along_axis_grad,
)

SHAPES: list[Shape] = [(1,), (1, 1), (3, 5), (5, 3), (2, 3, 4), (2, 1, 3), (0,), (0, 3), (3, 0)]
SHAPES += [(2, 67), (67, 2), *TAILS[::3]]
FEW: list[Shape] = [(1,), (17,), (3, 5), (2, 3, 4), (0, 3)]


def logcumsumexp(x: Any, axis: int) -> Any:
    """Each sum over what is before it."""
    lines = np.moveaxis(x, axis, 0)
    sums = [logsumexp(lines[: i + 1], axis=0) for i in range(len(lines))]
    return np.moveaxis(np.array(sums, x.dtype).reshape(lines.shape), 0, axis)


def cumulative_forms() -> Iterator[Entry]:
    for shape in SHAPES:
        for axis in range(-1, len(shape)):
            for name, function, reference, domain in [
                ("cumsum", ops.cumsum, np.cumsum, normal),
                ("cumprod", ops.cumprod, np.cumprod, away_from_zero),
            ]:
                yield entry(
                    name,
                    f"{shape} axis {axis}",
                    draw(domain(*shape)),
                    lambda x, f=function, a=axis: f(x, axis=a),
                    lambda x, f=reference, a=axis: f(x, axis=a),
                )
            if shape not in FEW:
                continue
            yield entry(
                "linear_recurrence",
                f"logcumsumexp {shape} axis {axis}",
                draw(normal(*shape)),
                lambda x, a=axis: ops.logcumsumexp(x, axis=a),
                lambda x, a=axis: logcumsumexp(x, a),
            )
            for reverse in (False, True):
                yield entry(
                    "linear_recurrence",
                    f"{shape} axis {axis} reverse {reverse}",
                    draw(unit(*shape), normal(*shape)),
                    internal("linear_recurrence", axes=(axis,), flag=reverse),
                    lambda a, b, o=(axis, reverse): linear_recurrence(a, b, *o),
                    (0, 1),
                )
    for zeros in ([1], [0, 3], [4], [0, 1, 2, 3, 4]):
        hole = np.ones(5)
        hole[zeros] = 0.0
        for name, function, reference in [
            ("cumprod", ops.cumprod, np.cumprod),
            ("prod", ops.prod, np.prod),
        ]:
            yield entry(
                name,
                f"zeros at {zeros}",
                lambda rng, h=hole: (away_from_zero(2, 5)(rng) * h,),
                lambda x, f=function: f(x, axis=1),
                lambda x, f=reference: f(x, axis=1),
            )


def along_axis_forms() -> Iterator[Entry]:
    for shape, axis, places in [
        ((3,), 0, [2, 0, 1, -1]),
        ((3,), 0, []),
        ((1,), 0, [0, 0]),
        ((2, 3), 1, [[0, 2], [1, 1]]),
        ((2, 3), 0, [[0, 1, 1], [-1, -2, 0], [0, 0, 0]]),
        ((2, 3), -1, [[2], [2]]),
        ((2, 2, 3), 1, [[[0, 1, 1]], [[1, 1, 0]]]),
        ((0, 3), 1, np.zeros((0, 2))),
    ]:
        picked_shape = np.shape(places)
        yield entry(
            "take_along_axis",
            f"{shape} axis {axis} at {np.shape(places)}",
            fixed(normal(*shape), places),
            lambda x, i, a=axis: ops.take_along_axis(x, i, axis=a),
            lambda x, i, a=axis: np.take_along_axis(x, i, axis=a),
        )
        yield entry(
            "take_along_axis_grad",
            f"into {shape} axis {axis} from {picked_shape}",
            fixed(normal(*picked_shape), places),
            internal("take_along_axis_grad", shape=shape, axes=(axis,)),
            lambda g, i, o=(shape, axis): take_along_axis_grad(g, i, *o),
        )
    for shape in [(5,), (33,), (3, 5), (2, 3, 4)]:
        for axis in range(-1, len(shape)):
            yield entry(
                "take_along_axis",
                f"sort {shape} axis {axis}",
                draw(distinct(*shape)),
                lambda x, a=axis: ops.sort(x, axis=a),
                lambda x, a=axis: np.take_along_axis(x, np.argsort(x.real, axis=a), axis=a),
            )


def correlate_forms() -> Iterator[Entry]:
    for long, short in [(1, 1), (5, 1), (5, 5), (9, 4), (300, 2), (17, 16)]:
        for mode in ("valid", "full", "same"):
            yield entry(
                "correlate",
                f"{long} and {short} {mode}",
                draw(normal(long), normal(short)),
                lambda a, v, m=mode: ops.convolve(a, v, m),
                lambda a, v, m=mode: np.convolve(a, v, m),
                (0, 1),
            )


def segment_forms() -> Iterator[Entry]:
    for shape, ids, count in [
        ((1,), [0], 1),
        ((5,), [0, 1, 0, 1, 1], 2),
        ((5,), [1, 1, 0, 0, 2], 3),
        ((5, 1), [0, 0, 0, 0, 0], 1),
        ((4, 3), [2, 1, 0, 2], 3),
        ((4, 2, 3), [0, 1, 1, 0], 2),
        ((4, 0), [0, 1, 1, 0], 2),
        ((33, 17), [i * i % 3 for i in range(33)], 2),
    ]:
        for name, function, reference, domain in [
            ("segment_sum", ops.segment_sum, segment_sum, normal),
            ("segment_max", ops.segment_max, segment_max, distinct),
        ]:
            yield entry(
                name,
                f"{shape} of {count}",
                fixed(domain(*shape), ids),
                lambda x, i, f=function, n=count: f(x, i, n),
                lambda x, i, f=reference, n=count: f(x, i, n),
            )
    for shape, ids, count in [((3, 2), [4, 0, 4], 6), ((0, 2), [], 3), ((0,), [], 0)]:
        yield entry(
            "segment_sum",
            f"{shape} of {count}, some without rows",
            fixed(normal(*shape), ids),
            lambda x, i, n=count: ops.segment_sum(x, i, n),
            lambda x, i, n=count: segment_sum(x, i, n),
        )


FORMS = [cumulative_forms, along_axis_forms, correlate_forms, segment_forms]
