"""Progress: a bar for people, one line per epoch for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fusegrad import _console
from fusegrad.callbacks.base import Callback, Logs

_CELLS = 20
_DRAWING = 0.05  # seconds between two drawings of a bar; what is over sooner draws none
_NOTEBOOK_DRAWING = 0.25  # each drawing is a message to the browser
_MARGIN = 3  # columns right of the bar: a terminal writes ^C there, and must not begin a line
_WHOLE = 8  # elements of a vector that are printed


def style(verbose: int | str) -> int:
    """Return 0 (silent), 1 (a bar) or 2 (a line per epoch) for a `verbose` argument.

    ``"auto"`` and 1 mean a bar where standard output is a terminal or a notebook, and a line per
    epoch elsewhere, so that no log fills with control characters.
    """
    if sys.stdout is None:  # a process without a console
        return 0
    if verbose in {0, 2}:
        return int(verbose)
    return 1 if _console.is_interactive() else 2


def make_bar(total: int | None, **options: Any) -> Any:
    """Return a tqdm bar on standard output, without tqdm's monitoring thread."""
    from tqdm import tqdm

    bar = type("Bar", (tqdm,), {"monitor_interval": 0})
    return bar(total=total, file=sys.stdout, **options)


def format_value(value: Any) -> str:
    """Return a number as Keras prints it, ``.4f`` or ``.4e`` where it is small; also a vector.

    Examples
    --------
    >>> format_value(0.25), format_value(0.0001), format_value([0.5, 1.0])
    ('0.2500', '1.0000e-04', '[0.5000, 1.0000]')
    """
    try:
        values = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):  # what a callback put into the logs
        return " ".join(str(value).split())
    if values.ndim == 0:
        return _format_number(float(values))
    text = np.array2string(
        values,
        separator=", ",
        threshold=_WHOLE,
        edgeitems=2,
        max_line_width=sys.maxsize,
        formatter={"float_kind": _format_number},
    )
    return " ".join(text.split())


