"""NumPy's arguments for functions of `fusegrad.ops`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._tensor import Tensor, as_tensor, in_current_trace

__all__ = [
    "READERS",
    "Adapted",
    "by_elements",
    "elements",
    "into_array",
    "is_recorded",
    "is_tensor",
    "need_defaults",
]

#: Functions that read data and compute no array of its kind, for which there is nothing to write
#: instead: given plain Tensors, NumPy gets their elements, as all that Tensors do not answer.
READERS = frozenset(
    {
        *("save", "savetxt", "savez", "savez_compressed"),
        *("histogram", "histogram2d", "histogram_bin_edges", "histogramdd"),
        *("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"),
        *("intersect1d", "isin", "setdiff1d", "setxor1d", "union1d"),
        *("may_share_memory", "shares_memory", "min_scalar_type", "packbits"),
        *("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"),
        *("argwhere", "flatnonzero", "nonzero", "extract", "compress", "delete", "insert"),
        *("digitize", "searchsorted", "bincount", "lexsort", "trim_zeros", "copy"),
        *("isfinite", "isinf", "isnan", "isneginf", "isposinf", "isnat", "signbit"),
    }
)

#: Arguments that change no element of a result, whatever they are.
_WITHOUT_EFFECT = frozenset(
    {"copy", "kind", "like", "max_work", "optimize", "overwrite_input", "stable", "subok"}
)
#: What else the arguments that ops lack may be, and what to write for other values.
_ACCEPTED: dict[str, tuple[Any, ...]] = {
    "order": (None, "C", "K", "A"),
    "device": (None, "cpu"),
    "out": (None, (None,)),
    "where": (True,),
    "casting": ("same_kind", "unsafe"),
    "mode": ("raise",),
    "initial": (None,),
}
_INSTEAD = {
    "out": "Tensors do not change: write t = np.{name}(...)",
    "where": "write np.where(condition, x, other) for an operand or the result",
    "initial": "combine it with the result",
    "order": "transpose before and after it, or t.reshape(shape, order='F')",
    "dtype": "write t.astype(dtype)",
    "mode": "bring the indices into range first",
}
#: Arguments of NumPy's that are others of ours.
_RENAMED = {"correction": "ddof"}
_NO_VALUE: Any = getattr(np, "_NoValue", None)


def need_defaults(name: str, options: Mapping[str, Any], defaults: Mapping[str, Any] = {}) -> None:
    """Raise TypeError where an argument that Tensors have no use for asks for something."""
    for option, value in options.items():
        if option in _WITHOUT_EFFECT or value is _NO_VALUE:
            continue
        accepted = (*_ACCEPTED.get(option, (None,)), defaults.get(option))
        plain = value is None or isinstance(value, bool | int | float | str | tuple)
        if not (plain and any(value is one or value == one for one in accepted)):
            instead = _INSTEAD.get(option, "leave it out").format(name=name)
            raise TypeError(f"np.{name}({option}=) is not there for Tensors: {instead}")


class Adapted:
    """A function of ops that takes the arguments of a function of NumPy's.

    Arguments go to those of the same name, operands to those in the same place; `dtype`, where ops
    have none, casts as NumPy does.
    """

    __slots__ = (
        *("_common", "_defaults", "_name", "_numpys", "_places", "_targets"),
        *("function", "straight"),
    )

    def __init__(self, name: str, numpys: Any, function: Callable[..., Any]) -> None:
        self._name = name
        self._numpys = numpys
        self.function = function
        #: How many positional arguments are ours as they are; none before `prepare`.
        self.straight = -1

    def prepare(self) -> Adapted:
        """Compare the two signatures, at first use: there are hundreds of them."""
        import inspect

        ours = inspect.signature(self.function).parameters
        try:
            theirs = inspect.signature(self._numpys).parameters
        except ValueError:  # a function of C in an older NumPy
            theirs = ours
        positional = [p.name for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        free = [n if n not in theirs else None for n in positional]
        #: Arguments of NumPy's -> of ours; None for those that ours lacks.
        self._targets: dict[str, str | None] = {}
        self._places: list[str] = []
        self._defaults = {p.name: p.default for p in theirs.values()}
        for i, p in enumerate(theirs.values()):
            if p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                continue
            required = i < len(free) and free[i] is not None and p.name not in _ACCEPTED
            same = next((n for n in (p.name, _RENAMED.get(p.name)) if n in ours), None)
            self._targets[p.name] = same or (free[i] if required and p.name != "dtype" else None)
            if p.kind is not p.KEYWORD_ONLY:
                self._places.append(p.name)
        varies = any(p.kind is p.VAR_POSITIONAL for p in theirs.values())
        same_place = takewhile(
            lambda pair: self._targets[pair[1]] == pair[0],
            zip(positional, self._places, strict=False),
        )
        more = {n for n in ours if any(p.kind is p.VAR_KEYWORD for p in theirs.values())}
        #: The keywords that are.
        self._common = frozenset({n for n, to in self._targets.items() if n == to} | more)
        self.straight = 1 << 30 if varies else len(list(same_place))  # last, for other threads
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.straight < 0:
            self.prepare()
        if len(args) <= self.straight:
            if not kwargs:
                return self.function(*args)
            # Not by ==, which arrays have no truth of.
            if self._common.issuperset(kwargs) and all(v is not _NO_VALUE for v in kwargs.values()):
                return self.function(*args, **kwargs)
        return self._adapted(args, kwargs)

    def _adapted(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name, given = self._name, dict(kwargs)
        operands = args
        if len(args) <= len(self._places):
            operands = ()
            given = dict(zip(self._places, args, strict=False)) | given
        if given.get("out") is not None:
            return into_array(name, self._numpys, given["out"], args, kwargs)
        dtype = None if self._targets.get("dtype") else given.pop("dtype", None)
        casting = given.get("casting", "same_kind")
        lacking = {k: v for k, v in given.items() if k in self._targets and not self._targets[k]}
        try:
            need_defaults(name, lacking, self._defaults)
        except TypeError:
            if name in READERS:
                return by_elements(name, self._numpys, args, kwargs)
            raise
        arguments = {
            self._targets.get(k) or k: v
            for k, v in given.items()
            if k not in lacking and v is not _NO_VALUE
        }
        if dtype is None or dtype is _NO_VALUE:
            return self.function(*operands, **arguments)
        for k, v in arguments.items():
            if k == self._targets.get(next(iter(self._places), "")) and not isinstance(
                v, list | tuple
            ):
                arguments[k] = ops.cast(v, dtype)
        result = as_tensor(self.function(*operands, **arguments))
        if "casting" in self._targets and not np.can_cast(result.dtype, dtype, casting):
            raise TypeError(
                f"np.{name}() cannot cast {result.dtype} to {np.dtype(dtype)} by the rule"
                f" {casting!r}"
            )
        return ops.cast(result, dtype)


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor or a Variable."""
    return isinstance(x, Tensor) or hasattr(x, "__fusegrad_tensor__")


