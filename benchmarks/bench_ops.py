"""Ops on float32 at the shapes of the case table, one thread's worth of work each."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from op_cases import CASES, OpCase

GRID = [(case, shape) for case in CASES for shape in case.bench]


def arguments(case: OpCase, shape: tuple[int, ...]) -> list[Any]:
    """The inputs of the case, its first input's shape stretched to `shape`."""
    rng = np.random.default_rng(0)
    inputs = [np.asarray(x) for x in case.inputs(rng)]
    sizes: dict[int, int] = dict(zip(inputs[0].shape, shape, strict=True))
    stretched = []
    for x in inputs:
        target = tuple(sizes.get(int(n), int(n)) for n in x.shape)
        if case.op in {"matmul", "dense"} and x is not inputs[0]:
            target = (shape[-1], 25) if x.ndim == 2 else (25,)
        values = np.resize(x, target)
        stretched.append(values.astype(np.float32) if values.dtype.kind == "f" else values)
    return stretched


@pytest.mark.parametrize(
    ("case", "shape"), GRID, ids=[f"{c.id}-{'x'.join(map(str, s))}" for c, s in GRID]
)
def bench_op(benchmark: Any, case: OpCase, shape: tuple[int, ...]) -> None:
    plain = arguments(case, shape)
    tensors = [fg.Tensor(x) for x in plain]
    result = benchmark(case.call, *tensors)
    wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in plain]
    want = np.asarray(case.reference(*wide))
    if want.dtype.kind in "bi":
        np.testing.assert_array_equal(result.numpy(), want)
        return
    scale = max(float(np.max(np.abs(want))), 1e-30)
    assert float(np.max(np.abs(result.numpy() - want))) <= 1e-4 * scale
