"""The base class of metrics: totals that are added up over batches, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusegrad import config, initializers, losses, ops
from fusegrad._checks import array_shape, checked_name, float_dtype
from fusegrad._registry import named, snake_case
from fusegrad._scope import plain
from fusegrad._settings import Settings
from fusegrad._tensor import GraphHandle, Tensor, as_tensor, current_builder, detached
from fusegrad.errors import ArgumentError
from fusegrad.variable import Variable

Array = NDArray[Any]


class Metric(Settings):
    """Base class: `values(y_true, y_pred)` returns one value per sample; the metric is their mean.

    A metric that is no mean defines `totals`, what is added up over batches, and `from_totals`,
    what becomes of the sums. In `fit` and `evaluate` both `values` and `totals` are traced, so they
    are written with `fusegrad.ops` and cannot look at elements.

    Keras's way works too: a metric that makes its state with `add_weight` and defines
    ``update_state(y_true, y_pred, sample_weight=None)`` and ``result()``. `update_state` is traced;
    the state is zero at the beginning of each epoch.

    Parameters
    ----------
    name : str, optional
        The key in logs and `History`; by default the class's name in snake case.
    dtype : str, optional
        Kept for Keras's signature; sums are in float64.

    Examples
    --------
    >>> from fusegrad import metrics, ops
    >>> class MeanError(metrics.Metric):
    ...     def values(self, y_true, y_pred):
    ...         return ops.mean(y_pred - y_true, axis=-1)
    >>> metric = MeanError()
    >>> metric([[1.0]], [[3.0]])
    2.0
    >>> class LargestError(metrics.Metric):
    ...     def __init__(self, name="largest_error"):
    ...         super().__init__(name=name)
    ...         self.largest = self.add_weight(name="largest")
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         error = ops.max(ops.abs(y_pred - y_true))
    ...         self.largest.assign(ops.maximum(self.largest, error))
    ...     def result(self):
    ...         return self.largest.value
    >>> LargestError()(np.array([1.0, 2.0]), np.array([1.5, 5.0])).item()
    3.0
    """

    #: The outputs that it is for: "probabilities", "logits", or "any" where it cannot tell.
    expects: str = "any"
    #: The arguments that make a metric of probabilities one of logits, as warnings name them.
    for_logits: ClassVar[str] = "from_logits=True"
    #: Whether only the order of a sample's outputs counts: logits do as well as probabilities.
    order_only: ClassVar[bool] = False
    #: "up" where larger is better, "down" where smaller is, None where that is not known.
    _direction: str | None = None

    _state = frozenset({"_sums", "_own_variables"})

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        checked_name(type(self).__name__, name)
        self.name = name or snake_case(type(self).__name__)
        self.dtype = None if dtype is None else float_dtype(type(self).__name__, dtype)
        self._sums: list[Variable] | None = None  # of totals, made when their shapes are known
        self._own_variables: list[Variable] = []

    # ---- state

    @property
    def variables(self) -> list[Variable]:
        """The state: what `add_weight` made, then the sums of totals."""
        return [*self._own_variables, *(self._sums or [])]

    def add_variable(
        self,
        shape: int | Sequence[int],
        initializer: Any,
        dtype: str | None = None,
        aggregation: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Make a part of the state.

        Parameters
        ----------
        shape : sequence of int
        initializer : str, Initializer, callable or array
        dtype : str, optional
            By default the metric's, else `config.floatx()`.
        aggregation : str, optional
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
        dtype = dtype or self.dtype or config.floatx()
        sizes = array_shape(where, shape, dtype)
        with named(where, "initializer"):
            values = initializers.get("zeros" if initializer is None else initializer)(sizes, dtype)
        variable = Variable(values, name or f"variable_{len(self._own_variables)}", False, dtype)
        variable.path = f"{self.name}/{variable.name}"
        self._own_variables.append(variable)
        return variable

    def add_weight(
        self,
        shape: int | Sequence[int] = (),
        initializer: Any = None,
        dtype: str | None = None,
        name: str | None = None,
    ) -> Variable:
        """Make a part of the state, by default one number that is zero; see `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name=name)

    # ---- what a subclass defines

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return one value per sample; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__} must define values(y_true, y_pred)")

    def totals(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> list[Tensor]:
        """Return float64 Tensors that are added up over batches.

        Here they are the sum of ``weight * value`` and the sum of the weights.
        """
        return mean_totals(self.values(y_true, y_pred), sample_weight, type(self).__name__)

    def from_totals(self, totals: Sequence[Array]) -> Any:
        """Return the metric from sums of `totals`: here the mean, 0.0 where there are no weights.

        Returns
        -------
        float or numpy.ndarray
        """
        total, count = totals
        return float(total / count) if count != 0.0 else 0.0

    def check_targets(self, where: str, argument: str, y_true: Any, outputs: int) -> None:
        """Raise ArgumentError for targets that this metric cannot mean; by default none.

        It is called with arrays whose elements can be looked at: by `update_state`, and once by
        `fit` and `evaluate`.

        Parameters
        ----------
        where, argument : str
            What the message names.
        y_true : array_like
        outputs : int
            The size of the last axis of the predictions.
        """

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Add these samples.

        Parameters
        ----------
        y_true, y_pred : array_like
        sample_weight : array_like, optional
            One weight per sample.

        Raises
        ------
        fusegrad.errors.ArgumentError
            Targets or weights do not fit the predictions.
        """
        where = type(self).__name__
        target = detached(losses.operand(y_true, where, "y_true"))
        outputs = plain(losses.operand(y_pred, where, "y_pred"))
        if not isinstance(current_builder(), GraphHandle):
            size = outputs.shape[-1] if outputs.ndim else 1
            self.check_targets(where, "y_true", target.numpy(), size)
        self._add(self.totals(target, outputs, sample_weight))

    def result(self) -> Any:
        """Return the metric of the samples so far; before the first one 0.0, or zeros.

        Returns
        -------
        float or numpy.ndarray
            In a traced `train_step` a Tensor, or what can only be returned from the step.
        """
        if isinstance(current_builder(), GraphHandle):
            return self._traced_result()
        sums = [sum_.stored.numpy().copy() for sum_ in self._sums or ()]
        return self.from_totals(sums) if any(map(np.any, sums)) else self._nothing()

    def reset_state(self) -> None:
        """Forget all samples: make the state zero."""
        for variable in self.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """Forget all samples: Keras's older name of `reset_state`."""
        self.reset_state()

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Update the state and return the result."""
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """Build a metric from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"

    def _nothing(self) -> Any:
        """The result before the first sample."""
        return 0.0

    def _traced_result(self) -> Any:
        """The result in a trace, where it can be computed there."""
        if type(self).from_totals is not Metric.from_totals:
            return ResultLater(self)
        if self._sums is None:
            return as_tensor(np.float64(0.0))
        total, count = (sum_.value for sum_ in self._sums)
        nothing = ops.equal(count, 0.0)
        return ops.where(nothing, 0.0, ops.divide(total, ops.where(nothing, 1.0, count)))

    def _add(self, totals: Sequence[Tensor]) -> None:
        new = [detached(ops.cast(total, "float64")) for total in totals]
        shapes = [total.shape for total in new]
        sums = self._sums
        if sums is not None and [sum_.shape for sum_ in sums] != shapes:
            if any(np.any(sum_.stored.numpy()) for sum_ in sums):
                where = f"{type(self).__name__}.update_state"
                expected = "as many outputs as before"
                got = f"totals of shapes {shapes}, not {[sum_.shape for sum_ in sums]}"
                raise ArgumentError(where, "y_pred", expected, got)
            sums = None
        if sums is None:
            sums = [
                Variable(np.zeros(shape), f"total_{i}", False, "float64")
                for i, shape in enumerate(shapes)
            ]
            for sum_ in sums:
                sum_.path = f"{self.name}/{sum_.name}"
            self._sums = sums
            self._shapes = shapes  # steps that have been traced with other sums are traced again
        for sum_, total in zip(sums, new, strict=True):
            sum_.assign_add(total)


class ResultLater:
    """The result of a metric in a traced step, where it is known only after the step has run."""

    def __init__(self, metric: Metric) -> None:
        self.metric = metric

    def __fusegrad_tensor__(self) -> Tensor:
        raise TypeError(
            f"the result of {type(self.metric).__name__} '{self.metric.name}' is known after the"
            " step: return it from train_step as it is, or compile with run_eagerly=True"
        )


def is_stateful(metric: Metric) -> bool:
    """Whether a metric updates its state by code of the user's own."""
    return not type(metric).update_state.__module__.startswith("fusegrad.")


def mean_totals(values: Any, sample_weight: Any, where: str) -> list[Tensor]:
    """Return the sum of ``weight * value`` and the sum of the weights, in float64."""
    values = ops.cast(as_tensor(values), "float64")
    if sample_weight is None:
        return [ops.sum(values), as_tensor(np.float64(math.prod(values.shape)))]
    values, weight = losses.weighted(values, sample_weight, where)
    return [ops.sum(values), ops.sum(weight)]


def check_elements(where: str, argument: str, values: Any, good: Any, expected: str) -> None:
    """Raise ArgumentError at the first element of `values` that is not `good`."""
    if good.all():
        return
    place = np.unravel_index(int(np.argmin(good)), good.shape)
    index = tuple(int(i) for i in place)
    shown = index[0] if len(index) == 1 else index
    raise ArgumentError(where, argument, expected, f"{values[place]} at index {shown}")
