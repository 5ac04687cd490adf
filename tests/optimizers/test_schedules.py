"""Schedules against their formulas in float64, and optimizers that follow them."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp

import fusegrad as fg
from fusegrad import layers, ops, optimizers
from fusegrad._tensor import as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.optimizers import schedules
from fusegrad.optimizers.schedules import LearningRateSchedule
from fusegrad.variable import Variable

STEPS = np.arange(200)


def restarts(step: np.ndarray, first: int, t_mul: float, m_mul: float, alpha: float) -> np.ndarray:
    """Walk along the cosines one by one, without a logarithm."""
    rates = []
    for at in step:
        begin, length, height = 0.0, float(first), 1.0
        while at >= begin + length:
            begin, length, height = begin + length, length * t_mul, height * m_mul
        half = 0.5 * height * (1 + np.cos(np.pi * (at - begin) / length))
        rates.append((1 - alpha) * half + alpha)
    return np.array(rates)


def cosine(part: np.ndarray, alpha: float = 0.0) -> np.ndarray:
    return (1 - alpha) * 0.5 * (1 + np.cos(np.pi * np.clip(part, 0, 1))) + alpha


CASES: dict[str, tuple[LearningRateSchedule, Callable[[np.ndarray], np.ndarray]]] = {
    "exponential": (
        schedules.ExponentialDecay(0.3, 40, 0.9),
        lambda t: 0.3 * 0.9 ** (t / 40),
    ),
    "exponential stairs": (
        schedules.ExponentialDecay(0.3, 7, 0.9, staircase=True),
        lambda t: 0.3 * 0.9 ** (t // 7),
    ),
    "inverse time": (
        schedules.InverseTimeDecay(0.3, 40, 0.5),
        lambda t: 0.3 / (1 + 0.5 * t / 40),
    ),
    "inverse time stairs": (
        schedules.InverseTimeDecay(0.3, 7, 0.5, True),
        lambda t: 0.3 / (1 + 0.5 * (t // 7)),
    ),
    "line": (
        schedules.PolynomialDecay(0.3, 80),
        lambda t: (0.3 - 1e-4) * (1 - np.minimum(t, 80) / 80) + 1e-4,
    ),
    "root": (
        schedules.PolynomialDecay(0.3, 80, 0.01, power=0.5),
        lambda t: 0.29 * (1 - np.minimum(t, 80) / 80) ** 0.5 + 0.01,
    ),
    "parabola in cycles": (
        schedules.PolynomialDecay(0.3, 30, 0.01, power=2, cycle=True),
        lambda t: 0.29 * (1 - t / (30 * np.maximum(np.ceil(t / 30), 1))) ** 2 + 0.01,
    ),
    "pieces": (
        schedules.PiecewiseConstantDecay([10, 20.5, 150], [0.5, 0.3, 0.2, 0.1]),
        lambda t: np.select([t <= 10, t <= 20.5, t <= 150], [0.5, 0.3, 0.2], 0.1),
    ),
    "one piece": (schedules.PiecewiseConstantDecay([], [0.5]), lambda t: np.full(t.shape, 0.5)),
    "cosine": (schedules.CosineDecay(0.3, 150), lambda t: 0.3 * cosine(t / 150)),
    "cosine above zero": (
        schedules.CosineDecay(0.3, 150, alpha=0.1),
        lambda t: 0.3 * cosine(t / 150, 0.1),
    ),
    "cosine after a line": (
        schedules.CosineDecay(0.1, 100, 0.2, warmup_target=0.4, warmup_steps=30),
        lambda t: np.where(t < 30, 0.1 + 0.3 * t / 30, 0.4 * cosine((t - 30) / 100, 0.2)),
    ),
    "cosine from its target": (
        schedules.CosineDecay(0.1, 100, warmup_target=0.4),
        lambda t: 0.4 * cosine(t / 100),
    ),
    "restarts": (
        schedules.CosineDecayRestarts(0.3, 10),
        lambda t: 0.3 * restarts(t, 10, 2.0, 1.0, 0.0),
    ),
    "restarts that shrink": (
        schedules.CosineDecayRestarts(0.3, 8, t_mul=1.5, m_mul=0.8, alpha=0.1),
        lambda t: 0.3 * restarts(t, 8, 1.5, 0.8, 0.1),
    ),
    "equal restarts": (
        schedules.CosineDecayRestarts(0.3, 7, t_mul=1.0, m_mul=0.9),
        lambda t: 0.3 * restarts(t, 7, 1.0, 0.9, 0.0),
    ),
}


class Halving(LearningRateSchedule):
    """A schedule of a user's own."""

    def __init__(self, start: float) -> None:
        self.start = start
        self.calls: list[Any] = []

    def __call__(self, step: Any) -> Any:
        self.calls.append(step)
        return ops.where(step < 5, self.start, self.start / 2)

    def get_config(self) -> dict[str, Any]:
        return {"start": self.start}


