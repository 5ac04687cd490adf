"""Softmax regression: one linear layer and a softmax over ten classes of handwritten digits.

python examples/softmax_regression.py

``z_j = w_j . x + b_j``, ``a_j = exp(z_j) / sum_k exp(z_k) = P(y = j | x)``, and the cost is the
mean of ``-log(a_y)``.
"""

from __future__ import annotations

import numpy as np

import fusegrad
from fusegrad import datasets, layers, losses


def main(epochs: int = 60) -> float:
    """Train, print what the model is sure of, and return the accuracy on the held-out fifth."""
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    fusegrad.utils.set_random_seed(1)
    model = fusegrad.Sequential(
        [
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(units=10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer="adam", loss=losses.SparseCategoricalCrossentropy(), metrics=["accuracy"]
    )
    model.fit(x_train, y_train, epochs=epochs, verbose=0)
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"loss {loss:.3f}, accuracy {accuracy:.1%} on {len(y_test)} held-out images")

    probabilities = model.predict(x_test[:5], verbose=0)
    for row, label in zip(probabilities, y_test, strict=False):
        best = np.argsort(row)[::-1][:3]
        said = ", ".join(f"P(y={j}) = {row[j]:.3f}" for j in best)
        print(f"a {label}: {said}")
    return float(accuracy)


if __name__ == "__main__":
    main()
