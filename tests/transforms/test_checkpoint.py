"""checkpoint: the same numbers from less memory."""

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops
from fusegrad._tensor import Hold, Tape, current_builder, gradients, identity
from fusegrad.errors import ArgumentError

ROWS, WIDTH, BLOCKS, DEPTH = 200, 16, 6, 5


@pytest.fixture
def operands():
    rng = np.random.default_rng(0)
    weights = rng.normal(size=(BLOCKS, DEPTH, WIDTH, WIDTH)) / 4
    return rng.normal(size=(ROWS, WIDTH)), weights


def block(x, weights):
    for i in range(DEPTH):
        x = ops.tanh(x @ weights[i])
    return x


def loss_of(block):
    def loss(x, weights):
        for i in range(BLOCKS):
            x = block(x, weights[i])
        return ops.sum(x * x)

    return loss


PLAIN, CHECKPOINTED = loss_of(block), loss_of(fg.checkpoint(block))


def test_same_bits(operands):
    plain = fg.value_and_grad(PLAIN, (0, 1))(*operands)
    for f in (
        fg.value_and_grad(CHECKPOINTED, (0, 1)),
        fg.jit(fg.value_and_grad(CHECKPOINTED, (0, 1)), exact_rewrites=False),
    ):
        value, gradients = f(*operands)
        assert value.item() == plain[0].item()
        for a, b in zip(gradients, plain[1], strict=True):
            assert a.numpy().tobytes() == b.numpy().tobytes()
    assert fg.remat is fg.checkpoint
    assert CHECKPOINTED(*operands).item() == plain[0].item()


