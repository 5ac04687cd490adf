"""Differentiate plain functions, once and twice, and find a minimum with the slope.

python examples/gradients.py
"""

from __future__ import annotations

import numpy as np

from fusegrad import Tensor, grad, ops, value_and_grad


def rosenbrock(x: Tensor) -> Tensor:
    """Return Rosenbrock's banana function of a vector; its minimum is 0, at all ones."""
    return ops.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def main(steps: int = 20_000) -> float:
    """Print a few derivatives, walk downhill, and return the value that was reached."""
    slope = grad(lambda x: ops.sum(ops.tanh(x) ** 2))
    curvature = grad(lambda x: ops.sum(slope(x)))
    points = np.array([-1.0, 0.0, 0.5])
    print("slope    ", slope(points))
    print("curvature", curvature(points))

    value_and_slope = value_and_grad(rosenbrock)
    x = np.array([-1.0, 1.0])
    value = float("inf")
    for _ in range(steps):
        result, gradient = value_and_slope(x)
        value = float(result)
        x -= 0.001 * np.asarray(gradient)
    print(f"minimum {value:.2e} at {x}")
    return value


if __name__ == "__main__":
    main()
