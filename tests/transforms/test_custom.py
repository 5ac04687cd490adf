"""custom_vjp, custom_gradient, stop_gradient."""

import functools
import gc
import traceback
import weakref

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad.errors import ArgumentError


@fg.custom_vjp
def log1pexp(x):
    return ops.log(1.0 + ops.exp(x))


log1pexp.defvjp(lambda x: (log1pexp(x), x), lambda x, g: (g * ops.sigmoid(x),))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_rule_in_place_of_the_derivative():
    x = np.array([-2.0, 0.5, 1000.0])
    total = lambda x: ops.sum(log1pexp(x))  # noqa: E731
    expected = [*sigmoid(x[:2]), 1.0]
    np.testing.assert_allclose(fg.grad(total)(x), expected, rtol=1e-15)
    np.testing.assert_allclose(fg.jit(fg.grad(total))(x), expected, rtol=1e-15)
    np.testing.assert_allclose(fg.grad(fg.jit(total))(x), expected, rtol=1e-15)
    np.testing.assert_allclose(fg.jacobian(log1pexp)(x), np.diag(expected), rtol=1e-15)
    tangent = fg.jvp(log1pexp, (x,), (np.ones(3),))[1]
    np.testing.assert_allclose(tangent, expected, rtol=1e-15)
    second = np.diag(fg.hessian(total)(x))
    np.testing.assert_allclose(second[:2], sigmoid(x[:2]) * sigmoid(-x[:2]), rtol=1e-14)
    assert second[2] == 0
    assert log1pexp(0.0).item() == pytest.approx(np.log(2))
    assert log1pexp.__name__ == "log1pexp"


def test_rule_is_taken_over_the_derivative_of_fwd():
    @fg.custom_vjp
    def clipped(x, low=-1.0, high=1.0):
        return ops.clip(x, low, high)

    clipped.defvjp(lambda x, low, high: (ops.clip(x, low, high), None), lambda _, g: (g, None, 0.0))
    x = np.array([-5.0, 0.0, 5.0])
    for f in (lambda x: clipped(x).sum(), lambda x: clipped(x, high=2.0).sum()):
        assert fg.grad(f)(x).tolist() == [1, 1, 1]
        assert fg.jit(fg.grad(f))(x).tolist() == [1, 1, 1]


def test_nondiff_arguments_and_structures():
    def apply(f, tree, power):
        return {"a": f(tree["x"]) ** power, "n": ops.argmax(tree["x"]), "b": [tree["y"] * 2]}

    rule = fg.custom_vjp(apply, nondiff_argnums=(0, 2))
    seen = []

    def fwd(f, tree, power):
        return apply(f, tree, power), (tree, {"power": power, "text": "kept"})

    def bwd(f, power, residuals, g):
        tree, static = residuals
        seen.append((f, power, static, g["n"].dtype.kind, g["b"][0].dtype))
        return ({"x": g["a"] * tree["x"] * 7.0, "y": None},)

    rule.defvjp(fwd, bwd)
    x, y = np.array([1.0, 2.0]), np.ones(2, np.float32)

    def loss(tree):
        out = rule(ops.exp, tree, 3)
        return ops.sum(out["a"]) + ops.sum(out["b"][0])

    for gradient in (fg.grad(loss), fg.jit(fg.grad(loss))):
        got = gradient({"x": x, "y": y})
        assert got["x"].tolist() == [7, 14]
        assert got["y"].tolist() == [0, 0]
        assert seen.pop() == (ops.exp, 3, {"power": 3, "text": "kept"}, "i", np.float32)


def test_functions_of_other_libraries():
    """Elements may be looked at, in fun, fwd and bwd; not where a derivative would be lost."""

    def bessel(x, order=0):
        t = np.linspace(0, np.pi, 2001)
        values = np.cos(order * t - np.sin(t) * np.asarray(x)[..., None])
        return np.trapezoid(values, t) / np.pi

    @fg.custom_vjp
    def j0(x):
        return fg.Tensor(bessel(x))

    j0.defvjp(lambda x: (j0(x), x), lambda x, g: (fg.Tensor(g.numpy() * -bessel(x.numpy(), 1)),))
    x = np.array([0.5, 1.5])
    np.testing.assert_allclose(j0(fg.Tensor(x)), bessel(x))
    got = fg.grad(lambda x: ops.sum(j0(x) ** 2))(x)
    np.testing.assert_allclose(got, -2 * bessel(x) * bessel(x, 1), rtol=1e-12)
    with pytest.raises(ArgumentError, match="looked at elements"):
        fg.hessian(lambda x: ops.sum(j0(x)))(x)
    with pytest.raises(TypeError, match="symbolic"):
        fg.jit(j0)(x)

    @fg.custom_vjp
    def saved(x):
        return x * 2.0

    saved.defvjp(lambda x: (x * 2.0, float(x) ** 2), lambda r, g: (g * r,))
    assert fg.grad(saved)(3.0).item() == 9
    assert fg.jvp(saved, (3.0,), (2.0,))[1].item() == 18
    with pytest.raises(ArgumentError, match="looked at elements"):
        fg.grad(fg.grad(saved))(3.0)
    # Where a gradient is taken within, looking would lose it.
    inner = fg.custom_vjp(fg.grad(lambda y: y * float(y)))
    inner.defvjp(lambda x: (inner(x), None), lambda _, g: (g,))
    with pytest.raises(TypeError, match="cut the gradient"):
        fg.grad(inner)(2.0)


