"""Activation: a function as a layer of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import activations
from fusegrad._registry import named
from fusegrad._tensor import Tensor
from fusegrad.layers.base import Layer, Shape, register, traced_shape


class Activated(Layer):
    """Base class of layers with an ``activation``, which may be a layer too."""

    _constants = frozenset({"_activation"})
    _activation: Callable[[Any], Any]

    @property
    def activation(self) -> Callable[[Any], Any]:
        """The activation function; set to a name, function or layer, it takes effect at once."""
        return self._activation

    @activation.setter
    def activation(self, value: Any) -> None:
        with named(type(self).__name__, "activation"):
            function = activations.get(value)
        self._sublayers[:] = [part for part in self._sublayers if part is not self._activation]
        self._activation = function

    def head_activation(self) -> Callable[[Any], Any] | None:
        """Return the activation function, that of a layer in its place, or None: unknown."""
        function = self._activation
        return function.head_activation() if isinstance(function, Layer) else function

    def build_activation(self, input_shape: Shape) -> None:
        """Build a layer that is the activation for inputs of this shape."""
        if isinstance(self._activation, Layer):
            self._activation.build_for(input_shape)

    def activated_shape(self, shape: Shape) -> Shape:
        """Return the shape of what the activation makes of an array of this shape."""
        function = self._activation
        if isinstance(function, Layer):
            return function.compute_output_shape(shape)
        if function is not activations.glu:  # a function of one's own keeps the shape, as in Keras
            return tuple(shape)
        where = f"{type(self).__name__}.compute_output_shape"
        return traced_shape(where, function, shape, self.dtype)

    def without_head(self, x: Tensor) -> Tensor:
        """Return what `head_activation` is applied to, where the activation gets `x`."""
        function = self._activation
        return function.pre_activation(x) if isinstance(function, Layer) else x


@register
class Activation(Activated):
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
    Input and output have the same shape, but for `glu`, which halves the last size.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.Activation("relu")([-1.0, 2.0]).tolist()
    [0.0, 2.0]
    """

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

    def build(self, input_shape: Shape) -> None:
        """Build a layer that is the activation."""
        self.build_activation(input_shape)
        self.built = True

    def call(self, x: Any) -> Tensor:
        """Return ``activation(x)``."""
        result: Tensor = self.activation(x)
        return result

    def pre_activation(self, x: Any) -> Tensor:
        """Return the input in the layer's dtype: the logits of a layer that ends a classifier."""
        return self.without_head(self.convert(x))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape; `glu` halves its last size."""
        return self.activated_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "activation": activations.serialize(self.activation)}
