"""What a call from Python costs: models on a few rows, eager ops, jitted functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses, ops

RNG = np.random.default_rng(0)


def network(features: int) -> fg.Sequential:
    fg.utils.set_random_seed(0)
    model = fg.Sequential(
        [
            fg.Input((features,)),
            layers.Dense(25, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def rows(count: int, features: int) -> Any:
    return RNG.normal(size=(count, features)).astype(np.float32)


@pytest.mark.parametrize("features", [64, 784])
def test_model_on_one_sample(benchmark: Any, features: int) -> None:
    model, x = network(features), rows(1, features)
    for _ in range(8):  # then it is compiled
        model(x)
    benchmark(model, x)


@pytest.mark.parametrize("count", [1, 32])
def test_predict(benchmark: Any, count: int) -> None:
    benchmark(network(64).predict, rows(count, 64), verbose=0)


@pytest.mark.parametrize("name", ["train_on_batch", "test_on_batch", "evaluate", "fit"])
def test_one_batch(benchmark: Any, name: str) -> None:
    options = {} if name.endswith("batch") else {"verbose": 0}
    benchmark(getattr(network(64), name), rows(32, 64), RNG.integers(0, 10, 32), **options)


def test_first_fit(benchmark: Any) -> None:
    """Build, trace, compile and one step."""
    x, y = rows(32, 64), RNG.integers(0, 10, 32)
    benchmark(lambda: network(64).fit(x, y, verbose=0))


EAGER: dict[str, Callable[[Any], Any]] = {
    "add": lambda x: x + x,
    "add_number": lambda x: x + 1.0,
    "exp": ops.exp,
    "sum": ops.sum,
    "slice": lambda x: x[0],
}


@pytest.mark.parametrize("size", [1, 16])
@pytest.mark.parametrize("name", EAGER)
def test_eager_op(benchmark: Any, name: str, size: int) -> None:
    benchmark(EAGER[name], fg.Tensor(np.ones(size, np.float32)))


@pytest.mark.parametrize("transform", [fg.jit, fg.value_and_grad], ids=["jit", "value_and_grad"])
def test_transformed(benchmark: Any, transform: Any) -> None:
    benchmark(transform(lambda x: ops.sum(x * x)), np.ones(4, np.float32))
