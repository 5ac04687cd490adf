"""Counts of right and wrong decisions at thresholds, and the metrics that are quotients of them.

An output above a threshold is a predicted 1, as in Keras; targets are 0 or 1, or one-hot rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fusegrad import losses, ops
from fusegrad._checks import number, positive_int
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.metrics.base import Array, Metric, check_elements

_TABLE = 1 << 20  # elements of a table of rows and thresholds: rows are counted in chunks of it


@dataclass(frozen=True)
class Counts:
    """Weights of true and false positives and negatives, each ``(labels, thresholds)``."""

    tp: Array
    fp: Array
    tn: Array
    fn: Array

    @classmethod
    def of(cls, totals: Sequence[Array]) -> Counts:
        """Return the counts for sums of what `count` returns."""
        above, every = totals
        tp, fp = above[:, 0, :], above[:, 1, :]
        return cls(tp, fp, every[:, 1, :] - fp, every[:, 0, :] - tp)


def count(
    where: str,
    y_true: Any,
    y_pred: Tensor,
    thresholds: Sequence[float],
    sample_weight: Any = None,
    *,
    top_k: int | None = None,
    class_id: int | None = None,
    by_label: bool = False,
    label_weights: Any = None,
) -> list[Tensor]:
    """Return the weights of outputs above each threshold, and of all, for targets 1 and 0.

    Parameters
    ----------
    where : str
        What error messages name.
    y_true, y_pred : Tensor
        Of one shape, ``(n, labels)`` where `by_label`.
    thresholds : sequence of float
    sample_weight : array_like, optional
    top_k : int, optional
        Take the other outputs of a row as below every threshold.
    class_id : int, optional
        Count only this column.
    by_label : bool, default False
        Count each column by itself.
    label_weights : array_like, optional
        One more weight for each column.

    Returns
    -------
    list of Tensor
        Two, float64: ``(labels, 2, thresholds)`` and ``(labels, 2, 1)``; labels is 1 unless
        `by_label`. Both add their rows in the same order, so that their difference, the weight of
        outputs below, is never negative by rounding.
    """
    target = losses.match(y_true, y_pred, where)
    positive = ops.cast(ops.not_equal(target, 0), "float64")
    weight = ops.ones_like(positive)
    if sample_weight is not None:
        _, weight = losses.weighted(positive, sample_weight, where)
    if label_weights is not None:
        weight = ops.multiply(weight, label_weights)
    positive = ops.multiply(positive, weight)
    if top_k is not None:
        y_pred = _only_top_k(where, y_pred, top_k)
    if class_id is not None:
        _check_class_id(where, class_id, y_pred.shape)
        y_pred, positive, weight = (
            part[..., class_id : class_id + 1] for part in (y_pred, positive, weight)
        )
    labels = y_pred.shape[-1] if by_label else 1
    y_pred, positive, weight = (
        ops.transpose(ops.reshape(part, (-1, labels))) for part in (y_pred, positive, weight)
    )
    weights = ops.stack([positive, ops.subtract(weight, positive)], axis=1)  # (labels, 2, rows)
    cuts = as_tensor(np.array(thresholds, dtype=y_pred.dtype))
    rows = y_pred.shape[1]
    step = max(1, _TABLE // (labels * len(thresholds)))
    above, every = [], []
    for first in range(0, rows, step):
        part = slice(first, min(first + step, rows))
        said = ops.greater(ops.expand_dims(y_pred[:, part], -1), cuts)
        size = (labels, said.shape[1], 1)
        above.append(ops.matmul(weights[:, :, part], ops.cast(said, "float64")))
        every.append(ops.matmul(weights[:, :, part], ops.ones(size, "float64")))
    return [_added(above), _added(every)]


def _added(parts: list[Tensor]) -> Tensor:
    total = parts[0]
    for part in parts[1:]:
        total = ops.add(total, part)
    return total


def _only_top_k(where: str, y_pred: Tensor, k: int) -> Tensor:
    """Return outputs with all but the k largest of each row, the first of equal ones, at -inf."""
    classes = y_pred.shape[-1]
    if y_pred.ndim < 2 or k > classes:
        expected = "at most the number of outputs of a row"
        raise ArgumentError(where, "top_k", expected, f"{k} with outputs of shape {y_pred.shape}")
    kept = ops.full(y_pred.shape, -math.inf, y_pred.dtype)
    rest = y_pred
    for _ in range(k):
        largest = ops.expand_dims(ops.argmax(rest, axis=-1), -1)
        chosen = ops.equal(largest, np.arange(classes))
        kept = ops.where(chosen, rest, kept)
        rest = ops.where(chosen, -math.inf, rest)
    return kept


def _check_class_id(where: str, class_id: int, shape: tuple[int, ...]) -> None:
    if len(shape) < 2 or class_id >= shape[-1]:
        expected = "the index of an output of a row"
        raise ArgumentError(
            where, "class_id", expected, f"{class_id} with outputs of shape {shape}"
        )


class AtThresholds(Metric):
    """A metric of 0/1 targets and of outputs that are above thresholds or not.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
    top_k, class_id : int, optional
    name, dtype : str, optional
    """

    for_logits = "thresholds=0"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        where = type(self).__name__
        self.top_k = None if top_k is None else positive_int(where, "top_k", top_k)
        self.class_id = (
            None if class_id is None else positive_int(where, "class_id", class_id, zero=True)
        )
        self._given: Any = None
        if thresholds is None:
            self.thresholds = [0.5 if top_k is None else -math.inf]
        else:
            self.thresholds = checked_thresholds(where, thresholds)
            self._given = self.thresholds[0] if np.ndim(thresholds) == 0 else self.thresholds
        if thresholds is not None or top_k is None:
            self.expects = "probabilities" if any(self.thresholds) else "logits"

    def check_targets(self, where: str, argument: str, y_true: Any, outputs: int) -> None:
        """Raise ArgumentError for targets other than 0 and 1."""
        check_binary(where, argument, y_true, type(self).__name__)

    def totals(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Tensor]:
        """Return the weights above each threshold, and in all."""
        return count(
            type(self).__name__,
            y_true,
            losses.floating(y_pred),
            self.thresholds,
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
        )

    def from_totals(self, totals: Sequence[Array]) -> Any:
        """Return one number, or an array with one for each of several thresholds."""
        found = self.of_counts(Counts.of(totals))[0]
        return float(found[0]) if found.size == 1 else found

    def of_counts(self, counts: Counts) -> Array:
        """Return the metric for these counts; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__} must define of_counts(counts)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "thresholds": self._given}

    def _nothing(self) -> Any:
        size = len(self.thresholds)
        return 0.0 if size == 1 else np.zeros(size)


