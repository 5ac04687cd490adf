"""Bad input: the right error, naming the argument, and a model that is bit for bit as before."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, losses
from fusegrad.errors import ArgumentError

ROWS, FEATURES, CLASSES = 12, 4, 3


def good_x(dtype: str = "float32") -> np.ndarray:
    return np.arange(ROWS * FEATURES).reshape(ROWS, FEATURES).astype(dtype) / 8


def good_y() -> np.ndarray:
    return np.arange(ROWS) % CLASSES


def with_value(array: np.ndarray, place: Any, value: Any) -> np.ndarray:
    result = array.copy()
    result[place] = value
    return result


def classifier(loss: Any = None, built: bool = True) -> fg.Sequential:
    model = fg.Sequential([layers.Dense(5, activation="relu"), layers.Dense(CLASSES)])
    model.compile("adam", loss or losses.SparseCategoricalCrossentropy(from_logits=True))
    if built:
        model.fit(good_x(), good_y(), epochs=1, verbose=0)
    return model


def digest(model: fg.Sequential) -> str:
    """Everything that training changes."""
    text = hashlib.sha256()
    for array in model.get_weights():
        text.update(array.tobytes())
    for variable in model.optimizer.variables if model.optimizer.built else []:
        text.update(variable.numpy().tobytes())
    text.update(str(model._epochs).encode())
    return text.hexdigest()


class Sparse:
    """What the check looks for in SciPy's matrices."""

    shape = (ROWS, FEATURES)

    def tocsr(self) -> Any: ...

    def toarray(self) -> Any: ...


BAD_X: dict[str, tuple[Callable[[], Any], str]] = {
    "NaN": (lambda: with_value(good_x(), (3, 1), np.nan), "NaN at row 3, column 1"),
    "infinity": (lambda: with_value(good_x(), (11, 3), -np.inf), "-inf at row 11, column 3"),
    "beyond float32": (
        lambda: with_value(good_x("float64"), (2, 0), 1e39),
        "range of float32 .* got 1e\\+39 at row 2, column 0",
    ),
    "no rows": (lambda: good_x()[:0], "at least one row"),
    "no features": (lambda: good_x()[:, :0], "at least one feature"),
    "a number": (lambda: np.float32(1.0), "one row per sample"),
    "too many axes": (lambda: good_x().reshape(ROWS, 2, 2), r"shape \(n, 4\)"),
    "wrong features": (lambda: good_x()[:, :3], r"shape \(n, 4\).* got shape \(12, 3\)"),
    "one axis": (lambda: good_x()[0], r"write x.reshape\(\(1, 4\)\)"),
    "strings": (lambda: good_x().astype(str), "strings"),
    "objects": (
        lambda: with_value(good_x().astype(object), (1, 2), {}),
        r"\{\} \(dict\) at index \(1, 2\)",
    ),
    "complex": (lambda: good_x().astype(complex), "complex128"),
    "dates": (lambda: np.zeros((ROWS, FEATURES), "datetime64[s]"), "datetime64"),
    "structured": (lambda: np.zeros(ROWS, [("a", "f4"), ("b", "f4")]), "real numbers"),
    "ragged": (lambda: [[1.0] * 4, [1.0] * 3], "length 3 at row 1"),
    "ragged with a number": (lambda: [[1.0] * 4, 2.0], "a number at row 1"),
    "None": (lambda: None, "None"),
    "a string": (lambda: "data.csv", "data.csv"),
    "a dict": (lambda: {"a": 1}, "dict"),
    "a generator": (lambda: (i for i in range(3)), "generator"),
    "sparse": (Sparse, r"\.toarray\(\)"),
    "masked": (lambda: np.ma.masked_equal(good_x(), 0.0), "1 masked"),
}

BAD_LABELS: dict[str, tuple[Callable[[], Any], str]] = {
    "too large": (
        lambda: with_value(good_y(), 3, CLASSES),
        r"integer class labels in \[0, 3\), got 3 at index 3 \(int64 array of shape \(12,\)\)",
    ),
    "negative": (lambda: with_value(good_y(), 5, -1), "got -1 at index 5"),
    "minus 100": (lambda: with_value(good_y(), 0, -100), "got -100 at index 0"),
    "unsigned": (
        lambda: with_value(good_y().astype(np.uint64), 1, 2**64 - 1),
        "18446744073709551615 at index 1",
    ),
    "fractions": (lambda: with_value(good_y().astype(float), 2, 1.5), "got 1.5 at index 2"),
    "NaN": (lambda: with_value(good_y().astype(float), 2, np.nan), "got nan at index 2"),
    "shorter": (lambda: good_y()[:5], r"12 rows, as in 'x', got shape \(5,\)"),
    "longer": (lambda: np.zeros(13, int), "12 rows"),
    "one-hot": (lambda: np.eye(CLASSES)[good_y()], "argmax"),
    "two columns": (lambda: np.zeros((ROWS, 2), int), "one label for each prediction"),
    "a number": (lambda: 1, "an array of numbers, got 1"),
    "strings": (lambda: np.array(["a", "b", "c"] * 4), "return_inverse"),
    "None": (lambda: None, "None"),
    "empty": (lambda: [], "12 rows"),
}

