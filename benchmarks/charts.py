"""The charts of docs/benchmarks.md: speed against the fastest peer, training, shares, functions."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Any

import report
from peers import OURS

ACCENT, OTHER, GRID = "#c4462d", "#5b6b7c", "#d9dde2"
MARKS = [("#2f6f9f", "s"), ("#d08a1d", "^"), ("#4c8c4a", "D"), ("#7a5aa6", "v"), (OTHER, "P")]
SETTINGS: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": OTHER,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "savefig.dpi": 130,
    "savefig.bbox": "tight",
    "figure.facecolor": "white",
}


def draw(results: dict[str, Any], folder: Path) -> list[Path]:
    """Draw the charts for which there are results; return their files."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with plt.rc_context(SETTINGS):
        for name, chart in CHARTS.items():
            figure = chart(plt, results)
            if figure is not None:
                paths.append(folder / f"benchmarks-{name}.png")
                figure.savefig(paths[-1], metadata={"Software": None})
                plt.close(figure)
    return paths


def caption(results: dict[str, Any]) -> str:
    about = results["machine"]
    return f"{about['processor']}, {about['isa']}, {results['when']}"


def ratios(plt: Any, results: dict[str, Any]) -> Any:
    """How many times as long the fastest peer takes, with quartiles, one bar a workload."""
    rows = []
    for workload in results["workloads"]:
        peer = report.fastest_peer(workload)
        timed = workload["group"] != "costs"
        if timed and peer is not None and OURS in report.medians(workload):
            rows.append((workload["title"], peer, report.quartiles(report.ratios(workload, peer))))
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(8, 0.27 * len(rows) + 1))
    for i, (_, peer, (low, middle, high)) in enumerate(rows):
        axes.barh(i, middle - 1, left=1, height=0.6, color=ACCENT if middle >= 1 else OTHER)
        axes.plot([low, high], [i, i], color="black", linewidth=1)
        end = max(high, 1)
        axes.text(end * 1.06, i, f"{report.number(middle)}  {peer}", va="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_xscale("log")
    low = min(row[2][0] for row in rows)
    high = max(row[2][2] for row in rows)
    axes.set_xlim(min(0.5, low / 1.3), max(2, high) * 6)
    plain_ticks(axes.xaxis)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.grid(axis="x")
    axes.set_xlabel("time of the fastest peer / time of fusegrad (above 1: fusegrad is faster)")
    axes.set_title(caption(results), fontsize=8, loc="left", color=OTHER)
    return figure


def training(plt: Any, results: dict[str, Any]) -> Any:
    """Time of a training step of everybody, one panel a workload, log scale."""
    chosen = [w for w in results["workloads"] if w["group"] == "training" and report.medians(w)]
    if not chosen:
        return None
    columns = 2
    lines = -(-len(chosen) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(9, 2.5 * lines), squeeze=False)
    for axes, workload in zip(grid.flat, chosen, strict=False):
        values = sorted(report.medians(workload).items(), key=lambda pair: pair[1])
        for i, (name, value) in enumerate(values):
            color = ACCENT if name == OURS else OTHER
            axes.plot([value * 1e6], [i], "o", color=color, markersize=5)
            axes.annotate(
                report.number(value * 1e6), (value * 1e6, i), xytext=(6, 0),
                textcoords="offset points", va="center", fontsize=7.5,
            )  # fmt: skip
        axes.set_yticks(range(len(values)), [name for name, _ in values])
        for text in axes.get_yticklabels():
            text.set_color(ACCENT if text.get_text() == OURS else "black")
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(values[0][1] * 1e6 / 1.5, values[-1][1] * 1e6 * 3)
        plain_ticks(axes.xaxis)
        axes.grid(axis="x")
        axes.set_title(workload["title"], fontsize=9, loc="left")
        axes.set_xlabel("us per step" + ("" if results["quick"] else ", best of 1 and 2 threads"))
    for axes in list(grid.flat)[len(chosen) :]:
        axes.remove()
    figure.suptitle(caption(results), fontsize=8, x=0.02, ha="left", color=OTHER)
    figure.tight_layout()
    return figure


def shares(plt: Any, results: dict[str, Any]) -> Any:
    """How much of the measured limit each workload reaches."""
    rows = []
    for workload in results["workloads"]:
        share = report.share_of_limit(workload, results["limits"])
        if share is not None:
            rows.append((workload["title"], share))
    if not rows:
        return None
    figure, axes = plt.subplots(figsize=(8, 0.27 * len(rows) + 1))
    for i, (_, share) in enumerate(rows):
        axes.barh(i, 100 * share, height=0.6, color=ACCENT)
        axes.text(100 * share + 1, i, report.percent(share), va="center", fontsize=8)
    axes.set_yticks(range(len(rows)), [row[0] for row in rows])
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.set_xlim(0, 110)
    axes.grid(axis="x")
    axes.set_xlabel("least possible time / time of fusegrad, in percent")
    axes.set_title(caption(results), fontsize=8, loc="left", color=OTHER)
    return figure


def functions(plt: Any, results: dict[str, Any]) -> Any:
    """Time against largest error, one panel a function: the best is at the lower left."""
    chosen = [w for w in results["workloads"] if w["group"] == "functions" and report.medians(w)]
    if not chosen:
        return None
    figure, grid = plt.subplots(1, len(chosen), figsize=(2.6 * len(chosen), 3), squeeze=False)
    names = list(dict.fromkeys(name for w in chosen for name in w["results"]))
    others = dict(zip([n for n in names if n != OURS], MARKS, strict=False))
    for axes, workload in zip(grid.flat, chosen, strict=True):
        for name, row in workload["results"].items():
            if "error" in row and "failed" not in row:
                x = statistics.median(row["rounds"].values()) * 1e9
                color, mark = (ACCENT, "o") if name == OURS else others[name]
                axes.plot(
                    [x], [row["error"]["largest"]], mark,
                    color=color, markersize=8 if name == OURS else 6, label=name,
                )  # fmt: skip
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.margins(x=0.2, y=0.2)
        plain_ticks(axes.xaxis)
        plain_ticks(axes.yaxis)
        axes.grid()
        axes.set_title(workload["title"].split(",")[0], fontsize=9, loc="left")
        axes.set_xlabel("ns per element")
    grid[0][0].set_ylabel("largest error, units in the last place")
    figure.suptitle(caption(results), fontsize=8, x=0.02, ha="left", color=OTHER)
    figure.tight_layout()
    lines, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(
        lines, labels, loc="upper center", bbox_to_anchor=(0.5, 0.02), ncols=6, frameon=False
    )
    return figure


def plain_ticks(axis: Any) -> None:
    """Label a log axis at 1, 2 and 5 of each decade (1 only, over many), without exponents."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    subs = (1.0, 2.0, 5.0) if high / max(low, 1e-12) < 100 else (1.0,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.10g}"))
    axis.set_minor_formatter(NullFormatter())


CHARTS = {"ratios": ratios, "training": training, "limits": shares, "functions": functions}
