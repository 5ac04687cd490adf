"""NumPy's functions on Tensors: each is held against itself on arrays, its gradient against
differences of that. And what other libraries do with Tensors.
"""

from __future__ import annotations

import io
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import fusegrad as fg
from fusegrad import _numpy_functions, ops
from fusegrad._tensor import Tensor

Array = np.ndarray[Any, Any]
SUPPORTED = frozenset(_numpy_functions.supported())

RNG = np.random.default_rng(8)
X = RNG.permutation(np.linspace(-1.7, 1.9, 6)).reshape(2, 3)  # no two are close, none is 0
Y = RNG.permutation(np.linspace(-1.2, 1.6, 6)).reshape(2, 3)
ROW = np.array([0.4, -0.9, 1.3])
SQUARE = RNG.normal(size=(3, 3)) + 2 * np.eye(3)
POSITIVE = SQUARE @ SQUARE.T + np.eye(3)
PLUS, UNIT = np.abs(X) + 0.3, X / 2.5
TRUE = X > 0


@dataclass(frozen=True)
class Row:
    """A use of one of NumPy's functions."""

    name: str
    call: Callable[..., Any]
    arrays: tuple[Array, ...]
    grad: bool = True
    label: str = ""

    @property
    def id(self) -> str:
        return f"{self.name}-{self.label}" if self.label else self.name


ROWS: list[Row] = []


def row(name: str, call: Any, *arrays: Array, grad: bool = True) -> None:
    number = sum(1 for r in ROWS if r.name == name)
    ROWS.append(Row(name, call, arrays, grad, str(number) if number else ""))


def numpys(name: str) -> Any:
    return operator.attrgetter(name)(np)


def outer(name: str, x: Array, y: Array, **options: Any) -> None:
    row(f"{name}.outer", partial(lambda f, x, y: f.outer(x, y), numpys(name)), x, y, **options)


for elementwise, operand in {
    **dict.fromkeys(["exp", "expm1", "tanh", "square", "negative", "positive"], X),
    **dict.fromkeys(["reciprocal", "abs", "absolute", "fabs", "degrees", "radians"], X),
    **dict.fromkeys(["sin", "cos", "tan", "arctan", "sinh", "cosh", "arcsinh", "exp2"], X),
    **dict.fromkeys(["log", "log1p", "log2", "log10", "sqrt", "cbrt"], PLUS),
    **dict.fromkeys(["arcsin", "arccos", "arctanh", "sinc"], UNIT),
    **dict.fromkeys(["arccosh"], PLUS + 1),
    **dict.fromkeys(["conjugate", "real", "real_if_close", "nan_to_num"], X),
    **dict.fromkeys(["deg2rad", "rad2deg"], X),
}.items():
    row(elementwise, numpys(elementwise), operand)
for stepped in ["sign", "floor", "ceil", "trunc", "rint", "round", "around", "imag"]:
    row(stepped, numpys(stepped), X)
for asked in ["isnan", "isinf", "isfinite", "signbit", "isreal", "iscomplex"]:
    row(asked, numpys(asked), np.array([1.0, np.inf, -np.nan, -2.0]), grad=False)
for pair in ["add", "subtract", "multiply", "divide", "maximum", "minimum", "hypot", "logaddexp"]:
    row(pair, numpys(pair), X, ROW)
    row(pair, partial(lambda f, x: f(x, 2), numpys(pair)), X)
    outer(pair, X, ROW)
for pair in ["arctan2", "copysign", "remainder"]:
    row(pair, numpys(pair), X, ROW)
    row(f"{pair}.outer", lambda x, y, p=pair: numpys(p).outer(x, y), X, ROW)
for pair in ["power", "pow"]:
    row(pair, lambda x, y, p=pair: numpys(p)(x, y), PLUS, ROW)
    row(pair, lambda x, p=pair: numpys(p)(x, 2), X)
row("power.outer", np.power.outer, PLUS, ROW)
for pair in ["floor_divide", "divmod"]:
    row(pair, numpys(pair), X, ROW, grad=False)
    row(pair, numpys(pair), np.array([7, -7, 8]), np.array([2, 2, -3]), grad=False)
