"""Losses of rows: cross-entropies from logits and from probabilities, squared errors."""

from __future__ import annotations

from typing import Any

from fusegrad._tensor import Tensor
from fusegrad.ops._call import of_two

__all__ = [
    "binary_cross_entropy",
    "categorical_cross_entropy",
    "mean_squared_error",
    "sigmoid_cross_entropy",
    "softmax_cross_entropy",
    "sparse_categorical_cross_entropy",
    "sparse_softmax_cross_entropy",
]


def softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-sum(labels * log_softmax(logits))`` over the last axis.

    Parameters
    ----------
    labels : array_like
        A distribution for each row, of the shape of the logits; the sum is not checked.
    logits : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Notes
    -----
    A label of 0 adds 0, also where the logit is -inf. The gradient goes to both operands.

    Examples
    --------
    >>> softmax_cross_entropy([[0.0, 1.0]], [[0.0, 1000.0]])
    Tensor([0.], dtype=float32)
    """
    return of_two("softmax_cross_entropy", logits, labels)


def sparse_softmax_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-log_softmax(logits)[label]`` for each row.

    Parameters
    ----------
    labels : array_like
        In [0, classes), of the shape of the logits without the last axis; int32, int64 or uint8.
    logits : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); float32 for float32 logits, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes do not fit, or a label is not an integer or out of range.

    Notes
    -----
    With m the first largest logit and s the sum of ``e**(logits - m)`` over the others, the loss is
    ``(m - logits[label]) + log1p(s)``, and its gradient at a label that is largest ``-s / (1 +
    s)``. A confident, correct row keeps its tiny loss and gradient, which ``log(softmax)`` rounds
    to 0.

    Examples
    --------
    >>> sparse_softmax_cross_entropy([1], [[0.0, 20.0]])
    Tensor([2.0611537e-09], dtype=float32)
    """
    return of_two("sparse_softmax_cross_entropy", logits, labels)


def sigmoid_cross_entropy(labels: Any, logits: Any) -> Tensor:
    """Return ``-t*log(sigmoid(x)) - (1-t)*log(1-sigmoid(x))``, elementwise.

    Parameters
    ----------
    labels : array_like
        t, in [0, 1], which is not checked; of the shape of the logits.
    logits : array_like
        x, any shape.

    Returns
    -------
    Tensor
        Shape of the logits; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Notes
    -----
    Computed as ``(1-t)*softplus(x) + t*softplus(-x)``, with gradient ``(1-t)*sigmoid(x) -
    t*sigmoid(-x)``: both stay accurate for large logits. The gradient goes to both operands.

    Examples
    --------
    >>> sigmoid_cross_entropy([1.0, 0.0], [1000.0, -1000.0])
    Tensor([0., 0.], dtype=float32)
    """
    return of_two("sigmoid_cross_entropy", logits, labels)


def categorical_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-sum(labels * log(probabilities))`` over the last axis.

    Parameters
    ----------
    labels : array_like
        A distribution for each row, of the shape of the probabilities; the sum is not checked.
    probabilities : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ, or the last axis is empty.

    Notes
    -----
    Rows are divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras's categorical loss;
    the gradient outside of the clip is 0. A row that sums to 0 is NaN. `fusegrad.jit` computes it
    from the logits where the probabilities are a `softmax`.

    Examples
    --------
    >>> categorical_cross_entropy([[0.0, 1.0]], [[0.5, 0.5]])
    Tensor([0.6931472], dtype=float32)
    """
    return of_two("categorical_cross_entropy", probabilities, labels)


def sparse_categorical_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-log(probabilities)[label]`` for each row.

    Parameters
    ----------
    labels : array_like
        In [0, classes), of the shape of the probabilities without the last axis; int32,
        int64 or uint8.
    probabilities : array_like
        Shape (..., classes).

    Returns
    -------
    Tensor
        Shape (...); float32 for float32 probabilities, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes do not fit, or a label is not an integer or out of range.

    Notes
    -----
    Rows are divided by their sum and clipped to [1e-7, 1 - 1e-7], as in Keras's categorical loss;
    the gradient outside of the clip is 0. A row that sums to 0 is NaN. `fusegrad.jit` computes it
    from the logits where the probabilities are a `softmax`.

    Examples
    --------
    >>> sparse_categorical_cross_entropy([1], [[0.5, 0.5]])
    Tensor([0.6931472], dtype=float32)
    """
    return of_two("sparse_categorical_cross_entropy", probabilities, labels)


def binary_cross_entropy(labels: Any, probabilities: Any) -> Tensor:
    """Return ``-t*log(p) - (1-t)*log(1-p)``, elementwise.

    Parameters
    ----------
    labels : array_like
        t, in [0, 1], which is not checked; of the shape of the probabilities.
    probabilities : array_like
        p, any shape.

    Returns
    -------
    Tensor
        Shape of the probabilities; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ.

    Notes
    -----
    p is clipped to [1e-7, 1 - 1e-7], as in Keras; the gradient outside of the clip is 0.
    `fusegrad.jit` computes it from the logits where p is a `sigmoid`.

    Examples
    --------
    >>> binary_cross_entropy([1.0], [0.5])
    Tensor([0.6931472], dtype=float32)
    """
    return of_two("binary_cross_entropy", probabilities, labels)


def mean_squared_error(y_true: Any, y_pred: Any) -> Tensor:
    """Return ``mean((y_pred - y_true)**2)`` over the last axis.

    Parameters
    ----------
    y_true, y_pred : array_like
        Of one shape, with a last axis that is not empty.

    Returns
    -------
    Tensor
        Shape without the last axis; the promoted dtype where floating, else float64.

    Raises
    ------
    fusegrad.errors.ArgumentError
        The shapes differ (nothing is broadcast), or there is no last axis or it is empty.

    Examples
    --------
    >>> mean_squared_error([[1.0, 2.0]], [[1.0, 4.0]])
    Tensor([2.], dtype=float32)
    """
    return of_two("mean_squared_error", y_pred, y_true)
