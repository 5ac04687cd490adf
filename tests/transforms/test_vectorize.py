"""vmap: bit for bit what a loop over the examples gives, for every op, and in every nesting."""

from __future__ import annotations

import collections
import itertools
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, layers, ops
from fusegrad._tensor import Tensor, apply
from fusegrad.errors import ArgumentError
from fusegrad.transforms.trees import leaves
from fusegrad.variable import substituted
from op_cases import CASES, OpCase
from test_ops import arrays, projected

Array = np.ndarray[Any, Any]

TABLE = {row["name"]: row for row in _core.op_table()}
SPECIAL = ("callback", "custom_vjp")  # have tests of their own
BATCHED = [case for case in CASES if TABLE[case.op]["batches"] and case.op not in SPECIAL]
EXAMPLES = 3


def examples(case: OpCase, dtype: str) -> list[list[Array]]:
    """The operands of a few examples of a case."""
    chosen = case.float_inputs
    return [
        [
            x.astype(dtype) if x.dtype.kind == "f" and (chosen is None or i in chosen) else x
            for i, x in enumerate(np.asarray(x) for x in case.inputs(np.random.default_rng(seed)))
        ]
        for seed in range(EXAMPLES)
    ]


def choices(count: int) -> list[tuple[int | None, ...]]:
    """Every way to map some of so many operands."""
    return [axes for axes in itertools.product((0, None), repeat=count) if 0 in axes]


def one_by_one(fun: Any, batch: list[list[Any]], axes: tuple[int | None, ...]) -> list[Array]:
    """What a loop gives: an operand that is not mapped is that of the first example."""
    rows = [
        arrays(fun(*[row[i] if axis == 0 else batch[0][i] for i, axis in enumerate(axes)]))
        for row in batch
    ]
    return [np.stack(parts) for parts in zip(*rows, strict=True)]


def operands(batch: list[list[Any]], axes: tuple[int | None, ...]) -> list[Array]:
    return [
        np.stack([row[i] for row in batch]) if axis == 0 else batch[0][i]
        for i, axis in enumerate(axes)
    ]


def same_bits(got: Any, want: list[Array]) -> None:
    for g, w in zip(arrays(got), want, strict=True):
        assert (g.shape, g.dtype) == (w.shape, w.dtype)
        assert g.tobytes() == w.tobytes()


# ---- ops -----------------------------------------------------------------------------------------


def test_all_but_updates_batch() -> None:
    without = {name for name, row in TABLE.items() if not row["batches"]}
    updates = {"sgd_update", "momentum_update", "rmsprop_update", "adam_update"}
    assert without == {"adam_step_size", *updates}


@pytest.mark.parametrize("case", BATCHED, ids=lambda c: c.id)
def test_op(case: OpCase) -> None:
    for dtype in ("float32", "float64"):
        batch = examples(case, dtype)
        for axes in choices(len(batch[0])):
            if case.op == "dropout" and axes[1] == 0:
                continue
            got = fg.vmap(case.call, in_axes=axes)(*operands(batch, axes))
            same_bits(got, one_by_one(case.call, batch, axes))


@pytest.mark.parametrize("case", [c for c in BATCHED if c.grad], ids=lambda c: c.id)
def test_gradient(case: OpCase) -> None:
    """Of each example, in every compiled and eager nesting."""
    batch = examples(case, "float64")
    parts = [[row[i] for i in case.grad] for row in batch]
    gradient = fg.grad(projected(case, batch[0]), argnums=tuple(range(len(case.grad))))
    mapped = (0,) * len(case.grad)
    want = one_by_one(gradient, parts, mapped)
    stacked = operands(parts, mapped)
    same_bits(fg.vmap(gradient)(*stacked), want)
    same_bits(fg.jit(fg.vmap(gradient), exact_rewrites=False)(*stacked), want)
    same_bits(fg.vmap(fg.jit(gradient))(*stacked), want)