outer("floor_divide", X, ROW, grad=False)
for compared in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal"]:
    row(compared, numpys(compared), X, X[0], grad=False)
    row(
        f"{compared}.outer",
        partial(lambda f, x, y: f.outer(x, y), numpys(compared)),
        X,
        ROW,
        grad=False,
    )
for logic in ["logical_and", "logical_or", "logical_xor", "bitwise_and", "bitwise_or"]:
    row(logic, numpys(logic), TRUE, TRUE[0], grad=False)
    row(
        f"{logic}.outer",
        partial(lambda f, x, y: f.outer(x, y), numpys(logic)),
        TRUE,
        TRUE[1],
        grad=False,
    )
row("bitwise_xor", np.bitwise_xor, TRUE, TRUE[0], grad=False)
row("bitwise_xor.outer", np.bitwise_xor.outer, TRUE, TRUE[1], grad=False)
row("invert", np.invert, TRUE, grad=False)
row("logical_not", np.logical_not, TRUE, grad=False)

for reduction in ["sum", "mean", "var", "std", "prod", "max", "min", "amax", "amin", "ptp"]:
    f = numpys(reduction)
    row(reduction, f, X)
    row(reduction, lambda x, f=f: f(x, axis=0), X)
    row(reduction, lambda x, f=f: f(x, -1, keepdims=True), X)
    row(reduction, lambda x, f=f: f(x, (0, 1), None), X)
row("sum", lambda x: np.sum(x, 0, np.float32), X)
row("sum", lambda x: np.sum(x, dtype=np.int32), TRUE, grad=False)
row("mean", lambda x: np.mean(x, dtype=np.float32), np.arange(6), grad=False)
row("std", lambda x: np.std(x, axis=1, ddof=1), X)
row("var", lambda x: np.var(x, 1, None, None, 1), X)
for reduction in ["any", "all", "count_nonzero"]:
    row(reduction, partial(lambda f, x: f(x, axis=1), numpys(reduction)), TRUE, grad=False)
for order in ["median", "average"]:
    row(order, numpys(order), X)
    row(order, partial(lambda f, x: f(x, axis=1), numpys(order)), X)
for order in ["quantile", "percentile"]:
    row(order, partial(lambda f, x: f(x, 0.3, axis=1), numpys(order)), X)
for position in ["argmax", "argmin", "argsort"]:
    row(position, partial(lambda f, x: f(x, axis=1), numpys(position)), X, grad=False)
row("argmax", np.argmax, X, grad=False)
for along in ["cumsum", "cumprod", "diff", "sort"]:
    row(along, partial(lambda f, x: f(x, axis=1), numpys(along)), X)
for along in ["cumulative_sum", "cumulative_prod"]:  # of NumPy 2.1
    row(along, partial(lambda n, x: numpys(n)(x, axis=1), along), X)
for name in ["add.reduce", "multiply.reduce", "maximum.reduce", "minimum.reduce"]:
    row(name, numpys(name), X)
    row(name, partial(lambda f, x: f(x, axis=1, keepdims=True), numpys(name)), X)
row("logaddexp.reduce", np.logaddexp.reduce, X)
row("logaddexp.accumulate", lambda x: np.logaddexp.accumulate(x, axis=1), X)
row("logical_and.reduce", np.logical_and.reduce, TRUE, grad=False)
row("logical_or.reduce", np.logical_or.reduce, TRUE, grad=False)
row("add.accumulate", np.add.accumulate, X)
row("multiply.accumulate", np.multiply.accumulate, X)

