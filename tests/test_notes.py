"""What notes of a first course on neural networks say, statement by statement, under its headings.

1. Train a neural network; 2. Activation functions; 3. Multi-class classification; 4. Multi-label
classification; and the slips of spelling that notes are full of. Each test quotes the statement
that it is about.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import mpmath
import numpy as np
import pytest

import fusegrad as fg
from fusegrad import activations, datasets, layers, losses, ops, optimizers
from fusegrad.errors import ArgumentError
from fusegrad.layers import Dense
from fusegrad.losses import (
    BinaryCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from fusegrad.models import Sequential

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(4)
X = RNG.normal(size=(200, 3))
PLANE = X @ np.array([1.0, -2.0, 0.5]) + 3.0
SIDE = (PLANE > 3.0).astype(int)
THIRD = np.digitize(PLANE, np.quantile(PLANE, [1 / 3, 2 / 3]))


class TestTrainANeuralNetwork:
    """1. Train a neural network."""

    def test_model_compile_fit(self) -> None:
        """`model = Sequential([...])`, `model.compile(loss=BinaryCrossentropy())`, `model.fit(X, Y,
        epochs=100)`."""
        fg.utils.set_random_seed(1)
        model = Sequential(
            [
                Dense(25, activation="relu"),
                Dense(15, activation="relu"),
                Dense(1, activation="sigmoid"),
            ]
        )
        model.compile(loss=BinaryCrossentropy())
        history = model.fit(X, SIDE, epochs=100, verbose=0)
        assert len(history.history["loss"]) == 100
        assert history.history["loss"][-1] < 0.2 < history.history["loss"][0]
        assert np.mean((model.predict(X, verbose=0)[:, 0] > 0.5) == SIDE) > 0.97

    def test_mean_squared_error_is_linear_regression(self) -> None:
        """MeanSquaredError() --> linear regression."""
        fg.utils.set_random_seed(1)
        model = Sequential([Dense(1, activation="linear")])
        model.compile(optimizer=optimizers.Adam(0.1), loss=MeanSquaredError())
        model.fit(X, PLANE, epochs=100, verbose=0)
        weights, bias = model.get_weights()
        np.testing.assert_allclose(weights[:, 0], [1.0, -2.0, 0.5], atol=1e-3)
        np.testing.assert_allclose(bias, [3.0], atol=1e-3)

    def test_binary_crossentropy_is_binary_classification(self) -> None:
        """BinaryCrossentropy() --> binary classification."""
        fg.utils.set_random_seed(1)
        model = Sequential([Dense(1, activation="sigmoid")])
        model.compile(optimizer=optimizers.Adam(0.1), loss=BinaryCrossentropy())
        model.fit(X, SIDE, epochs=50, verbose=0)
        probability = model.predict(X, verbose=0)
        assert ((probability >= 0) & (probability <= 1)).all()
        assert np.mean((probability[:, 0] > 0.5) == SIDE) > 0.97

    def test_epochs_are_the_passes_of_gradient_descent(self) -> None:
        """`epochs` --> the number of steps in gradient descent, where a step sees all rows."""
        model = Sequential([Dense(1)])
        model.compile(optimizer=optimizers.SGD(0.1), loss=MeanSquaredError())
        model.fit(X, PLANE, batch_size=len(X), epochs=7, verbose=0)
        assert int(model.optimizer.iterations) == 7


class TestTrainingDetails:
    """1. Training details: define the model, specify loss and cost, minimise the cost."""

    def test_three_steps_of_logistic_regression(self) -> None:
        """`z = np.dot(w, x) + b`, `f_x = 1 / (1 + np.exp(-z))`; `loss = -y * np.log(f_x)
        - (1 - y) * np.log(1 - f_x)`; `w = w - alpha * dj_dw`, `b = b - alpha * dj_db`.

        The derivatives on paper, those of the formula by `grad`, and those of a model are the same.
        """
        alpha, w, b = 0.5, np.array([0.1, -0.2, 0.3]), 0.05
        f_x = 1 / (1 + np.exp(-(np.dot(X, w) + b)))
        dj_dw = np.dot(f_x - SIDE, X) / len(X)
        dj_db = np.mean(f_x - SIDE)

        def cost(w: Any, b: Any) -> Any:
            z = ops.dot(X, w) + b
            f_x = 1 / (1 + ops.exp(-z))
            return ops.mean(-SIDE * ops.log(f_x) - (1 - SIDE) * ops.log(1 - f_x))

        by_grad = fg.grad(cost, argnums=(0, 1))(w, np.float64(b))
        np.testing.assert_allclose(by_grad[0].numpy(), dj_dw, rtol=1e-12)
        np.testing.assert_allclose(by_grad[1].numpy(), dj_db, rtol=1e-12)

        model = Sequential([Dense(1, activation="sigmoid", dtype="float64")])
        model.build((None, 3))
        model.set_weights([w[:, np.newaxis], [b]])
        model.compile(optimizer=optimizers.SGD(alpha), loss=BinaryCrossentropy())
        model.fit(X, SIDE, batch_size=len(X), epochs=1, verbose=0)
        after_w, after_b = model.get_weights()
        np.testing.assert_allclose(after_w[:, 0], w - alpha * dj_dw, rtol=1e-12)
        np.testing.assert_allclose(after_b[0], b - alpha * dj_db, rtol=1e-12)

    def test_cost_is_the_mean_of_the_losses(self) -> None:
        """Specify the loss L(f(x), y) and the cost J(w, b)."""
        model = Sequential([Dense(1, activation="sigmoid", dtype="float64")])
        model.compile(loss=BinaryCrossentropy())
        model.fit(X, SIDE, epochs=1, verbose=0)
        f_x = model.predict(X, verbose=0)[:, 0]
        cost = np.mean(-SIDE * np.log(f_x) - (1 - SIDE) * np.log(1 - f_x))
        assert model.evaluate(X, SIDE, verbose=0) == pytest.approx(cost, rel=1e-12)

    def test_training_minimises_the_cost(self) -> None:
        """Train on data to minimise J(w, b)."""
        model = Sequential([Dense(1)])
        model.compile(optimizer=optimizers.SGD(0.05), loss=MeanSquaredError())
        history = model.fit(X, PLANE, batch_size=len(X), epochs=50, verbose=0)
        costs = history.history["loss"]
        assert all(after < before for before, after in pairwise(costs))


TYPES: dict[str, Callable[[Array], Array]] = {
    "linear": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "relu": lambda z: np.maximum(0, z),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "tanh": np.tanh,
}


class TestActivationFunctionTypes:
    """2. Activation functions: types."""

    @pytest.mark.parametrize("name", TYPES)
    def test_formula(self, name: str) -> None:
        """linear g(z) = z; sigmoid g(z) = 1 / (1 + exp(-z)); ReLU g(z) = max(0, z); LeakyReLU;
        tanh: `activation='...'`."""
        z = np.linspace(-5.0, 5.0, 41)[:, np.newaxis]
        layer = Dense(1, activation=name, kernel_initializer="ones", dtype="float64")
        np.testing.assert_allclose(layer(z).numpy(), TYPES[name](z), rtol=1e-14, atol=1e-300)

    def test_relu_on_both_sides(self) -> None:
        """If z < 0 --> g(z) = 0, else --> g(z) = z."""
        assert activations.relu([-3.0, -0.5, 0.0, 0.5, 3.0]).tolist() == [0.0, 0.0, 0.0, 0.5, 3.0]

    def test_leaky_relu_layer(self) -> None:
        """We have other activation functions: LeakyReLU, as a layer of its own or in Dense."""
        z = np.array([[-2.0, 3.0]], np.float32)
        expected = layers.LeakyReLU(negative_slope=0.1)(z).numpy()
        np.testing.assert_allclose(expected, [[-0.2, 3.0]], rtol=1e-6)
        dense = Dense(
            2, activation=layers.LeakyReLU(negative_slope=0.1), kernel_initializer="identity"
        )
        np.testing.assert_array_equal(dense(z).numpy(), expected)

    def test_different_functions_for_different_layers(self) -> None:
        """We can choose different functions for different neurons."""
        fg.utils.set_random_seed(1)
        model = Sequential(
            [
                Dense(6, activation="relu"),
                Dense(5, activation=activations.tanh),
                Dense(4, activation=layers.LeakyReLU()),
                Dense(3, activation=lambda z: ops.sigmoid(z) * 2.0),
                Dense(1, activation="linear"),
            ]
        )
        model.compile(optimizer="adam", loss=MeanSquaredError())
        losses_seen = model.fit(X, PLANE, epochs=20, verbose=0).history["loss"]
        assert losses_seen[-1] < losses_seen[0]


class TestWhichActivationFunction:
    """2. Activation functions: which one for the output y, which for the hidden layers."""

    def test_binary_output_takes_sigmoid(self) -> None:
        """A binary output --> binary classification problem --> sigmoid."""
        z = np.linspace(-800.0, 800.0, 9)[:, np.newaxis]
        out = Dense(1, activation="sigmoid", kernel_initializer="ones", dtype="float64")(z).numpy()
        assert ((out >= 0) & (out <= 1)).all()
        assert out[4, 0] == 0.5

    def test_regression_takes_linear(self) -> None:
        """Regression --> linear activation: y may be negative or positive."""
        fg.utils.set_random_seed(1)
        model = Sequential([Dense(8, activation="relu"), Dense(1, activation="linear")])
        model.compile(optimizer=optimizers.Adam(0.01), loss=MeanSquaredError())
        model.fit(X, PLANE - 3.0, epochs=100, verbose=0)
        predicted = model.predict(X, verbose=0)
        assert predicted.min() < -1 < 1 < predicted.max()

    def test_targets_never_negative_take_relu(self) -> None:
        """If y receives only non-negative values --> ReLU."""
        fg.utils.set_random_seed(1)
        y = np.maximum(0.0, PLANE)
        model = Sequential(
            [Dense(8, activation="relu"), Dense(1, activation="relu", bias_initializer="ones")]
        )
        model.compile(optimizer=optimizers.Adam(0.01), loss=MeanSquaredError())
        model.fit(X, y, epochs=100, verbose=0)
        predicted = model.predict(X, verbose=0)[:, 0]
        assert predicted.min() >= 0.0
        assert np.mean((predicted - y) ** 2) < 0.1 * np.var(y)

    def test_relu_learns_faster_in_hidden_layers(self) -> None:
        """Most of the time we prefer ReLU for hidden layers, because it learns faster."""
        (x, y), _ = datasets.load_digits()
        left = {}
        for activation in ("relu", "sigmoid"):
            fg.utils.set_random_seed(1)
            model = Sequential(
                [
                    layers.Rescaling(1 / 16),
                    layers.Flatten(),
                    Dense(25, activation=activation),
                    Dense(15, activation=activation),
                    Dense(10, activation="linear"),
                ]
            )
            model.compile("adam", SparseCategoricalCrossentropy(from_logits=True))
            left[activation] = model.fit(x, y, epochs=10, verbose=0).history["loss"][-1]
        assert left["relu"] < 0.5 * left["sigmoid"]


class TestWhyActivationFunctions:
    """2. Why do we need activation functions?"""

    def test_without_them_layers_are_one_linear_regression(self) -> None:
        """It would turn into linear regression, and several layers do not help."""
        model = Sequential([Dense(25), Dense(15), Dense(1)])
        for layer in model.layers:
            layer.dtype = "float64"
        model.compile(optimizer=optimizers.SGD(0.01), loss=MeanSquaredError())
        model.fit(X, PLANE**2, epochs=5, verbose=0)
        kernel, bias = np.eye(3), np.zeros(3)
        for layer in model.layers:
            w, b = layer.get_weights()
            kernel, bias = kernel @ w, bias @ w + b
        np.testing.assert_allclose(model.predict(X, verbose=0), X @ kernel + bias, rtol=1e-10)


class TestSoftmaxRegression:
    """3. Multi-class classification: the target y can take more than two values."""

    def test_formula(self) -> None:
        """`z_j = w_j . x + b_j`, `a_j = exp(z_j) / sum_k exp(z_k) = P(y = j | x)`, j = 1 ... N."""
        for outputs in (2, 4, 10):
            w, b = RNG.normal(size=(3, outputs)), RNG.normal(size=outputs)
            layer = Dense(outputs, activation="softmax", dtype="float64")
            layer.build((None, 3))
            layer.set_weights([w, b])
            z = X @ w + b
            a = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
            np.testing.assert_allclose(layer(X).numpy(), a, rtol=1e-13)
            np.testing.assert_allclose(layer(X).numpy().sum(axis=1), 1.0, rtol=1e-14)

    def test_two_outputs_are_logistic_regression(self) -> None:
        """Softmax regression generalises logistic regression."""
        z = np.linspace(-30.0, 30.0, 25)
        pair = activations.softmax(np.column_stack([z, np.zeros(25)])).numpy()
        np.testing.assert_allclose(pair[:, 0], activations.sigmoid(z).numpy(), rtol=1e-14)

    def test_cost(self) -> None:
        """Cost for softmax regression: -log(a_j) if y = j, and J is the mean."""
        a = activations.softmax(RNG.normal(size=(6, 4))).numpy()
        y = np.array([0, 3, 2, 1, 1, 0])
        loss = SparseCategoricalCrossentropy()
        values = losses.sparse_categorical_crossentropy(y, a).numpy()
        np.testing.assert_allclose(values, -np.log(a[np.arange(6), y]), rtol=1e-12)
        assert loss(y, a).item() == pytest.approx(values.mean(), rel=1e-12)


def digits_network(last: str) -> Sequential:
    fg.utils.set_random_seed(1)
    return Sequential(
        [
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            Dense(units=25, activation="relu"),
            Dense(units=15, activation="relu"),
            Dense(units=10, activation=last),
        ]
    )


class TestNeuralNetworkWithSoftmaxOutput:
    """3. Neural network with softmax output: the naive form, and the improved one."""

    def test_naive_form(self) -> None:
        """`Dense(units=10, activation='softmax')`, `loss=SparseCategoricalCrossentropy()` (not
        recommended: here it is as exact as the other)."""
        (x, y), (x_test, y_test) = datasets.load_digits()
        model = digits_network("softmax")
        model.compile(loss=SparseCategoricalCrossentropy())
        model.fit(x, y, epochs=100, verbose=0)
        probabilities = model.predict(x_test, verbose=0)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-6)
        assert np.mean(probabilities.argmax(axis=1) == y_test) >= 0.95

    def test_improved_form(self) -> None:
        """`Dense(units=10, activation='linear')`,
        `loss=SparseCategoricalCrossentropy(from_logits=True)`."""
        (x, y), (x_test, y_test) = datasets.load_digits()
        model = digits_network("linear")
        model.compile(loss=SparseCategoricalCrossentropy(from_logits=True))
        model.fit(x, y, epochs=100, verbose=0)
        probabilities = activations.softmax(model(x_test)).numpy()
        assert np.mean(probabilities.argmax(axis=1) == y_test) >= 0.95

    def test_both_give_the_same_bits(self) -> None:
        (x, y), _ = datasets.load_digits()
        naive, improved = digits_network("softmax"), digits_network("linear")
        naive.compile(loss=SparseCategoricalCrossentropy())
        improved.compile(loss=SparseCategoricalCrossentropy(from_logits=True))
        first = naive.fit(x, y, epochs=3, verbose=0).history
        second = improved.fit(x, y, epochs=3, verbose=0).history
        assert first == second
        for a, b in zip(naive.get_weights(), improved.get_weights(), strict=True):
            assert a.tobytes() == b.tobytes()

    @pytest.mark.parametrize("label", [0, 1, 2])
    def test_roundoff_errors_are_handled(self, label: int) -> None:
        """The improved implementation handles the problem of numerical roundoff errors."""
        z = [1000.0, 999.0, -1000.0]
        with mpmath.workdps(80):
            exact = mpmath.log(mpmath.fsum(mpmath.exp(mpmath.mpf(v) - z[label]) for v in z))
        for form in (
            losses.sparse_categorical_crossentropy([label], [z], from_logits=True),
            fg.jit(lambda y, v: losses.sparse_categorical_crossentropy(y, ops.softmax(v)))(
                np.array([label]), np.array([z])
            ),
        ):
            assert form.item() == pytest.approx(float(exact), rel=1e-6)

    @pytest.mark.parametrize("z", [-1000.0, -30.0, 0.0, 30.0, 1000.0])
    @pytest.mark.parametrize("y", [0.0, 1.0])
    def test_logistic_regression_from_logits(self, z: float, y: float) -> None:
        """`BinaryCrossentropy(from_logits=True)` for logistic regression."""
        with mpmath.workdps(500):
            exact = float(mpmath.log1p(mpmath.exp(mpmath.mpf(-z if y else z))))
        got = BinaryCrossentropy(from_logits=True)(np.array([[y]]), np.array([[z]])).item()
        assert got == pytest.approx(exact, rel=1e-14, abs=0)


class TestMultiLabelClassification:
    """4. Multi-label classification."""

    def test_one_decision_per_label(self) -> None:
        """Several yes/no answers about one input: a sigmoid output for each, BinaryCrossentropy."""
        fg.utils.set_random_seed(1)
        y = np.column_stack([X[:, 0] > 0, X[:, 1] > 0, X.sum(axis=1) > 0]).astype(int)
        model = Sequential([Dense(16, activation="relu"), Dense(3, activation="sigmoid")])
        model.compile(
            optimizer=optimizers.Adam(0.01), loss=BinaryCrossentropy(), metrics=["accuracy"]
        )
        model.fit(X, y, epochs=100, verbose=0)
        said = model.predict(X, verbose=0) > 0.5
        assert ((said == y).mean(axis=0) > 0.9).all()
        assert model.evaluate(X, y, verbose=0)[1] == pytest.approx((said == y).mean(), rel=1e-6)
        assert len(np.unique(said.sum(axis=1))) > 2  # labels do not exclude each other


SLIPS: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "fit(X, Y, epoches=100)": (
        lambda: Sequential([Dense(1)]).fit(X, PLANE, epoches=100),  # type: ignore[call-arg]
        TypeError,
        "did you mean 'epochs'",
    ),
    "SparseCategoricalCrossEntropy": (
        lambda: losses.SparseCategoricalCrossEntropy,
        AttributeError,
        "did you mean 'SparseCategoricalCrossentropy'",
    ),
    "BinaryCrossEntropy": (
        lambda: losses.BinaryCrossEntropy,
        AttributeError,
        "did you mean 'BinaryCrossentropy'",
    ),
    "sequential": (lambda: fg.sequential, AttributeError, "did you mean 'Sequential'"),
    "sequentioal": (lambda: fg.models.sequentioal, AttributeError, "did you mean 'Sequential'"),
    "import sequential": (
        lambda: exec("from fusegrad import sequential"),
        ImportError,
        "did you mean 'Sequential'",
    ),
    "import SparseCategoricalCrossEntropy": (
        lambda: exec("from fusegrad.losses import SparseCategoricalCrossEntropy"),
        ImportError,
        "did you mean 'SparseCategoricalCrossentropy'",
    ),
    "Dense(unit=25)": (
        lambda: Dense(unit=25),  # type: ignore[call-arg]
        TypeError,
        "did you mean 'units'",
    ),
    "Tan": (lambda: Dense(1, activation="Tan"), ArgumentError, "did you mean 'tanh'"),
    "Relu": (lambda: Dense(1, activation="Relu"), ArgumentError, "did you mean 'relu'"),
    "LeakyReLU": (
        lambda: Dense(1, activation="LeakyReLU"),
        ArgumentError,
        "did you mean 'leaky_relu'",
    ),
    "datasets.mnist.load_data()": (
        lambda: datasets.mnist.load_data(),  # noqa: PLW0108 - the attribute is part of the slip
        FileNotFoundError,
        "nothing is downloaded.*read_idx",
    ),
}


class TestSlipsOfSpelling:
    """Names as people misremember them raise errors that name the right spelling."""

    @pytest.mark.parametrize("slip", SLIPS)
    def test_slip(self, slip: str) -> None:
        call, kind, text = SLIPS[slip]
        with pytest.raises(kind, match=text):
            call()
