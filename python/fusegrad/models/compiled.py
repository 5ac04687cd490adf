"""What `compile` sets: optimizer, loss and metrics, checked against each other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusegrad import losses, metrics, optimizers
from fusegrad._checks import flag
from fusegrad._registry import named
from fusegrad._tensor import Tensor
from fusegrad.errors import ArgumentError
from fusegrad.losses import Loss
from fusegrad.metrics import Metric
from fusegrad.models.head import Head, check_units, head_of, units_of, warn_mismatch
from fusegrad.optimizers import Optimizer

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_ACCURACY = {"accuracy", "acc"}
_ARGMAX = (metrics.SparseCategoricalAccuracy, metrics.CategoricalAccuracy)


@dataclass(frozen=True)
class Resolved:
    """A metric of a step, and what it is called with."""

    metric: Metric
    takes_logits: bool  # it gives the same result for logits, which are there anyway


@dataclass(frozen=True)
class Compiled:
    """The settings of `compile`."""

    optimizer: Optimizer
    loss: Loss | None
    metrics: tuple[tuple[str, Metric | None], ...]  # name in logs; None: "accuracy", by the loss
    run_eagerly: bool

    def head(self, model: Model) -> Head:
        """Return how the model's last layer and the loss meet."""
        return head_of(model, self.loss)

    @property
    def names(self) -> list[str]:
        """The names of what a step reports."""
        return ["loss", *(name for name, _ in self.metrics)]

    def resolved(self, model: Model, y: Tensor, raw: Tensor) -> list[Resolved]:
        """Return the metrics for these targets and outputs."""
        head = self.head(model)
        result = []
        for name, metric in self.metrics:
            if metric is None:
                result.append(Resolved(_accuracy(name, head, y.shape, raw.shape), True))
            else:
                result.append(Resolved(metric, not head.fused or isinstance(metric, _ARGMAX)))
        return result


def make_compiled(
    model: Model, optimizer: Any, loss: Any, metric: Any, run_eagerly: bool, stacklevel: int
) -> Compiled:
    """Check the arguments of `compile`; nothing of the model is changed."""
    if isinstance(optimizer, Loss):
        got = f"the loss {type(optimizer).__name__} (write loss={type(optimizer).__name__}(...))"
        raise ArgumentError("compile", "optimizer", "a name or an Optimizer", got)
    with named("compile", "optimizer"):
        made = optimizers.get(optimizer)
    with named("compile", "loss"):
        criterion = losses.get(loss)
    if criterion is not None and criterion.reduction == "none":
        raise ArgumentError(
            "compile", "loss", "a loss with a reduction to one number", "reduction 'none'"
        )
    if metric is None:
        metric = []
    if not isinstance(metric, list | tuple):
        metric = [metric]
    entries: list[tuple[str, Metric | None]] = []
    taken = {"loss"}
    for item in metric:
        own = None
        if not isinstance(item, str) or item.lower() not in _ACCURACY:
            with named("compile", "metrics"):
                own = metrics.get(item)
        name = str(item) if own is None else own.name
        number, unique = 0, name
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        entries.append((unique, own))
    eagerly = flag("compile", "run_eagerly", run_eagerly)
    compiled = Compiled(made, criterion, tuple(entries), eagerly)
    head = compiled.head(model)
    check_units("compile", head, units_of(head.layer))
    _check_accuracy(head, [name for name, own in entries if own is None])
    warn_mismatch(head, stacklevel + 1)
    for _, own in entries:
        text = _mistaken(own, head)
        if text:
            warnings.warn(text, UserWarning, stacklevel=stacklevel + 1)
    return compiled


def _mistaken(metric: Metric | None, head: Head) -> str:
    """Return what is wrong where a metric takes logits for probabilities, or the other way."""
    kind = type(metric).__name__
    logits = head.logits and not head.fused  # a metric gets the probabilities of a fused head
    if isinstance(metric, metrics.BinaryAccuracy) and metric.threshold == 0.5 and logits:
        return (
            f"{kind} compares probabilities with 0.5, but the model's outputs are "
            f"logits: write metrics=['accuracy'], or {kind}(threshold=0.0)"
        )
    loss = metric.loss if isinstance(metric, metrics.LossMetric) else None
    if loss is None or loss.link is None:
        return ""
    if logits and not getattr(loss, "from_logits", False):
        return (
            f"the metric {kind} takes probabilities, but the model's outputs are logits: write "
            f"metrics.{kind}(from_logits=True)"
        )
    if getattr(loss, "from_logits", False) and head.activation in {"softmax", "sigmoid"}:
        return (
            f"the metric {kind}(from_logits=True) takes logits, but the model's outputs are "
            f"probabilities: write metrics.{kind}()"
        )
    return ""


def _check_accuracy(head: Head, names: list[str]) -> None:
    """Refuse accuracy where the loss is one of a regression."""
    regression = isinstance(head.loss, losses.MeanSquaredError)
    if names and regression and head.activation not in {None, "softmax", "sigmoid"}:
        raise _no_classes(names[0], head)


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
    if isinstance(loss, losses.MeanSquaredError):
        raise _no_classes(name, head)
    if raw[-1] == 1:
        return metrics.BinaryAccuracy(threshold=threshold)
    if len(y) < len(raw) or y[-1] == 1:
        return metrics.SparseCategoricalAccuracy()
    return metrics.CategoricalAccuracy()