BAD_ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "batch_size 0": ({"batch_size": 0}, "batch_size"),
    "batch_size -1": ({"batch_size": -1}, "batch_size"),
    "batch_size float": ({"batch_size": 2.0}, "batch_size"),
    "batch_size bool": ({"batch_size": True}, "batch_size"),
    "verbose 3": ({"verbose": 3}, "verbose"),
    "verbose text": ({"verbose": "all"}, "verbose"),
    "callbacks": ({"callbacks": [object()]}, "callbacks"),
    "callbacks not a list": ({"callbacks": "early"}, "callbacks"),
}
BAD_FIT_ARGUMENTS: dict[str, tuple[dict[str, Any], str]] = {
    "epochs -1": ({"epochs": -1}, "epochs"),
    "epochs float": ({"epochs": 1.5}, "epochs"),
    "epochs bool": ({"epochs": True}, "epochs"),
    "initial_epoch": ({"initial_epoch": -1}, "initial_epoch"),
    "split 1": ({"validation_split": 1.0}, "validation_split"),
    "split -0.1": ({"validation_split": -0.1}, "validation_split"),
    "split NaN": ({"validation_split": float("nan")}, "validation_split"),
    "split of nothing": ({"validation_split": 0.999}, "validation_split"),
    "validation_data alone": ({"validation_data": good_x()}, "validation_data"),
    "validation NaN": (
        {"validation_data": (with_value(good_x(), (0, 0), np.nan), good_y())},
        "validation_data[0]",
    ),
    "validation labels": (
        {"validation_data": (good_x(), with_value(good_y(), 0, 9))},
        "validation_data[1]",
    ),
    "validation features": (
        {"validation_data": (good_x()[:, :2], good_y())},
        "validation_data[0]",
    ),
    "validation rows": ({"validation_data": (good_x(), good_y()[:3])}, "validation_data[1]"),
    "validation_freq": ({"validation_freq": 0}, "validation_freq"),
    "shuffle": ({"shuffle": "batch"}, "shuffle"),
}


