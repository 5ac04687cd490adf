"""Losses, with Keras's names, defaults and formulas.

A loss is called with ``(y_true, y_pred)``, eagerly on arrays or while a model is traced, and is
differentiable in `y_pred`. Targets never broadcast: their shape is that of the predictions, except
that ``(n,)`` stands for ``(n, 1)``.

Where Keras would train on something meaningless, these losses stop: class labels out of range,
float labels with fractions, targets of another shape.

Examples
--------
>>> from fusegrad import losses
>>> loss = losses.SparseCategoricalCrossentropy(from_logits=True)
>>> round(loss([2, 0], [[0.0, 0.0, 9.0], [9.0, 0.0, 0.0]]).item(), 6)
0.000247
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from fusegrad import config, ops
from fusegrad._checks import checked_name, flag, float_dtype, number, positive
from fusegrad._registry import Registry, config_of, looked_up, snake_case
from fusegrad._scope import logits_of
from fusegrad._settings import Settings
from fusegrad._spelling import Spelled, keywords, missing
from fusegrad._tensor import Tensor, as_tensor
from fusegrad.errors import ArgumentError

__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "Huber",
    "Loss",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "binary_crossentropy",
    "categorical_crossentropy",
    "deserialize",
    "get",
    "huber",
    "mean_absolute_error",
    "mean_squared_error",
    "serialize",
    "sparse_categorical_crossentropy",
]

_REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")


class Loss(Settings):
    """Base class: `call(y_true, y_pred)` returns one value per sample, `__call__` reduces them.

    Parameters
    ----------
    name : str, optional
        By default the class's name in snake case.
    reduction : str or None, default "sum_over_batch_size"
        ``"sum_over_batch_size"`` or ``"mean"``: the sum of ``values * sample_weight`` divided by
        the number of values. ``"mean_with_sample_weight"``: divided by the sum of the weights.
        ``"sum"``: the sum. ``"none"`` or None: the values themselves.
    dtype : str, optional
        The dtype of the result; by default that of the predictions.

    Raises
    ------
    fusegrad.errors.ArgumentError
        `reduction` is not one of these.

    Examples
    --------
    >>> from fusegrad import ops
    >>> class MeanCubicError(Loss):
    ...     def call(self, y_true, y_pred):
    ...         return ops.mean(ops.abs(y_true - y_pred) ** 3, axis=-1)
    >>> MeanCubicError()([[1.0]], [[3.0]]).item()
    8.0
    """

    #: What the targets are: "probabilities" (distributions or 0/1), "labels" (class ids), "values".
    targets: ClassVar[str] = "values"
    #: The activation that turns this loss's logits into its probabilities; None: it has no logits.
    link: ClassVar[str | None] = None

    def __init__(
        self,
        name: str | None = None,
        reduction: str | None = "sum_over_batch_size",
        dtype: str | None = None,
    ) -> None:
        given: Any = "none" if reduction is None else reduction
        if not isinstance(given, str) or given not in _REDUCTIONS:
            names = ", ".join(repr(name) for name in _REDUCTIONS)
            raise ArgumentError(
                type(self).__name__, "reduction", f"one of {names}, None", repr(reduction)
            )
        checked_name(type(self).__name__, name)
        self.name = name or snake_case(type(self).__name__)
        self.reduction: str = given
        self.dtype = None if dtype is None else float_dtype(type(self).__name__, dtype)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Tensor:
        """Return the reduced loss.

        Parameters
        ----------
        y_true : array_like
            Targets; the shape of `y_pred`, or without its last axis where the loss takes labels.
        y_pred : array_like
            Predictions, ``(n, outputs)``.
        sample_weight : array_like, optional
            One weight per value, ``(n,)``.

        Returns
        -------
        Tensor
            0-d, or ``(n,)`` with reduction ``"none"``.

        Raises
        ------
        fusegrad.errors.ArgumentError
            Targets or weights do not fit the predictions.
        """
        kind = type(self).__name__
        y_pred = floating(y_pred, kind)
        loss, y_pred = at_logits(self, y_pred)
        if self.dtype is not None:
            y_pred = ops.cast(y_pred, self.dtype)
        values = as_tensor(loss.call(operand(y_true, kind, "y_true"), y_pred))
        return reduce_values(values, self.reduction, sample_weight, type(self).__name__)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return one value per sample; to be defined by subclasses."""
        raise TypeError(f"{type(self).__name__} must define call(y_true, y_pred)")

    def with_logits(self) -> Loss:
        """Return this loss taking logits instead of probabilities."""
        return type(self).from_config({**self.get_config(), "from_logits": True})

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """Build a loss from the result of `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


class MeanSquaredError(Loss):
    """Mean over the last axis of ``(y_true - y_pred)**2``.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "mean_squared_error"
    dtype : str, optional

    Examples
    --------
    >>> MeanSquaredError()([[0.0], [1.0]], [[1.0], [3.0]]).item()
    2.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_squared_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the squared error of each sample."""
        return mean_squared_error(y_true, y_pred)


class MeanAbsoluteError(Loss):
    """Mean over the last axis of ``abs(y_true - y_pred)``; its gradient where they agree is 0.

    Parameters
    ----------
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "mean_absolute_error"
    dtype : str, optional

    Examples
    --------
    >>> MeanAbsoluteError()([[0.0], [1.0]], [[1.0], [3.0]]).item()
    1.5
    """

    def __init__(
        self,
        reduction: str | None = "sum_over_batch_size",
        name: str = "mean_absolute_error",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the absolute error of each sample."""
        return mean_absolute_error(y_true, y_pred)


