"""Activations that are made of other functions, as Keras names and defines them."""

from __future__ import annotations

import math
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import normal_axis
from fusegrad.ops.binary import (
    add,
    clip,
    divide,
    greater,
    greater_equal,
    less,
    less_equal,
    multiply,
    subtract,
    where,
)
from fusegrad.ops.exponential import expm1
from fusegrad.ops.indexing import slice
from fusegrad.ops.neural import elu, relu, sigmoid, softplus
from fusegrad.ops.trigonometric import hypot
from fusegrad.ops.unary import abs, reciprocal, sign, square, tanh

__all__ = [
    "celu",
    "glu",
    "hard_shrink",
    "hard_sigmoid",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "mish",
    "relu6",
    "selu",
    "soft_shrink",
    "softsign",
    "sparse_plus",
    "sparse_sigmoid",
    "squareplus",
    "tanh_shrink",
    "threshold",
]

_SELU_ALPHA = 1.6732632423543772
_SELU_SCALE = 1.0507009873554805


def _threshold(where: str, threshold: float) -> float:
    if not threshold >= 0.0:
        raise ArgumentError(where, "threshold", "a number >= 0", repr(threshold))
    return threshold


def celu(x: Any, alpha: float = 1.0) -> Tensor:
    """Continuously differentiable exponential linear unit.

    ``x`` where ``x > 0``, else ``alpha * (exp(x / alpha) - 1)``. J. T. Barron, "Continuously
    differentiable exponential linear units", arXiv:1704.07483.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    alpha : float, default 1.0
        Above 0.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `alpha` is not above 0.

    Notes
    -----
    The derivative at 0 is 1 on either side.

    Examples
    --------
    >>> celu([-1000.0, 3.0], alpha=2.0)
    Tensor([-2.,  3.], dtype=float32)
    """
    if not alpha > 0.0:
        raise ArgumentError("celu", "alpha", "a number > 0", repr(alpha))
    positive = greater(x, 0.0)
    below = multiply(expm1(divide(where(positive, 0.0, x), alpha)), alpha)
    return where(positive, x, below)


def glu(x: Any, axis: int = -1) -> Tensor:
    """Gated linear unit: ``a * sigmoid(b)`` with `a` and `b` the halves of `x` along an axis.

    Y. N. Dauphin et al., "Language modeling with gated convolutional networks", ICML 2017.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    axis : int, default -1
        Of even size.

    Returns
    -------
    Tensor
        Shape of `x` with half the size along `axis`, dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range, or of odd size.

    Examples
    --------
    >>> glu([1.0, 2.0, 0.0, 0.0])
    Tensor([0.5, 1. ], dtype=float32)
    """
    x = as_tensor(x)
    axis = normal_axis("glu", axis, x.ndim)
    size = x.shape[axis]
    if size % 2 != 0:
        raise ArgumentError("glu", "x", f"an even size along axis {axis}", f"shape {x.shape}")
    start, half = [0] * x.ndim, list(x.shape)
    half[axis] = size // 2
    gates = list(start)
    gates[axis] = size // 2
    return multiply(slice(x, start, half), sigmoid(slice(x, gates, half)))


def hard_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """Hard shrinkage: ``x`` where ``abs(x) > threshold``, else 0.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    threshold : float, default 0.5
        At least 0.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `threshold` is negative.

    Notes
    -----
    The derivative at `threshold` and ``-threshold`` is 0. NaN stays NaN.

    Examples
    --------
    >>> hard_shrink([-1.0, 0.25, 2.0])
    Tensor([-1.,  0.,  2.], dtype=float32)
    """
    return where(less_equal(abs(x), _threshold("hard_shrink", threshold)), 0.0, x)


