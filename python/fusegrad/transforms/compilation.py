"""`jit`: functions compiled to programs, which run without Python."""

from __future__ import annotations

import functools
import inspect
import itertools
import threading
import warnings
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import Tensor, as_tensor, current_builder
from fusegrad.config import floatx
from fusegrad.errors import ArgumentError
from fusegrad.transforms.trees import assembler, checked_function, fill, leaves, tree_map

__all__ = ["Jitted", "Lowered", "jit"]

__getattr__ = missing(__name__, __all__)

_MAX_PROGRAMS = 128  # kept by one jitted function
_MANY_TRACES = 32  # for values of one Python argument, before a warning


def jit(
    fun: Callable[..., Any],
    exact_rewrites: bool = True,
    *,
    static_argnums: int | Sequence[int] = (),
    static_argnames: str | Sequence[str] = (),
) -> Jitted:
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
    static_argnums : int or sequence of int, default ()
        Positions of arguments that are constants as they are, such as a tuple of sizes or an object
        with options: hashable, and equal where the program is the same.
    static_argnames : str or sequence of str, default ()
        The same by name.

    Returns
    -------
    Jitted
        Called as `fun`; ``.lower(*args).text()`` prints its program. ``print`` of it, or
        ``.signatures``, shows for what it was traced, ``.num_traces`` how often.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A static argument is none of `fun`; when called: a Python argument is not hashable, or a
        result is no array.
    TypeError
        When called: the function reads the elements of its arguments.

    Warns
    -----
    UserWarning
        When it has been traced more than 32 times because a Python argument, which the message
        names, had other values.

    Examples
    --------
    >>> import numpy as np
    >>> double = jit(lambda x: 2 * x)
    >>> double(np.arange(3.0))
    Tensor([0., 2., 4.], dtype=float64)
    >>> print(double)
    <jit of <lambda>: 1 trace>
    (x: float64[3])
    """
    checked_function("jit", fun)
    return Jitted(fun, exact_rewrites, static_argnums, static_argnames)


class Jitted(Spelled):
    """A compiled function; see `jit`.

    Examples
    --------
    >>> from fusegrad import ops
    >>> jit(ops.exp)
    <jit of exp: 0 traces>
    """

    def __init__(
        self,
        fun: Callable[..., Any],
        exact_rewrites: bool = True,
        static_argnums: int | Sequence[int] = (),
        static_argnames: str | Sequence[str] = (),
    ) -> None:
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._exact_rewrites = exact_rewrites
        self._names, self._static = _static_arguments(fun, static_argnums, static_argnames)
        self._programs: OrderedDict[Any, Lowered] = OrderedDict()
        self._lock = threading.Lock()
        self._last: tuple[str, Lowered] | None = None  # with its floatx, where it takes arrays only
        self._num_traces = 0
        self._previous: dict[str, tuple[Any, Any]] = {}  # arguments of the last trace
        self._changes: Counter[str] = Counter()

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

    @property
    def num_traces(self) -> int:
        """How often the function has been traced."""
        return self._num_traces

    @property
    def signatures(self) -> list[str]:
        """What the programs that are kept were traced for, in the order of their last use."""
        with self._lock:
            return [lowered.signature for lowered in self._programs.values()]

    def __repr__(self) -> str:
        count = self._num_traces
        name = getattr(self._fun, "__name__", type(self._fun).__name__)
        title = f"<jit of {name}: {count} trace{'' if count == 1 else 's'}>"
        return "\n".join([title, *self.signatures])

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind to an instance, as a method."""
        return self if instance is None else functools.partial(self, instance)

    def _lowered(self, args: Any, kwargs: dict[str, Any]) -> tuple[Lowered, list[Tensor]]:
        inputs: list[Tensor] = []
        if self._static:
            names = [*self._names[: len(args)], *[""] * (len(args) - len(self._names))]
            tree: Any = (
                tuple(self._sorted(inputs, *pair) for pair in zip(names, args, strict=True)),
                {name: self._sorted(inputs, name, value) for name, value in kwargs.items()},
            )
        else:
            tree = tree_map(functools.partial(_argument, inputs), (args, kwargs))
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
        arguments = self._named(tree)
        lowered = Lowered(self._fun, tree, self._exact_rewrites, _signature(arguments))
        with self._lock:
            self._programs[key] = lowered
            while len(self._programs) > _MAX_PROGRAMS:
                self._programs.popitem(last=False)
            self._num_traces += 1
        self._watch_constants(arguments)
        return lowered, inputs

    def _sorted(self, inputs: list[Tensor], name: str, value: Any) -> Any:
        if name in self._static:
            return _Constant(value)
        return tree_map(functools.partial(_argument, inputs), value)

    def _named(self, tree: Any) -> dict[str, Any]:
        args, kwargs = tree
        names = [*self._names[: len(args)], *(f"[{i}]" for i in range(len(self._names), len(args)))]
        return {**dict(zip(names, args, strict=True)), **kwargs}

    def _watch_constants(self, arguments: dict[str, Any]) -> None:
        """Warn where one Python argument has had very many values."""
        keys = {
            name: (_key(tree_map(_shape_alone, tree)), _key(tree))
            for name, tree in arguments.items()
        }
        before, self._previous = self._previous, keys
        if before.keys() != keys.keys() or any(keys[n][0] != before[n][0] for n in keys):
            return
        for name, key in keys.items():
            if key == before[name]:
                continue
            self._changes[name] += 1
            if self._changes[name] == _MANY_TRACES:
                warnings.warn(
                    f"jit has traced {getattr(self._fun, '__name__', 'a function')!r} more than"
                    f" {_MANY_TRACES} times because of argument {name!r}: a Python value is a"
                    " constant of the program (pass what changes as an array: numpy.asarray(x))",
                    stacklevel=4,
                )


