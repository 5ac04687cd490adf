"""Parts of the user's own: layers, losses, metrics, optimizers, callables. Traced into the step."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import keras, layers, losses, metrics, ops, optimizers
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(5)
X = RNG.normal(size=(50, 4)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:2] + 0.1 * RNG.normal(size=(50, 1))).astype(np.float32)


def bits(model: Any) -> bytes:
    return b"".join(array.tobytes() for array in model.get_weights())


def trained(make: Callable[[], Any], eagerly: bool, **settings: Any) -> tuple[Any, Any, Any, Any]:
    """Train a model, compiled or op by op; return all that there is to compare."""
    fg.utils.set_random_seed(3)
    model = make()
    given = {"optimizer": "adam", "loss": "mse"} | settings
    model.compile(**{k: v() if isinstance(v, type) else v for k, v in given.items()},
                  run_eagerly=eagerly)  # fmt: skip
    history = model.fit(X, Y, epochs=3, batch_size=16, verbose=0, validation_data=(X[:9], Y[:9]))
    scores = model.evaluate(X, Y, verbose=0, batch_size=16)
    return bits(model), history.history, scores, model.predict(X, verbose=0).tobytes()


def same_bits(make: Callable[[], Any], **settings: Any) -> dict[str, list[float]]:
    compiled, eager = (trained(make, eagerly, **settings) for eagerly in (False, True))
    assert compiled == eager
    history: dict[str, list[float]] = compiled[1]
    assert history["loss"][-1] < history["loss"][0]
    return history


# ---- layers --------------------------------------------------------------------------------------


class Linear(keras.layers.Layer):
    """As in Keras's guide."""

    def __init__(self, units: int = 32, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape: Any) -> None:
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer="random_normal",
            regularizer=lambda w: 1e-3 * ops.sum(ops.square(w)),
            trainable=True,
        )
        self.b = self.add_weight(shape=(self.units,), initializer=ones, trainable=True)

    def call(self, inputs: Any) -> Any:
        return np.matmul(inputs, self.w) + self.b

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


def ones(shape: Any, dtype: Any = None) -> Any:
    return ops.ones(shape, dtype=dtype)


class Noisy(keras.layers.Layer):
    """Acts in training only, by a keyword-only argument."""

    def call(self, inputs: Any, *, training: bool) -> Any:
        return inputs * 1.5 if training else inputs


class Counting(keras.layers.Layer):
    """State that `call` changes, and a loss that it adds."""

    def __init__(self) -> None:
        super().__init__()
        self.total = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.rows = fg.Variable(0.0, trainable=False)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if training:
            self.total.assign_add(ops.sum(inputs))
            self.rows.assign(self.rows + inputs.shape[0])
        self.add_loss(1e-2 * ops.mean(ops.square(inputs)))
        return inputs - self.total / (self.rows + 1.0) * 1e-3


class Block(keras.layers.Layer):
    """Layers inside layers, some put into a list one by one."""

    def __init__(self, depth: int) -> None:
        super().__init__()
        self.blocks: list[Any] = []
        for _ in range(depth):
            self.blocks.append(Linear(5))
        self.heads = {"a": keras.layers.Dense(3, activation=lambda x: ops.tanh(x) * 2.0)}
        self.noisy = Noisy()

    def call(self, inputs: Any) -> Any:
        for block in self.blocks:
            inputs = ops.relu(block(inputs))
        return self.noisy(self.heads["a"](inputs))


def test_layers_of_ones_own() -> None:
    def make() -> Any:
        return fg.Sequential([Linear(6), layers.Activation(ops.tanh), Counting(), Block(2),
                              layers.Dropout(0.1), Linear(1)])  # fmt: skip

    same_bits(make)
    model = make()
    model.build((None, 4))
    block = model.layers[3]
    assert len(block.weights) == 6
    assert len(model.trainable_weights) == 10
    assert len(model.losses) == 4  # of the four Linear layers
    assert layers.Layer.from_config.__func__(Linear, Linear(3).get_config()).units == 3


