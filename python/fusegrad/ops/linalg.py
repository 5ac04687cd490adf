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
from fusegrad.ops.norms import matrix_norm, norm, vector_norm
from fusegrad.ops.products import matmul
from fusegrad.ops.shapes import broadcast_to, concatenate, squeeze, transpose
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


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


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
    (a, b), dtype = _double(a, b)
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
    (a,), dtype = _double(a)
    _require_square("inv", a)
    return cast(one("solve", (a, _unit_matrix(a))), dtype)


def cholesky(a: Any, upper: bool = False) -> Tensor:
    """Return the factor L with ``a = L L^T``, which is lower triangular.

    Parameters
    ----------
    a : array_like
        Symmetric, positive definite matrices, shape (..., n, n); others are taken as
        ``(a + a^T) / 2``.
    upper : bool, default False
        Whether to return the upper triangular ``L^T``.

    Returns
    -------
    Tensor
        The shape of `a`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square.
    numpy.linalg.LinAlgError
        A matrix is not positive definite.

    Notes
    -----
    The gradient is symmetric, as `a` is.

    Examples
    --------
    >>> cholesky([[4.0, 2.0], [2.0, 5.0]])
    Tensor([[2., 0.],
            [1., 2.]], dtype=float32)
    """
    (a,), dtype = _double(a)
    lower = one("cholesky", (_symmetric("cholesky", a),))
    return cast(matrix_transpose(lower) if upper else lower, dtype)


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
    (a,), dtype = _double(a)
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
    (a,), dtype = _double(a)
    return SlogdetResult(*(cast(part, dtype) for part in apply("slogdet", (a,))))


def eigh(a: Any) -> EighResult:
    """Return eigenvalues and eigenvectors of symmetric matrices.

    Parameters
    ----------
    a : array_like
        Symmetric matrices, shape (..., n, n); others are taken as ``(a + a^T) / 2``.

    Returns
    -------
    EighResult
        ``eigenvalues`` in ascending order, shape (..., n); ``eigenvectors``, shape (..., n, n):
        column i belongs to eigenvalue i and has length 1. Its sign is LAPACK's choice.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square.
    numpy.linalg.LinAlgError
        The computation does not converge, as for NaN.

    Notes
    -----
    With V the eigenvectors the gradient is ``V (diag(dw) + F * (V^T dV)) V^T``, where
    ``F_ij = 1 / (w_j - w_i)``. Vectors of equal eigenvalues have no derivative: F is 0 there.

    Examples
    --------
    >>> eigh([[2.0, 0.0], [0.0, 1.0]]).eigenvalues
    Tensor([1., 2.], dtype=float32)
    """
    (a,), dtype = _double(a)
    return EighResult(*(cast(part, dtype) for part in apply("eigh", (_symmetric("eigh", a),))))


def eigvalsh(a: Any) -> Tensor:
    """Return the eigenvalues of symmetric matrices, in ascending order: those of `eigh`.

    Parameters
    ----------
    a : array_like
        Shape (..., n, n).

    Returns
    -------
    Tensor
        Shape (..., n).

    Raises
    ------
    fusegrad.errors.ArgumentError
        a is not square.

    Examples
    --------
    >>> eigvalsh([[0.0, 1.0], [1.0, 0.0]])
    Tensor([-1.,  1.], dtype=float32)
    """
    return eigh(a).eigenvalues


def svd(a: Any, full_matrices: bool = True, compute_uv: bool = True) -> Any:
    """Return the singular value decomposition ``a = U diag(S) Vh``.

    Parameters
    ----------
    a : array_like
        Shape (..., m, n), k = min(m, n).
    full_matrices : bool, default True
        Whether U and Vh are square. Where m and n differ only S can be differentiated then.
    compute_uv : bool, default True
        Whether to return U and Vh besides S.

    Returns
    -------
    SVDResult or Tensor
        ``U``, shape (..., m, m) or (..., m, k); ``S``, shape (..., k), in descending order; ``Vh``,
        shape (..., n, n) or (..., k, n). S alone without `compute_uv`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        a has fewer than two axes; U or Vh with `full_matrices` is differentiated.
    numpy.linalg.LinAlgError
        The computation does not converge, as for NaN.

    Notes
    -----
    Vectors of equal singular values, and those of a singular value 0 beyond the square part, have
    no derivative: what would divide by 0 counts as 0.

    Examples
    --------
    >>> svd([[0.0, 2.0], [1.0, 0.0]]).S
    Tensor([2., 1.], dtype=float32)
    """
    (a,), dtype = _double(a)
    parts = apply("svd", (a,), flag=bool(full_matrices and compute_uv))
    if not compute_uv:
        return cast(parts[1], dtype)
    return SVDResult(*(cast(part, dtype) for part in parts))