row("where", np.where, TRUE, X, Y)
row("where", lambda x: np.where(x > 0, x, -1.0), X)
row("clip", lambda x: np.clip(x, -0.5, 0.75), X)
row("clip", lambda x: np.clip(x, min=-0.5), X)
row("clip", lambda x: np.clip(x, None, 0.75), X)
row("take", lambda x: np.take(x, [0, 2, 2], axis=1), X)
row("take", lambda x: np.take(x, [5, 0]), X)
row("take_along_axis", lambda x, i: np.take_along_axis(x, i, axis=1), X, np.array([[1], [2]]))
row("ravel_multi_index", lambda i: np.ravel_multi_index((i, i), (3, 3)), np.arange(3), grad=False)
row("dot", np.dot, X, SQUARE)
row("dot", np.dot, ROW, ROW * 2)
row("matmul", np.matmul, X, SQUARE)
row("linalg.matmul", np.linalg.matmul, X, SQUARE)
row("inner", np.inner, X, Y)
row("vdot", np.vdot, X, Y)
row("vecdot", np.vecdot if hasattr(np, "vecdot") else None, X, Y)
row("matvec", lambda x, y: np.matvec(x, y), SQUARE, ROW)  # noqa: PLW0108  of NumPy 2.2
row("vecmat", lambda x, y: np.vecmat(x, y), ROW, SQUARE)  # noqa: PLW0108
row("outer", np.outer, ROW, X)
row("linalg.outer", np.linalg.outer, ROW, ROW)
row("tensordot", lambda x, y: np.tensordot(x, y, axes=1), X, SQUARE)
row("linalg.tensordot", lambda x, y: np.linalg.tensordot(x, y, axes=1), X, SQUARE)
row("linalg.vecdot", np.linalg.vecdot, X, Y)
row("einsum", lambda x, y: np.einsum("ij,kj->ik", x, y), X, Y)
row("kron", np.kron, X, ROW)
row("cross", np.cross, X, Y)
for name in [
    "norm",
    "det",
    "inv",
    "slogdet",
    "matrix_norm",
    "vector_norm",
    "pinv",
    "qr",
    "svdvals",
]:
    row(f"linalg.{name}", numpys(f"linalg.{name}"), SQUARE)
row("linalg.norm", lambda x: np.linalg.norm(x, axis=1), X)
for name in ["cholesky", "eigh", "eigvalsh", "svd"]:
    row(f"linalg.{name}", partial(lambda f, x: f(x @ x.T), numpys(f"linalg.{name}")), SQUARE)
row("linalg.solve", np.linalg.solve, POSITIVE, SQUARE)
row("linalg.matrix_power", lambda x: np.linalg.matrix_power(x, 3), SQUARE)
row("linalg.multi_dot", lambda x, y: np.linalg.multi_dot([x, y, y]), X, SQUARE)
row("linalg.matrix_transpose", np.linalg.matrix_transpose, X)
row("trapezoid", lambda y: np.trapezoid(y, dx=0.5), X)
row("trapezoid", lambda y, x: np.trapezoid(y, x, axis=1), X, np.array([0.0, 0.5, 2.0]))
row("polyval", np.polyval, ROW, X)

row("reshape", lambda x: np.reshape(x, (3, 2)), X)
row("reshape", lambda x: np.reshape(x, (3, -1), order="F"), X)
row("ravel", np.ravel, X)
row("ravel", lambda x: np.ravel(x, "F"), X)
for name in ["transpose", "permute_dims"]:
    row(name, lambda x, n=name: numpys(n)(x, (1, 0)), X)
row("matrix_transpose", np.matrix_transpose, X)
row("swapaxes", lambda x: np.swapaxes(x, 0, -1), X)
row("moveaxis", lambda x: np.moveaxis(x, 0, 1), X)
row("expand_dims", lambda x: np.expand_dims(x, 1), X)
row("squeeze", lambda x: np.squeeze(x[:1], axis=0), X)
row("broadcast_to", lambda x: np.broadcast_to(x, (2, 3)), ROW)
row("broadcast_arrays", np.broadcast_arrays, X, ROW)
for name in ["concatenate", "concat"]:
    row(name, lambda x, y, n=name: numpys(n)([x, y], axis=1), X, Y)
    row(name, lambda x, y, n=name: numpys(n)((x, y), axis=None), X, ROW)
    row(name, lambda x, y, n=name: numpys(n)([x, y], dtype=np.float32), X, Y)
row("stack", lambda x, y: np.stack([x, y], -1), X, Y)
for name in ["hstack", "vstack", "dstack", "column_stack"]:
    row(name, partial(lambda f, x, y: f([x, y]), numpys(name)), X, Y)
