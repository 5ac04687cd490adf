"""Bad data for models: good data, models that they fit, where they are given, and what spoils them.

Rows of the tables: the number of the class (see `bad_input`), a name, how the data are made, what
the error must say (a regular expression), and the model where it is not the classifier.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

import fusegrad as fg
from fusegrad import callbacks, layers, losses

ROWS, FEATURES, CLASSES = 12, 4, 3


# ---- good data, and what spoils them


def good_x(dtype: str = "float32") -> np.ndarray:
    return np.arange(ROWS * FEATURES).reshape(ROWS, FEATURES).astype(dtype) / 8


def good_y() -> np.ndarray:
    return np.arange(ROWS) % CLASSES


def one_hot() -> np.ndarray:
    return np.eye(CLASSES)[good_y()]


def with_value(array: np.ndarray, place: Any, value: Any) -> np.ndarray:
    result = array.copy()
    result[place] = value
    return result


def frame(**columns: Any) -> pd.DataFrame:
    """Good inputs as a frame, with these columns instead."""
    return pd.DataFrame(good_x(), columns=list("abcd")).assign(**columns)


class Batches:
    """What stands for other frameworks' data sets."""

    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> Any:
        return good_x(), good_y()


# ---- models


@dataclass(frozen=True)
class Kind:
    """A model, and targets that fit it."""

    units: int
    activation: str
    loss: Any
    y: Callable[[], np.ndarray]


KINDS = {
    "classifier": Kind(
        CLASSES, "linear", losses.SparseCategoricalCrossentropy(from_logits=True), good_y
    ),
    "two classes": Kind(2, "softmax", losses.SparseCategoricalCrossentropy(), lambda: good_y() % 2),
    "categorical": Kind(CLASSES, "softmax", "categorical_crossentropy", one_hot),
    "binary": Kind(1, "sigmoid", "bce", lambda: good_y() % 2),
    "multi-label": Kind(CLASSES, "sigmoid", "bce", one_hot),
    "regression": Kind(1, "linear", "mse", lambda: good_y() / 2),
    "three values": Kind(CLASSES, "linear", "mse", one_hot),
    "own loss": Kind(1, "linear", lambda y, p: (y - p) ** 2, lambda: good_y() / 2),
}


def model_of(kind: str, built: bool = True, eagerly: bool = False) -> fg.Sequential:
    """Return a compiled model, trained for an epoch where `built`."""
    k = KINDS[kind]
    stack = [layers.Dense(5, activation="relu"), layers.Dense(k.units, k.activation)]
    model = fg.Sequential(stack, name=kind)
    model.compile("adam", k.loss, run_eagerly=eagerly)
    if built:
        model.fit(good_x(), k.y(), verbose=0)
    return model


def unfit(loss: Any = None, stack: Any = None, compiled: bool = True) -> fg.Sequential:
    """Return a model that lacks something."""
    model = fg.Sequential([layers.Dense(1)] if stack is None else stack)
    if compiled:
        model.compile("sgd", loss)
    return model


# ---- entry points

Give = Callable[..., Any]


def _validation(model: Any, x: Any, y: Any, sample_weight: Any = None) -> Any:
    data = (x, y) if sample_weight is None else (x, y, sample_weight)
    good = KINDS[model.name].y()
    return model.fit(good_x(), good, verbose=0, validation_data=data)


def _adapt(x: Any) -> None:
    """Adapt a layer that is adapted already; it must stay as it is."""
    layer = layers.Normalization()
    layer.adapt(good_x())
    before = layer.get_weights()
    try:
        layer.adapt(x)
    finally:
        after = layer.get_weights()
        assert all(a.tobytes() == b.tobytes() for a, b in zip(before, after, strict=True))


