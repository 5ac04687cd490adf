"""A gradient for each example by vmap, and what it is good for: labels that are wrong stand out.

python examples/example_gradients.py

A softmax regression of the digits that come with fusegrad is trained on labels of which some were
changed. The examples that still pull hardest on the weights are mostly those.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fusegrad
from fusegrad import ops

Array = np.ndarray[Any, Any]


def loss(weights: Any, x: Any, label: Any) -> Any:
    """Return the cross-entropy of one example, from its logits."""
    z = np.dot(x, weights["w"]) + weights["b"]
    return ops.logsumexp(z) - z[label]


def cost(weights: Any, x: Any, labels: Any) -> Any:
    """Return the mean loss of all examples, with a small penalty on the weights."""
    each = fusegrad.vmap(loss, in_axes=(None, 0, 0))
    return np.mean(each(weights, x, labels)) + 0.001 * np.sum(weights["w"] ** 2)


def lengths(weights: Any, x: Array, labels: Array) -> Array:
    """Return how long the gradient of each example's loss is."""
    each = fusegrad.vmap(fusegrad.grad(loss), in_axes=(None, 0, 0))(weights, x, labels)
    squares = np.sum(each["w"] ** 2, axis=(1, 2)) + np.sum(each["b"] ** 2, axis=1)
    return np.asarray(np.sqrt(squares))


def main(wrong: int = 30, steps: int = 300) -> float:
    """Train, and return the share of wrong labels among as many longest gradients."""
    (images, digits), _ = fusegrad.datasets.load_digits()
    x = images.reshape(len(images), -1) / 16.0
    labels = digits.astype(np.int64)
    rng = np.random.default_rng(1)
    changed = rng.choice(len(x), wrong, replace=False)
    labels[changed] = (labels[changed] + rng.integers(1, 10, wrong)) % 10

    slope = fusegrad.jit(fusegrad.grad(cost))
    weights: Any = {"w": np.zeros((64, 10)), "b": np.zeros(10)}
    for _ in range(steps):
        slopes = slope(weights, x, labels)
        weights = {name: weights[name] - 1.0 * slopes[name] for name in weights}

    longest = np.argsort(lengths(weights, x, labels))[-wrong:]
    found = len(np.intersect1d(longest, changed)) / wrong
    print(f"of the {wrong} longest gradients, {found:.0%} are of examples with a wrong label")
    return found


if __name__ == "__main__":
    main()
