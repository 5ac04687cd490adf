"""Three epochs on the digits against an independent implementation in float64 NumPy.

The reference shares with the library only the initial weights and the order of the batches; its
gradients are written out by hand for a chain of dense layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, datasets, layers, losses, optimizers
from fusegrad.optimizers import schedules

EPOCHS = 3
BATCH = 32
LIMITS = {"float32": 1e-5, "float64": 1e-10}

Weights = list[np.ndarray]
Rate = float | Callable[[int], float]


# ---- optimizers: each returns a function (weights, gradients) -> None that keeps its own state


def sgd(lr: Rate, momentum: float = 0.0, nesterov: bool = False) -> Callable[..., None]:
    m: Weights = []
    t = 0

    def step(w: Weights, g: Weights) -> None:
        nonlocal t
        if not m:
            m.extend(np.zeros_like(a) for a in w)
        rate = lr(t) if callable(lr) else lr
        t += 1
        for i, gi in enumerate(g):
            if momentum == 0.0:
                w[i] -= rate * gi
                continue
            m[i] = momentum * m[i] - rate * gi
            w[i] += momentum * m[i] - rate * gi if nesterov else m[i]

    return step


def rmsprop(
    lr: float = 1e-3, rho: float = 0.9, momentum: float = 0.0, centered: bool = False
) -> Callable[..., None]:
    eps = 1e-7
    v: Weights = []
    a: Weights = []
    b: Weights = []

    def step(w: Weights, g: Weights) -> None:
        if not v:
            for state in (v, a, b):
                state.extend(np.zeros_like(x) for x in w)
        for i, gi in enumerate(g):
            v[i] = rho * v[i] + (1 - rho) * gi**2
            a[i] = rho * a[i] + (1 - rho) * gi
            spread = v[i] - a[i] ** 2 if centered else v[i]
            increment = lr * gi / np.sqrt(spread + eps)
            b[i] = momentum * b[i] + increment
            w[i] -= b[i] if momentum else increment

    return step


def adam(lr: Rate = 1e-3, amsgrad: bool = False) -> Callable[..., None]:
    b1, b2, eps = 0.9, 0.999, 1e-7
    m: Weights = []
    v: Weights = []
    top: Weights = []
    t = 0

    def step(w: Weights, g: Weights) -> None:
        nonlocal t
        if not m:
            for state in (m, v, top):
                state.extend(np.zeros_like(x) for x in w)
        rate = lr(t) if callable(lr) else lr
        t += 1
        alpha = rate * np.sqrt(1 - b2**t) / (1 - b1**t)
        for i, gi in enumerate(g):
            m[i] += (gi - m[i]) * (1 - b1)
            v[i] += (gi**2 - v[i]) * (1 - b2)
            top[i] = np.maximum(top[i], v[i])
            w[i] -= alpha * m[i] / (np.sqrt(top[i] if amsgrad else v[i]) + eps)

    return step


def clipped(step: Callable[..., None], **kind: float) -> Callable[..., None]:
    """Clip gradients before a step."""
    ((name, limit),) = kind.items()

    def clip(w: Weights, g: Weights) -> None:
        if name == "clipvalue":
            factors = [np.minimum(1.0, limit / np.maximum(np.abs(a), 1e-300)) for a in g]
        else:
            norms = [np.sqrt((a**2).sum()) for a in g]
            if name == "global_clipnorm":
                norms = [np.sqrt(sum(norm**2 for norm in norms))] * len(g)
            factors = [min(1.0, limit / norm) for norm in norms]
        step(w, [a * factor for a, factor in zip(g, factors, strict=True)])

    return clip


def warm_cosine(t: int) -> float:
    part = min((t - 20) / 90, 1.0)
    return 0.02 + 0.08 * t / 20 if t < 20 else 0.1 * (0.45 * (1 + np.cos(np.pi * part)) + 0.1)


def restarted(t: int) -> float:
    begin, length, height = 0, 15, 0.1
    while t >= begin + length:
        begin, length, height = begin + length, length * 2, height * 0.9
    return 0.5 * height * (1 + np.cos(np.pi * (t - begin) / length))


def scheduled(schedule: Any, rate: Callable[[int], float]) -> tuple[Any, Any]:
    return lambda: optimizers.SGD(schedule, momentum=0.5), lambda: sgd(rate, momentum=0.5)


OPTIMIZERS: dict[str, tuple[Callable[[], Any], Callable[[], Callable[..., None]]]] = {
    "sgd": (lambda: optimizers.SGD(0.05), lambda: sgd(0.05)),
    "momentum": (
        lambda: optimizers.SGD(0.01, momentum=0.9),
        lambda: sgd(0.01, momentum=0.9),
    ),
    "nesterov": (
        lambda: optimizers.SGD(0.01, momentum=0.9, nesterov=True),
        lambda: sgd(0.01, momentum=0.9, nesterov=True),
    ),
    "rmsprop": (optimizers.RMSprop, rmsprop),
    "rmsprop momentum": (
        lambda: optimizers.RMSprop(momentum=0.5),
        lambda: rmsprop(momentum=0.5),
    ),
    "rmsprop centered": (
        lambda: optimizers.RMSprop(centered=True),
        lambda: rmsprop(centered=True),
    ),
    "adam": (optimizers.Adam, adam),
    "amsgrad": (lambda: optimizers.Adam(amsgrad=True), lambda: adam(amsgrad=True)),
    "clipvalue": (
        lambda: optimizers.SGD(0.05, clipvalue=0.01),
        lambda: clipped(sgd(0.05), clipvalue=0.01),
    ),
    "clipnorm": (
        lambda: optimizers.RMSprop(clipnorm=0.1),
        lambda: clipped(rmsprop(), clipnorm=0.1),
    ),
    "global_clipnorm": (
        lambda: optimizers.Adam(global_clipnorm=0.2),
        lambda: clipped(adam(), global_clipnorm=0.2),
    ),
    "exponential decay": scheduled(
        schedules.ExponentialDecay(0.1, 50, 0.3), lambda t: 0.1 * 0.3 ** (t / 50)
    ),
    "inverse time decay": scheduled(
        schedules.InverseTimeDecay(0.1, 20, 0.5, staircase=True),
        lambda t: 0.1 / (1 + 0.5 * (t // 20)),
    ),
    "polynomial decay": scheduled(
        schedules.PolynomialDecay(0.1, 100, 0.01, power=2.0),
        lambda t: 0.09 * (1 - min(t, 100) / 100) ** 2 + 0.01,
    ),
    "piecewise constant decay": scheduled(
        schedules.PiecewiseConstantDecay([30, 80], [0.1, 0.05, 0.01]),
        lambda t: 0.1 if t <= 30 else 0.05 if t <= 80 else 0.01,
    ),
    "cosine decay": scheduled(
        schedules.CosineDecay(0.02, 90, 0.1, warmup_target=0.1, warmup_steps=20), warm_cosine
    ),
    "cosine decay restarts": scheduled(
        schedules.CosineDecayRestarts(0.1, 15, m_mul=0.9), restarted
    ),
    "adam with a schedule": (
        lambda: optimizers.Adam(schedules.ExponentialDecay(0.003, 50, 0.3)),
        lambda: adam(lambda t: 0.003 * 0.3 ** (t / 50)),
    ),
}


# ---- losses: (outputs before the last activation, targets) -> (mean loss, its gradient)


def softmax(z: np.ndarray) -> np.ndarray:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sparse(z: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    return categorical(z, np.eye(z.shape[1])[y])


def categorical(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    p = softmax(z)
    return float(-(t * np.log(p)).sum(axis=1).mean()), (p * t.sum(axis=1, keepdims=True) - t) / len(
        z
    )


def smoothed(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    return categorical(z, t * 0.9 + 0.1 / z.shape[1])


def binary(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    value = np.maximum(z, 0) - z * t + np.log1p(np.exp(-np.abs(z)))
    return float(value.mean()), (1 / (1 + np.exp(-z)) - t) / z.size


def squared(z: np.ndarray, t: np.ndarray) -> tuple[float, np.ndarray]:
    return float(((z - t) ** 2).mean()), 2 * (z - t) / z.size


def labels(y: np.ndarray) -> np.ndarray:
    return y


def one_hot(y: np.ndarray) -> np.ndarray:
    return np.eye(10)[y]


def even(y: np.ndarray) -> np.ndarray:
    return (y % 2 == 0).astype(np.float64)[:, None]


def tenth(y: np.ndarray) -> np.ndarray:
    return (y / 8.0)[:, None]


# name: units, last activation, loss, targets, reference
LOSSES: dict[str, tuple[int, str, Any, Any, Any]] = {
    "sparse logits": (
        10,
        "linear",
        lambda: losses.SparseCategoricalCrossentropy(from_logits=True),
        labels,
        sparse,
    ),
    "sparse naive": (
        10,
        "softmax",
        losses.SparseCategoricalCrossentropy,
        labels,
        sparse,
    ),
    "categorical": (
        10,
        "softmax",
        losses.CategoricalCrossentropy,
        one_hot,
        categorical,
    ),
    "categorical smoothed": (
        10,
        "linear",
        lambda: losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1),
        one_hot,
        smoothed,
    ),
    "binary": (1, "sigmoid", losses.BinaryCrossentropy, even, binary),
    "mse": (1, "linear", losses.MeanSquaredError, tenth, squared),
}


def reference(
    w: Weights, x: np.ndarray, y: np.ndarray, seed: int, loss: Any, step: Any
) -> list[float]:
    """Train in place; return the mean loss of each epoch."""
    depth = len(w) // 2
    means = []
    for epoch in range(EPOCHS):
        order = np.asarray(_core.permutation(len(x), seed, epoch).numpy())
        total = 0.0
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            a = [x[rows]]
            for i in range(depth):
                z = a[-1] @ w[2 * i] + w[2 * i + 1]
                a.append(np.maximum(z, 0) if i < depth - 1 else z)
            value, dz = loss(a[-1], y[rows])
            total += value * len(rows)
            g: Weights = [np.empty(0)] * len(w)
            for i in reversed(range(depth)):
                g[2 * i], g[2 * i + 1] = a[i].T @ dz, dz.sum(axis=0)
                dz = (dz @ w[2 * i].T) * (a[i] > 0)
            step(w, g)
        means.append(total / len(x))
    return means


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    (x, y), _ = datasets.load_digits()
    return x.reshape(len(x), 64) / 16.0, y


def compare(digits: tuple[np.ndarray, np.ndarray], dtype: str, optimizer: str, loss: str) -> None:
    x, y = digits
    fg.utils.set_random_seed(11)
    units, activation, make_loss, target, reference_loss = LOSSES[loss]
    model = fg.Sequential(
        [
            fg.Input((64,)),
            layers.Dense(25, activation="relu", dtype=dtype),
            layers.Dense(15, activation="relu", dtype=dtype),
            layers.Dense(units, activation=activation, dtype=dtype),
        ]
    )
    make, make_reference = OPTIMIZERS[optimizer]
    model.compile(make(), make_loss())
    w = [array.astype(np.float64) for array in model.get_weights()]
    first = [array.copy() for array in w]
    t = target(y)
    history = model.fit(x, t, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    means = reference(w, x, t, model.seed, reference_loss, make_reference())
    got = np.concatenate([a.astype(np.float64).ravel() for a in model.get_weights()])
    expected = np.concatenate([a.ravel() for a in w])
    moved = expected - np.concatenate([a.ravel() for a in first])
    assert np.linalg.norm(moved) > 1e-2 * np.linalg.norm(expected)
    error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
    assert error <= LIMITS[dtype]
    np.testing.assert_allclose(history.history["loss"], means, rtol=LIMITS[dtype])


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_each_optimizer(digits: tuple[np.ndarray, np.ndarray], dtype: str, optimizer: str) -> None:
    compare(digits, dtype, optimizer, "sparse logits")


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("loss", LOSSES)
def test_each_loss(digits: tuple[np.ndarray, np.ndarray], dtype: str, loss: str) -> None:
    compare(digits, dtype, "momentum", loss)
