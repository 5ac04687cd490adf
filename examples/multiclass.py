"""Multi-class classification, naive and improved, and what happens to each at large logits.

python examples/multiclass.py

The naive form ends in a softmax and takes the loss of its probabilities; the improved one ends in
logits and leaves the softmax to the loss. In textbook NumPy the naive form loses all digits once
the logits are large. Here both train to the same bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fusegrad
from fusegrad import datasets, layers, losses

Array = np.ndarray[Any, Any]


def network(last: str) -> fusegrad.Sequential:
    """Return the network of both forms; `last` is the activation of its output."""
    fusegrad.utils.set_random_seed(1)
    return fusegrad.Sequential(
        [
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(units=25, activation="relu"),
            layers.Dense(units=15, activation="relu"),
            layers.Dense(units=10, activation=last),
        ]
    )


def textbook(logits: Array, labels: Array) -> float:
    """The loss as the formula is written: ``-log(exp(z_y) / sum_j exp(z_j))``, in float32."""
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        exponentials = np.exp(logits)
        a = exponentials / np.sum(exponentials, axis=1, keepdims=True)
        return float(np.mean(-np.log(a[np.arange(len(labels)), labels])))


def at_logits(z: Array, y: Array) -> dict[str, float]:
    """Return the loss of each form for these logits, float32 ``(n, classes)``."""
    result = {"textbook NumPy": textbook(z, y)}
    for name, last, from_logits in (("naive", "softmax", False), ("improved", "linear", True)):
        model = fusegrad.Sequential(
            [
                layers.Dense(
                    z.shape[1], activation=last, use_bias=False, kernel_initializer="identity"
                )
            ]
        )
        model.compile(loss=losses.SparseCategoricalCrossentropy(from_logits=from_logits))
        result[name] = model.evaluate(z, y, verbose=0)
    return result


def main(epochs: int = 40) -> tuple[bool, list[dict[str, float]]]:
    """Train both forms; return whether they agree, and the losses at growing logits."""
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    naive = network("softmax")
    naive.compile(loss=losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    naive.fit(x_train, y_train, epochs=epochs, verbose=0)
    improved = network("linear")
    improved.compile(
        loss=losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    improved.fit(x_train, y_train, epochs=epochs, verbose=0)
    same = all(
        np.array_equal(a, b)
        for a, b in zip(naive.get_weights(), improved.get_weights(), strict=True)
    )
    for name, model in (("naive", naive), ("improved", improved)):
        loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
        print(f"{name:9} held-out loss {loss:.4f}, accuracy {accuracy:.1%}")
    print(f"same weights, bit for bit: {same}\n")

    print("loss of logits (s, s/2, 0) where the second class is right")
    rows = []
    for scale in (1.0, 10.0, 100.0, 1000.0):
        z = np.array([[scale, scale / 2, 0.0]], np.float32)
        rows.append(at_logits(z, np.array([1])))
        said = ", ".join(f"{name} {value:.6g}" for name, value in rows[-1].items())
        print(f"s = {scale:6g}: {said}")
    return same, rows


if __name__ == "__main__":
    main()
