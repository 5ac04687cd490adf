"""What `fit`, `evaluate` and `predict` do: check everything, then run epochs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._checks import flag, positive_int
from fusegrad.callbacks.base import CallbackList, checked_callbacks
from fusegrad.callbacks.history import History
from fusegrad.callbacks.progress import Progress
from fusegrad.errors import ArgumentError
from fusegrad.models import quick, step
from fusegrad.models.overridable import is_own
from fusegrad.models.prepare import (
    all_or_nothing,
    built_output,
    checked_inputs,
    compiled_of,
    prepare,
    split_data,
    with_class_weight,
)
from fusegrad.models.runner import Data, NativeRunner, Runner, make_runner

if TYPE_CHECKING:
    from fusegrad.models.model import Model

Array = NDArray[Any]
Logs = dict[str, Any]

_DEFAULT_BATCH = 32
_STAGES = ("trace", "rewrite", "simplify", "fuse", "layout", "plan")


def fit(
    model: Model,
    x: Any,
    y: Any,
    batch_size: int | None,
    epochs: int,
    verbose: int | str,
    callbacks: Any,
    validation_split: float,
    validation_data: Any,
    shuffle: bool,
    class_weight: Any,
    sample_weight: Any,
    initial_epoch: int,
    validation_batch_size: int | None,
    validation_freq: int,
) -> History:
    """Train; see `Model.fit`."""
    where = "fit"
    compiled = compiled_of(model, where, "train")
    size = _batch_size(where, "batch_size", batch_size, _DEFAULT_BATCH)
    val_size = _batch_size(where, "validation_batch_size", validation_batch_size, size)
    epochs = positive_int(where, "epochs", epochs, zero=True)
    initial_epoch = positive_int(where, "initial_epoch", initial_epoch, zero=True)
    if initial_epoch > epochs:
        expected = f"at most epochs={epochs}, the epoch to train up to"
        raise ArgumentError(where, "initial_epoch", expected, repr(initial_epoch))
    validation_freq = positive_int(where, "validation_freq", validation_freq)
    shuffle = flag(where, "shuffle", shuffle)
    progress = Progress(_verbose(where, verbose))
    given = checked_callbacks(where, callbacks)
    split = _split(where, validation_split)

    data = quick.checked(model, x, y) if sample_weight is None else None
    validation: Data | None = None
    val_runner: Runner | None = None
    if data is not None and validation_data is None and split == 0.0 and class_weight is None:
        runner = make_runner(model, "train", data, size, shuffle)
    else:
        with all_or_nothing(model):
            data = data or prepare(model, where, "train", x, y, sample_weight)
            if validation_data is not None:
                validation = prepare(model, where, "test", *_validation(where, validation_data))
            elif split > 0.0:
                data, validation = split_data(where, data, split)
            if class_weight is not None:  # of the rows that are trained on
                data = with_class_weight(model, where, data, class_weight)
            if not is_own(model, "train"):
                compiled.optimizer.build(model.trainable_weights)
            runner = make_runner(model, "train", data, size, shuffle)
            if validation is not None:
                val_runner = make_runner(model, "test", validation, val_size)
        quick.remember_data(model, data)

    history = History()
    params = {"epochs": epochs, "steps": runner.num_batches, "verbose": progress.style}
    model.history = history
    model.stop_training = False
    unwatched = not given and val_runner is None and not progress.style
    try:
        if unwatched and isinstance(runner, NativeRunner) and runner.runs_ours_only():
            history.set_params(params)
            history.set_model(model)
            _run_unwatched(model, runner, range(initial_epoch, epochs), history, runner.names)
            return history
        calls = CallbackList([*given, history, *progress.shown()], model, params)
        logs: Logs = {}
        calls.call("on_train_begin", {})
        for epoch in range(initial_epoch, epochs):
            calls.call("on_epoch_begin", epoch, {})
            runner.begin_epoch(model.next_epoch(initial_epoch))
            _run_epoch(model, "train", runner, calls, progress)
            progress.settle(runner.batches_done)
            logs = _logs(runner)
            if val_runner is not None and (epoch + 1) % validation_freq == 0:
                val_logs = _evaluate_epoch(model, val_runner, calls, progress)
                logs |= {f"val_{name}": value for name, value in val_logs.items()}
            calls.call("on_epoch_end", epoch, logs)
            if model.stop_training:
                break
        calls.call("on_train_end", logs)
    finally:
        progress.close()
        _core.park_threads()
    return history


def evaluate(
    model: Model,
    x: Any,
    y: Any,
    batch_size: int | None,
    verbose: int | str,
    callbacks: Any,
    sample_weight: Any,
    return_dict: bool,
) -> Any:
    """Measure; see `Model.evaluate`."""
    where = "evaluate"
    compiled = compiled_of(model, where, "test")
    if _silent(verbose, callbacks) and batch_size is None and sample_weight is None:
        values = quick.measured(model, "test", x, y, _DEFAULT_BATCH)
        if values is not None and isinstance(return_dict, bool):
            return _values(compiled.names, values, return_dict)
    size = _batch_size(where, "batch_size", batch_size, _DEFAULT_BATCH)
    progress = Progress(_verbose(where, verbose))
    given = checked_callbacks(where, callbacks)
    return_dict = flag(where, "return_dict", return_dict)
    with all_or_nothing(model):
        data = prepare(model, where, "test", x, y, sample_weight)
        runner = make_runner(model, "test", data, size)
    params = {"epochs": 1, "steps": runner.num_batches, "verbose": progress.style}
    calls = CallbackList([*given, *progress.shown()], model, params)
    try:
        logs = _evaluate_epoch(model, runner, calls, progress)
    finally:
        progress.close()
        _core.park_threads()
    if runner.num_batches == 1:
        quick.remember_step(model, "test", data)
    if return_dict:
        return logs
    return _values(runner.names, [logs[name] for name in runner.names], False)


def predict(
    model: Model, x: Any, batch_size: int | None, verbose: int | str, callbacks: Any
) -> Array:
    """Compute outputs; see `Model.predict`."""
    where = "predict"
    if _silent(verbose, callbacks) and batch_size is None:
        outputs = quick.predicted(model, x, _DEFAULT_BATCH)
        if outputs is not None:
            return outputs
    size = _batch_size(where, "batch_size", batch_size, _DEFAULT_BATCH)
    progress = Progress(_verbose(where, verbose))
    given = checked_callbacks(where, callbacks)
    with all_or_nothing(model):
        data = Data(*checked_inputs(model, where, "x", x))
        built_output(model, where, data.x, data.x_dtype)
        runner = make_runner(model, "predict", data, size)
    params = {"epochs": 1, "steps": runner.num_batches, "verbose": progress.style}
    calls = CallbackList([*given, *progress.shown()], model, params)
    try:
        calls.call("on_predict_begin", {})
        runner.begin_epoch(0)
        _run_epoch(model, "predict", runner, calls, progress, min(size, data.rows))
        progress.settle(runner.batches_done)
        calls.call("on_predict_end", {})
    finally:
        progress.close()
        _core.park_threads()
    if runner.num_batches == 1:
        quick.remember_predict(model, data)
    return runner.rows()


# ---- single batches


def on_batch(
    model: Model,
    kind: str,
    x: Any,
    y: Any,
    sample_weight: Any,
    class_weight: Any,
    return_dict: bool,
) -> Any:
    """Train or measure on one batch; see `Model.train_on_batch`, `Model.test_on_batch`."""
    where = f"{kind}_on_batch"
    compiled = compiled_of(model, where, kind)
    return_dict = flag(where, "return_dict", return_dict)
    if sample_weight is None and class_weight is None:
        values = quick.measured(model, kind, x, y, sys.maxsize)
        if values is not None:
            return _values(compiled.names, values, return_dict)
    with all_or_nothing(model):
        data = prepare(model, where, kind, x, y, sample_weight)
        if class_weight is not None:
            data = with_class_weight(model, where, data, class_weight)
        if kind == "train" and not is_own(model, "train"):
            compiled.optimizer.build(model.trainable_weights)
        runner = make_runner(model, kind, data, data.rows)
    # A batch by itself is an epoch of its own: a new dropout mask each time.
    runner.begin_epoch(model.next_epoch(0) if kind == "train" else 0)
    runner.run(1, None)
    quick.remember_step(model, kind, data)
    return _values(runner.names, runner.results(), return_dict)


def predict_on_batch(model: Model, x: Any) -> Array:
    """Compute outputs; see `Model.predict_on_batch`."""
    where = "predict_on_batch"
    outputs = quick.predicted(model, x, sys.maxsize)
    if outputs is not None:
        return outputs
    with all_or_nothing(model):
        data = Data(*checked_inputs(model, where, "x", x))
        built_output(model, where, data.x, data.x_dtype)
        runner = make_runner(model, "predict", data, data.rows)
    runner.begin_epoch(0)
    runner.run(1, None)
    quick.remember_predict(model, data)
    return runner.rows()


# ---- running


def _run_unwatched(
    model: Model, runner: NativeRunner, epochs: range, history: History, names: list[str]
) -> None:
    """Run epochs in few calls, where the history is the only callback.

    It does nothing before the end of an epoch. So it gets the same logs in the same order, by the
    clock at most 50 ms and an epoch late. The clock also sees to signals and to `stop_training`,
    which nothing but a signal's handler and other threads can set here.
    """

    def tick() -> bool:
        return bool(model.stop_training)

    epoch = epochs.start
    while epoch < epochs.stop:
        number = model.next_epoch(epochs.start, count=0)
        finished: list[list[Any]] = []
        broken_off = 1
        try:
            runner.run_epochs(number, epochs.stop - epoch, tick, finished)
            broken_off = 0
        finally:
            model.next_epoch(epochs.start, count=len(finished) + broken_off)
            _record(history, names, runner, enumerate(finished, epoch))
        epoch += len(finished)
        if model.stop_training:
            break


def _record(
    history: History, names: list[str], runner: NativeRunner, left: Iterator[tuple[int, list[Any]]]
) -> None:
    """Give the history the totals of epochs; all of them also where a signal's handler raises."""

    def write(epoch: int, totals: list[Any]) -> None:
        history.on_epoch_end(epoch, _sorted(names, runner.results_of(totals)))

    raised: BaseException | None = None
    broken_off: tuple[int, list[Any]] | None = None
    while True:
        try:
            if broken_off is not None:
                write(*broken_off)
            for broken_off in left:
                write(*broken_off)
            break
        except KeyboardInterrupt as error:
            raised = raised or error
        except BaseException as error:
            raised, broken_off = raised or error, None
    if raised is not None:
        raise raised


