"""History: the logs of every epoch, and their curves."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad._checks import flag
from fusegrad.callbacks.base import Callback, Logs
from fusegrad.errors import ArgumentError

_COLUMNS = 3  # panels side by side
_PANEL = (4.2, 3.2)  # inches
_DPI = 120
_FEW = 12  # epochs that are marked with dots: a line needs two
_VALIDATION = "val_"
_LEARNING_RATE = "learning_rate"


class History(Callback):
    """Keeps the logs of every epoch; `fit` returns one, and keeps it as ``model.history``.

    Attributes
    ----------
    history : dict of str to list of float
        For each name the values of the epochs.
    epoch : list of int
        The epochs, counted from 0.

    Examples
    --------
    >>> from fusegrad.callbacks import History
    >>> history = History()
    >>> history.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self) -> None:
        super().__init__()
        self.history: dict[str, list[float]] = {}
        self.epoch: list[int] = []
        self._epochs: dict[str, list[int]] = {}  # of each name: not every epoch is validated

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the epochs of an earlier run."""
        self.epoch = []
        self.history = {}
        self._epochs = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the logs of an epoch; called again for it, what Ctrl-C kept from being written."""
        if self.epoch[-1:] != [epoch]:
            self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            epochs = self._epochs.setdefault(name, [])
            if epochs[-1:] != [epoch]:
                values = self.history.setdefault(name, [])
                values[len(epochs) :] = [value]
                epochs.append(epoch)

    def plot(
        self,
        metrics: str | Sequence[str] | None = None,
        *,
        log: bool = False,
        path: str | os.PathLike[str] | None = None,
    ) -> Any:
        """Draw the loss and the metrics over the epochs, training and validation.

        Needs matplotlib: ``pip install 'fusegrad[plot]'``. The figure is drawn without a window
        and without `matplotlib.pyplot`, whose current figure and backend stay as they are.

        Parameters
        ----------
        metrics : str or sequence of str, optional
            What to draw, one panel each, by the names of training: ``["loss", "accuracy"]``. By
            default the loss, then all metrics, then the learning rate where it was recorded.
        log : bool, default False
            Logarithmic vertical axes, in the panels that have a finite value above 0.
        path : str or path-like, optional
            Also save the figure there, in the format of the name's ending: ``.png``, ``.svg``,
            ``.pdf``.

        Returns
        -------
        matplotlib.figure.Figure
            A notebook shows it where it is the last value of a cell.

        Raises
        ------
        ImportError
            There is no matplotlib.
        ValueError
            No epoch has been recorded, or matplotlib cannot write the format.
        fusegrad.errors.ArgumentError
            A name was not recorded, or an argument has the wrong type.

        Examples
        --------
        >>> import fusegrad as fg
        >>> model = fg.Sequential([fg.layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> history = model.fit([1.0, 2.0], [1.0, 2.0], epochs=5, verbose=0)
        >>> figure = history.plot(log=True, path="curves.png")  # doctest: +SKIP
        """
        where = "History.plot"
        log = flag(where, "log", log)
        figure_class = matplotlib_figure(f"{where}()")
        if not self.history:
            raise ValueError(f"{where}(): there are no epochs; call fit first")
        names = _chosen(metrics, _panels(self.history))
        count = len(names)
        rows = -(-count // _COLUMNS)
        across = -(-count // rows)  # four panels are two by two
        figure = figure_class(
            figsize=(_PANEL[0] * across, _PANEL[1] * rows), dpi=_DPI, layout="constrained"
        )
        for i, name in enumerate(names):
            self._draw(figure.add_subplot(rows, across, i + 1), name, log)
        # Notebooks ask for this; without pyplot they do not know matplotlib's figures.
        figure._repr_png_ = partial(_png, figure)
        if path is not None:
            figure.savefig(os.fspath(path))
        return figure

    def _draw(self, ax: Any, name: str, log: bool) -> None:
        """Draw one panel."""
        from matplotlib import ticker

        positive: list[float] = []
        for key, label, color in (
            (name, "training", "C0"),
            (_VALIDATION + name, "validation", "C1"),
        ):
            if key not in self.history:
                continue
            epochs, values = self._curve(key)
            marker = "o" if len(epochs) <= _FEW else ""
            for column in range(values.shape[1]):  # a metric with several thresholds has several
                ax.plot(
                    epochs,
                    values[:, column],
                    f"-{marker}",
                    color=color,
                    alpha=1.0 if column == 0 else 0.5,
                    markersize=3.5,
                    linewidth=1.5,
                    label=label if column == 0 else None,
                )
            positive += values[(values > 0.0) & np.isfinite(values)].tolist()
        ax.set_xlabel("epoch")
        ax.set_ylabel(name.replace("_", " "))
        ax.set_xlim(*self._limits())
        ax.xaxis.set_major_locator(ticker.MaxNLocator(nbins=6, integer=True, min_n_ticks=1))
        if log and positive:
            ax.set_yscale("log", nonpositive="mask")
            few = max(positive) < 1e3 * min(positive)  # powers of ten alone would be too few ticks
            ax.yaxis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0) if few else (1.0,)))
            ax.yaxis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
            ax.yaxis.set_minor_formatter(ticker.NullFormatter())
        ax.grid(alpha=0.3)
        if name != _LEARNING_RATE:
            ax.legend()

    def _limits(self) -> tuple[float, float]:
        """Return the ends of the horizontal axis: no tick stands for an epoch that was not."""
        epochs = [epoch for key in self.history for epoch in self._curve(key)[0]]
        return min(epochs) - 0.5, max(epochs) + 0.5

    def _curve(self, key: str) -> tuple[list[int], NDArray[Any]]:
        """Return the epochs of a name, counted from 1, and its values of shape (epochs, curves)."""
        values = np.asarray(self.history[key], dtype=np.float64)
        epochs = self._epochs.get(key, self.epoch)
        if len(epochs) != len(values):  # someone has put the lists together
            epochs = list(range(len(values)))
        return [epoch + 1 for epoch in epochs], values.reshape(len(values), -1)


def matplotlib_figure(what: str) -> Any:
    """Return matplotlib's class Figure, or raise ImportError saying what needs it."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        text = f"{what} needs matplotlib: pip install 'fusegrad[plot]'"
        raise ImportError(text, name="matplotlib") from error
    return Figure


def _panels(history: dict[str, list[float]]) -> list[str]:
    """Return the names without those of validation: the loss first, the learning rate last."""
    names = dict.fromkeys(name.removeprefix(_VALIDATION) for name in history)
    return sorted(names, key=lambda name: (name != "loss", name == _LEARNING_RATE))


def _chosen(metrics: Any, known: list[str]) -> list[str]:
    if metrics is None:
        return known
    names = [metrics] if isinstance(metrics, str) else metrics
    expected = "names among " + ", ".join(f"'{name}'" for name in known)
    if not isinstance(names, list | tuple) or not names:
        raise ArgumentError("History.plot", "metrics", expected, repr(metrics))
    for name in names:
        if name not in known:
            raise ArgumentError("History.plot", "metrics", expected, repr(name))
    return list(names)


def _png(figure: Any) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return buffer.getvalue()