def test_state_of_a_layer_is_the_same_in_both_ways() -> None:
    totals = []
    for eagerly in (False, True):
        fg.utils.set_random_seed(0)
        counting = Counting()
        model = fg.Sequential([layers.Dense(2), counting, layers.Dense(1)])
        model.compile("sgd", "mse", run_eagerly=eagerly)
        model.fit(X, Y, epochs=2, batch_size=20, verbose=0)
        assert float(counting.rows) == 100.0  # not touched when the model was looked at
        model.evaluate(X, Y, verbose=0)
        assert float(counting.rows) == 100.0
        totals.append(counting.total.numpy())
    assert totals[0] == totals[1] != 0.0


def test_losses_of_a_call() -> None:
    model = fg.Sequential([Counting(), Linear(2)])
    model(X)
    assert len(model.losses) == 2
    assert float(model.losses[1]) == pytest.approx(1e-2 * np.mean(X.astype(np.float64) ** 2))
    model(X)
    assert len(model.losses) == 2
    assert len(model.layers[0].losses) == 1
    model.compile("sgd", "mse")
    model.fit(X, Y.repeat(2, axis=1), verbose=0)
    assert len(model.losses) == 1  # what steps have added is theirs


def test_training_reaches_layers_inside() -> None:
    class Outer(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.noisy = Noisy()

        def call(self, x: Any) -> Any:
            return self.noisy(x)

    outer = Outer()
    assert np.array_equal(outer(X, training=True).numpy(), X * np.float32(1.5))
    assert np.array_equal(outer(X).numpy(), X)
    assert np.array_equal(outer(X, training=False).numpy(), X)


def test_several_inputs_of_a_layer() -> None:
    class Mix(keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.shapes = input_shape
            self.kernel = self.add_weight((input_shape[0][-1], input_shape[1][-1]))

        def call(self, inputs: Any) -> Any:
            a, b = inputs
            return ops.matmul(a, self.kernel) * b

    class Model(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = layers.Dense(3), layers.Dense(2)
            self.mix = Mix()
            self.out = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.out(self.mix([self.a(x), self.b(x)]))

    same_bits(Model)
    model = Model()
    model(X)
    assert model.mix.shapes == [(None, 3), (None, 2)]
    named = {"u": fg.Tensor(X), "v": fg.Tensor(X)}

    class Named(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            return inputs["u"] - inputs["v"]

    assert not Named()(named).numpy().any()


def test_attributes_that_call_reads_can_change() -> None:
    class Scale(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.factor = 1.0

        def call(self, x: Any) -> Any:
            self.seen = x.shape  # a change that each trace makes
            return x * self.factor

    model = fg.Sequential([Scale()])
    assert np.array_equal(model.predict(X, verbose=0), X)
    programs = model.programs._known
    before = list(programs.values())
    model.predict(X, verbose=0)
    assert list(programs.values())[-1] is before[-1]
    model.layers[0].factor = 3.0
    assert np.array_equal(model.predict(X, verbose=0), 3 * X)


def test_constraints() -> None:
    def unit(w: Any) -> Any:
        return w / (ops.sqrt(ops.sum(ops.square(w), axis=0, keepdims=True)) + 1e-7)

    class Normed(keras.layers.Layer):
        def build(self, input_shape: Any) -> None:
            self.kernel = self.add_weight((input_shape[-1], 1), constraint=unit)

        def call(self, x: Any) -> Any:
            return ops.matmul(x, self.kernel)

    for optimizer in ("sgd", "adam", PlainMomentum):
        same_bits(lambda: fg.Sequential([Normed()]), optimizer=optimizer)
        model = fg.Sequential([Normed()])
        model.compile(optimizer() if callable(optimizer) else optimizer, "mse")
        model.fit(X, Y, verbose=0)
        assert np.linalg.norm(model.get_weights()[0]) == pytest.approx(1.0, abs=1e-6)
    with pytest.raises(ArgumentError, match="constraint"):
        layers.Layer().add_weight((2,), constraint="unit")


# ---- losses and metrics --------------------------------------------------------------------------


def cubic(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)


class Cubic(keras.losses.Loss):
    def __init__(self, power: float = 3.0, name: str = "cubic") -> None:
        super().__init__(name=name)
        self.power = power

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.abs(y_true - y_pred) ** self.power, axis=-1)


class Worst(keras.metrics.Metric):
    """Keras's protocol: state, update_state, result."""

    def __init__(self, name: str = "worst", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.worst = self.add_variable(shape=(), initializer="zeros", name="worst")
        self.count = self.add_weight(name="count", initializer="zeros", dtype="float64")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        error = ops.abs(y_true - y_pred)
        if sample_weight is not None:
            error = error * ops.cast(ops.reshape(sample_weight, (-1, 1)), error.dtype)
        self.worst.assign(ops.maximum(self.worst, ops.max(error)))
        self.count.assign_add(y_pred.shape[0])

    def result(self) -> Any:
        return self.worst / ops.sqrt(self.count)


class MeanOfSquares(keras.metrics.Mean):
    """A subclass of Mean that computes the values."""

    def __init__(self) -> None:
        super().__init__(name="squares")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        super().update_state(ops.square(y_true - y_pred), sample_weight)


def bias(y_true: Any, y_pred: Any) -> Any:
    return ops.mean(y_pred - y_true, axis=-1)


def in_numpy(y_true: Any, y_pred: Any) -> Any:
    return np.mean(np.square(y_true - y_pred), axis=-1)


@pytest.mark.parametrize("loss", [cubic, Cubic, in_numpy, lambda t, p: ops.square(t - p)])
def test_losses_and_metrics_of_ones_own(loss: Any) -> None:
    def make() -> Any:
        return fg.Sequential([layers.Dense(5, activation="tanh"), layers.Dense(1)])

    histories = []
    for eagerly in (False, True):
        given = [Worst(), MeanOfSquares(), bias, in_numpy, "mse", lambda t, p: ops.abs(t - p)]
        results = trained(make, eagerly, loss=loss, metrics=given, weighted_metrics=[Worst("w")])
        histories.append(results)
    assert histories[0] == histories[1]
    history = histories[0][1]
    assert history["squares"] == pytest.approx(history["mse"], rel=1e-6)
    assert history["in_numpy"] == pytest.approx(history["mse"], rel=1e-6)
    names = {"loss", "worst", "squares", "bias", "in_numpy", "mse", "lambda", "w"}
    assert {name.removeprefix("val_") for name in history} == names


def test_a_stateful_metric_starts_each_epoch_anew() -> None:
    model = fg.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.0), "mse", metrics=[Worst()])
    expected = float(np.abs(Y).max() / np.sqrt(50))
    history = model.fit(X, Y, epochs=3, batch_size=7, verbose=0).history["worst"]
    assert history == pytest.approx([expected] * 3, rel=1e-6)
    assert model.evaluate(X, Y, verbose=0)[1] == pytest.approx(expected, rel=1e-6)
    for _ in range(3):
        first = model.train_on_batch(X[:5], Y[:5])[1]
        assert first == pytest.approx(np.abs(Y[:5]).max() / np.sqrt(5), rel=1e-6)
    weight = np.linspace(0.0, 2.0, 50)
    model.compile(optimizers.SGD(0.0), "mse", weighted_metrics=[Worst()])
    found = model.fit(X, Y, sample_weight=weight, verbose=0).history["worst"][0]
    assert found == pytest.approx((np.abs(Y[:, 0]) * weight).max() / np.sqrt(50), rel=1e-6)


def test_a_stateful_metric_by_itself() -> None:
    metric = Worst()
    assert [v.path for v in metric.variables] == ["worst/worst", "worst/count"]
    metric.update_state(Y[:4], Y[:4] + 2.0)
    assert float(metric.result()) == pytest.approx(1.0)
    metric.reset_state()
    assert float(metric(Y[:1], Y[:1] + 3.0)) == pytest.approx(3.0)
    mean = metrics.Mean()
    gradient = fg.grad(lambda x: (mean.update_state(x * x), x * x)[1])(3.0)
    assert float(gradient) == 6.0
    assert mean.result() == 9.0
    mean.reset_state()
    assert mean.result() == 0.0


# ---- optimizers ----------------------------------------------------------------------------------


class PlainMomentum(keras.optimizers.Optimizer):
    """Keras 3's protocol; the formula of SGD with momentum."""

    def __init__(self, learning_rate: Any = 0.05, momentum: float = 0.9, **kwargs: Any) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables: Any) -> None:
        if self.built:
            return
        super().build(variables)
        self.momentums = [
            self.add_variable_from_reference(reference_variable=v, name="momentum")
            for v in variables
        ]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, m * self.momentum - gradient * ops.cast(learning_rate, variable.dtype))
        self.assign_add(variable, m)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "momentum": self.momentum}


