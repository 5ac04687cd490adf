"""What this machine can do at most, measured, and the least time that a workload needs with it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from processes import environment, processors

SIZES = (24 << 10, 512 << 10, 8 << 20, 96 << 20)  # in L1, L2, L3 and memory of usual processors


def measure_peak(seconds: float = 0.2) -> float:
    """Return the floating-point operations a second of one thread's fused multiply-adds."""
    from fusegrad import _core

    rounds, best = 1_000_000, 0.0
    ends = time.perf_counter() + seconds
    while time.perf_counter() < ends:
        started = time.perf_counter()
        flops = _core.fma_peak(rounds)
        best = max(best, flops / (time.perf_counter() - started))
    return best


def measure_bandwidth(size: int, threads: int, seconds: float = 0.25) -> float:
    """Return the bytes a second that threads read together, each from `size` bytes of its own."""
    import fusegrad as fg
    from fusegrad import _core

    tensors = [fg.Tensor(np.ones(size // 4, np.float32)) for _ in range(threads)]
    repeats = max(1, (64 << 20) // size)
    best = 0.0

    with ThreadPoolExecutor(threads) as pool:
        ends = time.perf_counter() + seconds
        while time.perf_counter() < ends:
            started = time.perf_counter()
            list(pool.map(_core.read_times, tensors, [repeats] * threads))
            elapsed = time.perf_counter() - started
            best = max(best, size * repeats * threads / elapsed)
    return best


def measure(threads: int) -> dict[str, Any]:
    """Return peak and bandwidths with this many threads, each on a processor of its own."""
    with ThreadPoolExecutor(threads) as pool:
        peaks = list(pool.map(lambda _: measure_peak(), range(threads)))
    bandwidths = [measure_bandwidth(n, threads) for n in SIZES]
    return {"flops": sum(peaks), "bytes": dict(zip(map(str, SIZES), bandwidths, strict=True))}


def measured(threads: list[int]) -> dict[str, Any]:
    """Return `measure` for each number of threads, keyed by it, each in a process of its own."""
    results = {}
    for count in threads:
        with processors(count):
            output = subprocess.run(
                [sys.executable, __file__, str(count)],
                capture_output=True, text=True, check=True, timeout=60, env=environment(count),
            ).stdout  # fmt: skip
        results[str(count)] = json.loads(output)
    return results


def bandwidth(limits: dict[str, Any], size: int) -> float:
    """Return the bytes a second at which data of this size can be read, from the level it fits."""
    rates = sorted((int(n), rate) for n, rate in limits["bytes"].items())
    return float(next((rate for n, rate in rates if size <= n), rates[-1][1]))


def least_seconds(flops: int, traffic: list[tuple[int, int]], limits: dict[str, Any]) -> float:
    """Return the time below which no program can be: the longer of arithmetic and memory.

    ``max(flops / peak, sum(bytes / bandwidth))``. What functions, random numbers and calls cost is
    left out, so a share of this limit is an understatement.
    """
    memory = sum(moved / bandwidth(limits, size) for moved, size in traffic)
    return float(max(flops / limits["flops"], memory))


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
