"""Linear regression: one linear unit and mean squared error, beside the least-squares solution.

python examples/linear_regression.py

The data are scikit-learn's copy of the diabetes study: ten measurements of 442 patients, and how
their disease progressed within a year.
"""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_diabetes

import fusegrad
from fusegrad import layers, losses, optimizers


def main(epochs: int = 200) -> tuple[float, float]:
    """Train, print both errors, and return ours and that of the exact solution."""
    x, y = load_diabetes(return_X_y=True)
    normalize = layers.Normalization()
    normalize.adapt(x)
    fusegrad.utils.set_random_seed(1)
    model = fusegrad.Sequential([normalize, layers.Dense(1, activation="linear")])
    model.compile(optimizer=optimizers.Adam(learning_rate=1), loss=losses.MeanSquaredError())
    model.fit(x, y, epochs=epochs, verbose=0)
    ours = model.evaluate(x, y, verbose=0)

    columns = np.column_stack([x, np.ones(len(x))])
    solution = np.linalg.lstsq(columns, y, rcond=None)[0]
    exact = float(np.mean((columns @ solution - y) ** 2))

    weights, bias = model.layers[-1].get_weights()
    print("w", weights[:, 0].round(1), " b", bias.round(1))
    print(f"mean squared error: {ours:.1f} trained, {exact:.1f} least squares")
    return ours, exact


if __name__ == "__main__":
    main()
