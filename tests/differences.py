"""A small network, and gradients by differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import ops


def central(f: Callable[[np.ndarray], Any], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Return the gradient of the float64 function f by central differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        high, low = x.copy(), x.copy()
        high[i] += step
        low[i] -= step
        gradient[i] = (f(high).item() - f(low).item()) / (2 * step)
    return gradient


def network(parameters: Any, x: Any, y: Any) -> Any:
    (w1, b1), (w2, b2) = parameters
    hidden = ops.tanh(x @ w1 + b1)
    return ops.mean(ops.sparse_softmax_cross_entropy(y, hidden @ w2 + b2))
