"""Optimizer: a rule of the core, its hyperparameters, and the state that it keeps per weight."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import numpy as np

from fusegrad import _core
from fusegrad._checks import number
from fusegrad._registry import Registry, snake_case
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.variable import Variable


class Optimizer:
    """Base class of `SGD`, `RMSprop` and `Adam`.

    An optimizer keeps the learning rate, the number of finished steps and the slots of each weight
    (moments) in Variables, which a compiled step reads and writes.

    Parameters
    ----------
    learning_rate : float or int
        At least 0. It may be set again between epochs and between batches.
    name : str, optional
        By default the class's name in snake case.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The learning rate is negative, NaN or infinite.

    Examples
    --------
    >>> from fusegrad import optimizers
    >>> optimizer = optimizers.Adam()
    >>> optimizer.learning_rate = 1e-4
    >>> float(optimizer.learning_rate)
    0.0001
    """

    #: The name of the rule in the core.
    rule: ClassVar[str]

    def __init__(self, learning_rate: float, name: str | None = None) -> None:
        kind = type(self).__name__
        self.name = name or snake_case(kind)
        rate = number(kind, "learning_rate", learning_rate, 0.0)
        self._learning_rate = Variable(
            np.float64(rate), name=f"{self.name}/learning_rate", trainable=False, dtype="float64"
        )
        self._iterations = Variable(
            np.int64(0), name=f"{self.name}/iterations", trainable=False, dtype="int64"
        )
        self._slots: dict[Variable, list[Variable]] = {}
        self.built = False

    # ---- hyperparameters

    @property
    def learning_rate(self) -> Variable:
        """The learning rate, a float64 Variable; it can be set to a number."""
        return self._learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        given = value.numpy() if isinstance(value, Variable | Tensor) else value
        rate = number(type(self).__name__, "learning_rate", given, 0.0)
        self._learning_rate.assign(np.float64(rate))

    @property
    def iterations(self) -> Variable:
        """The number of finished steps, an int64 Variable."""
        return self._iterations

    def hyperparameters(self) -> dict[str, Any]:
        """Return what the core's rule needs besides the learning rate."""
        return {}

    def describe(self) -> _core.Optimizer:
        """Return the rule of the core."""
        return _core.Optimizer(self.rule, **self.hyperparameters())

    # ---- state

    @property
    def variables(self) -> list[Variable]:
        """Steps, learning rate, then the slots of each weight in turn."""
        slots = [slot for slots in self._slots.values() for slot in slots]
        return [self._iterations, self._learning_rate, *slots]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots of these weights, zeros, where there are none yet.

        Parameters
        ----------
        variables : iterable of Variable
        """
        names = self.describe().slots()
        for variable in variables:
            if variable not in self._slots:
                order = "F" if variable.ndim == 2 else "C"
                zeros = np.zeros(variable.shape, variable.dtype)
                self._slots[variable] = [
                    Variable(zeros, f"{variable.path}_{slot}", trainable=False, order=order)
                    for slot in names
                ]
        self.built = True

    def slots_made(self) -> dict[Variable, list[Variable]]:
        """Return which weights have slots, for `restore_slots`."""
        return dict(self._slots)

    def restore_slots(self, slots: dict[Variable, list[Variable]]) -> None:
        """Forget the slots that were made since `slots_made`."""
        self._slots = slots
        self.built = bool(slots)

    def reset(self) -> None:
        """Forget all slots and steps; the learning rate stays."""
        self._slots.clear()
        self._iterations.assign(0)
        self.built = False

    def apply(self, grads: Sequence[Any], trainable_variables: Sequence[Variable]) -> None:
        """Change the weights by one step.

        Parameters
        ----------
        grads : sequence of array_like
            One gradient for each weight, of its shape.
        trainable_variables : sequence of Variable

        Raises
        ------
        fusegrad.errors.ArgumentError
            Their numbers or shapes differ; nothing is changed then.

        Examples
        --------
        >>> from fusegrad import optimizers
        >>> from fusegrad.variable import Variable
        >>> weight = Variable([1.0])
        >>> optimizers.SGD(learning_rate=0.5).apply([[1.0]], [weight])
        >>> weight.numpy().tolist()
        [0.5]
        """
        where = f"{type(self).__name__}.apply"
        if len(grads) != len(trainable_variables):
            raise ArgumentError(
                where, "grads", f"{len(trainable_variables)} gradients", str(len(grads))
            )
        tensors = []
        for i, (grad, variable) in enumerate(zip(grads, trainable_variables, strict=True)):
            tensor = as_tensor(grad)
            if tuple(tensor.shape) != tuple(variable.shape):
                raise ArgumentError(
                    where,
                    f"grads[{i}]",
                    f"the shape of '{variable.path}', {tuple(variable.shape)}",
                    f"shape {tuple(tensor.shape)}",
                )
            tensors.append(tensor.astype(variable.dtype))
        self.build(trainable_variables)
        self.step(tensors, trainable_variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Change the weights by one step, from pairs of gradient and weight.

        Parameters
        ----------
        grads_and_vars : iterable of (array_like, Variable)

        Examples
        --------
        >>> from fusegrad import optimizers
        >>> from fusegrad.variable import Variable
        >>> weight = Variable([1.0])
        >>> optimizers.SGD(learning_rate=0.5).apply_gradients([([1.0], weight)])
        >>> weight.numpy().tolist()
        [0.5]
        """
        pairs = list(grads_and_vars)
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])

    def step(self, grads: Sequence[Tensor], variables: Sequence[Variable]) -> None:
        """Assign new values to weights, slots and the number of steps: now, or in a traced step."""
        assign_all(self.updates(grads, variables))

    def updates(
        self, grads: Sequence[Tensor], variables: Sequence[Variable]
    ) -> list[tuple[Variable, Tensor]]:
        """Return the new values of weights, slots and the number of steps."""
        rule = self.describe()
        size = rule.step_size(self._learning_rate.value, self._iterations.value)
        result: list[tuple[Variable, Tensor]] = []
        for grad, variable in zip(grads, variables, strict=True):
            targets = [variable, *self._slots[variable]]
            slots = [slot.value for slot in targets[1:]]
            result.extend(zip(targets, rule.update(variable.value, grad, slots, size), strict=True))
        result.append((self._iterations, self._iterations.value + 1))
        return result

    # ---- description

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments.

        Returns
        -------
        dict

        Examples
        --------
        >>> from fusegrad import optimizers
        >>> optimizers.SGD(momentum=0.9).get_config()["momentum"]
        0.9
        """
        return {
            "name": self.name,
            "learning_rate": float(self._learning_rate.numpy()),
            **self.hyperparameters(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Build an optimizer from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} learning_rate={float(self._learning_rate.numpy())!r}>"


def assign_all(updates: Sequence[tuple[Variable, Tensor]]) -> None:
    """Assign all values or, where Ctrl-C comes in between, all the same and then stop."""
    try:
        for variable, value in updates:
            variable.assign(value)
    except KeyboardInterrupt:
        for variable, value in updates:
            variable.assign(value)
        raise


OPTIMIZERS: Registry[type[Optimizer]] = Registry("optimizers.get", "optimizer", any_case=True)


def register(cls: type[Optimizer]) -> type[Optimizer]:
    """Add an optimizer to the table that names resolve in."""
    return OPTIMIZERS.add(cls, cls.__name__)
