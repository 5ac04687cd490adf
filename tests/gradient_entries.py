"""The entries of the gradient matrix that the rows of ``op_cases`` give.

An entry is one function of arrays, with those arrays. Each differentiable row is one on its own
inputs, in every memory layout. A row with ``domains`` is one on each of the shapes below as well,
on views that other ops make, with Python numbers as operands and with one array as all operands.
``gradient_forms.py`` and ``gradient_shape_forms.py`` add what is written for single ops,
``gradient_checks.py`` says what is checked of an entry.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fusegrad import _core, ops
from fusegrad._tensor import as_tensor
from layouts import LAYOUTS, repeated
from op_cases.table import RNG, Inputs, Maker, OpCase, distinct, draw, normal

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]
Layout = Callable[[Array], Array]

TABLE = {row["name"]: row for row in _core.op_table()}
DIFFERENTIABLE = sorted(name for name, row in TABLE.items() if row["differentiable"])


@dataclass(frozen=True)
class Entry:
    """One function of arrays, at one point."""

    op: str
    label: str
    call: Callable[..., Any]
    reference: (
        Callable[..., Any] | None
    )  # NumPy's, which takes complex numbers; None: there is none
    arrays: tuple[Array, ...]  # in C order; floats are float64 with the values of float32
    grad: tuple[int, ...]  # which of them get a gradient
    layout: Layout = np.array
    elementwise: bool = False  # out[i] depends on nothing but element i of the broadcast arrays
    second: bool = True  # the gradient is differentiable again

    def __str__(self) -> str:
        shapes = " ".join(str(x.shape) for x in self.arrays)
        return f"{self.op} [{self.label}] {shapes}"

    def laid_out(self, dtype: str) -> list[Array]:
        """The arrays as they are passed."""
        return [self.layout(x.astype(dtype) if x.dtype.kind == "f" else x) for x in self.arrays]

    @property
    def size(self) -> int:
        """How many numbers are differentiated in."""
        return sum(self.arrays[i].size for i in self.grad)


def entry(
    op: str,
    label: str,
    inputs: Callable[[RNG], Inputs],
    call: Callable[..., Any],
    reference: Callable[..., Any] | None,
    grad: tuple[int, ...] = (0,),
    **options: Any,
) -> Entry:
    """An entry whose arrays are drawn from its own name, so that no other entry moves them."""
    rng = np.random.default_rng(zlib.crc32(f"{op} {label}".encode()))
    arrays = tuple(shortened(x) for x in inputs(rng))
    return Entry(op, label, call, reference, arrays, grad, **options)


def fixed(maker: Maker, *given: Any) -> Callable[[RNG], Inputs]:
    """Draws one array; the indices after it are given."""
    return lambda rng: (maker(rng), *(np.array(x, np.int64) for x in given))


def shortened(x: Any) -> Array:
    """Floats rounded to float32, so that both dtypes see one point."""
    x = np.asarray(x)
    return x.astype(np.float32).astype(np.float64) if x.dtype.kind == "f" else x


# ---- shapes ------------------------------------------------------------------------------------

ONE_ELEMENT: list[Shape] = [(), (1,), (1, 1), (1, 1, 1)]
NO_ELEMENTS: list[Shape] = [(0,), (0, 3), (3, 0), (2, 0, 3)]
# Around the lengths of vectors: 4, 8 and 16 numbers, and several of them.
TAILS: list[Shape] = [*((n,) for n in range(2, 18)), (31,), (32,), (33,), (67,)]
BLOCKS: list[Shape] = [(3, 5), (5, 3), (2, 3, 4), (2, 1, 3, 2), (1, 7), (7, 1), (2, 67)]
SHAPES = ONE_ELEMENT + NO_ELEMENTS + TAILS + BLOCKS

# The last axis is the row.
ROWS: list[Shape] = [(1,), (5,), (1, 1), (4, 1), (1, 6), (6, 10), (2, 3, 5), (2, 1, 2, 3)]
ROWS += [(0, 4), (2, 0, 3), (0, 1), *((2, *tail) for tail in TAILS)]

PAIRS: list[tuple[Shape, Shape]] = [
    ((3, 5), (3, 5)),
    # a row, a column, both; and the other way round
    *[((3, 5), small) for small in [(5,), (1, 5), (3, 1), (1, 1), (1,), ()]],
    *[(small, (3, 5)) for small in [(5,), (1, 5), (3, 1), (1, 1), (1,), ()]],
    # both are stretched
    ((4, 1), (1, 6)),
    ((4, 1), (6,)),
    ((3, 1, 5), (1, 2, 1)),
    ((2, 1, 3), (1, 4, 1)),
    ((2, 1, 3, 1), (4, 1, 2)),
    # ranks differ
    ((2, 3, 4), (4,)),
    ((4,), (2, 3, 4)),
    ((3, 4), (2, 1, 4)),
    ((2, 3, 4), (3, 1)),
    ((2, 2, 2, 3), (3,)),
    # one element
    ((), ()),
    ((1,), ()),
    ((), (1,)),
    ((1,), (3,)),
    ((1, 1), (1,)),
    # no elements
    ((0,), (0,)),
    ((0, 3), (0, 3)),
    ((0, 3), (3,)),
    ((1, 3), (0, 3)),
    ((0, 1), (1, 3)),
    ((3, 0), (3, 1)),
    ((0,), ()),
    ((), (3, 0)),
    ((1,), (0,)),
    ((2, 0, 3), (2, 1, 1)),
    # tails, alone and along the inner axis of a broadcast
    *((tail, tail) for tail in TAILS),
    *(((2, *tail), tail) for tail in TAILS[::3]),
    *((tail, (2, 1)) for tail in TAILS[1::3]),
    ((2, 67), (2, 1)),
]


def triples() -> Iterator[tuple[Shape, Shape, Shape]]:
    """Three operands: each of the pairs, with the third as the first or as the second."""
    for k, (a, b) in enumerate(PAIRS):
        yield ((a, b, a), (b, a, a), (a, b, b))[k % 3]


# ---- rows on other shapes ------------------------------------------------------------------------


def of_row(
    case: OpCase, pattern: str, inputs: Callable[[RNG], Inputs], layout: Layout = np.array
) -> Entry:
    """The row's function, with the row's label before the pattern's."""
    return entry(
        case.op,
        named(case, pattern),
        inputs,
        case.call,
        case.reference if case.analytic else None,
        case.grad,
        layout=layout,
        elementwise="elementwise" in TABLE[case.op]["traits"],
        second=case.second,
    )


