"""Write the list of NumPy's functions that take Tensors into docs/numpy.md.

Run it when a function is added to fusegrad.ops: ``python tools/numpy_page.py``.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from fusegrad import _numpy_functions

PAGE = Path(__file__).resolve().parents[1] / "docs" / "numpy.md"
BEGIN, END = "<!-- written by tools/numpy_page.py -->\n", "<!-- end -->\n"


def listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def lists() -> str:
    """Return what stands between the marks."""
    names = _numpy_functions.supported()
    plain = [name for name in names if "." not in name]
    kinds = {
        "Ufuncs": [name for name in plain if isinstance(getattr(np, name), np.ufunc)],
        "Methods of ufuncs": [
            name for name in names if "." in name and not name.startswith("linalg.")
        ],
        "Functions": [name for name in plain if not isinstance(getattr(np, name), np.ufunc)],
        "Linear algebra": [name for name in names if name.startswith("linalg.")],
    }
    return "".join(f"\n**{kind}.** {listed(names)}\n" for kind, names in kinds.items()) + "\n"


def with_lists(page: str) -> str:
    return re.sub(f"(?s){BEGIN}.*{END}", lambda _: BEGIN + lists() + END, page)


if __name__ == "__main__":
    PAGE.write_text(with_lists(PAGE.read_text()))