@pytest.mark.parametrize("ranks", list(itertools.product((1, 2, 3, 4), repeat=2)), ids=str)
def test_products(ranks: tuple[int, int]) -> None:
    shapes = {1: (5,), 2: (4, 5), 3: (3, 4, 5), 4: (2, 1, 4, 5)}
    rng = np.random.default_rng(0)
    for dtype, transpose_a, transpose_b in itertools.product(
        (np.float32, np.float64), (False, True), (False, True)
    ):
        left, right = shapes[ranks[0]], shapes[ranks[1]]
        if transpose_a and len(left) > 1:
            left = (*left[:-2], left[-1], left[-2])
        if not transpose_b and len(right) > 1:
            right = (*right[:-2], right[-1], right[-2])

        def product(a: Any, b: Any, ta: bool = transpose_a, tb: bool = transpose_b) -> Any:
            return apply("matmul", (a, b), transpose_a=ta, transpose_b=tb)

        batch = [
            [rng.normal(size=left).astype(dtype), rng.normal(size=right).astype(dtype)]
            for _ in range(EXAMPLES)
        ]
        for axes in choices(2):
            got = fg.vmap(product, in_axes=axes)(*operands(batch, axes))
            same_bits(got, one_by_one(product, batch, axes))


def test_dense_with_batched_weights() -> None:
    rng = np.random.default_rng(0)
    activations = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softplus")
    for shape, activation in itertools.product(((4,), (2, 3, 4)), activations):
        batch = [
            [rng.normal(size=s).astype(np.float32) for s in (shape, (4, 3), (3,))]
            for _ in range(EXAMPLES)
        ]
        for axes in choices(3):

            def layer(x: Any, w: Any, b: Any, a: str = activation) -> Any:
                return ops.dense(x, w, b, a)

            got = fg.vmap(layer, in_axes=axes)(*operands(batch, axes))
            same_bits(got, one_by_one(layer, batch, axes))


