"""grad and value_and_grad."""

import collections
import threading

import numpy as np
import pytest

import fusegrad as fg
from differences import central, network
from fusegrad import _tensor, ops
from fusegrad._tensor import Tape, Tensor
from fusegrad.errors import ArgumentError
from fusegrad.variable import substituted


@pytest.mark.quick
def test_network_against_central_differences(problem):
    parameters, x, y = problem
    gradients = fg.grad(network)(parameters, x, y)
    for layer in range(2):
        for part in range(2):

            def loss(value, layer=layer, part=part):
                changed = [list(pair) for pair in parameters]
                changed[layer][part] = value
                return network(changed, x, y)

            expected = central(loss, parameters[layer][part])
            np.testing.assert_allclose(gradients[layer][part], expected, rtol=1e-7, atol=1e-9)


def test_higher_orders():
    fourth = fg.grad(fg.grad(fg.grad(fg.grad(lambda x: x**5))))
    assert fourth(np.float64(2.0)).item() == pytest.approx(240.0, rel=1e-12)
    h = fg.grad(fg.grad(lambda x: ops.exp(2 * x)))
    assert h(np.float64(0.3)).item() == pytest.approx(4 * np.exp(0.6), rel=1e-14)
    tanh3 = fg.grad(fg.grad(fg.grad(ops.tanh)))
    t = np.tanh(0.7)
    expected = -2 * (1 - t**2) * (1 - 3 * t**2)
    assert tanh3(np.float64(0.7)).item() == pytest.approx(expected, rel=1e-12)


def test_perturbations_do_not_mix():
    # d/dx (x * d/dy (x + y)) = 1: the inner derivative must not see the outer variable
    f = fg.grad(lambda x: x * fg.grad(lambda y: x + y)(1.0))
    assert f(3.0).item() == 1.0
    g = fg.grad(lambda x: fg.grad(lambda y: x * y)(x))
    assert g(3.0).item() == 1.0


def test_value_aux_and_argnums():
    f = lambda a, b, scale=1.0: (ops.sum(a * b) * scale, {"product": a * b})  # noqa: E731
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (value, aux), (da, db) = fg.value_and_grad(f, (0, 1), has_aux=True)(a, b, scale=2.0)
    assert value.item() == 22
    assert aux["product"].numpy().tolist() == [3, 8]  # plain once grad has returned
    assert da.tolist() == [6, 8]
    assert db.tolist() == [2, 4]
    gradient, _ = fg.grad(f, -1, has_aux=True)(a, b)
    assert gradient.tolist() == [1, 2]


def test_containers():
    Pair = collections.namedtuple("Pair", "x y")
    tree = {"a": [1.0, (2.0, None)], "b": Pair(np.array([3.0]), fg.Tensor([4.0, 5.0]))}
    f = lambda t: t["a"][0] * t["a"][1][0] + ops.sum(t["b"].x) * ops.sum(t["b"].y)  # noqa: E731
    g = fg.grad(f)(tree)
    assert g["a"][0].item() == 2
    assert g["a"][1][0].item() == 1
    assert g["a"][1][1] is None
    assert g["b"].x.tolist() == [9]
    assert g["b"].y.tolist() == [3, 3]
    assert g["b"].y.dtype == np.float32


def test_gradient_of_constant_is_zero():
    assert fg.grad(lambda x: 3.0)(1.0).item() == 0
    assert fg.grad(lambda x, y: ops.sum(y))(np.ones(2), np.ones(3)).tolist() == [0, 0]
    assert fg.grad(lambda x: ops.sum(ops.cast(x > 0, "float64")))(np.ones(2)).tolist() == [0, 0]


def test_branches_and_loops():
    def f(x):
        total = x * 0
        while total < 10:
            total = total + x if x > 0 else total - x
        return total

    assert fg.grad(f)(3.0).item() == 4


@pytest.mark.parametrize(
    ("f", "args", "text"),
    [
        (lambda x: x, ([1],), "floating arrays as argument 0"),
        (lambda x: x, (np.arange(3),), "int64"),
        (lambda x: x * 2, (np.ones(3),), "floating scalar"),
        (lambda x: x > 0, (1.0,), "bool"),
        (lambda x: None, (1.0,), "scalar"),
        (lambda: 1.0, (), "positional"),
        (lambda x: x, ("a",), "array"),
    ],
)
def test_grad_refuses(f, args, text):
    with pytest.raises(ArgumentError, match=text):
        fg.grad(f)(*args)


def test_elements_that_would_cut_the_gradient():
    for use in (float, np.asarray, lambda x: x.numpy(), lambda x: x.item(), np.copy):
        with pytest.raises(TypeError, match=r"has_aux"):
            fg.grad(lambda x, use=use: x * use(x))(1.0)
    assert "tracked" in fg.grad(lambda x: (x, repr(x)), has_aux=True)(1.0)[1]


