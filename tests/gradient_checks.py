"""What is checked of an entry of the gradient matrix, against which witness, to what bound.

The function that is differentiated is ``sum(weights * f(arrays))``, in every array that has a
gradient. With J the slopes of f, one element of its gradient is a sum of terms ``weights * J``.
Where a bound is relative, it is so to the sum of the absolute values of these terms, the *scale* of
the element: no order of adding makes a sum that cancels better than that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

import fusegrad as fg
from fusegrad import ops
from gradient_entries import TABLE, Array, Entry
from layouts import repeated

# Of complex steps: small enough to be exact, large enough that slopes of 1e-124 do not underflow.
TINY = 1e-30
# f'(x) s is the sum of weight * (f(x + k s) - f(x - k s)) up to s^7 f'''''''/140: less than 1e-9 of
# f' on the domains of the case table, which keep 0.05 from every pole. Rounding adds 1e-16 f.
SIXTH_ORDER = ((1, 45 / 60), (2, -9 / 60), (3, 1 / 60))
STEP = 1e-3
# What an op is differenced in, one number after the other.
MANY = 24

# Complex steps are good to a few units in the last place of double precision, and ours as well;
# saturated slopes such as 1 - tanh(x)^2 keep three digits less.
COMPLEX_STEP = 1e-12
CENTRAL_DIFFERENCES = 1e-8
# The error of the differences is that of STEP above; directions are at most 0.5.
SECOND_ORDER = 1e-10
SECOND_DIFFERENCES = 1e-6
# Elementwise ops and losses, whose float32 slopes are a few operations, each rounded once: in units
# in the last place, of a scale in which each slope counts at least as the numbers that it is the
# difference of. That is 1 - y^2 for tanh, y - y^2, p - t, log(1 - p) - log p and log(p) near 1, and
# what the second derivatives of erf, silu and gelu are near their zeros.
UNITS = 4 * float(np.finfo(np.float32).eps)
DIFFERENCE_OF = {
    "tanh": 1.0,
    "tanh_grad": 1.0,
    "sigmoid": 0.25,
    "sigmoid_grad": 0.25,
    "sigmoid_cross_entropy": 1.0,
    "sigmoid_cross_entropy_grad": 1.0,
    "erf_grad": 1.0,
    "silu_grad": 0.5,
    "gelu_grad": 0.8,
    "binary_cross_entropy": 2.0,
    "categorical_cross_entropy": 1.0,
    "sparse_categorical_cross_entropy": 1.0,
}
# Others: relative to the largest scale. A second-order gradient has about three times as many
# operations as a first-order one.
SINGLE = 1e-6
SECOND_SINGLE = 4e-6


@dataclass(frozen=True)
class Measured:
    """The worst operand of one check: its largest error, and that as a share of the bound."""

    share: float = 0.0
    error: float = 0.0
    operand: int = 0


class Point:
    """An entry with what several checks of it share."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.arrays = entry.laid_out("float64")
        self.plain = [native(x) for x in self.arrays]
        rng = np.random.default_rng(len(entry.label))
        self.weights = short(rng.normal(size=entry.call(*self.arrays).shape))
        # Along these the gradient is differentiated. What is one in memory moves as one.
        self.directions = [native(entry.layout(self._direction(rng, x))) for x in self.wanted()]

    @staticmethod
    def _direction(rng: np.random.Generator, x: Array) -> Array:
        return short(rng.choice([-1, 1], x.shape) * rng.uniform(0.2, 0.5, x.shape))

    def wanted(self, arrays: list[Array] | None = None) -> list[Array]:
        """The arrays that get a gradient."""
        arrays = self.plain if arrays is None else arrays
        return [arrays[i] for i in self.entry.grad]

    def moved(self, distance: float) -> list[Array]:
        arrays = list(self.plain)
        for i, direction in zip(self.entry.grad, self.directions, strict=True):
            arrays[i] = np.asarray(arrays[i] + distance * direction)
        return arrays

    def function(self, arrays: list[Array], dtype: str = "float64") -> Callable[..., Any]:
        """``sum(weights * f)`` of the arrays that get a gradient."""
        weights = self.weights.astype(dtype)

        def projected(*parts: Any) -> Any:
            every: list[Any] = list(arrays)
            for i, part in zip(self.entry.grad, parts, strict=True):
                every[i] = part
            return ops.sum(ops.multiply(self.entry.call(*every), weights))

        return projected

    def first(self, arrays: list[Array], dtype: str = "float64") -> Callable[..., Any]:
        numbers = tuple(range(len(self.entry.grad)))
        return fg.grad(self.function(arrays, dtype), argnums=numbers)

    def second(self, arrays: list[Array], dtype: str = "float64") -> Callable[..., Any]:
        """The gradient of the slope along the directions: the Hessian times them."""
        first = self.first(arrays, dtype)
        directions = [d.astype(dtype) for d in self.directions]

        def slope(*parts: Any) -> Any:
            pairs = zip(first(*parts), directions, strict=True)
            return ops.sum(ops.stack([ops.sum(ops.multiply(g, d)) for g, d in pairs]))

        return fg.grad(slope, argnums=tuple(range(len(self.entry.grad))))

    def evaluated(self, order: str, arrays: list[Array], dtype: str = "float64") -> list[Array]:
        """The gradient of that order at these arrays."""
        return as_arrays(getattr(self, order)(arrays, dtype)(*self.wanted(arrays)))

    @cached_property
    def first_order(self) -> list[Array]:
        return self.evaluated("first", self.arrays)

    @cached_property
    def second_order(self) -> list[Array]:
        return self.evaluated("second", self.arrays)

    @cached_property
    def terms(self) -> list[Array]:
        """``weights * J`` of each array that gets a gradient, by complex step."""
        return [self.terms_at(self.plain, i) for i in self.entry.grad]

    @cached_property
    def second_terms(self) -> list[Array]:
        """What of the terms changes along the directions."""
        return [
            differenced(lambda s, i=i: self.terms_at(self.moved(s), i)) for i in self.entry.grad
        ]

    def terms_at(self, arrays: list[Array], index: int) -> Array:
        """Terms of one array: the result's axes, and before them the array's, which an elementwise
        function does not need: element i of the result is its only slope in i."""
        reference = self.entry.reference
        assert reference is not None
        every: list[Any] = list(arrays)
        if self.entry.elementwise:
            every[index] = np.broadcast_to(arrays[index], self.weights.shape) + 1j * TINY
            return np.asarray(reference(*every)).imag / TINY * self.weights
        found = np.zeros((*arrays[index].shape, *self.weights.shape))
        every[index] = moving = arrays[index].astype(complex)
        for place in np.ndindex(*moving.shape):
            moving[place] += 1j * TINY
            found[place] = np.asarray(reference(*every)).imag / TINY * self.weights
            moving[place] = arrays[index][place]
        return found

    def added(self, terms: Array, position: int) -> Array:
        """Terms summed to the shape of their array."""
        shape = self.wanted()[position].shape
        if not self.entry.elementwise:
            return terms.sum(axis=tuple(range(len(shape), terms.ndim)))
        summed = terms.sum(axis=tuple(range(terms.ndim - len(shape))))
        stretched = tuple(i for i, n in enumerate(shape) if n == 1 and summed.shape[i] != 1)
        return summed.sum(axis=stretched, keepdims=True)

    def scale(self, terms: Array, position: int, difference_of: float = 0.0) -> Array:
        """The sum of the sizes of the terms, of each as if its slope were at least so large."""
        least = np.where(terms == 0.0, 0.0, np.abs(self.weights) * difference_of)
        return self.added(np.maximum(np.abs(terms), least), position)

    @property
    def unit(self) -> float:
        """Size of a gradient that is small: where all terms are 0 or rounding errors."""
        return 1e-2 * largest(self.weights)


