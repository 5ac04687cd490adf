"""PyTorch as most people run it; its fused Adam, and gradients set to None between steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from peers import numpy_style
from workloads import AUTODIFF, Prepared, Training

NAME = "PyTorch eager"
FORMS = ("float32", "uint8")


def version() -> str:
    return str(torch.__version__)


def network(weights: list[Any]) -> Any:
    modules: list[Any] = []
    for kernel, bias in zip(weights[::2], weights[1::2], strict=True):
        dense = torch.nn.Linear(*kernel.shape)
        with torch.no_grad():
            dense.weight.copy_(torch.from_numpy(kernel.T.copy()))
            dense.bias.copy_(torch.from_numpy(bias))
        modules += [dense, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules[:-1])


def training(
    p: Prepared, w: Training, wrap: Callable[[Any], Any] = lambda f: f
) -> Callable[[], Any]:
    model = network(p.weights)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    x = torch.from_numpy(p.x)
    y = torch.from_numpy(p.y.astype(np.float32) if w.binary else p.y)
    torch.manual_seed(0)

    def loss_of(x: Any, y: Any) -> Any:
        if x.dtype == torch.uint8:
            x = x.float() * (1 / 255)
        with torch.autocast("cpu", torch.bfloat16, enabled=w.dtype != "float32"):
            z = model(x)
        z = z.float()
        if w.binary:
            return functional.binary_cross_entropy_with_logits(z[:, 0], y)
        return functional.cross_entropy(z, y)

    loss_of = wrap(loss_of)

    def turn() -> float:
        mean = torch.zeros(())
        for _ in range(w.epochs):
            total = torch.zeros(())
            for rows in torch.randperm(len(y)).split(w.batch):
                loss = loss_of(x[rows], y[rows])
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
                optimizer.step()
                total += loss.detach() * len(rows)
            mean = total / len(y)
        return float(mean)

    return turn


def value_and_gradient(function: Callable[..., Any], count: int, a: list[Any]) -> Callable[[], Any]:
    for x in a[:count]:
        x.requires_grad_()

    def call() -> Any:
        value = function(*a)
        return value.detach(), torch.autograd.grad(value, a[:count])

    return call


def cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    return functional.binary_cross_entropy_with_logits(x @ w + b, y)


def derivative(p: Prepared) -> Callable[[], Any]:
    kind = p.workload.kind  # type: ignore[union-attr]
    a = [torch.from_numpy(np.array(x)) for x in p.arguments]
    function, cost_of_w, chain = numpy_style.functions(torch)
    if kind == "hessian":
        hessian = torch.func.hessian(cost_of_w)
        return lambda: hessian(*a)
    if kind == "logistic":
        return value_and_gradient(function, 2, a)
    if kind == "chain":
        both = value_and_gradient(chain, 1, a)
        return lambda: both()[1]
    a[0].requires_grad_()
    return lambda: chain(a[0])


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return training(p, w)
    if w.group == AUTODIFF:
        return derivative(p)
    a = [torch.from_numpy(np.array(x)) for x in p.arguments]
    if w.kind == "cross_entropy":
        return value_and_gradient(functional.cross_entropy, 1, a)
    if w.kind == "cost":
        return value_and_gradient(cost, 2, a)
    function = network(p.weights) if w.kind == "forward" else getattr(torch, w.kind)

    def call() -> Any:
        with torch.inference_mode():
            return function(*a)

    return call
