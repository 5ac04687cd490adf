"""Activation: a function as a layer of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import activations
from fusegrad._registry import named
from fusegrad._tensor import Tensor
from fusegrad.layers.base import Layer, Shape, register


@register
class Activation(Layer):
    """Apply an activation function.

    Parameters
    ----------
    activation : str, callable or Layer
        A name of `fusegrad.activations`, a function or a layer.
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no activation of this name.

    Notes
    -----
    Input and output have the same shape.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.Activation("relu")([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

    _constants = frozenset({"_activation"})

    def __init__(
        self,
        activation: Any,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        with named("Activation", "activation"):
            function = activations.get(activation)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self._activation = function

    @property
    def activation(self) -> Callable[[Any], Any]:
        """The activation function; set to a name or a function, it takes effect at once."""
        return self._activation

    @activation.setter
    def activation(self, value: Any) -> None:
        with named("Activation", "activation"):
            self._activation = activations.get(value)

    def call(self, x: Any) -> Tensor:
        """Return ``activation(x)``."""
        result: Tensor = self.activation(x)
        return result

    def pre_activation(self, x: Any) -> Tensor:
        """Return the input in the layer's dtype: the logits of a layer that ends a classifier."""
        return self.convert(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
