"""Checks what `fit`, `evaluate` and `predict` are given, before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._checks import number, warn
from fusegrad._tensor import as_tensor
from fusegrad.data import adapters
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import restored_on_error
from fusegrad.losses import Loss
from fusegrad.models import step
from fusegrad.models.compiled import Compiled, is_regression
from fusegrad.models.head import check_units
from fusegrad.models.overridable import is_own
from fusegrad.models.runner import Data

if TYPE_CHECKING:
    from fusegrad.models.model import Model

Array = NDArray[Any]


def compiled_of(model: Model, where: str, kind: str = "") -> Compiled:
    """Return the settings of `compile`, or raise ValueError where there are none.

    A loss is needed but for a step of the model's own.
    """
    compiled = model.compiled
    if compiled is None:
        raise ValueError(f"{where}(): the model is not compiled; call compile(loss=...) first")
    if compiled.loss is None and not is_own(model, kind):
        raise ValueError(f"{where}(): there is no loss; write for example compile(loss='mse')")
    return compiled


def prepare(
    model: Model,
    where: str,
    kind: str,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    arguments: tuple[str, str, str] = ("x", "y", "sample_weight"),
) -> Data:
    """Check inputs, targets and weights, building the model where it is not built."""
    if is_own(model, kind):
        return _prepared_for_own(model, where, x, y, sample_weight, arguments)
    expected = model.sample_shape()
    try:
        return _prepared(model, where, x, y, sample_weight, arguments)
    except ArgumentError as error:
        if error.argument not in arguments[:2] or not _swapped(expected, x, y):
            raise
        got = f"{error.got} (are '{arguments[0]}' and '{arguments[1]}' in the wrong order?)"
        raise ArgumentError(error.where, error.argument, error.expected, got) from None


def _swapped(expected: tuple[int, ...] | None, x: Any, y: Any) -> bool:
    """Whether it seems that inputs were given as targets, and targets as inputs."""
    first: tuple[int, ...] = getattr(x, "shape", ())
    second: tuple[int, ...] = getattr(y, "shape", ())
    if not first or len(second) < 2 or first[0] != second[0]:
        return False
    if expected is not None:
        return tuple(second[1:]) == expected != tuple(first[1:])
    return len(first) == 1 and second[1] > 1


def _prepared(
    model: Model, where: str, x: Any, y: Any, sample_weight: Any, arguments: tuple[str, str, str]
) -> Data:
    compiled = compiled_of(model, where)
    inputs, x_dtype = checked_inputs(model, where, arguments[0], x)
    if y is None:
        raise ArgumentError(where, arguments[1], "targets, one for each row of 'x'", "None")
    targets = adapters.to_array(where, arguments[1], y)
    adapters.check_rows(where, arguments[:2], inputs, targets)
    adapters.check_same_index(where, arguments[:2], x, y)
    shape, dtype = built_output(model, where, inputs, x_dtype)
    weights = None
    if sample_weight is not None:
        weights = adapters.to_weights(where, arguments[2], sample_weight, inputs.shape[0], dtype)
    head = compiled.head(model)
    if shape:
        check_units(where, head, shape[-1])
    y_dtype = dtype
    loss = compiled.loss
    rows = inputs.shape[0]
    if loss is not None and loss.targets == "labels" and shape:
        checked = adapters.to_labels(where, arguments[1], targets, shape[-1], (rows, *shape[:-1]))
        y_dtype = "int64"
    elif is_regression(loss) or (loss is not None and loss.link is not None):
        checked = adapters.to_targets(
            where, arguments[1], targets, (rows, *shape), dtype, unit=not is_regression(loss)
        )
        if loss is not None and loss.link == "softmax":
            adapters.notice_distributions(where, arguments[1], checked)
    else:
        checked = adapters.to_free_targets(where, arguments[1], targets, dtype)
        if checked.shape == (rows,) and shape == (1,):
            checked = checked[:, np.newaxis]
        _check_free_loss(model, where, arguments[1], loss, checked, shape, dtype)
        y_dtype = "int64" if checked.dtype == np.int64 else dtype
    for entry in compiled.metrics:
        if entry.metric is not None:
            entry.metric.check_targets(where, arguments[1], checked, shape[-1] if shape else 1)
    return Data(inputs, x_dtype, checked, y_dtype, weights)


def _prepared_for_own(
    model: Model, where: str, x: Any, y: Any, sample_weight: Any, arguments: tuple[str, str, str]
) -> Data:
    """Check the data of a step of the model's own, whose targets may mean anything."""
    inputs, dtype = checked_inputs(model, where, arguments[0], x)
    targets, y_dtype = None, ""
    if y is not None:
        targets = adapters.to_array(where, arguments[1], y)
        adapters.check_rows(where, arguments[:2], inputs, targets)
        adapters.check_same_index(where, arguments[:2], x, y)
        targets = adapters.to_free_targets(where, arguments[1], targets, dtype)
        y_dtype = "int64" if targets.dtype == np.int64 else dtype
    weights = None
    if sample_weight is not None:
        if y is None:
            got = "None, with sample weights"
            raise ArgumentError(where, arguments[1], "targets, one for each row of 'x'", got)
        weights = adapters.to_weights(where, arguments[2], sample_weight, inputs.shape[0], dtype)
    return Data(inputs, dtype, targets, y_dtype, weights)