TRAINING: dict[str, Give] = {
    "fit": lambda model, x, y, **more: model.fit(x, y, **({"verbose": 0} | more)),
    "evaluate": lambda model, x, y, **more: model.evaluate(x, y, **({"verbose": 0} | more)),
    "train_on_batch": lambda model, x, y, **more: model.train_on_batch(x, y, **more),
    "test_on_batch": lambda model, x, y, **more: model.test_on_batch(x, y, **more),
    "validation_data": _validation,
}
PREDICTING: dict[str, Give] = {
    "predict": lambda model, x, y, **more: model.predict(x, **({"verbose": 0} | more)),
    "predict_on_batch": lambda model, x, y: model.predict_on_batch(x),
}
CALLING: dict[str, Give] = {
    "model(x)": lambda model, x, y: model(x),
    "layer(x)": lambda model, x, y: model.layers[0](x),
}
ADAPTING: dict[str, Give] = {"adapt": lambda model, x, y: _adapt(x)}
ENTRIES = TRAINING | PREDICTING | CALLING | ADAPTING
NAMES = {
    "x": "validation_data[0]",
    "y": "validation_data[1]",
    "sample_weight": "validation_data[2]",
}


# ---- tables

Row = tuple[Any, ...]

X: list[Row] = [
    (4, "NaN", lambda: with_value(good_x(), (3, 1), np.nan), "NaN at row 3, column 1"),
    (4, "infinity", lambda: with_value(good_x(), (0, 0), np.inf), "inf at row 0, column 0"),
    (4, "minus infinity", lambda: with_value(good_x(), (11, 3), -np.inf), "-inf at row 11, col"),
    (4, "NaN, float64", lambda: with_value(good_x("f8"), (3, 1), np.nan), "NaN at row 3"),
    (4, "NaN, float16", lambda: with_value(good_x("f2"), (3, 1), np.nan), "NaN at row 3"),
    (4, "NaN, longdouble", lambda: with_value(good_x("g"), (3, 1), np.nan), "NaN at row 3"),
    (4, "NaN, Fortran order", lambda: np.asfortranarray(with_value(good_x(), (3, 1), np.nan)),
     "NaN at row 3, column 1"),
    (4, "NaN, big-endian", lambda: with_value(good_x(">f4"), (3, 1), np.nan), "NaN at row 3"),
    (4, "NaN in a list", lambda: [[float("nan")] * 4] * ROWS, "NaN at row 0"),
    (4, "infinity in a frame", lambda: frame(c=np.inf), "inf at row 0, column 'c'"),
    (21, "1e39", lambda: with_value(good_x("f8"), (2, 0), 1e39),
     r"range of float32 .* got 1e\+39 at row 2, column 0"),
    (21, "-1e39", lambda: with_value(good_x("f8"), (2, 0), -1e39), r"got -1e\+39 at row 2"),
    (21, "1e300 in a list", lambda: [[1e300] * 4] * ROWS, "range of float32"),
    (21, "1e39 in a frame", lambda: frame(b=1e39), r"got 1e\+39 at row 0, column 'b'"),
    (10, "array", lambda: good_x()[:0], r"at least one row, got shape \(0, 4\)"),
    (10, "list", list, "at least one row"),
    (10, "frame", lambda: frame().iloc[:0], "at least one row"),
    (11, "array", lambda: good_x()[:, :0], r"at least one feature, got shape \(12, 0\)"),
    (11, "lists", lambda: [[]] * ROWS, "at least one feature"),
    (11, "frame", lambda: frame()[[]], "at least one feature"),
    (9, "0-d array", lambda: np.array(1.0), "one row per sample, got a single number"),
    (9, "NumPy number", lambda: np.float32(1.0), "one row per sample"),
    (9, "number", lambda: 3.0, r"an array of numbers, got 3.0 \(float\)"),
    (9, "nine axes", lambda: np.ones((ROWS,) + (1,) * 8), "at most 8 axes"),
    (12, "None", lambda: None, r"got None \(NoneType\)"),
    (12, "file name", lambda: "data.csv", "got 'data.csv'"),
    (12, "bytes", lambda: b"12", "got b'12'"),
    (12, "dict", lambda: {"a": good_x()}, r"got \{'a': array.* \(dict\)"),
    (12, "set", lambda: {1.0, 2.0}, r"\(set\)"),
    (12, "class", lambda: np.ndarray, "got <class 'numpy.ndarray'>"),
    (12, "generator", lambda: (good_x() for _ in range(2)), "generator.*numpy.concatenate"),
    (12, "iterator", lambda: iter([good_x()]), "iterator.*numpy.concatenate"),
    (12, "data set", Batches, "Batches.*numpy.concatenate"),
    (12, "strings", lambda: with_value(good_x().astype("U8"), (2, 1), "red"),
     r"'red' at index \(2, 1\) among strings .*write numbers"),
    (12, "number strings", lambda: good_x().astype(str), "strings .*dtype=float"),
    (12, "byte strings", lambda: good_x().astype("S8"), "strings .*dtype=float"),
    (12, "objects", lambda: with_value(good_x().astype(object), (1, 2), {}),
     r"got \{\} \(dict\) at index \(1, 2\)"),
    (12, "None among numbers", lambda: [[None, 1.0, 1.0, 1.0]] * ROWS, "got None .* at index"),
    (12, "numbers as objects", lambda: good_x().astype(object), "object array.*dtype=float"),
    (12, "decimals", lambda: [[decimal.Decimal(1)] * 4] * ROWS, r"Decimal\('1'\)"),
    (12, "fractions", lambda: [[fractions.Fraction(1, 2)] * 4] * ROWS, r"Fraction\(1, 2\)"),
    (12, "complex", lambda: good_x().astype(complex), "complex128"),
    (12, "dates", lambda: np.zeros((ROWS, 4), "datetime64[s]"), "datetime64"),
    (12, "times", lambda: np.zeros((ROWS, 4), "timedelta64[s]"), "timedelta64"),
    (12, "Python dates", lambda: [[datetime.date(2020, 1, 1)] * 4] * ROWS, "datetime.date"),
    (12, "structured", lambda: np.zeros(ROWS, [("a", "f4"), ("b", "f4")]), "real numbers"),
    (12, "raw memory", lambda: np.zeros((ROWS, 4), "V4"), "real numbers"),
    (13, "lists", lambda: [[1.0] * 4, [1.0] * 3], "length 3 at row 1 where row 0 has length 4"),
    (13, "a number", lambda: [[1.0] * 4, 2.0], "a number at row 1 where row 0 has length 4"),
    (13, "arrays", lambda: [np.ones(4), np.ones(3)], "length 3 at row 1"),
    (13, "deep lists", lambda: [[[1, 2], [3]]] * ROWS, "parts of different lengths"),
    (13, "arrays of other shapes", lambda: [np.ones((4, 2)), np.ones((4, 3))],
     r"arrays of shapes \(4, 2\), \(4, 3\)"),
    (13, "inputs and targets in one", lambda: (good_x(), good_y()),
     r"arrays of shapes \(12, 4\), \(12,\)"),
    (14, "text", lambda: frame(c="x"), r"numbers in column 'c', got 'x' \(str\) at row 0"),
    (14, "None", lambda: frame(c=[1.0] * 11 + [None]), "missing value in column 'c' at row 11"),
    (14, "pandas.NA", lambda: frame(c=pd.array([1] * 11 + [None], "Int64")),
     "missing value in column 'c' at row 11"),
    (14, "NaN", lambda: frame(a=np.nan), "missing value in column 'a' at row 0"),
    (14, "dates", lambda: frame(d=pd.Timestamp("2020-01-01")), "numbers in column 'd'"),
    (14, "categories", lambda: frame(d=pd.Categorical(["x", "y"] * 6)), "column 'd', got 'x'"),
    (14, "complex", lambda: frame(d=1j), "numbers in column 'd'"),
    (14, "objects", lambda: frame(d=[[]] * ROWS), r"column 'd', got \[\] \(list\) at row 0"),
    (14, "two columns of one name", lambda: pd.concat([frame(), frame(a="x")[["a"]]], axis=1),
     "numbers in column 'a', got 'x'"),
    (14, "a column of text", lambda: pd.Series(["x"] * ROWS), "got 'x'"),
    (14, "masked", lambda: np.ma.masked_equal(good_x(), 0.0), "1 masked"),
    (15, "csr", lambda: scipy.sparse.csr_matrix(good_x()), r"dense array \(write \.toarray\(\)\)"),
    (15, "csc array", lambda: scipy.sparse.csc_array(good_x()), r"\.toarray\(\)"),
    (15, "coo array", lambda: scipy.sparse.coo_array(good_x()), r"\.toarray\(\)"),
]  # fmt: skip