@pytest.mark.parametrize("indices", [(), (4,), (2, 3)], ids=str)
def test_take_and_its_gradient(indices: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    for shape, dtype in itertools.product(((5,), (5, 2), (2, 3, 5)), ("int32", "int64", "uint8")):
        for axis in range(len(shape)):
            size = shape[axis]
            low = 0 if dtype == "uint8" else -size
            batch = [
                [rng.normal(size=shape), rng.integers(low, size, indices).astype(dtype)]
                for _ in range(EXAMPLES)
            ]

            def take(x: Any, i: Any, axis: int = axis) -> Any:
                return ops.take(x, i, axis=axis)

            def scatter(x: Any, i: Any, take: Any = take) -> Any:
                return fg.grad(lambda x: ops.sum(take(x, i) ** 2))(x)

            for axes in choices(2):
                for fun in (take, scatter):
                    got = fg.vmap(fun, in_axes=axes)(*operands(batch, axes))
                    same_bits(got, one_by_one(fun, batch, axes))


def test_searchsorted_within_vmap_of_vmap() -> None:
    rng = np.random.default_rng(0)
    a, v = np.sort(rng.normal(size=(2, 3, 7))), rng.normal(size=(2, 3, 5))
    want = np.array([[np.searchsorted(a[i, j], v[i, j]) for j in range(3)] for i in range(2)])
    same_bits(fg.vmap(fg.vmap(ops.searchsorted))(a, v), [want])
    inner = fg.vmap(fg.vmap(ops.searchsorted, (0, None)), (None, 0))(a[0], v[0])
    same_bits(inner, [np.array([[np.searchsorted(x, y) for x in a[0]] for y in v[0]])])


def test_segments_of_an_example_stay_in_it() -> None:
    with pytest.raises(ArgumentError, match=r"in \[0, 2\), got 2"):
        fg.vmap(lambda x, i: ops.segment_sum(x, i, 2))(np.ones((2, 3)), np.array([[0, 1, 2]] * 2))
    with pytest.raises(ArgumentError, match=r"in \[0, 2\), got -1"):
        fg.vmap(lambda x, i: ops.segment_max(x, i, 2))(np.ones((2, 3)), np.array([[0, 1, -1]] * 2))


def test_indices_of_an_example_stay_in_it() -> None:
    x = np.arange(6.0).reshape(2, 3)
    with pytest.raises(ArgumentError, match=r"indices in \[-3, 3\), got 3 at index 1"):
        fg.vmap(ops.take)(x, np.array([0, 3]))
    with pytest.raises(ArgumentError, match=r"indices in \[-3, 3\), got -4 at index 0"):
        fg.jit(fg.vmap(lambda x, i: x[i]))(x, np.array([-4, 0]))


def test_dropout_draws_one_mask() -> None:
    x = np.array([[[1.0, -2.0, np.inf, 4.0] * 8] * 3, [[np.nan, 5.0, -0.0, 7.0] * 8] * 3])
    position = np.array([2, 5])

    def drop(x: Any) -> Any:
        return ops.dropout(x, position, 0.4, seed=3, stream=1)

    same_bits(fg.vmap(drop)(x), [np.stack([drop(row).numpy() for row in x])])
    total = fg.grad(lambda x: ops.sum(drop(x) * 3.0))
    finite = np.nan_to_num(x, posinf=1.0)
    same_bits(fg.vmap(total)(finite), [np.stack([total(row).numpy() for row in finite])])
    with pytest.raises(ArgumentError, match="dropout at one position"):
        fg.vmap(lambda x, p: ops.dropout(x, p, 0.4, seed=3, stream=1))(x, np.zeros((2, 2), int))


def test_callbacks() -> None:
    calls = []

    def double(x: Any, y: Any) -> Any:
        calls.append(x.shape)
        return 2 * x + y

    def f(x: Any, y: Any, vectorized: bool = True) -> Any:
        return fg.pure_callback(
            double, fg.ShapeDtypeStruct(3, "float64"), x, y, vectorized=vectorized
        )

    x, y = np.arange(6.0).reshape(2, 3), np.ones(3)
    for mapped in (fg.vmap(f, (0, None)), fg.jit(fg.vmap(f, (0, None)))):
        assert mapped(x, y).tolist() == (2 * x + 1).tolist()
    twice = fg.vmap(fg.vmap(f, (None, 0)), (0, None))(x, x)
    assert twice.tolist() == (2 * x[:, None] + x).tolist()
    assert calls == [(2, 3), (2, 3), (2, 2, 3)]
    calls.clear()
    one_by_one = fg.vmap(fg.vmap(lambda a, b: f(a, b, False), (None, 0)), (0, None))(x, x)
    assert one_by_one.tolist() == twice.tolist()
    assert calls == [(3,)] * 4


def test_rank_limit() -> None:
    x = np.ones((2,) * 8)
    assert fg.vmap(lambda x: x + 1)(x).shape == x.shape
    with pytest.raises(ArgumentError, match="8"):
        fg.vmap(lambda x: x[None])(x)


# ---- nesting -------------------------------------------------------------------------------------


def loss(w: Any, x: Any) -> Any:
    return ops.sum(ops.tanh(ops.matmul(x, w)) ** 2)


@pytest.fixture
def problem() -> tuple[Tensor, Array]:
    rng = np.random.default_rng(0)
    return Tensor(rng.normal(size=(3, 4))), rng.normal(size=(5, 3))


def test_vmap_of_vmap(problem: tuple[Tensor, Array]) -> None:
    _, x = problem
    y = np.random.default_rng(1).normal(size=(4, 3))
    pairs = fg.vmap(fg.vmap(ops.dot, in_axes=(None, 0)), in_axes=(0, None))
    want = np.stack([np.stack([ops.dot(a, b).numpy() for b in y]) for a in x])
    same_bits(pairs(x, y), [want])
    same_bits(fg.jit(pairs)(x, y), [want])


def test_gradients_of_each_example(problem: tuple[Tensor, Array]) -> None:
    w, x = problem
    each = fg.vmap(fg.value_and_grad(loss), in_axes=(None, 0))
    rows = [fg.value_and_grad(loss)(w, row) for row in x]
    want = [np.stack([v.numpy() for v, _ in rows]), np.stack([g.numpy() for _, g in rows])]
    same_bits(each(w, x), want)
    same_bits(fg.jit(each, exact_rewrites=False)(w, x), want)
    (value, aux), gradient = fg.vmap(
        fg.value_and_grad(lambda w, x: (loss(w, x), {"x": x}), has_aux=True), in_axes=(None, 0)
    )(w, x)
    same_bits((value, gradient), want)
    assert aux["x"].numpy().tolist() == x.tolist()


def test_grad_through_vmap(problem: tuple[Tensor, Array]) -> None:
    """With the differentiated value as an argument, and found in a closure."""
    w, x = problem
    want = sum(fg.grad(loss)(w, row).numpy() for row in x)
    second = fg.grad(lambda w: sum(ops.sum(fg.grad(loss)(w, row) ** 2) for row in x))(w)
    for outer in (lambda f: f, fg.jit):
        argument = outer(fg.grad(lambda w: ops.sum(fg.vmap(loss, (None, 0))(w, x))))
        closure = outer(fg.grad(lambda w: ops.sum(fg.vmap(lambda row: loss(w, row))(x))))
        inner = outer(
            fg.grad(
                lambda w: ops.sum(
                    fg.vmap(lambda row: ops.sum(fg.grad(lambda v: loss(v, row))(w) ** 2))(x)
                )
            )
        )
        np.testing.assert_allclose(argument(w), want, rtol=1e-12)
        np.testing.assert_allclose(closure(w), want, rtol=1e-12)
        np.testing.assert_allclose(inner(w), second, rtol=1e-11)


def test_closures_two_levels_up() -> None:
    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=(2, 3)), rng.normal(size=(5, 3)), rng.normal(size=4)

    def total(w: Any, rows: Any, each: Any) -> Any:
        return each(lambda a: each(lambda b: ops.sum(ops.exp(w @ (a * b))), y), rows)

    got = fg.grad(lambda w: total(w, x, lambda f, xs: ops.sum(fg.vmap(f)(xs))))(w)
    want = fg.grad(lambda w: total(w, x, lambda f, xs: sum(f(Tensor(v)) for v in xs)))(w)
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_what_depends_on_nothing_recorded_is_plain() -> None:
    x = np.arange(3.0)

    def f(w: Any) -> Any:
        scale = fg.vmap(lambda v: v * 2)(x)
        assert float(scale[2]) == 4.0  # not tracked: reading it cuts nothing
        return w * scale[1]

    assert fg.grad(f)(1.0).item() == 2.0


