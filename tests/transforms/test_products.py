"""vjp, jvp, hvp."""

import collections
import threading

import numpy as np
import pytest

import fusegrad as fg
from differences import central
from fusegrad import ops
from fusegrad.errors import ArgumentError
from op_cases import CASES


def both(x, w):
    return {"product": ops.tanh(x @ w), "norm": ops.sum(x * x)}


@pytest.fixture
def operands():
    rng = np.random.default_rng(1)
    return rng.normal(size=(3, 4)), rng.normal(size=(4, 2))


def expected_vjp(x, w, cotangent):
    inner = cotangent["product"] * (1 - np.tanh(x @ w) ** 2)
    return inner @ w.T + 2 * x * cotangent["norm"], x.T @ inner


def test_vjp_any_number_of_times_and_later(operands):
    x, w = operands
    value, vjp_fun = fg.vjp(both, x, w)
    np.testing.assert_allclose(value["product"], np.tanh(x @ w), rtol=1e-14)
    assert (value["product"] + 1).shape == (3, 2)  # plain
    rng = np.random.default_rng(2)
    original = x.copy()
    for _ in range(3):
        cotangent = {"product": rng.normal(size=(3, 2)), "norm": rng.normal()}
        for got, want in zip(vjp_fun(cotangent), expected_vjp(original, w, cotangent), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-13)
        x[:] = 0  # belongs to the caller
    _, dw = vjp_fun({"norm": 1.0, "product": None})
    assert dw.tolist() == np.zeros((4, 2)).tolist()


def test_vjp_fun_is_differentiated(operands):
    x, w = operands
    _, vjp_fun = fg.vjp(lambda x: ops.tanh(x @ w), x)
    probe = np.random.default_rng(3).normal(size=(3, 2))

    def squared(cotangent):
        return ops.sum(vjp_fun(cotangent)[0] ** 2)

    np.testing.assert_allclose(
        fg.grad(squared)(probe), central(squared, probe), rtol=1e-7, atol=1e-9
    )
    compiled = fg.jit(lambda c: vjp_fun(c)[0])
    assert compiled(probe).numpy().tobytes() == vjp_fun(probe)[0].numpy().tobytes()


def test_vjp_within_a_gradient_and_a_trace(operands):
    x, w = operands

    def f(x):
        value, vjp_fun = fg.vjp(ops.tanh, x @ w)
        return ops.sum(value * vjp_fun(ops.ones((3, 2)) * x[0, 0])[0])

    expected = central(f, x)
    np.testing.assert_allclose(fg.grad(f)(x), expected, rtol=1e-7, atol=1e-9)
    eager = fg.grad(f)(x).numpy().tobytes()
    assert fg.jit(fg.grad(f), exact_rewrites=False)(x).numpy().tobytes() == eager
    assert fg.grad(fg.jit(f))(x).numpy().tobytes() == eager


def test_vjp_fun_after_what_it_belongs_to():
    kept = []
    fg.grad(lambda x: kept.append(fg.vjp(ops.exp, x)[1]) or x)(1.0)
    fg.jit(lambda x: kept.append(fg.vjp(ops.exp, x)[1]) or x)(np.float32(1.0))
    for vjp_fun in kept:
        with pytest.raises(RuntimeError, match="has returned"):
            vjp_fun(1.0)


def test_vjp_reads_variables_as_they_were():
    v = fg.Variable([2.0, 3.0])
    _, vjp_fun = fg.vjp(lambda x: x * v * v, np.ones(2, np.float32))
    v.assign([100.0, 100.0])
    assert vjp_fun(np.ones(2))[0].tolist() == [4, 9]


def test_vjp_from_threads(operands):
    x, w = operands
    _, vjp_fun = fg.vjp(lambda x: ops.tanh(x @ w), x)
    seed = np.ones((3, 2))
    expected = vjp_fun(seed)[0].numpy().tobytes()
    wrong = []

    def work():
        wrong.extend(1 for _ in range(50) if vjp_fun(seed)[0].numpy().tobytes() != expected)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_vjp_aux_and_structures():
    Pair = collections.namedtuple("Pair", "a b")
    f = lambda p: ((p.a * p.b["c"], None, [p.a]), {"seen": p.a + 1})  # noqa: E731
    primal = Pair(3.0, {"c": np.array([1.0, 2.0])})
    value, vjp_fun, aux = fg.vjp(f, primal, has_aux=True)
    assert value[0].tolist() == [3, 6]
    assert value[1] is None
    assert aux["seen"].item() == 4
    (cotangent,) = vjp_fun((np.ones(2), None, [10.0]))
    assert isinstance(cotangent, Pair)
    assert cotangent.a.item() == 13
    assert cotangent.b["c"].tolist() == [3, 3]


GRADED = [case for case in CASES if case.grad and case.analytic and case.op != "custom_vjp"]


