"""What `fit`, `evaluate` and `predict` do: check everything, then run epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._checks import flag, positive_int
from fusegrad._tensor import as_tensor
from fusegrad.callbacks.base import CallbackList, checked_callbacks
from fusegrad.callbacks.history import History
from fusegrad.callbacks.progress import Progress
from fusegrad.data import adapters
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import restored_on_error
from fusegrad.losses import Loss, MeanSquaredError
from fusegrad.models import step
from fusegrad.models.compiled import Compiled
from fusegrad.models.head import check_units
from fusegrad.models.runner import Data, Runner, make_runner

if TYPE_CHECKING:
    from fusegrad.models.model import Model

Array = NDArray[Any]
Logs = dict[str, float]

_DEFAULT_BATCH = 32


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
    initial_epoch: int,
    validation_batch_size: int | None,
    validation_freq: int,
) -> History:
    """Train; see `Model.fit`."""
    where = "fit"
    compiled = _compiled(model, where)
    size = _batch_size(where, "batch_size", batch_size, _DEFAULT_BATCH)
    val_size = _batch_size(where, "validation_batch_size", validation_batch_size, size)
    epochs = positive_int(where, "epochs", epochs, zero=True)
    initial_epoch = positive_int(where, "initial_epoch", initial_epoch, zero=True)
    validation_freq = positive_int(where, "validation_freq", validation_freq)
    shuffle = flag(where, "shuffle", shuffle)
    progress = Progress(_verbose(where, verbose))
    given = checked_callbacks(where, callbacks)
    split = _split(where, validation_split)

    with _all_or_nothing(model):
        if validation_data is not None:
            data = _prepare(model, where, x, y)
            val_x, val_y = _pair(where, validation_data)
            validation: Data | None = _prepare(
                model, where, val_x, val_y, ("validation_data[0]", "validation_data[1]")
            )
        else:
            data = _prepare(model, where, x, y)
            validation = None
            if split > 0.0:
                data, validation = _split_data(where, data, split)
        compiled.optimizer.build(model.trainable_weights)
        runner = make_runner(model, "train", data, size, shuffle)
        val_runner = (
            make_runner(model, "test", validation, val_size) if validation is not None else None
        )

    history = History()
    params = {"epochs": epochs, "steps": runner.num_batches, "verbose": progress.style}
    calls = CallbackList([*given, history, progress], model, params)
    model.history = history
    model.stop_training = False
    names = compiled.names
    try:
        logs: Logs = {}
        calls.call("on_train_begin", {})
        for epoch in range(initial_epoch, epochs):
            calls.call("on_epoch_begin", epoch, {})
            runner.begin_epoch(model.next_epoch(initial_epoch))
            _run_epoch(model, "train", runner, calls, names, progress)
            progress.settle(runner.batches_done)
            logs = _logs(names, runner)
            if val_runner is not None and (epoch + 1) % validation_freq == 0:
                val_logs = _evaluate_epoch(model, val_runner, calls, names, progress)
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
    return_dict: bool,
) -> Any:
    """Measure; see `Model.evaluate`."""
    where = "evaluate"
    compiled = _compiled(model, where)
    size = _batch_size(where, "batch_size", batch_size, _DEFAULT_BATCH)
    progress = Progress(_verbose(where, verbose))
    given = checked_callbacks(where, callbacks)
    return_dict = flag(where, "return_dict", return_dict)
    with _all_or_nothing(model):
        data = _prepare(model, where, x, y)
        runner = make_runner(model, "test", data, size)
    params = {"epochs": 1, "steps": runner.num_batches, "verbose": progress.style}
    calls = CallbackList([*given, progress], model, params)
    try:
        logs = _evaluate_epoch(model, runner, calls, compiled.names, progress)
    finally:
        progress.close()
        _core.park_threads()
    if return_dict:
        return logs
    values = [logs[name] for name in compiled.names]
    return values[0] if len(values) == 1 else values


def predict(
    model: Model, x: Any, batch_size: int | None, verbose: int | str, callbacks: Any
) -> Array:
    """Compute outputs; see `Model.predict`."""
    where = "predict"
    size = _batch_size(where, "batch_size", batch_size, _DEFAULT_BATCH)
    progress = Progress(_verbose(where, verbose))
    given = checked_callbacks(where, callbacks)
    with _all_or_nothing(model):
        inputs, dtype = _inputs(model, where, "x", x)
        _outputs(model, where, inputs, dtype)
        runner = make_runner(model, "predict", Data(inputs, dtype), size)
    params = {"epochs": 1, "steps": runner.num_batches, "verbose": progress.style}
    calls = CallbackList([*given, progress], model, params)
    try:
        calls.call("on_predict_begin", {})
        runner.begin_epoch(0)
        _run_epoch(model, "predict", runner, calls, [], progress, min(size, inputs.shape[0]))
        progress.settle(runner.batches_done)
        calls.call("on_predict_end", {})
    finally:
        progress.close()
        _core.park_threads()
    return runner.rows()


# ---- running


def _run_epoch(
    model: Model,
    kind: str,
    runner: Runner,
    calls: CallbackList,
    names: list[str],
    progress: Progress,
    size: int = 0,
) -> None:
    """Run an epoch in one call, or batch by batch where a callback has batch hooks."""

    def logs() -> Logs:
        return {} if kind == "predict" else _logs(names, runner)

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


def _evaluate_epoch(
    model: Model, runner: Runner, calls: CallbackList, names: list[str], progress: Progress
) -> Logs:
    calls.call("on_test_begin", {})
    runner.begin_epoch(0)
    _run_epoch(model, "test", runner, calls, names, progress)
    progress.settle(runner.batches_done)
    logs = _logs(names, runner)
    calls.call("on_test_end", logs)
    return logs


def _logs(names: list[str], runner: Runner) -> Logs:
    """Return the means so far, in alphabetical order as Keras's logs are."""
    return dict(sorted(zip(names, runner.means(), strict=True)))


