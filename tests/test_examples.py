"""The examples run, and show what they say."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import mpmath
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

FOLDER = Path(__file__).resolve().parents[1] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested() -> None:
    text = Path(__file__).read_text()
    for path in FOLDER.glob("*.py"):
        assert f'load("{path.stem}")' in text, path.name


def test_digits() -> None:
    assert load("digits").main() > 0.9


def test_gradients() -> None:
    assert load("gradients").main(steps=5_000) < 0.1


def test_newton_finds_the_weights_of_scikit_learn() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    peer = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10).fit(x, y)
    weights = load("newton").main(penalty=1 / len(x))
    np.testing.assert_allclose(weights[:-1], peer.coef_[0], rtol=1e-6)
    assert weights[-1] == pytest.approx(peer.intercept_[0], rel=1e-6)


def test_training_loop() -> None:
    assert load("training_loop").main() > 0.95


def test_example_gradients() -> None:
    module = load("example_gradients")
    assert module.main() > 0.7
    rng = np.random.default_rng(0)
    x, w, b = rng.normal(size=(20, 6)), rng.normal(size=(6, 4)), rng.normal(size=4)
    labels = rng.integers(0, 4, 20)
    e = np.exp(x @ w + b)
    error = e / e.sum(axis=1, keepdims=True) - np.eye(4)[labels]
    # The gradient is the outer product of (x, 1) and the error.
    expected = np.linalg.norm(error, axis=1) * np.sqrt(1 + np.sum(x**2, axis=1))
    np.testing.assert_allclose(module.lengths({"w": w, "b": b}, x, labels), expected, rtol=1e-12)


def test_linear_regression_comes_within_2_percent_of_least_squares() -> None:
    ours, exact = load("linear_regression").main()
    assert exact <= ours * (1 + 1e-6)
    assert ours <= 1.02 * exact


def test_nonnegative_regression() -> None:
    results = load("nonnegative_regression").main()
    assert results["linear"][1] < 0.0 <= results["relu"][1]
    assert results["relu"][0] < 0.2 * results["linear"][0]


def test_logistic_regression_reaches_95_percent() -> None:
    accuracies = load("logistic_regression").main()
    assert len(accuracies) == 4
    assert min(accuracies.values()) >= 0.95


def test_why_activations() -> None:
    shown = load("why_activations").main()
    assert shown["apart"] < 1e-5
    assert shown["three linear layers"] > 0.99 * shown["best straight line"]
    assert shown["three layers with relu"] < 0.01 * shown["best straight line"]


def test_softmax_regression() -> None:
    assert load("softmax_regression").main() > 0.92


def test_multiclass() -> None:
    same, rows = load("multiclass").main(epochs=5)
    assert same
    for row, s in zip(rows, (1, 10, 100, 1000), strict=True):
        exact = mpmath.log(mpmath.exp(s) + mpmath.exp(s / 2) + 1) - s / 2
        assert row["naive"] == row["improved"] == pytest.approx(float(exact), rel=1e-6)
    assert not abs(rows[-1]["textbook NumPy"]) < 1e30  # infinite, or not a number


def test_multilabel_reaches_93_percent_per_label() -> None:
    assert min(load("multilabel").main()) >= 0.93


@pytest.mark.slow
def test_fashion_mnist(capsys: Any) -> None:
    try:
        accuracy = load("fashion_mnist").main(epochs=2)
    except FileNotFoundError as absent:
        pytest.skip(str(absent))
    assert accuracy > 0.8
    assert "ankle boot" in capsys.readouterr().out
