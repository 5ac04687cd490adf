"""Prints the coefficients of csrc/src/kernels/math-float-inl.h, and how far each polynomial is off.

Each is the polynomial with the smallest largest weighted error at 600 Chebyshev points, by Lawson's
iteration of weighted least squares. The coefficients are rounded to floats one after another, from
the constant on, and the rest is fitted again after each. Needs NumPy and mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np

Array = np.ndarray[Any, Any]
Function = Callable[[Any], Any]

POINTS = 600
ITERATIONS = 400


def smallest_maximum(basis: Array, values: Array) -> tuple[float, Array]:
    """The coefficients with the smallest largest |basis @ c - values|, and that error."""
    scale = np.abs(basis).max(axis=0)
    weights = np.ones(len(values))
    best = (np.inf, np.zeros(basis.shape[1]))
    for _ in range(ITERATIONS):
        root = np.sqrt(weights)
        c, *_ = np.linalg.lstsq(basis / scale * root[:, None], values * root, rcond=None)
        error = np.abs(basis / scale @ c - values)
        if error.max() < best[0]:
            best = (float(error.max()), c / scale)
        weights = weights * (error / error.max() + 1e-9)
        weights /= weights.sum()
    return best


def fit(name: str, f: Function, weight: Function, low: float, high: float, degree: int) -> None:
    """Print c with (f(x) - c[0] - c[1] x - ...) weight(x) small on [low, high]."""
    nodes = np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
    x = (low + high) / 2 + (high - low) / 2 * nodes
    exact = np.array([float(f(mpmath.mpf(float(v)))) for v in x])
    weights = np.array([float(weight(mpmath.mpf(float(v)))) for v in x])
    powers = x[:, None] ** np.arange(degree + 1)
    c = np.zeros(degree + 1)
    for k in range(degree + 1):
        rest = (exact - powers[:, :k] @ c[:k]) * weights
        _, fitted = smallest_maximum(powers[:, k:] * weights[:, None], rest)
        c[k] = float(np.float32(fitted[0]))
    error = float(np.max(np.abs(exact - powers @ c) * weights))
    print(f"{name}, {low} to {high}: within 2^{np.log2(error):.1f}")
    print("   ", ", ".join(float(v).hex() for v in c))


def main() -> None:
    with mpmath.workdps(40):
        r_max = 0.3475  # a little more than ln(2) / 2
        exp_rest = lambda r: (mpmath.expm1(r) - r) / r**2  # noqa: E731
        log_rest = lambda f: (mpmath.log1p(f) - f) / f**2  # noqa: E731
        log_weight = lambda f: abs(f**2 / mpmath.log1p(f))  # noqa: E731
        root = mpmath.sqrt
        fit("exp_slope", exp_rest, lambda r: r * r / mpmath.exp(r), -r_max, r_max, 4)
        fit("exp_rest", exp_rest, abs, -r_max, r_max, 5)
        fit("log_rest", log_rest, log_weight, -0.25, 0.5001, 8)
        fit("log1p_unit", log_rest, log_weight, 1e-9, 1.0, 9)
        fit(
            "tanh",
            lambda z: (mpmath.tanh(root(z)) / root(z) - 1) / z,
            lambda z: z * root(z) / mpmath.tanh(root(z)),
            1e-9, 1.0, 7,
        )  # fmt: skip
        fit(
            "erf near 0",
            lambda z: mpmath.erf(root(z)) / root(z) - 1,
            lambda z: root(z) / mpmath.erf(root(z)),
            1e-9, 1.0, 6,
        )  # fmt: skip
        fit(
            "log erfc",
            lambda a: mpmath.log(mpmath.erfc(a)),
            lambda a: mpmath.erfc(a) / mpmath.erf(a),
            1.0, 4.0, 7,
        )  # fmt: skip


if __name__ == "__main__":
    main()