def native(x: Array) -> Array:
    """A copy as NumPy would make it: C order, aligned, native bytes."""
    return np.array(x, dtype=x.dtype.newbyteorder("="), order="C")


def short(x: Any) -> Array:
    """Numbers of float32 in float64, so that both dtypes use the same ones."""
    return np.asarray(np.asarray(x).astype(np.float32).astype(np.float64))


def as_arrays(tensors: Iterable[Any]) -> list[Array]:
    return [np.array(t.numpy()) for t in tensors]


def largest(x: Array) -> float:
    return float(np.max(np.abs(x), initial=0.0))


def differenced(f: Callable[[float], Array]) -> Array:
    """df/ds at 0."""
    total: Any = 0.0
    for k, weight in SIXTH_ORDER:
        total = total + weight * (f(k * STEP) - f(-k * STEP))
    return np.asarray(total / STEP)


def worst(results: Iterable[tuple[Array, Array, Any]]) -> Measured:
    """Of what was found, what was wanted and the bound, for each operand."""
    found = Measured()
    for operand, (got, want, bound) in enumerate(results):
        if got.shape != want.shape or not np.isfinite(got).all():
            return Measured(np.inf, np.inf, operand)
        error = np.abs(got.astype(np.float64) - want)
        share = largest(error / np.maximum(bound, 1e-300))
        if share > found.share:
            found = Measured(share, largest(error), operand)
    return found


