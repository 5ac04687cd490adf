"""BatchNormalization: zero mean and unit variance for each feature of a batch."""

from __future__ import annotations

from typing import Any

from fusegrad import initializers, ops, regularizers
from fusegrad._checks import flag, integer, number
from fusegrad._registry import named
from fusegrad._tensor import Tensor
from fusegrad.errors import ArgumentError
from fusegrad.layers.base import Layer, Shape, axis_of, register
from fusegrad.variable import Variable


@register
class BatchNormalization(Layer):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta`` for each feature.

    In training, mean and variance are those of the batch over all axes but `axis`, the variance
    divided by the number of values, not by one less. Each step also moves the averages that are
    used outside training: ``moving = moving * momentum + batch * (1 - momentum)``. With
    ``layer.trainable = False`` the moving averages are used in training too, and nothing changes.
    S. Ioffe and C. Szegedy, "Batch normalization", ICML 2015; as in Keras.

    Parameters
    ----------
    axis : int, default -1
        The axis of the features.
    momentum : float, default 0.99
        In [0, 1].
    epsilon : float, default 0.001
        Above 0.
    center : bool, default True
        Whether there is a `beta`.
    scale : bool, default True
        Whether there is a `gamma`.
    beta_initializer : str, Initializer, callable or array, default "zeros"
    gamma_initializer : str, Initializer, callable or array, default "ones"
    moving_mean_initializer : str, Initializer, callable or array, default "zeros"
    moving_variance_initializer : str, Initializer, callable or array, default "ones"
    beta_regularizer, gamma_regularizer : str, Regularizer or callable, optional
        Penalties on the weights, added to the loss.
    trainable, dtype, name, input_shape
        As for every `Layer`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An argument is out of range or a name unknown; when the layer is built, that the input does
        not have the axis, or not with a known size.

    Notes
    -----
    Input and output have the same shape. Weights, each of shape ``(features,)``: ``gamma``,
    ``beta``, ``moving_mean``, ``moving_variance``; the last two are not trained.

    The batch's mean and variance are computed in double precision, the variance in a second pass
    about the mean, and rounded once. A feature that is the same in the whole batch, or a batch of
    one row, gives `beta`, with finite gradients: exactly in float32; in float64 up to the rounding
    of the mean, a few ``1e-16 * abs(x) / sqrt(epsilon)``.

    Called by itself with ``training=True`` the layer moves its averages at once.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layer = layers.BatchNormalization(momentum=0.5, epsilon=1.0)
    >>> layer([[1.0], [1.0]], training=True).tolist()
    [[0.0], [0.0]]
    >>> layer.moving_mean.numpy().tolist(), layer.moving_variance.numpy().tolist()
    ([0.5], [0.5])
    """

    gamma: Variable | None
    beta: Variable | None
    moving_mean: Variable
    moving_variance: Variable
    _constants = frozenset({"momentum", "epsilon", "_trainable"})

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
    ) -> None:
        kind = "BatchNormalization"
        axis = integer(kind, "axis", axis)
        momentum = number(kind, "momentum", momentum, 0.0, 1.0)
        epsilon = number(kind, "epsilon", epsilon)
        if epsilon <= 0.0:
            raise ArgumentError(kind, "epsilon", "a number > 0", repr(epsilon))
        center = flag(kind, "center", center)
        scale = flag(kind, "scale", scale)
        with named(kind, "beta_initializer"):
            beta = initializers.get(beta_initializer)
        with named(kind, "gamma_initializer"):
            gamma = initializers.get(gamma_initializer)
        with named(kind, "moving_mean_initializer"):
            mean = initializers.get(moving_mean_initializer)
        with named(kind, "moving_variance_initializer"):
            variance = initializers.get(moving_variance_initializer)
        with named(kind, "beta_regularizer"):
            beta_penalty = regularizers.get(beta_regularizer)
        with named(kind, "gamma_regularizer"):
            gamma_penalty = regularizers.get(gamma_regularizer)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = beta
        self.gamma_initializer = gamma
        self.moving_mean_initializer = mean
        self.moving_variance_initializer = variance
        self.beta_regularizer = beta_penalty
        self.gamma_regularizer = gamma_penalty

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of this shape."""
        features = input_shape[axis_of(self, self.axis, input_shape)]
        if not features:
            raise ArgumentError(
                f"BatchNormalization '{self.name}'",
                "input_shape",
                f"a known size of axis {self.axis}, the features",
                str(tuple(input_shape)),
            )
        self._input_shape = tuple(input_shape)
        shape = (features,)
        gamma = beta = None
        if self.scale:
            gamma = self.add_weight(
                shape, self.gamma_initializer, name="gamma", regularizer=self.gamma_regularizer
            )
        if self.center:
            beta = self.add_weight(
                shape, self.beta_initializer, name="beta", regularizer=self.beta_regularizer
            )
        self.gamma, self.beta = gamma, beta
        self.moving_mean = self.add_weight(
            shape, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            shape, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        self.built = True

    def call(self, x: Any, training: bool = False) -> Tensor:
        """Return the normalised input; where `training`, move the averages."""
        place = axis_of(self, self.axis, x.shape)
        features = self.moving_mean.shape[0]
        if x.shape[place] != features:
            expected = f"size {features} along axis {self.axis}"
            where = f"BatchNormalization '{self.name}'"
            raise ArgumentError(where, "x", expected, f"shape {x.shape}")
        spread = tuple(features if i == place else 1 for i in range(x.ndim))
        if training and self.trainable:
            axes = tuple(i for i in range(x.ndim) if i != place)
            mean = ops.mean(x, axes, keepdims=True)
            variance = ops.var(x, axes, keepdims=True)
            self._move(self.moving_mean, mean)
            self._move(self.moving_variance, variance)
        else:
            mean = ops.reshape(self.moving_mean, spread)
            variance = ops.reshape(self.moving_variance, spread)
        deviation = ops.sqrt(ops.add(variance, self.epsilon))
        if self.gamma is None:
            factor = ops.reciprocal(deviation)
        else:
            factor = ops.divide(ops.reshape(self.gamma, spread), deviation)
        y = ops.multiply(ops.subtract(x, mean), factor)
        return y if self.beta is None else ops.add(y, ops.reshape(self.beta, spread))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape."""
        axis_of(self, self.axis, input_shape)
        return tuple(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        serialize = initializers.serialize
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": serialize(self.beta_initializer),
            "gamma_initializer": serialize(self.gamma_initializer),
            "moving_mean_initializer": serialize(self.moving_mean_initializer),
            "moving_variance_initializer": serialize(self.moving_variance_initializer),
            "beta_regularizer": regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": regularizers.serialize(self.gamma_regularizer),
        }

    def _move(self, average: Variable, batch: Tensor) -> None:
        kept = ops.multiply(self.latest(average), self.momentum)
        new = ops.multiply(ops.reshape(batch, average.shape), 1.0 - self.momentum)
        self.add_update(average, ops.add(kept, new))
