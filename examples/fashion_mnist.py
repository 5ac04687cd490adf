"""Fashion-MNIST from its IDX files: clothes of ten kinds in 70,000 images of 28x28 pixels.

python examples/fashion_mnist.py [FOLDER]

Nothing is downloaded. Debian's package dataset-fashion-mnist has the four files; any folder with
them will do, and so will those of MNIST, which have the same names.
"""

from __future__ import annotations

import sys
import time

import numpy as np

import fusegrad
from fusegrad import datasets, layers, losses

KINDS = (
    *("T-shirt", "trouser", "pullover", "dress", "coat"),
    *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
)


def main(folder: str | None = None, epochs: int = 10) -> float:
    """Train, print the accuracy of each kind, and return that on the 10,000 test images."""
    (x_train, y_train), (x_test, y_test) = datasets.load_fashion_mnist(folder)
    fusegrad.utils.set_random_seed(1)
    model = fusegrad.Sequential(
        [
            layers.Rescaling(1 / 255),  # done while a batch is gathered: the images stay uint8
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
    start = time.perf_counter()
    model.fit(x_train, y_train, epochs=epochs, validation_split=0.1)
    print(f"{epochs} epochs in {time.perf_counter() - start:.1f} s")

    guesses = np.argmax(model.predict(x_test, verbose=0), axis=1)
    for kind, name in enumerate(KINDS):
        chosen = y_test == kind
        right = float(np.mean(guesses[chosen] == kind))
        print(f"{name:10} {right:6.1%}  {'#' * round(right * 40)}")
    accuracy = float(np.mean(guesses == y_test))
    print(f"test accuracy {accuracy:.1%}")
    return accuracy


if __name__ == "__main__":
    main(*sys.argv[1:2])
