"""NumPy, with gradients derived on paper, written as fast as NumPy goes: no copies, no objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from peers import Unsupported, numpy_style
from workloads import AUTODIFF, CHAIN, Prepared, Training

NAME = "NumPy by hand"
FORMS = ("float32", "uint8")


def version() -> str:
    return np.__version__


def softmax_step(z: Any, y: Any, rows: Any) -> tuple[float, Any]:
    """Return the mean cross-entropy and its gradient; overwrites the logits."""
    z -= z.max(1, keepdims=True)
    at_label = z[rows, y]
    np.exp(z, out=z)
    s = z.sum(1, keepdims=True)
    loss = float(np.mean(np.log(s[:, 0]) - at_label))
    z /= s
    z[rows, y] -= 1
    z /= len(y)
    return loss, z


def sigmoid_step(z: Any, y: Any) -> tuple[float, Any]:
    z = z[:, 0]
    small = np.exp(-np.abs(z))
    loss = float(np.mean(np.maximum(z, 0) - z * y + np.log1p(small)))
    probability = np.where(z >= 0, 1, small) / (1 + small)
    return loss, ((probability - y) / np.float32(len(y)))[:, None]


class Network:
    """All weights, gradients and slots in flat arrays, so that Adam is a few calls a step."""

    def __init__(self, weights: list[Any], binary: bool) -> None:
        self.binary = binary
        self.flat = np.concatenate([w.ravel() for w in weights])
        self.gradient = np.zeros_like(self.flat)
        self.m, self.v = np.zeros_like(self.flat), np.zeros_like(self.flat)
        self.root, self.step_of = np.empty_like(self.flat), np.empty_like(self.flat)
        self.steps = 0
        views, gradients, start = [], [], 0
        for w in weights:
            part = slice(start, start + w.size)
            views.append(self.flat[part].reshape(w.shape))
            gradients.append(self.gradient[part].reshape(w.shape))
            start += w.size
        self.kernels, self.biases = views[::2], views[1::2]
        self.kernel_gradients, self.bias_gradients = gradients[::2], gradients[1::2]

    def backward(self, x: Any, y: Any) -> float:
        inputs = [x]
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            z = inputs[-1] @ kernel
            z += bias
            inputs.append(np.maximum(z, 0, out=z))
        z = inputs[-1] @ self.kernels[-1]
        z += self.biases[-1]
        loss, d = sigmoid_step(z, y) if self.binary else softmax_step(z, y, np.arange(len(y)))
        for i in reversed(range(len(self.kernels))):
            np.matmul(inputs[i].T, d, out=self.kernel_gradients[i])
            np.sum(d, 0, out=self.bias_gradients[i])
            if i:
                d = d @ self.kernels[i].T
                d *= inputs[i] > 0
        return loss

    def adam(self) -> None:
        self.steps += 1
        alpha = 1e-3 * np.sqrt(1 - 0.999**self.steps) / (1 - 0.9**self.steps)
        g, m, v, root, step = self.gradient, self.m, self.v, self.root, self.step_of
        np.subtract(g, m, out=step)
        step *= np.float32(0.1)
        m += step
        np.multiply(g, g, out=step)
        step -= v
        step *= np.float32(0.001)
        v += step
        np.sqrt(v, out=root)
        root += np.float32(1e-7)
        np.multiply(m, np.float32(alpha), out=step)
        step /= root
        self.flat -= step


def training(p: Prepared, w: Training) -> Callable[[], float]:
    if w.dtype != "float32":
        raise Unsupported("no bfloat16")
    network = Network(p.weights, w.binary)
    rng = np.random.default_rng(0)
    y = p.y.astype(np.float32) if w.binary else p.y

    def turn() -> float:
        mean = 0.0
        for _ in range(w.epochs):
            order, total = rng.permutation(len(y)), 0.0
            for start in range(0, len(y), w.batch):
                rows = order[start : start + w.batch]
                x = p.x[rows]
                if x.dtype == np.uint8:
                    x = x * np.float32(1 / 255)
                total += network.backward(x, y[rows]) * len(rows)
                network.adam()
            mean = total / len(y)
        return mean

    return turn


def cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    loss, d = sigmoid_step((x @ w + b)[:, None], y)
    return loss, (x.T @ d[:, 0], d.sum())


def logistic(w: Any, b: Any, x: Any, y: Any) -> Any:
    p = 1 / (1 + np.exp(-(x @ w + b)))
    value = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    d = (p - y) / np.float32(len(y))
    return value, (x.T @ d, d.sum())


def chain_gradient(a: Any) -> Any:
    values = []
    for _ in range(CHAIN // 2):
        a = np.exp(-a)
        values.append(a)
    g = np.ones_like(a)
    for a in reversed(values):
        g = -(g * a)
    return g


def logistic_hessian(w: Any, x: Any, y: Any) -> Any:
    p = 1 / (1 + np.exp(-(x @ w)))
    return (x.T * (p * (1 - p) / np.float32(len(y)))) @ x


def derivative(p: Prepared) -> Callable[[], Any]:
    functions = {
        "logistic": logistic,
        "chain": chain_gradient,
        "hessian": logistic_hessian,
        "record": numpy_style.functions(np)[2],
    }
    function = functions[p.workload.kind]  # type: ignore[union-attr]
    return lambda: function(*p.arguments)


def forward(x: Any, weights: list[Any]) -> Any:
    for i in range(0, len(weights) - 2, 2):
        x = x @ weights[i]
        x += weights[i + 1]
        np.maximum(x, 0, out=x)
    return x @ weights[-2] + weights[-1]


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        return training(p, w)
    if w.group == AUTODIFF:
        return derivative(p)
    a = p.arguments
    if w.kind == "matmul":
        return lambda: a[0] @ a[1]
    if w.kind == "cross_entropy":
        rows = np.arange(len(a[1]))
        return lambda: softmax_step(a[0].copy(), a[1], rows)
    if w.kind == "cost":
        return lambda: cost(*a)
    if w.kind == "forward":
        return lambda: forward(a[0], p.weights)
    if w.kind == "sigmoid":
        return lambda: 1 / (1 + np.exp(-a[0]))
    function = getattr(np, w.kind)
    return lambda: function(a[0])
