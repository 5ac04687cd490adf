"""HIPS autograd: NumPy code, differentiated by a tape."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import value_and_grad

from peers import Unsupported, tape
from workloads import Prepared, Training

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


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return tape.training(p, w, value_and_grad(loss))
    a = p.arguments
    if w.kind == "cross_entropy":
        function = value_and_grad(cross_entropy)
        return lambda: function(*a)
    if w.kind == "cost":
        function = value_and_grad(cost)
        return lambda: function((a[0], a[1]), a[2], a[3])
    raise Unsupported("NumPy itself")
