"""Ops that are written in C++ by users."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fusegrad._tensor import add_custom_op, apply

__all__ = ["custom_op"]


def custom_op(capsule: Any) -> Callable[..., Any]:
    """Return the function of an op that an extension module defines in C++.

    Parameters
    ----------
    capsule : PyCapsule
        Holds a ``fusegrad::OpDef`` under the name ``fusegrad::kOpDefCapsule``, which
        ``fusegrad/extension.h`` defines.

    Returns
    -------
    callable
        A function of arrays that returns a Tensor, or a tuple of Tensors where the op has several
        results. It is run, differentiated to any order and compiled as the functions of
        `fusegrad.ops` are. The attributes that the op reads are keywords: ``axes``, ``all_axes``,
        ``shape``, ``start``, ``step``, ``scalars``, ``seed``, ``stream``, ``dtype``,
        ``activation``, ``keepdims``, ``transpose_a``, ``transpose_b``, ``flag``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Something else, or the capsule of an extension that was built for another version of
        fusegrad's headers.

    Examples
    --------
    >>> custom_op("cube")
    Traceback (most recent call last):
        ...
    fusegrad.errors.ArgumentError: custom_op(): argument 'capsule': expected a PyCapsule ...
    """
    name = add_custom_op(capsule)

    def function(*operands: Any, **attributes: Any) -> Any:
        return apply(name, operands, **attributes)

    function.__name__ = function.__qualname__ = name.partition(" ")[0]
    function.__doc__ = f"Return the result of the custom op '{function.__name__}'."
    return function
