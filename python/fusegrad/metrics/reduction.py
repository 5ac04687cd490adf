"""Means and sums of given values, and means of what a function returns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np

from fusegrad import ops
from fusegrad._tensor import Tensor, as_tensor, detached
from fusegrad.errors import ArgumentError
from fusegrad.metrics.base import Array, Metric, mean_totals


class _OfValues(Metric):
    """A metric of values instead of targets and predictions, for loops of one's own."""

    #: Whether a row of several values counts as much as one of a single value.
    _rows_count_once: ClassVar[bool]

    def update_state(  # type: ignore[override]  # as in Keras: there are no targets
        self, values: Any, sample_weight: Any = None
    ) -> None:
        """Add these values.

        Parameters
        ----------
        values : array_like
        sample_weight : array_like, optional
            One weight per value, or per row of values.

        Raises
        ------
        fusegrad.errors.ArgumentError
            The weights do not fit the values.
        """
        values = detached(_at_least_one_axis(values))
        if sample_weight is not None:
            sample_weight = _at_least_one_axis(sample_weight)
        totals = mean_totals(values, sample_weight, type(self).__name__)
        size = float(math.prod(values.shape[1:])) if self._rows_count_once else 1.0
        self._add([ops.divide(total, size) for total in totals])

    def __call__(  # type: ignore[override]  # the same
        self, values: Any, sample_weight: Any = None
    ) -> Any:
        """Update the state and return the result."""
        self.update_state(values, sample_weight)
        return self.result()


class Mean(_OfValues):
    """The mean of values: ``sum(weight * value) / sum(weight)``.

    Of values with several axes each row counts once, with the mean of its values.

    Parameters
    ----------
    name : str, default "mean"
    dtype : str, optional

    Examples
    --------
    >>> from fusegrad import metrics
    >>> mean = metrics.Mean()
    >>> mean.update_state([1.0, 3.0])
    >>> mean.update_state([5.0], sample_weight=[2.0])
    >>> mean.result()
    3.5
    """

    _rows_count_once = True

    def __init__(self, name: str = "mean", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)


class Sum(_OfValues):
    """The sum of values: ``sum(weight * value)``.

    Parameters
    ----------
    name : str, default "sum"
    dtype : str, optional

    Examples
    --------
    >>> from fusegrad import metrics
    >>> total = metrics.Sum()
    >>> total.update_state([1.0, 3.0, 5.0, 7.0], sample_weight=[1.0, 1.0, 0.0, 0.0])
    >>> total.result()
    4.0
    """

    _rows_count_once = False

    def __init__(self, name: str = "sum", dtype: str | None = None) -> None:
        super().__init__(name=name, dtype=dtype)

    def from_totals(self, totals: Sequence[Array]) -> float:
        """Return the sum."""
        return float(totals[0])

    def _traced_result(self) -> Any:
        return as_tensor(np.float64(0.0)) if self._sums is None else self._sums[0].value


class MeanMetricWrapper(Metric):
    """A function ``f(y_true, y_pred)`` that returns one value per sample, as a metric.

    Parameters
    ----------
    fn : callable
    name : str, optional
        By default the function's name.
    dtype : str, optional
    **kwargs
        Passed on to the function.

    Examples
    --------
    >>> from fusegrad import losses, metrics
    >>> metric = metrics.MeanMetricWrapper(losses.mean_squared_error)
    >>> metric([[1.0]], [[3.0]])
    4.0
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        name: str | None = None,
        dtype: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not callable(fn):
            raise ArgumentError("MeanMetricWrapper", "fn", "a function (y_true, y_pred)", repr(fn))
        super().__init__(name=name or getattr(fn, "__name__", "metric").strip("<>"), dtype=dtype)
        self._fn = fn
        self._kwargs = kwargs

    def values(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return what the function returns."""
        value = self._fn(as_tensor(y_true), as_tensor(y_pred), **self._kwargs)
        try:
            return as_tensor(value)
        except ArgumentError as error:
            where, expected = f"metric '{self.name}'", "one number per sample"
            raise ArgumentError(where, "return value", expected, error.got) from None

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; the function is among them."""
        return {**super().get_config(), "fn": self._fn, **self._kwargs}


def _at_least_one_axis(values: Any) -> Tensor:
    tensor = as_tensor(values)
    return ops.reshape(tensor, (1,)) if tensor.ndim == 0 else tensor
