"""Prints the coefficients of csrc/src/kernels/math-trig-inl.h, -arc-inl.h and -hyperbolic-inl.h.

Each polynomial is fitted by least squares of the weighted error at Chebyshev points, in 60 digits.
The coefficients are rounded to doubles one after another, from the constant on, and the rest is
fitted again after each. "float" marks the shorter ones, whose results are rounded to floats. Needs
mpmath.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
from mpmath import mpf

Function = Callable[[Any], Any]

POINTS = 80


def fit(name: str, f: Function, weight: Function, high: float, terms: int) -> None:
    """Print c with (f(z) - c[0] - c[1] z - ...) weight(z) small on [0, high]."""
    nodes = [mpmath.cos(mpmath.pi * (2 * i + 1) / (2 * POINTS)) for i in range(POINTS)]
    points = [mpf(high) * (1 + t) / 2 for t in nodes]
    weights = [weight(z) for z in points]
    rest = [f(z) for z in points]
    coefficients: list[Any] = []
    for k in range(terms):
        rows = mpmath.matrix(
            [[w * z**j for j in range(k, terms)] for z, w in zip(points, weights, strict=True)]
        )
        values = mpmath.matrix([r * w for r, w in zip(rest, weights, strict=True)])
        fitted = mpmath.lu_solve(rows.T * rows, rows.T * values)
        coefficients.append(mpf(float(fitted[0])))
        rest = [r - coefficients[-1] * z**k for r, z in zip(rest, points, strict=True)]
    error = max(abs(r * w) for r, w in zip(rest, weights, strict=True))
    print(f"{name}, 0 to {high:.5f}: within 2^{float(mpmath.log(error, 2)):.1f}")
    print("   ", ", ".join(float(c).hex() for c in coefficients))


def odd(function: Function) -> tuple[Function, Function]:
    """(function(x) / x - 1) / x^2 in z = x^2, and its weight, relative to the function."""

    def rest(z: Any) -> Any:
        x = mpmath.sqrt(z)
        return (function(x) / x - 1) / z

    def weight(z: Any) -> Any:
        x = mpmath.sqrt(z)
        return z * x / function(x)

    return rest, weight


def main() -> None:
    with mpmath.workdps(60):
        quarter = float((mpmath.pi / 4) ** 2) * 1.0001
        eighth = float(mpmath.tan(mpmath.pi / 8) ** 2) * 1.0001
        cos = lambda z: mpmath.cos(mpmath.sqrt(z))  # noqa: E731
        fit("sin", *odd(mpmath.sin), quarter, 6)
        fit("sin, float", *odd(mpmath.sin), quarter, 4)
        fit("cos", lambda z: (cos(z) - 1 + z / 2) / z**2, lambda z: z**2 / cos(z), quarter, 6)
        fit("cos, float", lambda z: (cos(z) - 1) / z, lambda z: z / cos(z), quarter, 4)
        fit("arcsin", *odd(mpmath.asin), 0.25, 13)
        fit("arcsin, float", *odd(mpmath.asin), 0.25, 7)
        fit("arctan", *odd(mpmath.atan), eighth, 11)
        fit("arctan, float", *odd(mpmath.atan), eighth, 6)
        fit("sinh", *odd(mpmath.sinh), 1.0, 8)
        fit("sinh, float", *odd(mpmath.sinh), 1.0, 5)


if __name__ == "__main__":
    main()