def hard_sigmoid(x: Any) -> Tensor:
    """Piecewise linear approximation of the sigmoid: ``relu6(x + 3) / 6``.

    The gradient at the corners, -3 and 3, is 0.

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
    >>> hard_sigmoid([-4.0, 0.0, 4.0])
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    return divide(relu6(add(x, 3.0)), 6.0)


def hard_silu(x: Any) -> Tensor:
    """Piecewise approximation of `silu`: ``x * relu6(x + 3) / 6``; also called `hard_swish`.

    A. Howard et al., "Searching for MobileNetV3", ICCV 2019.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Notes
    -----
    The derivative at -3 is 0, at 3 it is 1. ``hard_silu(-inf)`` is -0.

    Examples
    --------
    >>> hard_silu([-4.0, 1.5, 4.0])
    Tensor([-0.   ,  1.125,  4.   ], dtype=float32)
    """
    # The bound changes nothing but -inf, which would be NaN times 0.
    return multiply(clip(x, -3.0, None), hard_sigmoid(x))


def hard_tanh(x: Any) -> Tensor:
    """Piecewise linear approximation of `tanh`: ``min(max(x, -1), 1)``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values in [-1, 1].

    Notes
    -----
    The derivative at the corners, -1 and 1, is 1, as that of `clip`.

    Examples
    --------
    >>> hard_tanh([-2.0, 0.5, 2.0])
    Tensor([-1. ,  0.5,  1. ], dtype=float32)
    """
    return clip(x, -1.0, 1.0)


def mish(x: Any) -> Tensor:
    """Self-regularised activation: ``x * tanh(softplus(x))``.

    D. Misra, "Mish: a self regularized non-monotonic activation function", BMVC 2020.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Notes
    -----
    ``mish(-inf)`` is -0.

    Examples
    --------
    >>> mish([-1.0, 1.0])
    Tensor([-0.30340147,  0.8650984 ], dtype=float32)
    """
    # tanh(softplus(x)) is 0 long before -1000; the bound keeps -inf times 0 from being NaN.
    return multiply(clip(x, -1000.0, None), tanh(softplus(x)))


def relu6(x: Any) -> Tensor:
    """Rectified linear unit bounded at 6: ``min(max(x, 0), 6)``.

    A. Krizhevsky, "Convolutional deep belief networks on CIFAR-10", 2010. The gradient at 0 and at
    6 is 0.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values in [0, 6].

    Examples
    --------
    >>> relu6([-1.0, 3.0, 9.0])
    Tensor([0., 3., 6.], dtype=float32)
    """
    rectified = relu(x)
    return where(greater_equal(rectified, 6.0), 6.0, rectified)


def selu(x: Any) -> Tensor:
    """Scaled exponential linear unit: ``scale * elu(x, alpha)``.

    With ``alpha = 1.6732632423543772`` and ``scale = 1.0507009873554805``, for which zero mean and
    unit variance are a fixed point from layer to layer: G. Klambauer et al., "Self-normalizing
    neural networks", NeurIPS 2017. To be used with the initializer ``"lecun_normal"``. The
    gradient at 0 is ``scale * alpha``.

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
    >>> selu([-1000.0, 1.0])
    Tensor([-1.7580993,  1.050701 ], dtype=float32)
    """
    return multiply(elu(x, _SELU_ALPHA), _SELU_SCALE)


def soft_shrink(x: Any, threshold: float = 0.5) -> Tensor:
    """Soft shrinkage: `x` moved towards 0 by `threshold`, at most to 0.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    threshold : float, default 0.5
        At least 0.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `threshold` is negative.

    Notes
    -----
    The derivative at `threshold` and ``-threshold`` is 0.

    Examples
    --------
    >>> soft_shrink([-1.0, 0.25, 2.0])
    Tensor([-0.5,  0. ,  1.5], dtype=float32)
    """
    threshold = _threshold("soft_shrink", threshold)
    return subtract(x, clip(x, -threshold, threshold))


def softsign(x: Any) -> Tensor:
    """Bounded function with slow saturation: ``x / (1 + abs(x))``.

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
    >>> softsign([-1.0, 3.0])
    Tensor([-0.5 ,  0.75], dtype=float32)
    """
    size = abs(x)
    near = divide(x, add(size, 1.0))
    # The same for large x, but with a gradient in which nothing cancels.
    far = multiply(sign(x), subtract(1.0, reciprocal(add(size, 1.0))))
    return where(less(size, 1.0), near, far)


def sparse_plus(x: Any) -> Tensor:
    """Sparse variant of `softplus`: 0 up to -1, ``(x + 1)**2 / 4`` up to 1, and ``x`` beyond.

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
    >>> sparse_plus([-2.0, 0.0, 2.0])
    Tensor([0.  , 0.25, 2.  ], dtype=float32)
    """
    square_part = divide(square(add(clip(x, -1.0, 1.0), 1.0)), 4.0)
    return where(greater_equal(x, 1.0), x, square_part)


def sparse_sigmoid(x: Any) -> Tensor:
    """Sparse variant of `sigmoid`, the slope of `sparse_plus`: ``(x + 1) / 2`` between 0 and 1.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values in [0, 1].

    Notes
    -----
    The derivative at the corners, -1 and 1, is 1/2, as that of `clip`.

    Examples
    --------
    >>> sparse_sigmoid([-2.0, 0.0, 2.0])
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    return divide(add(clip(x, -1.0, 1.0), 1.0), 2.0)


