"""TensorFlow's GradientTape without tf.function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from peers import Unsupported, tensorflow_
from workloads import AUTODIFF, Prepared

NAME = "TensorFlow eager"
version = tensorflow_.version


def prepare(p: Prepared) -> Callable[[], Any]:
    if p.workload.group != AUTODIFF:
        raise Unsupported("measured under tf.function")
    return tensorflow_.derivative(p)
