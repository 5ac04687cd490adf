"""grad, value_and_grad, jit, and the native classes that they and the models stand on."""

import collections
import os
import signal
import threading
import time

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, _tensor, ops
from fusegrad._tensor import Tape, Tensor
from fusegrad.errors import ArgumentError
from fusegrad.variable import substituted


def central(f, x, step=1e-6):
    """Return the gradient of the float64 function f by central differences."""
    gradient = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        high, low = x.copy(), x.copy()
        high[i] += step
        low[i] -= step
        gradient[i] = (f(high).item() - f(low).item()) / (2 * step)
    return gradient


def network(parameters, x, y):
    (w1, b1), (w2, b2) = parameters
    hidden = ops.tanh(x @ w1 + b1)
    return ops.mean(ops.sparse_softmax_cross_entropy(y, hidden @ w2 + b2))


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    parameters = [
        (rng.normal(size=(4, 5)), rng.normal(size=5)),
        (rng.normal(size=(5, 3)), rng.normal(size=3)),
    ]
    return parameters, rng.normal(size=(7, 4)), rng.integers(0, 3, 7)


# ---- grad ----------------------------------------------------------------------------------------


@pytest.mark.quick
def test_network_against_central_differences(problem):
    parameters, x, y = problem
    gradients = fg.grad(network)(parameters, x, y)
    for layer in range(2):
        for part in range(2):

            def loss(value, layer=layer, part=part):
                changed = [list(pair) for pair in parameters]
                changed[layer][part] = value
                return network(changed, x, y)

            expected = central(loss, parameters[layer][part])
            np.testing.assert_allclose(gradients[layer][part], expected, rtol=1e-7, atol=1e-9)


def test_higher_orders():
    fourth = fg.grad(fg.grad(fg.grad(fg.grad(lambda x: x**5))))
    assert fourth(np.float64(2.0)).item() == pytest.approx(240.0, rel=1e-12)
    h = fg.grad(fg.grad(lambda x: ops.exp(2 * x)))
    assert h(np.float64(0.3)).item() == pytest.approx(4 * np.exp(0.6), rel=1e-14)
    tanh3 = fg.grad(fg.grad(fg.grad(ops.tanh)))
    t = np.tanh(0.7)
    expected = -2 * (1 - t**2) * (1 - 3 * t**2)
    assert tanh3(np.float64(0.7)).item() == pytest.approx(expected, rel=1e-12)


def test_perturbations_do_not_mix():
    # d/dx (x * d/dy (x + y)) = 1: the inner derivative must not see the outer variable
    f = fg.grad(lambda x: x * fg.grad(lambda y: x + y)(1.0))
    assert f(3.0).item() == 1.0
    g = fg.grad(lambda x: fg.grad(lambda y: x * y)(x))
    assert g(3.0).item() == 1.0


def test_value_aux_and_argnums():
    f = lambda a, b, scale=1.0: (ops.sum(a * b) * scale, {"product": a * b})  # noqa: E731
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    (value, aux), (da, db) = fg.value_and_grad(f, (0, 1), has_aux=True)(a, b, scale=2.0)
    assert value.item() == 22
    assert aux["product"].numpy().tolist() == [3, 8]  # plain once grad has returned
    assert da.tolist() == [6, 8]
    assert db.tolist() == [2, 4]
    gradient, _ = fg.grad(f, -1, has_aux=True)(a, b)
    assert gradient.tolist() == [1, 2]


def test_containers():
    Pair = collections.namedtuple("Pair", "x y")
    tree = {"a": [1.0, (2.0, None)], "b": Pair(np.array([3.0]), fg.Tensor([4.0, 5.0]))}
    f = lambda t: t["a"][0] * t["a"][1][0] + ops.sum(t["b"].x) * ops.sum(t["b"].y)  # noqa: E731
    g = fg.grad(f)(tree)
    assert g["a"][0].item() == 2
    assert g["a"][1][0].item() == 1
    assert g["a"][1][1] is None
    assert g["b"].x.tolist() == [9]
    assert g["b"].y.tolist() == [3, 3]
    assert g["b"].y.dtype == np.float32