class Huber(Loss):
    """Squared error near the target, absolute error far from it: less moved by outliers.

    With ``d = y_true - y_pred``, the mean over the last axis of ``d**2 / 2`` where
    ``abs(d) <= delta``, else ``delta * abs(d) - delta**2 / 2``. P. Huber, "Robust estimation of a
    location parameter", Annals of Mathematical Statistics 35, 1964.

    Parameters
    ----------
    delta : float, default 1.0
        Positive.
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "huber_loss"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        `delta` is not a positive number.

    Examples
    --------
    >>> Huber()([[0.0], [0.0]], [[1.0], [3.0]]).item()
    1.5
    """

    def __init__(
        self,
        delta: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "huber_loss",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.delta = positive("Huber", "delta", delta)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the loss of each sample."""
        return huber(y_true, y_pred, self.delta)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "delta": self.delta}


class BinaryCrossentropy(Loss):
    """Cross-entropy of yes/no targets: mean over the last axis of ``-y log(p) - (1-y) log(1-p)``.

    With ``from_logits=True`` it is ``(1-y) softplus(x) + y softplus(-x)``, exact for every logit.
    Probabilities are clipped to [1e-7, 1 - 1e-7], as in Keras. A model whose last layer is a
    sigmoid computes the loss from that layer's logits all the same.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits rather than probabilities.
    label_smoothing : float, default 0.0
        Targets become ``y * (1 - s) + 0.5 * s``.
    axis : int, default -1
        Only the last axis is supported.
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "binary_crossentropy"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        `label_smoothing` is outside [0, 1], or another axis is asked for.

    Examples
    --------
    >>> loss = BinaryCrossentropy(from_logits=True)
    >>> round(loss([[1.0]], [[0.0]]).item(), 6)
    0.693147
    """

    targets = "probabilities"
    link = "sigmoid"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "binary_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        _last_axis("BinaryCrossentropy", axis)
        self.from_logits = flag("BinaryCrossentropy", "from_logits", from_logits)
        self.label_smoothing = number(
            "BinaryCrossentropy", "label_smoothing", label_smoothing, 0.0, 1.0
        )

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the cross-entropy of each sample."""
        return binary_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


class CategoricalCrossentropy(Loss):
    """Cross-entropy of distributions over classes: ``-sum_j y_j log(p_j)``.

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras. A model
    whose last layer is a softmax computes the loss from that layer's logits all the same.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits rather than probabilities.
    label_smoothing : float, default 0.0
        Targets become ``y * (1 - s) + s / classes``.
    axis : int, default -1
        Only the last axis is supported.
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "categorical_crossentropy"
    dtype : str, optional

    Raises
    ------
    fusegrad.errors.ArgumentError
        `label_smoothing` is outside [0, 1], or another axis is asked for.

    Examples
    --------
    >>> loss = CategoricalCrossentropy()
    >>> round(loss([[0.0, 1.0]], [[0.5, 0.5]]).item(), 6)
    0.693147
    """

    targets = "probabilities"
    link = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        _last_axis("CategoricalCrossentropy", axis)
        self.from_logits = flag("CategoricalCrossentropy", "from_logits", from_logits)
        self.label_smoothing = number(
            "CategoricalCrossentropy", "label_smoothing", label_smoothing, 0.0, 1.0
        )

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the cross-entropy of each sample."""
        return categorical_crossentropy(y_true, y_pred, self.from_logits, self.label_smoothing)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {
            **super().get_config(),
            "from_logits": self.from_logits,
            "label_smoothing": self.label_smoothing,
        }


class SparseCategoricalCrossentropy(Loss):
    """Cross-entropy of class labels: ``-log(p_y)`` for label y in [0, classes).

    Probabilities are divided by their sum and clipped to [1e-7, 1 - 1e-7]. A model whose last layer
    is a softmax computes the loss from that layer's logits all the same.

    Parameters
    ----------
    from_logits : bool, default False
        Whether predictions are logits rather than probabilities.
    axis : int, default -1
        Only the last axis is supported.
    reduction : str or None, default "sum_over_batch_size"
    name : str, default "sparse_categorical_crossentropy"
    dtype : str, optional

    Examples
    --------
    >>> loss = SparseCategoricalCrossentropy()
    >>> round(loss([1], [[0.5, 0.5]]).item(), 6)
    0.693147
    """

    targets = "labels"
    link = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str = "sparse_categorical_crossentropy",
        dtype: str | None = None,
    ) -> None:
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        _last_axis("SparseCategoricalCrossentropy", axis)
        self.from_logits = flag("SparseCategoricalCrossentropy", "from_logits", from_logits)

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return the cross-entropy of each sample."""
        return sparse_categorical_crossentropy(y_true, y_pred, self.from_logits)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "from_logits": self.from_logits}


