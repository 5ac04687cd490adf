"""Input: the shape of one sample, at the head of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fusegrad._checks import float_dtype, sizes
from fusegrad._spelling import keywords
from fusegrad.layers.base import Layer, Shape, register


@register
class InputLayer(Layer):
    """What `Input` returns: it states a shape and passes its argument on.

    Parameters
    ----------
    shape : sequence of int or int
        The shape of one sample, without the batch axis.
    dtype : str, optional
    name : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is not a positive integer.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.InputLayer((8, 8)).batch_shape
    (None, 8, 8)
    """

    def __init__(
        self, shape: Sequence[int] | int, *, dtype: Any = None, name: str | None = None
    ) -> None:
        super().__init__(dtype=None if dtype is None else float_dtype("Input", dtype), name=name)
        self.shape = sizes("Input", "shape", shape)
        self.built = True

    @property
    def batch_shape(self) -> Shape:
        """The shape with None for the batch axis."""
        return (None, *self.shape)

    def call(self, x: Any) -> Any:
        """Return the input."""
        return x

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype, "shape": list(self.shape)}


@keywords
def Input(shape: Sequence[int] | int, *, dtype: Any = None, name: str | None = None) -> InputLayer:
    """State the shape of one sample, as the first entry of a Sequential.

    A model that starts with it is built at once; others are built by their first data.

    Parameters
    ----------
    shape : sequence of int or int
        Without the batch axis: ``(64,)`` for 64 features.
    dtype : str, optional
        ``"float32"`` or ``"float64"``.
    name : str, optional

    Returns
    -------
    InputLayer

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is not a positive integer.

    Examples
    --------
    >>> import fusegrad as fg
    >>> model = fg.Sequential([fg.Input((64,)), fg.layers.Dense(10)])
    >>> model.count_params()
    650
    """
    return InputLayer(shape, dtype=dtype, name=name)
