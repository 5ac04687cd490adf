"""check_grads: passes what is right, refuses what is wrong and says where it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops, testing
from fusegrad._tensor import detached
from fusegrad.errors import ArgumentError
from op_cases import CASES

RNG = np.random.default_rng(11)
X = RNG.normal(size=(3, 4))
check_grads = testing.check_grads


@pytest.mark.parametrize("case", [c for c in CASES if c.grad], ids=lambda c: c.id)
def test_ops_pass(case: Any) -> None:
    inputs = case.inputs(np.random.default_rng(2))
    floating = [i for i in case.grad if np.asarray(inputs[i]).dtype.kind == "f"]

    def f(*parts: Any) -> Any:
        every = list(inputs)
        for i, part in zip(floating, parts, strict=True):
            every[i] = part
        return case.call(*every)

    check_grads(f, tuple(np.asarray(inputs[i]) for i in floating), order=2 if case.second else 1)


@pytest.mark.parametrize(
    ("f", "args"),
    [
        (lambda p, n: p["a"][n] * p["b"], ({"a": X, "b": X[0]}, 2)),
        (lambda x, i: {"y": (ops.take(x, i, axis=0), [ops.exp(x)]), "n": 3}, (X, np.array([0, 2]))),
        (lambda x: ops.exp(x) * 1e8, (X,)),
        (lambda x: ops.sin(x) if hasattr(ops, "sin") else ops.tanh(x), (0.5,)),
        (ops.log, (np.array([1e-3, 1.0, 1e3]),)),
        (lambda x: ops.sum(x) * 0.0, (X,)),
        (lambda x: x * np.float32(0.1), (X.astype(np.float32),)),
        (lambda x: ops.softmax(ops.matmul(x, x.T)) ** 3, (RNG.normal(size=(60, 60)),)),
    ],
    ids=["nested", "taken", "large", "number", "log", "nothing", "float32", "many"],
)
def test_functions_pass(f: Callable[..., Any], args: tuple[Any, ...]) -> None:
    check_grads(f, args)


def test_few_calls() -> None:
    calls = 0

    def f(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return ops.tanh(x)

    check_grads(f, (RNG.normal(size=(100, 100)),), order=1)
    assert calls < 30


def kink(x: Any) -> Any:
    return ops.multiply(ops.abs(ops.subtract(x, 1.0)), ops.exp(x))


WRONG = np.array([[0.3, 1.0 + 1e-5], [2.0, 3.0]])


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_what_a_failure_shows(mode: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_grads(lambda p: kink(p["w"]), ({"w": WRONG},), order=1, modes=[mode])
    message = str(caught.value)
    assert f"order 1 in {'forward' if mode == 'fwd' else 'reverse'} mode" in message
    assert re.search(r"args\[0\]\['w'\] at index \(0, 1\), where it is 1\.00001:", message)
    assert "1 of 4 elements differ" in message
    assert "the gradient of abs does not agree" in message
    assert "ops of the function: subtract, abs, exp, multiply" in message
    found = re.search(r"analytic (\S+), numeric (\S+)", message)
    assert found is not None
    assert abs(float(found[1]) - float(found[2])) > 0.1


@fg.custom_vjp
def right(x: Any) -> Any:
    return ops.exp(x)


@fg.custom_vjp
def wrong(x: Any) -> Any:
    return ops.exp(x)


right.defvjp(lambda x: (ops.exp(x), x), lambda x, g: (g * ops.exp(x),))
wrong.defvjp(lambda x: (ops.exp(x), x), lambda x, g: (g * ops.exp(x) * 1.001,))


@pytest.mark.parametrize("mode", ["fwd", "rev"])
def test_a_rule_of_ones_own(mode: str) -> None:
    check_grads(lambda x: ops.tanh(right(x)), (X,), modes=[mode])
    with pytest.raises(AssertionError, match="all ops but the rules of custom_vjp agree") as caught:
        check_grads(lambda x: ops.tanh(wrong(x)), (X,), modes=[mode])
    assert "12 of 12 elements differ" in str(caught.value)


def test_a_wrong_second_derivative() -> None:
    def f(x: Any) -> Any:
        return ops.square(ops.relu(ops.subtract(x, 1.0)))  # its second derivative jumps at 1

    at = np.array([1.0 + 1e-6, 3.0])
    check_grads(f, (at,), order=1, atol=1e-3)
    with pytest.raises(AssertionError, match=r"order 2 in reverse mode(?s:.*)relu_grad|where"):
        check_grads(f, (at,), order=2, modes="rev", atol=1e-3)


def test_a_gradient_that_was_cut() -> None:
    def f(x: Any) -> Any:
        return ops.exp(x) * detached(x)

    with pytest.raises(AssertionError, match="12 of 12 elements differ"):
        check_grads(f, (X,), order=1, modes=["rev"])

    def looks(x: Any) -> Any:
        return ops.exp(x) * (detached(x) if float(detached(ops.sum(x) * 0 + 1)) else x)

    with pytest.raises(AssertionError, match="cannot be traced"):
        check_grads(looks, (X,), order=1, modes=["rev"])


def test_complex_steps() -> None:
    def f(x: Any) -> Any:
        plain = isinstance(x, np.ndarray)
        return np.exp(x) * x if plain else ops.exp(x) * x

    check_grads(f, (X,), order=2, method="complex", atol=1e-13, rtol=1e-13, modes=["rev"])
    with pytest.raises(ArgumentError, match="complex"):
        check_grads(lambda x: ops.exp(np.real(x)), (X,), method="complex")


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: check_grads(ops.exp, X), "args"),
        (lambda: check_grads(ops.exp, (np.arange(3),)), "args"),
        (lambda: check_grads(ops.exp, (X,), order=0), "order"),
        (lambda: check_grads(ops.exp, (X,), modes=["forward"]), "modes"),
        (lambda: check_grads(ops.exp, (X,), atol=-1.0), "atol"),
        (lambda: check_grads(ops.exp, (X,), method="fast"), "method"),
        (lambda: check_grads(ops.argmax, (X,)), "f"),
    ],
)
def test_bad_arguments(call: Callable[[], Any], argument: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument
