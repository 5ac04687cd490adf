"""Where the last layer meets the loss: the same bits however the last activation is written."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import activations, layers, losses, ops
from fusegrad.errors import ArgumentError

Stack = Callable[[], list[layers.Layer]]

X = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
Y = np.random.default_rng(1).integers(0, 3, 50)
CONFIDENT = np.float32(60.0)  # logits of a size at which probabilities have lost their digits

SOFTMAX: dict[str, Stack] = {
    "name": lambda: [layers.Dense(3, "softmax")],
    "function": lambda: [layers.Dense(3, activations.softmax)],
    "op": lambda: [layers.Dense(3, ops.softmax)],
    "layer": lambda: [layers.Dense(3, layers.Softmax())],
    "layer along axis 1": lambda: [layers.Dense(3, layers.Softmax(axis=1))],
    "Activation layer": lambda: [layers.Dense(3, layers.Activation("softmax"))],
    "layer in a layer": lambda: [layers.Dense(3, layers.Activation(layers.Softmax()))],
    "last layer": lambda: [layers.Dense(3), layers.Softmax()],
    "last layer along axis 1": lambda: [layers.Dense(3), layers.Softmax(axis=1)],
    "last Activation": lambda: [layers.Dense(3), layers.Activation("softmax")],
    "last Activation of a layer": lambda: [layers.Dense(3), layers.Activation(layers.Softmax())],
    "model in the model": lambda: [fg.Sequential([layers.Dense(3), layers.Softmax()])],
    "model as activation": lambda: [layers.Dense(3, fg.Sequential([layers.Softmax()]))],
}

SIGMOID: dict[str, Stack] = {
    "name": lambda: [layers.Dense(3, "sigmoid")],
    "op": lambda: [layers.Dense(3, ops.sigmoid)],
    "Activation layer": lambda: [layers.Dense(3, layers.Activation("sigmoid"))],
    "last Activation": lambda: [layers.Dense(3), layers.Activation(activations.sigmoid)],
}


def trained(stack: Stack, loss: losses.Loss, y: Any, **settings: Any) -> tuple[Any, ...]:
    fg.utils.set_random_seed(2)
    model = fg.Sequential([layers.Dense(5, "tanh"), layers.Rescaling(CONFIDENT), *stack()])
    model.seed = 3
    model.compile("adam", loss, metrics=["accuracy"], **settings)
    history = model.fit(X, y, epochs=2, verbose=0, validation_data=(X[:9], y[:9])).history
    return history, [array.tobytes() for array in model.get_weights()]


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("form", SOFTMAX)
def test_softmax_is_computed_from_the_logits(form: str, eager: bool) -> None:
    for loss, y in (
        (losses.SparseCategoricalCrossentropy, Y),
        (losses.CategoricalCrossentropy, np.eye(3)[Y]),
    ):
        found = trained(SOFTMAX[form], loss(), y, run_eagerly=eager)
        assert found == trained(lambda: [layers.Dense(3)], loss(from_logits=True), y)


@pytest.mark.parametrize("form", SIGMOID)
def test_sigmoid_is_computed_from_the_logits(form: str) -> None:
    y = np.eye(3)[Y]
    found = trained(SIGMOID[form], losses.BinaryCrossentropy(), y)
    assert found == trained(
        lambda: [layers.Dense(3)], losses.BinaryCrossentropy(from_logits=True), y
    )


@pytest.mark.parametrize("form", SOFTMAX)
def test_outputs_are_probabilities_and_the_summary_says_so(form: str) -> None:
    fg.utils.set_random_seed(2)
    model = fg.Sequential([fg.Input((4,)), *SOFTMAX[form]()])
    model.compile("sgd", "sparse_categorical_crossentropy")
    np.testing.assert_allclose(model.predict(X, verbose=0).sum(axis=1), 1.0, rtol=1e-6)
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert "Fused: the softmax of" in lines[0]
    fg.utils.set_random_seed(2)
    same = fg.Sequential([fg.Input((4,)), layers.Dense(3, "softmax")])
    assert np.array_equal(model.predict(X, verbose=0), same.predict(X, verbose=0))


def test_another_axis_is_not_the_softmax_of_a_classifier() -> None:
    model = fg.Sequential([fg.Input((4,)), layers.Dense(3), layers.Softmax(axis=0)])
    model.compile("sgd", "sparse_categorical_crossentropy")
    probabilities = model.predict(X, batch_size=50, verbose=0)
    expected = losses.SparseCategoricalCrossentropy()(Y, probabilities).item()
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("place", ["last layer", "activation"])
def test_a_penalised_output_is_computed(place: str) -> None:
    last = layers.Softmax()
    last.activity_regularizer = fg.regularizers.L2(1.0)
    apart = place == "last layer"
    stack = [layers.Dense(3), last] if apart else [layers.Dense(3, last)]
    model = fg.Sequential([fg.Input((4,)), *stack])
    model.compile("sgd", "sparse_categorical_crossentropy")
    probabilities = model.predict(X, verbose=0).astype(np.float64)
    expected = -np.log(probabilities[np.arange(50), Y]).mean()
    expected += (probabilities**2).sum() / 50
    assert model.evaluate(X, Y, batch_size=50, verbose=0) == pytest.approx(expected, rel=1e-5)


def warned(stack: list[layers.Layer], loss: losses.Loss) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fg.Sequential([fg.Input((4,)), *stack]).compile("sgd", loss)
    return [str(entry.message) for entry in caught]


@pytest.mark.parametrize("form", SOFTMAX)
def test_logits_are_expected_and_probabilities_come(form: str) -> None:
    (text,) = warned(SOFTMAX[form](), losses.SparseCategoricalCrossentropy(from_logits=True))
    assert "already applies softmax" in text
    advice = "leave the layer out" if form.startswith("last layer") else "activation='linear'"
    if "model" not in form:
        assert advice in text


RELU: dict[str, Stack] = {
    "name": lambda: [layers.Dense(3, "relu")],
    "function": lambda: [layers.Dense(3, activations.relu)],
    "op": lambda: [layers.Dense(3, ops.relu)],
    "layer": lambda: [layers.Dense(3, layers.ReLU())],
    "last layer": lambda: [layers.Dense(3), layers.ReLU()],
    "last Activation": lambda: [layers.Dense(3), layers.Activation(layers.ReLU())],
    "leaky layer": lambda: [layers.Dense(3, layers.LeakyReLU(0.1))],
    "last leaky layer": lambda: [layers.Dense(3), layers.LeakyReLU(0.1)],
    "tanh op": lambda: [layers.Dense(3, ops.tanh)],
}


@pytest.mark.parametrize("form", RELU)
def test_probabilities_are_expected_and_others_come(form: str) -> None:
    (text,) = warned(RELU[form](), losses.BinaryCrossentropy())
    kind = "leaky_relu" if "leaky" in form else "tanh" if "tanh" in form else "relu"
    assert f"is {kind}, so its outputs are no probabilities" in text
    apart = form in {"last layer", "last leaky layer"}
    assert ("layers.Activation('sigmoid')" if apart else "activation='sigmoid'") in text


def test_no_warning_where_the_activation_is_right_or_unknown() -> None:
    for name in ("sigmoid", "softmax", "hard_sigmoid"):
        if name in activations.__all__:
            assert warned([layers.Dense(3, name)], losses.BinaryCrossentropy()) == []
    for own in (layers.Dense(3, lambda z: ops.sigmoid(2.0 * z)), layers.Flatten()):
        assert warned([own], losses.BinaryCrossentropy()) == []
    logits = losses.BinaryCrossentropy(from_logits=True)
    assert warned([layers.Dense(3), layers.Activation("linear")], logits) == []


def test_a_layer_of_my_own_ends_a_classifier() -> None:
    class Doubled(layers.Layer):
        def call(self, x: Any) -> Any:
            return ops.softmax(self.pre_activation(x))

        def pre_activation(self, x: Any) -> Any:
            return self.convert(x) * 2.0

        def head_activation(self) -> Any:
            return activations.softmax

    found = trained(lambda: [layers.Dense(3), Doubled()], losses.SparseCategoricalCrossentropy(), Y)
    logits = losses.SparseCategoricalCrossentropy(from_logits=True)
    assert found == trained(lambda: [layers.Dense(3), layers.Rescaling(2.0)], logits, Y)


@pytest.mark.parametrize("apart", [False, True])
def test_a_softmax_layer_over_one_output(apart: bool) -> None:
    stack = [layers.Dense(1), layers.Softmax()] if apart else [layers.Dense(1, layers.Softmax())]
    model = fg.Sequential([fg.Input((4,)), *stack])
    with pytest.raises(ArgumentError, match="at least 2 outputs under a softmax"):
        model.compile("sgd", "binary_crossentropy")
