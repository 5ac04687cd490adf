"""Linear algebra on stacks of matrices, with the names and meanings of `numpy.linalg`.

Matrices are the last two axes; all before them are stacked. All functions can be differentiated to
any order and compiled.

Notes
-----
Factorizations are LAPACK's, by way of NumPy, in double precision: float32 operands are converted,
and results rounded once; so are their gradients. Their last bits depend on the machine and on
NumPy's build, unlike those of all other ops.

A singular matrix, or one that is not positive definite, raises `numpy.linalg.LinAlgError`, also
from a compiled program.

Examples
--------
>>> from fusegrad import ops
>>> ops.linalg.solve([[2.0, 0.0], [0.0, 4.0]], [2.0, 2.0])
Tensor([1. , 0.5], dtype=float32)
"""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any, NamedTuple

from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, apply, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import one
from fusegrad.ops.decompositions import (
    cholesky,
    eigh,
    eigvalsh,
    in_double,
    pinv,
    qr,
    require_square,
    svd,
    svdvals,
)
from fusegrad.ops.matrices import eye, matrix_transpose
from fusegrad.ops.norms import matrix_norm, norm, vector_norm
from fusegrad.ops.products import matmul
from fusegrad.ops.shapes import broadcast_to, squeeze
from fusegrad.ops.unary import cast

__all__ = [
    "cholesky",
    "det",
    "eigh",
    "eigvalsh",
    "inv",
    "matrix_norm",
    "matrix_power",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "vector_norm",
]

__getattr__ = missing(__name__, __all__)


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


def solve(a: Any, b: Any) -> Tensor:
    """Return the solution x of ``a x = b``.

    Parameters
    ----------
    a : array_like
        Square matrices, shape (..., n, n).
    b : array_like
        One vector, shape (n,), or matrices, shape (..., n, k), whose stacks broadcast with a's.

    Returns
    -------
    Tensor
        Shape (..., n) for a vector, else (..., n, k); float32 where both operands are.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square, or the shapes do not fit.
    numpy.linalg.LinAlgError
        A matrix is singular.

    Notes
    -----
    The gradients are ``db = solve(a^T, dx)`` and ``da = -db x^T``.

    Examples
    --------
    >>> solve([[3.0, 1.0], [1.0, 2.0]], [9.0, 8.0])
    Tensor([2., 3.], dtype=float32)
    """
    (a, b), dtype = in_double(a, b)
    if b.ndim == 1:
        columns = one("solve", (a, b.reshape(-1, 1)))
        return cast(squeeze(columns, -1), dtype)
    return cast(one("solve", (a, b)), dtype)


def inv(a: Any) -> Tensor:
    """Return the inverses of square matrices.

    Parameters
    ----------
    a : array_like
        Shape (..., n, n).

    Returns
    -------
    Tensor
        The shape of `a`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square.
    numpy.linalg.LinAlgError
        A matrix is singular.

    Notes
    -----
    To multiply by an inverse, `solve` is faster and more accurate.

    Examples
    --------
    >>> inv([[2.0, 0.0], [0.0, 4.0]])
    Tensor([[0.5 , 0.  ],
            [0.  , 0.25]], dtype=float32)
    """
    (a,), dtype = in_double(a)
    require_square("inv", a)
    return cast(one("solve", (a, eye(a.shape[-1], dtype="float64"))), dtype)


def det(a: Any) -> Tensor:
    """Return the determinants of square matrices.

    Parameters
    ----------
    a : array_like
        Shape (..., n, n).

    Returns
    -------
    Tensor
        Shape (...).

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square.

    Notes
    -----
    The gradient is the matrix of cofactors, ``det(a) a^-T``, also where `a` is singular; the second
    derivatives of a singular matrix are NaN or infinite.

    Examples
    --------
    >>> det([[1.0, 2.0], [3.0, 4.0]])
    Tensor(-2., dtype=float32)
    """
    (a,), dtype = in_double(a)
    return cast(one("det", (a,)), dtype)


