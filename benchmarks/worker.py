"""A contender's process: does a turn when told to, says how long it took, and waits again.

Started by `processes.py`, which sets threads and processors before Python starts. Requests and
answers are lines of JSON on stdin and on what was stdout; what libraries print goes to stderr.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import math
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import workloads
from peers import Unsupported


def leaves(result: Any) -> list[Any]:
    """Return the numbers and arrays of a result as NumPy arrays, in order."""
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in leaves(part)]
    if hasattr(result, "detach"):
        result = result.detach()
    return [np.asarray(result.numpy() if hasattr(result, "numpy") else result)]


def checksums(result: Any) -> list[float]:
    """Return for each array of the result the mean of its magnitudes, in double precision."""
    return [float(np.mean(np.abs(leaf), dtype=np.float64)) for leaf in leaves(result)]


def ulp_errors(kind: str, x: Any, y: Any) -> tuple[float, float]:
    """Return the largest and the mean error of y = f(x), in units in the last place of float32.

    The reference is float64, whose own error is about 2**-29 of such a unit.
    """
    wide = x.astype(np.float64)
    exact = 1 / (1 + np.exp(-wide)) if kind == "sigmoid" else getattr(np, kind)(wide)
    error = np.abs(y - exact) / np.spacing(np.abs(exact.astype(np.float32))).astype(np.float64)
    return float(error.max()), float(error.mean())


class Worker:
    def __init__(self, module: str, folder: str) -> None:
        self.contender: Any = importlib.import_module(f"peers.{module}")
        self.folder = Path(folder)
        self.turn: Any = None
        self.repeats = 1
        gc.collect()
        gc.freeze()  # what imports left is not looked at again: some packages leave a great deal

    def hello(self) -> dict[str, Any]:
        return {
            "name": self.contender.NAME,
            "version": self.contender.version(),
            "forms": list(getattr(self.contender, "FORMS", ("float32",))),
        }

    def prepare(self, workload: str, rows: int, form: str, seconds: float) -> dict[str, Any]:
        """Build, run the first turn, and find how many calls last `seconds`."""
        self.release()
        w: Any = workloads.ALL[workload]
        prepared = workloads.read(self.folder, w, rows, form)
        self.turn = self.contender.prepare(prepared)
        first = self.turn()
        answer: dict[str, Any] = {"check": checksums(first)}
        self.repeats = 1
        if isinstance(w, workloads.Call):
            self.turn()  # what is compiled on the second call
            started = time.perf_counter()
            count = 0
            while count < 3 or time.perf_counter() - started < seconds / 4:
                if count and time.perf_counter() - started > 4 * seconds:
                    break
                self.turn()
                count += 1
            each = (time.perf_counter() - started) / count
            self.repeats = max(1, math.ceil(seconds / each))
        return answer

    def errors(self, workload: str) -> dict[str, Any]:
        """Return the errors of a function on a million inputs."""
        w: Any = workloads.ALL[workload]
        x = workloads.function_inputs(w.kind, 1_000_000)
        turn = self.contender.prepare(workloads.Prepared(w, arguments=[x]))
        (y,) = leaves(turn())
        largest, mean = ulp_errors(w.kind, x, y)
        return {"largest": largest, "mean": mean}

    def go(self) -> dict[str, Any]:
        turn, repeats = self.turn, self.repeats
        gc.collect()
        gc.disable()
        started = time.perf_counter()
        for _ in range(repeats):
            result = turn()
        elapsed = time.perf_counter() - started
        gc.enable()
        answer: dict[str, Any] = {"seconds": elapsed / repeats}
        if isinstance(result, float):
            answer["loss"] = result
        return answer

    def release(self) -> None:
        self.turn = None
        gc.collect()

    def memory(self, workload: str, rows: int, form: str) -> dict[str, Any]:
        """Return by how many bytes a turn raises the peak of resident memory above the data."""
        w: Any = workloads.ALL[workload]
        prepared = workloads.read(self.folder, w, rows, "uint8")
        gc.collect()
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts again from here
        before = resident("VmRSS")
        if form == "float32":  # a contender that cannot take uint8 needs a copy
            prepared.x = prepared.x.astype(np.float32) / np.float32(255)
        turn = self.contender.prepare(prepared)
        turn()
        return {"bytes": resident("VmHWM") - before}


def resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) * 1024
    raise OSError(f"no {field} in /proc/self/status")


def main() -> None:
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker: Worker | None = None
    for line in sys.stdin:
        request = json.loads(line)
        command = request.pop("command")
        try:
            if command == "start":
                worker = Worker(**request)
                answer: dict[str, Any] = worker.hello()
            else:
                answer = getattr(worker, command)(**request) or {}
        except Unsupported as reason:
            answer = {"unsupported": str(reason)}
        except Exception as error:  # told to the parent, which reports it and goes on
            answer = {"failed": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        with contextlib.suppress(BrokenPipeError):
            replies.write(json.dumps(answer) + "\n")
            replies.flush()


if __name__ == "__main__":
    main()
