"""The base class of metrics: totals that are added up over batches, and what becomes of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from fusegrad import losses, ops
from fusegrad._checks import checked_name, float_dtype
from fusegrad._registry import snake_case
from fusegrad._settings import Settings
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError

Array = NDArray[Any]


class Metric(Settings):
    """Base class: `values(y_true, y_pred)` returns one value per sample; the metric is their mean.

    A metric that is no mean defines `totals`, what is added up over batches, and `from_totals`,
    what becomes of the sums. In `fit` and `evaluate` both `values` and `totals` are traced, so they
    are written with `fusegrad.ops` and cannot look at elements.

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
    """

    #: The outputs that it is for: "probabilities", "logits", or "any" where it cannot tell.
    expects: str = "any"
    #: The arguments that make a metric of probabilities one of logits, as warnings name them.
    for_logits: ClassVar[str] = "from_logits=True"
    #: Whether only the order of a sample's outputs counts: logits do as well as probabilities.
    order_only: ClassVar[bool] = False
    #: "up" where larger is better, "down" where smaller is, None where that is not known.
    _direction: str | None = None

    _state = frozenset({"_sums"})

    def __init__(self, name: str | None = None, dtype: str | None = None) -> None:
        checked_name(type(self).__name__, name)
        self.name = name or snake_case(type(self).__name__)
        self.dtype = None if dtype is None else float_dtype(type(self).__name__, dtype)
        self._sums: list[Array] | None = None

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
        target = losses.operand(y_true, where, "y_true")
        outputs = losses.operand(y_pred, where, "y_pred")
        size = outputs.shape[-1] if outputs.ndim else 1
        self.check_targets(where, "y_true", target.numpy(), size)
        self._add(self.totals(target, outputs, sample_weight))

    def result(self) -> Any:
        """Return the metric of the samples so far; before the first one 0.0, or zeros."""
        return self._nothing() if self._sums is None else self.from_totals(self._sums)

    def reset_state(self) -> None:
        """Forget all samples."""
        self._sums = None

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

    def _add(self, totals: Sequence[Tensor]) -> None:
        new = [np.array(total.numpy(), dtype=np.float64) for total in totals]
        old = self._sums
        if old is None:
            self._sums = new
            return
        for a, b in zip(old, new, strict=True):
            if a.shape != b.shape:
                where = f"{type(self).__name__}.update_state"
                expected = "as many outputs as before"
                raise ArgumentError(
                    where, "y_pred", expected, f"totals of shape {b.shape}, not {a.shape}"
                )
        self._sums = [a + b for a, b in zip(old, new, strict=True)]


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