row("append", np.append, X, ROW)
row("tile", lambda x: np.tile(x, (2, 1)), X)
row("repeat", lambda x: np.repeat(x, 2, axis=1), X)
row("roll", lambda x: np.roll(x, 1, axis=1), X)
row("flip", lambda x: np.flip(x, axis=0), X)
for name in ["fliplr", "flipud", "rot90", "trace", "diagonal", "diag", "tril", "triu"]:
    row(name, numpys(name), X)
for name in ["atleast_1d", "atleast_2d", "atleast_3d"]:
    row(name, numpys(name), ROW)
row("pad", lambda x: np.pad(x, 1, constant_values=2.0), X)
row("pad", lambda x: np.pad(x, ((0, 1), (2, 0)), mode="edge"), X)
for name in ["split", "array_split", "hsplit"]:
    row(name, lambda x, n=name: numpys(n)(x, 3, *((1,) if n != "hsplit" else ())), X)
row("vsplit", lambda x: np.vsplit(x, 2), X)
row("unstack", lambda x: np.unstack(x), X)  # noqa: PLW0108  of NumPy 2.1
row("meshgrid", np.meshgrid, ROW, ROW * 2)
row("interp", lambda x, y: np.interp(x, [-2.0, 0.0, 2.0], y), X, ROW)
row("convolve", np.convolve, ROW, ROW * 2)
row("correlate", np.correlate, ROW, ROW * 2)
row("select", lambda x: np.select([x > 1, x > 0], [x, 2 * x], 3.0), X)
row("digitize", lambda x: np.digitize(x, np.array([-1.0, 0.0, 1.0])), X, grad=False)
row("searchsorted", lambda x: np.searchsorted(np.array([-1.0, 0.0, 1.0]), x), X, grad=False)
row("bincount", np.bincount, np.array([0, 2, 2]), grad=False)
for name in ["nonzero", "flatnonzero", "unique"]:
    row(name, numpys(name), np.array([3.0, 0.0, 3.0]), grad=False)
row("cov", np.cov, X)
row("corrcoef", np.corrcoef, X)
row("partition", lambda x: np.sort(np.partition(x, 1)), ROW)
row("argpartition", lambda x: np.argpartition(x, 0)[:1], ROW, grad=False)
row("argwhere", np.argwhere, np.array([3.0, 0.0, 3.0]), grad=False)
row("diagflat", np.diagflat, ROW)
row("dsplit", lambda x: np.dsplit(x.reshape(1, 2, 3), 3), X)
for name in ["nanprod", "nansum", "nanmean", "nanmax", "nanmin", "nanvar", "nanstd"]:
    row(name, numpys(name), X)

row("zeros_like", np.zeros_like, X)
row("ones_like", lambda x: np.ones_like(x, dtype=np.float32), X)
row("full_like", lambda x: np.full_like(x, 2.0), X)
row("empty_like", lambda x: np.empty_like(x) * 0, X)
row("full", lambda x: np.full((2, 3), 2.0, like=x), X)
row("zeros", lambda x: np.zeros((2, 3), np.float64, like=x), X)
row("ones", lambda x: np.ones(3, "float64", like=x), X)
row("arange", lambda x: np.arange(1, 5, 2, like=x), X)
row("eye", lambda x: np.eye(2, dtype=np.float64, like=x), X)
row("linspace", lambda x, y: np.linspace(x, y, 5), X, Y)
row("logspace", lambda x, y: np.logspace(x, y, 5), X, Y)
row("identity", lambda x: np.identity(2, like=x), X)
row("tri", lambda x: np.tri(2, 3, like=x), X)
row("empty", lambda x: np.empty(2, like=x) * 0, X)
row("array", lambda x: np.array([[1.0, 2.0]], dtype=np.float64, like=x), X)
row("array", lambda x: np.array([x[0], 2 * x[1]], like=x), X)
for name in ["asarray", "asanyarray", "ascontiguousarray", "asfortranarray"]:
    row(name, partial(lambda f, x: f([1, 2], like=x), numpys(name)), X)
