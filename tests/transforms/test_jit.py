"""jit: traces, programs, and what they are made for."""

import threading

import numpy as np
import pytest

import fusegrad as fg
from differences import network
from fusegrad import _tensor, ops
from fusegrad.errors import ArgumentError


@pytest.mark.quick
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jit_equals_eager_bit_for_bit(problem, dtype):
    parameters, x, y = problem
    parameters = [tuple(part.astype(dtype) for part in pair) for pair in parameters]
    x = x.astype(dtype)
    step = fg.value_and_grad(network)
    eager_loss, eager = step(parameters, x, y)
    jitted = fg.jit(step, exact_rewrites=False)
    for _ in range(2):
        loss, compiled = jitted(parameters, x, y)
        assert loss.item() == eager_loss.item()
        for pair, expected in zip(compiled, eager, strict=True):
            for a, b in zip(pair, expected, strict=True):
                assert a.numpy().tobytes() == b.numpy().tobytes()


def test_jit_orders_of_grad():
    f = lambda x: ops.sum(ops.tanh(x) ** 3)  # noqa: E731
    x = np.array([0.3, -0.5])
    hessian_row = fg.grad(lambda x: fg.grad(f)(x)[0])
    expected = hessian_row(x).numpy()
    assert (fg.jit(hessian_row)(x).numpy() == expected).all()
    inlined = fg.grad(fg.jit(lambda x: fg.grad(fg.jit(f))(x)[0]))
    assert (inlined(x).numpy() == expected).all()


def test_jit_caches_by_shape_dtype_and_static_values():
    traces = []

    @fg.jit
    def f(x, axis=None, scale=1.0):
        traces.append(x.shape)
        return ops.sum(x, axis) * scale

    assert f(np.ones((2, 3))).item() == 6
    assert f(2 * np.ones((2, 3))).item() == 12
    assert len(traces) == 1
    assert f(np.ones((2, 3)), 0).tolist() == [2, 2, 2]
    assert f(np.ones((2, 3)), axis=1).tolist() == [3, 3]
    assert f(np.ones((2, 3), np.float32)).item() == 6
    assert f(np.ones(4)).item() == 4
    assert np.signbit(f(np.ones(4), scale=-0.0).numpy())
    assert not np.signbit(f(np.ones(4), scale=0.0).numpy())
    assert len(traces) == 7
    assert f.__name__ == "f"


def test_jit_structures():
    @fg.jit
    def f(tree):
        return {"sum": tree["a"] + tree["b"][0], "rest": (tree["a"], None, 2.0)}

    out = f({"a": np.ones(2), "b": [np.ones(2)]})
    assert out["sum"].tolist() == [2, 2]
    assert out["rest"][0].tolist() == [1, 1]
    assert out["rest"][1] is None
    assert out["rest"][2].item() == 2


def test_jit_outputs_that_are_inputs_constants_and_duplicates():
    x = np.arange(4.0)
    a, b, c, d, e = fg.jit(lambda x: (x, x, ops.ones(2), x.reshape(2, 2).T, x[1:]))(x)
    assert a.tolist() == b.tolist() == [0, 1, 2, 3]
    assert c.tolist() == [1, 1]
    assert d.tolist() == [[0, 2], [1, 3]]
    assert e.tolist() == [1, 2, 3]


def test_jit_results_are_not_overwritten():
    f = fg.jit(lambda x: x * 2)
    first = f(np.ones(3))
    f(np.zeros(3))
    assert first.tolist() == [2, 2, 2]


def test_large_results_are_kept_while_they_are_used():
    double = fg.jit(lambda x: (x + x, x * 3))
    x = np.arange(20000.0)
    first = double(x)
    view = double(2 * x)[0].numpy()  # its Tensor is gone
    double(x)
    for _ in range(3):
        double(7 * x)
    assert np.array_equal(first[0], 2 * x)
    assert np.array_equal(first[1], 3 * x)
    assert np.array_equal(view, 4 * x)


def test_jit_alternates_between_programs():
    calls = []

    def total(*args):
        calls.append(args)
        return ops.sum(args[0]) * (args[1] if len(args) > 1 else 1)

    jitted = fg.jit(total)
    small, large = np.ones(3, np.float32), np.ones((4, 2), np.float32)
    for _ in range(3):
        assert jitted(small).item() == 3
        assert jitted(large).item() == 8
        assert jitted(_tensor.as_tensor(large)).item() == 8
        assert jitted(small, 2).item() == 6
        assert jitted(small, 3).item() == 9
        assert jitted(small.astype(np.float64)).dtype == "float64"
    assert len(calls) == 5


