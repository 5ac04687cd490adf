"""Nested containers: tuples, lists, dicts and namedtuples of leaves. None holds no leaf."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fusegrad._spelling import missing
from fusegrad._tensor import Tape, Tensor, as_tensor, current_builder, has_floating_dtype
from fusegrad.errors import ArgumentError

__all__ = [
    "DIFFERENTIATED",
    "NESTED",
    "assembler",
    "checked_argnums",
    "checked_function",
    "cotangents_of",
    "fill",
    "floating_tensor",
    "floating_tensors",
    "leaves",
    "leaves_like",
    "positions_of",
    "recording",
    "tensors",
    "tree_map",
    "zeros_like",
]

__getattr__ = missing(__name__, __all__)


_CONTAINERS = (dict, list, tuple)
#: The types of what is no leaf.
NESTED = (*_CONTAINERS, type(None))
#: What an argument is, in errors.
DIFFERENTIATED = "as argument {}, which is differentiated"


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return `tree` with `function` applied to its leaves."""
    if tree is None:
        return None
    if not isinstance(tree, _CONTAINERS):
        return function(tree)
    if isinstance(tree, dict):
        return {key: tree_map(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(tree_map(function, value) for value in tree))
    return type(tree)(tree_map(function, value) for value in tree)


def leaves(tree: Any) -> list[Any]:
    """Return the leaves of `tree` in the order in which `tree_map` meets them."""
    found: list[Any] = []
    tree_map(found.append, tree)
    return found


def fill(tree: Any, values: Iterable[Any]) -> Any:
    """Return `tree` with its leaves replaced by `values` in order."""
    rest = iter(values)
    return tree_map(lambda _: next(rest), tree)


def assembler(tree: Any) -> Callable[[Sequence[Any]], Any]:
    """Return the function that puts the items of a sequence where `tree` has their indices."""
    if isinstance(tree, int):
        return operator.itemgetter(tree)
    if type(tree) is tuple and len(tree) > 1:
        if all(type(part) is int for part in tree):
            return operator.itemgetter(*tree)
        parts = [assembler(part) for part in tree]
        return lambda items: tuple([part(items) for part in parts])
    return lambda items: tree_map(items.__getitem__, tree)


def leaves_like(where: str, argument: str, tree: Any, like: Any) -> list[Any]:
    """Return the leaves of `tree` in the order of `like`, which has the same structure.

    None in place of a part of `like` is None for each of its leaves.
    """
    if tree is None:
        return [None] * len(leaves(like))
    keys: Iterable[Any]
    if isinstance(like, dict):
        same = isinstance(tree, dict) and tree.keys() == like.keys()
        keys = like
    elif isinstance(like, list | tuple):
        same = isinstance(tree, list | tuple) and len(tree) == len(like)
        same = same and isinstance(tree, tuple) == isinstance(like, tuple)
        keys = range(len(like))
    else:
        same, keys = not isinstance(tree, dict | list | tuple), ()
        if same and like is not None:
            return [tree]
    if not same or like is None:
        shape = tree_map(lambda _: "*", like)
        raise ArgumentError(where, argument, f"the structure {shape!r}", f"{tree!r:.200}")
    return [leaf for key in keys for leaf in leaves_like(where, argument, tree[key], like[key])]


def tensors(where: str, argument: str, tree: Any) -> Any:
    """Return `tree` with its leaves as Tensors."""

    return tree_map(lambda leaf: _tensor_of(where, argument, leaf), tree)


def _tensor_of(where: str, argument: str, leaf: Any) -> Tensor:
    """Return an array as a Tensor; errors name the function that the user called."""
    try:
        return as_tensor(leaf)
    except ArgumentError as error:
        raise ArgumentError(where, argument, error.expected, error.got) from None


def floating_tensors(where: str, argument: str, tree: Any, what: str, position: int = 0) -> Any:
    """Return `tree` with its leaves as floating Tensors."""
    return tree_map(lambda leaf: floating_tensor(where, argument, leaf, what, position), tree)


def floating_tensor(where: str, argument: str, leaf: Any, what: str, position: int = 0) -> Tensor:
    """Return an array as a floating Tensor.

    `what` says in errors what it is; it may have a place for the number `position`.
    """
    tensor = _tensor_of(where, argument, leaf)
    if not has_floating_dtype(tensor):
        got = f"dtype {tensor.dtype} (write 3.0 for 3, or cast it)"
        raise ArgumentError(where, argument, f"floating arrays {what.format(position)}", got)
    return tensor


def cotangents_of(
    where: str, argument: str, tree: Any, like: Any, names: str = "result"
) -> list[Tensor | None]:
    """Return the leaves of `tree` as Tensors of the shapes and dtypes of those of `like`."""
    result: list[Tensor | None] = []
    for leaf, target in zip(leaves_like(where, argument, tree, like), leaves(like), strict=True):
        if leaf is None:
            result.append(None)
            continue
        tensor = _tensor_of(where, argument, leaf)
        if tensor.shape != target.shape:
            expected = f"shape {target.shape}, as that of the {names}"
            raise ArgumentError(where, argument, expected, f"shape {tensor.shape}")
        if tensor.dtype.kind not in "fi":
            raise ArgumentError(where, argument, "floating arrays", f"dtype {tensor.dtype}")
        result.append(as_tensor(leaf, target.dtype))
    return result


def zeros_like(x: Tensor) -> Tensor:
    """Return zeros that depend on nothing."""
    return as_tensor(np.zeros(x.shape, x.dtype))


def checked_argnums(where: str, argument: str, argnums: Any) -> int | tuple[int, ...]:
    """Return positions of arguments as an int or a tuple of ints, or raise ArgumentError."""
    if isinstance(argnums, tuple | list) and all(map(_is_position, argnums)):
        return tuple(map(int, argnums))
    if not _is_position(argnums):
        raise ArgumentError(where, argument, "an int or a tuple of ints", repr(argnums))
    return int(argnums)


def _is_position(number: Any) -> bool:
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def positions_of(
    where: str, argnums: int | tuple[int, ...], args: tuple[Any, ...], argument: str = "argnums"
) -> list[int]:
    """Return `argnums`, as `checked_argnums` gives them, as positions counted from the front."""
    numbers = (argnums,) if isinstance(argnums, int) else argnums
    count = len(args)
    positions = [number + count if number < 0 else number for number in numbers]
    for position in positions:
        if not 0 <= position < count:
            expected = "indices of positional arguments"
            got = f"{argnums!r} in a call with {count}"
            raise ArgumentError(where, argument, expected, got)
    if len(positions) > 1 and len(set(positions)) != len(positions):
        raise ArgumentError(where, argument, "distinct arguments", repr(argnums))
    return positions


def checked_function(where: str, fun: Any) -> None:
    """Raise ArgumentError where `fun` cannot be called."""
    if not callable(fun):
        raise ArgumentError(where, "fun", "a function", repr(fun))


@contextmanager
def recording() -> Iterator[None]:
    """Record what follows: on what is being recorded already, or on a tape of its own."""
    recorder = current_builder()
    if recorder is None:
        with Tape():
            yield
    elif isinstance(recorder, Tape) and recorder.readable:
        recorder.readable = False  # within a custom rule, whose elements may be looked at
        try:
            yield
        finally:
            recorder.readable = True
    else:
        yield
