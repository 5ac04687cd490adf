"""Entries of the gradient matrix for factorizations: stacks, sizes from 0 to 17, no stack."""

from __future__ import annotations

import numpy as np

from fusegrad.ops import linalg
from gradient_entries import Shape, entry
from gradient_forms import Forms
from op_cases.linalg import (
    positive_definite,
    qr_signed,
    regular,
    tall,
)
from op_cases.table import draw, normal
from references import (
    cholesky,
    log_abs_det,
    pseudoinverse,
    qr_positive,
)

SQUARE: list[Shape] = [(1, 1), (2, 2), (5, 5), (3, 1, 1), (2, 1, 3, 3), (0, 3, 3), (2, 0, 0)]
RECTANGLES: list[Shape] = [(1, 1), (3, 1), (1, 4), (5, 2), (2, 3, 5), (2, 1, 4, 2), (0, 3, 2)]
STACKS: list[tuple[Shape, Shape]] = [
    ((1, 1), (1, 1)),
    ((3, 3), (2, 3, 2)),
    ((2, 3, 3), (3, 2)),
    ((2, 1, 2, 2), (3, 2, 1)),
    ((7, 7), (7, 9)),
    ((0, 2, 2), (2, 3)),
    ((2, 2), (2, 0)),
]


def square_forms() -> Forms:
    for shape in SQUARE:
        for op, function, reference, maker in [
            ("solve", linalg.inv, np.linalg.inv, regular),
            ("cholesky", linalg.cholesky, cholesky, positive_definite),
            ("det", linalg.det, np.linalg.det, regular),
            ("slogdet", lambda a: linalg.slogdet(a).logabsdet, log_abs_det, regular),
        ]:
            yield entry(
                op, f"form {reference.__name__} {shape}", draw(maker(*shape)), function, reference
            )


def solve_forms() -> Forms:
    for a, b in STACKS:
        yield entry(
            "solve",
            f"{a} {b}",
            draw(regular(*a), normal(*b)),
            linalg.solve,
            np.linalg.solve,
            (0, 1),
        )


def rectangle_forms() -> Forms:
    for shape in RECTANGLES:
        for op, label, function, reference in [
            ("pinv", "form", linalg.pinv, pseudoinverse),
            ("qr", "form q", lambda a: qr_signed(a)[0], lambda a: qr_positive(a)[0]),
            ("qr", "form r", lambda a: qr_signed(a)[1], lambda a: qr_positive(a)[1]),
        ]:
            if shape == (1, 1) and label == "form q":
                continue  # 1, whose slope is a rounding error
            yield entry(op, f"{label} {shape}", draw(tall(*shape)), function, reference)


FORMS = [square_forms, solve_forms, rectangle_forms]
