"""HIPS autograd: NumPy code, differentiated by a tape."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, hessian, make_vjp, value_and_grad

from peers import Unsupported, numpy_style, tape
from workloads import AUTODIFF, Prepared, Training

NAME = "HIPS autograd"


def version() -> str:
    return importlib.metadata.version("autograd")


def cross_entropy(z: Any, y: Any) -> Any:
    z = z - anp.max(z, axis=1, keepdims=True)
    return anp.mean(anp.log(anp.sum(anp.exp(z), axis=1)) - z[np.arange(len(y)), y])


def binary_cross_entropy(z: Any, y: Any) -> Any:
    return anp.mean(anp.logaddexp(np.float32(0), z) - z * y)


def loss(weights: list[Any], x: Any, y: Any) -> Any:
    for i in range(0, len(weights) - 2, 2):
        x = anp.maximum(anp.dot(x, weights[i]) + weights[i + 1], np.float32(0))
    z = anp.dot(x, weights[-2]) + weights[-1]
    return binary_cross_entropy(z[:, 0], y) if z.shape[1] == 1 else cross_entropy(z, y)


def cost(parameters: Any, x: Any, y: Any) -> Any:
    w, b = parameters
    return binary_cross_entropy(anp.dot(x, w) + b, y)


def derivative(p: Prepared) -> Callable[[], Any]:
    kind, a = p.workload.kind, p.arguments  # type: ignore[union-attr]
    cost, cost_of_w, chain = numpy_style.functions(anp)
    if kind == "record":
        return lambda: make_vjp(chain)(*a)[1]
    if kind == "logistic":
        both = value_and_grad(lambda parameters, x, y: cost(*parameters, x, y))
        return lambda: both((a[0], a[1]), a[2], a[3])
    function = grad(chain) if kind == "chain" else hessian(cost_of_w)
    return lambda: function(*a)


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return tape.training(p, w, value_and_grad(loss))
    if w.group == AUTODIFF:
        return derivative(p)
    a = p.arguments
    if w.kind == "cross_entropy":
        function = value_and_grad(cross_entropy)
        return lambda: function(*a)
    if w.kind == "cost":
        function = value_and_grad(cost)
        return lambda: function((a[0], a[1]), a[2], a[3])
    raise Unsupported("NumPy itself")
