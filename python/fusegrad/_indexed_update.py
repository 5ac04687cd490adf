"""``x.at[key].set(v)``: Tensors like another one, but for the elements at an index.

Names and meanings are JAX's. Where a key names an element several times, `set` takes the last
value, and the others take all values, in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fusegrad._tensor import Tensor, as_tensor, detached, from_numpy
from fusegrad.errors import ArgumentError
from fusegrad.ops._call import one
from fusegrad.ops.binary import add, divide, maximum, minimum, multiply, where
from fusegrad.ops.indexing import take
from fusegrad.ops.shapes import broadcast_to
from fusegrad.ops.unary import cast, negative

__all__ = ["At", "IndexedUpdate"]


class At:
    """What ``x.at`` is: it takes a key as ``x[key]`` does."""

    __slots__ = ("_x",)

    def __init__(self, x: Tensor) -> None:
        self._x = x

    def __getitem__(self, key: Any) -> IndexedUpdate:
        return IndexedUpdate(self._x, key)

    def __repr__(self) -> str:
        return f"<at of {self._x!r}>"


class IndexedUpdate:
    """What ``x.at[key]`` is. Every method gives a Tensor of the shape and dtype of `x`.

    Values broadcast to the shape of ``x[key]``. Gradients pass to `x`, where it is kept or takes
    part, and to the values.

    Raises
    ------
    IndexError
        When a method is called: ``x[key]`` is none.
    fusegrad.errors.ArgumentError
        When a method is called: values do not broadcast to the shape of ``x[key]``, or are
        floating where `x` is not.
    TypeError
        When a method other than `get`, `add` and `subtract` is called: the key is symbolic.
    """

    __slots__ = ("_key", "_x")

    def __init__(self, x: Tensor, key: Any) -> None:
        self._x = x
        self._key = key

    def __repr__(self) -> str:
        return f"<at[{self._key!r}] of {self._x!r}>"

    def get(self) -> Tensor:
        """Return ``x[key]``."""
        return self._x[self._key]

    def set(self, values: Any) -> Tensor:
        """Return `x` with `values` at the key.

        Examples
        --------
        >>> Tensor([1.0, 2.0, 3.0]).at[[0, 2]].set([10.0, 30.0])
        Tensor([10.,  2., 30.], dtype=float32)
        """
        places = self._known_places("set")
        return _replaced(self._x, places.ravel(), self._values("set", values, places.shape))

    def add(self, values: Any) -> Tensor:
        """Return `x` with `values` added at the key, as by numpy.add.at.

        Examples
        --------
        >>> Tensor([1.0, 2.0, 3.0]).at[[0, 0, 2]].add(1.0)
        Tensor([3., 2., 4.], dtype=float32)
        """
        if self._x.dtype.kind != "f":
            return self._combined("add", add, values)
        places = self._places()
        flat = self._values("add", values, places.shape)
        total = one("take_grad", (flat, places.reshape(-1)), axes=0, shape=self._x.size)
        return self._x + total.reshape(self._x.shape)

    def subtract(self, values: Any) -> Tensor:
        """Return `x` with `values` subtracted at the key."""
        return self.add(negative(values))

    def multiply(self, values: Any) -> Tensor:
        """Return `x` multiplied by `values` at the key.

        Examples
        --------
        >>> Tensor([1.0, 2.0, 3.0]).at[1:].multiply(10.0)
        Tensor([ 1., 20., 30.], dtype=float32)
        """
        return self._combined("multiply", multiply, values)

    def divide(self, values: Any) -> Tensor:
        """Return `x` divided by `values` at the key; floating Tensors only."""
        if self._x.dtype.kind != "f":
            raise ArgumentError(
                "at[].divide", "x", "a floating Tensor", f"one of dtype {self._x.dtype}"
            )
        return self._combined("divide", divide, values)

    def min(self, values: Any) -> Tensor:
        """Return `x` with the smaller of it and `values` at the key."""
        return self._combined("min", minimum, values)

    def max(self, values: Any) -> Tensor:
        """Return `x` with the larger of it and `values` at the key."""
        return self._combined("max", maximum, values)

    def _places(self) -> Tensor:
        """Return where the elements at the key are, counted in C order."""
        every = np.arange(self._x.size).reshape(self._x.shape)
        return from_numpy(every)[self._key]

    def _known_places(self, name: str) -> np.ndarray[Any, Any]:
        places = self._places()
        try:
            return detached(places).numpy()
        except TypeError:
            raise TypeError(
                f"at[key].{name}() needs a key whose elements are known, but this one is symbolic:"
                " the function is being traced. Use at[key].add(), or ops.where"
            ) from None

    def _values(self, name: str, values: Any, shape: tuple[int, ...]) -> Tensor:
        x = self._x
        v = as_tensor(values, x.dtype) if isinstance(values, bool | int) else as_tensor(values)
        if v.dtype.kind == "f" and x.dtype.kind != "f":
            expected = f"values that {x.dtype} holds (cast them)"
            raise ArgumentError(f"at[].{name}", "values", expected, f"dtype {v.dtype}")
        if v.shape != shape:
            try:
                v = broadcast_to(v, shape)
            except ArgumentError:
                expected = f"a shape that broadcasts to {shape}, that of x[key]"
                raise ArgumentError(f"at[].{name}", "values", expected, str(v.shape)) from None
        return cast(v, x.dtype).reshape(-1)

    def _combined(self, name: str, combine: Callable[[Any, Any], Tensor], values: Any) -> Tensor:
        places = self._known_places(name)
        flat = self._values(name, values, places.shape)
        which, turn = np.unique(places.ravel(), return_inverse=True)
        if which.size == 0:
            return self._x.copy()
        # The values for one element stand together, in their order.
        order = np.argsort(turn, kind="stable")
        counts = np.bincount(turn)
        starts = np.cumsum(counts) - counts
        total = take(self._x.reshape(-1), which)
        for i in range(counts.max()):
            more = counts > i
            new = combine(total, take(flat, order[np.where(more, starts + i, starts)]))
            total = new if more.all() else where(more, new, total)
        return _replaced(self._x, which, total)


def _replaced(x: Tensor, places: np.ndarray[Any, Any], values: Tensor) -> Tensor:
    """Return `x` with flat values at flat places; the last one counts."""
    if places.size == 0:
        return x.copy()
    source = np.full(x.size, -1)
    source[places] = np.arange(places.size)
    chosen = take(values, np.maximum(source, 0)).reshape(x.shape)
    return where((source >= 0).reshape(x.shape), chosen, x)
