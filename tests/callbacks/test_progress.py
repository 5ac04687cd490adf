"""What `fit`, `evaluate` and `predict` print: into pipes, on terminals, in notebooks."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _console, callbacks, layers
from fusegrad.callbacks import progress
from fusegrad.callbacks.progress import Progress, format_seconds, format_value

X = np.linspace(-1, 1, 10, dtype=np.float32)[:, None]
NUMBER = r"-?\d+\.\d{4}(?:e[+-]\d\d)?"
PACE = r"\d+(?:s|ms|us)/step"
FULL = "━" * 20

# Each epoch takes 200 ms, time for several drawings.
SCRIPT = """
import sys, time
import numpy as np
import fusegrad as fg
from fusegrad import callbacks, layers

class Slow(callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        time.sleep(0.02)
    def on_epoch_end(self, epoch, logs=None):
        print(f"epoch {epoch} of a callback")

def mae(y_true, y_pred):
    return fg.ops.mean(fg.ops.abs(y_true - y_pred), axis=-1)

x = np.linspace(-1, 1, 10, dtype=np.float32)[:, None]
model = fg.Sequential([layers.Dense(1)])
model.compile("sgd", "mse", metrics=[mae])
model.fit(x, x, batch_size=1, epochs=2, validation_data=(x, x), callbacks=[Slow()])
model.evaluate(x, x)
model.predict(x)
"""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def regression() -> fg.Sequential:
    model = fg.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


def screen(text: str, width: int) -> list[str]:
    """Return the lines that a terminal of this width shows: it wraps, and draws over a line."""
    lines, row, column = [""], 0, 0
    for character in text:
        if character == "\r":
            column = 0
        elif character == "\n":
            row, column = row + 1, 0
        else:
            assert character.isprintable(), repr(character)
            if column == width:
                row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
            line = lines[row].ljust(column)
            lines[row] = line[:column] + character + line[column + 1 :]
            column += 1
        lines += [""] * (row + 1 - len(lines))
    return [line.rstrip() for line in lines]


def run_on_terminal(script: str, width: int, press: bytes = b"") -> str:
    """Run Python on a pseudo-terminal of its own; press keys once a bar is there."""
    fcntl = pytest.importorskip("fcntl")
    import struct
    import termios

    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    own = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    where = str(Path(fg.__file__).parent.parent)
    environment = {**os.environ, "PYTHONPATH": where, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-W", "error", "-c", own + script]
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
    ) as process:
        os.close(slave)
        output = b""
        while True:
            try:
                chunk = os.read(master, 4096)
            except OSError:  # Linux's way to say that the other end is closed
                break
            if not chunk:
                break
            output += chunk
            if press and "─".encode() in output:
                os.write(master, press)
                press = b""
        os.close(master)
        assert process.wait() == 0, output.decode()
    return output.decode()


def test_one_line_per_epoch_in_a_pipe() -> None:
    where = str(Path(fg.__file__).parent.parent)
    out = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT],
        capture_output=True,
        check=True,
        env={**os.environ, "PYTHONPATH": where},
    )
    assert out.stderr == b""
    lines = out.stdout.decode("ascii").splitlines()
    losses = rf"loss: {NUMBER} - mae: {NUMBER}"
    validation = rf"val_loss: {NUMBER} - val_mae: {NUMBER}"
    for epoch in range(2):
        assert lines[2 * epoch] == f"epoch {epoch} of a callback"
        assert re.fullmatch(
            rf"Epoch {epoch + 1}/2 - 10/10 - 0s - {PACE} - {losses} - {validation}",
            lines[2 * epoch + 1],
        )
    assert re.fullmatch(rf"1/1 - 0s - {PACE} - {losses}", lines[4])
    assert re.fullmatch(rf"1/1 - 0s - {PACE}", lines[5])
    assert len(lines) == 6
    assert not set(out.stdout.decode()) & set("\r\b\x1b")


@pytest.mark.parametrize(
    ("width", "lines_of_epoch", "cells"), [(40, 3, 10), (80, 2, 20), (200, 1, 20)]
)
def test_a_terminal(width: int, lines_of_epoch: int, cells: int) -> None:
    text = run_on_terminal(SCRIPT, width)
    assert "\x1b" not in text
    drawn = re.findall(r"\r( ?\d+/10 [━─]+ \d+s .*?)(?=\r)", text)
    assert len(drawn) >= 4
    assert all(len(line) <= width - 3 for line in drawn)
    running = rf" - loss: {NUMBER} - mae: {NUMBER}" if width > 40 else ""
    assert re.fullmatch(rf" [1-9]/10 ━+─+ 0s {PACE}{running} *", drawn[1])

    lines = screen(text, width)
    assert lines[-1] == ""
    assert all(len(line) <= width for line in lines)
    epoch_lines = 2 + lines_of_epoch
    for epoch in range(2):
        first, second, *rest = lines[epoch * epoch_lines : (epoch + 1) * epoch_lines]
        assert first == f"Epoch {epoch + 1}/2"
        assert second == f"epoch {epoch} of a callback"
        together = " - ".join(line.strip() for line in rest)
        assert re.fullmatch(
            rf"10/10 {'━' * cells} 0s {PACE} - loss: {NUMBER} - mae: {NUMBER}"
            rf" - val_loss: {NUMBER} - val_mae: {NUMBER}",
            together,
        )
    evaluated, predicted = lines[2 * epoch_lines : -1][0], lines[-2]
    assert re.match(rf"1/1 {'━' * cells} 0s {PACE}", evaluated)
    assert re.fullmatch(rf"1/1 {'━' * cells} 0s {PACE}", predicted)


def test_ctrl_c_leaves_a_clean_line() -> None:
    script = """
        import signal, time
        signal.signal(signal.SIGINT, signal.default_int_handler)
        import numpy as np
        import fusegrad as fg
        class Slow(fg.callbacks.Callback):
            def on_train_batch_end(self, batch, logs=None):
                time.sleep(0.02)
        model = fg.Sequential([fg.layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["mean_squared_error"])
        x = np.ones((5000, 1))
        try:
            model.fit(x, x, batch_size=1, epochs=2, callbacks=[Slow()])
        except KeyboardInterrupt:
            print("stopped")
    """
    text = run_on_terminal(textwrap.dedent(script), 60, press=b"\x03")
    assert "^C" in text
    assert screen(text, 60) == ["Epoch 1/2", "stopped", ""]


def test_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_NOTEBOOK_DRAWING", 0.0)

    class Batches(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            """Have each batch run by itself."""

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs |= {f"measured_{i}": 0.5 for i in range(10)}  # longer than a terminal is wide

    regression().fit(X, X, batch_size=1, epochs=2, callbacks=[Batches()])
    text = stream.getvalue()
    assert "\r 3/10 ━━━━━━────────────── 0s" in text
    lines = screen(text, sys.maxsize)
    assert lines[0] == "Epoch 1/2"
    assert re.fullmatch(rf"10/10 {FULL} 0s {PACE}( - \w+: {NUMBER}){{11}}", lines[1])
    assert len(lines) == 5


def test_running_values_and_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_DRAWING", 0.0)
    bar = Progress(1)
    bar.set_params({"epochs": 3, "steps": 200})
    bar.on_train_begin()
    bar.on_epoch_begin(1)
    bar.tick(50, lambda: {"loss": 0.5, "both": [0.25]})
    bar.settle(200)
    bar.on_test_begin()
    bar.tick(1, lambda: {"loss": 0.75})
    bar.settle(4)
    bar.on_test_end()
    bar.on_epoch_end(1, {"loss": 0.25, "val_loss": 1e-5})
    bar.on_train_end()
    text = stream.getvalue()
    assert text.startswith("Epoch 2/3\n")
    running = r"\r 50/200 ━━━━━─{15} 0s \S+/step - loss: 0.5000 - both: \[0.2500\]"
    assert re.search(running, text)
    assert re.search(rf"\r200/200 {FULL} 0s \S+/step - val_loss: 0.7500", text)
    assert re.fullmatch(
        rf"200/200 {FULL} 0s \S+/step - loss: 0.2500 - val_loss: 1.0000e-05",
        screen(text, 80)[1],
    )


def test_fast_epochs_draw_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_DRAWING", 60.0)  # however slow the machine is
    regression().fit(X, X, batch_size=1, epochs=2, validation_data=(X, X))
    losses = rf"loss: {NUMBER} - val_loss: {NUMBER}"
    expected = "".join(rf"Epoch {i}/2\n10/10 {FULL} 0s {PACE} - {losses}\n" for i in (1, 2))
    assert re.fullmatch(expected, stream.getvalue())


@pytest.mark.parametrize("verbose", [2, "auto", 1])
def test_lines_where_there_is_no_terminal(
    verbose: int | str, capsys: pytest.CaptureFixture[str]
) -> None:
    model = regression()
    model.fit(X, X, batch_size=5, verbose=verbose)
    model.evaluate(X, X, batch_size=5, verbose=verbose)
    model.predict(X, batch_size=5, verbose=verbose)
    out, err = capsys.readouterr()
    value = rf" - loss: {NUMBER}\n"
    line = rf"2/2 - 0s - {PACE}"
    assert re.fullmatch(line + value + line + value + line + "\n", out)
    assert err == ""


def test_lines_on_a_terminal_where_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    regression().fit(X, X, epochs=2, verbose=2)
    assert re.fullmatch(
        rf"(Epoch \d/2 - 1/1 - 0s - {PACE} - loss: {NUMBER}\n){{2}}", stream.getvalue()
    )


def test_silence(capsys: pytest.CaptureFixture[str]) -> None:
    model = regression()
    model.fit(X, X, verbose=0)
    model.evaluate(X, X, verbose=0)
    model.predict(X, verbose=0)
    assert capsys.readouterr() == ("", "")


def test_a_process_without_a_console(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout", None)
    assert len(regression().fit(X, X, epochs=2).epoch) == 2
    assert len(regression().fit(X, X, epochs=2, verbose=2).epoch) == 2


@pytest.mark.parametrize(("module", "terminal"), [("idlelib.run", "xterm"), ("builtins", "dumb")])
def test_windows_that_cannot_draw_over_a_line(
    module: str, terminal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = type("Stream", (Terminal,), {"__module__": module})()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("TERM", terminal)
    assert progress.style(1) == 2
    monkeypatch.setattr("sys.stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert progress.style(1) == 1


def test_a_terminal_without_these_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    class Latin(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    raw = io.BytesIO()
    stream = Latin(raw, encoding="latin-1", newline="\n")
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_DRAWING", 0.0)

    class Names(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            logs["größe → 1"] = 1.0

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            """Have each batch run by itself."""

    regression().fit(X, X, batch_size=1, callbacks=[Names()])
    text = raw.getvalue().decode("latin-1")
    assert "\r 5/10 ==========.......... 0s" in text
    assert "größe \\u2192 1: 1.0000" in screen(text, 80)[-2]


def test_a_line_is_broken_by_what_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stdout", stream)
    for width in range(20, 60):
        parts = ["1/1", *progress._values({"→" * 3: 1.0, "b": 2.0})]
        shown = _console.shown(progress._wrapped(parts, width))
        assert all(len(line) <= max(width, 30) for line in shown.split("\n")), (width, shown)


def test_an_epoch_that_is_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.model.stop_training = batch == 2

    regression().fit(X, X, batch_size=1, epochs=5, callbacks=[Stop()])
    assert capsys.readouterr().out.startswith("Epoch 1/5 - 3/10 - 0s - ")


def test_a_batch_count_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_DRAWING", 0.0)
    bar = Progress(1)
    bar.set_params({"epochs": 1, "steps": None})
    bar.on_epoch_begin(0)
    bar.tick(7, lambda: {"loss": 0.5})
    bar.settle(9)
    bar.on_epoch_end(0, {"loss": 0.5})
    assert "\r7/Unknown 0s" in stream.getvalue()
    assert re.fullmatch(rf"9/9 {FULL} 0s \S+/step - loss: 0.5000", screen(stream.getvalue(), 80)[0])


def test_bar_is_removed_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    class Fails(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 5:
                raise RuntimeError("mine")

    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_DRAWING", 0.0)
    with pytest.raises(RuntimeError, match="mine"):
        regression().fit(X, X, batch_size=1, epochs=2, callbacks=[Fails()])
    assert " 5/10 ━" in stream.getvalue()
    assert stream.getvalue().endswith("\r")
    assert screen(stream.getvalue(), 80) == ["Epoch 1/2", ""]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5000"),
        (0, "0.0000"),
        (1234.56789, "1234.5679"),
        (0.0011, "0.0011"),
        (1e-3, "1.0000e-03"),
        (-2.5e-7, "-2.5000e-07"),
        (3e30, "3.0000e+30"),
        (float("nan"), "nan"),
        (-float("inf"), "-inf"),
        (np.float32(0.25), "0.2500"),
        ([0.5, 1e-4], "[0.5000, 1.0000e-04]"),
        (np.array([1, 2]), "[1.0000, 2.0000]"),
        (np.linspace(0, 1, 101), "[0.0000, 0.0100, ..., 0.9900, 1.0000]"),
        (np.eye(2), "[[1.0000, 0.0000], [0.0000, 1.0000]]"),
        ("two\nlines", "two lines"),
        (None, "nan"),
    ],
)
def test_format_value(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_format_seconds() -> None:
    values = (12.4, 1.0, 0.5, 1e-3, 9e-4, 0.0)
    assert [format_seconds(v) for v in values] == ["12s", "1s", "500ms", "1ms", "900us", "0us"]
    times = (0.9, 59.9, 65, 3599, 3600, 7384)
    expected = ["0s", "59s", "1:05", "59:59", "1:00:00", "2:03:04"]
    assert [progress._clock(t) for t in times] == expected


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt_in_a_callback_closes_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Interrupts(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            if batch == 5:
                signal.raise_signal(signal.SIGINT)

    stream = Terminal()
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setattr(progress, "_DRAWING", 0.0)
    with pytest.raises(KeyboardInterrupt):
        regression().fit(X, X, batch_size=1, callbacks=[Interrupts()])
    assert screen(stream.getvalue(), 80) == [""]
