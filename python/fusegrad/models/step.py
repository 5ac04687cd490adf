"""One step of training, evaluation or prediction: described once, run compiled or eagerly.

A step is the forward pass, the loss, its gradients, the optimizer's updates and the metrics. The
same code is traced into a graph and compiled, or run on the eager tape, with the same bits.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fusegrad import _core, ops
from fusegrad._scope import Step, call_scope
from fusegrad._settings import changes, edits_of
from fusegrad._tensor import Function, Tape, Tensor, as_tensor, current_builder, gradient
from fusegrad.errors import ArgumentError
from fusegrad.losses import reduce_values
from fusegrad.metrics import Metric
from fusegrad.metrics.base import ResultLater, is_stateful
from fusegrad.models.compiled import Compiled
from fusegrad.models.overridable import flat_logs, held_by, is_own
from fusegrad.optimizers import Optimizer
from fusegrad.variable import Variable, substituted

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_MAX_PROGRAMS = 64  # kept by one model
_MAX_NOTES = 1024

Position = Callable[[], Any]


class Batch(NamedTuple):
    """The shapes and dtypes of one batch."""

    rows: int
    x_shape: tuple[int, ...]  # of one sample
    x_dtype: str
    y_shape: tuple[int, ...] = ()  # of one target
    y_dtype: str = ""
    weighted: bool = False  # there are sample weights
    scaled: bool = False  # the first layer, a Rescaling, is done while the batch is gathered


@dataclass(frozen=True)
class Measured:
    """What a step computes besides updates."""

    loss: Tensor  # what is differentiated
    results: Results
    totals: list[Tensor]  # float64, added up over batches


@dataclass(frozen=True)
class Results:
    """How the totals of a step become its loss and its metrics."""

    metrics: tuple[Metric, ...]  # the first one is the mean of the loss over rows
    sizes: tuple[int | None, ...]  # how many totals each has; None: it keeps a state instead
    names: tuple[str, ...] = ()

    @property
    def kinds(self) -> list[str]:
        """What the trainer does with the outputs of the step."""
        return ["accumulate"] * sum(size or 0 for size in self.sizes)

    def of(self, totals: Sequence[Any]) -> list[Any]:
        """Return the loss and the metrics for sums of the totals."""
        values, first = [], 0
        for metric, size in zip(self.metrics, self.sizes, strict=True):
            if size is None:
                values.append(plain_value(metric.result()))
                continue
            values.append(metric.from_totals(totals[first : first + size]))
            first += size
        return values

    def added(self, sums: Sequence[Any], totals: Sequence[Any]) -> list[Any]:
        """Return the sums of totals after another batch."""
        return [a + b for a, b in zip(sums or [0.0] * len(totals), totals, strict=True)]

    def reset(self) -> None:
        """Make the metrics that keep a state begin anew."""
        for metric, size in zip(self.metrics, self.sizes, strict=True):
            if size is None:
                metric.reset_state()


@dataclass(frozen=True)
class Returned:
    """What a step of the model's own returned: the values of its latest batch."""

    model: Model
    names: tuple[str, ...]
    later: tuple[ResultLater | None, ...]  # results that are no outputs of the step

    @property
    def kinds(self) -> list[str]:
        """What the trainer does with the outputs of the step."""
        return ["last" for later in self.later if later is None]

    def of(self, totals: Sequence[Any]) -> list[Any]:
        """Return the values for the outputs of a batch."""
        outputs = iter(totals)
        return [
            plain_value(next(outputs) if later is None else later.metric.result())
            for later in self.later
        ]

    def added(self, sums: Sequence[Any], totals: Sequence[Any]) -> list[Any]:
        """Return what is left of outputs after another batch."""
        return list(totals)

    def reset(self) -> None:
        """Make the model's metrics begin anew."""
        self.model.reset_metrics()


def plain_value(value: Any) -> Any:
    """Return a value for logs: a float, or an array."""
    array = np.asarray(value.numpy() if isinstance(value, Tensor | Variable) else value)
    return float(array) if array.ndim == 0 else array


@dataclass(frozen=True)
class StepProgram:
    """A compiled step."""

    program: _core.Program
    results: Results | Returned | None
    takes_position: bool


