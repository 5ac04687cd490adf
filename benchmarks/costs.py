"""What a package costs before and beside its arithmetic: import, size on disk, memory."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import workloads
from processes import Failed, Process, Unsupported, environment

# What it takes to be ready to train.
IMPORTS = {
    "fusegrad": "from fusegrad import Sequential, layers, losses, ops, optimizers",
    "JAX jit": "import jax, jax.numpy",
    "Keras (JAX)": "import os; os.environ['KERAS_BACKEND'] = 'jax'; import keras",
    "Keras (TensorFlow)": "import os; os.environ['KERAS_BACKEND'] = 'tensorflow'; import keras",
    "PyTorch eager": "import torch",
    "scikit-learn": "from sklearn.neural_network import MLPClassifier",
    "HIPS autograd": "import autograd, autograd.numpy",
    "MyGrad": "import mygrad",
    "NumPy by hand": "import numpy",
}
# Top-level packages of each; the libraries that a wheel keeps beside them are counted too.
PACKAGES = {
    "fusegrad": ["fusegrad"],
    "JAX jit": ["jax", "jaxlib"],
    "Keras (JAX)": ["keras", "jax", "jaxlib"],
    "Keras (TensorFlow)": ["keras", "tensorflow"],
    "PyTorch eager": ["torch"],
    "scikit-learn": ["sklearn"],
    "HIPS autograd": ["autograd"],
    "MyGrad": ["mygrad"],
    "NumPy by hand": ["numpy"],
}
SOURCES = {".pyx", ".pxd", ".pxi", ".pyc"}  # in our tree but not in our wheel; made when used


def import_seconds(statement: str) -> float:
    """Return the time of an import in a fresh interpreter, interpreter start not counted."""
    code = (
        f"import time; start = time.perf_counter()\n{statement}\nprint(time.perf_counter() - start)"
    )
    output = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, timeout=60, env=environment(1),
    ).stdout  # fmt: skip
    return float(output.split()[-1])


def installed_bytes(packages: list[str]) -> int:
    total = 0
    for package in packages:
        spec = importlib.util.find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise ModuleNotFoundError(package)
        folder = Path(next(iter(spec.submodule_search_locations)))
        for root in (folder, folder.with_name(f"{package}.libs")):
            files = (f for f in root.rglob("*") if f.is_file() and f.suffix not in SOURCES)
            total += sum(f.stat().st_size for f in files)
    return total


def memory_bytes(module: str, folder: Path, threads: int, rows: int) -> float:
    """Return what one turn of training adds to the peak of resident memory, above the data."""
    process = Process(module, threads, folder)
    try:
        form = "uint8" if "uint8" in process.about["forms"] else "float32"
        request = {"workload": "seed_uint8", "rows": rows, "form": form}
        return float(process.ask("memory", **request)["bytes"])
    finally:
        process.close()


def measure(
    kind: str, names: dict[str, str], folder: Path, threads: int, quick: bool
) -> dict[str, dict[str, Any]]:
    """Return the rounds of each contender, by its name; `names` maps modules to names."""
    results: dict[str, dict[str, Any]] = {}
    uint8 = workloads.ALL["seed_uint8"]
    assert isinstance(uint8, workloads.Training)
    rows = workloads.store(folder, uint8, quick) if kind == "memory" else 0
    tables: dict[str, dict[str, Any]] = {"import": IMPORTS, "installed": PACKAGES}
    table = tables.get(kind)
    count = 3 if kind == "import" and not quick else 1
    for module, name in names.items():
        if table is not None and name not in table:
            continue
        try:
            rounds: dict[str, float] = {}
            for r in range(count):
                if kind == "import":
                    rounds[str(r)] = import_seconds(IMPORTS[name])
                elif kind == "installed":
                    rounds[str(r)] = installed_bytes(PACKAGES[name])
                else:
                    rounds[str(r)] = memory_bytes(module, folder, threads, rows)
            results[name] = {"threads": threads if kind == "memory" else 1, "rounds": rounds}
        except Unsupported:
            continue
        except (Failed, ImportError, subprocess.SubprocessError, ValueError, IndexError) as reason:
            results[name] = {"failed": str(reason)[:200]}
    return results
