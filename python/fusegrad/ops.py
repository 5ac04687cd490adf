"""Functions of arrays: NumPy's names and signatures, and what neural networks need besides.

Every function takes Tensors, Variables, NumPy arrays, numbers and nested lists, broadcasts by
NumPy's rules and returns a Tensor. All can be traced by `fusegrad.jit`, and differentiated by
`fusegrad.grad` where they have a derivative.

All raise `fusegrad.errors.ArgumentError`, a ValueError, for what is no array, and for dtypes and
shapes that they are not defined for. A Python integer that does not fit the dtype of the array it
meets raises OverflowError.

Notes
-----
There are six dtypes: float32, float64, int32, int64, uint8, bool. Operands of several dtypes are
promoted as in NumPy: Python numbers adapt to the arrays they meet (NEP 50), and float32 with int32
or int64 gives float64. A list is an array: of `config.floatx()`, int64 or bool. Where a result is
not an integer, arrays of integers and booleans become float64, a lone number `config.floatx()`.

Unlike in NumPy, uint8 and bool have no arithmetic (cast them first), and `matmul`, `relu` and
`power` take no integers alone, but for the exponent 2.

Examples
--------
>>> from fusegrad import ops
>>> ops.maximum([1.0, -2.0], 0.0)
Tensor([1., 0.], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, apply, as_tensor, empty
from fusegrad._tensor import full as _full
from fusegrad.config import floatx
from fusegrad.errors import ArgumentError

__all__ = [
    "abs",
    "add",
    "arange",
    "argmax",
    "argmin",
    "binary_cross_entropy",
    "broadcast_to",
    "cast",
    "categorical_cross_entropy",
    "clip",
    "concatenate",
    "dense",
    "divide",
    "dot",
    "dropout",
    "elu",
    "equal",
    "erf",
    "erfc",
    "exp",
    "expand_dims",
    "expm1",
    "full",
    "gelu",
    "greater",
    "greater_equal",
    "identity",
    "leaky_relu",
    "less",
    "less_equal",
    "log",
    "log1p",
    "log_sigmoid",
    "log_softmax",
    "logical_and",
    "logical_not",
    "logical_or",
    "logsumexp",
    "matmul",
    "max",
    "maximum",
    "mean",
    "mean_squared_error",
    "min",
    "minimum",
    "multiply",
    "negative",
    "not_equal",
    "one_hot",
    "ones",
    "ones_like",
    "power",
    "reciprocal",
    "relu",
    "reshape",
    "sigmoid",
    "sigmoid_cross_entropy",
    "sign",
    "silu",
    "slice",
    "softmax",
    "softmax_cross_entropy",
    "softplus",
    "sparse_categorical_cross_entropy",
    "sparse_softmax_cross_entropy",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "take",
    "tanh",
    "transpose",
    "var",
    "where",
    "zeros",
    "zeros_like",
]

__getattr__ = missing(__name__, __all__)

Axis = int | tuple[int, ...] | None


# Each of the ops below has one result.
_one: Callable[..., Tensor] = apply


def _axes(axis: Axis) -> dict[str, Any]:
    return {"all_axes": True} if axis is None else {"axes": axis}


def _axis(where: str, axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ArgumentError(where, "axis", f"an axis in [{-ndim}, {ndim})", repr(axis))
    return axis % ndim


# ---- elementwise, one operand --------------------------------------------------------------------


def identity(x: Any) -> Tensor:
    """Return the same elements: ``y = x``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Notes
    -----
    The gradient passes unchanged. The exactness rewrites of `fusegrad.jit` do not look through it.

    Examples
    --------
    >>> identity([1.0])
    Tensor([1.], dtype=float32)
    """
    return _one("identity", (x,))


def cast(x: Any, dtype: Any) -> Tensor:
    """Return the elements as `dtype`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    dtype : str or numpy.dtype
        float32, float64, int32, int64, uint8 or bool.

    Returns
    -------
    Tensor
        Shape of `x`, of `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For another dtype.

    Notes
    -----
    Floats to integers drop the fraction; NaN and what int32 or int64 cannot hold become its most
    negative value. To uint8, and from int64 to int32, the low bits are kept. All but 0 is true. The
    gradient is cast back; none passes through integers and booleans.

    Examples
    --------
    >>> cast([1.7, -1.7], "int32")
    Tensor([ 1, -1], dtype=int32)
    """
    return _one("cast", (x,), dtype=dtype)


def negative(x: Any) -> Tensor:
    """Return ``-x``.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    Integers wrap around: the most negative one is its own negative.

    Examples
    --------
    >>> negative([1.0, -2.0])
    Tensor([-1.,  2.], dtype=float32)
    """
    return _one("negative", (x,))


def abs(x: Any) -> Tensor:
    """Return ``|x|``.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    The derivative at 0 is 0. Integers wrap around as in `negative`.

    Examples
    --------
    >>> abs([1.0, -2.0])
    Tensor([1., 2.], dtype=float32)
    """
    return _one("abs", (x,))


def sign(x: Any) -> Tensor:
    """Return -1, 0 or 1 with the sign of `x`.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    0 at 0 and -0, NaN at NaN. The derivative is 0 everywhere.

    Examples
    --------
    >>> sign([3.0, 0.0, -2.0])
    Tensor([ 1.,  0., -1.], dtype=float32)
    """
    return _one("sign", (x,))


def square(x: Any) -> Tensor:
    """Return ``x * x``.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is uint8 or bool.

    Notes
    -----
    The derivative is ``2 * x``. Integers wrap around.

    Examples
    --------
    >>> square([3, -2])
    Tensor([9, 4], dtype=int64)
    """
    return _one("square", (x,))


def sqrt(x: Any) -> Tensor:
    """Return the square root of `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Correctly rounded; NaN below 0. The derivative ``1 / (2 * sqrt(x))`` is taken as 0 at 0, so that
    no NaN arises there.

    Examples
    --------
    >>> sqrt([4.0, 0.25])
    Tensor([2. , 0.5], dtype=float32)
    """
    return _one("sqrt", (x,))


def reciprocal(x: Any) -> Tensor:
    """Return ``1 / x``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Correctly rounded; infinite at 0, with the sign of the 0. The derivative is ``-y * y``.

    Examples
    --------
    >>> reciprocal([4.0, 0.0])
    Tensor([0.25,  inf], dtype=float32)
    """
    return _one("reciprocal", (x,))


def exp(x: Any) -> Tensor:
    """Return ``e**x``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64; subnormal results are kept.

    Examples
    --------
    >>> exp([0.0, 1.0])
    Tensor([1.       , 2.7182817], dtype=float32)
    """
    return _one("exp", (x,))


def expm1(x: Any) -> Tensor:
    """Return ``e**x - 1``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 1 for float64, near 0 too, where ``exp(x) -
    1`` cancels.

    Examples
    --------
    >>> expm1([1e-10])
    Tensor([1.e-10], dtype=float32)
    """
    return _one("expm1", (x,))


def log(x: Any) -> Tensor:
    """Return the natural logarithm of `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    -inf at 0 and NaN below; the derivative ``1 / x`` is infinite at 0. Within 0.51 units in the
    last place for float32 and 1 for float64.

    Examples
    --------
    >>> log([1.0, 0.0])
    Tensor([  0., -inf], dtype=float32)
    """
    return _one("log", (x,))


def log1p(x: Any) -> Tensor:
    """Return ``log(1 + x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    -inf at -1 and NaN below. Within 0.51 units in the last place for float32 and 1 for float64,
    near 0 too, where ``log(1 + x)`` loses `x`.

    Examples
    --------
    >>> log1p([1e-10])
    Tensor([1.e-10], dtype=float32)
    """
    return _one("log1p", (x,))


def tanh(x: Any) -> Tensor:
    """Return ``(e**x - e**-x) / (e**x + e**-x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Computed as ``-t / (2 + t)`` with ``t = expm1(-2 * abs(x))`` and the sign of `x`: no overflow,
    no cancellation. Within 0.51 units in the last place for float32 and 2 for float64. The
    derivative is ``1 - y**2``.

    Examples
    --------
    >>> tanh([0.0, 1000.0])
    Tensor([0., 1.], dtype=float32)
    """
    return _one("tanh", (x,))


def sigmoid(x: Any) -> Tensor:
    """Return ``1 / (1 + e**-x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Computed from ``e**-abs(x)``, which cannot overflow. Within 0.51 units in the last place for
    float32 and 2 for float64. The derivative is ``y * (1 - y)``.

    Examples
    --------
    >>> sigmoid([0.0, -1000.0])
    Tensor([0.5, 0. ], dtype=float32)
    """
    return _one("sigmoid", (x,))


def log_sigmoid(x: Any) -> Tensor:
    """Return ``log(sigmoid(x)) = -softplus(-x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    It does not become -inf where `sigmoid` underflows to 0. The derivative is ``sigmoid(-x)``.

    Examples
    --------
    >>> log_sigmoid([-1000.0])
    Tensor([-1000.], dtype=float32)
    """
    return _one("log_sigmoid", (x,))


def softplus(x: Any) -> Tensor:
    """Return ``log(1 + e**x)``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Computed as ``max(x, 0) + log1p(e**-abs(x))``, which cannot overflow. Within 0.51 units in the
    last place for float32 and 2 for float64. The derivative is ``sigmoid(x)``.

    Examples
    --------
    >>> softplus([1000.0])
    Tensor([1000.], dtype=float32)
    """
    return _one("softplus", (x,))


def erf(x: Any) -> Tensor:
    """Return the error function, ``2 / sqrt(pi)`` times the integral of ``e**-t**2`` from 0 to `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [-1, 1].

    Notes
    -----
    Within 0.51 units in the last place for float32 and 2 for float64. The derivative is
    ``2 / sqrt(pi) * e**-x**2``.

    Examples
    --------
    >>> erf([0.0, 10.0])
    Tensor([0., 1.], dtype=float32)
    """
    return _one("erf", (x,))


def erfc(x: Any) -> Tensor:
    """Return ``1 - erf(x)``, without the cancellation of that formula for large `x`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64. In [0, 2].

    Notes
    -----
    Within 0.51 units in the last place for float32 and 3 for float64, also where the result is
    subnormal. The derivative is ``-2 / sqrt(pi) * e**-x**2``.

    Examples
    --------
    >>> erfc([0.0, 9.0])
    Tensor([1.0000000e+00, 4.1370317e-37], dtype=float32)
    """
    return _one("erfc", (x,))


def relu(x: Any) -> Tensor:
    """Return ``max(x, 0)``.

    Parameters
    ----------
    x : array_like
        Any shape; float32 or float64.

    Returns
    -------
    Tensor
        Shape and dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` is not floating.

    Notes
    -----
    The derivative at 0 is 0. NaN stays NaN, and -0 becomes 0.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    Tensor([0., 2.], dtype=float32)
    """
    return _one("relu", (x,))


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Return ``x`` where positive, else ``negative_slope * x``.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.
    negative_slope : float, default 0.2
        At least 0.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `negative_slope` is negative or NaN.

    Notes
    -----
    The derivative at 0 is `negative_slope`.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0], 0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return _one("leaky_relu", (x,), scalars=[negative_slope])


def elu(x: Any, alpha: float = 1.0) -> Tensor:
    """Return ``x`` where positive, else ``alpha * (e**x - 1)``.

    D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by
    exponential linear units (ELUs)", ICLR 2016.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.
    alpha : float, default 1.0
        At least 0.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `alpha` is negative or NaN.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 2 for float64. The derivative at 0 is
    `alpha`.

    Examples
    --------
    >>> elu([-1000.0, 2.0], 0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return _one("elu", (x,), scalars=[alpha])


def silu(x: Any) -> Tensor:
    """Return ``x * sigmoid(x)``, also called swish.

    S. Elfwing, E. Uchibe and K. Doya, "Sigmoid-weighted linear units for neural network function
    approximation in reinforcement learning", Neural Networks 107 (2018).

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 2 for float64; ``silu(-inf)`` is -0. The
    derivative is ``s * (1 + x * (1 - s))`` with ``s = sigmoid(x)``.

    Examples
    --------
    >>> silu([0.0, 100.0])
    Tensor([  0., 100.], dtype=float32)
    """
    return _one("silu", (x,))


def gelu(x: Any) -> Tensor:
    """Return ``x * Phi(x)``, with ``Phi(x) = erfc(-x / sqrt(2)) / 2`` the normal distribution.

    D. Hendrycks and K. Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415. The
    approximation with tanh is in `fusegrad.activations.gelu`.

    Parameters
    ----------
    x : array_like
        Any shape and dtype; integers and booleans are converted to float64.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Notes
    -----
    Within 0.51 units in the last place for float32 and 3 for float64, also in the tail of negative
    `x`; ``gelu(-inf)`` is -0. The derivative is ``Phi(x) + x * e**(-x**2 / 2) / sqrt(2 * pi)``.

    Examples
    --------
    >>> gelu([0.0, 100.0])
    Tensor([  0., 100.], dtype=float32)
    """
    return _one("gelu", (x,))


def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """Return ``min(max(x, x_min), x_max)``.

    Parameters
    ----------
    x : array_like
        Any shape; float32, float64, int32 or int64.
    x_min, x_max : array_like or None
        Bounds; None is no bound. Arrays broadcast with `x`.

    Returns
    -------
    Tensor
        Shape and dtype of `x`, promoted with the bounds.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x_min` > `x_max`, both being numbers; `x` is uint8 or bool; shapes do not broadcast.

    Notes
    -----
    With bounds that are Python numbers the gradient passes inside and on them. With arrays it is
    that of `maximum` and `minimum`: half on a bound. Where array bounds cross, `x_max` wins. NaN
    stays NaN.

    Examples
    --------
    >>> clip([-1.0, 0.5, 2.0], 0.0, 1.0)
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    x = as_tensor(x)
    numbers = (int, float, type(None))
    if isinstance(x_min, numbers) and isinstance(x_max, numbers):
        low = -math.inf if x_min is None else float(x_min)
        high = math.inf if x_max is None else float(x_max)
        if x.dtype.kind == "f":
            return _one("clip", (x,), scalars=[low, high])
        if not low <= high:
            raise ArgumentError("clip", "x_max", f"a bound >= x_min = {x_min}", repr(x_max))
    x = x if x_min is None else maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