@pytest.mark.parametrize("name", CASES)
def test_formulas(name: str) -> None:
    schedule, formula = CASES[name]
    expected = formula(STEPS)
    rates = schedule(STEPS).numpy()
    assert rates.dtype == np.float64
    np.testing.assert_allclose(rates, expected, rtol=1e-14, atol=1e-15)
    for at in (0, 7, 30, 199):  # one by one, whole or not, the same
        for step in (at, float(at), np.int32(at), np.float32(at), as_tensor(at), Variable(at)):
            value = schedule(step)
            assert value.shape == ()
            assert value.item() == rates[at]
    np.testing.assert_array_equal(fg.jit(schedule)(STEPS).numpy(), rates)


@pytest.mark.parametrize("t_mul", [1.0, 1.0001, 1.1, 1.5, 2.0, 2.5, 3.0, 5.0, 7.0, 10.0])
def test_restarts_begin_on_time(t_mul: float) -> None:
    """A logarithm that rounds down would give the end of the cosine before, which is 0."""
    first = 1000
    schedule = schedules.CosineDecayRestarts(0.5, first, t_mul=t_mul)
    begin, length = 0.0, float(first)
    while begin < 1e9 and length < 1e9 and begin < 300 * first:
        if begin == int(begin):
            assert schedule(begin).item() == pytest.approx(0.5, rel=1e-9), begin
            if begin:
                assert schedule(begin - 1).item() < 0.5 * 1e-4
        begin, length = begin + length, length * t_mul


def test_cosine_is_one() -> None:
    rng = np.random.default_rng(3)
    part = np.concatenate([np.linspace(0, 1, 3001), rng.random(3000), [1e-9, 1e-300, 1 - 2**-53]])
    found = schedules._cos_pi(as_tensor(part)).numpy()
    with mp.workdps(40):
        errors = [abs(mp.cospi(mp.mpf(s)) - c) for s, c in zip(part.tolist(), found, strict=True)]
    assert max(errors) <= 4e-16
    assert schedules._cos_pi(as_tensor(np.array([0.0, 0.5, 1.0]))).tolist() == [1.0, 0.0, -1.0]


def test_ends_are_exact() -> None:
    assert schedules.CosineDecay(0.3, 7)([0, 7, 8]).tolist() == [0.3, 0.0, 0.0]
    assert schedules.PolynomialDecay(0.3, 7, 0.1)(7).item() == 0.1
    assert schedules.ExponentialDecay(0.3, 7, 0.0)([0, 1]).tolist() == [0.3, 0.0]


@pytest.mark.parametrize("name", CASES)
def test_configurations(name: str) -> None:
    schedule = CASES[name][0]
    text = json.dumps(schedules.serialize(schedule))
    again = schedules.deserialize(json.loads(text))
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()
    nested = {"class_name": "adam", "config": {"learning_rate": json.loads(text)}}
    for optimizer in (optimizers.Adam(schedule), optimizers.get(nested)):
        stored = json.loads(json.dumps(optimizers.serialize(optimizer)))
        for made in (optimizers.deserialize(stored), optimizers.get(stored)):
            assert made.get_config() == optimizer.get_config()
            assert float(made.learning_rate) == schedule(0).item()
    for twin in (copy.deepcopy(schedule), pickle.loads(pickle.dumps(schedule))):
        assert twin(3).item() == schedule(3).item()