def test_higher_orders(operands):
    x, weights = operands[0][:2], operands[1]
    v = np.random.default_rng(1).normal(size=x.shape)
    nested = loss_of(fg.checkpoint(lambda x, w: fg.checkpoint(block)(x, w) * 1.0))
    expected = fg.hvp(lambda x: PLAIN(x, weights), (x,), (v,)).numpy()
    for loss in (CHECKPOINTED, nested, fg.checkpoint(PLAIN), fg.checkpoint(CHECKPOINTED)):
        f = lambda x, loss=loss: fg.hvp(lambda x: loss(x, weights), (x,), (v,))  # noqa: E731
        np.testing.assert_allclose(f(x), expected, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(fg.jit(f)(x), expected, rtol=1e-12, atol=1e-13)
    third = fg.grad(fg.grad(fg.grad(fg.checkpoint(lambda x: ops.tanh(x) ** 2))))
    assert third(np.float64(0.3)).item() == pytest.approx(
        fg.grad(fg.grad(fg.grad(lambda x: ops.tanh(x) ** 2)))(np.float64(0.3)).item(), rel=1e-13
    )


def test_a_program_needs_less_memory(operands):
    def arena(loss):
        return fg.jit(fg.grad(loss, 1)).lower(*operands)

    plain, checkpointed = arena(PLAIN), arena(CHECKPOINTED)
    layer = ROWS * WIDTH * 8
    assert plain._program.arena_bytes >= BLOCKS * DEPTH * layer
    assert checkpointed._program.arena_bytes <= (BLOCKS + DEPTH + 10) * layer
    assert checkpointed.text("plan").count("dense(") > plain.text("plan").count("dense(")
    assert "barrier" not in arena(PLAIN).text("simplify")


def test_a_tape_keeps_less(operands):
    def kept(loss):
        tape = Tape()
        with tape:
            x, w = (identity(fg.Tensor(a)) for a in operands)
            value = loss(x, w)
            before = tape.nbytes
            gradients([value], [x, w], [None])
            return before, tape.nbytes

    layer = ROWS * WIDTH * 8
    plain, checkpointed = kept(PLAIN), kept(CHECKPOINTED)
    assert plain[0] - checkpointed[0] >= BLOCKS * (DEPTH - 1) * layer
    assert plain[1] - checkpointed[1] >= (BLOCKS - 1) * (DEPTH - 1) * layer // 2


def test_after_the_tape_was_left(operands):
    x = operands[0]
    weights = fg.Variable(operands[1])
    with fg.GradientTape() as tape:
        value = CHECKPOINTED(x, weights)
    weights.assign(np.zeros_like(operands[1]))
    expected = fg.grad(PLAIN, 1)(*operands).numpy()
    assert tape.gradient(value, weights).numpy().tobytes() == expected.tobytes()
    # Variables that are read within.
    w = fg.Variable(operands[1][0])
    with fg.GradientTape() as tape:
        y = fg.checkpoint(lambda x: block(x, w.value))(x)
        y = ops.sum(y * w[0, 0, 0])
    expected = fg.grad(lambda w: ops.sum(block(x, w) * w[0, 0, 0]))(operands[1][0])
    assert tape.gradient(y, w).numpy().tobytes() == expected.numpy().tobytes()
    _, vjp_fun = fg.vjp(fg.checkpoint(ops.tanh), x)
    assert np.allclose(vjp_fun(np.ones_like(x))[0], 1 - np.tanh(x) ** 2)


def test_values_that_get_out():
    """What is handed out of the function otherwise than as a result is used as ever."""
    kept = []

    def f(x):
        y = ops.exp(x)
        kept.append(y)
        return ops.sum(y * y)

    def total(x, f):
        kept.clear()
        return f(x) * 1.0 + ops.sum(kept[0] * 3.0)

    x = np.array([0.1, 0.2])
    for transform in (lambda g: g, fg.jit):
        got = transform(fg.grad(lambda x: total(x, fg.checkpoint(f))))(x)
        np.testing.assert_allclose(got, 2 * np.exp(2 * x) + 3 * np.exp(x), rtol=1e-14)


def test_a_value_that_gets_out_into_another_checkpoint():
    def loss(x, checkpoint):
        kept = []

        def inner(x):
            kept.append(ops.sin(x))
            return ops.cos(kept[0])

        y = checkpoint(inner)(x)
        return ops.sum(checkpoint(lambda y: ops.sin(y * kept[0]))(y))

    def squared(checkpoint):
        first = fg.grad(lambda x: loss(x, checkpoint))
        return fg.grad(lambda x: ops.sum(first(x) ** 2))

    x = np.array([0.3, 0.7])
    expected = squared(lambda f: f)(x)
    np.testing.assert_allclose(squared(fg.checkpoint)(x), expected, rtol=1e-13)
    np.testing.assert_allclose(fg.jit(squared(fg.checkpoint))(x), expected, rtol=1e-13)


def test_an_exponent_that_is_made_again():
    f = lambda x: ops.sum(x ** ops.exp(x))  # noqa: E731
    x = np.array([0.5, 2.0])
    assert fg.grad(fg.checkpoint(f))(x).tolist() == fg.grad(f)(x).tolist()


def test_with_custom_rules_and_random_numbers():
    x = np.ones(1000)
    f = lambda x: ops.sum(ops.dropout(x, np.array([0, 0]), 0.5, 3, 0) * x)  # noqa: E731
    assert fg.grad(fg.checkpoint(f))(x).tolist() == fg.grad(f)(x).tolist()
    rule = fg.custom_vjp(lambda x: x * 1.0)
    rule.defvjp(lambda x: (x * 1.0, ops.exp(x)), lambda e, g: (g * e,))
    g = lambda x: ops.sum(rule(ops.tanh(x)) ** 2)  # noqa: E731
    expected = fg.grad(g)(x).numpy().tobytes()
    assert fg.grad(fg.checkpoint(g))(x).numpy().tobytes() == expected
    assert fg.jit(fg.grad(fg.checkpoint(g)))(x).numpy().tobytes() == expected


def test_refuses_and_leaves_nothing_behind():
    with pytest.raises(ArgumentError, match="'fun'"):
        fg.checkpoint(None)
    with pytest.raises(KeyError):
        fg.grad(fg.checkpoint(lambda x: {}[x.shape]))(1.0)
    assert current_builder() is None
    tape = Tape()
    hold = Hold(tape)
    assert hold.tape is tape
    with tape:
        y = identity(fg.Tensor(2.0)) * 3
    del hold
    with pytest.raises(RuntimeError):
        Hold(tape)
    assert (y * 2).item() == 12
