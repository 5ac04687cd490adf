"""The op case table: one row an op, which drives every check and the benchmarks.

``CASES`` has at least one row for each name in the core's op table (``test_registry.py`` counts
them). A row says how to call the op, on which inputs, and what NumPy in float64 makes of them; the
domain of the inputs (positive for ``log``, away from kinks for ``relu``) belongs to the row.

References of differentiable ops take complex numbers and branch on real parts (``references.py``):
``gradient_matrix.py`` differentiates them by complex step. It calls a row on its own inputs, and a
row with ``domains`` on operands of many other shapes as well.
"""

from __future__ import annotations

from op_cases import (
    along_axis,
    binary,
    custom,
    linalg,
    products,
    random,
    reductions,
    rounding,
    rows,
    shapes,
    trigonometric,
    unary,
    updates,
)
from op_cases.table import CASES, OpCase

__all__ = [
    "CASES",
    "OpCase",
    "along_axis",
    "binary",
    "custom",
    "linalg",
    "products",
    "random",
    "reductions",
    "rounding",
    "rows",
    "shapes",
    "trigonometric",
    "unary",
    "updates",
]