def with_class_weight(model: Model, where: str, data: Data, class_weight: Any) -> Data:
    """Return the data with each row also weighed by its class."""
    loss = compiled_of(model, where, "train").loss
    if data.y is None:
        raise ArgumentError(where, "class_weight", "None without targets", repr(class_weight))
    output: tuple[int, ...] = ()
    dtype = data.x_dtype
    if loss is not None:
        output, dtype = built_output(model, where, data.x, data.x_dtype)
    weights = _class_weights(where, class_weight, data.y, loss, output)
    if data.sample_weight is not None:
        weights = weights * data.sample_weight
    adapters.check_weights(where, "class_weight", weights, dtype)
    return data._replace(sample_weight=weights)


def _class_weights(
    where: str, given: Any, targets: Array, loss: Loss | None, shape: tuple[int, ...]
) -> Array:
    """Return the weight of each row by its class, float64."""
    if is_regression(loss):
        got = f"targets of {type(loss).__name__}"
        raise ArgumentError(where, "class_weight", "targets that are classes", got)
    rows = targets.shape[0]
    if targets.shape in {(rows,), (rows, 1)}:
        flat = targets.reshape(rows)
        labels = flat.astype(np.int64)
        if not (labels == flat).all() or (labels < 0).any():
            got = "targets with fractions or below 0"
            raise ArgumentError(where, "class_weight", "targets that are classes", got)
        classes = int(labels.max()) + 1
        if loss is not None and loss.link is not None:
            classes = 2 if loss.link == "sigmoid" else shape[-1]
    elif targets.ndim == 2 and (loss is None or loss.link != "sigmoid"):
        labels, classes = targets.argmax(axis=-1), targets.shape[1]
    else:
        raise ArgumentError(
            where,
            "class_weight",
            "one class for each row (weigh rows with several labels by sample_weight)",
            f"targets of shape {targets.shape}",
        )
    table = np.ones(classes)
    if isinstance(given, str) and given == "balanced":
        present, counts = np.unique(labels, return_counts=True)
        table[present] = rows / (present.size * counts)
        return np.asarray(table[labels])
    if not isinstance(given, Mapping):
        expected = "a dict {class: weight}, or 'balanced'"
        advice = ""
        if isinstance(given, list | tuple | np.ndarray):
            advice = " (write dict(enumerate(weights)))"
        elif hasattr(given, "to_dict"):
            advice = " (write weights.to_dict())"
        raise ArgumentError(where, "class_weight", expected, repr(given) + advice)
    known = set()
    for key, value in given.items():
        try:
            label = int(key)
            whole = label == key or isinstance(key, str)
        except (TypeError, ValueError, OverflowError):
            label, whole = -1, False
        if not whole or not 0 <= label < classes:
            expected = f"classes in [0, {classes})"
            raise ArgumentError(where, "class_weight", expected, f"the class {key!r}")
        if label in known:
            expected = "one weight for each class"
            raise ArgumentError(where, "class_weight", expected, f"two for the class {label}")
        table[label] = number(where, f"class_weight[{key!r}]", value)
        known.add(label)
    left = sorted(set(range(classes)) - known)
    if left:
        names = ", ".join(map(str, left[:10])) + (", ..." if len(left) > 10 else "")
        warn(f"{where}(): class_weight has no weight for class {names}: it weighs 1")
    return np.asarray(table[labels])


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
        name = "" if loss is None else f" '{loss.name}'"
        raise ArgumentError(
            where,
            argument,
            f"targets of which the loss{name} makes one value per sample (with axis=-1)",
            f"values of shape {value.shape} for {rows} rows of targets of shape {y.shape} and "
            f"outputs of shape {(rows, *shape)}",
        )


