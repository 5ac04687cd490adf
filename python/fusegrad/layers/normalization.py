"""Normalization: inputs with the mean and the variance of given data taken out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import ops
from fusegrad._checks import flag, integer, warn
from fusegrad._spelling import keywords
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.data import adapters
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import Layer, Shape, axis_of, register, restored_on_error
from fusegrad.variable import Variable

Array = NDArray[Any]

_SMALLEST = 1e-7  # deviation that is divided by, as in Keras


@register
class Normalization(Layer):
    """``(x - mean) / max(sqrt(variance), 1e-7)`` for each feature, over data seen beforehand.

    `adapt` takes mean and variance from data, before training and from the training data alone;
    or they are given. Nothing changes in training. As in Keras.

    Parameters
    ----------
    axis : int, tuple of int or None, default -1
        The axes of the features: each position along them has its own mean and variance. None has
        one of each for all values.
    mean, variance : float or array_like, optional
        Given both or none. Of any shape that broadcasts to the sizes of `axis`.
    invert : bool, default False
        Compute ``x * max(sqrt(variance), 1e-7) + mean`` instead: back to the units of the data.
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An argument has the wrong type, only one of `mean` and `variance` is given, their shapes
        differ, a variance is negative; when the layer is built, that the input does not have the
        axes with known sizes, or that `mean` does not fit them.

    Warns
    -----
    UserWarning
        The layer is used before it has seen data: it passes its input on then.

    Notes
    -----
    Input and output have the same shape; an input ``(n,)`` is one feature. Weights, none of them
    trained, unless `mean` is given: ``mean`` and ``variance`` with the sizes of `axis`, and
    ``count``, an integer that stays 0 and is there because Keras's saved weights have one.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layer = layers.Normalization()
    >>> layer.adapt([[1.0, 10.0], [3.0, 30.0]])
    >>> layer([[2.0, 40.0]]).tolist()
    [[0.0, 2.0]]
    >>> layers.Normalization(mean=3.0, variance=4.0)([[5.0]]).tolist()
    [[1.0]]
    """

    adapt_mean: Variable
    adapt_variance: Variable
    count: Variable
    _constants = frozenset({"invert", "_given"})

    def __init__(
        self,
        axis: int | Sequence[int] | None = -1,
        mean: Any = None,
        variance: Any = None,
        invert: bool = False,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        axes = _checked_axes(axis)
        given = _checked_moments(mean, variance, len(axes))
        invert = flag("Normalization", "invert", invert)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.axis = axes
        self.invert = invert
        self._given = given
        self._kept: tuple[int, ...] = ()  # the axes of the features, from 0 on, in order
        self._ready = given is not None  # there is something to take out, or it was warned

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape; ``(None,)`` is one feature."""
        if len(input_shape) == 1:
            input_shape = (*input_shape, 1)
        kept, sizes = self._features(input_shape)
        if self._given is not None:
            for argument, array in zip(("mean", "variance"), self._given, strict=True):
                _check_fits(self, argument, array, sizes)
        else:
            self.adapt_mean = self.add_weight(sizes, "zeros", trainable=False, name="mean")
            self.adapt_variance = self.add_weight(sizes, "ones", trainable=False, name="variance")
            self.count = self.add_weight((), "zeros", dtype="int32", trainable=False, name="count")
        self._kept = kept
        self._input_shape = tuple(input_shape)
        self.built = True

    @keywords
    def adapt(self, data: Any) -> None:
        """Take mean and variance from data, instead of those of earlier data.

        Parameters
        ----------
        data : array_like
            One row per sample, as for `fit`; ``(n,)`` is one feature per sample. All rows at once:
            lists are read as arrays, not as batches.

        Raises
        ------
        fusegrad.errors.ArgumentError
            The data are not finite numbers, have no rows or another shape than the layer was built
            for, or their variance is not within the range of the layer's dtype; mean and variance
            were given. The layer stays as it was.

        Notes
        -----
        ``mean = sum(x) / n`` and ``variance = sum((x - mean)**2) / n`` over all axes but `axis`, in
        double precision and two passes, rounded once to the layer's dtype.

        Examples
        --------
        >>> import numpy as np
        >>> from fusegrad import layers
        >>> layer = layers.Normalization(axis=None)
        >>> layer.adapt(np.array([1, 2, 3], np.uint8))
        >>> layer.mean.item()
        2.0
        """
        where = "Normalization.adapt"
        if self._given is not None:
            raise ArgumentError(
                where, "data", "a layer that was not given mean and variance", f"'{self.name}'"
            )
        array = adapters.to_inputs(where, "data", data, self.dtype)
        shape = tuple(array.shape)
        kept, sizes = self._features((None, *shape[1:]))
        if self.built:
            known = self.input_shape
            if len(shape) != len(known) or sizes != self.adapt_mean.shape:
                expected = f"shape {known}, which '{self.name}' was built for"
                raise ArgumentError(where, "data", expected, f"shape {shape}")
        # Sums are double in any case; float64 data are not rounded before.
        x = as_tensor(array, "float64" if array.dtype == np.float64 else self.dtype)
        axes = tuple(i for i in range(len(shape)) if i not in kept)
        mean = ops.cast(ops.mean(x, axes), self.dtype)
        variance = ops.cast(ops.var(x, axes), self.dtype)
        if not np.isfinite(variance.numpy()).all():
            expected = f"data with a variance within the range of {self.dtype}"
            raise ArgumentError(where, "data", expected, "a variance that is not")
        with restored_on_error(self):
            self.build_for((None, *shape[1:]))
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)
        self._ready = True

    @property
    def mean(self) -> Tensor | None:
        """The mean that is taken out, of a shape that broadcasts over inputs; None before build."""
        return self._moments()[0] if self.built else None

    @property
    def variance(self) -> Tensor | None:
        """The variance, of a shape that broadcasts over inputs; None before build."""
        return self._moments()[1] if self.built else None

    def forget(self) -> None:
        """Keep the moments: they are of data, and no initial weights."""

    def call(self, x: Any) -> Tensor:
        """Return the normalised input, or with `invert` the reverse."""
        if not self._ready:
            self._ready = True
            if self._untouched():
                warn(
                    f"layer '{self.name}' has seen no data and passes its inputs on unchanged: "
                    "call its adapt(x_train) first, or write Normalization(mean=..., variance=...)"
                )
        tensor: Tensor = x
        shape = tuple(tensor.shape)
        if len(shape) == 1 and len(self.input_shape) == 2:
            tensor = ops.reshape(tensor, (*shape, 1))
        self._check(tensor.shape)
        mean, variance = self._moments()
        deviation = ops.maximum(ops.sqrt(variance), _SMALLEST)
        if self.invert:
            result = ops.add(ops.multiply(tensor, deviation), mean)
        else:
            result = ops.divide(ops.subtract(tensor, mean), deviation)
        return result if len(shape) == result.ndim else ops.reshape(result, shape)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; mean and variance only where they were given."""
        mean, variance = (None, None) if self._given is None else self._given
        return {
            **super().get_config(),
            "axis": list(self.axis),
            "mean": None if mean is None else mean.tolist(),
            "variance": None if variance is None else variance.tolist(),
            "invert": self.invert,
        }

    def _features(self, shape: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the axes of the features and their sizes."""
        kept = tuple(sorted(axis_of(self, axis, shape) for axis in self.axis))
        sizes = tuple(size for i, size in enumerate(shape) if i in kept and size is not None)
        if len(set(kept)) != len(kept) or len(sizes) != len(kept):
            raise ArgumentError(
                f"Normalization '{self.name}'",
                "input_shape",
                f"known sizes of the axes {self.axis}, each another one",
                str(tuple(shape)),
            )
        return kept, sizes

    def _moments(self) -> tuple[Tensor, Tensor]:
        """Return mean and variance, of a shape that broadcasts over inputs."""
        known = self.input_shape
        sizes = tuple(int(known[i] or 0) for i in self._kept)
        spread = tuple(int(n or 0) if i in self._kept else 1 for i, n in enumerate(known))
        pair: tuple[Any, Any]
        if self._given is None:
            pair = (self.adapt_mean, self.adapt_variance)
        else:
            mean, variance = (np.broadcast_to(array, sizes) for array in self._given)
            pair = (as_tensor(mean, self.dtype), as_tensor(variance, self.dtype))
        shape = spread if sizes else ()
        return ops.reshape(pair[0], shape), ops.reshape(pair[1], shape)

    def _check(self, shape: Shape) -> None:
        known = self.input_shape
        if not self._kept:
            return
        if len(shape) != len(known) or any(shape[i] != known[i] for i in self._kept):
            sizes = ", ".join("n" if i not in self._kept else str(s) for i, s in enumerate(known))
            raise ArgumentError(
                f"Normalization '{self.name}'", "x", f"shape ({sizes})", f"shape {tuple(shape)}"
            )

    def _untouched(self) -> bool:
        """Whether mean and variance are the initial ones: not adapted, set or loaded."""
        mean, variance = self.adapt_mean.stored.numpy(), self.adapt_variance.stored.numpy()
        return not mean.any() and bool((variance == 1).all())


