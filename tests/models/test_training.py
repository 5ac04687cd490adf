"""Epochs that run in one call of the core, because nobody looks on: all is as in separate ones."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import callbacks, layers, losses, metrics

X = np.random.default_rng(4).normal(size=(70, 5)).astype(np.float32)
Y = (X[:, :1] > 0.3).astype(np.float32)


def classifier(*given: Any) -> fg.Sequential:
    fg.utils.set_random_seed(3)
    model = fg.Sequential(
        [layers.Dense(4, activation="relu"), layers.Dropout(0.25), layers.Dense(1)]
    )
    model.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=list(given))
    return model


def bits(model: fg.Sequential) -> bytes:
    return b"".join(array.tobytes() for array in model.get_weights())


def test_same_as_with_a_callback() -> None:
    one, other = (
        classifier(metrics.BinaryAccuracy(threshold=0.0), metrics.AUC(from_logits=True))
        for _ in range(2)
    )
    for epochs, first in (
        (3, 0),
        (5, 2),
        (4, 4),
        (9, 8),
    ):  # the third is empty
        alone = one.fit(X, Y, epochs=epochs, initial_epoch=first, verbose=0)
        seen = other.fit(
            X, Y, epochs=epochs, initial_epoch=first, verbose=0, callbacks=[callbacks.Callback()]
        )
        assert alone.epoch == seen.epoch == list(range(first, epochs))
        assert alone.history == seen.history
        assert list(alone.history) == list(seen.history)
        assert alone.params == seen.params
        assert alone.model is one
        for values in alone.history.values():
            assert {type(value) for value in values} == {float}
        assert bits(one) == bits(other)
        assert one.next_epoch(0, count=0) == other.next_epoch(0, count=0)
    assert set(alone.history) == {"binary_accuracy", "auc", "loss"}


def test_metrics_of_my_own_look_in_between() -> None:
    class Watching(metrics.Metric):
        def values(self, y_true: Any, y_pred: Any) -> Any:
            return y_true - y_pred

        def from_totals(self, totals: Sequence[Any]) -> Any:
            steps.append(int(model.optimizer.iterations))
            if len(steps) == 4:
                raise ZeroDivisionError
            return super().from_totals(totals)

    steps: list[int] = []
    model = classifier(Watching())
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, epochs=9, verbose=0)
    assert steps == [3, 6, 9, 12]
    assert model.history is not None
    assert model.history.epoch == [0, 1, 2]


def test_a_method_of_my_own_looks_in_between() -> None:
    calls: list[int] = []
    precision = metrics.Precision(thresholds=0.0)
    ours = precision.of_counts

    def of_counts(counts: Any) -> Any:
        calls.append(int(model.optimizer.iterations))
        if len(calls) >= 3:
            raise ZeroDivisionError
        return ours(counts)

    precision.of_counts = of_counts  # type: ignore[method-assign]
    model = classifier(precision)
    with pytest.raises(ZeroDivisionError):
        model.fit(X, Y, epochs=3000, verbose=0)
    assert calls == [3, 6, 9]
    assert model.history is not None
    assert model.history.epoch == [0, 1]


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="needs the main thread"
)
def test_interrupt_among_short_epochs(interrupted: Any) -> None:
    model = classifier()
    model.fit(X, Y, verbose=0)
    with interrupted(0.3):
        model.fit(X, Y, epochs=10**9, verbose=0)
    history = model.history
    assert history is not None
    begun = -(-int(model.optimizer.iterations) // 3)
    assert model.next_epoch(0, count=0) == begun
    assert len(history.epoch) > 100
    # Of the epochs of this call the one that was broken off has no logs; another one may lack them
    # where Python was just writing them.
    assert begun - 3 <= len(history.epoch) <= begun - 1
    again = classifier()
    again.fit(X, Y, verbose=0)
    losses_of_all = again.fit(X, Y, epochs=begun, verbose=0).history["loss"]
    for epoch, loss in zip(history.epoch, history.history["loss"], strict=False):
        assert loss == losses_of_all[epoch]


def test_another_thread_looks_on_and_stops() -> None:
    seen = []

    def stop() -> None:
        end = time.monotonic() + 30.0
        while len(seen) < 3 and time.monotonic() < end:  # the history grows while training goes on
            time.sleep(0.01)
            count = len(model.history.epoch) if model.history is not None else 0
            if count > (seen[-1] if seen else 1):
                seen.append(count)
        model.stop_training = True

    model = classifier()
    model.fit(X, Y, verbose=0)
    thread = threading.Thread(target=stop)
    thread.start()
    history = model.fit(X, Y, epochs=10**9, verbose=0)
    thread.join()
    assert len(seen) == 3
    assert seen[-1] <= len(history.epoch) < 10**9
    assert len(history.history["loss"]) == len(history.epoch)


def test_nothing_is_kept_alive() -> None:
    model = classifier()
    x, y = X.copy(), Y.copy()
    gone = weakref.ref(x)
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):
            model.fit(x, y, epochs=2, verbose=0)
        del x, y
        assert gone() is None
    finally:
        gc.enable()