def squareplus(x: Any, b: float = 4.0) -> Tensor:
    """Algebraic variant of `softplus`: ``(x + sqrt(x**2 + b)) / 2``.

    J. T. Barron, "Squareplus: a softplus-like algebraic rectifier", arXiv:2112.11687.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    b : float, default 4.0
        At least 0; `relu` for 0.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, values >= 0.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `b` is negative.

    Notes
    -----
    Computed as ``b / 2 / (sqrt(x**2 + b) - x)`` for negative `x`, where the formula cancels.

    Examples
    --------
    >>> squareplus([-1e4, 0.0, 1.5])
    Tensor([1.e-04, 1.e+00, 2.e+00], dtype=float32)
    """
    if not b >= 0.0:
        raise ArgumentError("squareplus", "b", "a number >= 0", repr(b))
    root = math.sqrt(b)
    negative = less(x, 0.0)
    size = hypot(x, root)
    above = multiply(add(x, size), 0.5)
    distance = where(negative, subtract(size, x), 1.0)
    return where(negative, multiply(divide(root, distance), 0.5 * root), above)


def tanh_shrink(x: Any) -> Tensor:
    """Shrinkage by the hyperbolic tangent: ``x - tanh(x)``.

    Parameters
    ----------
    x : array_like
        Any shape, floating.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Notes
    -----
    For ``abs(x) < 1`` a continued fraction of the difference, in which nothing cancels.

    Examples
    --------
    >>> tanh_shrink([0.0, 0.01, 3.0])
    Tensor([0.0000000e+00, 3.3331997e-07, 2.0049453e+00], dtype=float32)
    """
    near = less(abs(x), 1.0)
    inner = where(near, x, 0.0)
    z = square(inner)
    fraction = add(divide(z, 21.0), 19.0)
    for k in range(17, 1, -2):  # tanh x = x / (1 + z / (3 + z / (5 + ...)))
        fraction = add(divide(z, fraction), float(k))
    series = multiply(inner, divide(z, add(z, fraction)))
    return where(near, series, subtract(x, tanh(x)))


def threshold(x: Any, threshold: float, default_value: float) -> Tensor:
    """Return `x` where it is above `threshold`, else `default_value`.

    Parameters
    ----------
    x : array_like
        Any shape, floating.
    threshold, default_value : float

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Notes
    -----
    The derivative at `threshold` is 0. NaN stays NaN.

    Examples
    --------
    >>> threshold([-1.0, 0.5, 2.0], 1.0, 0.0)
    Tensor([0., 0., 2.], dtype=float32)
    """
    return where(less_equal(x, threshold), default_value, x)


hard_swish = hard_silu  # its other name
