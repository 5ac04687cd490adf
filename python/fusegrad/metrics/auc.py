"""The area under a curve of rates, summed over thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fusegrad import config, losses, ops
from fusegrad._checks import flag, number, positive_int
from fusegrad._spelling import nearest
from fusegrad._tensor import Tensor, detached
from fusegrad.errors import ArgumentError
from fusegrad.metrics.base import Array, Metric, check_elements
from fusegrad.metrics.confusion import Counts, check_binary, checked_thresholds, count, quotient

_CURVES = {"ROC": "ROC", "roc": "ROC", "PR": "PR", "pr": "PR", "PRGAIN": "PRGAIN",
           "prgain": "PRGAIN"}  # fmt: skip
_METHODS = {
    spelled: method
    for method in ("interpolation", "minoring", "majoring")
    for spelled in (method, method.capitalize())
}


class AUC(Metric):
    """Area under the ROC curve, or under the curve of precision and recall.

    The curve is known at `num_thresholds` thresholds only, and its area is a sum over the intervals
    between them, so the result approaches the exact one with their number. The thresholds are
    ``i / (num_thresholds - 1)``, where the ends are moved out by 1e-7.

    Parameters
    ----------
    num_thresholds : int, default 200
        At least 2.
    curve : str, default "ROC"
        ``"ROC"``: recall over the rate of false positives. ``"PR"``: precision over recall.
        ``"PRGAIN"``: the gains of precision over recall.
    summation_method : str, default "interpolation"
        ``"interpolation"``: trapezoids, for PR the integral of section 4 of J. Davis and
        M. Goadrich, "The relationship between precision-recall and ROC curves", ICML 2006.
        ``"minoring"`` and ``"majoring"``: the smaller or larger height of each interval.
    name : str, default "auc"
    dtype : str, optional
    thresholds : sequence of float, optional
        Thresholds in [0, 1] between the ends, instead of `num_thresholds`.
    multi_label : bool, default False
        Whether each column of ``(n, labels)`` has a curve of its own, and the result is the mean of
        their areas; otherwise all outputs count together.
    num_labels : int, optional
        The number of columns, where `multi_label`; by default that of the predictions.
    label_weights : sequence of float, optional
        One weight for each column: of its area where `multi_label`, else of its outputs.
    from_logits : bool, default False
        Whether predictions are logits, of which the sigmoid is taken.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1], a curve or method is unknown, or `num_labels` is given
        without `multi_label`; when called: targets are not 0 or 1, or predictions are no
        probabilities.

    Examples
    --------
    >>> AUC(num_thresholds=3)([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9])
    0.75
    """

    _direction = "up"

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Any = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Any = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self._own = thresholds is not None
        if thresholds is None:
            if positive_int("AUC", "num_thresholds", num_thresholds) < 2:
                raise ArgumentError("AUC", "num_thresholds", "an integer >= 2", "1")
            between = [(i + 1) / (num_thresholds - 1) for i in range(num_thresholds - 2)]
        else:
            between = sorted(checked_thresholds("AUC", thresholds))
        edge = config.epsilon()
        self.thresholds = [-edge, *between, 1.0 + edge]
        self.num_thresholds = len(self.thresholds)
        self.curve = _choice("curve", curve, _CURVES)
        self.summation_method = _choice("summation_method", summation_method, _METHODS)
        self.multi_label = flag("AUC", "multi_label", multi_label)
        self.num_labels = None
        if num_labels is not None:
            self.num_labels = positive_int("AUC", "num_labels", num_labels)
            if not self.multi_label:
                raise ArgumentError("AUC", "num_labels", "None unless multi_label", str(num_labels))
        self.label_weights: list[float] | None = None
        if label_weights is not None:
            self.label_weights = [
                number("AUC", "label_weights", weight, 0.0) for weight in np.ravel(label_weights)
            ]
        self.from_logits = flag("AUC", "from_logits", from_logits)
        self.expects = "logits" if self.from_logits else "probabilities"

    def check_targets(self, where: str, argument: str, y_true: Any, outputs: int) -> None:
        """Raise ArgumentError for targets other than 0 and 1."""
        check_binary(where, argument, y_true, "AUC")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add these samples.

        Parameters
        ----------
        y_true : array_like
            0 or 1.
        y_pred : array_like
            Probabilities, or logits with `from_logits`, of the shape of `y_true`.
        sample_weight : array_like, optional
            One weight per sample.

        Raises
        ------
        fusegrad.errors.ArgumentError
            Targets are not 0 or 1, predictions are no probabilities, or shapes do not fit.
        """
        if not self.from_logits:
            outputs = losses.elements(detached(losses.floating(y_pred)))
            if outputs is not None:
                good = (outputs >= 0) & (outputs <= 1)
                expected = "probabilities in [0, 1] (for logits write AUC(from_logits=True))"
                check_elements("AUC", "y_pred", outputs, good, expected)
        super().update_state(y_true, y_pred, sample_weight)

    def totals(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Tensor]:
        """Return the weights above each threshold, and in all."""
        y_pred = losses.floating(y_pred)
        self._check_labels(y_pred.shape)
        y_pred = ops.sigmoid(y_pred) if self.from_logits else ops.clip(y_pred, 0.0, 1.0)
        return count(
            "AUC",
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            by_label=self.multi_label,
            label_weights=None if self.multi_label else self.label_weights,
        )

    def from_totals(self, totals: Sequence[Array]) -> float:
        """Return the area, or the mean of the labels' areas."""
        counts = Counts.of(totals)
        if self.curve == "PR" and self.summation_method == "interpolation":
            terms = _interpolated(counts)
        else:
            x, y = _points(self.curve, counts)
            terms = (x[:, :-1] - x[:, 1:]) * _heights(self.summation_method, y)
        areas = ops.sum(terms, axis=1)
        if not self.multi_label or self.label_weights is None:
            return float(ops.mean(areas).item())
        weighted = ops.sum(ops.multiply(areas, np.array(self.label_weights))).item()
        total = ops.sum(np.array(self.label_weights)).item()
        return float(weighted / total) if total else 0.0

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        arguments = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self.from_logits,
        }
        own = {"thresholds": self.thresholds[1:-1]} if self._own else {}
        return {**arguments, **own}

    def _check_labels(self, shape: tuple[int, ...]) -> None:
        columns = shape[-1] if len(shape) == 2 else 1
        if self.multi_label and (len(shape) != 2 or self.num_labels not in {None, columns}):
            wanted = "labels" if self.num_labels is None else str(self.num_labels)
            raise ArgumentError("AUC", "y_pred", f"shape (n, {wanted})", f"shape {shape}")
        if self.label_weights is not None and len(self.label_weights) != columns:
            expected = f"one weight for each of {columns} columns"
            raise ArgumentError("AUC", "label_weights", expected, str(len(self.label_weights)))


