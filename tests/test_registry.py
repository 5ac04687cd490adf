"""An op is in four places: the table, a definition, a public function, a row of cases."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from fusegrad import _core, ops
from op_cases import CASES

TABLE = {row["name"]: row for row in _core.op_table()}
INTERNAL = {name for name, row in TABLE.items() if {"gradient", "opaque"} & {*row["traits"]}}
FUNCTIONS = {name: getattr(home, name) for home in (ops.linalg, ops) for name in home.__all__}
ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.quick
def test_table_is_ops_def() -> None:
    text = (ROOT / "csrc/include/fusegrad/ops.def").read_text()
    assert list(TABLE) == re.findall(r"^FUSEGRAD_OP\((\w+)\)$", text, flags=re.MULTILINE)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_op_has_a_case(name: str) -> None:
    assert any(case.op == name for case in CASES)


@pytest.mark.parametrize("name", sorted(TABLE))
def test_differentiable_op_has_a_gradient_case(name: str) -> None:
    graded = any(case.op == name and case.grad for case in CASES)
    assert graded == TABLE[name]["differentiable"]


@pytest.mark.parametrize("name", sorted(set(TABLE) - INTERNAL))
def test_op_has_a_documented_function(name: str) -> None:
    function = FUNCTIONS[name]
    text = inspect.getdoc(function) or ""
    assert ">>>" in text, f"ops.{name} needs an example"
    assert "Parameters" in text or "Returns" in text
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())


@pytest.mark.parametrize("name", sorted(INTERNAL))
def test_internal_op_is_not_public(name: str) -> None:
    assert name not in FUNCTIONS


def test_every_case_names_an_op() -> None:
    assert {case.op for case in CASES} <= set(TABLE)


def test_case_ids_are_unique() -> None:
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if not inspect.ismodule(f)])
def test_public_function_shows_its_use(name: str) -> None:
    """What is public is for users: a function with an example."""
    assert callable(FUNCTIONS[name])
    assert ">>>" in (FUNCTIONS[name].__doc__ or "")
