"""Why activation functions are needed: a net of linear layers is one linear layer.

python examples/why_activations.py

Two layers without activations compute ``(x W1 + b1) W2 + b2 = x (W1 W2) + (b1 W2 + b2)``, which one
layer computes as well. Both fit a curve with a straight line; the same layers with ReLU follow it.
"""

from __future__ import annotations

import numpy as np

import fusegrad
from fusegrad import layers, losses, optimizers


def trained(activation: str, x: np.ndarray, y: np.ndarray, epochs: int) -> fusegrad.Sequential:
    """Return a trained net of three layers with this activation in the hidden ones."""
    fusegrad.utils.set_random_seed(2)
    model = fusegrad.Sequential(
        [
            layers.Dense(25, activation=activation),
            layers.Dense(15, activation=activation),
            layers.Dense(1, activation="linear"),
        ]
    )
    model.compile(optimizer=optimizers.Adam(0.01), loss=losses.MeanSquaredError())
    model.fit(x, y, epochs=epochs, verbose=0)
    return model


def main(epochs: int = 60) -> dict[str, float]:
    """Train, collapse the linear net into one layer, and return the errors."""
    x = np.linspace(-2.0, 2.0, 400)[:, np.newaxis]
    y = x**2
    linear = trained("linear", x, y, epochs)
    relu = trained("relu", x, y, epochs)

    kernel, bias = np.eye(1), np.zeros(1)
    for layer in linear.layers:
        weights, offset = layer.get_weights()
        kernel, bias = kernel @ weights, bias @ weights + offset
    one_layer = x @ kernel + bias
    apart = float(np.abs(one_layer - linear.predict(x, verbose=0)).max())

    errors = {
        "best straight line": float(np.var(y)),  # y does not rise with x over the whole range
        "three linear layers": linear.evaluate(x, y, verbose=0),
        "three layers with relu": relu.evaluate(x, y, verbose=0),
    }
    print(f"three linear layers are one: kernel {kernel[0, 0]:.3f}, bias {bias[0]:.3f}")
    print(f"largest difference of their predictions: {apart:.0e}")
    for name, error in errors.items():
        print(f"{name:23} mean squared error {error:.4f}")
    return {"apart": apart, **errors}


if __name__ == "__main__":
    main()
