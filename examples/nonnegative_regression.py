"""Regression of a target that is never negative: a ReLU output cannot predict below zero.

python examples/nonnegative_regression.py

What a shop sells depends on the weather, and on cold days it sells nothing. A linear output
predicts negative sales for those days; an output through ReLU, ``g(z) = max(0, z)``, does not.
"""

from __future__ import annotations

import numpy as np

import fusegrad
from fusegrad import layers, losses, optimizers


def main(epochs: int = 100) -> dict[str, tuple[float, float]]:
    """Train both, and return the error and the smallest prediction of each."""
    rng = np.random.default_rng(3)
    temperature = rng.uniform(-10.0, 35.0, size=800)
    sold = np.maximum(0.0, 6.0 * (temperature - 12.0) + rng.normal(scale=8.0, size=800))
    x, y = temperature / 10.0, sold / 100.0
    results = {}
    for activation in ("linear", "relu"):
        fusegrad.utils.set_random_seed(1)
        model = fusegrad.Sequential(
            [layers.Dense(1, activation=activation, kernel_initializer="ones")]
        )
        model.compile(optimizer=optimizers.Adam(0.01), loss=losses.MeanSquaredError())
        model.fit(x, y, epochs=epochs, verbose=0)
        error = model.evaluate(x, y, verbose=0)
        least = float(model.predict(x, verbose=0).min())
        results[activation] = (error, least)
        print(
            f"{activation:6} output: mean squared error {error:.4f}, least prediction {least:.2f}"
        )
    return results


if __name__ == "__main__":
    main()