def test_gradient_of_constant_is_zero():
    assert fg.grad(lambda x: 3.0)(1.0).item() == 0
    assert fg.grad(lambda x, y: ops.sum(y))(np.ones(2), np.ones(3)).tolist() == [0, 0]
    assert fg.grad(lambda x: ops.sum(ops.cast(x > 0, "float64")))(np.ones(2)).tolist() == [0, 0]


def test_branches_and_loops():
    def f(x):
        total = x * 0
        while total < 10:
            total = total + x if x > 0 else total - x
        return total

    assert fg.grad(f)(3.0).item() == 4


@pytest.mark.parametrize(
    ("f", "args", "text"),
    [
        (lambda x: x, ([1],), "floating arrays as argument 0"),
        (lambda x: x, (np.arange(3),), "int64"),
        (lambda x: x * 2, (np.ones(3),), "floating scalar"),
        (lambda x: x > 0, (1.0,), "bool"),
        (lambda x: None, (1.0,), "scalar"),
        (lambda: 1.0, (), "positional"),
        (lambda x: x, ("a",), "array"),
    ],
)
def test_grad_refuses(f, args, text):
    with pytest.raises(ArgumentError, match=text):
        fg.grad(f)(*args)


def test_elements_that_would_cut_the_gradient():
    for use in (float, np.asarray, lambda x: x.numpy(), lambda x: x.item(), np.copy):
        with pytest.raises(TypeError, match=r"has_aux"):
            fg.grad(lambda x, use=use: x * use(x))(1.0)
    assert "tracked" in fg.grad(lambda x: (x, repr(x)), has_aux=True)(1.0)[1]


def test_error_leaves_nothing_behind():
    def f(x):
        raise KeyError(x.shape)

    for _ in range(3):
        with pytest.raises(KeyError):
            fg.grad(f)(1.0)
        assert _tensor.current_builder() is None
    with pytest.raises(KeyError):
        fg.jit(f)(np.ones(2))
    assert _tensor.current_builder() is None


def test_leaked_values_become_plain():
    kept = []
    fg.grad(lambda x: kept.append(x * 2) or x)(3.0)
    assert kept[0].item() == 6
    assert (kept[0] + 1).item() == 7


def test_threads_have_tapes_of_their_own():
    results = [None] * 8

    def work(i):
        f = fg.grad(lambda x: ops.sum(x**3))
        results[i] = all(
            (f(np.full(50, i + 1.0)).numpy() == 3 * (i + 1.0) ** 2).all() for _ in range(50)
        )

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(results)


def test_substituted_variables():
    v = fg.Variable([1.0, 2.0])

    def loss(value):
        with substituted({v: value}):
            return ops.sum(v * v)

    assert fg.grad(loss)(v).tolist() == [2, 4]
    assert v.value.tolist() == [1, 2]


# ---- jit -----------------------------------------------------------------------------------------


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


def test_assign_while_differentiated():
    """The gradient is that of the elements that the function used."""
    x = np.array([1.0, 2.0])
    for change in (lambda v: v.assign(v * 10), lambda v: v.assign(np.array([7.0, 8.0]))):
        v = fg.Variable(np.array([3.0, 5.0]))

        def f(x, v=v, change=change):
            y = ops.sum(x * v + (v[::-1] * x) ** 2)
            change(v)
            return y + ops.sum(x * v)

        assert fg.grad(f)(x).tolist() == [
            3.0 + 2 * 25 * 1 + v.numpy()[0],
            5.0 + 2 * 9 * 2 + v.numpy()[1],
        ]

    w = fg.Variable(3.0)

    def cube(x):
        def inner(y):
            z = y * y * w
            w.assign(100.0)
            return z

        return fg.grad(inner)(x)  # 2 x w

    assert fg.grad(cube)(2.0).item() == 6.0


def test_jit_follows_floatx():
    ones = fg.jit(lambda: ops.ones(2) * 2.0)
    assert ones().dtype == np.float32
    fg.config.set_floatx("float64")
    try:
        assert ones().dtype == np.float64
    finally:
        fg.config.set_floatx("float32")
    assert ones().dtype == np.float32


def test_a_tape_records_once():
    tape = Tape()
    with tape:
        y = tape.watch(Tensor(2.0)) * 3
    with pytest.raises(RuntimeError, match="once"), tape:
        pass
    assert (y * 2).item() == 12


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