def test_names_and_defaults() -> None:
    assert optimizers.schedules is schedules
    assert schedules.ExponentialDecay(1, 2, 3).get_config() == {
        "initial_learning_rate": 1.0, "decay_steps": 2.0, "decay_rate": 3.0, "staircase": False,
        "name": "ExponentialDecay",
    }  # fmt: skip
    assert schedules.InverseTimeDecay(1, 2, 3).name == "InverseTimeDecay"
    assert schedules.PolynomialDecay(1, 2).get_config() == {
        "initial_learning_rate": 1.0, "decay_steps": 2.0, "end_learning_rate": 0.0001,
        "power": 1.0, "cycle": False, "name": "PolynomialDecay",
    }  # fmt: skip
    assert schedules.PiecewiseConstantDecay([1], [2, 3]).get_config() == {
        "boundaries": [1.0], "values": [2.0, 3.0], "name": "PiecewiseConstant",
    }  # fmt: skip
    assert schedules.CosineDecay(1, 2).get_config() == {
        "initial_learning_rate": 1.0, "decay_steps": 2.0, "alpha": 0.0, "name": "CosineDecay",
        "warmup_target": None, "warmup_steps": 0.0,
    }  # fmt: skip
    assert schedules.CosineDecayRestarts(1, 2).get_config() == {
        "initial_learning_rate": 1.0, "first_decay_steps": 2.0, "t_mul": 2.0, "m_mul": 1.0,
        "alpha": 0.0, "name": "SGDRDecay",
    }  # fmt: skip
    lower = {"class_name": "cosinedecay", "config": {"initial_learning_rate": 1, "decay_steps": 2}}
    assert type(schedules.deserialize(lower)) is schedules.CosineDecay
    with pytest.raises(ArgumentError, match="did you mean 'CosineDecay'"):
        schedules.deserialize({"class_name": "CosineDeca", "config": {}})
    with pytest.raises(AttributeError, match="did you mean 'CosineDecay'"):
        schedules.CosineDeca  # noqa: B018


@pytest.mark.parametrize(
    ("make", "argument"),
    [
        (lambda: schedules.ExponentialDecay(-0.1, 10, 0.9), "initial_learning_rate"),
        (lambda: schedules.ExponentialDecay("0.1", 10, 0.9), "initial_learning_rate"),
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.9), "decay_steps"),
        (lambda: schedules.ExponentialDecay(0.1, 10, float("nan")), "decay_rate"),
        (lambda: schedules.ExponentialDecay(0.1, 10, -0.9), "decay_rate"),
        (lambda: schedules.ExponentialDecay(0.1, 10, 0.9, "no"), "staircase"),
        (lambda: schedules.InverseTimeDecay(0.1, -1, 0.9), "decay_steps"),
        (lambda: schedules.InverseTimeDecay(0.1, 10, -0.9), "decay_rate"),
        (lambda: schedules.PolynomialDecay(0.1, True), "decay_steps"),
        (lambda: schedules.PolynomialDecay(0.1, 10, -1e-4), "end_learning_rate"),
        (lambda: schedules.PolynomialDecay(0.1, 10, power=-1), "power"),
        (lambda: schedules.PolynomialDecay(0.1, 10, cycle=1), "cycle"),
        (lambda: schedules.PiecewiseConstantDecay([10, 10], [1, 2, 3]), "boundaries"),
        (lambda: schedules.PiecewiseConstantDecay(10, [1, 2]), "boundaries"),
        (lambda: schedules.PiecewiseConstantDecay([10, None], [1, 2, 3]), "boundaries[1]"),
        (lambda: schedules.PiecewiseConstantDecay([10], [1, 2, 3]), "values"),
        (lambda: schedules.PiecewiseConstantDecay([10], [1, -2]), "values[1]"),
        (lambda: schedules.CosineDecay(0.1, 0), "decay_steps"),
        (lambda: schedules.CosineDecay(0.1, 10, alpha=-1), "alpha"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_target=-1), "warmup_target"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_steps=5), "warmup_target"),
        (lambda: schedules.CosineDecay(0.1, 10, warmup_target=1, warmup_steps=-5), "warmup_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), "first_decay_steps"),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5), "t_mul"),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, m_mul=-1), "m_mul"),
        (lambda: schedules.CosineDecayRestarts(0.1, 10, alpha=np.inf), "alpha"),
        (lambda: schedules.serialize(0.1), "learning_rate_schedule"),
        (lambda: schedules.deserialize({"class_name": "Halving", "config": {}}), "config"),
        (lambda: schedules.deserialize("CosineDecay"), "identifier"),
        (lambda: optimizers.SGD(schedules.CosineDecay), "learning_rate"),
        (lambda: optimizers.SGD(lambda step: 0.1), "learning_rate"),
        (lambda: optimizers.SGD("0.1"), "learning_rate"),
        (lambda: optimizers.SGD(np.array([0.1])), "learning_rate"),
    ],
)
def test_bad_arguments(make: Callable[[], Any], argument: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        make()
    assert caught.value.argument == argument


def test_unknown_arguments() -> None:
    with pytest.raises(TypeError, match="no argument 'decay_step'; did you mean 'decay_steps'"):
        schedules.CosineDecay(0.1, decay_step=10)
    with pytest.raises(TypeError, match="did you mean 'learning_rate'"):
        optimizers.Adam(lr=0.1)
    with pytest.raises(TypeError, match=r"schedules\.InverseTimeDecay\(learning_rate, 1, decay\)"):
        optimizers.Adam(decay=1e-3)


# ---- optimizers that follow a schedule


def network(optimizer: Any, eagerly: bool = False, dtype: str = "float32") -> Any:
    fg.utils.set_random_seed(5)
    model = fg.Sequential(
        [
            fg.Input((3,)),
            layers.Dense(4, activation="tanh", dtype=dtype),
            layers.Dense(1, dtype=dtype),
        ]
    )
    model.compile(optimizer, "mse", run_eagerly=eagerly)
    return model


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(20, 3))
    return x, np.sin(x[:, 0])


