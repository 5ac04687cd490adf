"""Logistic regression by Newton's method: gradient and Hessian of a cost written in NumPy.

python examples/newton.py

The data are scikit-learn's copy of the Wisconsin breast cancer set: 30 measurements of 569 tumours,
and whether each is benign.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer

from fusegrad import hessian, jit, value_and_grad

Array = np.ndarray[Any, Any]


def cost(weights: Any, x: Array, y: Array, penalty: float) -> Any:
    """Return the mean logistic loss, and a penalty on all weights but the last, the bias."""
    z = np.dot(x, weights[:-1]) + weights[-1]
    loss = np.logaddexp(0.0, z) - y * z  # -y log(f) - (1 - y) log(1 - f), with f the sigmoid of z
    return np.mean(loss) + penalty / 2 * np.sum(weights[:-1] ** 2)


def main(penalty: float = 1 / 569, most: int = 50) -> Array:
    """Print the cost and the slope at each step, and return the weights."""
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    value_and_slope, curvature = jit(value_and_grad(cost)), jit(hessian(cost))
    weights = np.zeros(x.shape[1] + 1)
    for step in range(most):
        value, slope = value_and_slope(weights, x, y, penalty)
        steepest = float(np.max(np.abs(slope)))
        print(f"step {step}: cost {value:.6f}, largest slope {steepest:.0e}")
        if steepest < 1e-10:
            break
        weights = weights - np.linalg.solve(
            curvature(weights, x, y, penalty).numpy(), slope.numpy()
        )
    return weights


if __name__ == "__main__":
    main()
