"""What `compile` sets: optimizer, loss and metrics, checked against each other."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeGuard

from fusegrad import losses, metrics, optimizers
from fusegrad._checks import flag, warn
from fusegrad._registry import named
from fusegrad._settings import edits_of
from fusegrad._tensor import GraphHandle, Tensor, current_builder, in_current_trace
from fusegrad.errors import ArgumentError
from fusegrad.losses import Loss
from fusegrad.metrics import Mean, Metric, Sum
from fusegrad.models.head import Head, check_units, head_of, units_of, warn_mismatch
from fusegrad.optimizers import Optimizer

if TYPE_CHECKING:
    from fusegrad.models.model import Model
    from fusegrad.models.overridable import Overridable

_ACCURACY = {"accuracy", "acc"}
_OF_VALUES: tuple[Any, ...] = (Mean.update_state, Sum.update_state)


@dataclass(frozen=True)
class Resolved:
    """A metric of a step, and what it is called with."""

    metric: Metric
    takes_logits: bool  # it gives the same result for logits, which are there anyway
    weighted: bool  # it gets the sample weights


@dataclass(frozen=True)
class Entry:
    """A metric as it was given to `compile`."""

    name: str  # in logs
    metric: Metric | None  # None: "accuracy", which depends on the loss
    weighted: bool


class LossTracker(Mean):
    """The running mean of the loss, for steps of a model's own.

    What `compute_loss` gave counts where the step does not tell the tracker itself.
    """

    _state = Mean._state | {"_noted"}
    _noted: tuple[Tensor, int, bool] | None = None

    def note(self, loss: Tensor, rows: int) -> None:
        """Keep the loss of a batch, until the tracker is told or asked."""
        self._noted = loss, rows, isinstance(current_builder(), GraphHandle)

    def update_state(  # type: ignore[override]  # as Mean
        self, values: Any, sample_weight: Any = None
    ) -> None:
        """Add the loss of a batch."""
        self._noted = None
        super().update_state(values, sample_weight)

    def result(self) -> Any:
        """Return the mean so far."""
        if self._noted is not None:
            loss, rows, traced = self._noted
            self._noted = None
            if not traced or in_current_trace(loss):
                self.update_state(loss, float(rows))
        return super().result()

    def reset_state(self) -> None:
        """Begin anew."""
        self._noted = None
        super().reset_state()


@dataclass(frozen=True)
class Compiled:
    """The settings of `compile`."""

    optimizer: Optimizer
    loss: Loss | None
    metrics: tuple[Entry, ...]
    run_eagerly: bool
    #: The mean of the loss, for steps of a model's own.
    loss_tracker: LossTracker = field(
        default_factory=lambda: LossTracker("loss"), compare=False, repr=False
    )
    _heads: dict[Any, Head] = field(default_factory=dict, compare=False, repr=False)
    _tracked: list[tuple[Metric, bool]] = field(default_factory=list, compare=False, repr=False)

    def edits(self) -> tuple[int, ...]:
        """Return what changes when an attribute of the loss or of a metric is set."""
        return (edits_of(self.loss), *(edits_of(entry.metric) for entry in self.metrics))

    def head(self, model: Any) -> Head:
        """Return how the model's last layer and the loss meet."""
        key = (model.structure(), model.fully_built(), edits_of(self.loss))
        head = self._heads.get(key)
        if head is None:
            self._heads.clear()
            head = self._heads[key] = head_of(model, self.loss)
        return head

    def tracked(self, model: Overridable) -> list[tuple[Metric, bool]]:
        """Return the metrics with a state, for steps of a model's own, and whether they weigh."""
        if not self._tracked:
            for entry in self.metrics:
                metric = entry.metric
                if metric is None:
                    metric = _AnyAccuracy(entry.name, self, model)
                elif metric.name != entry.name:
                    metric = copy(metric)
                    metric.name = entry.name
                self._tracked.append((metric, entry.weighted))
        return self._tracked

    @property
    def names(self) -> list[str]:
        """The names of what a step reports."""
        return ["loss", *(entry.name for entry in self.metrics)]

    def resolved(self, model: Model, y: Tensor, raw: Tensor) -> list[Resolved]:
        """Return the metrics for these targets and outputs."""
        head = self.head(model)
        result = []
        for entry in self.metrics:
            metric, logits = entry.metric, True
            if metric is None:
                metric = _accuracy(entry.name, head, y.shape, raw.shape)
            elif head.fused and metric.order_only:
                pass
            elif head.fused and _takes_probabilities(metric, head):
                metric = metric.with_logits()
            else:
                logits = not head.fused
            result.append(Resolved(metric, logits, entry.weighted))
        return result


class _AnyAccuracy(Metric):
    """The accuracy that fits the loss, the targets and the outputs."""

    def __init__(self, name: str, compiled: Compiled, model: Overridable) -> None:
        super().__init__(name)
        self._compiled, self._model = compiled, model

    def totals(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Tensor]:
        """Return those of the accuracy."""
        head = self._compiled.head(self._model)
        head = replace(head, logits=head.logits and not head.fused)
        metric = _accuracy(self.name, head, y_true.shape, y_pred.shape)
        return metric.totals(y_true, y_pred, sample_weight)


def _takes_probabilities(metric: Metric, head: Head) -> TypeGuard[metrics.LossMetric]:
    """Whether a metric is a cross-entropy of the probabilities that the fused head leaves out."""
    return (
        isinstance(metric, metrics.LossMetric)
        and metric.loss.link == head.activation
        and not getattr(metric.loss, "from_logits", False)
    )


