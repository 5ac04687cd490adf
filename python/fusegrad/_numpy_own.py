"""NumPy's functions that `fusegrad.ops` has no use for, or another meaning of, for Tensors."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._numpy_arguments import (
    Adapted,
    by_elements,
    into_array,
    is_recorded,
    is_tensor,
    need_defaults,
)
from fusegrad._tensor import Tensor, as_tensor, detached

__all__ = ["OWN"]

Function = Callable[..., Any]

#: What answers for NumPy's functions, by their names.
OWN: dict[str, Function] = {}


def _own(function: Function) -> Function:
    """Let it answer for the NumPy function of its name."""
    OWN[function.__name__.strip("_")] = function
    return function


# ---- what only asks ----------------------------------------------------------------------------


def _known(x: Any) -> Any:
    """Return the elements of a Tensor that is not symbolic; asking has no gradient."""
    return detached(as_tensor(x)).numpy() if is_tensor(x) else x


def _dtype_of(x: Any) -> Any:
    return as_tensor(x).dtype if is_tensor(x) else x


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
    return np.common_type(*(np.empty(0, _dtype_of(a)) if is_tensor(a) else a for a in arrays))


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
def _allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> bool:
    return bool(np.allclose(_known(a), _known(b), rtol, atol, equal_nan))


@_own
def _isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Tensor:
    return as_tensor(np.isclose(_known(a), _known(b), rtol, atol, equal_nan))


@_own
def _array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    return np.array_equal(_known(a1), _known(a2), equal_nan)


@_own
def _array_equiv(a1: Any, a2: Any) -> bool:
    return np.array_equiv(_known(a1), _known(a2))


@_own
def _array2string(a: Any, *args: Any, **options: Any) -> str:
    return np.array2string(_known(a), *args, **options)


@_own
def _array_repr(arr: Any, *args: Any, **options: Any) -> str:
    return np.array_repr(_known(arr), *args, **options)


@_own
def _array_str(a: Any, *args: Any, **options: Any) -> str:
    return np.array_str(_known(a), *args, **options)


# ---- new arrays: np.zeros(3, like=t) -----------------------------------------------------------


def _made(name: str) -> Function:
    """Return a function that gives what NumPy makes as a Tensor."""
    function = getattr(np, name)

    def made(*args: Any, **options: Any) -> Tensor:
        if name.endswith("array") and args and not isinstance(args[0], np.ndarray):
            return Tensor(args[0], *args[1:], **{k: v for k, v in options.items() if k == "dtype"})
        return as_tensor(by_elements(name, function, args, options))

    return made


for _name in (
    *("arange", "array", "asanyarray", "asarray", "ascontiguousarray", "asfortranarray"),
    *("empty", "eye", "frombuffer", "fromfile", "fromfunction", "fromiter", "fromstring", "full"),
    *("genfromtxt", "identity", "loadtxt", "ones", "tri", "zeros"),
):
    OWN[_name] = _made(_name)


# ---- conversions: what SciPy calls before code of C -----------------------------------------


def _at_least(name: str) -> Function:
    """Return a function that gives plain Tensors as new arrays of NumPy's, others as Tensors."""
    numpys, of_tensors = getattr(np, name), getattr(ops, name)

    def at_least(*arys: Any) -> Any:
        if any(map(is_recorded, arys)):
            return of_tensors(*arys)
        return numpys(*(np.array(as_tensor(a).numpy()) if is_tensor(a) else a for a in arys))

    return at_least


for _name in ("atleast_1d", "atleast_2d", "atleast_3d"):
    OWN[_name] = _at_least(_name)


# ---- real numbers, orders, joining ----------------------------------------------------------


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
def _reshape(a: Any, /, shape: Any, order: str = "C", *, copy: bool | None = None) -> Tensor:
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
) -> Any:
    if axis is None:
        arrays, axis = [as_tensor(a).ravel() for a in arrays], 0
    if out is not None:
        given = {"axis": axis, "out": out, **options}
        return into_array("concatenate", np.concatenate, out, (arrays,), given)
    return as_tensor(_CONCATENATE(arrays, axis, dtype=dtype, **options))


# The arguments of stack are the same; those of concatenate, which is of C, NumPy 2.0 does not tell.
_CONCATENATE = Adapted("concatenate", np.stack, ops.concatenate)
OWN["concatenate"] = _joined


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
) -> Any:
    low, high = (min if a_min is None else a_min), (max if a_max is None else a_max)
    if out is not None:
        return into_array("clip", np.clip, out, (a, low, high), {"out": out, **options})
    need_defaults("clip", options)
    if low is None and high is None:
        return as_tensor(a)
    return ops.clip(a, low, high)


@_own
def _broadcast_arrays(*args: Any, subok: bool = False) -> tuple[Any, ...]:
    """Also of what holds no numbers: matplotlib broadcasts data and labels together."""
    if not all(is_tensor(a) or np.asarray(a).dtype.kind in "biuf" for a in args):
        return tuple(by_elements("broadcast_arrays", np.broadcast_arrays, args, {}))
    shape = np.broadcast_shapes(*(np.shape(a) for a in args))
    return tuple(ops.broadcast_to(a, shape) for a in args)


@_own
def _empty_like(prototype: Any, /, dtype: Any = None, **options: Any) -> Tensor:
    need_defaults("empty_like", options)
    return ops.zeros_like(prototype, dtype)


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


OWN["rad2deg"], OWN["deg2rad"] = OWN["degrees"], OWN["radians"]


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
