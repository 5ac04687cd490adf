"""scikit-learn's MLPClassifier: epochs by partial_fit, from given weights."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from peers import Unsupported
from workloads import Prepared, Training

NAME = "scikit-learn"


def version() -> str:
    return str(sklearn.__version__)


def network(widths: tuple[int, ...], weights: list[Any], batch: int, x: Any, y: Any) -> Any:
    model = MLPClassifier(
        widths[1:-1], solver="adam", alpha=0, batch_size=batch, epsilon=1e-7,
        learning_rate_init=1e-3, random_state=0,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a batch is larger than these few rows
        model.partial_fit(x[:batch], y[:batch], classes=np.arange(max(widths[-1], 2)))
    for own, given in zip(model.coefs_, weights[::2], strict=True):
        own[:] = given
    for own, given in zip(model.intercepts_, weights[1::2], strict=True):
        own[:] = given
    del model._optimizer  # its slots have seen a step
    return model


def prepare(p: Prepared) -> Callable[[], Any]:
    w = p.workload
    if isinstance(w, Training):
        if w.dtype != "float32":
            raise Unsupported("no bfloat16")
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = network(w.widths, p.weights, w.batch, p.x, p.y)

        def turn() -> float:
            for _ in range(w.epochs):
                model.partial_fit(p.x, p.y)
            return float(model.loss_)

        return turn
    if w.kind == "forward":
        x = p.arguments[0]
        rows = np.repeat(x, 32, axis=0)
        model = network(w.shape, p.weights, 32, rows, np.arange(32) % 10)
        model.out_activation_ = "identity"  # logits, as everybody else
        return lambda: model._forward_pass_fast(x)
    raise Unsupported("no such function")
