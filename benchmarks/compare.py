"""fusegrad beside its peers: the same work, in turns, with the limits of the machine.

    python benchmarks/compare.py [--quick] [workload or group ...] [--output results.json]
    python benchmarks/compare.py --from results.json [--docs]

Runs every contender that is installed (extra `peers`), writes a JSON file, and prints tables.
Where workloads are named and the file exists, they replace its own, and the rest of it stays.
`--docs` also draws the charts and fills in the tables of docs/benchmarks.md. Exits with 1 when
fusegrad itself failed somewhere.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import costs
import limits
import processes
import report
import workloads
from peers import AUTODIFF_MODULES, MODULES, OURS
from workloads import ALL, AUTODIFF, Call, Training, Workload

DOCS = Path(__file__).resolve().parents[1] / "docs"
RESULTS = Path(__file__).resolve().parent / "results"
NOT_QUICK = {"torch_compile"}  # compiles for most of a minute
ROUNDS, QUICK_ROUNDS = 7, 3
TURN, QUICK_TURN = 0.02, 0.005  # seconds that the calls of one turn last
BUDGET, QUICK_BUDGET = 5.0, 1.0  # seconds that a contender may take for one workload


def processor_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def machine() -> dict[str, Any]:
    from fusegrad import _core

    return {
        "processor": processor_name(),
        "processors": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "isa": _core.isa(),
        "compiler": _core.compiler(),
    }


def chosen(names: list[str], quick: bool) -> list[Workload]:
    """Return the workloads of these names or groups; all for none."""
    known = {*ALL, *(w.group for w in ALL.values())}
    if unknown := sorted(set(names) - known):
        raise SystemExit(f"no workload or group {', '.join(unknown)}; there are {sorted(known)}")
    if names:
        return [w for w in ALL.values() if w.name in names or w.group in names]
    return [w for w in ALL.values() if not quick or getattr(w, "quick", True)]


def measure(
    team: processes.Team, w: Workload, folder: Path, quick: bool, rounds: int, turn: float
) -> dict[str, Any]:
    """Run one workload and return it with its results, in seconds a step, call or element."""
    count = 1
    if isinstance(w, workloads.Cost):
        threads = max(next(iter(team.members.values())))
        results = costs.measure(w.kind, team.names, folder, threads, quick)
    else:
        rows = workloads.store(folder, w, quick)
        if isinstance(w, Training):
            count = w.steps(rows)
        results = processes.take_turns(
            team, w.name, rows,
            one_thread=isinstance(w, Call) and w.one_thread,
            forms=isinstance(w, Training) and w.data == "fashion_uint8",
            rounds=rounds,
            seconds=turn,
            budget=QUICK_BUDGET if quick else BUDGET,
        )  # fmt: skip
    elements = w.count if isinstance(w, Call) else 1
    count = max(count, elements)
    if w.group == "functions":
        add_errors(team, w.name, results)
    for row in results.values():
        if "rounds" in row:
            row["rounds"] = {r: seconds / count for r, seconds in row["rounds"].items()}
        for trial in row.get("trials", []):
            trial["seconds"] /= count
    workload = {
        "name": w.name,
        "title": w.title,
        "group": w.group,
        "unit": w.unit,
        "per": w.per,
        "one_thread": isinstance(w, Call) and w.one_thread,
        "flops": w.flops() / elements,
        "traffic": [(moved / elements, size) for moved, size in w.traffic()],
        "results": results,
    }
    report.check(workload, quick)
    return workload


def add_errors(team: processes.Team, name: str, results: dict[str, Any]) -> None:
    modules = {n: module for module, n in team.names.items()}
    for contender, row in results.items():
        process = next(iter(team.members[modules[contender]].values()))
        if "failed" not in row:
            try:
                row["error"] = process.ask("errors", workload=name)
            except processes.Failed as reason:
                row["failed"] = str(reason)


def run(
    names: list[str],
    quick: bool,
    only: list[str],
    rounds: int,
    turn: float,
    save: Callable[[dict[str, Any]], Any],
) -> None:
    """Measure, and save all that a report needs after each workload: a run may be interrupted."""
    started = time.monotonic()
    everything = len(os.sched_getaffinity(0))
    counts = sorted({1, min(2, everything)})
    todo = chosen(names, quick)
    known = (*MODULES, *(AUTODIFF_MODULES if any(w.group == AUTODIFF for w in todo) else ()))
    modules = tuple(m for m in known if (not only or m in only) and not (quick and m in NOT_QUICK))
    results: dict[str, Any] = {
        "when": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "quick": quick,
        "machine": machine(),
        "limits": limits.measured(counts),
        "workloads": [],
    }
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        team = processes.Team(modules, counts[:1] if quick else counts, folder)
        results["versions"], results["failed"] = team.versions(), team.failed
        try:
            for w in todo:
                began = time.monotonic()
                results["workloads"].append(measure(team, w, folder, quick, rounds, turn))
                results["minutes"] = (time.monotonic() - started) / 60
                save(results)
                print(f"{w.title}: {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
        finally:
            team.close()


def merge(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return an earlier run with the workloads of a new one in place of its own."""
    if (old["machine"], old["quick"]) != (new["machine"], new["quick"]):
        raise SystemExit("the output file is of another machine, or quick where this is not")
    found = {w["name"]: w for w in [*old["workloads"], *new["workloads"]]}
    ordered = [found[name] for name in ALL if name in found]
    together = {"workloads": ordered, "minutes": old["minutes"] + new["minutes"]}
    versions = {"versions": {**old["versions"], **new["versions"]}}
    return {**old, **new, **versions, **together}


