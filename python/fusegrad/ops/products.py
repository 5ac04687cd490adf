"""Products of vectors and matrices."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from fusegrad._tensor import Tensor, as_tensor, has_floating_dtype
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import in_bfloat16, normal_axis, of_two, one
from fusegrad.ops._contract import Labels, contract
from fusegrad.ops.binary import multiply
from fusegrad.ops.reductions import sum
from fusegrad.ops.shapes import expand_dims, reshape, squeeze, stack, transpose
from fusegrad.ops.unary import cast

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "vdot",
    "vecdot",
    "vecmat",
]


def matmul(x1: Any, x2: Any, compute_dtype: str | None = None) -> Tensor:
    """Return the matrix product ``y[i, j] = sum_k x1[i, k] * x2[k, j]``.

    Parameters
    ----------
    x1 : array_like
        Shape (..., n, k) or (k,).
    x2 : array_like
        Shape (..., k, m) or (k,). The promoted dtype is floating.
    compute_dtype : {None, "float32", "float64", "bfloat16"}, default None
        "bfloat16" rounds the operands, which must be float32, to bfloat16 as they are multiplied,
        and does so in gradients; the others multiply them as they are.

    Returns
    -------
    Tensor
        By NumPy's rules: (..., n, m), stacks broadcast, and a vector's axis is left out.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The sizes k differ, an operand has no axis, stacks do not broadcast, or both are integers.

    Notes
    -----
    Each element is one chain of fused multiply-adds with k ascending, in blocks of 256 whose sums
    are added in order; it does not depend on strides, threads or instruction set. 0 for ``k = 0``.
    Products of bfloat16 are exact and summed in float32 in another order where the processor has
    instructions for them (AVX512_BF16), and then depend on the instruction set, but not on threads.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    Tensor([[11.]], dtype=float32)
    """
    if compute_dtype is None:
        return of_two("matmul", x1, x2)
    return one("matmul", (x1, x2), bfloat16=in_bfloat16("matmul", compute_dtype))


def dot(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 * x2`` for a scalar operand, else the sum over the last axis of `x1`.

    Parameters
    ----------
    x1 : array_like
        Shape (..., k), or a scalar.
    x2 : array_like
        Shape (k,) or (..., k, m), or a scalar.

    Returns
    -------
    Tensor
        Promoted dtype: the axes of `x1` but the last, then those of `x2` but the one before the
        last. Of vectors and matrices that is `matmul`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The sizes k differ; otherwise as for `multiply`.

    Examples
    --------
    >>> dot([1.0, 2.0], [3.0, 4.0])
    Tensor(11., dtype=float32)
    """
    x1, x2 = _promoted(x1, x2)
    rank1, rank2 = x1.ndim, x2.ndim
    if rank1 == 0 or rank2 == 0:
        return multiply(x1, x2)
    if rank1 <= 2 and rank2 <= 2 and has_floating_dtype(x1):
        return matmul(x1, x2)
    return _contracted("dot", x1, x2, [-1], [-2 if rank2 > 1 else -1])


