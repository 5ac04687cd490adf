"""`grad` and `value_and_grad`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from fusegrad._spelling import missing
from fusegrad._tensor import (
    Tape,
    Tensor,
    as_tensor,
    current_builder,
    gradient,
    has_floating_dtype,
    identity,
)
from fusegrad.errors import ArgumentError
from fusegrad.transforms.trees import (
    DIFFERENTIATED,
    NESTED,
    checked_argnums,
    checked_function,
    fill,
    floating_tensor,
    floating_tensors,
    leaves,
    positions_of,
    recording,
    tree_map,
)

__all__ = ["grad", "value_and_grad"]

__getattr__ = missing(__name__, __all__)


def grad(
    fun: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the gradient of `fun`.

    Parameters
    ----------
    fun : callable
        Returns a floating scalar; with `has_aux` a pair of that and anything else.
    argnums : int or tuple of int, default 0
        The positional arguments to differentiate with respect to: floating arrays, or nested
        tuples, lists and dicts of them.
    has_aux : bool, default False
        Whether `fun` returns a pair.

    Returns
    -------
    callable
        With the arguments of `fun`. Its result has the structure of the argument, or is a tuple
        of such for several `argnums`; with `has_aux` a pair of that and the second result.

    Raises
    ------
    fusegrad.errors.ArgumentError
        When called: `fun` returns no floating scalar, or an argument is not floating.

    Examples
    --------
    >>> from fusegrad import ops
    >>> import numpy as np
    >>> grad(lambda x: ops.sum(x * x))(np.array([1.0, 2.0]))
    Tensor([2., 4.], dtype=float64)
    >>> grad(lambda pair: pair[0] * pair[1])([2.0, 3.0])
    [Tensor(3., dtype=float32), Tensor(2., dtype=float32)]
    """
    both = _differentiated(fun, argnums, has_aux, "grad")

    @functools.wraps(fun)
    def gradient_of(*args: Any, **kwargs: Any) -> Any:
        result, gradients = both(args, kwargs)
        return (gradients, result[1]) if has_aux else gradients

    return gradient_of


def value_and_grad(
    fun: Callable[..., Any], argnums: int | tuple[int, ...] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes `fun` and its gradient.

    Parameters
    ----------
    fun, argnums, has_aux
        As for `grad`.

    Returns
    -------
    callable
        With the arguments of `fun`; returns a pair of its result (with `has_aux` the pair that
        `fun` returned) and the gradient as `grad` gives it.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `grad`.

    Examples
    --------
    >>> value_and_grad(lambda x: x * x)(3.0)
    (Tensor(9., dtype=float32), Tensor(6., dtype=float32))
    """
    both = _differentiated(fun, argnums, has_aux, "value_and_grad")

    @functools.wraps(fun)
    def value_and_gradient_of(*args: Any, **kwargs: Any) -> Any:
        return both(args, kwargs)

    return value_and_gradient_of


def _differentiated(
    fun: Callable[..., Any], argnums: int | tuple[int, ...], has_aux: bool, where: str
) -> Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, Any]]:
    checked_function(where, fun)
    argnums = checked_argnums(where, "argnums", argnums)

    def both(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        positions = positions_of(where, argnums, args)
        plain = not any(isinstance(args[i], NESTED) for i in positions)
        convert = floating_tensor if plain else floating_tensors
        inputs = [convert(where, "argnums", args[i], DIFFERENTIATED, i) for i in positions]
        # Within another grad or a trace, the rules are recorded there: so gradients nest.
        if current_builder() is not None:
            with recording():
                return record(args, kwargs, positions, inputs, plain, gradient)
        with Tape() as tape:
            return record(args, kwargs, positions, inputs, plain, tape.finish)

    def record(
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        positions: list[int],
        inputs: list[Any],
        plain: bool,
        gradient: Callable[[Tensor, list[Tensor]], list[Tensor]],
    ) -> tuple[Any, Any]:
        watched = [identity(x) if plain else tree_map(identity, x) for x in inputs]
        arguments = list(args)
        for i, position in enumerate(positions):
            arguments[position] = watched[i]
        result = fun(*arguments, **kwargs)
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(where, "has_aux", "a function that returns a pair", repr(result))
        value = checked_scalar(where, result[0] if has_aux else result)
        if plain:
            gradients = tuple(gradient(value, watched))
        else:
            found = iter(gradient(value, leaves(watched)))
            gradients = tuple([fill(tree, found) for tree in watched])
        chosen = gradients[0] if isinstance(argnums, int) else gradients
        return ((value, result[1]) if has_aux else value), chosen

    return both


def checked_scalar(where: str, value: Any) -> Tensor:
    """Return what a function that is differentiated returned, a floating scalar."""
    if type(value) is Tensor:
        tensor = value
    elif isinstance(value, float) or hasattr(value, "__fusegrad_tensor__"):
        tensor = as_tensor(value)
    else:
        raise ArgumentError(where, "fun", "a function that returns a scalar", repr(value))
    if tensor.ndim != 0 or not has_floating_dtype(tensor):
        raise ArgumentError(
            where,
            "fun",
            "a function that returns a floating scalar (ops.sum or ops.mean make one)",
            f"a result of shape {tensor.shape} and dtype {tensor.dtype}",
        )
    return tensor
