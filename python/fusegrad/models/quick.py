"""Calls on a few rows, answered at once by a compiled step where all is as it should be.

Where it is not, or not yet, the functions here return None, and the caller goes the way on which
everything is checked and what is wrong is said. At its end that way leaves here what answers the
next call of the same shape. A change of anything but the elements of weights forgets all of it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusegrad._settings import changes
from fusegrad._tensor import Function, Tensor, current_builder, within
from fusegrad.layers import Layer
from fusegrad.layers.activation import Activated
from fusegrad.layers.base import LAYERS
from fusegrad.metrics import Metric
from fusegrad.models import step
from fusegrad.models.compiled import is_regression
from fusegrad.models.head import name_of
from fusegrad.models.overridable import is_own
from fusegrad.models.runner import Data
from fusegrad.variable import substitutes

if TYPE_CHECKING:
    from fusegrad.models.model import Model
    from fusegrad.models.sequential import Sequential

_FEW = 1 << 14  # elements of an input; with more, a call's own cost does not count
_MANY = 1 << 17  # elements of an input; with more, checks by several threads are sooner done
_EAGER_CALLS = 3  # of a shape, before a program is compiled for it
_FLOATS = "fd"  # as NumPy abbreviates float32 and float64
_FINITE = {
    dtype: (-float(np.finfo(dtype).max), float(np.finfo(dtype).max))
    for dtype in ("float32", "float64")
}


def called(model: Sequential, x: Any) -> Tensor | None:
    """Return ``model(x)`` outside of training."""
    programs = model.programs
    last = programs.last_call
    count = changes.count
    if last is not None and last[0] == count and not substitutes.values:
        y = last[1].first(x)  # None where this x is something else
        if y is not None:
            return y
    if type(x) is not np.ndarray and type(x) is not Tensor:
        return None
    memo = programs.memo()
    key = "call", x.shape, x.dtype
    found = memo.get(key, 0)
    if type(found) is int:
        found = _call_function(model, memo, key, found, x)
    if found is None or substitutes.values:
        return None
    function: Function = found
    programs.last_call = count, function
    return function.first(x)


def _call_function(
    model: Sequential, memo: dict[Any, Any], key: Any, calls: int, x: Any
) -> Function | None:
    """Return the function for inputs like this one, or count one more of them."""
    if current_builder() is not None or substitutes.values:
        return None
    if calls < _EAGER_CALLS:
        memo[key] = calls + 1
        return None
    memo[key] = None
    if model.fully_built() and 0 < x.size <= _FEW and x.ndim > 1 and _is_fixed(model):
        batch = step.Batch(x.shape[0], tuple(x.shape[1:]), x.dtype.name)
        if x.dtype.char in _FLOATS:
            memo[key] = model.programs.get(model, "call", batch).program.function()
    found: Function | None = memo[key]
    return found


def _is_fixed(layer: Layer) -> bool:
    """Whether a layer is one of ours, so that calls of it do the same each time."""
    own = LAYERS.find(type(layer).__name__) is type(layer) and "call" not in layer.__dict__
    function = layer.activation if own and isinstance(layer, Activated) else None
    return (
        own
        and layer.activity_regularizer is None
        and (function is None or isinstance(function, Layer) or name_of(function) is not None)
        and all(map(_is_fixed, layer._sublayers))
    )


# ---- predict


def predicted(model: Model, x: Any, most: int) -> NDArray[Any] | None:
    """Return the outputs for at most `most` rows."""
    if type(x) is not np.ndarray or x.ndim == 0 or x.shape[0] > most:
        return None
    function = model.programs.memo().get(("predict", x.shape))
    if function is None:
        return None
    outputs = function.of_data(x)
    return None if outputs is None else outputs[0]


def remember_predict(model: Model, data: Data) -> None:
    """Let the next call on rows like these be quick."""
    if model.run_eagerly or data.x.dtype.char not in _FLOATS or data.x.size > _FEW:
        return
    batch = step.Batch(data.rows, tuple(data.x.shape[1:]), data.x_dtype)
    program = model.programs.get(model, "predict", batch).program
    _keep(model, "predict", data, program.function([_FINITE[data.x_dtype]]))


# ---- steps


class _Quick(NamedTuple):
    """A step as a function of data."""

    function: Function
    results: Callable[[Any], list[Any]]
    takes_position: bool


def measured(model: Model, kind: str, x: Any, y: Any, most: int) -> list[Any] | None:
    """Run a step, ``"train"`` or ``"test"``, on at most `most` rows; return loss and metrics."""
    if type(x) is not np.ndarray or x.ndim == 0 or x.shape[0] > most:
        return None
    known: _Quick | None = model.programs.memo().get((kind, x.shape))
    if known is None:
        return None
    if known.takes_position:
        totals = known.function.of_data(x, y, np.array([model.next_epoch(0, count=0), 0]))
    else:
        totals = known.function.of_data(x, y)
    if totals is None:
        return None
    if kind == "train":
        model.next_epoch(0)
    return known.results(totals)


def remember_step(model: Model, kind: str, data: Data) -> None:
    """Let the next step on rows like these be quick, where its checks are those of bounds."""
    if is_own(model, kind):
        return
    bounds = _target_bounds(model, data) if data.x.size <= _FEW else None
    if bounds is None or data.y is None:
        return
    batch = step.Batch(
        data.rows, tuple(data.x.shape[1:]), data.x_dtype, tuple(data.y.shape[1:]), data.y_dtype
    )
    found = model.programs.get(model, kind, batch)
    if not isinstance(found.results, step.Results) or None in found.results.sizes:
        return
    limits = [_FINITE[data.x_dtype], bounds]
    if found.takes_position:
        limits.append((0.0, math.inf))
    function = found.program.function(limits)
    _keep(model, kind, data, _Quick(function, found.results.of, found.takes_position))


def _target_bounds(model: Model, data: Data) -> tuple[float, float] | None:
    """Return the least and the largest target, or None where more is checked than that."""
    compiled = model.compiled
    if compiled is None or compiled.loss is None or compiled.run_eagerly:
        return None
    if data.sample_weight is not None or data.x.dtype.char not in _FLOATS:
        return None
    for entry in compiled.metrics:
        if entry.metric is not None and type(entry.metric).check_targets != Metric.check_targets:
            return None
    loss = compiled.loss
    shape, dtype = model.programs.output(model, "fit", tuple(data.x.shape[1:]), data.x_dtype)
    if not shape:
        return None
    if loss.targets == "labels":
        return 0.0, shape[-1] - 1.0
    if loss.link == "sigmoid":
        return 0.0, 1.0
    return _FINITE[dtype] if is_regression(loss) else None


# ---- fit


class _Checked(NamedTuple):
    """What data were that have been checked."""

    x_shape: tuple[int, ...]  # of a sample
    x_dtype: str
    y_shape: tuple[int, ...]
    y_dtype: str
    bounds: tuple[float, float]  # of targets


def checked(model: Model, x: Any, y: Any) -> Data | None:
    """Return the data of a `fit` on rows like those of an earlier one, where they are in bounds.

    Then the model, and the optimizer's state for it, are as that `fit` has built them.
    """
    known: _Checked | None = model.programs.memo().get("data")
    if known is None or type(x) is not np.ndarray or type(y) is not np.ndarray:
        return None
    if (
        x.size > _MANY
        or x.ndim < 2
        or y.ndim == 0
        or x.shape[1:] != known.x_shape
        or x.dtype.char not in _FLOATS
        or len(x) != len(y)
        or len(x) == 0
        or not within(x, *_FINITE[known.x_dtype])
        or not within(y, *known.bounds)
    ):
        return None
    shape = (len(x), *known.y_shape)
    if y.shape != shape and {y.shape, shape} != {(len(x),), (len(x), 1)}:
        return None
    if known.y_dtype == "int64":
        if y.dtype.kind not in "iu":
            return None
        y = y.astype(np.int64)
    elif y.dtype.char not in _FLOATS:
        return None
    return Data(x, known.x_dtype, y.reshape(shape), known.y_dtype)


def remember_data(model: Model, data: Data) -> None:
    """Let data like these be checked quickly, where their checks are those of bounds."""
    if "data" in model.programs.memo() or data.y is None or is_own(model, "train"):
        return
    bounds = _target_bounds(model, data)
    if bounds is not None:
        model.programs.memo()["data"] = _Checked(
            tuple(data.x.shape[1:]), data.x_dtype, tuple(data.y.shape[1:]), data.y_dtype, bounds
        )


# ---- what all have in common


def _keep(model: Model, kind: str, data: Data, value: Any) -> None:
    memo = model.programs.memo()
    memo[kind, data.x.shape] = value
    if data.x.shape[1:] == (1,):
        memo[kind, data.x.shape[:1]] = value  # (n,) stands for (n, 1)
