"""Bad input: the right error, naming the argument, and a model that is bit for bit as before."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from bad_data import KINDS, PREDICTING, ROWS, TRAINING, good_x, good_y, model_of, with_value
from bad_input import CLASS_NAMES, RUNS, Run
from fusegrad import layers, losses
from fusegrad.errors import ArgumentError


def digest(model: fg.Sequential) -> str:
    """Everything that a call can change."""
    text = hashlib.sha256()
    for array in model.get_weights():
        text.update(array.tobytes())
    for variable in model.optimizer.variables if model.optimizer.built else []:
        text.update(variable.numpy().tobytes())
    state = (
        model._epochs,
        model.seed,
        model.built,
        model.trainable,
        model._input_shape,
        [(layer.name, layer.built, len(layer.weights)) for layer in model.layers],
        id(model.compiled),
        float(model.optimizer.learning_rate.numpy()),
        model.optimizer.built,
    )
    text.update(repr(state).encode())
    return text.hexdigest()


def refused(run: Run, model: fg.Sequential) -> None:
    before = digest(model)
    with pytest.raises(run.error, match=run.text) as caught:
        run.call(model)
    message = str(caught.value)
    assert re.match(run.start, message), message
    assert "\n" not in message
    assert len(message) < 600
    if isinstance(caught.value, ArgumentError):
        named = caught.value.argument
        assert named == run.argument or named.startswith(f"{run.argument}["), message
        assert caught.value.expected
        assert caught.value.got
    else:
        assert run.argument is None
    assert digest(model) == before


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.title)
def test_refused_and_nothing_changed(run: Run) -> None:
    model = model_of(run.kind)
    refused(run, model)
    model.fit(good_x(), KINDS[run.kind].y(), verbose=0)  # and it is of use
    assert all(np.isfinite(array).all() for array in model.get_weights())


UNBUILT = [run for run in RUNS if not run.built and run.entry in TRAINING | PREDICTING]


@pytest.mark.parametrize("eagerly", [False, True], ids=["compiled", "eager"])
@pytest.mark.parametrize("run", UNBUILT, ids=lambda run: run.title)
def test_an_unbuilt_model_stays_unbuilt(run: Run, eagerly: bool) -> None:
    model = model_of(run.kind, built=False, eagerly=eagerly)
    refused(run, model)
    assert not model.built
    assert model.get_weights() == []
    assert not model.optimizer.built


# Where each class is tried, besides single functions: a class that cannot be given at an entry
# point (targets to predict) is not, and calls of a model and of layers pass NaN and infinity on.
ON_BATCH = {"train_on_batch", "test_on_batch"}
WITH_TARGETS = {"fit", "evaluate", "validation_data"} | ON_BATCH
WITH_INPUTS = WITH_TARGETS | {"predict", "predict_on_batch"}
CALLS_TOO = WITH_INPUTS | {"model(x)", "layer(x)"}
LABELLED = WITH_TARGETS | {
    "losses.sparse_categorical_crossentropy", "metrics.Metric", "to_categorical"
}  # fmt: skip
COVERED = {
    1: LABELLED,
    2: LABELLED,
    3: LABELLED,
    4: WITH_INPUTS | {"adapt"},
    5: WITH_TARGETS | {"losses.sparse_categorical_crossentropy", "to_categorical"},
    6: WITH_TARGETS | {"losses.mean_squared_error", "set_weights"},
    7: CALLS_TOO,
    8: LABELLED | {"losses.categorical_crossentropy", "losses.binary_crossentropy", "losses.huber"}
    | {"losses.mean_squared_error", "losses.mean_absolute_error", "ops", "set_weights"},
    9: CALLS_TOO,
    10: WITH_INPUTS | {"adapt"},
    11: WITH_INPUTS | {"layer(x)", "adapt"},
    12: CALLS_TOO | {"adapt", "ops", "losses.mean_squared_error", "metrics.Metric"}
    | {"to_categorical", "set_weights", "read_idx", "load_fashion_mnist"},
    13: CALLS_TOO | {"adapt", "ops", "to_categorical", "set_weights"},
    14: CALLS_TOO | {"adapt", "ops", "losses.mean_squared_error", "set_weights"},
    15: CALLS_TOO | {"adapt", "set_weights"},
    16: WITH_TARGETS | {"losses.Loss", "metrics.Metric"},
    17: {"fit", "train_on_batch"},
    18: {"fit", "evaluate", "predict", "to_categorical", "command line"},
    19: {"optimizers.SGD", "optimizers.RMSprop", "optimizers.Adam", "optimizer.learning_rate"},
    20: {"fit", "evaluate", "predict", "train_on_batch", "model(x)", "layer(x)", "add", "build"}
    | {"Sequential", "Input", "Dense", "ops", "to_categorical", "initializers.Zeros"}
    | {"random.normal"},
    21: WITH_INPUTS | {"adapt", "set_weights", "to_categorical"},
    22: {"fit", "evaluate", "predict", "predict_on_batch", "model(x)", "build", "pop"} | ON_BATCH
    | {"set_weights", "count_params", "print_graph", "output_shape", "command line"},
    23: {"compile", "Dense", "Activation", "layers.deserialize", "losses.get", "metrics.get"}
    | {"optimizers.get", "activations.get", "initializers.get", "regularizers.get"}
    | {"print_graph", "get_layer", "command line"},
    24: WITH_TARGETS | {"compile", "losses.binary_crossentropy", "losses.categorical_crossentropy"}
    | {"losses.sparse_categorical_crossentropy"},
}  # fmt: skip


def test_every_class_at_every_entry_point(summary: list[str]) -> None:
    entries = defaultdict(set)
    inputs = defaultdict(set)
    for run in RUNS:
        entries[run.number].add(run.entry)
        inputs[run.number].add(run.name)
    assert sorted(entries) == sorted(CLASS_NAMES)
    assert sorted(COVERED) == list(range(1, 25))
    for number, wanted in COVERED.items():
        assert entries[number] >= wanted, (CLASS_NAMES[number], wanted - entries[number])
    distinct = sum(map(len, inputs.values()))
    assert distinct >= 450
    assert min(map(len, inputs.values())) >= 3
    assert len({run.title for run in RUNS}) == len(RUNS) >= 1500
    summary.append(
        f"bad input: {distinct} cases in {len(COVERED)} classes and other arguments, refused "
        f"{len(RUNS)} times at {len({run.entry for run in RUNS})} entry points, and "
        f"{2 * len(UNBUILT)} times by models that were not built"
    )


def test_failed_first_call_changes_no_result() -> None:
    fg.utils.set_random_seed(5)
    first = model_of("classifier", built=False)
    with pytest.raises(ArgumentError):
        first.fit(good_x(), good_y() + 1, verbose=0)
    first.fit(good_x(), good_y(), epochs=2, verbose=0)
    fg.utils.set_random_seed(5)
    second = model_of("classifier", built=False)
    second.fit(good_x(), good_y(), epochs=2, verbose=0)
    assert [a.tobytes() for a in first.get_weights()] == [b.tobytes() for b in second.get_weights()]


def test_after_a_refusal_another_shape_is_as_good() -> None:
    model = model_of("classifier", built=False)
    with pytest.raises(ArgumentError):
        model.fit(good_x(), good_y() + 1, verbose=0)
    model.fit(good_x()[:, :2], good_y(), verbose=0)
    assert model.get_weights()[0].shape == (2, 5)


def test_failed_first_use_leaves_no_layer_built() -> None:
    class Fails(layers.Layer):
        def call(self, x: Any) -> Any:
            raise RuntimeError("mine")

    model = fg.Sequential([layers.Dense(3), Fails()])
    uses: list[Callable[[], Any]] = [
        lambda: model(good_x()),
        lambda: model.predict(good_x(), verbose=0),
        lambda: model.build((None, 4)),
    ]
    for use in uses:
        with pytest.raises(RuntimeError, match="mine"):
            use()
        assert not model.built
        assert model.weights == []
        assert not any(layer.built for layer in model.layers)
    model.pop()
    assert model(good_x()[:, :2]).shape == (ROWS, 3)  # any other shape still goes


def test_images_without_flatten() -> None:
    model = fg.Sequential([layers.Dense(3)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ArgumentError, match=r"add layers\.Flatten\(\)"):
        model.fit(np.ones((ROWS, 8, 8)), good_y(), verbose=0)


@pytest.mark.parametrize("y", [np.arange(ROWS), np.arange(ROWS) / 2], ids=["int", "float"])
def test_own_losses_do_not_broadcast(y: np.ndarray) -> None:
    def squares(y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2  # no mean: one value per element, as Keras takes it too

    model = fg.Sequential([layers.Dense(1)])
    model.compile(fg.optimizers.SGD(0.0), squares)
    found = model.fit(good_x(), y, verbose=0).history["loss"]
    np.testing.assert_allclose(found, ((y - model.predict(good_x(), verbose=0)[:, 0]) ** 2).mean())
    model.compile("sgd", lambda y_true, y_pred: (fg.ops.reshape(y_true, (-1,)) - y_pred) ** 2)
    with pytest.raises(
        ArgumentError, match=r"one value per sample .* got values of shape \(2, 2\)"
    ):
        model.fit(good_x(), y, verbose=0)
    model.compile("sgd", lambda y_true, y_pred: None)
    with pytest.raises(ArgumentError, match="one number per sample, got None"):
        model.fit(good_x(), y, verbose=0)


@pytest.mark.parametrize("eagerly", [False, True])
def test_numpy_functions_in_own_losses(eagerly: bool) -> None:
    def train(loss: Any) -> list[np.ndarray]:
        fg.utils.set_random_seed(3)
        model = fg.Sequential([layers.Dense(3)])
        model.compile("sgd", loss, run_eagerly=eagerly)
        model.fit(good_x(), KINDS["three values"].y(), verbose=0)
        return model.get_weights()

    ours = train(lambda y, p: fg.ops.mean((y - p) ** 2, axis=-1))
    numpys = train(lambda y, p: np.mean((y - p) ** 2, axis=-1))
    assert all(np.array_equal(a, b) for a, b in zip(ours, numpys, strict=True))


def test_calling_a_model_passes_nan_on() -> None:
    model = model_of("classifier")
    out = model(with_value(good_x(), (1, 0), np.nan)).numpy()
    assert np.isnan(out[1]).all()
    assert np.isfinite(np.delete(out, 1, axis=0)).all()


def test_training_may_stand_second() -> None:
    model = fg.Sequential([layers.Dropout(0.5)])
    assert (model(good_x(), True).numpy() != model(good_x(), False).numpy()).any()
    assert (model(good_x(), None).numpy() == good_x()).all()


def test_a_diverged_model_can_be_copied() -> None:
    model = model_of("classifier")
    model.set_weights([np.full(a.shape, np.nan) for a in model.get_weights()])
    assert np.isnan(model.get_weights()[0]).all()


@pytest.mark.parametrize("eagerly", [False, True])
def test_batches_without_weight(eagerly: bool) -> None:
    """A mean over weights that are all zero in some batch is 0 there, as in Keras, and not NaN."""
    loss = losses.MeanSquaredError(reduction="mean_with_sample_weight")
    model = fg.Sequential([layers.Dense(1)])
    model.compile("sgd", loss, run_eagerly=eagerly)
    weights = np.repeat([1.0, 0.0], 6)
    model.fit(good_x(), good_y(), batch_size=3, sample_weight=weights, shuffle=False, verbose=0)
    assert all(np.isfinite(array).all() for array in model.get_weights())
    assert loss([[1.0]], [[3.0]], [0.0]).item() == 0.0


def test_good_requests_that_look_odd() -> None:
    model = model_of("classifier")
    x, y = good_x(), good_y()
    assert model.fit(x, y, epochs=0, verbose=0).epoch == []
    assert model.fit(x, y, epochs=3, initial_epoch=3, verbose=0).epoch == []
    model.fit(x, y, batch_size=10**6, verbose=False)
    model.fit(x, y, sample_weight=-np.ones(ROWS), verbose=0)  # as Keras: to unlearn
    model.fit(x, y, sample_weight=np.ones((ROWS, 1)), verbose=0)
    model.fit(x, y, class_weight={"0": 1.0, np.int64(1): 2.0, 2.0: 1.0}, verbose=0)
    model.fit(x, y, validation_data=[x, y], validation_split=0.5, verbose=0)
    model.fit(x, y, callbacks=(), verbose=0)
    with pytest.warns(UserWarning, match="no weight for class 1, 2: it weighs 1"):
        model.fit(x, y, class_weight={0: 2.0}, verbose=0)
    model.compile("sgd", "mse", metrics="mse")
    assert model.metrics_names == ["loss", "mse"]
