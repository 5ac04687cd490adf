"""Products of matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import ops
from op_cases.table import F32, case, draw, internal, normal
from references import sigmoid, softplus

MATMUL: list[tuple[tuple[int, ...], tuple[int, ...], str]] = [
    ((3, 4), (4, 5), ""),
    ((4,), (4,), "dot"),
    ((3, 4), (4,), "matvec"),
    ((4,), (4, 5), "vecmat"),
    ((2, 3, 4), (4, 5), "batch"),
    ((2, 1, 3, 4), (5, 4, 2), "broadcast"),
    ((3, 4), (2, 4, 5), "batch-right"),
]
for _a, _b, _label in MATMUL:
    case(
        "matmul",
        ops.matmul,
        draw(normal(*_a), normal(*_b)),
        np.matmul,
        grad=(0, 1),
        label=_label,
        bench=((32, 784), (128, 512), (512, 512)) if not _label else (),
        bad=((lambda: ops.matmul(np.ones((2, 3), F32), np.ones((2, 3), F32)), "3"),),
    )
case(
    "matmul", ops.matmul, draw(normal(33, 300), normal(300, 17)), np.matmul, grad=(), label="blocks"
)
case(
    "matmul",
    internal("matmul", transpose_a=True, transpose_b=True),
    draw(normal(4, 3), normal(5, 4)),
    lambda a, b: a.T @ b.T,
    grad=(0, 1),
    label="transposed",
)
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(np.real(z) > 0, z, 0.2 * z),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "softplus": softplus,
}
for _activation, _reference in ACTIVATIONS.items():
    case(
        "dense",
        lambda x, w, b, a=_activation: ops.dense(x, w, b, a),
        draw(normal(6, 4), normal(4, 3), normal(3)),
        lambda x, w, b, f=_reference: f(x @ w + b),
        grad=(0, 1, 2),
        label=_activation,
        bench=((32, 784),) if _activation == "relu" else (),
        bad=(
            (
                lambda: ops.dense(np.ones((2, 3), F32), np.ones((4, 5), F32), np.ones(5, F32)),
                "kernel|3",
            ),
        ),
    )
case(
    "dense",
    ops.dense,
    draw(normal(2, 3, 4), normal(4, 5)),
    lambda x, w: x @ w,
    grad=(0, 1),
    label="nobias",
)
