"""Rescaling: raw inputs to the range that a network learns from."""

from __future__ import annotations

from typing import Any

from fusegrad import ops
from fusegrad._checks import number
from fusegrad._tensor import Tensor
from fusegrad.layers.base import Layer, Shape, register


@register
class Rescaling(Layer):
    """``x * scale + offset``.

    As the first layer on uint8 data it costs nothing in training: each batch is scaled while it is
    gathered, and the data stay as they are.

    Parameters
    ----------
    scale : float
    offset : float, default 0.0
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `scale` or `offset` is not a finite number.

    Notes
    -----
    Input and output have the same shape. The input is converted to the layer's dtype first.

    Examples
    --------
    >>> import numpy as np
    >>> from fusegrad import layers
    >>> layers.Rescaling(1 / 16)(np.array([[0, 8, 16]], np.uint8)).tolist()
    [[0.0, 0.5, 1.0]]
    """

    _constants = frozenset({"scale", "offset"})

    def __init__(
        self,
        scale: float,
        offset: float = 0.0,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        scale = number("Rescaling", "scale", scale)
        offset = number("Rescaling", "offset", offset)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.scale = scale
        self.offset = offset

    def call(self, x: Any) -> Tensor:
        """Return ``x * scale + offset``."""
        return ops.add(ops.multiply(x, self.scale), self.offset)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "scale": self.scale, "offset": self.offset}