class Programs:
    """The compiled steps of a model, the least recently used forgotten first."""

    def __init__(self) -> None:
        self._known: OrderedDict[Any, StepProgram] = OrderedDict()
        self._outputs: dict[Any, tuple[tuple[int, ...], str]] = {}
        self._memo: dict[Any, Any] = {}
        self._seen = -1
        #: What answered the last ``model(x)``, after so many changes as were counted then.
        self.last_call: tuple[int, Function] | None = None

    def __reduce__(self) -> tuple[type[Programs], tuple[()]]:
        return Programs, ()  # copies and pickles of a model compile their own

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._outputs.clear()
        self._memo = {}
        self.last_call = None

    def memo(self) -> dict[Any, Any]:
        """Return what has been found out about the model since anything was last changed.

        It is to be added to: what calls ask for again and again, and would have to walk the layers
        for. What depends on more than a change counts is in its key.
        """
        if self._seen != changes.count or len(self._memo) > _MAX_NOTES:
            self._memo, self._seen = {}, changes.count
        return self._memo

    def output(
        self, model: Model, where: str, x_shape: tuple[int, ...], x_dtype: str
    ) -> tuple[tuple[int, ...], str]:
        """Return shape and dtype of one sample's output for inputs of this shape."""
        key = (x_shape, x_dtype, model.structure())
        if key not in self._outputs:
            self._outputs[key] = output_meta(model, where, x_shape, x_dtype)
            if len(self._outputs) > _MAX_PROGRAMS:
                del self._outputs[next(iter(self._outputs))]  # the oldest
        return self._outputs[key]

    def get(self, model: Model, kind: str, batch: Batch) -> StepProgram:
        """Return the program of a step: ``"train"``, ``"test"``, ``"predict"`` or ``"call"``."""
        memo = self.memo()
        known: StepProgram | None = memo.get((kind, batch))
        if known is None:
            known = memo[kind, batch] = self._get(model, kind, batch)
        return known

    def _get(self, model: Model, kind: str, batch: Batch) -> StepProgram:
        found = self._known.get(_key(model, kind, batch))
        if found is None:
            found = _compile(model, kind, batch)
        # What the trace has changed, such as an attribute that `call` sets, it need not see again.
        key = _key(model, kind, batch)
        self._known[key] = found
        self._known.move_to_end(key)
        while len(self._known) > _MAX_PROGRAMS:
            self._known.popitem(last=False)
        return found


def _key(model: Model, kind: str, batch: Batch) -> tuple[Any, ...]:
    """Return what a compiled step depends on."""
    compiled = model.compiled
    key: tuple[Any, ...] = (kind, batch, model.structure(), tuple(model.weights))
    if kind in {"train", "test"} and compiled is not None:
        # Which weights are trained: they have gradients in training, and penalties in both.
        trained = tuple(
            (id(weight), id(weight.regularizer), edits_of(weight.regularizer))
            for weight in model.trainable_weights
        )
        key += (compiled, compiled.edits(), trained)
    if kind == "train" and compiled is not None:
        key += (compiled.optimizer.signature(),)
    if is_own(model, kind):
        for held in held_by(model):
            signature = held.signature() if isinstance(held, Optimizer) else edits_of(held)
            key += (id(held), signature)
    return key


def forward(model: Model, x: Tensor, scaled: bool = False, logits: bool = False) -> Tensor:
    """Return the model's output, or what its last activation would be applied to."""
    return as_tensor(model.run_layers(x, skip=1 if scaled else 0, logits=logits))


@dataclass(frozen=True)
class Inputs:
    """The operands of one step."""

    x: Tensor
    y: Tensor | None
    sample_weight: Tensor | None = None
    scaled: bool = False  # the first layer is done already

    def packed(self) -> Any:
        """Return what `Model.train_step` is given."""
        if self.sample_weight is not None:
            return self.x, self.y, self.sample_weight
        return self.x if self.y is None else (self.x, self.y)


