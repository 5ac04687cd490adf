"""Models: building, training, the same bits in every way of running, what is reported."""

from __future__ import annotations

import copy
import pickle
import re
import threading
import warnings
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import callbacks, layers, losses, metrics, models, ops, optimizers
from fusegrad.errors import ArgumentError


def data(rows: int = 100, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(rows, 5)).astype(np.float32)
    return x, (np.abs(x[:, 0]) * 2).astype(np.int64) % classes


def classifier(last: str = "linear", from_logits: bool = True, **settings: Any) -> fg.Sequential:
    fg.utils.set_random_seed(3)
    model = fg.Sequential(
        [
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.25),
            layers.Dense(3, activation=last),
        ]
    )
    model.compile(
        settings.pop("optimizer", "adam"),
        losses.SparseCategoricalCrossentropy(from_logits=from_logits),
        metrics=["accuracy"],
        **settings,
    )
    return model


def bits(model: models.Model) -> bytes:
    return b"".join(array.tobytes() for array in model.get_weights())


# ---- the same bits


def test_same_seed_same_bits() -> None:
    x, y = data()
    results = []
    for _ in range(2):
        model = classifier()
        history = model.fit(x, y, epochs=3, verbose=0, validation_split=0.2)
        results.append((bits(model), history.history))
    assert results[0] == results[1]


