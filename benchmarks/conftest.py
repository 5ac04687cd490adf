"""What every benchmark states: machine, ISA level, threads. Data shared by the suites."""

from __future__ import annotations

import platform
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))


def pytest_report_header() -> str:
    from fusegrad import _core

    return (
        f"fusegrad {fg.__version__}, ISA {_core.isa()}, threads {_core.num_threads()}, "
        f"numpy {np.__version__}, {platform.machine()}"
    )


def load_images() -> tuple[Any, Any]:
    """60,000 rows like Fashion-MNIST's: the files where the user has them, else made up."""
    from fusegrad import datasets

    try:
        (x, y), _ = datasets.load_fashion_mnist()
    except FileNotFoundError:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 10, size=60_000)
        x = rng.integers(0, 256, size=(60_000, 28, 28), dtype=np.uint8)
        x[np.arange(60_000), y, :] = 255  # one bright row a class, so that there is much to learn
    return x.reshape(-1, 784).astype(np.float32) / np.float32(255), y.astype(np.int64)


@pytest.fixture(scope="session")
def images() -> tuple[Any, Any]:
    return load_images()
