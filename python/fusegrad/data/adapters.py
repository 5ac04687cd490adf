"""What users pass as data, as checked NumPy arrays.

Everything is checked before a model is built or changed. Arrays of float32, float64 and uint8 are
used where they lie, whatever their strides; all others are converted once.
"""

from __future__ import annotations

import array as buffers
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad import _core
from fusegrad._checks import warn
from fusegrad._tensor import Tensor, from_numpy
from fusegrad.errors import ArgumentError
from fusegrad.variable import Variable

Array = NDArray[Any]

_CHUNK = 1 << 18  # elements that a check looks at in one go
_SUM_ERROR = 0.01  # of a row of probabilities, which may have been rounded to float16
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
    elif value is None or isinstance(value, str | bytes | dict | set | type):
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
    elif isinstance(value, list | tuple | range):
        array = _from_list(where, argument, value)
    elif hasattr(value, "__array__") or isinstance(value, memoryview | buffers.array):
        array = np.asarray(value)
    else:
        got = _described(value)
        if isinstance(value, Iterator) or hasattr(value, "__getitem__"):
            got += " (batches are not taken: write numpy.concatenate(list(...)))"
        raise ArgumentError(where, argument, "an array of numbers", got)
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
    expected = f"integer class labels in [0, {classes if classes < sys.maxsize else '2**63'})"
    array = _targets(where, argument, value, expected)
    if array.shape != rows:
        if array.shape != (*rows, 1):
            got = f"shape {array.shape}"
            if array.shape == (*rows, classes):
                got += (
                    " (one-hot rows go with CategoricalCrossentropy, or write numpy.argmax(y, -1))"
                )
            elif array.shape[:-1] == rows and _is_one_hot(array):
                got += f" (one-hot rows of {array.shape[-1]} classes; the model has {classes})"
            elif len(rows) > 1 and array.shape == rows[:1]:
                got += " (one label per sample? add layers.Flatten() before the first Dense)"
            raise ArgumentError(
                where, argument, f"one label for each prediction, shape {rows}", got
            )
        array = array.reshape(rows)
    if array.dtype.kind == "f":
        _check_where(where, argument, array, np.floor(array) == array, expected)
    # Before the conversion, which would wrap the largest unsigned ones around.
    good = (array >= 0) & (array < classes)
    if not good.all():
        hint = ""
        if array.min() == 1 and array.max() == classes:
            hint = f"labels from 1 to {classes}: write y - 1"
        elif classes == 2 and np.isin(array, (-1, 1)).all():
            hint = "labels -1 and 1: write (y + 1) // 2"
        _check_where(where, argument, array, good, expected, hint)
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
            labels = array.shape in {shape[:-1], (*shape[:-1], 1)} and shape[-1] > 1
            if labels and (array == np.floor(array)).all():
                got += " (class labels go with SparseCategoricalCrossentropy)"
            raise ArgumentError(where, argument, expected, got)
    array = direct(array, dtype)
    check_finite(where, argument, array, dtype)
    if unit:
        good = (array >= 0) & (array <= 1)
        hint = "" if good.all() else _unit_hint(array)
        _check_where(where, argument, array, good, "targets in [0, 1]", hint)
    return array


def notice_distributions(where: str, argument: str, array: Array) -> None:
    """Warn where a row is no distribution over classes, which a softmax is; it is used as it is."""
    sums = array.sum(axis=-1, dtype=np.float64)
    good = np.abs(sums - 1.0) <= _SUM_ERROR
    if good.all():
        return
    place = np.unravel_index(int(np.argmin(good)), sums.shape)
    index = int(place[0]) if len(place) == 1 else tuple(int(i) for i in place)
    text = f"{where}(): rows of '{argument}' do not sum to 1: {sums[place]:g} at row {index}"
    if np.isin(array, (0, 1)).all():
        text += " (several labels or none per row go with sigmoid and BinaryCrossentropy)"
    warn(text)


def check_same_index(where: str, arguments: tuple[str, str], x: Any, y: Any) -> None:
    """Raise ArgumentError where pandas objects hold the same rows in different orders."""
    first: Any = getattr(x, "index", None)
    second: Any = getattr(y, "index", None)
    if not hasattr(first, "equals") or not hasattr(second, "equals"):
        return
    if len(first) != len(second) or first.equals(second):
        return
    if first.is_unique and second.isin(first).all():
        raise ArgumentError(
            where,
            arguments[1],
            f"rows in the order of '{arguments[0]}'",
            f"the same index in another order (write y.loc[{arguments[0]}.index], or "
            "y.to_numpy() to take the rows as they come)",
        )


def _is_one_hot(array: Array) -> bool:
    return bool(np.isin(array, (0, 1)).all() and (array.sum(axis=-1) == 1).all())