@pytest.mark.parametrize("last", ["linear", "softmax"])
def test_eager_equals_compiled(last: str) -> None:
    x, y = data(70)
    results = []
    for eager in (False, True):
        model = classifier(last, last == "linear", run_eagerly=eager)
        history = model.fit(x, y, epochs=2, verbose=0, validation_data=(x[:9], y[:9]))
        scores = model.evaluate(x, y, verbose=0)
        results.append(
            (bits(model), history.history, scores, model.predict(x, verbose=0).tobytes())
        )
    assert results[0] == results[1]


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_naive_softmax_equals_logits(optimizer: str) -> None:
    x, y = data()
    naive = classifier("softmax", from_logits=False, optimizer=optimizer)
    exact = classifier("linear", from_logits=True, optimizer=optimizer)
    histories = [m.fit(x, y, epochs=3, verbose=0).history for m in (naive, exact)]
    assert bits(naive) == bits(exact)
    assert histories[0] == histories[1]
    np.testing.assert_allclose(naive.predict(x, verbose=0).sum(axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("separate", [False, True])
def test_naive_sigmoid_equals_logits(separate: bool) -> None:
    x, y = data(classes=2)
    results = []
    for fused in (True, False):
        fg.utils.set_random_seed(3)
        stack: list[layers.Layer] = [layers.Dense(4, activation="tanh")]
        if fused and separate:
            stack += [layers.Dense(1), layers.Activation("sigmoid")]
        else:
            stack += [layers.Dense(1, activation="sigmoid" if fused else None)]
        model = fg.Sequential(stack)
        model.compile("rmsprop", losses.BinaryCrossentropy(not fused), metrics=["accuracy"])
        results.append((model.fit(x, y, epochs=3, verbose=0).history, bits(model)))
    assert results[0] == results[1]


def test_categorical_and_sparse_agree() -> None:
    x, y = data()
    results = []
    for loss, target in (
        ("categorical_crossentropy", np.eye(3, dtype=np.float32)[y]),
        ("sparse_categorical_crossentropy", y),
    ):
        fg.utils.set_random_seed(3)
        model = fg.Sequential([layers.Dense(3, activation="softmax")])
        model.compile("sgd", loss, metrics=["accuracy"])
        history = model.fit(x, target, epochs=2, verbose=0).history
        results.append((history, model.get_weights()))
    np.testing.assert_allclose(results[0][1][0], results[1][1][0], rtol=1e-5, atol=1e-7)
    assert results[0][0]["accuracy"] == results[1][0]["accuracy"]


def test_fit_in_parts() -> None:
    x, y = data()
    whole = classifier()
    whole.fit(x, y, epochs=5, verbose=0)
    parts = classifier()
    parts.fit(x, y, epochs=2, verbose=0)
    parts.fit(x, y, epochs=3, verbose=0)
    resumed = classifier()
    resumed.fit(x, y, epochs=2, verbose=0)
    resumed.fit(x, y, epochs=5, initial_epoch=2, verbose=0)
    assert bits(whole) == bits(parts) == bits(resumed)


def test_batch_hooks_change_nothing() -> None:
    class Watcher(callbacks.Callback):
        seen = 0

        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            self.seen += 1
            assert logs is not None
            self.last = logs

    x, y = data()
    plain, watched = classifier(), classifier()
    history = plain.fit(x, y, epochs=2, verbose=0).history
    watcher = Watcher()
    watched.fit(x, y, epochs=2, verbose=0, callbacks=[watcher])
    assert bits(plain) == bits(watched)
    assert watcher.seen == 8
    assert watcher.last == {name: values[-1] for name, values in history.items()}


def test_predict_does_not_depend_on_the_batch() -> None:
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    expected = model.predict(x, verbose=0)
    for size in (1, 7, 100, 1000):
        assert model.predict(x, batch_size=size, verbose=0).tobytes() == expected.tobytes()
    assert model.predict(x[5:6], verbose=0).tobytes() == expected[5:6].tobytes()
    assert model(x).numpy().tobytes() == expected.tobytes()


def test_threads_do_not_change_bits() -> None:
    x, y = data(300)
    results = set()
    for threads in (1, 2, 3):
        fg.set_num_threads(threads)
        try:
            model = classifier()
            model.fit(x, y, epochs=2, batch_size=64, verbose=0)
        finally:
            fg.set_num_threads(None)
        results.add(bits(model))
    assert len(results) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_floatx(dtype: str) -> None:
    x, y = data()
    fg.config.set_floatx(dtype)
    try:
        model = classifier()
        model.fit(x, y, verbose=0)
        assert {array.dtype.name for array in model.get_weights()} == {dtype}
        assert model.predict(x, verbose=0).dtype == dtype
    finally:
        fg.config.set_floatx("float32")


def test_numpy_is_seeded_too() -> None:
    draws = []
    for _ in range(2):
        fg.utils.set_random_seed(9)
        draws.append((np.random.rand(), layers.Dense(2)([[1.0]]).tolist()))  # noqa: NPY002
    assert draws[0] == draws[1]


# ---- what is reported


def test_history_and_evaluate() -> None:
    x, y = data()
    model = classifier()
    history = model.fit(x, y, epochs=2, verbose=0, validation_data=(x[:20], y[:20]))
    assert history is model.history
    assert list(history.history) == ["accuracy", "loss", "val_accuracy", "val_loss"]
    assert history.epoch == [0, 1]
    assert history.params["steps"] == 4
    loss, accuracy = model.evaluate(x[:20], y[:20], verbose=0)
    assert (loss, accuracy) == (
        history.history["val_loss"][-1],
        history.history["val_accuracy"][-1],
    )
    assert model.evaluate(x, y, verbose=0, return_dict=True).keys() == {"loss", "accuracy"}
    expected = np.mean(np.argmax(model.predict(x[:20], verbose=0), axis=1) == y[:20])
    assert accuracy == pytest.approx(expected, abs=1e-12)


def test_loss_is_weighted_by_rows() -> None:
    x = np.array([[1.0], [2.0], [10.0]], np.float32)
    model = fg.Sequential([layers.Dense(1, use_bias=False, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.0), "mse")
    assert model.evaluate(x, x, batch_size=2, verbose=0) == pytest.approx(35.0)
    history = model.fit(x, x, batch_size=2, verbose=0).history
    assert history["loss"] == [pytest.approx(35.0)]


def test_validation_split_is_the_last_rows() -> None:
    x, y = data(103)
    split, explicit = classifier(), classifier()
    first = split.fit(x, y, epochs=2, validation_split=0.3, verbose=0)
    at = int(np.floor(103 * (1 - 0.3)))
    second = explicit.fit(x[:at], y[:at], epochs=2, validation_data=(x[at:], y[at:]), verbose=0)
    assert first.history == second.history
    assert bits(split) == bits(explicit)


def test_no_epochs() -> None:
    x, y = data()
    model = classifier()
    assert model.fit(x, y, epochs=0, verbose=0).history == {}
    assert model.fit(x, y, epochs=3, initial_epoch=3, verbose=0).epoch == []


def test_shuffle_off_keeps_the_order() -> None:
    x, y = data(64)
    order = np.random.default_rng(0).permutation(64)
    results = []
    for rows in (np.arange(64), order):
        model = classifier()
        model.fit(x[rows], y[rows], shuffle=False, batch_size=64, verbose=0, epochs=1)
        results.append(model.get_weights())
    model = classifier()
    model.fit(x, y, shuffle=False, batch_size=64, verbose=0)
    assert results[0][0].tobytes() == model.get_weights()[0].tobytes()


@pytest.mark.parametrize(
    ("loss", "last", "target", "kind"),
    [
        ("bce", "sigmoid", "binary", "binary"),
        (losses.BinaryCrossentropy(from_logits=True), "linear", "binary", "logit"),
        ("sparse_categorical_crossentropy", "softmax", "labels", "argmax"),
        ("categorical_crossentropy", "softmax", "onehot", "argmax"),
    ],
)
def test_accuracy_fits_the_loss(loss: Any, last: str, target: str, kind: str) -> None:
    x, y = data(classes=2 if target == "binary" else 3)
    model = fg.Sequential([layers.Dense(1 if target == "binary" else 3, activation=last)])
    model.compile("sgd", loss, metrics=["acc"])
    given = np.eye(3)[y] if target == "onehot" else y
    model.fit(x, given, verbose=0)
    out = model.predict(x, verbose=0)
    said = np.argmax(out, axis=1) if kind == "argmax" else out[:, 0] > (0.5 * (kind == "binary"))
    assert model.evaluate(x, given, verbose=0, return_dict=True)["acc"] == np.mean(said == y)


def test_accuracy_of_a_regression_is_refused() -> None:
    model = fg.Sequential([layers.Dense(1)])
    with pytest.raises(ArgumentError, match="'accuracy' with MeanSquaredError"):
        model.compile("sgd", "mse", metrics=["accuracy"])


def test_metrics_of_all_kinds() -> None:
    def bias(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(y_pred - y_true, axis=-1)

    x, _ = data()
    model = fg.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    model.compile("sgd", "mse", metrics=["mse", bias, metrics.MeanSquaredError(name="again")])
    y = np.full(100, 3.0)
    assert model.evaluate(x, y, verbose=0) == [9.0, 9.0, -3.0, 9.0]
    assert model.metrics_names == ["loss", "mse", "bias", "again"]


@pytest.mark.parametrize("eager", [False, True])
def test_loss_of_my_own(eager: bool) -> None:
    def absolute(y_true: Any, y_pred: Any) -> Any:
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)

    x, _ = data()
    model = fg.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.1), absolute, run_eagerly=eager)
    y = np.full(100, 3.0)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(3.0)
    history = model.fit(x, y, epochs=5, verbose=0)
    assert history.history["loss"][-1] < 3.0


# ---- heads


def test_summary_says_what_is_fused(capsys: pytest.CaptureFixture[str]) -> None:
    model = classifier("softmax", from_logits=False)
    model.build((None, 5))
    model.summary()
    text = capsys.readouterr().out
    assert 'Model: "sequential' in text
    assert "Total params: 75 (300.00 B)" in text
    assert "Fused: the softmax of" in text
    assert "(None, 8)" in text
    assert all(len(line) <= 100 for line in text.splitlines())
    other = classifier()
    other.summary()
    text = capsys.readouterr().out
    assert "Fused" not in text
    assert "0 (unbuilt)" in text


@pytest.mark.parametrize(
    ("last", "loss", "advice"),
    [
        ("softmax", losses.SparseCategoricalCrossentropy(from_logits=True), "activation='linear'"),
        ("sigmoid", losses.BinaryCrossentropy(from_logits=True), "activation='linear'"),
        ("linear", losses.SparseCategoricalCrossentropy(), "from_logits=True"),
        ("linear", losses.BinaryCrossentropy(), "activation='sigmoid'"),
        ("relu", losses.CategoricalCrossentropy(), "activation='softmax'"),
    ],
)
def test_mismatches_warn(last: str, loss: losses.Loss, advice: str) -> None:
    model = fg.Sequential([layers.Dense(3, activation=last)])
    with pytest.warns(UserWarning, match=advice) as caught:
        model.compile("sgd", loss)
    assert caught[0].filename == __file__


def test_matches_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for last, loss in (
            ("softmax", losses.SparseCategoricalCrossentropy()),
            ("linear", losses.SparseCategoricalCrossentropy(from_logits=True)),
            ("sigmoid", losses.BinaryCrossentropy()),
            ("relu", losses.MeanSquaredError()),
        ):
            fg.Sequential([layers.Dense(3, activation=last)]).compile("sgd", loss)


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize(
    ("last", "metric", "advice"),
    [
        ("sigmoid", "binary_accuracy", ""),
        ("sigmoid", "binary_crossentropy", ""),
        ("linear", "binary_accuracy", "threshold=0.0"),
        ("linear", metrics.BinaryAccuracy(threshold=0.0), ""),
        ("linear", "bce", r"metrics.BinaryCrossentropy\(from_logits=True\)"),
        ("linear", metrics.BinaryCrossentropy(from_logits=True), ""),
        (
            "sigmoid",
            metrics.BinaryCrossentropy(from_logits=True),
            r"metrics.BinaryCrossentropy\(\)",
        ),
    ],
)
def test_metrics_of_logits(last: str, metric: Any, advice: str, fused: bool) -> None:
    """Only what is mistaken warns; what is right is what NumPy gives for the outputs."""
    loss = losses.BinaryCrossentropy(from_logits=last == "linear")
    if not fused and last == "sigmoid":
        loss = losses.MeanSquaredError()
    model = fg.Sequential([layers.Dense(1, activation=last)])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.compile("sgd", loss, metrics=[metric])
    assert [str(w.message) for w in caught if not re.search(advice, str(w.message))] == []
    assert len(caught) == bool(advice)
    if advice:
        return
    x, y = data()
    y = y % 2
    found = model.evaluate(x, y, verbose=0)[1]
    p = model.predict(x, verbose=0)[:, 0].astype(np.float64)
    p = 1 / (1 + np.exp(-p)) if last == "linear" else p
    entropy = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    accuracy = np.mean((p > 0.5) == y)
    assert found == pytest.approx(accuracy if "accuracy" in model.metrics_names[1] else entropy)


def test_print_graph(capsys: pytest.CaptureFixture[str]) -> None:
    model = classifier("softmax", from_logits=False)
    model.build((None, 5))
    for stage in ("trace", "fuse", "plan"):
        model.print_graph(stage)
        assert "sparse_softmax_cross_entropy" in capsys.readouterr().out
    with pytest.raises(ArgumentError):
        model.print_graph("nonsense")


# ---- structure


def test_weights_and_paths() -> None:
    model = fg.Sequential(
        [fg.Input((4,)), layers.Dense(3, name="first"), layers.Dense(2, name="second")], name="net"
    )
    assert [w.path for w in model.weights] == [
        "net/first/kernel",
        "net/first/bias",
        "net/second/kernel",
        "net/second/bias",
    ]
    assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
    assert model.input_shape == (None, 4)
    assert model.output_shape == (None, 2)
    arrays = [np.full(w.shape, i, np.float32) for i, w in enumerate(model.weights)]
    model.set_weights(arrays)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), arrays, strict=True))
    before = bits(model)
    with pytest.raises(ArgumentError):
        model.set_weights(arrays[:-1])
    with pytest.raises(ArgumentError, match=r"weights\[3\]"):
        model.set_weights([*arrays[:-1], np.zeros(5)])
    assert bits(model) == before