def measure(model: Model, compiled: Compiled, inputs: Inputs, scope: Step) -> Measured:
    """Run the forward pass, the loss with its penalties, and the metrics."""
    head = compiled.head(model)
    loss = head.loss
    if loss is None:
        raise ValueError("no loss: write for example compile(loss='mse')")
    y, weight = inputs.y, inputs.sample_weight
    assert y is not None
    raw = forward(model, inputs.x, inputs.scaled, logits=head.fused)
    value = reduce_values(
        as_tensor(loss.call(y, raw)), loss.reduction, weight, f"loss '{loss.name}'"
    )
    if value.dtype.kind != "f":
        raise ArgumentError("compile", "loss", "a loss with floating values", f"{value.dtype}")
    for penalty in (*model._penalties(), *scope.losses):
        value = ops.add(value, ops.cast(penalty, value.dtype))
    # What is reported is a mean over batches: of as many rows, or of as much weight, as each has.
    share = as_tensor(np.float64(inputs.x.shape[0]))
    if weight is not None and loss.reduction == "mean_with_sample_weight":
        share = ops.sum(weight)
    metrics: list[Metric] = [_LOSS]
    kept: list[int | None] = [2]
    totals = [ops.multiply(ops.cast(value, "float64"), share), share]
    resolved = compiled.resolved(model, y, raw)
    predictions = raw
    if head.fused and not all(metric.takes_logits for metric in resolved):
        predictions = ops.softmax(raw) if head.activation == "softmax" else ops.sigmoid(raw)
    for entry in resolved:
        seen = raw if entry.takes_logits else predictions
        metrics.append(entry.metric)
        weights = [] if weight is None or not entry.weighted else [weight]
        if is_stateful(entry.metric):
            entry.metric.update_state(y, seen, *weights)
            kept.append(None)
            continue
        new = entry.metric.totals(y, seen, *weights)
        totals += new
        kept.append(len(new))
    return Measured(value, Results(tuple(metrics), tuple(kept), tuple(compiled.names)), totals)


def differentiated(
    model: Model, compiled: Compiled, inputs: Inputs, position: Position
) -> tuple[Measured, list[tuple[Variable, Tensor]], list[tuple[Variable, Tensor]]]:
    """Run `measure` in training and differentiate it, on what is being recorded.

    Returns what was measured, the weights with their gradients, and the new values of other weights
    that layers asked for.
    """
    weights = model.trainable_weights
    tape = current_builder()
    values = [tape.watch(w.value) if isinstance(tape, Tape) else w.value for w in weights]
    with substituted(dict(zip(weights, values, strict=True))), call_scope(True, position) as scope:
        measured = measure(model, compiled, inputs, scope)
    if not weights:
        return measured, [], scope.updates
    gradients = gradient(measured.loss, values)
    return measured, list(zip(weights, gradients, strict=True)), scope.updates


def eager_train(
    model: Model, compiled: Compiled, inputs: Inputs, position: Any
) -> tuple[Results, list[Any]]:
    """Run a training step now; return its results and totals."""
    with Tape():
        measured, pairs, others = differentiated(model, compiled, inputs, lambda: position)
    totals = _arrays(measured)
    compiled.optimizer.step([grad for _, grad in pairs], [w for w, _ in pairs], others)
    return measured.results, totals


def eager_test(model: Model, compiled: Compiled, inputs: Inputs) -> tuple[Results, list[Any]]:
    """Run an evaluation step now; return its results and totals."""
    with call_scope(False) as scope:
        measured = measure(model, compiled, inputs, scope)
    return measured.results, _arrays(measured)


def own_step(
    model: Model, kind: str, inputs: Inputs, position: Position | None
) -> tuple[Returned, list[Any]]:
    """Run the model's own step, now or in a trace; return its results and their values."""
    method = f"{kind}_step"
    with call_scope(False, position, model) as scope:
        logs = flat_logs(
            f"{type(model).__name__}.{method}", getattr(model, method)(inputs.packed())
        )
        if kind == "train":
            for variable, value in scope.updates:
                variable.assign(value)
    later = tuple(v if isinstance(v, ResultLater) else None for v in logs.values())
    values = [v for v in logs.values() if not isinstance(v, ResultLater)]
    return Returned(model, tuple(logs), later), values


def own_outputs(model: Model, x: Tensor) -> Tensor:
    """Run the model's own `predict_step`, now or in a trace."""
    with call_scope(False, None, model):
        return as_tensor(model.predict_step(x))


