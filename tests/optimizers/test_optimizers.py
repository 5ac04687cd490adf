"""Optimizers called by hand: a hundred steps against the formulas, in both dtypes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fusegrad import optimizers
from fusegrad.errors import ArgumentError
from fusegrad.variable import Variable

Rule = Callable[[np.ndarray, np.ndarray, dict[str, Any], int], np.ndarray]


def sgd(w: np.ndarray, g: np.ndarray, s: dict[str, Any], t: int) -> np.ndarray:
    return w - 0.05 * g


def nesterov(w: np.ndarray, g: np.ndarray, s: dict[str, Any], t: int) -> np.ndarray:
    s["m"] = 0.8 * s.get("m", 0.0) - 0.05 * g
    return w + 0.8 * s["m"] - 0.05 * g


def rmsprop(w: np.ndarray, g: np.ndarray, s: dict[str, Any], t: int) -> np.ndarray:
    s["v"] = 0.7 * s.get("v", 0.0) + 0.3 * g * g
    s["a"] = 0.7 * s.get("a", 0.0) + 0.3 * g
    s["b"] = 0.5 * s.get("b", 0.0) + 0.01 * g / np.sqrt(s["v"] - s["a"] ** 2 + 1e-3)
    return w - s["b"]


def adam(w: np.ndarray, g: np.ndarray, s: dict[str, Any], t: int) -> np.ndarray:
    s["m"] = 0.9 * s.get("m", 0.0) + 0.1 * g
    s["v"] = 0.99 * s.get("v", 0.0) + 0.01 * g * g
    s["top"] = np.maximum(s.get("top", 0.0), s["v"])
    alpha = 0.01 * np.sqrt(1 - 0.99**t) / (1 - 0.9**t)
    return w - alpha * s["m"] / (np.sqrt(s["top"]) + 1e-7)


CASES: dict[str, tuple[Callable[[], optimizers.Optimizer], Rule]] = {
    "sgd": (lambda: optimizers.SGD(0.05), sgd),
    "nesterov": (lambda: optimizers.SGD(0.05, 0.8, nesterov=True), nesterov),
    "rmsprop": (lambda: optimizers.RMSprop(0.01, 0.7, 0.5, 1e-3, centered=True), rmsprop),
    "adam": (lambda: optimizers.Adam(0.01, beta_2=0.99, amsgrad=True), adam),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CASES)
def test_hundred_steps(name: str, dtype: str) -> None:
    make, rule = CASES[name]
    optimizer = make()
    start = np.linspace(-1, 1, 6).reshape(2, 3)
    weight = Variable(start, dtype=dtype, order="F")
    expected, state = start.copy(), dict[str, Any]()
    for t in range(1, 101):
        g = np.sin(expected * 3 + t)
        optimizer.apply([g], [weight])
        expected = rule(expected, g, state, t)
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-12 if dtype == "float64" else 5e-5)
    assert int(optimizer.iterations) == 100


@pytest.mark.parametrize("cls", [optimizers.SGD, optimizers.RMSprop, optimizers.Adam])
def test_no_rate_no_change(cls: type[Any]) -> None:
    weight = Variable([1.0, 2.0])
    optimizer = cls(0)
    for _ in range(3):
        optimizer.apply_gradients([([1.0, -1.0], weight)])
    assert weight.numpy().tolist() == [1.0, 2.0]


def test_defaults_are_keras() -> None:
    clipping = {"clipnorm": None, "clipvalue": None, "global_clipnorm": None}
    assert optimizers.SGD().get_config() == {
        "name": "sgd", "learning_rate": 0.01, "momentum": 0.0, "nesterov": False, **clipping,
    }  # fmt: skip
    assert optimizers.RMSprop().get_config() == {
        "name": "rmsprop", "learning_rate": 0.001, "rho": 0.9, "momentum": 0.0, "epsilon": 1e-7,
        "centered": False, **clipping,
    }  # fmt: skip
    assert optimizers.Adam().get_config() == {
        "name": "adam", "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7,
        "amsgrad": False, **clipping,
    }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_configurations(name: str) -> None:
    made = CASES[name][0]()
    assert optimizers.deserialize(optimizers.serialize(made)).get_config() == made.get_config()


def test_names() -> None:
    for name in ("adam", "Adam", "ADAM", optimizers.Adam, optimizers.Adam()):
        assert type(optimizers.get(name)) is optimizers.Adam
    for bad in ("adamm", 3, None):
        with pytest.raises(ArgumentError):
            optimizers.get(bad)


def test_bad_arguments() -> None:
    for call in (
        lambda: optimizers.SGD(momentum=1.5),
        lambda: optimizers.RMSprop(rho=-0.1),
        lambda: optimizers.Adam(beta_1=1.0),
        lambda: optimizers.Adam(epsilon=-1e-7),
        lambda: optimizers.SGD().apply([[1.0]], []),
        lambda: optimizers.SGD().apply([[1.0]], [Variable([1.0, 2.0])]),
    ):
        with pytest.raises(ArgumentError):
            call()


def test_learning_rate_can_be_set() -> None:
    optimizer = optimizers.SGD(1)
    for value in (2, 0.5, np.float32(0.25), np.array(0.125), fg_variable(0.0625)):
        optimizer.learning_rate = value
        assert float(optimizer.learning_rate) == float(value)


def fg_variable(value: float) -> Variable:
    return Variable(value)