def bits(model: Any) -> bytes:
    return b"".join(weight.tobytes() for weight in model.get_weights())


@pytest.mark.parametrize("name", CASES)
def test_eager_steps_have_the_same_bits(name: str, data: Any) -> None:
    schedule = CASES[name][0]
    models = [network(optimizers.Adam(schedule), eagerly) for eagerly in (False, True)]
    for model in models:
        model.fit(*data, batch_size=8, epochs=5, verbose=0)
    assert bits(models[0]) == bits(models[1])


def test_the_rate_of_each_step() -> None:
    """By hand: the step t = 0, 1, ... has the rate of t finished steps."""
    schedule = schedules.ExponentialDecay(0.5, 10, 0.7)
    optimizer = optimizers.SGD(schedule)
    weight = Variable(np.array([1.0, -2.0]))
    expected = weight.numpy()
    for t in range(25):
        rate = 0.5 * 0.7 ** (t / 10)
        assert isinstance(optimizer.learning_rate, fg.Tensor)
        assert float(optimizer.learning_rate) == pytest.approx(rate, rel=1e-14)
        optimizer.apply([[0.25, 0.5]], [weight])
        expected -= rate * np.array([0.25, 0.5])
    np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-12)
    assert optimizer.variables == [optimizer.iterations]  # as in Keras, no Variable for the rate


def test_state_goes_on(data: Any) -> None:
    def make() -> Any:
        return network(optimizers.SGD(schedules.CosineDecay(0.2, 30), momentum=0.5))

    once, twice = make(), make()
    once.fit(*data, batch_size=8, epochs=8, verbose=0)
    for _ in range(2):
        twice.fit(*data, batch_size=8, epochs=4, verbose=0)
    assert bits(once) == bits(twice)
    assert int(twice.optimizer.iterations) == 24
    rate = 0.1 * (1 + np.cos(np.pi * 24 / 30))
    assert float(twice.optimizer.learning_rate) == pytest.approx(rate, rel=1e-12)
    twice.reset()
    assert float(twice.optimizer.learning_rate) == 0.2
    twice.fit(*data, batch_size=8, epochs=8, verbose=0)
    assert bits(once) == bits(twice)


def test_one_schedule_for_two(data: Any) -> None:
    schedule = schedules.CosineDecay(0.2, 30)
    first, second = (network(optimizers.SGD(schedule)) for _ in range(2))
    first.fit(*data, batch_size=8, epochs=6, verbose=0)
    assert float(second.optimizer.learning_rate) == 0.2
    second.fit(*data, batch_size=8, epochs=6, verbose=0)
    assert bits(first) == bits(second)