def graph_text(model: Model, stage: str, batch_size: int, shape: tuple[int, ...]) -> str:
    """Return a stage of the compiled training step; of `predict` where there is no loss."""
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


# ---- checking


def _compiled(model: Model, where: str) -> Compiled:
    compiled = model.compiled
    if compiled is None:
        raise ValueError(f"{where}(): the model is not compiled; call compile(loss=...) first")
    if compiled.loss is None:
        raise ValueError(f"{where}(): there is no loss; write for example compile(loss='mse')")
    return compiled


def _prepare(
    model: Model, where: str, x: Any, y: Any, arguments: tuple[str, str] = ("x", "y")
) -> Data:
    """Check inputs and targets, building the model where it is not built."""
    compiled = _compiled(model, where)
    inputs, x_dtype = _inputs(model, where, arguments[0], x)
    if y is None:
        raise ArgumentError(where, arguments[1], "targets, one for each row of 'x'", "None")
    targets = adapters.to_array(where, arguments[1], y)
    adapters.check_rows(where, inputs, targets, arguments[1])
    shape, dtype = _outputs(model, where, inputs, x_dtype)
    head = compiled.head(model)
    if shape:
        check_units(where, head, shape[-1])
    loss = compiled.loss
    rows = inputs.shape[0]
    if loss is not None and loss.targets == "labels" and shape:
        labels = adapters.to_labels(where, arguments[1], targets, shape[-1], (rows, *shape[:-1]))
        return Data(inputs, x_dtype, labels, "int64")
    if isinstance(loss, MeanSquaredError) or (loss is not None and loss.link is not None):
        checked = adapters.to_targets(
            where, arguments[1], targets, (rows, *shape), dtype, unit=loss.link is not None
        )
        return Data(inputs, x_dtype, checked, dtype)
    free = adapters.to_free_targets(where, arguments[1], targets, rows, dtype)
    if free.shape == (rows,) and shape == (1,):
        free = free[:, np.newaxis]
    _check_free_loss(model, where, arguments[1], loss, free, shape, dtype)
    return Data(inputs, x_dtype, free, "int64" if free.dtype == np.int64 else dtype)


