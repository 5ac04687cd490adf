"""fusegrad itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import fusegrad as fg
from fusegrad import config, layers, losses, ops
from peers import Unsupported, numpy_style
from workloads import AUTODIFF, Prepared, Training

NAME = "fusegrad"
FORMS = ("uint8",)


def version() -> str:
    return fg.__version__


def network(p: Prepared, widths: tuple[int, ...]) -> fg.Sequential:
    rescale = [layers.Rescaling(1 / 255)] if p.x is not None and p.x.dtype == np.uint8 else []
    hidden = [layers.Dense(n, activation="relu") for n in widths[1:-1]]
    model = fg.Sequential([fg.Input((widths[0],)), *rescale, *hidden, layers.Dense(widths[-1])])
    model.set_weights(p.weights)
    return model


def training(p: Prepared, w: Training) -> Callable[[], Any]:
    set_policy: Any = getattr(config, "set_dtype_policy", None)
    if w.dtype != "float32" and set_policy is None:
        raise Unsupported(f"no dtype policy {w.dtype}")
    if set_policy is not None:
        set_policy(w.dtype)
    model = network(p, w.widths)
    loss: Any = losses.SparseCategoricalCrossentropy(from_logits=True)
    if w.binary:
        loss = losses.BinaryCrossentropy(from_logits=True)
    model.compile("adam", loss)
    if set_policy is not None:
        set_policy("float32")

    def turn() -> float:
        history = model.fit(p.x, p.y, batch_size=w.batch, epochs=w.epochs, verbose=0)
        return float(history.history["loss"][-1])

    return turn


def cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    return ops.mean(ops.sigmoid_cross_entropy(y, ops.matmul(x, w) + b))


def cross_entropy(logits: Any, labels: Any) -> Any:
    return ops.mean(ops.sparse_softmax_cross_entropy(labels, logits))


def derivative(p: Prepared, xp: Any, wrap: Callable[[Any], Any] = lambda f: f) -> Callable[[], Any]:
    """Return a call that differentiates what is written with the functions of `xp`."""
    kind = p.workload.kind  # type: ignore[union-attr]
    tensors = [fg.Tensor(a) for a in p.arguments]
    cost, cost_of_w, chain = numpy_style.functions(xp)
    if kind == "record":
        if wrap is fg.jit:
            raise Unsupported("nothing is recorded when a compiled function runs")
        return lambda: fg.vjp(chain, *tensors)[0]
    transformed = {
        "logistic": lambda: fg.value_and_grad(cost, argnums=(0, 1)),
        "chain": lambda: fg.grad(chain),
        "hessian": lambda: fg.hessian(cost_of_w),
    }
    function = wrap(transformed[kind]())
    return lambda: function(*tensors)


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return training(p, w)
    if w.group == AUTODIFF:
        return derivative(p, np)
    tensors = [fg.Tensor(a) for a in p.arguments]
    if w.kind == "matmul":
        a, b = tensors
        return lambda: ops.matmul(a, b)
    if w.kind == "cross_entropy":
        function = fg.jit(fg.value_and_grad(cross_entropy))
        return lambda: function(*tensors)
    if w.kind == "cost":  # as written in a notebook: not compiled
        eager = fg.value_and_grad(cost, argnums=(0, 1))
        return lambda: eager(*tensors)
    if w.kind == "forward":
        model = network(p, w.shape)
        return lambda: model(tensors[0])
    op = getattr(ops, w.kind)
    return lambda: op(tensors[0])