def logical_not(x: Any) -> Tensor:
    """Return True where the element is 0 or False.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.

    Returns
    -------
    Tensor
        Shape of `x`, bool.

    Notes
    -----
    NaN counts as true. There is no gradient.

    Examples
    --------
    >>> logical_not([True, False])
    Tensor([False,  True], dtype=bool)
    """
    return _one("logical_not", (x,))


# ---- elementwise, two or three operands ----------------------------------------------------------


def add(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 + x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    Integers wrap around.

    Examples
    --------
    >>> add([1.0, 2.0], 1)
    Tensor([2., 3.], dtype=float32)
    """
    return _one("add", (x1, x2))


def subtract(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 - x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    Integers wrap around.

    Examples
    --------
    >>> subtract([1.0, 2.0], 1)
    Tensor([0., 1.], dtype=float32)
    """
    return _one("subtract", (x1, x2))


def multiply(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 * x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    Integers wrap around.

    Examples
    --------
    >>> multiply([1.0, 2.0], 3)
    Tensor([3., 6.], dtype=float32)
    """
    return _one("multiply", (x1, x2))


def divide(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 / x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    True division, also of integers. By 0 it gives an infinity, or NaN for ``0 / 0``.

    Examples
    --------
    >>> divide([1, 2], 4)
    Tensor([0.25, 0.5 ], dtype=float64)
    """
    return _one("divide", (x1, x2))


def power(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 ** x2``.

    Parameters
    ----------
    x1 : array_like
        Base.
    x2 : array_like
        Exponent; its shape broadcasts with that of `x1`.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is not floating. Only the Python numbers 2
        and 2.0 take integers: they mean `square`.

    Notes
    -----
    Special values are those of C's ``pow``: ``x**0`` is 1 for every `x`, also 0 and NaN; ``1**x``
    is 1; negative bases need whole exponents, else the result is NaN. The derivative in `x1` at 0
    is 0 for exponents above 1, 1 for 1, infinite between 0 and 1, and 0 for 0. The derivative in
    `x2` is ``y * log(x1)``: 0 at ``x1 = 0``, NaN for a negative base. Within 0.51 units in the last
    place for float32 and 2 for float64.

    Examples
    --------
    >>> power([2.0, 3.0], 3)
    Tensor([ 8., 27.], dtype=float32)
    """
    if type(x2) in (int, float) and x2 == 2:
        return square(x1)
    return _one("power", (x1, x2))


def maximum(x1: Any, x2: Any) -> Tensor:
    """Return the larger of `x1` and `x2`.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    NaN where either is NaN. Where they are equal, each gets half of the gradient.

    Examples
    --------
    >>> maximum([1.0, 5.0], 3.0)
    Tensor([3., 5.], dtype=float32)
    """
    return _one("maximum", (x1, x2))


def minimum(x1: Any, x2: Any) -> Tensor:
    """Return the smaller of `x1` and `x2`.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; float32, float64, int32 or int64.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, or the promoted dtype is uint8 or bool.

    Notes
    -----
    NaN where either is NaN. Where they are equal, each gets half of the gradient.

    Examples
    --------
    >>> minimum([1.0, 5.0], 3.0)
    Tensor([1., 3.], dtype=float32)
    """
    return _one("minimum", (x1, x2))


def equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 == x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    False where either is NaN. There is no gradient.

    Examples
    --------
    >>> equal([1.0, 2.0], 2.0)
    Tensor([False,  True], dtype=bool)
    """
    return _one("equal", (x1, x2))


def not_equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 != x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    True where either is NaN. There is no gradient.

    Examples
    --------
    >>> not_equal([1.0, 2.0], 2.0)
    Tensor([ True, False], dtype=bool)
    """
    return _one("not_equal", (x1, x2))


def less(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 < x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    False where either is NaN. There is no gradient.

    Examples
    --------
    >>> less([1.0, 2.0], 2.0)
    Tensor([ True, False], dtype=bool)
    """
    return _one("less", (x1, x2))


def less_equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 <= x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    False where either is NaN. There is no gradient.

    Examples
    --------
    >>> less_equal([1.0, 2.0], 2.0)
    Tensor([ True,  True], dtype=bool)
    """
    return _one("less_equal", (x1, x2))


def greater(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 > x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    False where either is NaN. There is no gradient.

    Examples
    --------
    >>> greater([1.0, 2.0], 2.0)
    Tensor([False, False], dtype=bool)
    """
    return _one("greater", (x1, x2))


def greater_equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 >= x2``.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    False where either is NaN. There is no gradient.

    Examples
    --------
    >>> greater_equal([1.0, 2.0], 2.0)
    Tensor([False,  True], dtype=bool)
    """
    return _one("greater_equal", (x1, x2))


def logical_and(x1: Any, x2: Any) -> Tensor:
    """Return whether both of `x1` and `x2` are true.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    Numbers, and NaN, are true unless 0. There is no gradient.

    Examples
    --------
    >>> logical_and([True, False], True)
    Tensor([ True, False], dtype=bool)
    """
    return _one("logical_and", (x1, x2))


def logical_or(x1: Any, x2: Any) -> Tensor:
    """Return whether either of `x1` and `x2` is true.

    Parameters
    ----------
    x1, x2 : array_like
        Shapes that broadcast; any dtype.

    Returns
    -------
    Tensor
        Broadcast shape, bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    Numbers, and NaN, are true unless 0. There is no gradient.

    Examples
    --------
    >>> logical_or([True, False], False)
    Tensor([ True, False], dtype=bool)
    """
    return _one("logical_or", (x1, x2))


def where(condition: Any, x1: Any, x2: Any) -> Tensor:
    """Return `x1` where `condition` is true, else `x2`.

    Parameters
    ----------
    condition : array_like
        Any dtype; all but 0 is true.
    x1, x2 : array_like
        Any dtype. The three shapes broadcast.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype of `x1` and `x2`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast.

    Notes
    -----
    Each element's gradient goes to the operand that it was taken from, the other gets 0. Both are
    evaluated, so an infinite derivative in the branch not taken still makes NaN; change its
    argument with a `where` inside.

    Examples
    --------
    >>> where([True, False], 1.0, [2.0, 3.0])
    Tensor([1., 3.], dtype=float32)
    """
    return _one("where", (condition, x1, x2))


def dropout(x: Any, position: Any, rate: float, seed: int, stream: int) -> Tensor:
    """Return ``x / (1 - rate)`` with elements set to 0 with probability `rate`.

    Parameters
    ----------
    x : array_like
        Shape (rows, ...); integers and booleans are converted to float64.
    position : array_like
        int64, shape (2,): the epoch, and the number of the first row within it.
    rate : float
        In [0, 1]; 1 sets all to 0.
    seed, stream : int
        The key of the random numbers, at least 0.

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `rate` is outside [0, 1], or `position` is not int64 of shape (2,).

    Notes
    -----
    The mask depends on `seed`, `stream`, the epoch, the row's number and the place in the row alone
    (Philox4x32-10), not on batch size or threads; the gradient uses the same mask. `rate` is
    rounded up to a multiple of 2**-24. N. Srivastava et al., "Dropout", JMLR 15 (2014).

    Examples
    --------
    >>> dropout([[1.0, 1.0, 1.0, 1.0]], [0, 0], 0.5, seed=3, stream=0)
    Tensor([[0., 2., 0., 0.]], dtype=float32)
    """
    return _one("dropout", (x, position), scalars=[rate], seed=seed, stream=stream)


# ---- reductions ----------------------------------------------------------------------------------


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum over axes.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x` where floating, else int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice.

    Notes
    -----
    0 for no elements. Floats are added in double precision over 16 lanes in a fixed order and
    rounded once; integers are exact modulo 2**64.

    Examples
    --------
    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([4., 6.], dtype=float32)
    """
    return _one("sum", (x,), keepdims=keepdims, **_axes(axis))


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the arithmetic mean ``sum(x) / n`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    Added and divided in double precision, rounded once.

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=1)
    Tensor([1.5, 3.5], dtype=float32)
    """
    return _one("mean", (x,), keepdims=keepdims, **_axes(axis))


def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the variance ``sum((x - mean(x))**2) / (n - ddof)`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    ddof : float, default 0
        Subtracted from n; 1 gives the unbiased estimate.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice; n, the number of reduced elements, is 0 or not above
        `ddof`.

    Notes
    -----
    Two passes in double precision: the mean, then the squares about it.

    Examples
    --------
    >>> var([1.0, 3.0])
    Tensor(1., dtype=float32)
    """
    return _one("var", (x,), scalars=[ddof], keepdims=keepdims, **_axes(axis))


def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation ``sqrt(var(x))`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    ddof : float, default 0
        Subtracted from n; 1 gives the unbiased estimate.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `var`.

    Notes
    -----
    The gradient is 0 where the deviation is 0, by the convention of `sqrt`.

    Examples
    --------
    >>> std([1.0, 3.0])
    Tensor(1., dtype=float32)
    """
    return sqrt(var(x, axis, ddof, keepdims))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element over axes.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    NaN if any element is. Equal largest elements share the gradient evenly.

    Examples
    --------
    >>> max([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([3., 4.], dtype=float32)
    """
    return _one("max", (x,), keepdims=keepdims, **_axes(axis))


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element over axes.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    NaN if any element is. Equal smallest elements share the gradient evenly.

    Examples
    --------
    >>> min([[1.0, 2.0], [3.0, 4.0]])
    Tensor(1., dtype=float32)
    """
    return _one("min", (x,), keepdims=keepdims, **_axes(axis))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the largest element along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default the index counts all elements in C order.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The axis is out of range, or there is no element to reduce.

    Notes
    -----
    The first of equal elements; the first NaN if there is one. There is no gradient.

    Examples
    --------
    >>> argmax([1.0, 3.0, 4.0])
    Tensor(2, dtype=int64)
    """
    return _one("argmax", (x,), keepdims=keepdims, **_axes(axis))


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index of the smallest element along an axis.

    Parameters
    ----------
    x : array_like
        Any dtype.
    axis : int, optional
        By default the index counts all elements in C order.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        int64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The axis is out of range, or there is no element to reduce.

    Notes
    -----
    The first of equal elements; the first NaN if there is one. There is no gradient.

    Examples
    --------
    >>> argmin([1.0, 3.0, 4.0])
    Tensor(0, dtype=int64)
    """
    return _one("argmin", (x,), keepdims=keepdims, **_axes(axis))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return ``log(sum(e**x))`` over axes.

    Parameters
    ----------
    x : array_like
        Any dtype; integers and booleans are converted to float64.
    axis : int, tuple of int or None, default None
        Axes to reduce; None reduces all.
    keepdims : bool, default False
        Keep the reduced axes with size 1.

    Returns
    -------
    Tensor
        float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range or named twice, or there is no element to reduce.

    Notes
    -----
    Computed in double precision as ``m + log1p(s)``, with m the first largest element and s the sum
    of ``e**(x - m)`` over the others: no overflow. P. Blanchard, D. J. Higham, N. J. Higham,
    "Accurately computing the log-sum-exp and softmax functions", IMA J. Numer. Anal. 41 (2021). In
    float64 digits are lost where m and log1p(s) nearly cancel. The derivative is `softmax`.

    Examples
    --------
    >>> logsumexp([1000.0, 1000.0])
    Tensor(1000.6932, dtype=float32)
    """
    return _one("logsumexp", (x,), keepdims=keepdims, **_axes(axis))


# ---- shapes and indices --------------------------------------------------------------------------


def reshape(x: Any, newshape: int | Sequence[int]) -> Tensor:
    """Return the same elements, in C order, with another shape.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    newshape : int or sequence of int
        One size may be -1: it is what is left.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The number of elements would differ, or more than one size is -1.

    Examples
    --------
    >>> reshape([1, 2, 3, 4], (2, -1))
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return as_tensor(x).reshape(newshape)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Return `x` with its axes in another order.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axes : sequence of int, optional
        Axis i of the result is axis ``axes[i]`` of `x`; reversed by default.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axes` is not a permutation of the axes.

    Examples
    --------
    >>> transpose([[1, 2]]).shape
    (2, 1)
    """
    return as_tensor(x).transpose(axes)


def expand_dims(x: Any, axis: int) -> Tensor:
    """Return `x` with a new axis of size 1.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int
        Its place in the result; -1 is last.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Examples
    --------
    >>> expand_dims([1.0, 2.0], -1).shape
    (2, 1)
    """
    array = as_tensor(x)
    place = _axis("expand_dims", axis, array.ndim + 1)
    return array.reshape((*array.shape[:place], 1, *array.shape[place:]))


def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """Return `x` without axes of size 1.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    axis : int, tuple of int or None, default None
        Axes to remove; None removes all of size 1.

    Returns
    -------
    Tensor
        dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis is out of range, or of another size.

    Examples
    --------
    >>> squeeze([[1.0, 2.0]]).shape
    (2,)
    """
    array = as_tensor(x)
    named = (axis,) if isinstance(axis, int) else axis
    if named is None:
        return array.reshape(tuple(size for size in array.shape if size != 1))
    places = {_axis("squeeze", one, array.ndim) for one in named}
    for place in places:
        if array.shape[place] != 1:
            raise ArgumentError(
                "squeeze", "axis", "axes of size 1", f"axis {place} of {array.shape}"
            )
    return array.reshape(tuple(size for i, size in enumerate(array.shape) if i not in places))


def broadcast_to(x: Any, shape: int | Sequence[int]) -> Tensor:
    """Return `x` repeated to `shape` by NumPy's rules of broadcasting.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    shape : int or sequence of int

    Returns
    -------
    Tensor
        Of `shape`, dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x` does not broadcast to `shape`.

    Notes
    -----
    The gradient is summed over the repeated axes.

    Examples
    --------
    >>> broadcast_to([1, 2], (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    return _one("broadcast_to", (x,), shape=shape)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return arrays joined along an axis that they have.

    Parameters
    ----------
    xs : sequence of array_like
        At least one; shapes that agree except along `axis`.
    axis : int, default 0

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, shapes do not agree, or `axis` is out of range.

    Examples
    --------
    >>> concatenate([[1, 2], [3]])
    Tensor([1, 2, 3], dtype=int64)
    """
    return _one("concatenate", xs, axes=axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return arrays of one shape joined along a new axis.

    Parameters
    ----------
    xs : sequence of array_like
        At least one; all of one shape.
    axis : int, default 0
        Place of the new axis in the result.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no array, shapes differ, or `axis` is out of range.

    Examples
    --------
    >>> stack([[1, 2], [3, 4]])
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return _one("stack", xs, axes=axis)


def slice(
    x: Any, start: Sequence[int], shape: Sequence[int], step: Sequence[int] | None = None
) -> Tensor:
    """Return `shape[i]` elements of each axis i: from `start[i]` on, every `step[i]`-th.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    start : sequence of int
        For each axis, the first index, at least 0.
    shape : sequence of int
        Of the result.
    step : sequence of int, optional
        1 by default; it may be negative, not 0.

    Returns
    -------
    Tensor
        Of `shape`, dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An element lies outside `x`, a step is 0, or the lengths are not the number of axes.

    Notes
    -----
    What ``x[...]`` with slices becomes.

    Examples
    --------
    >>> slice([0, 1, 2, 3], start=(1,), shape=(2,))
    Tensor([1, 2], dtype=int64)
    """
    steps = (1,) * len(start) if step is None else step
    return _one("slice", (x,), start=start, step=steps, shape=shape)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the elements of `x` at `indices` along an axis.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    indices : array_like
        int32, int64 or uint8; negative ones count from the end.
    axis : int, optional
        By default `indices` count all elements in C order.

    Returns
    -------
    Tensor
        Shape of `x` with the axis replaced by the shape of `indices`; dtype of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An index or `axis` is out of range, or `indices` are not integers.

    Notes
    -----
    The gradients of an element that is taken several times are added.

    Examples
    --------
    >>> take([10, 20, 30], [2, 0, -1])
    Tensor([30, 10, 30], dtype=int64)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return _one("take", (x, indices), axes=axis)


def one_hot(x: Any, num_classes: int, dtype: Any = None) -> Tensor:
    """Return 1 at each label along a new last axis, 0 elsewhere.

    Parameters
    ----------
    x : array_like
        Labels in [0, num_classes); int32, int64 or uint8.
    num_classes : int
        At least 1.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Shape of `x` and `num_classes`, of `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A label is out of range, or `x` is not integer.

    Notes
    -----
    There is no gradient.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]], dtype=float32)
    """
    return _one("one_hot", (x,), shape=num_classes, dtype=dtype or floatx())


# ---- linear algebra ------------------------------------------------------------------------------


def matmul(x1: Any, x2: Any, compute_dtype: str | None = None) -> Tensor:
    """Return the matrix product ``y[i, j] = sum_k x1[i, k] * x2[k, j]``.

    Parameters
    ----------
    x1 : array_like
        Shape (..., n, k) or (k,).
    x2 : array_like
        Shape (..., k, m) or (k,). The promoted dtype is floating.
    compute_dtype : {None, "float32", "float64", "bfloat16"}, default None
        "bfloat16" rounds the operands, which must be float32, to bfloat16 as they are multiplied,
        and does so in gradients; the others multiply them as they are.

    Returns
    -------
    Tensor
        By NumPy's rules: (..., n, m), stacks broadcast, and a vector's axis is left out.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The sizes k differ, an operand has no axis, stacks do not broadcast, or both are integers.

    Notes
    -----
    Each element is one chain of fused multiply-adds with k ascending, in blocks of 256 whose sums
    are added in order; it does not depend on strides, threads or instruction set. 0 for ``k = 0``.
    Products of bfloat16 are exact and summed in float32 in another order where the processor has
    instructions for them (AVX512_BF16), and then depend on the instruction set, but not on threads.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    Tensor([[11.]], dtype=float32)
    """
    if compute_dtype is None:
        return _one("matmul", (x1, x2))
    return _one("matmul", (x1, x2), bfloat16=_in_bfloat16("matmul", compute_dtype))


def _in_bfloat16(where: str, compute_dtype: Any) -> bool:
    if compute_dtype not in (None, "float32", "float64", "bfloat16"):
        expected = "None, 'float32', 'float64' or 'bfloat16'"
        raise ArgumentError(where, "compute_dtype", expected, repr(compute_dtype))
    return bool(compute_dtype == "bfloat16")


def dot(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 * x2`` for a scalar operand, else `matmul`.

    Parameters
    ----------
    x1, x2 : array_like
        At most two axes each.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An operand has more than two axes; otherwise as for `multiply` and `matmul`.

    Examples
    --------
    >>> dot([1.0, 2.0], [3.0, 4.0])
    Tensor(11., dtype=float32)
    """
    x1, x2 = as_tensor(x1), as_tensor(x2)
    if x1.ndim == 0 or x2.ndim == 0:
        return multiply(x1, x2)
    if x1.ndim > 2 or x2.ndim > 2:
        raise ArgumentError("dot", "x1, x2", "at most two axes", f"shapes {x1.shape}, {x2.shape}")
    return matmul(x1, x2)


def dense(
    x: Any,
    kernel: Any,
    bias: Any = None,
    activation: str = "linear",
    negative_slope: float = 0.2,
    compute_dtype: str | None = None,
) -> Tensor:
    """Return ``activation(x @ kernel + bias)``.

    Parameters
    ----------
    x : array_like
        Shape (..., inputs); integers and booleans are converted to float64.
    kernel : array_like
        Shape (inputs, outputs).
    bias : array_like, optional
        Shape (outputs,).
    activation : {"linear", "relu", "leaky_relu", "sigmoid", "tanh", "softplus"}, default "linear"
    negative_slope : float, default 0.2
        For "leaky_relu", at least 0.
    compute_dtype : {None, "float32", "float64", "bfloat16"}, default None
        "bfloat16" rounds `x` and `kernel`, which must be float32, to bfloat16 as they are
        multiplied, and does so in gradients; the others multiply them as they are.

    Returns
    -------
    Tensor
        Shape (..., outputs), promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not fit, `activation` is another, or `negative_slope` is negative.

    Notes
    -----
    One kernel, with the bits of `matmul`, `add` and the activation one after the other.

    Examples
    --------
    >>> dense([[1.0, 2.0]], [[3.0], [4.0]], [-20.0], "relu")
    Tensor([[0.]], dtype=float32)
    """
    inputs = [x, kernel] if bias is None else [x, kernel, bias]
    return _one(
        "dense",
        inputs,
        activation=activation,
        scalars=[negative_slope],
        bfloat16=_in_bfloat16("dense", compute_dtype),
    )


# ---- softmax and losses --------------------------------------------------------------------------


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Return ``e**x / sum(e**x)`` along an axis.

    Parameters
    ----------
    x : array_like
        At least one axis; integers and booleans are converted to float64.
    axis : int, default -1

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Computed in double precision around the first largest element m. With s the sum of ``e**(x -
    m)`` over the others it is ``e**(x - m) / (1 + s)``: no overflow, no cancellation. See
    `logsumexp` for the source. Rows of NaN, with +inf, or of -inf only, are NaN.

    Examples
    --------
    >>> softmax([0.0, 0.0])
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _one("softmax", (x,), axes=axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Return ``x - logsumexp(x)`` along an axis.

    Parameters
    ----------
    x : array_like
        At least one axis; integers and booleans are converted to float64.
    axis : int, default -1

    Returns
    -------
    Tensor
        Shape of `x`; float32 for float32, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `axis` is out of range.

    Notes
    -----
    Computed in double precision around the first largest element m. With s the sum of ``e**(x -
    m)`` over the others it is ``(x - m) - log1p(s)``: no overflow, no cancellation. See `logsumexp`
    for the source. Rows of NaN, with +inf, or of -inf only, are NaN.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    Tensor([   -0., -1000.], dtype=float32)
    """
    return _one("log_softmax", (x,), axes=axis)


def softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-sum(labels * log_softmax(logits))`` over the last axis.

    Parameters
    ----------
    labels : array_like
        A distribution for each row, of the shape of the logits; the sum is not checked.
    logits : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Notes
    -----
    A label of 0 adds 0, also where the logit is -inf. The gradient goes to both operands.

    Examples
    --------
    >>> softmax_cross_entropy([[0.0, 1.0]], [[0.0, 1000.0]])
    Tensor([0.], dtype=float32)
    """
    return _one("softmax_cross_entropy", (logits, labels))


def sparse_softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-log_softmax(logits)[label]`` for each row.

    Parameters
    ----------
    labels : array_like
        In [0, classes), of the shape of the logits without the last axis; int32, int64 or uint8.
    logits : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); float32 for float32 logits, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes do not fit, or a label is not an integer or out of range.

    Notes
    -----
    With m the first largest logit and s the sum of ``e**(logits - m)`` over the others, the loss is
    ``(m - logits[label]) + log1p(s)``, and its gradient at a label that is largest ``-s / (1 +
    s)``. A confident, correct row keeps its tiny loss and gradient, which ``log(softmax)`` rounds
    to 0.

    Examples
    --------
    >>> sparse_softmax_cross_entropy([1], [[0.0, 20.0]])
    Tensor([2.0611537e-09], dtype=float32)
    """
    return _one("sparse_softmax_cross_entropy", (logits, labels))


def sigmoid_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-t*log(sigmoid(x)) - (1-t)*log(1-sigmoid(x))``, elementwise.

    Parameters
    ----------
    labels : array_like
        t, in [0, 1], which is not checked; of the shape of the logits.
    logits : array_like
        x, any shape.

    Returns
    -------
    Tensor
        Shape of the logits; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Notes
    -----
    Computed as ``(1-t)*softplus(x) + t*softplus(-x)``, with gradient ``(1-t)*sigmoid(x) -
    t*sigmoid(-x)``: both stay accurate for large logits. The gradient goes to both operands.

    Examples
    --------
    >>> sigmoid_cross_entropy([1.0, 0.0], [1000.0, -1000.0])
    Tensor([0., 0.], dtype=float32)
    """
    return _one("sigmoid_cross_entropy", (logits, labels))


def categorical_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-sum(labels * log(probabilities))`` over the last axis.

    Parameters
    ----------
    labels : array_like
        A distribution for each row, of the shape of the probabilities; the sum is not checked.
    probabilities : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ, or the last axis is empty.

    Notes
    -----
    Rows are divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras's categorical loss;
    the gradient outside of the clip is 0. A row that sums to 0 is NaN. `fusegrad.jit` computes it
    from the logits where the probabilities are a `softmax`.

    Examples
    --------
    >>> categorical_cross_entropy([[0.0, 1.0]], [[0.5, 0.5]])
    Tensor([0.6931472], dtype=float32)
    """
    return _one("categorical_cross_entropy", (probabilities, labels))


def sparse_categorical_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-log(probabilities)[label]`` for each row.

    Parameters
    ----------
    labels : array_like
        In [0, classes), of the shape of the probabilities without the last axis; int32,
        int64 or uint8.
    probabilities : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); float32 for float32 probabilities, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes do not fit, or a label is not an integer or out of range.

    Notes
    -----
    Rows are divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras's categorical loss;
    the gradient outside of the clip is 0. A row that sums to 0 is NaN. `fusegrad.jit` computes it
    from the logits where the probabilities are a `softmax`.

    Examples
    --------
    >>> sparse_categorical_cross_entropy([1], [[0.5, 0.5]])
    Tensor([0.6931472], dtype=float32)
    """
    return _one("sparse_categorical_cross_entropy", (probabilities, labels))


def binary_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-t*log(p) - (1-t)*log(1-p)``, elementwise.

    Parameters
    ----------
    labels : array_like
        t, in [0, 1], which is not checked; of the shape of the probabilities.
    probabilities : array_like
        p, any shape.

    Returns
    -------
    Tensor
        Shape of the probabilities; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Notes
    -----
    p is clipped to [1e-7, 1 - 1e-7], as in Keras; the gradient outside of the clip is 0.
    `fusegrad.jit` computes it from the logits where p is a `sigmoid`.

    Examples
    --------
    >>> binary_cross_entropy([1.0], [0.5])
    Tensor([0.6931472], dtype=float32)
    """
    return _one("binary_cross_entropy", (probabilities, labels))


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return ``mean((y_pred - y_true)**2)`` over the last axis.

    Parameters
    ----------
    y_true, y_pred : array_like
        Of one shape, with a last axis that is not empty.

    Returns
    -------
    Tensor
        Shape without the last axis; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ (nothing is broadcast), or there is no last axis or it is empty.

    Examples
    --------
    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    Tensor([2.], dtype=float32)
    """
    return _one("mean_squared_error", (y_pred, y_true))


# ---- new arrays ----------------------------------------------------------------------------------


def zeros(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 0s.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> zeros(2)
    Tensor([0., 0.], dtype=float32)
    """
    return _full(shape, 0.0, dtype or floatx())


def ones(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return an array of 1s.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> ones(2)
    Tensor([1., 1.], dtype=float32)
    """
    return _full(shape, 1.0, dtype or floatx())


def full(shape: int | Sequence[int], fill_value: float, dtype: Any = None) -> Tensor:
    """Return an array of one number.

    Parameters
    ----------
    shape : int or sequence of int
        Sizes of at least 0.
    fill_value : float
        A single number.
    dtype : str or numpy.dtype, optional
        By default int64 for an int, bool for a bool, else `config.floatx()`.

    Returns
    -------
    Tensor
        Of `shape` and `dtype`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A size is negative, or for a dtype that there is not.

    Examples
    --------
    >>> full(2, 7)
    Tensor([7, 7], dtype=int64)
    """
    return _full(shape, fill_value, dtype)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 0s with the shape of `x`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> zeros_like([1, 2])
    Tensor([0, 0], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 0, dtype or x.dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Return an array of 1s with the shape of `x`.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype, optional
        That of `x` by default.

    Returns
    -------
    Tensor
        Shape of `x`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For a dtype that there is not.

    Examples
    --------
    >>> ones_like([1, 2])
    Tensor([1, 1], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 1, dtype or x.dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """Return ``start + i * step`` for i = 0, 1, ... as long as it is before `stop`.

    Parameters
    ----------
    start : float
        The first number; the end, and the first is 0, where `stop` is not given.
    stop : float, optional
    step : float, default 1
        Not 0; it may be negative.
    dtype : str or numpy.dtype, optional
        By default int64 where all are integers, else `config.floatx()`.

    Returns
    -------
    Tensor
        One axis of ``ceil((stop - start) / step)`` elements, none where that is negative.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `step` is 0, or a number is infinite or NaN.
    MemoryError
        For more elements than there is memory.

    Examples
    --------
    >>> arange(5, 0, -2)
    Tensor([5, 3, 1], dtype=int64)
    """
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("arange", "step", "a number other than 0", repr(step))
    if not all(map(math.isfinite, (first, last, step))):
        got = repr((first, last, step))
        raise ArgumentError("arange", "start, stop, step", "finite numbers", got)
    count = 0 if (last - first) / step <= 0 else (math.ceil((last - first) / step))
    exact = all(isinstance(value, int) for value in (first, last, step))
    dtype = dtype or ("int64" if exact else floatx())
    # What no memory holds is refused before it is counted up.
    empty((count if count < 1 << 62 else 1 << 62,), dtype)
    return as_tensor([first + i * step for i in range(count)], dtype)
