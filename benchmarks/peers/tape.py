"""What HIPS autograd and MyGrad share: step loops in Python around a gradient function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from peers import Unsupported
from workloads import Prepared, Training

ValueAndGradient = Callable[[list[Any], Any, Any], tuple[Any, list[Any]]]


def adam(weights: list[Any], slots: list[tuple[Any, Any]], gradients: list[Any], t: int) -> None:
    """One step of Adam in place."""
    alpha = np.float32(1e-3 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t))
    for weight, (m, v), g in zip(weights, slots, gradients, strict=True):
        np.add(m, (g - m) * np.float32(0.1), out=m)
        np.add(v, (g * g - v) * np.float32(0.001), out=v)
        step = alpha * m / (np.sqrt(v) + np.float32(1e-7))
        np.subtract(weight, step, out=weight)


def training(p: Prepared, w: Training, value_and_gradient: ValueAndGradient) -> Callable[[], float]:
    if w.dtype != "float32":
        raise Unsupported("no bfloat16")
    weights = [x.copy() for x in p.weights]
    slots = [(np.zeros_like(x), np.zeros_like(x)) for x in weights]
    rng = np.random.default_rng(0)
    y = p.y.astype(np.float32) if w.binary else p.y
    t = 0

    def turn() -> float:
        nonlocal t
        mean = 0.0
        for _ in range(w.epochs):
            order, total = rng.permutation(len(y)), 0.0
            for start in range(0, len(y), w.batch):
                rows = order[start : start + w.batch]
                loss, gradients = value_and_gradient(weights, p.x[rows], y[rows])
                t += 1
                adam(weights, slots, gradients, t)
                total += float(loss) * len(rows)
            mean = total / len(y)
        return mean

    return turn