@pytest.mark.parametrize("case", GRADED, ids=lambda case: case.id)
def test_jvp_of_every_op(case):
    """The derivative along a direction against a complex step of the reference."""
    rng = np.random.default_rng(5)
    inputs = [
        np.asarray(x, np.float64) if np.asarray(x).dtype.kind == "f" else x
        for x in case.inputs(rng)
    ]
    tangents = [rng.normal(size=np.shape(inputs[i])) for i in case.grad]

    def of(f, graded):
        full = list(inputs)
        for i, x in zip(case.grad, graded, strict=True):
            full[i] = x
        return f(*full)

    step = 1e-30
    moved = [inputs[i] + 1j * step * v for i, v in zip(case.grad, tangents, strict=True)]
    expected = of(case.reference, moved)
    listed = lambda tree: list(tree) if isinstance(tree, tuple) else [tree]  # noqa: E731

    def f(*graded):
        return listed(of(case.call, graded))

    _, tangent = fg.jvp(f, [inputs[i] for i in case.grad], tangents)
    for got, moved_to in zip(tangent, listed(expected), strict=True):
        want = np.imag(moved_to) / step
        scale = np.abs(want).max(initial=1e-300)
        np.testing.assert_allclose(got.numpy() / scale, want / scale, atol=1e-11)


def test_jvp_nests():
    x, v = np.array([0.3, -0.7]), np.array([1.0, 2.0])
    f = lambda x: ops.sum(ops.tanh(x) * x[::-1])  # noqa: E731

    def forward_over_reverse(x):
        return fg.jvp(fg.grad(f), (x,), (v,))[1]

    def reverse_over_forward(x):
        return fg.grad(lambda x: fg.jvp(f, (x,), (v,))[1])(x)

    expected = (fg.grad(f)(x + 1e-6 * v).numpy() - fg.grad(f)(x - 1e-6 * v).numpy()) / 2e-6
    for product in (forward_over_reverse, reverse_over_forward, lambda x: fg.hvp(f, (x,), (v,))):
        got = product(x)
        np.testing.assert_allclose(got, expected, rtol=1e-8, atol=1e-9)
        compiled = fg.jit(product, exact_rewrites=False)(x)
        assert compiled.numpy().tobytes() == got.numpy().tobytes()
    twice = lambda x: fg.jvp(lambda x: fg.jvp(ops.exp, (x,), (2.0,))[1], (x,), (3.0,))[1]  # noqa: E731
    assert twice(np.float64(0.5)).item() == pytest.approx(6 * np.exp(0.5), rel=1e-14)


def test_jvp_zeros_where_nothing_depends():
    value, tangent, aux = fg.jvp(
        lambda x, y: ((ops.stop_gradient(x), 3.0, x * y), "aux"),
        (2.0, 5.0), (1.0, None), has_aux=True,
    )  # fmt: skip
    assert [t.item() for t in tangent] == [0, 0, 5]
    assert value[1].item() == 3
    assert aux == "aux"


def test_hvp_of_several_arguments():
    f = lambda x, tree: ops.sum(x**2 * tree["w"]) + tree["w"] ** 3  # noqa: E731
    x, w = np.array([1.0, 2.0]), np.float64(3.0)
    dx, dtree = fg.hvp(f, (x, {"w": w}), (np.array([1.0, 0.0]), {"w": np.float64(2.0)}))
    assert dx.tolist() == [2 * 3 * 1 + 2 * 1 * 2, 2 * 2 * 2]
    assert dtree["w"].item() == 2 * 1 * 1 + 6 * 3 * 2
    assert fg.hvp(ops.sum, (x,), (x,)).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda: fg.vjp(3, 1.0), "fun"),
        (lambda: fg.vjp(lambda x: x, 1), "primals[0]"),
        (lambda: fg.vjp(lambda x: x > 0, 1.0), "fun"),
        (lambda: fg.vjp(lambda x: "text", 1.0), "fun"),
        (lambda: fg.vjp(lambda x: x, 1.0, has_aux=True), "has_aux"),
        (lambda: fg.vjp(lambda x: x, np.ones(2))[1](np.ones(3)), "cotangent"),
        (lambda: fg.vjp(lambda x: x, np.ones(2))[1]((np.ones(2),)), "cotangent"),
        (lambda: fg.vjp(lambda x: {"a": x}, 1.0)[1]({"b": 1.0}), "cotangent"),
        (lambda: fg.jvp(lambda x: x, 1.0, (1.0,)), "primals"),
        (lambda: fg.jvp(lambda x: x, (1.0,), (1.0, 2.0)), "tangents"),
        (lambda: fg.jvp(lambda x: x, (np.ones(2),), (np.ones(3),)), "tangents"),
        (lambda: fg.hvp(lambda x: x, (np.ones(2),), (np.ones(2),)), "fun"),
    ],
)
def test_refuses(call, argument):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == argument


def test_structures_in_errors_are_those_of_the_arguments():
    x = np.ones(3)
    with pytest.raises(
        ArgumentError, match=r"'tangents': expected the structure \('\*',\), got \(\)"
    ):
        fg.jvp(ops.sin, (x,), ())
    with pytest.raises(ArgumentError, match=r"'tangents': expected the structure \('\*',\)"):
        fg.jvp(ops.sin, (x,), x)
    for primals, tangents in (((x,), [x]), ([x], (x,)), ([x], [x])):
        assert np.allclose(fg.jvp(ops.sin, primals, tangents)[1], np.cos(x))
        assert np.allclose(fg.hvp(lambda x: ops.sum(x**2), primals, tangents), 2 * x)
    with pytest.raises(ArgumentError, match="None for argument 0, which has no axes, got 0"):
        fg.vmap(ops.sin)(3.0)
