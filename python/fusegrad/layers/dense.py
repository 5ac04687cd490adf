"""Dense: a matrix, a bias and an activation."""

from __future__ import annotations

from typing import Any

from fusegrad import activations, initializers, ops, regularizers
from fusegrad._checks import flag, positive_int
from fusegrad._registry import looked_up, named
from fusegrad._tensor import Tensor
from fusegrad.errors import ArgumentError
from fusegrad.layers.activation import Activated
from fusegrad.layers.base import Shape, features_of, register
from fusegrad.variable import Variable

# Activations that the dense kernel applies itself, in the arithmetic of the separate op.
_EPILOGUES: dict[Any, str] = {
    activations.linear: "linear",
    activations.relu: "relu",
    activations.sigmoid: "sigmoid",
    activations.tanh: "tanh",
    activations.softplus: "softplus",
}


@register
class Dense(Activated):
    """``activation(x @ kernel + bias)`` along the last axis.

    Parameters
    ----------
    units : int
        The number of outputs.
    activation : str, callable or Layer, optional
        A name of `fusegrad.activations`, a function or a layer; by default linear.
    use_bias : bool, default True
    kernel_initializer : str, Initializer, callable or array, default "glorot_uniform"
    bias_initializer : str, Initializer, callable or array, default "zeros"
    kernel_regularizer, bias_regularizer : str, Regularizer or callable, optional
        Penalties on the weights, added to the loss.
    activity_regularizer : str, Regularizer or callable, optional
        A penalty on the output, divided by the number of rows, added to the loss.
    trainable, dtype, name, input_shape
        As for every `Layer`.
    input_dim : int, optional
        The same as ``input_shape=(input_dim,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `units` is not a positive integer, or a name is unknown.

    Notes
    -----
    The input has shape ``(..., features)``, the output ``(..., units)``. Weights: ``kernel``,
    ``(features, units)``, and ``bias``, ``(units,)``. With ``dtype="mixed_bfloat16"`` the operands
    of ``x @ kernel`` are rounded to bfloat16, and those of its gradients.

    Examples
    --------
    >>> from fusegrad import layers
    >>> layer = layers.Dense(2, kernel_initializer="zeros", activation="sigmoid")
    >>> layer([[1.0, 2.0, 3.0]]).tolist()
    [[0.5, 0.5]]
    """

    kernel: Variable
    bias: Variable | None
    _constants = Activated._constants | {"activity_regularizer"}

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        *,
        trainable: bool = True,
        dtype: Any = None,
        name: str | None = None,
        input_shape: Any = None,
        input_dim: int | None = None,
    ) -> None:
        units = positive_int("Dense", "units", units)
        if input_dim is not None and input_shape is not None:
            got = f"{input_dim!r}, besides input_shape={input_shape!r}"
            raise ArgumentError("Dense", "input_dim", "either input_dim or input_shape", got)
        if input_dim is not None:
            input_shape = (positive_int("Dense", "input_dim", input_dim),)
        use_bias = flag("Dense", "use_bias", use_bias)
        with named("Dense", "activation"):
            function = activations.get(activation)
        with named("Dense", "kernel_initializer"):
            kernel = initializers.get(kernel_initializer)
        with named("Dense", "bias_initializer"):
            bias = initializers.get(bias_initializer)
        with named("Dense", "kernel_regularizer"):
            kernel_penalty = regularizers.get(kernel_regularizer)
        with named("Dense", "bias_regularizer"):
            bias_penalty = regularizers.get(bias_regularizer)
        with named("Dense", "activity_regularizer"):
            activity_penalty = regularizers.get(activity_regularizer)
        super().__init__(trainable=trainable, dtype=dtype, name=name, input_shape=input_shape)
        self.units = units
        self._activation = function
        self.use_bias = use_bias
        self.kernel_initializer = kernel
        self.bias_initializer = bias
        self.kernel_regularizer = kernel_penalty
        self.bias_regularizer = bias_penalty
        self.activity_regularizer = activity_penalty

    def build(self, input_shape: Shape) -> None:
        """Make the weights for inputs of shape ``(..., features)``."""
        features = features_of(f"Dense '{self.name}'", input_shape)
        self._input_shape = tuple(input_shape)
        kernel = self.add_weight(
            (features, self.units),
            self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
        )
        bias = None
        if self.use_bias:
            bias = self.add_weight(
                (self.units,),
                self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
            )
        self.kernel, self.bias = kernel, bias
        self.build_activation((*input_shape[:-1], self.units))
        self.built = True

    def call(self, x: Any) -> Tensor:
        """Return ``activation(x @ kernel + bias)``."""
        self._check(x)
        epilogue = looked_up(_EPILOGUES, self.activation)
        if epilogue is not None:
            return self._product(x, epilogue)
        result: Tensor = self.activation(self._product(x))
        return result

    def pre_activation(self, x: Any) -> Tensor:
        """Return ``x @ kernel + bias``: the logits of a layer that ends a classifier."""
        x = self.convert(x)
        self._check(x)
        return self.without_head(self._product(x))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the input shape with `units` as its last size; `glu` halves it."""
        return self.activated_shape((*input_shape[:-1], self.units))

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": regularizers.serialize(self.activity_regularizer),
        }

    def _product(self, x: Tensor, activation: str = "linear") -> Tensor:
        return ops.dense(
            x, self.kernel, self.bias, activation=activation, compute_dtype=self.compute_dtype
        )

    def _check(self, x: Tensor) -> None:
        features = self.kernel.shape[0]
        if x.ndim == 0 or x.shape[-1] != features:
            raise ArgumentError(
                f"Dense '{self.name}'", "x", f"shape (..., {features})", f"shape {x.shape}"
            )
