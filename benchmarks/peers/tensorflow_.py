"""TensorFlow without Keras: single ops eagerly, which is faster, the rest under tf.function."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow as tf

from peers import Unsupported, numpy_style
from workloads import AUTODIFF, Prepared, Training

NAME = "TensorFlow"


def version() -> str:
    return str(tf.__version__)


def cross_entropy(z: Any, y: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch(z)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, z))
    return loss, tape.gradient(loss, z)


def cost(w: Any, b: Any, x: Any, y: Any) -> Any:
    with tf.GradientTape() as tape:
        tape.watch([w, b])
        z = tf.linalg.matvec(x, w) + b
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, z))
    return loss, tape.gradient(loss, [w, b])


XP = SimpleNamespace(
    matmul=tf.linalg.matvec, exp=tf.exp, log=tf.math.log, mean=tf.reduce_mean, sum=tf.reduce_sum
)


def derivative(p: Prepared, wrap: Callable[[Any], Any] = lambda f: f) -> Callable[[], Any]:
    kind = p.workload.kind  # type: ignore[union-attr]
    a = [tf.constant(x) for x in p.arguments]
    cost, cost_of_w, chain = numpy_style.functions(XP)

    def value_and_gradient(function: Callable[..., Any], count: int) -> Callable[..., Any]:
        def call(*a: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(a[:count])
                value = function(*a)
            return value, tape.gradient(value, a[:count])

        return call

    def hessian(*a: Any) -> Any:
        with tf.GradientTape() as outer:
            outer.watch(a[0])
            gradient = value_and_gradient(cost_of_w, 1)(*a)[1][0]
        return outer.jacobian(gradient, a[0])

    def record(a: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(a)
            return chain(a)

    if kind == "record" and wrap is tf.function:
        raise Unsupported("nothing is recorded when a compiled function runs")
    functions = {
        "logistic": value_and_gradient(cost, 2),
        "chain": lambda a: value_and_gradient(chain, 1)(a)[1],
        "hessian": hessian,
        "record": record,
    }
    function = wrap(functions[kind])
    return lambda: [np.asarray(part) for part in tf.nest.flatten(function(*a))]


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training) or w.kind == "forward":
        raise Unsupported("measured through Keras")
    if w.group == AUTODIFF:
        return derivative(p, tf.function)
    functions: dict[str, Any] = {
        "matmul": tf.matmul,
        "cross_entropy": tf.function(cross_entropy),
        "cost": tf.function(cost),
        "sigmoid": tf.sigmoid,
        "exp": tf.exp,
        "log": tf.math.log,
        "tanh": tf.tanh,
    }
    a = [tf.constant(x) for x in p.arguments]
    function = functions[w.kind]

    def call() -> Any:
        return [np.asarray(part) for part in tf.nest.flatten(function(*a))]

    return call
