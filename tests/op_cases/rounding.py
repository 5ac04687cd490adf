"""Rounding, division with a remainder, signs, and tests of one operand."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from op_cases.table import BENCH, F32, Maker, away_from_zero, case, draw, ints, normal
from references import remainder


def dividends(*shape: int) -> Maker:
    """Between two multiples of each of the divisors, and not near one of 1.75."""
    return lambda rng: rng.choice([0.2, 0.3, 1.2, -0.7, 2.8, -3.7], size=shape)


def divisors(*shape: int) -> Maker:
    return lambda rng: rng.choice([1.0, -1.0, 0.5, -0.5], size=shape)


def halves(*shape: int) -> Maker:
    return lambda rng: rng.integers(-9, 10, size=shape) / 2.0


def numbers_and_none(*shape: int) -> Maker:
    values = [0.0, -0.0, 1.5, -2.0, np.inf, -np.inf, np.nan]
    return lambda rng: rng.choice(values, size=shape)


for _name in ("rint", "floor", "ceil", "trunc"):
    for _domain, _label in ((normal, ""), (halves, "halves")):
        case(
            _name,
            getattr(ops, _name),
            draw(_domain(4, 9)),
            getattr(np, _name),
            label=_label,
            bench=() if _label else BENCH,
        )
for _name in ("floor", "ceil", "trunc"):
    case(_name, getattr(ops, _name), draw(ints(9, 5)), lambda x: x, label="ints")
for _name in ("isnan", "isinf", "isfinite", "signbit"):
    _function, _reference = getattr(ops, _name), getattr(np, _name)
    case(_name, _function, draw(numbers_and_none(5, 7)), _reference)
    if _name != "signbit":
        case(_name, _function, draw(ints(3, 4)), _reference, label="ints")

case(
    "remainder",
    ops.remainder,
    draw(dividends(3, 5), divisors(3, 5)),
    remainder,
    grad=(0, 1),
    bench=BENCH,
    domains=(dividends, divisors),
    shapes="broadcast",
    bad=((lambda: ops.remainder(np.ones((2, 3), F32), np.ones((4,), F32)), "shape"),),
)
case(
    "floor_divide",
    ops.floor_divide,
    draw(normal(3, 5), away_from_zero(5)),
    np.floor_divide,
    bench=((3, 5),),
    bad=((lambda: ops.floor_divide(np.ones((2, 3), F32), np.ones((4,), F32)), "shape"),),
)
for _name in ("floor_divide", "remainder"):
    case(
        _name,
        getattr(ops, _name),
        draw(lambda rng: np.arange(-7, 8), lambda rng: np.array([[3], [-3], [1], [-1]])),
        getattr(np, _name),
        label="ints",
    )
case(
    "copysign",
    ops.copysign,
    draw(away_from_zero(3, 5), away_from_zero(3, 5)),
    lambda x, y: np.where((np.real(x) < 0) != (np.real(y) < 0), -x, x),
    grad=(0,),
    domains=(away_from_zero, away_from_zero),
    shapes="broadcast",
)
