"""Prints SHA-256 of the bits of op cases, products, functions, random numbers and trainings.

Run as a program in its own process, so that ISA level and threads are chosen by the environment.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from typing import Any

import numpy as np

import fusegrad as fg
from fusegrad import _core, datasets, ops
from op_cases import CASES


def feed(digest: Any, array: Any) -> None:
    digest.update(np.ascontiguousarray(array.numpy()).tobytes())


def op_hash() -> str:
    digest = hashlib.sha256()
    for case in CASES:
        for dtype in ("float32", "float64"):
            inputs = [np.asarray(x) for x in case.inputs(np.random.default_rng(3))]
            chosen = case.float_inputs
            inputs = [
                x.astype(dtype) if x.dtype.kind == "f" and (chosen is None or i in chosen) else x
                for i, x in enumerate(inputs)
            ]
            result = case.call(*inputs)
            for part in result if isinstance(result, tuple) else (result,):
                feed(digest, part)
            if case.grad:

                def total(*parts: Any, case: Any = case, inputs: Any = inputs) -> Any:
                    full = list(inputs)
                    for position, part in zip(case.grad, parts, strict=True):
                        full[position] = part
                    return ops.sum(ops.square(case.call(*full)))

                numbers = tuple(range(len(case.grad)))
                for g in fg.grad(total, argnums=numbers)(*[inputs[i] for i in case.grad]):
                    feed(digest, g)
    return digest.hexdigest()


def matmul_hash() -> str:
    """Products large enough to be packed and split over threads."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(5)
    for m, k, n in [(257, 513, 129), (32, 784, 25), (1, 1000, 33), (300, 300, 300), (64, 2000, 1)]:
        for dtype in ("float32", "float64"):
            a, b = rng.normal(size=(m, k)).astype(dtype), rng.normal(size=(k, n)).astype(dtype)
            feed(digest, ops.matmul(a, b))
            feed(digest, ops.matmul(np.asfortranarray(a), np.asfortranarray(b)))
    return digest.hexdigest()


def function_hash() -> str:
    """Functions of many pieces over all magnitudes, so that every piece and limit takes part."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(6)
    parts = [rng.normal(size=4000) * s for s in (1e-300, 1e-30, 1e-3, 1.0, 10.0, 300.0, 1e30)]
    for dtype in ("float32", "float64"):
        x = np.concatenate([*parts, [0.0, -0.0, np.inf, -np.inf]]).astype(dtype)
        for name in ("erf", "erfc", "silu", "gelu", "elu"):
            function = getattr(ops, name)
            feed(digest, function(x))
            feed(digest, fg.grad(lambda x, f=function: ops.sum(f(x)))(x[:-2]))
        y = x[::-1].copy()
        for name in ("sin", "cos", "tan", "arctan", "arcsinh", "sinh", "cosh", "exp2", "cbrt"):
            feed(digest, getattr(ops, name)(x[:-2]))
        for name in ("arcsin", "arccos", "arctanh"):
            feed(digest, getattr(ops, name)(ops.clip(x, -1.0, 1.0)))
        for name in ("log2", "log10"):
            feed(digest, getattr(ops, name)(ops.abs(x)))
        feed(digest, ops.arccosh(ops.maximum(ops.abs(x), 1.0)))
        for name in ("rint", "floor", "ceil", "trunc", "isfinite", "signbit"):
            feed(digest, getattr(ops, name)(x))
        for name in ("arctan2", "hypot", "logaddexp", "copysign"):
            feed(digest, getattr(ops, name)(x, y))
        for name in ("floor_divide", "remainder"):
            feed(digest, getattr(ops, name)(x[2:-4], y[2:-4]))
    return digest.hexdigest()


def random_hash() -> str:
    """Random numbers in more blocks than one, and initializers of each kind."""
    digest = hashlib.sha256()
    for dtype in ("float32", "float64"):
        for draw in (fg.random.uniform, fg.random.normal, fg.random.truncated_normal):
            feed(digest, draw((70, 333), dtype=dtype, seed=1))
        for name in ("GlorotUniform", "HeNormal", "Orthogonal"):
            feed(digest, getattr(fg.initializers, name)(seed=1)((65, 30), dtype))
    return digest.hexdigest()


def training_hash(optimizer: Any = "adam") -> str:
    """Weights and history of the multi-class network, dropout included."""
    fg.utils.set_random_seed(9)
    hidden = [
        fg.layers.Rescaling(1 / 16),
        fg.layers.Flatten(),
        fg.layers.Dense(25, activation="relu"),
        fg.layers.Dropout(0.1),
        fg.layers.Dense(15, activation="tanh"),
    ]
    stack = [*hidden, fg.layers.Dense(10, activation="linear")]
    return trained_hash(stack, from_logits=True, optimizer=optimizer)


def normalized_hash() -> str:
    """Weights, moving averages and history of a network with normalisation of both kinds."""
    fg.utils.set_random_seed(9)
    (x, _), _ = datasets.load_digits()
    inputs = fg.layers.Normalization(axis=(1, 2))
    inputs.adapt(x)
    stack = [
        inputs,
        fg.layers.Flatten(),
        fg.layers.Dense(25, use_bias=False),
        fg.layers.BatchNormalization(),
        fg.layers.LeakyReLU(),
        fg.layers.Dense(10),
        fg.layers.Softmax(),
    ]
    return trained_hash(stack, from_logits=False)


def trained_hash(stack: list[Any], from_logits: bool, optimizer: Any = "adam") -> str:
    (x, y), (x_test, y_test) = datasets.load_digits()
    model = fg.Sequential([fg.Input((8, 8)), *stack])
    loss = fg.losses.SparseCategoricalCrossentropy(from_logits=from_logits)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
    history = model.fit(
        x, y, epochs=3, batch_size=32, verbose=0, validation_data=(x_test, y_test)
    ).history
    digest = hashlib.sha256()
    for weights in model.get_weights():
        digest.update(np.ascontiguousarray(weights).tobytes())
    digest.update(np.ascontiguousarray(model.predict(x_test, verbose=0)).tobytes())
    digest.update(json.dumps(history, sort_keys=True).encode())
    return digest.hexdigest()


def optimizers_hash() -> str:
    """The same with learning rates that follow schedules, and clipped gradients."""
    schedules = fg.optimizers.schedules
    kinds = (
        fg.optimizers.SGD(schedules.CosineDecayRestarts(0.1, 20, 1.5, 0.9), global_clipnorm=0.2),
        fg.optimizers.RMSprop(schedules.ExponentialDecay(0.002, 30, 0.8), clipnorm=0.1),
        fg.optimizers.Adam(schedules.PolynomialDecay(0.01, 90, power=0.7), clipvalue=0.01),
    )
    return " ".join(training_hash(kind) for kind in kinds)


def split_every_loop() -> None:
    """Use as many threads as the environment says, whatever the work and the machine."""
    threads = int(os.environ.get("FUSEGRAD_NUM_THREADS", "1"))
    if threads > 1:
        _core.set_num_threads(threads)
        _core.set_split_all(True)


if __name__ == "__main__":
    split_every_loop()
    parts = {
        "ops": op_hash,
        "matmul": matmul_hash,
        "training": training_hash,
        "optimizers": optimizers_hash,
        "functions": function_hash,
        "random": random_hash,
        "normalized": normalized_hash,
    }
    print(json.dumps({name: parts[name]() for name in sys.argv[1:] or parts}))
