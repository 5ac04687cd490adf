"""NumPy's functions of Tensors: what answers ``np.exp(t)``, ``np.sum(t)``, ``np.add.reduce(t)``.

Every function of `fusegrad.ops` answers for the NumPy function of its name; the tables below have
NumPy's other names and what `fusegrad.ops` has no use for. ``Tensor.__array_ufunc__`` and
``Tensor.__array_function__`` ask here for what they do not know themselves.
"""

from __future__ import annotations

import inspect
import operator
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._numpy_arguments import Adapted, need_defaults, reduced_as
from fusegrad._spelling import nearest
from fusegrad._tensor import Tensor, _answer_numpy, as_tensor, detached

__all__ = ["READERS", "answer", "answer_ufunc", "supported"]

Function = Callable[..., Any]

#: NumPy's other names for functions of ops, those that do what theirs do.
_OTHER_NAMES = {
    "absolute": "abs",
    "amax": "max",
    "amin": "min",
    "around": "round",
    "astype": "cast",
    "concat": "concatenate",
    "fabs": "abs",
    "float_power": "power",
    "linalg.matmul": "matmul",
    "linalg.outer": "outer",
    "linalg.tensordot": "tensordot",
    "linalg.vecdot": "vecdot",
    "permute_dims": "transpose",
    "pow": "power",
}
#: Functions of ops that NumPy has another meaning for.
_NOT_NUMPYS = {"identity", "slice"}

#: Methods of ufuncs: by `reduce` and `accumulate` of these.
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

#: Functions that read data and compute no array of its kind: given plain Tensors, NumPy gets their
#: elements.
READERS = frozenset(
    {
        *("array2string", "array_repr", "array_str", "save", "savetxt", "savez"),
        *("savez_compressed", "histogram", "histogram2d", "histogram_bin_edges", "histogramdd"),
        *("unique", "unique_all", "unique_counts", "unique_inverse", "unique_values"),
        *("intersect1d", "isin", "setdiff1d", "setxor1d", "union1d"),
        *("may_share_memory", "shares_memory", "min_scalar_type", "packbits"),
        *("copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask"),
        *("argwhere", "flatnonzero", "nonzero", "extract", "compress", "delete", "insert"),
        *("digitize", "searchsorted", "bincount", "lexsort", "trim_zeros", "copy"),
        *("isfinite", "isinf", "isnan", "isneginf", "isposinf", "isnat", "signbit"),
    }
)

_OWN: dict[str, Function] = {}


def _own(function: Function) -> Function:
    """Let a function of this module answer for the NumPy function of its name."""
    _OWN[function.__name__.strip("_")] = function
    return function


# ---- what only asks ----------------------------------------------------------------------------


def _known(x: Any) -> Any:
    """Return the elements of a Tensor that is not symbolic; asking has no gradient."""
    return detached(as_tensor(x)).numpy() if _is_tensor(x) else x


def _is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor) or hasattr(x, "__fusegrad_tensor__")


def _dtype_of(x: Any) -> Any:
    return as_tensor(x).dtype if _is_tensor(x) else x


@_own
def _shape(a: Any) -> tuple[int, ...]:
    return as_tensor(a).shape


@_own
def _ndim(a: Any) -> int:
    return as_tensor(a).ndim


@_own
def _size(a: Any, axis: int | tuple[int, ...] | None = None) -> int:
    shape = as_tensor(a).shape
    if axis is None:
        return as_tensor(a).size
    return int(np.prod([shape[i] for i in ((axis,) if isinstance(axis, int) else axis)]))


@_own
def _result_type(*arrays_and_dtypes: Any) -> Any:
    return np.result_type(*map(_dtype_of, arrays_and_dtypes))


@_own
def _can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    return np.can_cast(_dtype_of(from_), to, casting)


@_own
def _common_type(*arrays: Any) -> Any:
    return np.common_type(*(np.empty(0, _dtype_of(a)) if _is_tensor(a) else a for a in arrays))


@_own
def _iscomplexobj(x: Any) -> bool:
    return False


@_own
def _isrealobj(x: Any) -> bool:
    return True


@_own
def _isreal(x: Any) -> Tensor:
    return ops.ones(as_tensor(x).shape, "bool")


@_own
def _iscomplex(x: Any) -> Tensor:
    return ops.zeros(as_tensor(x).shape, "bool")