LOSSES = {
    "sparse": (ops.sparse_softmax_cross_entropy, "labels"),
    "softmax": (ops.softmax_cross_entropy, "distribution"),
    "sigmoid": (ops.sigmoid_cross_entropy, "distribution"),
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [1, 2, 10, 17, 33, 100, 1100, 9000])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_and_gradient_in_one_visit(name, classes, weighted):
    op, kind = LOSSES[name]
    rng = np.random.default_rng(classes)
    for dtype in (np.float32, np.float64):
        x = (rng.normal(size=(19, classes)) * 4).astype(dtype)
        x[1] = x[1, 0]  # equal logits
        x[2, -1] = -np.inf
        x[3, 0] = 1000
        if kind == "labels":
            target = rng.integers(0, classes, 19)
        else:
            target = rng.uniform(size=x.shape).astype(dtype)
            target[:9] = np.eye(classes, dtype=dtype)[rng.integers(0, classes, 9)]
            target[2, -1] = 0
        weight = rng.uniform(size=x.shape[0]).astype(dtype)

        def loss(x, target=target, weight=weight):
            values = op(target, x)
            if name == "sigmoid":
                values = ops.mean(values, axis=-1)
            return ops.mean(values * weight if weighted else values)

        both = fg.jit(fg.value_and_grad(loss))
        for logits in (x, np.asfortranarray(x)):
            value, gradient = both(logits)
            expected = fg.value_and_grad(loss)(logits)
            assert value.numpy().tobytes() == expected[0].numpy().tobytes()
            assert gradient.numpy().tobytes() == expected[1].numpy().tobytes()
        assert "_with_grad(" in both.lower(x).text("plan")


def test_jit_input_layouts():
    f = fg.jit(lambda x, y: x @ y + 1)
    a, b = np.arange(6.0).reshape(2, 3), np.arange(6.0).reshape(2, 3)
    expected = (a @ b.T + 1).tolist()
    assert f(a, b.T).tolist() == expected
    assert f(np.asfortranarray(a), np.ascontiguousarray(b.T)).tolist() == expected
    assert f(a[::-1][::-1], b.T).tolist() == expected


def test_jit_constants_are_copied():
    table = np.ones(3)
    f = fg.jit(lambda x: x + table)
    assert f(np.zeros(3)).tolist() == [1, 1, 1]
    table[:] = 5
    assert f(np.zeros(3)).tolist() == [1, 1, 1]


def test_jit_reads_and_assigns_variables():
    v = fg.Variable(np.zeros(2))

    @fg.jit
    def count(x):
        before = v.value
        v.assign(v + x)
        v.assign(v + x)
        return before, v.value

    before, after = count(np.ones(2))
    assert before.tolist() == [0, 0]
    assert after.tolist() == [2, 2]
    assert v.numpy().tolist() == [2, 2]
    count(np.ones(2))
    assert v.numpy().tolist() == [4, 4]
    v.assign(np.array([10.0, 10.0]))
    assert count(np.ones(2))[0].tolist() == [10, 10]


def test_jit_follows_floatx():
    ones = fg.jit(lambda: ops.ones(2) * 2.0)
    assert ones().dtype == np.float32
    fg.config.set_floatx("float64")
    try:
        assert ones().dtype == np.float64
    finally:
        fg.config.set_floatx("float32")
    assert ones().dtype == np.float32


def test_jit_on_the_memory_of_a_variable_that_it_assigns():
    v, w = fg.Variable([1.0, 2.0]), fg.Variable([10.0, 20.0])

    @fg.jit
    def double(x):
        v.assign(v * 2)
        return x, x[::-1]

    kept, turned = double(v.value)
    assert (kept.tolist(), turned.tolist()) == ([1, 2], [2, 1])
    assert v.numpy().tolist() == [2, 4]

    @fg.jit
    def swap(x):
        v.assign(w + 0.0)
        w.assign(x)

    swap(v.value)
    assert (v.numpy().tolist(), w.numpy().tolist()) == ([10, 20], [2, 4])


def test_jit_exactness_rewrites():
    f = lambda z: ops.log(ops.softmax(z))  # noqa: E731
    z = np.array([[0.0, 2000.0]])
    with_rewrites = fg.jit(f)
    assert with_rewrites(z).tolist() == [[-2000, 0]]
    assert with_rewrites.lower(z).rewrites
    without = fg.jit(f, exact_rewrites=False)
    assert without(z).tolist() == [[-np.inf, 0]]
    assert without.lower(z).rewrites == []


def test_lowered_text():
    lowered = fg.jit(lambda x, w, b: ops.relu(x @ w + b)).lower(
        np.ones((2, 3)), np.ones((3, 4)), np.ones(4)
    )
    for stage in ("trace", "rewrite", "simplify", "fuse", "layout", "plan"):
        assert lowered.text(stage)
    assert "matmul" in lowered.text("trace")
    assert "dense" in lowered.text("fuse")
    assert lowered.text() == lowered.text("plan")
    with pytest.raises(ArgumentError):
        lowered.text("nonsense")