def test_results_that_the_rule_needs():
    """What fwd saves of its results depends on the arguments by the rule."""

    @fg.custom_vjp
    def exponential(x):
        return fg.Tensor(np.exp(x.numpy()))

    def fwd(x):
        y = exponential(x)
        return y, y

    exponential.defvjp(fwd, lambda y, g: (g * y,))
    for order in range(1, 4):
        f = exponential
        for _ in range(order):
            f = fg.grad(f)
        assert f(np.float64(0.7)).item() == pytest.approx(np.exp(0.7), rel=1e-15)


def test_rules_of_rules():
    """What a rule calls may look at elements where it has a rule itself."""

    def sine(n):
        @fg.custom_vjp
        def function(x):
            return np.sin(np.asarray(x) + n * np.pi / 2)

        function.defvjp(lambda x: (function(x), x), lambda x, g: (g * sine(n + 1)(x),))
        return function

    x = np.array([0.3, 1.4])
    f = sine(0)
    for order in range(1, 4):
        f = fg.grad(lambda x, f=f: ops.sum(f(x)))
        np.testing.assert_allclose(f(x), np.sin(x + order * np.pi / 2), rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(
        fg.hessian(lambda x: ops.sum(x * sine(0)(x)))(x),
        np.diag(2 * np.cos(x) - x * np.sin(x)),
        rtol=1e-14,
    )

    @fg.custom_vjp
    def looks(x):  # by another function, whose rule does not reach what it saves
        return x * float(x)

    looks.defvjp(lambda x: (looks(x), 2 * float(sine(0)(x))), lambda r, g: (g * r,))
    assert fg.grad(looks)(1.0).item() == pytest.approx(2 * np.sin(1.0), rel=1e-6)
    with pytest.raises(ArgumentError, match="looked at elements"):
        fg.grad(fg.grad(looks))(1.0)


def test_tensors_from_outside():
    w = fg.Variable(2.0)
    double = fg.custom_vjp(lambda x: x * w)
    double.defvjp(lambda x: (x * w, None), lambda _, g: (g * w,))
    with fg.GradientTape(persistent=True) as tape:
        x = fg.Tensor(3.0)
        tape.watch(x)
        y = double(x)
    assert tape.gradient(y, x).item() == 2
    with pytest.raises(ArgumentError, match="pass it as an argument"):
        tape.gradient(y, w)
    with pytest.raises(ArgumentError, match="pass it as an argument"):
        fg.jit(fg.grad(inside))(np.float64(3.0))
    assert fg.grad(lambda v: ops.stop_gradient(v) * v)(3.0).item() == 3


def inside(v):
    f = fg.custom_vjp(lambda x: x * v)
    f.defvjp(lambda x: (x * v, None), lambda _, g: (g,))
    return f(v * 2.0)


def test_errors_of_users_come_out_as_they_are():
    def bwd(x, g):
        return {}["missing"]  # the line

    for options in ({}, {"jit": True}):
        broken = fg.custom_vjp(lambda x: x * 1.0)
        broken.defvjp(lambda x: (x * 1.0, x), bwd)
        gradient = fg.grad(broken)
        if options:
            gradient = fg.jit(gradient)
        with pytest.raises(KeyError, match="missing") as caught:
            gradient(np.float64(1.0))
        last = traceback.extract_tb(caught.value.__traceback__)[-1]
        assert last.name == "bwd"
        assert "the line" in last.line


@pytest.mark.parametrize(
    ("fwd", "bwd", "argument", "text"),
    [
        (lambda x: x, lambda r, g: (g,), "fwd", "pair"),
        (lambda x: (x, x), lambda r, g: g, "bwd", "tuple of 1"),
        (lambda x: (x, x), lambda r, g: (g, g), "bwd", "tuple of 1"),
        (lambda x: (x, x), lambda r, g: (ops.ones(3),), "bwd", r"shape \(2,\)"),
        (lambda x: (x, x), lambda r, g: ("text",), "bwd", "array"),
        (lambda x: (x, x), lambda r, g: ({"a": g},), "bwd", "structure"),
        (lambda x: ("text", x), lambda r, g: (g,), "fun", "array"),
    ],
)
def test_custom_vjp_refuses(fwd, bwd, argument, text):
    f = fg.custom_vjp(lambda x: x)
    f.defvjp(fwd, bwd)
    with pytest.raises(ArgumentError, match=text) as caught:
        fg.grad(lambda x: ops.sum(f(x)))(np.ones(2))
    assert caught.value.argument == argument


def test_custom_vjp_without_a_rule():
    with pytest.raises(ArgumentError, match=r"f\.defvjp\(fwd, bwd\)"):
        _without_rule()
    with pytest.raises(ArgumentError, match="'bwd'"):
        fg.custom_vjp(inside).defvjp(inside, 3)
    with pytest.raises(ArgumentError, match="'fun'"):
        fg.custom_vjp(3)


def _without_rule():
    def f(x):
        return x

    return fg.custom_vjp(f)(1.0)


def test_as_a_method():
    class Scale:
        factor = 3.0

        @functools.partial(fg.custom_vjp, nondiff_argnums=(0,))
        def __call__(self, x):
            return x * self.factor

        def _fwd(self, x):
            return x * self.factor, None

        def _bwd(self, residuals, g):
            return (g * 100.0,)

        __call__.defvjp(_fwd, _bwd)

    assert fg.grad(Scale())(2.0).item() == 100


def test_custom_gradient():
    @fg.custom_gradient
    def both(x, y):
        product = x * y

        def gradient(d_product, d_sum):
            return d_product * y * 10.0 + d_sum, d_product * product

        return (product, x + y), gradient

    loss = lambda x, y: both(x, y)[0] * 3.0 + both(x, y)[1]  # noqa: E731
    for f in (fg.grad(loss, (0, 1)), fg.jit(fg.grad(loss, (0, 1)))):
        assert [g.item() for g in f(2.0, 5.0)] == [151, 30]
    assert both(2.0, 5.0)[0] == 10  # not differentiated: as it is
    # d/dy of dx = 30 y + 1
    assert fg.grad(lambda y: fg.grad(loss)(2.0, y))(5.0).item() == 30
    with fg.GradientTape() as tape:
        x = fg.Tensor(2.0)
        tape.watch(x)
        z = both(x, 5.0)[0]
    assert tape.gradient(z, x).item() == 50
    clip = fg.custom_gradient(lambda x: (ops.identity(x), lambda g: ops.clip(g, -1.0, 1.0)))
    assert fg.grad(lambda x: clip(x) * 100)(1.0).item() == 1
    with pytest.raises(ArgumentError, match="pair"):
        fg.grad(fg.custom_gradient(lambda x: x))(1.0)
    with pytest.raises(ArgumentError, match="1 cotangents"):
        fg.grad(fg.custom_gradient(lambda x: (x * 1.0, lambda g: (g, g))))(1.0)


def test_stop_gradient():
    f = lambda x: ops.sum(x * fg.stop_gradient(x) ** 2)  # noqa: E731
    x = np.array([2.0, 3.0])
    assert fg.grad(f)(x).tolist() == [4, 9]
    assert fg.jit(fg.grad(f))(x).tolist() == [4, 9]
    assert fg.jvp(f, (x,), (np.ones(2),))[1].item() == 13
    assert fg.stop_gradient(np.arange(3)).tolist() == [0, 1, 2]
    assert "stop_gradient" not in fg.jit(f).lower(x).text("simplify")


def test_rules_keep_nothing_alive():
    class Big:
        pass

    def use(compiled):
        big = Big()
        f = fg.custom_vjp(lambda x: x * 1.0)
        f.defvjp(lambda x: (x * 1.0, (x, big)), lambda r, g: (g,))
        g = fg.custom_gradient(lambda x: (ops.exp(x), lambda d, big=big: d * ops.exp(x)))
        gradient = fg.grad(lambda x: f(x) * g(x))
        (fg.jit(gradient) if compiled else gradient)(np.float64(1.0))
        with pytest.raises(ZeroDivisionError):  # a trace that ends early
            fg.jit(lambda x: (g(x), 1 / 0))(np.float64(1.0))
        return weakref.ref(big)

    for compiled in (False, True):
        kept = use(compiled)
        gc.collect()
        assert kept() is None


def test_batches_of_rules():
    x = np.array([0.0, 1.0, 100.0])
    expected = sigmoid(x)
    np.testing.assert_allclose(fg.vmap(log1pexp)(x), np.log1p(np.exp(x)), rtol=1e-12)
    np.testing.assert_allclose(fg.vmap(fg.grad(log1pexp))(x), expected, rtol=1e-15)
    np.testing.assert_allclose(fg.jit(fg.vmap(fg.grad(log1pexp)))(x), expected, rtol=1e-15)
    total = lambda x: ops.sum(fg.vmap(log1pexp)(x))  # noqa: E731
    np.testing.assert_allclose(fg.grad(total)(x), expected, rtol=1e-15)


def test_nondiff_argnums_are_checked():
    with pytest.raises(ArgumentError, match="'nondiff_argnums': expected an int"):
        fg.custom_vjp(ops.exp, nondiff_argnums="x")
    f = fg.custom_vjp(lambda x: x * x, nondiff_argnums=1)
    f.defvjp(lambda x: (f(x), x), lambda x, g: (2 * x * g,))
    with pytest.raises(ArgumentError, match=r"'nondiff_argnums': .* got 1 in a call with 1"):
        fg.grad(f)(3.0)  # not taken modulo the number of arguments, which would cut the gradient


def test_a_custom_vjp_prints_its_name():
    f = fg.custom_vjp(ops.exp)
    assert repr(f) == "<custom_vjp of exp, without a rule>"
    f.defvjp(lambda x: (f(x), x), lambda x, g: (g,))
    assert repr(f) == "<custom_vjp of exp>"