def test_variables() -> None:
    v = fg.Variable([1.0, 2.0])
    x = np.array([[1.0, 1.0], [0.0, 3.0]], np.float32)
    mapped = fg.vmap(lambda row: ops.sum(row * v))
    compiled = fg.jit(mapped)
    for scale in (1.0, 2.0):
        v.assign([scale, 2 * scale])
        assert mapped(x).tolist() == compiled(x).tolist() == [3 * scale, 6 * scale]

    def f(value: Any) -> Any:
        with substituted({v: value}):
            return ops.sum(mapped(x) ** 2)

    assert fg.grad(f)(v).tolist() == [12.0, 2 * (6 * 1 + 12 * 3)]

    def assigning(row: Any) -> Any:
        v.assign(row)
        return row

    for fun in (fg.vmap(assigning), fg.jit(fg.vmap(assigning))):
        with pytest.raises(ArgumentError, match="assigns to no Variable"):
            fun(x)

    @fg.jit
    def after_assignment(x: Any) -> Any:
        v.assign(v * 10.0)
        return mapped(x)

    v.assign([1.0, 2.0])
    assert after_assignment(x).tolist() == [30.0, 60.0]


def test_closures_are_read_at_each_call() -> None:
    scale = np.array(2.0)
    double = fg.vmap(lambda x: x * scale)
    assert double(np.ones(2)).tolist() == [2, 2]
    scale[...] = 3.0
    assert double(np.ones(2)).tolist() == [3, 3]
    compiled = fg.jit(double)
    assert compiled(np.ones(2)).tolist() == [3, 3]
    scale[...] = 4.0
    assert compiled(np.ones(2)).tolist() == [3, 3]  # jit has a copy


