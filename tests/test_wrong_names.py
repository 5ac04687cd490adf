"""Names as people misremember them: every error says which one was meant."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import fusegrad as fg
from fusegrad import layers, losses, optimizers


def modules_in(home: ModuleType) -> dict[str, ModuleType]:
    """The public modules of a package, and those inside them."""
    found = {}
    for name in home.__all__:
        value = getattr(home, name)
        if isinstance(value, ModuleType) and value is not fg and hasattr(value, "__getattr__"):
            found[value.__name__.removeprefix("fusegrad.")] = value
            found |= modules_in(value)
    return found


MODULES = modules_in(fg)
CLASSES: dict[str, type] = {
    f"{module}.{name}": value
    for module, home in {"fusegrad": fg, **MODULES}.items()
    for name in home.__all__
    if isinstance(value := getattr(home, name), type)
    and not issubclass(value, Exception | fg.Tensor)
}


def doubled(name: str) -> str:
    """Return the name with its last letter written twice."""
    return name + name[-1]


def keywords_of(function: Callable[..., Any]) -> list[str]:
    """The arguments that a function takes by name; none where it takes any."""
    parameters = list(inspect.signature(function).parameters.values())
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return []
    return [p.name for p in parameters if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}]


def test_there_is_something_to_test() -> None:
    assert {"layers", "losses", "metrics", "optimizers", "ops", "utils"} <= MODULES.keys()
    without = {name for name in fg.__all__ if isinstance(getattr(fg, name), ModuleType)}
    assert without - MODULES.keys() <= {"keras", "errors"}
    assert {"layers.Dense", "fusegrad.Sequential", "callbacks.Callback"} <= CLASSES.keys()


@pytest.mark.parametrize("name", CLASSES)
def test_unknown_arguments_of_constructors(name: str) -> None:
    cls = CLASSES[name]
    parameters = inspect.signature(cls).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        assert cls in {fg.metrics.MeanMetricWrapper}, "takes any argument: list it here"
        return
    with pytest.raises(TypeError, match=rf"^{cls.__name__}\(\) has no argument 'xyzzy'; "):
        cls(xyzzy=1)
    for right in keywords_of(cls):
        wrong = doubled(right)
        with pytest.raises(TypeError) as caught:
            cls(**{wrong: 1})
        said = str(caught.value)
        assert said == f"{cls.__name__}() has no argument '{wrong}'; did you mean '{right}'?"


METHODS = [
    "compile", "fit", "evaluate", "predict", "train_on_batch", "test_on_batch",
    "predict_on_batch", "summary",
]  # fmt: skip


@pytest.mark.parametrize("name", METHODS)
def test_unknown_arguments_of_methods(name: str) -> None:
    method = getattr(fg.Sequential(), name)
    for right in keywords_of(method):
        with pytest.raises(TypeError, match=rf"^{name}\(\) has no .*; did you mean '{right}'"):
            method(**{doubled(right): 1})


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: fg.Sequential().fit(epoches=3), "fit() has no argument 'epoches'; did you mean"),
        (lambda: layers.Dense(unit=3), "Dense() has no argument 'unit'; did you mean 'units'?"),
        (lambda: layers.Flatten(data_format="x"), "Flatten() has no argument 'data_format'; it"),
        (lambda: layers.Flatten(8), "Flatten() takes 0 positional arguments, 1 given"),
        (lambda: fg.Input(8, 8), "Input() takes 1 positional arguments, 2 given"),
        (lambda: fg.Input(8, names="x"), "Input() has no argument 'names'; did you mean 'name'?"),
        (lambda: optimizers.Adam(lr=0.1), "Adam() has no argument 'lr'; did you mean 'learning_r"),
        (lambda: optimizers.get({"class_name": "SGD", "config": {"lr": 1}}), "SGD() has no argum"),
        (lambda: fg.Sequential().fit(learning_rate=1), "optimizers.Adam(learning_rate=...)"),
        (lambda: fg.Sequential().fit(metrics=["mse"]), "it is one of compile()"),
        (lambda: fg.Sequential().compile(epochs=3), "it is one of fit()"),
        (lambda: fg.Sequential().fit(steps_per_epoch=3), "an epoch is all rows of the data"),
        (lambda: fg.Sequential().fit(validation_steps=3), "all rows of the validation data"),
        (lambda: losses.huber([0.0], [0.0], delt=1), "huber() has no argument 'delt'; did you"),
        (lambda: fg.utils.to_categorical([1], classes=2), "did you mean 'num_classes'?"),
    ],
)
def test_unknown_arguments(call: Callable[[], Any], said: str) -> None:
    with pytest.raises(TypeError) as caught:
        call()
    assert said in str(caught.value)


def test_classes_of_your_own() -> None:
    class Mine(layers.Layer):
        def __init__(self, width: int, **others: Any) -> None:
            super().__init__(**others)

    class Other(layers.Dense):
        pass

    with pytest.raises(TypeError, match=r"^Mine\(\) has no argument 'nam'; did you mean 'name'"):
        Mine(3, nam="x")
    with pytest.raises(TypeError, match=r"^Other\(\) has no argument 'unit'; did you mean 'unit"):
        Other(unit=3)


@pytest.mark.parametrize("module", MODULES)
def test_misspelt_attributes(module: str) -> None:
    home = MODULES[module]
    for right in home.__all__:
        wrong = doubled(right)
        with pytest.raises(AttributeError, match=f"no attribute '{wrong}'; did you mean '"):
            getattr(home, wrong)
    with pytest.raises(AttributeError, match=r"no attribute 'Xyzzy'$"):
        _ = home.Xyzzy


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("losses.SparseCategoricalCrossEntropy", "SparseCategoricalCrossentropy"),
        ("losses.BinaryCrossEntropy", "BinaryCrossentropy"),
        ("metrics.Acuracy", "Accuracy"),
        ("layers.Densa", "Dense"),
        ("optimizers.adam_", "Adam"),
        ("callbacks.CallBack", "Callback"),
        ("models.sequential_", "Sequential"),
        ("activations.Relu", "relu"),
        ("initializers.GlorotUnifrom", "GlorotUniform"),
        ("ops.sofmax", "softmax"),
        ("utils.to_categorial", "to_categorical"),
        ("datasets.load_digit", "load_digits"),
        ("fusegrad.sequential", "Sequential"),
        ("fusegrad.layer", "Layer"),
        ("fusegrad.loses", "losses"),
        ("fusegrad.Dense", "fusegrad.layers.Dense"),
        ("fusegrad.Adam", "fusegrad.optimizers.Adam"),
        ("fusegrad.relu", "fusegrad.activations.relu"),
    ],
)
def test_imports(name: str, near: str) -> None:
    module, _, wrong = name.rpartition(".")
    home = fg if module == "fusegrad" else MODULES[module]
    with pytest.raises(AttributeError, match=f"'{wrong}'; did you mean '{near}'"):
        getattr(home, wrong)
    with pytest.raises(ImportError, match=f"cannot import name '{wrong}' .* mean '{near}'"):
        exec(f"from {home.__name__} import {wrong}")


def test_attributes_of_models() -> None:
    model = fg.Sequential([layers.Dense(1)])
    with pytest.raises(AttributeError, match="no attribute 'wieghts'; did you mean 'weights'"):
        _ = model.wieghts
    with pytest.raises(AttributeError, match="no attribute 'get_wieghts'; did you mean 'get_weig"):
        model.get_wieghts()
    with pytest.raises(AttributeError, match=r"no attribute 'epochs'$"):
        _ = model.epochs
    with pytest.raises(AttributeError, match="is not built"):  # what the property itself says
        _ = model.output_shape
    assert not hasattr(model, "output_shape")
    with pytest.raises(AttributeError, match="write learning_rate"):
        _ = optimizers.Adam().lr