# ---- Program, Trainer, Optimizer -----------------------------------------------------------------


def linear_step(rows, w, learning_rate):
    """Return a program of one gradient step of least squares, with its loss summed over rows."""
    graph = _core.Graph()
    with graph:
        x = graph.input((rows, 2), "float64", "x")
        y = graph.input((rows,), "float64", "y")
        state = graph.state(w, "w")
        loss = lambda w: ops.sum((x @ w - y) ** 2)  # noqa: E731
        value, gradient = fg.value_and_grad(loss)(state)
        graph.update(state, state - learning_rate * gradient)
        graph.output(value, "loss")
    return _core.Program.compile(graph)


def test_trainer_runs_epochs_like_numpy():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 2)), rng.normal(size=10)
    w = _tensor.empty((2,), "float64")
    _tensor.copy_into(w, Tensor([0.5, -0.5], "float64"))
    trainer = _core.Trainer(
        linear_step(4, w, 0.01), linear_step(2, w, 0.01),
        [(Tensor(x), 1.0, 0.0), (Tensor(y), 1.0, 0.0)], -1, ["accumulate"], 4, True, 7,
    )  # fmt: skip
    assert (trainer.num_rows, trainer.num_batches) == (10, 3)
    expected = np.array([0.5, -0.5])
    for epoch in range(3):
        trainer.begin_epoch(epoch)
        assert trainer.run() == 3
        order = _core.permutation(10, 7, epoch).numpy()
        assert sorted(order.tolist()) == list(range(10))
        total = 0.0
        for begin in (0, 4, 8):
            rows = order[begin : begin + 4]
            error = x[rows] @ expected - y[rows]
            total += (error**2).sum()
            expected = expected - 0.01 * 2 * x[rows].T @ error
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-12)
        assert trainer.result(0).item() == pytest.approx(total, rel=1e-12)


def test_run_then_train_reads_no_stale_input():
    graph = _core.Graph()
    with graph:
        graph.output(ops.sum(graph.input((2,), "float64", "x")), "sum")
    program = _core.Program.compile(graph)
    assert program.run(Tensor([5.0, 5.0], "float64"))[0].item() == 10
    trainer = _core.Trainer(
        program, None, [(Tensor([[1.0, 2.0], [3.0, 4.0]]).reshape(4), 1.0, 0.0)], -1,
        ["accumulate"], 2, True, 1,
    )  # fmt: skip
    trainer.begin_epoch(0)
    trainer.run()
    assert trainer.result(0).item() == 10
    trainer.begin_epoch(1)
    program.run(Tensor([7.0, 7.0], "float64"))
    trainer.run()
    assert trainer.result(0).item() == 10


def slow_trainer():
    graph = _core.Graph()
    with graph:
        x = graph.input((300, 300), "float64", "x")
        for _ in range(20):
            x = x @ x * 1e-9
        graph.output(ops.sum(x), "sum")
    rows = Tensor(np.ones((300 * 400, 300)))
    program = _core.Program.compile(graph)
    trainer = _core.Trainer(program, None, [(rows, 1.0, 0.0)], -1, ["accumulate"], 300, False, 0)
    trainer.begin_epoch(0)
    return trainer


def test_tick_stops_and_raises():
    trainer = slow_trainer()
    calls = []
    done = trainer.run(tick=lambda: calls.append(1) or True)
    assert len(calls) == 1
    assert trainer.stopped
    assert 0 < done == trainer.batches_done < trainer.num_batches

    def fail():
        raise KeyError("from the tick")

    with pytest.raises(KeyError, match="from the tick"):
        trainer.run(tick=fail)


def test_trainer_from_within_and_from_other_threads():
    trainer = slow_trainer()
    seen = []

    def tick():
        seen.append(trainer.batches_done)
        assert trainer.result(0).shape == ()
        with pytest.raises(RuntimeError, match="within its own run"):
            trainer.run(1)
        return len(seen) == 3

    def look():
        while not seen:
            trainer.result(0).item()
        trainer.begin_epoch(1)

    other = threading.Thread(target=look)
    other.start()
    assert trainer.run(tick=tick) > 0
    other.join()
    assert trainer.stopped
    assert len(seen) == 3