def _points(curve: str, counts: Counts) -> tuple[Array, Array]:
    """Return the abscissas and ordinates of a curve, ``(labels, thresholds)`` each."""
    tp, fp, tn, fn = counts.tp, counts.fp, counts.tn, counts.fn
    recall = quotient(tp, tp + fn)
    if curve == "ROC":
        return quotient(fp, fp + tn), recall
    if curve == "PR":
        return recall, quotient(tp, tp + fp)
    # P. Flach and M. Kull, "Precision-recall-gain curves", NeurIPS 2015; without true positives
    # the recall's gain is 0 and the precision's 1, and no recall's gain is below 0, as in Keras.
    odds = quotient(tp + fn, tn + fp)
    found = tp != 0
    recall_gain = np.where(found, np.maximum(1.0 - odds * quotient(fn, tp), 0.0), 0.0)
    precision_gain = np.where(found, 1.0 - odds * quotient(fp, tp), 1.0)
    return recall_gain, precision_gain


def _heights(method: str, y: Array) -> Array:
    if method == "interpolation":
        mean: Array = (y[:, :-1] + y[:, 1:]) / 2.0
        return mean
    return (np.minimum if method == "minoring" else np.maximum)(y[:, :-1], y[:, 1:])


def _interpolated(counts: Counts) -> Array:
    """Return the integral of precision over recall in each interval.

    Within an interval true positives are taken as linear in all positives ``p``:
    ``tp = a + slope * p``, so the integral of ``tp / p`` is ``slope * (dtp + a * log(p0 / p1))``,
    divided by the targets that are 1.
    """
    tp, p = counts.tp, counts.tp + counts.fp
    dtp, dp = tp[:, :-1] - tp[:, 1:], p[:, :-1] - p[:, 1:]
    slope = quotient(dtp, np.maximum(dp, 0.0))
    start = tp[:, 1:] - slope * p[:, 1:]
    both = (p[:, :-1] > 0) & (p[:, 1:] > 0)
    ratio = np.where(both, quotient(p[:, :-1], p[:, 1:]), 1.0)
    integral = slope * (dtp + start * ops.log(ratio).numpy())
    return quotient(integral, np.maximum(tp[:, 1:] + counts.fn[:, 1:], 0.0))


def _choice(argument: str, given: Any, known: dict[str, str]) -> str:
    if not isinstance(given, str) or given not in known:
        names = sorted(set(known.values()))
        expected = "one of " + ", ".join(repr(name) for name in names)
        near = nearest(given, names) if isinstance(given, str) else None
        hint = f" (did you mean '{near}'?)" if near else ""
        raise ArgumentError("AUC", argument, expected, repr(given) + hint)
    return known[given]