def different(got: list[Array], want: list[Array]) -> Measured:
    """Whether a bit of the results differs, or a shape or dtype."""
    for operand, (a, b) in enumerate(zip(got, want, strict=True)):
        if a.dtype != b.dtype or a.shape != b.shape or a.tobytes() != b.tobytes():
            return Measured(np.inf, np.inf, operand)
    return Measured()


# ---- the checks ----------------------------------------------------------------------------------


def complex_step(point: Point) -> Measured:
    results = []
    for position, got in enumerate(point.first_order):
        terms = point.terms[position]
        scale = point.scale(terms, position)
        # An element keeps its own digits down to a thousandth of the largest.
        floor = 1e-3 * max(largest(scale), point.unit)
        bound = COMPLEX_STEP * np.maximum(scale, floor)
        results.append((got, point.added(terms, position), bound))
    return worst(results)


def central_differences(point: Point) -> Measured:
    """Of the op itself, so that no reference is involved."""
    results = []
    for position, index in enumerate(point.entry.grad):
        arrays = [x.copy() for x in point.plain]
        function = point.function(arrays)
        want = np.zeros(arrays[index].shape)

        def at(place: tuple[int, ...], s: float, x: Array, parts: Any, f: Any = function) -> Array:
            kept = x[place]
            x[place] = kept + s
            value = np.array(f(*parts).numpy())
            x[place] = kept
            return value

        for place in np.ndindex(*want.shape):
            move = (place, arrays[index], point.wanted(arrays))
            want[place] = differenced(lambda s, m=move: at(m[0], s, m[1], m[2]))
        size = max(largest(want), point.unit)
        results.append((point.first_order[position], want, CENTRAL_DIFFERENCES * size))
    return worst(results)


def single_precision(point: Point) -> Measured:
    """The float32 gradient against the float64 one of the same numbers."""
    entry = point.entry
    results = []
    found = point.evaluated("first", entry.laid_out("float32"), "float32")
    for position, (got, want) in enumerate(zip(found, point.first_order, strict=True)):
        if got.dtype != np.float32:
            return Measured(np.inf, np.inf, position)
        if entry.reference is None:
            bound: Any = SINGLE * max(largest(want), point.unit)
        elif is_simple(entry.op):
            terms = point.terms[position]
            scale = point.scale(terms, position, DIFFERENCE_OF.get(entry.op, 0.0))
            bound = UNITS * np.maximum(scale, 1e-3 * max(largest(scale), point.unit))
        else:
            bound = SINGLE * max(largest(point.scale(point.terms[position], position)), point.unit)
        results.append((got, want, bound))
    return worst(results)


def is_simple(op: str) -> bool:
    """Elementwise, or a loss."""
    return "elementwise" in TABLE[op]["traits"] or "cross_entropy" in op or op.endswith("_error")


def mixed_dtypes(point: Point) -> Measured:
    """The first operand in float32, the others in float64: each gradient has its operand's dtype.

    All is computed in float64, so the others' bits do not change.
    """
    arrays = list(point.arrays)
    index = point.entry.grad[0]
    arrays[index] = point.entry.layout(point.entry.arrays[index].astype(np.float32))
    first, *others = point.evaluated("first", arrays)
    if first.dtype != np.float32:
        return Measured(np.inf, np.inf)
    want = point.first_order
    return max(
        worst([(first, want[0], UNITS * largest(want[0]))]),
        different(others, want[1:]),
        key=lambda measured: measured.share,
    )


def memory_layout(point: Point) -> Measured:
    """Bit for bit the gradient of contiguous arrays, in both dtypes."""
    found = []
    for dtype in ("float32", "float64"):
        arrays = point.entry.laid_out(dtype)
        plain = [native(x) for x in arrays]
        got, want = (point.evaluated("first", each, dtype) for each in (arrays, plain))
        found.append(different(got, want))
    return max(found, key=lambda measured: measured.share)


def second_complex_step(point: Point) -> Measured:
    results = []
    for position, got in enumerate(point.second_order):
        terms = point.second_terms[position]
        sizes = (point.scale(t, position) for t in (terms, point.terms[position]))
        size = max(point.unit, *map(largest, sizes))
        results.append((got, point.added(terms, position), SECOND_ORDER * size))
    return worst(results)