def test_exactness_rewrites_are_those_around() -> None:
    z = np.array([[0.0, 2000.0]])
    slope = fg.vmap(fg.grad(lambda z: ops.log(ops.softmax(z))[0]))
    assert np.isnan(slope(z).numpy()).any()
    assert fg.jit(slope)(z).tolist() == [[1.0, -1.0]]
    lowered = fg.jit(slope).lower(z)
    assert [line.split(": ")[1] for line in lowered.rewrites] == [
        "log(softmax(z)) -> log_softmax(%1, axes=[1])"
    ]
    assert "# was log(softmax(z))" in lowered.text("trace")


def test_rewrites_of_which_only_gradients_are_left_are_told_once() -> None:
    def soft(x: Any) -> Any:
        return ops.sum(ops.log(1 + ops.exp(x)))

    x = np.array([0.0, 1000.0])
    expected = ["log(1 + exp(z)) -> softplus, in gradients"]
    for transform in (fg.hessian(soft), fg.vmap(fg.grad(soft)), fg.jacobian(fg.grad(soft))):
        compiled = fg.jit(transform)
        assert compiled.lower(x).rewrites == expected
        assert np.isfinite(compiled(x)).all()
        assert fg.jit(transform, exact_rewrites=False).lower(x).rewrites == []


def test_in_a_layer_and_a_loss() -> None:
    class Rows(layers.Layer):
        def build(self, shape: Any) -> None:
            self.w = self.add_weight(shape=(shape[-1], 3), initializer="glorot_uniform", name="w")

        def call(self, x: Any) -> Any:
            return fg.vmap(lambda row: ops.tanh(ops.matmul(row, self.w)))(x)

    class Whole(Rows):
        def call(self, x: Any) -> Any:
            return ops.tanh(ops.matmul(x, self.w))

    def rows(y: Any, p: Any) -> Any:
        return fg.vmap(lambda a, b: ops.sum((a - b) ** 2))(y, p)

    def whole(y: Any, p: Any) -> Any:
        return ops.sum((y - p) ** 2, axis=-1)

    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 5)).astype(np.float32)
    y = rng.normal(size=(32, 2)).astype(np.float32)
    predictions = []
    for kind, error in ((Rows, rows), (Whole, whole)):
        for eager in (False, True):
            fg.random.set_seed(1)
            model = fg.Sequential([layers.Dropout(0.2), kind(), layers.Dense(2)])
            model.compile("sgd", error, run_eagerly=eager)
            model.fit(x, y, epochs=2, batch_size=8, verbose=0)
            predictions.append(model.predict(x, verbose=0).tobytes())
    assert len(set(predictions)) == 1


# ---- axes and structures -------------------------------------------------------------------------


def test_axes() -> None:
    x = np.arange(24.0).reshape(2, 3, 4)
    for axis in range(-3, 3):
        total = fg.vmap(lambda x: ops.sum(x, axis=0), in_axes=axis)(x)
        assert total.tolist() == np.moveaxis(x, axis, 0).sum(axis=1).tolist()
        moved = fg.vmap(lambda x: x * 2, out_axes=axis)(x)
        assert moved.tolist() == (2 * np.moveaxis(x, 0, axis)).tolist()


def test_structures() -> None:
    Pair = collections.namedtuple("Pair", "a b")
    tree = {"p": Pair(np.arange(3.0), [np.ones((2, 3)), None]), "q": 5.0}

    def f(tree: Any, *, shift: Any, mode: str) -> Any:
        assert mode == "up"
        pair = tree["p"]
        assert pair.b[1] is None
        return Pair(pair.a * tree["q"] + shift, {"b": pair.b[0], "two": 2.0})

    mapped = fg.vmap(
        lambda tree, mode, **named: f(tree, mode=mode, **named),
        in_axes=({"p": (0, [1, None]), "q": None}, None),
        out_axes=(0, {"b": 1, "two": None}),
    )
    result = mapped(tree, "up", shift=np.array([1.0, 2.0, 3.0]))
    assert type(result) is Pair
    assert result.a.tolist() == [1.0, 7.0, 13.0]
    assert result.b["b"].shape == (2, 3)
    assert result.b["two"].item() == 2.0
    same = fg.vmap(lambda x: 7, out_axes=0)(np.ones(3))
    assert same.tolist() == [7, 7, 7]


