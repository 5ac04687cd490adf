"""einsum, tensordot and the like: value against NumPy, gradients, dtypes, jit, errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError

Shape = tuple[int, ...]
SIZES = {"a": 2, "b": 3, "i": 4, "j": 5, "k": 3, "l": 2, "m": 1}


def shapes_of(subscripts: str) -> list[Shape]:
    terms = subscripts.split("->", maxsplit=1)[0].split(",")
    return [tuple(SIZES[letter] for letter in term) for term in terms]


def subscripts() -> Iterator[str]:
    """One operand, all ways to contract two, and chains of several."""
    yield from ["i->i", "i->", "i", "ij->ji", "ij->i", "ij->", "ij", "ji", "ii->i", "ii", "iij->ij"]
    yield from ["iji->j", "iijj->ij", "iijj", "iii", "abij->ajb", "abi->iba"]
    # Two operands: each label is of the left, the right or both, and stays or goes.
    labels = [("a", "a"), ("i", "i"), ("j", ""), ("", "k")]
    for keep in itertools.product([True, False], repeat=4):
        left = "".join(of_left for of_left, _ in labels)
        right = "".join(of_right for _, of_right in labels)[::-1]
        out = "".join((x or y) for (x, y), kept in zip(labels, keep, strict=True) if kept)
        yield f"{left},{right}->{out}"
    yield from ["ij,jk", "ij,kj->ki", "i,i", "i,j", "i,j->ji", "ij,ij", "ij,ij->ij", "ijk,kj->i"]
    yield from ["aij,ajk->aik", "abij,abjk->abik", "iij,jk->ik", "ii,jj->ij", "ii,i->i", "m,im->i"]
    yield from ["ij,jk,kl", "ij,jk,kl,lm->im", "i,j,k->kij", "ai,ai,ai->a", "ij,ij,ij->", "i,i,i,i"]
    yield from ["abi,ij,jbk->ak", "ij,jk,ki->", "a,ab,b->", "ijk,lj,lk->il", "aij,bij,ij->ab"]


FORMS = [(text, shapes_of(text)) for text in subscripts()]
FORMS += [
    ("...i,i->...", [(2, 3, 4), (4,)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("...", [(2, 3)]),
    ("...i->i...", [(2, 3, 4)]),
    ("i...->...", [(2, 3, 4)]),
    ("...ii->...i", [(2, 3, 3)]),
    ("i...j,j", [(2, 3, 4), (4,)]),
    ("...,...", [(3, 1), (4,)]),
    ("...a,...a->...", [(2, 3), (3,)]),
    ("ij,...j->...i", [(2, 3), (4, 3)]),
    ("ij,ij->ij", [(1, 3), (2, 3)]),
    ("ij,jk->ik", [(2, 1), (3, 4)]),
    ("ij,jk->ik", [(0, 3), (3, 2)]),
    ("ij,jk->ik", [(2, 0), (0, 3)]),
    ("ij,ij->", [(0, 3), (0, 3)]),
    (" i j , j k -> i k ", [(2, 3), (3, 4)]),
]  # fmt: skip


def drawn(shapes: list[Shape], dtype: Any = "float64") -> list[np.ndarray]:
    rng = np.random.default_rng(sum(map(sum, shapes)))
    return [rng.integers(-8, 8, size=shape).astype(dtype) / 4 for shape in shapes]


def test_there_are_enough_forms() -> None:
    assert len(FORMS) >= 60
    assert len({(text, tuple(shapes)) for text, shapes in FORMS}) == len(FORMS)


@pytest.mark.quick
@pytest.mark.parametrize(("text", "shapes"), FORMS, ids=[f"{t} {s}" for t, s in FORMS])
def test_einsum(text: str, shapes: list[Shape]) -> None:
    """The elements are quarters of small integers, so sums are exact, whatever their order."""
    arrays = drawn(shapes)
    want = np.einsum(text, *arrays)
    for dtype in ("float64", "float32"):
        cast = [x.astype(dtype) for x in arrays]
        got = ops.einsum(text, *cast)
        assert got.dtype == dtype
        assert got.shape == want.shape
        np.testing.assert_array_equal(got.numpy(), want)
    rng = np.random.default_rng(3)
    arrays = [rng.normal(size=x.shape) for x in arrays]
    weights = rng.normal(size=want.shape)
    numbers = tuple(range(len(arrays)))

    def total(*xs: Any) -> Any:
        return ops.sum(ops.einsum(text, *xs) * weights)

    both = fg.value_and_grad(total, numbers)
    value, gradients = both(*arrays)
    compiled = fg.jit(both, exact_rewrites=False)(*arrays)
    assert compiled[0].numpy().tobytes() == value.numpy().tobytes()
    for i, gradient in enumerate(gradients):
        assert compiled[1][i].numpy().tobytes() == gradient.numpy().tobytes()
        # It is linear in each operand: the slope along one element is the value of a unit array.
        units = np.eye(arrays[i].size).reshape(arrays[i].size, *arrays[i].shape)
        for unit, slope in zip(units, gradient.numpy().ravel(), strict=True):
            exact = np.sum(np.einsum(text, *arrays[:i], unit, *arrays[i + 1 :]) * weights)
            assert slope == pytest.approx(exact, rel=1e-12, abs=1e-12)


def test_einsum_by_lists() -> None:
    x, y = drawn([(2, 3, 4), (4, 5)])
    want = np.einsum(x, [0, 1, 2], y, [2, 3], [3, 0, 1])
    np.testing.assert_array_equal(ops.einsum(x, [0, 1, 2], y, [2, 3], [3, 0, 1]).numpy(), want)
    want = np.einsum(x, [..., 2], y, [2, 3])
    np.testing.assert_array_equal(ops.einsum(x, [..., 2], y, [2, 3]).numpy(), want)


@pytest.mark.parametrize(
    "optimize", [True, False, "greedy", "optimal", ["einsum_path", (0, 2), (0, 1)]]
)
def test_einsum_in_any_order(optimize: Any) -> None:
    arrays = drawn([(2, 3), (3, 4), (4, 2)])
    got = ops.einsum("ij,jk,kl->il", *arrays, optimize=optimize)
    np.testing.assert_array_equal(got.numpy(), np.linalg.multi_dot(arrays))


def test_einsum_contracts_in_numpys_order() -> None:
    arrays = [np.ones(s, np.float32) for s in [(20, 2), (2, 30), (30, 3)]]
    text = fg.jit(lambda *xs: ops.einsum("ij,jk,kl->il", *xs)).lower(*arrays).text("simplify")
    shapes = [
        line.split("float32")[1].split(" = ")[0] for line in text.splitlines() if " matmul(" in line
    ]
    assert shapes == ["[2, 3]", "[20, 3]"]


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_products_of_integers(dtype: str) -> None:
    x, y = (np.arange(6).reshape(2, 3).astype(dtype), np.arange(12).reshape(3, 4).astype(dtype))
    for got, want in [
        (ops.einsum("ij,jk->ki", x, y), np.einsum("ij,jk->ki", x, y)),
        (ops.einsum("ij->", x), np.einsum("ij->", x)),
        (ops.tensordot(x, y, 1), np.tensordot(x, y, 1)),
        (ops.dot(x, y), np.dot(x, y)),
        (ops.dot(x, 3), x * 3),
        (ops.inner(x, x), np.inner(x, x)),
        (ops.vdot(x, x), np.vdot(x, x)),
        (ops.outer(x, y), np.outer(x, y)),
        (ops.vecdot(x, x), np.vecdot(x, x)),
        (ops.kron(x, y), np.kron(x, y)),
    ]:
        assert got.dtype == np.asarray(want).dtype
        np.testing.assert_array_equal(got.numpy(), want)


def test_float32_sums_of_squares_are_added_in_double() -> None:
    x = np.full(1 << 16, 1 + 2.0**-12, np.float32)
    assert ops.einsum("i,i->", x, x).item() == np.float32(np.sum(x.astype(np.float64) ** 2))


# ---- the others ----------------------------------------------------------------------------------

CASES: list[tuple[str, Callable[..., Any], Callable[..., Any], list[Shape]]] = [
    *(("dot", ops.dot, np.dot, [a, b]) for a, b in [
        ((), (3,)), ((2, 3), ()), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)),
        ((2, 3, 4), (4,)), ((2, 3, 4), (5, 4, 2)), ((4,), (2, 4, 3)), ((2, 0), (0, 3)),
    ]),
    *(("inner", ops.inner, np.inner, [a, b]) for a, b in [
        ((), (3,)), ((3,), (3,)), ((2, 3), (4, 3)), ((2, 3, 4), (4,)), ((2, 1, 3), (2, 3)),
    ]),
    *(("vdot", ops.vdot, np.vdot, [a, b]) for a, b in [((3,), (3,)), ((2, 3), (3, 2)), ((), ())]),
    *(("outer", ops.outer, np.outer, [a, b]) for a, b in [((3,), (2,)), ((2, 2), ()), ((0,), (3,)),
    ]),
    *((f"tensordot {axes}", lambda x, y, a=axes: ops.tensordot(x, y, a),
       lambda x, y, a=axes: np.tensordot(x, y, a), [a, b]) for a, b, axes in [
        ((2, 3), (4, 5), 0), ((2, 3), (3, 4), 1), ((2, 3, 4), (3, 4, 5), 2), ((2, 3), (2, 3), 2),
        ((2, 3, 4), (4, 3, 5), ((1, 2), (1, 0))), ((2, 3, 4), (3, 5), (1, 0)),
        ((2, 3, 4), (5, 2), ([-3], [-1])), ((2, 0), (0, 3), 1),
    ]),
    *(("kron", ops.kron, np.kron, [a, b]) for a, b in [
        ((2,), (3,)), ((2, 3), (3, 2)), ((2, 3), (4,)), ((), (2, 2)), ((2, 1, 2), (1, 3)),
    ]),
    *((f"cross {axis}", lambda x, y, a=axis: ops.cross(x, y, axis=a),
       lambda x, y, a=axis: np.cross(x, y, axis=a), [a, b]) for a, b, axis in [
        ((3,), (3,), -1), ((2, 3), (2, 3), 1), ((3, 4), (3, 4), 0), ((2, 3), (3,), -1),
        ((2, 3, 4), (2, 3, 4), 1),
    ]),
    ("cross axes", lambda x, y: ops.cross(x, y, 0, 1, 0), lambda x, y: np.cross(x, y, 0, 1, 0),
     [(3, 2), (2, 3)]),
    *((f"vecdot {axis}", lambda x, y, a=axis: ops.vecdot(x, y, a),
       lambda x, y, a=axis: np.vecdot(x, y, axis=a), [a, b]) for a, b, axis in [
        ((3,), (3,), -1), ((2, 3), (3,), -1), ((3, 4), (3, 4), 0), ((2, 1, 3), (4, 3), -1),
    ]),
    *(("matvec", ops.matvec, np.matvec, [a, b]) for a, b in [((2, 3), (3,)), ((5, 2, 3), (5, 3))]),
    *(("vecmat", ops.vecmat, np.vecmat, [a, b]) for a, b in [((2,), (2, 3)), ((5, 2), (5, 2, 3))]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "function", "reference", "shapes"), CASES, ids=[f"{c[0]} {c[3]}" for c in CASES]
)
def test_products(
    name: str, function: Callable[..., Any], reference: Callable[..., Any], shapes: list[Shape]
) -> None:
    x, y = drawn(shapes)
    want = reference(x, y)
    got = function(x, y)
    assert got.shape == np.shape(want)
    np.testing.assert_array_equal(got.numpy(), want)
    weights = np.random.default_rng(1).normal(size=np.shape(want))
    gradient = fg.grad(lambda *xs: ops.sum(function(*xs) * weights), (0, 1))
    for i, (g, c) in enumerate(zip(gradient(x, y), fg.jit(gradient)(x, y), strict=True)):
        assert g.numpy().tobytes() == c.numpy().tobytes()
        for unit, slope in zip(np.eye(g.size), g.numpy().ravel(), strict=True):
            moved = [unit.reshape(x.shape), y] if i == 0 else [x, unit.reshape(y.shape)]
            assert slope == pytest.approx(np.sum(reference(*moved) * weights), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: ops.einsum("ij,jk->ik", np.ones((2, 3))), "2 operands"),
    (lambda: ops.einsum("ij", np.ones(3)), "1 axes"),
    (lambda: ops.einsum("i", np.ones((2, 3))), "2 axes"),
    (lambda: ops.einsum("i->j", np.ones(3)), "letters of the operands"),
    (lambda: ops.einsum("i->ii", np.ones(3)), "each once"),
    (lambda: ops.einsum("i,i", np.ones(3), np.ones(4)), "one size for 'i', got 3 and 4"),
    (lambda: ops.einsum("ii", np.ones((3, 4))), "one size for 'i', got 3 and 4"),
    (lambda: ops.einsum("ii", np.ones((1, 4))), "one size for 'i'"),
    (lambda: ops.einsum("...i,...i", np.ones((3, 2)), np.ones((4, 2))), "one size for '...'"),
    (lambda: ops.einsum("...i->i", np.ones((3, 2))), "'...' in the result"),
    (lambda: ops.einsum("i.j", np.ones((3, 2))), "letters"),
    (lambda: ops.einsum("i+j", np.ones((3, 2))), "letters"),
    (lambda: ops.einsum("i->i->i", np.ones(3)), "letters"),
    (lambda: ops.einsum(3), "a string"),
    (lambda: ops.einsum(np.ones(2), ["a"]), "lists of integers"),
    (lambda: ops.einsum("i,i,i", *[np.ones(2)] * 3, optimize="best"), "optimize"),
    (lambda: ops.dot(np.ones((2, 3)), np.ones((2, 3))), "x2"),
    (lambda: ops.dot(np.ones((2, 3, 4)), np.ones((3, 4))), "x2"),
    (lambda: ops.inner(np.ones(2), np.ones(3)), "x2"),
    (lambda: ops.vdot(np.ones(2), np.ones(3)), "x2"),
    (lambda: ops.tensordot(np.ones(2), np.ones(2), 2), "axes"),
    (lambda: ops.tensordot(np.ones((2, 3)), np.ones((2, 3)), ([0, 0], [0, 1])), "distinct"),
    (lambda: ops.tensordot(np.ones(2), np.ones(2), (3, 0)), "axis"),
    (lambda: ops.tensordot(np.ones(2), np.ones(2), "a"), "a pair"),
    (lambda: ops.kron(np.ones((1,) * 5), np.ones(2)), "four axes"),
    (lambda: ops.cross(np.ones(2), np.ones(2)), "size 3"),
    (lambda: ops.vecdot(np.ones((2, 3)), np.ones((2, 1))), "3 elements"),
])  # fmt: skip
def test_bad_arguments(call: Callable[[], Any], words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        call()
    assert words in str(caught.value)
