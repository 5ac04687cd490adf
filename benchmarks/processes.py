"""Contenders as long-lived processes, and turns taken one after another.

While one works, the others wait on a pipe, so nobody is measured beside somebody else.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
START_TIMEOUT, TURN_TIMEOUT = 120.0, 120.0  # seconds, after which a contender has failed
THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "FUSEGRAD_NUM_THREADS",
)  # fmt: skip
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3", "JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}


class Failed(Exception):
    """A contender raised, died or took too long."""


class Unsupported(Exception):
    """A contender does not take part."""


def environment(threads: int) -> dict[str, str]:
    counts = dict.fromkeys(THREAD_VARIABLES, str(threads))
    path = os.pathsep.join(filter(None, [str(HERE), os.environ.get("PYTHONPATH")]))
    return {**os.environ, **QUIET, **counts, "PYTHONPATH": path}


@contextlib.contextmanager
def processors(count: int) -> Iterator[None]:
    """Run with this many processors: a process started meanwhile inherits them for good.

    That is the one limit that every library obeys. The last ones are taken, since interrupts and
    others tend to live on the first.
    """
    everything = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(everything)[-count:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, everything)


class Process:
    """One contender with one number of threads."""

    def __init__(self, module: str, threads: int, folder: Path) -> None:
        self.module, self.threads = module, threads
        with processors(threads):
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", str(HERE / "worker.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment(threads),
            )
        self._buffer = b""
        try:
            request = {"command": "start", "module": module, "folder": str(folder)}
            self.about = self._ask(START_TIMEOUT, **request)
        except Failed:
            self.close()
            raise

    def _ask(self, timeout: float, **request: Any) -> dict[str, Any]:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
        except BrokenPipeError:
            raise Failed(f"its process ended ({process.poll()})") from None
        deadline = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
                self.close()
                raise Failed(f"no answer to {request['command']!r} within {timeout:.0f} s")
            chunk = os.read(process.stdout.fileno(), 65_536)
            if not chunk:
                raise Failed(f"its process ended ({process.wait()})")
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        answer: dict[str, Any] = json.loads(line)
        if "unsupported" in answer:
            raise Unsupported(answer["unsupported"])
        if "failed" in answer:
            raise Failed(answer["failed"])
        return answer

    def ask(self, command: str, **request: Any) -> dict[str, Any]:
        return self._ask(TURN_TIMEOUT, command=command, **request)

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()


class Team:
    """All processes of a run; those that cannot start are remembered with the reason."""

    def __init__(self, modules: tuple[str, ...], threads: list[int], folder: Path) -> None:
        self.members: dict[str, dict[int, Process]] = {}
        self.failed: dict[str, str] = {}
        for module in modules:
            for count in threads:
                try:
                    process = Process(module, count, folder)
                except Failed as reason:
                    self.failed[module] = str(reason)
                    break
                self.members.setdefault(module, {})[count] = process
        self.names = {m: next(iter(p.values())).about["name"] for m, p in self.members.items()}

    def versions(self) -> dict[str, str]:
        about = [next(iter(p.values())).about for p in self.members.values()]
        return {row["name"]: row["version"] for row in about}

    def close(self) -> None:
        for processes in self.members.values():
            for process in processes.values():
                process.close()


class Candidate:
    """A contender in one of its forms and thread counts, prepared for a workload."""

    def __init__(self, process: Process, form: str) -> None:
        self.process, self.form = process, form
        self.check: list[float] = []
        self.trial = float("inf")

    def prepare(self, workload: str, rows: int, seconds: float) -> None:
        request = {"workload": workload, "rows": rows, "form": self.form, "seconds": seconds}
        self.check = self.process.ask("prepare", **request)["check"]
        self.trial = self.process.ask("go")["seconds"]


def choose(candidates: list[Candidate], workload: str, rows: int, seconds: float) -> Candidate:
    """Try threads and forms; return the fastest, prepared anew unless it still is, and drop others.

    A form that is clearly slower in one thread is not tried in two.
    """
    best: Candidate | None = None
    for candidate in candidates:
        others = [c for c in candidates if c.trial < float("inf")]
        same_form = [c.trial for c in others if c.form == candidate.form]
        if same_form and min(same_form) > 1.5 * min(c.trial for c in others):
            continue
        holder = next((c for c in others if c.process is candidate.process), None)
        candidate.prepare(workload, rows, seconds)
        if best is None or candidate.trial < best.trial:
            if best is not None and best.process is not candidate.process:
                best.process.ask("release")
            best = candidate
        elif candidate.process is not best.process:
            candidate.process.ask("release")
        elif holder is not None:  # its process now holds the slower form
            best.prepare(workload, rows, seconds)
    assert best is not None
    return best


def take_turns(
    team: Team, workload: str, rows: int, one_thread: bool, forms: bool,
    rounds: int, seconds: float, budget: float,
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Measure a workload: for each contender its rounds, or why it has none.

    `seconds` is how long a turn of a short call lasts, `budget` how long one contender may take
    in all; the slow ones take part in the first rounds only, two at the least. The order rotates.
    """
    results: dict[str, dict[str, Any]] = {}
    chosen: list[tuple[str, Candidate]] = []
    for module, name in team.names.items():
        processes = [p for p in team.members[module].values() if p.alive]
        if one_thread:
            processes = [p for p in processes if p.threads == 1]
        if not processes:
            results[name] = {"failed": "its process ended in an earlier workload"}
            continue
        offered = processes[0].about["forms"] if forms else ["float32"]
        candidates = [Candidate(p, form) for p in processes for form in offered]
        try:
            best = choose(candidates, workload, rows, seconds)
        except Unsupported:
            continue
        except Failed as reason:
            results[name] = {"failed": str(reason)}
            continue
        chosen.append((name, best))
        results[name] = {
            "threads": best.process.threads,
            "form": best.form,
            "check": best.check,
            "trials": [
                {"threads": c.process.threads, "form": c.form, "seconds": c.trial}
                for c in candidates
                if c.trial < float("inf")
            ],
            "rounds": {},
        }
    spent = dict.fromkeys(results, 0.0)
    for r in range(rounds):
        shift = r % max(len(chosen), 1)
        for name, candidate in chosen[shift:] + chosen[:shift]:
            row = results[name]
            if "failed" in row or (r >= 2 and spent[name] > budget):
                continue
            started = time.perf_counter()
            try:
                row["rounds"][str(r)] = candidate.process.ask("go")["seconds"]
            except Failed as reason:
                row["failed"] = str(reason)
            spent[name] += time.perf_counter() - started
    for _, candidate in chosen:
        with contextlib.suppress(Failed):
            candidate.process.ask("release")
    return results
