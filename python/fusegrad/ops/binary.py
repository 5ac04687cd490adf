"""Elementwise functions of two or three operands: arithmetic, comparisons, choice."""

from __future__ import annotations

import math
from typing import Any, overload

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import of_two, one
from fusegrad.ops.unary import square

__all__ = [
    "add",
    "clip",
    "copysign",
    "divide",
    "equal",
    "greater",
    "greater_equal",
    "less",
    "less_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "maximum",
    "minimum",
    "multiply",
    "not_equal",
    "power",
    "subtract",
    "where",
]


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
            return one("clip", (x,), scalars=[low, high])
        if not low <= high:
            raise ArgumentError("clip", "x_max", f"a bound >= x_min = {x_min}", repr(x_max))
    x = x if x_min is None else maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


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
    return of_two("add", x1, x2)


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
    return of_two("subtract", x1, x2)


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
    return of_two("multiply", x1, x2)


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
    return of_two("divide", x1, x2)


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
    return of_two("power", x1, x2)


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
    return of_two("maximum", x1, x2)


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
    return of_two("minimum", x1, x2)


def copysign(x1: Any, x2: Any) -> Tensor:
    """Return the absolute value of `x1` with the sign of `x2`.

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
    Exact; the sign of -0 and NaN counts. The derivative in `x1` is 1 where the signs are the same,
    else -1, and 0 at 0; in `x2` it is 0.

    Examples
    --------
    >>> copysign([1.0, -2.0], [-0.0, 3.0])
    Tensor([-1.,  2.], dtype=float32)
    """
    return of_two("copysign", x1, x2)


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
    return of_two("equal", x1, x2)


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
    return of_two("not_equal", x1, x2)


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
    return of_two("less", x1, x2)


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
    return of_two("less_equal", x1, x2)


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
    return of_two("greater", x1, x2)


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
    return of_two("greater_equal", x1, x2)


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
    return of_two("logical_and", x1, x2)


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
    return of_two("logical_or", x1, x2)


def logical_xor(x1: Any, x2: Any) -> Tensor:
    """Return whether one of `x1` and `x2` is true, and the other is not.

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
    >>> logical_xor([True, False], True)
    Tensor([False,  True], dtype=bool)
    """
    return of_two("logical_xor", x1, x2)


@overload
def where(condition: Any) -> tuple[Tensor, ...]: ...
@overload
def where(condition: Any, x1: Any, x2: Any) -> Tensor: ...
def where(condition: Any, x1: Any = None, x2: Any = None) -> Any:
    """Return `x1` where `condition` is true, else `x2`.

    Parameters
    ----------
    condition : array_like
        Any dtype; all but 0 is true.
    x1, x2 : array_like, optional
        Any dtype. The three shapes broadcast. Without both, the result is ``nonzero(condition)``.

    Returns
    -------
    Tensor
        Broadcast shape, promoted dtype of `x1` and `x2`; a tuple of index arrays without both.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Shapes do not broadcast, one of `x1` and `x2` is missing, or both are in a trace.

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
    if x1 is None and x2 is None:
        from fusegrad.ops.indexing import nonzero

        return nonzero(condition)
    if x1 is None or x2 is None:
        argument = "x1" if x1 is None else "x2"
        raise ArgumentError("where", argument, "an array, as the other one, or neither", "None")
    return one("where", (condition, x1, x2))
