"""The table of `summary`: Keras's look, its arguments, and what does not fit a column."""

from __future__ import annotations

import io
import re
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers
from fusegrad.errors import ArgumentError


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "92")


def classifier(name: str = "m") -> fg.Sequential:
    return fg.Sequential(
        [
            fg.Input((64,)),
            layers.Dense(25, activation="relu", name="first"),
            layers.Dropout(0.1, name="drop"),
            layers.Dense(1000, name="second"),
        ],
        name=name,
    )


def nested() -> fg.Sequential:
    innermost = fg.Sequential([fg.Input((4,)), layers.Dense(4, name="deep")], name="innermost")
    inner = fg.Sequential([fg.Input((8,)), layers.Dense(4, name="x"), innermost], name="inner")
    return fg.Sequential([fg.Input((8,)), inner, layers.Dense(3, name="out")], name="m")


def text_of(model: Any, **arguments: Any) -> str:
    texts: list[str] = []
    assert model.summary(print_fn=texts.append, **arguments) is None
    assert len(texts) == 1
    return texts[0]


def cells_of(text: str) -> list[list[str]]:
    """Return the texts of the cells of each line inside the table, without the header."""
    lines = [line for line in text.splitlines() if line.startswith("│")]
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_look() -> None:
    # The widths are those that Keras 3 prints at 92 columns.
    expected = """\
Model: "m"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━┓
┃ Layer (type)                         ┃ Output Shape                ┃         Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━┩
│ first (Dense)                        │ (None, 25)                  │           1,625 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ drop (Dropout)                       │ (None, 25)                  │               0 │
├──────────────────────────────────────┼─────────────────────────────┼─────────────────┤
│ second (Dense)                       │ (None, 1000)                │          26,000 │
└──────────────────────────────────────┴─────────────────────────────┴─────────────────┘
 Total params: 27,625 (107.91 KB)
 Trainable params: 27,625 (107.91 KB)
 Non-trainable params: 0 (0.00 B)"""
    assert text_of(classifier()) == expected


def test_unbuilt() -> None:
    model = fg.Sequential([layers.Dense(25, name="a"), layers.Dense(10, name="b")])
    text = text_of(model)
    unbuilt = ["?", "0 (unbuilt)"]
    assert cells_of(text) == [["a (Dense)", *unbuilt], ["b (Dense)", *unbuilt]]
    assert " Total params: 0 (0.00 B)" in text.splitlines()
    assert fg.Sequential().summary() is None


def test_nested() -> None:
    assert cells_of(text_of(nested())) == [
        ["inner (Sequential)", "(None, 4)", "56"],
        ["out (Dense)", "(None, 3)", "15"],
    ]
    text = text_of(nested(), expand_nested=True)
    assert cells_of(text) == [
        ["inner (Sequential)", "(None, 4)", "56"],
        ["└ x (Dense)", "(None, 4)", "36"],
        ["└ innermost (Sequential)", "(None, 4)", "20"],
        ["└ deep (Dense)", "(None, 4)", "20"],
        ["out (Dense)", "(None, 3)", "15"],
    ]
    assert "│    └ x (Dense)      " in text
    assert "│       └ deep (Dense)   " in text
    assert " Total params: 71 (284.00 B)" in text.splitlines()


def test_show_trainable() -> None:
    model = nested()
    model.add(layers.Dropout(0.5, name="drop"))
    model.layers[0].trainable = False
    text = text_of(model, show_trainable=True, expand_nested=True)
    assert [row[3] for row in cells_of(text)] == ["N", "N", "N", "N", "Y", "-"]
    assert "┃ Trainable ┃" in text
    assert " Trainable params: 15 (60.00 B)" in text.splitlines()
    assert " Non-trainable params: 56 (224.00 B)" in text.splitlines()


def test_optimizer_params() -> None:
    model = nested()
    model.compile("sgd", "mse")
    assert "Optimizer params" not in text_of(model)
    model.fit(np.ones((4, 8)), np.ones((4, 3)), verbose=0)
    sizes = [(np.prod(v.shape), v.dtype.itemsize) for v in model.optimizer.variables]
    count, size = sum(n for n, _ in sizes), sum(n * item for n, item in sizes)
    assert f" Optimizer params: {count:.0f} ({size:.2f} B)" in text_of(model).splitlines()


def test_layer_range() -> None:
    model = classifier()
    rows = {
        ("drop", "drop"): ["drop"],
        ("first", "drop"): ["first", "drop"],
        ("second", "drop"): ["drop", "second"],  # Keras takes them in either order
        ("fir", ".*"): ["first", "drop", "second"],
        ("(drop|second)$", "second"): ["drop", "second"],
    }
    for given, names in rows.items():
        for layer_range in (given, list(given)):
            text = text_of(model, layer_range=layer_range)
            assert [row[0].split()[0] for row in cells_of(text)] == names
            assert " Total params: 27,625 (107.91 KB)" in text


