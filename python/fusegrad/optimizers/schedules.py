"""Learning-rate schedules: the learning rate as a function of the number of finished steps.

Names, arguments, defaults and formulas are Keras's. A schedule is written with `fusegrad.ops`, so
that a compiled step computes it natively, in float64, from the optimizer's `iterations`: no Python
runs per step.

Examples
--------
>>> from fusegrad import optimizers
>>> decay = optimizers.schedules.ExponentialDecay(0.1, decay_steps=100, decay_rate=0.5)
>>> optimizers.Adam(learning_rate=decay).learning_rate
Tensor(0.1, dtype=float64)
>>> decay([0, 100, 200])
Tensor([0.1  , 0.05 , 0.025], dtype=float64)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._checks import flag, number, positive
from fusegrad._registry import Registry, config_of
from fusegrad._settings import Settings
from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError

__all__ = [
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "deserialize",
    "serialize",
]


class LearningRateSchedule(Settings):
    """Base class: `__call__(step)` returns the learning rate after `step` finished steps.

    A subclass of your own is traced into the compiled step like any function of `fusegrad.ops`:
    `step` is a 0-d int64 Tensor there, so conditions on it are written with ``ops.where``. Where an
    attribute is set to another value, the next call of `fit` takes it up.

    Examples
    --------
    >>> from fusegrad import ops, optimizers
    >>> class InverseRoot(LearningRateSchedule):
    ...     def __init__(self, start):
    ...         self.start = start
    ...
    ...     def __call__(self, step):
    ...         return self.start / ops.sqrt(step + 1)
    ...
    ...     def get_config(self):
    ...         return {"start": self.start}
    >>> optimizers.SGD(InverseRoot(0.5))
    <SGD learning_rate=<InverseRoot start=0.5>>
    """

    def __call__(self, step: Any) -> Any:
        """Return the learning rate after `step` finished steps."""
        raise TypeError(f"{type(self).__name__} must define __call__(step)")

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Raises
        ------
        TypeError
            A subclass that does not define it can be used, but not serialized.
        """
        raise TypeError(f"{type(self).__name__} must define get_config() to be serialized")

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> LearningRateSchedule:
        """Build a schedule from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        shown = [f"{key}={value!r}" for key, value in _public(self).items() if key != "name"]
        return f"<{' '.join([type(self).__name__, *shown])}>"


class _BuiltIn(LearningRateSchedule):
    """Attributes are the constructor's arguments."""

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return _public(self)


class ExponentialDecay(_BuiltIn):
    """``initial_learning_rate * decay_rate ** (step / decay_steps)``.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    decay_steps : float or int
        Above 0.
    decay_rate : float
        At least 0.
    staircase : bool, default False
        Round ``step / decay_steps`` down, so that the rate falls at once every `decay_steps`.
    name : str, default "ExponentialDecay"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range.

    Notes
    -----
    Called with an array_like of steps it returns as many learning rates, float64.

    Examples
    --------
    >>> ExponentialDecay(0.5, 10, 0.1, staircase=True)([0, 9, 10])
    Tensor([0.5 , 0.5 , 0.05], dtype=float64)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "ExponentialDecay",
    ) -> None:
        kind = type(self).__name__
        self.initial_learning_rate = number(
            kind, "initial_learning_rate", initial_learning_rate, 0.0
        )
        self.decay_steps = positive(kind, "decay_steps", decay_steps)
        self.decay_rate = number(kind, "decay_rate", decay_rate, 0.0)
        self.staircase = flag(kind, "staircase", staircase)
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` finished steps."""
        power = ops.power(_constant(self.decay_rate), _periods(self, step))
        return ops.multiply(self.initial_learning_rate, power)


class InverseTimeDecay(_BuiltIn):
    """``initial_learning_rate / (1 + decay_rate * step / decay_steps)``.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    decay_steps : float or int
        Above 0.
    decay_rate : float
        At least 0.
    staircase : bool, default False
        Round ``step / decay_steps`` down.
    name : str, default "InverseTimeDecay"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range.

    Notes
    -----
    ``InverseTimeDecay(lr, 1, decay)`` is what older versions of Keras called ``decay=``. Called
    with an array_like of steps it returns as many learning rates, float64.

    Examples
    --------
    >>> InverseTimeDecay(0.5, 10, 1.0)([0, 10, 40])
    Tensor([0.5 , 0.25, 0.1 ], dtype=float64)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        decay_rate: float,
        staircase: bool = False,
        name: str | None = "InverseTimeDecay",
    ) -> None:
        kind = type(self).__name__
        self.initial_learning_rate = number(
            kind, "initial_learning_rate", initial_learning_rate, 0.0
        )
        self.decay_steps = positive(kind, "decay_steps", decay_steps)
        self.decay_rate = number(kind, "decay_rate", decay_rate, 0.0)
        self.staircase = flag(kind, "staircase", staircase)
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` finished steps."""
        growth = ops.multiply(self.decay_rate, _periods(self, step))
        return ops.divide(self.initial_learning_rate, ops.add(1.0, growth))


