"""The table that `summary` prints, in Keras's look and plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from fusegrad._checks import positive_int
from fusegrad.layers import Layer

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_WIDTH = 88
_NARROWEST = 40
_SHARES = (0.45, 0.80, 1.0)
_RIGHT = 2  # the column of counts is aligned to the right


def summary_lines(model: Model, line_length: int | None, show_trainable: bool) -> list[str]:
    """Return the lines of the table."""
    if line_length is None:
        import shutil  # here for start-up time: it brings three compressors

        width = min(_WIDTH, shutil.get_terminal_size((_WIDTH + 4, 24)).columns - 4)
    else:
        width = positive_int("summary", "line_length", line_length)
    width = max(_NARROWEST, width)
    header = ["Layer (type)", "Output Shape", "Param #"]
    shares: tuple[float, ...] = _SHARES
    if show_trainable:
        header.append("Trainable")
        shares = (0.40, 0.70, 0.85, 1.0)
    ends = [round(share * (width - 1)) for share in shares]
    cells = [end - start - 1 for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    rows = []
    for layer in model.layers:
        row = [f"{layer.name} ({type(layer).__name__})", _shape_of(layer), _count_of(layer)]
        if show_trainable:
            row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
        rows.append(row)
    lines = [f'Model: "{model.name}"', _rule("┏━┳┓", cells), _row("┃", cells, header)]
    lines.append(_rule("┡━╇┩", cells))
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule("├─┼┤", cells))
        lines.append(_row("│", cells, row))
    lines.append(_rule("└─┴┘", cells))
    trainable = model.trainable_weights
    fixed = model.non_trainable_weights
    state = _optimizer_state(model)
    lines.append(f" Total params: {_size([*trainable, *fixed, *state])}")
    lines.append(f" Trainable params: {_size(trainable)}")
    lines.append(f" Non-trainable params: {_size(fixed)}")
    if state:
        lines.append(f" Optimizer params: {_size(state)}")
    if model.compiled is not None:
        note = model.compiled.head(model).note
        if note:
            lines.append(f" {note}")
    return lines


def _optimizer_state(model: Model) -> list[Any]:
    compiled = model.compiled
    built = compiled is not None and compiled.optimizer.built
    return compiled.optimizer.variables if compiled is not None and built else []


def _shape_of(layer: Layer) -> str:
    try:
        return str(layer.output_shape)
    except AttributeError:
        return "?"


def _count_of(layer: Layer) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _size(variables: list[Any]) -> str:
    count = sum(math.prod(variable.shape) for variable in variables)
    size = float(sum(math.prod(v.shape) * v.dtype.itemsize for v in variables))
    unit = "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count:,} ({size:.2f} {unit})"


def _rule(corners: str, cells: list[int]) -> str:
    left, line, middle, right = tuple(corners)
    return left + middle.join(line * cell for cell in cells) + right


def _row(bar: str, cells: list[int], texts: list[str]) -> str:
    parts = []
    for i, (cell, text) in enumerate(zip(cells, texts, strict=True)):
        room = cell - 2
        cut = text if len(text) <= room else text[: room - 1] + "…"
        parts.append(f" {cut:>{room}} " if i == _RIGHT else f" {cut:<{room}} ")
    return bar + bar.join(parts) + bar
