"""Small helpers, with Keras's names.

Examples
--------
>>> from fusegrad import utils
>>> utils.to_categorical([0, 2], num_classes=3).tolist()
[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
"""

from __future__ import annotations

import random as python_random
import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import config, random
from fusegrad._checks import positive_int, storable
from fusegrad._spelling import keywords, missing
from fusegrad.errors import ArgumentError

__all__ = [
    "clear_session",
    "pack_x_y_sample_weight",
    "set_random_seed",
    "to_categorical",
    "unpack_x_y_sample_weight",
]

__getattr__ = missing(__name__, __all__)


@keywords
def set_random_seed(seed: int) -> None:
    """Seed all random numbers of the process: Python's, NumPy's and fusegrad's.

    With the same seed before the model is created, training gives the same bits, whatever the
    number of threads and the instruction set. Initial weights, dropout and shuffles each take
    their seeds from a sequence of their own that starts here: the n-th initializer, the n-th
    dropout layer and the n-th model of a program always get the same ones.

    Parameters
    ----------
    seed : int
        In [0, 2**32).

    Raises
    ------
    fusegrad.errors.ArgumentError
        `seed` is not such an integer.

    Examples
    --------
    >>> from fusegrad import layers
    >>> set_random_seed(1)
    >>> first = layers.Dense(2)([[1.0]]).tolist()
    >>> set_random_seed(1)
    >>> layers.Dense(2)([[1.0]]).tolist() == first
    True
    """
    given: Any = seed
    whole = isinstance(given, int | np.integer) and not isinstance(given, bool)
    if not whole or not 0 <= given < 2**32:
        raise ArgumentError("set_random_seed", "seed", "an integer in [0, 2**32)", repr(seed))
    python_random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 - the generator that code without its own draws from
    random.set_seed(int(seed))


def clear_session() -> None:
    """Start the numbers of automatic layer names again: the next Dense is called ``dense``.

    Nothing else needs clearing: models free their memory when they are no longer used.

    Examples
    --------
    >>> from fusegrad import layers
    >>> clear_session()
    >>> layers.Dense(1).name
    'dense'
    """
    from fusegrad.layers.base import reset_names

    reset_names()


@keywords
def to_categorical(x: Any, num_classes: int | None = None) -> NDArray[Any]:
    """Return one-hot rows for class labels.

    Parameters
    ----------
    x : array_like of int
        Labels in [0, num_classes); a last axis of size 1 is dropped.
    num_classes : int, optional
        By default the largest label plus one.

    Returns
    -------
    numpy.ndarray
        ``(..., num_classes)``, of dtype `config.floatx()`.

    Raises
    ------
    fusegrad.errors.ArgumentError
        A label is negative, too large, or not a whole number.
    MemoryError
        There is no room for so many classes.

    Examples
    --------
    >>> to_categorical([1, 0]).tolist()
    [[0.0, 1.0], [1.0, 0.0]]
    """
    from fusegrad.data.adapters import to_array, to_labels

    array = to_array("to_categorical", "x", x)
    if array.ndim > 1 and array.shape[-1] == 1:
        array = array.reshape(array.shape[:-1])
    if num_classes is None:
        labels = to_labels("to_categorical", "x", array, sys.maxsize, array.shape)
        num_classes = int(labels.max()) + 1 if labels.size else 0
    else:
        num_classes = positive_int("to_categorical", "num_classes", num_classes)
        labels = to_labels("to_categorical", "x", array, num_classes, array.shape)
    storable((*labels.shape, num_classes), config.floatx())
    result = np.zeros((*labels.shape, num_classes), dtype=config.floatx())
    np.put_along_axis(result, labels[..., np.newaxis], 1.0, axis=-1)
    return result


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """Return ``(x, y, sample_weight)`` of what `Model.train_step` is given.

    Parameters
    ----------
    data : Tensor or tuple
        ``x``, ``(x,)``, ``(x, y)`` or ``(x, y, sample_weight)``.

    Returns
    -------
    tuple
        With None for what there is not.

    Raises
    ------
    fusegrad.errors.ArgumentError
        It is a tuple of another length.

    Examples
    --------
    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ArgumentError(
            "unpack_x_y_sample_weight",
            "data",
            "x, (x,), (x, y) or (x, y, sample_weight)",
            f"a tuple of length {len(data)}",
        )
    x, y, sample_weight = (*data, None, None)[:3]
    return x, y, sample_weight


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """Return data as `Model.train_step` is given them: the reverse of `unpack_x_y_sample_weight`.

    Parameters
    ----------
    x : Any
    y, sample_weight : Any, optional

    Returns
    -------
    Any
        `x` itself, or a tuple.

    Examples
    --------
    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, list | tuple) else x
