"""Program, Trainer, Optimizer: the native classes that jit and the models stand on."""

import os
import signal
import threading
import time

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, _tensor, ops
from fusegrad._tensor import Tensor
from fusegrad.errors import ArgumentError


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


@pytest.mark.quick  # for the address sanitizer: it is no input that the trainer could fill
def test_a_view_of_an_input_is_read_transposed():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4, 3, 8)).astype(np.float32)
    w = rng.normal(size=(8, 5)).astype(np.float32)
    product = fg.jit(lambda x, w: ops.transpose(ops.matmul(ops.reshape(x, (12, 8)), w)))
    assert "# transposed" in product.lower(x, w).text()
    want = ops.matmul(x.reshape(12, 8), w).numpy().T
    assert product(x, w).numpy().tobytes() == np.ascontiguousarray(want).tobytes()
