"""Bad calls: what is no matter of data for a model, each written out.

Rows: the number of the class (see `bad_input`), a name, the entry point, the call (given a built
classifier), the argument that the error must name (None: it is another error than ArgumentError),
what it must say (a regular expression), and its type where it is another one.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pandas as pd
import scipy.sparse

import fusegrad as fg
from bad_data import ENTRIES, NAMES, TRAINING, Row, frame, good_x, good_y, model_of, unfit
from fusegrad import activations, initializers, layers, losses, metrics, ops, optimizers
from fusegrad import regularizers as penalties


def make_layer(cls: type[layers.Layer]) -> layers.Layer:
    """Return a layer of this class, with what it cannot do without."""
    parameters = inspect.signature(cls).parameters
    needed = {n: _REQUIRED[n] for n, p in parameters.items() if p.default is p.empty}
    return cls(**needed)


def _never(model: Any) -> Any:
    model.add(model)


_P = np.full((4, 3), 1 / 3, "f4")
_T = np.eye(3)[[0, 1, 2, 0]]
_HUGE = 10**15
_OPTIMIZERS = [
    value
    for value in map(optimizers.__dict__.get, optimizers.__all__)
    if isinstance(value, type)
    and issubclass(value, optimizers.Optimizer)
    and value is not optimizers.Optimizer
]
_LAYERS = [
    value
    for name in layers.__all__
    if isinstance(value := getattr(layers, name), type) and name not in {"Layer", "InputLayer"}
]
_REQUIRED = {"units": 1, "rate": 0.5, "scale": 1.0, "activation": "relu"}
_RATES = (float("nan"), float("inf"), -float("inf"), -0.1, "fast", True, None, [0.1], 1j, 10**400)

CALLS: list[Row] = [
    # 7 to 11, at layers
    (7, "fewer", "model(x)", lambda m: m(good_x()[:, :3]), "x", r"shape \(n, 4\), got shape"),
    (7, "more", "model(x)", lambda m: m(np.ones((3, 5))), "x", r"shape \(n, 4\), got shape"),
    (7, "fewer", "layer(x)", lambda m: m.layers[0](good_x()[:, :3]), "x", r"\(..., 4\), got"),
    (7, "more", "layer(x)", lambda m: m.layers[0](np.ones((3, 5))), "x", r"\(..., 4\), got"),
    (9, "a sample", "model(x)", lambda m: m(good_x()[0]), "x", r"write x\.reshape\(\(1, 4\)\)"),
    (9, "a number", "layer(x)", lambda m: layers.Dense(1)(1.0), "x", "at least two axes"),
    (9, "one axis", "layer(x)", lambda m: layers.Dense(1)([1.0, 2.0]), "x", "at least two axes"),
    (9, "a number", "model(x)", lambda m: m(1.0), "x", r"shape \(n, 4\), got shape \(\)"),
    (9, "a number to flatten", "layer(x)", lambda m: layers.Flatten()(1.0), "x", "one axis"),
    (11, "no features", "layer(x)", lambda m: layers.Dense(1)(np.ones((2, 0))), "x", "features"),
    # losses and metrics on arrays
    *((number, name, f"losses.{function}",
       lambda m, f=function, y=y, p=p: getattr(losses, f)(y, p), argument, text)
      for function, number, name, y, p, argument, text in [
          ("sparse_categorical_crossentropy", 1, "3 of 3", [0, 1, 2, 3], _P, "y_true", r"got 3"),
          ("sparse_categorical_crossentropy", 2, "-1", [0, 1, 2, -1], _P, "y_true", "got -1"),
          ("sparse_categorical_crossentropy", 3, "0.5", [0, 1, 2, 0.5], _P, "y_true", "got 0.5"),
          ("sparse_categorical_crossentropy", 5, "NaN", [0, 1, 2, np.nan], _P, "y_true", "nan"),
          ("sparse_categorical_crossentropy", 5, "inf", [0, 1, 2, np.inf], _P, "y_true", "inf"),
          ("sparse_categorical_crossentropy", 6, "fewer", [0, 1], _P, "y_true", r"shape \(2,\)"),
          ("sparse_categorical_crossentropy", 8, "one-hot", _T, _P, "y_true", "one label for"),
          ("sparse_categorical_crossentropy", 12, "strings", ["a"] * 4, _P, "y_true", "<U1"),
          ("sparse_categorical_crossentropy", 13, "ragged", [[0], [1, 2]], _P, "y_true", "rect"),
          ("sparse_categorical_crossentropy", 24, "one class", [0], [[1.0]], "y_pred", "2 classes"),
          ("categorical_crossentropy", 8, "labels", [0, 1, 2, 0], _P, "y_true", "broadcast"),
          ("categorical_crossentropy", 24, "2.0", 2 * _T, _P, "y_true", r"\[0, 1\], got 2.0"),
          ("categorical_crossentropy", 24, "one class", [[1.0]], [[1.0]], "y_pred", "2 classes"),
          ("binary_crossentropy", 8, "other columns", _T[:, :2], _P, "y_true", "broadcast"),
          ("binary_crossentropy", 24, "-1.0", -_T, _P, "y_true", r"\[0, 1\], got -1.0"),
          ("binary_crossentropy", 12, "None", None, _P, "y_true", "None"),
          ("mean_squared_error", 8, "a number", 1.0, _P, "y_true", "broadcast"),
          ("mean_squared_error", 6, "fewer", _T[:2], _P, "y_true", "broadcast"),
          ("mean_squared_error", 12, "None as predictions", _T, None, "y_pred", "None"),
          ("mean_squared_error", 12, "objects", np.array([{}] * 4), _P, "y_true", "object"),
          ("mean_squared_error", 14, "masked", np.ma.masked_equal(_T, 0), _P, "y_true", "masked"),
          ("mean_absolute_error", 8, "other columns", _T[:, :2], _P, "y_true", "broadcast"),
          ("huber", 8, "other columns", _T[:, :2], _P, "y_true", "broadcast"),
      ]),
    *((16, name, "losses.Loss", lambda m, w=w: losses.MeanSquaredError()(_T, _P, w),
       "sample_weight", text)
      for name, w, text in [
          ("fewer", [1.0, 2.0], r"shape \(4,\), got shape \(2,\)"),
          ("a number", 1.0, r"got shape \(\)"),
          ("strings", ["a"] * 4, "<U1"),
          ("ragged", [[1.0], [1.0, 2.0]], "rectangular"),
      ]),
    *((number, name, "metrics.Metric",
       lambda m, k=kind, y=y, w=w: getattr(metrics, k)()(y, _P, w), argument, text)
      for kind, number, name, y, w, argument, text in [
          ("SparseCategoricalAccuracy", 1, "9 of 3", [9, 0, 1, 2], None, "y_true", "got 9"),
          ("SparseCategoricalAccuracy", 2, "-1", [-1, 0, 1, 2], None, "y_true", "got -1"),
          ("SparseCategoricalAccuracy", 3, "0.5", [0.5, 0, 1, 2], None, "y_true", "got 0.5"),
          ("SparseCategoricalAccuracy", 8, "one-hot", _T, None, "y_true", "one label for"),
          ("CategoricalAccuracy", 8, "labels", [0, 1, 2, 0], None, "y_true", "broadcast"),
          ("BinaryAccuracy", 8, "labels for yes or no", [0, 1, 2, 0], None, "y_true", "broadcast"),
          ("MeanSquaredError", 12, "None", None, None, "y_true", "None"),
          ("MeanSquaredError", 16, "fewer weights", _T, [1.0], "sample_weight", "one weight"),
      ]),
    # eager ops
    (8, "shapes", "ops", lambda m: ops.matmul([[1.0]], _T), "x2", "1 rows"),
    (12, "None", "ops", lambda m: ops.exp(None), "data", "None"),
    (12, "strings", "ops", lambda m: ops.add(["a"], 1.0), "data", "real numbers"),
    (12, "complex", "ops", lambda m: ops.exp(np.ones(2) * 1j), "data", "complex128"),
    (13, "ragged", "ops", lambda m: ops.exp([[1.0], [1.0, 2.0]]), "data", "rectangular"),
    (14, "masked", "ops", lambda m: ops.exp(np.ma.masked_equal([0.0, 1.0], 0)), "data", "masked"),
    (25, "axis", "ops", lambda m: ops.sum([1.0], axis=5), "axis", r"\[-1, 1\)"),
    (25, "out", "ops", lambda m: ops.ones(2).sum(out=np.ones(())), "out", "do not change"),
    (25, "dtype", "ops", lambda m: ops.ones(2).mean(dtype="f2"), "dtype", "one of float32"),
    # to_categorical, read_idx, set_weights
    *((number, name, "to_categorical", lambda m, a=given: fg.utils.to_categorical(*a), argument,
       text)
      for number, name, given, argument, text in [
          (1, "5 of 3", ([5], 3), "x", "got 5 at index 0"),
          (2, "-1", ([-1],), "x", "got -1 at index 0"),
          (3, "1.5", ([1.5],), "x", "got 1.5 at index 0"),
          (5, "NaN", ([float("nan")],), "x", "got nan"),
          (5, "infinity", ([float("inf")],), "x", "got inf"),
          (8, "a number", (3,), "x", "an array of numbers"),
          (12, "strings", (["a"],), "x", "strings"),
          (12, "None", (None,), "x", "None"),
          (13, "ragged", ([[1], [1, 2]],), "x", "length 2 at row 1"),
          (18, "no classes", ([0], 0), "num_classes", "an integer >= 1"),
          (18, "2.0 classes", ([0], 2.0), "num_classes", "an integer >= 1"),
          (18, "10**30 classes", ([0], 10**30), "num_classes", r"below 2\*\*63"),
          (21, "1e300", ([1e300],), "x", r"got 1e\+300"),
      ]),
    *((12, f"path {given!r}", name, lambda m, f=name, a=given: getattr(fg.datasets, f)(a),
       "path", "path")
      for name in ("read_idx", "load_fashion_mnist")
      for given in (3, "", "a\0b", b"bytes")),
    *((number, name, "set_weights", lambda m, f=spoil: m.set_weights(f(m.get_weights())),
       argument, text)
      for number, name, spoil, argument, text in [
          (6, "fewer", lambda w: w[:1], "weights", "4 arrays for 'classifier', got 1"),
          (8, "transposed", lambda w: [a.T for a in w], "weights[0]", r"of shape \(4, 5\)"),
          (8, "numbers", lambda w: [1.0] * 4, "weights[0]", r"of shape \(4, 5\)"),
          (12, "None", lambda w: None, "weights", "a list of 4 arrays"),
          (12, "dict", lambda w: {}, "weights", "a list of 4 arrays"),
          (12, "generator", iter, "weights", "a list of 4 arrays"),
          (12, "strings", lambda w: ["a"] * 4, "weights[0]", "numbers"),
          (12, "objects", lambda w: [a.astype(object) for a in w], "weights[0]", "object"),
          (12, "complex", lambda w: [a * 1j for a in w], "weights[0]", "complex"),
          (13, "ragged", lambda w: [[[1], [1, 2]], *w[1:]], "weights[0]", "ragged"),
          (14, "masked", lambda w: [*w[:3], np.ma.masked_all(3)], "weights[3]", "masked"),
          (15, "sparse", lambda w: [scipy.sparse.csr_matrix(w[0]), *w[1:]], "weights[0]", "obj"),
          (21, "1e300", lambda w: [*w[:3], np.full(3, 1e300)], "weights[3]", "range of float32"),
      ]),
    (22, "unbuilt", "set_weights", lambda m: unfit("mse").set_weights(m.get_weights()), "weights",
     "not built yet"),
    # sizes
    *((20, name, entry, call, None, text, MemoryError)
      for name, entry, call, text in [
          ("units", "predict", lambda m: unfit("mse", [layers.Dense(_HUGE)]).predict(good_x()),
           "Unable to allocate 14.2 PiB"),
          ("units", "fit",
           lambda m: unfit("mse", [layers.Dense(_HUGE), layers.Dense(1)]).fit(good_x(), good_y()),
           "Unable to allocate 14.2 PiB"),
          ("units", "evaluate",
           lambda m: unfit("mse", [layers.Dense(_HUGE), layers.Dense(1)]).evaluate(
               good_x(), good_y()), "Unable to allocate 14.2 PiB"),
          ("units", "train_on_batch",
           lambda m: unfit("mse", [layers.Dense(_HUGE), layers.Dense(1)]).train_on_batch(
               good_x(), good_y()), "Unable to allocate 14.2 PiB"),
          ("units", "model(x)", lambda m: unfit("mse", [layers.Dense(_HUGE)])(good_x()),
           "Unable to allocate 14.2 PiB"),
          ("units", "layer(x)", lambda m: layers.Dense(_HUGE)(good_x()), "Unable to allocate"),
          ("units", "add", lambda m: m.add(layers.Dense(_HUGE)), "Unable to allocate"),
          ("product", "Sequential", lambda m: unfit(None, [fg.Input(_HUGE), layers.Dense(_HUGE)]),
           r"3\.47e\+12 EiB for an array with shape \(10{15}, 10{15}\) and data type float32"),
          ("product", "build", lambda m: unfit("mse").build((None, 2**62)), "16 EiB"),
          ("flattened", "Sequential",
           lambda m: unfit(None, [fg.Input((2**32, 2**32)), layers.Flatten(), layers.Dense(1)]),
           "64 EiB"),
          ("zeros", "ops", lambda m: ops.zeros((_HUGE, _HUGE)), "EiB for an array with shape"),
          ("a label", "to_categorical", lambda m: fg.utils.to_categorical([2**62]), "16 EiB"),
          ("classes", "to_categorical", lambda m: fg.utils.to_categorical([1], _HUGE), "PiB"),
      ]),
    (20, "a size", "Input", lambda m: fg.Input((2**63,)), "shape", r"below 2\*\*63"),
    (20, "units", "Dense", lambda m: layers.Dense(10**30), "units", r"below 2\*\*63"),
    # learning rates
    *((19, repr(rate)[:20], f"optimizers.{cls.__name__}", lambda m, c=cls, r=rate: c(r),
       "learning_rate", "a finite number >= 0|a number")
      for cls in _OPTIMIZERS for rate in _RATES),
    *((19, repr(rate)[:20], "optimizer.learning_rate",
       lambda m, r=rate: setattr(m.optimizer, "learning_rate", r), "learning_rate",
       "a finite number >= 0")
      for rate in _RATES),
    (19, "lr", "optimizer.learning_rate", lambda m: setattr(m.optimizer, "lr", 0.1), None,
     "write learning_rate", AttributeError),
    # what comes first
    *((22, "not compiled", entry, lambda m, f=give: f(unfit(compiled=False), good_x(), good_y()),
       None, rf"{entry}\(\): the model is not compiled; call compile", ValueError)
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((22, "no loss", entry, lambda m, f=give: f(unfit(), good_x(), good_y()), None,
       rf"{entry}\(\): there is no loss; write for example compile\(loss='mse'\)", ValueError)
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((22, "no layers", entry, lambda m, f=give: f(unfit("mse", []), good_x(), good_y()), None,
       "has no layers; add some first", ValueError)
      for entry, give in ENTRIES.items() if entry not in {"validation_data", "layer(x)", "adapt"}),
    (22, "no layers", "build", lambda m: unfit("mse", []).build((None, 4)), None, "has no layers",
     ValueError),
    (22, "no layers", "pop", lambda m: unfit("mse", []).pop(), None, "has no layers", ValueError),
    (22, "not built", "count_params", lambda m: unfit("mse").count_params(), None, "call build",
     ValueError),
    (22, "not built", "print_graph", lambda m: unfit("mse").print_graph(), None, "call build",
     ValueError),
    (22, "not built", "output_shape", lambda m: unfit("mse").output_shape, None,
     "is not built, so it has no input_shape yet", AttributeError),
    # unknown names
    *((23, name, entry, call, argument, f"did you mean '{near}'")
      for name, entry, call, argument, near in [
          ("rellu", "Dense", lambda m: layers.Dense(1, "rellu"), "activation", "relu"),
          ("rellu", "Activation", lambda m: layers.Activation("rellu"), "activation", "relu"),
          ("rellu", "activations.get", lambda m: activations.get("rellu"), "identifier", "relu"),
          ("initializer", "Dense", lambda m: layers.Dense(1, kernel_initializer="glorot_unifrom"),
           "kernel_initializer", "glorot_uniform"),
          ("bias initializer", "Dense", lambda m: layers.Dense(1, bias_initializer="zeross"),
           "bias_initializer", "zeros"),
          ("initializer", "initializers.get", lambda m: initializers.get("zeross"), "identifier",
           "zeros"),
          ("regularizer", "Dense", lambda m: layers.Dense(1, kernel_regularizer="l3"),
           "kernel_regularizer", "l2"),
          ("regularizer", "regularizers.get", lambda m: penalties.get("l3"), "identifier", "l2"),
          ("adamm", "compile", lambda m: m.compile("adamm", "mse"), "optimizer", "Adam"),
          ("adamm", "optimizers.get", lambda m: optimizers.get("adamm"), "identifier", "Adam"),
          ("mean_square_error", "compile", lambda m: m.compile("sgd", "mean_square_error"),
           "loss", "mean_squared_error"),
          ("bce", "losses.get", lambda m: losses.get("binary_crossentrpy"), "identifier",
           "binary_crossentropy"),
          ("acuracy", "compile", lambda m: m.compile("sgd", "mse", metrics=["acuracy"]),
           "metrics", "accuracy"),
          ("weighted acuracy", "compile",
           lambda m: m.compile("sgd", "mse", weighted_metrics=["acuracy"]), "weighted_metrics",
           "accuracy"),
          ("acuracy", "metrics.get", lambda m: metrics.get("acuracy"), "identifier", "accuracy"),
          ("Dence", "layers.deserialize",
           lambda m: layers.deserialize({"class_name": "Dence", "config": {}}), "config", "Dense"),
      ]),
    (23, "a loss as optimizer", "compile", lambda m: m.compile("mse", "adam"), "optimizer",
     r"the loss 'mse' \(write loss='mse'\)"),
    (23, "nothing like it", "compile", lambda m: m.compile("sgd", "xyzzy"), "loss", "among"),
    (23, "stage", "print_graph", lambda m: m.print_graph("end"), "stage", "one of trace"),
    (23, "layer", "get_layer", lambda m: m.get_layer("dens"), "name", "one of"),
    # losses and last layers
    (24, "one class", "compile",
     lambda m: unfit(losses.SparseCategoricalCrossentropy(from_logits=True)), "loss",
     "BinaryCrossentropy"),
    (24, "one class of distributions", "compile",
     lambda m: unfit(losses.CategoricalCrossentropy(from_logits=True)), "loss",
     "BinaryCrossentropy"),
    (24, "a softmax over one unit", "compile",
     lambda m: unfit("mse", [layers.Dense(1, "softmax")]), "model", "sigmoid"),
    (24, "accuracy of values", "compile", lambda m: m.compile("sgd", "mse", metrics=["accuracy"]),
     "metrics", "of a regression"),
    (24, "no reduction", "compile",
     lambda m: m.compile("sgd", losses.MeanSquaredError(reduction="none")), "loss", "reduction"),
    # other arguments: compile
    *((25, name, "compile", lambda m, a=given, k=more: m.compile(*a, **k), argument, text)
      for name, given, more, argument, text in [
          ("a loss object first", (losses.MeanSquaredError(),), {}, "optimizer", "write loss="),
          ("None for an optimizer", (None, "mse"), {}, "optimizer", "a name or an Optimizer"),
          ("a number for an optimizer", (0.01, "mse"), {}, "optimizer", "a name or an Optimizer"),
          ("a number for a loss", ("sgd", 3), {}, "loss", "a name, a Loss or a function"),
          ("a list of losses", ("sgd", ["mse"]), {}, "loss", "a model has one output"),
          ("a dict of losses", ("sgd", {"out": "mse"}), {}, "loss", "a model has one output"),
          ("a metric for a loss", ("sgd", metrics.MeanSquaredError()), {}, "loss", "the metric"),
          ("a layer for a loss", ("sgd", layers.Dense(1)), {}, "loss", "a name, a Loss"),
          ("a number for a metric", ("sgd", "mse"), {"metrics": [5]}, "metrics", "a name"),
          ("None for a metric", ("sgd", "mse"), {"metrics": [None]}, "metrics", "a name"),
          ("a dict of metrics", ("sgd", "mse"), {"metrics": {"o": "mse"}}, "metrics", "a list"),
          ("a set of metrics", ("sgd", "mse"), {"metrics": {"mse"}}, "metrics", "a list"),
          ("lists in a list", ("sgd", "mse"), {"metrics": [["mse"]]}, "metrics", "a name"),
          ("weighted dict", ("sgd", "mse"), {"weighted_metrics": {"o": "mse"}},
           "weighted_metrics", "a list"),
          ("run_eagerly", ("sgd", "mse"), {"run_eagerly": "no"}, "run_eagerly", "True or False"),
      ]),
    # other arguments: layers and models
    *((25, name, entry, call, argument, text)
      for name, entry, call, argument, text in [
          *((f"units {units!r}", "Dense", lambda m, u=units: layers.Dense(u), "units",
             "an integer >= 1") for units in (0, -1, 1.5, "3", None, (3,), True, "relu")),
          *((f"activation {value!r}", "Dense", lambda m, v=value: layers.Dense(1, v),
             "activation", "a name, a function") for value in (25, [], layers.Activation)),
          ("an optimizer as activation", "Dense", lambda m: layers.Dense(1, optimizers.SGD()),
           "activation", "a name, a function"),
          ("use_bias", "Dense", lambda m: layers.Dense(1, use_bias="False"), "use_bias", "True or"),
          ("initializer", "Dense", lambda m: layers.Dense(1, kernel_initializer=1),
           "kernel_initializer", "a name"),
          ("initializer of strings", "Dense",
           lambda m: layers.Dense(1, kernel_initializer=np.array(["a"])), "kernel_initializer",
           "a name"),
          ("regularizer as initializer", "Dense",
           lambda m: layers.Dense(1, kernel_initializer=penalties.L2()), "kernel_initializer",
           "a name"),
          ("regularizer", "Dense", lambda m: layers.Dense(1, kernel_regularizer=0.01),
           "kernel_regularizer", "a name"),
          ("initializer as regularizer", "Dense",
           lambda m: layers.Dense(1, kernel_regularizer=initializers.Zeros()),
           "kernel_regularizer", "a name"),
          ("dtype", "Dense", lambda m: layers.Dense(1, dtype="float16"), "dtype", "'float32'"),
          ("float16", "Dense", lambda m: layers.Dense(1, dtype="mixed_float16"), "dtype",
           "no loss scaling"),
          ("name", "Dense", lambda m: layers.Dense(1, name=3), "name", "a non-empty string"),
          ("name with a slash", "Dense", lambda m: layers.Dense(1, name="a/b"), "name", "'/'"),
          ("trainable", "Dense", lambda m: layers.Dense(1, trainable="no"), "trainable", "True or"),
          ("trainable, later", "layer.trainable", lambda m: setattr(m, "trainable", "no"),
           "trainable", "True or"),
          ("input_shape", "Dense", lambda m: layers.Dense(1, input_shape="ab"), "input_shape",
           "a tuple"),
          ("two shapes", "Dense", lambda m: layers.Dense(1, input_dim=4, input_shape=(5,)),
           "input_dim", "either"),
          *((f"rate {rate!r}", "Dropout", lambda m, r=rate: layers.Dropout(r), "rate",
             r"\[0, 1\]") for rate in (2, 50, -0.1, float("nan"), None, "half", True)),
          ("seed", "Dropout", lambda m: layers.Dropout(0.5, seed=-1), "seed", "an integer"),
          ("scale", "Rescaling", lambda m: layers.Rescaling("1/255"), "scale", "a finite number"),
          ("scale NaN", "Rescaling", lambda m: layers.Rescaling(float("nan")), "scale", "finite"),
          *((f"shape {shape!r}", "Input", lambda m, s=shape: fg.Input(s), "shape", "integer|size|"
             "without the batch") for shape in ((), (0,), (-1,), (None,), (None, 4), 4.0, "ab",
                                                None)),
          ("dtype", "Input", lambda m: fg.Input(4, dtype="int32"), "dtype", "'float32'"),
          ("a layer alone", "Sequential", lambda m: fg.Sequential(layers.Dense(1)), "layers",
           r"Sequential\(\[...\]\)"),
          ("layers alone", "Sequential", lambda m: fg.Sequential(layers.Dense(1), layers.Dense(2)),
           "layers", "a list of layers"),
          ("a number", "Sequential", lambda m: fg.Sequential(3), "layers", "a list of layers"),
          *((f"{name}", "Sequential", lambda m, v=value: fg.Sequential([v]), "layer", text)
            for name, value, text in [
                ("a class", layers.Dense, r"write Dense\(...\)"),
                ("None", None, "a layer such as"),
                ("a word", "dense", "a layer such as"),
                ("a function", len, "a layer such as"),
                ("an optimizer", optimizers.SGD(), "a layer such as"),
                ("a list", [layers.Dense(1)], "a layer such as"),
            ]),
          ("itself", "add", _never, "layer", "itself"),
          ("a layer inside it", "add", lambda m: m.layers[0] and m.add(fg.Sequential([m])),
           "layer", "itself"),
          ("two layers", "add", lambda m: m.add(layers.Dense(1), layers.Dense(1)), "rebuild",
           "True or False"),
          ("the same twice", "add", lambda m: m.add(m.layers[0]), "layer", "name of its own"),
          ("a late Input", "add", lambda m: m.add(fg.Input(4)), "layer", "first entry"),
          ("a place", "pop", lambda m: m.pop(0), "rebuild", "True or False"),
          *((f"shape {shape!r}"[:40], "build",
             lambda m, s=shape: unfit("mse").build(s), "input_shape", "tuple|integer|axes")
            for shape in (4, (4,), (), None, (None, -1), (None, 0), (None, 4.0), (None, None),
                          "ab", ("a", 4), np.ones((2, 2)))),
          *((f"shape {shape!r}", f"{cls.__name__}.build",
             lambda m, c=cls, s=shape: make_layer(c).build(s), "input_shape", "a tuple of sizes")
            for cls in _LAYERS
            for shape in (4, None, "a", (None, 4.0), (None, -4), (None, "a"), (None, True))),
          ("shape (None,)", "Dense.build", lambda m: layers.Dense(1).build((None,)), "input_shape",
           "at least two axes"),
          ("shape (None, 0)", "Dense.build", lambda m: layers.Dense(1).build((None, 0)),
           "input_shape", "at least two axes"),
          ("another shape", "build", lambda m: m.build((None, 3)), "input_shape", "built for"),
          ("targets too", "model(x)", lambda m: m(good_x(), good_y()), "x", "one array"),
          ("training", "model(x)", lambda m: m(good_x(), training="yes"), "training", "True or"),
          ("training", "layer(x)", lambda m: layers.Dropout(0.5)(good_x(), training="yes"),
           "training", "True or"),
          ("both", "get_layer", lambda m: m.get_layer("a", 1), "name", "either"),
          ("neither", "get_layer", lambda m: m.get_layer(), "name", "either"),
          ("a number", "get_layer", lambda m: m.get_layer(1), "name", "write index=1"),
          ("beyond", "get_layer", lambda m: m.get_layer(index=7), "index", "of 2 layers"),
          ("line_length", "summary", lambda m: m.summary(line_length="a"), "line_length", "an int"),
          ("batch_size", "print_graph", lambda m: m.print_graph(batch_size=0), "batch_size",
           "an integer >= 1"),
          ("targets too", "predict", lambda m: m.predict(good_x(), good_y()), "batch_size",
           "takes no targets"),
      ]),
    # the order of arguments
    *((25, "targets first", entry, lambda m, f=give: f(m, good_y(), good_x()), argument,
       "in the wrong order?")
      for entry, give in TRAINING.items()
      for argument in [NAMES["x"] if entry == "validation_data" else "x"]),
    *((25, "targets first, unbuilt", entry,
       lambda m, f=give: f(model_of("regression", built=False), good_y(), good_x()), "y",
       "in the wrong order?")
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((14, "rows in another order", entry,
       lambda m, f=give: f(m, frame().iloc[::-1], pd.Series(good_y())), "y",
       r"another order \(write y\.loc\[x\.index\]")
      for entry, give in TRAINING.items() if entry != "validation_data"),
    *((25, "return_dict", entry, lambda m, f=give: f(m, good_x(), good_y(), return_dict="yes"),
       "return_dict", "True or False")
      for entry, give in TRAINING.items() if entry not in {"fit", "validation_data"}),
]  # fmt: skip
