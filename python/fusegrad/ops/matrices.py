"""Diagonals, triangles and transposes of matrices."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.config import floatx
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import normal_axis, one, whole
from fusegrad.ops.binary import greater_equal, where
from fusegrad.ops.creation import arange, ones, zeros
from fusegrad.ops.indexing import slice
from fusegrad.ops.reductions import sum

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "eye",
    "matrix_transpose",
    "trace",
    "tri",
    "tril",
    "triu",
]


def _place(rows: int, columns: int, k: int) -> tuple[int, int]:
    """Where the k-th diagonal of a matrix begins, in C order, and how long it is."""
    if k >= 0:
        return k, max(0, min(rows, columns - k))
    return -k * columns, max(0, min(rows + k, columns))


def diagonal(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return a diagonal of the matrices that two axes span.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.
    offset : int, default 0
        Which one; above the main diagonal where positive.
    axis1, axis2 : int, default 0 and 1
        Of rows and columns.

    Returns
    -------
    Tensor
        The other axes, and a last one along the diagonal; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than two axes, an axis is out of range, or both are one.

    Examples
    --------
    >>> diagonal([[1, 2], [3, 4]])
    Tensor([1, 4], dtype=int64)
    """
    x = as_tensor(x)
    if x.ndim < 2:
        raise ArgumentError("diagonal", "x", "at least two axes", f"shape {x.shape}")
    k = whole("diagonal", "offset", offset)
    first = normal_axis("diagonal", axis1, x.ndim)
    second = normal_axis("diagonal", axis2, x.ndim)
    if first == second:
        raise ArgumentError("diagonal", "axis2", "another axis than axis1", repr(axis2))
    others = [i for i in range(x.ndim) if i not in (first, second)]
    x = x.transpose([*others, first, second])
    rows, columns = x.shape[-2:]
    start, count = _place(rows, columns, k)
    lead = x.shape[:-2]
    flat = x.reshape((*lead, rows * columns))
    if count == 0:
        start = 0
    zero, each = (0,) * len(lead), (1,) * len(lead)
    return slice(flat, (*zero, start), (*lead, count), (*each, columns + 1))


def trace(x: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    """Return the sum of a diagonal of the matrices that two axes span.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.
    offset : int, default 0
        Which one; above the main diagonal where positive.
    axis1, axis2 : int, default 0 and 1
        Of rows and columns.

    Returns
    -------
    Tensor
        The other axes; dtype of `x` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than two axes, an axis is out of range, or both are one.

    Notes
    -----
    Added as in `sum`.

    Examples
    --------
    >>> trace([[1, 2], [3, 4]])
    Tensor(5, dtype=int64)
    """
    return sum(diagonal(x, offset, axis1, axis2), axis=-1)


def diag(x: Any, k: int = 0) -> Tensor:
    """Return a diagonal of a matrix, or the matrix with a vector on a diagonal.

    Parameters
    ----------
    x : array_like
        One or two axes; any dtype.
    k : int, default 0
        Which diagonal; above the main one where positive.

    Returns
    -------
    Tensor
        A vector for a matrix, else a square matrix with 0 elsewhere; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are not one or two axes.

    Examples
    --------
    >>> diag([1, 2])
    Tensor([[1, 0],
            [0, 2]], dtype=int64)
    """
    x = as_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ArgumentError("diag", "x", "one or two axes", f"shape {x.shape}")
    size = x.shape[0] + abs(whole("diag", "k", k))
    return _on_diagonal(x, size, size, k)


def _on_diagonal(x: Tensor, rows: int, columns: int, k: int) -> Tensor:
    """Zeros with `x` on the k-th diagonal."""
    start, count = _place(rows, columns, k)
    if count == 0 or rows * columns >= 1 << 62:  # which no memory holds: an error
        return zeros((rows, columns), x.dtype)
    flat = one("slice_grad", (x,), shape=rows * columns, start=start, step=columns + 1)
    return flat.reshape((rows, columns))


def diagflat(x: Any, k: int = 0) -> Tensor:
    """Return the matrix with all elements, in C order, on a diagonal.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    k : int, default 0
        Which diagonal; above the main one where positive.

    Returns
    -------
    Tensor
        A square matrix with 0 elsewhere; dtype of `x`.

    Examples
    --------
    >>> diagflat([[1, 2]])
    Tensor([[1, 0],
            [0, 2]], dtype=int64)
    """
    return diag(as_tensor(x).reshape(-1), k)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Return a matrix with 1 on a diagonal and 0 elsewhere.

    Parameters
    ----------
    N : int
        Rows, at least 0.
    M : int, optional
        Columns; `N` by default.
    k : int, default 0
        Which diagonal; above the main one where positive.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        (N, M), of `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> eye(2)
    Tensor([[1., 0.],
            [0., 1.]], dtype=float32)
    """
    rows = whole("eye", "N", N, 0)
    columns = rows if M is None else whole("eye", "M", M, 0)
    k = whole("eye", "k", k)
    count = _place(rows, columns, k)[1]
    return _on_diagonal(ones(count, dtype or floatx()), rows, columns, k)


def _below(rows: int, columns: int, k: int) -> Tensor:
    """Where a matrix lies on or below its k-th diagonal."""
    return greater_equal(arange(rows).reshape((rows, 1)), arange(-k, columns - k))


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Tensor:
    """Return a matrix with 1 on and below a diagonal and 0 above it.

    Parameters
    ----------
    N : int
        Rows, at least 0.
    M : int, optional
        Columns; `N` by default.
    k : int, default 0
        Which diagonal; above the main one where positive.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        (N, M), of `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> tri(2)
    Tensor([[1., 0.],
            [1., 1.]], dtype=float32)
    """
    rows = whole("tri", "N", N, 0)
    columns = rows if M is None else whole("tri", "M", M, 0)
    return _below(rows, columns, whole("tri", "k", k)).astype(dtype or floatx())


def _masked(where_: str, x: Any, k: int, lower: bool) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise ArgumentError(where_, "x", "at least two axes", f"shape {x.shape}")
    k = whole(where_, "k", k)
    below = _below(x.shape[-2], x.shape[-1], k if lower else k - 1)
    zero = zeros((), x.dtype)
    return where(below, x, zero) if lower else where(below, zero, x)


def tril(x: Any, k: int = 0) -> Tensor:
    """Return the matrices of the last two axes with 0 above a diagonal.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.
    k : int, default 0
        Which diagonal; above the main one where positive.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than two axes.

    Examples
    --------
    >>> tril([[1, 2], [3, 4]])
    Tensor([[1, 0],
            [3, 4]], dtype=int64)
    """
    return _masked("tril", x, k, lower=True)


def triu(x: Any, k: int = 0) -> Tensor:
    """Return the matrices of the last two axes with 0 below a diagonal.

    Parameters
    ----------
    x : array_like
        At least two axes; any dtype.
    k : int, default 0
        Which diagonal; above the main one where positive.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There are less than two axes.

    Examples
    --------
    >>> triu([[1, 2], [3, 4]])
    Tensor([[1, 2],
            [0, 4]], dtype=int64)
    """
    return _masked("triu", x, k, lower=False)


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
    matrices = as_tensor(x)
    if matrices.ndim < 2:
        raise ArgumentError("matrix_transpose", "x", "at least two axes", f"shape {matrices.shape}")
    ndim = matrices.ndim
    return matrices.transpose([*range(ndim - 2), ndim - 1, ndim - 2])