def inner(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 * x2`` for a scalar operand, else the sum over the last axes of both.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes (..., k), or scalars.

    Returns
    -------
    Tensor
        Promoted dtype: the axes of `x1` but the last, then those of `x2` but the last.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The sizes k differ; otherwise as for `multiply`.

    Examples
    --------
    >>> inner([1.0, 2.0], [[3.0, 4.0], [5.0, 6.0]])
    Tensor([11., 17.], dtype=float32)
    """
    x1, x2 = _promoted(x1, x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return multiply(x1, x2)
    return _contracted("inner", x1, x2, [-1], [-1])


def vdot(x1: Any, x2: Any) -> Tensor:
    """Return the sum of the products of all elements, in C order.

    Parameters
    ----------
    x1, x2 : array_like
        As many elements each.

    Returns
    -------
    Tensor
        Promoted dtype, shape ().

    Raises
    ------
    fusegrad.errors.ArgumentError
        The numbers of elements differ.

    Examples
    --------
    >>> vdot([[1.0, 2.0]], [3.0, 4.0])
    Tensor(11., dtype=float32)
    """
    x1, x2 = _promoted(x1, x2)
    return _contracted("vdot", reshape(x1, -1), reshape(x2, -1), [0], [0])


def outer(x1: Any, x2: Any) -> Tensor:
    """Return the products of each element of `x1` with each of `x2`.

    Parameters
    ----------
    x1, x2 : array_like
        Any shapes; they are taken as vectors, in C order.

    Returns
    -------
    Tensor
        Promoted dtype, shape (elements of x1, elements of x2).

    Examples
    --------
    >>> outer([1.0, 2.0], [3.0, 4.0])
    Tensor([[3., 4.],
            [6., 8.]], dtype=float32)
    """
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


def tensordot(x1: Any, x2: Any, axes: Any = 2) -> Tensor:
    """Return the sum of products over several axes at once.

    Parameters
    ----------
    x1, x2 : array_like
        The axes that are summed have equal sizes.
    axes : int or pair of int or sequence of int, default 2
        A number n: the last n axes of `x1` with the first n of `x2`. A pair: these axes of `x1`
        with those of `x2`.

    Returns
    -------
    Tensor
        Promoted dtype: the other axes of `x1`, then those of `x2`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Axes that an operand does not have, or whose sizes differ.

    Examples
    --------
    >>> tensordot([[1.0, 2.0], [3.0, 4.0]], [[1.0, 1.0], [1.0, 1.0]])
    Tensor(10., dtype=float32)
    """
    x1, x2 = _promoted(x1, x2)
    if hasattr(axes, "__index__"):
        if not 0 <= axes <= builtins.min(x1.ndim, x2.ndim):
            expected = f"a number of axes up to {builtins.min(x1.ndim, x2.ndim)}, or a pair"
            raise ArgumentError("tensordot", "axes", expected, repr(axes))
        return _contracted("tensordot", x1, x2, range(x1.ndim - axes, x1.ndim), range(axes))
    if not isinstance(axes, tuple | list) or len(axes) != 2:
        raise ArgumentError("tensordot", "axes", "a number of axes, or a pair", repr(axes))
    of_x1, of_x2 = ([i] if hasattr(i, "__index__") else list(i) for i in axes)
    return _contracted("tensordot", x1, x2, of_x1, of_x2)


def kron(x1: Any, x2: Any) -> Tensor:
    """Return the Kronecker product: copies of `x2`, scaled by the elements of `x1`.

    Parameters
    ----------
    x1, x2 : array_like
        At most four axes; missing leading axes have size 1.

    Returns
    -------
    Tensor
        Promoted dtype; each size is the product of the operands' sizes.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An operand has more than four axes.

    Examples
    --------
    >>> kron([1.0, 10.0], [1.0, 2.0])
    Tensor([ 1.,  2., 10., 20.], dtype=float32)
    """
    x1, x2 = _promoted(x1, x2)
    ndim = builtins.max(x1.ndim, x2.ndim)
    if ndim > 4:
        got = f"shapes {x1.shape}, {x2.shape}"
        raise ArgumentError("kron", "x1, x2", "at most four axes", got)
    rows = (1,) * (ndim - x1.ndim) + x1.shape
    columns = (1,) * (ndim - x2.ndim) + x2.shape
    product = multiply(
        reshape(x1, [n for size in rows for n in (size, 1)]),
        reshape(x2, [n for size in columns for n in (1, size)]),
    )
    return reshape(product, [a * b for a, b in zip(rows, columns, strict=True)])


def cross(
    x1: Any,
    x2: Any,
    axisa: int = -1,
    axisb: int = -1,
    axisc: int = -1,
    axis: int | None = None,
) -> Tensor:
    """Return the cross products of vectors of three elements.

    Parameters
    ----------
    x1, x2 : array_like
        Size 3 along the axis of the vectors; the other axes broadcast.
    axisa, axisb, axisc : int, default -1
        The axis of the vectors of `x1`, of `x2` and of the result.
    axis : int, optional
        All three of them.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Vectors of another size, or shapes that do not broadcast.

    Examples
    --------
    >>> cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])
    Tensor([0., 0., 1.], dtype=float32)
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    parts = []
    for name, x, of_x in zip(("x1", "x2"), _promoted(x1, x2), (axisa, axisb), strict=True):
        place = normal_axis("cross", of_x, x.ndim)
        if x.shape[place] != 3:
            expected = f"size 3 along axis {of_x}"
            raise ArgumentError("cross", name, expected, f"shape {x.shape}")
        last = transpose(x, (*(i for i in range(x.ndim) if i != place), place))
        parts.append([last[..., i] for i in range(3)])
    (a0, a1, a2), (b0, b1, b2) = parts
    components = (a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0)
    return stack(components, axis=axisc)


