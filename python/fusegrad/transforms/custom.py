"""Gradients by rules of one's own: `custom_vjp`, `custom_gradient`."""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from fusegrad import _tensor, ops
from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import Tape, Tensor, as_tensor, current_builder, identity, in_current_trace
from fusegrad.errors import ArgumentError
from fusegrad.transforms.trees import (
    checked_argnums,
    checked_function,
    fill,
    leaves,
    leaves_like,
    positions_of,
    tensors,
    tree_map,
)
from fusegrad.variable import substitutes

__all__ = ["custom_gradient", "custom_vjp"]

__getattr__ = missing(__name__, __all__)

Backward = Callable[[list[Tensor], list[Tensor], Any], Sequence[Any]]


class custom_vjp(Spelled):
    """A function with a gradient rule of its own.

    The rule is for numerics that a derivative by ops loses (overflow, cancellation), for gradients
    that are not derivatives (straight-through estimators), and for functions of other libraries:
    within `fun`, `fwd` and `bwd` the elements of Tensors may be looked at (``x.numpy()``, SciPy),
    except in a trace by `jit` or `compile`.

    Parameters
    ----------
    fun : callable
        Called as it is where nothing is differentiated.
    nondiff_argnums : int or tuple of int, default ()
        Positions of arguments that are no arrays, such as functions and options.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `fun` is no function, or `nondiff_argnums` are no ints; when called: there is no rule yet,
        or `fwd` or `bwd` returns something else than it should. When differentiated: `fun` reads a
        Tensor or Variable that is differentiated and is no argument.

    Notes
    -----
    The rule can be differentiated again, as far as `bwd` and what `fwd` saves for it are ops. Where
    either looked at elements, a second derivative that would go through them raises ArgumentError;
    what functions with rules of their own look at does not count.

    Examples
    --------
    >>> from fusegrad import grad, ops
    >>> @custom_vjp
    ... def log1pexp(x):
    ...     return ops.log(1.0 + ops.exp(x))
    >>> def fwd(x):
    ...     return log1pexp(x), x
    >>> def bwd(x, g):
    ...     return (g * ops.sigmoid(x),)
    >>> log1pexp.defvjp(fwd, bwd)
    >>> grad(log1pexp)(100.0)
    Tensor(1., dtype=float32)
    """

    def __init__(self, fun: Callable[..., Any], nondiff_argnums: int | Sequence[int] = ()) -> None:
        checked_function("custom_vjp", fun)
        functools.update_wrapper(self, fun)
        self._fun = fun
        self._nondiff = checked_argnums("custom_vjp", "nondiff_argnums", nondiff_argnums)
        self._rule: tuple[Callable[..., Any], Callable[..., Any]] | None = None

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any]) -> None:
        """Give the rule.

        Parameters
        ----------
        fwd : callable
            ``fwd(*args)`` returns a pair: what `fun` returns, and what `bwd` needs, nested tuples,
            lists and dicts of arrays and other values.
        bwd : callable
            ``bwd(*nondiff_args, residuals, cotangent)`` returns a tuple with a cotangent for each
            of the other arguments, of its structure and shapes. None stands for zeros.

        Raises
        ------
        fusegrad.errors.ArgumentError
            One is no function.
        """
        for name, function in (("fwd", fwd), ("bwd", bwd)):
            if not callable(function):
                raise ArgumentError("defvjp", name, "a function", repr(function))
        self._rule = fwd, bwd

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `fun`; where an argument is being differentiated or traced, `fwd`."""
        args = _positional(self._fun, args, kwargs)
        name = _name(self._fun)
        if self._rule is None:
            raise ArgumentError(name, "defvjp", f"a gradient rule: {name}.defvjp(fwd, bwd)", "none")
        fwd, bwd = self._rule
        fixed = set(positions_of(name, self._nondiff, args, "nondiff_argnums"))
        places = [i for i in range(len(args)) if i not in fixed]
        if self in _running.functions:  # called by its own fwd
            return self._fun(*args)
        call = _Call(name, [args[i] for i in places])
        if not call.recorded:
            return self._fun(*args)
        arguments = list(args)
        for i, argument in zip(places, call.arguments, strict=True):
            arguments[i] = argument
        with call.running(self):
            pair = fwd(*arguments)
        if not (isinstance(pair, tuple) and len(pair) == 2):
            expected = "a function that returns a pair: the result, and what bwd needs"
            raise ArgumentError(name, "fwd", expected, f"{pair!r:.200}")
        out, residuals = pair
        others = [args[i] for i in sorted(fixed)]
        count = len(places)
        # Results that are saved are taken from the node, which knows how they depend on the
        # arguments; other Tensors are operands of it. What is left are values that hold none.
        results = leaves(out)
        saved: list[Tensor] = []

        def mark(leaf: Any) -> Any:
            if isinstance(leaf, Tensor):
                for i, y in enumerate(results):
                    if y is leaf and leaf.dtype.kind == "f":
                        return _Result(i)
            if not _is_recorded(leaf):
                return leaf
            saved.append(leaf)
            return _SAVED

        marks = tree_map(mark, residuals)
        call.saves(residuals, results, saved)

        def backward(values: list[Tensor], outputs: list[Tensor], cotangent: Any) -> Sequence[Any]:
            rest = iter(values)

            def value(leaf: Any) -> Any:
                if isinstance(leaf, _Result):
                    return outputs[leaf.index]
                return next(rest) if leaf is _SAVED else leaf

            again = tree_map(value, marks)
            given = bwd(*others, again, cotangent)
            if not isinstance(given, tuple | list) or len(given) != count:
                expected = f"a function that returns a tuple of {count}, a part for each argument"
                raise ArgumentError(name, "bwd", expected, f"{given!r:.200}")
            return given

        return call.attached(out, saved, backward, "bwd")

    def __repr__(self) -> str:
        """Return its name, and whether it has a rule."""
        return f"<custom_vjp of {_name(self._fun)}{'' if self._rule else ', without a rule'}>"

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Bind to an instance, as a method."""
        return self if instance is None else functools.partial(self, instance)


