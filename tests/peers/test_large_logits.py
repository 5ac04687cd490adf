"""The tables of docs/exactness.md again: fusegrad's error is nowhere larger than a peer's."""

from __future__ import annotations

import functools
import importlib.util
import math
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytestmark = pytest.mark.peers

TOOL = Path(__file__).resolve().parents[2] / "tools" / "large_logits.py"
PEERS = ["numpy", "keras-tensorflow", "keras-jax", "torch", "jax"]
ROWS = 400  # random rows of each case
NEAREST = 0.51  # ULP: computed in double and rounded once to float32
DOUBLE = 4.0  # ULP: what docs/numerics.md promises in float64


@functools.cache
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("large_logits", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def contenders(framework: str) -> list[dict[str, Any]]:
    found = tool().run(framework, ROWS)
    if not found:
        pytest.skip(f"{framework} is not installed")
    return list(found)


def ours() -> list[dict[str, Any]]:
    return [contender for contender in contenders("fusegrad") if contender["claims"]]


@functools.cache
def exact() -> list[tuple[Any, list[Any]]]:
    """Loss and gradient of each row of the first two tables."""
    module = tool()
    return [
        module.exact_softmax(z[0], int(y[0]))
        if kind == "softmax"
        else module.exact_sigmoid(float(z[0, 0]), int(y[0, 0]))
        for kind, z, y in module.cases("float64")
    ]


def case_errors(contender: dict[str, Any]) -> list[float]:
    """Of each row the error of the loss, then the largest one in its gradient, in ULP."""
    result = []
    for (loss, gradient), (want, slopes) in zip(contender["cases"], exact(), strict=True):
        for got, true in (([loss], [want]), (gradient, slopes)):
            pairs = zip(got, true, strict=True)
            result.append(max(tool().ulps_exactly(a, b, contender["dtype"]) for a, b in pairs))
    return result


def test_references_agree() -> None:
    tool().check_float64_softmax()


def test_fusegrad_is_exact() -> None:
    assert {contender["dtype"] for contender in ours()} == {"float32", "float64"}
    for contender in ours():
        limit = NEAREST if contender["dtype"] == "float32" else DOUBLE
        assert max(case_errors(contender)) <= limit
        for cases in (contender["random"] or {}).values():
            assert max(worst for worst, _ in cases) <= limit


def test_the_page_shows_these_rows() -> None:
    page = (TOOL.parents[1] / "docs" / "exactness.md").read_text()
    for kind in ("softmax", "sigmoid"):
        rows = tool().case_table(contenders("fusegrad"), kind).splitlines()
        assert len(rows) == 3 + len(contenders("fusegrad"))
        for row in rows:
            assert row in page


@pytest.mark.parametrize("framework", PEERS)
def test_no_peer_is_nearer(framework: str) -> None:
    for theirs in contenders(framework):
        for contender in ours():
            if contender["dtype"] != theirs["dtype"]:
                continue
            for mine, other in zip(case_errors(contender), case_errors(theirs), strict=True):
                assert mine <= other, (contender["name"], theirs["name"])
            for of, cases in (contender["random"] or {}).items():
                for (worst, above), (peer, peer_above) in zip(
                    cases, theirs["random"][of], strict=True
                ):
                    assert worst <= peer or math.isnan(peer), (theirs["name"], of)
                    assert above <= peer_above