class PolynomialDecay(_BuiltIn):
    """``(initial - end) * (1 - step / decay_steps) ** power + end``, then `end`.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    decay_steps : float or int
        Above 0.
    end_learning_rate : float, default 0.0001
        At least 0.
    power : float, default 1.0
        At least 0; 1 is a straight line.
    cycle : bool, default False
        Instead of staying at the end, go on with the smallest multiple of `decay_steps` that is at
        least `step` in its place.
    name : str, default "PolynomialDecay"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range.

    Notes
    -----
    Called with an array_like of steps it returns as many learning rates, float64.

    Examples
    --------
    >>> PolynomialDecay(1.0, 10, 0.0)([0, 5, 20])
    Tensor([1. , 0.5, 0. ], dtype=float64)
    >>> PolynomialDecay(1.0, 10, 0.0, cycle=True)([10, 15, 20])
    Tensor([0.  , 0.25, 0.  ], dtype=float64)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str | None = "PolynomialDecay",
    ) -> None:
        kind = type(self).__name__
        self.initial_learning_rate = number(
            kind, "initial_learning_rate", initial_learning_rate, 0.0
        )
        self.decay_steps = positive(kind, "decay_steps", decay_steps)
        self.end_learning_rate = number(kind, "end_learning_rate", end_learning_rate, 0.0)
        self.power = number(kind, "power", power, 0.0)
        self.cycle = flag(kind, "cycle", cycle)
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` finished steps."""
        finished, steps = as_tensor(step, "float64"), _constant(self.decay_steps)
        if self.cycle:
            periods = ops.divide(finished, steps)
            begun = ops.cast(ops.greater(periods, _floor(periods)), "float64")
            steps = ops.multiply(steps, ops.maximum(ops.add(_floor(periods), begun), 1.0))
        left = ops.subtract(1.0, ops.divide(ops.minimum(finished, steps), steps))
        span = self.initial_learning_rate - self.end_learning_rate
        return ops.add(ops.multiply(span, ops.power(left, self.power)), self.end_learning_rate)


