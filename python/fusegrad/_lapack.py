"""Factorizations in double precision by numpy.linalg, which the core calls for its linear algebra.

Each takes float64 arrays of the op's operands, then its attributes `transpose_a`, `flag` and the
first scalar, and returns a tuple of results.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["FUNCTIONS"]

Matrices = npt.NDArray[np.float64]
Results = tuple[Any, ...]


def _solve(a: Matrices, b: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return (np.linalg.solve(np.swapaxes(a, -1, -2) if transposed else a, b),)


def _cholesky(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return (np.linalg.cholesky(a),)


def _det(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return (np.linalg.det(a),)


def _cofactor(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    """Return det(a) times the inverse transposed, without dividing: singular matrices have it."""
    u, s, vh = np.linalg.svd(a)
    size = s.shape[-1]
    others = np.where(np.eye(size, dtype=bool), 1.0, s[..., None, :])
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        signs = np.rint(np.linalg.det(u) * np.linalg.det(vh))
        products = signs[..., None] * np.prod(others, axis=-1)
        return ((u * products[..., None, :]) @ vh,)


def _slogdet(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return tuple(np.linalg.slogdet(a))


def _eigh(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return tuple(np.linalg.eigh(a))


def _svd(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return tuple(np.linalg.svd(a, full_matrices=flag))


def _qr(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return tuple(np.linalg.qr(a))


def _pinv(a: Matrices, transposed: bool, flag: bool, scalar: float) -> Results:
    return (np.linalg.pinv(a, rcond=scalar),)


#: In the order of `LinearAlgebra` in callback.h.
FUNCTIONS = (_solve, _cholesky, _det, _cofactor, _slogdet, _eigh, _svd, _qr, _pinv)