@pytest.mark.parametrize("entry", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("case", BAD_X)
def test_bad_x(entry: str, case: str) -> None:
    make, text = BAD_X[case]
    model = classifier()
    before = digest(model)
    arguments = (make(),) if entry == "predict" else (make(), good_y())
    with pytest.raises(ArgumentError, match=text) as caught:
        getattr(model, entry)(*arguments, verbose=0)
    assert caught.value.argument == "x"
    assert str(caught.value).startswith(f"{entry}(): argument 'x': expected ")
    assert digest(model) == before


@pytest.mark.parametrize("entry", ["fit", "evaluate"])
@pytest.mark.parametrize("case", BAD_LABELS)
def test_bad_labels(entry: str, case: str) -> None:
    make, text = BAD_LABELS[case]
    model = classifier()
    before = digest(model)
    with pytest.raises(ArgumentError, match=text) as caught:
        getattr(model, entry)(good_x(), make(), verbose=0)
    assert caught.value.argument == "y"
    assert digest(model) == before


@pytest.mark.parametrize("entry", ["fit", "evaluate", "predict"])
@pytest.mark.parametrize("case", BAD_ARGUMENTS)
def test_bad_arguments(entry: str, case: str) -> None:
    arguments, name = BAD_ARGUMENTS[case]
    model = classifier()
    before = digest(model)
    data = (good_x(),) if entry == "predict" else (good_x(), good_y())
    with pytest.raises(ArgumentError) as caught:
        getattr(model, entry)(*data, **({"verbose": 0} | arguments))
    assert caught.value.argument.startswith(name)
    assert digest(model) == before


@pytest.mark.parametrize("case", BAD_FIT_ARGUMENTS)
def test_bad_fit_arguments(case: str) -> None:
    arguments, name = BAD_FIT_ARGUMENTS[case]
    model = classifier()
    before = digest(model)
    with pytest.raises(ArgumentError) as caught:
        model.fit(good_x(), good_y(), verbose=0, **arguments)
    assert caught.value.argument == name
    assert digest(model) == before


@pytest.mark.parametrize("case", ["NaN", "infinity", "strings", "no rows", "ragged"])
def test_unbuilt_model_stays_unbuilt_for_bad_x(case: str) -> None:
    model = classifier(built=False)
    with pytest.raises(ArgumentError):
        model.fit(BAD_X[case][0](), good_y(), verbose=0)
    assert not model.built
    assert model.get_weights() == []
    assert not model.optimizer.built


@pytest.mark.parametrize("case", BAD_LABELS)
def test_unbuilt_model_stays_unbuilt_for_bad_labels(case: str) -> None:
    model = classifier(built=False)
    with pytest.raises(ArgumentError):
        model.fit(good_x(), BAD_LABELS[case][0](), verbose=0)
    assert not model.built
    assert model.get_weights() == []
    model.fit(good_x()[:, :2], good_y(), verbose=0)  # the next shape is as good as any
    assert model.get_weights()[0].shape == (2, 5)


def test_failed_first_call_changes_no_result() -> None:
    fg.utils.set_random_seed(5)
    first = classifier(built=False)
    with pytest.raises(ArgumentError):
        first.fit(good_x(), good_y() + 1, verbose=0)
    first.fit(good_x(), good_y(), epochs=2, verbose=0)
    fg.utils.set_random_seed(5)
    second = classifier(built=False)
    second.fit(good_x(), good_y(), epochs=2, verbose=0)
    assert digest(first) == digest(second)


@pytest.mark.parametrize(
    ("loss", "units", "target", "text"),
    [
        ("mse", 3, np.zeros(ROWS), "never broadcast"),
        ("mse", 3, np.zeros((ROWS, 1)), "never broadcast"),
        ("mse", 1, np.zeros((ROWS, 3)), "never broadcast"),
        ("mse", 3, np.zeros((ROWS, 3, 1)), "never broadcast"),
        ("mse", 1, with_value(np.zeros(ROWS), 4, np.nan), "NaN at row 4"),
        ("mse", 1, with_value(np.zeros(ROWS), 4, 1e300), "range of float32"),
        ("bce", 1, with_value(np.zeros(ROWS), 2, 1.01), r"\[0, 1\], got 1.01 at index \(2, 0\)"),
        ("bce", 1, with_value(np.zeros(ROWS), 2, -1.0), r"\[0, 1\], got -1.0"),
        ("bce", 1, np.arange(ROWS) % 3, r"\[0, 1\], got 2"),
        ("categorical_crossentropy", 3, good_y(), "SparseCategoricalCrossentropy"),
        ("categorical_crossentropy", 3, np.eye(4)[good_y()], "never broadcast"),
    ],
)
@pytest.mark.parametrize("entry", ["fit", "evaluate"])
def test_bad_targets(entry: str, loss: str, units: int, target: np.ndarray, text: str) -> None:
    last = {"bce": "sigmoid", "categorical_crossentropy": "softmax"}.get(loss, "linear")
    model = fg.Sequential([layers.Dense(units, activation=last)])
    model.compile("sgd", loss)
    with pytest.raises(ArgumentError, match=text) as caught:
        getattr(model, entry)(good_x(), target, verbose=0)
    assert caught.value.argument == "y"
    assert not model.built


@pytest.mark.parametrize("entry", ["fit", "evaluate"])
def test_compile_comes_first(entry: str) -> None:
    model = fg.Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=re.escape(f"{entry}(): the model is not compiled")):
        getattr(model, entry)(good_x(), good_y())
    model.compile("sgd")
    with pytest.raises(ValueError, match="there is no loss"):
        getattr(model, entry)(good_x(), good_y())


def test_no_layers() -> None:
    model = fg.Sequential()
    model.compile("sgd", "mse")
    for call in (lambda: model.fit(good_x(), good_y()), lambda: model.predict(good_x())):
        with pytest.raises(ValueError, match="has no layers"):
            call()


@pytest.mark.parametrize("name", ["SparseCategoricalCrossentropy", "CategoricalCrossentropy"])
def test_one_class(name: str) -> None:
    model = fg.Sequential([layers.Dense(1)])
    with pytest.raises(ArgumentError, match="BinaryCrossentropy"):
        model.compile("sgd", getattr(losses, name)(from_logits=True))
    assert model.compiled is None


def test_softmax_over_one_unit() -> None:
    model = fg.Sequential([layers.Dense(1, activation="softmax")])
    with pytest.raises(ArgumentError, match="sigmoid"):
        model.compile("sgd", "mse")


