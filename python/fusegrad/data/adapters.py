"""What users pass as data, as checked NumPy arrays.

Everything is checked before a model is built or changed. Arrays of float32, float64 and uint8 are
used where they lie, whatever their strides; all others are converted once.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._tensor import Tensor, from_numpy
from fusegrad.errors import ArgumentError
from fusegrad.variable import Variable

Array = NDArray[Any]

_CHUNK = 1 << 18  # elements that a check looks at in one go
_DIRECT = frozenset(map(np.dtype, ("f4", "f8", "u1")))  # that a batch is gathered from


def to_array(where: str, argument: str, value: Any) -> Array:
    """Return `value` as an array of real numbers with at least one axis, or raise ArgumentError.

    Accepted are arrays of any layout and byte order, Tensors, nested lists of numbers, pandas
    objects, and whatever has ``__array__``.
    """
    if isinstance(value, Tensor | Variable):
        array = np.asarray(value.numpy())
    elif isinstance(value, np.ndarray):
        mask = getattr(value, "mask", None)  # to name numpy.ma would import it, which takes long
        if mask is not None and np.any(mask):
            got = f"{int(np.sum(mask))} masked"
            raise ArgumentError(where, argument, "data without masked elements", got)
        array = np.asarray(value)
    elif value is None or isinstance(value, str | bytes | dict | set):
        raise ArgumentError(where, argument, "an array of numbers", _described(value))
    elif hasattr(value, "tocsr") and hasattr(value, "toarray"):
        raise ArgumentError(
            where,
            argument,
            "a dense array (write .toarray())",
            f"a sparse matrix of shape {value.shape}",
        )
    elif hasattr(value, "columns") and hasattr(value, "dtypes"):
        array = _from_frame(where, argument, value)
    elif hasattr(value, "iloc") and hasattr(value, "isna"):
        array = _from_column(where, argument, value, getattr(value, "name", None))
    elif isinstance(value, list | tuple):
        array = _from_list(where, argument, value)
    elif hasattr(value, "__array__"):
        array = np.asarray(value)
    else:
        raise ArgumentError(where, argument, "an array of numbers", _described(value))
    if array.dtype.kind not in "fiub":
        raise ArgumentError(where, argument, "an array of real numbers", _odd_dtype(array))
    if array.ndim == 0:
        raise ArgumentError(where, argument, "an array with one row per sample", "a single number")
    if array.ndim > 8:
        raise ArgumentError(where, argument, "at most 8 axes", f"shape {array.shape}")
    return array


def to_inputs(where: str, argument: str, value: Any, dtype: str) -> Array:
    """Return inputs with at least two axes: ``(n,)`` is one feature per sample.

    Checked: at least one row and one feature, all values finite in `dtype`.
    """
    array = to_array(where, argument, value)
    if array.ndim == 1:
        array = array[:, np.newaxis]
    if array.shape[0] == 0:
        raise ArgumentError(where, argument, "at least one row", f"shape {array.shape}")
    if 0 in array.shape:
        raise ArgumentError(where, argument, "at least one feature", f"shape {array.shape}")
    array = direct(array, dtype)
    check_finite(where, argument, array, dtype, _column_names(value))
    return array


def direct(array: Array, dtype: str) -> Array:
    """Return the array itself where batches can be gathered from it, else converted to `dtype`."""
    if array.dtype in _DIRECT and array.flags.aligned:
        return array
    if array.dtype.kind == "f" and array.dtype.itemsize in {4, 8}:
        return array.astype(array.dtype.newbyteorder("="))  # only its bytes are in another order
    with np.errstate(over="ignore"):
        return array.astype(dtype)


def check_finite(
    where: str, argument: str, array: Array, dtype: str, columns: list[str] | None = None
) -> None:
    """Raise ArgumentError at the first value that is NaN, infinite, or infinite in `dtype`."""
    if array.dtype.kind != "f":
        return
    rows = max(1, _CHUNK // max(1, math.prod(array.shape[1:])))
    narrower = np.dtype(dtype).itemsize < array.dtype.itemsize
    largest = float(np.finfo(dtype).max) if narrower else math.inf
    for start in range(0, array.shape[0], rows):
        chunk = array[start : start + rows]
        if not narrower and _core.first_nonfinite(from_numpy(chunk)) < 0:
            continue
        good = np.isfinite(chunk)
        if narrower:
            good &= np.abs(chunk) <= largest
        if good.all():
            continue
        place = np.unravel_index(int(np.argmin(good)), chunk.shape)
        found = float(chunk[place])
        row = start + int(place[0])
        column = "" if array.ndim == 1 else f", {_column(place[1:], array.shape, columns)}"
        expected = "finite values"
        if math.isfinite(found):
            expected = f"values within the range of {dtype} (up to {largest:.3g})"
        name = "NaN" if math.isnan(found) else repr(found)
        raise ArgumentError(where, argument, expected, f"{name} at row {row}{column}")


def to_labels(where: str, argument: str, value: Any, classes: int, rows: tuple[int, ...]) -> Array:
    """Return class labels as a fresh int64 array of shape `rows`, each in [0, classes)."""
    expected = f"integer class labels in [0, {classes})"
    array = _targets(where, argument, value, expected)
    if array.shape != rows:
        if array.shape != (*rows, 1):
            got = f"shape {array.shape}"
            if array.shape == (*rows, classes):
                got += (
                    " (one-hot rows go with CategoricalCrossentropy, or write numpy.argmax(y, -1))"
                )
            elif len(rows) > 1 and array.shape == rows[:1]:
                got += " (one label per sample? add layers.Flatten() before the first Dense)"
            raise ArgumentError(
                where, argument, f"one label for each prediction, shape {rows}", got
            )
        array = array.reshape(rows)
    if array.dtype.kind == "f":
        _check_where(where, argument, array, np.floor(array) == array, expected)
    # Before the conversion, which would wrap the largest unsigned ones around.
    _check_where(where, argument, array, (array >= 0) & (array < classes), expected)
    return np.array(array, dtype=np.int64, order="C")


def to_targets(
    where: str, argument: str, value: Any, shape: tuple[int, ...], dtype: str, unit: bool = False
) -> Array:
    """Return targets with exactly the shape of the predictions; ``(n,)`` stands for ``(n, 1)``.

    Checked: all finite in `dtype`, and within [0, 1] where `unit`.
    """
    array = _targets(where, argument, value, f"numbers of shape {shape}")
    if array.shape != shape:
        if array.shape == shape[:-1] and shape[-1] == 1:
            array = array[..., np.newaxis]
        else:
            expected = f"the shape of the predictions, {shape}; targets never broadcast"
            got = f"shape {array.shape}"
            if array.shape == shape[:-1] and array.dtype.kind in "iu":
                got += " (class labels go with SparseCategoricalCrossentropy)"
            raise ArgumentError(where, argument, expected, got)
    array = direct(array, dtype)
    check_finite(where, argument, array, dtype)
    if unit:
        _check_where(where, argument, array, (array >= 0) & (array <= 1), "targets in [0, 1]")
    return array


def to_free_targets(where: str, argument: str, value: Any, rows: int, dtype: str) -> Array:
    """Return the targets of a loss of the user's own: any shape, integers as int64."""
    array = _targets(where, argument, value, "an array of numbers")
    if array.shape[0] != rows:
        raise ArgumentError(where, argument, f"{rows} rows, as in 'x'", f"shape {array.shape}")
    if array.dtype.kind in "iub":
        return np.array(array, dtype=np.int64, order="C")
    array = direct(array, dtype)
    check_finite(where, argument, array, dtype)
    return array


