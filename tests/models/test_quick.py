"""Calls that a compiled step answers at once mean what they mean the first time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, layers, losses, metrics, ops, optimizers
from fusegrad._tensor import Function, within
from fusegrad.errors import ArgumentError
from fusegrad.models import quick
from fusegrad.variable import substituted

RNG = np.random.default_rng(5)
X = RNG.normal(size=(12, 4)).astype(np.float32)
LABELS = RNG.integers(0, 3, 12)
MANY = 6  # calls: enough for a program to be compiled


def network(*hidden: layers.Layer, units: int = 3) -> fg.Sequential:
    fg.utils.set_random_seed(3)
    return fg.Sequential([fg.Input((4,)), *hidden, layers.Dense(units)])


def classifier(*hidden: layers.Layer, **options: Any) -> fg.Sequential:
    model = network(*hidden)
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"], **options)
    return model


def settled(model: fg.Sequential, x: Any) -> fg.Tensor:
    """Return the output of a call that a program answers."""
    for _ in range(MANY):
        model(x)
    y = quick.called(model, x)
    assert y is not None
    return y


HIDDEN: list[Callable[[], list[layers.Layer]]] = [
    lambda: [],
    lambda: [layers.Dense(5, activation="relu"), layers.Dropout(0.5)],
    lambda: [layers.BatchNormalization(), layers.Dense(3, activation="softmax")],
    lambda: [layers.Rescaling(0.5, 1.0), layers.LeakyReLU(), layers.Softmax()],
    lambda: [layers.Dense(4, activation=layers.LeakyReLU(0.1)), layers.Activation("gelu")],
    lambda: [fg.Sequential([layers.Dense(4, activation="tanh")]), layers.Flatten()],
]


@pytest.mark.parametrize("make", HIDDEN)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_call_keeps_its_bits(make: Callable[[], list[layers.Layer]], dtype: Any) -> None:
    model = network(*make())
    x = X[:3].astype(dtype)
    first = model(x)
    last = settled(model, x)
    assert first.dtype == last.dtype
    np.testing.assert_array_equal(first.numpy(), last.numpy())
    np.testing.assert_array_equal(model(fg.Tensor(x)).numpy(), first.numpy())
    np.testing.assert_array_equal(model(x[:1]).numpy(), first.numpy()[:1])
    assert model(x, training=True).shape == first.shape


def test_changes_reach_a_call() -> None:
    model = network(layers.Dense(4, activation="relu"))
    changes: list[Callable[[], Any]] = [
        lambda: model.set_weights([w + 0.5 for w in model.get_weights()]),
        lambda: model.layers[0].kernel.assign(np.ones((4, 4))),
        lambda: setattr(model.layers[0], "activation", "tanh"),
        lambda: setattr(model.layers[1], "kernel", fg.Variable(np.ones((4, 3), np.float32))),
        lambda: model.add(layers.Dense(2)),
        model.pop,
        lambda: setattr(model.layers[0], "call", lambda x: x * 2.0),
    ]
    for change in changes:
        before = settled(model, X).numpy()
        change()
        after = model(X).numpy()
        assert before.shape != after.shape or (before != after).any()
        np.testing.assert_array_equal(after, model.run_layers(X).numpy())
        np.testing.assert_array_equal(after, model.predict(X, verbose=0))


def test_calls_on_inputs_of_several_kinds_in_turn() -> None:
    model = network(layers.Dense(5, activation="relu"))
    kinds = [X[:1], X[:3], X[:3].astype(np.float64), fg.Tensor(X[:1])]
    wanted = [model(x).numpy() for x in kinds]
    for _ in range(MANY):
        for x, y in zip(kinds, wanted, strict=True):
            np.testing.assert_array_equal(model(x).numpy(), y, strict=True)
    weight = model.weights[0]
    doubled = fg.Tensor(2 * weight.numpy())
    with substituted({weight: doubled}):
        first = model(X[:1]).numpy()
    weight.assign(doubled)
    np.testing.assert_array_equal(model(X[:1]).numpy(), first)
    assert (first != wanted[0]).any()


def test_layers_of_ones_own_are_called_each_time() -> None:
    seen = []

    class Counting(layers.Layer):
        def call(self, x: Any) -> Any:
            seen.append(x.shape)
            return x * 1.0

    class Twice(fg.Sequential):
        def call(self, x: Any, training: bool = False) -> Any:
            seen.append(x.shape)
            return super().call(x, training=training)

    def activation(x: Any) -> Any:
        seen.append(x.shape)
        return x

    for model in (
        network(Counting()),
        Twice([fg.Input((4,)), layers.Dense(2)]),
        network(layers.Dense(2, activation=activation)),
    ):
        seen.clear()
        for _ in range(MANY):
            model(X)
        assert len(seen) == MANY


def test_a_call_is_recorded() -> None:
    model = network(layers.Dense(4, activation="tanh"))

    def loss(x: Any) -> Any:
        return ops.sum(model(x) ** 2)

    expected = fg.grad(loss)(X).numpy()
    settled(model, X)
    np.testing.assert_array_equal(fg.grad(loss)(X).numpy(), expected)
    # What does not depend on `x` is constant, but what it is multiplied by is recorded.
    slope = fg.grad(lambda s: ops.sum(model(X) * s))(1.0)
    assert slope.item() == pytest.approx(float(model(X).numpy().sum()), rel=1e-5)
    kernel = model.layers[0].kernel
    with fg.variable.substituted({kernel: fg.Tensor(np.zeros((4, 4), np.float32))}):
        assert not model(X).numpy().any()
    assert model(X).numpy().any()


def test_what_a_call_refuses_it_goes_on_refusing() -> None:
    model = network()
    settled(model, X)
    for wrong in (X[:, :3], X[0], "x", None):
        with pytest.raises(ArgumentError):
            model(wrong)
    assert np.isnan(model(np.full((1, 4), np.nan, np.float32)).numpy()).all()


def test_results_are_memory_of_their_own() -> None:
    model = network()
    settled(model, X)
    first, second = model(X), model(X)
    model.layers[0].kernel.assign(np.zeros((4, 3)))
    np.testing.assert_array_equal(first.numpy(), second.numpy())
    a, b = model.predict(X, verbose=0), model.predict(X, verbose=0)
    a += 1.0
    assert not b.any()


def test_predict() -> None:
    model = network(layers.Dense(5, activation="relu"))
    expected = model.predict(X, verbose=0)
    assert quick.predicted(model, X, 32) is not None
    for x in (X, X.astype(np.float64), X[::-1][::-1], X.tolist(), np.asfortranarray(X)):
        np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
        np.testing.assert_array_equal(model.predict_on_batch(x), expected)
    np.testing.assert_array_equal(model.predict(X, batch_size=5, verbose=0), expected)
    for value in (np.nan, np.inf, 1e300):
        wrong = X.astype(np.float64)
        wrong[3, 2] = value
        with pytest.raises(ArgumentError, match="row 3, column 2"):
            model.predict(wrong, verbose=0)
    with pytest.raises(ArgumentError):
        model.predict(X[:, :2], verbose=0)
    masked = np.ma.masked_array(X, mask=X > 1)
    with pytest.raises(ArgumentError, match="masked"):
        model.predict(masked, verbose=0)


@pytest.mark.parametrize("hidden", [[], [layers.Dropout]], ids=["plain", "dropout"])
def test_steps_on_batches(hidden: list[Any]) -> None:
    results = []
    for options in ({}, {"run_eagerly": True}):
        model = classifier(*(make(0.3) for make in hidden), **options)
        values = []
        for i in range(MANY):
            values.append(model.train_on_batch(X, LABELS))
            values.append(model.test_on_batch(X, LABELS.astype(np.uint8)))
            values.append(model.evaluate(X, LABELS[:, np.newaxis], verbose=0))
            values.append(list(model.evaluate(X, LABELS, verbose=0, return_dict=True).values()))
            if i == 3:
                model.optimizer.learning_rate = 0.1
        results.append((values, [w.tobytes() for w in model.get_weights()]))
    assert results[0] == results[1]


def test_targets_of_other_losses() -> None:
    targets = (LABELS > 1).astype(np.float32)
    for loss, wrong in ((losses.BinaryCrossentropy(from_logits=True), 1.5), ("mse", np.nan)):
        results = []
        for options in ({}, {"run_eagerly": True}):
            model = network(units=1)
            accuracy = metrics.BinaryAccuracy(threshold=0.0)
            model.compile(optimizers.SGD(0.1), loss, metrics=[accuracy], **options)
            values = [
                model.train_on_batch(X, y)
                for y in (targets, targets, targets[:, np.newaxis], targets.astype(int))
            ]
            bad = targets.astype(np.float64)
            bad[2] = wrong
            before = [w.tobytes() for w in model.get_weights()]
            for step in (model.train_on_batch, model.test_on_batch, model.fit):
                with pytest.raises(ArgumentError, match=r"index|row"):
                    step(X, bad)
            assert [w.tobytes() for w in model.get_weights()] == before
            results.append((values, before))
        assert results[0] == results[1]


def test_wrong_labels_after_right_ones() -> None:
    model = classifier()
    calls: list[Any] = [model.train_on_batch, model.fit, model.evaluate]
    for call in calls:
        for _ in range(2):
            call(X, LABELS, **({} if call == model.train_on_batch else {"verbose": 0}))
        before = [w.tobytes() for w in model.get_weights()]
        for wrong in (LABELS + 1, -LABELS, LABELS + 0.5, LABELS[:5], X):
            with pytest.raises(ArgumentError):
                call(X, wrong)
        assert [w.tobytes() for w in model.get_weights()] == before


def test_fit_on_data_like_the_last() -> None:
    def trained(again: bool) -> tuple[Any, list[bytes]]:
        model = classifier()
        history = []
        for i in range(4):
            x = X if again else X.tolist()
            history.append(model.fit(x, LABELS, batch_size=5, verbose=0).history)
            if i == 1:
                model.layers[0].trainable = False
        return history, [w.tobytes() for w in model.get_weights()]

    model = classifier()
    model.fit(X, LABELS, verbose=0)
    assert quick.checked(model, X, LABELS) is not None
    assert trained(True) == trained(False)


def test_an_optimizer_that_was_reset_begins_again() -> None:
    weights = []
    for eagerly in (False, True):
        model = network(units=1)
        model.compile(optimizers.SGD(0.05, momentum=0.9), "mse", run_eagerly=eagerly)
        model.fit(X, LABELS, epochs=2, verbose=0)
        model.optimizer.reset()
        model.fit(X, LABELS, epochs=2, verbose=0)
        weights.append([w.tobytes() for w in model.get_weights()])
    assert weights[0] == weights[1]


def test_threads_share_a_model() -> None:
    model = network(layers.Dense(8, activation="relu"))
    expected = settled(model, X).numpy()
    rows = model.predict(X, verbose=0)
    wrong = []

    def work() -> None:
        for _ in range(200):
            if (model(X).numpy() != expected).any() or (model.predict(X, verbose=0) != rows).any():
                wrong.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_functions_of_programs() -> None:
    graph = _core.Graph()
    with graph:
        x = graph.input((2, 1), "float32", "x")
        graph.output(x * 2.0, "y")
        graph.output(ops.sum(x), "total")
    program = _core.Program.compile(graph)
    function: Any = program.function([(0.0, 1.0)])
    assert isinstance(program.function(), Function)
    column = np.array([[0.5], [1.0]], np.float32)
    y, total = function(column)
    assert (y.tolist(), total.item()) == ([[1.0], [2.0]], 1.5)
    for other in (column.astype(np.float64), column.T, column[:, 0], [[0.5], [1.0]], 3):
        assert function(other) is None
    rows, scalar = function.of_data(np.array([0.5, 1.0]))
    assert rows.tolist() == [[1.0], [2.0]]
    assert isinstance(scalar, np.float32)
    for bad in (column * 2, column - 1, np.array([0.5, np.nan]), column.astype(np.uint8), column.T):
        assert function.of_data(bad) is None
    assert function.of_data(np.array([0, 1])) is not None
    large = np.ones((300, 300), np.float32)
    graph = _core.Graph()
    with graph:
        graph.output(graph.input((300, 300), "float32", "x") + 1.0, "y")
    plain: Any = _core.Program.compile(graph).function()
    for array in (large, large * 2):  # bound where they lie, and let go
        result = plain(array)
        np.testing.assert_array_equal(result[0].numpy(), array + 1)
        np.testing.assert_array_equal(plain.first(fg.Tensor(array)).numpy(), array + 1)
    assert plain.first(large[:, 1:]) is None
    assert plain.first(large.tolist()) is None
    with pytest.raises(TypeError, match="takes 1 inputs, 2 given"):
        plain(large, large)
    with pytest.raises(TypeError, match="is made by"):
        Function()
    with pytest.raises(ArgumentError, match="a pair for each of 1 inputs"):
        program.function([(0.0, 1.0), (0.0, 1.0)])


def test_within() -> None:
    assert within(np.array([0.0, 1.0]), 0.0, 1.0)
    assert within(np.array([0, 255], np.uint8), 0.0, 255.0)
    assert not within(np.array([0, 3], np.int32), 0.0, 2.0)
    for dtype in (np.float32, np.float64):
        for value in (np.nan, np.inf, -np.inf):
            assert not within(np.array([0.0, value], dtype), -np.inf, np.inf)
        assert within(np.array([np.finfo(dtype).max], dtype), -np.inf, np.inf)
    assert not within(np.array([True]), 0.0, 1.0)
    assert not within(np.array([1.0])[::-1].astype(">f8"), 0.0, 1.0)
