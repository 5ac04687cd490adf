"""Matrix products against the measured peak of one core: shapes, orders of memory, dtypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core
from workloads import SMALL

SHAPES = [*SMALL, (128, 784, 512), *((n, n, n) for n in (64, 256, 512, 1024))]


@pytest.fixture(scope="module")
def peak() -> float:
    import limits

    return limits.measure_peak(0.05)


def product(
    benchmark: Any, peak: float, a: Any, b: Any, *, transpose_a: bool, transpose_b: bool
) -> None:
    left = fg.Tensor(a.T.copy()).T if transpose_a else fg.Tensor(a)
    right = fg.Tensor(b.T.copy()).T if transpose_b else fg.Tensor(b)
    threads = _core.num_threads()
    fg.set_num_threads(1)
    try:
        result = benchmark(fg.ops.matmul, left, right)
    finally:
        fg.set_num_threads(threads)
    if benchmark.stats:  # none under --benchmark-disable
        rate = 2 * a.shape[0] * a.shape[1] * b.shape[1] / benchmark.stats["median"]
        benchmark.extra_info["GFLOP/s, one thread"] = rate / 1e9
        benchmark.extra_info["of the peak"] = rate / (peak if a.dtype == np.float32 else peak / 2)
    assert np.max(np.abs(result.numpy() - a.astype(np.float64) @ b)) < 1e-3


@pytest.mark.parametrize("shape", SHAPES, ids=lambda s: "x".join(map(str, s)))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def bench_matmul(benchmark: Any, peak: float, shape: tuple[int, int, int], dtype: str) -> None:
    m, k, n = shape
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
    product(benchmark, peak, a, b, transpose_a=False, transpose_b=False)


@pytest.mark.parametrize("order", ["tn", "nt", "tt"])
@pytest.mark.parametrize("shape", [(784, 32, 25), (512, 512, 512)], ids=str)
def bench_matmul_of_transposes(
    benchmark: Any, peak: float, shape: tuple[int, int, int], order: str
) -> None:
    m, k, n = shape
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(m, k)).astype("f4"), rng.normal(size=(k, n)).astype("f4")
    product(benchmark, peak, a, b, transpose_a=order[0] == "t", transpose_b=order[1] == "t")