class _Count(AtThresholds):
    def __init__(
        self, thresholds: Any = None, name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(thresholds, name=name, dtype=dtype)


class TruePositives(_Count):
    """The number, or the weight, of targets 1 whose output is above the threshold.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; by default 0.5. With several the result is an array. Use 0 for logits.
    name : str, default "true_positives"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1]; when called: targets are not 0 or 1.

    Examples
    --------
    >>> TruePositives()([0, 1, 1, 1], [0.2, 0.9, 0.8, 0.3])
    2.0
    """

    def of_counts(self, counts: Counts) -> Array:
        """Return the true positives."""
        return counts.tp


class FalsePositives(_Count):
    """The number, or the weight, of targets 0 whose output is above the threshold.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; by default 0.5. With several the result is an array. Use 0 for logits.
    name : str, default "false_positives"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1]; when called: targets are not 0 or 1.

    Examples
    --------
    >>> FalsePositives(thresholds=[0.1, 0.5])([0, 0, 1], [0.2, 0.9, 0.8])
    array([2., 1.])
    """

    def of_counts(self, counts: Counts) -> Array:
        """Return the false positives."""
        return counts.fp


class TrueNegatives(_Count):
    """The number, or the weight, of targets 0 whose output is not above the threshold.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; by default 0.5. With several the result is an array. Use 0 for logits.
    name : str, default "true_negatives"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1]; when called: targets are not 0 or 1.

    Examples
    --------
    >>> TrueNegatives()([0, 0, 1], [0.2, 0.5, 0.4])
    2.0
    """

    def of_counts(self, counts: Counts) -> Array:
        """Return the true negatives."""
        return counts.tn


class FalseNegatives(_Count):
    """The number, or the weight, of targets 1 whose output is not above the threshold.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; by default 0.5. With several the result is an array. Use 0 for logits.
    name : str, default "false_negatives"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1]; when called: targets are not 0 or 1.

    Examples
    --------
    >>> FalseNegatives()([1, 1, 0], [0.2, 0.9, 0.4])
    1.0
    """

    def of_counts(self, counts: Counts) -> Array:
        """Return the false negatives."""
        return counts.fn


class _Quotient(AtThresholds):
    _direction = "up"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "top_k": self.top_k, "class_id": self.class_id}