class FunctionLoss(Loss):
    """A function ``f(y_true, y_pred)`` that returns one value per sample, as a Loss."""

    def __init__(self, function: Callable[[Any, Any], Any], name: str | None = None) -> None:
        super().__init__(name=name or getattr(function, "__name__", "loss"))
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Tensor:
        """Return what the function returns."""
        value = self.function(as_tensor(y_true), y_pred)
        try:
            return as_tensor(value)
        except ArgumentError as error:
            raise ArgumentError(
                f"loss '{self.name}'", "return value", "one number per sample", error.got
            ) from None


@keywords
def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean over the last axis of ``(y_true - y_pred)**2``.

    Parameters
    ----------
    y_true : array_like
        The shape of `y_pred`; ``(n,)`` stands for ``(n, 1)``.
    y_pred : array_like
        ``(n, outputs)``, floating.

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> mean_squared_error([[0.0, 2.0]], [[1.0, 1.0]])
    Tensor([1.], dtype=float32)
    """
    y_pred = floating(y_pred, "mean_squared_error")
    return ops.mean_squared_error(match(y_true, y_pred, "mean_squared_error"), y_pred)


@keywords
def mean_absolute_error(y_true: Any, y_pred: Any) -> Tensor:
    """Mean over the last axis of ``abs(y_true - y_pred)``.

    Parameters
    ----------
    y_true : array_like
        The shape of `y_pred`; ``(n,)`` stands for ``(n, 1)``.
    y_pred : array_like
        ``(n, outputs)``, floating.

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Examples
    --------
    >>> mean_absolute_error([[0.0, 2.0]], [[1.0, 4.0]])
    Tensor([1.5], dtype=float32)
    """
    y_pred = floating(y_pred, "mean_absolute_error")
    target = match(y_true, y_pred, "mean_absolute_error")
    return ops.mean(ops.abs(ops.subtract(y_pred, target)), axis=-1)


@keywords
def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> Tensor:
    """Mean over the last axis of ``d**2 / 2``, beyond `delta` of ``delta * (abs(d) - delta / 2)``.

    Parameters
    ----------
    y_true : array_like
        The shape of `y_pred`; ``(n,)`` stands for ``(n, 1)``.
    y_pred : array_like
        ``(n, outputs)``, floating.
    delta : float, default 1.0
        Where the squared error ends; positive.

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ, or `delta` is not a positive number.

    Examples
    --------
    >>> huber([[0.0]], [[3.0]])
    Tensor([2.5], dtype=float32)
    """
    delta = positive("huber", "delta", delta)
    y_pred = floating(y_pred, "huber")
    distance = ops.abs(ops.subtract(y_pred, match(y_true, y_pred, "huber")))
    near = ops.minimum(distance, delta)
    # near**2 / 2 + delta * (distance - near): one formula on both sides, and no overflow far out
    values = ops.add(
        ops.multiply(ops.square(near), 0.5), ops.multiply(ops.subtract(distance, near), delta)
    )
    return ops.mean(values, axis=-1)


@keywords
def binary_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Mean over the last axis of ``-y log(p) - (1-y) log(1-p)``.

    Parameters
    ----------
    y_true : array_like
        The shape of `y_pred`, values in [0, 1]; ``(n,)`` stands for ``(n, 1)``.
    y_pred : array_like
        ``(n, outputs)``, probabilities or logits.
    from_logits : bool, default False
    label_smoothing : float, default 0.0

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ, or a target is outside [0, 1].

    Examples
    --------
    >>> round(binary_crossentropy([[1.0]], [[0.0]], from_logits=True).item(), 6)
    0.693147
    """
    where = "binary_crossentropy"
    flag(where, "from_logits", from_logits)
    label_smoothing = number(where, "label_smoothing", label_smoothing, 0.0, 1.0)
    y_pred = floating(y_pred, where)
    target = match(y_true, y_pred, where)
    _check_unit(where, target)
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + 0.5 * label_smoothing
    entropy = ops.sigmoid_cross_entropy if from_logits else ops.binary_cross_entropy
    return ops.mean(entropy(target, y_pred), axis=-1)


