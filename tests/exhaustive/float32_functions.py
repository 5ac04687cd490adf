"""Tries the float32 functions on every one of the 2^32 arguments.

    python tests/exhaustive/float32_functions.py            # a table, and results.json beside it
    FUSEGRAD_ISA=avx2 python tests/exhaustive/float32_functions.py --hashes
    python tests/exhaustive/float32_functions.py --step 4099 --dry-run
    python tests/exhaustive/float32_functions.py sin cos --step 17  # written with their step

The exact value is NumPy's (`erf`: SciPy's) in float64, whose error is below 1e-5 units in the last
place of a float32. An error counts in units in the last place of the exact value; a result that
should be NaN, infinite or a signed zero and is not, or is and should not be, counts as infinite.
The hash is over all results in the order of the arguments' bits. `--hashes` computes nothing but
the hashes, for comparing instruction-set levels.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import special

import fusegrad as fg
from fusegrad import _core, ops

Array = np.ndarray[Any, Any]

BOUNDS = {
    "exp": 1.0,
    "expm1": 1.0,
    "log": 1.0,
    "log1p": 1.0,
    "tanh": 1.0,
    "sigmoid": 2.0,
    "softplus": 2.0,
    "silu": 1.0,
    "erf": 2.0,
}
# Evaluated in double and rounded once; NumPy has them by the same names.
IN_DOUBLE = (
    "exp2", "log2", "log10", "cbrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh",
    "cosh", "arcsinh", "arccosh", "arctanh",
)  # fmt: skip
BOUNDS.update(dict.fromkeys(IN_DOUBLE, 0.51))
EXACT: dict[str, Callable[[Array], Array]] = {
    "exp": np.exp,
    "expm1": np.expm1,
    "log": np.log,
    "log1p": np.log1p,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x))),
    "silu": lambda x: np.where(x == -np.inf, -0.0, x / (1 + np.exp(-x))),
    "erf": special.erf,
}
EXACT.update({name: getattr(np, name) for name in IN_DOUBLE})
RESULTS = Path(__file__).with_name("results.json")
ALL = 1 << 32
BLOCK = 1 << 24
PIECE = 1 << 17  # arguments at a time: small enough for the cache


def errors(got: Array, exact: Array) -> Array:
    """Distance of float32 results from float64 values, in units in the last place of the latter."""
    _, exponent = np.frexp(exact)
    unit = np.ldexp(1.0, np.maximum(exponent - 24, -149))
    overflow = 2.0**128
    measured = np.where(np.isinf(got), np.copysign(overflow, got), got.astype(np.float64))
    distance = np.abs(measured - exact) / np.where(np.abs(exact) < overflow, unit, 2.0**104)
    # float64 infinity or more than the next float32 would be: only infinity will do.
    beyond = np.abs(exact) >= overflow
    distance = np.where(beyond, np.where(got == np.sign(exact) * np.inf, 0.0, np.inf), distance)
    misplaced = (np.isnan(got) != np.isnan(exact)) | (np.signbit(got) != np.signbit(exact))
    distance = np.where(np.isnan(exact), 0.0, distance)
    return np.where(misplaced & ~(np.isnan(got) & np.isnan(exact)), np.inf, distance)


def examine(name: str, first: int, last: int, step: int, hashes_only: bool) -> dict[str, Any]:
    """The worst error, and where, over the arguments of bits first, first + step, ... < last."""
    function, reference = getattr(ops, name), EXACT[name]
    digest = hashlib.sha256()
    worst, at, wrong, count = 0.0, first, 0, 0
    for start in range(first, last, PIECE * step):
        stop = min(start + PIECE * step, last)
        x = np.arange(start, stop, step, dtype=np.int64).astype(np.uint32).view(np.float32)
        got = function(x).numpy()
        count += x.size
        digest.update(np.where(np.isnan(got), np.float32(np.nan), got).tobytes())
        if hashes_only:
            continue
        with np.errstate(all="ignore"):
            exact = reference(x.astype(np.float64))
            rounded = exact.astype(np.float32)
            differ = (rounded.view(np.uint32) != got.view(np.uint32)) & ~(
                np.isnan(rounded) & np.isnan(got)
            )
            places = np.flatnonzero(differ)
            if places.size == 0:
                continue
            error = errors(got[places], exact[places])
        wrong += places.size
        largest = int(np.argmax(error))
        if error[largest] > worst:
            worst, at = float(error[largest]), start + int(places[largest]) * step
    return {"worst": worst, "at": at, "wrong": wrong, "count": count, "hash": digest.hexdigest()}


def examine_block(task: tuple[str, int, int, bool]) -> dict[str, Any]:
    name, block, step, hashes_only = task
    fg.set_num_threads(1)
    first = -(-block // step) * step  # the first multiple of step from the block on
    return examine(name, first, block + BLOCK, step, hashes_only)


def report(name: str, step: int, hashes_only: bool, pool: Any) -> dict[str, Any]:
    tasks = [(name, first, step, hashes_only) for first in range(0, ALL, BLOCK)]
    blocks = pool.map(examine_block, tasks, chunksize=1)
    whole = hashlib.sha256("".join(b["hash"] for b in blocks).encode())
    worst = max(blocks, key=lambda b: b["worst"])
    found: dict[str, Any] = {
        "arguments": sum(b["count"] for b in blocks),
        "hash": whole.hexdigest()[:32],
    }
    if not hashes_only:
        argument = np.array(worst["at"], np.uint32).view(np.float32)
        found["worst"] = round(worst["worst"], 4)
        found["at"] = float(argument).hex()
        found["not_correctly_rounded"] = sum(b["wrong"] for b in blocks)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Tries float32 functions on every argument.")
    parser.add_argument("functions", nargs="*", default=list(EXACT), metavar="function")
    parser.add_argument("--step", type=int, default=1, help="every step-th argument only")
    parser.add_argument("--hashes", action="store_true", help="hashes only, no errors")
    parser.add_argument("--dry-run", action="store_true", help="leave results.json alone")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    given = parser.parse_args()
    level = _core.isa()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    failed = False
    print(f"{level}: function, worst error, where, not correctly rounded, hash")
    with multiprocessing.Pool(given.processes) as pool:
        for name in given.functions:
            found = report(name, given.step, given.hashes, pool)
            print(
                f"{name:9} {found.get('worst', '-'):>7} {found.get('at', '-'):>16} "
                f"{found.get('not_correctly_rounded', '-'):>10} {found['hash']}",
                flush=True,
            )
            failed = failed or found.get("worst", 0.0) > BOUNDS[name]
            if not given.dry_run:
                if given.step > 1:
                    found["step"] = given.step
                results.setdefault(level, {})[name] = found
                RESULTS.write_text(json.dumps(results, indent=2) + "\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
