"""Models in several Python threads: own models train alike, a shared one predicts alike."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

import fusegrad as fg
from fusegrad import initializers, layers

X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)
Y = X[:, :1]


def regression() -> fg.Sequential:
    model = fg.Sequential(
        [
            layers.Dense(16, "relu", kernel_initializer=initializers.GlorotUniform(1)),
            layers.Dense(1, kernel_initializer=initializers.GlorotUniform(2)),
        ]
    )
    model.seed = 3
    model.compile("adam", "mse")
    return model


def together(work: Callable[[], None], count: int = 4) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_own_models() -> None:
    expected = regression()
    expected.fit(X, Y, epochs=3, verbose=0)
    results: list[bytes] = []

    def work() -> None:
        model = regression()
        model.fit(X, Y, epochs=3, verbose=0)
        results.append(model.get_weights()[0].tobytes())

    together(work)
    assert results == [expected.get_weights()[0].tobytes()] * 4


def test_shared_model() -> None:
    model = regression()
    model.fit(X, Y, verbose=0)
    expected = model.predict(X, verbose=0).tobytes()
    results: list[bool] = []

    def work() -> None:
        results.extend(model.predict(X, verbose=0).tobytes() == expected for _ in range(20))

    together(work)
    assert results == [True] * 80
