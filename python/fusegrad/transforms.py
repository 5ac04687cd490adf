"""Transforms of functions: `grad`, `value_and_grad`, `jit`, with JAX's names and meanings.

Arguments and results may be nested tuples, lists and dicts of arrays.

Examples
--------
>>> import fusegrad as fg
>>> fg.grad(lambda x: x**3)(2.0)
Tensor(12., dtype=float32)
>>> fg.grad(fg.grad(lambda x: x**3))(2.0)
Tensor(12., dtype=float32)
"""

from __future__ import annotations

import functools
import itertools
import operator
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import (
    Tape,
    Tensor,
    as_tensor,
    current_builder,
    gradient,
    has_floating_dtype,
    identity,
)
from fusegrad.config import floatx
from fusegrad.errors import ArgumentError

__all__ = ["Jitted", "Lowered", "grad", "jit", "value_and_grad"]

__getattr__ = missing(__name__, __all__)

_MAX_PROGRAMS = 128  # kept by one jitted function


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
    numbers = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not callable(fun):
        raise ArgumentError(where, "fun", "a function", repr(fun))

    def both(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
        count = len(args)
        positions = [number + count if number < 0 else number for number in numbers]
        for position in positions:
            if not 0 <= position < count:
                expected = f"indices of the {count} positional arguments"
                raise ArgumentError(where, "argnums", expected, repr(argnums))
        plain = not any(isinstance(args[position], _NESTED) for position in positions)
        check = _checked_input if plain else _checked_inputs
        inputs = [check(where, position, args[position]) for position in positions]
        # Within another grad or a trace, the rules are recorded there: so gradients nest.
        if current_builder() is not None:
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
        watched = [identity(x) if plain else _map(identity, x) for x in inputs]
        arguments = list(args)
        for i, position in enumerate(positions):
            arguments[position] = watched[i]
        result = fun(*arguments, **kwargs)
        if has_aux and not (isinstance(result, tuple) and len(result) == 2):
            raise ArgumentError(where, "has_aux", "a function that returns a pair", repr(result))
        value = _checked_value(where, result[0] if has_aux else result)
        if plain:
            gradients = tuple(gradient(value, watched))
        else:
            leaves = iter(gradient(value, _leaves(watched)))
            gradients = tuple([_map(lambda _: next(leaves), tree) for tree in watched])
        chosen = gradients[0] if isinstance(argnums, int) else gradients
        return ((value, result[1]) if has_aux else value), chosen

    return both


def _checked_inputs(where: str, position: int, tree: Any) -> Any:
    return _map(functools.partial(_checked_input, where, position), tree)


def _checked_input(where: str, position: int, leaf: Any) -> Tensor:
    tensor = as_tensor(leaf)
    if not has_floating_dtype(tensor):
        raise ArgumentError(
            where,
            "argnums",
            f"floating arrays as argument {position}, which is differentiated",
            f"dtype {tensor.dtype} (write 3.0 for 3, or cast it)",
        )
    return tensor


def _checked_value(where: str, value: Any) -> Tensor:
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


def jit(fun: Callable[..., Any], exact_rewrites: bool = True) -> Jitted:
    """Return `fun` compiled: traced once, then run as one program without Python.

    A program is made for each combination of shapes, dtypes and Python arguments. Arrays are
    inputs of the program; Python numbers, strings and all else are constants of it, so pass what
    changes often as an array. Arrays and Tensors that `fun` finds elsewhere, in a closure or a
    global, are constants too: the program has a copy of them as they were when it was traced.
    Variables are read at every run, and their `assign` takes effect at its end. Other effects of
    the function, like printing, happen while it is traced only.

    Parameters
    ----------
    fun : callable
        Takes and returns arrays, and nested tuples, lists and dicts of them.
    exact_rewrites : bool, default True
        Whether forms that lose digits are replaced by those that do not, for example
        ``log(softmax(z))`` by ``log_softmax(z)``. False: the same bits as without `jit`.

    Returns
    -------
    Jitted
        Called as `fun`; ``.lower(*args).text()`` prints its program.

    Raises
    ------
    fusegrad.errors.ArgumentError
        When called: a Python argument is not hashable, or a result is no array.
    TypeError
        When called: the function reads the elements of its arguments.

    Examples
    --------
    >>> import numpy as np
    >>> double = jit(lambda x: 2 * x)
    >>> double(np.arange(3.0))
    Tensor([0., 2., 4.], dtype=float64)
    """
    if not callable(fun):
        raise ArgumentError("jit", "fun", "a function", repr(fun))
    return Jitted(fun, exact_rewrites)


class Jitted(Spelled):
    """A compiled function; see `jit`."""

    def __init__(self, fun: Callable[..., Any], exact_rewrites: bool = True) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._exact_rewrites = exact_rewrites
        self._programs: OrderedDict[Any, Lowered] = OrderedDict()
        self._lock = threading.Lock()
        self._last: tuple[str, Lowered] | None = None  # with its floatx, where it takes arrays only

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the program for these arguments; within a trace or a grad, `fun` itself."""
        if self._last is not None and not kwargs and len(args) == self._last[1]._num_plain:
            dtype, lowered = self._last
            if dtype == floatx():
                outputs = lowered._plain_function(*args)
                if outputs is not None:
                    return lowered._structured(outputs)
        if current_builder() is not None:
            return self._fun(*args, **kwargs)
        lowered, inputs = self._lowered(args, kwargs)
        if lowered._num_plain:
            self._last = floatx(), lowered
        return lowered._run(inputs)

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """Return the program for these arguments, without running it."""
        return self._lowered(args, kwargs)[0]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind to an instance, as a method."""
        return self if instance is None else functools.partial(self, instance)

    def _lowered(self, args: Any, kwargs: dict[str, Any]) -> tuple[Lowered, list[Tensor]]:
        inputs: list[Tensor] = []
        tree = _map(functools.partial(_argument, inputs), (args, kwargs))
        key = floatx(), _key(tree)  # what a trace depends on
        try:
            with self._lock:
                lowered = self._programs.get(key)
                if lowered is not None:
                    self._programs.move_to_end(key)
                    return lowered, inputs
        except TypeError:
            raise ArgumentError(
                "jit", "args", "arrays, and hashable Python values as constants", f"{args!r:.200}"
            ) from None
        lowered = Lowered(self._fun, tree, self._exact_rewrites)
        with self._lock:
            self._programs[key] = lowered
            while len(self._programs) > _MAX_PROGRAMS:
                self._programs.popitem(last=False)
        return lowered, inputs


class Lowered(Spelled):
    """One program of a jitted function."""

    def __init__(self, fun: Callable[..., Any], tree: Any, exact_rewrites: bool) -> None:
        from fusegrad import _core

        graph = _core.Graph(exact_rewrites=exact_rewrites)
        with graph:
            count = 0

            def symbolic(leaf: Any) -> Any:
                nonlocal count
                if not isinstance(leaf, _Input):
                    return leaf.value
                count += 1
                return graph.input(leaf.shape, leaf.dtype, f"x{count - 1}")

            args, kwargs = _map(symbolic, tree)
            result = fun(*args, **kwargs)
            structure = _map(_result, result)
            for i, leaf in enumerate(_leaves(structure)):
                graph.output(leaf, f"y{i}")
        indices = itertools.count()
        self._structured = _assembler(_map(lambda _: next(indices), structure))
        self._program = _core.Program.compile(graph, exact_rewrites=exact_rewrites)
        self._function = self._program.function()
        # The number of arguments, where they are arrays and Python numbers and strings; else 0.
        plain = not tree[1] and all(_is_plain(leaf) for leaf in tree[0])
        self._num_plain = len(tree[0]) if plain else 0
        self._plain_function = self._program.function()
        if plain:
            self._plain_function.expect(
                [None if isinstance(leaf, _Input) else (leaf.value,) for leaf in tree[0]]
            )

    def text(self, stage: str = "plan") -> str:
        """Return a stage of the program as text.

        Parameters
        ----------
        stage : {"trace", "rewrite", "simplify", "fuse", "layout", "plan"}

        Raises
        ------
        fusegrad.errors.ArgumentError
            For another stage.
        """
        return self._program.text(stage)

    @property
    def rewrites(self) -> list[str]:
        """The exactness rewrites that fired."""
        return self._program.rewrites

    def _run(self, inputs: list[Tensor]) -> Any:
        outputs = self._function(*inputs)
        return self._structured(self._program.run(*inputs) if outputs is None else outputs)


# ---- nested containers ---------------------------------------------------------------------------


class _Input:
    """An array argument of a program."""

    __slots__ = ("dtype", "shape")

    def __init__(self, tensor: Tensor) -> None:
        self.shape = tensor.shape
        self.dtype = tensor.dtype.name


class _Constant:
    """A Python argument of a program."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


def _is_plain(leaf: Any) -> bool:
    if isinstance(leaf, _Constant):
        return type(leaf.value) in (float, int, bool, str)
    return isinstance(leaf, _Input)


def _argument(inputs: list[Tensor], leaf: Any) -> _Input | _Constant:
    """Sort an argument: arrays into `inputs`. A Variable is a constant whose elements are state."""
    if isinstance(leaf, Tensor) or (
        hasattr(leaf, "shape")
        and hasattr(leaf, "dtype")
        and not hasattr(leaf, "__fusegrad_tensor__")
    ):
        inputs.append(as_tensor(leaf))
        return _Input(inputs[-1])
    return _Constant(leaf)


def _result(leaf: Any) -> Tensor:
    try:
        return as_tensor(leaf)
    except ArgumentError as error:
        raise ArgumentError("jit", "fun", "a function that returns arrays", error.got) from None


def _assembler(tree: Any) -> Callable[[Sequence[Tensor]], Any]:
    """Return the function that puts the outputs of a program where `tree` has their indices."""
    if isinstance(tree, int):
        return operator.itemgetter(tree)
    if type(tree) is tuple and len(tree) > 1:
        if all(type(part) is int for part in tree):
            return operator.itemgetter(*tree)
        parts = [_assembler(part) for part in tree]
        return lambda outputs: tuple([part(outputs) for part in parts])
    return lambda outputs: _map(outputs.__getitem__, tree)


_CONTAINERS = (dict, list, tuple)
_NESTED = (*_CONTAINERS, type(None))


def _map(function: Callable[[Any], Any], tree: Any) -> Any:
    """Return `tree` with `function` applied to its leaves; None holds no leaf."""
    if tree is None:
        return None
    if not isinstance(tree, _CONTAINERS):
        return function(tree)
    if isinstance(tree, dict):
        return {key: _map(function, value) for key, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(_map(function, value) for value in tree))
    return type(tree)(_map(function, value) for value in tree)


def _leaves(tree: Any) -> list[Any]:
    """Return the leaves of `tree` in the order in which `_map` meets them."""
    leaves: list[Any] = []
    _map(leaves.append, tree)
    return leaves


def _key(tree: Any) -> Any:
    """Return what tells apart the programs of a jitted function."""
    if isinstance(tree, dict):
        return dict, tuple((name, _key(value)) for name, value in tree.items())
    if isinstance(tree, list | tuple):
        return type(tree), tuple(_key(value) for value in tree)
    if isinstance(tree, _Input):
        return tree.shape, tree.dtype
    if isinstance(tree, _Constant):
        value = tree.value
        return type(value), value.hex() if isinstance(value, float) else value  # -0.0 is not 0.0
    return tree
