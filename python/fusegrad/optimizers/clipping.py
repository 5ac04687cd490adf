"""Clipping of gradients: element by element, by the norm of each, or by the norm of all."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np

from fusegrad import ops
from fusegrad._tensor import Tensor, apply, as_tensor


def clip_values(grads: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Return the gradients with each element in [-limit, limit]; NaN stays."""
    return [ops.clip(grad, -limit, limit) for grad in grads]


def clip_norms(grads: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Return the gradients, each one scaled down to a norm of `limit` where it has a larger one."""
    return [_scaled(grad, _ratio(norm([grad]), limit)) for grad in grads]


def clip_global_norm(grads: Sequence[Tensor], limit: float) -> list[Tensor]:
    """Return the gradients, all scaled down alike to a norm of at most `limit` together."""
    ratio = _ratio(norm(grads), limit)
    return [_scaled(grad, ratio) for grad in grads]


def _ratio(size: Tensor, limit: float) -> Tensor:
    """Return ``limit / max(size, limit)``: exactly 1 where nothing is clipped.

    For a norm of NaN or infinity it is NaN, so that a gradient that overflowed does not turn into
    one of zeros.
    """
    ratio = ops.divide(limit, ops.maximum(size, limit))
    return ops.add(ratio, ops.subtract(size, size))


def _scaled(grad: Tensor, ratio: Tensor) -> Tensor:
    """Return ``grad * ratio``, of which 1 keeps every bit."""
    return ops.multiply(grad, ops.cast(ratio, grad.dtype))


def norm(tensors: Sequence[Tensor]) -> Tensor:
    """Return the Euclidean norm of all elements of all Tensors, 0-d, float64.

    Squares are summed in float64, which no float32 overflows. In float64 the elements are first
    divided by the largest, so that what has a norm gets one.
    """
    filled = [x for x in tensors if x.size]
    if not filled:
        return ops.zeros((), "float64")
    if all(x.dtype == np.float32 for x in filled):
        return ops.sqrt(_squares(filled))
    wide = [ops.cast(x, "float64") for x in filled]
    largest = reduce(ops.maximum, [ops.max(ops.abs(x)) for x in wide])
    usable = ops.logical_and(ops.greater(largest, 0.0), ops.less(largest, np.inf))
    unit = ops.where(usable, largest, as_tensor(np.float64(1.0)))
    return ops.multiply(unit, ops.sqrt(_squares([ops.divide(x, unit) for x in wide])))


def _squares(tensors: Sequence[Tensor]) -> Tensor:
    """Return the sum of the squares of all elements, 0-d, float64.

    A matrix is read by columns, which is how gradients of kernels lie in memory.
    """
    return reduce(ops.add, [_sum_squares(ops.transpose(x)) for x in tensors])


def _sum_squares(x: Tensor) -> Tensor:
    result: Tensor = apply("sum_squares", [x], all_axes=True)
    return result