class PiecewiseConstantDecay(_BuiltIn):
    """``values[i]`` up to and with step ``boundaries[i]``, and the last value after that.

    Parameters
    ----------
    boundaries : sequence of numbers
        Increasing.
    values : sequence of float
        At least 0; one more than boundaries.
    name : str, default "PiecewiseConstant"

    Raises
    ------
    fusegrad.errors.ArgumentError
        The boundaries do not increase, the lengths do not fit, or a number is outside its range.

    Notes
    -----
    Called with an array_like of steps it returns as many learning rates, float64.

    Examples
    --------
    >>> PiecewiseConstantDecay([10, 20], [1.0, 0.5, 0.1])([0, 10, 11, 21])
    Tensor([1. , 1. , 0.5, 0.1], dtype=float64)
    """

    def __init__(
        self, boundaries: Any, values: Any, name: str | None = "PiecewiseConstant"
    ) -> None:
        kind = type(self).__name__
        self.boundaries = _numbers(kind, "boundaries", boundaries)
        self.values = _numbers(kind, "values", values, 0.0)
        if any(b <= a for a, b in zip(self.boundaries, self.boundaries[1:], strict=False)):
            raise ArgumentError(kind, "boundaries", "increasing numbers", repr(boundaries))
        if len(self.values) != len(self.boundaries) + 1:
            raise ArgumentError(
                kind,
                "values",
                f"{len(self.boundaries) + 1} values, one more than boundaries",
                str(len(self.values)),
            )
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` finished steps."""
        finished = as_tensor(step, "float64")
        rate = ops.broadcast_to(_constant(self.values[-1]), finished.shape)
        pairs = zip(self.boundaries, self.values[:-1], strict=True)
        for boundary, value in reversed(list(pairs)):
            rate = ops.where(ops.less_equal(finished, boundary), _constant(value), rate)
        return rate

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            "boundaries": list(self.boundaries),
            "values": list(self.values),
            "name": self.name,
        }


class CosineDecay(_BuiltIn):
    """Half a cosine, from the learning rate down to `alpha` times it, after a linear warm-up.

    With ``s = min(step / decay_steps, 1)`` it is
    ``initial_learning_rate * ((1 - alpha) * (1 + cos(pi * s)) / 2 + alpha)``. With a
    `warmup_target` the rate first goes in `warmup_steps` along a line from `initial_learning_rate`
    to `warmup_target`, and the cosine begins there and then. I. Loshchilov and F. Hutter, "SGDR:
    stochastic gradient descent with warm restarts", ICLR 2017; the warm-up is that of P. Goyal et
    al., "Accurate, large minibatch SGD", 2017.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    decay_steps : float or int
        Above 0; the warm-up does not count.
    alpha : float, default 0.0
        At least 0.
    name : str, default "CosineDecay"
    warmup_target : float, optional
        At least 0. By default there is no warm-up.
    warmup_steps : float or int, default 0
        At least 0.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range, or there are `warmup_steps` and no `warmup_target`.

    Notes
    -----
    The cosine is a polynomial, at most 4e-16 from the true one and exact at both ends and in the
    middle. Called with an array_like of steps it returns as many learning rates, float64.

    Examples
    --------
    >>> CosineDecay(0.5, 10)([0, 5, 10, 20])
    Tensor([0.5 , 0.25, 0.  , 0.  ], dtype=float64)
    >>> CosineDecay(0.0, 10, warmup_target=1.0, warmup_steps=4)([0, 1, 4, 14])
    Tensor([0.  , 0.25, 1.  , 0.  ], dtype=float64)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: float,
        alpha: float = 0.0,
        name: str | None = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: float = 0,
    ) -> None:
        kind = type(self).__name__
        self.initial_learning_rate = number(
            kind, "initial_learning_rate", initial_learning_rate, 0.0
        )
        self.decay_steps = positive(kind, "decay_steps", decay_steps)
        self.alpha = number(kind, "alpha", alpha, 0.0)
        self.name = name
        self.warmup_target = (
            None if warmup_target is None else number(kind, "warmup_target", warmup_target, 0.0)
        )
        self.warmup_steps = number(kind, "warmup_steps", warmup_steps, 0.0)
        if self.warmup_steps and self.warmup_target is None:
            raise ArgumentError(
                kind, "warmup_target", "the learning rate after warmup_steps", "None"
            )

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` finished steps."""
        finished = as_tensor(step, "float64")
        if self.warmup_target is None:
            return self._decayed(self.initial_learning_rate, finished)
        decayed = self._decayed(self.warmup_target, ops.subtract(finished, self.warmup_steps))
        if not self.warmup_steps:
            return decayed
        rise = self.warmup_target - self.initial_learning_rate
        line = ops.multiply(rise, ops.divide(finished, self.warmup_steps))
        warming = ops.add(line, self.initial_learning_rate)
        return ops.where(ops.less(finished, self.warmup_steps), warming, decayed)

    def _decayed(self, rate: float, finished: Tensor) -> Tensor:
        part = ops.clip(ops.divide(finished, self.decay_steps), 0.0, 1.0)
        half = 0.5 * (1.0 - self.alpha) * rate
        return ops.add(ops.multiply(half, _cos_pi(part)), half + self.alpha * rate)


class CosineDecayRestarts(_BuiltIn):
    """Half cosines one after the other, each `t_mul` times as long and `m_mul` times as high.

    The i-th of them, i = 0, 1, ..., has ``first_decay_steps * t_mul**i`` steps. At the part s of
    it, in [0, 1), the rate is
    ``initial_learning_rate * ((1 - alpha) * m_mul**i * (1 + cos(pi * s)) / 2 + alpha)``. I.
    Loshchilov and F. Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Parameters
    ----------
    initial_learning_rate : float
        At least 0.
    first_decay_steps : float or int
        Above 0.
    t_mul : float, default 2.0
        At least 1.
    m_mul : float, default 1.0
        At least 0.
    alpha : float, default 0.0
        At least 0.
    name : str, default "SGDRDecay"

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range.

    Notes
    -----
    A step where a cosine begins belongs to that one, also where a logarithm rounds the other way.
    Called with an array_like of steps it returns as many learning rates, float64.

    Examples
    --------
    >>> CosineDecayRestarts(0.5, 10)([0, 5, 10, 20, 30])
    Tensor([0.5 , 0.25, 0.5 , 0.25, 0.5 ], dtype=float64)
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: float,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str | None = "SGDRDecay",
    ) -> None:
        kind = type(self).__name__
        self.initial_learning_rate = number(
            kind, "initial_learning_rate", initial_learning_rate, 0.0
        )
        self.first_decay_steps = positive(kind, "first_decay_steps", first_decay_steps)
        self.t_mul = number(kind, "t_mul", t_mul, 1.0)
        self.m_mul = number(kind, "m_mul", m_mul, 0.0)
        self.alpha = number(kind, "alpha", alpha, 0.0)
        self.name = name

    def __call__(self, step: Any) -> Tensor:
        """Return the learning rate after `step` finished steps."""
        periods = ops.divide(as_tensor(step, "float64"), self.first_decay_steps)
        growth = self.t_mul - 1.0
        if growth == 0.0:
            index = _floor(periods)
            part = ops.subtract(periods, index)
        else:
            # 1 + t + ... + t**(i - 1) = (t**i - 1) / (t - 1) periods went before the i-th cosine.
            logarithm = ops.log1p(ops.multiply(periods, growth))
            index = ops.divide(logarithm, ops.log1p(_constant(growth)))
            index = _floor(ops.multiply(index, 1.0 + _ROUNDING))
            length = ops.power(_constant(self.t_mul), index)
            before = ops.divide(ops.subtract(length, 1.0), growth)
            part = ops.divide(ops.subtract(periods, before), length)
            part = ops.clip(part, 0.0, 1.0)
        height = ops.multiply(0.5 * (1.0 - self.alpha), ops.power(_constant(self.m_mul), index))
        factor = ops.add(ops.multiply(height, ops.add(1.0, _cos_pi(part))), self.alpha)
        return ops.multiply(self.initial_learning_rate, factor)