def vecdot(x1: Any, x2: Any, axis: int = -1) -> Tensor:
    """Return the sums of products along one axis.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast.
    axis : int, default -1
        The axis that is summed, counted in each operand.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The sizes along `axis` differ, or the shapes do not broadcast.

    Examples
    --------
    >>> vecdot([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    Tensor([21., 43.], dtype=float32)
    """
    x1, x2 = _promoted(x1, x2)
    moved = []
    for x in (x1, x2):
        place = normal_axis("vecdot", axis, x.ndim)
        moved.append(transpose(x, (*(i for i in range(x.ndim) if i != place), place)))
    if moved[0].shape[-1] != moved[1].shape[-1]:
        expected = f"{moved[0].shape[-1]} elements along axis {axis}, as x1 has"
        raise ArgumentError("vecdot", "x2", expected, f"shape {x2.shape}")
    return cast(sum(multiply(*moved), axis=-1), x1.dtype)


def matvec(x1: Any, x2: Any) -> Tensor:
    """Return the products of matrices and vectors: ``y[..., i] = sum_k x1[..., i, k] x2[..., k]``.

    Parameters
    ----------
    x1 : array_like
        Shape (..., n, k).
    x2 : array_like
        Shape (..., k). The promoted dtype is floating.

    Returns
    -------
    Tensor
        Shape (..., n); stacks broadcast.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `matmul`.

    Examples
    --------
    >>> matvec([[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    Tensor([21., 43.], dtype=float32)
    """
    return squeeze(matmul(x1, expand_dims(x2, -1)), -1)


def vecmat(x1: Any, x2: Any) -> Tensor:
    """Return the products of vectors and matrices: ``y[..., j] = sum_k x1[..., k] x2[..., k, j]``.

    Parameters
    ----------
    x1 : array_like
        Shape (..., k).
    x2 : array_like
        Shape (..., k, m). The promoted dtype is floating.

    Returns
    -------
    Tensor
        Shape (..., m); stacks broadcast.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `matmul`.

    Examples
    --------
    >>> vecmat([1.0, 10.0], [[1.0, 2.0], [3.0, 4.0]])
    Tensor([31., 42.], dtype=float32)
    """
    return squeeze(matmul(expand_dims(x1, -2), x2), -2)


def _promoted(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """Return both operands as Tensors of one dtype; a Python number takes that of the other."""
    if isinstance(x1, (int, float)) or isinstance(x2, (int, float)):
        total = multiply(x1, x2).dtype
    else:
        x1, x2 = as_tensor(x1), as_tensor(x2)
        if x1.dtype == x2.dtype:
            return x1, x2
        from numpy import result_type

        total = result_type(x1.dtype, x2.dtype)
    return cast(x1, total), cast(x2, total)


def _contracted(
    where: str, x1: Tensor, x2: Tensor, axes1: Sequence[int], axes2: Sequence[int]
) -> Tensor:
    """Return the sum of products over pairs of axes."""
    places1 = [normal_axis(where, axis, x1.ndim) for axis in axes1]
    places2 = [normal_axis(where, axis, x2.ndim) for axis in axes2]
    if len({*places1}) != len(axes1) or len({*places2}) != len(axes2):
        raise ArgumentError(where, "axes", "distinct axes", f"{list(axes1)}, {list(axes2)}")
    sizes1, sizes2 = [x1.shape[i] for i in places1], [x2.shape[i] for i in places2]
    if sizes1 != sizes2:
        expected = f"axes of sizes {sizes1} to sum with those of x1, of shape {x1.shape}"
        raise ArgumentError(where, "x2", expected, f"sizes {sizes2}, of shape {x2.shape}")
    labels1: Labels = list(range(x1.ndim))
    labels2: Labels = [x1.ndim + i for i in range(x2.ndim)]
    for i, j in zip(places1, places2, strict=True):
        labels2[j] = i
    keep = {i for i in (*labels1, *labels2) if i not in places1}
    return contract(x1, labels1, x2, labels2, keep)[0]
