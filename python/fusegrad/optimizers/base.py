"""Optimizer: a rule of the core, its hyperparameters, and the state that it keeps per weight."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from fusegrad import _core
from fusegrad._checks import checked_name, number, positive
from fusegrad._registry import Registry, snake_case
from fusegrad._settings import changes, edits_of
from fusegrad._spelling import Spelled
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError
from fusegrad.optimizers import clipping
from fusegrad.optimizers.schedules import LearningRateSchedule, deserialize, serialize
from fusegrad.variable import Variable

_CLIPPINGS = ("clipnorm", "clipvalue", "global_clipnorm")
_NOT_THERE = (
    "weight_decay",
    "use_ema",
    "ema_momentum",
    "ema_overwrite_frequency",
    "loss_scale_factor",
    "gradient_accumulation_steps",
)


class Optimizer(Spelled):
    """Base class of `SGD`, `RMSprop` and `Adam`.

    An optimizer keeps the learning rate, the number of finished steps and the slots of each weight
    (moments) in Variables, which a compiled step reads and writes.

    Parameters
    ----------
    learning_rate : float, int or LearningRateSchedule
        At least 0. A number may be set again between epochs and between batches. A schedule is
        called with `iterations`, the number of finished steps, in each step.
    clipnorm : float, optional
        Above 0. Each gradient g is multiplied by ``clipnorm / max(norm(g), clipnorm)``.
    clipvalue : float, optional
        Above 0. Each element is clipped to [-clipvalue, clipvalue].
    global_clipnorm : float, optional
        Above 0. All gradients are multiplied by ``global_clipnorm / max(n, global_clipnorm)``, n
        being the norm of all of them together. R. Pascanu et al., "On the difficulty of training
        recurrent neural networks", ICML 2013.
    name : str, optional
        By default the class's name in snake case.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A number is outside its range, or there is more than one of the three kinds of clipping.

    Notes
    -----
    Norms are Euclidean and computed in float64. A gradient that is not clipped keeps every bit. A
    norm of NaN or infinity makes the gradients NaN.

    Examples
    --------
    >>> from fusegrad import optimizers
    >>> optimizer = optimizers.Adam(clipnorm=1.0)
    >>> optimizer.learning_rate = 1e-4
    >>> float(optimizer.learning_rate)
    0.0001
    >>> follower = optimizers.SGD(optimizers.schedules.CosineDecay(0.1, decay_steps=1000))
    >>> float(follower.learning_rate)
    0.1
    """

    _hints: ClassVar[Mapping[str, str]] = {
        "lr": "did you mean 'learning_rate'?",
        "decay": "write learning_rate=schedules.InverseTimeDecay(learning_rate, 1, decay), or "
        "another of optimizers.schedules",
        **dict.fromkeys(_NOT_THERE, "fusegrad does not have it, though Keras does"),
    }

    #: The name of the rule in the core.
    rule: ClassVar[str]

    def __init__(
        self,
        learning_rate: float | LearningRateSchedule,
        *,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        name: str | None = None,
    ) -> None:
        kind = type(self).__name__
        checked_name(kind, name)
        self.name = name or snake_case(kind)
        self._learning_rate: Variable | LearningRateSchedule
        if isinstance(learning_rate, LearningRateSchedule):
            self._learning_rate = learning_rate
        else:
            self._learning_rate = Variable(
                np.float64(self._checked(learning_rate)),
                name=f"{self.name}/learning_rate",
                trainable=False,
                dtype="float64",
            )
        self.clipnorm = _limit(kind, "clipnorm", clipnorm)
        self.clipvalue = _limit(kind, "clipvalue", clipvalue)
        self.global_clipnorm = _limit(kind, "global_clipnorm", global_clipnorm)
        given = [f"{name}={getattr(self, name)}" for name in _CLIPPINGS if getattr(self, name)]
        if len(given) > 1:
            expected = "only one of " + ", ".join(_CLIPPINGS)
            raise ArgumentError(kind, given[-1].partition("=")[0], expected, " and ".join(given))
        self._iterations = Variable(
            np.int64(0), name=f"{self.name}/iterations", trainable=False, dtype="int64"
        )
        self._slots: dict[Variable, list[Variable]] = {}
        self._forgotten = 0  # times that slots were, which compiled steps go on writing
        self.built = False

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        changes.count += 1

    # ---- hyperparameters

    @property
    def learning_rate(self) -> Variable | Tensor:
        """The learning rate, a float64 Variable that can be set to a number.

        Of a schedule it is the rate of the next step, a 0-d float64 Tensor, which cannot be set.
        """
        rate = self._learning_rate
        return rate if isinstance(rate, Variable) else self._current_rate()

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        kind, rate = type(self).__name__, self._learning_rate
        if not isinstance(rate, Variable):
            raise ArgumentError(
                kind,
                "learning_rate",
                f"no assignment, because the schedule {rate!r} gives it (for one that can be set, "
                "make the optimizer with a number)",
                repr(value),
            )
        rate.assign(np.float64(self._checked(value)))

    def _checked(self, value: Any) -> float:
        kind = type(self).__name__
        if isinstance(value, LearningRateSchedule):
            expected = "a number (a schedule is given when an optimizer is made)"
            raise ArgumentError(kind, "learning_rate", expected, repr(value))
        if callable(value):
            expected = "a number or a LearningRateSchedule (make one of a function by subclassing)"
            raise ArgumentError(kind, "learning_rate", expected, repr(value))
        given = value.numpy() if isinstance(value, Variable | Tensor) else value
        return number(kind, "learning_rate", given, 0.0)

    def _current_rate(self) -> Tensor:
        """Return the learning rate of this step, 0-d, float64: now, or in a traced step."""
        rate = self._learning_rate
        if isinstance(rate, Variable):
            return rate.value
        value = as_tensor(rate(self._iterations.value), "float64")
        if value.shape != ():
            where, expected = type(rate).__name__, "one learning rate for one step"
            raise ArgumentError(where, "step", expected, f"shape {value.shape}")
        return value

    @property
    def lr(self) -> Any:
        """Not there: it would be set in vain."""
        raise AttributeError(f"'{type(self).__name__}' has no attribute 'lr': write learning_rate")

    @lr.setter
    def lr(self, value: Any) -> None:
        raise AttributeError(f"'{type(self).__name__}' has no attribute 'lr': write learning_rate")

    @property
    def iterations(self) -> Variable:
        """The number of finished steps, an int64 Variable."""
        return self._iterations

    def hyperparameters(self) -> dict[str, Any]:
        """Return what the core's rule needs besides the learning rate."""
        return {}

    def signature(self) -> tuple[Any, ...]:
        """Return what a compiled step takes as constants: where it changes, steps are compiled."""
        rate = self._learning_rate
        constants = (*self.hyperparameters().items(), *self._clippings().items())
        return (*constants, edits_of(rate), self._forgotten)

    def describe(self) -> _core.Optimizer:
        """Return the rule of the core."""
        return _core.Optimizer(self.rule, **self.hyperparameters())

    # ---- state

    @property
    def variables(self) -> list[Variable]:
        """Steps, the learning rate where it is a number, then the slots of each weight in turn."""
        slots = [slot for slots in self._slots.values() for slot in slots]
        rate = self._learning_rate
        return [self._iterations, *([rate] if isinstance(rate, Variable) else []), *slots]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots of these weights, zeros, where there are none yet.

        Parameters
        ----------
        variables : iterable of Variable

        Raises
        ------
        fusegrad.errors.ArgumentError
            It has made steps with other weights, whose number its rule and its schedule go by.
        """
        wanted = list(variables)
        if self._slots and wanted and not any(variable in self._slots for variable in wanted):
            steps = int(self._iterations.numpy())
            if steps:
                raise ArgumentError(
                    type(self).__name__,
                    "variables",
                    "weights that it has trained before (make a new optimizer for each model)",
                    f"others, after {steps} steps",
                )
        missing = [variable for variable in wanted if variable not in self._slots]
        if self.built and not missing:
            return
        names = self.describe().slots()
        for variable in missing:
            if variable not in self._slots:  # it may be there twice
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
        self._forgotten += 1
        self.built = bool(slots)

    def reset(self) -> None:
        """Forget all slots and steps; the learning rate stays."""
        self._slots.clear()
        self._forgotten += 1
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
        for argument, given in (("grads", grads), ("trainable_variables", trainable_variables)):
            if not isinstance(given, Sequence):
                raise ArgumentError(where, argument, "a list", repr(given))
        if len(grads) != len(trainable_variables):
            raise ArgumentError(
                where, "grads", f"{len(trainable_variables)} gradients", str(len(grads))
            )
        tensors = []
        for i, (grad, variable) in enumerate(zip(grads, trainable_variables, strict=True)):
            if not isinstance(variable, Variable):
                raise ArgumentError(
                    where, f"trainable_variables[{i}]", "a Variable", repr(variable)
                )
            try:
                tensor = as_tensor(grad)
            except ArgumentError as error:
                raise ArgumentError(where, f"grads[{i}]", error.expected, error.got) from None
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
        for pair in pairs:
            given: Any = pair
            if not isinstance(given, tuple | list) or len(given) != 2:
                raise ArgumentError(
                    f"{type(self).__name__}.apply_gradients",
                    "grads_and_vars",
                    "pairs (gradient, variable)",
                    repr(pair),
                )
        self.apply([grad for grad, _ in pairs], [variable for _, variable in pairs])

    def step(self, grads: Sequence[Tensor], variables: Sequence[Variable]) -> None:
        """Assign new values to weights, slots and the number of steps: now, or in a traced step."""
        assign_all(self.updates(grads, variables))

    def updates(
        self, grads: Sequence[Tensor], variables: Sequence[Variable]
    ) -> list[tuple[Variable, Tensor]]:
        """Return the new values of weights, slots and the number of steps."""
        rule = self.describe()
        size = rule.step_size(self._current_rate(), self._iterations.value)
        result: list[tuple[Variable, Tensor]] = []
        for grad, variable in zip(self._clipped(grads), variables, strict=True):
            targets = [variable, *self._slots[variable]]
            slots = [slot.value for slot in targets[1:]]
            result.extend(zip(targets, rule.update(variable.value, grad, slots, size), strict=True))
        result.append((self._iterations, self._iterations.value + 1))
        return result

    def _clipped(self, grads: Sequence[Tensor]) -> Sequence[Tensor]:
        if self.clipnorm is not None:
            return clipping.clip_norms(grads, self.clipnorm)
        if self.clipvalue is not None:
            return clipping.clip_values(grads, self.clipvalue)
        if self.global_clipnorm is not None:
            return clipping.clip_global_norm(grads, self.global_clipnorm)
        return grads

    # ---- description

    def _clippings(self) -> dict[str, float | None]:
        return {name: getattr(self, name) for name in _CLIPPINGS}

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
        rate = self._learning_rate
        return {
            "name": self.name,
            "learning_rate": float(rate) if isinstance(rate, Variable) else serialize(rate),
            **self.hyperparameters(),
            **self._clippings(),
        }

    @classmethod
    def from_config(
        cls,
        config: dict[str, Any],
        custom_objects: Mapping[str, type[LearningRateSchedule]] | None = None,
    ) -> Optimizer:
        """Build an optimizer from the result of `get_config`.

        Parameters
        ----------
        config : dict
        custom_objects : dict of str to class, optional
            Schedules of your own, by name.

        Returns
        -------
        Optimizer
        """
        rate = config.get("learning_rate")
        if isinstance(rate, dict):
            config = {**config, "learning_rate": deserialize(rate, custom_objects)}
        return cls(**config)

    def __repr__(self) -> str:
        rate = self._learning_rate
        shown = float(rate) if isinstance(rate, Variable) else rate
        return f"<{type(self).__name__} learning_rate={shown!r}>"


def _limit(where: str, argument: str, value: Any) -> float | None:
    return None if value is None else positive(where, argument, value)


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
