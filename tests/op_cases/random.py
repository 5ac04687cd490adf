"""Random ops, checked for what is not random about them."""

from __future__ import annotations

import numpy as np

from fusegrad import ops
from op_cases.table import F32, case, draw, normal

case(
    "dropout",
    lambda x, p: ops.dropout(x, p, 0.0, seed=1, stream=2),
    draw(normal(4, 5), lambda rng: np.array([0, 0])),
    lambda x, p: x,
    grad=(0,),
    label="rate0",
)
case(
    "dropout",
    lambda x, p: ops.dropout(x, p, 1.0, seed=1, stream=2),
    draw(normal(4, 5), lambda rng: np.array([0, 0])),
    lambda x, p: np.zeros_like(x),
    label="rate1",
    bad=(
        (
            lambda: ops.dropout(np.ones((2, 2), F32), np.array([0, 0]), 1.5, seed=1, stream=2),
            "rate",
        ),
    ),
)