def slogdet(a: Any) -> SlogdetResult:
    """Return the sign of determinants, and the logarithm of their absolute values.

    Parameters
    ----------
    a : array_like
        Shape (..., n, n).

    Returns
    -------
    SlogdetResult
        ``sign`` and ``logabsdet``, each of shape (...): 0 and -inf for a singular matrix.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square.
    numpy.linalg.LinAlgError
        A singular matrix is differentiated.

    Notes
    -----
    It neither overflows nor underflows where the determinant does. The gradient of ``logabsdet``
    is ``a^-T``, that of ``sign`` is 0.

    Examples
    --------
    >>> slogdet([[0.0, 2.0], [2.0, 0.0]]).sign
    Tensor(-1., dtype=float32)
    """
    (a,), dtype = in_double(a)
    return SlogdetResult(*(cast(part, dtype) for part in apply("slogdet", (a,))))


def matrix_power(a: Any, n: int) -> Tensor:
    """Return the n-th power of square matrices, by repeated squaring.

    Parameters
    ----------
    a : array_like
        Shape (..., m, m), floating.
    n : int
        Negative powers are those of the inverse; power 0 is the identity.

    Returns
    -------
    Tensor
        The shape of `a`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square, or n is no integer.
    numpy.linalg.LinAlgError
        n is negative and a matrix is singular.

    Examples
    --------
    >>> matrix_power([[1.0, 1.0], [0.0, 1.0]], 5)
    Tensor([[1., 5.],
            [0., 1.]], dtype=float32)
    """
    a = as_tensor(a)
    require_square("matrix_power", a)
    if not hasattr(n, "__index__") or isinstance(n, bool):
        raise ArgumentError("matrix_power", "n", "an integer", repr(n))
    n = n.__index__()
    if n == 0:
        return broadcast_to(eye(a.shape[-1], dtype=a.dtype), a.shape)
    base = inv(a) if n < 0 else a
    result = None
    for place, bit in enumerate(reversed(f"{abs(n):b}")):
        base = matmul(base, base) if place else base
        if bit == "1":
            result = base if result is None else matmul(result, base)
    assert result is not None
    return result


def multi_dot(arrays: Sequence[Any]) -> Tensor:
    """Return the product of two or more matrices, in the order that takes the fewest operations.

    Parameters
    ----------
    arrays : sequence of array_like
        Matrices; the first and the last may be vectors.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are fewer than two, they do not fit, or one is neither matrix nor vector.

    Examples
    --------
    >>> multi_dot([[1.0, 2.0], [[1.0, 0.0], [0.0, 1.0]], [3.0, 4.0]])
    Tensor(11., dtype=float32)
    """
    tensors = [as_tensor(x) for x in arrays]
    if len(tensors) < 2:
        raise ArgumentError("multi_dot", "arrays", "at least two arrays", str(len(tensors)))
    for i, x in enumerate(tensors):
        if not (x.ndim == 2 or (x.ndim == 1 and i in (0, len(tensors) - 1))):
            expected = "matrices, of which the first and the last may be vectors"
            raise ArgumentError("multi_dot", "arrays", expected, f"shape {x.shape} at index {i}")
    rows = [1 if i == 0 and x.ndim == 1 else x.shape[0] for i, x in enumerate(tensors)]
    sizes = [*rows, 1 if tensors[-1].ndim == 1 else tensors[-1].shape[1]]
    split = _cheapest_splits(sizes)

    def product(first: int, last: int) -> Tensor:
        if first == last:
            return tensors[first]
        middle = split[first, last]
        return matmul(product(first, middle), product(middle + 1, last))

    return product(0, len(tensors) - 1)


def _cheapest_splits(sizes: Sequence[int]) -> dict[tuple[int, int], int]:
    """Return where each run of matrices, matrix i being sizes[i] x sizes[i + 1], is best split."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    split = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            costs = {
                k: cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1]
                for k in range(i, j)
            }
            split[i, j] = builtins.min(costs, key=lambda k: (costs[k], k))
            cost[i, j] = costs[split[i, j]]
    return split
