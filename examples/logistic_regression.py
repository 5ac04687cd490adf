"""Logistic regression four times: its gradient by hand, by `grad`, and two ways as a model.

python examples/logistic_regression.py

The data are scikit-learn's copy of the Wisconsin breast cancer set: 30 measurements of 569 tumours,
and whether each is benign. A fifth is held out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import fusegrad
from fusegrad import layers, losses, ops, optimizers

Array = np.ndarray[Any, Any]


def cost(w: Any, b: Any, x: Array, y: Array) -> Any:
    """Return J(w, b), the mean over the samples of ``-y log(f) - (1 - y) log(1 - f)``."""
    z = ops.dot(x, w) + b
    f_x = 1 / (1 + ops.exp(-z))
    loss = -y * ops.log(f_x) - (1 - y) * ops.log(1 - f_x)
    return ops.mean(loss)


def by_hand(x: Array, y: Array, alpha: float, steps: int) -> tuple[Array, float]:
    """Gradient descent with the derivatives worked out on paper, in NumPy."""
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        z = np.dot(x, w) + b
        f_x = 1 / (1 + np.exp(-z))
        dj_dw = np.dot(f_x - y, x) / len(x)
        dj_db = np.mean(f_x - y)
        w = w - alpha * dj_dw
        b = b - alpha * dj_db
    return w, float(b)


def by_grad(x: Array, y: Array, alpha: float, steps: int) -> tuple[Array, float]:
    """Gradient descent with the derivatives of `cost` itself."""
    slope = fusegrad.jit(fusegrad.grad(cost, argnums=(0, 1)))
    w, b = np.zeros(x.shape[1]), np.float64(0.0)
    for _ in range(steps):
        dj_dw, dj_db = slope(w, b, x, y)
        w = w - alpha * dj_dw.numpy()
        b = b - alpha * dj_db.numpy()
    return w, float(b)


def by_model(x: Array, y: Array, from_logits: bool, alpha: float, steps: int) -> Any:
    """The same steps as a model; `from_logits` chooses between its two spellings."""
    output = layers.Dense(
        1,
        activation="linear" if from_logits else "sigmoid",
        kernel_initializer="zeros",
        dtype="float64",
    )
    model = fusegrad.Sequential([output])
    model.compile(
        optimizer=optimizers.SGD(learning_rate=alpha),
        loss=losses.BinaryCrossentropy(from_logits=from_logits),
        metrics=["accuracy"],
    )
    model.fit(x, y, batch_size=len(x), epochs=steps, verbose=0)
    return model


def main(alpha: float = 0.5, steps: int = 500) -> dict[str, float]:
    """Train all four, and return their accuracies on the held-out fifth."""
    x, y = load_breast_cancer(return_X_y=True)
    x_train, x_test, y_train, y_test = train_test_split(
        x, y, test_size=0.2, stratify=y, random_state=0
    )
    normalize = layers.Normalization(dtype="float64")
    normalize.adapt(x_train)
    x_train, x_test = normalize(x_train).numpy(), normalize(x_test).numpy()

    accuracies = {}
    solutions = {}
    for name, train in (("by hand", by_hand), ("by grad", by_grad)):
        w, b = train(x_train, y_train, alpha, steps)
        solutions[name] = np.append(w, b)
        accuracies[name] = float(np.mean((np.dot(x_test, w) + b > 0) == y_test))
    for name, from_logits in (("sigmoid output", False), ("from_logits=True", True)):
        model = by_model(x_train, y_train, from_logits, alpha, steps)
        solutions[name] = np.concatenate([a.ravel() for a in model.get_weights()])
        accuracies[name] = model.evaluate(x_test, y_test, verbose=0)[1]
    for name, accuracy in accuracies.items():
        apart = np.abs(solutions[name] - solutions["by hand"]).max()
        print(f"{name:17} accuracy {accuracy:.1%}, weights within {apart:.0e} of those by hand")
    return accuracies


if __name__ == "__main__":
    main()