@_own
def _allclose(
    a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
) -> bool:
    return bool(np.allclose(_known(a), _known(b), rtol, atol, equal_nan))


@_own
def _isclose(
    a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False
) -> Tensor:
    return as_tensor(np.isclose(_known(a), _known(b), rtol, atol, equal_nan))


@_own
def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    return np.array_equal(_known(a1), _known(a2), equal_nan)


@_own
def _array_equiv(a1: Any, a2: Any) -> bool:
    return np.array_equiv(_known(a1), _known(a2))


# ---- real numbers, orders, new arrays ----------------------------------------------------------


@_own
def _real(val: Any) -> Tensor:
    return as_tensor(val)


@_own
def _real_if_close(a: Any, tol: float = 100) -> Tensor:
    return as_tensor(a)


@_own
def _imag(val: Any) -> Tensor:
    return ops.zeros_like(val)


@_own
def _positive(x: Any) -> Tensor:
    return as_tensor(x)


@_own
def _conjugate(x: Any) -> Tensor:
    return as_tensor(x)


@_own
def _reshape(
    a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None
) -> Tensor:
    return as_tensor(a).reshape(shape, order=order)


@_own
def _ravel(a: Any, order: str = "C") -> Tensor:
    return as_tensor(a).ravel(order)


@_own
def _swapaxes(a: Any, axis1: int, axis2: int) -> Tensor:
    return as_tensor(a).swapaxes(axis1, axis2)


@_own
def _matrix_transpose(x: Any, /) -> Tensor:
    return as_tensor(x).mT


def _joined(
    arrays: Any, /, axis: int | None = 0, out: Any = None, *, dtype: Any = None, **options: Any
) -> Tensor:
    if axis is None:
        arrays, axis = [as_tensor(a).ravel() for a in arrays], 0
    return _CONCATENATE(arrays, axis, out, dtype=dtype, **options)


_CONCATENATE = Adapted("concatenate", np.concatenate, ops.concatenate)
_OWN["concatenate"] = _joined


@_own
def _clip(
    a: Any,
    a_min: Any = None,
    a_max: Any = None,
    out: Any = None,
    *,
    min: Any = None,
    max: Any = None,
    **options: Any,
) -> Tensor:
    need_defaults("clip", {"out": out, **options})
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    if low is None and high is None:
        return as_tensor(a)
    return ops.clip(a, low, high)


@_own
def _empty_like(prototype: Any, /, dtype: Any = None, **options: Any) -> Tensor:
    need_defaults("empty_like", options)
    return ops.zeros_like(prototype, dtype)


@_own
def _array(x: Any, dtype: Any = None, **options: Any) -> Tensor:
    return Tensor(x, dtype)  # np.array(..., like=t)


@_own
def _asarray(x: Any, dtype: Any = None, **options: Any) -> Tensor:
    return as_tensor(x, dtype)  # likewise