def _run_epoch(
    model: Model,
    kind: str,
    runner: Runner,
    calls: CallbackList,
    progress: Progress,
    size: int = 0,
) -> None:
    """Run an epoch in one call, or batch by batch where a callback has batch hooks."""

    def logs() -> Logs:
        return {} if kind == "predict" else _logs(runner)

    def tick() -> bool:
        progress.tick(runner.batches_done, logs)
        return kind == "train" and bool(model.stop_training)

    if not calls.has_batch_hooks(kind):
        runner.run(-1, tick)
        return
    for batch in range(runner.num_batches):
        calls.call(f"on_{kind}_batch_begin", batch, {})
        runner.run(1, tick)
        if kind == "predict":
            calls.call(
                f"on_{kind}_batch_end",
                batch,
                {"outputs": runner.rows()[batch * size : (batch + 1) * size]},
            )
        else:
            calls.call(f"on_{kind}_batch_end", batch, logs())
        progress.tick(batch + 1, logs)
        if kind == "train" and model.stop_training:
            return


def _evaluate_epoch(model: Model, runner: Runner, calls: CallbackList, progress: Progress) -> Logs:
    calls.call("on_test_begin", {})
    runner.begin_epoch(0)
    _run_epoch(model, "test", runner, calls, progress)
    progress.settle(runner.batches_done)
    logs = _logs(runner)
    calls.call("on_test_end", logs)
    return logs


