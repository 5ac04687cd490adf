"""Elementwise functions on float32 and float64 that stay in cache: nanoseconds an element."""

from __future__ import annotations

from typing import Any

import pytest

import fusegrad as fg
from worker import ulp_errors
from workloads import IN_CACHE, function_inputs


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sigmoid"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def bench_function(benchmark: Any, name: str, dtype: str) -> None:
    x = function_inputs(name, IN_CACHE)
    y = benchmark(getattr(fg.ops, name), fg.Tensor(x.astype(dtype)))
    if benchmark.stats:  # none under --benchmark-disable
        benchmark.extra_info["ns per element"] = benchmark.stats["median"] / IN_CACHE * 1e9
    largest, _ = ulp_errors(name, x, y.numpy())
    benchmark.extra_info["largest error in float32 units"] = largest
    assert largest <= 2
