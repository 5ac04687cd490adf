"""Ratios of two pytest-benchmark files.

    python benchmarks/compare.py before.json after.json [--threshold 1.10]

Exits with 1 when a benchmark of the second file takes more than `threshold` times its time in the
first, by medians, and with 2 when the files have no benchmark in common.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def medians(path: Path) -> dict[str, float]:
    content = json.loads(path.read_text())
    return {row["fullname"]: float(row["stats"]["median"]) for row in content["benchmarks"]}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--threshold", type=float, default=1.10)
    options = parser.parse_args()
    before, after = medians(options.before), medians(options.after)
    common = sorted(set(before) & set(after))
    if not common:
        print("no benchmark is in both files", file=sys.stderr)
        return 2
    worse = 0
    for name in common:
        ratio = after[name] / before[name]
        slower = ratio > options.threshold
        worse += slower
        times = f"{before[name] * 1e6:12.2f} us  {after[name] * 1e6:12.2f} us"
        print(f"{ratio:7.3f}  {times}  {name}{'  SLOWER' if slower else ''}")
    print(f"{worse} of {len(common)} slower than {options.threshold:.2f} times")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