row("frombuffer", lambda x: np.frombuffer(b"ab", np.uint8, like=x), X)
row("fromiter", lambda x: np.fromiter([1.0, 2.0], float, like=x), X)
row("fromstring", lambda x: np.fromstring("1 2", float, sep=" ", like=x), X)
row("fromfunction", lambda x: np.fromfunction(lambda i, j: i - j, (2, 2), like=x), X)
for name in ["loadtxt", "genfromtxt"]:
    row(name, partial(lambda f, x: f(io.StringIO("1 2"), like=x), numpys(name)), X)
row("astype", lambda x: np.astype(x, np.float32), X)
row("isclose", np.isclose, X, X[0], grad=False)
ASKING = {
    "allclose": lambda x: (np.allclose(x, X), np.allclose(x, 0)),
    "array_equal": lambda x: (np.array_equal(x, X), np.array_equal(x, X[0])),
    "array_equiv": lambda x: np.array_equiv(x, X),
    "array2string": lambda x: np.array2string(x, precision=2),
    "array_repr": np.array_repr,
    "array_str": np.array_str,
    "can_cast": lambda x: (np.can_cast(x, np.float32), np.can_cast(x, np.float64)),
    "common_type": lambda x: np.common_type(x, X.astype("f")),
    "iscomplexobj": np.iscomplexobj,
    "isrealobj": np.isrealobj,
    "ndim": np.ndim,
    "result_type": lambda x: np.result_type(x, np.float32, 3),
    "shape": np.shape,
    "size": lambda x: (np.size(x), np.size(x, 0)),
}
#: What SciPy calls before code of C, which takes arrays alone: plain Tensors become such.
CONVERSIONS = {"atleast_1d", "atleast_2d", "atleast_3d"}
HERE = [r for r in ROWS if r.name in SUPPORTED and r.call is not None]


def results(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def test_every_supported_function_has_a_row() -> None:
    """By one of its names; `fromfile` needs a file."""
    shown = {r.name for r in HERE} | ASKING.keys() | {"fromfile"}
    functions = [_numpy_functions.find(name) for name in shown if "." not in name]
    others = {n for n in SUPPORTED - shown if _numpy_functions.find(n) not in functions}
    assert not others


def test_elementwise_functions_take_the_short_way() -> None:
    """From the ufunc to the op in compiled code: no Python function in between."""
    for name in (
        "exp",
        "log",
        "tanh",
        "sqrt",
        "add",
        "multiply",
        "divide",
        "maximum",
        "less",
        "matmul",
        "sin",
    ):
        assert getattr(np, name) in _numpy_functions.THIN


def test_the_page_lists_them() -> None:
    """But for names that this version of NumPy lacks; tools/numpy_page.py writes it."""
    page = (Path(__file__).resolve().parents[1] / "docs" / "numpy.md").read_text()
    marked = re.search(r"(?s)<!-- written by.*?-->(.*)<!-- end -->", page)
    assert marked
    names = set(re.findall(r"`([\w.]+)`", marked[1]))
    assert names >= SUPPORTED
    known = {name for name in names if _numpy_functions.find(name) is not None}
    assert known <= SUPPORTED


@pytest.mark.quick
@pytest.mark.parametrize("r", HERE, ids=lambda r: r.id)
def test_value(r: Row) -> None:
    wanted = results(r.call(*r.arrays))
    eager = results(r.call(*map(Tensor, r.arrays)))
    compiled = eager
    if r.name not in (
        "nonzero",
        "flatnonzero",
        "argwhere",
        "unique",
        "isclose",
        "bincount",
    ):  # by elements
        # With one of the operands an array that is known when it is traced.
        traced = fg.jit(lambda x: tuple(results(r.call(x, *r.arrays[1:]))), exact_rewrites=False)
        compiled = traced(r.arrays[0])
    for got, again, want in zip(eager, compiled, wanted, strict=True):
        if r.name in CONVERSIONS:
            assert type(got) is np.ndarray
            assert got.flags.writeable
        else:
            assert type(got) is Tensor
        assert got.dtype == want.dtype
        assert got.shape == want.shape
        rtol = 1e-6 if want.dtype == np.float32 else 1e-13
        np.testing.assert_allclose(got, want, rtol=rtol, atol=rtol)
        assert again.numpy().tobytes() == np.asarray(got).tobytes()


@pytest.mark.parametrize("r", [r for r in HERE if r.grad], ids=lambda r: r.id)
def test_gradient(r: Row) -> None:
    """Against fourth-order central differences of NumPy's function."""
    weights = [np.random.default_rng(4).normal(size=w.shape) for w in results(r.call(*r.arrays))]

    def projected(*arrays: Any) -> Any:
        total: Any = 0.0
        for part, weight in zip(results(r.call(*arrays)), weights, strict=True):
            total = total + np.sum(part * weight)
        return total

    places = [i for i, a in enumerate(r.arrays) if a.dtype.kind == "f"]
    for place in places:

        def of_one(x: Any, place: int = place) -> Any:
            return projected(*(x if i == place else a for i, a in enumerate(r.arrays)))

        got = fg.grad(of_one)(r.arrays[place])
        single = any(np.float32 == w.dtype for w in results(r.call(*r.arrays)))
        step = 1e-2 if single else 2e-4
        want = np.zeros(r.arrays[place].shape)
        for index in np.ndindex(want.shape):
            values = []
            for k in (1, -1, 2, -2):
                moved = r.arrays[place].copy()
                moved[index] += k * step
                values.append(float(of_one(moved)))
            want[index] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-8, atol=1e-4 if single else 1e-8)