def test_result_before_the_first_epoch():
    graph = _core.Graph()
    with graph:
        graph.output(graph.input((2, 3), "float32", "x").sum(), "total")
    program = _core.Program.compile(graph)
    rows = Tensor(np.ones((4, 3), np.float32))
    trainer = _core.Trainer(program, None, [(rows, 1.0, 0.0)], -1, ["accumulate"], 2, False, 0)
    with pytest.raises(ArgumentError, match="no epoch yet"):
        trainer.result(0)
    trainer.run()
    assert trainer.result(0).item() == 12


@pytest.mark.usefixtures("ctrl_c")
def test_interrupt():
    trainer = slow_trainer()
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        trainer.run()
    timer.join()
    assert time.perf_counter() - begin < 2
    assert trainer.batches_done < trainer.num_batches


def test_program_refuses():
    graph = _core.Graph()
    with graph:
        graph.output(graph.input((2,), "float32", "x") * 2, "y")
    program = _core.Program.compile(graph)
    assert program.run(Tensor([1.0, 2.0]))[0].tolist() == [2, 4]
    with pytest.raises(ArgumentError, match="1 Tensors, got 0"):
        program.run()
    with pytest.raises(ArgumentError, match=r"float32 of shape \(2,\), got float64"):
        program.run(Tensor(np.ones(2)))
    with pytest.raises((TypeError, RuntimeError)):
        program.run(3)
    with pytest.raises(ArgumentError, match="'dtype'"):
        graph.input((2,), "float16", "x")


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("sgd", {}),
        ("sgd", {"momentum": 0.9}),
        ("sgd", {"momentum": 0.9, "nesterov": True}),
        ("rmsprop", {}),
        ("rmsprop", {"momentum": 0.9, "centered": True}),
        ("adam", {}),
        ("adam", {"amsgrad": True}),
    ],
)
def test_optimizer_now_equals_compiled(rule, options):
    optimizer = _core.Optimizer(rule, **options)
    rng = np.random.default_rng(0)
    variable, gradient = Tensor(rng.normal(size=(3, 2))), Tensor(rng.normal(size=(3, 2)))
    slots = [Tensor(np.abs(rng.normal(size=(3, 2)))) for _ in optimizer.slots()]
    rate, iterations = Tensor(0.01, "float64"), Tensor(3)
    size = optimizer.step_size(rate, iterations)
    now = optimizer.update(variable, gradient, slots, size)
    assert len(now) == 1 + len(slots)
    assert (now[0].numpy() != variable.numpy()).all()

    def step(variable, gradient, slots, rate, iterations):
        return optimizer.update(variable, gradient, slots, optimizer.step_size(rate, iterations))

    compiled = fg.jit(step)(variable, gradient, slots, rate, iterations)
    for a, b in zip(compiled, now, strict=True):
        assert a.numpy().tobytes() == b.numpy().tobytes()


def test_optimizer_refuses():
    with pytest.raises(ArgumentError, match="'rule'"):
        _core.Optimizer("adamax")
    adam = _core.Optimizer("adam")
    with pytest.raises(ArgumentError, match="'slots'"):
        adam.update(Tensor([1.0]), Tensor([1.0]), [], Tensor(0.1, "float64"))


def test_first_nonfinite():
    x = np.zeros((50, 100))
    assert _core.first_nonfinite(Tensor(x)) == -1
    x[30, 7] = np.inf
    x[30, 9] = np.nan
    assert _core.first_nonfinite(Tensor(x)) == 3007
    assert _core.first_nonfinite(Tensor(x.T)) == 7 * 50 + 30
    assert _core.first_nonfinite(Tensor([1, 2])) == -1
    assert _core.first_nonfinite(Tensor(np.float32([1, np.nan]))) == 1


def test_detached_ends_a_gradient():
    def f(x):
        kept.append(_tensor.detached(x * 2.0))
        return x * kept[-1] + _tensor.detached(ops.exp(x))

    kept = []
    assert fg.grad(f)(Tensor(3.0, "float64")).item() == 6.0
    assert kept[0].item() == 6.0
    plain = Tensor([1.0, 2.0])
    assert _tensor.detached(plain) is plain
    assert fg.jit(lambda x: _tensor.detached(x) + 1.0)(plain).tolist() == [2.0, 3.0]
