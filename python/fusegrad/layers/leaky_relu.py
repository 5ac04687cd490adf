"""LeakyReLU: a rectified linear unit with a slope for negative inputs, as a layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from fusegrad import activations
from fusegrad._checks import number
from fusegrad._tensor import Tensor
from fusegrad.layers.base import Layer, Shape, register


@register
class LeakyReLU(Layer):
    """Leaky rectified linear unit: ``x`` where ``x > 0``, else ``negative_slope * x``.

    A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic
    models", ICML 2013 workshop. The default slope is Keras's for the layer; that of
    ``activation="leaky_relu"`` is 0.2, also Keras's.

    Parameters
    ----------
    negative_slope : float, default 0.3
        Called ``alpha`` in old versions of Keras.
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `negative_slope` is not a finite number, or is negative.

    Notes
    -----
    Input and output have the same shape. The gradient at 0 is `negative_slope`. The layer can also
    be the `activation` of another one.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.LeakyReLU(0.5)([-2.0, 3.0]).tolist()
    [-1.0, 3.0]
    >>> layers.Dense(25, activation=layers.LeakyReLU(0.1)).activation.negative_slope
    0.1
    """

    _constants = frozenset({"negative_slope"})
    _hints: ClassVar[Mapping[str, str]] = {"alpha": "did you mean 'negative_slope'?"}

    def __init__(
        self,
        negative_slope: float = 0.3,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        negative_slope = number("LeakyReLU", "negative_slope", negative_slope, 0.0)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.negative_slope = negative_slope

    def call(self, x: Any) -> Tensor:
        """Return ``activations.leaky_relu(x, negative_slope)``."""
        return activations.leaky_relu(x, self.negative_slope)

    def head_activation(self) -> Callable[[Any], Any]:
        """Return `fusegrad.activations.leaky_relu`."""
        return activations.leaky_relu

    def pre_activation(self, x: Any) -> Tensor:
        """Return the input in the layer's dtype."""
        return self.convert(x)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "negative_slope": self.negative_slope}
