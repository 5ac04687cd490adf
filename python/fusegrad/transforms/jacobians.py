"""Whole matrices of derivatives: `jacobian`, `jacrev`, `jacfwd`, `hessian`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._spelling import missing
from fusegrad._tensor import (
    ExampleTrace,
    GraphHandle,
    Hold,
    Tape,
    Tensor,
    as_tensor,
    current_builder,
    gradients,
    identity,
    in_current_trace,
)
from fusegrad.transforms.products import called
from fusegrad.transforms.trees import (
    DIFFERENTIATED,
    checked_argnums,
    checked_function,
    fill,
    floating_tensors,
    leaves,
    positions_of,
    recording,
    tree_map,
    zeros_like,
)

__all__ = ["hessian", "jacfwd", "jacobian", "jacrev"]

__getattr__ = missing(__name__, __all__)

Argnums = int | tuple[int, ...]


def jacobian(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `fun`.

    It goes row by row (`jacrev`), or column by column (`jacfwd`) where there are fewer columns:
    elements of the arguments than of the result.

    Parameters
    ----------
    fun : callable
        Returns a floating array, or nested tuples, lists and dicts of such; with `has_aux` a pair
        of that and anything else.
    argnums : int or tuple of int, default 0
        The positional arguments to differentiate with respect to: floating arrays, or nested
        containers of them.
    has_aux : bool, default False
        Whether `fun` returns a pair.

    Returns
    -------
    callable
        With the arguments of `fun`. Its result has the structure of that of `fun`, where each leaf
        is replaced by the structure of the argument, or a tuple of such for several `argnums`. The
        leaves are arrays of shape ``y.shape + x.shape``: ``[i, j] = dy_i / dx_j``. With `has_aux` a
        pair of that and the second result.

    Raises
    ------
    fusegrad.errors.ArgumentError
        When called: an argument or a result is not floating.

    Examples
    --------
    >>> import numpy as np
    >>> jacobian(lambda x: x**2)(np.array([1.0, 2.0]))
    Tensor([[2., 0.],
            [0., 4.]], dtype=float64)
    """
    return _jacobian("jacobian", fun, argnums, has_aux, None)