def _logs(runner: Runner) -> Logs:
    """Return the means so far, in alphabetical order as Keras's logs are."""
    return _sorted(runner.names, runner.results())


def _sorted(names: list[str], values: list[Any]) -> Logs:
    if len(names) == 1:
        return {names[0]: values[0]}
    return dict(sorted(zip(names, values, strict=True)))


def graph_text(model: Model, stage: str, batch_size: int, shape: tuple[int, ...]) -> str:
    """Return a stage of the compiled training step; of `predict` where there is no loss."""
    if stage not in _STAGES:
        raise ArgumentError("print_graph", "stage", f"one of {', '.join(_STAGES)}", repr(stage))
    rows = positive_int("print_graph", "batch_size", batch_size)
    dtype = model.input_dtype()
    compiled = model.compiled
    if compiled is None or compiled.loss is None:
        batch = step.Batch(rows, shape, dtype)
        return model.programs.get(model, "predict", batch).program.text(stage)
    output, output_dtype = model.programs.output(model, "print_graph", shape, dtype)
    labels = compiled.loss.targets == "labels"
    compiled.optimizer.build(model.trainable_weights)
    batch = step.Batch(
        rows,
        shape,
        dtype,
        output[:-1] if labels else output,
        "int64" if labels else output_dtype,
    )
    return model.programs.get(model, "train", batch).program.text(stage)


