"""The two training runs of tests/cpp/test_golden.cpp through the layers: the same hashes.

There the networks are written op by op against the core alone, and run on other processors too.
The hashes are read from that file, whose header says why an earlier output is right to compare
with. Here it is the layers, losses and optimizers that must come to the same bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import Sequential, layers, losses, optimizers, random

Array = np.ndarray[Any, Any]

SOURCE = Path(__file__).parent / "cpp" / "test_golden.cpp"


def golden(name: str) -> int:
    found = re.search(rf"constexpr uint64_t {name} = (0x[0-9a-f]{{16}});", SOURCE.read_text())
    assert found is not None
    return int(found[1], 16)


def hashed(arrays: Iterable[Array]) -> int:
    """FNV-1a with 64 bits."""
    value = 0xCBF29CE484222325
    for array in arrays:
        for byte in np.ascontiguousarray(array).tobytes():
            value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def uniform(shape: tuple[int, ...], seed: int, low: float, high: float, dtype: str) -> Array:
    values: Array = random.uniform(shape, low, high, dtype, seed).numpy()
    return values


def integers(shape: tuple[int, ...], seed: int, bound: float) -> Array:
    return uniform(shape, seed, 0.0, bound, "float64").astype(np.int64)


def set_weights(model: Sequential, first_seed: int, dtype: str) -> None:
    seed = first_seed
    weights = []
    for weight in model.weights:
        # NumPy's sqrt is correctly rounded, so this is the same number everywhere.
        limit = float(np.sqrt(6.0 / sum(weight.shape))) if len(weight.shape) == 2 else 0.125
        weights.append(uniform(tuple(weight.shape), seed, -limit, limit, dtype))
        seed += 1
    model.set_weights(weights)


def trained_hash(model: Sequential, x: Array, y: Array, epochs: int, batch_size: int) -> int:
    history = model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0).history
    slots = model.optimizer.variables[2:]
    means = np.array(history["loss"])
    return hashed([*model.get_weights(), *[slot.numpy() for slot in slots], means])


def test_multiclass() -> None:
    labels, patterns = integers((1700,), 1, 10.0), integers((10, 64), 2, 128.0)
    x = (patterns[labels] + integers((1700, 64), 3, 128.0)).astype(np.uint8)
    model = Sequential(
        [
            fg.Input((64,)),
            layers.Rescaling(1 / 255),
            layers.Dense(25, activation="relu"),
            layers.Dropout(0.1, seed=21),
            layers.Dense(15, activation="tanh"),
            layers.Dense(10, activation="linear"),
        ]
    )
    set_weights(model, 10, "float32")
    model.seed = 5
    model.compile(optimizers.Adam(0.02), losses.SparseCategoricalCrossentropy(from_logits=True))
    assert trained_hash(model, x, labels, epochs=6, batch_size=700) == golden("kMulticlassHash")


def test_binary() -> None:
    x = uniform((500, 11), 4, -1.0, 1.0, "float64")
    y = (x[:, :1] > x[:, 1:2]).astype(np.float64)
    try:
        fg.config.set_floatx("float64")
        model = Sequential(
            [
                fg.Input((11,)),
                layers.Dense(25, activation="sigmoid"),
                layers.Dense(15, activation="sigmoid"),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
        set_weights(model, 30, "float64")
        model.seed = 6
        model.compile(optimizers.SGD(0.5, momentum=0.9), losses.BinaryCrossentropy())
        assert trained_hash(model, x, y, epochs=20, batch_size=97) == golden("kBinaryHash")
    finally:
        fg.config.set_floatx("float32")


@pytest.mark.quick
def test_hash() -> None:
    # The published values of FNV-1a for no bytes, "a" and "foobar".
    assert hashed([]) == 0xCBF29CE484222325
    assert hashed([np.frombuffer(b"a", np.uint8)]) == 0xAF63DC4C8601EC8C
    assert hashed([np.frombuffer(b"foobar", np.uint8)]) == 0x85944171F73967E8