def test_deferred_build() -> None:
    model = fg.Sequential([layers.Dense(3)])
    assert not model.built
    assert model.get_weights() == []
    with pytest.raises(AttributeError):
        _ = model.input_shape
    with pytest.raises(ValueError, match="count_params"):
        model.count_params()
    model(np.zeros((2, 7), np.float32))
    assert model.count_params() == 24
    with pytest.raises(ArgumentError):
        model.build((None, 8))


def test_add_and_pop() -> None:
    model = fg.Sequential([fg.Input((4,))])
    model.add(layers.Dense(3, name="a"))
    model.add(layers.Dense(2, name="b"))
    assert model.built
    assert model.count_params() == 15 + 8
    kept = model.get_weights()[0]
    assert model.pop().name == "b"
    assert model.output_shape == (None, 3)
    assert np.array_equal(model.get_weights()[0], kept)
    for bad in (layers.Dense(1, name="a"), fg.Input((4,)), layers.Dense, "dense", None):
        with pytest.raises(ArgumentError):
            model.add(bad)  # type: ignore[arg-type]
    assert [layer.name for layer in model.layers] == ["a"]


def test_config_round_trip() -> None:
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    twin = fg.Sequential.from_config(model.get_config())
    assert twin.get_config() == model.get_config()
    twin.set_weights(model.get_weights())
    assert twin.predict(x, verbose=0).tobytes() == model.predict(x, verbose=0).tobytes()