def _checked_axes(axis: Any) -> tuple[int, ...]:
    if axis is None:
        return ()
    given = axis if isinstance(axis, tuple | list) else (axis,)
    return tuple(integer("Normalization", "axis", entry) for entry in given)


def _checked_moments(mean: Any, variance: Any, rank: int) -> tuple[Array, Array] | None:
    if mean is None and variance is None:
        return None
    where = "Normalization"
    arrays = []
    for argument, other, value in (("mean", "variance", mean), ("variance", "mean", variance)):
        if value is None:
            raise ArgumentError(where, argument, f"both or none, as there is '{other}'", "None")
        try:
            array = np.asarray(value.numpy() if isinstance(value, Tensor) else value)
        except ValueError as error:  # rows of different lengths
            raise ArgumentError(where, argument, "a number or an array", "a ragged list") from error
        if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
            raise ArgumentError(where, argument, "finite numbers", repr(value))
        if array.ndim > rank or 0 in array.shape:
            raise ArgumentError(
                where, argument, f"at most one size for each of {rank} axes", f"shape {array.shape}"
            )
        arrays.append(array.astype(np.float64))
    if arrays[0].shape != arrays[1].shape:
        expected = f"the shape of 'mean', {arrays[0].shape}"
        raise ArgumentError(where, "variance", expected, f"shape {arrays[1].shape}")
    if (arrays[1] < 0).any():
        raise ArgumentError(where, "variance", "numbers >= 0", repr(variance))
    return arrays[0], arrays[1]


def _check_fits(layer: Layer, argument: str, array: Array, sizes: tuple[int, ...]) -> None:
    """Raise ArgumentError where given values do not broadcast to the features, or overflow."""
    where = f"Normalization '{layer.name}'"
    try:
        np.broadcast_to(array, sizes)
    except ValueError as error:
        expected = f"a shape that broadcasts to {sizes}"
        raise ArgumentError(where, argument, expected, f"shape {array.shape}") from error
    if (np.abs(array) > np.finfo(layer.dtype).max).any():
        expected = f"values within the range of {layer.dtype}"
        raise ArgumentError(where, argument, expected, repr(array.tolist()))