def to_weights(where: str, argument: str, value: Any, rows: int) -> Array:
    """Return sample weights as float64 of shape ``(rows,)``: finite, and not all zero."""
    array = to_array(where, argument, value)
    if array.shape not in {(rows,), (rows, 1)}:
        expected = f"one weight for each row of 'x', shape ({rows},)"
        raise ArgumentError(where, argument, expected, f"shape {array.shape}")
    weights = array.reshape(rows).astype(np.float64)
    check_finite(where, argument, weights, "float64")
    if not weights.any():
        raise ArgumentError(where, argument, "weights that are not all zero", f"{rows} zeros")
    return weights


def check_rows(where: str, x: Array, y: Any, argument: str = "y") -> None:
    """Raise ArgumentError where inputs and targets have different numbers of rows."""
    if y.ndim == 0 or y.shape[0] != x.shape[0]:
        raise ArgumentError(
            where, argument, f"{x.shape[0]} rows, as in 'x'", f"shape {tuple(y.shape)}"
        )


def _targets(where: str, argument: str, value: Any, expected: str) -> Array:
    if value is None:
        raise ArgumentError(where, argument, expected, "None")
    return to_array(where, argument, value)


def _check_where(where: str, argument: str, array: Array, good: Array, expected: str) -> None:
    if not good.all():
        place = np.unravel_index(int(np.argmin(good)), array.shape)
        index = int(place[0]) if len(place) == 1 else tuple(int(i) for i in place)
        got = f"{array[place]} at index {index} ({array.dtype} array of shape {array.shape})"
        raise ArgumentError(where, argument, expected, got)


