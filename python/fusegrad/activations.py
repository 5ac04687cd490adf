"""Activation functions, and the names under which layers take them.

Every function works alike on arrays, on Tensors and while a model is traced.

Examples
--------
>>> from fusegrad import activations
>>> activations.relu([-1.0, 0.0, 2.0])
Tensor([0., 0., 2.], dtype=float32)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad import ops
from fusegrad._registry import Registry
from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError

__all__ = [
    "deserialize",
    "get",
    "leaky_relu",
    "linear",
    "relu",
    "serialize",
    "sigmoid",
    "softmax",
    "softplus",
    "tanh",
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
    and ``negative_slope * (x - threshold)`` below, as in Keras. The gradient at 0 is 0.

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
    return result if max_value is None else ops.minimum(result, max_value)


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


__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[ActivationFunction] = Registry("activations.get", "activation")
for _function in (linear, relu, leaky_relu, sigmoid, tanh, softmax, softplus):
    _REGISTRY.add(_function, _function.__name__)


def get(identifier: Any) -> ActivationFunction:
    """Return the activation function that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, callable or None
        A name in any case (``"relu"``), the result of `serialize`, a function or layer, which is
        returned as it is, or None for `linear`.

    Returns
    -------
    callable

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no activation of this name; the message names the nearest one.

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
    if callable(identifier) and not isinstance(identifier, type):
        function: ActivationFunction = identifier
        return function
    raise ArgumentError(
        "activations.get", "identifier", "a name, a function, a layer or None", repr(identifier)
    )


def name_of(activation: Any) -> str:
    """Return the registered name of a function, or the name that it was written with."""
    for name in _REGISTRY:
        if _REGISTRY.find(name) is activation:
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
