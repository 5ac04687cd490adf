"""GradientTape."""

import contextlib
import gc
import resource

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, ops, optimizers
from fusegrad._tensor import current_builder
from fusegrad.errors import ArgumentError
from fusegrad.transforms import GradientTape


@pytest.mark.quick
def test_watched_in_place():
    x, y = fg.Tensor([1.0, 2.0]), fg.Tensor([3.0, 4.0])
    with GradientTape() as tape:
        before = x * 2
        tape.watch({"a": [x]})
        z = x * x * y + before
        assert "tracked" in repr(x)
    assert "tracked" not in repr(x)
    assert x.numpy().tolist() == [1, 2]
    dx, dy = tape.gradient(z, [x, y])
    assert dx.tolist() == [6, 16]
    assert dy is None
    assert (x * 3).tolist() == [3, 6]


def test_variables_are_watched_when_read():
    v, w = fg.Variable([1.0, 2.0], name="v"), fg.Variable(3.0, name="w")
    fixed = fg.Variable(4.0, trainable=False)
    with GradientTape(persistent=True) as tape:
        loss = ops.sum(v * v) * fixed
    assert tape.watched_variables() == (v,)
    gradients = tape.gradient(loss, {"v": v, "w": w, "fixed": (fixed, None)})
    assert gradients["v"].tolist() == [8, 16]
    assert gradients["w"] is None
    assert gradients["fixed"] == (None, None)
    zeros = tape.gradient(loss, [w, fixed], unconnected_gradients="zero")
    assert [z.item() for z in zeros] == [0, 0]
    with GradientTape(watch_accessed_variables=False) as tape:
        tape.watch([w, fixed])
        loss = ops.sum(v * w) * fixed
    assert tape.watched_variables() == (w, fixed)
    dv, dw, dfixed = tape.gradient(loss, [v, w, fixed])
    assert dv is None
    assert (dw.item(), dfixed.item()) == (12, 9)


