"""Import, installed size, and memory above the data while training: each in a fresh process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import costs
import workloads


def bench_import(benchmark: Any) -> None:
    """The interpreter's start is part of the benchmark's time, and not of the extra figure."""
    seconds = benchmark.pedantic(
        costs.import_seconds, args=(costs.IMPORTS["fusegrad"],), rounds=3, iterations=1
    )
    benchmark.extra_info["seconds of the import alone"] = seconds
    assert seconds > 0


def bench_installed_size(benchmark: Any) -> None:
    size = benchmark.pedantic(
        costs.installed_bytes, args=(costs.PACKAGES["fusegrad"],), rounds=1, iterations=1
    )
    benchmark.extra_info["MB"] = size / 1e6
    assert size > 0


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def bench_memory_of_training(benchmark: Any, tmp_path: Path) -> None:
    workload = workloads.ALL["seed_uint8"]
    assert isinstance(workload, workloads.Training)
    rows = workloads.store(tmp_path, workload, quick=True)
    used = benchmark.pedantic(
        costs.memory_bytes, args=("fusegrad_", tmp_path, 2, rows), rounds=1, iterations=1
    )
    benchmark.extra_info["MB above the data"] = used / 1e6
    assert used > 0
