"""Multi-label classification: several yes/no questions about one image at once.

python examples/multilabel.py

Is the digit even? Is it a multiple of three? Is it greater than four? The output has a sigmoid per
question: the answers exclude nothing, so their probabilities do not sum to one.
"""

from __future__ import annotations

import numpy as np

import fusegrad
from fusegrad import datasets, layers, losses, metrics

QUESTIONS = ("even", "multiple of three", "over four")


def answers(digits: np.ndarray) -> np.ndarray:
    """Return the right answers, 0 or 1, ``(n, 3)``."""
    return np.column_stack([digits % 2 == 0, digits % 3 == 0, digits > 4]).astype(np.float32)


def main(epochs: int = 60) -> list[float]:
    """Train, report every label, and return the accuracy of each on the held-out fifth."""
    (x_train, d_train), (x_test, d_test) = datasets.load_digits()
    y_train, y_test = answers(d_train), answers(d_test)
    fusegrad.utils.set_random_seed(1)
    model = fusegrad.Sequential(
        [
            layers.Rescaling(1 / 16),
            layers.Flatten(),
            layers.Dense(25, activation="relu"),
            layers.Dense(15, activation="relu"),
            layers.Dense(len(QUESTIONS), activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer="adam",
        loss=losses.BinaryCrossentropy(),
        metrics=[
            "accuracy",  # of all answers together
            *(metrics.Precision(class_id=j, name=f"precision_{j}") for j in range(len(QUESTIONS))),
            *(metrics.Recall(class_id=j, name=f"recall_{j}") for j in range(len(QUESTIONS))),
        ],
    )
    model.fit(x_train, y_train, epochs=epochs, verbose=0)

    said = model.predict(x_test, verbose=0) > 0.5  # one decision per label
    accuracy = (said == (y_test > 0)).mean(axis=0)
    report = model.evaluate(x_test, y_test, verbose=0, return_dict=True)
    print(f"{'':18} accuracy  precision  recall")
    for j, question in enumerate(QUESTIONS):
        precision, recall = report[f"precision_{j}"], report[f"recall_{j}"]
        print(f"{question:18} {accuracy[j]:8.1%}  {precision:9.1%}  {recall:6.1%}")
    print(f"{'all answers':18} {report['accuracy']:8.1%}")
    return [float(value) for value in accuracy]


if __name__ == "__main__":
    main()
