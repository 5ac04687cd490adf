"""Bad arguments of losses, metrics, optimizers, initializers, regularizers, `random`, the command.

Rows as in `bad_calls`.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np

import fusegrad as fg
from bad_data import Row, good_x, good_y
from fusegrad import cli, initializers, layers, losses, metrics, optimizers
from fusegrad import regularizers as penalties


class Refusal(Exception):
    """The command line's words."""


def command(*arguments: str) -> None:
    """Run the command line; raise Refusal with the last line that it prints."""
    errors = io.StringIO()
    with contextlib.redirect_stderr(errors):
        try:
            code = cli.main(arguments)
        except SystemExit as error:
            code = error.code
    assert code in {1, 2}
    raise Refusal(errors.getvalue().strip().splitlines()[-1])


def _fit_with(**weights: Any) -> Callable[[Any], Any]:
    """Train a layer with these regularizers."""

    def call(model: Any) -> Any:
        other = fg.Sequential([layers.Dense(1, **weights)])
        other.compile("sgd", "mse")
        return other.fit(good_x(), good_y(), verbose=0)

    return call


_P = np.full((4, 3), 1 / 3, "f4")
_T = np.eye(3)[[0, 1, 2, 0]]
_INITIALIZERS = [
    value
    for name in initializers.__all__
    if isinstance(value := getattr(initializers, name), type) and name != "Initializer"
]

