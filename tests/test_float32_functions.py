"""Float32 functions: a sample of all arguments, and the committed table of every one of them.

Of functions that are evaluated in double the table has every 17th.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from exhaustive.float32_functions import ALL, BOUNDS, IN_DOUBLE, RESULTS, examine


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_every_4099th_argument_is_within_the_bound(name: str) -> None:
    found = examine(name, 0, ALL, 4099, hashes_only=False)
    assert found["count"] == -(-ALL // 4099)
    assert found["worst"] <= BOUNDS[name]


@pytest.mark.parametrize("name", ["exp", "expm1", "sigmoid", "softplus", "silu"])
def test_the_smallest_results_are_within_the_bound(name: str) -> None:
    """Arguments from -111 to -87: where exp underflows, gradually."""
    first, last = 0xC2AE0000, 0xC2DE0000
    assert examine(name, first, last, 7, hashes_only=False)["worst"] <= BOUNDS[name]


SPECIAL = {
    "zero": 0x00000000,
    "smallest": 0x00000001,
    "largest": 0x7F7FFFFF,
    "infinity": 0x7F800000,
    "NaN": 0x7FC00000,
    "one": 0x3F800000,
    "just below a half": 0x3EFFFFFF,
    "just below a quarter": 0x3E7FFFFF,
}


@pytest.mark.parametrize("sign", [0x00000000, 0x80000000])
@pytest.mark.parametrize("argument", sorted(SPECIAL))
@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_special_arguments(name: str, argument: str, sign: int) -> None:
    """Signs of zeros, infinities and NaN too: a wrong one counts as an infinite error."""
    x = SPECIAL[argument] | sign
    assert examine(name, x, x + 1, 1, hashes_only=False)["worst"] <= BOUNDS[name]


def table() -> dict[str, dict[str, dict[str, Any]]]:
    levels: dict[str, dict[str, dict[str, Any]]] = json.loads(RESULTS.read_text())
    return levels


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_the_table_of_all_arguments_is_within_the_bounds(name: str) -> None:
    rows = [functions[name] for functions in table().values() if name in functions]
    step = 17 if name in IN_DOUBLE else 1
    assert all(row["arguments"] == -(-ALL // step) for row in rows)
    assert any("worst" in row for row in rows)
    assert all(row["worst"] <= BOUNDS[name] for row in rows if "worst" in row)
    assert len({row["hash"] for row in rows}) == 1
    assert len(rows) >= 2
