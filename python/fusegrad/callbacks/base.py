"""Callback: hooks that `fit`, `evaluate` and `predict` call, and the list that calls them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fusegrad._spelling import Spelled
from fusegrad.errors import ArgumentError

if TYPE_CHECKING:
    from fusegrad.models.model import Model

Logs = dict[str, float]


class Callback(Spelled):
    """Base class: override the hooks that you need.

    The order in `fit` is Keras's: ``on_train_begin``, then for each epoch ``on_epoch_begin``, for
    each batch ``on_train_batch_begin`` and ``on_train_batch_end``, validation with
    ``on_test_begin``, its batches and ``on_test_end``, then ``on_epoch_end``; at last
    ``on_train_end``. Logs hold the loss and the metrics so far, at the end of an epoch also the
    validation's, with ``val_`` before their names.

    Setting ``self.model.stop_training = True`` ends the training after the current batch or epoch.

    An epoch runs without Python unless a batch hook is overridden.

    Attributes
    ----------
    model : Model
        The model in training.
    params : dict
        ``epochs``, ``steps`` and ``verbose``.

    Examples
    --------
    >>> from fusegrad import callbacks
    >>> class Printer(callbacks.Callback):
    ...     def on_epoch_end(self, epoch, logs=None):
    ...         print(epoch, sorted(logs))
    """

    model: Model

    def __init__(self) -> None:
        self.params: dict[str, Any] = {}

    def set_params(self, params: dict[str, Any]) -> None:
        """Take the parameters of the run."""
        self.params = params

    def set_model(self, model: Model) -> None:
        """Take the model of the run."""
        self.model = model

    def on_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Be called before each training batch; the same as `on_train_batch_begin`."""

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Be called after each training batch; the same as `on_train_batch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Be called before each epoch, counted from 0."""

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Be called after each epoch and its validation."""

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Be called before each training batch, counted from 0."""
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Be called after each training batch, with the means of the epoch so far."""
        self.on_batch_end(batch, logs)

    def on_test_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Be called before each batch of `evaluate` or of validation."""

    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Be called after each batch of `evaluate` or of validation."""

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Be called before each batch of `predict`."""

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        """Be called after each batch of `predict`, with its rows under ``outputs``."""

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Be called when training begins."""

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Be called when training has ended, with the logs of the last epoch."""

    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Be called when an evaluation begins."""

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Be called when an evaluation has ended, with its results."""

    def on_predict_begin(self, logs: Any = None) -> None:
        """Be called when a prediction begins."""

    def on_predict_end(self, logs: Any = None) -> None:
        """Be called when a prediction has ended."""


_BATCH_HOOKS = {
    "train": ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end"),
    "test": ("on_test_batch_begin", "on_test_batch_end"),
    "predict": ("on_predict_batch_begin", "on_predict_batch_end"),
}

# What the base class's hooks call, where they do anything.
_CALLED_BY_DEFAULT = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
}


class CallbackList(Spelled):
    """Calls the hooks of several callbacks in order; knows whether any has batch hooks.

    Parameters
    ----------
    callbacks : iterable of Callback
    model : Model
    params : dict
        Given to each callback, with the model.

    Examples
    --------
    >>> from fusegrad.callbacks import Callback, CallbackList
    >>> calls = CallbackList([Callback()], model=None, params={})
    >>> calls.has_batch_hooks("train")
    False
    """

    def __init__(self, callbacks: Iterable[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = list(callbacks)
        self._methods: dict[str, list[Any]] = {}  # what a hook comes to, once it was called
        for callback in self.callbacks:
            callback.set_params(params)
            callback.set_model(model)

    def has_batch_hooks(self, mode: str) -> bool:
        """Whether any callback overrides a batch hook of ``"train"``, ``"test"``, ``"predict"``."""
        return any(map(self._overriding, _BATCH_HOOKS[mode]))

    def call(self, hook: str, *args: Any) -> None:
        """Call a hook of every callback."""
        for method in self._overriding(hook):
            method(*args)

    def _overriding(self, hook: str) -> list[Any]:
        """Return the methods of those callbacks for which a hook does anything."""
        methods = self._methods.get(hook)
        if methods is None:
            methods = self._methods[hook] = [
                getattr(callback, hook) for callback in self.callbacks if _overrides(callback, hook)
            ]
        return methods


def _overrides(callback: Any, hook: str) -> bool:
    """Whether a hook does anything."""
    if getattr(getattr(callback, hook), "__func__", None) is not getattr(Callback, hook, None):
        return True
    own = _CALLED_BY_DEFAULT.get(hook)
    return own is not None and _overrides(callback, own)


def checked_callbacks(where: str, callbacks: Any) -> list[Callback]:
    """Return the callbacks of an argument as a list, or raise ArgumentError."""
    if callbacks is None:
        return []
    if isinstance(callbacks, Callback):
        return [callbacks]
    expected = "a list of fusegrad.callbacks.Callback"
    if not isinstance(callbacks, list | tuple):
        raise ArgumentError(where, "callbacks", expected, _described(callbacks))
    for i, callback in enumerate(callbacks):
        if not isinstance(callback, Callback):
            raise ArgumentError(where, f"callbacks[{i}]", "a Callback", _described(callback))
    return list(callbacks)


def _described(value: Any) -> str:
    if isinstance(value, type) and issubclass(value, Callback):
        return f"the class {value.__name__} (write {value.__name__}(...))"
    return repr(value)