def test_error_leaves_nothing_behind():
    def f(x):
        raise KeyError(x.shape)

    for _ in range(3):
        with pytest.raises(KeyError):
            fg.grad(f)(1.0)
        assert _tensor.current_builder() is None
    with pytest.raises(KeyError):
        fg.jit(f)(np.ones(2))
    assert _tensor.current_builder() is None


def test_leaked_values_become_plain():
    kept = []
    fg.grad(lambda x: kept.append(x * 2) or x)(3.0)
    assert kept[0].item() == 6
    assert (kept[0] + 1).item() == 7


def test_threads_have_tapes_of_their_own():
    results = [None] * 8

    def work(i):
        f = fg.grad(lambda x: ops.sum(x**3))
        results[i] = all(
            (f(np.full(50, i + 1.0)).numpy() == 3 * (i + 1.0) ** 2).all() for _ in range(50)
        )

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results)


def test_substituted_variables():
    v = fg.Variable([1.0, 2.0])

    def loss(value):
        with substituted({v: value}):
            return ops.sum(v * v)

    assert fg.grad(loss)(v).tolist() == [2, 4]
    assert v.value.tolist() == [1, 2]


def test_assign_while_differentiated():
    """The gradient is that of the elements that the function used."""
    x = np.array([1.0, 2.0])
    for change in (lambda v: v.assign(v * 10), lambda v: v.assign(np.array([7.0, 8.0]))):
        v = fg.Variable(np.array([3.0, 5.0]))

        def f(x, v=v, change=change):
            y = ops.sum(x * v + (v[::-1] * x) ** 2)
            change(v)
            return y + ops.sum(x * v)

        assert fg.grad(f)(x).tolist() == [
            3.0 + 2 * 25 * 1 + v.numpy()[0],
            5.0 + 2 * 9 * 2 + v.numpy()[1],
        ]

    w = fg.Variable(3.0)

    def cube(x):
        def inner(y):
            z = y * y * w
            w.assign(100.0)
            return z

        return fg.grad(inner)(x)  # 2 x w

    assert fg.grad(cube)(2.0).item() == 6.0


def test_a_tape_records_once():
    tape = Tape()
    with tape:
        y = tape.watch(Tensor(2.0)) * 3
    with pytest.raises(RuntimeError, match="once"), tape:
        pass
    assert (y * 2).item() == 12


def test_detached_ends_a_gradient():
    def f(x):
        kept.append(_tensor.detached(x * 2.0))
        return x * kept[-1] + _tensor.detached(ops.exp(x))

    kept = []
    assert fg.grad(f)(Tensor(3.0, "float64")).item() == 6.0
    assert kept[0].item() == 6.0
    plain = Tensor([1.0, 2.0])
    assert _tensor.detached(plain) is plain
    assert fg.jit(lambda x: _tensor.detached(x) + 1.0)(plain).tolist() == [2.0, 3.0]


@pytest.mark.parametrize(
    "transform", [fg.grad, fg.value_and_grad, fg.jacobian, fg.jacrev, fg.jacfwd, fg.hessian]
)
def test_argnums(transform):
    def f(x, y):
        return x * y

    for wrong in ("x", 0.0, None, True, (0, "y"), np.ones(2)):
        with pytest.raises(ArgumentError, match="'argnums': expected an int or a tuple of ints"):
            transform(f, argnums=wrong)
    with pytest.raises(ArgumentError, match="distinct arguments"):
        transform(f, argnums=(0, -2))(2.0, 3.0)
    with pytest.raises(ArgumentError, match="got 0 in a call with 0"):
        transform(f)(x=2.0, y=3.0)
    name = transform.__name__
    with pytest.raises(ArgumentError, match=rf"^{name}\(\): argument 'argnums': .* got 'a'"):
        transform(f)("a", 3.0)
    tried = transform(f, argnums=np.int64(1))(2.0, 3.0), transform(f, argnums=1)(2.0, 3.0)
    assert repr(tried[0]) == repr(tried[1])
    assert len(transform(f, argnums=[0, 1])(2.0, 3.0)) == 2


def test_integers_and_booleans_are_read():
    """They have no gradient that reading them could cut."""
    data = np.array([3.0, 5.0, 4.0])
    for f, expected in [
        (lambda x: data[np.argmax(x)] * x[0], [5, 0, 0]),
        (lambda x: int(ops.argmax(x)) * x[0], [1, 0, 0]),
        (lambda x: np.sum(data[x > 0.5]) * x[0], [9, 0, 0]),
        (lambda x: len(np.asarray(ops.argsort(x)).tolist()) * x[0], [3, 0, 0]),
    ]:
        for transform in (fg.grad(f), fg.jacobian(f), lambda x, f=f: fg.vjp(f, x)[1](1.0)[0]):
            assert transform(np.array([0.1, 0.9, 0.8])).tolist() == expected
    with pytest.raises(TypeError, match="would cut the gradient"):
        fg.grad(lambda x: float(ops.floor(x[0])) * x[0])(data)