def test_reset() -> None:
    x, y = data()
    model = classifier()
    first = model.fit(x, y, epochs=2, verbose=0).history
    trained = bits(model)
    model.reset()
    assert model.history is None
    assert model.fit(x, y, epochs=2, verbose=0).history == first
    assert bits(model) == trained


def test_frozen_layers_stay() -> None:
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    assert np.array_equal(before[0], after[0])
    assert not np.array_equal(before[2], after[2])
    model.trainable = False
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_nested_models() -> None:
    x, y = data()
    results = []
    for nested in (False, True):
        fg.utils.set_random_seed(4)
        stack: list[layers.Layer] = [layers.Dense(6, "relu"), layers.Dense(3, "softmax")]
        model = fg.Sequential([stack[0], fg.Sequential([stack[1]])] if nested else stack)
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.seed = 5
        model.fit(x, y, verbose=0)
        results.append(bits(model))
    assert results[0] == results[1]


@pytest.mark.parametrize("eager", [False, True])
def test_subclassed_model(eager: bool) -> None:
    class Residual(models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.inner = layers.Dense(5, activation="tanh")
            self.outer = layers.Dense(3)

        def call(self, x: Any) -> Any:
            return self.outer(x + self.inner(x))

    x, y = data()
    model = Residual()
    model.compile(
        "adam",
        losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        run_eagerly=eager,
    )
    history = model.fit(x, y, epochs=20, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert len(model.weights) == 4
    assert model.predict(x, verbose=0).shape == (100, 3)


def test_python_conditions_need_eager() -> None:
    class Gate(layers.Layer):
        def call(self, x: Any) -> Any:
            return x * 2.0 if ops.sum(x) > 0.0 else x

        def compute_output_shape(self, input_shape: Any) -> Any:
            return input_shape

    x, y = data()
    model = fg.Sequential([Gate(), layers.Dense(3)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    with pytest.raises(TypeError, match="run_eagerly=True"):
        model.fit(x, y, verbose=0)
    model.compile("sgd", loss, run_eagerly=True)
    model.fit(x, y, verbose=0)


def test_programs_are_reused() -> None:
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    kept = len(model.programs._known)
    for _ in range(3):
        model.fit(x, y, verbose=0)
    assert len(model.programs._known) == kept == 2
    for rows in range(1, 100):
        model.predict(x[:rows], batch_size=100, verbose=0)
    assert len(model.programs._known) <= 64


def test_learning_rate_between_epochs() -> None:
    class Freeze(callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
            self.model.optimizer.learning_rate = 0

    x, y = data()
    model = classifier(optimizer=optimizers.SGD(1))
    one = classifier(optimizer=optimizers.SGD(1.0))
    one.fit(x, y, epochs=1, verbose=0)
    model.fit(x, y, epochs=4, verbose=0, callbacks=[Freeze()])
    assert bits(model) == bits(one)


# ---- Ctrl-C


@pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(), reason="needs the main thread"
)
@pytest.mark.parametrize("eager", [False, True])
def test_interrupt(interrupted: Any, eager: bool) -> None:
    x, y = data(20_000)
    model = classifier(run_eagerly=eager)
    model.fit(x[:64], y[:64], verbose=0)
    with interrupted(0.4):
        model.fit(x, y, epochs=10**6, verbose=0)
    assert all(np.isfinite(array).all() for array in model.get_weights())
    assert model.history is not None
    steps = int(model.optimizer.iterations.numpy())
    assert steps > 2
    again = classifier()
    again.fit(x[:64], y[:64], verbose=0)
    if not eager:  # the state is that of a batch boundary: replay the same number of steps
        replay(again, x, y, steps)
        assert bits(again) == bits(model)
    model.fit(x[:64], y[:64], verbose=0)


def replay(model: fg.Sequential, x: np.ndarray, y: np.ndarray, steps: int) -> None:
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
            if int(self.model.optimizer.iterations.numpy()) == steps:
                self.model.stop_training = True

    model.fit(x, y, epochs=10**6, verbose=0, callbacks=[Stop()])


def test_changes_inside_a_nested_model_count() -> None:
    x, _ = data()
    inner = fg.Sequential([layers.Dense(5)])
    outer = fg.Sequential([inner])
    outer.compile("sgd", "mse")
    assert outer.predict(x, verbose=0).shape == (100, 5)
    inner.add(layers.Dense(2))
    assert outer.predict(x, verbose=0).shape == (100, 2)
    before = outer.predict(x, verbose=0)
    inner.reset()
    inner.set_weights([np.zeros(w.shape) for w in inner.weights])
    assert not outer.predict(x, verbose=0).any()
    assert before.any()


@pytest.mark.parametrize("way", ["deepcopy", "pickle"])
def test_copies_go_on_alike(way: str) -> None:
    x, y = data()
    model = classifier()
    model.fit(x, y, verbose=0)
    other = copy.deepcopy(model) if way == "deepcopy" else pickle.loads(pickle.dumps(model))
    assert other.predict(x, verbose=0).tobytes() == model.predict(x, verbose=0).tobytes()
    before = bits(model)
    other.fit(x, y, epochs=2, verbose=0)
    assert bits(model) == before
    model.fit(x, y, epochs=2, verbose=0)
    assert bits(other) == bits(model)