#: Inputs that are good as such, but not for a model that was built for 4 features.
BUILT_X: list[Row] = [
    (7, "fewer", lambda: good_x()[:, :3], r"shape \(n, 4\).* got shape \(12, 3\)"),
    (7, "more", lambda: np.ones((ROWS, 5)), r"shape \(n, 4\).* got shape \(12, 5\)"),
    (7, "an index column", lambda: frame().reset_index(), "columns 'index', 'a', 'b', 'c', 'd'"),
    (7, "one column", lambda: good_x()[:, 0], r"shape \(n, 4\).* got shape \(12,\)"),
    (9, "a sample", lambda: good_x()[0], r"write x\.reshape\(\(1, 4\)\)"),
    (9, "three axes", lambda: np.ones((ROWS, 2, 2)), r"shape \(n, 4\).* got shape \(12, 2, 2\)"),
    (9, "a list of one array", lambda: [good_x()], "a list of arrays?"),
    (9, "a list of two arrays", lambda: [good_x(), good_x()], "a model has one input"),
]

LABELS: list[Row] = [
    (1, "the number of classes", lambda: with_value(good_y(), 3, CLASSES),
     r"integer class labels in \[0, 3\), got 3 at index 3 \(int64 array of shape \(12,\)\)"),
    (1, "255", lambda: with_value(good_y().astype("u1"), 3, 255), "got 255 at index 3"),
    (1, "2**64 - 1", lambda: with_value(good_y().astype("u8"), 1, 2**64 - 1),
     "18446744073709551615 at index 1"),
    (1, "a float", lambda: with_value(good_y().astype(float), 3, 3.0), "got 3.0 at index 3"),
    (1, "1e300", lambda: with_value(good_y().astype(float), 3, 1e300), r"got 1e\+300 at index 3"),
    (1, "from 1 to 3", lambda: good_y() + 1, "labels from 1 to 3: write y - 1"),
    (2, "-1", lambda: with_value(good_y(), 5, -1), "got -1 at index 5"),
    (2, "-100", lambda: with_value(good_y(), 0, -100), "got -100 at index 0"),
    (2, "-128", lambda: with_value(good_y().astype("i1"), 0, -128), "got -128 at index 0"),
    (2, "-1.0", lambda: with_value(good_y().astype(float), 0, -1.0), "got -1.0 at index 0"),
    (2, "-1 and 1", lambda: good_y() % 2 * 2 - 1, r"write \(y \+ 1\) // 2", "two classes"),
    (3, "1.5", lambda: with_value(good_y().astype(float), 2, 1.5), "got 1.5 at index 2"),
    (3, "1e-3", lambda: with_value(good_y().astype("f4"), 2, 1e-3), "got 0.001.* at index 2"),
    (3, "probabilities", lambda: good_y() / 2, "got 0.5 at index 1"),
    (5, "NaN", lambda: with_value(good_y().astype(float), 2, np.nan), "got nan at index 2"),
    (5, "infinity", lambda: with_value(good_y().astype(float), 2, np.inf), "got inf at index 2"),
    (6, "fewer", lambda: good_y()[:5], r"12 rows, as in '.*', got 5 rows \(shape \(5,\)\)"),
    (6, "more", lambda: np.zeros(13, int), "12 rows, .* got 13 rows"),
    (6, "none", list, "12 rows, .* got 0 rows"),
    (6, "a row", lambda: good_y()[np.newaxis], r"got 1 rows .*write y\.reshape\(-1\)"),
    (8, "one-hot", one_hot, "argmax"),
    (8, "one-hot of other classes", lambda: np.eye(4)[good_y()], "of 4 classes; the model has 3"),
    (8, "two columns", lambda: np.zeros((ROWS, 2), int), "one label for each prediction"),
    (8, "three axes", lambda: np.zeros((ROWS, 1, 1), int), "one label for each prediction"),
    (8, "a number", lambda: 1, "an array of numbers, got 1"),
    (8, "a 0-d array", lambda: np.array(1), "one row per sample"),
    (12, "strings", lambda: np.array(["a", "b", "c"] * 4), "'a' at index 0 .*return_inverse"),
    (12, "number strings", lambda: [str(i) for i in good_y()], "strings .*dtype=float"),
    (12, "None", lambda: None, "None"),
    (12, "None among labels", lambda: [None, *good_y()[1:]], "got None .* at index 0"),
    (12, "dict", lambda: {0: 1}, "dict"),
    (12, "generator", lambda: (i for i in good_y()), "generator"),
    (12, "complex", lambda: good_y() * 1j, "complex128"),
    (13, "lists", lambda: [[0], [1, 2]] * 6, "length 2 at row 1"),
    (14, "text", lambda: pd.Series(["a", "b", "c"] * 4), "got 'a'"),
    (14, "missing", lambda: pd.Series([0.0] * 11 + [None], name="t"),
     "missing value in column 't' at row 11"),
    (14, "masked", lambda: np.ma.masked_equal(good_y(), 0), "4 masked"),
    (15, "csr", lambda: scipy.sparse.csr_matrix(good_y()), r"\.toarray\(\)"),
]  # fmt: skip

