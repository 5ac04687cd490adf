"""Functions of arrays: NumPy's names and signatures, and what neural networks need besides.

Every function takes Tensors, Variables, NumPy arrays, numbers and nested lists, broadcasts and
promotes dtypes as NumPy does (NEP 50: Python numbers adapt to arrays), and returns a Tensor.
All can be differentiated with `fusegrad.grad` where they have a derivative, and traced by
`fusegrad.jit`. Integers become float64 where a result is not an integer.

All raise `fusegrad.errors.ArgumentError`, a ValueError, for operands that do not fit together and
for dtypes that they are not defined for.

Examples
--------
>>> from fusegrad import ops
>>> ops.maximum([1.0, -2.0], 0.0)
Tensor([1., 0.], dtype=float32)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from typing import cast as _typed

from fusegrad._tensor import Tensor, apply, as_tensor
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
    "equal",
    "exp",
    "expand_dims",
    "expm1",
    "full",
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

Axis = int | tuple[int, ...] | None


def _one(name: str, inputs: Sequence[Any], **attributes: Any) -> Tensor:
    return _typed(Tensor, apply(name, inputs, **attributes))


def _axes(axis: Axis) -> dict[str, Any]:
    return {"all_axes": True} if axis is None else {"axes": axis}


def _axis(where: str, axis: int, ndim: int) -> int:
    if not -ndim <= axis < ndim:
        raise ArgumentError(where, "axis", f"an axis in [{-ndim}, {ndim})", repr(axis))
    return axis % ndim


# ---- elementwise, one operand --------------------------------------------------------------------


def identity(x: Any) -> Tensor:
    """Return the same elements; the gradient passes through unchanged.

    Examples
    --------
    >>> identity([1.0])
    Tensor([1.], dtype=float32)
    """
    return _one("identity", [x])


def cast(x: Any, dtype: Any) -> Tensor:
    """Return the elements as `dtype`; floating to integer drops the fraction.

    Parameters
    ----------
    x : array_like
    dtype : str or numpy.dtype
        float32, float64, int32, int64, uint8 or bool.

    Raises
    ------
    fusegrad.errors.ArgumentError
        For another dtype.

    Examples
    --------
    >>> cast([1.7, -1.7], "int32")
    Tensor([ 1, -1], dtype=int32)
    """
    return _one("cast", [x], dtype=dtype)


def negative(x: Any) -> Tensor:
    """Return ``-x``.

    Examples
    --------
    >>> negative([1.0, -2.0])
    Tensor([-1.,  2.], dtype=float32)
    """
    return _one("negative", [x])


def abs(x: Any) -> Tensor:
    """Return ``|x|``; the derivative at 0 is 0.

    Examples
    --------
    >>> abs([1.0, -2.0])
    Tensor([1., 2.], dtype=float32)
    """
    return _one("abs", [x])


def sign(x: Any) -> Tensor:
    """Return -1, 0 or 1; the derivative is 0.

    Examples
    --------
    >>> sign([3.0, 0.0, -2.0])
    Tensor([ 1.,  0., -1.], dtype=float32)
    """
    return _one("sign", [x])


def square(x: Any) -> Tensor:
    """Return ``x * x``.

    Examples
    --------
    >>> square([3, -2])
    Tensor([9, 4], dtype=int64)
    """
    return _one("square", [x])


def sqrt(x: Any) -> Tensor:
    """Return the square root, correctly rounded; the derivative at 0 is 0.

    Examples
    --------
    >>> sqrt([4.0, 0.25])
    Tensor([2. , 0.5], dtype=float32)
    """
    return _one("sqrt", [x])


def reciprocal(x: Any) -> Tensor:
    """Return ``1 / x``.

    Examples
    --------
    >>> reciprocal([4.0])
    Tensor([0.25], dtype=float32)
    """
    return _one("reciprocal", [x])


def exp(x: Any) -> Tensor:
    """Return ``e**x``.

    Examples
    --------
    >>> exp([0.0])
    Tensor([1.], dtype=float32)
    """
    return _one("exp", [x])


def expm1(x: Any) -> Tensor:
    """Return ``e**x - 1``, exact near 0.

    Examples
    --------
    >>> expm1([0.0])
    Tensor([0.], dtype=float32)
    """
    return _one("expm1", [x])


def log(x: Any) -> Tensor:
    """Return the natural logarithm; -inf at 0, NaN below.

    Examples
    --------
    >>> log([1.0, 0.0])
    Tensor([  0., -inf], dtype=float32)
    """
    return _one("log", [x])


def log1p(x: Any) -> Tensor:
    """Return ``log(1 + x)``, exact near 0.

    Examples
    --------
    >>> log1p([0.0])
    Tensor([0.], dtype=float32)
    """
    return _one("log1p", [x])


def tanh(x: Any) -> Tensor:
    """Return the hyperbolic tangent.

    Examples
    --------
    >>> tanh([0.0])
    Tensor([0.], dtype=float32)
    """
    return _one("tanh", [x])


def sigmoid(x: Any) -> Tensor:
    """Return ``1 / (1 + e**-x)``; it never overflows.

    Examples
    --------
    >>> sigmoid([0.0, -1000.0])
    Tensor([0.5, 0. ], dtype=float32)
    """
    return _one("sigmoid", [x])


def log_sigmoid(x: Any) -> Tensor:
    """Return ``log(sigmoid(x)) = -softplus(-x)``; it never underflows to -inf.

    Examples
    --------
    >>> log_sigmoid([-1000.0])
    Tensor([-1000.], dtype=float32)
    """
    return _one("log_sigmoid", [x])


def softplus(x: Any) -> Tensor:
    """Return ``log(1 + e**x)``; it never overflows.

    Examples
    --------
    >>> softplus([1000.0])
    Tensor([1000.], dtype=float32)
    """
    return _one("softplus", [x])


def relu(x: Any) -> Tensor:
    """Return ``max(x, 0)``; the derivative at 0 is 0.

    Examples
    --------
    >>> relu([-1.0, 2.0])
    Tensor([0., 2.], dtype=float32)
    """
    return _one("relu", [x])


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Tensor:
    """Return ``x`` where positive, else ``negative_slope * x``; the derivative at 0 is the slope.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `negative_slope` is negative.

    Examples
    --------
    >>> leaky_relu([-1.0, 2.0], 0.5)
    Tensor([-0.5,  2. ], dtype=float32)
    """
    return _one("leaky_relu", [x], scalars=[negative_slope])


def clip(x: Any, x_min: Any, x_max: Any) -> Tensor:
    """Return ``min(max(x, x_min), x_max)``; the gradient passes within and on the bounds.

    Parameters
    ----------
    x : array_like
    x_min, x_max : array_like or None
        None is no bound.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `x_min` > `x_max`, both being numbers.

    Examples
    --------
    >>> clip([-1.0, 0.5, 2.0], 0.0, 1.0)
    Tensor([0. , 0.5, 1. ], dtype=float32)
    """
    x = as_tensor(x)
    numbers = (int, float, type(None))
    if x.dtype.kind == "f" and isinstance(x_min, numbers) and isinstance(x_max, numbers):
        low = -math.inf if x_min is None else float(x_min)
        high = math.inf if x_max is None else float(x_max)
        return _one("clip", [x], scalars=[low, high])
    x = x if x_min is None else maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


def logical_not(x: Any) -> Tensor:
    """Return True where the element is 0 or False.

    Examples
    --------
    >>> logical_not([True, False])
    Tensor([False,  True], dtype=bool)
    """
    return _one("logical_not", [x])


# ---- elementwise, two or three operands ----------------------------------------------------------


def add(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 + x2``.

    Examples
    --------
    >>> add([1.0, 2.0], 1)
    Tensor([2., 3.], dtype=float32)
    """
    return _one("add", [x1, x2])