def second_differences(point: Point) -> Measured:
    """Differences of the op's own gradient along the directions: the Hessian is symmetric."""
    results = []
    for position, got in enumerate(point.second_order):
        want = differenced(lambda s, p=position: point.evaluated("first", point.moved(s))[p])
        size = max(largest(want), largest(point.first_order[position]), point.unit)
        results.append((got, want, SECOND_DIFFERENCES * size))
    return worst(results)


def second_single_precision(point: Point) -> Measured:
    results = []
    found = point.evaluated("second", point.entry.laid_out("float32"), "float32")
    for position, (got, want) in enumerate(zip(found, point.second_order, strict=True)):
        size = max(largest(want), largest(point.first_order[position]), point.unit)
        results.append((got, want, SECOND_SINGLE * size))
    return worst(results)


def compiled(order: str, dtype: str) -> Callable[[Point], Measured]:
    def check(point: Point) -> Measured:
        """Bit for bit the eager gradient."""
        arrays = point.entry.laid_out(dtype)
        function = getattr(point, order)(arrays, dtype)
        program = fg.jit(function, exact_rewrites=False)
        parts = point.wanted(arrays)
        return different(as_arrays(program(*parts)), as_arrays(function(*parts)))

    return check


@dataclass(frozen=True)
class Check:
    """One kind of case: what is compared, and of which entries."""

    order: str  # the test that makes it
    name: str
    run: Callable[[Point], Measured]
    applies: Callable[[Entry], bool] = lambda entry: True


def can_be_differenced(entry: Entry) -> bool:
    # Equal elements are a kink of max and min.
    return entry.reference is None or (entry.size <= MANY and entry.layout is not repeated)


def is_analytic(entry: Entry) -> bool:
    return entry.reference is not None


def takes_mixed_dtypes(entry: Entry) -> bool:
    promotes = {"promote", "promote_float", "promote_select"} & set(TABLE[entry.op]["traits"])
    return bool(promotes) and len(entry.grad) > 1


CHECKS = [
    Check("first", "complex step", complex_step, is_analytic),
    Check("first", "central differences", central_differences, can_be_differenced),
    Check("first", "float32 against float64", single_precision),
    Check("first", "mixed dtypes", mixed_dtypes, takes_mixed_dtypes),
    Check("first", "memory layout", memory_layout, lambda entry: entry.layout is not np.array),
    Check(
        "second",
        "second order, differences of complex steps",
        second_complex_step,
        lambda entry: entry.second and is_analytic(entry),
    ),
    Check(
        "second",
        "second order, differences",
        second_differences,
        lambda entry: entry.second and not is_analytic(entry),
    ),
    Check(
        "second",
        "second order, float32 against float64",
        second_single_precision,
        lambda entry: entry.second,
    ),
    Check("compiled", "compiled, float32", compiled("first", "float32")),
    Check("compiled", "compiled, float64", compiled("first", "float64")),
    Check(
        "compiled",
        "compiled, second order",
        compiled("second", "float64"),
        lambda entry: entry.second,
    ),
]


def checks_of(entry: Entry, order: str) -> list[Check]:
    return [check for check in CHECKS if check.order == order and check.applies(entry)]


# ---- the tally -----------------------------------------------------------------------------------


class Tally:
    """How many cases were checked, and the largest error of each kind as a share of its bound."""

    def __init__(self) -> None:
        self.cases: Counter[tuple[str, str, str]] = Counter()  # by op, order and kind
        self.shares: dict[str, float] = {}
        self.errors = 0  # calls that must fail, and do

    def add(self, entry: Entry, check: Check, measured: Measured) -> None:
        self.cases[entry.op, check.order, check.name] += 1
        self.shares[check.name] = max(self.shares.get(check.name, 0.0), measured.share)

    def count(self, op: str, order: str) -> int:
        return sum(n for (o, r, _), n in self.cases.items() if (o, r) == (op, order))

    def lines(self) -> list[str]:
        """What a run prints at its end."""
        ops_seen = {op for op, _, _ in self.cases}
        kinds: Counter[str] = Counter()
        for (_, _, name), n in self.cases.items():
            kinds[name] += n
        head = (
            f"gradient matrix: {kinds.total():,} cases of {len(ops_seen)} ops, none skipped; "
            f"{self.errors:,} calls without a gradient raised"
        )
        order = [check.name for check in CHECKS if check.name in kinds]
        return [head, *(f"  {name}: {kinds[name]:,}{self._margin(name)}" for name in order)]

    def _margin(self, name: str) -> str:
        share = self.shares[name]
        return f", largest error {share:.2g} of its bound" if share > 0 else ""


TALLY = Tally()
