"""Fit a sum of bumps to a curve, with an op that is written in C++.

PYTHONPATH=build python regression.py
"""

from __future__ import annotations

import numpy as np

import fusegrad as fg  # first: it loads the library that the extension links
from fusegrad import Tensor, ops

import distances  # isort: skip

squared_distances = ops.custom_op(distances.squared_distances)


def bumps(weights: dict[str, Tensor], x: Tensor) -> Tensor:
    """Return ``sum_j height_j exp(-|x - center_j|^2)``."""
    return ops.matmul(ops.exp(-squared_distances(x, weights["centers"])), weights["heights"])


def cost(weights: dict[str, Tensor], x: Tensor, y: Tensor) -> Tensor:
    """Return the mean squared error."""
    return ops.mean((bumps(weights, x) - y) ** 2)


def main(steps: int = 500) -> float:
    """Walk downhill in heights and centers; return the last error."""
    x = np.linspace(-3.0, 3.0, 200).reshape(-1, 1)
    y = np.sin(x[:, 0])
    weights = {"centers": np.linspace(-2.5, 2.5, 6).reshape(-1, 1), "heights": np.zeros(6)}
    step = fg.jit(fg.value_and_grad(cost))
    error = float("inf")
    for _ in range(steps):
        value, gradient = step(weights, x, y)
        error = float(value)
        weights = {name: w - 0.5 * gradient[name].numpy() for name, w in weights.items()}
    print(f"mean squared error after {steps} steps: {error:.2e}")
    return error


if __name__ == "__main__":
    main()
