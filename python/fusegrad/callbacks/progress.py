"""Progress: a bar for people, one line per epoch for logs."""

from __future__ import annotations

import sys
import time
from typing import Any

from fusegrad.callbacks.base import Callback, Logs


def style(verbose: int | str) -> int:
    """Return 0 (silent), 1 (a bar) or 2 (a line per epoch) for a `verbose` argument.

    ``"auto"`` and 1 mean a bar where standard output is a terminal or a notebook, and a line per
    epoch elsewhere, so that no log fills with control characters.
    """
    if verbose in {0, 2}:
        return int(verbose)
    return 1 if _interactive() else 2


def _interactive() -> bool:
    stream = sys.stdout
    if stream is None:
        return False
    if type(stream).__module__.startswith("ipykernel"):
        return True
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # a replaced or closed stream
        return False


def make_bar(total: int, **options: Any) -> Any:
    """Return a tqdm bar on standard output, without tqdm's monitoring thread."""
    from importlib import import_module

    notebook = type(sys.stdout).__module__.startswith("ipykernel")
    tqdm = import_module("tqdm.auto" if notebook else "tqdm").tqdm
    bar = type("Bar", (tqdm,), {"monitor_interval": 0})
    return bar(total=total, file=sys.stdout, dynamic_ncols=True, mininterval=0.0, **options)


def format_value(value: Any) -> str:
    """Return a number as Keras prints it: ``.4f``, or ``.4e`` where it is small; lists as lists."""
    if getattr(value, "ndim", 0):  # a metric at several thresholds
        return "[" + ", ".join(map(format_value, value)) + "]"
    return f"{value:.4f}" if abs(value) > 1e-3 or value == 0.0 else f"{value:.4e}"


def format_seconds(seconds: float) -> str:
    """Return a duration with a unit: ``2s``, ``3ms``, ``40us``."""
    if seconds >= 1.0:
        return f"{seconds:.0f}s"
    return f"{seconds * 1e3:.0f}ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f}us"


class Progress(Callback):
    """Shows what `fit`, `evaluate` and `predict` are doing.

    Parameters
    ----------
    verbose : int or str
        0 nothing; 1 a bar in each epoch, then its line, where standard output is a terminal or a
        notebook, else as 2; 2 a line per epoch; ``"auto"`` as 1.

    Examples
    --------
    >>> from fusegrad.callbacks import Progress
    >>> Progress(0).tick(3)
    """

    def __init__(self, verbose: int | str = "auto") -> None:
        super().__init__()
        self.style = style(verbose)
        self._bar: Any = None
        self._started = 0.0
        self._steps = 0
        self._label = ""
        self._in_training = False

    def tick(self, batches_done: int) -> None:
        """Move the bar; called by the clock, not by the batch."""
        if self._bar is not None and batches_done > self._bar.n:
            self._bar.update(batches_done - self._bar.n)

    def close(self) -> None:
        """Remove the bar, also after an error."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Note that evaluations belong to epochs."""
        self._in_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Note that training has ended."""
        self._in_training = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start the bar or the line of an epoch."""
        epochs = int(self.params.get("epochs", 1))
        label = f"Epoch {epoch + 1}/{epochs}" if epochs > 1 else ""
        if self.style == 2 and label:
            _print(label)
        self._start(int(self.params.get("steps", 0)), label)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Complete the bar or print the line of an epoch."""
        self._finish(self._steps, logs or {})

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start the bar or the line of an evaluation."""
        if not self._in_training:
            self._start(int(self.params.get("steps", 0)), "")

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Complete the bar or print the line of an evaluation."""
        if not self._in_training:
            self._finish(self._steps, logs or {})

    def on_predict_begin(self, logs: Any = None) -> None:
        """Start the bar or the line of a prediction."""
        self._start(int(self.params.get("steps", 0)), "")

    def on_predict_end(self, logs: Any = None) -> None:
        """Complete the bar or print the line of a prediction."""
        self._finish(self._steps, {})

    def _start(self, steps: int, label: str) -> None:
        self.close()
        self._steps = steps
        self._label = label
        self._started = time.perf_counter()
        if self.style == 1:
            # The line of the finished epoch takes its place, with room for all values.
            self._bar = make_bar(steps, desc=label or None, unit="batch", leave=False)

    def _finish(self, steps: int, logs: Logs) -> None:
        self.close()
        if self.style == 0:
            return
        elapsed = time.perf_counter() - self._started
        parts = [f"{steps}/{steps}", f"{elapsed:.0f}s"]
        if self.style == 1 and self._label:
            parts[0] = self._label
        else:
            parts.append(f"{format_seconds(elapsed / max(1, steps))}/step")
        parts += [f"{name}: {format_value(value)}" for name, value in logs.items()]
        _print(" - ".join(parts))


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
