"""Bad input: the classes of it, how to make each, where it is given, and what the error must say.

`RUNS` is what `models/test_bad_input.py` runs. Data are listed once, by what they stand for (inputs,
targets, weights), and spread over the entry points that take them; `CALLS` are written out.
"""

from __future__ import annotations

import datetime
import decimal
import fractions
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

import fusegrad as fg
from fusegrad import activations, initializers, layers, losses, metrics, ops, optimizers
from fusegrad import callbacks as callback_module
from fusegrad import regularizers as penalties
from fusegrad.errors import ArgumentError

ROWS, FEATURES, CLASSES = 12, 4, 3

CLASS_NAMES = {
    1: "a label beyond the classes",
    2: "a label below 0",
    3: "labels with fractions",
    4: "NaN or infinity in the inputs",
    5: "NaN or infinity in the targets",
    6: "inputs and targets of different lengths",
    7: "features that the model was not built for",
    8: "targets that would broadcast",
    9: "a wrong number of axes",
    10: "no rows",
    11: "no features",
    12: "elements that are no numbers",
    13: "ragged lists",
    14: "pandas columns of text, missing or masked values",
    15: "sparse matrices",
    16: "sample weights",
    17: "class weights",
    18: "counts: batch_size, epochs and the like",
    19: "learning rates",
    20: "sizes beyond the memory",
    21: "values beyond the range of float32",
    22: "calls before build or compile",
    23: "unknown names",
    24: "loss, activation and targets that do not go together",
    25: "other arguments",
}


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
    "two classes": Kind(
        2, "softmax", losses.SparseCategoricalCrossentropy(), lambda: good_y() % 2
    ),
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
ENTRIES = TRAINING | PREDICTING | CALLING
NAMES = {"x": "validation_data[0]", "y": "validation_data[1]", "sample_weight": "validation_data[2]"}


@dataclass(frozen=True)
class Run:
    """One bad input at one entry point."""

    number: int  # of its class
    name: str
    entry: str
    call: Callable[[Any], Any]  # given a model
    argument: str | None  # that an ArgumentError must name
    text: str  # a regular expression that the message must match
    error: type[Exception] = ArgumentError
    kind: str = "classifier"
    built: bool = False  # it takes a model that was built
    start: str = ""  # a regular expression that the message must start with

    @property
    def title(self) -> str:
        return f"{self.number:02} {self.entry}: {self.name}"


# ---- data: class, name, how it is made, what the error says; for some the model

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
    (24, "several labels a row", lambda: np.ones((ROWS, 3)),
     "a sum of 3 at row 0 .*BinaryCrossentropy", "categorical"),
    (24, "no label in a row", lambda: with_value(one_hot(), 7, 0.0), "a sum of 0 at row 7",
     "categorical"),
    (24, "no distribution", lambda: np.full((ROWS, 3), 0.25), "a sum of 0.75 at row 0",
     "categorical"),
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
    (25, "callbacks class", {"callbacks": callback_module.History}, "callbacks"),
    (25, "callbacks class in a list", {"callbacks": [callback_module.History]}, "callbacks[0]"),
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


# ---- everything else, written out: class, name, entry point, call, argument, text[, error]


def _fit_with(**weights: Any) -> Callable[[Any], Any]:
    """Train a layer with these regularizers."""

    def call(model: Any) -> Any:
        other = fg.Sequential([layers.Dense(1, **weights)])
        other.compile("sgd", "mse")
        return other.fit(good_x(), good_y(), verbose=0)

    return call


def _never(model: Any) -> Any:
    model.add(model)


_P = np.full((4, 3), 1 / 3, "f4")
_T = np.eye(3)[[0, 1, 2, 0]]
_HUGE = 10**15
_OPTIMIZERS = [
    value
    for value in map(optimizers.__dict__.get, optimizers.__all__)
    if isinstance(value, type)
    and issubclass(value, optimizers.Optimizer)
    and value is not optimizers.Optimizer
]
_RATES = (float("nan"), float("inf"), -float("inf"), -0.1, "fast", True, None, [0.1], 1j, 10**400)

