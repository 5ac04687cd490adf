"""What fusegrad does not know itself: opaque Python functions, and extensions written in C++.

`fusegrad.ops.custom_op` makes a function of an op that an extension defines.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fusegrad._spelling import Spelled, missing
from fusegrad._tensor import GraphHandle, as_tensor, callback, current_builder, identity
from fusegrad.errors import ArgumentError
from fusegrad.transforms.trees import leaves as leaves_of
from fusegrad.transforms.trees import tree_map

__all__ = [
    "ShapeDtypeStruct",
    "get_cmake_dir",
    "get_include",
    "get_library_dir",
    "pure_callback",
]

__getattr__ = missing(__name__, __all__)

Result = tuple[tuple[int, ...], str]  # shape and dtype

_MAX_RESULTS = 4  # of one op


class ShapeDtypeStruct(Spelled):
    """The shape and the dtype of an array, without elements.

    Parameters
    ----------
    shape : int or sequence of int
    dtype : str or numpy.dtype

    Raises
    ------
    fusegrad.errors.ArgumentError
        `shape` is no int >= 0 or sequence of such, or `dtype` is none.

    Examples
    --------
    >>> ShapeDtypeStruct((2, 3), "float32")
    ShapeDtypeStruct(shape=(2, 3), dtype=float32)
    """

    def __init__(self, shape: Any, dtype: Any) -> None:
        try:
            sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
            self.shape = tuple(map(operator.index, sizes))
        except TypeError:
            self.shape = (-1,)
        if min(self.shape, default=0) < 0:
            expected = "an int >= 0 or a sequence of such"
            raise ArgumentError("ShapeDtypeStruct", "shape", expected, repr(shape))
        try:
            self.dtype: np.dtype[Any] = np.dtype(dtype)
        except TypeError:
            expected = "a dtype, such as 'float32'"
            raise ArgumentError("ShapeDtypeStruct", "dtype", expected, repr(dtype)) from None

    def __repr__(self) -> str:
        """Return how it is made."""
        return f"ShapeDtypeStruct(shape={self.shape}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        """Return whether shape and dtype are equal."""
        if not isinstance(other, ShapeDtypeStruct):
            return NotImplemented
        return (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self) -> int:
        """Return a hash of shape and dtype."""
        return hash((self.shape, self.dtype))


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    vectorized: bool = False,
    **kwargs: Any,
) -> Any:
    """Return what a Python function of NumPy arrays returns, as part of what is traced.

    A compiled program calls the function each time that it runs.

    Parameters
    ----------
    callback : callable
        Gets `args` and `kwargs` with NumPy arrays in the place of arrays and numbers. It should
        have no effect but its result: how often it is called is not defined.
    result_shape_dtypes
        What it returns: a `ShapeDtypeStruct`, or anything with ``shape`` and ``dtype``, or a nested
        tuple, list or dict of those. A result must have just that shape and dtype; a Python number
        takes the dtype.
    *args, **kwargs
        Arrays, numbers, and nested tuples, lists and dicts of them.
    vectorized : bool, default False
        Whether the function takes arrays with further leading axes, and returns such: `vmap` then
        calls it once for all examples, with all arrays stacked. Else it is called for each example.

    Returns
    -------
    Tensor, or nested containers of Tensors
        The structure of `result_shape_dtypes`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        Results of another number, shape or dtype; a gradient through the callback, which has none:
        `fusegrad.custom_vjp` gives one to a function that calls it.
    Exception
        What the function raises, as it was raised, also from a compiled program, which can be run
        again.

    Notes
    -----
    The arrays are copies, so the function may keep them or write to them. What it computes is
    outside the numerics contract.

    Examples
    --------
    >>> import fusegrad as fg
    >>> import numpy as np
    >>> def hypotenuse(a, b):
    ...     return np.hypot(a, b)
    >>> @fg.jit
    ... def f(a, b):
    ...     return 2 * fg.pure_callback(hypotenuse, a, a, b)
    >>> f(np.array([3.0]), np.array([4.0]))
    Tensor([10.], dtype=float64)
    """
    if not callable(callback):
        raise ArgumentError("pure_callback", "callback", "a function", repr(callback))
    expected = leaves_of(result_shape_dtypes)
    results = [_described(leaf) for leaf in expected]
    operands = [as_tensor(leaf) for leaf in leaves_of((args, kwargs))]
    # A program keeps `call`, which therefore holds no Tensor of its own trace.
    taken, returned = (
        tree_map(lambda _: 0, (args, kwargs)),
        tree_map(lambda _: 0, result_shape_dtypes),
    )

    def call(arrays: list[Any]) -> list[Any]:
        given = iter(arrays)
        positional, named = tree_map(lambda _: next(given), taken)
        return _returned(callback(*positional, **named), returned)

    tensors = iter(_called(call, callback, results, operands, vectorized))
    return tree_map(lambda _: next(tensors), result_shape_dtypes)


def _described(leaf: Any) -> Result:
    try:
        shape, dtype = tuple(int(n) for n in leaf.shape), np.dtype(leaf.dtype).name
    except (AttributeError, TypeError):
        expected = "objects with a shape and a dtype, such as fusegrad.ShapeDtypeStruct"
        raise ArgumentError("pure_callback", "result_shape_dtypes", expected, repr(leaf)) from None
    return shape, dtype


def _returned(value: Any, structure: Any) -> list[Any]:
    """Return the arrays of a result, which must have the structure that was promised."""
    if structure is None:
        return []
    if isinstance(structure, dict):
        if not isinstance(value, dict) or value.keys() != structure.keys():
            raise _wrong_result(f"a dict with the keys {list(structure)}", repr(value))
        return [x for key, part in structure.items() for x in _returned(value[key], part)]
    if isinstance(structure, list | tuple):
        if not isinstance(value, list | tuple) or len(value) != len(structure):
            raise _wrong_result(f"{len(structure)} results, as a tuple or list", repr(value))
        pairs = zip(value, structure, strict=True)
        return [x for item, part in pairs for x in _returned(item, part)]
    return [value]


def _wrong_result(expected: str, got: str) -> ArgumentError:
    return ArgumentError("pure_callback", "callback", f"a function that returns {expected}", got)


def _called(
    call: Callable[[list[Any]], list[Any]],
    function: Callable[..., Any],
    results: list[Result],
    operands: list[Any],
    vectorized: bool,
) -> list[Any]:
    """Return the results of a callback: of one op, several of a dtype as parts of one array."""
    if not results:
        raise ArgumentError("pure_callback", "result_shape_dtypes", "at least one result", "none")
    operands = operands or [as_tensor(0.0)]  # an op has at least one
    if isinstance(current_builder(), GraphHandle):
        operands[0] = identity(operands[0])  # the program calls it, also where nothing is traced
    name = getattr(function, "__name__", type(function).__name__)
    if len(results) <= _MAX_RESULTS:
        given = callback(call, name, results, operands, vectorized)
        return list(given) if len(results) > 1 else [given]
    dtypes = list(dict.fromkeys(dtype for _, dtype in results))
    if len(dtypes) > _MAX_RESULTS:
        expected = f"at most {_MAX_RESULTS} dtypes"
        raise ArgumentError("pure_callback", "result_shape_dtypes", expected, ", ".join(dtypes))
    sizes = [math.prod(shape) for shape, _ in results]

    def joined(arrays: list[Any]) -> list[Any]:
        values = call(arrays)
        groups: dict[str, list[Any]] = {dtype: [] for dtype in dtypes}
        for i, (value, (shape, dtype)) in enumerate(zip(values, results, strict=True)):
            x = np.asarray(value, dtype if isinstance(value, int | float) else None)
            stack = x.shape[: x.ndim - len(shape)] if vectorized else ()
            if x.shape != (*stack, *shape) or x.dtype != dtype:
                got = f"shape {x.shape} and dtype {x.dtype}"
                raise _wrong_result(f"shape {shape} and dtype {dtype} as result {i}", got)
            groups[dtype].append(x.reshape((*stack, math.prod(shape))))
        return [np.concatenate(group, axis=-1) for group in groups.values()]

    lengths = dict.fromkeys(dtypes, 0)
    places = []
    for size, (_, dtype) in zip(sizes, results, strict=True):
        places.append(slice(lengths[dtype], lengths[dtype] + size))
        lengths[dtype] += size
    metas: list[Result] = [((n,), dtype) for dtype, n in lengths.items()]
    given = callback(joined, name, metas, operands, vectorized)
    parts = dict(zip(dtypes, given if len(dtypes) > 1 else [given], strict=True))
    return [
        parts[dtype][place].reshape(shape)
        for place, (shape, dtype) in zip(places, results, strict=True)
    ]


def get_include() -> str:
    """Return the folder of the C++ headers, for ``#include "fusegrad/extension.h"``.

    Examples
    --------
    >>> import os
    >>> os.path.isfile(os.path.join(get_include(), "fusegrad", "extension.h"))
    True
    """
    return str(_installed_or_in_tree("include", "csrc/include"))


def get_library_dir() -> str:
    """Return the folder of the shared library ``fusegrad_core``, which extensions link.

    Examples
    --------
    >>> import os
    >>> any("fusegrad_core" in name for name in os.listdir(get_library_dir()))
    True
    """
    return str(_package())


def get_cmake_dir() -> str:
    """Return the folder of the CMake package, for ``find_package(fusegrad)``.

    Give it as ``-Dfusegrad_DIR=...``; the package defines the target ``fusegrad::core``.

    Examples
    --------
    >>> import os
    >>> os.path.isfile(os.path.join(get_cmake_dir(), "fusegradConfig.cmake"))
    True
    """
    return str(_installed_or_in_tree("share/cmake/fusegrad", "cmake/package"))


def _package() -> Path:
    from fusegrad import _core

    return Path(_core.__file__).parent


def _installed_or_in_tree(installed: str, in_tree: str) -> Path:
    """Return a folder of the installed package, or of the sources that modules were built in."""
    folder = _package() / installed
    return folder if folder.is_dir() else Path(__file__).parents[2] / in_tree
