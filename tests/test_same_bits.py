"""Same seed, same bits: for every ISA level that runs here and for 1 to 4 threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from fusegrad import _core

HERE = Path(__file__).resolve().parent
LEVELS = list(_core.isa_levels())


@cache
def bits(level: str, threads: int) -> dict[str, str]:
    environment = dict(os.environ, FUSEGRAD_ISA=level, FUSEGRAD_NUM_THREADS=str(threads))
    run = subprocess.run(
        [sys.executable, "-W", "error", str(HERE / "op_bits.py")],
        env=environment, cwd=HERE, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    hashes: dict[str, str] = json.loads(run.stdout)
    return hashes


def test_levels_are_several() -> None:
    assert "baseline" in LEVELS or "neon" in LEVELS


@pytest.mark.parametrize("level", LEVELS)
def test_levels_agree(level: str) -> None:
    assert bits(level, 1) == bits(LEVELS[0], 1)


@pytest.mark.parametrize("threads", [2, 3, 4])
@pytest.mark.parametrize("level", LEVELS)
def test_threads_agree(level: str, threads: int) -> None:
    assert bits(level, threads) == bits(LEVELS[0], 1)
