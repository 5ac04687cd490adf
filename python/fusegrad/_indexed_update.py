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
from fusegrad.ops.binary import add, divide, maximum, multiply, where
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
        When `multiply` or `divide` is called: the key is symbolic, in a traced function.
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
        places, flat = self._places_and_values("set", values)
        return self._chosen(places, flat)

    def add(self, values: Any) -> Tensor:
        """Return `x` with `values` added at the key, as by numpy.add.at.

        Examples
        --------
        >>> Tensor([1.0, 2.0, 3.0]).at[[0, 0, 2]].add(1.0)
        Tensor([3., 2., 4.], dtype=float32)
        """
        places, flat = self._places_and_values("add", values)
        total = one("segment_sum", (flat, places), shape=self._x.size)
        return add(self._x, total.reshape(self._x.shape))

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
        return negative(IndexedUpdate(negative(self._x), self._key).max(negative(values)))

    def max(self, values: Any) -> Tensor:
        """Return `x` with the larger of it and `values` at the key."""
        places, flat = self._places_and_values("max", values)
        largest = one("segment_max", (flat, places), shape=self._x.size).reshape(self._x.shape)
        return where(self._last(places) >= 0, maximum(self._x, largest), self._x)

    def _places(self) -> Tensor:
        """Return where the elements at the key are, counted in C order."""
        every = np.arange(self._x.size).reshape(self._x.shape)
        return from_numpy(every)[self._key]

    def _places_and_values(self, name: str, values: Any) -> tuple[Tensor, Tensor]:
        places = self._places()
        return places.reshape(-1), self._values(name, values, places.shape)

    def _last(self, places: Tensor) -> Tensor:
        """Return for each element which of the places names it last; negative where none does."""
        numbers = from_numpy(np.arange(places.size))
        return one("segment_max", (numbers, places), shape=self._x.size).reshape(self._x.shape)

    def _chosen(self, places: Tensor, values: Tensor) -> Tensor:
        """Return `x` with flat values at flat places; the last one counts."""
        if places.size == 0:
            return self._x.copy()
        last = self._last(places)
        return where(last >= 0, take(values, maximum(last, 0)), self._x)

    def _values(self, name: str, values: Any, shape: tuple[int, ...]) -> Tensor:
        x = self._x
        try:
            v = as_tensor(values, x.dtype if isinstance(values, bool | int) else None)
        except ArgumentError as error:
            raise ArgumentError(f"at[].{name}", "values", error.expected, error.got) from None
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
        places, flat = self._places_and_values(name, values)
        try:
            known = detached(places).numpy()
        except TypeError:
            raise TypeError(
                f"at[key].{name}() needs a key whose elements are known, but this one is symbolic:"
                " the function is being traced. Use at[key].set(), or ops.where"
            ) from None
        which, turn = np.unique(known, return_inverse=True)
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
        return self._chosen(from_numpy(which), total)
