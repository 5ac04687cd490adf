"""TensorFlow without Keras: single ops eagerly, which is faster, and losses under tf.function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from peers import Unsupported
from workloads import Prepared, Training

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


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training) or w.kind == "forward":
        raise Unsupported("measured through Keras")
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
