"""What `compile` sets: optimizer, loss and metrics, checked against each other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fusegrad import losses, metrics, optimizers
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
    made = optimizers.get(optimizer)
    criterion = losses.get(loss)
    if criterion is not None and criterion.reduction == "none":
        raise ArgumentError(
            "compile", "loss", "a loss with a reduction to one number", "reduction 'none'"
        )
    if metric is None:
        metric = []
    if not isinstance(metric, list | tuple):
        metric = [metric]
    named: list[tuple[str, Metric | None]] = []
    taken = {"loss"}
    for item in metric:
        own = None if isinstance(item, str) and item.lower() in _ACCURACY else metrics.get(item)
        name = str(item) if own is None else own.name
        number, unique = 0, name
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        named.append((unique, own))
    compiled = Compiled(made, criterion, tuple(named), bool(run_eagerly))
    head = compiled.head(model)
    check_units("compile", head, units_of(head.layer))
    _check_accuracy(head, [name for name, own in named if own is None])
    warn_mismatch(head, stacklevel + 1)
    for _, own in named:
        if isinstance(own, metrics.BinaryAccuracy) and head.logits and own.threshold == 0.5:
            warnings.warn(
                "BinaryAccuracy compares probabilities with 0.5, but the model's outputs are "
                "logits: write metrics=['accuracy'], or BinaryAccuracy(threshold=0.0)",
                UserWarning,
                stacklevel=stacklevel + 1,
            )
    return compiled


def _check_accuracy(head: Head, names: list[str]) -> None:
    """Refuse accuracy where the loss is one of a regression."""
    regression = isinstance(head.loss, losses.MeanSquaredError)
    if names and regression and head.activation not in {None, "softmax", "sigmoid"}:
        raise _no_classes(names[0], head)


def _no_classes(name: str, head: Head) -> ArgumentError:
    return ArgumentError(
        "compile",
        "metrics",
        "metrics of a regression, such as 'mse' (accuracy counts classes)",
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
