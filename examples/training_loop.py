"""A training loop of one's own: GradientTape, an optimizer, and a step that is compiled.

python examples/training_loop.py

The data are the handwritten digits that come with fusegrad.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import fusegrad
from fusegrad import layers, losses, metrics, optimizers


def main(epochs: int = 20, batch_size: int = 32) -> float:
    """Train, print loss and accuracy of some epochs, and return the accuracy on held-out images."""
    (x_train, y_train), (x_test, y_test) = fusegrad.datasets.load_digits()
    fusegrad.utils.set_random_seed(1)
    model = fusegrad.Sequential(
        [
            fusegrad.Input(shape=(8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(25, activation="relu"),
            layers.Dense(10, activation="linear"),
        ]
    )
    loss_of = losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = optimizers.Adam(learning_rate=0.01)

    @fusegrad.jit
    def step(x: Any, y: Any) -> Any:
        with fusegrad.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        slopes = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(slopes, model.trainable_variables, strict=True))
        return loss

    rng = np.random.default_rng(1)
    accuracy = metrics.SparseCategoricalAccuracy()
    for epoch in range(1, epochs + 1):
        rows = rng.permutation(len(x_train))
        rows = rows[: len(rows) // batch_size * batch_size].reshape(-1, batch_size)
        mean = np.mean([float(step(x_train[batch], y_train[batch])) for batch in rows])
        if epoch % 5 == 0:
            accuracy.reset_state()
            accuracy.update_state(y_test, model(x_test))
            print(f"epoch {epoch}: loss {mean:.4f}, held-out accuracy {accuracy.result():.3f}")
    return float(accuracy.result())


if __name__ == "__main__":
    main()