def custom_gradient(fun: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose gradient is the one that it returns along with its result.

    Parameters
    ----------
    fun : callable
        Returns a pair: the result, an array or a tuple or list of arrays, and a function ``grad``.
        That takes the cotangents, one for each result, and returns one for the only argument, or a
        tuple or list with one for each; None stands for zeros.

    Returns
    -------
    callable
        With the arguments of `fun`; returns the result alone.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `fun` is no function; and when called, as for `custom_vjp`.

    Examples
    --------
    >>> from fusegrad import grad, ops
    >>> @custom_gradient
    ... def log1pexp(x):
    ...     e = ops.exp(x)
    ...     return ops.log(1 + e), lambda upstream: upstream * (1 - 1 / (1 + e))
    >>> grad(log1pexp)(100.0)
    Tensor(1., dtype=float32)
    """
    checked_function("custom_gradient", fun)
    name = _name(fun)

    @functools.wraps(fun)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        call = _Call(name, list(args))
        with call.running(None):
            pair = fun(*call.arguments, **kwargs)
        if not (isinstance(pair, tuple) and len(pair) == 2 and callable(pair[1])):
            expected = "a function that returns a pair: the result, and a function of cotangents"
            raise ArgumentError(name, "fun", expected, f"{pair!r:.200}")
        out, rule = pair
        if not call.recorded:
            return out
        count = len(args)

        def backward(values: list[Tensor], outputs: list[Tensor], cotangent: Any) -> Sequence[Any]:
            given = rule(*cotangent) if isinstance(cotangent, tuple | list) else rule(cotangent)
            if count == 1 and not isinstance(given, tuple | list):
                given = (given,)
            if not isinstance(given, tuple | list) or len(given) != count:
                expected = f"a function that returns {count} cotangents, one for each argument"
                raise ArgumentError(name, "grad", expected, f"{given!r:.200}")
            return given

        return call.attached(out, [], backward, "grad")

    return wrapped


# ---- how rules of users are recorded -------------------------------------------------------------


class _Saved:
    """Stands for a Tensor that a rule needs."""


class _Result:
    """Stands for a result that a rule needs."""

    def __init__(self, index: int) -> None:
        self.index = index


class _Running(threading.local):
    def __init__(self) -> None:
        self.functions: list[Any] = []


_SAVED = _Saved()
_running = _Running()  # the functions whose fwd this thread is in


class _Call:
    """One call of a function with a rule: its arguments, and what is recorded by it."""

    def __init__(self, name: str, args: list[Any]) -> None:
        self.name = name
        # A Variable is the value that is read now.
        args = tree_map(lambda leaf: as_tensor(leaf) if _is_variable(leaf) else leaf, args)
        #: Whether a floating argument is on what is being recorded.
        self.recorded = any(_is_recorded(leaf, floating=True) for leaf in leaves(args))
        #: The arguments, where `recorded` with fresh values that the rule gives cotangents of.
        self.arguments = args
        self._looked = False
        if self.recorded:
            self.arguments = tree_map(
                lambda leaf: identity(leaf) if _is_recorded(leaf) else leaf, args
            )
            self._inputs = [x for x in leaves(self.arguments) if _is_recorded(x, floating=True)]
            recorder = current_builder()
            assert recorder is not None
            self._recorder = recorder
            self._first = recorder.num_nodes()

    @contextmanager
    def running(self, function: custom_vjp | None) -> Iterator[None]:
        """Let the user's function look at elements, and notice whether it does."""
        if not self.recorded:
            yield
            return
        with _readable() as looked:
            _running.functions.append(function)
            try:
                yield
            finally:
                _running.functions.pop()
        self._looked = looked()

    def saves(self, residuals: Any, results: list[Any], saved: list[Tensor]) -> None:
        """Notice what is saved for the rule; all else that was recorded is not kept."""
        kept = [y for y in results if isinstance(y, Tensor)]
        self._recorder.checkpoint(self._first, [*kept, *saved])
        # Where all that is saved are arguments and results, it does not matter what was looked at.
        known = [*self._inputs, *results]
        arrays = [x for x in leaves(residuals) if not isinstance(x, str | bool | int)]
        if all(any(x is y for y in known) for x in arrays):
            self._looked = False

    def attached(self, out: Any, saved: list[Tensor], backward: Backward, rule_name: str) -> Any:
        """Return `out`, what the function returned, with the gradient rule.

        `backward` takes what was `saved`, the results, and the cotangent in the structure of `out`;
        it returns a cotangent for each argument.
        """
        name, arguments, looked = self.name, self.arguments, self._looked
        results = tensors(name, "fun", out)
        flat = leaves(results)
        floating = [y for y in flat if y.dtype.kind == "f"]
        if not floating:
            return results
        inputs = self._inputs
        known = {self._recorder.node_of(x) for x in inputs}
        # What it reads besides its arguments has no cotangent: an error where one is asked for.
        read = [
            x
            for x in self._recorder.captured(self._first)
            if self._recorder.node_of(x) not in known
        ]
        for tape in substitutes.tapes:
            read.extend(tape.variables_read(self._first))
        packed = _pack(floating)
        metas = [(y.shape, y.dtype) for y in flat]
        structure = tree_map(lambda _: 0, results)
        shapes = [x.shape for x in inputs]
        dtypes = [x.dtype for x in inputs]
        differentiated = tree_map(
            lambda leaf: _SAVED if _is_recorded(leaf, floating=True) else leaf, arguments
        )
        argument_marks = tree_map(lambda leaf: leaf is _SAVED, differentiated)
        del arguments, differentiated, results
        num_inputs, num_read = len(inputs), len(read)

        def rule(values: list[Tensor], cotangent: Tensor, needed: list[bool]) -> list[Any]:
            own = values[1 : 1 + num_inputs]
            if any(needed[1 + num_inputs : 1 + num_inputs + num_read]):
                raise ArgumentError(
                    name,
                    "fun",
                    "a function of its arguments alone, to which its rule applies",
                    "one that reads another Tensor or Variable that is being differentiated"
                    " (pass it as an argument)",
                )
            arriving = fill(structure, _unpack(cotangent, metas))
            with _readable() as bwd_looked:
                results = _unpack(values[0], metas)
                given = backward(values[1 + num_inputs + num_read :], results, arriving)
            found: list[Any] = []
            for part, marks in zip(given, argument_marks, strict=True):
                for leaf, mark in zip(
                    leaves_like(name, rule_name, part, marks), leaves(marks), strict=True
                ):
                    if mark:
                        found.append(leaf)
            sources = own if looked else []
            if bwd_looked():
                sources = [cotangent, *values[1:]]
            checked = [
                _cotangent(name, rule_name, leaf, shape, dtype)
                for leaf, shape, dtype in zip(found, shapes, dtypes, strict=True)
            ]
            return [
                None,
                *(None if x is None else _guarded(name, x, sources) for x in checked),
                *[None] * (len(values) - 1 - num_inputs),
            ]

        whole = _tensor.custom_vjp(packed, [*inputs, *read, *saved], rule)
        parts = iter(_unpack(whole, [meta for meta in metas if meta[1].kind == "f"]))
        return fill(structure, [next(parts) if y.dtype.kind == "f" else y for y in flat])


def _cotangent(
    name: str, rule: str, leaf: Any, shape: tuple[int, ...], dtype: Any
) -> Tensor | None:
    if leaf is None:
        return None
    try:
        tensor = as_tensor(leaf)
    except ArgumentError as error:
        raise ArgumentError(name, rule, f"cotangents: {error.expected}", error.got) from None
    if tensor.shape != shape:
        expected = f"a cotangent of shape {shape}, as that of the argument"
        raise ArgumentError(name, rule, expected, f"shape {tensor.shape}")
    return as_tensor(tensor, dtype)


def _guarded(name: str, x: Tensor, sources: list[Tensor]) -> Tensor:
    """Return x; a derivative of it with respect to the sources raises an error."""
    if not sources:
        return x

    def refuse(values: list[Tensor], cotangent: Tensor, needed: list[bool]) -> list[Any]:
        if any(needed[1:]):
            raise ArgumentError(
                name,
                "defvjp",
                "a rule of fusegrad.ops alone, for derivatives of its derivative",
                "one that looked at elements of Tensors (numpy() and the like)",
            )
        return [cotangent, *[None] * len(sources)]

    return _tensor.custom_vjp(x, sources, refuse)


@contextmanager
def _readable() -> Iterator[Callable[[], bool]]:
    """Let elements on the tape be looked at; yield what tells afterwards whether they were.

    A rule around does not hear of it: derivatives through what was looked at are this rule's.
    """
    tape = current_builder()
    if not isinstance(tape, Tape):
        yield lambda: False
        return
    before, read, looked = tape.readable, tape.read, [False]
    tape.readable, tape.read = True, False
    try:
        yield lambda: looked[0]
    finally:
        looked[0] = tape.read
        tape.readable, tape.read = before, read


def _pack(arrays: list[Tensor]) -> Tensor:
    """Return one array of all elements; the only array as it is."""
    if len(arrays) == 1:
        return arrays[0]
    wide = max((x.dtype for x in arrays), key=lambda dtype: dtype.itemsize)
    return ops.concatenate([ops.reshape(ops.cast(x, wide), (x.size,)) for x in arrays])


def _unpack(whole: Tensor, metas: list[tuple[tuple[int, ...], Any]]) -> list[Tensor]:
    """Return the arrays of `_pack` again, with zeros for those that are not floating."""
    floating = sum(dtype.kind == "f" for _, dtype in metas)
    result: list[Tensor] = []
    start = 0
    for shape, dtype in metas:
        if dtype.kind != "f":
            result.append(as_tensor(np.zeros(shape, dtype)))
        elif floating == 1:
            result.append(whole)
        else:
            size = int(np.prod(shape, dtype=np.int64))
            part = ops.reshape(whole[start : start + size], shape)
            result.append(part if part.dtype == dtype else ops.cast(part, dtype))
            start += size
    return result


def _is_variable(leaf: Any) -> bool:
    return hasattr(leaf, "__fusegrad_tensor__") and not isinstance(leaf, Tensor)


def _is_recorded(leaf: Any, floating: bool = False) -> bool:
    if not isinstance(leaf, Tensor) or not in_current_trace(leaf):
        return False
    return not floating or leaf.dtype.kind == "f"


def _name(fun: Any) -> str:
    return str(getattr(fun, "__name__", type(fun).__name__))


def _positional(
    fun: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """Return all arguments by position, with their defaults."""
    try:
        signature = inspect.signature(fun)
    except (TypeError, ValueError):  # a builtin function
        return args
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        name = next(iter(bound.kwargs))
        expected = "arguments that can be given by position, for a rule goes by positions"
        raise ArgumentError(_name(fun), name, expected, "one by keyword alone")
    return bound.args
