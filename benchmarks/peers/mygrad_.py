"""MyGrad: NumPy code, differentiated by a tape; its memory guard off, as its manual advises."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import mygrad as mg
import numpy as np
from mygrad.nnet.losses import softmax_crossentropy

from peers import Unsupported, numpy_style, tape
from workloads import AUTODIFF, Prepared, Training

NAME = "MyGrad"

mg.turn_memory_guarding_off()


def version() -> str:
    return importlib.metadata.version("mygrad")


def binary_cross_entropy(z: Any, y: Any) -> Any:
    return mg.mean(mg.logaddexp(np.float32(0), z) - z * y)


def value_and_gradient(weights: list[Any], x: Any, y: Any) -> tuple[Any, list[Any]]:
    tensors = [mg.tensor(w, copy=False) for w in weights]
    for i in range(0, len(tensors) - 2, 2):
        x = mg.maximum(mg.matmul(x, tensors[i]) + tensors[i + 1], np.float32(0))
    z = mg.matmul(x, tensors[-2]) + tensors[-1]
    loss = binary_cross_entropy(z[:, 0], y) if z.shape[1] == 1 else softmax_crossentropy(z, y)
    loss.backward()
    return loss.item(), [t.grad for t in tensors]


def cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    w, b = mg.tensor(w, copy=False), mg.tensor(b)
    loss = binary_cross_entropy(mg.matmul(x, w) + b, y)
    loss.backward()
    return loss.item(), w.grad, b.grad


def cross_entropy(z: Any, y: Any) -> Any:
    z = mg.tensor(z, copy=False)
    loss = softmax_crossentropy(z, y)
    loss.backward()
    return loss.item(), z.grad


def derivative(p: Prepared) -> Callable[[], Any]:
    kind, a = p.workload.kind, p.arguments  # type: ignore[union-attr]
    function, _, chain = numpy_style.functions(mg)
    if kind == "hessian":
        raise Unsupported("first derivatives only")
    if kind == "record":
        return lambda: chain(mg.tensor(a[0], copy=False)).item()

    def call() -> Any:
        w = mg.tensor(a[0], copy=False)
        if kind == "chain":
            chain(w).backward()
            return w.grad
        b = mg.tensor(a[1])
        value = function(w, b, a[2], a[3])
        value.backward()
        return value.item(), w.grad, b.grad

    return call


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return tape.training(p, w, value_and_gradient)
    if w.group == AUTODIFF:
        return derivative(p)
    functions: dict[str, Any] = {"cross_entropy": cross_entropy, "cost": cost}
    if w.kind not in functions:
        raise Unsupported("NumPy itself")
    return lambda: functions[w.kind](*p.arguments)
