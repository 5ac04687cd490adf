"""Vectorising functions: `vmap`, with JAX's name and meaning.

A function written for one example is traced once; each op then runs for all examples at once, by
its batch rule, with the bits that it has for each alone.

Examples
--------
>>> import numpy as np
>>> import fusegrad as fg
>>> fg.vmap(fg.ops.dot, in_axes=(None, 0))(np.array([1.0, 2.0]), np.eye(2))
Tensor([1., 2.], dtype=float64)
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from fusegrad._spelling import missing
from fusegrad._tensor import ExampleTrace, Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.transforms.trees import leaves as leaves_of
from fusegrad.transforms.trees import tree_map

__all__ = ["vmap"]

__getattr__ = missing(__name__, __all__)

_SAME = -1  # the axis of what is the same for all examples


def vmap(fun: Callable[..., Any], in_axes: Any = 0, out_axes: Any = 0) -> Callable[..., Any]:
    """Return `fun` for a batch: a function of one example, called on many at once.

    ``vmap(fun)(xs)`` has the elements, bit for bit, of ``ops.stack([fun(x) for x in xs])``.

    Parameters
    ----------
    fun : callable
        Takes and returns arrays, and nested tuples, lists and dicts of them. It is traced: it must
        not look at elements, and assigns to no `Variable`.
    in_axes : int, None, or nested tuples, lists and dicts of these, default 0
        Which axis of each positional argument counts the examples; None: every example gets the
        whole argument, which may then be anything. A tuple has an entry for each argument; where an
        argument is nested, its entry is one for all of it or nested likewise. Arguments given by
        name are mapped along axis 0.
    out_axes : int, None, or nested tuples, lists and dicts of these, default 0
        Where each result has the axis that counts the examples. None: the result is the same for
        each and is given once.

    Returns
    -------
    callable
        With the arguments of `fun`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        When called: axes do not fit the arguments or results, or say that nothing is mapped; sizes
        of mapped axes differ; a result is no array; `out_axes` is None for a result that differs
        between examples; `fun` uses an op that has no batching rule, such as an optimizer's update,
        or assigns to a Variable.
    TypeError
        When called: `fun` reads the elements of a mapped argument.

    Notes
    -----
    The function is traced at each call, so what it finds in closures is as it is now;
    ``jit(vmap(fun))`` traces once. It composes with `grad`, `value_and_grad`, `jit` and itself, in
    any order, and `fun` may use values that are being differentiated or traced outside. Random ops
    such as dropout draw the same numbers for each example.

    Examples
    --------
    The gradient of each example, not their sum:

    >>> import numpy as np
    >>> from fusegrad import grad, ops
    >>> w, x = np.array([1.0, 2.0]), np.array([[1.0, 0.0], [3.0, 1.0]])
    >>> vmap(grad(lambda w, x: (w @ x) ** 2), in_axes=(None, 0))(w, x)
    Tensor([[ 2.,  0.],
            [30., 10.]], dtype=float64)
    """
    if not callable(fun):
        raise ArgumentError("vmap", "fun", "a function", repr(fun))
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or _is_axis(in_axes) or isinstance(in_axes, tuple)):
        expected = "an int, None, or a tuple with an entry for each argument"
        raise ArgumentError("vmap", "in_axes", expected, repr(in_axes))

    @functools.wraps(fun)
    def vectorized(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            expected = f"an entry for each of the {len(args)} positional arguments"
            raise ArgumentError("vmap", "in_axes", expected, f"{len(in_axes)} entries")
        axes = [
            *_matched("in_axes", in_axes, args, "args"),
            *([0] * len(leaves_of(kwargs))),
        ]
        mapped = _Mapped()
        names = [*_names(args, ""), *_names(kwargs, "")]
        leaves = [
            mapped.checked(name, leaf, axis)
            for name, leaf, axis in zip(names, leaves_of((args, kwargs)), axes, strict=True)
        ]
        size = mapped.size
        with ExampleTrace() as trace:
            examples = iter(
                [leaf.of(trace) if isinstance(leaf, _Leaf) else leaf for leaf in leaves]
            )
            inputs, named = tree_map(lambda _: next(examples), (args, kwargs))
            result = fun(*inputs, **named)
            structure = tree_map(_result, result)
            places = _matched("out_axes", out_axes, structure, "result")
            for leaf, axis in zip(leaves_of(structure), places, strict=True):
                if not trace.output(leaf, _place("out_axes", "result", leaf.ndim + 1, axis)):
                    expected = "an axis for each result that differs by example"
                    raise ArgumentError("vmap", "out_axes", expected, repr(axis))
        outputs = iter(trace.run(size))
        return tree_map(lambda _: next(outputs), structure)

    return vectorized


class _Leaf:
    """A mapped argument: what counts its examples."""

    __slots__ = ("axis", "tensor")

    def __init__(self, tensor: Tensor, axis: int) -> None:
        self.tensor = tensor
        self.axis = axis

    def of(self, trace: ExampleTrace) -> Tensor:
        return trace.input(self.tensor, self.axis)


class _Mapped:
    """The number of examples, and the argument that said so first."""

    def __init__(self) -> None:
        self._first: str | None = None
        self._size = 0

    @property
    def size(self) -> int:
        if self._first is None:
            expected = "an axis of at least one array"
            raise ArgumentError("vmap", "in_axes", expected, "none that is mapped")
        return self._size

    def checked(self, name: str, leaf: Any, axis: int | None) -> Any:
        """Return an argument as it is where it is not mapped, else as a `_Leaf`."""
        if axis is None:
            return leaf
        try:
            tensor = as_tensor(leaf)
        except ArgumentError as error:
            expected = f"an array as {name}, which is mapped (in_axes=None is for all else)"
            raise ArgumentError("vmap", "args", expected, error.got) from None
        place = _place("in_axes", name, tensor.ndim, axis)
        size = tensor.shape[place]
        if self._first is None:
            self._first, self._size = f"axis {axis} of {name}", size
        elif size != self._size:
            raise ArgumentError(
                "vmap",
                "args",
                f"{self._size} examples in each mapped argument, as along {self._first}",
                f"{size} along axis {axis} of {name}",
            )
        return _Leaf(tensor, place)


def _is_axis(axis: Any) -> bool:
    return hasattr(axis, "__index__") and not isinstance(axis, bool | Tensor)


def _place(argument: str, name: str, ndim: int, axis: int | None) -> int:
    """Return an axis counted from the front; `_SAME` for None."""
    if axis is None:
        return _SAME
    if not -ndim <= axis < ndim:
        expected = f"an axis in [{-ndim}, {ndim}) of {name}"
        if ndim == 0:
            expected = f"None for {name}, which has no axes"
        raise ArgumentError("vmap", argument, expected, repr(axis))
    return axis % ndim


def _matched(argument: str, axes: Any, tree: Any, name: str) -> list[int | None]:
    """Return an axis for each leaf of `tree`, of axes that are nested like it or less deep."""
    if axes is None or _is_axis(axes):
        return [axes if axes is None else axes.__index__()] * len(leaves_of(tree))
    if isinstance(axes, dict):
        if isinstance(tree, dict) and axes.keys() == tree.keys():
            return [
                axis
                for key, value in tree.items()
                for axis in _matched(argument, axes[key], value, f"{name}[{key!r}]")
            ]
    elif isinstance(axes, list | tuple):
        if isinstance(tree, list | tuple) and len(axes) == len(tree):
            return [
                axis
                for i, (part, value) in enumerate(zip(axes, tree, strict=True))
                for axis in _matched(argument, part, value, f"{name}[{i}]")
            ]
    else:
        raise ArgumentError("vmap", argument, "axes: ints and None, nested", repr(axes))
    kind = f"a {type(tree).__name__}"
    if isinstance(tree, dict | list | tuple):
        kind += f" of {len(tree)}"
    raise ArgumentError("vmap", argument, f"axes that are nested as {name}, {kind}", repr(axes))


def _names(tree: Any, name: str) -> Iterator[str]:
    """Yield how the leaves of the arguments are called, in the order of `leaves_of`."""
    if tree is None:
        return
    if isinstance(tree, dict | list | tuple):
        items = tree.items() if isinstance(tree, dict) else enumerate(tree)
        for key, value in items:
            yield from _names(value, f"{name}[{key!r}]" if name else f"argument {key}")
    else:
        yield name


def _result(leaf: Any) -> Tensor:
    try:
        return as_tensor(leaf)
    except ArgumentError as error:
        raise ArgumentError("vmap", "fun", "a function that returns arrays", error.got) from None
