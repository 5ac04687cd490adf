"""Tables from the results of a run: medians, quartiles, paired ratios, shares of the limit."""

from __future__ import annotations

import copy
import statistics
from typing import Any

from limits import least_seconds
from peers import OURS

SCALES = {"ns": 1e9, "us": 1e6, "ms": 1e3, "MB": 1e-6}
LOSS_TOLERANCE, QUICK_LOSS_TOLERANCE = 0.1, 0.25  # of the median loss; every shuffle differs
VALUE_TOLERANCE = 1e-4  # of the median value
GROUPS = {
    "training": "Training",
    "matmul": "Matrix products",
    "loss": "Losses with gradients",
    "call": "Single calls",
    "functions": "Functions",
    "autodiff": "Automatic differentiation",
    "costs": "Import, size, memory",
}


def fastest(results: dict[str, Any]) -> dict[str, Any]:
    """Return a run with the fastest round of each contender alone, for a machine that is busy."""
    together = copy.deepcopy(results)
    together["fastest"] = True
    for workload in together["workloads"]:
        for row in workload["results"].values():
            if row.get("rounds"):
                row["rounds"] = {"0": min(row["rounds"].values())}
    return together


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile, by linear interpolation."""
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high


def medians(workload: dict[str, Any]) -> dict[str, float]:
    """Return the median of each contender that finished and agrees with the others."""
    return {
        name: statistics.median(row["rounds"].values())
        for name, row in workload["results"].items()
        if "failed" not in row and row.get("rounds")
    }


def is_ours(name: str) -> bool:
    """Return whether a contender is fusegrad in one of the ways in which it is used."""
    return name.split(",", maxsplit=1)[0] == OURS


def ratios(workload: dict[str, Any], peer: str, name: str = OURS) -> list[float]:
    """Return peer / ours for each round in which both took part."""
    ours = workload["results"][name]["rounds"]
    theirs = workload["results"][peer]["rounds"]
    return [theirs[r] / ours[r] for r in ours if r in theirs]


def fastest_peer(workload: dict[str, Any]) -> str | None:
    """Return the name of the fastest of the others; NumPy is none where packages are compared."""
    hand = {"NumPy by hand"} if workload["group"] in {"costs", "autodiff"} else set()
    rivals = {
        name: value
        for name, value in medians(workload).items()
        if name not in hand and not is_ours(name)
    }
    return min(rivals, key=rivals.__getitem__) if rivals else None


def check(workload: dict[str, Any], quick: bool) -> None:
    """Mark as failed whoever did not get the loss, or the values, that the others got."""
    rows = {n: r for n, r in workload["results"].items() if "failed" not in r and "check" in r}
    if not rows:
        return
    tolerance = VALUE_TOLERANCE
    if workload["group"] == "training":
        tolerance = QUICK_LOSS_TOLERANCE if quick else LOSS_TOLERANCE
    wanted = [statistics.median(column) for column in zip(*(r["check"] for r in rows.values()))]  # noqa: B905
    for row in rows.values():
        pairs = list(zip(row["check"], wanted, strict=True))
        if any(not abs(got - want) <= tolerance * abs(want) for got, want in pairs):
            row["failed"] = f"got {row['check']}, the others {wanted}"


def share_of_limit(workload: dict[str, Any], limits: dict[str, Any]) -> float | None:
    """Return the least possible time over ours, with the threads that we used."""
    ours = workload["results"].get(OURS, {})
    if OURS not in medians(workload) or not (workload["flops"] or workload["traffic"]):
        return None
    least = least_seconds(workload["flops"], workload["traffic"], limits[str(ours["threads"])])
    return least / medians(workload)[OURS]


# ---- text --------------------------------------------------------------------------------------


def number(value: float) -> str:
    """Return three significant digits, without an exponent."""
    if value >= 1000:
        return f"{value:,.0f}"
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{digits}f}" if value >= 0.1 else f"{value:.3g}"


def percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def with_quartiles(values: list[float], scale: float = 1.0) -> str:
    low, middle, high = (number(v * scale) for v in quartiles(values))
    return middle if low == high else f"{middle} ({low} to {high})"


def table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def measured_text(workload: dict[str, Any], name: str) -> str:
    row = workload["results"][name]
    text = with_quartiles(list(row["rounds"].values()), SCALES[workload["unit"]])
    if workload["group"] == "costs" or workload.get("one_thread"):
        return text
    return f"{text}, {row['threads']}T"


def label(workload: dict[str, Any]) -> str:
    per = f" per {workload['per']}" if workload["per"] else ""
    return f"{workload['title']}; {workload['unit']}{per}"


def summary(results: dict[str, Any], groups: list[str] | None = None) -> str:
    """Return the table of ours against the fastest peer."""
    rows = []
    for workload in results["workloads"]:
        if groups is not None and workload["group"] not in groups:
            continue
        if OURS not in medians(workload):
            why = workload["results"].get(OURS, {}).get("failed", "not available")
            rows.append([label(workload), why, "", "", ""])
            continue
        peer = fastest_peer(workload)
        share = share_of_limit(workload, results["limits"])
        for name in filter(is_ours, medians(workload)):
            rows.append(
                [
                    label(workload) + name.removeprefix(OURS),
                    measured_text(workload, name),
                    f"{peer}: {measured_text(workload, peer)}" if peer else "",
                    with_quartiles(ratios(workload, peer, name)) if peer else "",
                    "" if share is None else percent(share),
                ]
            )
    header = ["workload", "fusegrad", "fastest peer", "peer / fusegrad", "of the limit"]
    return table(header, rows)


def everybody(results: dict[str, Any], group: str) -> str:
    """Return a table of all contenders, a column for each workload of a group."""
    chosen = [w for w in results["workloads"] if w["group"] == group]
    names = list(dict.fromkeys(name for w in chosen for name in w["results"]))
    rows = []
    for name in names:
        row = [name]
        for workload in chosen:
            if name not in workload["results"]:
                row.append("")
            elif name in medians(workload):
                value = number(medians(workload)[name] * SCALES[workload["unit"]])
                single = group == "costs" or workload.get("one_thread")
                threads = "" if single else f", {workload['results'][name]['threads']}T"
                row.append(value + threads)
            else:
                row.append("failed")
        rows.append(row)
    return table(["", *(label(w) for w in chosen)], rows)


def accuracy(results: dict[str, Any]) -> str:
    """Return the largest and mean errors of the functions, in units in the last place."""
    chosen = [w for w in results["workloads"] if w["group"] == "functions"]
    names = list(dict.fromkeys(name for w in chosen for name in w["results"]))
    rows = []
    for name in names:
        row = [name]
        for workload in chosen:
            error = workload["results"].get(name, {}).get("error")
            row.append(f"{error['largest']:.3g} ({error['mean']:.2f})" if error else "")
        rows.append(row)
    return table(["", *(w["title"].split(",")[0] for w in chosen)], rows)


def failures(results: dict[str, Any]) -> str:
    lines = [f"- {name}: {reason}" for name, reason in results["failed"].items()]
    for workload in results["workloads"]:
        for name, row in workload["results"].items():
            if "failed" in row:
                lines.append(f"- {workload['title']}, {name}: {row['failed']}")
    return "\n".join(lines) or "Nobody failed."


def machine(results: dict[str, Any]) -> str:
    """Return what was measured where: processor, limits, versions."""
    about = results["machine"]
    lines = [
        f"{about['processor']}, {about['processors']} processors, {about['system']}, "
        f"Python {about['python']}, instruction set {about['isa']}, {results['when']}, "
        f"{results['minutes']:.1f} minutes{', a quick run' if results['quick'] else ''}.",
        "",
        *limit_lines(results["limits"]),
        "",
        f"{versions(results)}.",
    ]
    return "\n".join(lines)


def versions(results: dict[str, Any]) -> str:
    return ", ".join(f"{name} {version}" for name, version in results["versions"].items())


def own_run(results: dict[str, Any]) -> str:
    busy = ", on a busy machine, the fastest round of each" if results.get("fastest") else ""
    return f"Of a run of its own, {results['when']}{busy}: {versions(results)}."


def complete(results: dict[str, Any]) -> bool:
    """Return whether every group of workloads has results."""
    return set(GROUPS) == {w["group"] for w in results["workloads"]}


def limit_lines(limits: dict[str, Any]) -> list[str]:
    sizes = list(next(iter(limits.values()))["bytes"])
    names = [f"{int(n) >> 10} KiB" if int(n) < 1 << 20 else f"{int(n) >> 20} MiB" for n in sizes]
    rows = [
        [
            f"{threads}",
            number(limit["flops"] / 1e9),
            *(number(limit["bytes"][n] / 1e9) for n in sizes),
        ]
        for threads, limit in limits.items()
    ]
    header = ["threads", "GFLOP/s, float32", *(f"GB/s read from {name}" for name in names)]
    return table(header, rows).splitlines()


def sections(results: dict[str, Any]) -> dict[str, str]:
    """Return every generated piece of docs/benchmarks.md, by the name in its markers."""
    whole = complete(results)
    pieces = {"machine": machine(results), "failures": failures(results)} if whole else {}
    for group in GROUPS:
        if any(w["group"] == group for w in results["workloads"]):
            pieces[group] = summary(results, [group])
            pieces[f"{group}-all"] = everybody(results, group)
            if not whole:
                pieces[f"{group}-all"] += f"\n\n{own_run(results)}"
    if any(w["group"] == "functions" for w in results["workloads"]):
        pieces["accuracy"] = accuracy(results)
    return pieces


def replace_sections(text: str, pieces: dict[str, str]) -> str:
    """Return a document with what stands between its markers replaced.

    A marker is ``<!-- name: written by benchmarks/compare.py -->``, and what is written ends with
    ``<!-- end -->``.
    """
    for name, piece in pieces.items():
        start = f"<!-- {name}: written by benchmarks/compare.py -->\n"
        if start in text:
            head, rest = text.split(start, 1)
            _, tail = rest.split("<!-- end -->", 1)
            text = f"{head}{start}\n{piece}\n\n<!-- end -->{tail}"
    return text


def printed(results: dict[str, Any]) -> str:
    """Return the whole report as text for a terminal."""
    parts = [machine(results), ""]
    for group, title in GROUPS.items():
        if any(w["group"] == group for w in results["workloads"]):
            parts += [f"## {title}", "", summary(results, [group]), ""]
            parts += [everybody(results, group), ""]
            if group == "functions":
                parts += ["Errors in units in the last place, largest (mean):", ""]
                parts += [accuracy(results), ""]
    return "\n".join([*parts, failures(results)])