@pytest.mark.parametrize("name", [name for name in ASKING if name in SUPPORTED])
def test_what_only_asks(name: str) -> None:
    assert ASKING[name](Tensor(X)) == ASKING[name](X)
    fg.grad(lambda x: (ASKING[name](x), np.sum(x))[1])(X)  # a condition has no gradient


# ---- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: np.exp(t, out=t), r"np\.exp\(out=\) would change a Tensor"),
        (lambda t: np.clip(t, 0, 1, out=t), r"np\.clip\(out=\) would change a Tensor"),
        (lambda t: np.sum(t, out=t), r"np\.sum\(out=\).*write t = np\.sum"),
        (lambda t: np.exp(t, where=TRUE), r"np\.exp\(where=\).*np\.where\(condition"),
        (lambda t: np.sum(t, where=TRUE), r"np\.sum\(where=\)"),
        (lambda t: np.max(t, initial=0.0), r"np\.max\(initial=\).*combine"),
        (lambda t: np.take(t, [0], mode="clip"), r"np\.take\(mode=\)"),
        (lambda t: np.add(t, 1, dtype=int), r"np\.add\(\) cannot cast float64 to int64"),
        (lambda t: np.concatenate([t], dtype=int), r"cannot cast float64 to int64"),
        (lambda t: np.add.at(t, 0, 1), r"x\.at\[indices\]\.add\(values\)"),
        (lambda t: t @ 1j, "complex"),
    ],
)
def test_refused(call: Callable[[Tensor], Any], words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        call(Tensor(X))


@pytest.mark.parametrize("transform", [fg.grad, fg.jit])
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda t: np.nextafter(t, t),
            r"np\.nextafter\(\) does not take.*t\.detach\(\)\.numpy\(\)",
        ),
        (np.fft.fft, r"np\.fft\.fft\(\) does not take Tensors that are.*stop_gradient"),
        (np.linalg.cond, r"np\.linalg\.cond\(\) does not take"),
        (lambda t: np.block([[t, X], [X, t]]), r"np\.block\(\) does not take"),
        (lambda t: np.fmax(t, t), r"Did you mean np\.\w*max\(\)\?"),
        (lambda t: np.add.reduceat(t, [0, 1]), r"np\.add\.reduceat\(\) does not take"),
    ],
)
def test_other_functions_take_plain_tensors(
    call: Callable[[Any], Any], words: str, transform: Any
) -> None:
    got, want = call(Tensor(X)), call(X)
    assert type(got) is type(want)
    np.testing.assert_array_equal(got, want)
    with pytest.raises(TypeError, match=words):
        transform(call)(X)


