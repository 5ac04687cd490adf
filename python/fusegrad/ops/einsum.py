"""Sums of products by subscripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.ops._contract import Label, Labels, contract, summed
from fusegrad.ops.matrices import diagonal
from fusegrad.ops.shapes import reshape, transpose
from fusegrad.ops.unary import cast

__all__ = [
    "einsum",
]

# A label is a letter of the subscripts, or -1, -2, ... for an axis of an ellipsis, from its end.
Path = list[tuple[int, ...]]

_SYMBOLS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum(subscripts: Any, *operands: Any, optimize: Any = True) -> Tensor:
    """Return the sum of products that subscripts describe.

    ``"ik,kj->ij"`` is ``y[i, j] = sum_k x1[i, k] * x2[k, j]``.

    Parameters
    ----------
    subscripts : str
        For each operand one letter an axis, between commas; a letter that occurs twice in an
        operand takes its diagonal, ``...`` stands for axes that broadcast. After ``->`` come the
        axes of the result: what is missing there is summed. Without ``->`` they are those letters,
        in alphabetical order, that occur once. NumPy's other form, ``einsum(x1, [0, 1], x2,
        [1, 2], [0, 2])``, with `Ellipsis` in the lists, works as well.
    *operands : array_like
        Any number; the promoted dtype is that of numbers.
    optimize : bool, str or list, default True
        The order in which operands are contracted, two at a time: True or "greedy" for a cheap one,
        "optimal" for the cheapest, False from the left to the right, or a path of
        `numpy.einsum_path`.

    Returns
    -------
    Tensor
        Promoted dtype.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Subscripts that cannot be read or do not fit the operands.

    Notes
    -----
    A contraction of two operands is a `matmul`, or where each element of the result takes one pair
    of vectors only, or for integers, a product and a `sum`: float32 sums are theirs.

    Examples
    --------
    >>> einsum("ij,j->i", [[1.0, 2.0], [3.0, 4.0]], [1.0, 10.0])
    Tensor([21., 43.], dtype=float32)
    >>> einsum("ii", [[1.0, 2.0], [3.0, 4.0]])
    Tensor(5., dtype=float32)
    """
    from numpy import result_type

    if not isinstance(subscripts, str):
        subscripts, operands = _of_lists((subscripts, *operands))
    tensors = [as_tensor(x) for x in operands]
    if isinstance(optimize, list):
        optimize = tuple(optimize)
    terms, result, sizes, path = _plan(subscripts, tuple(x.shape for x in tensors), optimize)
    dtype = result_type(*(x.dtype for x in tensors))
    pairs = [
        _without_stretched(*_diagonals(x if x.dtype == dtype else cast(x, dtype), labels), sizes)
        for x, labels in zip(tensors, terms, strict=True)
    ]
    for chosen in path:
        taken = [pairs[i] for i in sorted(chosen)]
        pairs = [pair for i, pair in enumerate(pairs) if i not in chosen]
        total = taken[0]
        for i, other in enumerate(taken[1:], 2):
            rest = [labels for _, labels in (*pairs, *taken[i:])]
            total = contract(*total, *other, keep=set(result).union(*rest))
        pairs.append(total)
    ((x, labels),) = pairs
    x, labels = summed(x, labels, result)
    return transpose(x, [labels.index(label) for label in result]) if labels != result else x


def _diagonals(x: Tensor, labels: Labels) -> tuple[Tensor, Labels]:
    """Return the elements whose indices for a repeated label are equal, with that label once."""
    if len(set(labels)) == len(labels):
        return x, labels
    for label in [label for label, count in Counter(labels).items() if count > 1]:
        while labels.count(label) > 1:
            i = labels.index(label)
            j = labels.index(label, i + 1)
            x = diagonal(x, axis1=i, axis2=j)
            labels = [*(labels[k] for k in range(x.ndim + 1) if k not in (i, j)), label]
    return x, labels


def _without_stretched(x: Tensor, labels: Labels, sizes: dict[Label, int]) -> tuple[Tensor, Labels]:
    """Leave out axes of size 1 that are longer elsewhere: they broadcast."""
    kept = [(n, label) for n, label in zip(x.shape, labels, strict=True) if n == sizes[label]]
    if len(kept) == len(labels):
        return x, labels
    return reshape(x, [n for n, _ in kept]), [label for _, label in kept]


# ---- subscripts --------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def _plan(
    text: str, shapes: tuple[tuple[int, ...], ...], optimize: Any
) -> tuple[list[Labels], Labels, dict[Label, int], Path]:
    """Return the labels of operands and result, their sizes, and the order of contractions."""
    terms, result = _parsed(text, shapes)
    sizes = _sizes(terms, shapes)
    stretched = [
        {label for label, n in zip(labels, shape, strict=True) if n != sizes[label]}
        for labels, shape in zip(terms, shapes, strict=True)
    ]
    reduced: list[Labels] = [
        [label for label in dict.fromkeys(labels) if label not in left_out]
        for labels, left_out in zip(terms, stretched, strict=True)
    ]
    return terms, result, sizes, _path(reduced, result, sizes, optimize)


def _path(terms: Sequence[Labels], result: Labels, sizes: dict[Label, int], optimize: Any) -> Path:
    """Return the places of the operands that are contracted next; the product comes last."""
    if len(terms) < 3 and not isinstance(optimize, tuple):
        return [tuple(range(len(terms)))]
    from numpy import broadcast_to, einsum_path, float32

    if len(sizes) > len(_SYMBOLS):
        raise ArgumentError("einsum", "subscripts", "at most 52 axes", str(len(sizes)))
    names = dict(zip(sizes, _SYMBOLS, strict=False))
    kept = {label for labels in terms for label in labels}
    outputs = "".join(names[label] for label in result if label in kept)
    written = ",".join("".join(names[label] for label in labels) for labels in terms)
    shapes = [broadcast_to(float32(0), [sizes[label] for label in labels]) for labels in terms]
    chosen = list(optimize) if isinstance(optimize, tuple) else optimize
    try:
        path = einsum_path(f"{written}->{outputs}", *shapes, optimize=chosen)[0]
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        expected = "what numpy.einsum_path takes"
        raise ArgumentError("einsum", "optimize", expected, repr(optimize)) from error
    return list(path[1:])


def _parsed(text: str, shapes: Sequence[tuple[int, ...]]) -> tuple[list[Labels], Labels]:
    """Return the labels of each operand and of the result."""
    text = "".join(text.split())
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    for term in (*terms, output):
        letters = term.replace("...", "", 1)
        if not all(letter in _SYMBOLS for letter in letters):
            expected = "letters, ',', '->' and one '...' an operand"
            raise ArgumentError("einsum", "subscripts", expected, repr(text))
    if len(terms) != len(shapes):
        expected = f"subscripts of {len(terms)} operands, as {text!r} has"
        raise ArgumentError("einsum", "operands", expected, str(len(shapes)))
    labels = [_labels(text, term, len(shape)) for term, shape in zip(terms, shapes, strict=True)]
    dotted = [label for term in labels for label in term if isinstance(label, int)]
    axes: Labels = list(range(min(dotted, default=0), 0))
    if not arrow:
        counts = Counter(letter for term in terms for letter in term.replace("...", ""))
        return labels, [*axes, *sorted(letter for letter, n in counts.items() if n == 1)]
    if axes and "..." not in output:
        expected = "'...' in the result where operands have axes for it"
        raise ArgumentError("einsum", "subscripts", expected, repr(text))
    before, dots, after = output.partition("...")
    result: Labels = [*before, *(axes if dots else []), *after]
    known = {label for term in labels for label in term}
    for label in result:
        if label not in known or result.count(label) > 1:
            expected = "letters of the operands, each once, after '->'"
            raise ArgumentError("einsum", "subscripts", expected, repr(text))
    return labels, result


def _labels(text: str, term: str, ndim: int) -> Labels:
    before, dots, after = term.partition("...")
    rest = ndim - len(before) - len(after)
    if rest < 0 or (rest > 0 and not dots):
        expected = f"subscripts of {ndim} axes for an operand that has so many"
        raise ArgumentError("einsum", "subscripts", expected, f"{term!r} in {text!r}")
    return [*before, *range(-rest, 0), *after]


def _sizes(terms: Sequence[Labels], shapes: Sequence[tuple[int, ...]]) -> dict[Label, int]:
    """Return the size of each label; an axis of size 1 broadcasts."""
    sizes: dict[Label, int] = {}
    for labels, shape in zip(terms, shapes, strict=True):
        own: dict[Label, int] = {}
        for label, n in zip(labels, shape, strict=True):
            known = sizes.get(label, 1)
            if own.setdefault(label, n) != n or (n != known and 1 not in (n, known)):
                name = "'...'" if isinstance(label, int) else f"'{label}'"
                got = f"{own[label] if own[label] != n else known} and {n}"
                raise ArgumentError("einsum", "operands", f"one size for {name}", got)
            if n != 1 or label not in sizes:
                sizes[label] = n
    return sizes


def _of_lists(arguments: Sequence[Any]) -> tuple[str, tuple[Any, ...]]:
    """Return subscripts and operands of the form x1, list1, x2, list2, ..., [list of result]."""
    count = len(arguments) // 2

    def text(items: Any) -> str:
        try:
            return "".join("..." if i is Ellipsis else _SYMBOLS[_index(i)] for i in items)
        except (AttributeError, TypeError, IndexError):
            expected = "lists of integers in [0, 52) and Ellipsis after the operands, or a string"
            raise ArgumentError("einsum", "subscripts", expected, repr(items)) from None

    if count == 0:
        raise ArgumentError("einsum", "subscripts", "a string", repr(arguments))
    written = ",".join(text(arguments[2 * i + 1]) for i in range(count))
    if len(arguments) % 2:
        written += "->" + text(arguments[-1])
    return written, tuple(arguments[0 : 2 * count : 2])


def _index(i: Any) -> int:
    place = i.__index__()
    if place < 0:
        raise IndexError(place)
    return int(place)