def _from_list(where: str, argument: str, value: Any) -> Array:
    expected = "numbers in a rectangular shape"
    if len(value) == 0:
        return np.empty((0,), np.float64)
    if any(isinstance(row, Tensor | Variable) for row in value):
        value = [row.numpy() if isinstance(row, Tensor | Variable) else row for row in value]
    try:
        return np.array(value)
    except (ValueError, TypeError) as error:
        lengths = [len(row) if hasattr(row, "__len__") else None for row in value]
        for i, length in enumerate(lengths):
            if length != lengths[0]:
                shown = "a number" if length is None else f"length {length}"
                first = "a number" if lengths[0] is None else f"length {lengths[0]}"
                got = f"{shown} at row {i} where row 0 has {first}"
                raise ArgumentError(where, argument, expected, got) from error
        raise ArgumentError(where, argument, expected, str(error)) from error


def _from_frame(where: str, argument: str, frame: Any) -> Array:
    """Return a pandas DataFrame as an array; the column with something else is named."""
    names = list(frame.columns)
    if not hasattr(frame, "iloc"):  # another library's frame
        return np.asarray(frame)
    columns = [
        _from_column(where, argument, frame.iloc[:, i], name) for i, name in enumerate(names)
    ]
    if not columns:
        return np.empty((len(frame), 0), np.float64)
    if len({column.dtype for column in columns}) == 1:
        return np.asarray(frame.to_numpy(dtype=columns[0].dtype))  # often without a copy
    return np.stack(columns, axis=1)


def _from_column(where: str, argument: str, column: Any, name: Any) -> Array:
    """Return a pandas Series as an array of numbers."""
    title = f" in column {name!r}" if name is not None else ""
    missing = np.asarray(column.isna())
    if missing.any():
        row = int(np.argmax(missing))
        raise ArgumentError(
            where, argument, "data without missing values", f"a missing value{title} at row {row}"
        )
    array: Array = np.asarray(column.to_numpy())
    if array.dtype.kind == "O":  # pandas' nullable numbers, or anything at all
        for row, element in enumerate(array):
            if isinstance(element, str) or not isinstance(element, bool | int | float | np.number):
                raise ArgumentError(
                    where,
                    argument,
                    f"numbers{title}",
                    f"{element!r} ({type(element).__name__}) at row {row}",
                )
        array = np.asarray(column.to_numpy(dtype=np.float64))
    if array.dtype.kind not in "fiub":
        raise ArgumentError(where, argument, f"numbers{title}", f"dtype {column.dtype}")
    return array


def _column_names(value: Any) -> list[str] | None:
    names = getattr(value, "columns", None)
    return None if names is None else [str(name) for name in names]


def _column(place: tuple[Any, ...], shape: tuple[int, ...], names: list[str] | None) -> str:
    if len(place) == 1:
        column = int(place[0])
        named = names is not None and len(names) == shape[1]
        return f"column {names[column]!r}" if named and names is not None else f"column {column}"
    return f"index {tuple(int(i) for i in place)}"


def _odd_dtype(array: Array) -> str:
    if array.dtype.kind == "O" and array.size:
        for place in np.ndindex(array.shape):
            element = array[place]
            if not isinstance(element, bool | int | float | np.number):
                index = place[0] if len(place) == 1 else place
                text = repr(element)
                short = text if len(text) <= 40 else text[:37] + "..."
                return f"{short} ({type(element).__name__}) at index {index}"
        return f"an object array of shape {array.shape} (write numpy.asarray(data, dtype=float))"
    if array.dtype.kind in "US":
        try:
            array.astype(float)
            advice = "numpy.asarray(data, dtype=float) reads the numbers in them"
        except ValueError:
            advice = "numpy.unique(labels, return_inverse=True) numbers them"
        return f"strings ({array.dtype} array of shape {array.shape}; {advice})"
    return f"{array.dtype} array of shape {array.shape}"


def _described(value: Any) -> str:
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