@keywords
def categorical_crossentropy(
    y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0
) -> Tensor:
    """Cross-entropy of distributions: ``-sum_j y_j log(p_j)`` over the last axis.

    Parameters
    ----------
    y_true : array_like
        The shape of `y_pred`: one-hot rows, or any distributions.
    y_pred : array_like
        ``(n, classes)``, probabilities or logits.
    from_logits : bool, default False
    label_smoothing : float, default 0.0

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ, a target is outside [0, 1], or there is one class.

    Examples
    --------
    >>> round(categorical_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).item(), 6)
    0.693147
    """
    where = "categorical_crossentropy"
    flag(where, "from_logits", from_logits)
    label_smoothing = number(where, "label_smoothing", label_smoothing, 0.0, 1.0)
    y_pred = floating(y_pred, where)
    target = match(y_true, y_pred, where)
    _check_unit(where, target)
    _check_classes(where, y_pred)
    if label_smoothing:
        target = target * (1.0 - label_smoothing) + label_smoothing / y_pred.shape[-1]
    entropy = ops.softmax_cross_entropy if from_logits else ops.categorical_cross_entropy
    return entropy(target, y_pred)


@keywords
def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False) -> Tensor:
    """Cross-entropy of class labels: ``-log(p_y)``.

    Parameters
    ----------
    y_true : array_like
        Class labels in [0, classes), ``(n,)`` or ``(n, 1)``.
    y_pred : array_like
        ``(n, classes)``, probabilities or logits.
    from_logits : bool, default False

    Returns
    -------
    Tensor
        ``(n,)``.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A label is out of range or not a whole number, shapes do not fit, or there is one class.

    Examples
    --------
    >>> round(sparse_categorical_crossentropy([0], [[0.5, 0.5]]).item(), 6)
    0.693147
    """
    where = "sparse_categorical_crossentropy"
    flag(where, "from_logits", from_logits)
    y_pred = floating(y_pred, where)
    labels = match_labels(y_true, y_pred, where, in_range=True)
    _check_classes(where, y_pred)
    try:
        if from_logits:
            return ops.sparse_softmax_cross_entropy(labels, y_pred)
        return ops.sparse_categorical_cross_entropy(labels, y_pred)
    except ArgumentError as error:
        if error.argument != "labels":
            raise
        raise ArgumentError(where, "y_true", error.expected, error.got) from None


def at_logits(loss: Loss, y_pred: Tensor) -> tuple[Loss, Tensor]:
    """Return a loss of probabilities and these; or both for logits, where a step knows these."""
    if loss.link is None or getattr(loss, "from_logits", False):
        return loss, y_pred
    logits = logits_of(y_pred, loss.link)
    return (loss, y_pred) if logits is None else (loss.with_logits(), logits)


def operand(values: Any, where: str, argument: str) -> Tensor:
    """Return `values` as a Tensor, or raise ArgumentError with the argument's own name."""
    try:
        return as_tensor(values)
    except ArgumentError as error:
        raise ArgumentError(where, argument, error.expected, error.got) from None


def floating(values: Any, where: str = "loss", argument: str = "y_pred") -> Tensor:
    """Return `values` as a Tensor of a floating dtype."""
    tensor = operand(values, where, argument)
    if tensor.dtype.kind != "f":
        return ops.cast(tensor, config.floatx())
    return tensor