def test_integers_on_a_tape_can_be_read() -> None:
    """Gradients end there by themselves: floor(x) as an index into an array of NumPy's."""
    table, x = np.arange(12.0).reshape(3, 4) ** 2, np.array([0.25, 1.75])

    def interpolated(x: Any) -> Any:
        left = np.floor(x).astype(int)
        weight = x - left
        assert int(left[1]) == 1
        assert np.array([3.0, 4.0])[x > 1.0].tolist() == [4.0]
        return np.sum((1 - weight) * table[1, left] + weight * table[1, left + 1])

    got = fg.grad(interpolated)(x)
    np.testing.assert_allclose(got, table[1, [1, 2]] - table[1, [0, 1]], rtol=1e-15)
    with pytest.raises(TypeError, match="symbolic"):
        fg.jit(interpolated)(x)
    with pytest.raises(TypeError, match="cut the gradient"):
        fg.grad(lambda x: np.sum(x) * np.asarray(np.floor(x)).sum())(x)


@pytest.mark.parametrize(
    "call",
    [
        *(np.array, np.asarray, np.copy, np.trim_zeros, np.array_repr, np.histogram, list),
        lambda t: np.array([t[0], t[1]]),
        lambda t: np.exp(t, out=np.empty(X.shape)),
        lambda t: operator.iadd(np.ones(X.shape), t),
        lambda t: np.savez(io.BytesIO(), t),
        lambda t: np.float64(t[0, 0]),
    ],
)
@pytest.mark.parametrize("transform", [fg.grad, fg.jit])
def test_no_gradient_is_cut(call: Callable[[Any], Any], transform: Any) -> None:
    """What reads elements of a Tensor on a tape or in a trace is an error; list() reads none."""

    def function(t: Any) -> Any:
        call(t)
        return np.sum(t)

    if call is list:
        transform(function)(X)
    elif call is np.array_repr and transform is fg.grad:
        transform(function)(X)  # only asks
    else:
        with pytest.raises(TypeError, match=r"gradient|symbolic"):
            transform(function)(X)


def test_variables_are_arrays_too() -> None:
    v = fg.Variable(X)
    for got, want in (
        (np.exp(v), np.exp(X)),
        (np.sum(v, axis=0), np.sum(X, axis=0)),
        (X * v, X * X),
        (np.concatenate([v, X]), np.concatenate([X, X])),
        (v // 0.5, X // 0.5),
        (1.0 % v, 1.0 % X),
        (v > 0, X > 0),
        (np.less(Y, v), np.less(Y, X)),
    ):
        assert type(got) is Tensor
        np.testing.assert_allclose(got.numpy(), want, rtol=1e-14)


def test_lists_of_tensors_are_stacked() -> None:
    gradient = fg.grad(lambda t: np.dot(ops.sum([t[0, 0], [t[0, 1], 2.0][0]]), 3.0))(X)
    np.testing.assert_array_equal(gradient.numpy(), [[3, 3, 0], [0, 0, 0]])
    matrix = fg.jit(lambda t: Tensor([[t[0, 0], 0.0], [1, t[1, 1]]]))(X)
    np.testing.assert_array_equal(matrix.numpy(), [[X[0, 0], 0], [1, X[1, 1]]])


# ---- code as people write it -------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("compiled", [False, True])
def test_logistic_regression_in_plain_numpy(dtype: str, compiled: bool) -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(40, 3)).astype(dtype)
    y = (x @ [1.0, -2.0, 0.5] > 0.1).astype(dtype)
    w, b = rng.normal(size=3).astype(dtype), np.array(0.3, dtype)

    def cost(w: Any, b: Any) -> Any:
        z = np.dot(x, w) + b
        f = 1 / (1 + np.exp(-z))
        return -np.mean(y * np.log(f) + (1 - y) * np.log(1 - f))

    gradient = fg.grad(cost, argnums=(0, 1))
    dj_dw, dj_db = (fg.jit(gradient) if compiled else gradient)(w, b)
    error = 1 / (1 + np.exp(-(x.astype(float) @ w + b))) - y
    rtol = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(dj_dw.numpy(), error @ x / 40, rtol=rtol, atol=rtol)
    np.testing.assert_allclose(dj_db.numpy(), error.mean(), rtol=rtol, atol=rtol)
    assert dj_dw.dtype == dj_db.dtype == dtype


