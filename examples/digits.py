"""Train a small network on the bundled handwritten digits and show what it gets wrong.

python examples/digits.py
"""

from __future__ import annotations

import numpy as np

import fusegrad
from fusegrad import datasets, layers, losses


def main(epochs: int = 50) -> float:
    """Train, print the result, and return the accuracy on the held-out fifth."""
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    fusegrad.utils.set_random_seed(1)
    model = fusegrad.Sequential(
        [
            fusegrad.Input(shape=(8, 8)),
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(25, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(10, activation="linear"),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    model.summary()
    model.fit(x_train, y_train, epochs=epochs, verbose=0)

    guesses = np.argmax(model.predict(x_test, verbose=0), axis=1)
    wrong = np.flatnonzero(guesses != y_test)
    accuracy = 1 - len(wrong) / len(y_test)
    print(f"accuracy on {len(y_test)} held-out images: {accuracy:.1%}")
    for row in wrong[:3]:
        print(f"\nread as {guesses[row]}, is {y_test[row]}")
        for line in x_test[row]:
            print("".join(" .:-=+*#%@"[value * 9 // 16] * 2 for value in line.tolist()))
    return accuracy


if __name__ == "__main__":
    main()
