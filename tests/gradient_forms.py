"""Entries of the gradient matrix for ops with axes, activations, reductions or rates.

A new reduction or activation in the tables of ``op_cases`` is in these forms too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from fusegrad import losses, ops
from gradient_entries import TAILS, Entry, Shape, entry, fixed
from op_cases.products import ACTIVATIONS, MATMUL
from op_cases.reductions import REDUCE
from op_cases.table import Domain, Maker, draw, internal, labels, normal, probabilities, unit
from references import (
    categorical_cross_entropy,
    clipped_bce,
    log_softmax,
    log_softmax_grad,
    one_hot,
    picked,
    sigmoid_cross_entropy,
    softmax,
    softmax_grad,
    variance,
)

Forms = Iterator[Entry]

# ---- reductions ---------------------------------------------------------------------------------

REDUCED: list[Shape] = [(), (1,), (5,), (33,), (1, 1), (3, 5), (3, 21), (40, 3), (2, 3, 4)]
REDUCED += [(2, 1, 3), (2, 3, 2, 2), (0,), (0, 3), (3, 0), (2, 0, 3)]
# The others have no value for no elements, and say so.
TOTALS = {"sum", "prod"}


def axis_sets(rank: int) -> Iterator[Any]:
    """None, each axis, and every set of several, counted from the end in part."""
    yield None
    for count in range(1, rank + 1):
        for chosen in combinations(range(rank), count):
            axes = chosen if sum(chosen) % 2 else tuple(a - rank for a in chosen)
            yield axes[0] if count == 1 else axes


def reductions() -> Iterator[tuple[str, Shape, Any]]:
    """Name, shape and axes of everything that is reduced, also where that is an error."""
    for name, _, _ in REDUCE:
        for shape in REDUCED:
            for axis in axis_sets(len(shape)):
                yield name, shape, axis


def is_defined(name: str, shape: Shape, axis: Any) -> bool:
    """Each result has at least one element to come from."""
    return name in TOTALS or bool(np.all(np.sum(np.ones(shape), axis=axis) > 0))


def reduce_forms() -> Forms:
    table = {name: (reference, domain) for name, reference, domain in REDUCE}
    for name, shape, axis in reductions():
        if not is_defined(name, shape, axis):
            continue
        reference, domain = table[name]
        function = getattr(ops, name)
        for keep in (False, True):
            options = {"axis": axis, "keepdims": keep}
            yield entry(
                name,
                f"{shape} axis {axis} keepdims {keep}",
                draw(domain(*shape)),
                lambda x, f=function, o=options: f(x, **o),
                lambda x, f=reference, o=options: f(x, **o),
            )
    for ddof in (1, 0.5, 2):
        for axis in (0, 1, None):
            yield entry(
                "var",
                f"ddof {ddof} axis {axis}",
                draw(normal(4, 3)),
                lambda x, a=axis, d=ddof: ops.var(x, axis=a, ddof=d),
                lambda x, a=axis, d=ddof: variance(x, axis=a, ddof=d),
            )
    for axis in (0, 1, None):
        yield entry(
            "var",
            f"std axis {axis}",
            draw(normal(4, 3)),
            lambda x, a=axis: ops.std(x, axis=a),
            lambda x, a=axis: np.sqrt(variance(x, axis=a)),
        )


# ---- linear algebra -----------------------------------------------------------------------------

PRODUCTS: list[tuple[Shape, Shape]] = [(a, b) for a, b, _ in MATMUL]
PRODUCTS += [((1, n), (n, 1)) for (n,) in TAILS]
PRODUCTS += [((n, 2), (2, 3)) for (n,) in TAILS]
PRODUCTS += [((2, 3), (3, n)) for (n,) in TAILS]
PRODUCTS += [
    ((1,), (1,)),
    ((1, 1), (1, 1)),
    ((1, 1), (1,)),
    ((0,), (0,)),
    ((0, 3), (3, 2)),
    ((2, 0), (0, 3)),
    ((2, 3), (3, 0)),
    ((0, 3), (3,)),
    ((2, 0), (0,)),
    ((0, 2, 3), (3, 2)),
    ((2, 0, 3), (2, 3, 2)),
    ((1, 2, 3), (4, 3, 2)),
    ((4, 2, 3), (1, 3, 2)),
    ((2, 1, 2, 3), (3, 3, 2)),
    ((3,), (2, 3, 4)),
    ((2, 4, 3), (3,)),
    ((5, 7), (7, 9)),
    ((9, 17), (17, 5)),
]


def matmul_forms() -> Forms:
    for a, b in PRODUCTS:
        inputs = draw(normal(*a), normal(*b))
        yield entry("matmul", f"{a} @ {b}", inputs, ops.matmul, np.matmul, (0, 1))
    for shape in [(3, 3), (1, 1), (5,), (2, 3, 3), (0, 0)]:
        yield entry(
            "matmul",
            f"x @ x {shape}",
            draw(normal(*shape)),
            lambda x: ops.matmul(x, x),
            lambda x: x @ x,
        )
    for ta in (False, True):
        for tb in (False, True):
            for batch_a, batch_b in [((), ()), ((2,), ()), ((), (2,)), ((2, 1), (3,)), ((0,), ())]:
                a = (*batch_a, *((3, 2) if ta else (2, 3)))
                b = (*batch_b, *((4, 3) if tb else (3, 4)))
                yield entry(
                    "matmul",
                    f"{a} transposed {ta} @ {b} transposed {tb}",
                    draw(normal(*a), normal(*b)),
                    internal("matmul", transpose_a=ta, transpose_b=tb),
                    lambda x, y, ta=ta, tb=tb: turned(x, ta) @ turned(y, tb),
                    (0, 1),
                )


def turned(x: Any, transposed: bool) -> Any:
    return np.swapaxes(x, -1, -2) if transposed else x


def odd_quarters(*shape: int) -> Maker:
    """Sums of an odd number of products of these are at least 1/16 from zero, a kink of relu.

    They are small, so that no sigmoid or tanh of such a sum saturates.
    """
    return lambda rng: (2 * rng.integers(-2, 2, size=shape) + 1) / 4.0


def eighths(*shape: int) -> Maker:
    """Added to such a sum, these leave it away from zero."""
    return lambda rng: rng.integers(-4, 5, size=shape) / 8.0


DENSE: list[tuple[Shape, int]] = [((3,), 4), ((1,), 1), ((1, 1), 1), ((6, 5), 3), ((2, 3, 3), 4)]
DENSE += [((0, 3), 2), ((2, 3), 0), ((2, 0, 3), 2), ((4, 17), 33), ((2, 2, 1, 3), 2)]
DENSE += [((2, 3), n) for (n,) in TAILS[::2]] + [((n, 3), 2) for (n,) in TAILS[1::2]]


def dense_forms() -> Forms:
    for activation, reference in ACTIVATIONS.items():
        for shape, units in DENSE:
            parts = [odd_quarters(*shape), odd_quarters(shape[-1], units)]
            yield entry(
                "dense",
                f"{activation} {shape} to {units}",
                draw(*parts, eighths(units)),
                lambda x, w, b, a=activation: ops.dense(x, w, b, a),
                lambda x, w, b, f=reference: f(x @ w + b),
                (0, 1, 2),
            )
            yield entry(
                "dense",
                f"{activation} {shape} to {units} without bias",
                draw(*parts),
                lambda x, w, a=activation: ops.dense(x, w, None, a),
                lambda x, w, f=reference: f(x @ w),
                (0, 1),
            )


# ---- rows: softmax and the losses ---------------------------------------------------------------


def softmax_forms() -> Forms:
    shapes: list[Shape] = [(1,), (1, 1), (4, 11), (2, 3, 4), (2, 3, 2, 2), (0,), (0, 3)]
    shapes += [(3, 0), (2, 0, 3), *TAILS]
    for shape in shapes:
        for axis in range(-1, len(shape)):
            # NumPy has no largest element of an empty row.
            defined = shape[axis] > 0
            for name, function, reference in [
                ("softmax", ops.softmax, softmax),
                ("log_softmax", ops.log_softmax, log_softmax),
            ]:
                yield entry(
                    name,
                    f"{shape} axis {axis}",
                    draw(normal(*shape)),
                    lambda x, f=function, a=axis: f(x, axis=a),
                    (lambda x, f=reference, a=axis: f(x, a)) if defined else None,
                )
            for name, gradient in [
                ("softmax_grad", softmax_grad),
                ("log_softmax_grad", log_softmax_grad),
            ]:
                yield entry(
                    name,
                    f"{shape} axis {axis}",
                    draw(normal(*shape), unit(*shape)),
                    internal(name, axes=(axis,)),
                    lambda dy, y, f=gradient, a=axis: f(dy, y, a),
                    (0, 1),
                )


LOSSES: list[tuple[str, str, dict[str, Any], Callable[..., Any], Domain, Domain]] = [
    (
        "mean_squared_error",
        "MeanSquaredError",
        {},
        lambda t, p: np.mean((p - t) ** 2, axis=-1),
        normal,
        normal,
    ),
    (
        "binary_cross_entropy",
        "BinaryCrossentropy",
        {},
        lambda t, p: np.mean(clipped_bce(p, t), axis=-1),
        unit,
        unit,
    ),
    (
        "sigmoid_cross_entropy",
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.25},
        lambda t, z: np.mean(sigmoid_cross_entropy(z, t * 0.75 + 0.125), axis=-1),
        unit,
        normal,
    ),
    (
        "categorical_cross_entropy",
        "CategoricalCrossentropy",
        {},
        lambda t, p: categorical_cross_entropy(p, t),
        probabilities,
        unit,
    ),
    (
        "softmax_cross_entropy",
        "CategoricalCrossentropy",
        {"from_logits": True},
        lambda t, z: -np.sum(t * log_softmax(z), axis=-1),
        probabilities,
        normal,
    ),
    (
        "sparse_categorical_cross_entropy",
        "SparseCategoricalCrossentropy",
        {},
        lambda y, p: categorical_cross_entropy(p, one_hot(y, p.shape[-1])),
        labels,
        unit,
    ),
    (
        "sparse_softmax_cross_entropy",
        "SparseCategoricalCrossentropy",
        {"from_logits": True},
        lambda y, z: -picked(log_softmax(z), y),
        labels,
        normal,
    ),
]
REDUCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "sum_over_batch_size": lambda v, w: np.sum(v * w) / v.size,
    "mean": lambda v, w: np.sum(v * w) / v.size,
    "sum": lambda v, w: np.sum(v * w),
    "mean_with_sample_weight": lambda v, w: np.sum(v * w) / np.sum(w),
    "none": lambda v, w: v * w,
}


def loss_forms() -> Forms:
    """The public losses in their predictions: every reduction, with and without weights."""
    for op, name, options, values, target, domain in LOSSES:
        for reduction, reduced in REDUCTIONS.items():
            loss = getattr(losses, name)(reduction=reduction, **options)
            for shape in [(6, 4), (1, 3), (2, 3, 5)]:
                for weighted in (False, True):
                    yield entry(
                        op,
                        f"{name} {reduction} {shape} weights {weighted}",
                        draw(domain(*shape), target(*shape), unit(*shape[:-1])),
                        lambda p, t, w, f=loss, u=weighted: f(t, p, w if u else None),
                        lambda p, t, w, f=values, r=reduced, u=weighted: r(
                            f(t, p), w if u else np.ones(w.shape)
                        ),
                    )


def dropout_forms() -> Forms:
    """Linear in x, with a mask that is a function of place: differences see the mask."""
    for rate in (0.0, 0.3, 0.9, 1.0):
        for shape in [(1,), (17,), (1, 1), (4, 5), (2, 3, 4), (0,), (0, 3), (3, 0)]:
            for position in [(0, 0), (3, 128)]:
                yield entry(
                    "dropout",
                    f"rate {rate} {shape} at {position}",
                    fixed(normal(*shape), position),
                    lambda x, p, r=rate: ops.dropout(x, p, r, seed=1, stream=2),
                    None,
                )


FORMS = [reduce_forms, matmul_forms, dense_forms, softmax_forms, loss_forms, dropout_forms]
