"""Every differentiable op, in both dtypes and both orders, eager and compiled, on every pattern.

``gradient_entries.py`` says on what, ``gradient_checks.py`` against what and to which bound. How
many cases were checked is printed at the end of a run.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
import gradient_axis_forms
import gradient_forms
import gradient_linalg_forms
import gradient_shape_forms
from fusegrad import ops
from fusegrad.errors import ArgumentError
from gradient_checks import TALLY, Measured, Point, checks_of
from gradient_entries import TABLE, Entry, row_entries
from op_cases import CASES, OpCase

DIFFERENTIABLE = sorted(name for name, row in TABLE.items() if row["differentiable"])
ORDERS = ("first", "second", "compiled")
# One op of each kind of memory access; bits alone are compared, so this is cheap.
QUICK = {"concatenate", "dense", "matmul", "power", "slice", "softmax_cross_entropy", "take", "var"}


@cache
def matrix() -> dict[str, list[Entry]]:
    """The entries of each op."""
    found: dict[str, list[Entry]] = defaultdict(list)
    for case in CASES:
        if case.grad:
            found[case.op] += row_entries(case)
    forms = (gradient_forms, gradient_shape_forms, gradient_axis_forms, gradient_linalg_forms)
    for form in [form for module in forms for form in module.FORMS]:
        for entry in form():
            found[entry.op].append(entry)
    return dict(found)


def generated(op: str, order: str) -> int:
    return sum(len(checks_of(entry, order)) for entry in matrix()[op])


def combinations() -> list[Any]:
    return [
        pytest.param(op, order, marks=pytest.mark.quick if quick else ())
        for order in ORDERS
        for op in DIFFERENTIABLE
        for quick in [order == "compiled" and op in QUICK]
    ]


@pytest.mark.parametrize(("op", "order"), combinations())
def test_gradients(op: str, order: str) -> None:
    failures = []
    before = TALLY.count(op, order)
    for entry in matrix()[op]:
        try:
            point = Point(entry)
            for check in checks_of(entry, order):
                measured = check.run(point)
                TALLY.add(entry, check, measured)
                if not measured.share <= 1.0:
                    failures.append(describe(entry, check.name, measured))
        except Exception as error:
            error.add_note(f"in {entry}")
            raise
    assert not failures, "\n".join([f"{len(failures)} cases", *failures[:20]])
    assert TALLY.count(op, order) - before == generated(op, order)


def describe(entry: Entry, name: str, measured: Measured) -> str:
    return (
        f"{entry}: {name}: error {measured.error:.3g}, {measured.share:.3g} of its bound, "
        f"in gradient {measured.operand} of {len(entry.grad)}"
    )


@pytest.mark.quick
def test_every_differentiable_op_is_in_the_matrix() -> None:
    assert sorted(matrix()) == DIFFERENTIABLE


def test_entries_have_names_of_their_own() -> None:
    for entries in matrix().values():
        names = [entry.label for entry in entries]
        assert len(names) == len(set(names)), [n for n in names if names.count(n) > 1]


def test_the_matrix_is_large() -> None:
    counts = [generated(op, order) for op in DIFFERENTIABLE for order in ORDERS]
    assert min(counts) > 0
    assert sum(counts) >= 10_000


# ---- what has no gradient ------------------------------------------------------------------------

UNDEFINED = [
    (name, shape, axis)
    for name, shape, axis in gradient_forms.reductions()
    if not gradient_forms.is_defined(name, shape, axis)
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", sorted({name for name, _, _ in UNDEFINED}))
def test_no_elements_is_an_error(name: str, dtype: str) -> None:
    function = getattr(ops, name)
    for shape, axis in [(s, a) for n, s, a in UNDEFINED if n == name]:
        gradient = fg.grad(lambda x, a=axis: ops.sum(function(x, axis=a)))
        for call in (gradient, fg.jit(gradient)):
            with pytest.raises(ArgumentError, match="at least one element"):
                call(np.zeros(shape, dtype))
            TALLY.errors += 1


def takes_floats(case: OpCase) -> bool:
    return all(np.asarray(x).dtype.kind == "f" for x in case.inputs(np.random.default_rng(0)))


FLAT = [
    case
    for case in CASES
    if not TABLE[case.op]["differentiable"]
    and not {"gradient", "opaque"} & {*TABLE[case.op]["traits"]}
    and takes_floats(case)
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", FLAT, ids=lambda case: case.id)
def test_steps_have_gradient_zero(case: OpCase, dtype: str) -> None:
    arrays = [np.asarray(x).astype(dtype) for x in case.inputs(np.random.default_rng(7))]

    def total(*parts: Any) -> Any:
        return ops.sum(ops.cast(case.call(*parts), dtype))

    for gradient, x in zip(
        fg.grad(total, argnums=tuple(range(len(arrays))))(*arrays), arrays, strict=True
    ):
        assert gradient.dtype == x.dtype
        np.testing.assert_array_equal(gradient.numpy(), np.zeros(x.shape))
