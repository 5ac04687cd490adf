"""ReLU: the rectified linear unit as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import activations
from fusegrad._checks import number
from fusegrad._tensor import Tensor
from fusegrad.layers.base import Layer, Shape, register


@register
class ReLU(Layer):
    """Rectified linear unit: ``max(x, 0)`` with the default arguments.

    In general ``max_value`` where ``x >= max_value``, ``x`` where ``threshold <= x < max_value``,
    and ``negative_slope * (x - threshold)`` below, as in Keras.

    Parameters
    ----------
    max_value : float, optional
        No bound by default.
    negative_slope : float, default 0.0
    threshold : float, default 0.0
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An argument is not a finite number, or is negative.

    Notes
    -----
    Input and output have the same shape. The gradient at the corners is that of
    `fusegrad.activations.relu`. The layer can also be the `activation` of another one.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.ReLU(max_value=6.0)([-2.0, 0.5, 9.0]).tolist()
    [0.0, 0.5, 6.0]
    """

    _constants = frozenset({"max_value", "negative_slope", "threshold"})

    def __init__(
        self,
        max_value: float | None = None,
        negative_slope: float = 0.0,
        threshold: float = 0.0,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        if max_value is not None:
            max_value = number("ReLU", "max_value", max_value, 0.0)
        negative_slope = number("ReLU", "negative_slope", negative_slope, 0.0)
        threshold = number("ReLU", "threshold", threshold, 0.0)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, x: Any) -> Tensor:
        """Return ``activations.relu(x)`` with the layer's arguments."""
        return activations.relu(x, self.negative_slope, self.max_value, self.threshold)

    def head_activation(self) -> Callable[[Any], Any]:
        """Return `fusegrad.activations.relu`."""
        return activations.relu

    def pre_activation(self, x: Any) -> Tensor:
        """Return the input in the layer's dtype."""
        return self.convert(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }
