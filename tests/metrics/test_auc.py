"""Areas under curves against scikit-learn, and against sums written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from fusegrad import metrics
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(8)
N, L = 400, 3
Y = RNG.integers(0, 2, (N, L))
P = np.clip(RNG.normal(0.35 + 0.25 * Y, 0.3), 0.0, 1.0)
STEPS = np.round(P * 16) / 16
BETWEEN = (np.arange(16) + 0.5) / 16  # separates all values of STEPS: the area is exact
WEIGHTS = RNG.uniform(size=N)
CURVES = ("ROC", "PR", "PRGAIN")
METHODS = ("interpolation", "minoring", "majoring")


def ratio(a: Any, b: Any, otherwise: float = 0.0) -> np.ndarray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(b == 0, otherwise, a / b)


def area(
    y: np.ndarray, p: np.ndarray, w: np.ndarray, cuts: np.ndarray, curve: str, method: str
) -> float:
    """The area, with a loop over thresholds, largest first."""
    rows = []
    for cut in np.sort(cuts)[::-1]:
        above = p > cut
        rows.append([w[(y == 1) & above].sum(), w[(y == 0) & above].sum(),
                     w[(y == 0) & ~above].sum(), w[(y == 1) & ~above].sum()])  # fmt: skip
    tp, fp, tn, fn = np.array(rows).T
    recall, positives = ratio(tp, tp + fn), w[y == 1].sum()
    if curve == "PR" and method == "interpolation":
        total = 0.0
        for i in range(len(tp) - 1):
            before, after = tp[i] + fp[i], tp[i + 1] + fp[i + 1]
            if after == before:
                continue
            slope = (tp[i + 1] - tp[i]) / (after - before)
            if before == 0:  # the precision of the first outputs, all the way down to none
                total += slope * (tp[i + 1] - tp[i])
                continue
            # the integral of precision over recall by Simpson's rule
            count = np.linspace(before, after, 4001)
            precision = (tp[i] + slope * (count - before)) / count
            weights = np.r_[1, np.tile([4, 2], 2000)[:-1], 1] / 12000
            total += slope * (after - before) * (weights @ precision)
        return total / positives
    if curve == "ROC":
        x, height = ratio(fp, fp + tn), recall
    elif curve == "PR":
        x, height = recall, ratio(tp, tp + fp)
    else:
        odds = positives / w[y == 0].sum()
        x = np.maximum(np.where(tp == 0, 0.0, 1 - odds * ratio(fn, tp)), 0.0)
        height = np.where(tp == 0, 1.0, 1 - odds * ratio(fp, tp))
    pick = {"interpolation": lambda a, b: (a + b) / 2, "minoring": min, "majoring": max}[method]
    return sum((x[i + 1] - x[i]) * pick(height[i], height[i + 1]) for i in range(len(x) - 1))


def test_exact_where_thresholds_separate_all_outputs() -> None:
    metric = metrics.AUC(thresholds=BETWEEN)
    for rows in (slice(0, 150), slice(150, None)):
        metric.update_state(Y[rows], STEPS[rows])
    assert metric.result() == pytest.approx(roc_auc_score(Y.ravel(), STEPS.ravel()), rel=1e-12)
    expected = roc_auc_score(Y.ravel(), STEPS.ravel(), sample_weight=np.repeat(WEIGHTS, L))
    assert metrics.AUC(thresholds=BETWEEN)(Y, STEPS, WEIGHTS) == pytest.approx(expected, rel=1e-12)


def test_the_exact_area_is_within_the_bounds() -> None:
    gaps = []
    for number in (21, 201, 2001):  # each has the thresholds of the one before
        low, middle, high = (
            metrics.AUC(number, summation_method=method)(Y, P)
            for method in ("minoring", "interpolation", "majoring")
        )
        assert low <= roc_auc_score(Y.ravel(), P.ravel()) <= high
        assert middle == pytest.approx((low + high) / 2, rel=1e-12)
        gaps.append(high - low)
    assert gaps[0] > gaps[1] > gaps[2] > 0


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("thresholds", [None, [0.7, 0.1, 0.4]], ids=["even", "own"])
def test_curves_and_methods(curve: str, method: str, weights: Any, thresholds: Any) -> None:
    metric = metrics.AUC(21, curve, method, thresholds=thresholds)
    between = np.arange(1, 20) / 20 if thresholds is None else np.array(thresholds)
    cuts = np.concatenate([[-1e-7], between, [1 + 1e-7]])
    w = np.ones(N) if weights is None else weights
    expected = area(Y.ravel(), P.ravel(), np.repeat(w, L), cuts, curve, method)
    assert metric(Y, P, weights) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("curve", CURVES)
@pytest.mark.parametrize("weights", [None, [1.0, 2.5, 0.5]])
def test_labels(curve: str, weights: Any) -> None:
    each = [metrics.AUC(curve=curve)(Y[:, j], P[:, j], WEIGHTS) for j in range(L)]
    metric = metrics.AUC(curve=curve, multi_label=True, num_labels=L, label_weights=weights)
    found = metric(Y, P, WEIGHTS)
    assert found == pytest.approx(np.average(each, weights=weights), rel=1e-12)


def test_label_weights_of_flat_data() -> None:
    weights = np.array([1.0, 2.5, 0.0])
    found = metrics.AUC(thresholds=BETWEEN, label_weights=weights)(Y, STEPS)
    expected = roc_auc_score(Y.ravel(), STEPS.ravel(), sample_weight=np.tile(weights, N))
    assert found == pytest.approx(expected, rel=1e-12)


def test_logits() -> None:
    logits = np.random.default_rng(1).normal(scale=3, size=(N, 1))
    y = Y[:, :1]
    p = 1 / (1 + np.exp(-logits))
    known = np.sort(p, axis=None)
    cuts = (known[1:] + known[:-1]) / 2  # separates all
    found = metrics.AUC(thresholds=cuts, from_logits=True)(y, logits)
    assert found == pytest.approx(roc_auc_score(y, logits), rel=1e-12)
    assert found == metrics.AUC(thresholds=cuts)(y, p)


def test_ends() -> None:
    assert metrics.AUC(num_thresholds=2)([0, 1], [0.1, 0.9]) == 0.5  # from corner to corner
    assert metrics.AUC()([0, 1], [0.0, 1.0]) == 1.0
    assert metrics.AUC()([1, 0], [0.0, 1.0]) == 0.0
    assert metrics.AUC()([1, 0], [1.0, 1.0]) == 0.5
    assert metrics.AUC()([1, 1], [0.3, 0.8]) == 0.0  # no rate without zeros, as in Keras
    assert metrics.AUC().result() == 0.0
    assert metrics.AUC(multi_label=True).result() == 0.0
    assert metrics.AUC(curve="PRGAIN").result() == 0.0


BAD: dict[str, tuple[Any, str, str]] = {
    "one threshold": (lambda: metrics.AUC(1), "num_thresholds", ">= 2"),
    "thresholds": (lambda: metrics.AUC(thresholds=[0.5, 1.1]), "thresholds", r"\[0, 1\]"),
    "curve": (lambda: metrics.AUC(curve="RoC"), "curve", "did you mean 'ROC'"),
    "method": (lambda: metrics.AUC(summation_method="minorin"), "summation_method", "minoring'"),
    "labels": (lambda: metrics.AUC(num_labels=3), "num_labels", "unless multi_label"),
    "negative": (lambda: metrics.AUC(label_weights=[1, -1]), "label_weights", ">= 0"),
    "too few": (lambda: metrics.AUC(label_weights=[1.0])(Y, P), "label_weights", "3 columns"),
    "from_logits": (lambda: metrics.AUC(from_logits="yes"), "from_logits", "True or False"),
    "above 1": (lambda: metrics.AUC()([0, 1], [0.5, 1.5]), "y_pred", "from_logits=True"),
    "NaN": (lambda: metrics.AUC()([0, 1], [0.5, np.nan]), "y_pred", "nan at index 1"),
    "targets": (lambda: metrics.AUC()([0, 3], [0.5, 0.5]), "y_true", "0 or 1"),
    "shapes": (lambda: metrics.AUC()([0, 1], [[0.5, 0.5]]), "y_true", "never broadcast"),
    "one axis": (lambda: metrics.AUC(multi_label=True)([0], [0.5]), "y_pred", r"\(n, labels\)"),
    "columns": (
        lambda: metrics.AUC(multi_label=True, num_labels=2)(Y, P), "y_pred", r"\(n, 2\)",
    ),
    "weights": (lambda: metrics.AUC()(Y, P, WEIGHTS[:3]), "sample_weight", "shape"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    call, argument, text = BAD[case]
    with pytest.raises(ArgumentError, match=text) as caught:
        call()
    assert caught.value.argument == argument