CALLS: list[Row] = [
    # 7 to 11, at layers
    (7, "fewer", "model(x)", lambda m: m(good_x()[:, :3]), "x", r"shape \(n, 4\), got shape"),
    (7, "more", "model(x)", lambda m: m(np.ones((3, 5))), "x", r"shape \(n, 4\), got shape"),
    (7, "fewer", "layer(x)", lambda m: m.layers[0](good_x()[:, :3]), "x", r"\(..., 4\), got"),
    (7, "more", "layer(x)", lambda m: m.layers[0](np.ones((3, 5))), "x", r"\(..., 4\), got"),
    (9, "a sample", "model(x)", lambda m: m(good_x()[0]), "x", r"write x\.reshape\(\(1, 4\)\)"),
    (9, "a number", "layer(x)", lambda m: layers.Dense(1)(1.0), "x", "at least two axes"),
    (9, "one axis", "layer(x)", lambda m: layers.Dense(1)([1.0, 2.0]), "x", "at least two axes"),
    (9, "a number", "model(x)", lambda m: m(1.0), "x", r"shape \(n, 4\), got shape \(\)"),
    (9, "a number to flatten", "layer(x)", lambda m: layers.Flatten()(1.0), "x", "at least one axis"),
    (11, "no features", "layer(x)", lambda m: layers.Dense(1)(np.ones((2, 0))), "x", "features"),
    # losses and metrics on arrays
    *((number, name, f"losses.{function}",
       lambda m, f=getattr(losses, function), y=y, p=p: f(y, p), argument, text)
      for function, number, name, y, p, argument, text in [
          ("sparse_categorical_crossentropy", 1, "3 of 3", [0, 1, 2, 3], _P, "y_true", r"got 3"),
          ("sparse_categorical_crossentropy", 2, "-1", [0, 1, 2, -1], _P, "y_true", "got -1"),
          ("sparse_categorical_crossentropy", 3, "0.5", [0, 1, 2, 0.5], _P, "y_true", "got 0.5"),
          ("sparse_categorical_crossentropy", 5, "NaN", [0, 1, 2, np.nan], _P, "y_true", "nan"),
          ("sparse_categorical_crossentropy", 5, "inf", [0, 1, 2, np.inf], _P, "y_true", "inf"),
          ("sparse_categorical_crossentropy", 6, "fewer", [0, 1], _P, "y_true", r"shape \(2,\)"),
          ("sparse_categorical_crossentropy", 8, "one-hot", _T, _P, "y_true", "one label for"),
          ("sparse_categorical_crossentropy", 12, "strings", ["a"] * 4, _P, "y_true", "<U1"),
          ("sparse_categorical_crossentropy", 13, "ragged", [[0], [1, 2]], _P, "y_true", "rect"),
          ("sparse_categorical_crossentropy", 24, "one class", [0], [[1.0]], "y_pred", "2 classes"),
          ("categorical_crossentropy", 8, "labels", [0, 1, 2, 0], _P, "y_true", "broadcast"),
          ("categorical_crossentropy", 24, "2.0", 2 * _T, _P, "y_true", r"\[0, 1\], got 2.0"),
          ("categorical_crossentropy", 24, "one class", [[1.0]], [[1.0]], "y_pred", "2 classes"),
          ("binary_crossentropy", 8, "other columns", _T[:, :2], _P, "y_true", "broadcast"),
          ("binary_crossentropy", 24, "-1.0", -_T, _P, "y_true", r"\[0, 1\], got -1.0"),
          ("binary_crossentropy", 12, "None", None, _P, "y_true", "None"),
          ("mean_squared_error", 8, "a number", 1.0, _P, "y_true", "broadcast"),
          ("mean_squared_error", 6, "fewer", _T[:2], _P, "y_true", "broadcast"),
          ("mean_squared_error", 12, "None as predictions", _T, None, "y_pred", "None"),
          ("mean_squared_error", 12, "objects", np.array([{}] * 4), _P, "y_true", "object"),
          ("mean_squared_error", 14, "masked", np.ma.masked_equal(_T, 0), _P, "y_true", "masked"),
          ("mean_absolute_error", 8, "other columns", _T[:, :2], _P, "y_true", "broadcast"),
          ("huber", 8, "other columns", _T[:, :2], _P, "y_true", "broadcast"),
      ]),
    *((16, name, "losses.Loss", lambda m, w=w: losses.MeanSquaredError()(_T, _P, w),
       "sample_weight", text)
      for name, w, text in [
          ("fewer", [1.0, 2.0], r"shape \(4,\), got shape \(2,\)"),
          ("a number", 1.0, r"got shape \(\)"),
          ("strings", ["a"] * 4, "<U1"),
          ("ragged", [[1.0], [1.0, 2.0]], "rectangular"),
      ]),
    *((number, name, "metrics.Metric",
       lambda m, k=kind, y=y, w=w: getattr(metrics, k)()(y, _P, w), argument, text)
      for kind, number, name, y, w, argument, text in [
          ("SparseCategoricalAccuracy", 1, "9 of 3", [9, 0, 1, 2], None, "y_true", "got 9"),
          ("SparseCategoricalAccuracy", 2, "-1", [-1, 0, 1, 2], None, "y_true", "got -1"),
          ("SparseCategoricalAccuracy", 3, "0.5", [0.5, 0, 1, 2], None, "y_true", "got 0.5"),
          ("SparseCategoricalAccuracy", 8, "one-hot", _T, None, "y_true", "one label for"),
          ("CategoricalAccuracy", 8, "labels", [0, 1, 2, 0], None, "y_true", "broadcast"),
          ("BinaryAccuracy", 8, "labels for yes or no", [0, 1, 2, 0], None, "y_true", "broadcast"),
          ("MeanSquaredError", 12, "None", None, None, "y_true", "None"),
          ("MeanSquaredError", 16, "fewer weights", _T, [1.0], "sample_weight", "one weight"),
      ]),
    # eager ops
    (8, "shapes", "ops", lambda m: ops.matmul([[1.0]], _T), "x2", "1 rows"),
    (12, "None", "ops", lambda m: ops.exp(None), "data", "None"),
    (12, "strings", "ops", lambda m: ops.add(["a"], 1.0), "data", "real numbers"),
    (12, "complex", "ops", lambda m: ops.exp(np.ones(2) * 1j), "data", "complex128"),
    (13, "ragged", "ops", lambda m: ops.exp([[1.0], [1.0, 2.0]]), "data", "rectangular"),
    (14, "masked", "ops", lambda m: ops.exp(np.ma.masked_equal([0.0, 1.0], 0)), "data", "masked"),
    (25, "axis", "ops", lambda m: ops.sum([1.0], axis=5), "axis", r"\[-1, 1\)"),
    (25, "out", "ops", lambda m: np.sum(ops.ones(2), out=np.ones(())), "out", "do not change"),
    (25, "dtype", "ops", lambda m: np.mean(ops.ones(2), dtype="f8"), "dtype", "astype"),
    # to_categorical, read_idx, set_weights
    *((number, name, "to_categorical", lambda m, a=given: fg.utils.to_categorical(*a), argument,
       text)
      for number, name, given, argument, text in [
          (1, "5 of 3", ([5], 3), "x", "got 5 at index 0"),
          (2, "-1", ([-1],), "x", "got -1 at index 0"),
          (3, "1.5", ([1.5],), "x", "got 1.5 at index 0"),
          (5, "NaN", ([float("nan")],), "x", "got nan"),
          (5, "infinity", ([float("inf")],), "x", "got inf"),
          (8, "a number", (3,), "x", "an array of numbers"),
          (12, "strings", (["a"],), "x", "strings"),
          (12, "None", (None,), "x", "None"),
          (13, "ragged", ([[1], [1, 2]],), "x", "length 2 at row 1"),
          (18, "no classes", ([0], 0), "num_classes", "an integer >= 1"),
          (18, "2.0 classes", ([0], 2.0), "num_classes", "an integer >= 1"),
          (18, "10**30 classes", ([0], 10**30), "num_classes", r"below 2\*\*63"),
          (21, "1e300", ([1e300],), "x", r"got 1e\+300"),
      ]),
    *((12, f"path {given!r}", name, lambda m, f=getattr(fg.datasets, name), a=given: f(a), "path",
       "path")
      for name in ("read_idx", "load_fashion_mnist")
      for given in (3, "", "a\0b", b"bytes")),
    *((number, name, "set_weights", lambda m, f=spoil: m.set_weights(f(m.get_weights())),
       argument, text)
      for number, name, spoil, argument, text in [
          (6, "fewer", lambda w: w[:1], "weights", "4 arrays for 'classifier', got 1"),
          (8, "transposed", lambda w: [a.T for a in w], "weights[0]", r"of shape \(4, 5\)"),
          (8, "numbers", lambda w: [1.0] * 4, "weights[0]", r"of shape \(4, 5\)"),
          (12, "None", lambda w: None, "weights", "a list of 4 arrays"),
          (12, "dict", lambda w: {}, "weights", "a list of 4 arrays"),
          (12, "generator", iter, "weights", "a list of 4 arrays"),
          (12, "strings", lambda w: ["a"] * 4, "weights[0]", "numbers"),
          (12, "objects", lambda w: [a.astype(object) for a in w], "weights[0]", "object"),
          (12, "complex", lambda w: [a * 1j for a in w], "weights[0]", "complex"),
          (13, "ragged", lambda w: [[[1], [1, 2]], *w[1:]], "weights[0]", "ragged"),
          (14, "masked", lambda w: [*w[:3], np.ma.masked_all(3)], "weights[3]", "masked"),
          (15, "sparse", lambda w: [scipy.sparse.csr_matrix(w[0]), *w[1:]], "weights[0]", "obj"),
          (21, "1e300", lambda w: [*w[:3], np.full(3, 1e300)], "weights[3]", "range of float32"),
      ]),
    (22, "unbuilt", "set_weights", lambda m: unfit("mse").set_weights(m.get_weights()), "weights",
     "not built yet"),
    # sizes
    *((20, name, entry, call, None, text, MemoryError)
      for name, entry, call, text in [
          ("units", "predict", lambda m: unfit("mse", [layers.Dense(_HUGE)]).predict(good_x()),
           "Unable to allocate 14.2 PiB"),
          ("units", "fit",
           lambda m: unfit("mse", [layers.Dense(_HUGE), layers.Dense(1)]).fit(good_x(), good_y()),
           "Unable to allocate 14.2 PiB"),
          ("units", "evaluate",
           lambda m: unfit("mse", [layers.Dense(_HUGE), layers.Dense(1)]).evaluate(
               good_x(), good_y()), "Unable to allocate 14.2 PiB"),
          ("units", "train_on_batch",
           lambda m: unfit("mse", [layers.Dense(_HUGE), layers.Dense(1)]).train_on_batch(
               good_x(), good_y()), "Unable to allocate 14.2 PiB"),
          ("units", "model(x)", lambda m: unfit("mse", [layers.Dense(_HUGE)])(good_x()),
           "Unable to allocate 14.2 PiB"),
          ("units", "layer(x)", lambda m: layers.Dense(_HUGE)(good_x()), "Unable to allocate"),
          ("units", "add", lambda m: m.add(layers.Dense(_HUGE)), "Unable to allocate"),
          ("product", "Sequential", lambda m: unfit(None, [fg.Input(_HUGE), layers.Dense(_HUGE)]),
           r"3\.47e\+12 EiB for an array with shape \(10{15}, 10{15}\) and data type float32"),
          ("product", "build", lambda m: unfit("mse").build((None, 2**62)), "16 EiB"),
          ("flattened", "Sequential",
           lambda m: unfit(None, [fg.Input((2**32, 2**32)), layers.Flatten(), layers.Dense(1)]),
           "64 EiB"),
          ("zeros", "ops", lambda m: ops.zeros((_HUGE, _HUGE)), "EiB for an array with shape"),
          ("a label", "to_categorical", lambda m: fg.utils.to_categorical([2**62]), "16 EiB"),
          ("classes", "to_categorical", lambda m: fg.utils.to_categorical([1], _HUGE), "PiB"),
      ]),
    (20, "a size", "Input", lambda m: fg.Input((2**63,)), "shape", r"below 2\*\*63"),
    (20, "units", "Dense", lambda m: layers.Dense(10**30), "units", r"below 2\*\*63"),
    # learning rates
    *((19, repr(rate)[:20], f"optimizers.{cls.__name__}", lambda m, c=cls, r=rate: c(r),
       "learning_rate", "a finite number >= 0|a number")
      for cls in _OPTIMIZERS for rate in _RATES),
    *((19, repr(rate)[:20], "optimizer.learning_rate",
       lambda m, r=rate: setattr(m.optimizer, "learning_rate", r), "learning_rate",
       "a finite number >= 0")
      for rate in _RATES),
    (19, "lr", "optimizer.learning_rate", lambda m: setattr(m.optimizer, "lr", 0.1), None,
     "write learning_rate", AttributeError),
    # what comes first
    *((22, "not compiled", entry, lambda m, f=give: f(unfit(compiled=False), good_x(), good_y()),
       None, rf"{entry}\(\): the model is not compiled; call compile", ValueError)
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((22, "no loss", entry, lambda m, f=give: f(unfit(), good_x(), good_y()), None,
       rf"{entry}\(\): there is no loss; write for example compile\(loss='mse'\)", ValueError)
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((22, "no layers", entry, lambda m, f=give: f(unfit("mse", []), good_x(), good_y()), None,
       "has no layers; add some first", ValueError)
      for entry, give in ENTRIES.items() if entry not in {"validation_data", "layer(x)"}),
    (22, "no layers", "build", lambda m: unfit("mse", []).build((None, 4)), None, "has no layers",
     ValueError),
    (22, "no layers", "pop", lambda m: unfit("mse", []).pop(), None, "has no layers", ValueError),
    (22, "not built", "count_params", lambda m: unfit("mse").count_params(), None, "call build",
     ValueError),
    (22, "not built", "print_graph", lambda m: unfit("mse").print_graph(), None, "call build",
     ValueError),
    (22, "not built", "output_shape", lambda m: unfit("mse").output_shape, None,
     "is not built, so it has no input_shape yet", AttributeError),
    # unknown names
    *((23, name, entry, call, argument, f"did you mean '{near}'")
      for name, entry, call, argument, near in [
          ("rellu", "Dense", lambda m: layers.Dense(1, "rellu"), "activation", "relu"),
          ("rellu", "Activation", lambda m: layers.Activation("rellu"), "activation", "relu"),
          ("rellu", "activations.get", lambda m: activations.get("rellu"), "identifier", "relu"),
          ("initializer", "Dense", lambda m: layers.Dense(1, kernel_initializer="glorot_unifrom"),
           "kernel_initializer", "glorot_uniform"),
          ("bias initializer", "Dense", lambda m: layers.Dense(1, bias_initializer="zeross"),
           "bias_initializer", "zeros"),
          ("initializer", "initializers.get", lambda m: initializers.get("zeross"), "identifier",
           "zeros"),
          ("regularizer", "Dense", lambda m: layers.Dense(1, kernel_regularizer="l1l"),
           "kernel_regularizer", "l1"),
          ("regularizer", "regularizers.get", lambda m: penalties.get("l3"), "identifier", "l2"),
          ("adamm", "compile", lambda m: m.compile("adamm", "mse"), "optimizer", "Adam"),
          ("adamm", "optimizers.get", lambda m: optimizers.get("adamm"), "identifier", "Adam"),
          ("mean_square_error", "compile", lambda m: m.compile("sgd", "mean_square_error"),
           "loss", "mean_squared_error"),
          ("bce", "losses.get", lambda m: losses.get("binary_crossentrpy"), "identifier",
           "binary_crossentropy"),
          ("acuracy", "compile", lambda m: m.compile("sgd", "mse", metrics=["acuracy"]),
           "metrics", "accuracy"),
          ("weighted acuracy", "compile",
           lambda m: m.compile("sgd", "mse", weighted_metrics=["acuracy"]), "weighted_metrics",
           "accuracy"),
          ("acuracy", "metrics.get", lambda m: metrics.get("acuracy"), "identifier", "accuracy"),
          ("Dence", "layers.deserialize",
           lambda m: layers.deserialize({"class_name": "Dence", "config": {}}), "config", "Dense"),
      ]),
    (23, "a loss as optimizer", "compile", lambda m: m.compile("mse", "adam"), "optimizer",
     r"the loss 'mse' \(write loss='mse'\)"),
    (23, "nothing like it", "compile", lambda m: m.compile("sgd", "xyzzy"), "loss", "among"),
    (23, "stage", "print_graph", lambda m: m.print_graph("end"), "stage", "one of trace"),
    (23, "layer", "get_layer", lambda m: m.get_layer("dens"), "name", "one of"),
    # losses and last layers
    (24, "one class", "compile",
     lambda m: unfit(losses.SparseCategoricalCrossentropy(from_logits=True)), "loss",
     "BinaryCrossentropy"),
    (24, "one class of distributions", "compile",
     lambda m: unfit(losses.CategoricalCrossentropy(from_logits=True)), "loss",
     "BinaryCrossentropy"),
    (24, "a softmax over one unit", "compile",
     lambda m: unfit("mse", [layers.Dense(1, "softmax")]), "model", "sigmoid"),
    (24, "accuracy of values", "compile", lambda m: m.compile("sgd", "mse", metrics=["accuracy"]),
     "metrics", "of a regression"),
    (24, "no reduction", "compile",
     lambda m: m.compile("sgd", losses.MeanSquaredError(reduction="none")), "loss", "reduction"),
    # other arguments: compile
    *((25, name, "compile", lambda m, a=given, k=more: m.compile(*a, **k), argument, text)
      for name, given, more, argument, text in [
          ("a loss object first", (losses.MeanSquaredError(),), {}, "optimizer", "write loss="),
          ("None for an optimizer", (None, "mse"), {}, "optimizer", "a name or an Optimizer"),
          ("a number for an optimizer", (0.01, "mse"), {}, "optimizer", "a name or an Optimizer"),
          ("a number for a loss", ("sgd", 3), {}, "loss", "a name, a Loss or a function"),
          ("a list of losses", ("sgd", ["mse"]), {}, "loss", "a model has one output"),
          ("a dict of losses", ("sgd", {"out": "mse"}), {}, "loss", "a model has one output"),
          ("a metric for a loss", ("sgd", metrics.MeanSquaredError()), {}, "loss", "the metric"),
          ("a layer for a loss", ("sgd", layers.Dense(1)), {}, "loss", "a name, a Loss"),
          ("a number for a metric", ("sgd", "mse"), {"metrics": [5]}, "metrics", "a name"),
          ("None for a metric", ("sgd", "mse"), {"metrics": [None]}, "metrics", "a name"),
          ("a dict of metrics", ("sgd", "mse"), {"metrics": {"o": "mse"}}, "metrics", "a list"),
          ("a set of metrics", ("sgd", "mse"), {"metrics": {"mse"}}, "metrics", "a list"),
          ("lists in a list", ("sgd", "mse"), {"metrics": [["mse"]]}, "metrics", "a name"),
          ("weighted dict", ("sgd", "mse"), {"weighted_metrics": {"o": "mse"}},
           "weighted_metrics", "a list"),
          ("run_eagerly", ("sgd", "mse"), {"run_eagerly": "no"}, "run_eagerly", "True or False"),
      ]),
    # other arguments: layers and models
    *((25, name, entry, call, argument, text)
      for name, entry, call, argument, text in [
          *((f"units {units!r}", "Dense", lambda m, u=units: layers.Dense(u), "units",
             "an integer >= 1") for units in (0, -1, 1.5, "3", None, (3,), True, "relu")),
          *((f"activation {value!r}", "Dense", lambda m, v=value: layers.Dense(1, v),
             "activation", "a name, a function") for value in (25, [], layers.Activation)),
          ("an optimizer as activation", "Dense", lambda m: layers.Dense(1, optimizers.SGD()),
           "activation", "a name, a function"),
          ("use_bias", "Dense", lambda m: layers.Dense(1, use_bias="False"), "use_bias", "True or"),
          ("initializer", "Dense", lambda m: layers.Dense(1, kernel_initializer=1),
           "kernel_initializer", "a name"),
          ("initializer of strings", "Dense",
           lambda m: layers.Dense(1, kernel_initializer=np.array(["a"])), "kernel_initializer",
           "a name"),
          ("regularizer as initializer", "Dense",
           lambda m: layers.Dense(1, kernel_initializer=penalties.L2()), "kernel_initializer",
           "a name"),
          ("regularizer", "Dense", lambda m: layers.Dense(1, kernel_regularizer=0.01),
           "kernel_regularizer", "a name"),
          ("initializer as regularizer", "Dense",
           lambda m: layers.Dense(1, kernel_regularizer=initializers.Zeros()),
           "kernel_regularizer", "a name"),
          ("dtype", "Dense", lambda m: layers.Dense(1, dtype="float16"), "dtype", "'float32'"),
          ("name", "Dense", lambda m: layers.Dense(1, name=3), "name", "a non-empty string"),
          ("name with a slash", "Dense", lambda m: layers.Dense(1, name="a/b"), "name", "'/'"),
          ("trainable", "Dense", lambda m: layers.Dense(1, trainable="no"), "trainable", "True or"),
          ("trainable, later", "layer.trainable", lambda m: setattr(m, "trainable", "no"),
           "trainable", "True or"),
          ("input_shape", "Dense", lambda m: layers.Dense(1, input_shape="ab"), "input_shape",
           "a tuple"),
          ("two shapes", "Dense", lambda m: layers.Dense(1, input_dim=4, input_shape=(5,)),
           "input_dim", "either"),
          *((f"rate {rate!r}", "Dropout", lambda m, r=rate: layers.Dropout(r), "rate",
             r"\[0, 1\]") for rate in (2, 50, -0.1, float("nan"), None, "half", True)),
          ("seed", "Dropout", lambda m: layers.Dropout(0.5, seed=-1), "seed", "an integer"),
          ("scale", "Rescaling", lambda m: layers.Rescaling("1/255"), "scale", "a finite number"),
          ("scale NaN", "Rescaling", lambda m: layers.Rescaling(float("nan")), "scale", "finite"),
          *((f"shape {shape!r}", "Input", lambda m, s=shape: fg.Input(s), "shape", "integer|size|"
             "without the batch") for shape in ((), (0,), (-1,), (None,), (None, 4), 4.0, "ab",
                                                None)),
          ("dtype", "Input", lambda m: fg.Input(4, dtype="int32"), "dtype", "'float32'"),
          ("a layer alone", "Sequential", lambda m: fg.Sequential(layers.Dense(1)), "layers",
           r"Sequential\(\[...\]\)"),
          ("layers alone", "Sequential", lambda m: fg.Sequential(layers.Dense(1), layers.Dense(2)),
           "layers", "a list of layers"),
          ("a number", "Sequential", lambda m: fg.Sequential(3), "layers", "a list of layers"),
          *((f"{name}", "Sequential", lambda m, v=value: fg.Sequential([v]), "layer", text)
            for name, value, text in [
                ("a class", layers.Dense, r"write Dense\(...\)"),
                ("None", None, "a layer such as"),
                ("a word", "dense", "a layer such as"),
                ("a function", len, "a layer such as"),
                ("an optimizer", optimizers.SGD(), "a layer such as"),
                ("a list", [layers.Dense(1)], "a layer such as"),
            ]),
          ("itself", "add", _never, "layer", "itself"),
          ("a layer inside it", "add", lambda m: m.layers[0] and m.add(fg.Sequential([m])),
           "layer", "itself"),
          ("two layers", "add", lambda m: m.add(layers.Dense(1), layers.Dense(1)), "rebuild",
           "True or False"),
          ("the same twice", "add", lambda m: m.add(m.layers[0]), "layer", "name of its own"),
          ("a late Input", "add", lambda m: m.add(fg.Input(4)), "layer", "first entry"),
          ("a place", "pop", lambda m: m.pop(0), "rebuild", "True or False"),
          *((f"shape {shape!r}"[:40], "build",
             lambda m, s=shape: unfit("mse").build(s), "input_shape", "tuple|integer|axes")
            for shape in (4, (4,), (), None, (None, -1), (None, 0), (None, 4.0), (None, None),
                          "ab", ("a", 4), np.ones((2, 2)))),
          *((f"shape {shape!r}", "layer.build", lambda m, s=shape: layers.Dense(1).build(s),
             "input_shape", "axes") for shape in (4, None, "a", (None, 4.0), (None, -4))),
          ("another shape", "build", lambda m: m.build((None, 3)), "input_shape", "built for"),
          ("targets too", "model(x)", lambda m: m(good_x(), good_y()), "x", "one array"),
          ("training", "model(x)", lambda m: m(good_x(), training="yes"), "training", "True or"),
          ("training", "layer(x)", lambda m: layers.Dropout(0.5)(good_x(), training="yes"),
           "training", "True or"),
          ("both", "get_layer", lambda m: m.get_layer("a", 1), "name", "either"),
          ("neither", "get_layer", lambda m: m.get_layer(), "name", "either"),
          ("a number", "get_layer", lambda m: m.get_layer(1), "name", "write index=1"),
          ("beyond", "get_layer", lambda m: m.get_layer(index=7), "index", "of 2 layers"),
          ("line_length", "summary", lambda m: m.summary(line_length="a"), "line_length", "integer"),
          ("batch_size", "print_graph", lambda m: m.print_graph(batch_size=0), "batch_size", ">= 1"),
          ("targets too", "predict", lambda m: m.predict(good_x(), good_y()), "batch_size",
           "takes no targets"),
      ]),
    # the order of arguments
    *((25, "targets first", entry, lambda m, f=give: f(m, good_y(), good_x()), argument,
       "in the wrong order?")
      for entry, give in TRAINING.items()
      for argument in [NAMES["x"] if entry == "validation_data" else "x"]),
    *((25, "targets first, unbuilt", entry,
       lambda m, f=give: f(model_of("regression", built=False), good_y(), good_x()), "y",
       "in the wrong order?")
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((14, "rows in another order", entry,
       lambda m, f=give: f(m, frame().iloc[::-1], pd.Series(good_y())), "y",
       r"another order \(write y\.loc\[x\.index\]")
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((25, "return_dict", entry, lambda m, f=give: f(m, good_x(), good_y(), return_dict="yes"),
       "return_dict", "True or False")
      for entry, give in TRAINING.items() if entry not in {"fit", "validation_data"}),
    # losses, metrics, optimizers, initializers, regularizers
    *((25, name, f"losses.{cls}", lambda m, c=cls, k=given: getattr(losses, c)(**k), argument, text)
      for cls, name, given, argument, text in [
          ("BinaryCrossentropy", "from_logits", {"from_logits": "yes"}, "from_logits", "True or"),
          ("BinaryCrossentropy", "label_smoothing", {"label_smoothing": "a"}, "label_smoothing",
           r"a number in \[0, 1\]"),
          ("BinaryCrossentropy", "label_smoothing 5", {"label_smoothing": 5}, "label_smoothing",
           r"a number in \[0, 1\]"),
          ("BinaryCrossentropy", "axis", {"axis": 0}, "axis", "-1, the last axis"),
          ("BinaryCrossentropy", "axes", {"axis": np.ones(2)}, "axis", "-1, the last axis"),
          ("MeanSquaredError", "reduction", {"reduction": "avg"}, "reduction", "'sum'"),
          ("MeanSquaredError", "reduction list", {"reduction": []}, "reduction", "'sum'"),
          ("MeanSquaredError", "reduction array", {"reduction": np.ones(2)}, "reduction", "'sum'"),
          ("MeanSquaredError", "name", {"name": 3}, "name", "a non-empty string"),
          ("MeanSquaredError", "dtype", {"dtype": "float8"}, "dtype", "'float32'"),
          ("Huber", "delta 0", {"delta": 0}, "delta", "> 0"),
          ("Huber", "delta", {"delta": "a"}, "delta", "a finite number"),
      ]),
    *((25, name, f"losses.{function}",
       lambda m, f=function, k=given: getattr(losses, f)(_T, _P, **k), argument, text)
      for function, name, given, argument, text in [
          ("binary_crossentropy", "from_logits", {"from_logits": "no"}, "from_logits", "True or"),
          ("binary_crossentropy", "smoothing", {"label_smoothing": "a"}, "label_smoothing", "numb"),
          ("categorical_crossentropy", "NaN", {"label_smoothing": np.nan}, "label_smoothing", "nu"),
          ("huber", "delta", {"delta": -1}, "delta", "a finite number"),
      ]),
    *((25, name, "metrics", call, argument, text)
      for name, call, argument, text in [
          ("threshold", lambda m: metrics.BinaryAccuracy(threshold="a"), "threshold", "finite"),
          ("name", lambda m: metrics.BinaryAccuracy(name=3), "name", "a non-empty string"),
          ("dtype", lambda m: metrics.BinaryAccuracy(dtype="float8"), "dtype", "'float32'"),
          ("no function", lambda m: metrics.MeanMetricWrapper(None), "fn", "a function"),
          ("None", lambda m: metrics.get(None), "identifier", "a name"),
          ("an optimizer", lambda m: metrics.get(optimizers.SGD()), "identifier", "a name"),
      ]),
    *((25, name, "optimizers", call, argument, text)
      for name, call, argument, text in [
          ("momentum", lambda m: optimizers.SGD(momentum=1.5), "momentum", r"\[0, 1\]"),
          ("nesterov", lambda m: optimizers.SGD(nesterov="yes"), "nesterov", "True or False"),
          ("beta_1", lambda m: optimizers.Adam(beta_1=1.0), "beta_1", r"\[0, 1\)"),
          ("epsilon", lambda m: optimizers.Adam(epsilon=None), "epsilon", "a finite number"),
          ("amsgrad", lambda m: optimizers.Adam(amsgrad=1), "amsgrad", "True or False"),
          ("name", lambda m: optimizers.Adam(name=3), "name", "a non-empty string"),
          ("no gradients", lambda m: optimizers.SGD().apply([], m.weights), "grads", "4 gradients"),
          ("None", lambda m: optimizers.SGD().apply(None, m.weights), "grads", "a list"),
          ("None among gradients", lambda m: m.optimizer.apply([None] * 4, m.weights), "grads[0]",
           "None"),
          ("shapes", lambda m: m.optimizer.apply([1.0] * 4, m.weights), "grads[0]", "the shape"),
          ("arrays", lambda m: m.optimizer.apply(m.get_weights(), m.get_weights()),
           "trainable_variables[0]", "a Variable"),
          ("no pairs", lambda m: m.optimizer.apply_gradients(m.weights), "grads_and_vars", "pairs"),
          ("config", lambda m: optimizers.get({"lr": 0.1}), "identifier", "class_name"),
      ]),
    (25, "seed", "initializers", lambda m: initializers.GlorotUniform(seed="a"), "seed", "integer"),
    (25, "negative", "regularizers", lambda m: penalties.L2(-1), "l2", "a finite number >= 0"),
    (25, "NaN", "regularizers", lambda m: penalties.L1L2(l1=float("nan")), "l1", "a finite number"),
    (25, "a table", "regularizers", _fit_with(kernel_regularizer=lambda w: w), "return value",
     r"one number, got values of shape \(4, 1\)"),
    (25, "None", "regularizers", _fit_with(bias_regularizer=lambda w: None), "return value",
     "one number, got None"),
    (25, "a table of outputs", "regularizers", _fit_with(activity_regularizer=lambda y: y),
     "return value", "one number"),
    *((25, f"seed {seed!r}", "set_random_seed", lambda m, s=seed: fg.utils.set_random_seed(s),
       "seed", r"an integer in \[0, 2\*\*32\)") for seed in (-1, 1.0, None, 2**32, "a", True)),
]  # fmt: skip


# ---- spread over the entry points


def _spread(rows: list[Row], entries: dict[str, Give], part: str, built: bool) -> Iterator[Run]:
    """Give bad data as `part` ("x", "y", "sample_weight" or "class_weight")."""
    for (number, name, make, text, *kind), entry in itertools.product(rows, entries):
        own = kind[0] if kind else "classifier"

        def call(model: Any, make: Any = make, entry: str = entry, own: str = own) -> Any:
            given: dict[str, Any] = {"x": good_x(), "y": KINDS[own].y(), part: make()}
            return ENTRIES[entry](model, **given)

        argument = NAMES[part] if entry == "validation_data" else part
        where = "fit" if entry == "validation_data" else entry
        start = "" if entry in CALLING else rf"{where}\(\): argument '"
        yield Run(
            number,
            f"{part} {name}",
            entry,
            call,
            argument,
            text,
            kind=own,
            built=built,
            start=start,
        )


def _spread_arguments(rows: list[Row], entries: list[str]) -> Iterator[Run]:
    for (number, name, more, argument), entry in itertools.product(rows, entries):

        def call(model: Any, more: Any = more, entry: str = entry) -> Any:
            return ENTRIES[entry](model, good_x(), good_y(), **more)

        yield Run(number, name, entry, call, argument, "expected", start=rf"{entry}\(\): ")


def _some(*names: str) -> dict[str, Give]:
    return {name: ENTRIES[name] for name in names}


def _in_calls(number: int, name: str) -> bool:
    """Whether bad inputs are so for calls too, which pass NaN on and take any number of rows."""
    return number in {12, 13, 14, 15} and (number, name) not in {(14, "NaN"), (14, "None")}

RUNS: list[Run] = [
    *_spread(X, TRAINING | PREDICTING, "x", built=False),
    *_spread(BUILT_X, TRAINING | PREDICTING, "x", built=True),
    *_spread([row for row in X if _in_calls(*row[:2])], CALLING, "x", built=False),
    *_spread(LABELS, TRAINING, "y", built=False),
    *_spread(TARGETS, TRAINING, "y", built=False),
    *_spread(SAMPLE_WEIGHTS, TRAINING, "sample_weight", built=False),
    *_spread(CLASS_WEIGHTS, _some("fit", "train_on_batch"), "class_weight", built=False),
    *_spread_arguments(COUNTS, ["fit", "evaluate", "predict"]),
    *_spread_arguments(FIT_COUNTS, ["fit"]),
    *(Run(*row[:6], *row[6:], built=True) for row in CALLS),
]