@pytest.mark.parametrize(
    ("call", "near"),
    [
        (lambda: layers.Dense(1, activation="rellu"), "relu"),
        (lambda: layers.Dense(1, kernel_initializer="glorot_unifrom"), "glorot_uniform"),
        (lambda: classifier().compile("adan", "mse"), "Adam"),
        (lambda: classifier().compile("sgd", "binary_crossentrpy"), "binary_crossentropy"),
        (lambda: classifier().compile("sgd", "mse", metrics=["acuracy"]), "accuracy"),
        (lambda: layers.deserialize({"class_name": "Dence", "config": {}}), "Dense"),
    ],
)
def test_unknown_names(call: Callable[[], Any], near: str) -> None:
    with pytest.raises(ArgumentError, match=f"did you mean '{near}'"):
        call()


@pytest.mark.parametrize(
    ("call", "argument", "text"),
    [
        (lambda: layers.Dense(1, "rellu"), "activation", "^Dense"),
        (lambda: layers.Dense(1, bias_initializer="ones?"), "bias_initializer", "^Dense"),
        (lambda: layers.Dense(1, use_bias="False"), "use_bias", "True or False"),
        (lambda: layers.Activation("rellu"), "activation", "^Activation"),
        (lambda: layers.Input((None, 4)), "shape", "without the batch axis"),
        (lambda: layers.Rescaling("1/255"), "scale", "finite number"),
        (lambda: fg.Sequential(layers.Dense(1)), "layers", r"Sequential\(\[...\]\)"),
        (lambda: fg.Sequential(layers.Dense(1), layers.Dense(2)), "layers", "a list of layers"),
        (lambda: fg.Sequential([layers.Dense]), "layer", r"write Dense\(...\)"),
        (lambda: classifier().compile(losses.MeanSquaredError()), "optimizer", "write loss="),
        (lambda: classifier().compile("mse"), "optimizer", r"^compile\(\)"),
        (lambda: classifier().compile(loss="mze"), "loss", r"^compile\(\)"),
        (lambda: classifier().compile(loss="mse", metrics=[5]), "metrics", r"^compile\(\)"),
        (lambda: classifier().compile(loss="mse", run_eagerly="no"), "run_eagerly", "True or"),
        (lambda: losses.BinaryCrossentropy("logits"), "from_logits", "True or False"),
        (lambda: losses.BinaryCrossentropy(label_smoothing="a"), "label_smoothing", "a number"),
        (lambda: fg.metrics.BinaryAccuracy(threshold="a"), "threshold", "a finite number"),
        (lambda: fg.optimizers.SGD(nesterov="yes"), "nesterov", "True or False"),
        (lambda: fg.optimizers.Adam(amsgrad=1), "amsgrad", "True or False"),
        (lambda: classifier().set_weights(None), "weights", "a list of 4 arrays"),
        (lambda: classifier().set_weights([[[1], [1, 2]], 0, 0, 0]), "weights[0]", "ragged"),
        (lambda: classifier().get_layer(1), "name", "write index=1"),
        (lambda: classifier().summary(line_length="a"), "line_length", "an integer"),
        (lambda: classifier()([["a"] * 4]), "x", "^Sequential 'sequential"),
        (lambda: classifier()(good_x()[0]), "x", r"write x.reshape\(\(1, 4\)\)"),
        (lambda: fg.Sequential([layers.Dense(1)]).build((None, "a")), "input_shape", "an integer"),
        (lambda: fg.utils.to_categorical([1], "3"), "num_classes", "an integer"),
        (lambda: fg.utils.to_categorical([-2]), "x", "-2 at index 0"),
    ],
)
def test_the_argument_that_was_written_is_named(
    call: Callable[[], Any], argument: str, text: str
) -> None:
    with pytest.raises(ArgumentError, match=text) as caught:
        call()
    assert caught.value.argument == argument


@pytest.mark.parametrize(
    ("module", "name", "near"),
    [
        ("losses", "SparseCategoricalCrossEntropy", "SparseCategoricalCrossentropy"),
        ("losses", "BinaryCrossEntropy", "BinaryCrossentropy"),
        ("metrics", "Acuracy", "Accuracy"),
        ("layers", "Densa", "Dense"),
        ("optimizers", "adam_", "Adam"),
        ("callbacks", "CallBack", "Callback"),
        ("models", "sequential_", "Sequential"),
        ("activations", "Relu", "relu"),
        ("initializers", "GlorotUnifrom", "GlorotUniform"),
    ],
)
def test_misspelt_attributes(module: str, name: str, near: str) -> None:
    with pytest.raises(AttributeError, match=f"'{name}'; did you mean '{near}'"):
        getattr(getattr(fg, module), name)
    with pytest.raises(AttributeError, match=r"no attribute 'Conv2D'$"):
        _ = getattr(fg, module).Conv2D