def test_history_is_unchanged(data: Any) -> None:
    model = network(optimizers.SGD(schedules.CosineDecay(0.2, 30)))
    history = model.fit(*data, epochs=2, validation_split=0.2, verbose=0)
    assert list(history.history) == ["loss", "val_loss"]


@pytest.mark.parametrize("eagerly", [False, True])
def test_assignment_is_refused(eagerly: bool, data: Any) -> None:
    schedule = schedules.CosineDecay(0.2, 30)
    scheduled, plain = optimizers.SGD(schedule), optimizers.SGD(0.1)
    with pytest.raises(ArgumentError, match="because the schedule <CosineDecay "):
        scheduled.learning_rate = 0.1
    with pytest.raises(ArgumentError, match="when an optimizer is made"):
        plain.learning_rate = schedule
    assert (float(scheduled.learning_rate), float(plain.learning_rate)) == (0.2, 0.1)
    assert repr(scheduled).startswith("<SGD learning_rate=<CosineDecay initial_learning_rate=0.2 ")


def test_own_schedule(data: Any) -> None:
    models = [network(optimizers.SGD(Halving(0.2)), eagerly) for eagerly in (False, True)]
    for model in models:
        model.fit(*data, batch_size=8, epochs=4, verbose=0)
    assert bits(models[0]) == bits(models[1])
    calls = [len(model.optimizer._learning_rate.calls) for model in models]
    assert calls == [2, 12]  # traced for batches of 8 and of 4 rows, and no Python per step
    assert models[0].optimizer.learning_rate.item() == pytest.approx(0.1)
    stored = optimizers.serialize(models[0].optimizer)
    assert stored["config"]["learning_rate"] == {"class_name": "Halving", "config": {"start": 0.2}}
    with pytest.raises(ArgumentError, match="schedule"):
        optimizers.deserialize(stored)
    made = optimizers.deserialize(stored, custom_objects={"Halving": Halving})
    assert type(made._learning_rate) is Halving


@pytest.mark.parametrize("value", [0.25, np.float32(0.25), np.array(0.25), 1])
def test_own_schedule_may_return_numbers(value: Any) -> None:
    class Constant(LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return value

    weight = Variable(np.array([1.0]))
    optimizers.SGD(Constant()).apply([[1.0]], [weight])
    assert weight.numpy().tolist() == [1.0 - float(value)]


def test_changes_of_a_schedule_are_taken_up(data: Any) -> None:
    models = []
    for eagerly in (False, True):
        schedule = schedules.ExponentialDecay(0.3, 5, 0.9)
        model = network(optimizers.SGD(schedule), eagerly)
        model.fit(*data, epochs=3, verbose=0)
        schedule.decay_rate = 0.1
        model.fit(*data, epochs=3, verbose=0)
        models.append(model)
    assert bits(models[0]) == bits(models[1])


def test_bad_schedules(data: Any) -> None:
    class Python(LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return 0.1 if step < 5 else 0.01

    class Vector(LearningRateSchedule):
        def __call__(self, step: Any) -> Any:
            return ops.stack([step, step])

    class Nothing(LearningRateSchedule):
        pass

    model = network(optimizers.SGD(Python()))
    before = bits(model)
    with pytest.raises(TypeError, match="run_eagerly=True"):
        model.fit(*data, verbose=0)
    assert bits(model) == before
    assert not model.optimizer.built
    network(optimizers.SGD(Python()), eagerly=True).fit(*data, epochs=6, verbose=0)
    weight = Variable([1.0])
    with pytest.raises(ArgumentError, match="one learning rate for one step"):
        optimizers.SGD(Vector(), momentum=0.5).apply([[1.0]], [weight])
    with pytest.raises(TypeError, match="must define __call__"):
        optimizers.SGD(Nothing()).apply([[1.0]], [weight])
    with pytest.raises(TypeError, match="must define get_config"):
        optimizers.SGD(Nothing()).get_config()
    assert weight.numpy().tolist() == [1.0]
