"""Variable: a named array that layers and optimizers update in place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fusegrad._elsewhere import of_tensor
from fusegrad._settings import changes
from fusegrad._spelling import Spelled
from fusegrad._tensor import (
    GraphHandle,
    Tensor,
    as_tensor,
    copy_into,
    current_builder,
    detached,
    empty,
    identity_on,
)
from fusegrad.errors import ArgumentError

__all__ = ["Variable", "substituted"]


class _Substitutes(threading.local):
    def __init__(self) -> None:
        self.values: dict[int, Tensor] = {}
        self.tapes: list[Any] = []  # each GradientTape whose block this is, from the outermost


#: The values that `substituted` gives in this thread, and what watches the others.
substitutes = _Substitutes()


class Variable(Spelled):
    """An array with a name whose elements change in place.

    In a traced function its value is an input that is read at every run, and `assign` takes effect
    at the end of the run.

    Parameters
    ----------
    value : array_like
        The initial elements; they are copied.
    name : str, default "variable"
        Shown by summaries and graphs.
    trainable : bool, default True
        Whether optimizers update it.
    dtype : str, optional
        The dtype of the elements; by default that of `value`.
    order : {"C", "F"}, default "C"
        "F" keeps the first axis contiguous: the layout that dense kernels want.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `value` is no array of numbers, or `order` is another one.

    Examples
    --------
    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign(v * 3)
    >>> v.value
    Tensor([3., 6.], dtype=float32)
    """

    __array_priority__ = 1000

    def __init__(
        self,
        value: Any,
        name: str = "variable",
        trainable: bool = True,
        dtype: Any = None,
        order: str = "C",
    ) -> None:
        if order not in ("C", "F"):
            raise ArgumentError("Variable", "order", "'C' or 'F'", repr(order))
        initial = _tensor("Variable", value, dtype)
        self._tensor = empty(initial.shape, initial.dtype, order)
        copy_into(self._tensor, initial)
        self.name = name
        self.path = name
        self.trainable = trainable
        self.regularizer: Callable[[Any], Any] | None = None
        #: What an optimizer applies to the elements after each of its steps.
        self.constraint: Callable[[Any], Any] | None = None

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        changes.count += 1

    @property
    def value(self) -> Tensor:
        """The elements, without a copy: a later `assign` changes them too."""
        if substitutes.tapes:
            return self._watched_value()
        if substitutes.values:
            substitute = substitutes.values.get(id(self))
            if substitute is not None:
                return substitute
        builder = current_builder()
        if isinstance(builder, GraphHandle):
            return builder.read(self._tensor, self.path)
        return self._tensor

    def _watched_value(self) -> Tensor:
        substitute = substitutes.values.get(id(self))
        builder = current_builder()
        value = self._tensor if substitute is None else substitute
        outer = builder.around() if isinstance(builder, GraphHandle) else None
        if substitute is None and isinstance(outer, GraphHandle):
            # What was assigned in the trace is a new value, as it is where ops just run.
            value = identity_on(outer, outer.read(self._tensor, self.path), stopped=True)
        for tape in substitutes.tapes:
            value = tape.read_variable(self, value, substitute)
        return value

    @property
    def stored(self) -> Tensor:
        """The elements as they are now, also in a traced function; without a copy."""
        return self._tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return self._tensor.shape

    @property
    def dtype(self) -> Any:
        """The element type, a numpy.dtype."""
        return self._tensor.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self._tensor.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return self._tensor.size

    def assign(self, value: Any) -> None:
        """Set the elements, in the same memory.

        In a traced step or function that is done at the end of each run; reads that follow give the
        new value. While a function is differentiated, what is written is the value alone.

        Parameters
        ----------
        value : array_like
            Of the same shape; converted to the Variable's dtype.

        Raises
        ------
        fusegrad.errors.ArgumentError
            `value` has another shape, or is no array.
        """
        # A Python number is taken as it is, not by way of the default dtype.
        dtype = None if isinstance(value, Tensor | Variable) else self.dtype
        new = _tensor("assign", value, dtype)
        if new.shape != self.shape:
            raise ArgumentError(
                "assign", "value", f"shape {self.shape} of '{self.path}'", f"shape {new.shape}"
            )
        new = as_tensor(new, self.dtype)
        if id(self) in substitutes.values or (substitutes.values and detached(new) is not new):
            substitutes.values[id(self)] = new
        for tape in substitutes.tapes:
            tape.variable_assigned(self)
        builder = current_builder()
        if isinstance(builder, GraphHandle):
            builder.assign(self._tensor, new, self.path)
        else:
            copy_into(self._tensor, detached(new))

    def assign_add(self, value: Any) -> None:
        """Add to the elements, in the same memory.

        Parameters
        ----------
        value : array_like
            Broadcast to the Variable's shape.

        Raises
        ------
        fusegrad.errors.ArgumentError
            `value` does not broadcast to the shape.

        Examples
        --------
        >>> v = Variable([1.0, 2.0])
        >>> v.assign_add([0.5, 0.5])
        >>> v.numpy().tolist()
        [1.5, 2.5]
        """
        self.assign(self.value + self._operand(value))

    def assign_sub(self, value: Any) -> None:
        """Subtract from the elements, in the same memory.

        Parameters
        ----------
        value : array_like
            Broadcast to the Variable's shape.

        Raises
        ------
        fusegrad.errors.ArgumentError
            `value` does not broadcast to the shape.

        Examples
        --------
        >>> v = Variable([1.0, 2.0])
        >>> v.assign_sub(1)
        >>> v.numpy().tolist()
        [0.0, 1.0]
        """
        self.assign(self.value - self._operand(value))

    def _operand(self, value: Any) -> Tensor:
        """Return what is added or subtracted, in the Variable's dtype."""
        return as_tensor(value, self.dtype)

    def numpy(self) -> Any:
        """Return a copy of the elements as a NumPy array.

        Raises
        ------
        TypeError
            In a traced function.
        """
        return self.value.numpy().copy()

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype)

    def __fusegrad_tensor__(self) -> Tensor:
        return self.value

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return self.value.__array_ufunc__(ufunc, method, *inputs, **kwargs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return self.value.__array_function__(function, types, args, kwargs)

    def __repr__(self) -> str:
        return f"<Variable {self.path!r}: {self._tensor!r}>"

    def __float__(self) -> float:
        return float(self.value)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __int__(self) -> int:
        return int(self.value)

    def __len__(self) -> int:
        return len(self._tensor)

    def __getitem__(self, key: Any) -> Tensor:
        return self.value[key]

    def __add__(self, other: object) -> Tensor:
        return self.value + other

    def __radd__(self, other: Any) -> Tensor:
        result: Tensor = other + self.value
        return result

    def __sub__(self, other: object) -> Tensor:
        return self.value - other

    def __rsub__(self, other: Any) -> Tensor:
        result: Tensor = other - self.value
        return result

    def __mul__(self, other: object) -> Tensor:
        return self.value * other

    def __rmul__(self, other: Any) -> Tensor:
        result: Tensor = other * self.value
        return result

    def __truediv__(self, other: object) -> Tensor:
        return self.value / other

    def __rtruediv__(self, other: Any) -> Tensor:
        result: Tensor = other / self.value
        return result

    def __floordiv__(self, other: object) -> Tensor:
        return self.value // other

    def __rfloordiv__(self, other: Any) -> Tensor:
        result: Tensor = other // self.value
        return result

    def __mod__(self, other: object) -> Tensor:
        return self.value % other

    def __rmod__(self, other: Any) -> Tensor:
        result: Tensor = other % self.value
        return result

    # == and != compare identities: Variables are keys of dicts.

    def __lt__(self, other: object) -> Tensor:
        return self.value < other

    def __le__(self, other: object) -> Tensor:
        return self.value <= other

    def __gt__(self, other: object) -> Tensor:
        return self.value > other

    def __ge__(self, other: object) -> Tensor:
        return self.value >= other

    def __matmul__(self, other: object) -> Tensor:
        return self.value @ other

    def __rmatmul__(self, other: Any) -> Tensor:
        result: Tensor = other @ self.value
        return result

    def __pow__(self, other: object) -> Tensor:
        return self.value**other

    def __rpow__(self, other: Any) -> Tensor:
        result: Tensor = other**self.value
        return result

    def __neg__(self) -> Tensor:
        return -self.value

    def __abs__(self) -> Tensor:
        return self.value.__abs__()

    def _update(self, other: object) -> Tensor:
        raise TypeError(
            "a Variable is updated by assign(value), assign_add(x) and assign_sub(x); += would give"
            " its name to a Tensor (write v = v + x for that)"
        )

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ifloordiv__ = __imod__ = __ipow__ = _update
    __imatmul__ = _update

    if not TYPE_CHECKING:  # with it every name would be one of Any

        def __getattr__(self, name):
            """Raise AttributeError, which says what to write instead."""
            hint = "" if name.startswith("_") else of_tensor(name)
            if not name.startswith("_") and hasattr(Tensor, name):
                hint = f"it is one of the Tensor: write v.value.{name}"
            if hint:
                raise AttributeError(f"Variable has no '{name}': {hint}", name=name, obj=self)
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self
            )


def _tensor(where: str, value: Any, dtype: Any) -> Tensor:
    try:
        return as_tensor(value, dtype)
    except ArgumentError as error:
        argument = "dtype" if error.argument == "dtype" else "value"
        raise ArgumentError(where, argument, error.expected, error.got) from None


@contextmanager
def substituted(values: Mapping[Variable, Tensor]) -> Iterator[None]:
    """Within the block, in this thread, the Variables have these values.

    So a function that reads Variables can be differentiated with respect to them.

    Parameters
    ----------
    values : mapping of Variable to Tensor

    Examples
    --------
    >>> import fusegrad as fg
    >>> v = Variable(3.0)
    >>> def square(x):
    ...     with substituted({v: x}):
    ...         return v * v
    >>> fg.grad(square)(v)
    Tensor(6., dtype=float32)
    """
    before = substitutes.values
    substitutes.values = {**before, **{id(v): tensor for v, tensor in values.items()}}
    try:
        yield
    finally:
        substitutes.values = before
