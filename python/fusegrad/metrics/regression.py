"""Metrics of regressions, and the base class of those that are the mean of a loss."""

from __future__ import annotations

import math
from collections.abc import Sequence
from copy import copy
from typing import Any

from fusegrad import losses, ops
from fusegrad._tensor import Tensor
from fusegrad.metrics.base import Array, Metric


class LossMetric(Metric):
    """The mean of a loss's values.

    Parameters
    ----------
    loss : Loss
    name : str
    dtype : str, optional
    """

    _direction = "down"

    def __init__(self, loss: losses.Loss, name: str, dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.loss = loss
        if loss.link is not None:
            logits = bool(getattr(loss, "from_logits", False))
            self.expects = "logits" if logits else "probabilities"

    def with_logits(self) -> LossMetric:
        """Return this metric taking logits instead of probabilities."""
        same = copy(self)
        same.loss = self.loss.with_logits()
        same.expects = "logits"
        return same

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the loss of each sample."""
        loss, outputs = losses.at_logits(self.loss, losses.floating(y_pred))
        return loss.call(y_true, outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = self.loss.get_config()
        own: dict[str, Any] = {
            key: config[key] for key in ("from_logits", "label_smoothing") if key in config
        }
        return {**super().get_config(), **own}


class MeanSquaredError(LossMetric):
    """Mean of ``(y_true - y_pred)**2``.

    Parameters
    ----------
    name : str, default "mean_squared_error"
    dtype : str, optional

    Examples
    --------
    >>> MeanSquaredError()([[1.0]], [[3.0]])
    4.0
    """

    def __init__(self, name: str = "mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(losses.MeanSquaredError(), name=name, dtype=dtype)


class MeanAbsoluteError(LossMetric):
    """Mean of ``abs(y_true - y_pred)``.

    Parameters
    ----------
    name : str, default "mean_absolute_error"
    dtype : str, optional

    Examples
    --------
    >>> MeanAbsoluteError()([[1.0]], [[3.0]])
    2.0
    """

    def __init__(self, name: str = "mean_absolute_error", dtype: str | None = None) -> None:
        super().__init__(losses.MeanAbsoluteError(), name=name, dtype=dtype)


class RootMeanSquaredError(Metric):
    """Square root of the mean of ``(y_true - y_pred)**2``, in the units of the targets.

    The root is taken of the mean over all samples, not of each batch.

    Parameters
    ----------
    name : str, default "root_mean_squared_error"
    dtype : str, optional

    Examples
    --------
    >>> RootMeanSquaredError()([[0.0], [0.0]], [[1.0], [7.0]])
    5.0
    """

    _direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the squares; their mean's root is the metric."""
        y_pred = losses.floating(y_pred)
        target = losses.match(y_true, y_pred, "RootMeanSquaredError")
        return ops.square(ops.subtract(y_pred, target))

    def from_totals(self, totals: Sequence[Array]) -> float:
        """Return the root of the mean."""
        return math.sqrt(max(0.0, super().from_totals(totals)))  # weights may be negative
