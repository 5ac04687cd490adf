"""What every benchmark states: machine, ISA level, threads. Data shared by the suites."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests")]

import workloads  # noqa: E402


def pytest_report_header() -> str:
    from fusegrad import _core

    return (
        f"fusegrad {fg.__version__}, ISA {_core.isa()}, threads {_core.num_threads()}, "
        f"numpy {np.__version__}, {platform.machine()}"
    )


@pytest.fixture(scope="session")
def images() -> tuple[Any, Any]:
    return workloads.load("fashion")
