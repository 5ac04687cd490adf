"""The op case table: one row an op, which drives every check and the benchmarks.

``CASES`` has at least one row for each name in the core's op table (``test_registry.py`` counts
them). A row says how to call the op, on which inputs, and what NumPy in float64 makes of them; the
domain of the inputs (positive for ``log``, away from kinks for ``relu``) belongs to the row.

References of differentiable ops take complex numbers and branch on real parts (``references.py``):
``gradient_matrix.py`` differentiates them by complex step. It calls a row on its own inputs, and a
row with ``domains`` on operands of many other shapes as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fusegrad import ops
from fusegrad._tensor import apply, as_tensor
from references import (
    categorical_cross_entropy,
    clipped_bce,
    elu,
    erf,
    erfc,
    gelu,
    gelu_slope,
    largest,
    log_softmax,
    log_softmax_grad,
    logsumexp,
    magnitude,
    one_hot,
    picked,
    rmsprop_update,
    sigmoid,
    sigmoid_cross_entropy,
    silu,
    silu_slope,
    slice_grad,
    smallest,
    softmax,
    softmax_grad,
    softplus,
    take_grad,
    variance,
)

Inputs = tuple[Any, ...]
RNG = np.random.Generator
Maker = Callable[[RNG], np.ndarray]
Domain = Callable[..., Maker]  # of a shape


@dataclass(frozen=True)
class OpCase:
    """One op, one way to use it."""

    op: str
    call: Callable[..., Any]
    inputs: Callable[[RNG], Inputs]
    reference: Callable[..., Any]
    grad: tuple[int, ...] = ()  # inputs that get a gradient
    label: str = ""
    rtol32: float = (
        1e-6  # forward, float32 against float64 on the same inputs, of the largest value
    )
    rtol64: float = 1e-13
    second: bool = True  # the gradient is differentiable again
    domains: tuple[Domain, ...] = ()  # of each operand, where the call takes any shape
    shapes: str = (
        "same"  # those of `domains`: "same", "broadcast", or "rows": each is told (..., n)
    )
    analytic: bool = True  # the reference takes complex numbers
    bad: tuple[tuple[Callable[[], Any], str], ...] = ()  # calls that fail, words of their message
    bench: tuple[tuple[int, ...], ...] = ()  # shapes of the first input in benchmarks
    float_inputs: tuple[int, ...] | None = None  # which inputs take the tested dtype; None: floats

    @property
    def id(self) -> str:
        return f"{self.op}-{self.label}" if self.label else self.op


CASES: list[OpCase] = []


def case(op: str, call: Any, inputs: Any, reference: Any, **options: Any) -> None:
    CASES.append(OpCase(op, call, inputs, reference, **options))


def normal(*shape: int) -> Maker:
    return lambda rng: rng.normal(size=shape)


def positive(*shape: int) -> Maker:
    return lambda rng: rng.uniform(0.3, 3.0, size=shape)


def away_from_zero(*shape: int) -> Maker:
    return lambda rng: rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.2, 2.0, size=shape)


def distinct(*shape: int) -> Maker:
    """No two elements closer than a finite difference can tell apart."""
    return lambda rng: rng.permutation(int(np.prod(shape))).reshape(shape) / 3.0 - 2.0


def probabilities(*shape: int) -> Maker:
    return lambda rng: softmax(rng.normal(size=shape))


def unit(*shape: int) -> Maker:
    return lambda rng: rng.uniform(0.05, 0.95, size=shape)


def distinct_too(*shape: int) -> Maker:
    """As `distinct`, and far from everything in it."""
    return lambda rng: rng.permutation(int(np.prod(shape))).reshape(shape) / 3.0 - 1.85


def inside_or_outside(*shape: int) -> Maker:
    """Not near -0.7 or 0.9, where `clip` has its kinks."""
    return lambda rng: rng.choice([-3.0, -0.75, -0.2, 0.1, 0.85, 2.0], size=shape)


def ints(high: int, *shape: int) -> Maker:
    return lambda rng: rng.integers(0, high, size=shape)


def bools(*shape: int) -> Maker:
    return lambda rng: rng.integers(0, 2, size=shape).astype(bool)


def labels(*shape: int) -> Maker:
    """A class for each row of an array (..., classes)."""
    return ints(shape[-1], *shape[:-1])


def row_values(*shape: int) -> Maker:
    """A number for each row of an array (..., n)."""
    return normal(*shape[:-1])


def scalar(value: float) -> Maker:
    return lambda rng: np.asarray(value)


def draw(*makers: Callable[[RNG], Any]) -> Callable[[RNG], Inputs]:
    return lambda rng: tuple(make(rng) for make in makers)


def internal(name: str, **attrs: Any) -> Callable[..., Any]:
    """Call an op that has no public function: gradients and optimizer updates."""
    return lambda *inputs: apply(name, inputs, **attrs)


def int_array(*shape: int) -> np.ndarray:
    return np.zeros(shape, np.int64)


F32 = np.float32
BENCH = ((32, 25), (32, 784), (512, 512))

# ---- elementwise, one operand -----------------------------------------------------------------

UNARY: list[tuple[str, Callable[..., Any], Callable[..., Any], tuple[int, ...]]] = [
    ("negative", np.negative, normal, (0,)),
    ("abs", magnitude, away_from_zero, (0,)),
    ("square", np.square, normal, (0,)),
    ("sqrt", np.sqrt, positive, (0,)),
    ("reciprocal", lambda x: 1.0 / x, away_from_zero, (0,)),
    ("exp", np.exp, normal, (0,)),
    ("expm1", np.expm1, normal, (0,)),
    ("log", np.log, positive, (0,)),
    ("log1p", np.log1p, positive, (0,)),
    ("tanh", np.tanh, normal, (0,)),
    ("sigmoid", sigmoid, normal, (0,)),
    ("log_sigmoid", lambda x: -softplus(-x), normal, (0,)),
    ("softplus", softplus, normal, (0,)),
    ("erf", erf, normal, (0,)),
    ("erfc", erfc, normal, (0,)),
    ("silu", silu, normal, (0,)),
    ("gelu", gelu, normal, (0,)),
    ("relu", lambda x: np.maximum(x, 0), away_from_zero, (0,)),
    ("sign", np.sign, away_from_zero, ()),
    ("identity", lambda x: x, normal, (0,)),
]
NEEDS_FLOAT = {
    "sqrt", "reciprocal", "exp", "expm1", "log", "log1p", "tanh", "sigmoid", "log_sigmoid",
    "softplus",
}  # fmt: skip
for _name, _reference, _domain, _grad in UNARY:
    _function = getattr(ops, _name)
    case(
        _name,
        _function,
        draw(_domain(3, 5)),
        _reference,
        grad=_grad,
        bench=BENCH,
        domains=(_domain,),
    )
    case(_name, _function, draw(_domain()), _reference, grad=_grad, label="0d")
    case(_name, _function, draw(_domain(2, 67)), _reference, grad=_grad, label="tail")

case(
    "log_sigmoid",
    internal("log_sigmoid", flag=True),
    draw(normal(3, 5)),
    lambda x: -softplus(x),
    grad=(0,),
    label="complement",
    domains=(normal,),
)
case(
    "leaky_relu",
    lambda x: ops.leaky_relu(x, 0.1),
    draw(away_from_zero(3, 5)),
    lambda x: np.where(np.real(x) > 0, x, 0.1 * x),
    grad=(0,),
    bench=BENCH,
    domains=(away_from_zero,),
)
case(
    "elu",
    lambda x: ops.elu(x, 0.7),
    draw(away_from_zero(3, 5)),
    lambda x: elu(x, 0.7),
    grad=(0,),
    bad=(
        (lambda: ops.elu(np.ones(2, F32), -1.0), "alpha"),
        (lambda: ops.elu(np.ones(2, F32), float("nan")), "alpha"),
    ),
    bench=BENCH,
    domains=(away_from_zero,),
)
case(
    "clip",
    lambda x: ops.clip(x, -0.7, 0.9),
    draw(lambda rng: np.array([-3.0, -0.75, -0.2, 0.1, 0.85, 2.0])),
    lambda x: np.clip(x, -0.7, 0.9),
    grad=(0,),
    domains=(inside_or_outside,),
    bad=((lambda: ops.clip(np.ones(2, F32), 1.0, -1.0), "x_m"),),
)
case(
    "cast",
    lambda x: ops.cast(x, "float64"),
    draw(normal(4)),
    lambda x: x,
    grad=(0,),
    domains=(normal,),
)
case("logical_not", ops.logical_not, draw(bools(7)), np.logical_not)

# ---- elementwise, two or three operands ---------------------------------------------------------

SHAPES_2 = [
    ((3, 5), (3, 5), ""),
    ((3, 5), (5,), "row"),
    ((4, 1), (1, 6), "outer"),
    ((2, 3), (), "0d"),
]
BINARY = [
    ("add", np.add, normal, normal),
    ("subtract", np.subtract, normal, normal),
    ("multiply", np.multiply, normal, normal),
    ("divide", np.divide, normal, away_from_zero),
    ("power", np.power, positive, normal),
]
for _name, _reference, _left, _right in BINARY:
    for _a, _b, _label in SHAPES_2:
        _function = getattr(ops, _name)
        case(
            _name,
            _function,
            draw(_left(*_a), _right(*_b)),
            _reference,
            grad=(0, 1),
            label=_label,
            bench=BENCH if not _label else (),
            bad=((lambda f=_function: f(np.ones((2, 3), F32), np.ones((4,), F32)), "shape"),),
            domains=() if _label else (_left, _right),
            shapes="broadcast",
        )
for _exponent in (0.0, 1.0, 2.0, 3.0, -1.0, 0.5, 2.5):
    case(
        "power",
        lambda x, p=_exponent: ops.power(x, p),
        draw(positive(3, 5)),
        lambda x, p=_exponent: x**p,
        grad=(0,),
        label=f"exponent{_exponent}",
        domains=(positive,),
    )
for _name, _reference in [("maximum", np.maximum), ("minimum", np.minimum)]:
    case(
        _name,
        getattr(ops, _name),
        draw(distinct(3, 4), distinct_too(3, 4)),
        _reference,
        grad=(0, 1),
        bench=BENCH,
        domains=(distinct, distinct_too),
        shapes="broadcast",
    )
for _name in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]:
    case(_name, getattr(ops, _name), draw(ints(3, 4, 5), ints(3, 4, 5)), getattr(np, _name))
    case(
        _name,
        getattr(ops, _name),
        draw(
            lambda rng: np.array([1.0, np.nan, 2.0, -0.0]),
            lambda rng: np.array([1.0, 1.0, 3.0, 0.0]),
        ),
        getattr(np, _name),
        label="nan",
    )
for _name in ["logical_and", "logical_or"]:
    case(_name, getattr(ops, _name), draw(bools(9), bools(9)), getattr(np, _name))
case(
    "where",
    ops.where,
    draw(bools(3, 5), normal(3, 5), normal(5)),
    np.where,
    grad=(1, 2),
    domains=(bools, normal, normal),
    shapes="broadcast",
)
case(
    "where", ops.where, draw(bools(3, 1), normal(), normal(3, 4)), np.where, grad=(1, 2), label="0d"
)

case(
    "relu_grad",
    internal("relu_grad"),
    draw(normal(3, 5), away_from_zero(3, 5)),
    lambda dy, y: np.where(np.real(y) > 0, dy, 0),
    grad=(0,),
    domains=(normal, away_from_zero),
    shapes="broadcast",
)
case(
    "leaky_relu_grad",
    internal("leaky_relu_grad", scalars=(0.3,)),
    draw(normal(3, 5), away_from_zero(3, 5)),
    lambda dy, y: np.where(np.real(y) > 0, dy, 0.3 * dy),
    grad=(0,),
    domains=(normal, away_from_zero),
    shapes="broadcast",
)
case(
    "sigmoid_grad",
    internal("sigmoid_grad"),
    draw(normal(3, 5), unit(3, 5)),
    lambda d, y: d * y * (1 - y),
    grad=(0, 1),
    domains=(normal, unit),
    shapes="broadcast",
)
case(
    "tanh_grad",
    internal("tanh_grad"),
    draw(normal(3, 5), unit(3, 5)),
    lambda d, y: d * (1 - y * y),
    grad=(0, 1),
    domains=(normal, unit),
    shapes="broadcast",
)

for _name, _slope in (
    ("silu_grad", silu_slope),
    ("gelu_grad", gelu_slope),
    ("erf_grad", lambda x: 2 / np.sqrt(np.pi) * np.exp(-x * x)),
):
    case(
        _name,
        internal(_name),
        draw(normal(3, 5), normal(3, 5)),
        lambda d, x, f=_slope: d * f(x),
        grad=(0, 1),
        domains=(normal, normal),
        shapes="broadcast",
    )

# ---- reductions ---------------------------------------------------------------------------------

REDUCE: list[tuple[str, Callable[..., Any], Callable[..., Any]]] = [
    ("sum", np.sum, normal),
    ("mean", np.mean, normal),
    ("var", variance, normal),
    ("max", largest, distinct),
    ("min", smallest, distinct),
    ("logsumexp", logsumexp, normal),
]
AXES: list[tuple[tuple[int, ...], Any, bool, str]] = [
    ((3, 5), None, False, ""),
    ((3, 5), 0, False, "axis0"),
    ((3, 21), -1, True, "keepdims"),
    ((2, 3, 4), (0, 2), False, "axes"),
    ((40, 3), 0, False, "long"),
]
for _name, _reference, _domain in REDUCE:
    for _shape, _axis, _keep, _label in AXES:
        _function = getattr(ops, _name)
        case(
            _name,
            lambda x, f=_function, a=_axis, k=_keep: f(x, axis=a, keepdims=k),
            draw(_domain(*_shape)),
            lambda x, f=_reference, a=_axis, k=_keep: f(x, axis=a, keepdims=k),
            grad=(0,),
            label=_label,
            bench=BENCH if not _label else (),
            bad=((lambda f=_function: f(np.ones((2, 3), F32), axis=2), "axis"),),
        )
case(
    "var",
    lambda x: ops.var(x, axis=0, ddof=1),
    draw(normal(4, 3)),
    lambda x: variance(x, axis=0, ddof=1),
    grad=(0,),
    label="ddof",
    bad=((lambda: ops.var(np.ones((1, 3), F32), axis=0, ddof=1), "ddof"),),
)
for _name in ["argmax", "argmin"]:
    _function, _reference = getattr(ops, _name), getattr(np, _name)
    for _axis in (None, 0, 1):
        case(
            _name,
            lambda x, f=_function, a=_axis: f(x, axis=a),
            draw(distinct(4, 6)),
            lambda x, f=_reference, a=_axis: f(x, axis=a),
            label=f"axis{_axis}",
            bad=((lambda f=_function: f(np.ones((0, 3), F32), axis=0), "empty|zero|at least"),),
        )

# ---- shapes and indices -------------------------------------------------------------------------

case(
    "reshape",
    lambda x: ops.reshape(x, (5, -1)),
    draw(normal(3, 10)),
    lambda x: x.reshape(5, 6),
    grad=(0,),
    bad=((lambda: ops.reshape(np.ones((2, 3), F32), (4, 2)), "shape"),),
)
case("transpose", ops.transpose, draw(normal(3, 5)), np.transpose, grad=(0,))
case(
    "transpose",
    lambda x: ops.transpose(x, (2, 0, 1)),
    draw(normal(2, 3, 4)),
    lambda x: np.transpose(x, (2, 0, 1)),
    grad=(0,),
    label="axes",
    bad=((lambda: ops.transpose(np.ones((2, 3), F32), (0, 0)), "axes"),),
)
case(
    "broadcast_to",
    lambda x: ops.broadcast_to(x, (4, 3, 5)),
    draw(normal(3, 1)),
    lambda x: np.broadcast_to(x, (4, 3, 5)),
    grad=(0,),
    bad=((lambda: ops.broadcast_to(np.ones((2, 3), F32), (4, 4)), "shape"),),
)
case(
    "concatenate",
    lambda a, b: ops.concatenate((a, b), axis=1),
    draw(normal(3, 2), normal(3, 4)),
    lambda a, b: np.concatenate((a, b), axis=1),
    grad=(0, 1),
    bad=((lambda: ops.concatenate((np.ones((2, 3), F32), np.ones((3, 3), F32)), axis=1), "shape"),),
)
case(
    "stack",
    lambda a, b: ops.stack((a, b), axis=-1),
    draw(normal(3, 2), normal(3, 2)),
    lambda a, b: np.stack((a, b), axis=-1),
    grad=(0, 1),
)
case(
    "slice", lambda x: as_tensor(x)[1:, ::-2], draw(normal(4, 7)), lambda x: x[1:, ::-2], grad=(0,)
)
case("slice", lambda x: as_tensor(x)[2], draw(normal(4, 7)), lambda x: x[2], grad=(0,), label="row")
case(
    "slice_grad",
    internal("slice_grad", shape=(4, 5), start=(1, 0), step=(2, 1)),
    draw(normal(2, 3)),
    lambda g: slice_grad(g, (4, 5), (1, 0), (2, 1)),
    grad=(0,),
)
case(
    "take",
    lambda x, i: ops.take(x, i, axis=1),
    draw(normal(3, 6), lambda rng: np.array([5, 0, 0, -2])),
    lambda x, i: np.take(x, i, axis=1),
    grad=(0,),
    bad=((lambda: ops.take(np.ones((2, 3), F32), np.array([3]), axis=1), "indices"),),
)
case(
    "take_grad",
    internal("take_grad", shape=(3, 6), axes=(1,)),
    draw(normal(3, 4), lambda rng: np.array([5, 0, 0, 2])),
    lambda g, i: take_grad(g, i, (3, 6), 1),
    grad=(0,),
)
case(
    "one_hot",
    lambda i: ops.one_hot(i, 4, "float64"),
    draw(ints(4, 5)),
    lambda i: one_hot(i, 4),
)

# ---- linear algebra -----------------------------------------------------------------------------

MATMUL: list[tuple[tuple[int, ...], tuple[int, ...], str]] = [
    ((3, 4), (4, 5), ""),
    ((4,), (4,), "dot"),
    ((3, 4), (4,), "matvec"),
    ((4,), (4, 5), "vecmat"),
    ((2, 3, 4), (4, 5), "batch"),
    ((2, 1, 3, 4), (5, 4, 2), "broadcast"),
    ((3, 4), (2, 4, 5), "batch-right"),
]
for _a, _b, _label in MATMUL:
    case(
        "matmul",
        ops.matmul,
        draw(normal(*_a), normal(*_b)),
        np.matmul,
        grad=(0, 1),
        label=_label,
        bench=((32, 784), (128, 512), (512, 512)) if not _label else (),
        bad=((lambda: ops.matmul(np.ones((2, 3), F32), np.ones((2, 3), F32)), "3"),),
    )
case(
    "matmul", ops.matmul, draw(normal(33, 300), normal(300, 17)), np.matmul, grad=(), label="blocks"
)
case(
    "matmul",
    internal("matmul", transpose_a=True, transpose_b=True),
    draw(normal(4, 3), normal(5, 4)),
    lambda a, b: a.T @ b.T,
    grad=(0, 1),
    label="transposed",
)
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(np.real(z) > 0, z, 0.2 * z),
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "softplus": softplus,
}
for _activation, _reference in ACTIVATIONS.items():
    case(
        "dense",
        lambda x, w, b, a=_activation: ops.dense(x, w, b, a),
        draw(normal(6, 4), normal(4, 3), normal(3)),
        lambda x, w, b, f=_reference: f(x @ w + b),
        grad=(0, 1, 2),
        label=_activation,
        bench=((32, 784),) if _activation == "relu" else (),
        bad=(
            (
                lambda: ops.dense(np.ones((2, 3), F32), np.ones((4, 5), F32), np.ones(5, F32)),
                "kernel|3",
            ),
        ),
    )
case(
    "dense",
    ops.dense,
    draw(normal(2, 3, 4), normal(4, 5)),
    lambda x, w: x @ w,
    grad=(0, 1),
    label="nobias",
)

# ---- rows: softmax and the losses ---------------------------------------------------------------

for _axis in (-1, 0):
    case(
        "softmax",
        lambda x, a=_axis: ops.softmax(x, axis=a),
        draw(normal(4, 11)),
        lambda x, a=_axis: softmax(x, a),
        grad=(0,),
        label=f"axis{_axis}",
        bench=((32, 10), (128, 1000)) if _axis == -1 else (),
    )
    case(
        "log_softmax",
        lambda x, a=_axis: ops.log_softmax(x, axis=a),
        draw(normal(4, 11)),
        lambda x, a=_axis: log_softmax(x, a),
        grad=(0,),
        label=f"axis{_axis}",
    )
case(
    "softmax_grad",
    internal("softmax_grad", axes=(1,)),
    draw(normal(4, 5), probabilities(4, 5)),
    softmax_grad,
    grad=(0, 1),
)
case(
    "log_softmax_grad",
    internal("log_softmax_grad", axes=(1,)),
    draw(normal(4, 5), lambda rng: np.log(softmax(rng.normal(size=(4, 5))))),
    log_softmax_grad,
    grad=(0, 1),
)
case(
    "sparse_softmax_cross_entropy",
    lambda z, y: ops.sparse_softmax_cross_entropy(y, z),
    draw(normal(6, 10), ints(10, 6)),
    lambda z, y: -picked(log_softmax(z), y),
    grad=(0,),
    domains=(normal, labels),
    shapes="rows",
    bench=((32, 10), (128, 1000)),
    bad=(
        (
            lambda: ops.sparse_softmax_cross_entropy(np.array([3]), np.ones((1, 3), F32)),
            r"\[0, 3\)",
        ),
        (
            lambda: ops.sparse_softmax_cross_entropy(np.array([-1]), np.ones((1, 3), F32)),
            r"\[0, 3\)",
        ),
        (
            lambda: ops.sparse_softmax_cross_entropy(np.array([1, 1]), np.ones((1, 3), F32)),
            "labels",
        ),
    ),
)
case(
    "sparse_softmax_cross_entropy_grad",
    internal("sparse_softmax_cross_entropy_grad"),
    draw(normal(6, 10), ints(10, 6), normal(6)),
    lambda z, y, g: (softmax(z) - one_hot(y, z.shape[-1])) * g[..., None],
    grad=(0, 2),
    domains=(normal, labels, row_values),
    shapes="rows",
    rtol64=1e-12,
)
case(
    "sparse_softmax_cross_entropy_with_grad",
    internal("sparse_softmax_cross_entropy_with_grad"),
    draw(normal(6, 10), ints(10, 6), normal(6)),
    lambda z, y, g: (
        (softmax(z) - one_hot(y, z.shape[-1])) * g[..., None],
        -np.take_along_axis(log_softmax(z), y[..., None], axis=-1)[..., 0],
    ),
    rtol64=1e-12,
)
case(
    "softmax_cross_entropy",
    lambda z, t: ops.softmax_cross_entropy(t, z),
    draw(normal(6, 10), probabilities(6, 10)),
    lambda z, t: -np.sum(t * log_softmax(z), axis=-1),
    grad=(0, 1),
    domains=(normal, probabilities),
    shapes="rows",
    bad=(
        (lambda: ops.softmax_cross_entropy(np.ones((1, 4), F32), np.ones((1, 3), F32)), "labels"),
    ),
)
case(
    "softmax_cross_entropy_grad",
    internal("softmax_cross_entropy_grad"),
    draw(normal(6, 10), probabilities(6, 10), normal(6)),
    lambda z, t, g: (softmax(z) * np.sum(t, axis=-1, keepdims=True) - t) * g[..., None],
    grad=(0, 1, 2),
    domains=(normal, probabilities, row_values),
    shapes="rows",
    rtol64=1e-12,
)
case(
    "softmax_cross_entropy_with_grad",
    internal("softmax_cross_entropy_with_grad"),
    draw(normal(6, 10), probabilities(6, 10), normal(6)),
    lambda z, t, g: (
        (softmax(z) * np.sum(t, axis=-1, keepdims=True) - t) * g[..., None],
        -np.sum(t * log_softmax(z), axis=-1),
    ),
    rtol64=1e-12,
)
case(
    "sigmoid_cross_entropy",
    lambda z, t: ops.sigmoid_cross_entropy(t, z),
    draw(normal(6, 3), unit(6, 3)),
    sigmoid_cross_entropy,
    grad=(0, 1),
    domains=(normal, unit),
    bench=((32, 10),),
    bad=(
        (lambda: ops.sigmoid_cross_entropy(np.ones((4, 1), F32), np.ones((4, 3), F32)), "labels"),
    ),
)
case(
    "sigmoid_cross_entropy_grad",
    internal("sigmoid_cross_entropy_grad"),
    draw(normal(6, 3), unit(6, 3), normal(6, 3)),
    lambda z, t, g: (sigmoid(z) - t) * g,
    grad=(0, 1, 2),
    domains=(normal, unit, normal),
    rtol64=1e-12,
)
case(
    "sigmoid_cross_entropy_with_grad",
    internal("sigmoid_cross_entropy_with_grad"),
    draw(normal(6, 3), unit(6, 3), normal(6, 3)),
    lambda z, t, g: ((sigmoid(z) - t) * g, sigmoid_cross_entropy(z, t)),
    rtol64=1e-12,
)
case(
    "categorical_cross_entropy",
    lambda p, t: ops.categorical_cross_entropy(t, p),
    draw(unit(6, 4), probabilities(6, 4)),
    categorical_cross_entropy,
    grad=(0, 1),
    domains=(unit, probabilities),
    shapes="rows",
)
case(
    "sparse_categorical_cross_entropy",
    lambda p, y: ops.sparse_categorical_cross_entropy(y, p),
    draw(unit(6, 4), ints(4, 6)),
    lambda p, y: categorical_cross_entropy(p, one_hot(y, p.shape[-1])),
    grad=(0,),
    domains=(unit, labels),
    shapes="rows",
)
case(
    "binary_cross_entropy",
    lambda p, t: ops.binary_cross_entropy(t, p),
    draw(unit(6, 4), unit(6, 4)),
    clipped_bce,
    grad=(0, 1),
    domains=(unit, unit),
)
case(
    "mean_squared_error",
    lambda p, t: ops.mean_squared_error(t, p),
    draw(normal(6, 4), normal(6, 4)),
    lambda p, t: np.mean((p - t) ** 2, axis=-1),
    grad=(0, 1),
    domains=(normal, normal),
    shapes="rows",
    bad=((lambda: ops.mean_squared_error(np.ones((4,), F32), np.ones((4, 1), F32)), "y_true"),),
)

# ---- random, checked for what is not random about it ---------------------------------------------

case(
    "dropout",
    lambda x, p: ops.dropout(x, p, 0.0, seed=1, stream=2),
    draw(normal(4, 5), lambda rng: np.array([0, 0])),
    lambda x, p: x,
    grad=(0,),
    label="rate0",
)
case(
    "dropout",
    lambda x, p: ops.dropout(x, p, 1.0, seed=1, stream=2),
    draw(normal(4, 5), lambda rng: np.array([0, 0])),
    lambda x, p: np.zeros_like(x),
    label="rate1",
    bad=(
        (
            lambda: ops.dropout(np.ones((2, 2), F32), np.array([0, 0]), 1.5, seed=1, stream=2),
            "rate",
        ),
    ),
)

# ---- optimizer updates --------------------------------------------------------------------------

LR = scalar(0.125)
case(
    "adam_step_size",
    internal("adam_step_size", scalars=(0.9, 0.999)),
    draw(scalar(0.01), lambda rng: np.asarray(6)),
    lambda lr, t: lr * np.sqrt(1 - 0.999 ** (t + 1)) / (1 - 0.9 ** (t + 1)),
    float_inputs=(),
)
for _axes, _label in ((None, ""), ((0,), "axis0"), ((0, 2), "axes")):
    _attrs: dict[str, Any] = {"all_axes": True} if _axes is None else {"axes": _axes}
    case(
        "sum_squares",
        internal("sum_squares", **_attrs),
        draw(normal(3, 21, 2)),
        lambda x, a=_axes: np.sum(np.square(np.float64(x)), axis=a),
        label=_label,
        rtol32=1e-15,  # in float64 also of float32
    )
case(
    "sgd_update",
    internal("sgd_update"),
    draw(normal(3, 5), normal(3, 5), LR),
    lambda w, g, lr: w - lr * g,
    float_inputs=(0, 1),
)
for _nesterov in (False, True):
    case(
        "momentum_update",
        internal("momentum_update", scalars=(0.9,), flag=_nesterov),
        draw(normal(3, 5), normal(3, 5), normal(3, 5), LR),
        lambda w, m, g, lr, n=_nesterov: (
            w + (0.9 * (0.9 * m - lr * g) - lr * g if n else 0.9 * m - lr * g),
            0.9 * m - lr * g,
        ),
        label="nesterov" if _nesterov else "",
        float_inputs=(0, 1, 2),
    )
for _centered in (False, True):
    for _momentum in (0.0, 0.8):
        _state = [normal(3, 5), lambda rng: rng.uniform(2.0, 3.0, size=(3, 5))]
        _state += [normal(3, 5)] * (int(_centered) + int(_momentum > 0))
        case(
            "rmsprop_update",
            internal("rmsprop_update", scalars=(0.9, _momentum, 1e-7, float(_centered))),
            draw(*_state, normal(3, 5), LR),
            lambda *xs, c=_centered, m=_momentum: rmsprop_update(*xs, centered=c, momentum=m),
            label=f"centered{int(_centered)}-momentum{_momentum}",
            float_inputs=tuple(range(len(_state) + 1)),
        )
for _amsgrad in (False, True):
    _state = [normal(3, 5), normal(3, 5), positive(3, 5)] + [positive(3, 5)] * int(_amsgrad)

    def _adam(w: Any, m: Any, v: Any, *rest: Any) -> tuple[Any, ...]:
        *vhat, g, alpha = rest
        m = m + (g - m) * (1 - 0.9)
        v = v + (g * g - v) * (1 - 0.999)
        top = [np.maximum(vhat[0], v)] if vhat else []
        return (w - alpha * m / (np.sqrt(top[0] if top else v) + 1e-7), m, v, *top)

    case(
        "adam_update",
        internal("adam_update", scalars=(0.9, 0.999, 1e-7)),
        draw(*_state, normal(3, 5), LR),
        _adam,
        label="amsgrad" if _amsgrad else "",
        float_inputs=tuple(range(len(_state) + 1)),
    )