def test_no_examples() -> None:
    x = np.zeros((0, 3))
    assert fg.vmap(ops.sum)(x).shape == (0,)
    assert fg.vmap(fg.grad(lambda x: ops.sum(x**2)))(x).shape == (0, 3)


X = np.ones((5, 3))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: fg.vmap(3), "'fun'"),
        (lambda: fg.vmap(abs, in_axes="rows"), "'in_axes'"),
        (lambda: fg.vmap(abs, in_axes=True), "'in_axes'"),
        (lambda: fg.vmap(abs, in_axes=(0, 0))(X), "1 positional arguments, got 2"),
        (lambda: fg.vmap(abs, in_axes=("a",))(X), "ints and None"),
        (lambda: fg.vmap(abs, in_axes=None)(X), "none that is mapped"),
        (lambda: fg.vmap(abs, in_axes=2)(X), r"an axis in \[-2, 2\) of argument 0, got 2"),
        (lambda: fg.vmap(abs)(1.0), "None for argument 0"),
        (lambda: fg.vmap(lambda x, s: x)(X, "mean"), "an array as argument 1"),
        (lambda: fg.vmap(abs, out_axes=3)(X), r"an axis in \[-2, 2\) of result, got 3"),
        (lambda: fg.vmap(abs, out_axes=None)(X), "differs by example, got None"),
        (lambda: fg.vmap(lambda x: (x, x), out_axes=(0, 0, 0))(X), "a tuple of 2"),
        (lambda: fg.vmap(lambda x: "text")(X), "returns arrays, got 'text'"),
        (
            lambda: fg.vmap(lambda d: d["a"], in_axes=({"a": 0, "b": 0},))({"a": X}),
            r"args\[0\], a dict of 1",
        ),
        (
            lambda: fg.vmap(lambda a, b: a)(X, {"b": [X[:2]]}),
            r"5 examples .* axis 0 of argument 0, got 2 along axis 0 of argument 1\['b'\]\[0\]",
        ),
        (
            lambda: fg.vmap(lambda x: apply("sgd_update", (x, x, Tensor(0.1))))(X),
            "batching rule .*op 'sgd_update', which has none",
        ),
    ],
)
def test_refuses(call: Any, words: str) -> None:
    with pytest.raises(ArgumentError, match=words):
        call()


def test_traced_examples_have_no_elements() -> None:
    with pytest.raises(TypeError, match=r"ops\.where"):
        fg.vmap(lambda x: x if x.sum() > 0 else -x)(X)
    kept: list[Any] = []
    fg.vmap(lambda x: kept.append(x) or x)(X)
    for use in (lambda x: x + 1, fg.vmap(lambda x: x)):
        with pytest.raises(ArgumentError, match="kept outside the trace"):
            use(kept[0])
    with pytest.raises(ArgumentError, match="kept outside the trace"):
        fg.vmap(lambda x: kept[0])(X)


