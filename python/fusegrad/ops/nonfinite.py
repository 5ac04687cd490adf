"""NaN and infinities: what is one, and what to put in their place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.ops._call import of_one
from fusegrad.ops.binary import equal, where
from fusegrad.ops.unary import identity

__all__ = [
    "isfinite",
    "isinf",
    "isnan",
    "nan_to_num",
]


def isnan(x: Any) -> Tensor:
    """Return whether `x` is NaN.

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
    False for integers and booleans. There is no gradient.

    Examples
    --------
    >>> isnan([1.0, float("inf"), float("nan")])
    Tensor([False, False,  True], dtype=bool)
    """
    return of_one("isnan", x)


def isinf(x: Any) -> Tensor:
    """Return whether `x` is infinite, of either sign.

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
    False for integers and booleans. There is no gradient.

    Examples
    --------
    >>> isinf([1.0, float("inf"), float("nan")])
    Tensor([False,  True, False], dtype=bool)
    """
    return of_one("isinf", x)


def isfinite(x: Any) -> Tensor:
    """Return whether `x` is neither infinite nor NaN.

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
    True for integers and booleans. There is no gradient.

    Examples
    --------
    >>> isfinite([1.0, float("inf"), float("nan")])
    Tensor([ True, False, False], dtype=bool)
    """
    return of_one("isfinite", x)


def nan_to_num(
    x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Tensor:
    """Return `x` with numbers in place of NaN and infinities.

    Parameters
    ----------
    x : array_like
        Any shape and dtype.
    nan : float, default 0.0
        In place of NaN.
    posinf, neginf : float, optional
        In place of infinity and minus infinity; the largest and the most negative number of the
        dtype by default.

    Returns
    -------
    Tensor
        Shape and dtype of `x`; integers and booleans as they are.

    Notes
    -----
    The derivative is 1 where `x` is finite and 0 elsewhere.

    Examples
    --------
    >>> nan_to_num([1.0, float("nan"), float("inf")], posinf=9.0)
    Tensor([1., 0., 9.], dtype=float32)
    """
    x = as_tensor(x)
    if x.dtype.kind != "f":
        return identity(x)
    largest = float(np.finfo(x.dtype).max)
    y = where(isnan(x), nan, x)
    y = where(equal(x, math.inf), largest if posinf is None else posinf, y)
    return where(equal(x, -math.inf), -largest if neginf is None else neginf, y)
