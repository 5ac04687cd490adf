"""Steps of a model's own: train_step, test_step, predict_step and what they are made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import keras, layers, losses, metrics, ops, optimizers
from fusegrad.errors import ArgumentError
from fusegrad.variable import substituted

RNG = np.random.default_rng(5)
X = RNG.normal(size=(50, 4)).astype(np.float32)
Y = (X[:, :1] * X[:, 1:2]).astype(np.float32)
LABELS = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)


def bits(model: Any) -> bytes:
    return b"".join(array.tobytes() for array in model.get_weights())


def gradients(loss_of: Callable[[], Any], weights: Any) -> tuple[Any, Any]:
    """Return the loss and its gradients, by `value_and_grad`."""

    def f(values: Any) -> Any:
        with substituted(dict(zip(weights, values, strict=True))):
            return loss_of()

    return fg.value_and_grad(f)([weight.value for weight in weights])


class Guide(keras.Sequential):
    """The step of Keras's guide."""

    traces = 0

    def train_step(self, data: Any) -> Any:
        type(self).traces += 1
        x, y = data
        with fg.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class ByValueAndGrad(keras.Sequential):
    """The same by a transform."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        seen = {}

        def loss_of() -> Any:
            seen["y_pred"] = self(x, training=True)
            return self.compute_loss(x=x, y=y, y_pred=seen["y_pred"])

        loss, grads = gradients(loss_of, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        self.compiled.loss_tracker.update_state(loss)
        return self.compute_metrics(x, y, seen["y_pred"])


def classifier(cls: Any, **settings: Any) -> Any:
    fg.utils.set_random_seed(3)
    model = cls(
        [
            layers.Dense(8, activation="relu", kernel_regularizer="l2"),
            layers.BatchNormalization(),
            layers.Dropout(0.25),
            layers.Dense(3, activation="softmax"),
        ]
    )
    given = {"optimizer": "adam", "loss": losses.SparseCategoricalCrossentropy()} | settings
    model.compile(**given)
    return model


def run(model: Any, **more: Any) -> tuple[Any, ...]:
    history = model.fit(X, LABELS, epochs=3, batch_size=16, verbose=0,
                        validation_data=(X[:9], LABELS[:9]), **more)  # fmt: skip
    scores = model.evaluate(X, LABELS, verbose=0, batch_size=16, return_dict=True)
    return bits(model), history.history, scores, model.predict(X, verbose=0).tobytes()


METRICS = ["accuracy", "sparse_categorical_crossentropy"]


def test_the_step_of_the_guide() -> None:
    Guide.traces = 0
    compiled, eager = (
        run(classifier(Guide, metrics=METRICS, run_eagerly=eagerly)) for eagerly in (False, True)
    )
    assert compiled == eager
    assert Guide.traces == 2 + 3 * 4  # a trace for each shape of a batch; eager a call for each
    assert compiled == run(classifier(ByValueAndGrad, metrics=METRICS))
    plain = run(classifier(fg.Sequential, metrics=METRICS))
    assert compiled[0] == plain[0]  # the weights
    assert compiled[3] == plain[3]
    for name, values in plain[1].items():
        if not name.endswith("loss"):  # its mean over batches, whatever their size
            assert compiled[1][name] == pytest.approx(values, rel=1e-12)
    assert compiled[2] == plain[2]


class Untold(keras.Sequential):
    """A step that does not tell the tracker of the loss."""

    def train_step(self, data: Any) -> Any:
        x, y = data
        with fg.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        grads = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(grads, self.trainable_variables, strict=True))
        return self.compute_metrics(x, y, y_pred)


@pytest.mark.parametrize("eagerly", [False, True])
def test_the_loss_is_tracked_where_a_step_does_not(eagerly: bool) -> None:
    def losses_of(cls: Any) -> Any:
        fg.utils.set_random_seed(3)
        model = cls([layers.Dense(4, activation="tanh"), layers.Dense(1)])
        model.compile("adam", "mse", metrics=["mae"], run_eagerly=eagerly)
        history = model.fit(X, Y, batch_size=16, epochs=3, verbose=0).history
        return history["loss"], history["mae"]

    for got, want in zip(losses_of(Untold), losses_of(keras.Sequential), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


class Logging(fg.Sequential):
    """All three steps of Keras's own, with something more."""

    def train_step(self, data: Any) -> Any:
        return {**super().train_step(data), "more": 2.0}

    def test_step(self, data: Any) -> Any:
        return {**super().test_step(data), "more": ops.sum(data[0])}

    def predict_step(self, data: Any) -> Any:
        return super().predict_step(data) * 2.0