def jacrev(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `fun` row by row, in reverse mode.

    Parameters
    ----------
    fun, argnums, has_aux
        As for `jacobian`.

    Returns
    -------
    callable
        As for `jacobian`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> jacrev(lambda x: {"double": 2 * x})(np.float64(3.0))
    {'double': Tensor(2., dtype=float64)}
    """
    return _jacobian("jacrev", fun, argnums, has_aux, True)


def jacfwd(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Jacobian of `fun` column by column, in forward mode.

    Parameters
    ----------
    fun, argnums, has_aux
        As for `jacobian`.

    Returns
    -------
    callable
        As for `jacobian`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> jacfwd(lambda x: x * np.array([1.0, 2.0, 3.0]))(2.0)
    Tensor([1., 2., 3.], dtype=float64)
    """
    return _jacobian("jacfwd", fun, argnums, has_aux, False)


def hessian(
    fun: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """Return a function that computes the Hessian of `fun`: the Jacobian of its gradient.

    Parameters
    ----------
    fun, argnums, has_aux
        As for `jacobian`.

    Returns
    -------
    callable
        With the arguments of `fun`. Its result has the structure of that of `fun`, then that of the
        argument twice, with arrays of shape ``y.shape + x1.shape + x2.shape``. With `has_aux` a
        pair of that and the second result.

    Raises
    ------
    fusegrad.errors.ArgumentError
        As for `jacobian`.

    Examples
    --------
    >>> import numpy as np
    >>> hessian(lambda x: x[0] ** 2 * x[1])(np.array([3.0, 5.0]))
    Tensor([[10.,  6.],
            [ 6.,  0.]], dtype=float64)
    """
    first = _jacobian("hessian", fun, argnums, has_aux, None)
    return _jacobian("hessian", first, argnums, has_aux, None)


def _jacobian(
    where: str, fun: Callable[..., Any], argnums: Argnums, has_aux: bool, by_rows: bool | None
) -> Callable[..., Any]:
    checked_function(where, fun)
    argnums = checked_argnums(where, "argnums", argnums)

    @functools.wraps(fun)
    def jacobian_of(*args: Any, **kwargs: Any) -> Any:
        positions = positions_of(where, argnums, args)
        inputs = [floating_tensors(where, "argnums", args[i], DIFFERENTIATED, i) for i in positions]
        watched: list[Any] = []

        def at(*differentiated: Any) -> Any:
            arguments = list(args)
            for position, tree in zip(positions, differentiated, strict=True):
                arguments[position] = tree
            return fun(*arguments, **kwargs)

        def record() -> tuple[Any, Any, list[Tensor], list[Tensor | None]]:
            watched.extend(tree_map(identity, tree) for tree in inputs)
            value, aux = called(where, at, watched, has_aux)
            ys, xs = leaves(value), leaves(watched)
            rows = by_rows
            if rows is None:
                rows = sum(y.size for y in ys) <= sum(x.size for x in xs)
            if rows:
                return value, aux, [], []
            weights = [identity(zeros_like(y)) for y in ys]
            return value, aux, weights, gradients(ys, xs, weights)

        # What is recorded once is differentiated once for each row or column, by a tape that is
        # forgotten then; or on what is being recorded. A trace has one pass for all of them.
        hold = None
        recorder = current_builder()
        if isinstance(recorder, GraphHandle):
            value, aux, blocks = _traced(record, watched)
        elif recorder is None:
            tape = Tape()
            hold = Hold(tape)
            with tape:
                value, aux, weights, linear = record()
            blocks = _blocks(leaves(value), leaves(watched), weights, linear)
        else:
            with recording():
                value, aux, weights, linear = record()
            blocks = _blocks(leaves(value), leaves(watched), weights, linear)
        del hold
        structure = tuple(watched) if not isinstance(argnums, int) else watched[0]
        found = iter(blocks)
        result = tree_map(lambda _: fill(structure, found), value)
        return (result, aux) if has_aux else result

    return jacobian_of


def _traced(record: Callable[[], Any], watched: list[Any]) -> tuple[Any, Any, list[Tensor]]:
    """Record a function, and its derivatives with all unit vectors as the examples of a batch.

    Returns its result, of which the shapes count; its auxiliary result; and the blocks.
    """
    with ExampleTrace() as trace:
        value, aux, weights, linear = record()
        ys, xs = leaves(value), leaves(watched)
        known = [i for i, g in enumerate(linear) if g is not None]
        basis = _unit_vectors(xs if weights else ys)
        seeds = [trace.input(vectors, 0) for vectors in basis]
        if weights:
            outputs = [linear[i] for i in known]
            found = gradients(outputs, weights, [seeds[i] for i in known]) if known else []
        else:
            found = gradients(ys, xs, seeds)
        kept = [leaf for leaf in leaves(aux) if isinstance(leaf, Tensor) and in_current_trace(leaf)]
        for x in kept:
            trace.output(x, -1)
        for each in found:
            if each is not None:
                trace.output(each, 0)
    results = iter(trace.run(basis[0].shape[0] if basis else 0))
    plain = {id(x): next(results) for x in kept}
    aux = tree_map(lambda leaf: plain.get(id(leaf), leaf), aux)
    whole = [None if each is None else next(results) for each in found]
    if not weights:
        return value, aux, _parts(whole, ys, xs)
    by_x = _parts(whole or [None] * len(ys), xs, ys)
    blocks = []
    for j, y in enumerate(ys):
        for i, x in enumerate(xs):
            part = ops.reshape(by_x[i * len(ys) + j], (x.size, y.size))
            blocks.append(ops.reshape(ops.transpose(part), (*y.shape, *x.shape)))
    return value, aux, blocks


def _unit_vectors(arrays: Sequence[Tensor]) -> list[Tensor]:
    """Return the unit vectors of all elements of the arrays, as arrays of the shape of each."""
    sizes = [x.size for x in arrays]
    basis, first, result = np.eye(sum(sizes)), 0, []
    for x, size in zip(arrays, sizes, strict=True):
        part = basis[:, first : first + size].astype(x.dtype)
        result.append(as_tensor(part.reshape((len(basis), *x.shape))))
        first += size
    return result


def _parts(
    whole: Sequence[Tensor | None], ys: Sequence[Tensor], xs: Sequence[Tensor]
) -> list[Tensor]:
    """Return the blocks y.shape + x.shape of arrays whose first axis counts the elements of ys."""
    blocks, first = [], 0
    for y in ys:
        for x, rows in zip(xs, whole, strict=True):
            shape = (*y.shape, *x.shape)
            if rows is None:
                blocks.append(as_tensor(np.zeros(shape, x.dtype)))
            else:
                blocks.append(ops.reshape(rows[first : first + y.size], shape))
        first += y.size
    return blocks


def _blocks(
    ys: Sequence[Tensor],
    xs: Sequence[Tensor],
    weights: Sequence[Tensor],
    linear: Sequence[Tensor | None],
) -> list[Tensor]:
    return _columns(ys, xs, weights, linear) if weights else _rows(ys, xs)


def _rows(ys: Sequence[Tensor], xs: Sequence[Tensor]) -> list[Tensor]:
    """Return the blocks y.shape + x.shape, those of one y one after another."""
    blocks: list[Tensor] = []
    for y in ys:
        rows: list[list[Tensor | None]] = []
        for seed in units(y):
            with recording():
                rows.append(gradients([y], xs, [seed]))
        blocks.extend(
            block([row[i] for row in rows], y, x, (*y.shape, *x.shape), 0) for i, x in enumerate(xs)
        )
    return blocks


def _columns(
    ys: Sequence[Tensor],
    xs: Sequence[Tensor],
    weights: Sequence[Tensor],
    linear: Sequence[Tensor | None],
) -> list[Tensor]:
    """The same, from gradients that are linear in `weights`."""
    by_x = []
    for x, g in zip(xs, linear, strict=True):
        columns: list[list[Tensor | None]] = []
        for seed in units(x):
            if g is None:
                columns.append([None] * len(ys))
                continue
            with recording():
                columns.append(gradients([g], weights, [seed]))
        by_x.append(
            [
                block([column[j] for column in columns], x, y, (*y.shape, *x.shape), -1)
                for j, y in enumerate(ys)
            ]
        )
    return [by_x[i][j] for j in range(len(ys)) for i in range(len(xs))]


def units(x: Tensor) -> Iterator[Tensor]:
    """Yield for each element of x an array of its shape that is one there, else zero."""
    for i in range(x.size):
        unit = np.zeros(x.size, x.dtype)
        unit[i] = 1
        yield as_tensor(unit.reshape(x.shape))


def block(
    lines: Sequence[Tensor | None], y: Tensor, x: Tensor, shape: tuple[int, ...], axis: int
) -> Tensor:
    """Return one array of the derivatives of each element of y; None for zeros."""
    if all(line is None for line in lines):
        return as_tensor(np.zeros(shape, x.dtype))
    whole = ops.stack([zeros_like(x) if line is None else line for line in lines], axis)
    return ops.reshape(whole, shape)
