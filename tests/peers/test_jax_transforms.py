"""Transforms beside JAX's: the same calls give the same structures, shapes and values."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

LIMIT = 1e-12  # relative, in float64

TRANSFORMS = [
    "grad", "value_and_grad", "vjp", "jvp", "jacfwd", "jacrev", "hessian", "vmap", "jit",
    "custom_vjp", "checkpoint", "remat",
]  # fmt: skip
FUNCTIONS = [
    "sum", "mean", "max", "exp", "log", "sin", "tanh", "matmul", "dot", "outer", "where", "stack",
    "sort", "cumsum",
]  # fmt: skip

OURS = SimpleNamespace(
    **{name: getattr(fg, name) for name in TRANSFORMS},
    **{name: getattr(ops, name) for name in FUNCTIONS},
    stop_gradient=ops.stop_gradient,
    array=fg.Tensor,
)


@pytest.fixture(scope="module")
def theirs() -> SimpleNamespace:
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    return SimpleNamespace(
        **{name: getattr(jax, name) for name in TRANSFORMS},
        **{name: getattr(jax.numpy, name) for name in FUNCTIONS},
        stop_gradient=jax.lax.stop_gradient,
        array=jax.numpy.asarray,
    )


def numbers(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


Layer = namedtuple("Layer", ["w", "b"])


def tree() -> dict[str, Any]:
    layers = [Layer(numbers(3, 4), numbers(4)), Layer(numbers(4, 2), numbers(2))]
    return {"layers": layers, "scale": (numbers(), None), "empty": []}


def network(lib: Any, params: Any, x: Any) -> Any:
    for w, b in params["layers"]:
        x = lib.tanh(lib.matmul(x, w) + b)
    return lib.sum(x * params["scale"][0])


# ---- what is compared ----------------------------------------------------------------------------


def gradients(lib: Any) -> Any:
    def f(x: Any, y: Any, z: Any) -> Any:
        return lib.sum(lib.sin(x) * y) + lib.sum(z**3) * x[0]

    args = numbers(3), numbers(2, 3), numbers(2)
    return [
        lib.grad(f)(*args),
        lib.grad(f, 1)(*args),
        lib.grad(f, (0,))(*args),
        lib.grad(f, (2, 0))(*args),
        lib.grad(f, argnums=-1)(*args),
        lib.grad(f, (0, 1, 2))(*args),
        lib.value_and_grad(f)(*args),
        lib.value_and_grad(f, (1, -1))(*args),
        lib.grad(lib.grad(lambda x: lib.exp(x) * lib.sin(x)))(np.float64(0.4)),
        lib.grad(lambda x: lib.stop_gradient(x) * x)(np.float64(0.4)),
        lib.grad(lambda x: np.float64(2.0) * x["a"] * x["b"][0])({"a": 1.5, "b": [2.5, 4.0]}),
        lib.grad(lambda x, *, y: x * y)(np.float64(2.0), y=np.float64(3.0)),
    ]


def nests(lib: Any) -> Any:
    x = numbers(5, 3)

    def f(params: Any) -> Any:
        return network(lib, params, x)

    return [
        lib.grad(f)(tree()),
        lib.value_and_grad(f)(tree()),
        lib.grad(lambda p, x: network(lib, p, x), (1, 0))(tree(), x),
        lib.jit(lib.grad(f))(tree()),
        lib.vmap(lib.grad(lambda p, x: network(lib, p, x)), in_axes=(None, 0))(tree(), x),
    ]


def auxiliary(lib: Any) -> Any:
    def f(x: Any, y: Any) -> Any:
        z = x * y
        return lib.sum(z), {"z": z, "none": None, "pair": (y, 3.0)}

    def g(x: Any, y: Any) -> Any:
        return lib.sin(x) * y, (x, [y])

    a, b = numbers(3), numbers(3, seed=8)
    value, vjp, aux = lib.vjp(g, a, b, has_aux=True)
    return [
        lib.grad(f, has_aux=True)(a, b),
        lib.grad(f, (0, 1), has_aux=True)(a, b),
        lib.value_and_grad(f, has_aux=True)(a, b),
        (value, vjp(a), aux),
        lib.jvp(g, (a, b), (b, a), has_aux=True),
        lib.jacrev(g, has_aux=True)(a, b),
        lib.jacfwd(g, (0, 1), has_aux=True)(a, b),
        lib.hessian(f, has_aux=True)(a, b),
    ]


def products(lib: Any) -> Any:
    def f(x: Any, pair: Any) -> Any:
        a, b = pair["a"], pair["b"]
        return {"y": lib.matmul(x, a), "z": [lib.sum(b * x), lib.exp(b)]}

    args = numbers(2, 3), {"a": numbers(3), "b": numbers(3, seed=2)}
    moved = numbers(2, 3, seed=6), {"a": numbers(3, seed=7), "b": numbers(3, seed=8)}
    value, pullback = lib.vjp(f, *args)
    cotangent = {"y": numbers(2), "z": [lib.array(numbers()), numbers(3)]}
    hvp = lib.jvp(lib.grad(lambda x: lib.sum(x**4)), (args[0],), (moved[0],))
    unused = lib.vjp(lambda x, y: lib.sin(x), numbers(3), numbers(2))[1](numbers(3))
    return value, pullback(cotangent), pullback(cotangent), lib.jvp(f, args, moved), hvp, unused


def jacobians(lib: Any) -> Any:
    def f(x: Any, y: Any) -> Any:
        return lib.outer(lib.tanh(x), y) + lib.sum(x)

    def g(x: Any) -> Any:
        return {"a": x["u"] * x["v"], "b": (lib.sum(x["u"] ** 2), lib.sin(x["v"]))}

    x, y = numbers(3), numbers(2)
    nest = {"u": numbers(2, 2), "v": numbers(2)}
    return [
        [jac(f)(x, y), jac(f, 1)(x, y), jac(f, (0, 1))(x, y), jac(f, (1,))(x, y), jac(g)(nest)]
        for jac in (lib.jacfwd, lib.jacrev)
    ] + [lib.jacfwd(lib.jacrev(f))(x, y), lib.jacrev(lib.jacfwd(f, 1), 0)(x, y)]


def hessians(lib: Any) -> Any:
    def f(x: Any, y: Any) -> Any:
        return lib.sum(x**3) * lib.sum(lib.sin(y)) + lib.sum(x * y[0])

    def g(p: Any) -> Any:
        return lib.sum(p["a"] ** 2) * p["b"][0]

    x, y = numbers(3), numbers(2)
    return [
        lib.hessian(f)(x, y),
        lib.hessian(f, 1)(x, y),
        lib.hessian(f, (0, 1))(x, y),
        lib.hessian(f, (1,))(x, y),
        lib.hessian(g)({"a": numbers(2), "b": [numbers()]}),
        lib.hessian(lambda x: lib.exp(x) * x)(np.float64(0.3)),
        lib.hessian(lambda x: lib.sin(x) * lib.sum(x))(x),
        lib.jit(lib.hessian(f, (0, 1)))(x, y),
    ]


def vectorized(lib: Any) -> Any:
    a, b, c = numbers(4, 3), numbers(3, 4), numbers(4)

    def f(x: Any, y: Any) -> Any:
        return lib.dot(x, y)

    def g(pair: Any, s: Any) -> Any:
        return {"p": pair["x"] * s, "q": [lib.sum(pair["y"][0]), s]}

    nest = {"x": a, "y": (b, c)}
    return [
        lib.vmap(f)(a, b.T),
        lib.vmap(f, in_axes=(0, 1))(a, b),
        lib.vmap(f, (0, -1))(a, b),
        lib.vmap(f, in_axes=(None, 0))(b[:, 0], a),
        lib.vmap(lambda x: lib.outer(x, x), out_axes=2)(a),
        lib.vmap(lambda x: lib.outer(x, x), in_axes=1, out_axes=-1)(b),
        lib.vmap(g, in_axes=({"x": 0, "y": (1, None)}, 0))(nest, c),
        lib.vmap(g, in_axes=({"x": 0, "y": (1, 0)}, None))(nest, np.float64(2.0)),
        lib.vmap(g, ({"x": 0, "y": (1, 0)}, 0), {"p": 1, "q": [0, 0]})(nest, c),
        lib.vmap(lambda x, y: (x * 2.0, y), in_axes=(0, None), out_axes=(0, None))(a, c),
        lib.vmap(lib.vmap(lambda x, y: x * y, (None, 0)), (0, None))(c, b[0]),
        lib.vmap(lambda x, *, y: x + lib.sum(y))(c, y=a),
        lib.vmap(lib.grad(lambda w, x: lib.tanh(lib.dot(w, x))), (None, 0))(a[0], a),
        lib.grad(lambda w: lib.sum(lib.vmap(lambda x: lib.sin(lib.dot(w, x)))(a)))(a[1]),
        lib.vmap(lib.hessian(lambda x: lib.sum(x**3)))(a),
        lib.vmap(lib.value_and_grad(lambda x: lib.sum(lib.sort(x) * lib.cumsum(x))))(a),
        lib.jacrev(lib.vmap(lib.max))(a),
        lib.vmap(lambda x, v: lib.jvp(lib.sin, (x,), (v,)))(a, a * 2.0),
        lib.vmap(lambda x: lib.vjp(lib.exp, x)[1](x))(a),
        lib.jit(lib.vmap(lambda i, x: lib.where(i > 1, x[i], x[0])))(np.array([0, 1, 2, 2]), a),
    ]


def own_rules(lib: Any) -> Any:
    @lib.custom_vjp
    def f(x: Any, y: Any) -> Any:
        return lib.sin(x) * y

    def fwd(x: Any, y: Any) -> Any:
        return f(x, y), (x, {"y": y})

    def bwd(saved: Any, g: Any) -> Any:
        x, others = saved
        return g * 5.0 * lib.exp(x), g * others["y"]

    f.defvjp(fwd, bwd)

    def scaled(options: Any, x: Any) -> Any:
        return x * options["k"], [lib.sum(x)]

    s = lib.custom_vjp(scaled, nondiff_argnums=(0,))
    s.defvjp(
        lambda options, x: (scaled(options, x), None),
        lambda options, saved, g: (g[0] * options["k"] * 10.0 + g[1][0],),
    )
    x, y = numbers(3), numbers(3, seed=5)
    return [
        f(x, y),
        lib.grad(lambda x, y: lib.sum(f(x, y)), (0, 1))(x, y),
        lib.grad(lambda x: lib.sum(lib.grad(lambda z: lib.sum(f(z, y) * z))(x)))(x),
        lib.vmap(lib.grad(f, (0, 1)))(x, y),
        lib.jacrev(f, (0, 1))(x, y),
        lib.jit(lib.grad(lambda x: lib.sum(f(x, y))))(x),
        lib.grad(lambda x: lib.sum(s({"k": 2.0}, x)[0]) + s({"k": 2.0}, x)[1][0])(x),
        lib.vjp(f, x, y)[1](y),
    ]


def checkpoints(lib: Any) -> Any:
    def block(x: Any, w: Any) -> Any:
        return lib.tanh(lib.matmul(x, w)), {"size": lib.sum(x * x)}

    results = []
    for again in (lib.checkpoint, lib.remat):
        kept = again(block)

        def f(x: Any, w: Any, kept: Callable[..., Any] = kept) -> Any:
            y, rest = kept(x, w)
            z, _ = kept(y, w)
            return lib.sum(z) + rest["size"]

        x, w = numbers(2, 3), numbers(3, 3)
        results.append([
            f(x, w),
            lib.grad(f, (0, 1))(x, w),
            lib.jit(lib.value_and_grad(f))(x, w),
            lib.hessian(f)(x, w),
            lib.vmap(lib.grad(f, 1), (0, None))(numbers(4, 2, 3), w),
        ])  # fmt: skip
    return results


def dtypes(lib: Any) -> Any:
    x = numbers(3).astype(np.float32)
    y = numbers(3)
    return [
        lib.grad(lambda x: lib.sum(x * x))(x),
        lib.grad(lambda x, y: lib.sum(x * y), (0, 1))(x, y),
        lib.jacrev(lambda x: lib.matmul(y, x), 0)(x),
        lib.grad(lambda x, n: lib.sum(x * n))(y, np.array([1, 2, 3])),
        lib.vmap(lambda x: x > 0.0)(y),
        lib.vmap(lambda n: n * 2)(np.array([1, 2])),
    ]


PROGRAMS = [
    gradients, nests, auxiliary, products, jacobians, hessians, vectorized, own_rules, checkpoints,
    dtypes,
]  # fmt: skip


def same(ours: Any, expected: Any, path: str) -> None:
    """Compare nested results: containers and their keys, shapes, dtypes and numbers."""
    if expected is None:
        assert ours is None, path
    elif isinstance(expected, dict):
        assert isinstance(ours, dict), path
        assert ours.keys() == expected.keys(), path
        for key, value in expected.items():
            same(ours[key], value, f"{path}[{key!r}]")
    elif isinstance(expected, list | tuple):
        assert type(ours) is type(expected), path
        assert len(ours) == len(expected), path
        for i, (a, b) in enumerate(zip(ours, expected, strict=True)):
            same(a, b, f"{path}[{i}]")
    else:
        a, b = np.asarray(ours), np.asarray(expected)
        assert a.shape == b.shape, path
        # Python's numbers are float32 here, unless an array says otherwise.
        wide = 1e-6 if np.float32 in (a.dtype, b.dtype) else LIMIT
        np.testing.assert_allclose(a, b, rtol=wide, atol=wide, err_msg=path)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_same_results(theirs: SimpleNamespace, program: Callable[[Any], Any]) -> None:
    same(program(OURS), program(theirs), program.__name__)


@pytest.mark.parametrize(
    "misuse",
    [
        lambda lib: lib.grad(lambda x: x * 2.0)(numbers(3)),  # no scalar
        lambda lib: lib.grad(lambda n: n * 2)(np.array(3)),  # no floating argument
        lambda lib: lib.grad(lambda x: x, 1)(np.float64(1.0)),
        lambda lib: lib.grad(lambda x: x, has_aux=True)(np.float64(1.0)),
        lambda lib: lib.vjp(lib.sin, numbers(3))[1](numbers(2)),
        lambda lib: lib.vjp(lambda x: (x, x), numbers(3))[1]([numbers(3)]),
        lambda lib: lib.jvp(lib.sin, (numbers(3),), (numbers(2),)),
        lambda lib: lib.jvp(lib.sin, numbers(3), numbers(3)),
        lambda lib: lib.vmap(lib.dot)(numbers(3, 2), numbers(4, 2)),
        lambda lib: lib.vmap(lib.sin, in_axes=2)(numbers(3, 2)),
        lambda lib: lib.vmap(lib.sin, in_axes=None)(numbers(3)),
        lambda lib: lib.vmap(lib.dot, in_axes=(0,))(numbers(3, 2), numbers(3, 2)),
        lambda lib: lib.vmap(lib.sin, out_axes=None)(numbers(3)),
        lambda lib: lib.vmap(lib.sin)(np.float64(1.0)),
        lambda lib: lib.custom_vjp(lib.sin)(numbers(3)),
        lambda lib: lib.jit(lambda x: 1.0 if x > 0 else 2.0)(np.float64(1.0)),
    ],
)
def test_same_misuse(theirs: SimpleNamespace, misuse: Callable[[Any], Any]) -> None:
    for lib in (OURS, theirs):
        with pytest.raises((TypeError, ValueError, AttributeError, IndexError)):
            misuse(lib)