@pytest.mark.parametrize("weighted", [False, True])
def test_the_default_steps_do_what_fit_does(weighted: bool) -> None:
    more = {"sample_weight": np.linspace(0.0, 2.0, 50)} if weighted else {}
    settings = {"metrics": METRICS, "weighted_metrics": ["accuracy"]}
    compiled, eager, plain = (
        run(classifier(cls, run_eagerly=eagerly, **settings), **more)
        for cls, eagerly in ((Logging, False), (Logging, True), (fg.Sequential, False))
    )
    assert compiled == eager
    assert compiled[0] == plain[0]
    for name, values in plain[1].items():
        assert compiled[1][name] == pytest.approx(values, rel=1e-6), name
    assert compiled[1]["more"] == [2.0] * 3
    assert compiled[2]["more"] == pytest.approx(float(X[48:].sum()), rel=1e-6)  # the last batch
    assert (np.frombuffer(compiled[3], np.float32) == 2 * np.frombuffer(plain[3], np.float32)).all()


class OwnLoss(fg.Sequential):
    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None,
        training: bool = True,
    ) -> Any:  # fmt: skip
        return 2.0 * super().compute_loss(x, y, y_pred, sample_weight, training)


class OwnMetrics(fg.Sequential):
    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        return super().compute_metrics(x, y, y_pred, sample_weight) | {"size": ops.max(y_pred)}


def test_parts_of_a_step() -> None:
    plain = run(classifier(fg.Sequential, optimizer=optimizers.SGD(0.2)))
    doubled = run(classifier(OwnLoss, optimizer=optimizers.SGD(0.1)))
    assert doubled[1]["val_loss"] == pytest.approx([2 * v for v in plain[1]["val_loss"]], rel=1e-4)
    assert doubled == run(classifier(OwnLoss, optimizer=optimizers.SGD(0.1), run_eagerly=True))
    measured = run(classifier(OwnMetrics))
    assert measured == run(classifier(OwnMetrics, run_eagerly=True))
    assert 0.0 < measured[1]["val_size"][0] <= 1.0
    assert measured[0] == run(classifier(fg.Sequential))[0]


