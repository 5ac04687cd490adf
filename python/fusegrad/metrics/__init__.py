"""Metrics: what is reported beside the loss. Names, defaults and formulas are Keras's.

Most metrics are the mean of one value per sample. In `fit` and `evaluate` a metric is traced into
the compiled step, and the training loop adds up its totals in double precision.

Examples
--------
>>> from fusegrad import metrics
>>> accuracy = metrics.SparseCategoricalAccuracy()
>>> accuracy.update_state([1, 0], [[0.1, 0.9], [0.2, 0.8]])
>>> accuracy.result()
0.5
"""

from __future__ import annotations

from typing import Any

from fusegrad._registry import Registry, config_of, looked_up, snake_case
from fusegrad._spelling import Spelled, missing
from fusegrad.errors import ArgumentError
from fusegrad.losses import (
    Loss,
    binary_crossentropy,
    categorical_crossentropy,
    huber,
    mean_absolute_error,
    mean_squared_error,
    sparse_categorical_crossentropy,
)
from fusegrad.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from fusegrad.metrics.auc import AUC
from fusegrad.metrics.base import Metric
from fusegrad.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from fusegrad.metrics.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from fusegrad.metrics.reduction import Mean, MeanMetricWrapper, Sum
from fusegrad.metrics.regression import (
    LossMetric,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
)

__all__ = [
    "AUC",
    "Accuracy",
    "BinaryAccuracy",
    "BinaryCrossentropy",
    "CategoricalAccuracy",
    "CategoricalCrossentropy",
    "FalseNegatives",
    "FalsePositives",
    "LossMetric",
    "Mean",
    "MeanAbsoluteError",
    "MeanMetricWrapper",
    "MeanSquaredError",
    "Metric",
    "Precision",
    "Recall",
    "RootMeanSquaredError",
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
    "Sum",
    "TopKCategoricalAccuracy",
    "TrueNegatives",
    "TruePositives",
    "binary_accuracy",
    "binary_crossentropy",
    "categorical_accuracy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_accuracy",
    "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy",
    "top_k_categorical_accuracy",
]

__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[Metric]] = Registry("metrics.get", "metric")
_ALIASES: dict[type[Metric], tuple[str, ...]] = {
    Accuracy: ("acc",),
    BinaryCrossentropy: ("bce", "BCE"),
    MeanAbsoluteError: ("mae", "MAE"),
    MeanSquaredError: ("mse", "MSE"),
}
for _class in (
    AUC,
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    FalseNegatives,
    FalsePositives,
    Mean,
    MeanAbsoluteError,
    MeanSquaredError,
    Precision,
    Recall,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    Sum,
    TopKCategoricalAccuracy,
    TrueNegatives,
    TruePositives,
):
    _REGISTRY.add(_class, snake_case(_class.__name__), _class.__name__, *_ALIASES.get(_class, ()))
_FUNCTIONS: dict[Any, type[Metric]] = {
    binary_accuracy: BinaryAccuracy,
    binary_crossentropy: BinaryCrossentropy,
    categorical_accuracy: CategoricalAccuracy,
    categorical_crossentropy: CategoricalCrossentropy,
    mean_absolute_error: MeanAbsoluteError,
    mean_squared_error: MeanSquaredError,
    sparse_categorical_accuracy: SparseCategoricalAccuracy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    sparse_top_k_categorical_accuracy: SparseTopKCategoricalAccuracy,
    top_k_categorical_accuracy: TopKCategoricalAccuracy,
}


def get(identifier: Any) -> Metric:
    """Return the metric that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Metric, class or callable
        A name (``"mse"``, ``"binary_accuracy"``, ``"BinaryAccuracy"``), the result of `serialize`,
        a metric or its class, or a function ``f(y_true, y_pred)`` that returns one value per
        sample.

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
        if identifier.lower() in {"crossentropy", "ce"}:
            raise ArgumentError(
                "metrics.get",
                "identifier",
                "'binary_crossentropy', 'categorical_crossentropy' for one-hot targets or "
                "'sparse_categorical_crossentropy' for class labels",
                repr(identifier),
            )
        metric = _REGISTRY.resolve(identifier)()
        metric.name = identifier  # the key in logs is the string that was given
        return metric
    if isinstance(identifier, dict):
        name, arguments = config_of(identifier, "metrics.get")
        return _REGISTRY.resolve(name).from_config(arguments)
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    function = callable(identifier) and not isinstance(identifier, type)
    if function and (not isinstance(identifier, Spelled) or isinstance(identifier, Loss)):
        known = looked_up(_FUNCTIONS, identifier)
        return known() if known is not None else MeanMetricWrapper(identifier)
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
    >>> serialize(MeanSquaredError())["class_name"]
    'MeanSquaredError'
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
    >>> deserialize(serialize(MeanSquaredError())).name
    'mean_squared_error'
    """
    return get(config)
