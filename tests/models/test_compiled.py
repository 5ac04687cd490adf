"""What `compile` makes of metrics: which accuracy, logits or probabilities, and their results."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses, metrics, ops
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(31)
ROWS, FEATURES, CLASSES = 60, 5, 4
X = RNG.normal(size=(ROWS, FEATURES)).astype(np.float32)
LABELS = np.argmax(X[:, :CLASSES], axis=1)
HOT = np.eye(CLASSES)[LABELS]
BITS = (X[:, :1] > 0).astype(float)
SEVERAL = (X[:, :CLASSES] > 0.3).astype(float)
WEIGHTS = RNG.uniform(size=ROWS)


def network(units: int, head: str = "linear") -> fg.Sequential:
    fg.utils.set_random_seed(4)
    return fg.Sequential([layers.Dense(7, activation="tanh"), layers.Dense(units, head)])


# ---- results: what a step adds up is what the metric gives for the model's outputs

KINDS: dict[str, tuple[int, str, str, Any]] = {
    "binary": (1, "sigmoid", "binary_crossentropy", BITS),
    "multi-label": (CLASSES, "sigmoid", "binary_crossentropy", SEVERAL),
    "one-hot": (CLASSES, "softmax", "categorical_crossentropy", HOT),
    "labels": (CLASSES, "softmax", "sparse_categorical_crossentropy", LABELS),
    "values": (1, "linear", "mae", BITS),
}
RESULTS: list[tuple[str, Callable[[], metrics.Metric]]] = [
    ("binary", metrics.BinaryAccuracy),
    ("binary", metrics.Precision),
    ("binary", lambda: metrics.Recall(thresholds=[0.3, 0.5, 0.7])),
    ("binary", lambda: metrics.TruePositives(thresholds=[0.2, 0.8])),
    ("binary", metrics.FalsePositives),
    ("binary", metrics.TrueNegatives),
    ("binary", metrics.FalseNegatives),
    ("binary", metrics.AUC),
    ("binary", lambda: metrics.AUC(curve="PR")),
    ("binary", lambda: metrics.AUC(curve="PRGAIN", num_thresholds=50)),
    ("multi-label", lambda: metrics.Precision(class_id=2)),
    ("multi-label", lambda: metrics.AUC(multi_label=True)),
    ("one-hot", lambda: metrics.Precision(top_k=2)),
    ("one-hot", lambda: metrics.Recall(top_k=1, class_id=1)),
    ("one-hot", lambda: metrics.TopKCategoricalAccuracy(k=2)),
    ("one-hot", lambda: metrics.AUC(summation_method="minoring")),
    ("one-hot", metrics.CategoricalAccuracy),
    ("labels", lambda: metrics.SparseTopKCategoricalAccuracy(k=3)),
    ("labels", metrics.SparseCategoricalCrossentropy),
    ("values", metrics.RootMeanSquaredError),
    ("values", metrics.MeanAbsoluteError),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize(("kind", "make"), RESULTS)
def test_results(
    kind: str, make: Callable[[], metrics.Metric], eagerly: bool, weighted: bool
) -> None:
    units, head, loss, y = KINDS[kind]
    model = network(units, head)
    model.compile("adam", loss, weighted_metrics=[make()], run_eagerly=eagerly)
    model.fit(X, y, epochs=3, verbose=0)
    weights = WEIGHTS if weighted else None
    found = model.evaluate(X, y, batch_size=7, sample_weight=weights, verbose=0)[1]
    expected = make()(y, model.predict(X, verbose=0), weights)
    assert type(found) is type(expected)
    # Cross-entropies come from the logits.
    np.testing.assert_allclose(found, expected, rtol=1e-6 if kind == "labels" else 1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_eager_and_compiled(kind: str) -> None:
    units, head, loss, y = KINDS[kind]
    histories = []
    for eagerly in (False, True):
        model = network(units, head)
        chosen = [make() for own, make in RESULTS if own == kind]
        model.compile("adam", loss, metrics=chosen, run_eagerly=eagerly)
        given = {"batch_size": 9, "epochs": 2, "verbose": 0, "validation_split": 0.3}
        histories.append(model.fit(X, y, **given).history)
    assert histories[0].keys() == histories[1].keys()
    for name, values in histories[0].items():
        np.testing.assert_array_equal(values, histories[1][name])


def test_a_metric_of_several_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    model = network(1, "sigmoid")
    model.compile("adam", "bce", metrics=[metrics.Recall(thresholds=[0.0, 1.0])])
    history = model.fit(X, BITS, epochs=2, verbose=2).history
    assert "recall: [1.0000, 0.0000]" in capsys.readouterr().out
    assert [values.tolist() for values in history["recall"]] == [[1.0, 0.0]] * 2
    assert model.evaluate(X, BITS, verbose=0)[1].tolist() == [1.0, 0.0]
    assert model.train_on_batch(X, BITS, return_dict=True)["recall"].tolist() == [1.0, 0.0]


def test_strings_and_names() -> None:
    model = network(1, "sigmoid")
    model.compile(
        "adam",
        "bce",
        metrics=["acc", "AUC", "auc", "Precision", "mae", "MSE", metrics.AUC(), metrics.AUC],
        weighted_metrics=["mae", metrics.Recall()],
    )
    expected = ["loss", "acc", "AUC", "auc", "Precision", "mae", "MSE", "auc_1", "auc_2",
                "weighted_mae", "recall"]  # fmt: skip
    assert model.metrics_names == expected
    assert list(model.fit(X, BITS, verbose=0).history) == sorted(expected)


# ---- accuracy


def test_accuracy_of_several_labels_counts_each_decision() -> None:
    model = network(CLASSES, "sigmoid")
    model.compile("adam", "bce", metrics=["accuracy"])
    model.fit(X, SEVERAL, epochs=3, verbose=0)
    right = (model.predict(X, verbose=0) > 0.5) == SEVERAL
    found = model.evaluate(X, SEVERAL, verbose=0)[1]
    assert found == pytest.approx(right.mean(), rel=1e-12)
    assert found == pytest.approx(right.mean(axis=0).mean(), rel=1e-12)  # of each label


def test_accuracy_of_logits() -> None:
    for units, y in ((1, BITS), (CLASSES, SEVERAL)):
        model = network(units)
        model.compile("sgd", losses.BinaryCrossentropy(from_logits=True), metrics=["Accuracy"])
        right = (model.predict(X, verbose=0) > 0.0) == y
        assert model.evaluate(X, y, verbose=0)[1] == pytest.approx(right.mean(), rel=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "acc"])
@pytest.mark.parametrize("loss", ["mse", "mae", "huber", losses.mean_squared_error])
@pytest.mark.parametrize("argument", ["metrics", "weighted_metrics"])
def test_accuracy_of_a_regression_is_refused(loss: Any, name: str, argument: str) -> None:
    model = network(1)
    with pytest.raises(ArgumentError, match=f"'{name}' with .*") as caught:
        model.compile("sgd", loss, **{argument: [name]})
    assert caught.value.argument == "metrics"
    assert model.compiled is None


def test_accuracy_of_a_regression_whose_head_is_unknown() -> None:
    class Half(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 0.5

    model = fg.Sequential([layers.Dense(1), Half()])
    model.compile("sgd", "mae", metrics=["accuracy"])
    with pytest.raises(ArgumentError, match="'accuracy' with MeanAbsoluteError"):
        model.fit(X, BITS, verbose=0)
    assert not model.built


def test_accuracy_of_a_regression_loss_on_probabilities() -> None:
    for units, head, y in ((1, "sigmoid", BITS), (CLASSES, "softmax", HOT)):
        model = network(units, head)
        model.compile("sgd", "mse", metrics=["accuracy"])
        p = model.predict(X, verbose=0)
        right = (p > 0.5) == y if units == 1 else p.argmax(1) == y.argmax(1)
        assert model.evaluate(X, y, verbose=0)[1] == pytest.approx(right.mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("units", "head", "y", "right"),
    [
        (1, "linear", BITS, lambda p: (p > 0.5) == BITS),
        (1, "sigmoid", BITS[:, 0], lambda p: (p > 0.5) == BITS),
        (CLASSES, "linear", HOT, lambda p: p.argmax(1) == LABELS),
        (CLASSES, "linear", LABELS, lambda p: p.argmax(1) == LABELS),
        (CLASSES, "softmax", LABELS[:, None], lambda p: p.argmax(1) == LABELS),
        (CLASSES, "sigmoid", SEVERAL, lambda p: (p > 0.5) == SEVERAL),
    ],
)
def test_accuracy_with_a_loss_of_ones_own(units: int, head: str, y: Any, right: Any) -> None:
    """The last activation tells, then the shapes, as in Keras."""

    def loss(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_pred), axis=-1)

    model = network(units, head)
    model.compile("sgd", loss, metrics=["accuracy"])
    expected = right(model.predict(X, verbose=0)).mean()
    assert model.evaluate(X, y, verbose=0)[1] == pytest.approx(expected, rel=1e-12)


# ---- logits and probabilities

ON_LOGITS: dict[str, tuple[Callable[[], Any], str]] = {
    "precision": (metrics.Precision, r"metrics.Precision\(thresholds=0\)"),
    "recall": (lambda: "recall", r"metrics.Recall\(thresholds=0\)"),
    "counts": (metrics.FalseNegatives, r"metrics.FalseNegatives\(thresholds=0\)"),
    "auc": (lambda: "AUC", r"metrics.AUC\(from_logits=True\)"),
    "accuracy": (metrics.BinaryAccuracy, r"\['accuracy'\], or metrics.BinaryAccuracy\(thres"),
    "function": (lambda: metrics.binary_accuracy, "threshold=0.0"),
    "crossentropy": (lambda: "bce", r"metrics.BinaryCrossentropy\(from_logits=True\)"),
}  # fmt: skip


@pytest.mark.parametrize("case", ON_LOGITS)
def test_metrics_of_probabilities_on_logits(case: str) -> None:
    make, advice = ON_LOGITS[case]
    model = network(1)
    with pytest.warns(UserWarning, match=f"are logits: write .*{advice}") as caught:
        model.compile("adam", losses.BinaryCrossentropy(from_logits=True), metrics=[make()])
    assert len(caught) == 1
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("make", "advice"),
    [
        (lambda: metrics.Precision(thresholds=0), r"metrics.Precision\(\)"),
        (lambda: metrics.AUC(from_logits=True), r"metrics.AUC\(\)"),
        (lambda: metrics.BinaryAccuracy(threshold=0), r"metrics.BinaryAccuracy\(\)"),
    ],
)
def test_metrics_of_logits_on_probabilities(make: Any, advice: str) -> None:
    model = network(1, "sigmoid")
    with pytest.warns(UserWarning, match=f"are probabilities: write {advice}"):
        model.compile("adam", "bce", metrics=[make()])


def test_metrics_that_fit_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        network(1).compile(
            "adam",
            losses.BinaryCrossentropy(from_logits=True),
            metrics=[metrics.Precision(0), metrics.AUC(from_logits=True), "accuracy", "mse",
                     metrics.BinaryAccuracy(threshold=1.5)],
        )  # fmt: skip
        network(CLASSES).compile(
            "adam",
            losses.CategoricalCrossentropy(from_logits=True),
            metrics=[metrics.Precision(top_k=1), "top_k_categorical_accuracy"],
        )
        network(1, "sigmoid").compile(
            "adam", "bce", metrics=[metrics.Recall([0.0, 0.5]), "auc", metrics.BinaryAccuracy()]
        )


def test_metrics_of_logits_agree_with_those_of_probabilities() -> None:
    logits, sigmoid = network(1), network(1, "sigmoid")
    logits.compile(
        "adam",
        losses.BinaryCrossentropy(from_logits=True),
        metrics=[metrics.Precision(0), metrics.Recall(0), metrics.AUC(from_logits=True)],
    )
    sigmoid.compile("adam", "bce", metrics=[metrics.Precision(), metrics.Recall(), metrics.AUC()])
    histories = [model.fit(X, BITS, epochs=3, verbose=0).history for model in (logits, sigmoid)]
    assert histories[0] == histories[1]


# ---- errors


@pytest.mark.parametrize("name", ["crossentropy", "ce"])
@pytest.mark.parametrize("argument", ["loss", "metrics"])
def test_crossentropy_needs_a_kind(argument: str, name: str) -> None:
    model = network(1, "sigmoid")
    settings: dict[str, Any] = {"loss": "bce", argument: [name] if argument == "metrics" else name}
    with pytest.raises(ArgumentError, match="'sparse_categorical_crossentropy'") as caught:
        model.compile("adam", **settings)
    assert caught.value.argument == argument
    assert str(caught.value).startswith("compile()")


@pytest.mark.parametrize("metric", ["mean", "Sum", metrics.Mean()])
def test_means_of_values_are_no_metrics_of_a_model(metric: Any) -> None:
    with pytest.raises(ArgumentError, match="one of given values"):
        network(1).compile("adam", "mse", metrics=[metric])


BAD: dict[str, tuple[int, str, Any, Any, str, str]] = {
    "soft targets": (1, "bce", metrics.Precision(), BITS * 0.5, "y", "0 or 1 .* Precision"),
    "values": (1, "mse", "auc", BITS * 3, "y", "0 or 1 .* AUC"),
    "labels": (CLASSES, "sparse_categorical_crossentropy", "recall", LABELS, "y", "0 or 1"),
    "label out of range": (
        CLASSES, lambda y, p: ops.mean(p, axis=-1), "sparse_categorical_accuracy", LABELS + 1, "y",
        r"\[0, 4\), got 4",
    ),
    "class_id": (1, "bce", metrics.Recall(class_id=1), BITS, "class_id", r"1 with outputs"),
    "top_k": (CLASSES, "bce", metrics.Recall(top_k=5), SEVERAL, "top_k", r"5 with outputs"),
    "labels of an AUC": (
        CLASSES, "bce", metrics.AUC(multi_label=True, num_labels=2), SEVERAL, "y_pred", r"\(n, 2\)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("entry", ["fit", "evaluate", "train_on_batch"])
@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str, entry: str) -> None:
    units, loss, metric, y, argument, text = BAD[case]
    heads = {"bce": "sigmoid", "sparse_categorical_crossentropy": "softmax"}
    model = network(units, heads.get(loss, "linear") if isinstance(loss, str) else "linear")
    model.compile("adam", loss, metrics=[metric])
    with pytest.raises(ArgumentError, match=text) as caught:
        getattr(model, entry)(X, y)
    assert caught.value.argument == argument
    assert not model.built
    assert not model.optimizer.built


def test_bad_validation_targets() -> None:
    model = network(1, "sigmoid")
    model.compile("adam", "bce", metrics=["auc"])
    with pytest.raises(ArgumentError, match="0 or 1") as caught:
        model.fit(X, BITS, validation_data=(X, BITS * 0.5), verbose=0)
    assert caught.value.argument == "validation_data[1]"
