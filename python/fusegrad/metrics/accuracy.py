"""Accuracies: the share of predictions that are right."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fusegrad import losses, ops
from fusegrad._checks import flag, number, positive_int
from fusegrad._spelling import keywords
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.metrics.base import Metric, check_elements


@keywords
def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """1 where an output is on the right side of `threshold`, else 0, for each output.

    Parameters
    ----------
    y_true : array_like
        0 or 1, the shape of `y_pred`; ``(n,)`` stands for ``(n, 1)``.
    y_pred : array_like
        ``(n, outputs)``; above the threshold counts as 1.
    threshold : float, default 0.5
        0.0 for logits.

    Returns
    -------
    Tensor
        ``(n, outputs)``; its mean over the rows is the accuracy of each label.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> right = binary_accuracy([[1, 1], [0, 1]], [[0.9, 0.2], [0.8, 0.7]])
    >>> right.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    y_pred = losses.floating(y_pred)
    target = losses.match(y_true, y_pred, "binary_accuracy")
    said = ops.cast(ops.greater(y_pred, threshold), y_pred.dtype)
    return ops.cast(ops.equal(said, target), y_pred.dtype)


@keywords
def categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest output is that of the largest target, else 0, for each sample.

    Parameters
    ----------
    y_true : array_like
        ``(n, classes)``.
    y_pred : array_like
        ``(n, classes)``, probabilities or logits. The first of equal outputs counts.

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> categorical_accuracy([[0.0, 1.0]], [[0.3, 0.7]]).tolist()
    [1.0]
    """
    y_pred = losses.floating(y_pred)
    target = losses.match(y_true, y_pred, "categorical_accuracy")
    right = ops.equal(ops.argmax(target, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(right, y_pred.dtype)


@keywords
def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> Tensor:
    """1 where the largest output is that of the label, else 0, for each sample.

    Parameters
    ----------
    y_true : array_like
        Class labels, ``(n,)`` or ``(n, 1)``.
    y_pred : array_like
        ``(n, classes)``, probabilities or logits. The first of equal outputs counts.

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is not one label for each row of predictions.

    Examples
    --------
    >>> sparse_categorical_accuracy([1, 0], [[0.3, 0.7], [0.4, 0.6]]).tolist()
    [1.0, 0.0]
    """
    y_pred = losses.floating(y_pred)
    labels = losses.match_labels(y_true, y_pred, "sparse_categorical_accuracy")
    right = ops.equal(ops.cast(labels, "int64"), ops.argmax(y_pred, axis=-1))
    return ops.cast(right, y_pred.dtype)


@keywords
def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> Tensor:
    """1 where the output of the largest target is among the `k` largest, else 0.

    Parameters
    ----------
    y_true : array_like
        ``(n, classes)``.
    y_pred : array_like
        ``(n, classes)``, probabilities or logits. An output counts where fewer than `k` are larger,
        so outputs equal to the k-th largest all do; it must be finite.
    k : int, default 5

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ, or `k` is not a positive integer.

    Examples
    --------
    >>> top_k_categorical_accuracy([[1.0, 0.0, 0.0]], [[0.3, 0.5, 0.2]], k=2).tolist()
    [1.0]
    """
    k = positive_int("top_k_categorical_accuracy", "k", k)
    y_pred = losses.floating(y_pred)
    target = losses.match(y_true, y_pred, "top_k_categorical_accuracy")
    return _in_top_k(ops.argmax(target, axis=-1), y_pred, k)


@keywords
def sparse_top_k_categorical_accuracy(
    y_true: Any, y_pred: Any, k: int = 5, from_sorted_ids: bool = False
) -> Tensor:
    """1 where the output of the label is among the `k` largest, else 0, for each sample.

    Parameters
    ----------
    y_true : array_like
        Class labels, ``(n,)`` or ``(n, 1)``.
    y_pred : array_like
        ``(n, classes)``, probabilities or logits. An output counts where fewer than `k` are larger,
        so outputs equal to the k-th largest all do; it must be finite.
    k : int, default 5
    from_sorted_ids : bool, default False
        Whether `y_pred` holds class ids instead, the most probable first.

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is not one label for each row of predictions, or `k` is not a positive integer.

    Examples
    --------
    >>> sparse_top_k_categorical_accuracy([0, 2], [[0.3, 0.5, 0.2]] * 2, k=2).tolist()
    [1.0, 0.0]
    """
    where = "sparse_top_k_categorical_accuracy"
    k = positive_int(where, "k", k)
    if flag(where, "from_sorted_ids", from_sorted_ids):
        ids = as_tensor(y_pred)
        labels = losses.match_labels(y_true, ids, where, classes=math.inf)
        found = ops.equal(ops.expand_dims(labels, -1), ids[..., :k])
        return ops.max(ops.cast(found, "float32"), axis=-1)
    y_pred = losses.floating(y_pred)
    return _in_top_k(losses.match_labels(y_true, y_pred, where), y_pred, k)


def _in_top_k(labels: Tensor, y_pred: Tensor, k: int) -> Tensor:
    classes = np.arange(y_pred.shape[-1])
    chosen = ops.equal(ops.expand_dims(labels, -1), classes)
    own = ops.max(ops.where(chosen, y_pred, -math.inf), axis=-1, keepdims=True)
    larger = ops.sum(ops.cast(ops.greater(y_pred, own), y_pred.dtype), axis=-1)
    finite = ops.squeeze(ops.less(ops.abs(own), math.inf), -1)
    return ops.cast(ops.logical_and(ops.less(larger, k), finite), y_pred.dtype)


class Accuracy(Metric):
    """Share of elements where the prediction equals the target.

    In ``compile(metrics=["accuracy"])`` the string stands for the accuracy that fits the loss
    instead.

    Parameters
    ----------
    name : str, default "accuracy"
    dtype : str, optional

    Examples
    --------
    >>> Accuracy()([[1.0], [2.0]], [[1.0], [3.0]])
    0.5
    """

    _direction = "up"

    def __init__(self, name: str = "accuracy", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the share of each sample."""
        y_pred = losses.floating(y_pred)
        target = losses.match(y_true, y_pred, "Accuracy")
        right = ops.cast(ops.equal(target, y_pred), y_pred.dtype)
        return ops.mean(right, axis=-1) if right.ndim > 1 else right