def subtract(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 - x2``.

    Examples
    --------
    >>> subtract([1.0, 2.0], 1)
    Tensor([0., 1.], dtype=float32)
    """
    return _one("subtract", [x1, x2])


def multiply(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 * x2``.

    Examples
    --------
    >>> multiply([1.0, 2.0], 3)
    Tensor([3., 6.], dtype=float32)
    """
    return _one("multiply", [x1, x2])


def divide(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 / x2``; integers give float64.

    Examples
    --------
    >>> divide([1, 2], 4)
    Tensor([0.25, 0.5 ], dtype=float64)
    """
    return _one("divide", [x1, x2])


def power(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 ** x2``; ``x**0`` is 1 for every x. The exponent 2 is `square`.

    Examples
    --------
    >>> power([2.0, 3.0], 3)
    Tensor([ 8., 27.], dtype=float32)
    """
    if type(x2) in (int, float) and x2 == 2:
        return square(x1)
    return _one("power", [x1, x2])


def maximum(x1: Any, x2: Any) -> Tensor:
    """Return the larger; NaN where either is NaN. The gradient of a tie is split evenly.

    Examples
    --------
    >>> maximum([1.0, 5.0], 3.0)
    Tensor([3., 5.], dtype=float32)
    """
    return _one("maximum", [x1, x2])


def minimum(x1: Any, x2: Any) -> Tensor:
    """Return the smaller; NaN where either is NaN. The gradient of a tie is split evenly.

    Examples
    --------
    >>> minimum([1.0, 5.0], 3.0)
    Tensor([1., 3.], dtype=float32)
    """
    return _one("minimum", [x1, x2])


def equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 == x2``, as bool.

    Examples
    --------
    >>> equal([1.0, 2.0], 2.0)
    Tensor([False,  True], dtype=bool)
    """
    return _one("equal", [x1, x2])


def not_equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 != x2``, as bool.

    Examples
    --------
    >>> not_equal([1.0, 2.0], 2.0)
    Tensor([ True, False], dtype=bool)
    """
    return _one("not_equal", [x1, x2])


def less(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 < x2``, as bool.

    Examples
    --------
    >>> less([1.0, 2.0], 2.0)
    Tensor([ True, False], dtype=bool)
    """
    return _one("less", [x1, x2])


def less_equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 <= x2``, as bool.

    Examples
    --------
    >>> less_equal([1.0, 2.0], 2.0)
    Tensor([ True,  True], dtype=bool)
    """
    return _one("less_equal", [x1, x2])


def greater(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 > x2``, as bool.

    Examples
    --------
    >>> greater([1.0, 2.0], 2.0)
    Tensor([False, False], dtype=bool)
    """
    return _one("greater", [x1, x2])


def greater_equal(x1: Any, x2: Any) -> Tensor:
    """Return whether ``x1 >= x2``, as bool.

    Examples
    --------
    >>> greater_equal([1.0, 2.0], 2.0)
    Tensor([False,  True], dtype=bool)
    """
    return _one("greater_equal", [x1, x2])


def logical_and(x1: Any, x2: Any) -> Tensor:
    """Return whether both are true, as bool; numbers are true unless 0.

    Examples
    --------
    >>> logical_and([True, False], True)
    Tensor([ True, False], dtype=bool)
    """
    return _one("logical_and", [x1, x2])


def logical_or(x1: Any, x2: Any) -> Tensor:
    """Return whether either is true, as bool; numbers are true unless 0.

    Examples
    --------
    >>> logical_or([True, False], False)
    Tensor([ True, False], dtype=bool)
    """
    return _one("logical_or", [x1, x2])


def where(condition: Any, x1: Any, x2: Any) -> Tensor:
    """Return `x1` where `condition` is true, else `x2`; the gradient goes where it came from.

    Examples
    --------
    >>> where([True, False], 1.0, [2.0, 3.0])
    Tensor([1., 3.], dtype=float32)
    """
    return _one("where", [condition, x1, x2])


def dropout(x: Any, position: Any, rate: float, seed: int, stream: int) -> Tensor:
    """Return ``x / (1 - rate)`` with a fraction `rate` of the elements set to 0.

    Which elements depends on `seed`, `stream`, `position` and the element's place alone (Philox).
    N. Srivastava et al., "Dropout", JMLR 15 (2014).

    Parameters
    ----------
    x : array_like
        Shape (rows, ...).
    position : array_like
        int64, shape (2,): the epoch, and the number of the first row within it.
    rate : float
        In [0, 1).
    seed, stream : int
        The key of the random numbers.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `rate` is outside [0, 1).

    Examples
    --------
    >>> dropout([[1.0, 1.0]], [0, 0], 0.0, seed=1, stream=1)
    Tensor([[1., 1.]], dtype=float32)
    """
    return _one("dropout", [x, position], scalars=[rate], seed=seed, stream=stream)


# ---- reductions ----------------------------------------------------------------------------------


# `axis` is an int, a tuple of ints, or None for all axes; `keepdims` keeps them with size 1.
# Sums run in float64 over 16 lanes in a fixed order, whatever the layout and the threads.


def sum(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the sum; 0 of no elements. Booleans and small integers are summed in int64.

    Examples
    --------
    >>> sum([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([4., 6.], dtype=float32)
    """
    return _one("sum", [x], keepdims=keepdims, **_axes(axis))


def mean(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the arithmetic mean; an ArgumentError of no elements.

    Examples
    --------
    >>> mean([[1.0, 2.0], [3.0, 4.0]], axis=1)
    Tensor([1.5, 3.5], dtype=float32)
    """
    return _one("mean", [x], keepdims=keepdims, **_axes(axis))


def var(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the variance ``sum((x - mean)**2) / (n - ddof)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        n is not larger than `ddof`.

    Examples
    --------
    >>> var([1.0, 3.0])
    Tensor(1., dtype=float32)
    """
    return _one("var", [x], scalars=[ddof], keepdims=keepdims, **_axes(axis))


def std(x: Any, axis: Axis = None, ddof: float = 0, keepdims: bool = False) -> Tensor:
    """Return the standard deviation ``sqrt(var(x))``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        n is not larger than `ddof`.

    Examples
    --------
    >>> std([1.0, 3.0])
    Tensor(1., dtype=float32)
    """
    return sqrt(var(x, axis, ddof, keepdims))


def max(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the largest element, NaN if any is; ties share the gradient evenly.

    Examples
    --------
    >>> max([[1.0, 2.0], [3.0, 4.0]], axis=0)
    Tensor([3., 4.], dtype=float32)
    """
    return _one("max", [x], keepdims=keepdims, **_axes(axis))


def min(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return the smallest element, NaN if any is; ties share the gradient evenly.

    Examples
    --------
    >>> min([[1.0, 2.0], [3.0, 4.0]])
    Tensor(1., dtype=float32)
    """
    return _one("min", [x], keepdims=keepdims, **_axes(axis))


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index (int64) of the first largest element, or NaN; of all without an axis.

    Examples
    --------
    >>> argmax([1.0, 3.0, 4.0])
    Tensor(2, dtype=int64)
    """
    return _one("argmax", [x], keepdims=keepdims, **_axes(axis))


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Return the index (int64) of the first smallest element, or NaN; of all without an axis.

    Examples
    --------
    >>> argmin([1.0, 3.0, 4.0])
    Tensor(0, dtype=int64)
    """
    return _one("argmin", [x], keepdims=keepdims, **_axes(axis))


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False) -> Tensor:
    """Return ``log(sum(e**x))``; it never overflows.

    Examples
    --------
    >>> logsumexp([1000.0])
    Tensor(1000., dtype=float32)
    """
    return _one("logsumexp", [x], keepdims=keepdims, **_axes(axis))


# ---- shapes and indices --------------------------------------------------------------------------


def reshape(x: Any, newshape: int | Sequence[int]) -> Tensor:
    """Return the same elements, in C order, with another shape; one size may be -1.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The number of elements would differ.

    Examples
    --------
    >>> reshape([1, 2, 3, 4], (2, -1))
    Tensor([[1, 2],
            [3, 4]], dtype=int64)
    """
    return as_tensor(x).reshape(newshape)


def transpose(x: Any, axes: Sequence[int] | None = None) -> Tensor:
    """Return the axes in the order `axes`; reversed by default.

    Examples
    --------
    >>> transpose([[1, 2]]).shape
    (2, 1)
    """
    return as_tensor(x).transpose(axes)


def expand_dims(x: Any, axis: int) -> Tensor:
    """Return `x` with a new axis of size 1 at place `axis` of the result.

    Examples
    --------
    >>> expand_dims([1.0, 2.0], -1).shape
    (2, 1)
    """
    array = as_tensor(x)
    place = _axis("expand_dims", axis, array.ndim + 1)
    return array.reshape((*array.shape[:place], 1, *array.shape[place:]))


def squeeze(x: Any, axis: Axis = None) -> Tensor:
    """Return `x` without the given axes of size 1; without all of them by default.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An axis of another size is named.

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
    """Return `x` repeated to `shape` by the rules of broadcasting.

    Examples
    --------
    >>> broadcast_to([1, 2], (2, 2))
    Tensor([[1, 2],
            [1, 2]], dtype=int64)
    """
    return _one("broadcast_to", [x], shape=shape)


def concatenate(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return arrays joined along an axis that they have; other sizes must agree.

    Examples
    --------
    >>> concatenate([[1, 2], [3]])
    Tensor([1, 2, 3], dtype=int64)
    """
    return _one("concatenate", xs, axes=axis)


def stack(xs: Sequence[Any], axis: int = 0) -> Tensor:
    """Return arrays of one shape joined along a new axis.

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

    The same as ``x[...]`` with slices. A step may be negative.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An element lies outside `x`.

    Examples
    --------
    >>> slice([0, 1, 2, 3], start=(1,), shape=(2,))
    Tensor([1, 2], dtype=int64)
    """
    steps = (1,) * len(start) if step is None else step
    return _one("slice", [x], start=start, step=steps, shape=shape)


def take(x: Any, indices: Any, axis: int | None = None) -> Tensor:
    """Return the elements at `indices` along `axis`; of all in C order without an axis.

    Parameters
    ----------
    x : array_like
    indices : array_like of int
        Negative ones count from the end. Their shape takes the place of the axis.
    axis : int, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        An index is out of range.

    Examples
    --------
    >>> take([10, 20, 30], [2, 0, -1])
    Tensor([30, 10, 30], dtype=int64)
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = x.reshape(-1), 0
    return _one("take", [x, indices], axes=axis)


def one_hot(x: Any, num_classes: int, dtype: Any = None) -> Tensor:
    """Return a last axis of `num_classes`: 1 at the label, 0 elsewhere.

    Parameters
    ----------
    x : array_like of int
        Labels in [0, num_classes).
    num_classes : int
    dtype : str or numpy.dtype, optional
        `config.floatx()` by default.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A label is out of range.

    Examples
    --------
    >>> one_hot([2, 0], 3)
    Tensor([[0., 0., 1.],
            [1., 0., 0.]], dtype=float32)
    """
    return _one("one_hot", [x], shape=num_classes, dtype=dtype or floatx())


# ---- linear algebra ------------------------------------------------------------------------------


def matmul(x1: Any, x2: Any) -> Tensor:
    """Return the matrix product by NumPy's rules for vectors, matrices and stacks of matrices.

    Each element is one chain of fused multiply-adds in ascending order, in blocks of 256.

    Parameters
    ----------
    x1 : array_like
        Shape (..., n, k) or (k,).
    x2 : array_like
        Shape (..., k, m) or (k,).

    Raises
    ------
    fusegrad.errors.ArgumentError
        The sizes k differ, or an operand is a scalar.

    Examples
    --------
    >>> matmul([[1.0, 2.0]], [[3.0], [4.0]])
    Tensor([[11.]], dtype=float32)
    """
    return _one("matmul", [x1, x2])


def dot(x1: Any, x2: Any) -> Tensor:
    """Return ``x1 * x2`` for a scalar operand, else `matmul`; both have at most two axes.

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
    x: Any, kernel: Any, bias: Any = None, activation: str = "linear", negative_slope: float = 0.2
) -> Tensor:
    """Return ``activation(x @ kernel + bias)``, computed at once.

    Parameters
    ----------
    x : array_like
        Shape (..., inputs).
    kernel : array_like
        Shape (inputs, outputs).
    bias : array_like, optional
        Shape (outputs,).
    activation : {"linear", "relu", "leaky_relu", "sigmoid", "tanh", "softplus"}
    negative_slope : float, default 0.2
        For "leaky_relu".

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not fit, or for another activation.

    Examples
    --------
    >>> dense([[1.0, 2.0]], [[3.0], [4.0]], [-20.0], "relu")
    Tensor([[0.]], dtype=float32)
    """
    inputs = [x, kernel] if bias is None else [x, kernel, bias]
    return _one("dense", inputs, activation=activation, scalars=[negative_slope])


# ---- softmax and losses --------------------------------------------------------------------------


def softmax(x: Any, axis: int = -1) -> Tensor:
    """Return ``e**x / sum(e**x)`` along an axis; it never overflows.

    Examples
    --------
    >>> softmax([0.0, 0.0])
    Tensor([0.5, 0.5], dtype=float32)
    """
    return _one("softmax", [x], axes=axis)


def log_softmax(x: Any, axis: int = -1) -> Tensor:
    """Return ``x - logsumexp(x)`` along an axis.

    Examples
    --------
    >>> log_softmax([1000.0, 0.0])
    Tensor([    0., -1000.], dtype=float32)
    """
    return _one("log_softmax", [x], axes=axis)


def softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-sum(labels * log_softmax(logits))`` over the last axis.

    Parameters
    ----------
    labels : array_like
        A distribution for each row, of the shape of the logits.
    logits : array_like
        Shape (..., classes).

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> softmax_cross_entropy([[0.0, 1.0]], [[0.0, 1000.0]])
    Tensor([0.], dtype=float32)
    """
    return _one("softmax_cross_entropy", [logits, labels])


def sparse_softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-log_softmax(logits)[label]`` for each row.

    Parameters
    ----------
    labels : array_like of int
        In [0, classes), of the shape of the logits without the last axis.
    logits : array_like
        Shape (..., classes).

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes do not fit, or a label is out of range.

    Examples
    --------
    >>> sparse_softmax_cross_entropy([1], [[0.0, 1000.0]])
    Tensor([0.], dtype=float32)
    """
    return _one("sparse_softmax_cross_entropy", [logits, labels])


def sigmoid_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-labels*log(sigmoid(logits)) - (1-labels)*log(1-sigmoid(logits))``, elementwise.

    Parameters
    ----------
    labels : array_like
        In [0, 1], of the shape of the logits.
    logits : array_like

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> sigmoid_cross_entropy([1.0, 0.0], [1000.0, -1000.0])
    Tensor([0., 0.], dtype=float32)
    """
    return _one("sigmoid_cross_entropy", [logits, labels])


def categorical_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-sum(labels * log(probabilities))`` over the last axis.

    Parameters
    ----------
    labels : array_like
        A distribution for each row, of the shape of the probabilities.
    probabilities : array_like
        Shape (..., classes); divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> categorical_cross_entropy([[0.0, 1.0]], [[0.5, 0.5]]).shape
    (1,)
    """
    return _one("categorical_cross_entropy", [probabilities, labels])


def sparse_categorical_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-log(probabilities)[label]`` for each row.

    Parameters
    ----------
    labels : array_like of int
        In [0, classes).
    probabilities : array_like
        Shape (..., classes); divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes do not fit, or a label is out of range.

    Examples
    --------
    >>> sparse_categorical_cross_entropy([1], [[0.5, 0.5]]).shape
    (1,)
    """
    return _one("sparse_categorical_cross_entropy", [probabilities, labels])


def binary_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-labels*log(p) - (1-labels)*log(1-p)``, elementwise.

    Parameters
    ----------
    labels : array_like
        In [0, 1], of the shape of the probabilities.
    probabilities : array_like
        Clipped to [1e-7, 1 - 1e-7], as in Keras.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> binary_cross_entropy([1.0], [0.5]).shape
    (1,)
    """
    return _one("binary_cross_entropy", [probabilities, labels])


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return ``mean((y_pred - y_true)**2)`` over the last axis.

    Parameters
    ----------
    y_true, y_pred : array_like
        Of one shape.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ: nothing is broadcast.

    Examples
    --------
    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    Tensor([2.], dtype=float32)
    """
    return _one("mean_squared_error", [y_pred, y_true])


# ---- new arrays ----------------------------------------------------------------------------------


def zeros(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return zeros; of `config.floatx()` by default.

    Examples
    --------
    >>> zeros(2)
    Tensor([0., 0.], dtype=float32)
    """
    return _full(shape, 0.0, dtype or floatx())


def ones(shape: int | Sequence[int], dtype: Any = None) -> Tensor:
    """Return ones; of `config.floatx()` by default.

    Examples
    --------
    >>> ones(2)
    Tensor([1., 1.], dtype=float32)
    """
    return _full(shape, 1.0, dtype or floatx())


def full(shape: int | Sequence[int], fill_value: float, dtype: Any = None) -> Tensor:
    """Return an array of one number; the dtype is that of the number by default.

    Examples
    --------
    >>> full(2, 7)
    Tensor([7, 7], dtype=int64)
    """
    return _full(shape, fill_value, dtype)


def zeros_like(x: Any, dtype: Any = None) -> Tensor:
    """Return zeros of the shape and dtype of `x`.

    Examples
    --------
    >>> zeros_like([1, 2])
    Tensor([0, 0], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 0, dtype or x.dtype)


def ones_like(x: Any, dtype: Any = None) -> Tensor:
    """Return ones of the shape and dtype of `x`.

    Examples
    --------
    >>> ones_like([1, 2])
    Tensor([1, 1], dtype=int64)
    """
    x = as_tensor(x)
    return _full(x.shape, 1, dtype or x.dtype)


def arange(start: float, stop: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """Return ``start + i * step`` below `stop`; from 0 where only one bound is given.

    int64 where all are integers, else `config.floatx()`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `step` is 0.

    Examples
    --------
    >>> arange(3)
    Tensor([0, 1, 2], dtype=int64)
    """
    first, last = (0, start) if stop is None else (start, stop)
    if step == 0:
        raise ArgumentError("arange", "step", "a number other than 0", repr(step))
    count = 0 if (last - first) / step <= 0 else (math.ceil((last - first) / step))
    exact = all(isinstance(value, int) for value in (first, last, step))
    values = [first + i * step for i in range(count)]
    return as_tensor(values, dtype or ("int64" if exact else floatx()))
