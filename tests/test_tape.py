"""The tape: what it keeps and frees, operands as it meets them, and its two ways to gradients."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad._tensor import Tape, Tensor, current_builder
from fusegrad.errors import ArgumentError

ELEMENTS = np.linspace(0.5, 2.0, 12, dtype=np.float32).reshape(3, 4)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


# ---- what it keeps -------------------------------------------------------------------------------


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_small_tapes_leak_nothing() -> None:
    x = np.linspace(0.1, 1.0, 16, dtype=np.float32)
    y = np.ones(16, np.float32)[::-1]

    def cost(w: Tensor) -> Tensor:
        return ops.sum(ops.tanh(w * x + 1.0) * y / np.float32(2.0)) + ops.mean(w[:4])

    def steps(count: int) -> None:
        for _ in range(count):
            fg.value_and_grad(cost)(x)
            with pytest.raises(ArgumentError), Tape() as tape:
                tape.watch(Tensor(x)) + np.ones(3, np.float32)
            with Tape() as tape:
                w = tape.watch(Tensor(x))
                tape.gradient(w * w, [w])

    steps(300)
    gc.collect()
    objects, references = len(gc.get_objects()), [sys.getrefcount(a) for a in (x, y)]
    before = resident_bytes()
    steps(4000)
    assert resident_bytes() - before < 1 << 20  # a leak of one node in each would be 2 MiB
    gc.collect()
    assert len(gc.get_objects()) < objects + 100
    assert [sys.getrefcount(a) for a in (x, y)] == references


def test_a_tape_holds_its_operands_until_it_ends() -> None:
    array = np.ones(4, np.float32)
    before = sys.getrefcount(array)
    with Tape() as tape:
        x = tape.watch(Tensor(ELEMENTS))
        y = x * array
        assert sys.getrefcount(array) > before
        (gradient,) = tape.finish(y, [x])
    assert sys.getrefcount(array) == before
    np.testing.assert_array_equal(gradient, np.ones_like(ELEMENTS))


def test_an_op_that_raises_leaves_the_tape_as_it_was() -> None:
    def cost(x: Tensor) -> Tensor:
        y = ops.exp(x)
        for _ in range(3):
            with pytest.raises(ArgumentError):
                y + np.ones(5, np.float32)
            with pytest.raises(ArgumentError):
                ops.sum(y, axis=7)
        return ops.sum(y)

    np.testing.assert_array_equal(fg.grad(cost)(ELEMENTS), ops.exp(ELEMENTS).numpy())


# ---- finish and gradient -------------------------------------------------------------------------

W = np.linspace(-1.0, 1.0, 20, dtype=np.float32).reshape(4, 5)

# Values that are used once and often, cotangents that several operands share, stretched operands,
# rules of one op and of many, results that are views.
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "chain": lambda x: ops.tanh(ops.exp(-x)),
    "square": lambda x: x * x,
    "doubled": lambda x: (x + x) + (x + x),
    "shared": lambda x: x + ops.exp(x) + x * x,
    "stacked": lambda x: ops.concatenate([x, x, ops.exp(x)], axis=0) * 3.0,
    "stretched": lambda x: (x + x[0]) * ops.sum(x, axis=1, keepdims=True) + ops.mean(x),
    "transposed": lambda x: x.T + ops.reshape(x, (4, 3)) * x.T,
    "products": lambda x: ops.matmul(x, W) @ ops.matmul(x, W).T,
    "powers": lambda x: x**3 + 2.0**x + x**x,
    "reduced": lambda x: ops.logsumexp(x, axis=1) * ops.max(x, axis=1) + ops.var(x, axis=1),
    "where": lambda x: ops.where(x > 1.0, x, ops.square(x)) + ops.maximum(x, 1.0),
    "twice": lambda x: sum([ops.exp(x), ops.exp(x), x, x], start=ops.log(x)),
    "constant": lambda x: ops.exp(Tensor(ELEMENTS)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_finish_gives_the_bits_of_gradient(name: str) -> None:
    def gradients(way: str) -> list[bytes]:
        with Tape() as tape:
            x = tape.watch(Tensor(ELEMENTS))
            middle = ops.sqrt(x)
            y = FUNCTIONS[name](middle)
            asked = [x, middle, x] if name == "constant" else [x, middle, y, x]
            found = getattr(tape, way)(y, asked)
        return [np.ascontiguousarray(array).tobytes() for array in found]

    assert gradients("finish") == gradients("gradient")


def test_finish_ends_the_recording() -> None:
    with Tape() as outer:
        x = outer.watch(Tensor(3.0))
        with Tape() as tape:
            u = tape.watch(Tensor(2.0))
            v = u * u
            kept = tape.finish(v, [u])
            assert current_builder() is outer
            np.testing.assert_array_equal(v.numpy(), 4.0)  # a plain Tensor again
            np.testing.assert_array_equal((u * kept[0]).numpy(), 8.0)
            with pytest.raises(RuntimeError, match="entered"):
                tape.finish(v, [u])
        (dx,) = outer.finish(x * kept[0], [x])
    assert float(dx) == 4.0
    assert current_builder() is None


def test_finish_that_raises_leaves_the_tape_recording() -> None:
    with Tape() as tape:
        x = tape.watch(Tensor(ELEMENTS))
        y = ops.exp(x)
        with pytest.raises(RuntimeError, match="recording in progress"):
            tape.finish(y, [Tensor(1.0)])
        with pytest.raises(ArgumentError, match="floating"):
            tape.finish(x > 1.0, [x])
        np.testing.assert_array_equal(tape.finish(y, [x])[0], ops.exp(ELEMENTS))


def test_finish_through_a_checkpoint() -> None:
    def function(x: Any) -> Any:
        used, unused = ops.exp(ops.sin(x)), ops.tanh(x)
        return used, unused, ops.square(unused * 3.0)[0]

    def gradient(function: Callable[[Any], Any]) -> Any:
        return fg.grad(lambda x: ops.sum(function(ops.exp(x))[0] * x))(ELEMENTS)

    np.testing.assert_array_equal(gradient(fg.checkpoint(function)), gradient(function))


def test_gradients_of_gradients_are_recorded() -> None:
    second = fg.grad(lambda x: ops.sum(fg.grad(lambda u: ops.sum(u**4))(x) * x))(ELEMENTS)
    np.testing.assert_allclose(second, 16 * ELEMENTS.astype(float) ** 3, rtol=1e-6)


# ---- operands ------------------------------------------------------------------------------------

OPERANDS: dict[str, Any] = {
    "float": 1.5,
    "int": 3,
    "bool": True,
    "float32 scalar": np.float32(1.5),
    "float64 scalar": np.float64(1.5),
    "int64 scalar": np.int64(3),
    "0-d": np.array(1.5, np.float32),
    "C order": ELEMENTS + 1,
    "F order": np.asfortranarray(ELEMENTS + 1),
    "strided": np.repeat(ELEMENTS, 2, axis=1)[:, ::2],
    "backwards": ELEMENTS[::-1, ::-1],
    "stretched": np.broadcast_to(ELEMENTS[0], (3, 4)),
    "float64": ELEMENTS.astype(np.float64),
    "int32": np.arange(12, dtype=np.int32).reshape(3, 4),
    "uint8": np.arange(12, dtype=np.uint8).reshape(3, 4),
    "booleans": np.arange(12).reshape(3, 4) % 2 == 0,
    "big-endian": ELEMENTS.astype(">f4"),
    "float16": ELEMENTS.astype(np.float16),
    "unaligned": np.frombuffer(b"\0" + ELEMENTS.tobytes(), np.float32, offset=1).reshape(3, 4),
    "list": [1.0, 2.0, 3.0, 4.0],
    "subclass": ELEMENTS.view(type("Array", (np.ndarray,), {})),
}


@pytest.mark.parametrize("name", OPERANDS)
def test_operands_beside_a_tensor(name: str) -> None:
    other = OPERANDS[name]
    expected = ELEMENTS + other if name != "list" else ELEMENTS + np.float32(other)
    for function in (lambda x: x + other, lambda x: other + x, lambda x: ops.add(x, other)):
        plain = function(Tensor(ELEMENTS))
        with Tape() as tape:
            recorded = function(tape.watch(Tensor(ELEMENTS)))
        for result in (plain, recorded):
            assert result.dtype == expected.dtype
            np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", ["C order", "F order", "strided", "backwards", "stretched"])
def test_one_numpy_operand(name: str) -> None:
    x = OPERANDS[name]
    np.testing.assert_array_equal(ops.negative(x), -x)
    np.testing.assert_array_equal(
        ops.sum(x, axis=0), np.sum(x.astype(float), axis=0, dtype=float).astype(np.float32)
    )


def test_numbers_that_do_not_fit() -> None:
    x = Tensor(ELEMENTS)
    with pytest.raises(OverflowError):
        x * 10**400
    assert (x * 10**30).dtype == np.float32
    assert math.isinf(float((x * 1e300)[0, 0]))
    with pytest.raises(ArgumentError, match="shapes that broadcast"):
        x + np.ones(5, np.float32)


# ---- jit -----------------------------------------------------------------------------------------


def test_jit_tells_its_arguments_apart() -> None:
    traces = []

    @fg.jit
    def function(x: Any, scale: Any) -> Any:
        traces.append(type(scale))
        return x * scale if not isinstance(scale, str) else x + len(scale)

    arguments: list[tuple[Any, Any]] = [
        (0.0, ELEMENTS * 0.0), (-0.0, ELEMENTS * -0.0), (1.0, ELEMENTS), (1, ELEMENTS),
        (True, ELEMENTS), ("ab", ELEMENTS + 2), ("abc", ELEMENTS + 3),
        (np.float32(3.0), ELEMENTS * 3), (np.float32(4.0), ELEMENTS * 4),
        (np.array(5.0, np.float32), ELEMENTS * 5),
        (np.float64(1 / 3), ELEMENTS * np.float64(1 / 3)),
    ]  # fmt: skip
    for _ in range(2):
        for scale, expected in arguments:
            for _ in range(3):
                result = function(ELEMENTS, scale)
                assert result.dtype == expected.dtype
                np.testing.assert_array_equal(result, expected)
                np.testing.assert_array_equal(np.signbit(result), np.signbit(expected))
    assert len(traces) == 9  # float32 scalars and arrays share a program


def test_jit_of_strided_arguments() -> None:
    function = fg.jit(ops.exp)
    for x in (ELEMENTS, np.asfortranarray(ELEMENTS), ELEMENTS[::-1], ELEMENTS[:, ::-1]):
        np.testing.assert_array_equal(function(x), ops.exp(np.ascontiguousarray(x)))
