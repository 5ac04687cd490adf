"""Whole epochs of training, and prediction. A step's time is the epoch's over its batches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import datasets
from fusegrad.layers import Dense


def network(features: int, *widths: int, optimizer: str = "adam") -> fg.Sequential:
    fg.utils.set_random_seed(0)
    hidden = [Dense(n, activation="relu") for n in widths[:-1]]
    model = fg.Sequential([fg.Input((features,)), *hidden, Dense(widths[-1], activation="linear")])
    loss = fg.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=optimizer, loss=loss)
    return model


def train(
    benchmark: Any, model: fg.Sequential, x: Any, y: Any, batch_size: int, rounds: int
) -> None:
    first = model.fit(x, y, batch_size=batch_size, verbose=0).history["loss"][0]
    benchmark.pedantic(
        lambda: model.fit(x, y, batch_size=batch_size, verbose=0),
        rounds=rounds, iterations=1, warmup_rounds=1,
    )  # fmt: skip
    steps = -(-len(x) // batch_size)
    if benchmark.stats:  # none under --benchmark-disable
        benchmark.extra_info["microseconds per step"] = benchmark.stats["median"] / steps * 1e6
    assert model.evaluate(x, y, verbose=0) < first


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def bench_seed_network(benchmark: Any, images: tuple[Any, Any], optimizer: str) -> None:
    """784-25-15-10, batch 32, 60,000 rows."""
    train(
        benchmark, network(784, 25, 15, 10, optimizer=optimizer), *images, batch_size=32, rounds=3
    )


def bench_digits_network(benchmark: Any) -> None:
    """64-25-15-10, batch 32."""
    (images, y), _ = datasets.load_digits()
    x = images.reshape(-1, 64).astype(np.float32) / np.float32(16)
    train(benchmark, network(64, 25, 15, 10), x, y, batch_size=32, rounds=20)


def bench_wide_network(benchmark: Any, images: tuple[Any, Any]) -> None:
    """784-512-512-10, batch 128, the first 6,400 rows."""
    x, y = images
    train(benchmark, network(784, 512, 512, 10), x[:6400], y[:6400], batch_size=128, rounds=3)


def bench_first_fit(benchmark: Any) -> None:
    """Build, trace, compile and one step of a fresh model."""
    (images, y), _ = datasets.load_digits()
    x = images.reshape(-1, 64).astype(np.float32)[:32]

    def first() -> float:
        model = network(64, 25, 15, 10)
        loss: float = model.fit(x, y[:32], verbose=0).history["loss"][0]
        return loss

    assert np.isfinite(benchmark(first))


@pytest.mark.parametrize("rows", [1, 32, 1000])
def bench_predict(benchmark: Any, rows: int) -> None:
    model = network(784, 25, 15, 10)
    x = np.random.default_rng(0).normal(size=(rows, 784)).astype(np.float32)
    result = benchmark(model.predict, x, verbose=0)
    assert result.shape == (rows, 10)


def bench_call_on_one_sample(benchmark: Any) -> None:
    model = network(784, 25, 15, 10)
    x = fg.Tensor(np.random.default_rng(0).normal(size=(1, 784)).astype(np.float32))
    assert benchmark(model, x).shape == (1, 10)
