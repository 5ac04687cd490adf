"""Products of bfloat16 operands: rounding, sums, gradients, and what they do not depend on."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import _core, datasets, layers, ops
from fusegrad.errors import ArgumentError

Array = np.ndarray[Any, Any]

UNIT = 2.0**-24
SHAPES = [(3, 4, 5), (1, 700, 33), (128, 300, 96), (65, 301, 1), (17, 1, 9), (40, 1025, 31)]


def rounded(x: Any) -> Array:
    """Float64 numbers of 8 significant bits, ties to even."""
    mantissa, exponent = np.frexp(np.asarray(x, np.float64))
    return np.ldexp(np.rint(mantissa * 256) / 256, exponent)


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def product(a: Any, b: Any) -> Array:
    return ops.matmul(a, b, compute_dtype="bfloat16").numpy()


def near(got: Any, a: Array, b: Array) -> None:
    """Compare with the exact product; rounding errors of a chain add up as a random walk does."""
    scale = np.abs(a) @ np.abs(b)
    limit = 4 * UNIT * np.sqrt(a.shape[-1])
    assert (np.abs(np.asarray(got) - a @ b) <= limit * scale).all()


@pytest.fixture
def threads() -> Iterator[Callable[[int], None]]:
    yield fg.set_num_threads
    fg.set_num_threads(None)


@pytest.mark.quick
def test_operands_are_rounded_to_nearest_even() -> None:
    ties = 1.0 + np.arange(512) * 2.0**-9
    values = [*ties, *(ties * (1 + 2.0**-20)), *drawn(1000), -0.0, 1e-30, 3.3e38, 3.4e38, np.inf]
    x = np.array([*values, *np.negative(values)], np.float32)
    expected = rounded(x)
    expected[np.abs(expected) > 3.39e38] *= np.inf  # beyond the largest bfloat16
    one = np.ones((1, 1), np.float32)
    np.testing.assert_array_equal(product(x[:, None], one)[:, 0], expected)
    np.testing.assert_array_equal(product(one, x[None, :])[0], expected)
    assert np.isnan(product(np.full((1, 3), np.nan, np.float32), np.ones((3, 2), np.float32))).all()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_products(shape: tuple[int, int, int]) -> None:
    m, k, n = shape
    a, b = drawn(m, k), drawn(k, n, seed=1)
    expected = product(a, b)
    near(expected, rounded(a), rounded(b))
    strided = np.zeros((2 * k, 3 * n), np.float32)[::2, ::3]
    strided[...] = b
    for left in (a, np.asfortranarray(a)):
        for right in (b, np.asfortranarray(b), strided):
            np.testing.assert_array_equal(product(left, right), expected)


def test_vectors_and_stacks() -> None:
    a, b = drawn(2, 3, 7, 40), drawn(3, 40, 5, seed=1)
    near(product(a, b), rounded(a), rounded(b))
    np.testing.assert_array_equal(product(a[0, 0], b[0, :, 0]), product(a[0, 0], b[0])[:, 0])
    np.testing.assert_array_equal(product(a[0, 0, 0], b[0]), product(a[0, 0], b[0])[0])
    assert product(np.zeros((2, 0), np.float32), np.zeros((0, 3), np.float32)).tolist() == [
        [0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0],
    ]


def test_bits_depend_on_neither_threads_nor_rows(threads: Callable[[int], None]) -> None:
    a, b = drawn(200, 700), drawn(700, 300, seed=1)
    threads(1)
    expected = product(a, b)
    for count in (2, 3, 4):
        threads(count)
        np.testing.assert_array_equal(product(a, b), expected)
    parts = [product(a[i : i + 48], b) for i in range(0, 200, 48)]
    np.testing.assert_array_equal(np.concatenate(parts), expected)
    np.testing.assert_array_equal(product(a[:1], b), expected[:1])


@pytest.mark.parametrize("activation", ["linear", "relu", "leaky_relu", "sigmoid", "softplus"])
@pytest.mark.parametrize("shape", [(33, 70, 40), (128, 600, 20)], ids=str)
def test_dense_is_product_bias_and_activation(shape: tuple[int, int, int], activation: str) -> None:
    m, k, n = shape
    x, w, bias = drawn(m, k), drawn(k, n, seed=1), drawn(n, seed=2)
    z = ops.add(product(x, w), bias)
    arguments = {"negative_slope": 0.2} if activation == "leaky_relu" else {}
    expected = z if activation == "linear" else getattr(ops, activation)(z, **arguments)
    got = ops.dense(x, w, bias, activation, compute_dtype="bfloat16")
    np.testing.assert_array_equal(got.numpy(), expected.numpy())


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("kind", ["matmul", "dense"])
def test_gradients_are_products_of_bfloat16(kind: str, transposed: bool) -> None:
    x, w, dy = drawn(60, 90), drawn(90, 35, seed=1), drawn(60, 35, seed=2)
    if transposed:
        x, w = np.asfortranarray(x), np.asfortranarray(w)
    bias = np.zeros(35, np.float32)

    def scalar(x: Any, w: Any) -> Any:
        if kind == "dense":
            y = ops.dense(x, w, bias, compute_dtype="bfloat16")
        else:
            y = ops.matmul(x, w, compute_dtype="bfloat16")
        return ops.sum(y * dy)

    for function in (scalar, fg.jit(scalar)):
        dx, dw = fg.grad(function, argnums=(0, 1))(x, w)
        near(dx.numpy(), rounded(dy), rounded(w).T)
        near(dw.numpy(), rounded(x).T, rounded(dy))


def test_graphs_show_and_keep_the_attribute() -> None:
    def function(x: Any, w: Any, b: Any) -> Any:
        rough = ops.matmul(x, w, compute_dtype="bfloat16")
        return ops.relu(rough + b), ops.tanh(ops.matmul(x, w))

    x, w, b = drawn(5, 6), drawn(6, 7, seed=1), drawn(7, seed=2)
    lowered = fg.jit(function).lower(x, w, b)
    assert lowered.text("fuse").count("activation=relu, bfloat16") == 1
    assert lowered.text("fuse").count("bfloat16") == 1
    assert lowered.text("fuse").count("dense") == 2
    rough, exact = fg.jit(function)(x, w, b)
    np.testing.assert_array_equal(rough.numpy(), np.maximum(product(x, w) + b, 0))
    np.testing.assert_array_equal(exact.numpy(), ops.tanh(ops.matmul(x, w)).numpy())


def test_only_float32_and_only_known_dtypes() -> None:
    wide = np.ones((2, 2))
    with pytest.raises(ArgumentError, match=r"matmul.*float32"):
        ops.matmul(wide, wide, compute_dtype="bfloat16")
    with pytest.raises(ArgumentError, match=r"dense.*float32"):
        ops.dense(wide, wide, compute_dtype="bfloat16")
    for call in (ops.matmul, ops.dense):
        with pytest.raises(ArgumentError, match=r"'compute_dtype'.*'float16'"):
            call(wide, wide, compute_dtype="float16")
        assert call(wide, wide, compute_dtype="float64").dtype == np.float64


PRODUCTS = """
import sys, numpy as np
from fusegrad import ops
draw = np.random.default_rng(0).standard_normal
results = [
    ops.matmul(draw((m, k)).astype("f4"), draw((k, n)).astype("f4"), compute_dtype="bfloat16")
    for m, k, n in [(3, 4, 5), (130, 700, 90), (1, 300, 40)]
]
sys.stdout.buffer.write(b"".join(y.numpy().tobytes() for y in results))
"""


def test_instruction_sets_differ_by_the_order_of_sums_at_most() -> None:
    results = {}
    for level in _core.isa_levels():
        run = subprocess.run(
            [sys.executable, "-c", PRODUCTS],
            env=dict(os.environ, FUSEGRAD_ISA=level),
            capture_output=True,
            check=True,
        )
        results[level] = np.frombuffer(run.stdout, np.float32)
    first = next(iter(results.values()))
    for level, result in results.items():
        if level != "avx512":  # which may have instructions of its own
            np.testing.assert_array_equal(result, first)
        np.testing.assert_allclose(result, first, rtol=0, atol=1e-4)


def trained(dtype: str, **arguments: Any) -> tuple[fg.Sequential, list[Array]]:
    x, y = datasets.load_digits()[0]
    fg.random.set_seed(3)
    model = fg.Sequential(
        [
            fg.Input((x[0].size,)),
            layers.Dense(50, activation="relu", dtype=dtype),
            layers.Dense(30, activation="sigmoid", dtype=dtype),
            layers.Dense(10, activation="softmax", dtype=dtype),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **arguments)
    model.fit(x.reshape(len(x), -1) / 16.0, y, epochs=30, batch_size=64, verbose=0)
    return model, model.get_weights()


def test_training_compiled_eager_and_on_threads_gives_the_same_bits(
    threads: Callable[[int], None],
) -> None:
    threads(1)
    _, expected = trained("mixed_bfloat16")
    assert all(weight.dtype == np.float32 for weight in expected)
    _, eager = trained("mixed_bfloat16", run_eagerly=True)
    threads(2)
    _, parallel = trained("mixed_bfloat16")
    for a, b, c in zip(expected, eager, parallel, strict=True):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, c)


def test_updates_of_large_matrices_compiled_and_eager_give_the_same_bits() -> None:
    """4 MiB: a size from which on an update takes in the product that is its gradient."""
    x, y = drawn(8, 1024), drawn(8, 1024, seed=1)
    kernels = []
    for eager in (False, True):
        fg.utils.set_random_seed(0)
        dense = layers.Dense(1024, dtype="mixed_bfloat16")
        model = fg.Sequential([fg.Input((1024,)), dense])
        model.compile("sgd", "mse", run_eagerly=eager)
        model.train_on_batch(x, y)
        kernels.append(model.get_weights()[0])
    np.testing.assert_array_equal(*kernels)


def test_training_is_as_good_as_in_float32() -> None:
    x, y = datasets.load_digits()[1]
    x = x.reshape(len(x), -1) / 16.0
    rough, rough_weights = trained("mixed_bfloat16")
    exact, exact_weights = trained("float32")
    assert any((a != b).any() for a, b in zip(rough_weights, exact_weights, strict=True))
    accuracies = [model.evaluate(x, y, verbose=0)[1] for model in (rough, exact)]
    assert min(accuracies) > 0.9
    assert abs(accuracies[0] - accuracies[1]) < 0.015
    assert rough.predict(x, verbose=0).dtype == np.float32
