"""The names of HIPS autograd that its examples use, in terms of fusegrad.

``autograd`` stands for that package; its NumPy is NumPy itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.special

import fusegrad as fg
from fusegrad import ops
from fusegrad._tensor import in_current_trace
from fusegrad.testing import check_grads

# ---- autograd ------------------------------------------------------------------------------------


def scalar(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Arrays of one element have a gradient there."""

    def without_axes(*args: Any) -> Any:
        result = fun(*args)
        return np.reshape(result, ()) if np.size(result) == 1 else result

    return without_axes


def grad(fun: Callable[..., Any], argnum: int | tuple[int, ...] = 0) -> Callable[..., Any]:
    return fg.grad(scalar(fun), argnums=argnum)


def value_and_grad(fun: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    return fg.value_and_grad(scalar(fun), argnums=argnum)


def elementwise_grad(fun: Callable[..., Any]) -> Callable[..., Any]:
    return fg.grad(lambda x: np.sum(fun(x)))


def hessian_vector_product(fun: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, vector: fg.hvp(fun, (x,), (vector,))


# ---- autograd.numpy ------------------------------------------------------------------------------


def array(data: Any, *args: Any, **kwargs: Any) -> Any:
    """Return numpy.array of what holds no Tensors, and a Tensor of what holds some."""
    held = isinstance(data, list | tuple) and any(
        isinstance(leaf, fg.Tensor) for leaf in leaves(data)
    )
    if held or isinstance(data, fg.Tensor):
        return fg.Tensor(data, *args, **kwargs)
    return np.array(data, *args, **kwargs)


def full(shape: Any, fill_value: Any) -> Any:
    if isinstance(fill_value, fg.Tensor) and in_current_trace(fill_value):
        return np.broadcast_to(fill_value, shape)
    return np.full(shape, fill_value)


def leaves(data: Any) -> list[Any]:
    if isinstance(data, list | tuple):
        return [leaf for part in data for leaf in leaves(part)]
    return [data]


class NumPy:
    """NumPy, but for its constructors, which ask no operand for an answer."""

    array = staticmethod(array)
    full = staticmethod(full)
    random = np.random
    linalg = np.linalg

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


# ---- autograd.scipy ------------------------------------------------------------------------------


def _polygamma(n: int) -> Callable[[Any], Any]:
    """Return the n-th derivative of log(gamma(x)), from SciPy, with its own derivative."""

    @fg.custom_vjp
    def function(x: Any) -> Any:
        x = np.asarray(x)
        return scipy.special.gammaln(x) if n == 0 else scipy.special.polygamma(n - 1, x)

    def forward(x: Any) -> tuple[Any, Any]:
        return function(x), x

    def backward(x: Any, cotangent: Any) -> tuple[Any]:
        return (cotangent * _polygamma(n + 1)(x),)

    function.defvjp(forward, backward)
    return function


gammaln = _polygamma(0)


def norm_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return -0.5 * ((x - loc) / scale) ** 2 - np.log(scale) - 0.5 * math.log(2 * math.pi)


def norm_cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return 0.5 * ops.erfc((loc - x) / (scale * math.sqrt(2.0)))


def t_logpdf(x: Any, df: float, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    constant = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - 0.5 * math.log(df * math.pi)
    z = (x - loc) / scale
    return constant - np.log(scale) - (df + 1) / 2 * np.log1p(z**2 / df)


def multivariate_normal_logpdf(x: Any, mean: Any, cov: Any) -> Any:
    centred = x - mean
    solved = np.linalg.solve(cov, centred.T).T
    sign, log_determinant = np.linalg.slogdet(cov)
    assert sign > 0
    size = cov.shape[-1]
    quadratic = np.sum(centred * solved, axis=-1)
    return -0.5 * (size * math.log(2 * math.pi) + log_determinant + quadratic)


def convolve(
    images: Any, filters: Any, axes: Any, dot_axes: Any, mode: str
) -> Any:  # of images (n, c, y, x) with filters (c, f, h, w)
    assert (axes, dot_axes, mode) == (([2, 3], [2, 3]), ([1], [0]), "valid")
    height, width = filters.shape[2:]
    rows, columns = images.shape[2] - height + 1, images.shape[3] - width + 1
    total = 0.0
    for i in range(height):
        for j in range(width):
            y, x = height - 1 - i, width - 1 - j
            window = images[:, :, y : y + rows, x : x + columns]
            total = total + np.einsum("ncyx,cf->nfyx", window, filters[:, :, i, j])
    return total


# ---- autograd.misc -------------------------------------------------------------------------------


def flatten(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Return all elements of a nested structure as a vector, and the way back."""
    if isinstance(value, list | tuple):
        parts = [flatten(part) for part in value]
        sizes = [flat.shape[0] for flat, _ in parts]
        ends = np.cumsum(sizes)

        def join(vector: Any) -> Any:
            pieces = zip(parts, ends, sizes, strict=True)
            return type(value)([back(vector[e - n : e]) for (_, back), e, n in pieces])

        return np.concatenate([flat for flat, _ in parts]), join
    if isinstance(value, dict):
        names = sorted(value)
        flat, back = flatten([value[name] for name in names])
        return flat, lambda vector: dict(zip(names, back(vector), strict=True))
    shape = np.shape(value)
    return np.ravel(value), lambda vector: np.reshape(vector, shape)


def flatten_func(fun: Callable[..., Any], example: Any) -> tuple[Any, Any, Any]:
    flat, back = flatten(example)
    return lambda vector, *args: fun(back(vector), *args), back, flat


def _optimizer(step: Callable[..., Any]) -> Callable[..., Any]:
    def optimize(
        grad: Any, x0: Any, callback: Any = None, num_iters: int = 100, **options: Any
    ) -> Any:
        x, back = flatten(x0)
        state: dict[str, Any] = {}
        for i in range(num_iters):
            g = flatten(grad(back(x), i))[0]
            if callback:
                callback(back(x), i, back(g))
            x = step(state, x, g, i, **options)
        return back(x)

    return optimize


@_optimizer
def sgd(state: Any, x: Any, g: Any, i: int, step_size: float = 0.1, mass: float = 0.9) -> Any:
    state["v"] = mass * state.get("v", 0.0) - (1.0 - mass) * g
    return x + step_size * state["v"]


@_optimizer
def adam(
    state: Any, x: Any, g: Any, i: int, step_size: float = 0.001, b1: float = 0.9, b2: float = 0.999
) -> Any:
    state["m"] = (1 - b1) * g + b1 * state.get("m", 0.0)
    state["v"] = (1 - b2) * g**2 + b2 * state.get("v", 0.0)
    mean, square = state["m"] / (1 - b1 ** (i + 1)), state["v"] / (1 - b2 ** (i + 1))
    return x - step_size * mean / (np.sqrt(square) + 1e-8)


def fixed_point(f: Any, a: Any, x0: Any, distance: Any, tol: float) -> Any:
    """Return x = f(a)(x), with the gradient of the implicit function theorem."""

    @fg.custom_vjp
    def solve(a: Any) -> Any:
        step = f(a)
        x, before = step(x0), x0
        while distance(x, before) > tol:
            x, before = step(x), x
        return x

    def forward(a: Any) -> Any:
        x = solve(a)
        return x, (a, x)

    def backward(saved: Any, cotangent: Any) -> Any:
        a, x = saved
        _, through_a = fg.vjp(lambda a: f(a)(x), a)
        return through_a(
            fixed_point(adjoint_step, (a, x, cotangent), np.zeros_like(x0), distance, tol)
        )

    def adjoint_step(parameters: Any) -> Any:
        a, x, cotangent = parameters
        _, through_x = fg.vjp(f(a), x)
        return lambda u: through_x(u)[0] + cotangent

    solve.defvjp(forward, backward)
    return solve(a)


# ---- autograd.extend -----------------------------------------------------------------------------


class Primitive:
    """A function of one argument whose gradient is given later, by `defvjp`."""

    def __init__(self, fun: Callable[..., Any]) -> None:
        self.fun = fg.custom_vjp(fun)
        self.name = fun.__name__

    def __call__(self, x: Any) -> Any:
        return self.fun(x)


def defvjp(primitive: Primitive, rule: Callable[..., Any]) -> None:
    def forward(x: Any) -> Any:
        answer = primitive.fun(x)
        return answer, (answer, x)

    primitive.fun.defvjp(forward, lambda saved, g: (rule(*saved)(g),))


# In that package `misc.flatten` is a module to some of the examples, a function to others.
flatten.flatten = flatten  # type: ignore[attr-defined]
flatten.flatten_func = flatten_func  # type: ignore[attr-defined]

autograd = SimpleNamespace(
    grad=grad,
    value_and_grad=value_and_grad,
    elementwise_grad=elementwise_grad,
    hessian_vector_product=hessian_vector_product,
    numpy=NumPy(),
    scipy=SimpleNamespace(
        special=SimpleNamespace(logsumexp=ops.logsumexp, expit=ops.sigmoid, gammaln=gammaln),
        stats=SimpleNamespace(
            norm=SimpleNamespace(
                logpdf=norm_logpdf, cdf=norm_cdf, pdf=lambda *a: np.exp(norm_logpdf(*a))
            ),
            t=SimpleNamespace(logpdf=t_logpdf),
            multivariate_normal=SimpleNamespace(
                logpdf=multivariate_normal_logpdf,
                pdf=lambda *a: np.exp(multivariate_normal_logpdf(*a)),
            ),
        ),
        signal=SimpleNamespace(convolve=convolve),
    ),
    misc=SimpleNamespace(
        flatten=flatten,
        optimizers=SimpleNamespace(adam=adam, sgd=sgd),
        fixed_points=SimpleNamespace(fixed_point=fixed_point),
    ),
    extend=SimpleNamespace(primitive=Primitive, defvjp=defvjp),
    test_util=SimpleNamespace(
        check_grads=lambda fun, modes: lambda *args: check_grads(fun, args, modes=modes)
    ),
)
