"""Callbacks: the order of the hooks, stopping, and what is printed."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest

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


def test_lines_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    model = regression()
    model.fit(X, X, batch_size=5, epochs=2, validation_data=(X, X))
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert lines[0] == "Epoch 1/2"
    assert re.fullmatch(
        r"2/2 - \d+s - \d+(s|ms|us)/step - loss: [\d.e+-]+ - val_loss: [\d.e+-]+", lines[1]
    )
    assert len(lines) == 4
    assert err == ""
    assert not set(out) & set("\r\b\x1b")
    model.fit(X, X, verbose=1)
    model.evaluate(X, X)
    model.predict(X)
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    model = regression()
    model.fit(X, X, verbose=0)
    model.evaluate(X, X, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    regression().fit(X, X, batch_size=1, epochs=2, validation_data=(X, X))
    text = stream.getvalue()
    assert "\rEpoch 1/2:   0%|" in text
    lines = [line.rsplit("\r", 1)[-1] for line in text.split("\n")]  # what stays to be seen
    for epoch, line in enumerate(lines[:2], start=1):
        assert re.fullmatch(
            rf"Epoch {epoch}/2 - \d+s - loss: [\d.e+-]+ - val_loss: [\d.e+-]+", line
        )
    assert lines[2:] == [""]


def test_bar_is_closed_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    class Fails(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            raise RuntimeError("mine")

    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    with pytest.raises(RuntimeError, match="mine"):
        regression().fit(X, X, epochs=2, callbacks=[Fails()])
    text = stream.getvalue()
    assert text.endswith("\r")  # the line is clear again
    assert text.split("\r")[-2].isspace()
