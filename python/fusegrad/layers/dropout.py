"""Dropout: random zeros in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._checks import number
from fusegrad._scope import current_position
from fusegrad._tensor import Tensor
from fusegrad.initializers import seed_of
from fusegrad.layers.base import Layer, Shape, register

_STREAM = 3  # of the Philox generator


@register
class Dropout(Layer):
    """Set inputs to zero with probability `rate` in training, and scale the others by 1/(1-rate).

    Outside training it passes its input on. Which elements are dropped depends only on the seed,
    the epoch, the row's place in the shuffled data and the element's place in the row: not on
    threads, and not on the split into batches.
    N. Srivastava et al., "Dropout", JMLR 15, 2014.

    Parameters
    ----------
    rate : float
        In [0, 1].
    seed : int, optional
        By default a seed is taken from the global one.
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `rate` is outside [0, 1].

    Notes
    -----
    Input and output have the same shape. Called by itself with ``training=True`` it draws a new
    mask at each call.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layers.Dropout(0.5)([[1.0, 2.0]]).tolist()
    [[1.0, 2.0]]
    """

    _constants = frozenset({"_rate", "seed"})

    def __init__(
        self,
        rate: float,
        *,
        seed: int | None = None,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        number("Dropout", "rate", rate, 0.0, 1.0)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.rate = rate
        self._given_seed = seed
        self.seed = seed_of("Dropout", seed, "dropout")
        self._calls = 0

    @property
    def rate(self) -> float:
        """The probability of a zero; it can be set, and takes effect with the next `fit`."""
        return self._rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate = number("Dropout", "rate", value, 0.0, 1.0)

    def call(self, x: Any, training: bool = False) -> Tensor:
        """Return the input, with random zeros where `training`."""
        tensor: Tensor = x
        if not training or self.rate == 0.0:
            return tensor
        position = current_position()
        if position is None:
            position = np.array([self._calls, 0], np.int64)
            self._calls += 1
        return ops.dropout(tensor, position, self.rate, self.seed, _STREAM)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self._given_seed}
