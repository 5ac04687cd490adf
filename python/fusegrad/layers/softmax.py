"""Softmax: normalised exponentials as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import activations
from fusegrad._checks import integer
from fusegrad._tensor import Tensor
from fusegrad.layers.base import Layer, Shape, axis_of, register


@register
class Softmax(Layer):
    """Normalised exponentials: ``exp(x_j) / sum_k exp(x_k)`` along an axis.

    As the last layer, or as the activation of the last layer, and along the last axis, it is
    computed together with a cross-entropy on probabilities, from the logits, just as
    ``activation="softmax"`` is.

    Parameters
    ----------
    axis : int, default -1
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is not an integer; when the layer is called, that the input has no such axis.

    Notes
    -----
    Input and output have the same shape.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.Softmax()([[1.0, 1.0]]).tolist()
    [[0.5, 0.5]]
    """

    _constants = frozenset({"axis"})

    def __init__(
        self,
        axis: int = -1,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        axis = integer("Softmax", "axis", axis)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.axis = axis

    def build(self, input_shape: Shape) -> None:
        """Check that inputs of this shape have the axis."""
        axis_of(self, self.axis, input_shape)
        self._input_shape = tuple(input_shape)
        self.built = True

    def call(self, x: Any) -> Tensor:
        """Return the softmax of the input along the axis."""
        return activations.softmax(x, axis_of(self, self.axis, x.shape))

    def head_activation(self) -> Callable[[Any], Any] | None:
        """Return `fusegrad.activations.softmax` where the axis is known to be the last one."""
        shape = self._input_shape
        last = self.axis == -1 or (shape is not None and self.axis == len(shape) - 1)
        return activations.softmax if last else None

    def pre_activation(self, x: Any) -> Tensor:
        """Return the input in the layer's dtype: the logits of a layer that ends a classifier."""
        return self.convert(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        axis_of(self, self.axis, input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "axis": self.axis}
