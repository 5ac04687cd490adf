"""Norms of vectors and matrices."""

from __future__ import annotations

import math
from typing import Any

from fusegrad._tensor import Tensor, apply, detached, in_current_trace
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import Axis, as_floating, normal_axes, normal_axis, one
from fusegrad.ops.binary import divide, multiply, not_equal, power, where
from fusegrad.ops.reductions import max, min, sum
from fusegrad.ops.shapes import reshape, transpose
from fusegrad.ops.unary import abs, cast, sqrt

__all__ = [
    "matrix_norm",
    "norm",
    "vector_norm",
]

# Squares of numbers within these bounds neither overflow nor underflow; others are scaled.
_LARGE, _SMALL = 2.0**500, 2.0**-500
_SHRINK, _GROW = 2.0**-600, 2.0**600
_LEAST = 2.0**-900  # of a sum of squares, to which subnormal ones are nothing

_NUMBERS = (1, -1, 2, -2, math.inf, -math.inf)
_VECTOR_ORDERS = "None, a number, inf or -inf"
_MATRIX_ORDERS = "None, 'fro', 'nuc', inf, -inf, 1, -1, 2 or -2"


def norm(x: Any, ord: Any = None, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the norm of vectors or matrices.

    Parameters
    ----------
    x : array_like
        Without `axis`: any shape where `ord` is None, else one vector or matrix.
    ord : {None, "fro", "nuc"} or number, default None
        Of vectors: ``sum(|x|^ord)^(1/ord)``, the largest absolute value for inf, the smallest for
        -inf, the number of elements that are not 0 for 0; 2 by default. Of matrices: "fro" (the
        default), the root of the sum of squares; "nuc", the sum of singular values; 2 and -2, the
        largest and the smallest of them; 1 and -1, the largest and the smallest sum of absolute
        values of a column; inf and -inf, of a row.
    axis : int or tuple of two ints, optional
        One axis: the norms of vectors; two: of matrices with these rows and columns.
    keepdims : bool, default False
        Whether the axes stay, with size 1.

    Returns
    -------
    Tensor
        Floating; float32 for float32.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Another `ord`, axes that x does not have, or no elements where the norm has no value.

    Notes
    -----
    Norms of 2 and "fro" do not overflow where the result does not. Gradients of the norm at 0, and
    of each absolute value at 0, are 0, never NaN; equal largest or smallest ones share the gradient
    evenly.

    Examples
    --------
    >>> norm([3.0, 4.0])
    Tensor(5., dtype=float32)
    >>> norm([[1.0, -2.0], [3.0, 4.0]], ord=1)
    Tensor(6., dtype=float32)
    """
    x = as_floating(x)
    if axis is None:
        if ord is None:
            return _euclidean(x, tuple(range(x.ndim)), keepdims)
        if x.ndim not in (1, 2):
            expected = "an axis, or two, for the norm of an array without one or two axes"
            raise ArgumentError("norm", "axis", expected, f"None, of shape {x.shape}")
        axes = tuple(range(x.ndim))
    else:
        axes = axis if isinstance(axis, tuple) else (axis,)
    if len(axes) == 1:
        return vector_norm(x, axis=axes, keepdims=keepdims, ord=2 if ord is None else ord)
    return _matrix_norm("norm", x, axes, keepdims, "fro" if ord is None else ord)


def vector_norm(x: Any, *, axis: Axis = None, keepdims: bool = False, ord: float = 2) -> Tensor:
    """Return the norm of vectors, ``sum(|x|^ord)^(1/ord)``.

    Parameters
    ----------
    x : array_like
        Any shape.
    axis : int or tuple of int, optional
        The axes of one vector; all by default.
    keepdims : bool, default False
        Whether the axes stay, with size 1.
    ord : number, default 2
        As for `norm`.

    Returns
    -------
    Tensor
        Floating; float32 for float32.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `norm`.

    Examples
    --------
    >>> vector_norm([[3.0, 4.0], [6.0, 8.0]], axis=1)
    Tensor([ 5., 10.], dtype=float32)
    """
    x = as_floating(x)
    chosen = tuple(range(x.ndim)) if axis is None else axis
    axes = chosen if isinstance(chosen, tuple) else (chosen,)
    if not _is_number(ord) or math.isnan(ord):
        raise ArgumentError("norm", "ord", _VECTOR_ORDERS, repr(ord))
    if ord == 2:
        return _euclidean(x, axes, keepdims)
    if ord == 0:
        return sum(cast(not_equal(x, 0.0), x.dtype), axis=axes, keepdims=keepdims)
    size = abs(x)
    if math.isinf(ord):
        return (max if ord > 0 else min)(size, axis=axes, keepdims=keepdims)
    if ord == 1:
        return sum(size, axis=axes, keepdims=keepdims)
    size = cast(size, "float64")
    # Powers of numbers that are not 0: at 0 some have no gradient.
    zero = size == 0.0
    powers = where(zero, 0.0 if ord > 0 else math.inf, power(where(zero, 1.0, size), float(ord)))
    total = sum(powers, axis=axes, keepdims=keepdims)
    none = total == 0.0
    root = power(where(none, 1.0, total), 1.0 / float(ord))
    return cast(where(none, 0.0, root), x.dtype)


def matrix_norm(x: Any, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Return the norm of matrices, which are the last two axes.

    Parameters
    ----------
    x : array_like
        Shape (..., m, n).
    keepdims : bool, default False
        Whether the axes stay, with size 1.
    ord : {"fro", "nuc"} or number, default "fro"
        As for `norm`.

    Returns
    -------
    Tensor
        Floating; float32 for float32.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `norm`.

    Examples
    --------
    >>> matrix_norm([[3.0, 0.0], [0.0, 4.0]], ord="nuc")
    Tensor(7., dtype=float32)
    """
    x = as_floating(x)
    if x.ndim < 2:
        raise ArgumentError("matrix_norm", "x", "at least two axes", f"shape {x.shape}")
    return _matrix_norm("matrix_norm", x, (-2, -1), keepdims, ord)


def _is_number(value: Any) -> bool:
    return hasattr(value, "__float__") and not hasattr(value, "__len__")


def _euclidean(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return the root of the sum of squares, which do not overflow; its gradient at 0 is 0."""
    axes = normal_axes("norm", axes, x.ndim)
    if x.dtype == "float32":  # whose squares are ordinary numbers of float64
        return cast(sqrt(_sum_squares(x, axes, keepdims)), "float32")
    if x.size == 0:
        return sqrt(_sum_squares(x, axes, keepdims))
    if not in_current_trace(detached(x)):
        total = _sum_squares(x, axes, keepdims)
        if _ordinary(detached(total)):
            return sqrt(total)
    largest = max(abs(x), axis=axes, keepdims=True)
    scale = where(largest > _LARGE, _SHRINK, where(largest < _SMALL, _GROW, cast(1.0, "float64")))
    total = _sum_squares(multiply(x, scale), axes, keepdims)
    return divide(sqrt(total), scale if keepdims else reshape(scale, total.shape))


def _sum_squares(x: Tensor, axes: tuple[int, ...], keepdims: bool) -> Tensor:
    """Return the sum of squares as float64."""
    return one("sum_squares", (x,), axes=axes, keepdims=keepdims)


def _ordinary(total: Tensor) -> bool:
    """Return whether no square that matters in these sums can have overflowed or underflowed."""
    if total.ndim > 0:
        least, most = min(total).item(), max(total).item()
    else:
        least = most = total.item()
    return float(least) > _LEAST and float(most) < math.inf


def _matrix_norm(where_: str, x: Tensor, axes: tuple[int, ...], keepdims: bool, ord: Any) -> Tensor:
    if len(axes) != 2:
        raise ArgumentError(where_, "axis", "one axis, or two", repr(axes))
    row, column = (normal_axis(where_, axis, x.ndim) for axis in axes)
    if row == column:
        raise ArgumentError(where_, "axis", "distinct axes", repr(axes))
    known = ord in ("fro", "nuc") if isinstance(ord, str) else _is_number(ord) and ord in _NUMBERS
    if not known:
        raise ArgumentError(where_, "ord", _MATRIX_ORDERS, repr(ord))
    if ord == "fro":
        return _euclidean(x, (row, column), keepdims)
    if ord == "nuc" or ord in (2, -2):
        result = _of_singular_values(x, row, column, ord)
    else:
        added, chosen = (row, column) if ord in (1, -1) else (column, row)
        sums = sum(abs(x), axis=added, keepdims=True)
        result = (max if ord > 0 else min)(sums, axis=chosen, keepdims=True)
        result = reshape(result, _without(x.shape, row, column))
    if keepdims:
        result = reshape(result, [1 if i in (row, column) else n for i, n in enumerate(x.shape)])
    return result


def _of_singular_values(x: Tensor, row: int, column: int, ord: Any) -> Tensor:
    rest = [i for i in range(x.ndim) if i not in (row, column)]
    matrices = cast(transpose(x, (*rest, row, column)), "float64")
    values = apply("svd", (matrices,))[1]
    reduce = sum if ord == "nuc" else max if ord == 2 else min
    return cast(reduce(values, axis=-1), x.dtype)


def _without(shape: tuple[int, ...], *axes: int) -> tuple[int, ...]:
    return tuple(n for i, n in enumerate(shape) if i not in axes)