def svdvals(a: Any) -> Tensor:
    """Return the singular values of matrices, in descending order.

    Parameters
    ----------
    a : array_like
        Shape (..., m, n).

    Returns
    -------
    Tensor
        Shape (..., min(m, n)).

    Raises
    ------
    fusegrad.errors.ArgumentError
        a has fewer than two axes.

    Examples
    --------
    >>> svdvals([[3.0, 0.0], [0.0, 4.0]])
    Tensor([4., 3.], dtype=float32)
    """
    values: Tensor = svd(a, compute_uv=False)
    return values


def qr(a: Any, mode: str = "reduced") -> Any:
    """Return orthonormal columns Q and an upper triangular R with ``a = Q R``.

    Parameters
    ----------
    a : array_like
        Shape (..., m, n), k = min(m, n).
    mode : {"reduced", "r"}, default "reduced"
        "r" returns R alone.

    Returns
    -------
    QRResult or Tensor
        ``Q``, shape (..., m, k), and ``R``, shape (..., k, n).

    Raises
    ------
    fusegrad.errors.ArgumentError
        a has fewer than two axes; another mode.
    numpy.linalg.LinAlgError
        A matrix whose first k columns are dependent is differentiated.

    Examples
    --------
    >>> qr([[3.0], [4.0]], mode="r")
    Tensor([[-5.]], dtype=float32)
    """
    if mode not in ("reduced", "r"):
        raise ArgumentError("qr", "mode", "'reduced' or 'r'", repr(mode))
    (a,), dtype = _double(a)
    _require_matrices("qr", a)
    rows = a.shape[-2]
    q, r = apply("qr", (a[..., :rows],))
    if rows < a.shape[-1]:  # the other columns, in terms of Q
        r = concatenate((r, matmul(matrix_transpose(q), a[..., rows:])), axis=-1)
    return cast(r, dtype) if mode == "r" else QRResult(cast(q, dtype), cast(r, dtype))


def pinv(a: Any, rcond: float | None = None) -> Tensor:
    """Return the Moore-Penrose inverses of matrices.

    Parameters
    ----------
    a : array_like
        Shape (..., m, n).
    rcond : float, optional
        Singular values up to `rcond` times the largest count as 0; max(m, n) times the machine
        epsilon of the dtype by default.

    Returns
    -------
    Tensor
        Shape (..., n, m).

    Raises
    ------
    fusegrad.errors.ArgumentError
        a has fewer than two axes; a negative `rcond`.

    Notes
    -----
    The gradient (Golub and Pereyra, 1973) is that of matrices of the same rank.

    Examples
    --------
    >>> pinv([[2.0, 0.0]])
    Tensor([[0.5],
            [0. ]], dtype=float32)
    """
    (a,), dtype = _double(a)
    _require_matrices("pinv", a)
    if rcond is None:
        rcond = builtins.max(a.shape[-2:]) * (2.0**-23 if dtype == "float32" else 2.0**-52)
    if not rcond >= 0:
        raise ArgumentError("pinv", "rcond", "a number >= 0", repr(rcond))
    return cast(one("pinv", (a,), scalars=(rcond,)), dtype)


def matrix_transpose(x: Any) -> Tensor:
    """Return matrices with their rows and columns exchanged.

    Parameters
    ----------
    x : array_like
        Shape (..., m, n).

    Returns
    -------
    Tensor
        Shape (..., n, m).

    Raises
    ------
    fusegrad.errors.ArgumentError
        x has fewer than two axes.

    Examples
    --------
    >>> matrix_transpose([[1.0, 2.0]])
    Tensor([[1.],
            [2.]], dtype=float32)
    """
    x = as_tensor(x)
    _require_matrices("matrix_transpose", x, "x")
    return transpose(x, (*range(x.ndim - 2), x.ndim - 1, x.ndim - 2))


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
    _require_square("matrix_power", a)
    if not hasattr(n, "__index__") or isinstance(n, bool):
        raise ArgumentError("matrix_power", "n", "an integer", repr(n))
    n = n.__index__()
    if n == 0:
        return broadcast_to(cast(_unit_matrix(a), a.dtype), a.shape)
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


def _double(*operands: Any) -> tuple[list[Tensor], str]:
    """Return operands in double precision, and the dtype of the result."""
    tensors = [as_tensor(x) for x in operands]
    single = all(x.dtype == "float32" for x in tensors)
    return [cast(x, "float64") for x in tensors], "float32" if single else "float64"


def _unit_matrix(a: Tensor) -> Tensor:
    from numpy import eye

    return as_tensor(eye(a.shape[-1]))


def _require_matrices(where: str, x: Tensor, argument: str = "a") -> None:
    if x.ndim < 2:
        raise ArgumentError(where, argument, "at least two axes", f"shape {x.shape}")


def _require_square(where: str, a: Tensor) -> None:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ArgumentError(where, "a", "square matrices", f"shape {a.shape}")


def _symmetric(where: str, a: Tensor) -> Tensor:
    _require_square(where, a)
    return (a + matrix_transpose(a)) * 0.5