def test_targets_and_weights():
    x = fg.Tensor([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = x**2, ops.sum(x) * 1.0
    assert tape.gradient(y, x).tolist() == [2, 4]
    assert tape.gradient([y, {"z": z}], x).tolist() == [3, 5]
    assert tape.gradient(y, x, output_gradients=np.array([10.0, 0.0])).tolist() == [20, 0]
    assert tape.gradient([y, z], x, [None, 5.0]).tolist() == [7, 9]
    assert tape.gradient(x, x).tolist() == [1, 1]
    assert tape.gradient(z, y) is None
    assert tape.gradient(fg.Tensor(3.0), x) is None
    assert tape.jacobian(y, x).tolist() == [[2, 0], [0, 4]]
    assert tape.jacobian(z, [x, y])[1] is None
    assert tape.jacobian(z, y, unconnected_gradients="zero").tolist() == [0, 0]


def test_sources_in_between():
    x = fg.Tensor(2.0)
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        z = y * y
    assert tape.gradient(z, [x, y])[0].item() == 32
    assert tape.gradient(z, y).item() == 8
    assert float(z) == 16  # looked at in between
    assert tape.gradient(z, x).item() == 32


def test_once_unless_persistent():
    v = fg.Variable(2.0)
    with GradientTape() as tape:
        y = v * v
    assert tape.gradient(y, v).item() == 4
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.jacobian(y, v)
    with pytest.raises(RuntimeError, match="one block"), tape:
        pass
    with GradientTape() as tape:
        y = v * v
        assert tape.gradient(y, v).item() == 4  # within the block: the end of the recording
        v * 3
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(y, v)


@pytest.mark.parametrize("compiled", [False, True])
def test_nested_for_higher_orders(compiled):
    def orders(x):
        with GradientTape() as third:
            third.watch(x)
            with GradientTape() as second:
                second.watch(x)
                with GradientTape() as first:
                    first.watch(x)
                    y = x**5
                dy = first.gradient(y, x)
            d2y = second.gradient(dy, x)
        return dy, d2y, third.gradient(d2y, x)

    f = fg.jit(orders) if compiled else orders
    assert [d.item() for d in f(fg.Tensor(2.0))] == [80, 160, 240]


def test_nested_tapes_see_what_they_record():
    x = fg.Tensor(3.0)
    with GradientTape() as outer:
        outer.watch(x)
        z = x * x
        with GradientTape() as inner:
            inner.watch(x)
            y = x * z  # z is a constant here
        dy = inner.gradient(y, x)
        total = dy + y
    assert dy.item() == 9
    assert outer.gradient(total, x).item() == 2 * 3 + 3 * 9
    with GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x**3
        dy = tape.gradient(y, x)
    assert tape.gradient(dy, x).item() == 18


def test_with_grad_and_other_transforms():
    v = fg.Variable(3.0)

    def slope(x):
        with GradientTape() as tape:
            y = x * x * v
        return tape.gradient(y, v)  # x**2

    assert slope(fg.Tensor(2.0)).item() == 4
    assert fg.grad(slope)(2.0).item() == 4
    assert fg.jit(fg.grad(slope))(np.float32(2.0)).item() == 4
    assert fg.jvp(slope, (2.0,), (1.0,))[1].item() == 4
    with GradientTape() as tape:
        inner = fg.grad(lambda x: x * x * v)(2.0)  # 2 x v
    assert tape.gradient(inner, v).item() == 4
    with GradientTape() as tape:
        _, vjp_fun = fg.vjp(lambda x: x * v, fg.Tensor(2.0))
        y = vjp_fun(5.0)[0]
    assert tape.gradient(y, v).item() == 5


def test_stop_recording():
    v = fg.Variable(2.0)
    with GradientTape() as tape:
        y = v * v
        with tape.stop_recording():
            constant = y * v
            assert float(constant) == 8  # nothing is recorded
        y = y + constant * v
    assert tape.gradient(y, v).item() == 4 + 8
    x = fg.Tensor(2.0)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            with inner.stop_recording():
                z = x * x
            y = z * x
        dy = inner.gradient(y, x)
    assert dy.item() == 4
    assert outer.gradient(dy, x).item() == 4
    with pytest.raises(RuntimeError, match="block"), tape.stop_recording():
        pass


def test_reset():
    x = fg.Tensor(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
        tape.reset()
        tape.watch(x)
        z = x * 3 + y
    assert tape.gradient(z, x).item() == 3
    tape.reset()
    with pytest.raises(RuntimeError, match="records one block"), tape:
        pass


def test_assign_in_and_after_the_block():
    v = fg.Variable(3.0)
    with GradientTape(persistent=True) as tape:
        y = v * v
        v.assign(v * 10.0)
        z = v * y
    v.assign(-1.0)
    assert tape.gradient(y, v).item() == 6
    assert tape.gradient(z, v).item() == 9 + 30 * 6
    assert v.numpy() == -1

    @fg.jit
    def f():
        with GradientTape() as tape:
            y = v * v
            v.assign(v * 10.0)
            z = v * y
        return tape.gradient(z, v)

    v.assign(3.0)
    assert f().item() == 9 + 30 * 6
    assert v.numpy() == 30


def linear_problem():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 3)).astype(np.float32)
    return x, (x @ [1.0, -2.0, 0.5])[:, None].astype(np.float32)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.Adam])
def test_training_loop(make, compiled):
    """Of layers and an optimizer, eager and compiled: the same bits, and those of grad."""
    x, y = linear_problem()

    def train(compiled):
        hidden = layers.Dense(4, activation="tanh", kernel_initializer="ones")
        last = layers.Dense(1, kernel_initializer="ones")
        model = fg.Sequential([layers.Input((3,)), hidden, last])
        optimizer = make(learning_rate=0.05)
        optimizer.build(model.trainable_variables)

        def step(x, y):
            with GradientTape() as tape:
                loss = ops.mean(ops.square(model(x) - y))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        run = fg.jit(step) if compiled else step
        losses = [float(run(x, y)) for _ in range(20)]
        return losses, [v.numpy() for v in model.trainable_variables]

    losses, weights = train(compiled)
    assert losses[-1] < losses[0] / 2
    if compiled:
        eager = train(False)
        assert eager[0] == losses
        for a, b in zip(eager[1], weights, strict=True):
            assert a.tobytes() == b.tobytes()


def test_gradients_that_are_none():
    v, w = fg.Variable(1.0, name="v"), fg.Variable(1.0, name="w")
    with GradientTape() as tape:
        y = v * 3.0
    gradients = tape.gradient(y, [v, w])
    optimizer = optimizers.SGD(learning_rate=1.0)
    with pytest.warns(UserWarning, match="no gradient for 'w'"):
        optimizer.apply_gradients(zip(gradients, [v, w], strict=True))
    assert (v.numpy(), w.numpy()) == (-2, 1)
    with pytest.raises(ArgumentError, match="None, as for all others"):
        optimizer.apply_gradients([(None, w)])


def test_elements_are_not_looked_at_in_the_block():
    x = fg.Tensor(2.0)
    with GradientTape() as tape:
        tape.watch(x)
        y = x * x
        with pytest.raises(TypeError, match="leave the block"):
            float(y)
    assert tape.gradient(y, x).item() == 4