def match(y_true: Any, y_pred: Tensor, where: str) -> Tensor:
    """Return targets with the shape and dtype of `y_pred`, or raise ArgumentError."""
    target = operand(y_true, where, "y_true")
    if target.shape != y_pred.shape:
        if target.ndim + 1 == y_pred.ndim and y_pred.shape == (*target.shape, 1):
            target = ops.expand_dims(target, -1)
        elif target.ndim == y_pred.ndim + 1 and target.shape == (*y_pred.shape, 1):
            target = ops.squeeze(target, -1)
        else:
            raise ArgumentError(
                where,
                "y_true",
                f"the shape of y_pred, {y_pred.shape}; targets never broadcast",
                f"shape {target.shape}",
            )
    return target if target.dtype == y_pred.dtype else ops.cast(target, y_pred.dtype)


def match_labels(
    y_true: Any,
    y_pred: Tensor,
    where: str,
    classes: float | None = None,
    in_range: bool = False,
) -> Tensor:
    """Return integer labels of shape ``y_pred.shape[:-1]``, or raise ArgumentError.

    They are below `classes`, by default the size of the last axis of `y_pred`. Of integers that is
    left to others where `in_range`.
    """
    labels = operand(y_true, where, "y_true")
    if y_pred.ndim == 0:
        raise ArgumentError(where, "y_pred", "at least one axis, the classes", "shape ()")
    expected = y_pred.shape[:-1]
    if labels.shape != expected:
        if labels.shape != (*expected, 1):
            raise ArgumentError(
                where,
                "y_true",
                f"one label for each prediction, shape {expected}",
                f"shape {labels.shape}",
            )
        labels = ops.reshape(labels, expected)
    array = None if in_range and labels.dtype.kind in "iu" else elements(labels)
    if array is not None:
        classes = y_pred.shape[-1] if classes is None else classes
        good = (array >= 0) & (array < classes) & (array == np.floor(array))
        _check_elements(where, array, good, f"integer class labels in [0, {classes})")
    elif labels.dtype.kind == "f":
        raise ArgumentError(where, "y_true", "integer class labels", f"{labels.dtype} labels")
    return labels if labels.dtype.kind in "iu" else ops.cast(labels, "int64")


def _check_unit(where: str, target: Tensor) -> None:
    """Refuse targets outside [0, 1], where their elements can be looked at; NaN passes."""
    array = elements(target)
    if array is not None:
        _check_elements(where, array, ~((array < 0) | (array > 1)), "targets in [0, 1]")


def elements(tensor: Tensor) -> Any:
    """Return the elements, or None where they cannot be looked at: symbolic or tracked."""
    try:
        return tensor.numpy()
    except TypeError:
        return None


def _check_elements(where: str, array: Any, good: Any, expected: str) -> None:
    if not good.all():
        index = np.unravel_index(int(np.argmin(good)), array.shape)
        at = index[0] if len(index) == 1 else tuple(int(i) for i in index)
        raise ArgumentError(where, "y_true", expected, f"{array[index]} at index {at}")


def _check_classes(where: str, y_pred: Tensor) -> None:
    if y_pred.ndim and y_pred.shape[-1] == 1:
        raise ArgumentError(
            where,
            "y_pred",
            "at least 2 classes along the last axis (for one output write binary_crossentropy)",
            f"shape {y_pred.shape}",
        )


def weighted(values: Tensor, sample_weight: Any, where: str) -> tuple[Tensor, Tensor]:
    """Return ``values * weight`` and the weights, which are spread over the values' last axes.

    A weight of 0 gives 0, also for a value that is infinite or NaN.
    """
    if values.ndim == 0:
        raise ArgumentError(
            where,
            "return value",
            "one number per sample where there are weights (write axis=-1 in its mean or sum)",
            "one number for the batch",
        )
    weight = ops.cast(operand(sample_weight, where, "sample_weight"), values.dtype)
    given = weight.shape
    while given[1:] and given[-1] == 1 and given != values.shape[: len(given)]:
        given = given[:-1]
    if given != values.shape[: len(given)] or not given:
        raise ArgumentError(
            where,
            "sample_weight",
            f"one weight for each value, shape {values.shape[:1] or '(n,)'}",
            f"shape {weight.shape}",
        )
    spread = (*given, *(1,) * (values.ndim - len(given)))
    weight = ops.broadcast_to(ops.reshape(weight, spread), values.shape)
    return ops.where(ops.equal(weight, 0.0), 0.0, ops.multiply(values, weight)), weight