def test_positions() -> None:
    shares = text_of(classifier(), line_length=100, positions=[0.3, 0.6, 1.0])
    absolute = text_of(classifier(), line_length=100, positions=(30, 60, 100))
    assert shares == absolute
    assert text_of(classifier(), line_length=100, positions=(29, 57, 100)).splitlines()[1] == (
        f"┏{'━' * 28}┳{'━' * 26}┳{'━' * 42}┓"
    )
    header = shares.splitlines()[1]
    assert [len(part) for part in header.strip("┏┓").split("┳")] == [29, 28, 39]  # as Keras's
    text = text_of(classifier(), line_length=100, positions=[0.3, 0.6, 1.0], show_trainable=True)
    assert [len(part) for part in text.splitlines()[1].split("┳")] == [26, 25, 34, 12]


@pytest.mark.parametrize("show_trainable", [False, True])
@pytest.mark.parametrize("columns", [20, 44, 50, 64, 84, 92, 104, 200])
def test_every_line_is_as_wide_as_the_table(
    columns: int, show_trainable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    long = "a_long_name_of_a_layer_that_fits_no_column_of_any_table_that_is_88_wide_but_two_lines"
    model = fg.Sequential(
        [fg.Input((1234,)), layers.Dense(1000, name=long), layers.Dense(8), nested()], name="m"
    )
    text = text_of(model, show_trainable=show_trainable, expand_nested=True)
    table = [line for line in text.splitlines() if line[0] in "┏┃┡│├└"]
    width = min(100 if show_trainable else 88, max(40, columns - 4))
    assert {len(line) for line in table} == {width}
    rows = cells_of(text)
    names = "".join("".join(row[0].split()) for row in rows)
    assert names.startswith(f"{long}(Dense)")
    assert rows[0][2] == "1,235,000"  # never broken
    assert "…" not in text


def test_line_length() -> None:
    assert {len(line) for line in text_of(nested(), line_length=60).splitlines()[1:-3]} == {60}
    assert {len(line) for line in text_of(nested(), line_length=10).splitlines()[1:-3]} == {40}


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"line_length": 0}, "line_length"),
        ({"line_length": 80.5}, "line_length"),
        ({"positions": [0.5, 1.0]}, "positions"),
        ({"positions": [0.5, 0.4, 1.0]}, "positions"),
        ({"positions": [0.0, 0.4, 1.0]}, "positions"),
        ({"positions": [10, 20, 900]}, "positions"),
        ({"positions": [0.3, float("nan"), 1.0]}, "positions"),
        ({"positions": 3}, "positions"),
        ({"positions": "abc"}, "positions"),
        ({"print_fn": "print"}, "print_fn"),
        ({"expand_nested": "no"}, "expand_nested"),
        ({"show_trainable": None}, "show_trainable"),
        ({"layer_range": "first"}, "layer_range"),
        ({"layer_range": ["first"]}, "layer_range"),
        ({"layer_range": ["first", 2]}, "layer_range"),
        ({"layer_range": ["first", "third"]}, r"layer_range\[1\]"),
        ({"layer_range": ["(", "second"]}, r"layer_range\[0\]"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], argument: str) -> None:
    with pytest.raises(ArgumentError, match=rf"summary\(\): argument '{argument}'"):
        classifier().summary(**arguments)


def test_keras_order_of_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    texts: list[str] = []
    nested().summary(60, None, texts.append, True, True, ("inner", "inner"))
    expected = text_of(
        nested(), line_length=60, expand_nested=True, show_trainable=True,
        layer_range=("inner", "inner"),
    )  # fmt: skip
    assert texts == [expected]
    assert capsys.readouterr().out == ""
    nested().summary()
    assert capsys.readouterr().out == text_of(nested()) + "\n"


def test_what_is_fused(capsys: pytest.CaptureFixture[str]) -> None:
    model = fg.Sequential([fg.Input((4,)), layers.Dense(3, activation="softmax", name="last")])
    model.compile(loss="sparse_categorical_crossentropy")
    model.summary()
    assert re.search(r"\n .*softmax.*last|\n .*last.*softmax", capsys.readouterr().out)


def test_a_stream_without_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, encoding="ascii"))
    classifier().summary(line_length=40)
    lines = raw.getvalue().decode("ascii").splitlines()
    assert set(lines[1]) == set("+=")
    assert lines[2].replace(" ", "").startswith("|Layer(type)|Output|")
    assert set(lines[-4]) == set("+-")
