"""Checks of gradients against differences, with JAX's name and meaning.

Examples
--------
>>> import numpy as np
>>> from fusegrad import ops
>>> check_grads(lambda x: ops.sum(ops.tanh(x) ** 2), (np.array([0.5, -1.0]),))
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fusegrad import ops
from fusegrad._checks import positive, positive_int
from fusegrad._spelling import missing
from fusegrad._tensor import Tensor, as_tensor, current_builder
from fusegrad.errors import ArgumentError
from fusegrad.transforms.gradients import grad
from fusegrad.transforms.products import jvp
from fusegrad.transforms.trees import leaves as leaves_of
from fusegrad.transforms.trees import tree_map

__all__ = ["check_grads"]

__getattr__ = missing(__name__, __all__)

Array = NDArray[np.float64]

_MODES = ("fwd", "rev")
_METHODS = ("auto", "central", "complex")
_STEP = 1e-3
_TINY = 1e-30  # of complex steps, which lose no digits
_DOUBLE, _SINGLE = 1e-7, 1e-4  # tolerances for arguments of float64 and float32
_SEED = 20_240_607
_MOST = 4096  # elements that are differenced one by one after a failure


def check_grads(
    f: Callable[..., Any],
    args: Sequence[Any],
    order: int = 2,
    modes: Sequence[str] = _MODES,
    atol: float | None = None,
    rtol: float | None = None,
    eps: float | None = None,
    *,
    method: str = "auto",
) -> None:
    """Check the gradients of a function against differences of it.

    The function is differentiated along one random direction, so that it is called a few times
    whatever the number of elements: ``<w, J v>`` in forward mode and ``<J^T w, v>`` in reverse mode
    are held against ``d/dt <w, f(x + t v)>`` at 0, for random v and w. Order 2 does the same for
    the gradient, and so on. All is computed in float64. Differences are central, of three widths,
    and extrapolated (L. Richardson, 1911), which leaves an error of the sixth power of the width.

    Parameters
    ----------
    f : callable
        Returns floating arrays, or nested tuples, lists and dicts of them.
    args : sequence
        Its positional arguments: arrays, or nested containers of them. Floating ones are
        differentiated, all others are passed on.
    order : int, default 2
        Derivatives up to this one are checked.
    modes : sequence of {"fwd", "rev"}, default ("fwd", "rev")
        "fwd" checks products with the Jacobian from the right, "rev" those from the left.
    atol, rtol : float, optional
        What the two may differ by: ``atol + rtol * scale``, where the scale is that of the terms
        that are added up, and what differences lose by rounding. By default 1e-7 each, and 1e-4
        where an argument is of float32.
    eps : float, default 1e-3
        The largest width of the differences, relative to elements between 0.05 and 1.
    method : {"auto", "central", "complex"}, default "auto"
        "complex" takes complex steps for the first derivative, which lose no digits (W. Squire and
        G. Trapp, SIAM Review 40, 1998): for a function that takes complex NumPy arrays too, and is
        analytic. "auto" is "central".

    Raises
    ------
    AssertionError
        They differ. The message shows the worst element, and names the op of `f` whose gradient
        does not agree with differences of that op alone.
    fusegrad.errors.ArgumentError
        An argument is wrong, or `f` returns no floating array.

    Examples
    --------
    >>> import numpy as np
    >>> from fusegrad import ops
    >>> check_grads(ops.matmul, (np.ones((2, 3)), np.eye(3)), order=2)
    >>> check_grads(np.exp, (np.array([1.0, 2.0]),), order=1, method="complex")
    """
    where = "check_grads"
    order = positive_int(where, "order", order)
    given: Any = args
    if not isinstance(given, tuple | list):
        raise ArgumentError(where, "args", "a tuple of arguments (write (x,) for one)", repr(given))
    chosen = [modes] if isinstance(modes, str) else list(modes)
    if not chosen or any(mode not in _MODES for mode in chosen):
        raise ArgumentError(where, "modes", "'fwd', 'rev' or both", repr(modes))
    if method not in _METHODS:
        raise ArgumentError(where, "method", "one of " + ", ".join(map(repr, _METHODS)), method)
    places, points, single = _points(given)
    default = _SINGLE if single else _DOUBLE
    check = _Check(
        _Flat(f, list(given), places),
        points,
        places,
        default if atol is None else positive(where, "atol", atol),
        default if rtol is None else positive(where, "rtol", rtol),
        _STEP if eps is None else positive(where, "eps", eps),
        method == "complex",
    )
    for number in range(1, order + 1):
        for mode in chosen:
            check.run(mode, number)
        check = replace(check, function=check.gradient_function(number), complex_steps=False)


class _Node(NamedTuple):
    """One node of a trace."""

    number: int
    op: str | None
    inputs: list[int]
    first: int


class _Place(NamedTuple):
    """Where a floating argument stands."""

    text: str  # such as args[0]['w']


def _points(args: Sequence[Any]) -> tuple[list[_Place], list[Array], bool]:
    """Return the floating arguments in float64, and whether there is one of a lower precision."""
    places: list[_Place] = []
    points: list[Array] = []
    single = False

    def look(text: str, value: Any) -> None:
        nonlocal single
        if isinstance(value, dict):
            for key, part in value.items():
                look(f"{text}[{key!r}]", part)
        elif isinstance(value, list | tuple):
            for i, part in enumerate(value):
                look(f"{text}[{i}]", part)
        elif _is_floating(value):
            tensor = as_tensor(value)
            single |= not isinstance(value, float) and tensor.dtype != np.float64
            places.append(_Place(text))
            points.append(np.array(tensor.numpy(), np.float64))

    look("args", list(args))
    if not points:
        raise ArgumentError("check_grads", "args", "a floating array among them", repr(args))
    return places, points, single


def _is_floating(value: Any) -> bool:
    return isinstance(value, float) or (
        hasattr(value, "dtype") and getattr(value.dtype, "kind", "") == "f"
    )


class _Flat:
    """A function of nested arguments as one of a list of arrays that returns a list of them."""

    def __init__(self, function: Callable[..., Any], args: list[Any], places: list[_Place]) -> None:
        self.function, self.args, self.places = function, args, places

    def __call__(self, points: Sequence[Any]) -> list[Any]:
        left = iter(points)
        args = tree_map(lambda leaf: next(left) if _is_floating(leaf) else leaf, self.args)
        leaves = leaves_of(self.function(*args))
        results = [leaf for leaf in leaves if _is_floating(leaf) or _is_complex(leaf)]
        if not results:
            expected = "a function that returns floating arrays"
            raise ArgumentError("check_grads", "f", expected, repr(leaves)[:200])
        return results


def _is_complex(value: Any) -> bool:
    return isinstance(value, complex) or getattr(getattr(value, "dtype", None), "kind", "") == "c"


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    return [as_tensor(value) for value in values]


def _dot(xs: Sequence[Any], ys: Sequence[Any]) -> Any:
    """Return the sum of all products, on what is being recorded."""
    parts = [ops.sum(ops.multiply(x, y)) for x, y in zip(xs, ys, strict=True)]
    total = parts[0]
    for part in parts[1:]:
        total = ops.add(total, part)
    return total


def _terms(xs: Sequence[Any], ys: Sequence[Any]) -> tuple[float, float]:
    """Return the sum of all products, and of their absolute values."""
    products = [np.ravel(np.asarray(x) * np.asarray(y)) for x, y in zip(xs, ys, strict=True)]
    every = np.concatenate(products)
    return math.fsum(every), math.fsum(np.abs(every))


@dataclass(frozen=True)
class _Check:
    """One function at one point."""

    function: Callable[[Sequence[Any]], list[Any]]
    points: list[Array]
    places: list[_Place]
    atol: float
    rtol: float
    eps: float
    complex_steps: bool

    def run(self, mode: str, order: int) -> None:
        """Check one mode, or raise AssertionError."""
        weights, analytic, numeric, allowed = self.compared(mode, order)
        if not abs(analytic - numeric) <= allowed:
            raise AssertionError(self.report(mode, order, weights, analytic, numeric, allowed))

    def compared(self, mode: str, order: int) -> tuple[list[Array], float, float, float]:
        """Return weights of the outputs, both derivatives, and what they may differ by."""
        rng = np.random.default_rng(_SEED + order)
        values = self.values()
        directions = [_direction(rng, x) for x in self.points]
        weights = [_signed(rng, value.shape) for value in values]
        numeric, lost = self.difference(weights, directions)
        if mode == "rev":
            gradients = self.gradients(self.points, weights)
            analytic, scale = _terms(gradients, directions)
        else:
            analytic, scale = _terms(weights, self.forward(directions))
        allowed = self.atol + self.rtol * max(scale, abs(numeric)) + lost
        return weights, analytic, numeric, allowed

    def values(self, points: Sequence[Array] | None = None) -> list[Array]:
        """Return what the function returns, here by default."""
        given = [as_tensor(x) for x in (self.points if points is None else points)]
        return [as_tensor(y).numpy() for y in self.function(given)]

    def gradient_function(self, order: int) -> Callable[[Sequence[Any]], list[Any]]:
        """Return the gradient of this function, projected at random, as the next function."""
        values = self.values()
        rng = np.random.default_rng(_SEED - order)
        weights = [rng.uniform(0.5, 1.0, value.shape) for value in values]
        return lambda points: list(self.gradients(points, weights, plain=False))

    def gradients(
        self, points: Sequence[Any], weights: Sequence[Any], plain: bool = True
    ) -> list[Any]:
        def projected(xs: list[Any]) -> Any:
            return _dot(self.function(xs), weights)

        found = grad(projected)(list(points))
        return [g.numpy() for g in found] if plain else list(found)

    def forward(self, directions: Sequence[Array]) -> list[Array]:
        """Return the Jacobian times the directions."""
        _, tangents = jvp(
            lambda xs: [as_tensor(y) for y in self.function(xs)],
            (list(self.points),),
            (list(directions),),
        )
        return [tangent.numpy() for tangent in tangents]

    def difference(
        self, weights: Sequence[Array], directions: Sequence[Array]
    ) -> tuple[float, float]:
        """Return the numeric derivative, and what rounding may have cost."""
        if self.complex_steps:
            moved = [x + 1j * _TINY * v for x, v in zip(self.points, directions, strict=True)]
            outputs = [np.asarray(value) for value in self.function(moved)]
            if not any(np.iscomplexobj(value) for value in outputs):
                expected = "a function of complex NumPy arrays"
                raise ArgumentError("check_grads", "f", expected, "real results (method='complex')")
            parts = [np.imag(value) / _TINY for value in outputs]
            return _terms(weights, parts)[0], 0.0
        largest = 0.0

        def value(distance: float) -> float:
            nonlocal largest
            moved = [x + distance * v for x, v in zip(self.points, directions, strict=True)]
            total, scale = _terms(weights, self.values(moved))
            largest = max(largest, scale)
            return total

        widths = [self.eps, self.eps / 2, self.eps / 4]
        a, b, c = [(value(h) - value(-h)) / (2 * h) for h in widths]
        result = (64 * c - 20 * b + a) / 45
        return result, 32 * np.finfo(np.float64).eps * largest / self.eps

    # ---- after a failure

    def report(
        self,
        mode: str,
        order: int,
        weights: Sequence[Array],
        analytic: float,
        numeric: float,
        allowed: float,
    ) -> str:
        """Return what is wrong: the worst element, and the op."""
        kind = {"fwd": "forward", "rev": "reverse"}[mode]
        lines = [
            f"check_grads(): derivatives of order {order} in {kind} mode do not agree with"
            f" differences: {analytic:.12g} and {numeric:.12g} along a random direction, which may"
            f" differ by {allowed:.3g}"
        ]
        lines += self.worst(mode, weights)
        lines += _culprit(self)
        return "\n".join(lines)

    def worst(self, mode: str, weights: Sequence[Array]) -> list[str]:
        """Compare element by element; return a description of the worst."""
        gradients = self.gradients(self.points, weights)
        found: tuple[float, str] = (-1.0, "")
        wrong = count = 0
        for i, (place, x) in enumerate(zip(self.places, self.points, strict=True)):
            for index in list(np.ndindex(x.shape))[:_MOST]:
                directions = [np.zeros_like(point) for point in self.points]
                size = min(max(abs(float(x[index])), 0.05), 1.0)
                directions[i][index] = size
                numeric, lost = self.difference(weights, directions)
                if mode == "fwd":
                    along = self.forward(directions)
                    analytic = _terms(weights, along)[0] / size
                else:
                    analytic = float(gradients[i][index])
                numeric /= size
                error = abs(analytic - numeric)
                error = math.inf if math.isnan(error) else error
                count += 1
                wrong += error > self.atol + self.rtol * abs(numeric) + lost / size
                if error > found[0]:
                    at = f" at index {index if len(index) != 1 else index[0]}" if index else ""
                    found = (
                        error,
                        f"worst: {place.text}{at}, where it is {x[index]:.12g}:"
                        f" analytic {analytic:.12g}, numeric {numeric:.12g}",
                    )
        return [found[1], f"{wrong} of {count} elements differ"]


def _direction(rng: np.random.Generator, x: Array) -> Array:
    """Return a direction whose elements are about as large as those of the point."""
    return np.asarray(_signed(rng, x.shape) * np.clip(np.abs(x), 0.05, 1.0))


def _signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    return np.asarray(rng.uniform(0.5, 1.0, shape) * rng.choice([-1.0, 1.0], shape))


def _culprit(check: _Check) -> list[str]:
    """Name the first op whose gradient is not that of differences of the op alone."""
    from fusegrad import _core

    graph = _core.Graph(exact_rewrites=False)
    try:
        with graph:
            handle: Any = current_builder()
            inputs = [graph.input(x.shape, "float64", f"x{i}") for i, x in enumerate(check.points)]
            check.function(inputs)
            nodes = [_Node(*node) for node in handle.nodes()]
            names = dict.fromkeys(node.op for node in nodes if node.op is not None)
            known = f"ops of the function: {', '.join(names)}"
            culprit = None
    except (TypeError, ArgumentError) as error:
        return [f"it cannot be told which op is wrong: the function cannot be traced ({error})"]
    values: dict[int, Tensor] = {}
    points = iter(check.points)
    for node in nodes:
        if node.op is None:
            kept = handle.elements(node.first)
            values[node.first] = as_tensor(next(points)) if kept is None else kept
            continue
        operands = [values[i] for i in node.inputs]
        result = handle.run_node(node.number, operands)
        results = result if isinstance(result, tuple) else (result,)
        for i, value in enumerate(results):
            values[node.first + i] = value
        if node.op == "custom_vjp":
            culprit = culprit or "custom_vjp"
        elif culprit in (None, "custom_vjp") and not _agrees(check, handle, node, operands):
            culprit = node.op
    if culprit == "custom_vjp":
        return ["all ops but the rules of custom_vjp agree with differences of them alone", known]
    if culprit is None:
        return ["each op by itself agrees with differences", known]
    return [f"op: the gradient of {culprit} does not agree with differences of it alone", known]


def _agrees(check: _Check, handle: Any, node: Any, operands: list[Tensor]) -> bool:
    """Whether the gradient of one node agrees with differences."""
    floating = [i for i, x in enumerate(operands) if x.dtype == np.float64]
    if not floating:
        return True

    def alone(points: Sequence[Any]) -> list[Any]:
        every: list[Any] = list(operands)
        for i, point in zip(floating, points, strict=True):
            every[i] = as_tensor(point)
        result = handle.run_node(node.number, every)
        results = result if isinstance(result, tuple) else (result,)
        return [value for value in results if value.dtype.kind == "f"]

    points = [np.array(operands[i].numpy()) for i in floating]
    places = [_Place(f"operand {i}") for i in floating]
    one = replace(check, function=alone, points=points, places=places, complex_steps=False)
    if not alone(points):
        return True
    try:
        _, analytic, numeric, allowed = one.compared("rev", 1)
    except ArgumentError:  # there is no gradient, and none was asked for
        return True
    return abs(analytic - numeric) <= allowed
