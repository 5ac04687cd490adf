"""Activation functions, and the names under which layers take them.

Every function works alike on arrays, on Tensors and while a model is traced.

Examples
--------
>>> from fusegrad import activations
>>> activations.relu([-1.0, 0.0, 2.0])
Tensor([0., 0., 2.], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from fusegrad import ops
from fusegrad._registry import Registry, looked_up
from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops.activations import (
    celu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_tanh,
    mish,
    relu6,
    selu,
    soft_shrink,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    squareplus,
    tanh_shrink,
)

__all__ = [
    "celu",
    "deserialize",
    "elu",
    "exponential",
    "gelu",
    "get",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_tanh",
    "leaky_relu",
    "linear",
    "log_sigmoid",
    "log_softmax",
    "mish",
    "relu",
    "relu6",
    "selu",
    "serialize",
    "sigmoid",
    "silu",
    "soft_shrink",
    "softmax",
    "softplus",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh",
    "tanh_shrink",
]

ActivationFunction = Callable[[Any], Any]


def linear(x: Any) -> Tensor:
    """Return the argument itself: ``g(z) = z``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        `x` as a Tensor.

    Examples
    --------
    >>> linear([1.0, -2.0])
    Tensor([ 1., -2.], dtype=float32)
    """
    return x if isinstance(x, Tensor) else as_tensor(x)


def relu(
    x: Any,
    negative_slope: float = 0.0,
    max_value: float | None = None,
    threshold: float = 0.0,
) -> Tensor:
    """Rectified linear unit: ``max(x, 0)`` with the default arguments.

    In general ``max_value`` where ``x >= max_value``, ``x`` where ``threshold <= x < max_value``,
    and ``negative_slope * (x - threshold)`` below, as in Keras. The gradient at 0 and at
    `max_value` is 0. NaN stays NaN.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    negative_slope : float, default 0.0
    max_value : float, optional
        No bound by default.
    threshold : float, default 0.0

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `negative_slope` or `max_value` is negative.

    Examples
    --------
    >>> relu([-2.0, 0.5, 9.0], max_value=6.0)
    Tensor([0. , 0.5, 6. ], dtype=float32)
    """
    if negative_slope < 0.0:
        raise ArgumentError("relu", "negative_slope", "a number >= 0", repr(negative_slope))
    if max_value is not None and max_value < 0.0:
        raise ArgumentError("relu", "max_value", "a number >= 0, or None", repr(max_value))
    if threshold == 0.0:
        result = ops.relu(x) if negative_slope == 0.0 else ops.leaky_relu(x, negative_slope)
    else:
        below = ops.multiply(ops.subtract(x, threshold), negative_slope)
        result = ops.where(ops.greater_equal(x, threshold), x, below)
    if max_value is None:
        return result
    return ops.where(ops.greater_equal(result, max_value), max_value, result)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Leaky rectified linear unit: ``x`` where ``x > 0``, else ``negative_slope * x``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    negative_slope : float, default 0.2

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Examples
    --------
    >>> leaky_relu([-2.0, 3.0], negative_slope=0.5)
    Tensor([-1.,  3.], dtype=float32)
    """
    return ops.leaky_relu(x, negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: ``x`` where ``x > 0``, else ``alpha * (exp(x) - 1)``.

    D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", ICLR 2016. The gradient at 0 is `alpha`.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    alpha : float, default 1.0
        At least 0.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values >= -alpha.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `alpha` is negative.

    Examples
    --------
    >>> elu([-1000.0, 3.0])
    Tensor([-1.,  3.], dtype=float32)
    """
    return ops.elu(x, alpha)


def gelu(x: Any, approximate: bool = False) -> Tensor:
    """Gaussian error linear unit: ``x * Phi(x)``, Phi the normal distribution function.

    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    approximate : bool, default False
        Compute ``0.5 * x * (1 + tanh(u))`` with ``u = sqrt(2 / pi) * (x + 0.044715 * x**3)``
        instead, which is ``x * sigmoid(2 * u)``. It is no faster here.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Examples
    --------
    >>> gelu([-1.0, 1.0])
    Tensor([-0.15865526,  0.8413448 ], dtype=float32)
    """
    if not approximate:
        return ops.gelu(x)
    # sigmoid(2u) is 0 or 1 long before |x| = 30; without the bound x**3 could be infinite.
    bounded = ops.clip(x, -30.0, 30.0)
    cubic = ops.add(ops.multiply(ops.square(bounded), 0.044715), 1.0)
    doubled = ops.multiply(ops.multiply(bounded, cubic), 2.0 * math.sqrt(2.0 / math.pi))
    return ops.multiply(x, ops.sigmoid(doubled))


def silu(x: Any) -> Tensor:
    """Sigmoid linear unit, also called swish: ``x * sigmoid(x)``.

    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", Neural Networks 107 (2018). Layers know it as
    ``"swish"`` too.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Examples
    --------
    >>> silu([-1.0, 1.0])
    Tensor([-0.26894143,  0.7310586 ], dtype=float32)
    """
    return ops.silu(x)


def exponential(x: Any) -> Tensor:
    """Exponential function: ``exp(x)``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values >= 0.

    Examples
    --------
    >>> exponential([0.0])
    Tensor([1.], dtype=float32)
    """
    return ops.exp(x)


def sigmoid(x: Any) -> Tensor:
    """Logistic function: ``1 / (1 + exp(-x))``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values in [0, 1].

    Examples
    --------
    >>> sigmoid([0.0])
    Tensor([0.5], dtype=float32)
    """
    return ops.sigmoid(x)


def log_sigmoid(x: Any) -> Tensor:
    """Logarithm of the sigmoid: ``-log(1 + exp(-x))``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values <= 0.

    Examples
    --------
    >>> log_sigmoid([-1000.0])
    Tensor([-1000.], dtype=float32)
    """
    return ops.log_sigmoid(x)


def tanh(x: Any) -> Tensor:
    """Hyperbolic tangent.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values in [-1, 1].

    Examples
    --------
    >>> tanh([0.0])
    Tensor([0.], dtype=float32)
    """
    return ops.tanh(x)


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Normalised exponentials: ``exp(x_j) / sum_k exp(x_k)`` along `axis`.

    Parameters
    ----------
    x : array_like
        At least one axis, floating.
    axis : int, default -1

    Returns
    -------
    Tensor
        Shape and dtype of `x`; sums to one along `axis`.

    Examples
    --------
    >>> softmax([0.0, 0.0])
    Tensor([0.5, 0.5], dtype=float32)
    """
    return ops.softmax(x, axis=axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Logarithm of the softmax: ``x_j - log(sum_k exp(x_k))`` along `axis`.

    Parameters
    ----------
    x : array_like
        At least one axis, floating.
    axis : int, default -1

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values <= 0.

    Examples
    --------
    >>> log_softmax([0.0, -1000.0])
    Tensor([   -0., -1000.], dtype=float32)
    """
    return ops.log_softmax(x, axis=axis)


def softplus(x: Any) -> Tensor:
    """Smooth rectifier: ``log(1 + exp(x))``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values >= 0.

    Examples
    --------
    >>> softplus([1000.0])
    Tensor([1000.], dtype=float32)
    """
    return ops.softplus(x)


swish = silu  # their other names
hard_swish = hard_silu

__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[ActivationFunction] = Registry("activations.get", "activation")
for _function in (
    linear, relu, relu6, leaky_relu, elu, selu, celu, gelu, glu, exponential, sigmoid,
    hard_sigmoid, hard_tanh, hard_shrink, log_sigmoid, mish, softsign, soft_shrink, sparse_plus,
    sparse_sigmoid, squareplus, tanh, tanh_shrink, softmax, log_softmax, softplus,
):  # fmt: skip
    _REGISTRY.add(_function, _function.__name__)
_REGISTRY.add(silu, "silu", "swish")
_REGISTRY.add(hard_silu, "hard_silu", "hard_swish")
_NAMES = {_REGISTRY.resolve(_name): _name for _name in _REGISTRY}


def get(identifier: Any) -> ActivationFunction:
    """Return the activation function that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, callable or None
        A name as Keras spells it (``"relu"``), the result of `serialize`, a function or layer,
        which is returned as it is, or None for `linear`.

    Returns
    -------
    callable

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no activation of this name (the message names the nearest one), or `identifier` is
        the class of a layer instead of a layer.

    Examples
    --------
    >>> get("relu") is relu
    True
    """
    if identifier is None:
        return linear
    if isinstance(identifier, str):
        return _REGISTRY.resolve(identifier)
    if isinstance(identifier, dict):
        from fusegrad import layers  # which import this module

        return layers.deserialize(identifier)
    if isinstance(identifier, type):
        raise ArgumentError(
            "activations.get",
            "identifier",
            f"a name, a function or a layer (write {identifier.__name__}() for the layer)",
            f"the class {identifier.__name__}",
        )
    other = isinstance(identifier, Spelled) and not hasattr(identifier, "compute_output_shape")
    if callable(identifier) and not other:
        function: ActivationFunction = identifier
        return function
    raise ArgumentError(
        "activations.get", "identifier", "a name, a function, a layer or None", repr(identifier)
    )


def name_of(activation: Any) -> str:
    """Return the registered name of a function, or the name that it was written with."""
    name = looked_up(_NAMES, activation)
    if name is not None:
        return name
    return str(getattr(activation, "__name__", None) or getattr(activation, "name", "activation"))


def serialize(activation: ActivationFunction) -> str | dict[str, Any]:
    """Return what `get_config` stores of an activation.

    Parameters
    ----------
    activation : callable
        One of this module's functions, or a layer.

    Returns
    -------
    str or dict
        The name of a function, the ``{"class_name": ..., "config": {...}}`` of a layer.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `activation` has no name that `get` would resolve.

    Examples
    --------
    >>> serialize(relu)
    'relu'
    >>> from fusegrad import layers
    >>> serialize(layers.LeakyReLU(0.1))["class_name"]
    'LeakyReLU'
    """
    from fusegrad import layers  # which import this module

    if isinstance(activation, layers.Layer):
        return layers.serialize(activation)
    name = name_of(activation)
    if _REGISTRY.find(name) is not activation:
        raise ArgumentError(
            "activations.serialize",
            "activation",
            "a function of fusegrad.activations, or a layer",
            repr(activation),
        )
    return name


def deserialize(config: str | dict[str, Any]) -> ActivationFunction:
    """Return the activation of what `serialize` gave.

    Parameters
    ----------
    config : str or dict

    Returns
    -------
    callable

    Examples
    --------
    >>> deserialize("tanh") is tanh
    True
    """
    return get(config)
