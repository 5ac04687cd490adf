"""Metrics that are means against NumPy; names, configurations, states."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fusegrad import losses, metrics, ops
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(2)
P = RNG.dirichlet(np.ones(3), 50)
LABELS = RNG.integers(0, 3, 50)
BITS = RNG.integers(0, 2, (50, 1)).astype(float)
COLUMN = RNG.uniform(size=(50, 1))
TABLE = RNG.uniform(size=(50, 3))
DISTANCE = np.abs(TABLE - P)

CASES: list[tuple[metrics.Metric, Any, Any, np.ndarray]] = [
    (metrics.Accuracy(), TABLE.round(), P.round(), (TABLE.round() == P.round()).mean(1)),
    (metrics.BinaryAccuracy(), BITS, COLUMN, ((COLUMN > 0.5) == BITS)[:, 0]),
    (metrics.BinaryAccuracy(threshold=0.2), BITS, COLUMN, ((COLUMN > 0.2) == BITS)[:, 0]),
    (metrics.BinaryAccuracy(), TABLE.round(), P, ((P > 0.5) == TABLE.round()).mean(1)),
    (metrics.CategoricalAccuracy(), np.eye(3)[LABELS], P, P.argmax(1) == LABELS),
    (metrics.SparseCategoricalAccuracy(), LABELS, P, P.argmax(1) == LABELS),
    (metrics.SparseCategoricalAccuracy(), LABELS[:, None], P, P.argmax(1) == LABELS),
    (metrics.TopKCategoricalAccuracy(k=2), np.eye(3)[LABELS], P, P.argmin(1) != LABELS),
    (metrics.SparseTopKCategoricalAccuracy(k=2), LABELS, P, P.argmin(1) != LABELS),
    (metrics.SparseTopKCategoricalAccuracy(), LABELS, P, np.ones(50)),
    (metrics.MeanSquaredError(), TABLE, P, (DISTANCE**2).mean(1)),
    (metrics.MeanAbsoluteError(), TABLE, P, DISTANCE.mean(1)),
    (metrics.BinaryCrossentropy(), BITS, COLUMN,
     -np.log(np.where(BITS == 1, COLUMN, 1 - COLUMN))[:, 0]),
    (metrics.CategoricalCrossentropy(), np.eye(3)[LABELS], P, -np.log(P)[np.arange(50), LABELS]),
    (metrics.SparseCategoricalCrossentropy(), LABELS, P, -np.log(P)[np.arange(50), LABELS]),
    (metrics.MeanMetricWrapper(losses.mean_squared_error), TABLE, P, (DISTANCE**2).mean(1)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("metric", "y", "p", "expected"), CASES, ids=[case[0].name for case in CASES]
)
def test_values(metric: metrics.Metric, y: Any, p: Any, expected: np.ndarray) -> None:
    assert metric.result() == 0.0
    metric.update_state(y[:20], p[:20])
    assert metric(y[20:], p[20:]) == pytest.approx(expected.mean(), rel=1e-12)
    assert isinstance(metric.result(), float)
    metric.reset_state()
    assert metric.result() == 0.0
    weights = RNG.uniform(size=50)
    metric.update_state(y[:20], p[:20], weights[:20])
    metric.update_state(y[20:], p[20:], weights[20:, None])
    assert metric.result() == pytest.approx(np.average(expected, weights=weights), rel=1e-12)
    metric.reset_state()
    metric.update_state(y, p, np.zeros(50))
    assert metric.result() == 0.0


def test_root_mean_squared_error_is_the_root_of_the_whole() -> None:
    metric = metrics.RootMeanSquaredError()
    for rows in (slice(0, 7), slice(7, 50)):
        metric.update_state(TABLE[rows], P[rows])
    assert metric.result() == pytest.approx(math.sqrt((DISTANCE**2).mean()), rel=1e-12)
    metric.reset_state()
    weights = RNG.uniform(size=50)
    metric.update_state(TABLE, P, weights)
    expected = math.sqrt(np.average((DISTANCE**2).mean(1), weights=weights))
    assert metric.result() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("shape", [(), (4,), (4, 3)])
def test_mean_and_sum_of_values(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    values, weights = rng.normal(size=(2, *shape)), rng.uniform(size=(2, *shape[:1]))
    mean, total = metrics.Mean(), metrics.Sum()
    for plain in (True, False):
        for i in range(2):
            for metric in (mean, total):
                metric.update_state(values[i], None if plain else weights[i])
        spread = np.ones((2, *shape)) if plain else np.ones((2, *shape)) * (
            weights.reshape(2, *shape[:1], *(1,) * (len(shape) - 1)))  # fmt: skip
        assert mean.result() == pytest.approx(np.average(values, weights=spread), rel=1e-12)
        assert total.result() == pytest.approx((values * spread).sum(), rel=1e-12)
        for metric in (mean, total):
            metric.reset_state()
            assert metric.result() == 0.0
    assert metrics.Mean()([1.0, 3.0]) == 2.0
    mean.update_state([[1.0, 3.0]])  # a row counts once
    mean.update_state([5.0])
    assert mean.result() == 3.5
    with pytest.raises(ArgumentError, match="sample_weight"):
        mean.update_state([1.0, 2.0], [1.0, 2.0, 3.0])


def test_threshold_is_strict() -> None:
    assert metrics.BinaryAccuracy()([[0.0]], [[0.5]]) == 1.0


def test_accuracy_of_each_label() -> None:
    right = metrics.binary_accuracy(TABLE.round(), P, threshold=0.3).numpy()
    np.testing.assert_array_equal(right, (P > 0.3) == TABLE.round())


def test_first_of_equal_outputs_counts() -> None:
    assert metrics.SparseCategoricalAccuracy()([0], [[0.5, 0.5]]) == 1.0
    assert metrics.SparseCategoricalAccuracy()([1], [[0.5, 0.5]]) == 0.0


@pytest.mark.parametrize("k", [1, 2, 3, 4, 9])
def test_top_k_against_sorting(k: int) -> None:
    rng = np.random.default_rng(k)
    p = rng.integers(0, 4, (200, 5)).astype(np.float32)  # many ties
    labels = rng.integers(0, 5, 200)
    kth = -np.sort(-p, axis=1)[:, min(k, 5) - 1]
    expected = p[np.arange(200), labels] >= kth  # ties at the boundary are in
    found = metrics.sparse_top_k_categorical_accuracy(labels, p, k=k).numpy()
    np.testing.assert_array_equal(found, expected)
    found = metrics.top_k_categorical_accuracy(np.eye(5)[labels], p, k=k).numpy()
    np.testing.assert_array_equal(found, expected)


def test_top_k_of_outputs_that_are_not_finite() -> None:
    outputs = [[math.nan, 1.0, 0.0], [math.inf, 1.0, 0.0], [-math.inf, 1.0, 0.0]]
    for label, expected in ((0, [0.0, 0.0, 0.0]), (1, [1.0, 0.0, 1.0])):
        found = metrics.sparse_top_k_categorical_accuracy([label] * 3, outputs, k=1)
        assert found.tolist() == expected
    assert metrics.sparse_top_k_categorical_accuracy([0], [[-math.inf, 1.0]], k=2).tolist() == [0.0]


def test_sorted_ids() -> None:
    metric = metrics.SparseTopKCategoricalAccuracy(k=2, from_sorted_ids=True)
    assert metric([4, 7, 9], [[4, 1, 7], [1, 7, 2], [1, 2, 9]]) == pytest.approx(2 / 3)
    assert metric.get_config()["from_sorted_ids"] is True


NAMES = [
    ("mse", metrics.MeanSquaredError),
    ("MSE", metrics.MeanSquaredError),
    ("mae", metrics.MeanAbsoluteError),
    ("MAE", metrics.MeanAbsoluteError),
    ("bce", metrics.BinaryCrossentropy),
    ("BCE", metrics.BinaryCrossentropy),
    ("acc", metrics.Accuracy),
    ("auc", metrics.AUC),
    ("AUC", metrics.AUC),
    ("sparse_top_k_categorical_accuracy", metrics.SparseTopKCategoricalAccuracy),
    ("SparseTopKCategoricalAccuracy", metrics.SparseTopKCategoricalAccuracy),
    ("root_mean_squared_error", metrics.RootMeanSquaredError),
    ("true_positives", metrics.TruePositives),
    (metrics.Recall, metrics.Recall),
    (metrics.binary_accuracy, metrics.BinaryAccuracy),
    (losses.mean_absolute_error, metrics.MeanAbsoluteError),
    ({"class_name": "Precision", "config": {"top_k": 2}}, metrics.Precision),
]


@pytest.mark.parametrize(("given", "cls"), NAMES, ids=[str(given) for given, _ in NAMES])
def test_names(given: Any, cls: type[metrics.Metric]) -> None:
    metric = metrics.get(given)
    assert type(metric) is cls
    if isinstance(given, str):
        assert metric.name == given  # the key in logs


def test_names_of_objects_and_functions() -> None:
    assert metrics.get(metrics.BinaryAccuracy).name == "binary_accuracy"
    assert metrics.get(lambda y, p: p).name == "lambda"
    assert metrics.Precision().name == metrics.Precision().name == "precision"
    assert metrics.AUC().name == "auc"
    with pytest.raises(ArgumentError, match="did you mean 'binary_accuracy'"):
        metrics.get("binary_acuracy")
    with pytest.raises(ArgumentError, match="did you mean 'accuracy'"):
        metrics.get("Acuracy")
    with pytest.raises(ArgumentError):
        metrics.get(1)
    with pytest.raises(ImportError, match="did you mean 'Precision'"):
        from fusegrad.metrics import Precison  # noqa: F401


@pytest.mark.parametrize("name", ["crossentropy", "ce", "CE"])
@pytest.mark.parametrize("get", [metrics.get, losses.get])
def test_crossentropy_needs_a_kind(get: Any, name: str) -> None:
    with pytest.raises(ArgumentError, match=r"'binary_.*'categorical_.*'sparse_categorical_"):
        get(name)


CONFIGURED = [
    *(case[0] for case in CASES),
    metrics.Mean(name="m"),
    metrics.Sum(),
    metrics.RootMeanSquaredError(dtype="float32"),
    metrics.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
    metrics.SparseTopKCategoricalAccuracy(k=3, from_sorted_ids=True),
    metrics.Precision(thresholds=[0.1, 0.9], class_id=1, name="p"),
    metrics.Recall(top_k=2),
    metrics.FalseNegatives(0.25),
    metrics.AUC(thresholds=[0.5, 0.2], curve="pr", summation_method="Minoring"),
    metrics.AUC(num_thresholds=7, multi_label=True, num_labels=2, label_weights=[1, 2]),
]


@pytest.mark.parametrize("metric", CONFIGURED, ids=lambda metric: type(metric).__name__)
def test_configurations(metric: metrics.Metric) -> None:
    if isinstance(metric, metrics.MeanMetricWrapper):
        copy = metrics.MeanMetricWrapper.from_config(metric.get_config())
    else:
        copy = metrics.deserialize(metrics.serialize(metric))
    assert type(copy) is type(metric)
    assert copy.get_config() == metric.get_config()


BAD: dict[str, tuple[Any, str]] = {
    "one-hot": (lambda: metrics.CategoricalAccuracy()([0, 1], P[:2]), "y_true"),
    "weights": (
        lambda: metrics.MeanSquaredError().update_state([[1.0]], [[1.0]], [1.0, 2.0]),
        "sample_weight",
    ),
    "label": (lambda: metrics.SparseCategoricalAccuracy()([0, 3], P[:2]), "y_true"),
    "negative label": (lambda: metrics.SparseTopKCategoricalAccuracy()([-1], P[:1]), "y_true"),
    "fraction": (lambda: metrics.SparseCategoricalAccuracy()([0.5], P[:1]), "y_true"),
    "k 0": (lambda: metrics.TopKCategoricalAccuracy(k=0), "k"),
    "k float": (lambda: metrics.SparseTopKCategoricalAccuracy(k=2.0), "k"),
    "k of a function": (lambda: metrics.top_k_categorical_accuracy([[1.0]], [[1.0]], k=-1), "k"),
    "sorted ids": (
        lambda: metrics.SparseTopKCategoricalAccuracy(from_sorted_ids="no"),
        "from_sorted_ids",
    ),
    "rmse shapes": (lambda: metrics.RootMeanSquaredError()([1.0, 2.0], [[1.0, 2.0]]), "y_true"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    call, argument = BAD[case]
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument


def test_misspelt_arguments() -> None:
    with pytest.raises(TypeError, match="did you mean 'threshold'"):
        metrics.BinaryAccuracy(treshold=0.3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="did you mean 'thresholds'"):
        metrics.Precision(threshold=0.3)  # type: ignore[call-arg]


def test_failed_update_leaves_the_state() -> None:
    metric = metrics.SparseCategoricalAccuracy()
    metric.update_state([0, 1], [[0.9, 0.1], [0.9, 0.1]])
    with pytest.raises(ArgumentError):
        metric.update_state([0, 2], [[0.9, 0.1], [0.9, 0.1]])
    assert metric.result() == 0.5


def test_a_metric_of_ones_own_with_totals() -> None:
    class Geometric(metrics.Metric):
        def totals(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Any]:
            return [ops.sum(ops.log(y_pred)), ops.sum(ops.ones_like(y_pred))]

        def from_totals(self, totals: Any) -> float:
            return math.exp(totals[0] / totals[1])

    metric = Geometric()
    metric.update_state([0.0], np.array([2.0]))
    assert metric([0.0], np.array([8.0])) == pytest.approx(4.0)


def test_directions() -> None:
    ups = (metrics.BinaryAccuracy, metrics.Recall, metrics.AUC, metrics.TopKCategoricalAccuracy)
    downs = (metrics.MeanAbsoluteError, metrics.RootMeanSquaredError, metrics.BinaryCrossentropy)
    assert {cls._direction for cls in ups} == {"up"}
    assert {cls._direction for cls in downs} == {"down"}
    assert metrics.Mean._direction is None
