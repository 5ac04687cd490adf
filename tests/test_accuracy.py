"""The notes' multi-class network learns handwritten digits and clothes: medians of five seeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import datasets
from fusegrad.layers import Dense, Flatten, Rescaling


def network(shape: tuple[int, ...], scale: float) -> fg.Sequential:
    model = fg.Sequential(
        [
            fg.Input(shape),
            Rescaling(scale),
            Flatten(),
            Dense(25, activation="relu"),
            Dense(15, activation="relu"),
            Dense(10, activation="linear"),
        ]
    )
    loss = fg.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss, metrics=["accuracy"])
    return model


def median_accuracy(data: Any, scale: float, epochs: int) -> float:
    (x, y), (x_test, y_test) = data
    scores = []
    for seed in range(5):
        fg.utils.set_random_seed(seed)
        model = network(x.shape[1:], scale)
        model.fit(x, y, epochs=epochs, verbose=0)
        predicted = np.argmax(model.predict(x_test, verbose=0), axis=1)
        scores.append(float(np.mean(predicted == y_test)))
    return float(np.median(scores))


def test_digits_reach_95_percent() -> None:
    assert median_accuracy(datasets.load_digits(), 1 / 16, epochs=100) >= 0.95


@pytest.mark.slow
def test_fashion_mnist_reaches_85_5_percent() -> None:
    try:
        data = datasets.load_fashion_mnist()
    except FileNotFoundError as absent:
        pytest.skip(str(absent))
    assert median_accuracy(data, 1 / 255, epochs=10) >= 0.855