class BinaryAccuracy(Metric):
    """Share of outputs on the right side of a threshold.

    Parameters
    ----------
    name : str, default "binary_accuracy"
    dtype : str, optional
    threshold : float, default 0.5
        Outputs above it count as 1. Use 0.0 for logits; ``metrics=["accuracy"]`` does so by itself.

    Notes
    -----
    Each label of a sample with several counts by itself. The accuracy of each label is
    ``binary_accuracy(y, model.predict(x)).numpy().mean(axis=0)``; ``Precision(class_id=j)`` and
    ``Recall(class_id=j)`` report on one label while training.

    Examples
    --------
    >>> BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.2]])
    1.0
    """

    for_logits = "threshold=0.0"
    _direction = "up"

    def __init__(
        self,
        name: str = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.threshold = number("BinaryAccuracy", "threshold", threshold)
        self.expects = {0.5: "probabilities", 0.0: "logits"}.get(self.threshold, "any")

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return 1 or 0 for each output."""
        return binary_accuracy(y_true, y_pred, self.threshold)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "threshold": self.threshold}


class CategoricalAccuracy(Metric):
    """Share of samples whose largest output is that of the one-hot target.

    Parameters
    ----------
    name : str, default "categorical_accuracy"
    dtype : str, optional

    Examples
    --------
    >>> CategoricalAccuracy()([[0.0, 1.0]], [[0.3, 0.7]])
    1.0
    """

    order_only = True
    _direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return 1 or 0 for each sample."""
        return categorical_accuracy(y_true, y_pred)


class SparseCategoricalAccuracy(Metric):
    """Share of samples whose largest output is that of the label.

    Parameters
    ----------
    name : str, default "sparse_categorical_accuracy"
    dtype : str, optional

    Examples
    --------
    >>> SparseCategoricalAccuracy()([1], [[0.3, 0.7]])
    1.0
    """

    order_only = True
    _direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def check_targets(self, where: str, argument: str, y_true: Any, outputs: int) -> None:
        """Raise ArgumentError for labels that are no class."""
        _check_labels(where, argument, y_true, outputs)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return 1 or 0 for each sample."""
        return sparse_categorical_accuracy(y_true, y_pred)


class TopKCategoricalAccuracy(Metric):
    """Share of samples whose one-hot target is among the `k` largest outputs.

    Parameters
    ----------
    k : int, default 5
    name : str, default "top_k_categorical_accuracy"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        `k` is not a positive integer.

    Notes
    -----
    Outputs equal to the k-th largest all count; `top_k_categorical_accuracy` has the rule.

    Examples
    --------
    >>> TopKCategoricalAccuracy(k=2)([[1.0, 0.0, 0.0]], [[0.3, 0.5, 0.2]])
    1.0
    """

    order_only = True
    _direction = "up"

    def __init__(
        self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: str | None = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.k = positive_int("TopKCategoricalAccuracy", "k", k)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return 1 or 0 for each sample."""
        return top_k_categorical_accuracy(y_true, y_pred, self.k)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "k": self.k}


class SparseTopKCategoricalAccuracy(Metric):
    """Share of samples whose label is among the `k` largest outputs.

    Parameters
    ----------
    k : int, default 5
    name : str, default "sparse_top_k_categorical_accuracy"
    dtype : str, optional
    from_sorted_ids : bool, default False
        Whether predictions are class ids, the most probable first, instead of outputs.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `k` is not a positive integer.

    Notes
    -----
    Outputs equal to the k-th largest all count; `sparse_top_k_categorical_accuracy` has the rule.

    Examples
    --------
    >>> SparseTopKCategoricalAccuracy(k=2)([0], [[0.3, 0.5, 0.2]])
    1.0
    """

    order_only = True
    _direction = "up"

    def __init__(
        self,
        k: int = 5,
        name: str = "sparse_top_k_categorical_accuracy",
        dtype: str | None = None,
        from_sorted_ids: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        where = "SparseTopKCategoricalAccuracy"
        self.k = positive_int(where, "k", k)
        self.from_sorted_ids = flag(where, "from_sorted_ids", from_sorted_ids)

    def check_targets(self, where: str, argument: str, y_true: Any, outputs: int) -> None:
        """Raise ArgumentError for labels that are no class."""
        if not self.from_sorted_ids:
            _check_labels(where, argument, y_true, outputs)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return 1 or 0 for each sample."""
        return sparse_top_k_categorical_accuracy(y_true, y_pred, self.k, self.from_sorted_ids)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "k": self.k, "from_sorted_ids": self.from_sorted_ids}


def _check_labels(where: str, argument: str, y_true: Any, classes: int) -> None:
    good = (y_true >= 0) & (y_true < classes)
    check_elements(where, argument, y_true, good, f"class labels in [0, {classes})")