class Precision(_Quotient):
    """Of what was predicted to be 1, the share that is: ``tp / (tp + fp)``; 0 where nothing was.

    All outputs of all samples count together, unless `class_id` picks one.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; by default 0.5. With several the result is an array. Use 0 for logits.
    top_k : int, optional
        Only the `top_k` largest outputs of a sample, the first of equal ones, may be predicted to
        be 1; without `thresholds` they all are.
    class_id : int, optional
        Look only at this output: the precision of one class or label.
    name : str, default "precision"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1], `top_k` is not a positive integer or `class_id` not an index;
        when called: targets are not 0 or 1, or there are fewer outputs than `top_k` or `class_id`
        say.

    Examples
    --------
    >>> precision = Precision()
    >>> round(precision([0, 1, 1, 1], [0.6, 0.9, 0.8, 0.3]), 6)
    0.666667
    """

    def of_counts(self, counts: Counts) -> Array:
        """Return the precision at each threshold."""
        return quotient(counts.tp, counts.tp + counts.fp)


class Recall(_Quotient):
    """Of what is 1, the share that was predicted to be: ``tp / (tp + fn)``; 0 where nothing is.

    All outputs of all samples count together, unless `class_id` picks one.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        In [0, 1]; by default 0.5. With several the result is an array. Use 0 for logits.
    top_k : int, optional
        Only the `top_k` largest outputs of a sample, the first of equal ones, may be predicted to
        be 1; without `thresholds` they all are.
    class_id : int, optional
        Look only at this output: the recall of one class or label.
    name : str, default "recall"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A threshold is outside [0, 1], `top_k` is not a positive integer or `class_id` not an index;
        when called: targets are not 0 or 1, or there are fewer outputs than `top_k` or `class_id`
        say.

    Examples
    --------
    >>> Recall()([0, 1, 1, 1, 1], [0.6, 0.9, 0.8, 0.7, 0.3])
    0.75
    """

    def of_counts(self, counts: Counts) -> Array:
        """Return the recall at each threshold."""
        return quotient(counts.tp, counts.tp + counts.fn)


def quotient(a: Array, b: Array) -> Array:
    """Return ``a / b``, and 0 where `b` is 0."""
    result: Array = np.divide(
        a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape)), where=b != 0
    )
    return result


def checked_thresholds(where: str, given: Any) -> list[float]:
    """Return one or more thresholds in [0, 1] as a list."""
    if isinstance(given, str) or (np.ndim(given) == 1 and len(given) == 0) or np.ndim(given) > 1:
        expected = "a number in [0, 1], or a list of such"
        raise ArgumentError(where, "thresholds", expected, repr(given))
    several = [given] if np.ndim(given) == 0 else list(given)
    return [number(where, "thresholds", value, 0.0, 1.0) for value in several]


def check_binary(where: str, argument: str, y_true: Any, metric: str) -> None:
    """Raise ArgumentError for targets other than 0 and 1."""
    expected = f"targets that are 0 or 1 (for classes, one-hot rows) for the metric {metric}"
    check_elements(where, argument, y_true, (y_true == 0) | (y_true == 1), expected)
