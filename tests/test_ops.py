"""Every op against its row in the case table: value, gradients, both orders, layouts, errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError
from layouts import LAYOUTS
from op_cases import CASES, OpCase

Array = np.ndarray[Any, Any]


def draw(case: OpCase, dtype: str = "float64") -> list[Array]:
    """The inputs of a case; floating ones as `dtype`, others as they are."""
    inputs = [np.asarray(x) for x in case.inputs(np.random.default_rng(7))]
    chosen = case.float_inputs
    return [
        x.astype(dtype) if x.dtype.kind == "f" and (chosen is None or i in chosen) else x
        for i, x in enumerate(inputs)
    ]


def outputs(result: Any) -> list[Any]:
    return list(result) if isinstance(result, tuple) else [result]


def arrays(result: Any) -> list[Array]:
    return [np.array(r.numpy() if hasattr(r, "numpy") else r) for r in outputs(result)]


def close(got: Array, want: Array, rtol: float) -> None:
    """Largest difference over largest finite value; NaN and infinity where they are wanted."""
    assert got.shape == want.shape
    if want.dtype.kind in "biu" or got.dtype.kind in "biu":
        np.testing.assert_array_equal(got, want)
        return
    scale = np.max(np.abs(want), initial=0.0)
    np.testing.assert_allclose(got, want, rtol=0, atol=rtol * max(scale, 1e-300))


def projected(case: OpCase, inputs: list[Array]) -> Callable[..., Any]:
    """The op as a function of its differentiable inputs alone, dotted with fixed weights."""
    shape = np.shape(np.asarray(case.reference(*inputs)))
    weights = np.random.default_rng(11).normal(size=shape)

    def function(*parts: Any) -> Any:
        full: list[Any] = list(inputs)
        for position, part in zip(case.grad, parts, strict=True):
            full[position] = part
        return ops.sum(ops.multiply(case.call(*full), weights))

    def reference(*parts: Array) -> float:
        full = list(inputs)
        for position, part in zip(case.grad, parts, strict=True):
            full[position] = part
        return float(np.sum(case.reference(*full) * weights))

    function.reference = reference  # type: ignore[attr-defined]
    return function


def central_difference(f: Callable[..., float], parts: list[Array], index: int) -> Array:
    """Fourth-order central differences of f with respect to parts[index]."""
    step = 1e-3
    gradient = np.zeros(parts[index].shape)
    for place in np.ndindex(*parts[index].shape):
        values = []
        for k in (1, -1, 2, -2):
            moved = [p.copy() for p in parts]
            moved[index][place] += k * step
            values.append(f(*moved))
        gradient[place] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
    return gradient


def relative(got: Array, want: Array) -> float:
    return float(np.linalg.norm(got - want) / max(float(np.linalg.norm(want)), 1e-12))


DIFFERENTIABLE = [case for case in CASES if case.grad]


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_value(case: OpCase, dtype: str) -> None:
    inputs = draw(case, dtype)
    wide = [x.astype(np.float64) if x.dtype.kind == "f" else x for x in inputs]
    tolerance = case.rtol32 if dtype == "float32" else case.rtol64
    for got, want in zip(outputs(case.call(*inputs)), outputs(case.reference(*wide)), strict=True):
        close(got.numpy(), np.asarray(want), tolerance)


@pytest.mark.quick
@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=lambda c: c.id)
def test_gradient(case: OpCase) -> None:
    inputs = draw(case)
    function = projected(case, inputs)
    parts = [inputs[i] for i in case.grad]
    got = fg.grad(function, argnums=tuple(range(len(parts))))(*parts)
    for i, g in enumerate(got):
        want = central_difference(function.reference, parts, i)  # type: ignore[attr-defined]
        assert g.shape == parts[i].shape
        assert relative(g.numpy(), want) <= 1e-7


@pytest.mark.parametrize("case", [c for c in DIFFERENTIABLE if c.second], ids=lambda c: c.id)
def test_second_order(case: OpCase) -> None:
    inputs = draw(case)
    function = projected(case, inputs)
    parts = [inputs[i] for i in case.grad]
    numbers = tuple(range(len(parts)))
    rng = np.random.default_rng(13)
    directions = [rng.normal(size=p.shape) for p in parts]
    first = fg.grad(function, argnums=numbers)

    def slope(*xs: Any) -> Any:
        total: Any = 0.0
        for g, d in zip(first(*xs), directions, strict=True):
            total = total + ops.sum(g * d)
        return total

    got = fg.grad(slope, argnums=numbers)(*parts)
    for i, g in enumerate(got):
        want = central_difference(lambda *xs: float(slope(*xs).item()), parts, i)
        scale = max(float(np.linalg.norm(want)), float(np.linalg.norm(directions[i])) * 1e-3, 1e-6)
        assert float(np.linalg.norm(g.numpy() - want)) / scale <= 1e-6


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_compiled_equals_eager(case: OpCase, dtype: str) -> None:
    """Bit for bit, value and gradients, with the exactness rewrites off."""
    inputs = draw(case, dtype)
    for got, want in zip(
        arrays(fg.jit(case.call, exact_rewrites=False)(*inputs)),
        arrays(case.call(*inputs)),
        strict=True,
    ):
        assert got.dtype == want.dtype
        assert got.tobytes() == want.tobytes()
    if not case.grad:
        return
    function = projected(case, inputs)
    gradient = fg.value_and_grad(function, argnums=tuple(range(len(case.grad))))
    parts = [inputs[i] for i in case.grad]
    value, gradients = gradient(*parts)
    compiled_value, compiled_gradients = fg.jit(gradient, exact_rewrites=False)(*parts)
    assert compiled_value.numpy().tobytes() == value.numpy().tobytes()
    for got, want in zip(compiled_gradients, gradients, strict=True):
        assert got.numpy().tobytes() == want.numpy().tobytes()


@pytest.mark.quick
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.id)
def test_layout_changes_no_bit(case: OpCase, layout: Callable[[Array], Array]) -> None:
    inputs = draw(case, "float32")
    moved = [layout(x) for x in inputs]
    for got, want in zip(arrays(case.call(*moved)), arrays(case.call(*inputs)), strict=True):
        assert got.tobytes() == want.tobytes()
    for x, y in zip(moved, inputs, strict=True):
        np.testing.assert_array_equal(x, y)  # inputs are never written


BAD = [(case, call, words) for case in CASES for call, words in case.bad]


@pytest.mark.quick
@pytest.mark.parametrize(
    ("case", "call", "words"), BAD, ids=[f"{c.id}-{i}" for i, (c, _, _) in enumerate(BAD)]
)
def test_bad_input(case: OpCase, call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ArgumentError, match=words) as caught:
        call()
    assert caught.value.argument
    assert caught.value.expected
    assert caught.value.got


@pytest.mark.parametrize("name", ["exp", "log", "sigmoid", "relu", "softmax", "mean", "logsumexp"])
def test_integers_are_promoted_like_numpy(name: str) -> None:
    x = np.array([[1, 2, 3]], np.int64)
    assert getattr(ops, name)(x).dtype == np.float64


@pytest.mark.parametrize(
    ("value", "dtype"), [(300, "uint8"), (-1, "uint8"), (2**31, "int32"), (np.nan, "int64")]
)
def test_full_refuses_what_the_dtype_does_not_hold(value: float, dtype: str) -> None:
    with pytest.raises(ArgumentError, match="fill_value"):
        ops.full((2,), value, dtype)


def test_gradient_of_a_product_of_depth_zero() -> None:
    x = np.zeros((2, 3, 0))
    gradient = fg.grad(lambda y: ops.sum(ops.matmul(x, y)))(np.zeros((0, 4)))
    assert gradient.shape == (0, 4)
    gradient = fg.grad(lambda w: ops.sum(ops.dense(x, w)))(np.zeros((0, 4)))
    assert gradient.shape == (0, 4)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_gradients_where_probabilities_are_clipped(dtype: str) -> None:
    """To [1e-7, 1 - 1e-7], as the loss does in double precision: no slope in p, all of it in t."""
    p = np.array([0.0, 1e-9, 0.25, 1.0], dtype)
    t = np.array([0.5, 0.25, 0.75, 0.125], dtype)
    in_p, in_t = fg.grad(lambda *a: ops.sum(ops.binary_cross_entropy(*a)), argnums=(1, 0))(t, p)
    r = np.clip(p.astype(np.float64), 1e-7, 1 - 1e-7)
    slope = np.where((p > 1e-7) & (p < 1), (r - t) / (r * (1 - r)), 0.0)
    rtol = 1e-6 if dtype == "float32" else 1e-13
    np.testing.assert_allclose(in_p.numpy(), slope, rtol=rtol, atol=0)
    np.testing.assert_allclose(in_t.numpy(), np.log1p(-r) - np.log(r), rtol=rtol, atol=0)


EMPTY = ["exp", "relu", "sum", "add", "multiply"]


@pytest.mark.parametrize("name", EMPTY)
def test_empty_arrays(name: str) -> None:
    x = np.zeros((0, 3), np.float32)
    arguments = (x, x) if name in {"add", "multiply"} else (x,)
    result = getattr(ops, name)(*arguments).numpy()
    assert result.shape == (() if name == "sum" else (0, 3))
    assert float(np.sum(result)) == 0.0
