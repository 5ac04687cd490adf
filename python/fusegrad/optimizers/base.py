"""Optimizer: a rule of the core, its hyperparameters, and the state that it keeps per weight."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, ClassVar

import numpy as np

from fusegrad import _core, initializers, ops
from fusegrad._checks import array_shape, checked_name, number, positive, warn
from fusegrad._registry import Registry, named, snake_case
from fusegrad._settings import changes, edits_of
from fusegrad._spelling import Spelled
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.config import floatx
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


#: What changes while an optimizer is used, and is no constant of compiled steps.
_NO_CONSTANTS = frozenset(
    {"_edits", "_forgotten", "_iterations", "_learning_rate", "_slots", "built", "learning_rate"}
    | {"_own", "_order", "_building"}
)


class Optimizer(Spelled):
    """Base class of `SGD`, `RMSprop` and `Adam`, and of optimizers of your own.

    An optimizer keeps the learning rate, the number of finished steps and the slots of each weight
    (moments) in Variables, which a compiled step reads and writes.

    A subclass defines ``update_step(gradient, variable, learning_rate)``, which assigns new
    elements to the variable, and ``build(variables)`` where it keeps state for each: it calls
    ``super().build(variables)`` and `add_variable_from_reference`. A step of `fit` traces
    `update_step` once for each weight and then runs natively.

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
    >>> class SignDescent(optimizers.Optimizer):
    ...     def __init__(self, learning_rate=0.01, **kwargs):
    ...         super().__init__(learning_rate, **kwargs)
    ...     def update_step(self, gradient, variable, learning_rate):
    ...         variable.assign_sub(learning_rate * ops.sign(gradient))
    >>> weight = Variable([1.0, 2.0])
    >>> SignDescent(0.5).apply([[3.0, -4.0]], [weight])
    >>> weight.numpy().tolist()
    [0.5, 2.5]
    """

    _hints: ClassVar[Mapping[str, str]] = {
        "lr": "did you mean 'learning_rate'?",
        "decay": "write learning_rate=schedules.InverseTimeDecay(learning_rate, 1, decay), or "
        "another of optimizers.schedules",
        **dict.fromkeys(_NOT_THERE, "fusegrad does not have it, though Keras does"),
    }

    #: The name of the rule in the core; empty where `update_step` is the only rule.
    rule: ClassVar[str] = ""
    #: Whether the class is one of this package, which knows its constants.
    _ours: ClassVar[bool] = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._ours = cls.__module__.partition(".")[0] == "fusegrad"
        if "build" in cls.__dict__:
            cls.build = _once(cls.build)  # type: ignore[method-assign]

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
        self._own: list[Variable] = []  # state that a subclass has made
        self._order: dict[Variable, int] = {}  # of the weights that it was built for
        self._building = False
        self._forgotten = 0  # times that slots were, which compiled steps go on writing
        self.built = False

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        changes.count += 1
        if not self._ours and name not in _NO_CONSTANTS:
            object.__setattr__(self, "_edits", self.__dict__.get("_edits", 0) + 1)

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
        return (*constants, edits_of(rate), self._forgotten, self.__dict__.get("_edits", 0))

    def describe(self) -> _core.Optimizer:
        """Return the rule of the core."""
        return _core.Optimizer(self.rule, **self.hyperparameters())

    # ---- state

    @property
    def variables(self) -> list[Variable]:
        """Steps, the learning rate where it is a number, then the slots of each weight in turn."""
        slots = [slot for slots in self._slots.values() for slot in slots]
        rate = self._learning_rate
        own = [*([rate] if isinstance(rate, Variable) else []), *slots, *self._own]
        return [self._iterations, *own]

    def build(self, variables: Iterable[Variable]) -> None:
        """Make the slots of these weights, zeros, where there are none yet.

        That of a subclass is called once, before the first step.

        Parameters
        ----------
        variables : iterable of Variable

        Raises
        ------
        fusegrad.errors.ArgumentError
            It has made steps with other weights, whose number its rule and its schedule go by.
        """
        wanted = list(variables)
        known = self._order
        if known and wanted and not any(variable in known for variable in wanted):
            steps = int(self._iterations.stored)
            if steps:
                raise ArgumentError(
                    type(self).__name__,
                    "variables",
                    "weights that it has trained before (make a new optimizer for each model)",
                    f"others, after {steps} steps",
                )
        for variable in wanted:
            known.setdefault(variable, len(known))
        if not self.rule:
            self.built = True
            return
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

    def add_variable(
        self,
        shape: int | Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: Any = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a part of the state; from within `build`.

        Parameters
        ----------
        shape : sequence of int
        initializer : str, Initializer, callable or array, default "zeros"
        dtype : str, optional
            By default `config.floatx()`.
        aggregation, layout : optional
            Kept for Keras's signature; there is one device.
        name : str, optional

        Returns
        -------
        Variable

        Raises
        ------
        fusegrad.errors.ArgumentError
            An argument is wrong.
        """
        where = f"{type(self).__name__}.add_variable"
        dtype = dtype or floatx()
        sizes = array_shape(where, shape, dtype)
        with named(where, "initializer"):
            values = initializers.get(initializer)(sizes, dtype)
        order = "F" if len(sizes) == 2 else "C"
        variable = Variable(values, name or f"variable_{len(self._own)}", False, dtype, order)
        variable.path = f"{self.name}/{variable.name}"
        self._own.append(variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Make a part of the state of the shape and dtype of a weight; from within `build`.

        Parameters
        ----------
        reference_variable : Variable
        name : str, optional
        initializer : str, Initializer, callable or array, default "zeros"

        Returns
        -------
        Variable
        """
        weight = reference_variable
        made = self.add_variable(weight.shape, initializer, weight.dtype.name, name=name)
        made.name = f"{weight.name}_{name or 'slot'}"
        made.path = f"{self.name}/{weight.path.replace('/', '_')}_{name or 'slot'}"
        return made

    def _get_variable_index(self, variable: Variable) -> int:
        """Return the place of a weight among those that the optimizer was built for."""
        return self._order[variable]

    def state_made(self) -> tuple[Any, ...]:
        """Return which state there is, for `restore_state`."""
        return dict(self._slots), list(self._own), dict(self._order), self.built

    def restore_state(self, state: tuple[Any, ...]) -> None:
        """Forget the state that was made since `state_made`."""
        self._slots, self._own, self._order, self.built = state
        self._forgotten += 1

    def reset(self) -> None:
        """Forget all slots and steps; the learning rate stays."""
        self._slots.clear()
        self._own.clear()
        self._order.clear()
        self._forgotten += 1
        self._iterations.assign(0)
        self.built = False

    # ---- steps

    def apply(
        self, grads: Sequence[Any], trainable_variables: Sequence[Variable] | None = None
    ) -> None:
        """Change the weights by one step.

        Parameters
        ----------
        grads : sequence of array_like
            One gradient for each weight, of its shape. None leaves the weight as it is, with a
            warning.
        trainable_variables : sequence of Variable, optional
            By default those that the optimizer was built for.

        Raises
        ------
        fusegrad.errors.ArgumentError
            Their numbers or shapes differ, or all gradients are None; nothing is changed then.

        Warns
        -----
        UserWarning
            Some gradients are None.

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
        if trainable_variables is None:
            trainable_variables = list(self._order)
        for argument, given in (("grads", grads), ("trainable_variables", trainable_variables)):
            if not isinstance(given, Sequence):
                raise ArgumentError(where, argument, "a list", repr(given))
        if len(grads) != len(trainable_variables):
            raise ArgumentError(
                where, "grads", f"{len(trainable_variables)} gradients", str(len(grads))
            )
        if trainable_variables and all(grad is None for grad in grads):
            expected = "gradients of a loss that depends on the weights"
            raise ArgumentError(where, "grads[0]", expected, "None, as for all others")
        tensors = []
        for i, (grad, variable) in enumerate(zip(grads, trainable_variables, strict=True)):
            if not isinstance(variable, Variable):
                raise ArgumentError(
                    where, f"trainable_variables[{i}]", "a Variable", repr(variable)
                )
            if grad is None:
                continue
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
        left = [v for g, v in zip(grads, trainable_variables, strict=True) if g is None]
        if left:
            names = ", ".join(f"'{variable.path}'" for variable in left)
            warn(f"{where}(): there is no gradient for {names}, left as they are")
            changed = [v for g, v in zip(grads, trainable_variables, strict=True) if g is not None]
            trainable_variables = changed
        self.step(tensors, trainable_variables)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> None:
        """Change the weights by one step, from pairs of gradient and weight.

        Parameters
        ----------
        grads_and_vars : iterable of (array_like or None, Variable)

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

    def update_step(self, gradient: Tensor, variable: Variable, learning_rate: Tensor) -> None:
        """Assign new elements to one weight and to its state; to be defined by subclasses.

        Parameters
        ----------
        gradient : Tensor
            Clipped, of the weight's shape and dtype.
        variable : Variable
        learning_rate : Tensor
            0-d, of the weight's dtype.
        """
        if not self.rule:
            kind = type(self).__name__
            raise TypeError(f"{kind} must define update_step(gradient, variable, learning_rate)")
        rate = self._current_rate()
        if learning_rate is not self.__dict__.get("_given_rate"):
            rate = ops.cast(as_tensor(learning_rate), "float64")
        rule = self.describe()
        size = rule.step_size(rate, self._iterations.value)
        assign_all(self._update_of(rule, as_tensor(gradient, variable.dtype), variable, size))

    def assign(self, variable: Variable, value: Any) -> None:
        """Set the elements of a Variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> None:
        """Add to the elements of a Variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> None:
        """Subtract from the elements of a Variable."""
        variable.assign_sub(value)

    def step(
        self,
        grads: Sequence[Tensor],
        variables: Sequence[Variable],
        others: Sequence[tuple[Variable, Tensor]] = (),
    ) -> None:
        """Assign new values to weights, state and the number of steps: now, or in a traced step.

        `others` are assigned together with them.
        """
        if self.rule and type(self).update_step is Optimizer.update_step:
            assign_all([*self.updates(grads, variables), *others])
            return
        rate = self._current_rate()
        for grad, variable in zip(self._clipped(grads), variables, strict=True):
            given = self.__dict__["_given_rate"] = ops.cast(rate, variable.dtype)
            self.update_step(grad, variable, given)
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable.value))
        del self.__dict__["_given_rate"]
        self._iterations.assign_add(1)
        assign_all(others)

    def updates(
        self, grads: Sequence[Tensor], variables: Sequence[Variable]
    ) -> list[tuple[Variable, Tensor]]:
        """Return the new values of weights, slots and the number of steps."""
        rule = self.describe()
        size = rule.step_size(self._current_rate(), self._iterations.value)
        result: list[tuple[Variable, Tensor]] = []
        for grad, variable in zip(self._clipped(grads), variables, strict=True):
            new = self._update_of(rule, grad, variable, size)
            if variable.constraint is not None:
                new[0] = variable, as_tensor(variable.constraint(new[0][1]))
            result.extend(new)
        result.append((self._iterations, self._iterations.value + 1))
        return result

    def _update_of(
        self, rule: _core.Optimizer, grad: Tensor, variable: Variable, size: Tensor
    ) -> list[tuple[Variable, Tensor]]:
        """Return the new values of one weight and of its slots."""
        targets = [variable, *self._slots[variable]]
        slots = [slot.value for slot in targets[1:]]
        return list(zip(targets, rule.update(variable.value, grad, slots, size), strict=True))

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


def _once(build: Callable[..., None]) -> Callable[..., None]:
    """Let the `build` of a subclass be called once, as Keras does."""

    @wraps(build)
    def building(self: Optimizer, variables: Iterable[Variable]) -> None:
        wanted = list(variables)
        if self._building:  # super().build of a subclass's subclass
            build(self, wanted)
            return
        if self.built:
            Optimizer.build(self, [variable for variable in wanted if variable in self._order])
            others = [variable.path for variable in wanted if variable not in self._order]
            if others:
                expected = "weights that it was built for (make a new optimizer)"
                raise ArgumentError(type(self).__name__, "variables", expected, ", ".join(others))
            return
        self._building = True
        try:
            build(self, wanted)
        finally:
            self._building = False
        for variable in wanted:
            self._order.setdefault(variable, len(self._order))
        self.built = True

    return building


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
