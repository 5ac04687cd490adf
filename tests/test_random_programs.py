"""Random programs: the same bits with and without jit; against complex steps, JAX and torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, ops
from fusegrad._tensor import current_builder
from random_programs import ROWS, Program, program

PROGRAMS = 300
HESSIANS = 50
# Differentiable ops that a program cannot hold, besides those that no function of its own calls.
ELSEWHERE = {"dropout", "identity"}


def gradient(p: Program, dtype: str = "float64") -> tuple[Callable[..., Any], list[np.ndarray]]:
    inputs = [x.astype(dtype) for x in p.inputs]
    return fg.value_and_grad(lambda *xs: p(xs), tuple(range(len(inputs)))), inputs


def flat(arrays: Any) -> np.ndarray:
    return np.concatenate([np.ravel(np.asarray(x)) for x in arrays])


@pytest.mark.parametrize("first", range(0, PROGRAMS, 50))
def test_the_same_bits_with_and_without_jit(first: int) -> None:
    for seed in range(first, first + 50):
        p = program(seed)
        for dtype in ("float64", "float32") if seed % 3 == 0 else ("float64",):
            function, inputs = gradient(p, dtype)
            value, eager = function(*inputs)
            again, compiled = fg.jit(function, exact_rewrites=False)(*inputs)
            assert value.numpy().tobytes() == again.numpy().tobytes(), p.text()
            assert flat(eager).tobytes() == flat(compiled).tobytes(), p.text()


@pytest.mark.parametrize("first", range(0, PROGRAMS, 50))
def test_against_complex_steps(first: int) -> None:
    for seed in range(first, first + 50):
        p = program(seed)
        value, found = gradient(p)[0](*p.inputs)
        assert float(value) == pytest.approx(float(p(p.inputs, "plain")), rel=1e-12, abs=1e-12)
        expected = []
        for i, x in enumerate(p.inputs):
            slopes = np.zeros(x.shape)
            for index in np.ndindex(x.shape):
                moved = [y.astype(np.complex128) for y in p.inputs]
                moved[i][index] += 1e-30j
                slopes[index] = np.imag(p(moved, "plain")) / 1e-30
            expected.append(slopes)
        error = np.abs(flat(found) - flat(expected)).max()
        assert error <= 1e-11 * max(1.0, np.abs(flat(expected)).max()), (seed, p.text())


def test_second_derivatives_are_symmetric() -> None:
    rng = np.random.default_rng(1)
    for seed in range(0, PROGRAMS, 6):
        p = program(seed)
        u, v = ([rng.normal(size=x.shape) for x in p.inputs] for _ in range(2))
        numbers = tuple(range(len(p.inputs)))

        def product(w: list[np.ndarray], p: Program = p, numbers: Any = numbers) -> np.ndarray:
            def slope(*xs: Any) -> Any:
                gradients = fg.grad(lambda *ys: p(ys), numbers)(*xs)
                total = 0.0 * ops.sum(xs[0])
                for g, y in zip(gradients, w, strict=True):
                    total = total + ops.sum(g * y)
                return total

            return flat(fg.grad(slope, numbers)(*p.inputs))

        left, right = product(u), product(v)
        size = np.abs(left * flat(v)).sum() + np.abs(right * flat(u)).sum() + 1.0
        assert abs(left @ flat(v) - right @ flat(u)) <= 1e-12 * size, p.text()


def test_every_op_is_in_some_program() -> None:
    seen: set[str] = set()
    rows: set[str] = set()
    for seed in range(PROGRAMS):
        p = program(seed)
        rows |= {step.row.name for step in p.steps}
        graph = _core.Graph()
        with graph:
            handle: Any = current_builder()
            p([graph.input(x.shape, "float64", "x") for x in p.inputs])
            seen |= {node[1] for node in handle.nodes()}
    assert {r.name for r in ROWS} <= rows
    table = [op for op in _core.op_table() if op["differentiable"]]
    public = {op["name"] for op in table if "gradient" not in op["traits"]}
    assert public - ELSEWHERE <= seen


@pytest.fixture(scope="module")
def libraries() -> Any:
    jax = pytest.importorskip("jax")
    torch = pytest.importorskip("torch")
    jax.config.update("jax_enable_x64", True)
    names = {"jnp": jax.numpy, "nn": jax.nn, "special": jax.scipy.special}
    theirs = {"torch": torch, "F": torch.nn.functional}

    # Compiling takes all the time, this way the least. Without optimization as well, fusions
    # compute values again with other roundings, and a minimum is found nowhere.
    options = {"xla_cpu_use_fusion_emitters": False}

    def of_jax(p: Program, derivative: Callable[..., Any]) -> Any:
        def function(*xs: Any) -> Any:
            return p(xs, "jax", convert=jax.numpy.asarray, **names)

        compiled = jax.jit(
            derivative(function, tuple(range(len(p.inputs)))), compiler_options=options
        )
        return compiled(*p.inputs)

    def of_torch(p: Program) -> Callable[..., Any]:
        return lambda *xs: p(xs, "torch", convert=torch.tensor, **theirs)

    return jax, torch, of_jax, of_torch


@pytest.mark.peers
def test_against_jax_and_torch(libraries: Any) -> None:
    jax, torch, of_jax, of_torch = libraries
    for seed in range(PROGRAMS):
        p = program(seed)
        found = flat(gradient(p)[0](*p.inputs)[1])
        bound = 1e-10 * max(1.0, float(np.abs(found).max()))
        theirs = flat(of_jax(p, jax.grad))
        assert np.abs(found - theirs).max() <= bound, ("jax", seed, p.text())
        xs = [torch.tensor(x, requires_grad=True) for x in p.inputs]
        gradients = torch.autograd.grad(of_torch(p)(*xs), xs, allow_unused=True)
        filled = [
            torch.zeros_like(x) if g is None else g for g, x in zip(gradients, xs, strict=True)
        ]
        theirs = flat([g.numpy() for g in filled])
        assert np.abs(found - theirs).max() <= bound, ("torch", seed, p.text())


@pytest.mark.peers
def test_hessians_against_jax_and_torch(libraries: Any) -> None:
    jax, torch, of_jax, of_torch = libraries
    for seed in range(HESSIANS):
        p = program(seed)
        found = hessian(p)
        bound = 1e-8 * max(1.0, float(np.abs(found).max()))
        theirs = joined(p, of_jax(p, jax.hessian))
        assert np.abs(found - theirs).max() <= bound, ("jax", seed, p.text())
        xs = tuple(torch.tensor(x) for x in p.inputs)
        blocks = torch.autograd.functional.hessian(of_torch(p), xs)
        assert np.abs(found - joined(p, blocks)).max() <= bound, ("torch", seed, p.text())


def joined(p: Program, blocks: Any) -> np.ndarray:
    """Return blocks as one matrix."""
    sizes = [x.size for x in p.inputs]
    return np.block([[np.asarray(block).reshape(m, n) for block, n in zip(line, sizes, strict=True)]
                     for line, m in zip(blocks, sizes, strict=True)])  # fmt: skip


def hessian(p: Program) -> np.ndarray:
    numbers = tuple(range(len(p.inputs)))
    lines = []
    for i, x in enumerate(p.inputs):
        for index in np.ndindex(x.shape):

            def slope(*xs: Any, i: int = i, index: Any = index) -> Any:
                return fg.grad(lambda *ys: p(ys), numbers)(*xs)[i][index]

            lines.append(flat(fg.grad(slope, numbers)(*p.inputs)))
    return np.array(lines)