@pytest.mark.parametrize(
    "use",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: float(x[0]) * x,
        lambda x: x * x.numpy(),
        lambda x: x * np.asarray(x),
        lambda x: x.tolist(),
        lambda x: int(x[0]),
    ],
)
def test_traced_values_have_no_elements(use):
    with pytest.raises(TypeError, match=r"ops\.where.*run_eagerly=True"):
        fg.jit(use)(np.ones(3))


def test_values_kept_after_a_trace():
    kept = []
    fg.jit(lambda x: kept.append(x) or x)(np.ones(3))
    assert "symbolic" in repr(kept[0])
    assert kept[0].shape == (3,)
    with pytest.raises(ArgumentError, match="kept outside the trace"):
        kept[0] + 1
    with pytest.raises(ArgumentError, match="kept outside the trace"):
        fg.jit(lambda x: x + kept[0])(np.ones(3))


def test_jit_refuses():
    with pytest.raises(ArgumentError, match="hashable"):
        fg.jit(lambda x, s: x)(np.ones(2), {1, 2})
    with pytest.raises(ArgumentError, match="returns arrays"):
        fg.jit(lambda x: "text")(np.ones(2))
    with pytest.raises(ArgumentError, match="'fun'"):
        fg.jit(3)


def test_jit_from_threads():
    f = fg.jit(lambda x: ops.sum(ops.exp(x) @ ops.exp(x)))
    expected = {n: f(np.full((n, n), 0.1)).item() for n in (20, 40)}
    wrong = []

    def work(n):
        wrong.extend(1 for _ in range(50) if f(np.full((n, n), 0.1)).item() != expected[n])

    threads = [threading.Thread(target=work, args=(n,)) for n in (20, 40, 20, 40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


# ---- what it was traced for ----------------------------------------------------------------------


def test_traces_are_seen():
    @fg.jit
    def scale(x, tree=None, *, factor=1.0):
        return x * factor

    assert (scale.num_traces, scale.signatures) == (0, [])
    for _ in range(2):
        scale(np.ones((2, 3)))
        scale(np.ones(3, np.float32), {"a": [np.arange(2), "text"]}, factor=2.5)
    assert scale.num_traces == 2
    assert scale.signatures == [
        "(x: float64[2, 3])",
        "(x: float32[3], tree: {'a': [int64[2], 'text']}, factor: 2.5)",
    ]
    assert str(scale).splitlines() == ["<jit of scale: 2 traces>", *scale.signatures]
    assert fg.jit(lambda *xs: xs[0]).lower(np.ones(1), 2).signature == "([0]: float64[1], [1]: 2)"


class Options:
    """Hashable, and equal where the power is the same."""

    def __init__(self, power):
        self.power = power

    def __eq__(self, other):
        return self.power == other.power

    def __hash__(self):
        return hash(self.power)


@pytest.mark.parametrize(
    "static",
    [
        {"static_argnums": (1, 2)},
        {"static_argnames": ("options", "shape")},
        {"static_argnums": 1, "static_argnames": "shape"},
        {"static_argnums": (-3, -2)},
    ],
)
def test_static_arguments(static):
    traces = []

    def f(x, options, shape, scale=1.0):
        traces.append(shape)
        return ops.reshape(x, shape) ** options.power * scale

    g = fg.jit(f, **static)
    x = np.arange(4.0)
    assert g(x, Options(2), (2, 2)).tolist() == [[0, 1], [4, 9]]
    assert g(x, Options(2), shape=(2, 2), scale=np.float64(2.0)).tolist() == [[0, 2], [8, 18]]
    assert g(2 * x, Options(2), (2, 2)).tolist() == [[0, 4], [16, 36]]
    assert traces == [(2, 2)] * 2
    assert g(x, Options(3), (4,)).tolist() == [0, 1, 8, 27]
    assert len(traces) == 3
    with pytest.raises(ArgumentError, match="hashable"):
        g(x, Options(2), [2, 2])
    with pytest.raises(ArgumentError, match="'static_argnums'"):
        fg.jit(f, static_argnums=4)
    with pytest.raises(ArgumentError, match="'static_argnames'"):
        fg.jit(f, static_argnames="shapes")


def test_many_traces_for_one_argument():
    f = fg.jit(lambda x, rate, name="": x * rate)
    x = np.ones(2)
    for i in range(32):
        f(x, i / 10, name="first" if i < 4 else "other")
    with pytest.warns(UserWarning, match="more than 32 times because of argument 'rate'") as caught:
        f(x, 100.0, name="other")
    f(x, 101.0, name="other")
    assert caught[0].filename == __file__
    assert f.num_traces == 34
    g = fg.jit(lambda x: x * 2)
    for n in range(40):  # shapes differ: no constant's fault
        g(np.ones(n))
    assert g.num_traces == 40
