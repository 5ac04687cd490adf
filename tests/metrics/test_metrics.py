"""Metrics against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from fusegrad import metrics
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(2)
P = RNG.dirichlet(np.ones(3), 50)
LABELS = RNG.integers(0, 3, 50)
BITS = RNG.integers(0, 2, (50, 1)).astype(float)
COLUMN = RNG.uniform(size=(50, 1))


@pytest.mark.parametrize(
    ("metric", "y", "p", "expected"),
    [
        (metrics.SparseCategoricalAccuracy(), LABELS, P, np.mean(P.argmax(1) == LABELS)),
        (metrics.CategoricalAccuracy(), np.eye(3)[LABELS], P, np.mean(P.argmax(1) == LABELS)),
        (metrics.BinaryAccuracy(), BITS, COLUMN, np.mean((COLUMN > 0.5) == BITS)),
        (metrics.BinaryAccuracy(threshold=0.2), BITS, COLUMN, np.mean((COLUMN > 0.2) == BITS)),
        (metrics.MeanSquaredError(), BITS, COLUMN, np.mean((COLUMN - BITS) ** 2)),
        (
            metrics.SparseCategoricalCrossentropy(),
            LABELS,
            P,
            -np.log(P)[np.arange(50), LABELS].mean(),
        ),
        (metrics.Accuracy(), BITS, BITS, 1.0),
    ],
    ids=lambda value: value.name if isinstance(value, metrics.Metric) else "",
)
def test_values(metric: metrics.Metric, y: Any, p: Any, expected: float) -> None:
    assert metric.result() == 0.0
    metric.update_state(y[:20], p[:20])
    assert metric(y[20:], p[20:]) == pytest.approx(expected, rel=1e-12)
    metric.reset_state()
    assert metric.result() == 0.0
    copy = metrics.deserialize(metrics.serialize(metric)) if metric.name != "accuracy" else metric
    assert copy.get_config() == metric.get_config()
    weights = RNG.uniform(size=50)
    metric.update_state(y, p, weights)
    values = metric.values(y, p).numpy().reshape(50)
    assert metric.result() == pytest.approx(np.average(values, weights=weights), rel=1e-12)


def test_threshold_is_strict() -> None:
    assert metrics.BinaryAccuracy()([[0.0]], [[0.5]]) == 1.0


def test_first_of_equal_outputs_counts() -> None:
    assert metrics.SparseCategoricalAccuracy()([0], [[0.5, 0.5]]) == 1.0


def test_names() -> None:
    assert metrics.get("mse").name == "mse"
    assert metrics.get("BinaryAccuracy").name == "BinaryAccuracy"
    assert metrics.get(metrics.BinaryAccuracy).name == "binary_accuracy"
    assert metrics.get(lambda y, p: p).name == "lambda"
    with pytest.raises(ArgumentError, match="binary_accuracy"):
        metrics.get("binary_acuracy")
    with pytest.raises(ArgumentError):
        metrics.get(1)


def test_bad_input() -> None:
    with pytest.raises(ArgumentError):
        metrics.CategoricalAccuracy()([0, 1], P[:2])
    with pytest.raises(ArgumentError, match="sample_weight"):
        metrics.MeanSquaredError().update_state([[1.0]], [[1.0]], [1.0, 2.0])
