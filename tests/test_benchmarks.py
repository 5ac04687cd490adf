"""The benchmarks: that they are collected, and that tables and limits are worked out rightly."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core
from fusegrad.errors import ArgumentError

ROOT = Path(__file__).resolve().parents[1]
LIMITS = {
    "1": {"flops": 100e9, "bytes": {"1000": 50e9, "1000000": 20e9, "100000000": 10e9}},
    "2": {"flops": 200e9, "bytes": {"1000": 100e9, "1000000": 40e9, "100000000": 12e9}},
}


@pytest.fixture(autouse=True)
def benchmarks_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def results() -> dict[str, Any]:
    """A run of one workload in which the quick peer is the fastest, and another failed."""
    return {
        "when": "2026-01-02",
        "quick": False,
        "minutes": 1.0,
        "machine": {
            "processor": "a processor", "processors": 2, "system": "Linux 6", "python": "3.11.2",
            "isa": "avx2", "compiler": "gcc",
        },
        "limits": LIMITS,
        "versions": {"fusegrad": "0.1.0", "quick": "1", "slow": "2", "broken": "3"},
        "failed": {"absent": "ModuleNotFoundError: no module named absent"},
        "workloads": [
            {
                "name": "made_up", "title": "made up", "group": "training", "unit": "us",
                "per": "step", "one_thread": False,
                "flops": 2_000_000, "traffic": [[100_000, 500], [40_000, 900_000]],
                "results": {
                    "fusegrad": {
                        "threads": 2, "form": "float32", "check": [1.00],
                        "rounds": {"0": 20e-6, "1": 22e-6, "2": 24e-6, "3": 26e-6, "4": 28e-6},
                    },
                    "quick": {
                        "threads": 1, "form": "float32", "check": [1.02],
                        "rounds": {"0": 40e-6, "1": 33e-6, "2": 72e-6},
                    },
                    "slow": {
                        "threads": 1, "form": "float32", "check": [0.99],
                        "rounds": {"0": 90e-6, "1": 90e-6},
                    },
                    "wrong": {
                        "threads": 1, "form": "float32", "check": [1.5],
                        "rounds": {"0": 1e-6, "1": 1e-6},
                    },
                    "broken": {"failed": "no answer within 120 s"},
                },
            }
        ],
    }  # fmt: skip


def test_least_time_is_that_of_arithmetic_or_of_memory() -> None:
    from limits import bandwidth, least_seconds

    assert bandwidth(LIMITS["1"], 1000) == 50e9
    assert bandwidth(LIMITS["1"], 1001) == 20e9
    assert bandwidth(LIMITS["1"], 10**12) == 10e9
    # 2e6 / 100e9 = 20 us; 1e5 / 50e9 + 4e4 / 20e9 = 2 + 2 us
    assert least_seconds(2_000_000, [(100_000, 500), (40_000, 900_000)], LIMITS["1"]) == (
        pytest.approx(20e-6)
    )
    assert least_seconds(0, [(100_000, 500), (40_000, 900_000)], LIMITS["1"]) == (
        pytest.approx(4e-6)
    )


def test_work_of_a_training_step() -> None:
    from workloads import ALL, Training

    seed, uint8 = ALL["seed"], ALL["seed_uint8"]
    assert isinstance(seed, Training)
    # Three layers: 784*25 = 19,600, 25*15 = 375, 15*10 = 150. Twice the first, thrice the others.
    assert seed.flops() == 2 * 32 * (2 * 19_600 + 3 * 375 + 3 * 150)
    assert seed.parameters() == 19_600 + 25 + 375 + 15 + 150 + 10
    assert seed.steps(60_000) == 1875
    assert seed.steps(33) == 2
    assert seed.traffic() == [(32 * 784 * 4, 60_000 * 784 * 4), (28 * 20_175, 28 * 20_175)]
    assert uint8.traffic()[0] == (32 * 784, 60_000 * 784)
    assert ALL["matmul_32x784x25"].flops() == 2 * 32 * 784 * 25
    assert ALL["cross_entropy_1024x10"].traffic() == [(81_920, 81_920)]


def test_table_of_a_run() -> None:
    import report

    run = results()
    (workload,) = run["workloads"]
    report.check(workload, quick=False)
    # The median of 1.00, 1.02, 0.99, 1.5 is 1.01, and a loss may be 10 % off.
    assert workload["results"]["wrong"]["failed"].startswith("got [1.5]")
    assert report.fastest_peer(workload) == "quick"
    assert report.ratios(workload, "quick") == pytest.approx([2, 1.5, 3])
    assert report.quartiles([20, 22, 24, 26, 28]) == (22, 24, 26)
    # 2e6 / 200e9 = 10 us in two threads, of a median of 24 us.
    assert report.share_of_limit(workload, LIMITS) == pytest.approx(10 / 24)
    assert report.summary(run).splitlines()[2] == (
        "| made up; us per step | 24.0 (22.0 to 26.0), 2T | quick: 40.0 (36.5 to 56.0), 1T "
        "| 2.00 (1.75 to 2.50) | 42% |"
    )
    assert report.everybody(run, "training").splitlines()[2:] == [
        "| fusegrad | 24.0, 2T |", "| quick | 40.0, 1T |", "| slow | 90.0, 1T |",
        "| wrong | failed |", "| broken | failed |",
    ]  # fmt: skip
    assert "- absent: ModuleNotFoundError" in report.failures(run)
    assert "- made up, broken: no answer within 120 s" in report.failures(run)


def test_table_of_derivatives_has_a_row_for_each_way_to_use_fusegrad() -> None:
    import report

    run = results()
    (workload,) = run["workloads"]
    report.check(workload, quick=False)
    workload.update(group="autodiff", one_thread=True)
    rows = workload["results"]
    rows["fusegrad, jit"] = {**rows["fusegrad"], "rounds": {"0": 8e-6, "1": 11e-6}}
    rows["NumPy by hand"] = {**rows["slow"], "rounds": {"0": 1e-6, "1": 1e-6}}
    plain, compiled = report.summary(run).splitlines()[2:4]
    assert plain.startswith("| made up; us per step | 24.0 (22.0 to 26.0) | quick: 40.0")
    # 40 / 8 and 33 / 11; the quartiles between 3 and 5
    assert compiled.startswith("| made up; us per step, jit | 9.50 (8.75 to 10.2) | quick: 40.0")
    assert "| 4.00 (3.50 to 4.50) |" in compiled


def test_a_part_of_the_workloads_does_not_speak_for_the_page() -> None:
    import report

    run = results()
    pieces = report.sections(run)
    assert set(pieces) == {"training", "training-all"}
    assert pieces["training-all"].endswith(
        "Of a run of its own, 2026-01-02: fusegrad 0.1.0, quick 1, slow 2, broken 3."
    )
    quick = report.fastest(run)
    assert report.ratios(quick["workloads"][0], "quick") == pytest.approx([33 / 20])
    assert "2026-01-02, on a busy machine, the fastest round of each: " in report.own_run(quick)
    run["workloads"] = [{**run["workloads"][0], "group": group} for group in report.GROUPS]
    assert {"machine", "failures"} < set(report.sections(run))


def test_derivatives_by_every_way_to_write_them_agree(tmp_path: Path) -> None:
    from importlib import import_module

    import worker
    import workloads

    modules = ("fusegrad_", "fusegrad_ops", "fusegrad_jit", "numpy_by_hand")
    for w in workloads.ALL.values():
        if w.group != workloads.AUTODIFF:
            continue
        assert isinstance(w, workloads.Call)
        prepared = workloads.read(tmp_path, w, 0, "float32")
        found = []
        for module in modules:
            try:
                turn = import_module(f"peers.{module}").prepare(prepared)
            except import_module("peers").Unsupported:
                continue
            found.append(worker.checksums(turn()))
        assert len(found) >= 3
        for other in found[1:]:
            assert other == pytest.approx(found[0], rel=1e-4)


def test_a_named_workload_replaces_its_own_in_an_earlier_file() -> None:
    from compare import merge

    old, new = results(), results()
    old["workloads"] = [{"name": "seed", "n": 1}, {"name": "digits", "n": 1}]
    new["workloads"] = [{"name": "exp", "n": 2}, {"name": "seed", "n": 2}]
    both = merge(old, new)["workloads"]
    assert [(w["name"], w["n"]) for w in both] == [("seed", 2), ("digits", 1), ("exp", 2)]
    new["machine"]["isa"] = "neon"
    with pytest.raises(SystemExit, match="another machine"):
        merge(old, new)


def test_a_run_without_fusegrad_still_has_a_table() -> None:
    import report

    run = results()
    run["workloads"][0]["results"]["fusegrad"] = {"failed": "ValueError: no"}
    assert "| made up; us per step | ValueError: no |" in report.summary(run)
    del run["workloads"][0]["results"]["fusegrad"]
    assert "| made up; us per step | not available |" in report.summary(run)


def test_numbers_have_three_digits() -> None:
    import report

    values = [0.01234, 0.5, 9.876, 98.76, 987.6, 98_765.4]
    shown = ["0.0123", "0.50", "9.88", "98.8", "988", "98,765"]
    assert [report.number(v) for v in values] == shown


def test_generated_tables_replace_what_stands_between_markers() -> None:
    import report

    marker = "<!-- a: written by benchmarks/compare.py -->"
    page = f"before\n{marker}\nold\n<!-- end -->\nafter\n"
    once = report.replace_sections(page, {"a": "| new |", "b": "not asked for"})
    assert once == f"before\n{marker}\n\n| new |\n\n<!-- end -->\nafter\n"
    assert report.replace_sections(once, {"a": "| new |"}) == once


def test_page_has_a_place_for_every_table() -> None:
    import report

    page = (ROOT / "docs" / "benchmarks.md").read_text()
    names = ["machine", "failures", "accuracy", *report.GROUPS]
    for name in names:
        assert f"<!-- {name}: written by benchmarks/compare.py -->\n" in page, name


def test_errors_in_units_in_the_last_place() -> None:
    from worker import ulp_errors

    x = np.array([0.0, 1.0], np.float32)
    # exp(0) = 1, whose unit is 2**-23: one unit too large. exp(1) in float32 is the nearest one.
    y = np.array([1 + 2.0**-23, np.float32(math.e)], np.float32)
    largest, mean = ulp_errors("exp", x, y)
    assert largest == 1.0
    nearest = abs(float(np.float32(math.e)) - math.e) / 2.0**-22
    assert mean == pytest.approx((1 + nearest) / 2, rel=1e-6)


def test_a_process_takes_turns_and_says_what_it_cannot_do(tmp_path: Path) -> None:
    import processes
    import workloads

    team = processes.Team(("fusegrad_", "numpy_by_hand", "absent"), [1], tmp_path)
    try:
        assert "ModuleNotFoundError" in team.failed["absent"]
        assert team.versions()["fusegrad"] == fg.__version__
        rows = workloads.store(tmp_path, workloads.ALL["digits"], quick=True)  # type: ignore[arg-type]
        found = processes.take_turns(
            team, "digits", rows, one_thread=False, forms=False, rounds=2, seconds=0, budget=9
        )
        assert set(found) == {"fusegrad", "NumPy by hand"}
        for row in found.values():
            assert set(row["rounds"]) == {"0", "1"}
            assert row["threads"] == 1
        ours, theirs = (row["check"][0] for row in found.values())
        assert ours == pytest.approx(theirs, rel=0.1)
        (numpy_process,) = team.members["numpy_by_hand"].values()
        with pytest.raises(processes.Failed, match="KeyError"):
            numpy_process.ask("prepare", workload="none", rows=1, form="float32", seconds=0)
    finally:
        team.close()


def test_suites_are_collected() -> None:
    command = [sys.executable, "-m", "pytest", "benchmarks", "--collect-only", "-q"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for suite in ("kernels", "functions", "losses", "eager", "ops", "training", "costs"):
        assert f"benchmarks/bench_{suite}.py::" in listing


def test_limits_of_the_processor_are_measurable() -> None:
    assert _core.fma_peak(0) == 0
    # Twelve chains, two operations a lane; lanes are 4, 8 or 16.
    assert _core.fma_peak(10) in {10 * 12 * 2 * lanes for lanes in (4, 8, 16)}
    for size in (0, 1, 15, 16, 191, 192, 1000):
        x = np.arange(size, dtype=np.float32)
        assert _core.read_times(fg.Tensor(x), 2) == 2 * x.sum(dtype=np.float64)
    with pytest.raises(ArgumentError, match="float32"):
        _core.read_times(fg.Tensor(np.ones(3)), 1)


def test_a_file_is_reported_without_running(tmp_path: Path) -> None:
    source = tmp_path / "results.json"
    source.write_text(json.dumps(results()))
    command = [sys.executable, "benchmarks/compare.py", "--from", str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "| made up; us per step | 24.0" in done.stdout