class Autoencoder(keras.Model):
    """Targets are the inputs; its metrics are its own; it has no `call`."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = keras.Sequential([layers.Dense(3, activation="tanh")])
        self.decoder = keras.Sequential([layers.Dense(4)])
        self.loss_tracker = keras.metrics.Mean(name="loss")
        self.error = keras.metrics.RootMeanSquaredError(name="error")

    @property
    def metrics(self) -> Any:
        return [self.loss_tracker, self.error]

    def _step(self, x: Any) -> Any:
        self.y = self.decoder(self.encoder(x, training=True), training=True)
        return ops.mean(ops.square(self.y - x))

    def train_step(self, data: Any) -> Any:
        with fg.GradientTape() as tape:
            loss = self._step(data)
        grads = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(grads, self.trainable_weights)
        self.loss_tracker.update_state(loss)
        self.error.update_state(data, self.y)
        return {"loss": self.loss_tracker.result(), "error": self.error.result()}

    def test_step(self, data: Any) -> Any:
        self.loss_tracker.update_state(self._step(data))
        return {"loss": self.loss_tracker.result()}

    def predict_step(self, data: Any) -> Any:
        return self.encoder(data)


def test_an_autoencoder() -> None:
    results = []
    for eagerly in (False, True):
        fg.utils.set_random_seed(0)
        model = Autoencoder()
        model.compile(optimizers.Adam(0.02), run_eagerly=eagerly)
        history = model.fit(X, epochs=4, batch_size=25, verbose=0).history
        assert history["loss"][-1] < history["loss"][0]
        again = model.fit(X, epochs=5, initial_epoch=4, batch_size=25, verbose=0).history
        assert again["loss"][0] < history["loss"][-1] * 1.2
        assert again["error"][0] ** 2 == pytest.approx(again["loss"][0], rel=1e-3)
        score = model.evaluate(X, verbose=0)
        codes = model.predict(X, verbose=0)
        assert codes.shape == (50, 3)
        batch = [model.train_on_batch(X[:8], return_dict=True) for _ in range(2)]
        results.append((bits(model), history, again, score, codes.tobytes(), batch))
    assert results[0] == results[1]


class GAN(keras.Model):
    """Two networks and two optimizers, as in Keras's guide; the noise comes with the data."""

    def __init__(self) -> None:
        super().__init__()
        self.discriminator = keras.Sequential(
            [keras.Input((2,)), layers.Dense(8, activation="leaky_relu"), layers.Dense(1)]
        )
        self.generator = keras.Sequential(
            [keras.Input((3,)), layers.Dense(8, activation="relu"), layers.BatchNormalization(),
             layers.Dense(2)]
        )  # fmt: skip
        self.d_loss_tracker = keras.metrics.Mean(name="d_loss")
        self.g_loss_tracker = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer: Any, g_optimizer: Any, loss_fn: Any, **kwargs: Any) -> None:
        super().compile(**kwargs)
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = loss_fn

    def train_step(self, data: Any) -> Any:
        noise, real = data
        rows = real.shape[0]
        fake = self.generator(noise, training=True)
        both = ops.concatenate([fake, real], axis=0)
        labels = ops.concatenate([ops.ones((rows, 1)), ops.zeros((rows, 1))], axis=0)
        with fg.GradientTape() as tape:
            d_loss = self.loss_fn(labels, self.discriminator(both))
        grads = tape.gradient(d_loss, self.discriminator.trainable_weights)
        self.d_optimizer.apply_gradients(
            zip(grads, self.discriminator.trainable_weights, strict=True)
        )
        g_loss, grads = gradients(
            lambda: self.loss_fn(
                ops.zeros((rows, 1)), self.discriminator(self.generator(noise, training=True))
            ),
            self.generator.trainable_weights,
        )
        self.g_optimizer.apply(grads, self.generator.trainable_weights)
        self.d_loss_tracker.update_state(d_loss)
        self.g_loss_tracker.update_state(g_loss)
        return {"d_loss": self.d_loss_tracker.result(), "g_loss": self.g_loss_tracker.result()}


def test_two_networks_and_two_optimizers() -> None:
    noise = RNG.normal(size=(50, 3))
    real = np.stack([X[:, 0] + 3.0, X[:, 0] - 3.0], axis=1)
    results = []
    for eagerly in (False, True):
        fg.utils.set_random_seed(0)
        model = GAN()
        model.compile(
            d_optimizer=optimizers.Adam(0.01),
            g_optimizer=optimizers.Adam(0.01),
            loss_fn=losses.BinaryCrossentropy(from_logits=True),
            run_eagerly=eagerly,
        )
        history = model.fit(noise, real, epochs=3, batch_size=10, verbose=0).history
        assert set(history) == {"d_loss", "g_loss"}
        assert int(model.d_optimizer.iterations) == int(model.g_optimizer.iterations) == 15
        moved = model.generator.layers[1].moving_mean.numpy()
        assert moved.any()
        results.append((bits(model), history, moved.tobytes()))
        model.d_optimizer.learning_rate = 0.0
        before = bits(model.discriminator)
        model.fit(noise, real, verbose=0)
        assert bits(model.discriminator) == before
    assert results[0] == results[1]
    generated = model.generator.predict(noise, verbose=0)
    assert generated.shape == (50, 2)


class Subclassed(keras.Model):
    """Layers as attributes, connected in `call`."""

    def __init__(self, units: int = 6) -> None:
        super().__init__(name="subclassed")
        self.normalize = layers.BatchNormalization()
        self.hidden = [layers.Dense(units, activation="tanh") for _ in range(2)]
        self.drop = layers.Dropout(0.3)
        self.out = layers.Dense(1)

    def call(self, inputs: Any, training: bool = False) -> Any:
        x = self.normalize(inputs, training=training)
        for layer in self.hidden:
            x = layer(x)
        if training:
            x = self.drop(x, training=training)
        return self.out(x) + inputs[:, :1]


