"""NumPy's functions of Tensors: what answers ``np.exp(t)``, ``np.sum(t)``, ``np.add.reduce(t)``.

Every function of `fusegrad.ops` answers for the NumPy function of its name; the tables below have
NumPy's other names and what `fusegrad.ops` has no use for. ``Tensor.__array_ufunc__`` and
``Tensor.__array_function__`` ask here for what they do not know themselves. docs/numpy.md lists
what there is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._numpy_arguments import (
    READERS,
    Adapted,
    by_elements,
    elements,
    into_array,
    is_tensor,
    need_defaults,
)
from fusegrad._numpy_own import OWN
from fusegrad._spelling import nearest
from fusegrad._tensor import _answer_numpy, as_tensor

__all__ = ["THIN", "answer", "answer_ufunc", "find", "supported"]

Function = Callable[..., Any]

#: NumPy's other names for functions of ops, those that do what theirs do.
_OTHER_NAMES = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "around": "round",
    "astype": "cast",
    "concat": "concatenate",
    "cumulative_prod": "cumprod",
    "cumulative_sum": "cumsum",
    "fabs": "abs",
    "linalg.matmul": "matmul",
    "linalg.outer": "outer",
    "linalg.tensordot": "tensordot",
    "linalg.vecdot": "vecdot",
    "permute_dims": "transpose",
    "pow": "power",
}
#: Functions of ops that NumPy has another meaning for.
_NOT_NUMPYS = {"identity", "slice"}

#: Methods of ufuncs that are functions of ops.
_REDUCE = {
    "add": "sum",
    "logaddexp": "logsumexp",
    "logical_and": "all",
    "logical_or": "any",
    "maximum": "max",
    "minimum": "min",
    "multiply": "prod",
}
_ACCUMULATE = {"add": "cumsum", "logaddexp": "logcumsumexp", "multiply": "cumprod"}

# ---- the table ---------------------------------------------------------------------------------


def find(name: str) -> Any:
    """Return what NumPy calls `name`, which may be ``linalg.norm``; None where there is nothing."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


#: What a function that does nothing but call its op names, in _call.py.
_CALLS = (("one",), ("of_one",), ("of_two",))


def _is_thin(function: Function, ufunc: Any) -> str | None:
    """Return the name of the op that a function of ops is, where it does nothing but call it."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_names not in _CALLS or code.co_argcount != ufunc.nin:
        return None
    named = [constant for constant in code.co_consts[1:] if isinstance(constant, str)]
    return named[0] if len(named) == 1 else None


def _named_functions() -> dict[str, Function]:
    """Return functions of ops by the names that NumPy has for them."""
    named = {name: getattr(ops, name) for name in ops.__all__ if name not in _NOT_NUMPYS}
    linalg = named.pop("linalg")
    named |= {f"linalg.{name}": getattr(linalg, name) for name in linalg.__all__}
    return named | {other: named[name] for other, name in _OTHER_NAMES.items()}


def _table() -> tuple[dict[Any, Function], dict[Any, str]]:
    """Return what answers for NumPy's functions, and the ops that ufuncs are."""
    answers: dict[Any, Function] = {}
    thin: dict[Any, str] = {}
    for name, function in {**_named_functions(), **OWN}.items():
        target = find(name)
        if target is None or not callable(target) or target in answers:
            continue
        if name in OWN:
            answers[target] = function
        elif isinstance(target, np.ufunc):
            answers[target] = function
            op = "matmul" if name == "matmul" else _is_thin(function, target)
            if op is not None:
                thin[target] = op
        elif isinstance(target, type(np.sum)):  # it asks its operands for the answer
            answers[target] = Adapted(name, target, function)
    return answers, thin


def _methods() -> dict[str, Function]:
    """Return what answers for methods of ufuncs, which have the arguments of sum and cumsum."""
    return {
        f"{ufunc}.{method}": Adapted(f"{ufunc}.{method}", like, getattr(ops, name))
        for table, method, like in (
            (_REDUCE, "reduce", np.sum),
            (_ACCUMULATE, "accumulate", np.cumsum),
        )
        for ufunc, name in table.items()
    }


_METHODS = _methods()
#: What answers for each function; the ops that ufuncs are.
_ANSWERS, THIN = _table()
_answer_numpy(THIN, {})


def supported() -> list[str]:
    """Return the names of NumPy's functions that Tensors answer, ufuncs' methods among them.

    Examples
    --------
    >>> [name for name in supported() if "maximum" in name]
    ['maximum', 'maximum.outer', 'maximum.reduce']
    """
    names = {name for name in dir(np) if _is_answered(getattr(np, name))}
    names |= {f"linalg.{name}" for name in dir(np.linalg) if _is_answered(getattr(np.linalg, name))}
    names |= _METHODS.keys()
    names |= {f"{f.__name__}.outer" for f in _ANSWERS if isinstance(f, np.ufunc) and _has_outer(f)}
    return sorted(names)