TARGETS: list[Row] = [
    (5, "NaN in values", lambda: with_value(np.zeros(ROWS), 4, np.nan), "NaN at row 4",
     "regression"),
    (5, "infinity in values", lambda: with_value(np.zeros((ROWS, 3)), (4, 2), -np.inf),
     "-inf at row 4, column 2", "three values"),
    (5, "NaN in 0 and 1", lambda: with_value(np.zeros(ROWS), 4, np.nan), "NaN at row 4", "binary"),
    (5, "NaN, own loss", lambda: with_value(np.zeros(ROWS), 4, np.nan), "NaN at row 4",
     "own loss"),
    (6, "values", lambda: np.zeros(5), "12 rows", "regression"),
    (6, "own loss", lambda: np.zeros(5), "12 rows", "own loss"),
    (8, "(n,) for (n, 3)", lambda: np.zeros(ROWS), "never broadcast", "three values"),
    (8, "(n, 1) for (n, 3)", lambda: np.zeros((ROWS, 1)), "never broadcast", "three values"),
    (8, "(n, 3) for (n, 1)", lambda: np.zeros((ROWS, 3)), "never broadcast", "regression"),
    (8, "(n, n) for (n, 1)", lambda: np.zeros((ROWS, ROWS)), "never broadcast", "regression"),
    (8, "(n, 3, 1) for (n, 3)", lambda: np.zeros((ROWS, 3, 1)), "never broadcast",
     "three values"),
    (8, "(1, 3) for (n, 3)", lambda: np.zeros((1, 3)), "12 rows", "three values"),
    (8, "a number for (n, 1)", lambda: 1.0, "an array of numbers", "regression"),
    (8, "labels for distributions", good_y, "SparseCategoricalCrossentropy", "categorical"),
    (8, "a column of labels", lambda: good_y()[:, None], "SparseCategoricalCrossentropy",
     "categorical"),
    (8, "labels for several yes or no", good_y, "SparseCategoricalCrossentropy", "multi-label"),
    (8, "four classes for three", lambda: np.eye(4)[good_y()], "never broadcast", "categorical"),
    (21, "1e300", lambda: with_value(np.zeros(ROWS), 4, 1e300), "range of float32", "regression"),
    (24, "1.01", lambda: with_value(np.zeros(ROWS), 2, 1.01),
     r"\[0, 1\], got 1.01 at index \(2, 0\)", "binary"),
    (24, "-1", lambda: with_value(np.zeros(ROWS), 2, -1.0), r"\[0, 1\], got -1.0", "binary"),
    (24, "three classes", good_y, r"\[0, 1\], got 2", "binary"),
    (24, "-1 and 1", lambda: good_y() % 2 * 2 - 1, r"targets -1 and 1: write \(y \+ 1\) / 2",
     "binary"),
    (24, "1 and 2", lambda: good_y() % 2 + 1, "targets 1 and 2: write y - 1", "binary"),
    (24, "0 and 255", lambda: (good_y() % 2 * 255).astype("u1"), "write y / 255", "binary"),
    (24, "negative", lambda: -one_hot(), r"\[0, 1\], got -1.0", "categorical"),
    (24, "0 and 255 for classes", lambda: 255 * one_hot(), "write y / 255", "categorical"),
]  # fmt: skip