def _check_free_loss(
    model: Model,
    where: str,
    argument: str,
    loss: Loss | None,
    targets: Array,
    shape: tuple[int, ...],
    dtype: str,
) -> None:
    """See that a loss of the user's own gives a value for each sample, not a broadcast table."""
    rows = min(2, targets.shape[0])
    y = as_tensor(
        np.ascontiguousarray(targets[:rows]), "int64" if targets.dtype == np.int64 else dtype
    )
    if loss is None or model.compiled is None or not model.compiled.run_eagerly:
        graph = _core.Graph()
        with graph:
            value = loss.call(y, graph.input((rows, *shape), dtype, "y_pred")) if loss else y
    else:
        value = loss.call(y, as_tensor(np.zeros((rows, *shape)), dtype))
    fits = value.ndim <= 1 + len(shape) and all(
        size in {1, wanted} if i else size == wanted
        for i, (size, wanted) in enumerate(zip(value.shape, (rows, *shape), strict=False))
    )
    if not fits:
        raise ArgumentError(
            where,
            argument,
            f"targets for which the loss gives one value per sample of shape {shape}",
            f"values of shape {value.shape} for {rows} samples",
        )


def _inputs(model: Model, where: str, argument: str, x: Any) -> tuple[Array, str]:
    """Return checked inputs and the dtype that they get in the model."""
    dtype = model.input_dtype()
    inputs = adapters.to_inputs(where, argument, x, dtype)
    expected = model.sample_shape()
    sample = tuple(inputs.shape[1:])
    if expected is not None and sample != expected:
        got = f"shape {np.shape(x) if isinstance(x, np.ndarray) else inputs.shape}"
        if sample == (1,) and math.prod(expected) == inputs.shape[0]:
            got += f" (one sample? write x.reshape({(1, *expected)}))"
        wanted = "(n, " + ", ".join(str(size) for size in expected) + ")"
        raise ArgumentError(where, argument, f"shape {wanted}, as the model was built for", got)
    return inputs, dtype


def _outputs(model: Model, where: str, inputs: Array, dtype: str) -> tuple[tuple[int, ...], str]:
    """Build the model where needed; return shape and dtype of one sample's output."""
    was_built = model.fully_built()
    if not was_built:
        model.build_for((None, *inputs.shape[1:]))
    compiled = model.compiled
    if compiled is not None and compiled.run_eagerly:
        sample = as_tensor(np.ascontiguousarray(inputs[:1]), dtype)
        output = step.checked_output(where, step.eager_predict(model, sample), 1)
    else:
        output = model.programs.output(model, where, tuple(inputs.shape[1:]), dtype)
    if not was_built:
        model.set_paths()
    return output


def _split_data(where: str, data: Data, split: float) -> tuple[Data, Data]:
    """Cut off the last fraction of the rows, as Keras does, before any shuffling."""
    at = math.floor(data.rows * (1.0 - split))
    if at in {0, data.rows} or data.y is None:
        raise ArgumentError(
            where,
            "validation_split",
            f"a fraction that leaves rows on both sides of {data.rows}",
            f"{split}, which leaves {at} for training",
        )
    train = Data(data.x[:at], data.x_dtype, data.y[:at], data.y_dtype)
    return train, Data(data.x[at:], data.x_dtype, data.y[at:], data.y_dtype)


def _split(where: str, value: Any) -> float:
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not real or not 0.0 <= value < 1.0:
        raise ArgumentError(where, "validation_split", "a number in [0, 1)", repr(value))
    return float(value)


def _pair(where: str, value: Any) -> tuple[Any, Any]:
    if not isinstance(value, tuple | list) or len(value) != 2:
        got = f"{type(value).__name__}"
        if isinstance(value, tuple | list):
            got += f" of length {len(value)}"
        raise ArgumentError(where, "validation_data", "a pair (x, y)", got)
    return value[0], value[1]


def _batch_size(where: str, argument: str, value: Any, default: int) -> int:
    return default if value is None else positive_int(where, argument, value)


def _verbose(where: str, value: Any) -> int | str:
    if isinstance(value, str):
        known = value == "auto"
    else:
        known = isinstance(value, int | np.integer) and value in {0, 1, 2}
    if not known:
        raise ArgumentError(where, "verbose", "0, 1, 2 or 'auto'", repr(value))
    return value if isinstance(value, str) else int(value)


@contextmanager
def _all_or_nothing(model: Model) -> Iterator[None]:
    """Leave the model as it was, also unbuilt, where something inside raises."""
    optimizer = None if model.compiled is None else model.compiled.optimizer
    state = None if optimizer is None else optimizer.slots_made()
    try:
        with nullcontext() if model.fully_built() else restored_on_error(model):
            yield
    except BaseException:
        if optimizer is not None and state is not None:
            optimizer.restore_slots(state)
        raise
