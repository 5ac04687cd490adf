"""GradientTape beside tf.GradientTape: the same programs give the same values and the same None."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import ops

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

LIMIT = 1e-12  # relative, in float64

OURS = SimpleNamespace(
    GradientTape=fg.GradientTape,
    Variable=fg.Variable,
    Tensor=fg.Tensor,
    Adam=fg.optimizers.Adam,
    custom_gradient=fg.custom_gradient,
    stop_gradient=ops.stop_gradient,
    sum=ops.sum,
    mean=ops.mean,
    max=ops.max,
    take=ops.take,
    matmul=ops.matmul,
    where=ops.where,
    exp=ops.exp,
    log=ops.log,
    sin=ops.sin,
    tanh=ops.tanh,
)


@pytest.fixture(scope="module")
def theirs() -> Iterator[SimpleNamespace]:
    patch = pytest.MonkeyPatch()
    patch.setenv("TF_CPP_MIN_LOG_LEVEL", os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3"))
    patch.setenv("KERAS_BACKEND", "tensorflow")
    tf = pytest.importorskip("tensorflow")
    yield SimpleNamespace(
        GradientTape=tf.GradientTape,
        Variable=tf.Variable,
        Tensor=tf.constant,
        Adam=lambda rate: Adam(tf, rate),
        custom_gradient=tf.custom_gradient,
        stop_gradient=tf.stop_gradient,
        sum=tf.reduce_sum,
        mean=tf.reduce_mean,
        max=tf.reduce_max,
        take=tf.gather,
        matmul=tf.matmul,
        where=tf.where,
        exp=tf.exp,
        log=tf.math.log,
        sin=tf.sin,
        tanh=tf.tanh,
    )
    patch.undo()


class Adam:
    """TensorFlow's own kernel of Adam, with Keras's defaults: Keras may be on another backend."""

    def __init__(self, tf: Any, rate: float) -> None:
        self.tf, self.rate, self.step = tf, rate, 0
        self.moments: dict[int, Any] = {}

    def apply_gradients(self, pairs: Any) -> None:
        self.step += 1
        for gradient, variable in pairs:
            m, v = self.moments.setdefault(
                id(variable), tuple(self.tf.Variable(np.zeros(variable.shape)) for _ in "mv")
            )
            self.tf.raw_ops.ResourceApplyAdam(
                var=variable.handle, m=m.handle, v=v.handle, grad=gradient,
                beta1_power=np.float64(0.9**self.step), beta2_power=np.float64(0.999**self.step),
                lr=np.float64(self.rate), beta1=np.float64(0.9), beta2=np.float64(0.999),
                epsilon=np.float64(1e-7), use_locking=False, use_nesterov=False,
            )  # fmt: skip


def numbers(*shape: int, seed: int = 3) -> np.ndarray:
    return np.random.default_rng([seed, *shape]).normal(size=shape)


# ---- the programs --------------------------------------------------------------------------------


def dense(lib: Any) -> Any:
    x, w, b = lib.Tensor(numbers(5, 4)), lib.Variable(numbers(4, 3)), lib.Variable(numbers(3))
    unused = lib.Variable(numbers(2))
    with lib.GradientTape() as tape:
        loss = lib.mean(lib.tanh(lib.matmul(x, w) + b) ** 2)
    return loss, tape.gradient(loss, {"w": w, "b": b, "unused": [unused, w]})


def unconnected(lib: Any) -> Any:
    v, w, x = lib.Variable(numbers(3)), lib.Variable(numbers(2, 2)), lib.Tensor(numbers(3))
    with lib.GradientTape(persistent=True) as tape:
        y = v * v * x
        cut = lib.stop_gradient(v) * 3.0
    return [
        tape.gradient(y, [v, w, x]),  # x is not watched
        tape.gradient(y, [v, w, x], unconnected_gradients="zero"),
        tape.gradient(cut, v),
        tape.gradient(cut, v, unconnected_gradients="zero"),
        tape.jacobian(y, w),
        tape.gradient([y, cut], v),
    ]


def persistent(lib: Any) -> Any:
    x = lib.Tensor(numbers(4))
    with lib.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = lib.sin(x)
        z = y * y + x
    return [
        tape.gradient(y, x),
        tape.gradient(z, [x, y]),
        tape.gradient(z, y),
        tape.gradient({"y": y, "z": z}, {"x": x}),
        tape.gradient(z, x, output_gradients=lib.Tensor(numbers(4, seed=5))),
        tape.gradient([y, z], [x], output_gradients=[y, x]),
    ]


def second_order(lib: Any) -> Any:
    x, v = lib.Tensor(numbers(4)), lib.Variable(numbers(4, seed=9))
    with lib.GradientTape(persistent=True) as outer:
        outer.watch(x)
        with lib.GradientTape() as inner:
            inner.watch(x)
            y = lib.sum(lib.exp(x * v) + x**3)
        dx, dv = inner.gradient(y, [x, v])
        size = lib.sum(dx * dx)
    return dx, dv, outer.gradient(dx, [x, v]), outer.gradient(size, [v, x]), outer.gradient(dv, x)


def third_order(lib: Any) -> Any:
    x = lib.Tensor(np.float64(0.7))
    found = []
    with lib.GradientTape() as a:
        a.watch(x)
        with lib.GradientTape() as b:
            b.watch(x)
            with lib.GradientTape() as c:
                c.watch(x)
                y = lib.sin(x) * lib.exp(x)
            found.append(c.gradient(y, x))
        found.append(b.gradient(found[-1], x))
    found.append(a.gradient(found[-1], x))
    return found


def jacobians(lib: Any) -> Any:
    x, v = lib.Tensor(numbers(3, 2)), lib.Variable(numbers(2, 4))
    with lib.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = lib.tanh(lib.matmul(x, v))
        small = lib.sum(y)
        first = y[0]
    return [
        tape.jacobian(y, x),
        tape.jacobian(y, {"x": x, "v": v}),
        tape.jacobian(small, [v]),
        tape.jacobian(first, (x, v)),
    ]


def hessian(lib: Any) -> Any:
    x = lib.Tensor(numbers(4))
    with lib.GradientTape() as outer:
        outer.watch(x)
        with lib.GradientTape() as inner:
            inner.watch(x)
            y = lib.sum(x**3) + lib.sum(x) ** 2
        slope = inner.gradient(y, x)
    return outer.jacobian(slope, x)


def watching(lib: Any) -> Any:
    x, v = lib.Tensor(numbers(3)), lib.Variable(numbers(3, seed=4))
    w = lib.Variable(numbers(3, seed=6), trainable=False)
    results = []
    with lib.GradientTape() as tape:
        y = x * v * w
    results.append(tape.gradient(y, [x, v, w]))
    with lib.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(w)
        y = v * w
    results.append([tape.gradient(y, [v, w]), len(tape.watched_variables())])
    with lib.GradientTape() as tape:
        tape.watch([x, {"w": w}])
        y = lib.max(x * v) * w
    results.append([tape.gradient(y, [x, v, w]), len(tape.watched_variables())])
    return results


def recording_stopped(lib: Any) -> Any:
    x, v = lib.Tensor(numbers(3)), lib.Variable(numbers(3, seed=4))
    with lib.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            z = y * v
            inside = tape.gradient(y, x)
        u = y * z * v
        tape.reset()
        tape.watch(x)
        t = x * u
    return z, inside, tape.gradient(u, [x, v]), tape.gradient(t, [x, v])


def branches_and_indices(lib: Any) -> Any:
    v, x = lib.Variable(numbers(6)), lib.Tensor(numbers(3, 2))
    with lib.GradientTape(persistent=True) as tape:
        tape.watch(x)
        total = lib.Tensor(np.float64(0.0))
        for i in range(4):
            row = lib.take(v, np.array([i, i + 1, i]))
            total = total + lib.sum(lib.where(row > 0.0, row * row, lib.exp(row)))
        part = lib.sum(x[1:, 0] / (1.0 + x[:2, 1] ** 2) - 2.0 * x[-1, ::2])
        largest = lib.max(x, 0)
    return total, tape.gradient(total, v), tape.gradient(part, x), tape.gradient(largest, x)


def own_gradient(lib: Any) -> Any:
    @lib.custom_gradient
    def log1pexp(x: Any) -> Any:
        e = lib.exp(x)
        return lib.log(1.0 + e), lambda upstream: upstream * (1.0 - 1.0 / (1.0 + e))

    x = lib.Tensor(np.array([-1.0, 0.5, 800.0]) * 1e-1)
    with lib.GradientTape() as outer:
        outer.watch(x)
        with lib.GradientTape() as tape:
            tape.watch(x)
            y = log1pexp(x * 3.0)
        slope = tape.gradient(y, x)
    return y, slope, outer.gradient(slope, x)


def assignments(lib: Any) -> Any:
    v = lib.Variable(numbers(3))
    with lib.GradientTape() as tape:
        y = v * v
        v.assign(v * 2.0 + 1.0)
        z = y + v**3
    return y, tape.gradient(z, v), v


def training(lib: Any) -> Any:
    x, t = lib.Tensor(numbers(8, 3)), lib.Tensor(numbers(8, 2))
    w, b = lib.Variable(numbers(3, 2)), lib.Variable(np.zeros(2))
    optimizer = lib.Adam(0.05)
    losses = []
    for _ in range(5):
        with lib.GradientTape() as tape:
            loss = lib.mean((lib.tanh(lib.matmul(x, w)) + b - t) ** 2)
        gradients = tape.gradient(loss, [w, b])
        optimizer.apply_gradients(zip(gradients, [w, b], strict=True))
        losses.append(loss)
    return losses, w, b


PROGRAMS = [
    dense, unconnected, persistent, second_order, third_order, jacobians, hessian, watching,
    recording_stopped, branches_and_indices, own_gradient, assignments, training,
]  # fmt: skip


def same(ours: Any, expected: Any, path: str) -> None:
    """Compare nested results: None, containers and their keys, shapes, dtypes and numbers."""
    if expected is None or ours is None:
        assert ours is expected, path
    elif hasattr(expected, "dense_shape"):  # what gathering gives in TensorFlow
        dense = np.zeros(np.asarray(expected.dense_shape))
        np.add.at(dense, np.asarray(expected.indices), np.asarray(expected.values))
        same(ours, dense, path)
    elif isinstance(expected, dict):
        assert isinstance(ours, dict), path
        assert list(ours) == list(expected), path
        for key, value in expected.items():
            same(ours[key], value, f"{path}[{key!r}]")
    elif isinstance(expected, list | tuple):
        assert isinstance(ours, list | tuple), path
        assert len(ours) == len(expected), path
        for i, (a, b) in enumerate(zip(ours, expected, strict=True)):
            same(a, b, f"{path}[{i}]")
    else:
        a, b = np.asarray(ours), np.asarray(expected)
        assert (a.shape, a.dtype) == (b.shape, b.dtype), path
        np.testing.assert_allclose(a, b, rtol=LIMIT, atol=LIMIT, err_msg=path)


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_same_values(theirs: SimpleNamespace, program: Callable[[Any], Any]) -> None:
    same(program(OURS), program(theirs), program.__name__)


def once(lib: Any) -> None:
    v = lib.Variable(numbers(2))
    with lib.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v)
    tape.gradient(y, v)


def twice_entered(lib: Any) -> None:
    with lib.GradientTape() as tape, tape:
        pass


def unknown_option(lib: Any) -> None:
    v = lib.Variable(numbers(2))
    with lib.GradientTape() as tape:
        y = v * v
    tape.gradient(y, v, unconnected_gradients="nothing")


def stopped_outside(lib: Any) -> None:
    tape = lib.GradientTape()
    with tape.stop_recording():
        pass


@pytest.mark.parametrize(
    ("misuse", "error"),
    [
        (once, RuntimeError),
        (twice_entered, (RuntimeError, ValueError)),
        (unknown_option, ValueError),
        (stopped_outside, (RuntimeError, ValueError)),
    ],
)
def test_same_errors(theirs: SimpleNamespace, misuse: Callable[[Any], None], error: Any) -> None:
    for lib in (OURS, theirs):
        with pytest.raises(error):
            misuse(lib)
