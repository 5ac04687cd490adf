"""Clipped gradients: formulas, exactness where nothing is clipped, extremes, NaN, bad arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, layers, optimizers
from fusegrad._tensor import as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.variable import Variable

KINDS = ["clipnorm", "clipvalue", "global_clipnorm"]
RULES = [optimizers.SGD, optimizers.RMSprop, optimizers.Adam]


def clipped(grads: list[Any], dtype: str = "float32", **kind: float) -> list[np.ndarray]:
    """Return what a step of SGD with the rate 1 subtracts from weights of 0."""
    weights = [Variable(np.zeros(np.shape(g)), dtype=dtype, order="F") for g in grads]
    optimizers.SGD(1.0, **kind).apply([np.asarray(g, dtype) for g in grads], weights)
    return [-weight.numpy() for weight in weights]


def traced(optimizer: Any, grads: list[np.ndarray], weights: list[Variable]) -> None:
    """Run one step from a compiled program."""
    optimizer.build(weights)
    graph = _core.Graph()
    with graph:
        inputs = [graph.input(g.shape, g.dtype.name, f"g{i}") for i, g in enumerate(grads)]
        optimizer.step(inputs, weights)
    _core.Program.compile(graph).run(*[as_tensor(g) for g in grads])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_formulas(dtype: str) -> None:
    rng = np.random.default_rng(1)
    grads = [rng.normal(size=shape).astype(dtype) for shape in [(40, 30), (7,), (), (3, 4, 5)]]
    wide = [np.float64(g) for g in grads]
    limits = {"rtol": 3e-7 if dtype == "float32" else 1e-14}
    for limit in (0.5, 2.5, 30.0):
        for found, g in zip(clipped(grads, dtype, clipnorm=limit), wide, strict=True):
            expected = g * limit / max(np.linalg.norm(g), limit)
            np.testing.assert_allclose(found, expected, **limits)
        for found, g in zip(clipped(grads, dtype, clipvalue=limit), wide, strict=True):
            np.testing.assert_allclose(found, np.clip(g, -limit, limit), **limits)
        together = np.sqrt(sum((g**2).sum() for g in wide))
        for found, g in zip(clipped(grads, dtype, global_clipnorm=limit), wide, strict=True):
            np.testing.assert_allclose(found, g * limit / max(together, limit), **limits)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_clipped_keeps_every_bit(kind: str, dtype: str) -> None:
    rng = np.random.default_rng(4)
    tiny = np.finfo(dtype).smallest_subnormal
    for scale in (1e-30, 1e-3, 1.0):
        g = (rng.normal(size=200) * scale).astype(dtype)
        g[:4] = 0.0, -0.0, tiny, -tiny
        limit = np.linalg.norm(np.float64(g)) * (1 + 1e-12)
        assert clipped([g], dtype, **{kind: limit})[0].tobytes() == clipped([g], dtype)[0].tobytes()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_that_is_never_clipped(rule: Any, kind: str, dtype: str) -> None:
    assert trained(rule(), dtype) == trained(rule(**{kind: 1e9}), dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_eager_steps_have_the_same_bits(rule: Any, kind: str, dtype: str) -> None:
    limit = {kind: 0.05}
    compiled = trained(rule(**limit), dtype)
    assert compiled == trained(rule(**limit), dtype, run_eagerly=True)
    assert compiled != trained(rule(), dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_by_hand_the_same_bits(rule: Any, kind: str, dtype: str) -> None:
    rng = np.random.default_rng(9)
    start = [rng.normal(size=shape).astype(dtype) for shape in [(13, 9), (9,), (9, 2)]]
    results = []
    for way in ("apply", "apply_gradients", "traced"):
        weights = [Variable(w, order="F" if w.ndim == 2 else "C") for w in start]
        optimizer = rule(**{kind: 0.7})
        draw = np.random.default_rng(10)
        for _ in range(4):
            grads = [draw.normal(size=w.shape).astype(dtype) for w in start]
            if way == "apply":
                optimizer.apply(grads, weights)
            elif way == "apply_gradients":
                optimizer.apply_gradients(zip(grads, weights, strict=True))
            else:
                traced(optimizer, grads, weights)
        results.append([w.numpy().tobytes() for w in weights])
    assert results[0] == results[1] == results[2]


def trained(optimizer: Any, dtype: str, **options: Any) -> bytes:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 3))
    fg.utils.set_random_seed(5)
    model = fg.Sequential(
        [
            fg.Input((3,)),
            layers.Dense(4, activation="tanh", dtype=dtype),
            layers.Dense(2, dtype=dtype),
        ]
    )
    model.compile(optimizer, "mse", **options)
    model.fit(x, x[:, :2] ** 2, batch_size=8, epochs=3, verbose=0)
    return b"".join(weight.tobytes() for weight in model.get_weights())


@pytest.mark.parametrize("kind", ["clipnorm", "global_clipnorm"])
@pytest.mark.parametrize(
    ("dtype", "size"),
    [
        *[("float32", size) for size in (3e38, 1e25, 1e-25, 1e-44)],
        *[("float64", size) for size in (5e307, 1e200, 1e-200, 5e-324)],
    ],
)
def test_norms_do_not_overflow(dtype: str, size: float, kind: str) -> None:
    """Also where the square of the norm has no value in the dtype."""
    g = np.full(4, size, dtype)  # of the norm 2 size
    limit = 1.0 if size > 1 else float(g[0])
    (found,) = clipped([g], dtype, **{kind: limit})
    np.testing.assert_allclose(
        found, np.full(4, limit / 2), rtol=1e-6, atol=float(g[0]) / 2 if size < 1e-40 else 0
    )


def test_nan_and_infinity() -> None:
    for bad in (np.nan, np.inf, -np.inf):
        first, second = clipped([[3.0, bad], [3.0, 4.0]], clipnorm=1.0)
        assert np.isnan(first).all()
        np.testing.assert_allclose(second, [0.6, 0.8], rtol=1e-6)
        for found in clipped([[3.0, bad], [3.0, 4.0]], global_clipnorm=1.0):
            assert np.isnan(found).all()
    for dtype in ("float32", "float64"):
        (found,) = clipped([[np.nan, np.inf, -np.inf, 0.5]], dtype, clipvalue=1.0)
        np.testing.assert_array_equal(found, [np.nan, 1.0, -1.0, 0.5])
        (found,) = clipped([[3e38, np.nan]], dtype, clipnorm=1.0)
        assert np.isnan(found).all()


def test_empty_and_zero_gradients() -> None:
    for dtype in ("float32", "float64"):
        for kind in KINDS:
            empty, zeros = clipped([np.zeros(0), np.zeros(3)], dtype, **{kind: 1.0})
            assert empty.size == 0
            assert zeros.tolist() == [0.0, 0.0, 0.0]


def test_mixed_dtypes_share_a_norm() -> None:
    weights = [Variable(np.zeros(1), dtype="float32"), Variable(np.zeros(1), dtype="float64")]
    optimizers.SGD(1.0, global_clipnorm=1.0).apply([[3.0], [4.0]], weights)
    assert [w.dtype.name for w in weights] == ["float32", "float64"]
    np.testing.assert_allclose([-w.numpy()[0] for w in weights], [0.6, 0.8], rtol=1e-7)


def test_a_changed_limit_is_taken_up() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 3))
    results = []
    for eagerly in (False, True):
        fg.utils.set_random_seed(5)
        model = fg.Sequential([fg.Input((3,)), layers.Dense(1)])
        model.compile(optimizers.SGD(0.1, clipnorm=1.0), "mse", run_eagerly=eagerly)
        model.fit(x, x[:, 0], epochs=2, verbose=0)
        model.optimizer.clipnorm = 0.01
        model.fit(x, x[:, 0], epochs=2, verbose=0)
        results.append([w.tobytes() for w in model.get_weights()])
    assert results[0] == results[1]


@pytest.mark.parametrize("rule", RULES)
def test_bad_arguments(rule: Any) -> None:
    for kind in KINDS:
        for value in (0, -1.0, np.nan, np.inf, "1", True, [1.0]):
            with pytest.raises(ArgumentError) as caught:
                rule(**{kind: value})
            assert caught.value.argument == kind
        config = rule(**{kind: 2}).get_config()
        assert config[kind] == 2.0
        assert rule.from_config(config).get_config() == config
    with pytest.raises(ArgumentError, match="only one of clipnorm, clipvalue, global_clipnorm"):
        rule(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ArgumentError, match=r"clipvalue=2\.0 and global_clipnorm=1\.0"):
        rule(global_clipnorm=1.0, clipvalue=2.0)
    for name in ("weight_decay", "use_ema", "ema_momentum", "loss_scale_factor"):
        with pytest.raises(TypeError, match=f"no argument '{name}'; fusegrad does not have it"):
            rule(**{name: 1})
