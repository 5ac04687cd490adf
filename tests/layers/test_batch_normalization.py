"""BatchNormalization against NumPy in float64 and central differences; when its averages move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, ops
from fusegrad.errors import ArgumentError

LIMITS = {"float32": 2e-5, "float64": 1e-11}
EPSILON = 1e-3


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def standardized(x: np.ndarray, axis: int, epsilon: float = EPSILON) -> np.ndarray:
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    mean = x.mean(axis=others, keepdims=True)
    return (x - mean) / np.sqrt(x.var(axis=others, keepdims=True) + epsilon)


def moments(layer: layers.BatchNormalization) -> list[list[float]]:
    return [layer.moving_mean.numpy().tolist(), layer.moving_variance.numpy().tolist()]


# ---- values and gradients


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((7, 3), -1), ((7, 3), 1), ((4, 5, 3), -1), ((4, 5, 3), 1), ((2, 3, 4, 5), 2), ((1, 3), -1)],
)
def test_values(shape: tuple[int, ...], axis: int, dtype: str) -> None:
    x = rng().normal(3.0, 2.0, shape).astype(dtype)
    layer = layers.BatchNormalization(axis, momentum=0.75, dtype=dtype)
    layer.build((None, *shape[1:]))
    size = shape[axis]
    gamma, beta, mean, variance = rng().uniform(0.5, 2.0, (4, size)).astype(dtype)
    layer.set_weights([gamma, beta, mean, variance])
    spread = [size if i == axis % x.ndim else 1 for i in range(x.ndim)]
    g, b, m, v = (a.reshape(spread).astype(np.float64) for a in (gamma, beta, mean, variance))
    wide = x.astype(np.float64)

    out = layer(x)
    assert out.dtype == dtype
    np.testing.assert_allclose(
        out.numpy(), (wide - m) / np.sqrt(v + EPSILON) * g + b, rtol=LIMITS[dtype], atol=1e-6
    )
    assert moments(layer) == [mean.tolist(), variance.tolist()]

    out = layer(x, training=True)
    expected = standardized(wide, axis) * g + b
    np.testing.assert_allclose(out.numpy(), expected, rtol=LIMITS[dtype], atol=2e-6)
    others = tuple(i for i in range(x.ndim) if i != axis % x.ndim)
    batch = wide.mean(axis=others), wide.var(axis=others)
    moved = [old * 0.75 + new * 0.25 for old, new in zip((mean, variance), batch, strict=True)]
    np.testing.assert_allclose(moments(layer), moved, rtol=LIMITS[dtype])
    assert layer.compute_output_shape((None, *shape[1:])) == (None, *shape[1:])


@pytest.mark.parametrize(("shape", "axis"), [((6, 3), -1), ((3, 4, 2), 1)])
def test_gradients(shape: tuple[int, ...], axis: int) -> None:
    x, weights = rng().normal(size=shape), rng().uniform(-1, 1, shape)
    layer = layers.BatchNormalization(axis, dtype="float64")
    for training in (False, True):

        def loss(z: Any, training: bool = training) -> Any:
            return ops.sum(ops.multiply(ops.square(layer(z, training=training)), weights))

        found = fg.grad(loss)(x).numpy()
        step = 1e-5
        for place in np.ndindex(*shape):
            values = []
            for sign in (1, -1):
                moved = x.copy()
                moved[place] += sign * step
                y = standardized(moved, axis) if training else layer(moved).numpy()
                values.append(float((y**2 * weights).sum()))
            assert found[place] == pytest.approx((values[0] - values[1]) / (2 * step), abs=1e-7)


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
@pytest.mark.parametrize("dtype", LIMITS)
def test_a_constant_column_gives_beta(rows: int, dtype: str) -> None:
    values = np.array([0.1, -3.3, 1e-30, 12345.678, 1e15, 0.0], dtype)
    beta = np.array([0.7, 0.0, -1.5, 3.0, 0.1, 2.0], dtype)
    layer = layers.BatchNormalization(dtype=dtype, beta_initializer=beta)
    x = np.tile(values, (rows, 1))
    out = layer(x, training=True).numpy()
    if dtype == "float32":
        assert np.array_equal(out, np.tile(beta, (rows, 1)))
    else:  # each addition of the mean's sum may round
        roundings = rows / 16 + 6
        bound = 2.0**-53 * (np.abs(beta) + roundings * np.abs(values) / np.sqrt(EPSILON))
        assert (np.abs(out - beta) <= bound).all()
    slope = fg.grad(lambda z: ops.sum(ops.square(layer(z, training=True))))(x).numpy()
    assert np.isfinite(slope).all()


# ---- training


def network(dtype: str = "float32", **settings: Any) -> fg.Sequential:
    fg.utils.set_random_seed(4)
    model = fg.Sequential(
        [
            fg.Input((5,)),
            layers.Dense(6, use_bias=False, dtype=dtype),
            layers.BatchNormalization(momentum=0.8, dtype=dtype, name="norm"),
            layers.ReLU(dtype=dtype),
            layers.Dense(2, dtype=dtype),
        ]
    )
    model.compile(fg.optimizers.SGD(0.1), "mse", **settings)
    return model


def data(rows: int = 75) -> tuple[np.ndarray, np.ndarray]:
    return rng().normal(1.0, 2.0, (rows, 5)), rng().normal(size=(rows, 2))


def reference(w: list[np.ndarray], x: np.ndarray, y: np.ndarray, batch: int, epochs: int) -> None:
    """Train in place: kernel, gamma, beta, mean, variance, kernel, bias."""
    for _ in range(epochs):
        for start in range(0, len(x), batch):
            a, t = x[start : start + batch], y[start : start + batch]
            z = a @ w[0]
            n = len(z)
            mean, variance = z.mean(axis=0), z.var(axis=0)
            inverse = 1 / np.sqrt(variance + EPSILON)
            hat = (z - mean) * inverse
            u = hat * w[1] + w[2]
            h = np.maximum(u, 0)
            dout = 2 * (h @ w[5] + w[6] - t) / t.size
            du = (dout @ w[5].T) * (u > 0)
            dhat = du * w[1]
            dz = inverse / n * (n * dhat - dhat.sum(axis=0) - hat * (dhat * hat).sum(axis=0))
            gradients = {
                0: a.T @ dz, 1: (du * hat).sum(axis=0), 2: du.sum(axis=0),
                5: h.T @ dout, 6: dout.sum(axis=0),
            }  # fmt: skip
            for i, gradient in gradients.items():
                w[i] = w[i] - 0.1 * gradient
            w[3] = w[3] * 0.8 + mean * 0.2
            w[4] = w[4] * 0.8 + variance * 0.2


@pytest.mark.parametrize("batch", [32, 37])  # the last batch of an epoch has 11 rows, or one
@pytest.mark.parametrize("dtype", LIMITS)
def test_training(dtype: str, batch: int) -> None:
    x, y = data()
    model = network(dtype)
    names = [weight.path.split("/")[-1] for weight in model.layers[1].weights]
    assert names == ["gamma", "beta", "moving_mean", "moving_variance"]
    w = [array.astype(np.float64) for array in model.get_weights()]
    reference(w, x.astype(dtype).astype(np.float64), y, batch, epochs=3)
    model.fit(x, y, batch_size=batch, epochs=3, shuffle=False, verbose=0)
    for found, expected in zip(model.get_weights(), w, strict=True):
        assert found.dtype == dtype
        error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
        assert error <= LIMITS[dtype]
    assert len(model.trainable_weights) == 5
    assert len(model.non_trainable_weights) == 2


@pytest.mark.parametrize("frozen", [False, True])
def test_eager_equals_compiled(frozen: bool) -> None:
    x, y = data()
    results = []
    for eager in (False, True):
        model = network(run_eagerly=eager)
        model.fit(x, y, verbose=0)  # averages that differ from the initial ones
        model.layers[1].trainable = not frozen
        history = model.fit(x, y, epochs=2, verbose=0, validation_data=(x[:9], y[:9])).history
        scores = model.evaluate(x, y, verbose=0), model.predict(x, verbose=0).tobytes()
        results.append((history, scores, [array.tobytes() for array in model.get_weights()]))
    assert results[0] == results[1]


@pytest.mark.parametrize("eager", [False, True])
def test_when_the_averages_move(eager: bool) -> None:
    x, y = data()
    model = network(run_eagerly=eager)
    layer = model.layers[1]

    def moved(work: Any) -> bool:
        before = moments(layer)
        work()
        return moments(layer) != before

    assert moved(lambda: model.fit(x, y, verbose=0))
    assert moved(lambda: model.train_on_batch(x, y))
    assert not moved(lambda: model.evaluate(x, y, verbose=0))
    assert not moved(lambda: model.predict(x, verbose=0))
    assert not moved(lambda: model.test_on_batch(x, y))
    assert not moved(lambda: model(x))
    assert moved(lambda: model(x, training=True))
    layer.trainable = False
    before = model.get_weights()
    assert not moved(lambda: model.fit(x, y, verbose=0))
    assert not moved(lambda: model(x, training=True))
    assert np.array_equal(before[1], model.get_weights()[1])
    assert not np.array_equal(before[0], model.get_weights()[0])
    model.trainable = True
    assert moved(lambda: model.fit(x, y, verbose=0))


def test_a_frozen_layer_without_gamma_and_beta_is_compiled_again() -> None:
    layer = layers.BatchNormalization(center=False, scale=False)
    model = fg.Sequential([fg.Input((5,)), layer, layers.Dense(2)])
    model.compile(fg.optimizers.SGD(0.0), "mse")
    assert [w.path.split("/")[-1] for w in layer.weights] == ["moving_mean", "moving_variance"]
    x, y = data()
    model.fit(x, y, batch_size=75, verbose=0)
    before = moments(layer)
    layer.trainable = False
    loss = model.fit(x, y, batch_size=75, shuffle=False, verbose=0).history["loss"][0]
    assert moments(layer) == before
    assert loss == pytest.approx(model.evaluate(x, y, batch_size=75, verbose=0), rel=1e-6)
    layer.trainable = True
    layer.momentum = 0.0
    model.fit(x, y, batch_size=75, verbose=0)
    np.testing.assert_allclose(moments(layer), [x.mean(axis=0), x.var(axis=0)], rtol=1e-5)


def test_predictions_do_not_depend_on_the_batch() -> None:
    x, y = data()
    model = network()
    model.fit(x, y, verbose=0)
    expected = model.predict(x, verbose=0)
    for size in (1, 7, 75):
        assert model.predict(x, batch_size=size, verbose=0).tobytes() == expected.tobytes()


def test_threads_do_not_change_bits() -> None:
    x, y = data(600)
    results = set()
    for threads in (1, 2, 3):
        fg.set_num_threads(threads)
        try:
            model = network()
            model.fit(x, y, batch_size=256, epochs=2, verbose=0)
        finally:
            fg.set_num_threads(None)
        results.add(b"".join(array.tobytes() for array in model.get_weights()))
    assert len(results) == 1


@pytest.mark.parametrize("eager", [False, True])
def test_a_layer_called_twice_in_a_step(eager: bool) -> None:
    class Siamese(fg.models.Model):
        def __init__(self) -> None:
            super().__init__()
            self.norm = layers.BatchNormalization(momentum=0.5)
            self.dense = layers.Dense(1)

        def call(self, x: Any) -> Any:
            return self.dense(self.norm(x[:, :2]) - self.norm(x[:, 2:4]))

    x, y = data()
    model = Siamese()
    model.compile(fg.optimizers.SGD(0.0), "mse", run_eagerly=eager)
    model.fit(x, y[:, :1], batch_size=75, verbose=0)
    first, second = x[:, :2], x[:, 2:4]
    np.testing.assert_allclose(
        moments(model.norm),
        [
            first.mean(axis=0) * 0.25 + second.mean(axis=0) * 0.5,
            0.25 + first.var(axis=0) * 0.25 + second.var(axis=0) * 0.5,
        ],
        rtol=1e-5,
    )


def test_in_traced_and_differentiated_functions() -> None:
    x = rng().normal(2.0, 1.0, (8, 3)).astype(np.float32)
    plain, traced, sloped = (layers.BatchNormalization(momentum=0.5) for _ in range(3))
    expected = plain(x, training=True).numpy()
    traced.build((None, 3))
    out = fg.jit(lambda z: traced(z, training=True))(x)
    assert np.array_equal(out.numpy(), expected)
    fg.grad(lambda z: ops.sum(sloped(z, training=True)))(x)
    assert moments(plain) == moments(traced) == moments(sloped)


def test_regularizers() -> None:
    layer = layers.BatchNormalization(
        gamma_initializer="ones", gamma_regularizer=fg.regularizers.L2(0.5),
        beta_initializer=np.full(5, 2.0), beta_regularizer="l1",
    )  # fmt: skip
    model = fg.Sequential([fg.Input((5,)), layer])
    model.compile("sgd", "mse")
    x, _ = data()
    plain = np.mean((model.predict(x, verbose=0) - x) ** 2)
    assert model.evaluate(x, x, verbose=0) == pytest.approx(plain + 5 * 0.5 + 10 * 0.01, rel=1e-5)


# ---- arguments


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"axis": 1.0}, r"axis.*an integer"),
        ({"axis": [1]}, r"axis.*an integer"),
        ({"momentum": 1.5}, r"momentum.*\[0, 1\]"),
        ({"momentum": None}, r"momentum"),
        ({"epsilon": 0.0}, r"epsilon.*> 0"),
        ({"epsilon": -1.0}, r"epsilon.*> 0"),
        ({"epsilon": "small"}, r"epsilon"),
        ({"center": "no"}, r"center.*True or False"),
        ({"scale": 1}, r"scale.*True or False"),
        ({"beta_initializer": "zeroes"}, r"beta_initializer.*'zeros'"),
        ({"gamma_initializer": 1.0}, r"gamma_initializer"),
        ({"moving_mean_initializer": "none"}, r"moving_mean_initializer"),
        ({"moving_variance_initializer": 3}, r"moving_variance_initializer"),
        ({"beta_regularizer": "l3"}, r"beta_regularizer"),
        ({"gamma_regularizer": 0.1}, r"gamma_regularizer"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=rf"BatchNormalization.*{match}"):
        layers.BatchNormalization(**arguments)


def test_misspelled_argument() -> None:
    with pytest.raises(TypeError, match="did you mean 'epsilon'"):
        layers.BatchNormalization(eps=1e-5)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("axis", "shape", "match"),
    [
        (2, (None, 3), r"axis 2.*\(None, 3\)"),
        (-3, (None, 3), r"axis -3"),
        (0, (None, 3), r"known size of axis 0"),
        (-1, (None,), r"known size of axis -1"),
        (1, (None, None, 3), r"known size of axis 1"),
    ],
)
def test_shapes_that_it_cannot_be_built_for(axis: int, shape: Any, match: str) -> None:
    layer = layers.BatchNormalization(axis, name="norm")
    with pytest.raises(ArgumentError, match=rf"BatchNormalization 'norm'.*{match}"):
        layer.build(shape)
    assert not layer.built
    assert layer.weights == []


def test_another_number_of_features() -> None:
    layer = layers.BatchNormalization(name="norm")
    layer(np.ones((2, 3)))
    with pytest.raises(ArgumentError, match=r"'norm'.*size 3 along axis -1.*\(2, 4\)"):
        layer(np.ones((2, 4)))
    assert layer.count_params() == 12