def _static_arguments(
    fun: Any, argnums: int | Sequence[int], argnames: str | Sequence[str]
) -> tuple[list[str], frozenset[str]]:
    """Return the names of the positional arguments, and those of the static arguments."""
    try:
        parameters = list(inspect.signature(fun).parameters.values())
    except (TypeError, ValueError):  # a builtin function
        parameters = []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [p.name for p in parameters if p.kind in kinds]
    numbers: Iterable[int] = (argnums,) if isinstance(argnums, int) else argnums
    static = {argnames} if isinstance(argnames, str) else set(argnames)
    for number in numbers:
        if not -len(names) <= number < len(names):
            expected = f"positions of the {len(names)} arguments of the function"
            raise ArgumentError("jit", "static_argnums", expected, repr(argnums))
        static.add(names[number])
    variadic = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters)
    unknown = static - {p.name for p in parameters}
    if unknown and not variadic:
        expected = "names of arguments: " + ", ".join(p.name for p in parameters)
        raise ArgumentError("jit", "static_argnames", expected, repr(sorted(unknown)[0]))
    return names, frozenset(static)


class Lowered(Spelled):
    """One program of a jitted function; see `Jitted.lower`.

    Examples
    --------
    >>> import numpy as np
    >>> from fusegrad import ops
    >>> jit(ops.exp).lower(np.ones(2)).signature
    '(x: float64[2])'
    """

    def __init__(
        self, fun: Callable[..., Any], tree: Any, exact_rewrites: bool, signature: str = ""
    ) -> None:
        from fusegrad import _core

        #: The arguments that it was traced for.
        self.signature = signature
        graph = _core.Graph(exact_rewrites=exact_rewrites)
        with graph:
            count = 0

            def symbolic(leaf: Any) -> Any:
                nonlocal count
                if not isinstance(leaf, _Input):
                    return leaf.value
                count += 1
                return graph.input(leaf.shape, leaf.dtype, f"x{count - 1}")

            args, kwargs = tree_map(symbolic, tree)
            result = fun(*args, **kwargs)
            structure = tree_map(_result, result)
            for i, leaf in enumerate(leaves(structure)):
                graph.output(leaf, f"y{i}")
        self._structured = assembler(fill(structure, itertools.count()))
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


# ---- arguments ----------------------------------------------------------------------------------


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


def _is_plain(leaf: Any) -> bool:
    if isinstance(leaf, _Constant):
        return type(leaf.value) in (float, int, bool, str)
    return isinstance(leaf, _Input)


def _result(leaf: Any) -> Tensor:
    try:
        return as_tensor(leaf)
    except ArgumentError as error:
        raise ArgumentError("jit", "fun", "a function that returns arrays", error.got) from None


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


def _shape_alone(leaf: Any) -> Any:
    """What of an argument is no Python value."""
    return leaf if isinstance(leaf, _Input) else _Constant(None)


def _signature(arguments: dict[str, Any]) -> str:
    """Return the arguments of a program as text."""
    parts = (f"{name}: {_text(tree)}" for name, tree in arguments.items())
    return f"({', '.join(parts)})"


def _text(tree: Any) -> str:
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {_text(value)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list | tuple):
        items = ", ".join(_text(value) for value in tree)
        return f"[{items}]" if isinstance(tree, list) else f"({items})"
    if isinstance(tree, _Input):
        return f"{tree.dtype}[{', '.join(map(str, tree.shape))}]"
    return f"{tree.value!r:.60}" if isinstance(tree, _Constant) else repr(tree)
