"""Products with the Jacobian and the Hessian: `vjp`, `jvp`, `hvp`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from fusegrad._spelling import missing
from fusegrad._tensor import (
    Hold,
    Tape,
    Tensor,
    current_builder,
    detached,
    gradients,
    identity,
)
from fusegrad.errors import ArgumentError
from fusegrad.transforms.gradients import checked_scalar
from fusegrad.transforms.trees import (
    checked_function,
    cotangents_of,
    fill,
    floating_tensors,
    leaves,
    recording,
    tensors,
    tree_map,
    zeros_like,
)

__all__ = ["hvp", "jvp", "vjp"]

__getattr__ = missing(__name__, __all__)


def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """Return `fun` at `primals`, and a function of products with its Jacobian from the left.

    Parameters
    ----------
    fun : callable
        Returns floating arrays, or nested tuples, lists and dicts of them; with `has_aux` a pair of
        that and anything else.
    *primals : array_like, or nested containers of such
        The arguments of `fun`, floating.
    has_aux : bool, default False
        Whether `fun` returns a pair.

    Returns
    -------
    value
        What `fun` returned.
    vjp_fun : callable
        ``vjp_fun(cotangent)`` is ``cotangent^T J``, a tuple with one part for each of `primals`.
        The cotangent has the structure and shapes of `value`. It can be called any number of times,
        also later, and be differentiated itself. It keeps what the gradient rules need.
    aux
        With `has_aux`: the second part of the pair.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An argument or a result is not floating; when `vjp_fun` is called: the cotangent has another
        structure or shape.
    RuntimeError
        `vjp_fun` is called after the `grad` or `jit` in which `vjp` was called.

    Examples
    --------
    >>> from fusegrad import ops
    >>> import numpy as np
    >>> x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    >>> value, vjp_fun = vjp(lambda x, y: x * ops.sum(y), x, y)
    >>> value
    Tensor([ 7., 14.], dtype=float64)
    >>> vjp_fun(np.array([1.0, 0.0]))
    (Tensor([7., 0.], dtype=float64), Tensor([1., 1.], dtype=float64))
    """
    inputs = _primals("vjp", fun, primals)
    if current_builder() is not None:
        with recording():
            watched = tree_map(identity, inputs)
            value, aux = called("vjp", fun, watched, has_aux)
        returned, hold = value, None
    else:
        tape = Tape()
        hold = Hold(tape)
        with tape:
            watched = tree_map(identity, inputs)
            value, aux = called("vjp", fun, watched, has_aux)
            returned, aux = tree_map(_plain, value), tree_map(_plain, aux)

    def vjp_fun(cotangent: Any) -> tuple[Any, ...]:
        seeds = cotangents_of("vjp_fun", "cotangent", cotangent, value)
        _ = hold  # keeps the tape as long as this function
        ys, xs = leaves(value), leaves(watched)
        with recording():
            return tuple(fill(watched, _weighted(ys, seeds, xs)))

    return (returned, vjp_fun, aux) if has_aux else (returned, vjp_fun)


def jvp(
    fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False
) -> Any:
    """Return `fun` at `primals`, and the product of its Jacobian with `tangents`.

    The product is ``J v``: the derivative along `tangents`. It is derived from the gradient rules,
    as the derivative of ``u^T J`` with respect to ``u``, and so is right for every op that has one.

    Parameters
    ----------
    fun : callable
        Returns floating arrays, or nested tuples, lists and dicts of them; with `has_aux` a pair of
        that and anything else.
    primals : tuple or list
        The arguments of `fun`: floating arrays, or nested containers of them.
    tangents : tuple or list
        Of the structure and shapes of `primals`. None stands for zeros.
    has_aux : bool, default False
        Whether `fun` returns a pair.

    Returns
    -------
    value
        What `fun` returned.
    tangent
        Of its structure, shapes and dtypes.
    aux
        With `has_aux`: the second part of the pair.

    Raises
    ------
    fusegrad.errors.ArgumentError
        An argument or a result is not floating, or the tangents have another structure or shape.

    Examples
    --------
    >>> from fusegrad import ops
    >>> jvp(ops.square, (3.0,), (1.0,))
    (Tensor(9., dtype=float32), Tensor(6., dtype=float32))
    """
    inputs = _primals("jvp", fun, primals)
    along = cotangents_of("jvp", "tangents", _as_tuple(tangents), inputs, "primals")
    with recording():
        watched = tree_map(identity, inputs)
        value, aux = called("jvp", fun, watched, has_aux)
        ys = leaves(value)
        weights = [identity(zeros_like(y)) for y in ys]
        linear = gradients(ys, leaves(watched), weights)
        tangent = fill(value, _weighted(linear, along, weights))
    return (value, tangent, aux) if has_aux else (value, tangent)


def hvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """Return the product of the Hessian of `fun` with `tangents`: ``grad(grad(fun) . v)``.

    Parameters
    ----------
    fun : callable
        Returns a floating scalar.
    primals, tangents
        As for `jvp`.

    Returns
    -------
    product
        Of the structure of the only argument, or a tuple with one part for each of `primals`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `fun` returns no floating scalar; and as for `jvp`.

    Examples
    --------
    >>> from fusegrad import ops
    >>> import numpy as np
    >>> hvp(lambda x: ops.sum(x**3), (np.array([1.0, 2.0]),), (np.array([1.0, 0.0]),))
    Tensor([6., 0.], dtype=float64)
    """
    inputs = _primals("hvp", fun, primals)
    along = cotangents_of("hvp", "tangents", _as_tuple(tangents), inputs, "primals")
    with recording():
        watched = tree_map(identity, inputs)
        xs = leaves(watched)
        first = gradients([checked_scalar("hvp", fun(*watched))], xs, [None])
        product = tuple(fill(watched, _weighted(first, along, xs)))
    return product[0] if len(product) == 1 else product


def called(
    where: str, fun: Callable[..., Any], inputs: Sequence[Any], has_aux: bool
) -> tuple[Any, Any]:
    """Return what `fun` returns, as floating Tensors, and its second result."""
    result = fun(*inputs)
    if has_aux:
        if not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(where, "has_aux", "a function that returns a pair", repr(result))
        result, aux = result
    else:
        aux = None
    value = tensors(where, "fun", result)
    for leaf in leaves(value):
        if leaf.dtype.kind != "f":
            expected = "a function that returns floating arrays (has_aux=True hands others through)"
            raise ArgumentError(where, "fun", expected, f"a result of dtype {leaf.dtype}")
    return value, aux


def _primals(where: str, fun: Any, primals: Any) -> tuple[Any, ...]:
    checked_function(where, fun)
    if not isinstance(primals, list | tuple):
        expected = "a tuple with one part for each argument, such as (x,)"
        raise ArgumentError(where, "primals", expected, f"{primals!r:.200}")
    return tuple(
        floating_tensors(where, f"primals[{i}]", tree, "to differentiate")
        for i, tree in enumerate(primals)
    )


def _as_tuple(tangents: Any) -> Any:
    return tuple(tangents) if isinstance(tangents, list) else tangents


def _plain(leaf: Any) -> Any:
    return detached(leaf) if isinstance(leaf, Tensor) else leaf


def _weighted(
    ys: Sequence[Tensor | None], weights: Sequence[Tensor | None], xs: Sequence[Tensor]
) -> list[Tensor]:
    """Return the gradients of the sum of the ys by their weights; None stands for zeros."""
    pairs = [(y, w) for y, w in zip(ys, weights, strict=True) if y is not None and w is not None]
    found = gradients([y for y, _ in pairs], xs, [w for _, w in pairs])
    return [zeros_like(x) if g is None else g for g, x in zip(found, xs, strict=True)]