def named(case: OpCase, pattern: str) -> str:
    return f"{case.label}: {pattern}" if case.label else pattern


def at(case: OpCase, *shapes: Shape) -> Callable[[RNG], Inputs]:
    """Draws the operands, all of one shape or each of its own."""
    each = shapes if len(shapes) > 1 else shapes * len(case.domains)
    return draw(*(domain(*shape) for domain, shape in zip(case.domains, each, strict=True)))


def listed(case: OpCase) -> Iterator[Entry]:
    """The row's own inputs, in every layout."""
    yield of_row(case, "as listed", case.inputs)
    for layout in [*LAYOUTS, repeated]:
        yield of_row(case, layout.__name__, case.inputs, layout)


def on_shapes(case: OpCase) -> Iterator[Entry]:
    if case.shapes == "broadcast":
        combinations = PAIRS if len(case.domains) == 2 else list(triples())
        for shapes in combinations:
            yield of_row(case, " ".join(map(str, shapes)), at(case, *shapes))
    else:
        for shape in ROWS if case.shapes == "rows" else SHAPES:
            yield of_row(case, str(shape), at(case, shape))
    for layout in [*LAYOUTS, repeated]:
        yield of_row(case, f"{layout.__name__} (2, 3, 4)", at(case, (2, 3, 4)), layout)


@dataclass(frozen=True)
class View:
    """A way to reach an array through another op: before(x) is an array whose view is x again."""

    name: str
    before: Callable[[Array], Array]
    on_tensor: Callable[[Any, Shape], Any]
    on_array: Callable[[Any, Shape], Any]


VIEWS = [
    View(
        "transposed view",
        lambda x: x.T.copy(),
        lambda t, shape: ops.transpose(t),
        lambda a, shape: np.transpose(a),
    ),
    View(
        "flipped view",
        lambda x: x[::-1].copy(),
        lambda t, shape: as_tensor(t)[::-1],
        lambda a, shape: a[::-1],
    ),
    View(
        "view of every second",
        lambda x: np.repeat(x, 2, axis=-1),
        lambda t, shape: as_tensor(t)[..., ::2],
        lambda a, shape: a[..., ::2],
    ),
    View("stretched view", lambda x: x[:1].copy(), ops.broadcast_to, np.broadcast_to),
    View("reshaped view", np.ravel, ops.reshape, np.reshape),
]


def viewed(case: OpCase) -> Iterator[Entry]:
    """The row's function of views of its floating operands."""
    for view in VIEWS:
        plain = of_row(case, view.name, at(case, (3, 5)))
        shapes = [x.shape if x.dtype.kind == "f" and x.ndim else None for x in plain.arrays]

        def through(function: Any, look: Any, shapes: Any = shapes) -> Any:
            def composed(*parts: Any) -> Any:
                seen = [x if s is None else look(x, s) for x, s in zip(parts, shapes, strict=True)]
                return function(*seen)

            return function and composed

        yield replace(
            plain,
            call=through(plain.call, view.on_tensor),
            reference=through(plain.reference, view.on_array),
            arrays=tuple(
                x if s is None else view.before(x)
                for x, s in zip(plain.arrays, shapes, strict=True)
            ),
            elementwise=False,
        )


def one_array(case: OpCase) -> Iterator[Entry]:
    """One array as every operand, f(x, x): its gradient is the sum of theirs."""
    count = len(case.domains)
    strictest = next((d for d in case.domains if d not in {normal, distinct}), case.domains[0])

    def spread(function: Any) -> Any:
        return function and (lambda x: function(*[x] * count))

    for shape in [(3, 5), (0, 3), (17,)]:
        plain = of_row(case, f"one array {shape}", at(case, shape))
        yield entry(
            case.op,
            plain.label,
            draw(strictest(*shape)),
            spread(plain.call),
            spread(plain.reference),
            elementwise=plain.elementwise,
        )


def with_number(case: OpCase) -> Iterator[Entry]:
    """A Python number as one of two operands."""

    def bound(function: Any, place: int) -> Any:
        return lambda x: function(1.75, x) if place == 0 else function(x, 1.75)

    for shape in [(), (3, 5), (0, 3), (17,)]:
        for place in (0, 1):
            yield entry(
                case.op,
                named(case, f"number as operand {place} {shape}"),
                draw(case.domains[1 - place](*shape)),
                bound(case.call, place),
                bound(case.reference, place),
                elementwise=True,
            )


def row_entries(case: OpCase) -> Iterator[Entry]:
    """All that a differentiable row gives."""
    yield from listed(case)
    if not case.domains:
        return
    yield from on_shapes(case)
    yield from viewed(case)
    operands = {x.shape for x in case.inputs(np.random.default_rng(0))}
    if 1 < len(case.domains) == len(case.grad) and len(operands) == 1:
        yield from one_array(case)
    internal = "gradient" in TABLE[case.op]["traits"]
    if case.shapes == "broadcast" and len(case.domains) == 2 and not internal:
        yield from with_number(case)