def test_what_was_recorded_before_an_error_is_usable() -> None:
    def f(w: Any) -> Any:
        with pytest.raises(ZeroDivisionError):
            fg.vmap(lambda x: w * x + 1 // 0)(X)
        with pytest.raises(ArgumentError, match="batching rule"):
            fg.vmap(lambda x: apply("sgd_update", (w * x, x, 0.1)))(X)
        return w * w

    assert fg.grad(f)(3.0).item() == 6.0
    assert fg.jit(fg.grad(f))(np.float64(3.0)).item() == 6.0


def test_what_nothing_needs_any_more_is_freed() -> None:
    program = """
import resource, numpy as np, fusegrad as fg
x = fg.Tensor(np.ones((16, 1 << 16)))  # 8 MiB
y = fg.Tensor(np.ones((16, 1 << 16)))
def f(x, y):
    for _ in range(40):
        x = x * 1.0 + y
    return x
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
fg.vmap(f)(x, y)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / before)
"""
    grown = subprocess.check_output([sys.executable, "-c", program], text=True)
    assert float(grown) < 4.0  # all 80 results would be some 15 times what the process had


# ---- transforms of a trace -----------------------------------------------------------------------


@pytest.mark.parametrize("transform", [fg.jacrev, fg.jacfwd, fg.jacobian])
def test_a_traced_jacobian_is_one_pass(transform: Any) -> None:
    rng = np.random.default_rng(0)
    w = rng.normal(size=(3, 4))

    def f(x: Any, s: Any) -> Any:
        return {"a": ops.tanh(ops.matmul(x, w)) * s, "b": (ops.sum(x), 2.0)}, {"seen": x * 2.0}

    def traced(size: int) -> Any:
        both = fg.jit(transform(f, argnums=(0, 1), has_aux=True), exact_rewrites=False)
        return both, rng.normal(size=(size, 3)), rng.normal(size=4)

    lengths = set()
    for size in (2, 40):
        both, x, s = traced(size)
        got, aux = both(x, s)
        want, _ = transform(f, argnums=(0, 1), has_aux=True)(x, s)
        assert aux["seen"].numpy().tolist() == (2 * x).tolist()
        for g, e in zip(leaves(got), leaves(want), strict=True):
            assert g.shape == e.shape
            np.testing.assert_allclose(g, e, rtol=1e-13, atol=1e-13)
        lengths.add(len(both.lower(x, s).text("trace").splitlines()))
    assert len(lengths) == 1 or transform is fg.jacobian


def test_traced_hessians_and_derivatives_of_jacobians() -> None:
    def f(x: Any) -> Any:
        return ops.sum(ops.exp(x) * x[::-1])

    x = np.array([0.5, -1.0])
    flipped = np.exp(x)[::-1]
    want = np.diag(np.exp(x) * x[::-1]) + np.fliplr(np.diag(np.exp(x)) + np.diag(flipped))
    np.testing.assert_allclose(fg.jit(fg.hessian(f))(x), want, rtol=1e-14)
    each = np.stack([x, 2 * x])
    both = np.stack([fg.hessian(f)(row).numpy() for row in each])
    np.testing.assert_allclose(fg.vmap(fg.hessian(f))(each), both, rtol=1e-14)
    np.testing.assert_allclose(fg.jit(fg.vmap(fg.hessian(f)))(each), both, rtol=1e-14)
    size = lambda x: ops.sum(fg.jacobian(fg.grad(f))(x) ** 2)  # noqa: E731
    np.testing.assert_allclose(fg.jit(fg.grad(size))(x), fg.grad(size)(x), rtol=1e-13)
    assert fg.jit(fg.jacobian(lambda x: x[:0] * 2.0))(x).shape == (0, 2)


def test_products_of_jacobians_by_vmap() -> None:
    x = np.array([0.5, -1.0, 2.0])
    f = lambda x: ops.sin(x) * x[0]  # noqa: E731
    want = fg.jacobian(f)(x).numpy()
    _, pullback = fg.vjp(f, x)
    rows = fg.vmap(pullback)(np.eye(3))
    np.testing.assert_allclose(rows[0] if isinstance(rows, tuple) else rows, want, rtol=1e-14)
    columns = fg.vmap(lambda v: fg.jvp(f, (x,), (v,))[1], out_axes=1)(np.eye(3))
    np.testing.assert_allclose(columns, want, rtol=1e-14)


def test_custom_rules_apply_to_each_example() -> None:
    @fg.custom_vjp
    def clipped(x: Any, scale: Any) -> Any:
        return ops.sum(x * x) * scale

    def fwd(x: Any, scale: Any) -> Any:
        return clipped(x, scale), (x, scale)

    def bwd(saved: Any, g: Any) -> Any:
        x, scale = saved
        return ops.clip(2.0 * x * scale * g, -1.0, 1.0), ops.sum(x) * g * 100.0

    clipped.defvjp(fwd, bwd)
    x = np.random.default_rng(0).normal(size=(4, 3))
    s = np.array(3.0)
    rows = [fg.grad(clipped, (0, 1))(row, s) for row in x]
    want = [np.stack([part.numpy() for part in parts]) for parts in zip(*rows, strict=True)]
    same_bits(fg.vmap(fg.grad(clipped, (0, 1)), (0, None))(x, s), want)
    same_bits(fg.jit(fg.vmap(fg.grad(clipped, (0, 1)), (0, None)))(x, s), want)
    # The rule of what is differentiated outside is that of all examples.
    total = lambda x, s: ops.sum(fg.vmap(clipped, (0, None))(x, s))  # noqa: E731
    for outer in (lambda f: f, fg.jit):
        dx, ds = outer(fg.grad(total, (0, 1)))(x, s)
        np.testing.assert_array_equal(dx, want[0])
        np.testing.assert_allclose(ds, want[1].sum(), rtol=1e-14)
    # Also where only values from outside are differentiated, and two levels down.
    closure = lambda s: ops.sum(fg.vmap(lambda row: clipped(row, s))(x))  # noqa: E731
    np.testing.assert_allclose(fg.grad(closure)(s), want[1].sum(), rtol=1e-14)
    alone = lambda s: ops.sum(fg.vmap(lambda row: row[0] * clipped(x[0], s))(x))  # noqa: E731
    np.testing.assert_allclose(fg.grad(alone)(s), x[:, 0].sum() * want[1][0], rtol=1e-13)
    twice = fg.vmap(fg.vmap(clipped, (0, None)), (None, 0))
    nested = fg.grad(lambda x, s: ops.sum(twice(x, s)), (0, 1))(x, np.array([3.0, 3.0]))
    np.testing.assert_allclose(nested[0], 2 * want[0], rtol=1e-14)
    np.testing.assert_allclose(nested[1], [want[1].sum()] * 2, rtol=1e-14)
    second = fg.vmap(lambda row: ops.sum(fg.grad(clipped, 1)(row, s)))
    np.testing.assert_array_equal(fg.grad(lambda x: ops.sum(second(x)))(x), np.full((4, 3), 100.0))

    def reads(row: Any, hidden: Any) -> Any:
        @fg.custom_vjp
        def bad(x: Any) -> Any:
            return ops.sum(x * hidden)

        bad.defvjp(lambda x: (bad(x), ()), lambda saved, g: (g * x[0],))
        return bad(row)

    with pytest.raises(ArgumentError, match="pass it as an argument"):
        fg.grad(lambda w: ops.sum(fg.vmap(lambda row: reads(row, w))(x)))(np.array(2.0))


def test_checkpoints_within_vmap() -> None:
    x = np.random.default_rng(0).normal(size=(4, 3))
    plain = lambda x: ops.sum(ops.tanh(ops.exp(x)))  # noqa: E731
    want = [np.stack([fg.grad(plain)(row).numpy() for row in x])]
    same_bits(fg.vmap(fg.grad(fg.checkpoint(plain)))(x), want)
    same_bits(fg.grad(lambda x: ops.sum(fg.vmap(fg.checkpoint(plain))(x)))(x), want)
    same_bits(fg.vmap(lambda x: fg.stop_gradient(x) * x)(x), [x * x])


def test_gradient_tape_around_vmap() -> None:
    w = fg.Variable([1.0, 2.0])
    x = np.array([[1.0, 1.0], [0.0, 3.0]], np.float32)
    with fg.GradientTape() as tape:
        y = ops.sum(fg.vmap(lambda row: ops.sum(row * w) ** 2)(x))
    assert tape.gradient(y, w).tolist() == [6.0, 6.0 + 36.0]
