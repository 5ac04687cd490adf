"""Regularizers: values, gradients against NumPy, and what of them reaches the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses, ops, optimizers, regularizers
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(14)
ROWS, RATE = 24, 0.1
X = RNG.normal(size=(ROWS, 3))
Y = np.tanh(X @ RNG.normal(size=(3, 2)))
LABELS = np.argmax(X, axis=1)
W = RNG.normal(size=(3, 2))
LIMIT = 1e-12


@pytest.fixture(autouse=True)
def in_float64() -> Iterator[None]:
    fg.config.set_floatx("float64")
    fg.utils.set_random_seed(3)
    yield
    fg.config.set_floatx("float32")


def linear(**options: Any) -> fg.Sequential:
    return fg.Sequential([fg.Input((3,)), layers.Dense(2, **options)])


# ---- by themselves


@pytest.mark.parametrize(
    ("regularizer", "expected", "slope"),
    [
        (regularizers.L1(0.3), 0.3 * np.abs(W).sum(), 0.3 * np.sign(W)),
        (regularizers.L2(0.3), 0.3 * (W**2).sum(), 0.6 * W),
        (
            regularizers.L1L2(l1=0.1, l2=0.2),
            0.1 * np.abs(W).sum() + 0.2 * (W**2).sum(),
            0.1 * np.sign(W) + 0.4 * W,
        ),
        (regularizers.L1L2(), 0.0, np.zeros_like(W)),
    ],
    ids=["L1", "L2", "L1L2", "none"],
)
def test_values_and_gradients(regularizer: Any, expected: float, slope: np.ndarray) -> None:
    assert regularizer(W).item() == pytest.approx(expected, rel=LIMIT)
    np.testing.assert_allclose(fg.grad(lambda w: regularizer(w) + 0 * ops.sum(w))(W).numpy(), slope)
    copy = regularizers.deserialize(regularizers.serialize(regularizer))
    assert isinstance(copy, regularizers.Regularizer)
    assert type(copy) is type(regularizer)
    assert copy.get_config() == regularizer.get_config()


def test_l1_has_no_slope_at_zero() -> None:
    assert fg.grad(regularizers.L1(0.5))(np.zeros(2)).tolist() == [0.0, 0.0]


def test_names() -> None:
    for name, expected in (
        ("l1", {"l1": 0.01}),
        ("L1", {"l1": 0.01}),
        ("l2", {"l2": 0.01}),
        ("l1_l2", {"l1": 0.0, "l2": 0.0}),
        (regularizers.L2, {"l2": 0.01}),
        ({"class_name": "L2", "config": {"l2": 0.5}}, {"l2": 0.5}),
    ):
        found = regularizers.get(name)
        assert isinstance(found, regularizers.Regularizer)
        assert found.get_config() == expected
    assert regularizers.get(None) is None
    assert regularizers.serialize(None) is None
    assert regularizers.get(ops.sum) is ops.sum


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf"), "0.1", None, True])
@pytest.mark.parametrize("make", [regularizers.L1, regularizers.L2])
def test_bad_factors(make: Any, value: Any) -> None:
    with pytest.raises(ArgumentError, match="a finite number >= 0"):
        make(value)


def test_bad_names() -> None:
    with pytest.raises(ArgumentError, match="did you mean 'l2'"):
        regularizers.get("l22")
    for argument in ("kernel_regularizer", "bias_regularizer", "activity_regularizer"):
        with pytest.raises(ArgumentError) as caught:
            layers.Dense(1, **{argument: "l3"})
        assert caught.value.argument == argument
        with pytest.raises(ArgumentError):
            layers.Dense(1, **{argument: 0.01})
    with pytest.raises(ArgumentError, match="a Regularizer"):
        regularizers.serialize(ops.sum)


# ---- in a model, whose outputs are x @ kernel + bias


@pytest.mark.parametrize("eagerly", [False, True])
def test_training_with_penalties_on_weights(eagerly: bool) -> None:
    model = linear(
        kernel_regularizer=regularizers.L1L2(0.02, 0.05),
        bias_regularizer="l2",
        bias_initializer=np.ones(2),
    )
    model.compile(optimizers.SGD(RATE), "mse", run_eagerly=eagerly)
    w, b = model.get_weights()
    for _ in range(4):
        penalty = 0.02 * np.abs(w).sum() + 0.05 * (w**2).sum() + 0.01 * (b**2).sum()
        error = X @ w + b - Y
        history = model.fit(X, Y, ROWS, 1, 0, shuffle=False).history
        assert history["loss"][0] == pytest.approx((error**2).mean() + penalty, rel=LIMIT)
        slope = 2 * error / error.size
        w = w - RATE * (X.T @ slope + 0.02 * np.sign(w) + 0.1 * w)
        b = b - RATE * (slope.sum(axis=0) + 0.02 * b)
        for found, expected in zip(model.get_weights(), (w, b), strict=True):
            np.testing.assert_allclose(found, expected, rtol=LIMIT)


def test_penalties_are_part_of_every_loss() -> None:
    model = linear(kernel_regularizer=regularizers.L2(0.5))
    model.compile(optimizers.SGD(RATE), "mse", metrics=["mse"])
    history = model.fit(X, Y, 10, 2, 0, validation_split=0.25).history
    w, b = model.get_weights()
    penalty = 0.5 * (w**2).sum()
    assert history["val_loss"][-1] == pytest.approx(history["val_mse"][-1] + penalty, rel=LIMIT)
    for found in (
        model.evaluate(X, Y, batch_size=7, verbose=0),
        model.test_on_batch(X, Y),
        model.train_on_batch(X, Y),
    ):
        assert found[1] == pytest.approx(((X @ w + b - Y) ** 2).mean(), rel=LIMIT)
        assert found[0] == pytest.approx(found[1] + penalty, rel=LIMIT)
    assert sum(loss.item() for loss in model.losses) == pytest.approx(
        0.5 * (model.get_weights()[0] ** 2).sum(), rel=LIMIT
    )


@pytest.mark.parametrize("reduction", ["sum", "sum_over_batch_size", "mean_with_sample_weight"])
def test_penalties_are_not_weighed(reduction: str) -> None:
    model = linear(kernel_regularizer=regularizers.L2(0.5))
    model.compile(optimizers.SGD(RATE), losses.MeanSquaredError(reduction=reduction))
    w, b = model.get_weights()
    weights = RNG.uniform(size=ROWS)
    values = ((X @ w + b - Y) ** 2).mean(axis=1) * weights
    by = {"sum": 1.0, "sum_over_batch_size": ROWS, "mean_with_sample_weight": weights.sum()}
    expected = values.sum() / by[reduction] + 0.5 * (w**2).sum()
    assert model.test_on_batch(X, Y, weights) == pytest.approx(expected, rel=LIMIT)


def test_weights_that_are_not_trained_have_no_penalty() -> None:
    model = fg.Sequential(
        [
            fg.Input((3,)),
            layers.Dense(3, kernel_regularizer=regularizers.L2(0.5), trainable=False),
            layers.Dense(2, kernel_regularizer=regularizers.L2(0.25)),
        ]
    )
    model.compile(optimizers.SGD(RATE), "mse", metrics=["mse"])
    _, _, last, _ = model.get_weights()
    loss, plain = model.test_on_batch(X, Y)
    assert loss - plain == pytest.approx(0.25 * (last**2).sum(), rel=1e-10)
    model.layers[0].trainable = True
    first, _, last, _ = model.get_weights()
    loss, plain = model.test_on_batch(X, Y)
    assert loss - plain == pytest.approx(0.5 * (first**2).sum() + 0.25 * (last**2).sum(), rel=1e-10)
    model.layers[0].trainable = False
    kept = model.get_weights()[0]
    model.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], kept)


@pytest.mark.parametrize("eagerly", [False, True])
def test_activity(eagerly: bool) -> None:
    model = linear(activity_regularizer=regularizers.L2(0.5))
    model.compile(optimizers.SGD(RATE), "mse", run_eagerly=eagerly)
    w, b = model.get_weights()
    output = X @ w + b
    expected = ((output - Y) ** 2).mean() + 0.5 * (output**2).sum() / ROWS
    assert model.test_on_batch(X, Y) == pytest.approx(expected, rel=LIMIT)
    parts = model.evaluate(X, Y, batch_size=8, verbose=0)  # of equal size: the same mean
    assert parts == pytest.approx(expected, rel=LIMIT)
    assert model.train_on_batch(X, Y) == pytest.approx(expected, rel=LIMIT)
    slope = 2 * (output - Y) / Y.size + output / ROWS
    np.testing.assert_allclose(model.get_weights()[0], w - RATE * X.T @ slope, rtol=LIMIT)
    np.testing.assert_allclose(model.predict(X, verbose=0), X @ model.get_weights()[0] +
                               model.get_weights()[1], rtol=LIMIT)  # fmt: skip


def test_activity_of_a_softmax_at_the_end() -> None:
    """The penalty is on the probabilities, which a fused softmax would not make."""
    model = fg.Sequential(
        [fg.Input((3,)), layers.Dense(3, "softmax", activity_regularizer=regularizers.L2(0.5))]
    )
    model.compile(optimizers.SGD(RATE), losses.SparseCategoricalCrossentropy(), metrics=["acc"])
    w, b = model.get_weights()
    e = np.exp(X @ w + b)
    p = e / e.sum(axis=1, keepdims=True)
    hot = np.eye(3)[LABELS]
    expected = -np.log(p[np.arange(ROWS), LABELS]).mean() + 0.5 * (p**2).sum() / ROWS
    loss, accuracy = model.train_on_batch(X, LABELS)
    assert loss == pytest.approx(expected, rel=LIMIT)
    assert accuracy == pytest.approx((p.argmax(1) == LABELS).mean())
    dz = ((p - hot) + p * p - p * (p * p).sum(axis=1, keepdims=True)) / ROWS
    np.testing.assert_allclose(model.get_weights()[0], w - RATE * X.T @ dz, rtol=1e-11)


def test_activity_of_a_first_rescaling_of_bytes() -> None:
    """The layer is otherwise done while a batch is gathered."""
    first = layers.Rescaling(1 / 4)
    first.activity_regularizer = regularizers.L1(0.5)
    model = fg.Sequential([fg.Input((3,)), first, layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mse"])
    whole = np.arange(ROWS * 3, dtype=np.uint8).reshape(ROWS, 3)
    loss, plain = model.test_on_batch(whole, Y)
    assert loss - plain == pytest.approx(0.5 * whole.sum() / 4 / ROWS, rel=1e-9)


def test_functions_of_ones_own() -> None:
    model = linear(
        kernel_regularizer=lambda w: 0.5 * ops.max(ops.abs(w)),
        activity_regularizer=ops.sum,
    )
    model.compile("sgd", "mse", metrics=["mse"])
    w, b = model.get_weights()
    loss, plain = model.test_on_batch(X, Y)
    assert loss - plain == pytest.approx(
        0.5 * np.abs(w).max() + (X @ w + b).sum() / ROWS, rel=1e-10
    )


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize("argument", ["kernel_regularizer", "activity_regularizer"])
@pytest.mark.parametrize(("penalty", "text"), [(ops.square, "shape"), (repr, "str")])
def test_penalties_that_are_no_number(
    argument: str, penalty: Any, text: str, eagerly: bool
) -> None:
    model = fg.Sequential([layers.Dense(2, **{argument: penalty})])
    model.compile("sgd", "mse", run_eagerly=eagerly)
    with pytest.raises(ArgumentError, match=rf"one number, got .*{text}"):
        model.fit(X, Y, verbose=0)
    assert eagerly or not model.built  # a step that runs op by op finds out on the way


# ---- what layers add by themselves


class Watching(layers.Layer):
    """Adds its mean square to the loss and keeps the mean of what it has seen."""

    def build(self, input_shape: Any) -> None:
        self.mean = self.add_weight(input_shape[1:], "zeros", trainable=False, name="mean")

    def call(self, x: Any) -> Any:
        self.add_loss(0.25 * ops.mean(ops.square(x)))
        self.add_update(self.mean, 0.5 * self.mean.value + 0.5 * ops.mean(x, axis=0))
        return x


@pytest.mark.parametrize("eagerly", [False, True])
def test_add_loss_and_add_update(eagerly: bool) -> None:
    model = fg.Sequential([fg.Input((3,)), layers.Dense(2), Watching()])
    model.compile(optimizers.SGD(RATE), "mse", metrics=["mse"], run_eagerly=eagerly)
    w, b, mean = model.get_weights()
    np.testing.assert_array_equal(mean, [0.0, 0.0])
    for start in (0, 8, 16):
        rows = slice(start, start + 8)
        output = X[rows] @ w + b
        loss, plain = model.train_on_batch(X[rows], Y[rows])
        assert plain == pytest.approx(((output - Y[rows]) ** 2).mean(), rel=LIMIT)
        assert loss == pytest.approx(plain + 0.25 * (output**2).mean(), rel=LIMIT)
        slope = (2 * (output - Y[rows]) + 0.5 * output) / output.size
        w, b = w - RATE * X[rows].T @ slope, b - RATE * slope.sum(axis=0)
        mean = 0.5 * mean + 0.5 * output.mean(axis=0)
    for found, expected in zip(model.get_weights(), (w, b, mean), strict=True):
        np.testing.assert_allclose(found, expected, rtol=LIMIT)
    loss, plain = model.evaluate(X, Y, batch_size=8, verbose=0)
    assert loss - plain == pytest.approx(0.25 * ((X @ w + b) ** 2).mean(), rel=1e-10)
    model.predict(X, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[2], found)  # only training updates


def test_add_loss_and_add_update_outside_of_steps() -> None:
    layer = Watching()
    layer([[2.0, 4.0]])
    assert layer.get_weights()[0].tolist() == [1.0, 2.0]
    with pytest.raises(ArgumentError, match=r"one number, got shape \(2,\)"):
        layer.add_loss([1.0, 2.0])


def test_weights_of_ones_own_with_a_penalty() -> None:
    class Scale(layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.factor = self.add_weight(
                input_shape[1:], np.ones, regularizer=regularizers.L2(0.5), name="factor"
            )

        def call(self, x: Any) -> Any:
            return x * self.factor

    model = fg.Sequential([fg.Input((3,)), layers.Dense(2), Scale()])
    model.compile("sgd", "mse", metrics=["mse"])
    loss, plain = model.test_on_batch(X, Y)
    assert loss - plain == pytest.approx(1.0, rel=1e-10)
    with pytest.raises(ArgumentError, match="did you mean 'l1'"):
        layers.Layer(name="a").add_weight((2,), regularizer="l11")