def _is_answered(function: Any) -> bool:
    return callable(function) and not isinstance(function, type) and function in _ANSWERS


def _has_outer(ufunc: Any) -> bool:
    return bool(ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None)


# ---- answers -----------------------------------------------------------------------------------


def answer(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what a NumPy function gives for Tensors, or raise TypeError."""
    known = _ANSWERS.get(function)
    if isinstance(known, Adapted):
        known.prepare()
        _answer_numpy({}, {function: (known, known.function, known.straight)})
    if known is not None:
        return known(*args, **kwargs)
    name = _full_name(function)
    if name in READERS:
        return by_elements(name, function, args, kwargs)
    if kwargs.get("out") is not None:
        return into_array(name, function, kwargs["out"], args, kwargs)
    return _of_plain(name, function, args, kwargs)


def answer_ufunc(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Return what a ufunc, or one of its methods, gives for Tensors, or raise TypeError."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if method == "at":
        return _at(ufunc, inputs)
    if any(out is not None for out in kwargs.get("out", ())):
        return into_array(name, getattr(ufunc, method), kwargs["out"], inputs, kwargs)
    if name in _METHODS:
        start = {} if len(inputs) > 1 else {"axis": 0}
        return _METHODS[name](*inputs, **start | {k: v for k, v in kwargs.items() if k != "out"})
    known = _ANSWERS.get(ufunc)
    if known is None and getattr(np, ufunc.__name__, None) is not ufunc:
        return _of_another_library(ufunc, method, inputs, kwargs)
    if known is None:
        if name in READERS:
            return by_elements(name, ufunc, inputs, kwargs)
        return _of_plain(name, getattr(ufunc, method), inputs, kwargs)
    operands = _cast_as_asked(name, inputs, kwargs, ufunc)
    if method == "outer" and _has_outer(ufunc):
        first, second = map(as_tensor, operands)
        return known(first.reshape(first.shape + (1,) * second.ndim), second)
    if method != "__call__":
        return _of_plain(name, getattr(ufunc, method), inputs, kwargs)
    return known(*operands)


def _cast_as_asked(
    name: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any], ufunc: Any
) -> tuple[Any, ...]:
    """Return the operands in the dtype that a ufunc is asked to compute in."""
    need_defaults(name, {k: v for k, v in kwargs.items() if k not in ("dtype", "casting")})
    dtype = kwargs.get("dtype")
    if dtype is None or all(types.endswith("->?") for types in ufunc.types):
        return inputs  # a predicate gives booleans
    casting = kwargs.get("casting", "same_kind")
    operands = []
    for x in inputs:
        is_number = isinstance(x, bool | int | float) and not hasattr(x, "dtype")
        if not is_number and not np.can_cast(as_tensor(x).dtype, dtype, casting):
            raise TypeError(
                f"np.{name}() cannot cast {as_tensor(x).dtype} to {np.dtype(dtype)} by the rule"
                f" {casting!r}: cast it first"
            )
        operands.append(ops.cast(x, dtype))
    return tuple(operands)


def _at(ufunc: Any, inputs: tuple[Any, ...]) -> None:
    name = f"{ufunc.__name__}.at"
    if is_tensor(inputs[0]):
        update = ufunc.__name__ if ufunc.__name__ in ("add", "subtract", "multiply") else "set"
        raise TypeError(
            f"np.{name}() would change a Tensor, whose elements never change: write"
            f" x = x.at[indices].{update}(values)"
        )
    by_elements(name, ufunc.at, inputs, {})


#: Ufuncs of scipy.special that ops has by another name, or by its own.
_SCIPY = {"erf": "erf", "erfc": "erfc", "expit": "sigmoid", "log_expit": "log_sigmoid"}


def _of_another_library(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    special = sys.modules.get("scipy.special")
    name = ufunc.__name__
    called = method == "__call__" and not kwargs
    if called and name in _SCIPY and getattr(special, name, None) is ufunc:
        return getattr(ops, _SCIPY[name])(*inputs)
    return by_elements(name, getattr(ufunc, method), inputs, kwargs)


def _of_plain(
    name: str, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Give a function that Tensors do not answer their elements, where that cuts no gradient."""
    try:
        operands, options = elements(args), {k: elements(v) for k, v in kwargs.items()}
    except TypeError:
        raise _unsupported(name) from None
    return function(*operands, **options)


def _full_name(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module}.{function.__name__}".removeprefix("numpy.")


def _unsupported(name: str) -> TypeError:
    near = nearest(name, supported(), cutoff=0.75)
    return TypeError(
        f"np.{name}() does not take Tensors that are being differentiated or traced. "
        + (f"Did you mean np.{near}()? " if near else "")
        + "Write it with the functions of fusegrad.ops, or give NumPy the elements, where gradients"
        " end as by fusegrad.ops.stop_gradient: t.detach().numpy()"
    )
