"""The contraction of two arrays, which `einsum`, `tensordot` and their like are made of."""

from __future__ import annotations

import math
from collections.abc import Collection

from fusegrad._tensor import Tensor
from fusegrad.ops._call import one
from fusegrad.ops.binary import multiply
from fusegrad.ops.reductions import sum
from fusegrad.ops.shapes import reshape, transpose
from fusegrad.ops.unary import cast

__all__ = ["Label", "Labels", "contract", "summed"]

Label = str | int  # what names one axis
Labels = list[Label]


def contract(
    x: Tensor, x_labels: Labels, y: Tensor, y_labels: Labels, keep: Collection[Label]
) -> tuple[Tensor, Labels]:
    """Return the product of two arrays of one dtype, and the labels of its axes.

    Labels are distinct within an operand, and equal ones have equal sizes. Those not in `keep` are
    summed.
    """
    x, x_labels = summed(x, x_labels, {*keep, *y_labels})
    y, y_labels = summed(y, y_labels, {*keep, *x_labels})
    batch = [label for label in x_labels if label in y_labels and label in keep]
    inner = [label for label in x_labels if label in y_labels and label not in keep]
    left = [label for label in x_labels if label not in y_labels]
    right = [label for label in y_labels if label not in x_labels]
    size = dict(zip([*x_labels, *y_labels], [*x.shape, *y.shape], strict=True))

    def arranged(t: Tensor, labels: Labels, *groups: Labels) -> Tensor:
        """The axes of each group made one; a group of None is an axis of size 1."""
        order = [labels.index(label) for group in groups for label in group]
        if order != list(range(len(order))):
            t = transpose(t, order)
        if all(len(group) == 1 for group in groups):
            return t
        return reshape(t, [math.prod(size[label] for label in group) for group in groups])

    if not inner:
        product = multiply(
            arranged(x, x_labels, batch, left, []), arranged(y, y_labels, batch, [], right)
        )
    elif not left and not right:
        product = sum(
            multiply(arranged(x, x_labels, batch, inner), arranged(y, y_labels, batch, inner)), -1
        )
    elif x.dtype.kind != "f":
        product = sum(
            multiply(
                arranged(x, x_labels, batch, left, [], inner),
                arranged(y, y_labels, batch, [], right, inner),
            ),
            -1,
        )
    elif batch:
        product = one(
            "matmul",
            (arranged(x, x_labels, batch, left, inner), arranged(y, y_labels, batch, inner, right)),
        )
    else:
        product = one(
            "matmul",
            (arranged(x, x_labels, left, inner), arranged(y, y_labels, inner, right)),
        )
    labels = batch + left + right
    shape = tuple(size[label] for label in labels)
    if product.shape != shape:
        product = reshape(product, shape)
    if product.dtype != x.dtype:  # sums of int32 are int64
        product = cast(product, x.dtype)
    return product, labels


def summed(x: Tensor, labels: Labels, keep: Collection[Label]) -> tuple[Tensor, Labels]:
    """Sum the axes whose labels are not in `keep`."""
    axes = tuple(i for i, label in enumerate(labels) if label not in keep)
    if not axes:
        return x, labels
    return cast(sum(x, axis=axes), x.dtype), [label for label in labels if label in keep]