def _values(names: list[str], values: list[Any], return_dict: bool) -> Any:
    """Return the loss, the list of loss and metrics in the order of `compile`, or the dict."""
    if return_dict:
        return _sorted(names, values)
    return values[0] if len(values) == 1 else values


# ---- checking


def _validation(where: str, value: Any) -> tuple[Any, ...]:
    """Return what `prepare` takes for ``(x, y)`` or ``(x, y, sample_weight)``."""
    if not isinstance(value, tuple | list) or len(value) not in {2, 3}:
        got = f"{type(value).__name__}"
        if isinstance(value, tuple | list):
            got += f" of length {len(value)}"
        raise ArgumentError(where, "validation_data", "(x, y) or (x, y, sample_weight)", got)
    names = ("validation_data[0]", "validation_data[1]", "validation_data[2]")
    return (value[0], value[1], value[2] if len(value) == 3 else None, names)


def _split(where: str, value: Any) -> float:
    if type(value) is float and 0.0 <= value < 1.0:
        return value
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not real or not 0.0 <= value < 1.0:
        raise ArgumentError(where, "validation_split", "a number in [0, 1)", repr(value))
    return float(value)


def _batch_size(where: str, argument: str, value: Any, default: int) -> int:
    if where == "predict" and hasattr(value, "__len__") and not isinstance(value, str):
        got = f"{value!r} (predict takes no targets)"
        raise ArgumentError(where, argument, "an integer >= 1", got)
    return default if value is None else positive_int(where, argument, value)


def _silent(verbose: Any, callbacks: Any) -> bool:
    """Whether nobody looks on."""
    return type(verbose) is int and verbose == 0 and callbacks is None


def _verbose(where: str, value: Any) -> int | str:
    if isinstance(value, str):
        known = value == "auto"
    else:
        known = isinstance(value, int | np.integer) and value in {0, 1, 2}
    if not known:
        raise ArgumentError(where, "verbose", "0, 1, 2 or 'auto'", repr(value))
    return value if isinstance(value, str) else int(value)