def _format_number(value: Any) -> str:
    size = abs(value)
    return f"{value:.4e}" if 0.0 < size <= 1e-3 or size >= 1e8 else f"{value:.4f}"


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
        0 nothing; 1 a bar in each epoch that becomes its line, where standard output is a terminal
        or a notebook, else as 2; 2 a line per epoch; ``"auto"`` as 1.

    Notes
    -----
    An epoch that is over within 50 ms draws no bar, only its line. The time per step is that of
    training, the time before it that of the whole epoch with its validation.

    Examples
    --------
    >>> from fusegrad.callbacks import Progress
    >>> Progress(0).tick(3)
    """

    def __init__(self, verbose: int | str = "auto") -> None:
        super().__init__()
        self.style = style(verbose)
        self._bar: Any = None
        self._visible = False
        self._blank = ""  # what erases the bar and a ^C behind it
        self._label = ""
        self._steps: int | None = None
        self._done = 0
        self._started = self._drawn = time.perf_counter()
        self._seconds: float | None = None  # of the batches, once they are over
        self._in_training = False
        self._validating = False

    def shown(self) -> list[Progress]:
        """Return the callback in a list, which is empty where there is nothing to show."""
        return [self] if self.style else []

    def tick(self, batches_done: int, logs: Callable[[], Mapping[str, Any]] | None = None) -> None:
        """Draw the bar if the last drawing is old enough; cheap otherwise.

        Parameters
        ----------
        batches_done : int
            Of the epoch, or of its validation.
        logs : callable, optional
            Returns the loss and the metrics so far; called only where the bar is drawn.
        """
        if self.style != 1:
            return
        interval = _NOTEBOOK_DRAWING if _console.is_notebook(sys.stdout) else _DRAWING
        if time.perf_counter() - self._drawn < interval:
            return
        values = {} if logs is None else dict(logs())
        if self._validating:  # the bar stays full
            values = {f"val_{name}": value for name, value in values.items()}
        else:
            self._done = batches_done
        self._draw(values)
        self._drawn = time.perf_counter()

    def settle(self, batches_done: int) -> None:
        """Note that the batches are over; take the bar away, so that callbacks may print."""
        if not self._validating:
            self._done = batches_done
            self._seconds = time.perf_counter() - self._started
        self._clear()

    def close(self) -> None:
        """Remove the bar, also after an error."""
        if self._bar is not None:
            self._clear()
            self._bar.close()
            self._bar = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Note that evaluations belong to epochs."""
        self._in_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Note that training has ended."""
        self._in_training = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Start an epoch; print its heading above a bar."""
        epochs = int(self.params.get("epochs") or 1)
        self._start(f"Epoch {epoch + 1}/{epochs}" if epochs > 1 else "")
        if self.style == 1 and self._label:
            _console.write_line(self._label)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Print the line of an epoch in the place of the bar."""
        self._finish(logs or {})

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Start an evaluation, which may be the validation of an epoch."""
        if self._in_training:
            self._validating = True
        else:
            self._start("")

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Print the line of an evaluation."""
        if self._in_training:
            self._validating = False
        else:
            self._finish(logs or {})

    def on_predict_begin(self, logs: Any = None) -> None:
        """Start a prediction."""
        self._start("")

    def on_predict_end(self, logs: Any = None) -> None:
        """Print the line of a prediction."""
        self._finish({})

    def _start(self, label: str) -> None:
        self.close()
        self._label = label
        self._steps = self.params.get("steps") or None
        self._done = 0
        self._seconds = None
        self._started = self._drawn = time.perf_counter()

    def _draw(self, logs: Mapping[str, Any]) -> None:
        width = _console.columns()
        room = sys.maxsize if width is None else max(1, width - _MARGIN)
        left = (self._steps or self._done) - self._done
        text = f"{_clock(left * self._step_seconds())} {self._pace()}"
        before = 2 * len(str(self._steps or "Unknown")) + _cells(width) + 3
        for value in _values(logs):
            if before + len(text) + 3 + len(value) > room:
                break
            text += f" - {value}"
        if self._bar is None:
            digits = len(str(self._steps))
            layout = f"{{n_fmt:>{digits}}}/{{total_fmt}} {{bar:{_cells(width)}}} {{desc}}"
            self._bar = make_bar(
                self._steps,
                bar_format=layout if self._steps else "{n_fmt}/Unknown {desc}",
                ascii="".join(_blocks()),
                ncols=room,
                leave=False,
                delay=1e-9,  # draws nothing yet: an interrupt before the assignment leaves nothing
            )
        self._bar.n = self._done
        self._bar.ncols = room
        self._bar.set_description_str(_console.shown(text), refresh=False)
        self._blank = "" if width is None else " " * (width - 1)
        self._visible = True
        self._bar.refresh()

    def _clear(self) -> None:
        if self._visible:
            self._bar.display(self._blank)
            self._bar.clear()
            self._visible = False

    def _finish(self, logs: Mapping[str, Any]) -> None:
        self.close()
        if self.style == 0:
            return
        elapsed = f"{time.perf_counter() - self._started:.0f}s"
        total = self._steps or self._done
        count = f"{self._done}/{total}"
        if self.style == 2:
            heading = [self._label] if self._label else []
            line = " - ".join([*heading, count, elapsed, self._pace(), *_values(logs)])
            _console.write_line(line)
            return
        width = _console.columns()
        cells = _cells(width)
        full = cells * self._done // max(1, total)
        empty_block, block = _blocks()
        bar = block * full + empty_block * (cells - full)
        parts = [f"{count} {bar} {elapsed} {self._pace()}", *_values(logs)]
        _console.write_line(_wrapped(parts, width))

    def _step_seconds(self) -> float:
        seconds = self._seconds
        if seconds is None:
            seconds = time.perf_counter() - self._started
        return seconds / max(1, self._done)

    def _pace(self) -> str:
        return f"{format_seconds(self._step_seconds())}/step"


def _values(logs: Mapping[str, Any]) -> list[str]:
    return [_console.shown(f"{name}: {format_value(value)}") for name, value in logs.items()]


def _clock(seconds: float) -> str:
    """Return the time that is left: ``5s``, ``1:05``, ``2:00:00``."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes = f"{whole // 60 % 60}:{whole % 60:02d}"
    return minutes if whole < 3600 else f"{whole // 3600}:{minutes:>05}"


def _cells(width: int | None) -> int:
    """Return the length of a bar: shorter on narrow terminals."""
    return _CELLS if width is None else max(4, min(_CELLS, width // 4))


def _blocks() -> tuple[str, str]:
    """Return the characters of an empty and of a full cell."""
    return ("─", "━") if _console.can_show("─━") else (".", "=")


def _wrapped(parts: list[str], width: int | None) -> str:
    """Join the parts; where the terminal is too narrow, begin further lines between them."""
    lines = [parts[0]]
    for part in parts[1:]:
        if width is not None and len(lines[-1]) + 3 + len(part) > width:
            lines.append(f"    {part}")
        else:
            lines[-1] += f" - {part}"
    return "\n".join(lines)