def write_docs(results: dict[str, Any]) -> None:
    if report.complete(results):  # else the charts would lose what was not run
        import charts

        for path in charts.draw(results, DOCS / "images"):
            print(f"drawn: {path}", file=sys.stderr)
    page = DOCS / "benchmarks.md"
    page.write_text(report.replace_sections(page.read_text(), report.sections(results)))
    print(f"written: {page}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="workload", help="names or groups; default all")
    parser.add_argument("--quick", action="store_true", help="smaller, one thread, 3 minutes")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        help="module of benchmarks/peers; others drop out of the workload",
    )
    parser.add_argument(
        "--rounds", type=int, help=f"default {ROUNDS}; more where the machine is busy"
    )
    parser.add_argument("--turn", type=float, help=f"seconds of calls; default {TURN}")
    parser.add_argument("--fastest", action="store_true", help="report the fastest rounds alone")
    parser.add_argument("--output", type=Path, help="default: benchmarks/results/compare.json")
    parser.add_argument("--from", type=Path, dest="source", help="report this file; run nothing")
    parser.add_argument("--docs", action="store_true", help="rewrite docs/benchmarks.md, charts")
    options = parser.parse_args()
    if options.source is not None:
        results = json.loads(options.source.read_text())
    else:
        output = options.output or RESULTS / "compare.json"
        output.parent.mkdir(parents=True, exist_ok=True)
        earlier = json.loads(output.read_text()) if options.names and output.exists() else None

        def save(found: dict[str, Any]) -> None:
            found = merge(earlier, found) if earlier is not None else found
            output.write_text(json.dumps(found, indent=1))

        turn = options.turn or (QUICK_TURN if options.quick else TURN)
        rounds = options.rounds or (QUICK_ROUNDS if options.quick else ROUNDS)
        run(options.names, options.quick, options.only, rounds, turn, save)
        results = json.loads(output.read_text())
        print(f"written: {output}", file=sys.stderr)
    if options.fastest:
        results = report.fastest(results)
    print(report.printed(results))
    if options.docs:
        write_docs(results)
    return int(any("failed" in w["results"].get(OURS, {}) for w in results["workloads"]))


if __name__ == "__main__":
    sys.exit(main())
