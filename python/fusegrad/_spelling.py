"""Names as people misremember them: errors that name the nearest right one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, ClassVar, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_VAR_KEYWORDS = 0x08  # the flag of a code object with **kwargs


def nearest(name: str, names: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the one of `names` that is spelled most like `name`, whatever its case, or None.

    Examples
    --------
    >>> nearest("epoches", ["epochs", "batch_size"])
    'epochs'
    """
    import difflib  # only for a message: start-up time

    known = {name.lower(): name for name in names}
    close = difflib.get_close_matches(name.lower(), known, n=1, cutoff=cutoff)
    return known[close[0]] if close else None


def missing(
    module: str, names: Iterable[str], hints: Mapping[str, str] | None = None, depth: int = 1
) -> Callable[[str], Any]:
    """Return a module's ``__getattr__``: an error that names the nearest of `names`.

    It is an AttributeError, and an ImportError where ``from module import name`` asks: Python would
    replace the text of an AttributeError by its own there. `hints` say more about some names.
    `depth` is the number of frames between the question and the call.
    """
    known = tuple(names)

    def find(name: str) -> Any:
        hint = (hints or {}).get(name, "")
        if not hint and (near := nearest(name, known, cutoff=0.75)):
            hint = f"did you mean '{near}'?"
        hint = hint and f"; {hint}"
        if _is_from_import(sys._getframe(depth)):
            raise ImportError(f"cannot import name '{name}' from '{module}'{hint}", name=module)
        raise AttributeError(f"module '{module}' has no attribute '{name}'{hint}")

    return find


def _is_from_import(frame: Any) -> bool:
    import opcode

    code, at = frame.f_code.co_code, frame.f_lasti
    return bool(0 <= at < len(code) and code[at] == opcode.opmap["IMPORT_FROM"])


_NO_HINTS: Mapping[str, str] = MappingProxyType({})


def keywords(function: Callable[P, T], hints: Mapping[str, str] = _NO_HINTS) -> Callable[P, T]:
    """Let an unknown keyword argument of a function be a TypeError that names the nearest one.

    For names in `hints` the message ends with what is said there.

    Examples
    --------
    >>> @keywords
    ... def fit(x, epochs=1): ...
    >>> fit([1.0], epoches=3)
    Traceback (most recent call last):
    TypeError: fit() has no argument 'epoches'; did you mean 'epochs'?
    """
    code = getattr(function, "__code__", None)
    if code is None or code.co_flags & _VAR_KEYWORDS:
        return function
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    known = frozenset(names)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if not known.issuperset(kwargs):
            wrong = next(name for name in kwargs if name not in known)
            shown = [name for name in names if name != "self"]
            hint = hints.get(wrong)
            if hint is None:
                near = nearest(wrong, shown)
                hint = f"did you mean '{near}'?" if near else f"it has {', '.join(shown)}"
            owner, _, own = function.__qualname__.rpartition(".")
            where = owner.rpartition(".")[2] if own == "__init__" else own
            raise TypeError(f"{where}() has no argument '{wrong}'; {hint}")
        return function(*args, **kwargs)

    return checked


class Spelled:
    """Base of classes, also of users' own, whose constructors name the nearest argument."""

    #: For argument names of other libraries or versions, what to write instead.
    _hints: ClassVar[Mapping[str, str]] = _NO_HINTS

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = keywords(cls.__init__, cls._hints)  # type: ignore[method-assign]