@_own
def _divmod(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    return ops.floor_divide(x1, x2), ops.remainder(x1, x2)


@_own
def _bitwise_and(x1: Any, x2: Any) -> Any:
    return operator.and_(as_tensor(x1), x2)


@_own
def _bitwise_or(x1: Any, x2: Any) -> Any:
    return operator.or_(as_tensor(x1), x2)


@_own
def _bitwise_xor(x1: Any, x2: Any) -> Any:
    return operator.xor(as_tensor(x1), x2)


@_own
def _invert(x: Any) -> Any:
    return ~as_tensor(x)


@_own
def _degrees(x: Any) -> Tensor:
    return ops.multiply(x, 180 / np.pi)


@_own
def _radians(x: Any) -> Tensor:
    return ops.multiply(x, np.pi / 180)


@_own
def _polyval(p: Any, x: Any) -> Tensor:
    y = ops.zeros_like(x)
    for coefficient in p:
        y = y * x + coefficient
    return y


@_own
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Tensor:
    y = as_tensor(y)
    after, before = (_along(y, axis, part) for part in (slice(1, None), slice(None, -1)))
    if x is not None:
        x = as_tensor(x)
        along = -1 if x.ndim == 1 else axis
        dx = _along(x, along, slice(1, None)) - _along(x, along, slice(None, -1))
        if x.ndim == 1 and y.ndim > 1:
            sizes = [1] * y.ndim
            sizes[axis] = dx.shape[0]
            dx = dx.reshape(sizes)
    return ops.sum(dx * (after + before) / 2.0, axis=axis)


def _along(x: Tensor, axis: int, part: slice) -> Tensor:
    key = [slice(None)] * x.ndim
    key[axis] = part
    return x[tuple(key)]


# ---- the table ---------------------------------------------------------------------------------


def _find(name: str) -> Any:
    """Return what NumPy calls `name`, which may be ``linalg.norm``; None where there is nothing."""
    found: Any = np
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _is_thin(function: Function, ufunc: Any) -> str | None:
    """Return the name of the op that a function of ops is, where it does nothing but call it."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_names != ("one",) or code.co_argcount != ufunc.nin:
        return None
    named = [constant for constant in code.co_consts[1:] if isinstance(constant, str)]
    return named[0] if len(named) == 1 else None


def _named_functions() -> dict[str, Function]:
    """Return functions of ops by the names that NumPy has for them."""
    named = {name: getattr(ops, name) for name in ops.__all__ if name not in _NOT_NUMPYS}
    linalg = getattr(ops, "linalg", None) if "linalg" in ops.__all__ else None
    if linalg is not None:
        named |= {f"linalg.{name}": getattr(linalg, name) for name in linalg.__all__}
        del named["linalg"]
    named |= {other: named[name] for other, name in _OTHER_NAMES.items() if name in named}
    return named


def _table() -> tuple[dict[Any, Function], dict[Any, str], dict[Any, str]]:
    """Return what answers for NumPy's functions, the ops that ufuncs are, and all their names."""
    answers: dict[Any, Function] = {}
    thin: dict[Any, str] = {}
    names: dict[Any, str] = {}
    for name, function in {**_OWN, **_named_functions(), **_OWN}.items():
        target = _find(name)
        if target is None or not callable(target) or target in answers:
            continue
        if name == "divmod" and "floor_divide" not in ops.__all__:
            continue
        if name in _OWN:
            answers[target] = function
        elif isinstance(target, np.ufunc):
            answers[target] = function
            op = _is_thin(function, target)
            if op is not None:
                thin[target] = op
        elif _is_dispatched(target):
            answers[target] = Adapted(name, target, function)
        else:
            continue
        names[target] = name
    return answers, thin, names


def _is_dispatched(function: Any) -> bool:
    """Whether NumPy asks its operands, or ``like=``, for the answer."""
    if isinstance(function, type(np.sum)):
        return True
    try:
        return "like" in inspect.signature(function).parameters
    except (TypeError, ValueError):
        return function in (np.arange, np.zeros, np.array, np.asarray)


_ANSWERS, _THIN, _NAMES = _table()
_answer_numpy(
    _THIN,
    {
        f: (a, a.function, a.straight) if isinstance(a, Adapted) else (a, a, 0)
        for f, a in _ANSWERS.items()
        if not isinstance(f, np.ufunc)
    },
)


def supported() -> list[str]:
    """Return the names of NumPy's functions that Tensors answer, ufuncs' methods among them.

    Examples
    --------
    >>> [name for name in supported() if "maximum" in name]
    ['maximum', 'maximum.outer', 'maximum.reduce']
    """
    names = set(_NAMES.values())
    for name in _named_functions():
        target = _find(name)
        if target is not None and target in _ANSWERS:
            names.add(name)
    methods = [(_REDUCE, "reduce"), (_ACCUMULATE, "accumulate")]
    for table, method in methods:
        names |= {
            f"{ufunc}.{method}"
            for ufunc, name in table.items()
            if name in ops.__all__ and hasattr(np, ufunc)
        }
    names |= {f"{f.__name__}.outer" for f in _ANSWERS if isinstance(f, np.ufunc) and _has_outer(f)}
    return sorted(names)


def _has_outer(ufunc: Any) -> bool:
    return bool(ufunc.nin == 2 and ufunc.nout == 1 and ufunc.signature is None)


# ---- answers -----------------------------------------------------------------------------------


def answer(function: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what a NumPy function gives for Tensors, or raise TypeError."""
    known = _ANSWERS.get(function)
    if known is not None:
        return known(*args, **kwargs)
    name = _full_name(function)
    if name in READERS:
        return _by_elements(name, function, args, kwargs)
    if kwargs.get("out") is not None:
        return _into_array(name, function, args, kwargs)
    raise _unsupported(name)


def answer_ufunc(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Return what a ufunc, or one of its methods, gives for Tensors, or raise TypeError."""
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    if method == "at":
        return _at(ufunc, inputs)
    if any(out is not None for out in kwargs.get("out", ())):
        return _into_array(name, getattr(ufunc, method), inputs, kwargs)
    if method in ("reduce", "accumulate"):
        table = _REDUCE if method == "reduce" else _ACCUMULATE
        target = _find(table.get(ufunc.__name__, ""))
        if target is not None and target in _ANSWERS:
            arguments = dict(kwargs)
            arguments.pop("out", None)
            return reduced_as(_ANSWERS[target], inputs, arguments)
        raise _unsupported(name)
    known = _ANSWERS.get(ufunc)
    if known is None and getattr(np, ufunc.__name__, None) is not ufunc:
        return _of_another_library(ufunc, method, inputs, kwargs)
    if known is None:
        if name in READERS:
            return _by_elements(name, ufunc, inputs, kwargs)
        raise _unsupported(name)
    operands = _cast_as_asked(name, inputs, kwargs, ufunc)
    if method == "outer" and _has_outer(ufunc):
        first, second = map(as_tensor, operands)
        return known(first.reshape(first.shape + (1,) * second.ndim), second)
    if method != "__call__":
        raise _unsupported(name)
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
        if not isinstance(x, bool | int | float) or _is_tensor(x):
            x = as_tensor(x)
            if not np.can_cast(x.dtype, dtype, casting):
                raise TypeError(
                    f"np.{name}() cannot cast {x.dtype} to {np.dtype(dtype)} by the rule"
                    f" {casting!r}: cast it first"
                )
        operands.append(ops.cast(x, dtype))
    return tuple(operands)


def _at(ufunc: Any, inputs: tuple[Any, ...]) -> None:
    name = f"{ufunc.__name__}.at"
    if _is_tensor(inputs[0]):
        update = ufunc.__name__ if ufunc.__name__ in ("add", "subtract", "multiply") else "set"
        raise TypeError(
            f"np.{name}() would change a Tensor, whose elements never change: write"
            f" x = x.at[indices].{update}(values)"
        )
    _by_elements(name, ufunc.at, inputs, {})


def _into_array(
    name: str, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Compute into an array of NumPy's, as ``array += t`` does."""
    outs = kwargs["out"] if isinstance(kwargs["out"], tuple) else (kwargs["out"],)
    if any(_is_tensor(out) for out in outs):
        raise TypeError(
            f"np.{name}(out=) would change a Tensor, whose elements never change: write"
            f" t = np.{name}(...)"
        )
    return _by_elements(name, function, args, kwargs)


def _by_elements(
    name: str, function: Function, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """Call NumPy with the elements of plain Tensors."""

    def elements(x: Any) -> Any:
        if isinstance(x, list | tuple):
            return type(x)(map(elements, x))
        if not _is_tensor(x):
            return x
        try:
            return as_tensor(x).numpy()
        except TypeError as error:
            raise TypeError(f"np.{name}() reads elements: {error}") from None

    return function(*map(elements, args), **{k: elements(v) for k, v in kwargs.items()})


#: Ufuncs of scipy.special that ops has by another name, or by its own.
_SCIPY = {"erf": "erf", "erfc": "erfc", "expit": "sigmoid", "log_expit": "log_sigmoid"}


def _of_another_library(
    ufunc: Any, method: str, inputs: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    special = sys.modules.get("scipy.special")
    name = ufunc.__name__
    if method == "__call__" and not kwargs and getattr(special, name, None) is ufunc:
        if name in _SCIPY:
            return getattr(ops, _SCIPY[name])(*inputs)
    return _by_elements(name, getattr(ufunc, method), inputs, kwargs)


def _full_name(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module}.{function.__name__}".removeprefix("numpy.")


def _unsupported(name: str) -> TypeError:
    near = nearest(name, supported(), cutoff=0.75)
    return TypeError(
        f"np.{name}() does not take Tensors. "
        + (f"Did you mean np.{near}()? " if near else "")
        + "Write it with the functions of fusegrad.ops, or give NumPy the elements: t.numpy() of a"
        " plain Tensor, t.detach().numpy() of one that is being differentiated, whose gradient ends"
        " there as by fusegrad.ops.stop_gradient"
    )
