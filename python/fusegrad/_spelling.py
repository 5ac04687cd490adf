"""Names as people misremember them: errors that name the nearest right one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from types import MappingProxyType
from typing import Any, ClassVar, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_VAR_POSITIONAL, _VAR_KEYWORDS = 0x04, 0x08  # flags of a code object with *args, **kwargs

#: What is looked for in functions that do not have it, and where it is.
_ELSEWHERE = {
    "learning_rate": "it is one of the optimizer: optimizers.Adam(learning_rate=...)",
    "loss": "it is one of compile()",
    "metrics": "it is one of compile()",
    "optimizer": "it is one of compile()",
    "batch_size": "it is one of fit()",
    "epochs": "it is one of fit()",
    "steps_per_epoch": "an epoch is all rows of the data",
    "validation_steps": "all rows of the validation data are measured",
}


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
    module: str,
    names: Iterable[str],
    hints: Mapping[str, str] | None = None,
    depth: int = 1,
    inside: Iterable[str] = (),
) -> Callable[[str], Any]:
    """Return a module's ``__getattr__``: an error that names the nearest of `names`.

    It is an AttributeError, and an ImportError where ``from module import name`` asks: Python would
    replace the text of an AttributeError by its own there. `hints` say more about some names.
    `depth` is the number of frames between the question and the call. Names of the submodules
    `inside` are found there.
    """
    known = tuple(names)

    def find(name: str) -> Any:
        if name.startswith("__"):  # the import system asks for __path__: no spelling to look for
            raise AttributeError(f"module '{module}' has no attribute '{name}'")
        hint = (hints or {}).get(name, "")
        near = None if hint else nearest(name, known, cutoff=0.75)
        if not hint and near is None and not name.startswith("_"):
            near = next(
                (f"{module}.{sub}.{name}" for sub in inside if _has(module, sub, name)), None
            )
        if near:
            hint = f"did you mean '{near}'?"
        hint = hint and f"; {hint}"
        if _is_from_import(sys._getframe(depth)):
            raise ImportError(f"cannot import name '{name}' from '{module}'{hint}", name=module)
        raise AttributeError(f"module '{module}' has no attribute '{name}'{hint}")

    return find


def _has(module: str, submodule: str, name: str) -> bool:
    from importlib import import_module

    try:
        return name in import_module(f"{module}.{submodule}").__all__
    except ImportError:  # not built: another error will say so
        return False


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
    first = 1 if names[:1] == ("self",) else 0
    most = sys.maxsize if code.co_flags & _VAR_POSITIONAL else code.co_argcount

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        if len(args) > most or (kwargs and not known.issuperset(kwargs)):
            constructs = function.__name__ == "__init__" and bool(args)
            where = type(args[0]).__name__ if constructs else function.__name__
            for wrong in kwargs:
                if wrong not in known:
                    hint = hints.get(wrong) or _hint(wrong, names[first:])
                    raise TypeError(f"{where}() has no argument '{wrong}'; {hint}")
            raise TypeError(
                f"{where}() takes {most - first} positional arguments, {len(args) - first} given"
            )
        return function(*args, **kwargs)

    return checked


def _hint(wrong: str, names: tuple[str, ...]) -> str:
    """Say which argument was meant, where it is, or which ones there are."""
    if wrong in _ELSEWHERE:
        return _ELSEWHERE[wrong]
    near = nearest(wrong, names)
    if near:
        return f"did you mean '{near}'?"
    return f"it has {', '.join(names)}" if names else "it takes none"


class Spelled:
    """Base of classes, also of users' own, whose constructors name the nearest argument."""

    #: For argument names of other libraries or versions, what to write instead.
    _hints: ClassVar[Mapping[str, str]] = _NO_HINTS

    def __init__(self) -> None:
        """Take no arguments."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in cls.__dict__:
            cls.__init__ = keywords(cls.__init__, cls._hints)  # type: ignore[method-assign]


Spelled.__init__ = keywords(Spelled.__init__)  # type: ignore[method-assign]