def by_elements(
    name: str, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Call NumPy with the elements of plain Tensors."""
    try:
        operands = [elements(x) for x in args]
        options = {k: elements(v) for k, v in kwargs.items()}
    except TypeError as error:
        raise TypeError(f"np.{name}() reads elements: {error}") from None
    return function(*operands, **options)


def elements(x: Any) -> Any:
    """Return `x` with arrays in the place of Tensors; TypeError where that would cut a gradient."""
    if type(x) in (list, tuple):
        return type(x)(map(elements, x))
    return as_tensor(x).numpy() if is_tensor(x) else x


def is_recorded(x: Any) -> bool:
    """Whether `x` is or holds a Tensor that is being differentiated or traced."""
    if isinstance(x, list | tuple):
        return any(map(is_recorded, x))
    return is_tensor(x) and in_current_trace(as_tensor(x))


def into_array(
    name: str,
    function: Callable[..., Any],
    out: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
) -> Any:
    """Compute into an array of NumPy's, as ``array += t`` does."""
    if any(is_tensor(one) for one in (out if isinstance(out, tuple) else (out,))):
        raise TypeError(
            f"np.{name}(out=) would change a Tensor, whose elements never change: write"
            f" t = np.{name}(...)"
        )
    return by_elements(name, function, args, kwargs)