# More than two logarithms and their quotient lose, less than a step is worth.
_ROUNDING = 1e-14

# sin(pi u) / u as a polynomial of u**2 in [0, 1/4]: the one that meets it at the nine Chebyshev
# points, 4e-19 from it. Rounded as here, u = 1/2 gives exactly 1.
_SINE = (
    3.141592653589793,
    -5.167712780049969,
    2.5501640398773007,
    -0.5992645293189447,
    0.0821458865731029,
    -0.007370430505916944,
    0.0004662998161898394,
    -2.1903497074626018e-05,
    7.697826768224191e-07,
)


def _cos_pi(s: Tensor) -> Tensor:
    """Return cos(pi s) for s in [0, 1], float64, with an absolute error of at most 4e-16."""
    u = ops.subtract(0.5, s)
    square = ops.square(u)
    sine = ops.multiply(square, _SINE[-1])
    for coefficient in _SINE[-2:0:-1]:
        sine = ops.multiply(ops.add(sine, coefficient), square)
    return ops.multiply(ops.add(sine, _SINE[0]), u)


def _floor(x: Tensor) -> Tensor:
    """Return the largest whole number that is not above x >= 0."""
    return ops.cast(ops.cast(x, "int64"), "float64")


def _periods(schedule: ExponentialDecay | InverseTimeDecay, step: Any) -> Tensor:
    periods = ops.divide(as_tensor(step, "float64"), schedule.decay_steps)
    return _floor(periods) if schedule.staircase else periods


def _constant(value: float) -> Tensor:
    """Return a number that keeps float64 where no array says so."""
    return as_tensor(np.float64(value))


def _numbers(where: str, argument: str, values: Any, low: float = -np.inf) -> tuple[float, ...]:
    if not isinstance(values, list | tuple | np.ndarray) or np.ndim(values) != 1:
        raise ArgumentError(where, argument, "a list of numbers", repr(values))
    return tuple(number(where, f"{argument}[{i}]", v, low) for i, v in enumerate(values))


def _public(schedule: LearningRateSchedule) -> dict[str, Any]:
    return {name: value for name, value in vars(schedule).items() if not name.startswith("_")}


__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[LearningRateSchedule]] = Registry(
    "schedules.deserialize", "schedule", any_case=True
)
for _kind in (
    CosineDecay,
    CosineDecayRestarts,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
):
    _REGISTRY.add(_kind, _kind.__name__)


def serialize(learning_rate_schedule: LearningRateSchedule) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of a schedule.

    Parameters
    ----------
    learning_rate_schedule : LearningRateSchedule

    Returns
    -------
    dict

    Raises
    ------
    fusegrad.errors.ArgumentError
        It is no schedule.

    Examples
    --------
    >>> serialize(InverseTimeDecay(0.5, 10, 1.0))["config"]["decay_rate"]
    1.0
    """
    if not isinstance(learning_rate_schedule, LearningRateSchedule):
        raise ArgumentError(
            "schedules.serialize",
            "learning_rate_schedule",
            "a LearningRateSchedule",
            repr(learning_rate_schedule),
        )
    return {
        "class_name": type(learning_rate_schedule).__name__,
        "config": learning_rate_schedule.get_config(),
    }


def deserialize(
    config: dict[str, Any],
    custom_objects: Mapping[str, type[LearningRateSchedule]] | None = None,
) -> LearningRateSchedule:
    """Return the schedule of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict
    custom_objects : dict of str to class, optional
        Schedules of your own, by name. No other name is ever imported.

    Returns
    -------
    LearningRateSchedule

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no schedule of this name; the message names the nearest one.

    Examples
    --------
    >>> deserialize(serialize(InverseTimeDecay(0.5, 10, 1.0)))
    <InverseTimeDecay initial_learning_rate=0.5 decay_steps=10.0 decay_rate=1.0 staircase=False>
    """
    name, arguments = config_of(config, "schedules.deserialize")
    own = (custom_objects or {}).get(name)
    return (own or _REGISTRY.resolve(name, "config")).from_config(arguments)