def test_arrays_of_others_are_copied():
    data = np.ones(3, np.float32)
    v = fg.Variable(np.ones(3, np.float32))
    with GradientTape() as tape:
        y = ops.sum(v * data)
    data[:] = 100
    assert tape.gradient(y, v).tolist() == [1, 1, 1]


def failing(x):
    with GradientTape() as tape, GradientTape() as inner:
        tape.watch(x)
        inner.watch(x)
        raise KeyError(x.shape)


def test_errors_leave_nothing_behind():
    x = fg.Tensor(2.0)
    for _ in range(2):
        with pytest.raises(KeyError):
            failing(x)
        assert current_builder() is None
        assert float(x) == 2


@pytest.mark.parametrize(
    ("call", "argument"),
    [
        (lambda tape, x, y: tape.gradient(y, 3.0), "sources"),
        (lambda tape, x, y: tape.gradient("y", x), "target"),
        (lambda tape, x, y: tape.gradient(fg.Tensor([1]), x), "target"),
        (lambda tape, x, y: tape.gradient(y, x, [1.0, 2.0, 3.0]), "output_gradients"),
        (lambda tape, x, y: tape.gradient([y], x, 1.0), "output_gradients"),
        (
            lambda tape, x, y: tape.gradient(y, x, unconnected_gradients=None),
            "unconnected_gradients",
        ),
        (lambda tape, x, y: tape.jacobian([y], x), "target"),
    ],
)
def test_refuses(call, argument):
    x = fg.Tensor([1.0, 2.0])
    with GradientTape(persistent=True) as tape:
        for wrong in (np.ones(2), 3.0, fg.Tensor([1])):
            with pytest.raises(ArgumentError, match="'tensor'"):
                tape.watch(wrong)
        tape.watch(x)
        y = x * x
    with pytest.raises(ArgumentError) as caught:
        call(tape, x, y)
    assert caught.value.argument == argument
    with pytest.raises(RuntimeError, match="block"):
        tape.watch(x)
    with pytest.raises(RuntimeError, match="recorded nothing"):
        GradientTape().gradient(y, x)


def test_a_trace_that_is_over():
    kept = []

    @fg.jit
    def f(x):
        with GradientTape() as tape:
            tape.watch(x)
            kept.append((tape, x * x, x))
        return x

    f(np.ones(2, np.float32))
    tape, y, x = kept[0]
    with pytest.raises(RuntimeError, match="has returned"):
        tape.gradient(y, x)


def test_many_tapes_leak_nothing():
    v, x = fg.Variable(np.ones(2000, np.float32)), fg.Tensor(np.ones(2000, np.float32))

    def use(count):
        for i in range(count):
            with GradientTape(persistent=i % 3 == 0) as tape:
                tape.watch(x)
                y = ops.sum(ops.exp(v * x))
            if i % 5:
                tape.gradient(y, [v, x])
            kept.append(y)
            if len(kept) > 10:
                kept.pop(0)

    kept = []
    use(1000)
    gc.collect()
    objects, memory = len(gc.get_objects()), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    use(20000)
    gc.collect()
    assert len(gc.get_objects()) - objects < 100
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 20_000  # kilobytes


def test_programs_that_write_what_a_tape_keeps():
    v = fg.Variable(np.arange(3.0))
    grow = fg.jit(lambda: v.assign(v * 10.0) or v.value)
    with GradientTape(persistent=True) as tape:
        y = v**3
    for _ in range(2):
        grow()
        assert tape.gradient(y, v).tolist() == [0, 3, 12]
    x, y = linear_problem()
    model = fg.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    kernel = model.trainable_variables[0]
    with GradientTape(persistent=True) as tape:
        norm = ops.sum(kernel**3)
    expected = 3 * kernel.numpy() ** 2
    model.fit(x, y, epochs=2, verbose=0)
    model.train_on_batch(x, y)
    np.testing.assert_allclose(tape.gradient(norm, kernel), expected, rtol=1e-6)


def test_blocks_that_end_out_of_order():
    x = fg.Tensor(2.0)
    outer, inner = GradientTape(), GradientTape()
    with contextlib.ExitStack() as inside:
        with outer:
            outer.watch(x)
            inside.enter_context(inner)
            inner.watch(x)
            y = x * x
        assert current_builder() is None
        z = y * x
    assert outer.gradient(y, x) == 4
    with pytest.raises(RuntimeError, match="ended first"):
        inner.gradient(z, x)
    with GradientTape() as tape:
        tape.watch(x)
        z = x**3
    assert tape.gradient(z, x) == 12
