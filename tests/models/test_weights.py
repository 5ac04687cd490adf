"""Sample and class weights against float64 NumPy; single batches; losses and metrics of one's own.

The reference shares with the library only the initial weights and the order of the batches; its
gradients are written out by hand for two dense layers.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

import fusegrad as fg
from fusegrad import _core, layers, losses, metrics, ops, optimizers
from fusegrad.errors import ArgumentError

ROWS, FEATURES, CLASSES, BATCH, EPOCHS, RATE = 75, 5, 3, 16, 3, 0.05  # the last batch has 11 rows
LIMIT = 1e-12  # relative, in float64

RNG = np.random.default_rng(12)
X = RNG.normal(size=(ROWS, FEATURES))
LABELS = np.argmax(X[:, :CLASSES] + 0.3 * RNG.normal(size=(ROWS, CLASSES)), axis=1)
SAMPLE = RNG.uniform(0.2, 3.0, ROWS)
BY_CLASS = {0: 0.5, 1: 2.0, 2: 1.25}

Arrays = list[np.ndarray]


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    fg.config.set_floatx("float64")
    fg.utils.set_random_seed(3)
    yield
    fg.config.set_floatx("float32")


# ---- per-sample losses of outputs before the last activation, and their gradients


def categorical(z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    return -(t * np.log(p)).sum(axis=1), p - t


def binary(z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    value = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return value.mean(axis=1), (1 / (1 + np.exp(-z)) - t) / z.shape[1]


def squared(z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return ((z - t) ** 2).mean(axis=1), 2 * (z - t) / z.shape[1]


def absolute(z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.abs(z - t).mean(axis=1), np.sign(z - t) / z.shape[1]


def huber(z: np.ndarray, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    d = z - t
    near = np.abs(d) <= 0.7
    value = np.where(near, d**2 / 2, 0.7 * np.abs(d) - 0.7**2 / 2)
    return value.mean(axis=1), np.where(near, d, 0.7 * np.sign(d)) / z.shape[1]


ONE_HOT = np.eye(CLASSES)[LABELS]
BITS = (LABELS > 0).astype(float)[:, None]
SEVERAL = (X[:, :CLASSES] > 0.2).astype(float)
VALUES = np.tanh(X[:, :2])

# name: units, last activation, loss, targets, the reference's targets, its loss
CASES: dict[str, tuple[int, str, Callable[..., losses.Loss], Any, np.ndarray, Any]] = {
    "sparse": (3, "softmax", losses.SparseCategoricalCrossentropy, LABELS, ONE_HOT, categorical),
    "categorical": (3, "softmax", losses.CategoricalCrossentropy, ONE_HOT, ONE_HOT, categorical),
    "binary": (1, "sigmoid", losses.BinaryCrossentropy, BITS, BITS, binary),
    "multi-label": (3, "sigmoid", losses.BinaryCrossentropy, SEVERAL, SEVERAL, binary),
    "mse": (2, "linear", losses.MeanSquaredError, VALUES, VALUES, squared),
    "mae": (2, "linear", losses.MeanAbsoluteError, VALUES, VALUES, absolute),
    "huber": (2, "linear", lambda **o: losses.Huber(0.7, **o), VALUES, VALUES, huber),
}
WITH_CLASSES = ("sparse", "categorical", "binary")


def network(units: int, head: str = "linear", **options: Any) -> fg.Sequential:
    return fg.Sequential(
        [
            fg.Input((FEATURES,)),
            layers.Dense(6, activation="tanh", **options),
            layers.Dense(units, activation=head, **options),
        ]
    )


def divisor(weights: np.ndarray, reduction: str) -> float:
    whole = {"sum": 1.0, "mean_with_sample_weight": weights.sum()}
    return float(whole.get(reduction, len(weights)))


def forward(w: Arrays, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    hidden = np.tanh(x @ w[0] + w[1])
    return hidden, hidden @ w[2] + w[3]


def descend(w: Arrays, x: np.ndarray, hidden: np.ndarray, dz: np.ndarray) -> None:
    """One step of SGD in place, for the gradient of the outputs before the last activation."""
    dh = (dz @ w[2].T) * (1 - hidden**2)
    for i, gradient in enumerate((x.T @ dh, dh.sum(axis=0), hidden.T @ dz, dz.sum(axis=0))):
        w[i] -= RATE * gradient


def reference(
    w: Arrays, t: np.ndarray, weights: np.ndarray, loss: Any, reduction: str, seed: int | None
) -> list[float]:
    """Train in place with SGD; return the loss that each epoch reports."""
    history = []
    for epoch in range(EPOCHS):
        order = np.arange(ROWS)
        if seed is not None:
            order = np.asarray(_core.permutation(ROWS, seed, epoch).numpy())
        total = count = 0.0
        for start in range(0, ROWS, BATCH):
            rows = order[start : start + BATCH]
            hidden, z = forward(w, X[rows])
            values, dz = loss(z, t[rows])
            own = weights[rows]
            by = divisor(own, reduction)
            share = own.sum() if reduction == "mean_with_sample_weight" else len(rows)
            total += (values * own).sum() / by * share
            count += share
            descend(w, X[rows], hidden, dz * own[:, None] / by)
        history.append(total / count)
    return history


def measured(w: Arrays, x: np.ndarray, t: np.ndarray, weights: np.ndarray, loss: Any) -> float:
    return float((loss(forward(w, x)[1], t)[0] * weights).mean())


def close(found: Any, expected: Any, limit: float = LIMIT) -> None:
    a, b = np.asarray(found), np.asarray(expected)
    assert a.shape == b.shape
    assert np.linalg.norm(a - b) <= limit * np.linalg.norm(b)


def row_weights(sample: bool, by_class: bool) -> np.ndarray:
    result = SAMPLE.copy() if sample else np.ones(ROWS)
    if by_class:
        result *= np.array([BY_CLASS[label] for label in range(CLASSES)])[LABELS]
    return result


def same_bits(a: fg.Sequential, b: fg.Sequential) -> bool:
    return all(
        np.array_equal(left, right)
        for left, right in zip(a.get_weights(), b.get_weights(), strict=True)
    )


def twins(units: int, head: str = "linear", **settings: Any) -> Iterator[fg.Sequential]:
    """Models with the same initial weights and shuffles, compiled as given."""
    while True:
        fg.utils.set_random_seed(21)
        model = network(units, head)
        model.compile(**settings)
        yield model


# ---- training and measuring against the reference


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("case", CASES)
def test_sample_weights(case: str, reduction: str) -> None:
    units, head, make, y, t, loss = CASES[case]
    model = network(units, head)
    model.compile(optimizers.SGD(RATE), make(reduction=reduction))
    w = model.get_weights()
    history = model.fit(
        X, y, batch_size=BATCH, epochs=EPOCHS, sample_weight=SAMPLE, verbose=0
    ).history
    close(history["loss"], reference(w, t, SAMPLE, loss, reduction, model.seed))
    for found, expected in zip(model.get_weights(), w, strict=True):
        close(found, expected)


@pytest.mark.parametrize("sample", [False, True])
@pytest.mark.parametrize("case", WITH_CLASSES)
def test_class_weights(case: str, sample: bool) -> None:
    """Both together multiply; two classes of 0/1 targets, in a column."""
    units, head, make, y, t, loss = CASES[case]
    by_class = {0: 0.5, 1: 2.0} if case == "binary" else BY_CLASS
    labels = (LABELS > 0).astype(int) if case == "binary" else LABELS
    weights = np.array([by_class[label] for label in labels]) * (SAMPLE if sample else 1.0)
    model = network(units, head)
    model.compile(optimizers.SGD(RATE), make())
    w = model.get_weights()
    history = model.fit(
        X, y, batch_size=BATCH, epochs=EPOCHS, class_weight=by_class, shuffle=False,
        sample_weight=SAMPLE if sample else None, verbose=0,
    ).history  # fmt: skip
    close(history["loss"], reference(w, t, weights, loss, "sum_over_batch_size", None))
    for found, expected in zip(model.get_weights(), w, strict=True):
        close(found, expected)


@pytest.mark.parametrize("case", CASES)
def test_evaluate(case: str) -> None:
    units, head, make, y, t, loss = CASES[case]
    model = network(units, head)
    model.compile(optimizers.SGD(RATE), make())
    w = model.get_weights()
    expected = measured(w, X, t, SAMPLE, loss)
    for found in (
        model.evaluate(X, y, sample_weight=SAMPLE, batch_size=7, verbose=0),
        model.evaluate(X, y, sample_weight=SAMPLE[:, None], batch_size=ROWS, verbose=0),
        model.test_on_batch(X, y, sample_weight=SAMPLE.tolist()),
        model.train_on_batch(X, y, sample_weight=SAMPLE),  # before its step
    ):
        assert found == pytest.approx(expected, rel=LIMIT)
    assert model.test_on_batch(X, y) != pytest.approx(expected, rel=1e-6)


def test_train_on_batch_with_class_weights() -> None:
    units, head, make, y, t, loss = CASES["sparse"]
    model = network(units, head)
    model.compile(optimizers.SGD(RATE), make())
    w = model.get_weights()
    weights = row_weights(sample=True, by_class=True)
    for _ in range(3):
        hidden, z = forward(w, X)
        values, dz = loss(z, t)
        found = model.train_on_batch(X, y, SAMPLE, BY_CLASS)
        assert found == pytest.approx((values * weights).mean(), rel=LIMIT)
        descend(w, X, hidden, dz * weights[:, None] / ROWS)
    for found, expected in zip(model.get_weights(), w, strict=True):
        close(found, expected)


# ---- what weights mean


@pytest.mark.parametrize("case", CASES)
def test_a_weight_is_a_number_of_repetitions(case: str) -> None:
    """With mean_with_sample_weight: twice is weight 2, left out is weight 0."""
    units, head, make, y, _, _ = CASES[case]
    counts = RNG.integers(0, 4, ROWS)
    several = np.repeat(np.arange(ROWS), counts)
    make_model = twins(
        units, head, optimizer="adam", loss=make(reduction="mean_with_sample_weight"),
        weighted_metrics=["mse"] if case != "sparse" else ["accuracy"],
    )  # fmt: skip
    weighted, repeated = next(make_model), next(make_model)
    first = weighted.fit(X, y, ROWS, 20, 0, sample_weight=counts.astype(float), shuffle=False)
    second = repeated.fit(X[several], np.asarray(y)[several], several.size, 20, 0, shuffle=False)
    for name, values in second.history.items():
        close(first.history[name], values, 1e-11)
    for a, b in zip(weighted.get_weights(), repeated.get_weights(), strict=True):
        close(a, b, 1e-11)
    # What is reported does not depend on how rows fall into batches.
    found = weighted.evaluate(X, y, batch_size=10, sample_weight=counts.astype(float), verbose=0)
    close(found, weighted.evaluate(X[several], np.asarray(y)[several], batch_size=13, verbose=0))


def test_weights_of_one_change_nothing_but_rounding() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    make_model = twins(units, head, optimizer="adam", loss=make())
    plain, weighted = next(make_model), next(make_model)
    plain.fit(X, y, epochs=3, verbose=0)
    weighted.fit(X, y, epochs=3, sample_weight=np.ones(ROWS), verbose=0)
    for a, b in zip(plain.get_weights(), weighted.get_weights(), strict=True):
        close(a, b)


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight"])
def test_a_batch_of_weight_zero_teaches_nothing(reduction: str) -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    model = network(units, head)
    model.compile(optimizers.SGD(RATE), make(reduction=reduction))
    weights = np.ones(ROWS)
    weights[:BATCH] = 0.0
    before = model.get_weights()
    history = model.fit(X, y, BATCH, 1, 0, sample_weight=weights, shuffle=False).history
    assert np.isfinite(history["loss"]).all()
    assert all(np.isfinite(array).all() for array in model.get_weights())
    model.set_weights(before)
    model.fit(X[:BATCH], y[:BATCH], 4, 1, 0, sample_weight=np.r_[1.0, np.zeros(15)], shuffle=False)
    after = model.get_weights()
    model.set_weights(before)
    model.fit(X[:4], y[:4], 4, 1, 0, sample_weight=[1.0, 0.0, 0.0, 0.0], shuffle=False)
    assert all(np.array_equal(a, b) for a, b in zip(after, model.get_weights(), strict=True))


def test_balanced() -> None:
    units, head, make, _, _, _ = CASES["sparse"]
    rare = np.where((LABELS == 2) & (np.arange(ROWS) % 3 > 0), 0, LABELS)
    expected = compute_class_weight("balanced", classes=np.arange(CLASSES), y=rare)
    make_model = twins(units, head, optimizer="adam", loss=make())
    balanced, explicit = next(make_model), next(make_model)
    balanced.fit(X, rare, epochs=3, class_weight="balanced", verbose=0)
    explicit.fit(X, rare, epochs=3, class_weight=dict(enumerate(expected)), verbose=0)
    assert same_bits(balanced, explicit)


def test_balanced_is_of_the_rows_that_are_trained_on() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    make_model = twins(units, head, optimizer="adam", loss=make())
    split, parts = next(make_model), next(make_model)
    first = split.fit(X, y, epochs=2, class_weight="balanced", validation_split=0.4, verbose=0)
    at = int(ROWS * 0.6)
    table = compute_class_weight("balanced", classes=np.arange(CLASSES), y=y[:at])
    second = parts.fit(
        X[:at], y[:at], epochs=2, class_weight=dict(enumerate(table)),
        validation_data=(X[at:], y[at:]), verbose=0,
    )  # fmt: skip
    assert first.history == second.history
    assert same_bits(split, parts)


def test_targets_and_keys_of_several_kinds() -> None:
    make_model = twins(
        CLASSES, "softmax", optimizer="adam", loss=losses.SparseCategoricalCrossentropy()
    )
    expected = next(make_model)
    expected.fit(X, LABELS, epochs=2, class_weight=BY_CLASS, verbose=0)
    for targets, given in (
        (LABELS[:, None], BY_CLASS),
        (LABELS.astype(float), {str(key): value for key, value in BY_CLASS.items()}),
        (LABELS, {np.int64(key): np.float32(value) for key, value in BY_CLASS.items()}),
        (LABELS, {float(key): value for key, value in BY_CLASS.items()}),
    ):
        model = next(make_model)
        model.fit(X, targets, epochs=2, class_weight=given, verbose=0)
        assert same_bits(model, expected)
    hot = twins(CLASSES, "softmax", optimizer="adam", loss=losses.CategoricalCrossentropy())
    model, explicit = next(hot), next(hot)
    model.fit(X, ONE_HOT, epochs=2, class_weight=BY_CLASS, verbose=0)
    explicit.fit(X, ONE_HOT, epochs=2, sample_weight=row_weights(False, True), verbose=0)
    assert same_bits(model, explicit)


def test_a_class_without_a_weight_weighs_one() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    make_model = twins(units, head, optimizer="adam", loss=make())
    partial, full = next(make_model), next(make_model)
    with pytest.warns(UserWarning, match="no weight for class 0, 2: it weighs 1"):
        partial.fit(X, y, class_weight={1: 3.0}, verbose=0)
    full.fit(X, y, class_weight={0: 1, 1: 3, 2: 1}, verbose=0)
    assert same_bits(partial, full)


# ---- validation and metrics


def test_validation() -> None:
    """Sample weights are split with the rows; class weights are of training alone."""
    units, head, make, y, t, loss = CASES["sparse"]
    make_model = twins(units, head, loss=make(), weighted_metrics=["accuracy"])
    split, data, plain = next(make_model), next(make_model), next(make_model)
    for model in (split, data, plain):  # an optimizer belongs to one model
        model.compile(optimizers.SGD(RATE), make(), weighted_metrics=["accuracy"])
    at = int(ROWS * 0.8)
    options: dict[str, Any] = {"batch_size": BATCH, "verbose": 0, "class_weight": BY_CLASS}
    first = split.fit(X, y, sample_weight=SAMPLE, validation_split=0.2, **options).history
    second = data.fit(
        X[:at], y[:at], sample_weight=SAMPLE[:at], validation_data=(X[at:], y[at:], SAMPLE[at:]),
        **options,
    ).history  # fmt: skip
    assert first == second
    assert same_bits(split, data)
    w = split.get_weights()
    assert first["val_loss"][0] == pytest.approx(
        measured(w, X[at:], t[at:], SAMPLE[at:], loss), rel=LIMIT
    )
    right = forward(w, X[at:])[1].argmax(1) == y[at:]
    assert first["val_accuracy"][0] == pytest.approx(np.average(right, weights=SAMPLE[at:]))
    third = plain.fit(
        X[:at], y[:at], sample_weight=SAMPLE[:at], validation_data=(X[at:], y[at:]), **options
    ).history
    assert same_bits(split, plain)
    expected = measured(w, X[at:], t[at:], np.ones(ROWS - at), loss)
    assert third["val_loss"][0] == pytest.approx(expected, rel=LIMIT)
    assert third["val_accuracy"][0] == pytest.approx(right.mean())


def test_plain_and_weighted_metrics() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    model = network(units, head)
    model.compile("sgd", make(), metrics=["accuracy"], weighted_metrics=["accuracy", "sparse_top_k_"
                  "categorical_accuracy", metrics.SparseTopKCategoricalAccuracy(k=2)])  # fmt: skip
    assert model.metrics_names == [
        "loss",
        "accuracy",
        "weighted_accuracy",
        "sparse_top_k_categorical_accuracy",
        "weighted_sparse_top_k_categorical_accuracy",
    ]
    found = model.evaluate(X, y, sample_weight=SAMPLE, batch_size=9, verbose=0, return_dict=True)
    p = model.predict(X, verbose=0)
    right, among = p.argmax(1) == y, p.argmin(1) != y
    assert found["accuracy"] == pytest.approx(right.mean(), rel=LIMIT)
    assert found["weighted_accuracy"] == pytest.approx(np.average(right, weights=SAMPLE), rel=LIMIT)
    assert found["sparse_top_k_categorical_accuracy"] == 1.0
    assert found["weighted_sparse_top_k_categorical_accuracy"] == pytest.approx(
        np.average(among, weights=SAMPLE), rel=LIMIT
    )
    plain = model.evaluate(X, y, verbose=0, return_dict=True)
    assert plain["weighted_accuracy"] == plain["accuracy"]


def test_class_weights_reach_weighted_metrics_in_training() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    model = network(units, head)
    model.compile(optimizers.SGD(RATE), make(), weighted_metrics=["accuracy"])
    right = model.predict(X, verbose=0).argmax(1) == y
    weights = row_weights(sample=True, by_class=True)
    found = model.train_on_batch(X, y, SAMPLE, BY_CLASS, return_dict=True)
    assert found["accuracy"] == pytest.approx(np.average(right, weights=weights), rel=LIMIT)


# ---- the same bits


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
@pytest.mark.parametrize("case", CASES)
def test_eager_and_compiled(case: str, reduction: str) -> None:
    units, head, make, y, _, _ = CASES[case]
    runs = []
    for eagerly in (False, True):
        model = next(
            twins(
                units, head, optimizer="adam", loss=make(reduction=reduction),
                weighted_metrics=["mse"] if case != "sparse" else ["accuracy"],
                run_eagerly=eagerly,
            )
        )  # fmt: skip
        options = {"class_weight": "balanced"} if case in WITH_CLASSES else {}
        history = model.fit(
            X, y, BATCH, 2, 0, validation_split=0.2, sample_weight=SAMPLE, **options
        ).history
        runs.append((model, history, model.evaluate(X, y, sample_weight=SAMPLE, verbose=0)))
    assert same_bits(runs[0][0], runs[1][0])
    assert runs[0][1:] == runs[1][1:]


def test_single_batches_are_epochs_of_one_batch() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    make_model = twins(units, head, optimizer="adam", loss=make(), metrics=["accuracy"])
    epochs, batches = next(make_model), next(make_model)
    history = epochs.fit(X, y, ROWS, 3, 0, sample_weight=SAMPLE, shuffle=False).history
    for i in range(3):
        found = batches.train_on_batch(X, y, SAMPLE, return_dict=True)
        assert found == {name: values[i] for name, values in history.items()}
    assert same_bits(epochs, batches)
    assert batches.test_on_batch(X, y) == epochs.evaluate(X, y, batch_size=ROWS, verbose=0)
    expected = epochs.predict(X, batch_size=11, verbose=0)
    np.testing.assert_array_equal(batches.predict_on_batch(X), expected)


def test_single_batches_walk_through_an_epoch() -> None:
    units, head, make, y, _, _ = CASES["mse"]
    make_model = twins(units, head, optimizer="adam", loss=make())
    whole, walked = next(make_model), next(make_model)
    whole.fit(X, y, BATCH, 2, 0, shuffle=False)
    for _ in range(2):
        for first in range(0, ROWS, BATCH):
            walked.train_on_batch(X[first : first + BATCH], y[first : first + BATCH])
    assert same_bits(whole, walked)
    assert isinstance(walked.train_on_batch(X, y), float)


# ---- functions as losses and metrics


@pytest.mark.parametrize("weighted", [False, True])
def test_a_function_gives_the_bits_of_the_built_in_without_python(weighted: bool) -> None:
    calls = {"loss": 0, "metric": 0}

    def loss(y_true: Any, y_pred: Any) -> Any:
        calls["loss"] += 1
        return losses.mean_squared_error(y_true, y_pred)

    def mean_absolute_error(y_true: Any, y_pred: Any) -> Any:
        calls["metric"] += 1
        return ops.mean(ops.abs(y_pred - y_true), axis=-1)

    both = []
    for given, metric in (("mse", "mean_absolute_error"), (loss, mean_absolute_error)):
        model = next(twins(2, optimizer="adam", loss=given, weighted_metrics=[metric]))
        weights = SAMPLE if weighted else None
        both.append((model, model.fit(X, VALUES, 4, 3, 0, sample_weight=weights).history))
    assert same_bits(both[0][0], both[1][0])
    assert both[0][1] == both[1][1]
    traced = dict(calls)
    assert 0 < traced["loss"] <= 4  # 19 batches in each of 3 epochs
    assert 0 < traced["metric"] <= 4
    both[1][0].fit(X, VALUES, 4, 30, 0, sample_weight=SAMPLE if weighted else None)
    assert calls["loss"] <= traced["loss"] + 2  # the check of the data, no batch
    assert calls["metric"] == traced["metric"]


# ---- errors, before anything is written

BAD: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "wrong rows": ("sparse", {"sample_weight": SAMPLE[:5]}, "sample_weight", r"shape \(75,\)"),
    "two columns": ("sparse", {"sample_weight": np.ones((ROWS, 2))}, "sample_weight", "shape"),
    "NaN": ("sparse", {"sample_weight": np.full(ROWS, np.nan)}, "sample_weight", "NaN at row 0"),
    "zeros": ("sparse", {"sample_weight": np.zeros(ROWS)}, "sample_weight", "not all zero"),
    "text": ("sparse", {"sample_weight": "balanced"}, "sample_weight", "balanced"),
    "unknown class": ("sparse", {"class_weight": {3: 1.0}}, "class_weight", r"\[0, 3\).* 3"),
    "negative class": ("sparse", {"class_weight": {-1: 1.0}}, "class_weight", "class -1"),
    "named class": ("sparse", {"class_weight": {"cat": 1.0}}, "class_weight", "'cat'"),
    "a fraction": ("sparse", {"class_weight": {0.5: 1.0}}, "class_weight", "class 0.5"),
    "infinite": ("sparse", {"class_weight": {0: np.inf}}, "class_weight[0]", "finite"),
    "list": ("sparse", {"class_weight": [1.0, 2.0, 3.0]}, "class_weight", "a dict"),
    "misspelt": ("sparse", {"class_weight": "balance"}, "class_weight", "'balanced'"),
    "regression": ("mse", {"class_weight": {0: 1.0}}, "class_weight", "MeanSquaredError"),
    "mae": ("mae", {"class_weight": {0: 1.0}}, "class_weight", "MeanAbsoluteError"),
    "huber": ("huber", {"class_weight": "balanced"}, "class_weight", "Huber"),
    "labels": ("multi-label", {"class_weight": {0: 1.0}}, "class_weight", "by sample_weight"),
    "binary": ("binary", {"class_weight": {2: 1.0}}, "class_weight", r"\[0, 2\)"),
}


@pytest.mark.parametrize("entry", ["fit", "train_on_batch"])
@pytest.mark.parametrize("case", BAD)
def test_bad_weights(case: str, entry: str) -> None:
    kind, arguments, argument, text = BAD[case]
    units, head, make, y, _, _ = CASES[kind]
    model = fg.Sequential([layers.Dense(4), layers.Dense(units, activation=head)])
    model.compile("adam", make())
    with pytest.raises(ArgumentError, match=text) as caught:
        getattr(model, entry)(X, y, **arguments)
    assert caught.value.argument == argument
    assert str(caught.value).startswith(f"{entry}()")
    assert not model.built
    assert not model.optimizer.built


def test_bad_validation_weights() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    model = network(units, head)
    model.compile("adam", make())
    before = model.get_weights()
    for weights in (SAMPLE[:3], np.full(ROWS, np.inf)):
        with pytest.raises(ArgumentError) as caught:
            model.fit(X, y, validation_data=(X, y, weights), verbose=0)
        assert caught.value.argument == "validation_data[2]"
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_no_warning_where_every_class_has_a_weight() -> None:
    units, head, make, y, _, _ = CASES["sparse"]
    model = network(units, head)
    model.compile("adam", make())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(X, y, class_weight=BY_CLASS, verbose=0)
