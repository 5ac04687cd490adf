"""What eager ops and gradients cost on tiny tensors, beside NumPy: overhead, not arithmetic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad._tensor import Tape

COUNT = 100  # of ops in one measurement, where there is a tape
ELEMENTS = np.linspace(-1.0, 1.0, 16, dtype=np.float32)

UNARY_OR_SELF: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "exp": (ops.exp, np.exp),
    "tanh": (ops.tanh, np.tanh),
    "add": (lambda x: x + x, lambda x: x + x),
    "multiply": (lambda x: x * x, lambda x: x * x),
    "sum": (ops.sum, np.sum),
    "add_number": (lambda x: x + 1.0, lambda x: x + 1.0),
    "add_array": (lambda x: x + ELEMENTS, lambda x: x + ELEMENTS),
}


def repeated(function: Callable[[Any], Any], x: Any) -> Any:
    y = None
    for _ in range(COUNT):
        y = function(x)
    return y


@pytest.mark.parametrize("name", UNARY_OR_SELF)
def bench_numpy_ops(benchmark: Any, name: str) -> None:
    benchmark(repeated, UNARY_OR_SELF[name][1], ELEMENTS)


@pytest.mark.parametrize("name", UNARY_OR_SELF)
def bench_ops(benchmark: Any, name: str) -> None:
    benchmark(repeated, UNARY_OR_SELF[name][0], fg.Tensor(ELEMENTS))


@pytest.mark.parametrize("name", UNARY_OR_SELF)
def bench_recorded_ops(benchmark: Any, name: str) -> None:
    """With the making and the freeing of the tape."""
    x = fg.Tensor(ELEMENTS)

    def record() -> Any:
        with Tape() as tape:
            return repeated(UNARY_OR_SELF[name][0], tape.watch(x))

    benchmark(record)


@pytest.mark.parametrize("name", ["exp", "tanh", "add", "multiply", "add_number", "add_array"])
@pytest.mark.parametrize("way", ["finish", "gradient"])
def bench_backward(benchmark: Any, name: str, way: str) -> None:
    """One gradient through a chain: as `grad` takes it, and as it can be differentiated again."""
    x = fg.Tensor(ELEMENTS)
    tapes = []

    def setup() -> tuple[tuple[Any, ...], dict[str, Any]]:
        for last in tapes:
            last.__exit__()
        tapes[:] = [Tape()]
        tape = tapes[0]
        tape.__enter__()
        start = y = tape.watch(x)
        for _ in range(COUNT):
            y = UNARY_OR_SELF[name][0](y)
        return (y, [start]), {}

    def backward(y: Any, xs: list[Any]) -> Any:
        return getattr(tapes[0], way)(y, xs)

    benchmark.pedantic(backward, setup=setup, rounds=300)
    tapes[0].__exit__()


# ---- the logistic cost ---------------------------------------------------------------------------

RNG = np.random.default_rng(0)
X = RNG.normal(size=(32, 8)).astype(np.float32)
Y = (RNG.random(32) > 0.5).astype(np.float32)
W = RNG.normal(size=8).astype(np.float32) * np.float32(0.1)


def logistic_cost(w: Any, b: Any) -> Any:
    f = 1.0 / (1.0 + ops.exp(-(ops.dot(X, w) + b)))
    return -ops.mean(Y * ops.log(f) + (1.0 - Y) * ops.log(1.0 - f))


def by_hand(w: Any, b: Any) -> Any:
    f = 1.0 / (1.0 + np.exp(-(np.dot(X, w) + b)))
    cost = -np.mean(Y * np.log(f) + (1.0 - Y) * np.log(1.0 - f))
    error = f - Y
    return cost, (np.dot(X.T, error) / len(X), np.mean(error))


def check(result: Any, b: Any) -> None:
    value, (dw, db) = result
    cost, (expected_w, expected_b) = by_hand(W, b)
    np.testing.assert_allclose(float(value), cost, rtol=1e-5)
    np.testing.assert_allclose(np.asarray(dw), expected_w, atol=1e-6)
    np.testing.assert_allclose(float(db), expected_b, atol=1e-6)


BIASES = {"array": np.array(0.1, np.float32), "scalar": np.float32(0.1), "number": 0.1}


def bench_logistic_cost_by_hand(benchmark: Any) -> None:
    check(benchmark(by_hand, W, BIASES["scalar"]), BIASES["scalar"])


@pytest.mark.parametrize("bias", BIASES)
def bench_logistic_cost(benchmark: Any, bias: str) -> None:
    function = fg.value_and_grad(logistic_cost, argnums=(0, 1))
    check(benchmark(function, W, BIASES[bias]), BIASES[bias])


@pytest.mark.parametrize("bias", BIASES)
def bench_jit_logistic_cost(benchmark: Any, bias: str) -> None:
    function = fg.jit(fg.value_and_grad(logistic_cost, argnums=(0, 1)))
    check(benchmark(function, W, BIASES[bias]), BIASES[bias])
