"""What a row is, and what draws its inputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fusegrad._tensor import apply
from references import softmax

Inputs = tuple[Any, ...]
RNG = np.random.Generator
Maker = Callable[[RNG], np.ndarray]
Domain = Callable[..., Maker]  # of a shape


@dataclass(frozen=True)
class OpCase:
    """One op, one way to use it."""

    op: str
    call: Callable[..., Any]
    inputs: Callable[[RNG], Inputs]
    reference: Callable[..., Any]
    grad: tuple[int, ...] = ()  # inputs that get a gradient
    label: str = ""
    rtol32: float = (
        1e-6  # forward, float32 against float64 on the same inputs, of the largest value
    )
    rtol64: float = 1e-13
    second: bool = True  # the gradient is differentiable again
    domains: tuple[Domain, ...] = ()  # of each operand, where the call takes any shape
    shapes: str = (
        "same"  # those of `domains`: "same", "broadcast", or "rows": each is told (..., n)
    )
    analytic: bool = True  # the reference takes complex numbers
    bad: tuple[tuple[Callable[[], Any], str], ...] = ()  # calls that fail, words of their message
    bench: tuple[tuple[int, ...], ...] = ()  # shapes of the first input in benchmarks
    float_inputs: tuple[int, ...] | None = None  # which inputs take the tested dtype; None: floats

    @property
    def id(self) -> str:
        return f"{self.op}-{self.label}" if self.label else self.op


CASES: list[OpCase] = []


def case(op: str, call: Any, inputs: Any, reference: Any, **options: Any) -> None:
    CASES.append(OpCase(op, call, inputs, reference, **options))


def normal(*shape: int) -> Maker:
    return lambda rng: rng.normal(size=shape)


def positive(*shape: int) -> Maker:
    return lambda rng: rng.uniform(0.3, 3.0, size=shape)


def away_from_zero(*shape: int) -> Maker:
    return lambda rng: rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.2, 2.0, size=shape)


def inside(*shape: int) -> Maker:
    """Between the poles and kinks at -1 and 1."""
    return lambda rng: rng.uniform(-0.8, 0.8, size=shape)


def above_one(*shape: int) -> Maker:
    return lambda rng: rng.uniform(1.3, 3.0, size=shape)


def distinct(*shape: int) -> Maker:
    """No two elements closer than a finite difference can tell apart."""
    return lambda rng: rng.permutation(int(np.prod(shape))).reshape(shape) / 3.0 - 2.0


def probabilities(*shape: int) -> Maker:
    return lambda rng: softmax(rng.normal(size=shape))


def unit(*shape: int) -> Maker:
    return lambda rng: rng.uniform(0.05, 0.95, size=shape)


def distinct_too(*shape: int) -> Maker:
    """As `distinct`, and far from everything in it."""
    return lambda rng: rng.permutation(int(np.prod(shape))).reshape(shape) / 3.0 - 1.85


def inside_or_outside(*shape: int) -> Maker:
    """Not near -0.7 or 0.9, where `clip` has its kinks."""
    return lambda rng: rng.choice([-3.0, -0.75, -0.2, 0.1, 0.85, 2.0], size=shape)


def ints(high: int, *shape: int) -> Maker:
    return lambda rng: rng.integers(0, high, size=shape)


def bools(*shape: int) -> Maker:
    return lambda rng: rng.integers(0, 2, size=shape).astype(bool)


def labels(*shape: int) -> Maker:
    """A class for each row of an array (..., classes)."""
    return ints(shape[-1], *shape[:-1])


def row_values(*shape: int) -> Maker:
    """A number for each row of an array (..., n)."""
    return normal(*shape[:-1])


def scalar(value: float) -> Maker:
    return lambda rng: np.asarray(value)


def draw(*makers: Callable[[RNG], Any]) -> Callable[[RNG], Inputs]:
    return lambda rng: tuple(make(rng) for make in makers)


def internal(name: str, **attrs: Any) -> Callable[..., Any]:
    """Call an op that has no public function: gradients and optimizer updates."""
    return lambda *inputs: apply(name, inputs, **attrs)


def int_array(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int64)


F32 = np.float32
BENCH = ((32, 25), (32, 784), (512, 512))
