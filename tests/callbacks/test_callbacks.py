"""Callbacks: the order of the hooks, and stopping."""

from __future__ import annotations

from typing import Any

import numpy as np

import fusegrad as fg
from fusegrad import callbacks, layers

X = np.linspace(-1, 1, 10, dtype=np.float32)[:, None]


def regression() -> fg.Sequential:
    model = fg.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Recorder(callbacks.Callback):
    """Notes the hooks that are called."""

    def __init__(self, batches: bool) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.logs: dict[str, Any] = {}
        names = [name for name in dir(callbacks.Callback) if name.startswith("on_")]
        for name in names:
            if name in {"on_batch_begin", "on_batch_end"} or ("batch" in name and not batches):
                continue
            setattr(self, name, self._hook(name))

    def _hook(self, name: str) -> Any:
        def hook(*args: Any) -> None:
            self.calls.append(name.removeprefix("on_"))
            self.logs[name] = args[-1]

        return hook


def test_order_in_fit() -> None:
    recorder = Recorder(batches=True)
    regression().fit(
        X, X, batch_size=5, epochs=2, verbose=0, validation_data=(X, X), callbacks=[recorder],
        validation_batch_size=10,
    )  # fmt: skip
    batches = ["train_batch_begin", "train_batch_end"] * 2
    tests = ["test_begin", "test_batch_begin", "test_batch_end", "test_end"]
    epoch = ["epoch_begin", *batches, *tests, "epoch_end"]
    assert recorder.calls == ["train_begin", *epoch, *epoch, "train_end"]
    assert set(recorder.logs["on_epoch_end"]) == {"loss", "val_loss"}
    assert set(recorder.logs["on_train_end"]) == {"loss", "val_loss"}


def test_order_in_evaluate_and_predict() -> None:
    model = regression()
    recorder = Recorder(batches=True)
    model.evaluate(X, X, batch_size=5, verbose=0, callbacks=[recorder])
    batches = ["test_batch_begin", "test_batch_end"] * 2
    assert recorder.calls == ["test_begin", *batches, "test_end"]
    recorder = Recorder(batches=True)
    model.predict(X, batch_size=5, verbose=0, callbacks=[recorder])
    batches = ["predict_batch_begin", "predict_batch_end"] * 2
    assert recorder.calls == ["predict_begin", *batches, "predict_end"]
    assert recorder.logs["on_predict_batch_end"]["outputs"].shape == (5, 1)


def test_user_callbacks_come_first() -> None:
    class Look(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            assert self.model.history.epoch == list(range(epoch))
            assert self.params["epochs"] == 3

    regression().fit(X, X, epochs=3, verbose=0, callbacks=[Look()])


def test_batch_hooks_are_detected() -> None:
    class Old(callbacks.Callback):
        def on_batch_end(self, batch: int, logs: Any = None) -> None:
            """Keras's older name."""

    calls = callbacks.CallbackList([Recorder(batches=False)], None, {})
    assert not calls.has_batch_hooks("train")
    calls = callbacks.CallbackList([Old()], None, {})
    assert calls.has_batch_hooks("train")
    assert not calls.has_batch_hooks("test")


def test_stop_training() -> None:
    class After(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            self.model.stop_training = epoch == 1

    class Within(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 2

    assert regression().fit(X, X, epochs=9, verbose=0, callbacks=[After()]).epoch == [0, 1]
    model = regression()
    assert model.fit(X, X, batch_size=1, epochs=9, verbose=0, callbacks=[Within()]).epoch == [0]
    assert int(model.optimizer.iterations.numpy()) == 3
    assert len(model.fit(X, X, epochs=2, verbose=0).epoch) == 2
