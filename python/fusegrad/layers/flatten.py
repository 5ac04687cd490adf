"""Flatten: every sample as one row."""

from __future__ import annotations

import math
from typing import Any

from fusegrad import ops
from fusegrad._tensor import Tensor
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import Layer, Shape, register


@register
class Flatten(Layer):
    """Reshape ``(n, a, b, ...)`` to ``(n, a * b * ...)``, in C order.

    Parameters
    ----------
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Notes
    -----
    An input of shape ``(n,)`` becomes ``(n, 1)``.

    Examples
    --------
    >>> import numpy as np
    >>> from fusegrad import layers
    >>> layers.Flatten()(np.zeros((2, 8, 8))).shape
    (2, 64)
    """

    def call(self, x: Any) -> Tensor:
        """Return the flattened input."""
        if x.ndim == 0:
            raise ArgumentError(f"Flatten '{self.name}'", "x", "at least one axis", "shape ()")
        return ops.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return ``(n, a * b * ...)``, with None where a size is unknown."""
        sizes = [size for size in input_shape[1:] if size is not None]
        flat = math.prod(sizes) if len(sizes) == len(input_shape) - 1 else None
        return (input_shape[0], flat)
