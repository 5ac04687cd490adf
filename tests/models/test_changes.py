"""What is changed between calls takes effect, in compiled steps as in eager ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses, metrics, ops, optimizers, regularizers
from fusegrad.errors import ArgumentError

RNG = np.random.default_rng(8)
X = RNG.normal(size=(48, 4))
Y = (X.sum(axis=1) > 0.3).astype(float)


def made(eagerly: bool) -> fg.Sequential:
    fg.utils.set_random_seed(1)
    model = fg.Sequential(
        [layers.Flatten(), layers.Dense(1, kernel_regularizer=regularizers.L2(0.1))]
    )
    model.compile(
        optimizers.SGD(0.01),
        losses.Huber(),
        metrics=[metrics.BinaryAccuracy(threshold=0.3)],
        run_eagerly=eagerly,
    )
    return model


def set_delta(model: fg.Sequential) -> None:
    model.loss.delta = 0.1


def set_threshold(model: fg.Sequential) -> None:
    assert model.compiled is not None
    metric: Any = model.compiled.metrics[0].metric
    metric.threshold = -0.5


def set_penalty(model: fg.Sequential) -> None:
    regularizer: Any = model.layers[1].kernel.regularizer
    regularizer.l2 = 10.0


def drop_penalty(model: fg.Sequential) -> None:
    model.layers[1].kernel.regularizer = None


def set_activity(model: fg.Sequential) -> None:
    model.layers[0].activity_regularizer = "l2"


def set_in_activity(model: fg.Sequential) -> None:
    model.layers[0].activity_regularizer = regularizers.L1(0.0)
    model.evaluate(X, Y, verbose=0)
    model.layers[0].activity_regularizer.l1 = 1.0


CHANGES = [set_delta, set_threshold, set_penalty, drop_penalty, set_activity, set_in_activity]


@pytest.mark.parametrize("change", CHANGES, ids=lambda f: f.__name__)
def test_settings(change: Callable[[fg.Sequential], None]) -> None:
    results = []
    for eagerly in (False, True):
        model = made(eagerly)
        before = model.fit(X, Y, epochs=1, verbose=0).history
        change(model)
        after = model.evaluate(X, Y, verbose=0, return_dict=True)
        again = model.fit(X, Y, epochs=1, verbose=0).history
        results.append((before, after, again, [w.tobytes() for w in model.get_weights()]))
    assert results[0] == results[1]
    unchanged = made(False)
    unchanged.fit(X, Y, epochs=1, verbose=0)
    assert unchanged.evaluate(X, Y, verbose=0, return_dict=True) != results[0][1]


class Picky(layers.Layer):
    """Cannot be traced for one row."""

    def call(self, x: Any) -> Any:
        if x.shape[0] == 1:
            raise RuntimeError("one row")
        return x * 1.0


def test_programs_of_a_failed_call_are_forgotten() -> None:
    model = fg.Sequential([layers.Dense(3), Picky()])
    with pytest.raises(RuntimeError):
        model.predict(X[:33], verbose=0)
    assert not model.built
    model.predict(X[:32], verbose=0)
    model.set_weights([np.ones((4, 3)), np.ones(3)])
    np.testing.assert_array_equal(model.predict(X[:32], verbose=0), model(X[:32]).numpy())


def test_a_build_that_fails_leaves_nothing() -> None:
    def broken(shape: Any, dtype: Any = None) -> Any:
        raise RuntimeError("no bias")

    layer = layers.Dense(3, bias_initializer=broken)
    for call in (lambda: layer(X), lambda: fg.Sequential([fg.Input((4,)), layer])):
        with pytest.raises(RuntimeError):
            call()
        assert layer.weights == []
    model = fg.Sequential()
    with pytest.raises(RuntimeError):
        model.add(layers.Dense(3, bias_initializer=broken, input_shape=(4,)))
    model.add(fg.Input((5,)))
    model.add(layers.Dense(2))
    assert model.count_params() == 12


def test_reset_keeps_what_normalization_has_learned() -> None:
    normalize = layers.Normalization()
    normalize.adapt(X * 3 + 5)
    model = fg.Sequential([normalize, layers.Dense(1)])
    model.compile("sgd", "mse")
    first = model.fit(X * 3 + 5, Y, shuffle=False, verbose=0).history["loss"]
    model.reset()
    np.testing.assert_allclose(normalize.mean.numpy()[0], (X * 3 + 5).mean(axis=0), rtol=1e-5)
    assert model.fit(X * 3 + 5, Y, shuffle=False, verbose=0).history["loss"] == first


def test_an_optimizer_belongs_to_one_model() -> None:
    optimizer = optimizers.Adam()
    first = made(False)
    for _ in range(2):  # compiled again, it goes on
        first.compile(optimizer, "mse")
        first.fit(X, Y, verbose=0)
    second = made(False)
    second.compile(optimizer, "mse")
    before = [w.tobytes() for w in second.get_weights()]
    with pytest.raises(ArgumentError, match="make a new optimizer for each model"):
        second.fit(X, Y, verbose=0)
    assert [w.tobytes() for w in second.get_weights()] == before
    optimizer.reset()
    second.fit(X, Y, verbose=0)


def test_a_loss_of_one_number_has_no_weights() -> None:
    def scalar(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.square(y_true - y_pred))

    model = fg.Sequential([layers.Dense(1)])
    model.compile("sgd", scalar)
    model.fit(X, Y, verbose=0)
    with pytest.raises(ArgumentError, match=r"loss 'scalar'.*axis=-1"):
        model.fit(X, Y, sample_weight=np.ones(48), verbose=0)


def test_callables_without_a_hash() -> None:
    @dataclass
    class Twice:
        factor: float = 2.0

        def __call__(self, *x: Any) -> Any:
            return ops.mean(ops.square(x[0] - x[1]), axis=-1) if x[1:] else x[0] * self.factor

    model = fg.Sequential([layers.Dense(1, activation=Twice())])
    model.compile("sgd", Twice(), metrics=[Twice()])
    logs = model.fit(X, Y, epochs=1, verbose=0).history
    assert logs["loss"] == pytest.approx(logs["Twice" if "Twice" in logs else "metric"], rel=1e-6)


def test_numbers_are_formatted_and_rounded() -> None:
    value = losses.MeanSquaredError()([1.0], [3.5])
    assert f"{value:.3f} {value}" == f"6.250 {value!s}"
    assert round(value, 1) == 6.2
    variable = fg.Variable(np.float64(0.0))
    variable.assign(0.1)
    assert float(variable) == 0.1
    assert f"{variable:.2f}" == "0.10"
    with pytest.raises(ValueError, match="formatting needs a Tensor with one element"):
        f"{ops.ones((2,)):.3f}"


def test_names_of_older_code() -> None:
    assert isinstance(fg.regularizers.l2(0.1), regularizers.L2)
    assert isinstance(fg.initializers.he_normal(), fg.initializers.HeNormal)
    assert fg.activations.swish is fg.activations.silu
    assert fg.Layer is layers.Layer
    assert fg.Model is fg.models.Model


def test_columns_of_an_area_under_a_curve() -> None:
    metric = metrics.AUC(multi_label=True)
    metric.update_state(np.eye(3), np.eye(3))
    with pytest.raises(ArgumentError, match="as many outputs as before"):
        metric.update_state(np.eye(3)[:, :1], np.eye(3)[:, :1])


def test_second_derivatives_far_out() -> None:
    for name in ("erf", "silu", "gelu"):
        function = getattr(ops, name)
        for x in (2e38, -2e38):
            assert fg.grad(fg.grad(function))(np.float32(x)).item() == 0.0
