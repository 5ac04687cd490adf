"""Counts at thresholds, precision and recall against scikit-learn and NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, precision_score, recall_score

from fusegrad import metrics
from fusegrad.errors import ArgumentError
from fusegrad.metrics import confusion

RNG = np.random.default_rng(6)
N, K = 300, 4
P = RNG.integers(0, 21, (N, K)) / 20.0  # some exactly at a threshold
Y = RNG.integers(0, 2, (N, K))
LABELS = RNG.integers(0, K, N)
WEIGHTS = RNG.uniform(size=N)
THRESHOLDS = [0.0, 0.3, 0.5, 0.95, 1.0]
COUNTS = ("TrueNegatives", "FalsePositives", "FalseNegatives", "TruePositives")


def in_two_parts(metric: metrics.Metric, y: Any, p: Any, weights: Any = None) -> Any:
    for rows in (slice(0, 100), slice(100, None)):
        metric.update_state(y[rows], p[rows], None if weights is None else weights[rows])
    return metric.result()


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("threshold", [None, *THRESHOLDS])
def test_counts(threshold: float | None, weights: Any) -> None:
    cut = 0.5 if threshold is None else threshold
    spread = None if weights is None else np.repeat(weights, K)
    expected = confusion_matrix(
        Y.ravel(), (cut < P).ravel(), labels=[0, 1], sample_weight=spread
    ).ravel()
    for name, value in zip(COUNTS, expected, strict=True):
        found = in_two_parts(getattr(metrics, name)(threshold), Y, P, weights)
        assert isinstance(found, float)
        assert found == (pytest.approx(value, rel=1e-12) if weights is not None else value)


@pytest.mark.parametrize(
    ("name", "score"), [("Precision", precision_score), ("Recall", recall_score)]
)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
def test_precision_and_recall(name: str, score: Any, weights: Any) -> None:
    cls = getattr(metrics, name)

    def expected(columns: Any, cut: float) -> float:
        y, p = Y[:, columns].ravel(), (P[:, columns] > cut).ravel()
        spread = None if weights is None else np.repeat(weights, y.size // N)
        return float(score(y, p, sample_weight=spread, zero_division=0.0))

    every = slice(None)
    assert in_two_parts(cls(), Y, P, weights) == pytest.approx(expected(every, 0.5), rel=1e-12)
    several = in_two_parts(cls(thresholds=THRESHOLDS), Y, P, weights)
    np.testing.assert_allclose(several, [expected(every, t) for t in THRESHOLDS], rtol=1e-12)
    for j in range(K):
        found = in_two_parts(cls(thresholds=0.3, class_id=j), Y, P, weights)
        assert found == pytest.approx(expected([j], 0.3), rel=1e-12)


@pytest.mark.parametrize("k", [1, 2, 4])
@pytest.mark.parametrize("class_id", [None, 2])
@pytest.mark.parametrize("threshold", [None, 0.4])
def test_top_k(k: int, class_id: int | None, threshold: float | None) -> None:
    order = np.argsort(-P, axis=1, kind="stable")[:, :k]  # the first of equal outputs
    said = np.zeros((N, K), bool)
    np.put_along_axis(said, order, True, axis=1)
    if threshold is not None:
        said &= threshold < P
    y = np.eye(K)[LABELS]
    columns = slice(None) if class_id is None else [class_id]
    for cls, score in ((metrics.Precision, precision_score), (metrics.Recall, recall_score)):
        found = in_two_parts(cls(threshold, top_k=k, class_id=class_id), y, P)
        expected = score(y[:, columns].ravel(), said[:, columns].ravel(), zero_division=0.0)
        assert found == pytest.approx(expected, rel=1e-12)


def test_nothing_yet_and_nothing_found() -> None:
    for cls in (metrics.Precision, metrics.Recall, metrics.TruePositives, metrics.TrueNegatives):
        assert cls().result() == 0.0
        several = cls(thresholds=[0.1, 0.2, 0.3])
        np.testing.assert_array_equal(several.result(), np.zeros(3))
        several.update_state([1.0], [0.15])
        assert several.result().shape == (3,)
        several.reset_state()
        np.testing.assert_array_equal(several.result(), np.zeros(3))
    assert metrics.Precision()([1, 1], [0.1, 0.2]) == 0.0
    assert metrics.Recall()([0, 0], [0.9, 0.8]) == 0.0


def test_one_threshold_in_a_list_gives_a_number() -> None:
    assert metrics.Precision(thresholds=[0.5])([1], [0.6]) == 1.0
    assert metrics.Precision(thresholds=[0.5]).get_config()["thresholds"] == [0.5]
    assert metrics.Precision(thresholds=0.5).get_config()["thresholds"] == 0.5
    assert metrics.Precision(thresholds=np.array([0.25, 0.5])).thresholds == [0.25, 0.5]


def test_thresholds_are_compared_in_the_dtype_of_the_outputs() -> None:
    output = np.array([0.1], np.float32)  # above 0.1 in float64
    assert metrics.TruePositives(thresholds=0.1)([1], output) == 0.0


def test_vectors_and_columns_mean_the_same() -> None:
    y, p = Y[:, 0], P[:, 0]
    expected = metrics.Precision()(y, p)
    assert metrics.Precision()(y, p[:, None]) == expected
    assert metrics.Precision()(y[:, None], p) == expected


def test_weights_by_row_and_by_element() -> None:
    by_row = metrics.Recall()(Y, P, WEIGHTS)
    assert metrics.Recall()(Y, P, WEIGHTS[:, None]) == by_row
    assert metrics.Recall()(Y, P, np.repeat(WEIGHTS[:, None], K, axis=1)) == by_row
    one = metrics.Recall(class_id=1)(Y, P, WEIGHTS)
    assert metrics.Recall()(Y[:, 1], P[:, 1], WEIGHTS) == one


def test_weights_below_a_threshold_are_never_negative() -> None:
    weights = np.random.default_rng(1).uniform(size=N)
    metric = metrics.FalseNegatives(thresholds=0.0)
    ones, high = np.ones((N, 1)), np.full((N, 1), 0.9)
    for rows in (slice(0, 77), slice(77, None)):
        metric.update_state(ones[rows], high[rows], weights[rows])
    assert metric.result() == 0.0


def test_many_rows_are_counted_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = [metrics.Recall(THRESHOLDS)(Y, P, WEIGHTS), metrics.AUC()(Y, P, WEIGHTS)]
    monkeypatch.setattr(confusion, "_TABLE", 64)
    parts = [metrics.Recall(THRESHOLDS)(Y, P, WEIGHTS), metrics.AUC()(Y, P, WEIGHTS)]
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-12)
    assert parts[1] == pytest.approx(whole[1], rel=1e-12)


BAD: dict[str, tuple[Any, str, str]] = {
    "threshold above 1": (lambda: metrics.Precision(thresholds=1.5), "thresholds", r"\[0, 1\]"),
    "threshold below 0": (lambda: metrics.Recall([0.5, -0.1]), "thresholds", r"got -0.1"),
    "threshold NaN": (lambda: metrics.TruePositives(float("nan")), "thresholds", "nan"),
    "no thresholds": (lambda: metrics.FalsePositives([]), "thresholds", "list of such"),
    "text": (lambda: metrics.Precision("0.5"), "thresholds", "list of such"),
    "nested": (lambda: metrics.Precision([[0.5]]), "thresholds", "list of such"),
    "top_k 0": (lambda: metrics.Precision(top_k=0), "top_k", "an integer >= 1"),
    "top_k of too few": (lambda: metrics.Precision(top_k=5)(Y, P), "top_k", "5 with outputs"),
    "top_k of vectors": (lambda: metrics.Recall(top_k=1)([1], [0.5]), "top_k", r"shape \(1,\)"),
    "class_id -1": (lambda: metrics.Recall(class_id=-1), "class_id", "an integer >= 0"),
    "class_id": (lambda: metrics.Recall(class_id=4)(Y, P), "class_id", "4 with outputs"),
    "class_id of vectors": (lambda: metrics.Recall(class_id=0)([1], [0.5]), "class_id", "shape"),
    "labels": (lambda: metrics.Precision()([0, 2], [0.1, 0.2]), "y_true", "2.* at index 1"),
    "soft": (lambda: metrics.Recall()([[0.0, 0.5]], [[0.1, 0.2]]), "y_true", r"index \(0, 1\)"),
    "shapes": (lambda: metrics.Precision()(Y[:, 0], P), "y_true", "never broadcast"),
    "weights": (lambda: metrics.Precision()(Y, P, WEIGHTS[:5]), "sample_weight", "shape"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    call, argument, text = BAD[case]
    with pytest.raises(ArgumentError, match=text) as caught:
        call()
    assert caught.value.argument == argument
