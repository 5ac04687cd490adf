"""Random programs: compositions of ops, drawn from a table that says what each is elsewhere.

A row of the table is one function four times: ours, in NumPy (on complex numbers too, where a
branch goes by real parts), in JAX and in torch. A program is a list of steps, each a row on earlier
values. It is drawn together with its values, so that shapes fit and numbers stay near one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import references as ref
from fusegrad import ops

Rng = np.random.Generator
Pool = list[np.ndarray]
Draw = Callable[[Rng, Pool], tuple[tuple[int, ...], dict[str, Any]] | None]

_LARGEST = 4.0  # element of a value
_MOST = 64  # elements of a value


@dataclass(frozen=True)
class Row:
    """One function in four libraries; those of JAX and torch are text, evaluated where they are."""

    name: str
    ours: Callable[..., Any]
    plain: Callable[..., Any]
    jax: str
    torch: str
    draw: Draw

    def of(self, library: str, names: dict[str, Any]) -> Callable[..., Any]:
        """Return the function of a library."""
        if library in ("ours", "plain"):
            return self.ours if library == "ours" else self.plain
        function: Callable[..., Any] = eval(getattr(self, library), dict(names))
        return function


@dataclass(frozen=True)
class Step:
    """One row on earlier values: inputs first, then the results of steps."""

    row: Row
    operands: tuple[int, ...]
    attrs: dict[str, Any]


@dataclass
class Program:
    """Inputs, steps, and the weights of the sum that is differentiated."""

    inputs: list[np.ndarray]
    steps: list[Step] = field(default_factory=list)
    weights: list[tuple[int, np.ndarray]] = field(default_factory=list)

    def __call__(self, xs: Sequence[Any], library: str = "ours", **names: Any) -> Any:
        """Return the weighted sum of the last values, a number."""
        values = list(xs)
        for step in self.steps:
            function = step.row.of(library, names)
            values.append(function(*(values[i] for i in step.operands), **step.attrs))
        dtype = str(getattr(values[0], "dtype", "float64")).rpartition(".")[2]
        convert = names.get("convert", np.asarray)
        total: Any = 0.0
        for i, weight in self.weights:
            narrow = weight.astype("float32" if dtype == "float32" else "float64")
            total = total + (values[i] * convert(narrow)).sum()
        return total

    def text(self) -> str:
        """Return the program as lines, for a message."""
        lines = [f"x{i}: {x.shape}" for i, x in enumerate(self.inputs)]
        for i, step in enumerate(self.steps, len(lines)):
            operands = ", ".join(f"x{k}" for k in step.operands)
            lines.append(f"x{i} = {step.row.name}({operands}, {step.attrs})")
        return "\n".join([*lines, "sum of " + ", ".join(f"x{i}" for i, _ in self.weights)])


# ---- what a row is drawn on ----------------------------------------------------------------------


def _some(rng: Rng, pool: Pool, good: Callable[[np.ndarray], bool] = lambda _: True) -> int | None:
    """Return one of the values; the later the likelier."""
    places = [i for i, x in enumerate(pool) if good(x)]
    return None if not places else places[-1 - min(int(rng.exponential(1.5)), len(places) - 1)]


def one(
    good: Callable[[np.ndarray], bool] = lambda _: True,
    attrs: Callable[[Rng, np.ndarray], dict[str, Any]] = lambda *_: {},
) -> Draw:
    def draw(rng: Rng, pool: Pool) -> Any:
        i = _some(rng, pool, good)
        return None if i is None else ((i,), attrs(rng, pool[i]))

    return draw


def has_axes(least: int) -> Callable[[np.ndarray], bool]:
    return lambda x: x.ndim >= least


def axis(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {"axis": int(rng.integers(-x.ndim, x.ndim))}


def axis_and_keepdims(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {**axis(rng, x), "keepdims": bool(rng.integers(2))}


def broadcast(rng: Rng, pool: Pool) -> Any:
    """Two values whose shapes broadcast."""
    i = _some(rng, pool)
    assert i is not None

    def fits(y: np.ndarray) -> bool:
        try:
            return int(np.prod(np.broadcast_shapes(pool[i].shape, y.shape))) <= _MOST
        except ValueError:
            return False

    k = _some(rng, pool, fits)
    return (i, k) if rng.integers(2) else (k, i), {}


def alike(rng: Rng, pool: Pool) -> Any:
    """Two values of one shape with an axis."""
    i = _some(rng, pool, has_axes(1))
    if i is None:
        return None
    k = _some(rng, pool, lambda y: y.shape == pool[i].shape)
    return (i, k), {"axis": int(rng.integers(0, pool[i].ndim))}


def product(rng: Rng, pool: Pool) -> Any:
    """Two values that matmul takes."""
    i = _some(rng, pool, has_axes(1))
    if i is None:
        return None

    def fits(y: np.ndarray) -> bool:
        try:
            return y.ndim > 0 and np.matmul(pool[i], y).size <= _MOST
        except ValueError:
            return False

    k = _some(rng, pool, fits)
    return None if k is None else ((i, k), {})


def shape_of(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    sizes = list(x.shape)
    rng.shuffle(sizes)
    if len(sizes) > 1 and rng.integers(2):
        sizes = [sizes[0] * sizes[1], *sizes[2:]]
    return {"shape": tuple(sizes)}


def order_of(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {"axes": tuple(int(i) for i in rng.permutation(x.ndim))}


def indices(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    where = int(rng.integers(0, x.ndim))
    return {"indices": rng.integers(0, x.shape[where], size=3).astype(np.int64), "axis": where}


def along(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    where = int(rng.integers(0, x.ndim))
    return {
        "indices": rng.integers(0, x.shape[where], size=x.shape).astype(np.int64),
        "axis": where,
    }


def segments(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {"ids": rng.integers(0, 3, size=x.shape[0]).astype(np.int64)}


def classes(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {"labels": rng.integers(0, x.shape[-1], size=x.shape[:-1]).astype(np.int64)}


def integers(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {"n": rng.integers(-2, 3, size=x.shape).astype(np.int64)}


def mask(rng: Rng, x: np.ndarray) -> dict[str, Any]:
    return {"mask": rng.integers(0, 2, size=x.shape).astype(bool)}


def size_2(x: np.ndarray) -> bool:
    return x.ndim > 0 and min(x.shape) > 1


def is_matrix(x: np.ndarray) -> bool:
    return x.ndim == 2


def is_rows(x: np.ndarray) -> bool:
    return x.ndim == 2 and x.shape[-1] > 1


# ---- the table -----------------------------------------------------------------------------------

ROWS: list[Row] = []


def row(name: str, ours: Any, plain: Any, jax: str, torch: str, draw: Draw) -> None:
    ROWS.append(Row(name, ours, plain, jax, torch, draw))


def positive(x: Any) -> Any:
    return x * x + 0.5


def unit(x: Any) -> Any:
    """In [0.275, 0.725]."""
    return 0.5 + 0.45 * x / (1.0 + x * x)


def elementwise(name: str, ours: Any, plain: Any, jax: str, torch: str, inside: str = "x") -> None:
    """A function of one number; `inside` guards its domain."""
    guard = {"x": lambda x: x, "positive": positive, "unit": unit}[inside]
    text = {"x": "x", "positive": "(x * x + 0.5)", "unit": "(0.5 + 0.45 * x / (1.0 + x * x))"}
    row(
        name,
        lambda x: ours(guard(x)),
        lambda x: plain(guard(x)),
        f"lambda x: ({jax})({text[inside]})",
        f"lambda x: ({torch})({text[inside]})",
        one(),
    )


elementwise("exp", ops.exp, np.exp, "jnp.exp", "torch.exp")
elementwise("expm1", ops.expm1, np.expm1, "jnp.expm1", "torch.expm1")
elementwise("log", ops.log, np.log, "jnp.log", "torch.log", "positive")
elementwise("log1p", ops.log1p, np.log1p, "jnp.log1p", "torch.log1p", "positive")
elementwise("sqrt", ops.sqrt, np.sqrt, "jnp.sqrt", "torch.sqrt", "positive")
elementwise("reciprocal", ops.reciprocal, lambda x: 1 / x, "jnp.reciprocal", "torch.reciprocal", "positive")  # fmt: skip # noqa: E501
elementwise("square", ops.square, np.square, "jnp.square", "torch.square")
elementwise("negative", ops.negative, np.negative, "jnp.negative", "torch.neg")
elementwise("abs", ops.abs, ref.magnitude, "jnp.abs", "torch.abs")
elementwise("sign", lambda x: ops.sign(x) * x, ref.magnitude, "lambda x: jnp.sign(x) * x",
            "lambda x: torch.sign(x) * x")  # fmt: skip
elementwise("tanh", ops.tanh, np.tanh, "jnp.tanh", "torch.tanh")
elementwise("sigmoid", ops.sigmoid, ref.sigmoid, "nn.sigmoid", "torch.sigmoid")
elementwise("log_sigmoid", ops.log_sigmoid, lambda x: -ref.softplus(-x), "nn.log_sigmoid",
            "F.logsigmoid")  # fmt: skip
elementwise("softplus", ops.softplus, ref.softplus, "nn.softplus", "lambda x: -F.logsigmoid(-x)")
elementwise("erf", ops.erf, ref.erf, "special.erf", "torch.erf")
elementwise("erfc", ops.erfc, ref.erfc, "special.erfc", "torch.erfc")
elementwise("relu", ops.relu, lambda x: np.where(np.real(x) > 0, x, 0), "nn.relu", "F.relu")
elementwise("leaky_relu", ops.leaky_relu, lambda x: np.where(np.real(x) > 0, x, 0.2 * x),
            "lambda x: nn.leaky_relu(x, 0.2)", "lambda x: F.leaky_relu(x, 0.2)")  # fmt: skip
elementwise("elu", ops.elu, lambda x: np.where(np.real(x) > 0, x, np.expm1(x)), "nn.elu", "F.elu")
elementwise("silu", ops.silu, ref.silu, "nn.silu", "F.silu")
elementwise("gelu", ops.gelu, ref.gelu, "lambda x: nn.gelu(x, approximate=False)", "F.gelu")
elementwise("clip", lambda x: ops.clip(x, -0.8, 0.9),
            lambda x: np.where(np.real(x) < -0.8, -0.8, np.where(np.real(x) > 0.9, 0.9, x)),
            "lambda x: jnp.clip(x, -0.8, 0.9)", "lambda x: torch.clip(x, -0.8, 0.9)")  # fmt: skip
elementwise("power_2", lambda x: x**3, lambda x: x**3, "lambda x: x**3", "lambda x: x**3")
elementwise("compared", lambda x: ops.where(ops.logical_and(x > -0.3, ops.less_equal(x, 0.7)), x, x * x),  # noqa: E501
            lambda x: np.where((np.real(x) > -0.3) & (np.real(x) <= 0.7), x, x * x),
            "lambda x: jnp.where((x > -0.3) & (x <= 0.7), x, x * x)",
            "lambda x: torch.where((x > -0.3) & (x <= 0.7), x, x * x)")  # fmt: skip
elementwise("rounded", lambda x: x * ops.cast(ops.logical_or(ops.less(x, 0.1), ops.equal(x, 7.0)), x.dtype),  # noqa: E501
            lambda x: x * (np.real(x) < 0.1), "lambda x: x * (x < 0.1)",
            "lambda x: x * (x < 0.1)")  # fmt: skip
elementwise("binary_cross_entropy", lambda p: ops.binary_cross_entropy(0.25 + 0.0 * p, p),
            lambda p: -0.25 * np.log(p) - 0.75 * np.log(1 - p),
            "lambda p: -0.25 * jnp.log(p) - 0.75 * jnp.log(1 - p)",
            "lambda p: -0.25 * torch.log(p) - 0.75 * torch.log(1 - p)", "unit")  # fmt: skip
elementwise("sigmoid_cross_entropy", lambda x: ops.sigmoid_cross_entropy(0.25 + 0.0 * x, x),
            lambda x: 0.75 * ref.softplus(x) + 0.25 * ref.softplus(-x),
            "lambda x: 0.75 * nn.softplus(x) + 0.25 * nn.softplus(-x)",
            "lambda x: -0.75 * F.logsigmoid(-x) - 0.25 * F.logsigmoid(x)")  # fmt: skip

row("add", lambda x, y: x + y, lambda x, y: x + y, "jnp.add", "torch.add", broadcast)
row("subtract", ops.subtract, np.subtract, "jnp.subtract", "torch.sub", broadcast)
row("multiply", ops.multiply, np.multiply, "jnp.multiply", "torch.mul", broadcast)
row("divide", lambda x, y: x / positive(y), lambda x, y: x / positive(y),
    "lambda x, y: x / (y * y + 0.5)", "lambda x, y: x / (y * y + 0.5)", broadcast)  # fmt: skip
row("power", lambda x, y: ops.power(positive(x), y), lambda x, y: positive(x) ** y,
    "lambda x, y: (x * x + 0.5) ** y", "lambda x, y: (x * x + 0.5) ** y", broadcast)  # fmt: skip
row("maximum", ops.maximum, lambda x, y: np.where(np.real(x) > np.real(y), x, (x + y) / 2 + (y - x) / 2 * (np.real(x) < np.real(y))),  # noqa: E501
    "jnp.maximum", "torch.maximum", broadcast)  # fmt: skip
row("minimum", ops.minimum, lambda x, y: np.where(np.real(x) < np.real(y), x, (x + y) / 2 + (y - x) / 2 * (np.real(x) > np.real(y))),  # noqa: E501
    "jnp.minimum", "torch.minimum", broadcast)  # fmt: skip
row("where", lambda x, y: ops.where(ops.greater(x, 0.05), x, y),
    lambda x, y: np.where(np.real(x) > 0.05, x, y), "lambda x, y: jnp.where(x > 0.05, x, y)",
    "lambda x, y: torch.where(x > 0.05, x, y)", broadcast)  # fmt: skip
row("integers", lambda x, n: x * n, lambda x, n: x * n, "lambda x, n: x * n",
    "lambda x, n: x * torch.tensor(n)", one(attrs=integers))  # fmt: skip
row("mask", lambda x, mask: ops.where(mask, x, 0.5), lambda x, mask: np.where(mask, x, 0.5),
    "lambda x, mask: jnp.where(mask, x, 0.5)",
    "lambda x, mask: torch.where(torch.tensor(mask), x, 0.5)", one(attrs=mask))  # fmt: skip


def reduction(name: str, ours: Any, plain: Any, jax: str, torch: str, good: Any = None) -> None:
    draw = one(good or has_axes(1), axis_and_keepdims)
    row(name, ours, plain, f"lambda x, axis, keepdims: {jax}",
        f"lambda x, axis, keepdims: {torch}", draw)  # fmt: skip


_JAX, _TORCH = "(x, axis=axis, keepdims=keepdims)", "(x, dim=axis, keepdim=keepdims)"
for _name in ("sum", "mean"):
    reduction(_name, getattr(ops, _name), getattr(np, _name), f"jnp.{_name}{_JAX}",
              f"torch.{_name}{_TORCH}")  # fmt: skip
reduction(
    "var",
    ops.var,
    ref.variance,
    f"jnp.var{_JAX}",
    "torch.var(x, dim=axis, correction=0, keepdim=keepdims)",
)
reduction("std", lambda x, **a: ops.std(x, ddof=1, **a),
          lambda x, **a: np.sqrt(ref.variance(x, ddof=1, **a)),
          "jnp.std(x, axis=axis, keepdims=keepdims, ddof=1)",
          "torch.std(x, dim=axis, correction=1, keepdim=keepdims)",
          lambda x: size_2(x) and np.ptp(x) > 0.3 and len(np.unique(x)) == x.size)  # fmt: skip
reduction("max", ops.max, ref.largest, f"jnp.max{_JAX}", f"torch.amax{_TORCH}")
reduction("min", ops.min, ref.smallest, f"jnp.min{_JAX}", f"torch.amin{_TORCH}")
reduction("prod", ops.prod, np.prod, f"jnp.prod{_JAX}", f"torch.prod{_TORCH}")
reduction("logsumexp", ops.logsumexp, ref.logsumexp, f"special.logsumexp{_JAX}",
          f"torch.logsumexp{_TORCH}")  # fmt: skip


def on_axis(name: str, ours: Any, plain: Any, jax: str, torch: str, good: Any = None) -> None:
    row(name, ours, plain, f"lambda x, axis: {jax}", f"lambda x, axis: {torch}",
        one(good or has_axes(1), axis))  # fmt: skip


def _sorted(x: Any, axis: int) -> Any:
    return np.take_along_axis(x, np.argsort(np.real(x), axis=axis, kind="stable"), axis)


for _name, _torch in (("cumsum", "cumsum"), ("cumprod", "cumprod")):
    on_axis(_name, getattr(ops, _name), getattr(np, _name), f"jnp.{_name}(x, axis=axis)",
            f"torch.{_torch}(x, dim=axis)")  # fmt: skip
on_axis("softmax", ops.softmax, ref.softmax, "nn.softmax(x, axis)", "torch.softmax(x, axis)")
on_axis("log_softmax", ops.log_softmax, ref.log_softmax, "nn.log_softmax(x, axis)",
        "torch.log_softmax(x, axis)")  # fmt: skip
on_axis("logcumsumexp", ops.logcumsumexp, lambda x, axis: np.log(np.cumsum(np.exp(x), axis=axis)),
        "jnp.log(jnp.cumsum(jnp.exp(x), axis=axis))", "torch.logcumsumexp(x, axis)")  # fmt: skip
on_axis("sort", ops.sort, _sorted, "jnp.sort(x, axis=axis)", "torch.sort(x, dim=axis).values",
        lambda x: x.ndim > 0 and len(np.unique(x)) == x.size)  # fmt: skip
on_axis("flip", ops.flip, np.flip, "jnp.flip(x, axis)", "torch.flip(x, (axis,))")
on_axis("roll", lambda x, axis: ops.roll(x, 1, axis), lambda x, axis: np.roll(x, 1, axis),
        "jnp.roll(x, 1, axis)", "torch.roll(x, 1, axis)")  # fmt: skip
on_axis("diff", lambda x, axis: ops.diff(x, axis=axis), lambda x, axis: np.diff(x, axis=axis),
        "jnp.diff(x, axis=axis)", "torch.diff(x, dim=axis)", size_2)  # fmt: skip
on_axis("expand_dims", ops.expand_dims, np.expand_dims, "jnp.expand_dims(x, axis)",
        "torch.unsqueeze(x, axis)", lambda x: 1 <= x.ndim < 4)  # fmt: skip
on_axis("repeat", lambda x, axis: ops.repeat(x, 2, axis), lambda x, axis: np.repeat(x, 2, axis),
        "jnp.repeat(x, 2, axis)", "torch.repeat_interleave(x, 2, axis)")  # fmt: skip

row("reshape", lambda x, shape: x.reshape(shape), lambda x, shape: x.reshape(shape),
    "jnp.reshape", "torch.reshape", one(has_axes(1), shape_of))  # fmt: skip
row("transpose", ops.transpose, np.transpose, "jnp.transpose",
    "lambda x, axes: torch.permute(x, axes)", one(has_axes(2), order_of))  # fmt: skip
row("broadcast_to", lambda x: ops.broadcast_to(x, (2, *x.shape)),
    lambda x: np.broadcast_to(x, (2, *x.shape)), "lambda x: jnp.broadcast_to(x, (2, *x.shape))",
    "lambda x: torch.broadcast_to(x, (2, *x.shape))", one(lambda x: x.ndim < 3))  # fmt: skip
row("slice", lambda x: x[::2], lambda x: x[::2], "lambda x: x[::2]", "lambda x: x[::2]",
    one(has_axes(1)))  # fmt: skip
row("squeeze", ops.squeeze, np.squeeze, "jnp.squeeze", "torch.squeeze", one(has_axes(1)))
row("tile", lambda x: ops.tile(x, (2,)), lambda x: np.tile(x, 2), "lambda x: jnp.tile(x, 2)",
    "lambda x: torch.tile(x, (2,))", one(has_axes(1)))  # fmt: skip
row("pad", lambda x: ops.pad(x, ((1, 0), (0, 1))), lambda x: np.pad(x, ((1, 0), (0, 1))),
    "lambda x: jnp.pad(x, ((1, 0), (0, 1)))", "lambda x: F.pad(x, (0, 1, 1, 0))",
    one(is_matrix))  # fmt: skip
row("triu", ops.triu, np.triu, "jnp.triu", "torch.triu", one(is_matrix))
row("diagonal", ops.diagonal, np.diagonal, "jnp.diagonal", "torch.diagonal", one(is_matrix))
row("concatenate", lambda x, y, axis: ops.concatenate([x, y], axis),
    lambda x, y, axis: np.concatenate([x, y], axis),
    "lambda x, y, axis: jnp.concatenate([x, y], axis)",
    "lambda x, y, axis: torch.cat([x, y], axis)", alike)  # fmt: skip
row("stack", lambda x, y, axis: ops.stack([x, y], axis), lambda x, y, axis: np.stack([x, y], axis),
    "lambda x, y, axis: jnp.stack([x, y], axis)", "lambda x, y, axis: torch.stack([x, y], axis)",
    alike)  # fmt: skip
row("take", ops.take, np.take, "jnp.take",
    "lambda x, indices, axis: torch.index_select(x, axis, torch.tensor(indices))",
    one(has_axes(1), indices))  # fmt: skip
row("take_along_axis", ops.take_along_axis, np.take_along_axis, "jnp.take_along_axis",
    "lambda x, indices, axis: torch.take_along_dim(x, torch.tensor(indices), axis)",
    one(has_axes(1), along))  # fmt: skip
row("segment_sum", lambda x, ids: ops.segment_sum(x, ids, 3),
    lambda x, ids: ref.segment_sum(x, ids, 3),
    "lambda x, ids: jnp.zeros((3, *x.shape[1:])).at[ids].add(x)",
    "lambda x, ids: x.new_zeros((3, *x.shape[1:])).index_add(0, torch.tensor(ids), x)",
    one(has_axes(1), segments))  # fmt: skip
row("segment_max", lambda x, ids: ops.maximum(ops.segment_max(x, ids, 3), -9.0),
    lambda x, ids: ref.segment_max(x, ids, 3),
    "lambda x, ids: jnp.maximum(jnp.full((3, *x.shape[1:]), -jnp.inf).at[ids].max(x), -9.0)",
    "lambda x, ids: torch.stack([torch.amax(x[ids == k], 0) if (ids == k).any() else"
    " torch.full_like(x[0], -9.0) for k in range(3)])",
    one(lambda x: x.ndim > 0 and len(np.unique(x)) == x.size, segments))  # fmt: skip

row("matmul", ops.matmul, np.matmul, "jnp.matmul", "torch.matmul", product)
row("gram", lambda x: ops.matmul(x, x.T), lambda x: x @ x.T, "lambda x: x @ x.T",
    "lambda x: x @ x.T", one(is_matrix))  # fmt: skip
row("dense", lambda x: ops.dense(x, x.T, activation="tanh"), lambda x: np.tanh(x @ x.T),
    "lambda x: jnp.tanh(x @ x.T)", "lambda x: torch.tanh(x @ x.T)", one(is_matrix))  # fmt: skip
row("softmax_cross_entropy", lambda x: ops.softmax_cross_entropy(ops.softmax(-x), x),
    lambda x: -np.sum(ref.softmax(-x) * ref.log_softmax(x), axis=-1),
    "lambda x: -jnp.sum(nn.softmax(-x) * nn.log_softmax(x), axis=-1)",
    "lambda x: -torch.sum(torch.softmax(-x, -1) * torch.log_softmax(x, -1), -1)",
    one(is_rows))  # fmt: skip
row("sparse_softmax_cross_entropy",
    lambda x, labels: ops.sparse_softmax_cross_entropy(labels, x),
    lambda x, labels: -ref.picked(ref.log_softmax(x), labels),
    "lambda x, labels: -jnp.take_along_axis(nn.log_softmax(x), labels[:, None], -1)[:, 0]",
    "lambda x, labels: F.cross_entropy(x, torch.tensor(labels), reduction='none')",
    one(is_rows, classes))  # fmt: skip
# Of bounded logits: probabilities are clipped.
row("sparse_categorical_cross_entropy",
    lambda x, labels: ops.sparse_categorical_cross_entropy(labels, ops.softmax(ops.tanh(x))),
    lambda x, labels: -ref.picked(ref.log_softmax(np.tanh(x)), labels),
    "lambda x, labels:"
    " -jnp.take_along_axis(nn.log_softmax(jnp.tanh(x)), labels[:, None], -1)[:, 0]",
    "lambda x, labels: F.nll_loss(torch.log_softmax(torch.tanh(x), -1), torch.tensor(labels),"
    " reduction='none')",
    one(is_rows, classes))  # fmt: skip
row("categorical_cross_entropy",
    lambda x: ops.categorical_cross_entropy(ops.softmax(-x), ops.softmax(ops.tanh(x))),
    lambda x: -np.sum(ref.softmax(-x) * ref.log_softmax(np.tanh(x)), axis=-1),
    "lambda x: -jnp.sum(nn.softmax(-x) * nn.log_softmax(jnp.tanh(x)), axis=-1)",
    "lambda x: -torch.sum(torch.softmax(-x, -1) * torch.log_softmax(torch.tanh(x), -1), -1)",
    one(is_rows))  # fmt: skip
row("mean_squared_error", lambda x, y, axis: ops.mean_squared_error(x, y),
    lambda x, y, axis: np.mean((x - y) ** 2, axis=-1),
    "lambda x, y, axis: jnp.mean((x - y) ** 2, axis=-1)",
    "lambda x, y, axis: torch.mean((x - y) ** 2, -1)", alike)  # fmt: skip

for _name, _inside in (
    ("sin", "x"), ("cos", "x"), ("tan", "unit"), ("arcsin", "unit"), ("arccos", "unit"),
    ("arctan", "x"), ("sinh", "x"), ("cosh", "x"), ("arcsinh", "x"), ("arctanh", "unit"),
    ("exp2", "x"), ("log2", "positive"), ("log10", "positive"),
):  # fmt: skip
    elementwise(_name, getattr(ops, _name), getattr(np, _name), f"jnp.{_name}", f"torch.{_name}",
                _inside)  # fmt: skip
elementwise("cbrt", ops.cbrt, lambda x: x ** (1 / 3), "jnp.cbrt", "lambda x: x ** (1 / 3)",
            "positive")  # fmt: skip
elementwise("arccosh", lambda x: ops.arccosh(x + 1.0), lambda x: np.arccosh(x + 1.0),
            "lambda x: jnp.arccosh(x + 1.0)", "lambda x: torch.arccosh(x + 1.0)",
            "positive")  # fmt: skip


def _arctan2(y: Any, x: Any) -> Any:
    b, a = np.real(y), np.real(x)
    slope = (a * np.imag(y) - b * np.imag(x)) / (a * a + b * b)
    return np.arctan2(b, a) + (1j * slope if np.iscomplexobj(y) else 0.0)


row("arctan2", lambda x, y: ops.arctan2(x, positive(y)), lambda x, y: _arctan2(x, positive(y)),
    "lambda x, y: jnp.arctan2(x, y * y + 0.5)", "lambda x, y: torch.arctan2(x, y * y + 0.5)",
    broadcast)  # fmt: skip
row("hypot", lambda x, y: ops.hypot(x, positive(y)), lambda x, y: np.sqrt(x * x + positive(y) ** 2),
    "lambda x, y: jnp.hypot(x, y * y + 0.5)", "lambda x, y: torch.hypot(x, y * y + 0.5)",
    broadcast)  # fmt: skip
row("logaddexp", ops.logaddexp, lambda x, y: np.log(np.exp(x) + np.exp(y)), "jnp.logaddexp",
    "torch.logaddexp", broadcast)  # fmt: skip
row("copysign", ops.copysign,
    lambda x, y: ref.magnitude(x) * np.where(np.signbit(np.real(y)), -1.0, 1.0),
    "lambda x, y: jnp.abs(x) * jnp.where(jnp.signbit(y), -1.0, 1.0)",
    "lambda x, y: torch.abs(x) * torch.where(torch.signbit(y), -1.0, 1.0).to(x)",
    broadcast)  # fmt: skip
row("remainder", lambda x, y: ops.remainder(x, positive(y)),
    lambda x, y: x - np.floor(np.real(x) / np.real(positive(y))) * positive(y),
    "lambda x, y: jnp.remainder(x, y * y + 0.5)", "lambda x, y: torch.remainder(x, y * y + 0.5)",
    broadcast)  # fmt: skip


def _cholesky(a: Any) -> Any:
    """The factor of a symmetric matrix, without conjugates."""
    factor = np.zeros_like(a)
    for i in range(len(a)):
        for k in range(i + 1):
            rest = a[i, k] - factor[i, :k] @ factor[k, :k]
            factor[i, k] = np.sqrt(rest) if i == k else rest / factor[k, k]
    return factor


def matrices(name: str, ours: Any, plain: Any, jax: str, torch: str) -> None:
    """A function of a positive definite matrix g = x x^T + 2, and of x."""
    row(name, lambda x: ours(x, ops.matmul(x, x.T) + 2.0 * np.eye(x.shape[0], dtype=x.dtype)),
        lambda x: plain(x, x @ x.T + 2.0 * np.eye(x.shape[0])),
        f"lambda x: (lambda x, g: {jax})(x, x @ x.T + 2.0 * jnp.eye(x.shape[0]))",
        f"lambda x: (lambda x, g: {torch})(x, x @ x.T + torch.eye(x.shape[0]).to(x) * 2.0)",
        one(is_matrix))  # fmt: skip


matrices("solve", lambda x, g: ops.linalg.solve(g, x), lambda x, g: np.linalg.solve(g, x),
         "jnp.linalg.solve(g, x)", "torch.linalg.solve(g, x)")  # fmt: skip
matrices("inv", lambda x, g: ops.linalg.inv(g), lambda x, g: np.linalg.inv(g), "jnp.linalg.inv(g)",
         "torch.linalg.inv(g)")  # fmt: skip
matrices("det", lambda x, g: ops.linalg.det(g), lambda x, g: np.linalg.det(g), "jnp.linalg.det(g)",
         "torch.linalg.det(g)")  # fmt: skip
matrices("slogdet", lambda x, g: ops.linalg.slogdet(g)[1], lambda x, g: np.log(np.linalg.det(g)),
         "jnp.linalg.slogdet(g)[1]", "torch.linalg.slogdet(g)[1]")  # fmt: skip
matrices("cholesky", lambda x, g: ops.linalg.cholesky(g), lambda x, g: _cholesky(g),
         "jnp.linalg.cholesky(g)", "torch.linalg.cholesky(g)")  # fmt: skip
matrices(
    "eigh",
    lambda x, g: ops.sum(ops.linalg.eigh(g)[0] ** 3),
    lambda x, g: np.trace(g @ g @ g),
    "jnp.trace(g @ g @ g)",
    "torch.trace(g @ g @ g)",
)
matrices("svd", lambda x, g: ops.sum(ops.linalg.svd(x, full_matrices=False)[1] ** 4),
         lambda x, g: np.trace(x @ x.T @ x @ x.T), "jnp.trace(x @ x.T @ x @ x.T)",
         "torch.trace(x @ x.T @ x @ x.T)")  # fmt: skip
matrices("qr", lambda x, g: ops.sum(ops.log(ops.abs(ops.diagonal(ops.linalg.qr(g)[1])))),
         lambda x, g: np.log(np.linalg.det(g)), "jnp.log(jnp.linalg.det(g))",
         "torch.log(torch.linalg.det(g))")  # fmt: skip
matrices("pinv", lambda x, g: ops.linalg.pinv(g), lambda x, g: np.linalg.inv(g),
         "jnp.linalg.inv(g)", "torch.linalg.inv(g)")  # fmt: skip


def lines(rng: Rng, pool: Pool) -> Any:
    """Two values with one axis."""
    found = [_some(rng, pool, lambda x: x.ndim == 1) for _ in range(2)]
    return None if None in found else (tuple(found), {})


row("convolve", ops.convolve, np.convolve, "jnp.convolve",
    "lambda x, y: F.conv1d(x[None, None], y.flip(0)[None, None], padding=len(y) - 1)[0, 0]",
    lines)  # fmt: skip

_SCALE = Row("scale", lambda x, factor: x * factor, lambda x, factor: x * factor,
             "lambda x, factor: x * factor", "lambda x, factor: x * factor", one())  # fmt: skip


# ---- drawing -------------------------------------------------------------------------------------


def program(seed: int) -> Program:
    """Return the program of a seed."""
    rng = np.random.default_rng([seed, 7])
    sizes = [int(n) for n in rng.integers(2, 5, size=3)]
    shapes = [tuple(sizes[: rng.integers(1, 4)]), tuple(sizes[:2]), (sizes[0], 1), ()]
    count = int(rng.integers(2, 5))
    result = Program([rng.normal(size=shape) for shape in shapes[:count]])
    pool: Pool = list(result.inputs)
    # Each row gets its turn; the others of a program are drawn.
    rows = [ROWS[seed % len(ROWS)], *(ROWS[i] for i in rng.integers(0, len(ROWS), size=9))]
    for chosen in rows:
        drawn = chosen.draw(rng, pool)
        if drawn is None:
            continue
        operands, attrs = drawn
        with np.errstate(all="ignore"):
            value = np.asarray(chosen.plain(*(pool[i] for i in operands), **attrs))
        largest = float(np.abs(value).max(initial=0.0))
        if not np.isfinite(largest) or not 0 < value.size <= _MOST or largest > 1e3:
            continue
        result.steps.append(Step(chosen, operands, attrs))
        pool.append(value)
        if largest > _LARGEST:
            factor = 1.0 / largest
            result.steps.append(Step(_SCALE, (len(pool) - 1,), {"factor": factor}))
            pool.append(value * factor)
    used = {i for step in result.steps for i in step.operands}
    last = [i for i in range(len(pool)) if i not in used or i == len(pool) - 1]
    result.weights = [(i, rng.choice([-1, 1], pool[i].shape) * rng.uniform(0.5, 1.0, pool[i].shape))
                      for i in last]  # fmt: skip
    return result