def checked_inputs(model: Model, where: str, argument: str, x: Any) -> tuple[Array, str]:
    """Return checked inputs and the dtype that they get in the model."""
    dtype = model.input_dtype()
    inputs = adapters.to_inputs(where, argument, x, dtype)
    expected = model.sample_shape()
    sample = tuple(inputs.shape[1:])
    if expected is not None and sample != expected:
        got = f"shape {np.shape(x) if isinstance(x, np.ndarray) else inputs.shape}"
        names = getattr(x, "columns", None)
        if sample == (1,) and math.prod(expected) == inputs.shape[0]:
            got += f" (one sample? write x.reshape({(1, *expected)}))"
        elif isinstance(x, list | tuple) and sample[1:] == expected:
            got += " (a list of arrays? write the array itself: a model has one input)"
        elif names is not None:
            got += f" with the columns {', '.join(repr(name) for name in names[:12])}"
        wanted = "(n, " + ", ".join(str(size) for size in expected) + ")"
        raise ArgumentError(where, argument, f"shape {wanted}, as the model was built for", got)
    return inputs, dtype


def built_output(
    model: Model, where: str, inputs: Array, dtype: str
) -> tuple[tuple[int, ...], str]:
    """Build the model where needed; return shape and dtype of one sample's output."""
    was_built = model.fully_built()
    if not was_built:
        model.build_for((None, *inputs.shape[1:]))
    compiled = model.compiled
    if compiled is not None and compiled.run_eagerly:
        sample = as_tensor(np.ascontiguousarray(inputs[:1]), dtype)
        before = {weight: weight.numpy() for weight in model.weights}
        output = step.checked_output(where, step.eager_predict(model, sample), 1)
        for weight, value in before.items():  # `call` may have assigned to its state
            weight.assign(value)
    else:
        output = model.programs.output(model, where, tuple(inputs.shape[1:]), dtype)
    if not was_built:
        model.set_paths()
    return output


def split_data(where: str, data: Data, split: float) -> tuple[Data, Data]:
    """Cut off the last fraction of the rows, as Keras does, before any shuffling."""
    at = math.floor(data.rows * (1.0 - split))
    if at in {0, data.rows} or data.y is None:
        raise ArgumentError(
            where,
            "validation_split",
            f"a fraction that leaves rows on both sides of {data.rows}",
            f"{split}, which leaves {at} for training",
        )
    sides = data.part(slice(None, at)), data.part(slice(at, None))
    for side in sides:
        if side.sample_weight is not None and not side.sample_weight.any():
            raise ArgumentError(
                where,
                "validation_split",
                "a split with weights that are not all zero on both sides",
                f"{split}, which leaves {side.rows} zeros on one",
            )
    return sides


@contextmanager
def all_or_nothing(model: Model) -> Iterator[None]:
    """Leave the model as it was, also unbuilt, where something inside raises."""
    optimizer = None if model.compiled is None else model.compiled.optimizer
    state = None if optimizer is None else optimizer.state_made()
    try:
        with nullcontext() if model.fully_built() else restored_on_error(model):
            yield
    except BaseException:
        if optimizer is not None and state is not None:
            optimizer.restore_state(state)
        raise