def test_a_subclassed_model() -> None:
    results = []
    for eagerly in (False, True):
        fg.utils.set_random_seed(0)
        model = Subclassed()
        assert not model.built
        model.compile("adam", "mse", metrics=["mae"], run_eagerly=eagerly)
        history = model.fit(X, Y, epochs=3, verbose=0, validation_split=0.2).history
        assert history["loss"][-1] < history["loss"][0]
        results.append((bits(model), history, model.evaluate(X, Y, verbose=0),
                        model.predict(X, verbose=0).tobytes()))  # fmt: skip
    assert results[0] == results[1]
    lines: list[str] = []
    model.summary(print_fn=lines.append)
    assert " Trainable params: 87 (348.00 B)" in lines[0]
    assert len(model.layers) == 5
    fresh = Subclassed()
    assert fresh(X[:3]).shape == (3, 1)
    assert fresh.count_params() == 95
    assert fresh.weights[0].path.startswith("subclassed/")
    fresh.set_weights(model.get_weights())
    assert np.array_equal(fresh.predict(X, verbose=0), model.predict(X, verbose=0))


def test_metrics_of_a_model_and_its_layers() -> None:
    class Measuring(keras.layers.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.size = metrics.Mean(name="size")

        def call(self, x: Any) -> Any:
            self.size.update_state(ops.abs(x))
            return x

    class Model(fg.Sequential):
        def train_step(self, data: Any) -> Any:
            return super().train_step(data)

    model = Model([Measuring(), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"])
    assert [m.name for m in model.metrics] == ["loss", "size", "mae"]
    history = model.fit(X, Y, epochs=2, batch_size=25, verbose=0).history
    assert set(history) == {"loss", "size", "mae"}
    assert history["size"] == pytest.approx([np.abs(X).mean()] * 2, rel=1e-6)


def test_what_a_step_may_return() -> None:
    class Model(fg.Sequential):
        returned: Any = None

        def train_step(self, data: Any) -> Any:
            return self.returned

    model = Model([layers.Dense(1)])
    model.compile("sgd", "mse")
    for wrong in (None, 3.0, {1: 2.0}):
        model.returned = wrong
        with pytest.raises(ArgumentError, match=r"Model\.train_step.*a dict of names and values"):
            model.fit(X, Y, verbose=0)
    auc = metrics.AUC(name="auc")
    auc.update_state([0, 1], [[0.2], [0.7]])
    model.returned = {"a": 1, "b": {"c": np.array([1.0, 2.0])}}
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert history["a"] == [1.0, 1.0]
    assert history["c"][0].tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match="has no loss"):
        Model([layers.Dense(1)]).compute_loss(X, Y, Y)


def test_results_that_are_known_after_the_step() -> None:
    class Model(fg.Sequential):
        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self.auc = metrics.AUC(name="auc")

        def train_step(self, data: Any) -> Any:
            x, y = data
            self.auc.update_state(y, self(x))
            return {"auc": self.auc.result(), "x": ops.sum(x)}

    targets = (X[:, 0] > 0).astype(int)[:, np.newaxis]
    model = Model([layers.Dense(1, activation="sigmoid")])
    model.compile("sgd")
    logs = model.fit(X, targets, epochs=2, batch_size=16, verbose=0).history
    expected = metrics.AUC()(targets, model.predict(X, verbose=0))
    assert logs["auc"] == pytest.approx([expected] * 2)


def test_callbacks_and_bars_see_the_logs(capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[Any] = []

    class Callback(fg.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append((batch, dict(logs)))

    model = classifier(Logging)
    model.fit(X, LABELS, batch_size=25, verbose=2, callbacks=[Callback()])
    assert [sorted(logs) for _, logs in seen] == [["loss", "more"]] * 2
    assert "more: 2.0000" in capsys.readouterr().out
