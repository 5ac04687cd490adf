"""Decompositions of stacks of matrices; see `linalg`, which has them all."""

from __future__ import annotations

import builtins
from typing import Any, NamedTuple

from fusegrad._tensor import Tensor, apply, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import one
from fusegrad.ops.matrices import matrix_transpose
from fusegrad.ops.products import matmul
from fusegrad.ops.shapes import concatenate
from fusegrad.ops.unary import cast

__all__ = [
    "cholesky",
    "eigh",
    "eigvalsh",
    "in_double",
    "pinv",
    "qr",
    "require_square",
    "svd",
    "svdvals",
]


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Tensor
    R: Tensor


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Tensor
    S: Tensor
    Vh: Tensor


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
    (a,), dtype = in_double(a)
    lower = one("cholesky", (_symmetric("cholesky", a),))
    return cast(matrix_transpose(lower) if upper else lower, dtype)


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
    (a,), dtype = in_double(a)
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
    (a,), dtype = in_double(a)
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
    (a,), dtype = in_double(a)
    require_matrices("qr", a)
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
    (a,), dtype = in_double(a)
    require_matrices("pinv", a)
    if rcond is None:
        rcond = builtins.max(a.shape[-2:]) * (2.0**-23 if dtype == "float32" else 2.0**-52)
    if not rcond >= 0:
        raise ArgumentError("pinv", "rcond", "a number >= 0", repr(rcond))
    return cast(one("pinv", (a,), scalars=(rcond,)), dtype)


def in_double(*operands: Any) -> tuple[list[Tensor], str]:
    """Return operands in double precision, and the dtype of the result."""
    tensors = [as_tensor(x) for x in operands]
    single = all(x.dtype == "float32" for x in tensors)
    return [cast(x, "float64") for x in tensors], "float32" if single else "float64"


def require_matrices(where: str, x: Tensor, argument: str = "a") -> None:
    if x.ndim < 2:
        raise ArgumentError(where, argument, "at least two axes", f"shape {x.shape}")


def require_square(where: str, a: Tensor) -> None:
    if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise ArgumentError(where, "a", "square matrices", f"shape {a.shape}")


def _symmetric(where: str, a: Tensor) -> Tensor:
    require_square(where, a)
    return (a + matrix_transpose(a)) * 0.5
