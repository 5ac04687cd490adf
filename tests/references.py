"""Naive float64 formulas that the fast ones are held against. NumPy and math, no package code."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Arr = Any


def sigmoid(x: Arr) -> Arr:
    return 1.0 / (1.0 + np.exp(-x))


def softplus(x: Arr) -> Arr:
    return np.log1p(np.exp(-np.abs(x))) + np.maximum(x, 0)


erf = np.vectorize(math.erf, otypes=[np.float64])
erfc = np.vectorize(math.erfc, otypes=[np.float64])


def normal_density(x: Arr) -> Arr:
    return np.exp(-0.5 * np.square(x)) / math.sqrt(2 * math.pi)


def gelu(x: Arr) -> Arr:
    return 0.5 * x * erfc(-x / math.sqrt(2))


def gelu_slope(x: Arr) -> Arr:
    return 0.5 * erfc(-x / math.sqrt(2)) + x * normal_density(x)


def silu(x: Arr) -> Arr:
    return x * sigmoid(x)


def silu_slope(x: Arr) -> Arr:
    return sigmoid(x) * (1 + x * sigmoid(-x))


def elu(x: Arr, alpha: float = 1.0) -> Arr:
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def softmax(x: Arr, axis: int = -1) -> Arr:
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def log_softmax(x: Arr, axis: int = -1) -> Arr:
    d = x - np.max(x, axis=axis, keepdims=True)
    return d - np.log(np.sum(np.exp(d), axis=axis, keepdims=True))


def softmax_grad(dy: Arr, y: Arr) -> Arr:
    return y * (dy - np.sum(dy * y, axis=-1, keepdims=True))


def sigmoid_cross_entropy(z: Arr, t: Arr) -> Arr:
    return (1 - t) * softplus(z) + t * softplus(-z)


def categorical_cross_entropy(p: Arr, t: Arr) -> Arr:
    """Keras's: probabilities divided by their sum, clipped to [1e-7, 1 - 1e-7]."""
    p = np.clip(p / np.sum(p, axis=-1, keepdims=True), 1e-7, 1 - 1e-7)
    return -np.sum(t * np.log(p), axis=-1)


def clipped_bce(p: Arr, t: Arr) -> Arr:
    p = np.clip(p, 1e-7, 1 - 1e-7)
    return -(t * np.log(p) + (1 - t) * np.log(1 - p))


def rmsprop_update(w: Arr, v: Arr, *rest: Arr, centered: bool, momentum: float) -> tuple[Arr, ...]:
    """One step with rho 0.9 and epsilon 1e-7; state (w, v, [a], [b]), then gradient and rate."""
    *state, g, lr = rest
    v = 0.9 * v + 0.1 * g * g
    out = [v]
    denominator = v + 1e-7
    if centered:
        a = 0.9 * state.pop(0) + 0.1 * g
        out.append(a)
        denominator = v - a * a + 1e-7
    step = lr * g / np.sqrt(denominator)
    if momentum > 0:
        step = momentum * state.pop(0) + step
        out.append(step)
    return (w - step, *out)