def eager_own(model: Model, kind: str, inputs: Inputs, position: Any) -> tuple[Returned, list[Any]]:
    """Run the model's own step now."""
    results, values = own_step(model, kind, inputs, lambda: position)
    return results, [plain_value(value) for value in values]


def eager_predict(model: Model, x: Tensor) -> Tensor:
    """Run the forward pass now."""
    if is_own(model, "predict"):
        return own_outputs(model, x)
    with call_scope(False):
        return forward(model, x)


def output_meta(
    model: Model, where: str, x_shape: Sequence[int], x_dtype: str
) -> tuple[tuple[int, ...], str]:
    """Return shape and dtype of one sample's output, by tracing; builds layers on the way."""
    rows = 2
    graph = _core.Graph()
    with graph, call_scope(False):
        x = graph.input((rows, *x_shape), x_dtype, "x")
        y = own_outputs(model, x) if is_own(model, "predict") else forward(model, x)
    return checked_output(where, y, rows)


def checked_output(where: str, y: Tensor, rows: int) -> tuple[tuple[int, ...], str]:
    """Return shape and dtype of one sample's output, or raise ArgumentError."""
    if y.ndim == 0 or y.shape[0] != rows or y.dtype.kind != "f":
        raise ArgumentError(
            where,
            "model",
            f"an output with one floating row for each of {rows} samples",
            f"shape {y.shape} and dtype {y.dtype}",
        )
    return tuple(y.shape[1:]), y.dtype.name


def _compile(model: Model, kind: str, batch: Batch) -> StepProgram:
    if kind == "call":
        return _compile_call(model, batch)
    compiled = model.compiled
    graph = _core.Graph()
    positions: list[Tensor] = []

    def position() -> Tensor:
        if not positions:
            positions.append(graph.input((2,), "int64", "position"))
        return positions[0]

    results: Results | Returned | None = None
    with graph:
        x = graph.input((batch.rows, *batch.x_shape), batch.x_dtype, "x")
        if kind == "predict" or compiled is None:
            if is_own(model, kind):
                graph.output(own_outputs(model, x), "outputs")
            else:
                with call_scope(False):
                    graph.output(forward(model, x, batch.scaled), "outputs")
        else:
            y = weight = None
            if batch.y_dtype:
                y = graph.input((batch.rows, *batch.y_shape), batch.y_dtype, "y")
            own = is_own(model, kind)
            if batch.weighted:
                dtype = batch.x_dtype if own else "float64"
                weight = graph.input((batch.rows,), dtype, "sample_weight")
            inputs = Inputs(x, y, weight, batch.scaled)
            if own:
                results, outputs = own_step(model, kind, inputs, position)
            else:
                results, outputs = _traced(model, kind, compiled, inputs, position)
            for i, output in enumerate(outputs):
                graph.output(as_tensor(output), f"total_{i}")
    return StepProgram(_core.Program.compile(graph), results, bool(positions))


def _traced(
    model: Model, kind: str, compiled: Compiled, inputs: Inputs, position: Position
) -> tuple[Results, list[Tensor]]:
    """Trace a step of training or evaluation; return its results and totals."""
    if kind == "train":
        measured, pairs, others = differentiated(model, compiled, inputs, position)
        compiled.optimizer.step([g for _, g in pairs], [w for w, _ in pairs], others)
    else:
        with call_scope(False) as scope:
            measured = measure(model, compiled, inputs, scope)
    return measured.results, measured.totals


def _compile_call(model: Model, batch: Batch) -> StepProgram:
    """Compile what ``model(x)`` does, with the bits that it has op by op."""
    graph = _core.Graph(exact_rewrites=False)
    with graph:
        x = graph.input((batch.rows, *batch.x_shape), batch.x_dtype, "x")
        graph.output(as_tensor(model(x, training=False)), "outputs")
    return StepProgram(_core.Program.compile(graph, exact_rewrites=False), None, False)


def _arrays(measured: Measured) -> list[Any]:
    return [np.array(total.numpy(), dtype=np.float64) for total in measured.totals]


_LOSS = Metric("loss")