def reduce_values(
    values: Tensor, reduction: str, sample_weight: Any = None, where: str = "loss"
) -> Tensor:
    """Reduce per-sample values to what a loss returns."""
    if sample_weight is not None:
        values, weight = weighted(values, sample_weight, where)
        if reduction == "mean_with_sample_weight":
            total = ops.sum(weight)
            none = ops.equal(total, 0.0)  # a batch of rows that all weigh nothing: no loss, not NaN
            return ops.where(none, 0.0, ops.sum(values) / ops.where(none, 1.0, total))
    if reduction == "none":
        return values
    return ops.sum(values) if reduction == "sum" else ops.mean(values)


def _last_axis(where: str, axis: Any) -> None:
    if not isinstance(axis, int) or axis != -1:
        raise ArgumentError(where, "axis", "-1, the last axis", repr(axis))


__getattr__ = missing(__name__, __all__)
_REGISTRY: Registry[type[Loss]] = Registry("losses.get", "loss")
_ALIASES: dict[type[Loss], tuple[str, ...]] = {
    MeanSquaredError: ("mean_squared_error", "MeanSquaredError", "mse", "MSE"),
    MeanAbsoluteError: ("mean_absolute_error", "MeanAbsoluteError", "mae", "MAE"),
    Huber: ("huber", "Huber", "huber_loss"),
    BinaryCrossentropy: ("binary_crossentropy", "BinaryCrossentropy", "bce", "BCE"),
    CategoricalCrossentropy: ("categorical_crossentropy", "CategoricalCrossentropy"),
    SparseCategoricalCrossentropy: (
        "sparse_categorical_crossentropy",
        "SparseCategoricalCrossentropy",
    ),
}
for _class, _names in _ALIASES.items():
    _REGISTRY.add(_class, *_names)
_FUNCTIONS: dict[Any, type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    huber: Huber,
    binary_crossentropy: BinaryCrossentropy,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
}


def get(identifier: Any) -> Loss | None:
    """Return the loss that `identifier` names.

    Parameters
    ----------
    identifier : str, dict, Loss, class, callable or None
        A name (``"mse"``, ``"binary_crossentropy"``, ``"BinaryCrossentropy"``), the
        result of `serialize`, a loss or its class, or a function ``f(y_true, y_pred)`` that
        returns one value per sample. None stays None.

    Returns
    -------
    Loss or None

    Raises
    ------
    fusegrad.errors.ArgumentError
        There is no loss of this name; the message names the nearest one.

    Examples
    --------
    >>> get("bce").name
    'binary_crossentropy'
    """
    if identifier is None or isinstance(identifier, Loss):
        return identifier
    if isinstance(identifier, str):
        if identifier.lower() in {"crossentropy", "ce"}:  # which one depends on the targets
            raise ArgumentError(
                "losses.get",
                "identifier",
                "'binary_crossentropy', 'categorical_crossentropy' for one-hot targets or "
                "'sparse_categorical_crossentropy' for class labels",
                repr(identifier),
            )
        return _REGISTRY.resolve(identifier)()
    if isinstance(identifier, dict):
        name, arguments = config_of(identifier, "losses.get")
        return _REGISTRY.resolve(name).from_config(arguments)
    if isinstance(identifier, type) and issubclass(identifier, Loss):
        return identifier()
    if callable(identifier) and not isinstance(identifier, type | Spelled):
        own = looked_up(_FUNCTIONS, identifier)
        return own() if own is not None else FunctionLoss(identifier)
    raise ArgumentError(
        "losses.get", "identifier", "a name, a Loss or a function (y_true, y_pred)",
        repr(identifier),
    )  # fmt: skip


def known(name: str) -> bool:
    """Whether `get` knows a loss by this name."""
    return _REGISTRY.find(name) is not None


def serialize(loss: Loss) -> dict[str, Any]:
    """Return ``{"class_name": ..., "config": {...}}`` of a loss.

    Parameters
    ----------
    loss : Loss

    Returns
    -------
    dict

    Examples
    --------
    >>> serialize(MeanSquaredError())["class_name"]
    'MeanSquaredError'
    """
    return {"class_name": type(loss).__name__, "config": loss.get_config()}


def deserialize(config: dict[str, Any]) -> Loss | None:
    """Return the loss of a dict that `serialize` gave.

    Parameters
    ----------
    config : dict

    Returns
    -------
    Loss

    Examples
    --------
    >>> deserialize(serialize(MeanSquaredError())).name
    'mean_squared_error'
    """
    return get(config)
