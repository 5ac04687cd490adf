"""Keras on either backend; `keras_jax` and `keras_tensorflow` choose it, one process each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from peers import Unsupported
from workloads import Prepared, Training

FORMS = ("float32", "uint8")


def version() -> str:
    return str(keras.__version__)


def network(p: Prepared, widths: tuple[int, ...], dtype: str) -> Any:
    def dense(n: int, activation: str | None = None) -> Any:
        return keras.layers.Dense(n, activation=activation, dtype=dtype)

    rescale = []
    if p.x is not None and p.x.dtype == np.uint8:
        rescale = [keras.layers.Rescaling(1 / 255)]
    hidden = [dense(n, "relu") for n in widths[1:-1]]
    model = keras.Sequential([keras.Input((widths[0],)), *rescale, *hidden, dense(widths[-1])])
    model.set_weights(p.weights)
    return model


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        model = network(p, w.widths, w.dtype)
        loss: Any = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        if w.binary:
            loss = keras.losses.BinaryCrossentropy(from_logits=True)
        model.compile("adam", loss)

        def turn() -> float:
            history = model.fit(p.x, p.y, batch_size=w.batch, epochs=w.epochs, verbose=0)
            return float(history.history["loss"][-1])

        return turn
    if w.kind == "forward":
        model = network(p, w.shape, "float32")
        x = keras.ops.convert_to_tensor(p.arguments[0])
        return lambda: np.asarray(model(x))
    raise Unsupported("measured through its backend")