SAMPLE_WEIGHTS: list[Row] = [
    (16, "fewer", lambda: np.ones(5), r"one weight for each row .* got shape \(5,\)"),
    (16, "more", lambda: np.ones(13), r"got shape \(13,\)"),
    (16, "none", list, r"got shape \(0,\)"),
    (16, "NaN", lambda: with_value(np.ones(ROWS), 3, np.nan), "NaN at row 3"),
    (16, "infinity", lambda: with_value(np.ones(ROWS), 3, np.inf), "inf at row 3"),
    (16, "minus infinity", lambda: with_value(np.ones(ROWS), 3, -np.inf), "-inf at row 3"),
    (16, "all zero", lambda: np.zeros(ROWS), "not all zero, got 12 zeros"),
    (16, "all zero in float32", lambda: np.full(ROWS, 1e-60), "not all zero"),
    (16, "beyond float32", lambda: with_value(np.ones(ROWS), 3, 1e300), "range of float32"),
    (16, "strings", lambda: ["a"] * ROWS, "strings"),
    (16, "None among weights", lambda: [None] * ROWS, "got None"),
    (16, "a square", lambda: np.ones((ROWS, ROWS)), r"got shape \(12, 12\)"),
    (16, "two columns", lambda: np.ones((ROWS, 2)), r"got shape \(12, 2\)"),
    (16, "three axes", lambda: np.ones((ROWS, 1, 1)), r"got shape \(12, 1, 1\)"),
    (16, "a number", lambda: 1.0, "an array of numbers, got 1.0"),
    (16, "class weights", lambda: {0: 1.0}, "dict"),
    (16, "a word", lambda: "balanced", "'balanced'"),
    (16, "complex", lambda: np.ones(ROWS) * 1j, "complex128"),
    (16, "sparse", lambda: scipy.sparse.csr_matrix(np.ones(ROWS)), r"\.toarray\(\)"),
    (16, "missing", lambda: pd.Series([1.0] * 11 + [None]), "missing value at row 11"),
    (16, "masked", lambda: np.ma.masked_equal(np.arange(ROWS), 3), "1 masked"),
    (16, "ragged", lambda: [[1.0], [1.0, 2.0]], "length 2 at row 1"),
]

