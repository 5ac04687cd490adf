"""Cross-entropy at logits of 1,000 and beyond: what a model computes, against mpmath.

A model of one dense layer without a bias has the logits as its kernel and a zero under each of
them; row i of the inputs picks row i of both. So outputs are the given logits exactly, and after
one step of SGD with rate 1 the zeros have become the negative gradient, bit for bit.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses, ops, optimizers

Array = np.ndarray[Any, Any]

# In units of the last place of the exact result. Float32 rows are computed in double and rounded
# once; in float64 the docs promise 4.
LIMITS = {"float32": 0.51, "float64": 4.0}


def around(center: float, spread: float, seed: int) -> list[list[float]]:
    """Four rows of ten classes."""
    values = np.random.default_rng(seed).normal(center, spread, (4, 10))
    return values.round(4).tolist()  # type: ignore[no-any-return]


# Every row is taken with every label: the right class, wrong ones, and near ties.
SOFTMAX: dict[str, list[list[float]]] = {
    "two classes": [
        [20.0, 0.0], [40.0, 0.0], [100.0, 0.0], [1e3, -1e3], [-1e3, 1e3], [1e3, 0.0], [1e4, -1e4],
        [1e4, 9990.0], [1e30, 0.0], [1e30, -1e30], [-1e30, 0.0], [1e30, 1e30],
    ],
    "ties": [
        [1e3, 1e3, 1e3], [1e3, 999.9999, -1e3], [999.9375, 1e3, 1e3], [-1e3, -1000.0625, -999.5],
        [1e4, 1e4, 9999.999], [1e3, 1e3, -1e30],
    ],
    "tiny shares": [  # subnormal, and less, in float32 and in float64
        [1e3, 911.0], [1e3, 900.0], [1e3, 895.0], [1e3, 290.0], [1e3, 260.0], [1e3, 254.5],
    ],
    "a thousand apart": [[1e3, 0.0, -1e3], [-1e3, 1e3, 984.0], [1e3, 980.0, 960.0]],
    "ten around 1,000": around(1e3, 5.0, 0),
    "ten around -1,000": around(-1e3, 50.0, 1),
    "ten of either sign": around(0.0, 1e3, 2),
}  # fmt: skip
SIGMOID = [0.0, 1e-3, 1.0, 17.0, 40.0, 95.0, 104.0, 720.0, 745.0, 1e3, 1e4, 1e30]


@pytest.fixture(params=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> Iterator[str]:
    fg.config.set_floatx(request.param)
    yield request.param
    fg.config.set_floatx("float32")


def softmax_rows(name: str, dtype: str) -> tuple[Array, Array]:
    """Logits (n, K) and labels (n,): each row of the case with each label."""
    z = np.array(SOFTMAX[name], dtype)
    return np.repeat(z, z.shape[1], axis=0), np.tile(np.arange(z.shape[1]), len(z))


def sigmoid_rows(dtype: str) -> tuple[Array, Array]:
    """Logits (n, 1) of both signs and targets (n, 1) of both kinds."""
    x = np.array([sign * v for v in SIGMOID for sign in (1.0, -1.0)], dtype)
    return np.repeat(x, 2)[:, np.newaxis], np.tile([0.0, 1.0], len(x))[:, np.newaxis]


# ---- what is exact


def exact_softmax(z: Array, labels: Array) -> list[tuple[Any, list[Any]]]:
    """Loss of each row, and its gradient, as mpmath numbers."""
    rows = []
    for row, label in zip(z, labels, strict=True):
        x = [mpmath.mpf(float(v)) for v in row]
        top = max(x)
        shares = [mpmath.exp(v - top) for v in x]
        total = mpmath.fsum(shares)
        rest = mpmath.fsum(share for j, share in enumerate(shares) if j != label)
        loss = mpmath.log1p(rest / shares[label])
        rows.append(
            (loss, [-rest / total if j == label else s / total for j, s in enumerate(shares)])
        )
    return rows


def exact_sigmoid(z: Array, targets: Array) -> list[tuple[Any, list[Any]]]:
    """The same of one logit a row, for targets of 0 and 1."""
    rows = []
    for x, target in zip(z.ravel(), targets.ravel(), strict=True):
        away = mpmath.mpf(float(x)) * (-1 if target else 1)  # how far on the wrong side
        slope = 1 / (1 + mpmath.exp(-away))
        rows.append((mpmath.log1p(mpmath.exp(away)), [-slope if target else slope]))
    return rows


def exact(z: Array, targets: Array) -> list[tuple[Any, list[Any]]]:
    with mpmath.workdps(80):
        return exact_sigmoid(z, targets) if z.shape[1] == 1 else exact_softmax(z, targets)


def ulps(got: float, want: Any, dtype: str) -> float:
    """Distance in units of the last place of `want`, which are those of subnormals where it is."""
    place = np.spacing(np.dtype(dtype).type(abs(float(want))))
    with mpmath.workdps(80):
        return float(abs(mpmath.mpf(got) - want) / mpmath.mpf(float(place)))


def assert_exact(values: Any, gradient: Any, z: Array, targets: Array) -> None:
    kind = z.dtype.name
    assert gradient.dtype == z.dtype
    for i, (loss, slopes) in enumerate(exact(z, targets)):
        assert ulps(float(values[i]), loss, kind) <= LIMITS[kind], (z[i], targets[i], values[i])
        for got, want in zip(gradient[i], slopes, strict=True):
            assert ulps(float(got), want, kind) <= LIMITS[kind], (z[i], targets[i], got)


# ---- models


def trained(z: Array, targets: Array, head: str, loss: losses.Loss, eager: bool) -> Any:
    """Loss of each row from evaluate, gradient of each row from fit, and the moved logits."""
    n, classes = z.shape
    model = fg.Sequential(
        [fg.Input((2 * n,)), layers.Dense(classes, activation=head, use_bias=False)]
    )
    model.set_weights([np.concatenate([z, np.zeros_like(z)])])
    model.compile(optimizers.SGD(1.0), loss, run_eagerly=eager)
    x = np.tile(np.eye(n, dtype=z.dtype), 2)
    values = [model.evaluate(x[i : i + 1], targets[i : i + 1], verbose=0) for i in range(n)]
    model.fit(x, targets, batch_size=1, shuffle=False, verbose=0)
    (kernel,) = model.get_weights()
    return np.array(values), -kernel[n:], kernel[:n]


def check_forms(z: Array, kinds: list[tuple[type[losses.Loss], Array]], head: str) -> None:
    """Every form within its limit, and all of them alike in every bit."""
    results = []
    for loss, targets in kinds:
        for activation, from_logits in ((head, False), ("linear", True)):
            for eager in (False, True):
                form: Any = loss
                got = trained(z, targets, activation, form(from_logits=from_logits), eager)
                results.append(got)
    values, gradient, moved = results[0]
    assert_exact(values, gradient, z, kinds[0][1])
    np.testing.assert_array_equal(moved, z - gradient)
    for result in results[1:]:
        for a, b in zip(results[0], result, strict=True):
            assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("name", SOFTMAX)
def test_softmax_models(name: str, dtype: str) -> None:
    z, labels = softmax_rows(name, dtype)
    one_hot = np.eye(z.shape[1], dtype=dtype)[labels]
    sparse, categorical = losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy
    check_forms(z, [(sparse, labels), (categorical, one_hot)], "softmax")


def test_sigmoid_models(dtype: str) -> None:
    z, targets = sigmoid_rows(dtype)
    check_forms(z, [(losses.BinaryCrossentropy, targets)], "sigmoid")


@pytest.mark.quick
def test_a_batch_of_large_logits() -> None:
    """The mean over rows of very different losses, and its gradient."""
    z = np.array([[1e3, 0.0, -1e3]] * 4, np.float32)
    labels = np.array([0, 1, 2, 2])
    for head, from_logits in (("softmax", False), ("linear", True)):
        model = fg.Sequential([fg.Input((3,)), layers.Dense(3, activation=head)])
        model.set_weights([np.eye(3, dtype=np.float32), np.zeros(3, np.float32)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=from_logits)
        model.compile(optimizers.SGD(1.0), loss)
        assert model.evaluate(z, labels, verbose=0) == (0 + 1000 + 2000 + 2000) / 4
        model.fit(z, labels, batch_size=4, verbose=0)
        assert model.get_weights()[1].tolist() == [-0.75, 0.25, 0.5]


# ---- functions


def value_and_slopes(f: Callable[[Any], Any], z: Array) -> tuple[Array, Array]:
    """Values of each row, and the gradient of their sum."""
    return f(z).numpy(), fg.grad(lambda z: ops.sum(f(z)))(z).numpy()


@pytest.mark.parametrize("name", [*SOFTMAX, "sigmoid"])
def test_functions_from_logits(name: str, dtype: str) -> None:
    forms: list[tuple[Any, Any]]
    if name == "sigmoid":
        z, targets = sigmoid_rows(dtype)
        forms = [(losses.binary_crossentropy, targets)]
    else:
        z, targets = softmax_rows(name, dtype)
        one_hot = np.eye(z.shape[1], dtype=dtype)[targets]
        forms = [
            (losses.sparse_categorical_crossentropy, targets),
            (losses.categorical_crossentropy, one_hot),
        ]
    for function, given in forms:
        f = functools.partial(function, given, from_logits=True)
        values, gradient = value_and_slopes(f, z)
        assert_exact(values, gradient, z, targets)
        compiled, slopes = value_and_slopes(fg.jit(f), z)
        assert compiled.tobytes() == values.tobytes()
        assert slopes.tobytes() == gradient.tobytes()


@pytest.mark.parametrize("name", [*SOFTMAX, "sigmoid"])
def test_jit_recognises_probabilities(name: str, dtype: str) -> None:
    """The losses of softmax(z) and sigmoid(z), compiled, are those from logits in every bit."""
    z, targets = sigmoid_rows(dtype) if name == "sigmoid" else softmax_rows(name, dtype)
    naive: Any
    if name == "sigmoid":
        improved = functools.partial(losses.binary_crossentropy, targets, from_logits=True)
        naive = lambda z: losses.binary_crossentropy(targets, ops.sigmoid(z))  # noqa: E731
    else:
        improved = functools.partial(
            losses.sparse_categorical_crossentropy, targets, from_logits=True
        )
        naive = lambda z: losses.sparse_categorical_crossentropy(  # noqa: E731
            targets, ops.softmax(z)
        )
    for f, g in (
        (naive, improved),
        (fg.grad(lambda z: ops.sum(naive(z))), fg.grad(lambda z: ops.sum(improved(z)))),
    ):
        assert len(fg.jit(f).lower(z).rewrites) == 1
        assert fg.jit(f)(z).numpy().tobytes() == g(z).numpy().tobytes()


@pytest.mark.parametrize("name", SOFTMAX)
def test_jit_recognises_the_logarithm_of_a_softmax(name: str, dtype: str) -> None:
    z, labels = softmax_rows(name, dtype)
    one_hot = np.eye(z.shape[1], dtype=dtype)[labels]

    def cost(z: Any) -> Any:
        return ops.sum(-ops.log(ops.softmax(z)) * one_hot, axis=1)

    assert len(fg.jit(cost).lower(z).rewrites) == 1
    values = fg.jit(cost)(z).numpy()
    for got, (loss, _) in zip(values, exact(z, labels), strict=True):
        assert ulps(float(got), loss, dtype) <= LIMITS[dtype]


def test_a_softmax_written_out_is_not_recognised(dtype: str) -> None:
    """exp overflows, as it does in NumPy; the losses and the rewrites need softmax by its name."""
    z = np.array([[1e3, 0.0, -1e3]], dtype)

    def cost(z: Any) -> Any:
        e = ops.exp(z)
        return ops.sum(-ops.log(e[:, 0] / ops.sum(e, axis=1)))

    assert fg.jit(cost).lower(z).rewrites == []
    assert np.isnan(fg.jit(cost)(z).item())
    assert np.isnan(fg.grad(cost)(z).numpy()[0, 0])


def test_probabilities_outside_a_model_are_clipped() -> None:
    """Run now, a loss sees the probabilities alone, and clips them as Keras does."""
    z = np.array([[1e3, 0.0, -1e3]], np.float32)

    def cost(z: Any) -> Any:
        return ops.sum(losses.sparse_categorical_crossentropy([2], ops.softmax(z)))

    assert cost(z).item() == pytest.approx(-np.log(1e-7), rel=1e-6)
    assert not fg.grad(cost)(z).numpy().any()
    assert fg.jit(cost)(z).item() == 2000
