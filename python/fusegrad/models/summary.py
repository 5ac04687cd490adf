"""The table that `summary` prints, in Keras's look and plain text."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from fusegrad import _console
from fusegrad._checks import flag, positive_int
from fusegrad.errors import ArgumentError
from fusegrad.layers import Layer

if TYPE_CHECKING:
    from fusegrad.models.model import Model

_WIDTH = 88
_TRAINABLE_WIDTH = 12  # further columns for "Trainable"
_NARROWEST = 40
_POSITIONS = (0.45, 0.80, 1.0)
_HEADER = ("Layer (type)", "Output Shape", "Param #")
_ALIGN = "<<>^"
_LEAST = 8  # of a column with its blanks
#: A table for streams without the characters of boxes.
_PLAIN = str.maketrans("┏━┳┓┃┡╇┩│├─┼┤└┴┘", "+=++|+++|+-+++++")


def print_summary(
    model: Model,
    line_length: int | None,
    positions: Sequence[float] | None,
    print_fn: Callable[[str], object] | None,
    expand_nested: bool,
    show_trainable: bool,
    layer_range: Sequence[str] | None,
) -> None:
    """Print the table, or call `print_fn` with it; see `Model.summary`."""
    where = "summary"
    expand_nested = flag(where, "expand_nested", expand_nested)
    show_trainable = flag(where, "show_trainable", show_trainable)
    width = _checked_width(line_length, show_trainable)
    header = [*_HEADER, "Trainable"] if show_trainable else [*_HEADER]
    shares = _checked_positions(positions, width, len(header))
    if print_fn is not None and not callable(print_fn):
        raise ArgumentError(where, "print_fn", "a function of a text", repr(print_fn))
    rows = [
        row
        for layer in _checked_range(model.layers, layer_range)
        for row in _rows_of(layer, expand_nested, show_trainable)
    ]
    if len(shares) < len(header):
        shares = [*[0.9 * share for share in shares], 1.0]
    cells = _cells(shares, width, header, rows)
    text = "\n".join([f'Model: "{model.name}"', *_table(cells, header, rows), *_footer(model)])
    if print_fn is not None:
        print_fn(text)
        return
    _console.write_line(text if _console.can_show("┏━┡│") else text.translate(_PLAIN))


# ---- arguments


def _checked_width(line_length: int | None, show_trainable: bool) -> int:
    if line_length is not None:
        return max(_NARROWEST, positive_int("summary", "line_length", line_length))
    import shutil  # here for start-up time: it brings three compressors

    full = _WIDTH + (_TRAINABLE_WIDTH if show_trainable else 0)
    return max(_NARROWEST, min(full, shutil.get_terminal_size((full + 4, 24)).columns - 4))


def _checked_positions(positions: Any, width: int, columns: int) -> list[float]:
    """Return where the columns end, as shares of the line; that of a fourth may be left open."""
    if positions is None:
        return [*_POSITIONS]
    counts = " or ".join(map(str, sorted({len(_HEADER), columns})))
    expected = f"{counts} rising numbers: shares of the line, or columns of {width}"
    wrong = ArgumentError("summary", "positions", expected, repr(positions))
    try:
        ends = [float(position) for position in positions]
    except (TypeError, ValueError):
        raise wrong from None
    rising = all(a < b for a, b in zip([0.0, *ends], ends, strict=False))
    if len(ends) not in {len(_HEADER), columns} or not rising or not ends[-1] <= width:
        raise wrong
    return ends if ends[-1] <= 1.0 else [end / width for end in ends]


def _checked_range(layers: list[Layer], layer_range: Any) -> list[Layer]:
    """Return the layers from the first that matches one pattern to the last that does another."""
    if layer_range is None:
        return layers
    expected = "two names or regular expressions: of the first and of the last layer"
    pair = isinstance(layer_range, tuple | list) and len(layer_range) == 2
    if not pair or not all(isinstance(name, str) for name in layer_range):
        raise ArgumentError("summary", "layer_range", expected, repr(layer_range))
    places = []
    for i, name in enumerate(layer_range):
        argument = f"layer_range[{i}]"
        try:
            pattern = re.compile(name)
        except re.error as error:
            got = f"{name!r} ({error})"
            raise ArgumentError("summary", argument, "a regular expression", got) from None
        found = [at for at, layer in enumerate(layers) if pattern.match(layer.name)]
        if not found:
            known = ", ".join(f"'{layer.name}'" for layer in layers) or "no layers"
            raise ArgumentError("summary", argument, f"what matches one of {known}", repr(name))
        places.append(found)
    first, last = places
    if min(first) > max(last):  # given in the other order
        first, last = last, first
    return layers[min(first) : max(last) + 1]


# ---- contents


def _rows_of(layer: Layer, expand: bool, show_trainable: bool, depth: int = 0) -> list[list[str]]:
    """Return the row of a layer and, where wanted, those of the layers inside."""
    branch = "   " * depth + "└ " if depth else ""
    row = [f"{branch}{layer.name} ({type(layer).__name__})", _shape_of(layer), _count_of(layer)]
    if show_trainable:
        row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
    rows = [row]
    if expand:
        for inner in getattr(layer, "layers", ()):  # of models
            rows += _rows_of(inner, expand, show_trainable, depth + 1)
    return rows


def _shape_of(layer: Layer) -> str:
    try:
        return str(layer.output_shape)
    except AttributeError:
        return "?"


def _count_of(layer: Layer) -> str:
    return f"{layer.count_params():,}" if layer.built else "0 (unbuilt)"


def _footer(model: Model) -> list[str]:
    """Return what stands below the table: the totals, and what is fused with the loss."""
    trainable = model.trainable_weights
    fixed = model.non_trainable_weights
    state = _optimizer_state(model)
    lines = [
        f" Total params: {_size([*trainable, *fixed, *state])}",
        f" Trainable params: {_size(trainable)}",
        f" Non-trainable params: {_size(fixed)}",
    ]
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


def _size(variables: list[Any]) -> str:
    count = sum(math.prod(variable.shape) for variable in variables)
    size = float(sum(math.prod(v.shape) * v.dtype.itemsize for v in variables))
    unit = "B"
    for larger in ("KB", "MB", "GB", "TB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{count:,} ({size:.2f} {unit})"


# ---- layout


def _cells(shares: list[float], width: int, header: list[str], rows: list[list[str]]) -> list[int]:
    """Return the widths between the bars, which with the bars add up to `width`.

    The shares are of the line without bars and blanks; what those take, the columns lose evenly.
    A number is never broken: the first two columns, whose texts can go on below, give way.
    """
    ends = [int(share * width + 1e-9) for share in shares]
    ends[-1] = width
    cells = [end - start + 2 for start, end in zip([0, *ends], ends, strict=False)]
    excess = sum(cells) + len(cells) + 1 - width
    for i in range(len(cells)):
        cut = round(excess / (len(cells) - i))
        cells[i] -= cut
        excess -= cut
    for i in range(len(cells)):
        unbroken = [header[i], *[word for row in rows for word in row[i].split()]] if i > 1 else []
        least = max([_LEAST, *[len(text) + 2 for text in unbroken]])
        while cells[i] < least and max(cells[:2]) > _LEAST:
            cells[cells.index(max(cells[:2]))] -= 1
            cells[i] += 1
    return cells


def _table(cells: list[int], header: list[str], rows: list[list[str]]) -> list[str]:
    lines = [_rule("┏━┳┓", cells), *_row("┃", cells, header), _rule("┡━╇┩", cells)]
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule("├─┼┤", cells))
        lines += _row("│", cells, row)
    return [*lines, _rule("└─┴┘", cells)]


def _rule(corners: str, cells: list[int]) -> str:
    left, line, middle, right = tuple(corners)
    return left + middle.join(line * cell for cell in cells) + right


def _row(bar: str, cells: list[int], texts: list[str]) -> list[str]:
    """Return the lines of a row: what does not fit its cell goes on below."""
    columns = []
    for cell, text in zip(cells, texts, strict=True):
        room = cell - 2
        branch = len(text) - len(text.lstrip(" └"))
        longest = max((len(word) for word in text.split()), default=0)
        indent = " " * branch if branch + longest <= room else ""
        wrapped = textwrap.wrap(text, room, subsequent_indent=indent, break_on_hyphens=False)
        columns.append(wrapped or [""])
    lines = []
    for i in range(max(len(column) for column in columns)):
        parts = [
            f" {column[i] if i < len(column) else '':{align}{cell - 2}} "
            for column, cell, align in zip(columns, cells, _ALIGN, strict=False)
        ]
        lines.append(bar + bar.join(parts) + bar)
    return lines