_ALL = {0: 1.0, 1: 1.0, 2: 1.0}

CLASS_WEIGHTS: list[Row] = [
    (17, "an unknown class", lambda: _ALL | {3: 1.0}, r"classes in \[0, 3\), got the class 3"),
    (17, "a negative class", lambda: {-1: 1.0}, "got the class -1"),
    (17, "half a class", lambda: {0.5: 1.0}, "got the class 0.5"),
    (17, "a word for a class", lambda: {"cat": 1.0}, "got the class 'cat'"),
    (17, "None for a class", lambda: {None: 1.0}, "got the class None"),
    (17, "NaN for a class", lambda: {float("nan"): 1.0}, "got the class nan"),
    (17, "infinity for a class", lambda: {float("inf"): 1.0}, "got the class inf"),
    (17, "a class twice", lambda: _ALL | {"0": 2.0}, "two for the class 0"),
    (17, "a list", lambda: [1.0, 1.0, 1.0], r"dict\(enumerate\(weights\)\)"),
    (17, "an array", lambda: np.ones(3), r"dict\(enumerate\(weights\)\)"),
    (17, "a column", lambda: pd.Series([1.0, 1.0, 1.0]), r"weights\.to_dict\(\)"),
    (17, "a number", lambda: 2.0, r"a dict \{class: weight\}, or 'balanced', got 2.0"),
    (17, "a word", lambda: "balance", "or 'balanced', got 'balance'"),
    (17, "NaN", lambda: _ALL | {1: float("nan")}, "a finite number, got nan"),
    (17, "infinity", lambda: _ALL | {1: float("inf")}, "a finite number, got inf"),
    (17, "a word for a weight", lambda: _ALL | {1: "high"}, "a finite number, got 'high'"),
    (17, "None for a weight", lambda: _ALL | {1: None}, "a finite number, got None"),
    (17, "a list for a weight", lambda: _ALL | {1: [1.0]}, r"a finite number, got \[1.0\]"),
    (17, "all zero", lambda: dict.fromkeys(range(3), 0.0), "not all zero"),
    (17, "beyond float32", lambda: _ALL | {0: 1e300}, "range of float32"),
    (17, "values", lambda: _ALL, "classes, got targets of MeanSquaredError", "regression"),
    (17, "several labels a row", lambda: _ALL, "one class for each row", "multi-label"),
    (17, "a third class of two", lambda: _ALL, r"classes in \[0, 2\), got the class 2", "binary"),
    (17, "values, own loss", lambda: _ALL, "classes, got targets with fractions", "own loss"),
]

