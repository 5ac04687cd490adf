"""Products of vectors and matrices."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import in_bfloat16, of_two, one
from fusegrad.ops.binary import multiply

__all__ = [
    "dot",
    "matmul",
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
    """Return ``x1 * x2`` for a scalar operand, else `matmul`.

    Parameters
    ----------
    x1, x2 : array_like
        At most two axes each.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An operand has more than two axes; otherwise as for `multiply` and `matmul`.

    Examples
    --------
    >>> dot([1.0, 2.0], [3.0, 4.0])
    Tensor(11., dtype=float32)
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return multiply(x1, x2)
    if x1.ndim > 2 or x2.ndim > 2:
        raise ArgumentError("dot", "x1, x2", "at most two axes", f"shapes {x1.shape}, {x2.shape}")
    return matmul(x1, x2)
