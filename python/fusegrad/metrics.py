"""Metrics: what is reported beside the loss. Names, defaults and formulas are Keras's.

A metric is the mean of one value per sample. In `fit` and `evaluate` it is traced into the compiled
step, which adds up sums and counts in double precision.

Examples
--------
>>> from fusegrad import metrics
>>> accuracy = metrics.SparseCategoricalAccuracy()
>>> accuracy.update_state([1, 0], [[0.1, 0.9], [0.2, 0.8]])
>>> accuracy.result()
0.5
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import losses, ops
from fusegrad._checks import number
from fusegrad._registry import Registry, config_of, missing, snake_case
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError

__all__ = [
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "binary_accuracy",
    "categorical_accuracy",
    "deserialize",
    "get",
    "serialize",
    "sparse_categorical_accuracy",
]


class Metric:
    """Base class: `values(y_true, y_pred)` returns one value per sample; the metric is their mean.

    Parameters
    ----------
    name : str, optional
        The key in logs and `History`; by default the class's name in snake case.
    dtype : str, optional
        Kept for Keras's signature; sums are in float64.

    Examples
    --------
    >>> from fusegrad import metrics, ops
    >>> class MeanError(metrics.Metric):
    ...     def values(self, y_true, y_pred):
    ...         return ops.mean(y_pred - y_true, axis=-1)
    >>> metric = MeanError()
    >>> metric([[1.0]], [[3.0]])
    2.0
    """

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        self.name = name or snake_case(type(self).__name__)
        self.dtype = dtype
        self._total = 0.0
        self._count = 0.0

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return one value per sample; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__} must define values(y_true, y_pred)")

    def totals(self, y_true: Any, y_pred: Any) -> tuple[Tensor, float]:
        """Return the float64 sum of the values and their number, which a step accumulates."""
        values = as_tensor(self.values(y_true, y_pred))
        return ops.sum(ops.cast(values, "float64")), float(math.prod(values.shape))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add the values of these samples.

        Parameters
        ----------
        y_true, y_pred : array_like
        sample_weight : array_like, optional
            One weight per sample.
        """
        result = as_tensor(self.values(as_tensor(y_true), as_tensor(y_pred)))
        values = np.asarray(result.numpy(), dtype=np.float64)
        weights = np.ones_like(values)
        if sample_weight is not None:
            given = np.asarray(sample_weight, dtype=np.float64)
            if given.shape not in {values.shape, (*values.shape, 1)}:
                raise ArgumentError(
                    f"{type(self).__name__}.update_state",
                    "sample_weight",
                    f"one weight for each value, shape {values.shape}",
                    f"shape {given.shape}",
                )
            weights = given.reshape(values.shape)
        self._total += float((values * weights).sum())
        self._count += float(weights.sum())

    def result(self) -> float:
        """Return the weighted mean so far; 0.0 before the first sample."""
        return self._total / self._count if self._count else 0.0

    def reset_state(self) -> None:
        """Forget all samples."""
        self._total = self._count = 0.0

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        """Update the state and return the result."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Build a metric from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class MeanMetricWrapper(Metric):
    """A function ``f(y_true, y_pred)`` that returns one value per sample, as a metric.

    Parameters
    ----------
    fn : callable
    name : str, optional
        By default the function's name.
    dtype : str, optional
    **kwargs
        Passed on to the function.

    Examples
    --------
    >>> from fusegrad import losses, metrics
    >>> metric = metrics.MeanMetricWrapper(losses.mean_squared_error)
    >>> metric([[1.0]], [[3.0]])
    4.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name or getattr(fn, "__name__", "metric").strip("<>"), dtype=dtype)
        self._fn = fn
        self._kwargs = kwargs

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return what the function returns."""
        return as_tensor(self._fn(as_tensor(y_true), as_tensor(y_pred), **self._kwargs))


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> Tensor:
    """Share of outputs on the right side of `threshold`, for each sample.

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
        ``(n,)``.

    Examples
    --------
    >>> binary_accuracy([[1.0], [0.0]], [[0.9], [0.8]]).tolist()
    [1.0, 0.0]
    """
    y_pred = losses.floating(y_pred)
    target = losses.match(y_true, y_pred, "binary_accuracy")
    said = ops.cast(ops.greater(y_pred, threshold), y_pred.dtype)
    return ops.mean(ops.cast(ops.equal(said, target), y_pred.dtype), axis=-1)


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

    Examples
    --------
    >>> categorical_accuracy([[0.0, 1.0]], [[0.3, 0.7]]).tolist()
    [1.0]
    """
    y_pred = losses.floating(y_pred)
    target = losses.match(y_true, y_pred, "categorical_accuracy")
    right = ops.equal(ops.argmax(target, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(right, y_pred.dtype)


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

    Examples
    --------
    >>> sparse_categorical_accuracy([1, 0], [[0.3, 0.7], [0.4, 0.6]]).tolist()
    [1.0, 0.0]
    """
    y_pred = losses.floating(y_pred)
    labels = losses.match_labels(y_true, y_pred, "sparse_categorical_accuracy")
    right = ops.equal(ops.cast(labels, "int64"), ops.argmax(y_pred, axis=-1))
    return ops.cast(right, y_pred.dtype)


class Accuracy(Metric):
    """Share of elements where the prediction equals the target.

    Parameters
    ----------
    name : str, default "accuracy"
    dtype : str, optional

    Examples
    --------
    >>> Accuracy()([[1.0], [2.0]], [[1.0], [3.0]])
    0.5
    """

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

    Examples
    --------
    >>> BinaryAccuracy()([[1.0], [0.0]], [[0.9], [0.2]])
    1.0
    """

    def __init__(
        self,
        name: str = "binary_accuracy",
        dtype: str | None = None,
        threshold: float = 0.5,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.threshold = number("BinaryAccuracy", "threshold", threshold)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the share of each sample."""
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

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return 1 or 0 for each sample."""
        return sparse_categorical_accuracy(y_true, y_pred)


class LossMetric(Metric):
    """The mean of a loss's values."""

    loss: losses.Loss

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the loss of each sample."""
        return self.loss.call(y_true, losses.floating(y_pred))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = self.loss.get_config()
        own: dict[str, Any] = {
            key: config[key] for key in ("from_logits", "label_smoothing") if key in config
        }
        return {**super().get_config(), **own}


class MeanSquaredError(LossMetric):
    """Mean squared error.

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
        super().__init__(name=name, dtype=dtype)
        self.loss = losses.MeanSquaredError()


class BinaryCrossentropy(LossMetric):
    """Mean of `losses.BinaryCrossentropy`.

    Parameters
    ----------
    name : str, default "binary_crossentropy"
    dtype : str, optional
    from_logits : bool, default False
    label_smoothing : float, default 0.0

    Examples
    --------
    >>> round(BinaryCrossentropy()([[1.0]], [[0.5]]), 6)
    0.693147
    """

    def __init__(
        self,
        name: str = "binary_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.loss = losses.BinaryCrossentropy(from_logits, label_smoothing)


class CategoricalCrossentropy(LossMetric):
    """Mean of `losses.CategoricalCrossentropy`.

    Parameters
    ----------
    name : str, default "categorical_crossentropy"
    dtype : str, optional
    from_logits : bool, default False
    label_smoothing : float, default 0.0

    Examples
    --------
    >>> round(CategoricalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]]), 6)
    0.693147
    """

    def __init__(
        self,
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.loss = losses.CategoricalCrossentropy(from_logits, label_smoothing)


class SparseCategoricalCrossentropy(LossMetric):
    """Mean of `losses.SparseCategoricalCrossentropy`.

    Parameters
    ----------
    name : str, default "sparse_categorical_crossentropy"
    dtype : str, optional
    from_logits : bool, default False

    Examples
    --------
    >>> round(SparseCategoricalCrossentropy()([1], [[0.5, 0.5]]), 6)
    0.693147
    """

    def __init__(
        self,
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.loss = losses.SparseCategoricalCrossentropy(from_logits)


__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[Metric]] = Registry("metrics.get", "metric")
_REGISTRY.add(MeanSquaredError, "mean_squared_error", "MeanSquaredError", "mse", "MSE")
_REGISTRY.add(BinaryCrossentropy, "binary_crossentropy", "BinaryCrossentropy", "bce", "BCE")
for _class in (
    BinaryAccuracy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
):
    _REGISTRY.add(_class, snake_case(_class.__name__), _class.__name__)
_REGISTRY.add(Accuracy, "accuracy", "Accuracy", "acc")


def get(identifier: Any) -> Metric:
    """Return the metric that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Metric, class or callable
        A name, the result of `serialize`, a metric or its class, or a function
        ``f(y_true, y_pred)`` that returns one value per sample.

    Returns
    -------
    Metric

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no metric of this name; the message names the nearest one.

    Examples
    --------
    >>> get("binary_accuracy").name
    'binary_accuracy'
    """
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, str):
        metric = _REGISTRY.resolve(identifier)()
        metric.name = identifier  # the key in logs is the string that was given
        return metric
    if isinstance(identifier, dict):
        name, arguments = config_of(identifier, "metrics.get")
        return _REGISTRY.resolve(name).from_config(arguments)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if callable(identifier) and not isinstance(identifier, type):
        return MeanMetricWrapper(identifier)
    raise ArgumentError(
        "metrics.get",
        "identifier",
        "a name, a Metric or a function (y_true, y_pred)",
        repr(identifier),
    )


def serialize(metric: Metric) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of a metric.

    Parameters
    ----------
    metric : Metric

    Returns
    -------
    dict

    Examples
    --------
    >>> serialize(BinaryAccuracy())["class_name"]
    'BinaryAccuracy'
    """
    return {"class_name": type(metric).__name__, "config": metric.get_config()}


def deserialize(config: dict[str, Any]) -> Metric:
    """Return the metric of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict

    Returns
    -------
    Metric

    Examples
    --------
    >>> deserialize(serialize(BinaryAccuracy())).name
    'binary_accuracy'
    """
    return get(config)