def _unit_hint(array: Array) -> str:
    """Say how targets of two kinds become 0 and 1."""
    low, high = array.min() + 0.0, array.max() + 0.0  # no -0
    if low == high or not np.isin(array, (low, high)).all():
        return ""
    shown = f"targets {low:g} and {high:g}: "
    if low == 0:
        return f"{shown}write y / {high:g}"
    return shown + (f"write (y + {-low:g}) / {high - low:g}" if low < 0 else f"write y - {low:g}")


def to_free_targets(where: str, argument: str, value: Any, dtype: str) -> Array:
    """Return the targets of a loss of the user's own: any shape, integers as int64."""
    array = _targets(where, argument, value, "an array of numbers")
    if array.dtype.kind in "iub":
        return np.array(array, dtype=np.int64, order="C")
    array = direct(array, dtype)
    check_finite(where, argument, array, dtype)
    return array


def to_weights(where: str, argument: str, value: Any, rows: int, dtype: str) -> Array:
    """Return sample weights as float64 of shape ``(rows,)``: finite in `dtype`, not all zero."""
    array = to_array(where, argument, value)
    if array.shape not in {(rows,), (rows, 1)}:
        expected = f"one weight for each row of 'x', shape ({rows},)"
        raise ArgumentError(where, argument, expected, f"shape {array.shape}")
    weights = array.reshape(rows).astype(np.float64)
    check_weights(where, argument, weights, dtype)
    return weights


def check_weights(where: str, argument: str, weights: Array, dtype: str) -> None:
    """Raise ArgumentError where weights are not finite in `dtype`, or all zero."""
    check_finite(where, argument, weights, dtype)
    if not weights.astype(dtype).any():
        got = f"{weights.shape[0]} zeros"
        raise ArgumentError(where, argument, "weights that are not all zero", got)


def check_rows(where: str, arguments: tuple[str, str], x: Array, y: Array) -> None:
    """Raise ArgumentError where inputs and targets have different numbers of rows."""
    if y.shape[0] != x.shape[0]:
        got = f"{y.shape[0]} rows (shape {y.shape})"
        if y.shape[0] == 1 and y.size == x.shape[0]:
            got += "; write y.reshape(-1)"
        elif x.shape[0] == 1 and x.ndim > 2 and x.shape[1] == y.shape[0]:
            got += f"; '{arguments[0]}' has shape {x.shape}: a list of one array? write the array"
        raise ArgumentError(where, arguments[1], f"{x.shape[0]} rows, as in '{arguments[0]}'", got)


def _targets(where: str, argument: str, value: Any, expected: str) -> Array:
    if value is None:
        raise ArgumentError(where, argument, expected, "None")
    return to_array(where, argument, value)


def _check_where(
    where: str, argument: str, array: Array, good: Array, expected: str, hint: str = ""
) -> None:
    if not good.all():
        place = np.unravel_index(int(np.argmin(good)), array.shape)
        index = int(place[0]) if len(place) == 1 else tuple(int(i) for i in place)
        kind = f"{array.dtype} array of shape {array.shape}"
        got = f"{array[place]} at index {index} ({f'{kind}; {hint}' if hint else kind})"
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
        shapes = [getattr(row, "shape", None) for row in value]
        if len(set(shapes)) > 1 and None not in shapes and any(len(s or ()) > 1 for s in shapes):
            got = f"arrays of shapes {', '.join(map(str, shapes[:3]))}"
            if where == "fit" and len(value) == 2 and len(value[0]) == len(value[1]):
                got += " (write fit(x, y))"
            raise ArgumentError(where, argument, expected, got) from error
        lengths = [len(row) if hasattr(row, "__len__") else None for row in value]
        for i, length in enumerate(lengths):
            if length != lengths[0]:
                shown = "a number" if length is None else f"length {length}"
                first = "a number" if lengths[0] is None else f"length {lengths[0]}"
                got = f"{shown} at row {i} where row 0 has {first}"
                raise ArgumentError(where, argument, expected, got) from error
        got = f"rows with parts of different lengths, such as {_described(value[0])}"
        raise ArgumentError(where, argument, expected, got) from error


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
        kind = f"strings ({array.dtype} array of shape {array.shape}"
        for place in np.ndindex(array.shape):
            try:
                float(array[place])
            except ValueError:
                index = place[0] if len(place) == 1 else place
                kind = f"{str(array[place])!r} at index {index} among {kind}"
                advice = "write numbers for them, such as one column of 0 and 1 for each value"
                if array.ndim == 1:
                    advice = "numpy.unique(labels, return_inverse=True) numbers them"
                return f"{kind}; {advice})"
        return f"{kind}; numpy.asarray(data, dtype=float) reads the numbers in them)"
    return f"{array.dtype} array of shape {array.shape}"


def _described(value: Any) -> str:
    text = " ".join(repr(value).split())
    return f"{text if len(text) <= 60 else text[:57] + '...'} ({type(value).__name__})"