class Unguarded(PlainMomentum):
    """Its `build` would make its state anew at each call; and `update_step` without the helpers."""

    def build(self, variables: Any) -> None:
        super().build(variables)
        self.seconds = [self.add_variable(v.shape, "zeros", name="second") for v in variables]

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        second = self.seconds[self._get_variable_index(variable)]
        second.assign(0.9 * second + 0.1 * ops.square(gradient))
        step = ops.cast(self.iterations + 1, variable.dtype)
        rate = learning_rate / ops.sqrt(step)
        variable.assign_sub(rate * gradient / (ops.sqrt(second.value) + 1e-7))


class Shrunk(optimizers.Adam):
    """A rule of ours, with the gradient changed before."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        super().update_step(gradient * 1.0, variable, learning_rate)


def network() -> Any:
    return fg.Sequential([layers.Dense(7, activation="tanh"), layers.Dense(1)])


@pytest.mark.parametrize(
    "make",
    [
        PlainMomentum,
        lambda: PlainMomentum(0.05, clipnorm=0.5, name="own"),
        lambda: PlainMomentum(optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)),
        Unguarded,
        Shrunk,
    ],
    ids=["plain", "clipped", "scheduled", "unguarded", "shrunk"],
)
def test_optimizers_of_ones_own(make: Any) -> None:
    results = [trained(network, eagerly, optimizer=make()) for eagerly in (False, True)]
    assert results[0] == results[1]


def test_an_optimizer_of_ones_own_does_what_ours_does() -> None:
    histories = [trained(network, False, optimizer=optimizer)[1]["loss"]
                 for optimizer in (PlainMomentum(0.05), optimizers.SGD(0.05, 0.9))]  # fmt: skip
    assert histories[0] == pytest.approx(histories[1], rel=1e-5)
    ours, own = (trained(network, False, optimizer=o()) for o in (optimizers.Adam, Shrunk))
    assert ours == own


def test_state_of_an_optimizer_of_ones_own() -> None:
    optimizer = PlainMomentum(0.5)
    weight = fg.Variable([1.0, 2.0], name="w")
    optimizer.apply_gradients([([1.0, 1.0], weight)])
    assert weight.numpy().tolist() == [0.5, 1.5]
    assert [v.name for v in optimizer.variables[2:]] == ["w_momentum"]
    optimizer.apply([[0.0, 0.0]])
    assert weight.numpy() == pytest.approx([0.05, 1.05])
    assert int(optimizer.iterations) == 2
    assert PlainMomentum.from_config(optimizer.get_config()).momentum == 0.9
    with pytest.raises(ArgumentError, match="make a new optimizer"):
        optimizer.apply([[1.0]], [fg.Variable([1.0])])
    with pytest.raises(TypeError, match="must define update_step"):
        type("Nothing", (optimizers.Optimizer,), {})(0.1).apply([[1.0]], [fg.Variable([1.0])])
    a, b = fg.Variable([1.0], name="a"), fg.Variable([1.0], name="b")
    with pytest.warns(UserWarning, match="no gradient for 'b'"):
        optimizers.SGD(1.0).apply([[1.0], None], [a, b])
    assert (float(a[0]), float(b[0])) == (0.0, 1.0)
    # A constant of `update_step` that is changed between calls of fit counts.
    model = network()
    model.compile(PlainMomentum(0.1), "mse")
    model.fit(X, Y, verbose=0)
    model.optimizer.momentum = 0.0
    model.fit(X, Y, batch_size=50, verbose=0)
    before = model.get_weights()[-1]
    model.fit(X, Y, batch_size=50, verbose=0)
    gradient = 2 * np.mean(model.predict(X, verbose=0) - Y)
    assert abs(model.get_weights()[-1] - before)[0] < 0.2 * abs(gradient) + 0.2
    model.reset()
    assert int(model.optimizer.iterations) == 0
    model.fit(X, Y, verbose=0)


# ---- what goes wrong -----------------------------------------------------------------------------


def wrong_layer(x: Any) -> Any:
    return ops.matmul(x, np.ones((99, 1)))  # the wrong line


def looks(x: Any) -> Any:
    if ops.sum(x) > 0:  # the wrong line
        return x
    return -x


class WrongMetric(keras.metrics.Metric):
    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        ops.add(y_true, np.ones((7, 7, 7)))  # the wrong line


class WrongOptimizer(keras.optimizers.Optimizer):
    def __init__(self) -> None:
        super().__init__(0.1)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        variable.assign(np.ones(99))  # the wrong line


@pytest.mark.parametrize("eagerly", [False, True])
@pytest.mark.parametrize(
    ("layer", "settings", "text"),
    [
        (layers.Activation(wrong_layer), {}, "99"),
        (layers.Activation(looks), {}, r"ops\.where.*run_eagerly=True"),
        (None, {"loss": lambda t, p: looks(t - p)}, r"ops\.where.*run_eagerly=True"),
        (None, {"loss": lambda t, p: wrong_layer(p)}, "99"),
        (None, {"metrics": [WrongMetric()]}, "7"),
        (None, {"metrics": [lambda t, p: looks(p)]}, r"ops\.where.*run_eagerly=True"),
        (None, {"optimizer": WrongOptimizer()}, "99"),
    ],
)
def test_an_error_shows_the_line(layer: Any, settings: Any, text: str, eagerly: bool) -> None:
    model = fg.Sequential([layers.Dense(1), *([layer] if layer else [])])
    model.compile(**({"optimizer": "sgd", "loss": "mse"} | settings), run_eagerly=eagerly)
    if eagerly and "where" in text:
        model.fit(X, Y, verbose=0)  # where it is allowed
        return
    with pytest.raises((ArgumentError, TypeError), match=text) as caught:
        model.fit(X, Y, verbose=0)
    frames = traceback.extract_tb(caught.value.__traceback__)
    lines = [frame.line or "" for frame in frames if frame.filename == __file__]
    assert any("the wrong line" in line or "wrong_layer(" in line for line in lines)


def test_a_loss_with_labels() -> None:
    def make() -> Any:
        return fg.Sequential([layers.Dense(3, activation="softmax")])

    def cross_entropy(y_true: Any, y_pred: Any) -> Any:
        return losses.sparse_categorical_crossentropy(y_true, y_pred)

    labels = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    model = make()
    model.compile("sgd", cross_entropy)
    history = model.fit(X, labels, epochs=5, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
