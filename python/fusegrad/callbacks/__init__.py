"""Callbacks: what `fit` calls while it trains.

Examples
--------
>>> from fusegrad import callbacks
>>> class StopEarly(callbacks.Callback):
...     def on_epoch_end(self, epoch, logs=None):
...         self.model.stop_training = logs["loss"] < 0.1
"""

from fusegrad._spelling import missing
from fusegrad.callbacks.base import Callback, CallbackList
from fusegrad.callbacks.history import History
from fusegrad.callbacks.progress import Progress

__all__ = ["Callback", "CallbackList", "History", "Progress"]

__getattr__ = missing(__name__, __all__)