def test_failed_first_use_leaves_no_layer_built() -> None:
    class Fails(layers.Layer):
        def call(self, x: Any) -> Any:
            raise RuntimeError("mine")

    model = fg.Sequential([layers.Dense(3), Fails()])
    uses: list[Callable[[], Any]] = [
        lambda: model(good_x()),
        lambda: model.predict(good_x(), verbose=0),
        lambda: model.build((None, 4)),
    ]
    for use in uses:
        with pytest.raises(RuntimeError, match="mine"):
            use()
        assert not model.built
        assert model.weights == []
        assert not any(layer.built for layer in model.layers)
    model.pop()
    assert model(good_x()[:, :2]).shape == (ROWS, 3)  # any other shape still goes


def test_images_without_flatten() -> None:
    model = fg.Sequential([layers.Dense(CLASSES)])
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    with pytest.raises(ArgumentError, match=r"add layers\.Flatten\(\)"):
        model.fit(np.ones((ROWS, 8, 8)), good_y(), verbose=0)


def test_number_strings_as_inputs() -> None:
    with pytest.raises(ArgumentError, match="dtype=float"):
        classifier().predict(good_x().astype(str), verbose=0)


@pytest.mark.parametrize("y", [np.arange(ROWS), np.arange(ROWS) / 2], ids=["int", "float"])
def test_own_losses_do_not_broadcast(y: np.ndarray) -> None:
    def squares(y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred) ** 2  # no mean: one value per element, as Keras takes it too

    model = fg.Sequential([layers.Dense(1)])
    model.compile(fg.optimizers.SGD(0.0), squares)
    found = model.fit(good_x(), y, verbose=0).history["loss"]
    np.testing.assert_allclose(found, ((y - model.predict(good_x(), verbose=0)[:, 0]) ** 2).mean())
    model.compile("sgd", lambda y_true, y_pred: (fg.ops.reshape(y_true, (-1,)) - y_pred) ** 2)
    with pytest.raises(
        ArgumentError, match=r"one value per sample .* got values of shape \(2, 2\)"
    ):
        model.fit(good_x(), y, verbose=0)
    model.compile("sgd", lambda y_true, y_pred: None)
    with pytest.raises(ArgumentError, match="one number per sample, got None"):
        model.fit(good_x(), y, verbose=0)


def test_failed_compile_keeps_the_settings() -> None:
    model = classifier()
    before = model.compiled
    with pytest.raises(ArgumentError):
        model.compile("adam", "nothing like a loss")
    assert model.compiled is before


@pytest.mark.parametrize("rate", [float("nan"), float("inf"), -0.1, "fast", True, None])
def test_bad_learning_rates(rate: Any) -> None:
    for optimizer in (fg.optimizers.SGD, fg.optimizers.RMSprop, fg.optimizers.Adam):
        with pytest.raises(ArgumentError, match="learning_rate"):
            optimizer(rate)
        made = optimizer()
        before = float(made.learning_rate)
        with pytest.raises(ArgumentError, match="learning_rate"):
            made.learning_rate = rate
        assert float(made.learning_rate) == before


def test_calling_a_model_passes_nan_on() -> None:
    model = classifier()
    out = model(with_value(good_x(), (1, 0), np.nan)).numpy()
    assert np.isnan(out[1]).all()
    assert np.isfinite(np.delete(out, 1, axis=0)).all()


def test_calling_a_model_with_a_wrong_shape() -> None:
    with pytest.raises(ArgumentError, match=r"shape \(n, 4\)"):
        classifier()(good_x()[:, :3])


def test_impossible_sizes() -> None:
    model = fg.Sequential([layers.Dense(10**15)])
    model.compile("sgd", "mse")
    with pytest.raises(MemoryError):
        model.predict(good_x(), verbose=0)
    assert not model.built


class TestFrames:
    """pandas, where it is installed."""

    def test_bad_columns_are_named(self) -> None:
        pandas = pytest.importorskip("pandas")
        model = classifier()
        frame = pandas.DataFrame(good_x(), columns=list("abcd"))
        frame["c"] = ["x"] * ROWS
        with pytest.raises(ArgumentError, match="column 'c'"):
            model.fit(frame, good_y(), verbose=0)
        frame["c"] = [None] + [1.0] * (ROWS - 1)
        with pytest.raises(ArgumentError, match="missing value in column 'c' at row 0"):
            model.fit(frame, good_y(), verbose=0)
