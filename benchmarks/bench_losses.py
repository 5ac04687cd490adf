"""Cross-entropies from logits, value and gradient at once, under jit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from workloads import LOSSES


@pytest.mark.parametrize("shape", LOSSES, ids=lambda s: "x".join(map(str, s)))
def bench_softmax_cross_entropy(benchmark: Any, shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    z, labels = rng.normal(size=shape).astype("f4"), rng.integers(0, shape[1], shape[0])
    function = fg.jit(
        fg.value_and_grad(lambda z, y: ops.mean(ops.sparse_softmax_cross_entropy(y, z)))
    )
    value, gradient = benchmark(function, fg.Tensor(z), fg.Tensor(labels))
    if benchmark.stats:  # none under --benchmark-disable
        benchmark.extra_info["ns per logit"] = benchmark.stats["median"] / z.size * 1e9
    wide = np.exp(z.astype(np.float64))
    p = wide / wide.sum(1, keepdims=True)
    at_label = p[np.arange(len(z)), labels].copy()
    p[np.arange(len(z)), labels] -= 1
    np.testing.assert_allclose(value.item(), -np.log(at_label).mean(), rtol=1e-6)
    np.testing.assert_allclose(gradient.numpy(), p / len(z), rtol=1e-4, atol=1e-12)


def bench_sigmoid_cross_entropy(benchmark: Any) -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(1024, 10)).astype("f4")
    t = rng.integers(0, 2, z.shape).astype("f4")
    function = fg.jit(fg.value_and_grad(lambda z, t: ops.mean(ops.sigmoid_cross_entropy(t, z))))
    value, gradient = benchmark(function, fg.Tensor(z), fg.Tensor(t))
    wide = z.astype(np.float64)
    want = np.mean(np.logaddexp(0, wide) - wide * t)
    np.testing.assert_allclose(value.item(), want, rtol=1e-6)
    p = 1 / (1 + np.exp(-wide))
    np.testing.assert_allclose(gradient.numpy(), (p - t) / z.size, rtol=1e-4, atol=1e-12)