FUNCTIONS: list[Row] = [
    # losses, metrics, optimizers, initializers, regularizers
    *((25, name, f"losses.{cls}", lambda m, c=cls, k=given: getattr(losses, c)(**k), argument, text)
      for cls, name, given, argument, text in [
          ("BinaryCrossentropy", "from_logits", {"from_logits": "yes"}, "from_logits", "True or"),
          ("BinaryCrossentropy", "label_smoothing", {"label_smoothing": "a"}, "label_smoothing",
           r"a number in \[0, 1\]"),
          ("BinaryCrossentropy", "label_smoothing 5", {"label_smoothing": 5}, "label_smoothing",
           r"a number in \[0, 1\]"),
          ("BinaryCrossentropy", "axis", {"axis": 0}, "axis", "-1, the last axis"),
          ("BinaryCrossentropy", "axes", {"axis": np.ones(2)}, "axis", "-1, the last axis"),
          ("MeanSquaredError", "reduction", {"reduction": "avg"}, "reduction", "'sum'"),
          ("MeanSquaredError", "reduction list", {"reduction": []}, "reduction", "'sum'"),
          ("MeanSquaredError", "reduction array", {"reduction": np.ones(2)}, "reduction", "'sum'"),
          ("MeanSquaredError", "name", {"name": 3}, "name", "a non-empty string"),
          ("MeanSquaredError", "dtype", {"dtype": "float8"}, "dtype", "'float32'"),
          ("Huber", "delta 0", {"delta": 0}, "delta", "> 0"),
          ("Huber", "delta", {"delta": "a"}, "delta", "a finite number"),
      ]),
    *((25, name, f"losses.{function}",
       lambda m, f=function, k=given: getattr(losses, f)(_T, _P, **k), argument, text)
      for function, name, given, argument, text in [
          ("binary_crossentropy", "from_logits", {"from_logits": "no"}, "from_logits", "True or"),
          ("binary_crossentropy", "smoothing", {"label_smoothing": "a"}, "label_smoothing", "numb"),
          ("categorical_crossentropy", "NaN", {"label_smoothing": np.nan}, "label_smoothing", "nu"),
          ("huber", "delta", {"delta": -1}, "delta", "a finite number"),
      ]),
    *((25, name, "metrics", call, argument, text)
      for name, call, argument, text in [
          ("threshold", lambda m: metrics.BinaryAccuracy(threshold="a"), "threshold", "finite"),
          ("name", lambda m: metrics.BinaryAccuracy(name=3), "name", "a non-empty string"),
          ("dtype", lambda m: metrics.BinaryAccuracy(dtype="float8"), "dtype", "'float32'"),
          ("no function", lambda m: metrics.MeanMetricWrapper(None), "fn", "a function"),
          ("None", lambda m: metrics.get(None), "identifier", "a name"),
          ("an optimizer", lambda m: metrics.get(optimizers.SGD()), "identifier", "a name"),
      ]),
    *((25, name, "optimizers", call, argument, text)
      for name, call, argument, text in [
          ("momentum", lambda m: optimizers.SGD(momentum=1.5), "momentum", r"\[0, 1\]"),
          ("nesterov", lambda m: optimizers.SGD(nesterov="yes"), "nesterov", "True or False"),
          ("beta_1", lambda m: optimizers.Adam(beta_1=1.0), "beta_1", r"\[0, 1\)"),
          ("epsilon", lambda m: optimizers.Adam(epsilon=None), "epsilon", "a finite number"),
          ("amsgrad", lambda m: optimizers.Adam(amsgrad=1), "amsgrad", "True or False"),
          ("name", lambda m: optimizers.Adam(name=3), "name", "a non-empty string"),
          ("no gradients", lambda m: optimizers.SGD().apply([], m.weights), "grads", "4 gradients"),
          ("None", lambda m: optimizers.SGD().apply(None, m.weights), "grads", "a list"),
          ("None among gradients", lambda m: m.optimizer.apply([None] * 4, m.weights), "grads[0]",
           "None"),
          ("shapes", lambda m: m.optimizer.apply([1.0] * 4, m.weights), "grads[0]", "the shape"),
          ("arrays", lambda m: m.optimizer.apply(m.get_weights(), m.get_weights()),
           "trainable_variables[0]", "a Variable"),
          ("no pairs", lambda m: m.optimizer.apply_gradients(m.weights), "grads_and_vars", "pairs"),
          ("config", lambda m: optimizers.get({"lr": 0.1}), "identifier", "class_name"),
      ]),
    *((25, f"shape {shape!r}", f"initializers.{cls.__name__}", lambda m, c=cls, s=shape: c()(s),
       "shape", "integer") for cls in _INITIALIZERS for shape in ("ab", None, (-1, 2), (1.5, 2),
                                                                  (None, 2), (True, 2), {}, 2.0)),
    *((25, f"dtype {dtype!r}"[:15], f"initializers.{cls.__name__}",
       lambda m, c=cls, d=dtype: c()((2, 2), d), "dtype", "expected")
      for cls in _INITIALIZERS for dtype in ("float8", "U3", object())),
    *((20, "a size", f"initializers.{cls.__name__}", lambda m, c=cls: c()((2**63, 1)), None,
       "Unable to allocate 32 EiB", MemoryError) for cls in _INITIALIZERS),
    *((25, f"{name} {given!r}", f"random.{name}",
       lambda m, n=name, g=given: getattr(fg.random, n)(**{"shape": (2,)} | g), argument,
       "expected")
      for name in ("uniform", "normal", "truncated_normal")
      for given, argument in [
          ({"shape": "ab"}, "shape"), ({"shape": (-1,)}, "shape"), ({"shape": None}, "shape"),
          ({"shape": (1.5,)}, "shape"), ({"dtype": "int8"}, "dtype"), ({"seed": -1}, "seed"),
          ({"dtype": "float8"}, "dtype"),
      ]),
    (25, "low above high", "random.uniform", lambda m: fg.random.uniform(2, 1.0, 0.0), "low", "<="),
    (25, "low NaN", "random.uniform", lambda m: fg.random.uniform(2, np.nan), "low", "a finite"),
    (25, "stddev", "random.normal", lambda m: fg.random.normal(2, stddev=-1), "stddev", ">= 0"),
    (20, "numbers", "random.normal", lambda m: fg.random.normal((2**63,)), None, "EiB",
     MemoryError),
    (25, "seed", "initializers", lambda m: initializers.GlorotUniform(seed="a"), "seed", "integer"),
    (25, "negative", "regularizers", lambda m: penalties.L2(-1), "l2", "a finite number >= 0"),
    (25, "NaN", "regularizers", lambda m: penalties.L1L2(l1=float("nan")), "l1", "a finite number"),
    (25, "a table", "regularizers", _fit_with(kernel_regularizer=lambda w: w), "regularizer",
     r"one number, got shape \(4, 1\) \(write ops\.sum"),
    (25, "None", "regularizers", _fit_with(bias_regularizer=lambda w: None), "regularizer",
     "one number, got None"),
    (25, "a table of outputs", "regularizers", _fit_with(activity_regularizer=lambda y: y),
     "activity_regularizer", "one number"),
    *((25, f"seed {seed!r}", "set_random_seed", lambda m, s=seed: fg.utils.set_random_seed(s),
       "seed", r"an integer in \[0, 2\*\*32\)") for seed in (-1, 1.0, None, 2**32, "a", True)),
    # the command line
    *((number, " ".join(arguments) or "nothing", "command line",
       lambda m, a=arguments: command(*a), None, text, Refusal)
      for number, arguments, text in [
          (18, ("demo", "--epochs", "0"), "--epochs: expected a whole number of at least 1"),
          (18, ("demo", "--epochs", "-1"), "--epochs: expected"),
          (18, ("demo", "--epochs", "1.5"), "--epochs: expected .*got '1.5'"),
          (18, ("demo", "--epochs", "many"), "--epochs: expected .*got 'many'"),
          (25, ("demo", "--seed", "-1"), "--seed: expected"),
          (25, ("demo", "--seed", str(2**32)), r"--seed: expected a whole number below 2\*\*32"),
          (25, ("demo", "--save", "weights.h5"), "--save: expected a name ending in .safetensors"),
          (25, ("demo", "--save", "/nowhere/w.npz"), "--save: there is no folder '/nowhere'"),
          (25, ("demo", "--plot", "curve.pdf"), "--plot: expected a name ending in .png"),
          (25, ("demo", "fast"), "unrecognized arguments: fast"),
          (23, ("demo", "--epoches", "3"), "unrecognized arguments: --epoches"),
          (23, ("dmeo",), "invalid choice: 'dmeo'"),
          (22, (), "required: command"),
      ]),
]  # fmt: skip