def test_in_place_forms_give_new_tensors() -> None:
    def function(x: Any) -> Any:
        total = x
        before = total
        total += x * x
        total *= 3.0
        total -= before
        total /= 2.0
        total **= 2
        return np.sum(total)

    gradient = fg.grad(function)(X)
    inner = (2 * X + 3 * X**2) / 2
    np.testing.assert_allclose(gradient.numpy(), 2 * inner * (1 + 3 * X), rtol=1e-14)
    t = Tensor(X)
    kept = t
    t += 1.0
    np.testing.assert_array_equal(kept.numpy(), X)
    array = X.copy()
    array += Tensor(X)
    assert type(array) is np.ndarray
    np.testing.assert_array_equal(array, 2 * X)
    out = np.empty(3)
    assert np.sum(t, 0, None, out) is np.dot(ROW[:2], t, out=out) is out
    np.testing.assert_allclose(out, ROW[:2] @ t.numpy(), rtol=1e-15)
    assert np.clip(out, t[0], 0.5, out=out) is out
    assert out.max() <= 0.5
    array[0] = Tensor(X)[1]
    np.testing.assert_array_equal(array[0], X[1])


# ---- other libraries ---------------------------------------------------------------------------


def test_other_libraries_take_plain_tensors() -> None:
    x, labels = np.linspace(0.0, 1.0, 6), np.arange(6) % 2
    t, y = Tensor(x), Tensor(labels)
    np.testing.assert_allclose(t, x)
    np.testing.assert_array_equal(t, x)
    np.testing.assert_equal(t, x)
    for save in (np.save, np.savez, np.savez_compressed, np.savetxt):
        save(io.BytesIO(), t)
    assert t[1] == pytest.approx(0.2)
    assert t == pytest.approx(x)
    assert t != pytest.approx(x + 1)
    assert np.array_equal(pd.Series(t), x)
    assert np.array_equal(pd.DataFrame({"a": t, "b": y})["a"], x)
    assert np.array_equal(pd.Series(x) * t, x * x)
    assert type(t * pd.Series(x)) is Tensor
    assert metrics.accuracy_score(labels, y) == 1.0
    assert metrics.mean_squared_error(x, t) == 0.0
    assert metrics.roc_auc_score(y, t) == metrics.roc_auc_score(labels, x)
    assert len(metrics.roc_curve(y, t)) == 3
    assert metrics.confusion_matrix(y, labels).tolist() == [[3, 0], [0, 3]]
    assert np.histogram(t, bins=2)[0].tolist() == [3, 3]
    assert np.random.default_rng(0).permutation(t).shape == (6,)
    assert f"{t[1]:.2f} {float(t[5])} {t.tolist()[0]}" == "0.20 1.0 0.0"


def test_matplotlib_draws_tensors() -> None:
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot

    t, image = Tensor(np.linspace(0.0, 1.0, 6)), Tensor(X)
    figure, axes = pyplot.subplots()
    try:
        (line,) = axes.plot(t, t**2, "o-")
        assert line.get_ydata().tolist() == (t**2).tolist()
        axes.scatter(t, t, c=t)
        axes.hist(t)
        axes.imshow(image)
        axes.fill_between(t, t, t + 1)
        axes.errorbar(t, t, yerr=t)
        axes.set_xlim(t[0], t[5])
        if "atleast_1d" in SUPPORTED:
            axes.bar(t, t, hatch="/")
        figure.canvas.draw()
    finally:
        pyplot.close(figure)


def test_special_functions_of_scipy() -> None:
    special = pytest.importorskip("scipy.special")
    for name in ("erf", "erfc", "expit", "log_expit"):
        function = getattr(special, name)
        assert type(function(Tensor(X))) is Tensor
        np.testing.assert_allclose(function(Tensor(X)).numpy(), function(X), rtol=1e-14)
        assert fg.grad(lambda x, f=function: np.sum(f(x)))(X).shape == X.shape
    assert type(special.gamma(Tensor(PLUS))) is np.ndarray
    with pytest.raises(TypeError, match="gradient"):
        fg.grad(lambda x: np.sum(special.gamma(x)))(PLUS)
