"""Bad input: its classes, and every case of them at every entry point where it can be given.

`RUNS` is what `models/test_bad_input.py` runs: the data of `bad_data`, listed once by what they
stand for (inputs, targets, weights) and spread over the entry points that take them, and the calls
of `bad_calls` and `bad_functions`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bad_calls import CALLS
from bad_data import (
    ADAPTING,
    BUILT_X,
    CALLING,
    CLASS_WEIGHTS,
    COUNTS,
    ENTRIES,
    FIT_COUNTS,
    KINDS,
    LABELS,
    NAMES,
    PREDICTING,
    SAMPLE_WEIGHTS,
    TARGETS,
    TRAINING,
    Give,
    Row,
    X,
    good_x,
    good_y,
)
from bad_functions import FUNCTIONS
from fusegrad.errors import ArgumentError

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


def _spread(rows: list[Row], entries: dict[str, Give], part: str, built: bool) -> Iterator[Run]:
    """Give bad data as `part` ("x", "y", "sample_weight" or "class_weight")."""
    for (number, name, make, text, *kind), entry in itertools.product(rows, entries):
        own = kind[0] if kind else "classifier"

        def call(model: Any, make: Any = make, entry: str = entry, own: str = own) -> Any:
            given: dict[str, Any] = {"x": good_x(), "y": KINDS[own].y(), part: make()}
            return ENTRIES[entry](model, **given)

        argument = {"validation_data": NAMES.get(part, part), "adapt": "data"}.get(entry, part)
        where = {"validation_data": "fit", "adapt": r"Normalization\.adapt"}.get(entry, entry)
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
    *_spread(X, ADAPTING, "x", built=False),
    *_spread(LABELS, TRAINING, "y", built=False),
    *_spread(TARGETS, TRAINING, "y", built=False),
    *_spread(SAMPLE_WEIGHTS, TRAINING, "sample_weight", built=False),
    *_spread(CLASS_WEIGHTS, _some("fit", "train_on_batch"), "class_weight", built=False),
    *_spread_arguments(COUNTS, ["fit", "evaluate", "predict"]),
    *_spread_arguments(FIT_COUNTS, ["fit"]),
    *(Run(*row[:6], *row[6:], built=True) for row in CALLS + FUNCTIONS),
]
