"""History: the logs of every epoch."""

from __future__ import annotations

from fusegrad.callbacks.base import Callback, Logs


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

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Forget the epochs of an earlier run."""
        self.epoch = []
        self.history = {}

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Keep the logs of an epoch."""
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
