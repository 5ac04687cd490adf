"""JAX: everything under jit; training is one scan over an epoch's batches, gathered inside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from peers import Unsupported, numpy_style
from workloads import AUTODIFF, Prepared, Training

NAME = "JAX jit"
FORMS = ("float32", "uint8")


def version() -> str:
    return str(jax.__version__)


def logits(weights: Any, x: Any, dtype: Any) -> Any:
    if x.dtype == jnp.uint8:
        x = x.astype(jnp.float32) * np.float32(1 / 255)
    for i, (kernel, bias) in enumerate(weights):
        if dtype == jnp.float32:
            x = x @ kernel + bias
        else:
            x = x.astype(dtype) @ kernel.astype(dtype) + bias.astype(dtype)
        if i < len(weights) - 1:
            x = jax.nn.relu(x)
    return x.astype(jnp.float32)


def cross_entropy(z: Any, y: Any) -> Any:
    log_p = jax.nn.log_softmax(z)
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], 1))


def binary_cross_entropy(z: Any, y: Any) -> Any:
    return jnp.mean(jax.nn.softplus(z) - z * y)


def pairs(weights: list[Any]) -> Any:
    return [(jnp.asarray(k), jnp.asarray(b)) for k, b in zip(*[iter(weights)] * 2, strict=True)]


def training(p: Prepared, w: Training) -> Callable[[], float]:
    dtype = jnp.float32 if w.dtype == "float32" else jnp.bfloat16
    x, y = jax.device_put(p.x), jax.device_put(p.y.astype(np.float32 if w.binary else np.int32))
    full = len(p.y) // w.batch * w.batch

    def loss(weights: Any, x: Any, y: Any) -> Any:
        z = logits(weights, x, dtype)
        return binary_cross_entropy(z[:, 0], y) if w.binary else cross_entropy(z, y)

    def step(state: Any, rows: Any, x: Any, y: Any) -> Any:
        weights, m, v, t = state
        value, g = jax.value_and_grad(loss)(weights, x[rows], y[rows])
        t = t + 1
        alpha = 1e-3 * jnp.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        m = jax.tree.map(lambda m, g: m + (g - m) * 0.1, m, g)
        v = jax.tree.map(lambda v, g: v + (g * g - v) * 0.001, v, g)
        weights = jax.tree.map(lambda w, m, v: w - alpha * m / (jnp.sqrt(v) + 1e-7), weights, m, v)
        return (weights, m, v, t), value * len(rows)

    def one_epoch(state: Any, x: Any, y: Any, order: Any) -> Any:
        batches = order[:full].reshape(-1, w.batch)
        state, losses = jax.lax.scan(lambda s, rows: step(s, rows, x, y), state, batches)
        total = losses.sum()
        if full < len(order):
            state, last = step(state, order[full:], x, y)
            total = total + last
        return state, total / len(order)

    epoch: Any = jax.jit(one_epoch)

    weights = pairs(p.weights)
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, zeros, jnp.zeros(()))
    rng = np.random.default_rng(0)

    def turn() -> float:
        nonlocal state
        for _ in range(w.epochs):
            state, mean = epoch(state, x, y, rng.permutation(len(p.y)).astype(np.int32))
        return float(mean)

    return turn


def cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    return binary_cross_entropy(x @ w + b, y)


def derivative(p: Prepared, wrap: Callable[[Any], Any] = lambda f: f) -> Callable[[], Any]:
    kind = p.workload.kind  # type: ignore[union-attr]
    a = [jnp.asarray(x) for x in p.arguments]
    cost, cost_of_w, chain = numpy_style.functions(jnp)
    if kind == "record":
        if wrap is jax.jit:
            raise Unsupported("nothing is recorded when a compiled function runs")
        return lambda: jax.block_until_ready(jax.vjp(chain, *a)[0])
    transformed = {
        "logistic": lambda: jax.value_and_grad(cost, argnums=(0, 1)),
        "chain": lambda: jax.grad(chain),
        "hessian": lambda: jax.hessian(cost_of_w),
    }
    function = wrap(transformed[kind]())
    return lambda: jax.block_until_ready(function(*a))


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return training(p, w)
    if w.group == AUTODIFF:
        return derivative(p, jax.jit)
    a = [jnp.asarray(x) for x in p.arguments]
    functions: dict[str, Any] = {
        "matmul": jnp.matmul,
        "cross_entropy": jax.value_and_grad(cross_entropy),
        "cost": jax.value_and_grad(cost, argnums=(0, 1)),
        "sigmoid": jax.nn.sigmoid,
    }
    if w.kind == "forward":
        weights = pairs(p.weights)
        model = jax.jit(lambda weights, x: logits(weights, x, jnp.float32))
        return lambda: model(weights, a[0]).block_until_ready()
    function = jax.jit(functions.get(w.kind) or getattr(jnp, w.kind))
    return lambda: jax.block_until_ready(function(*a))
