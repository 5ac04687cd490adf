"""What one eager operation and one gradient cost on tiny tensors: overhead, not arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

import fusegrad as fg
from fusegrad import ops


def bench_multiply_one_element(benchmark: Any) -> None:
    x = fg.Tensor(np.ones(1, np.float32))
    assert benchmark(lambda: x * x).item() == 1.0


def bench_numpy_multiply_one_element(benchmark: Any) -> None:
    x = np.ones(1, np.float32)
    assert benchmark(lambda: x * x).item() == 1.0


def logistic_cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    z = ops.matmul(x, w) + b
    return ops.mean(ops.sigmoid_cross_entropy(y, z))


def bench_value_and_gradient_of_logistic_cost(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 8)).astype(np.float32)
    y = rng.integers(0, 2, size=32).astype(np.float32)
    w, b = np.zeros(8, np.float32), np.float32(0)
    function = fg.value_and_grad(logistic_cost, argnums=(0, 1))
    value, (dw, _) = benchmark(function, w, b, x, y)
    np.testing.assert_allclose(value.item(), np.log(2), rtol=1e-6)
    np.testing.assert_allclose(dw.numpy(), x.T @ (0.5 - y) / 32, atol=1e-6)


def bench_jit_value_and_gradient_of_logistic_cost(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    x = fg.Tensor(rng.normal(size=(32, 8)).astype(np.float32))
    y = fg.Tensor(rng.integers(0, 2, size=32).astype(np.float32))
    w, b = fg.Tensor(np.zeros(8, np.float32)), fg.Tensor(np.float32(0))
    function = fg.jit(fg.value_and_grad(logistic_cost, argnums=(0, 1)))
    value, _ = benchmark(function, w, b, x, y)
    np.testing.assert_allclose(value.item(), np.log(2), rtol=1e-6)
