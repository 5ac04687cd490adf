"""Indexing and indexed updates. The oracle is NumPy; its gradient is a scattered sum."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad._tensor import Tensor, apply
from fusegrad.errors import ArgumentError

SHAPE = (3, 4, 5)
ROWS = np.array([True, False, True])
BLOCK = np.arange(12).reshape(3, 4) % 5 == 1
ENTRIES: list[Any] = [
    *(0, -1, np.int64(1), np.array(1), None, Ellipsis, True, False),
    *(slice(None), slice(1, 3), slice(None, None, -2), slice(2, 2)),
    *([1, 0], np.array([0, 2, -1]), np.array([[0], [2]], np.uint8), np.array([], int)),
    *(ROWS, [False, True, True], BLOCK),
]


def keys() -> list[Any]:
    """All keys of one or two entries, and some of up to five, that NumPy takes."""
    rng = np.random.default_rng(5)
    found = [(entry,) for entry in ENTRIES] + list(itertools.product(ENTRIES, repeat=2))
    for length in (3, 3, 4, 5):
        for places in rng.integers(0, len(ENTRIES), (400, length)):
            found.append(tuple(ENTRIES[i] for i in places))
    return [key for key in found if accepted(key)]


def accepted(key: Any) -> bool:
    try:
        return np.empty(SHAPE)[key].ndim <= 8
    except IndexError:
        return False


def array(*shape: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(3).normal(size=shape)


@pytest.mark.quick
def test_values_and_gradients() -> None:
    x = array(*SHAPE)
    checked = 0
    for key in keys():
        want = x[key]
        got = Tensor(x)[key]
        assert got.shape == want.shape, key
        np.testing.assert_array_equal(got.numpy(), want, err_msg=str(key))
        weights = array(*want.shape)
        slope = np.zeros(SHAPE)
        np.add.at(slope, key, weights)
        gradient = fg.grad(lambda t, key=key, w=weights: ops.sum(t[key] * w))(x)
        np.testing.assert_allclose(gradient.numpy(), slope, rtol=0, atol=1e-14, err_msg=str(key))
        checked += 1
    assert checked > 600


def test_a_key_that_is_no_tuple() -> None:
    x = array(*SHAPE)
    for key in ENTRIES:
        np.testing.assert_array_equal(Tensor(x)[key].numpy(), x[key])
    np.testing.assert_array_equal(Tensor(x)[()].numpy(), x)


@pytest.mark.parametrize("traced", [False, True])
def test_arrays_of_integers_may_be_tensors(traced: bool) -> None:
    """Also symbolic ones: the probabilities of the right classes, in a compiled function."""
    p, y = array(4, 3), np.array([2, 0, -1, 1])

    def cost(p: Any, y: Any) -> Any:
        return ops.mean(p[np.arange(4), y] ** 2)

    gradient = fg.grad(cost)
    got = (fg.jit(gradient) if traced else gradient)(p, Tensor(y))
    want = np.zeros((4, 3))
    want[np.arange(4), y] = 2 * p[np.arange(4), y] / 4
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-15)
    np.testing.assert_array_equal(Tensor(p)[Tensor(1), ..., Tensor([2, 0])].numpy(), p[1, [2, 0]])


def test_second_derivative() -> None:
    x, i = array(5), np.array([0, 0, 3])
    hessian_row = fg.grad(lambda t: fg.grad(lambda u: ops.sum(u[i] ** 3))(t)[0])(x)
    np.testing.assert_allclose(hessian_row.numpy(), [12 * x[0], 0, 0, 0, 0], rtol=1e-15)


def test_a_mask_that_depends_on_what_is_differentiated() -> None:
    x = array(3, 4)
    gradient = fg.grad(lambda t: ops.sum(t[t > 0.1] ** 2))(x)
    np.testing.assert_allclose(gradient.numpy(), np.where(x > 0.1, 2 * x, 0.0), rtol=1e-15)
    gradient = fg.grad(lambda t: ops.sum(t[ops.max(t, axis=1) > 1.0]))(x)
    np.testing.assert_array_equal(gradient.numpy(), np.ones((3, 4)) * (x.max(1) > 1.0)[:, None])


def test_masks_in_a_trace() -> None:
    x = array(3, 4)
    known = fg.jit(lambda t: t[BLOCK])
    np.testing.assert_array_equal(known(x).numpy(), x[BLOCK])
    for symbolic in (lambda t: t[t > 0], lambda t: t[:, t[0] > 0]):
        with pytest.raises(IndexError, match=r"ops\.where"):
            fg.jit(symbolic)(x)


@pytest.mark.parametrize(
    "key",
    [
        *(3, -4, (0, 0, 0), "a", 1.0, [0.5], (Ellipsis, Ellipsis), [3], [[-4]], ([0], [0], [0])),
        *(([0, 1], [0, 1, 2]), ([0, 1, 2], [4]), [True, False], (0, ROWS), np.ones((3, 3), bool)),
        *([[1, 2], [3]], {}, (slice(None), [0, 1], None, 4)),
    ],
    ids=str,
)
def test_bad_keys(key: Any) -> None:
    x = np.zeros((3, 4))
    with pytest.raises((IndexError, ValueError)):
        x[key]
    with pytest.raises(IndexError):
        Tensor(x)[key]


def test_messages_name_what_is_wrong() -> None:
    x = Tensor(np.zeros((3, 4)))
    with pytest.raises(IndexError, match=r"\[-4, 4\), got 7"):
        x[[0, 1], [0, 7]]
    with pytest.raises(IndexError, match="axis 1 has size 4"):
        x[:, ROWS]
    with pytest.raises(IndexError, match="broadcast"):
        x[[0, 1], [0, 1, 2]]
    with pytest.raises(TypeError, match=r"at\[key\]\.set\(value\).*ops\.where"):
        x[0] = 1.0
    compiled = fg.jit(lambda t, i: t[i])
    with pytest.raises(ArgumentError, match=r"\[-3, 3\), got 9"):
        compiled(x, np.array([9]))


def test_rows_are_iterated_with_their_gradients() -> None:
    x = array(3, 2)
    gradient = fg.grad(lambda t: sum(i * ops.sum(row) for i, row in enumerate(t)))(x)
    np.testing.assert_array_equal(gradient.numpy(), [[0, 0], [1, 1], [2, 2]])
    first, *rest = Tensor(x)
    assert first.tolist() == x[0].tolist()
    assert len(rest) == 2
    with pytest.raises(TypeError):
        iter(Tensor(1.0))


# ---- x.at[key] ---------------------------------------------------------------------------------


def assigned(x: Any, key: Any, v: Any) -> None:
    x[key] = v


UPDATES: dict[str, Callable[..., None]] = {
    "set": assigned,
    "add": np.add.at,
    "subtract": np.subtract.at,
    "multiply": np.multiply.at,
    "divide": np.divide.at,
    "min": np.minimum.at,
    "max": np.maximum.at,
}


def updated(name: str, x: Any, key: Any, v: Any) -> Any:
    y = x.copy()
    UPDATES[name](y, key, v)
    return y


@pytest.mark.parametrize("name", UPDATES)
def test_updates(name: str) -> None:
    x = array(*SHAPE)
    whole = np.arange(60).reshape(SHAPE) + 1
    for key in keys()[::5]:
        shape = x[key].shape
        for v in (array(*shape) + 2.5, 2.0, array(*shape[-1:]) + 2.5):
            got = getattr(Tensor(x).at[key], name)(v)
            want = updated(name, x, key, v)
            np.testing.assert_allclose(got.numpy(), want, rtol=1e-15, atol=1e-15, err_msg=str(key))
        if name != "divide":
            got = getattr(Tensor(whole).at[key], name)(3)
            assert got.dtype == np.int64
            np.testing.assert_array_equal(got.numpy(), updated(name, whole, key, 3), str(key))


@pytest.mark.parametrize("name", UPDATES)
@pytest.mark.parametrize(
    "key", [slice(1, 3), [0, 3, 0, 0, 3], np.array([True, False, True, True]), 2], ids=str
)
def test_gradients_of_updates(name: str, key: Any) -> None:
    """Of the array and of the values, against central differences; eager and compiled."""
    x = np.array([0.3, -1.2, 2.0, 0.9])
    v = np.linspace(0.55, 1.45, np.size(x[key])).reshape(np.shape(x[key]))
    weights = np.array([1.0, 2.0, -0.5, 3.0])

    def function(x: Any, v: Any) -> Any:
        return ops.sum(getattr(fg.ops.identity(x).at[key], name)(v) * weights)

    def plain(x: Any, v: Any) -> float:
        return float(np.sum(updated(name, x, key, v) * weights))

    got = fg.grad(function, argnums=(0, 1))(x, v)
    compiled = fg.jit(fg.grad(function, argnums=(0, 1)))(x, v)
    for position, (g, c) in enumerate(zip(got, compiled, strict=True)):
        operands = [x, v]
        want = np.zeros(operands[position].shape)
        for place in np.ndindex(want.shape):
            values = []
            for step in (1e-5, -1e-5):
                moved = [np.array(operand) for operand in operands]
                moved[position][place] += step
                values.append(plain(*moved))
            want[place] = (values[0] - values[1]) / 2e-5
        np.testing.assert_allclose(g.numpy(), want, rtol=1e-8, atol=1e-8)
        assert c.numpy().tobytes() == g.numpy().tobytes()


@pytest.mark.parametrize("name", UPDATES)
def test_symbolic_indices(name: str) -> None:
    x, i, v = array(4, 2), np.array([1, 3, 1]), array(3, 2)
    f = fg.jit(lambda t, i, v: getattr(t.at[i], name)(v))
    if name in ("multiply", "divide"):
        with pytest.raises(TypeError, match=r"at\[key\]\.\w+\(\) needs a key"):
            f(x, i, v)
    else:
        np.testing.assert_allclose(f(x, i, v).numpy(), updated(name, x, i, v), rtol=1e-15)


def test_bad_updates() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    with pytest.raises(ArgumentError, match=r"at\[\]\.set.*broadcasts to \(2,\)"):
        x.at[:2].set([1.0, 2.0, 3.0])
    with pytest.raises(ArgumentError, match="values that int64 holds"):
        Tensor([1, 2]).at[0].set(1.5)
    with pytest.raises(ArgumentError, match="floating"):
        Tensor([1, 2]).at[0].divide(2)
    with pytest.raises(IndexError):
        x.at[3].set(1.0)
    assert x.at[0].get().item() == 1.0
    assert "at[0] of Tensor" in repr(x.at[0])


@pytest.mark.quick
def test_numbers_beyond_64_bits() -> None:
    x = array(5)
    for step in (2**62, -(2**63), 2**70, -(2**70)):
        np.testing.assert_array_equal(Tensor(x)[::step].numpy(), x[::step])
        np.testing.assert_array_equal(Tensor(x)[1:1:step].numpy(), x[1:1:step])
    for index in (2**63, -(2**70)):
        with pytest.raises(IndexError, match="out of bounds for axis 0 with size 5"):
            Tensor(x)[index]
    for start, step in ((-(2**63), 1), (4, -(2**63))):
        with pytest.raises(ArgumentError, match="a slice inside"):
            apply("slice", (x,), start=(start,), step=(step,), shape=(2,))