def make_compiled(
    model: Model,
    optimizer: Any,
    loss: Any,
    metric: Any,
    weighted: Any,
    run_eagerly: bool,
) -> Compiled:
    """Check the arguments of `compile`; nothing of the model is changed."""
    if isinstance(optimizer, Loss):
        got = f"the loss {type(optimizer).__name__} (write loss={type(optimizer).__name__}(...))"
        raise ArgumentError("compile", "optimizer", "a name or an Optimizer", got)
    if isinstance(optimizer, str) and losses.known(optimizer):
        got = f"the loss {optimizer!r} (write loss={optimizer!r})"
        raise ArgumentError("compile", "optimizer", "the name of an optimizer", got)
    if isinstance(loss, Optimizer | Metric):
        got = f"the {'optimizer' if isinstance(loss, Optimizer) else 'metric'} {loss!r}"
        raise ArgumentError("compile", "loss", "a name, a Loss or a function", got)
    if isinstance(loss, list | tuple | dict) and "class_name" not in loss:
        raise ArgumentError("compile", "loss", "one loss: a model has one output", repr(loss))
    with named("compile", "optimizer"):
        made = optimizers.get(optimizer)
    with named("compile", "loss"):
        criterion = losses.get(loss)
    if criterion is not None and criterion.reduction == "none":
        raise ArgumentError(
            "compile", "loss", "a loss with a reduction to one number", "reduction 'none'"
        )
    entries = _entries(metric, weighted)
    eagerly = flag("compile", "run_eagerly", run_eagerly)
    compiled = Compiled(made, criterion, tuple(entries), eagerly)
    head = compiled.head(model)
    check_units("compile", head, units_of(head.layer))
    _check_accuracy(head, [entry.name for entry in entries if entry.metric is None])
    warn_mismatch(head)
    for entry in entries:
        text = _mistaken(entry.metric, head)
        if text:
            warn(text)
    return compiled


def _entries(plain: Any, weighted: Any) -> list[Entry]:
    entries: list[Entry] = []
    taken = {"loss"}
    for argument, given in (("metrics", plain), ("weighted_metrics", weighted)):
        items = given if isinstance(given, list | tuple) else [] if given is None else [given]
        if isinstance(given, set | Iterator) or (
            isinstance(given, dict) and "class_name" not in given
        ):
            raise ArgumentError("compile", argument, "a list such as ['accuracy']", repr(given))
        for item in items:
            own = None
            if not isinstance(item, str) or item.lower() not in _ACCURACY:
                with named("compile", argument):
                    own = metrics.get(item)
            if own is not None and type(own).update_state in _OF_VALUES:
                got = f"{type(own).__name__}, which is one of given values"
                raise ArgumentError("compile", argument, "metrics of targets and outputs", got)
            name = str(item) if own is None else own.name
            if argument == "weighted_metrics" and name in taken:
                name = f"weighted_{name}"
            number, unique = 0, name
            while unique in taken:
                number += 1
                unique = f"{name}_{number}"
            taken.add(unique)
            entries.append(Entry(unique, own, argument == "weighted_metrics"))
    return entries


def _mistaken(metric: Metric | None, head: Head) -> str:
    """Return what is wrong where a metric takes logits for probabilities, or the other way."""
    if metric is None:
        return ""
    kind = type(metric).__name__
    logits = head.logits and not head.fused  # a metric gets the probabilities of a fused head
    if metric.expects == "probabilities" and logits:
        advice = f"metrics.{kind}({metric.for_logits})"
        if isinstance(metric, metrics.BinaryAccuracy):
            advice = f"metrics=['accuracy'], or {advice}"
        return (
            f"the metric {kind} takes probabilities, but the model's outputs are logits: write "
            f"{advice}"
        )
    if metric.expects == "logits" and head.activation in {"softmax", "sigmoid"}:
        return (
            f"the metric {kind}({metric.for_logits}) takes logits, but the model's outputs are "
            f"probabilities: write metrics.{kind}()"
        )
    return ""


def _check_accuracy(head: Head, names: list[str]) -> None:
    """Refuse accuracy where the loss is one of a regression."""
    if names and is_regression(head.loss) and head.activation not in {None, "softmax", "sigmoid"}:
        raise _no_classes(names[0], head)


def is_regression(loss: Loss | None) -> bool:
    """Whether a loss is one of the built-in ones on values."""
    return isinstance(loss, losses.MeanSquaredError | losses.MeanAbsoluteError | losses.Huber)


def _no_classes(name: str, head: Head) -> ArgumentError:
    return ArgumentError(
        "compile",
        "metrics",
        "metrics of a regression, such as 'mse'; for targets that are classes write "
        "'binary_accuracy' or 'categorical_accuracy'",
        f"'{name}' with {type(head.loss).__name__}",
    )


def _accuracy(name: str, head: Head, y: tuple[int, ...], raw: tuple[int, ...]) -> Metric:
    """Return the accuracy that fits the loss, or the shapes where the loss does not tell."""
    loss = head.loss
    threshold = 0.0 if head.logits else 0.5
    if loss is not None and loss.link == "softmax":
        labels = loss.targets == "labels"
        return metrics.SparseCategoricalAccuracy() if labels else metrics.CategoricalAccuracy()
    if head.activation == "softmax":
        labels = len(y) < len(raw) or (y[-1] == 1 and raw[-1] > 1)
        return metrics.SparseCategoricalAccuracy() if labels else metrics.CategoricalAccuracy()
    if (loss is not None and loss.link == "sigmoid") or head.activation == "sigmoid":
        return metrics.BinaryAccuracy(threshold=threshold)
    if is_regression(loss):
        raise _no_classes(name, head)
    if raw[-1] == 1:
        return metrics.BinaryAccuracy(threshold=threshold)
    if len(y) < len(raw) or y[-1] == 1:
        return metrics.SparseCategoricalAccuracy()
    return metrics.CategoricalAccuracy()