COUNTS: list[Row] = [
    *((18, f"{name} {value!r}", {name: value}, name)
      for name in ("batch_size",)
      for value in (0, -1, 2.0, True, "32", float("nan"), 2**63, np.ones(2), [3])),
    (25, "verbose 3", {"verbose": 3}, "verbose"),
    (25, "verbose None", {"verbose": None}, "verbose"),
    (25, "verbose 'all'", {"verbose": "all"}, "verbose"),
    (25, "verbose 1.0", {"verbose": 1.0}, "verbose"),
    (25, "verbose []", {"verbose": []}, "verbose"),
    (25, "callbacks object", {"callbacks": [object()]}, "callbacks[0]"),
    (25, "callbacks None in a list", {"callbacks": [None]}, "callbacks[0]"),
    (25, "callbacks function", {"callbacks": [print]}, "callbacks[0]"),
    (25, "callbacks class", {"callbacks": callbacks.History}, "callbacks"),
    (25, "callbacks class in a list", {"callbacks": [callbacks.History]}, "callbacks[0]"),
    (25, "callbacks word", {"callbacks": "early"}, "callbacks"),
    (25, "callbacks dict", {"callbacks": {}}, "callbacks"),
]  # fmt: skip
FIT_COUNTS: list[Row] = [
    *((18, f"{name} {value!r}", {name: value}, name)
      for name, values in {
          "epochs": (-1, 1.5, 2.0, True, "5", None, 2**63),
          "initial_epoch": (-1, 1.0, True, None, 2),
          "validation_batch_size": (0, -1, 2.0, "32"),
          "validation_freq": (0, -1, 1.0, [1, 2], None),
      }.items()
      for value in values),
    *((25, f"validation_split {value!r}", {"validation_split": value}, "validation_split")
      for value in (1, 1.0, -0.1, 20, "0.2", None, True, float("nan"), 0.999)),
    *((25, f"shuffle {value!r}", {"shuffle": value}, "shuffle") for value in ("batch", None, 1)),
    *((25, f"validation_data {name}", {"validation_data": value}, "validation_data")
      for name, value in {
          "alone": good_x(),
          "word": "data",
          "of one": (good_x(),),
          "of four": (good_x(), good_y(), np.ones(ROWS), np.ones(ROWS)),
          "empty": (),
          "dict": {"x": good_x(), "y": good_y()},
          "in one array": np.stack([good_x(), good_x()]),
          "number": 0.2,
      }.items()),
    *((16, f"zeros on one side, {name}",
       {"sample_weight": np.repeat(sides, 6), "validation_split": 0.5}, "validation_split")
      for name, sides in {"training": (0.0, 1.0), "validation": (1.0, 0.0)}.items()),
]  # fmt: skip
