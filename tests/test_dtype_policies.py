"""Dtype policies: names as in Keras, what layers make of them, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import config, dtype_policies, keras, layers, mixed_precision
from fusegrad.dtype_policies import DTypePolicy
from fusegrad.errors import ArgumentError

ONES = np.ones((2, 3), np.float32)
ROUGH = np.float32(1.0 + 2.0**-10)  # 1 in bfloat16


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    yield
    config.set_dtype_policy(None)
    config.set_floatx("float32")


@pytest.mark.parametrize(
    ("name", "compute", "variable"),
    [
        ("float32", "float32", "float32"),
        ("float64", "float64", "float64"),
        ("mixed_bfloat16", "bfloat16", "float32"),
    ],
)
def test_policies(name: str, compute: str, variable: str) -> None:
    policy = DTypePolicy(name)
    assert (policy.name, policy.compute_dtype, policy.variable_dtype) == (name, compute, variable)
    assert repr(policy) == f'<DTypePolicy "{name}">'
    assert policy == DTypePolicy.from_config(policy.get_config())
    assert policy == dtype_policies.get(name) == dtype_policies.get(policy)
    assert policy == dtype_policies.deserialize(dtype_policies.serialize(policy))
    assert policy == dtype_policies.get(dtype_policies.serialize(policy))
    for given in (name, policy, dtype_policies.serialize(policy)):
        layer = layers.Dense(2, dtype=given)
        assert layer.dtype_policy == policy
        assert (layer.compute_dtype, layer.variable_dtype) == (compute, variable)
        assert layer.dtype == variable
        layer(ONES)
        assert {weight.dtype.name for weight in layer.weights} == {variable}
        copy = layers.Dense.from_config(layer.get_config())
        assert copy.dtype_policy == policy


def test_dtypes_are_policies() -> None:
    assert dtype_policies.get(np.float64) == DTypePolicy("float64")
    assert dtype_policies.get(np.dtype("f4")) == DTypePolicy("float32")
    assert DTypePolicy("float32") != DTypePolicy("float64")
    assert len({DTypePolicy("float32"), DTypePolicy("float32")}) == 1


def test_names_of_keras() -> None:
    assert keras.DTypePolicy is keras.dtype_policies.DTypePolicy is DTypePolicy
    assert keras.dtype_policies.FloatDTypePolicy is DTypePolicy
    assert mixed_precision.Policy is mixed_precision.DTypePolicy is DTypePolicy
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    assert keras.config.dtype_policy() == keras.mixed_precision.global_policy()
    keras.mixed_precision.set_dtype_policy("float32")
    assert keras.mixed_precision.dtype_policy().name == "float32"
    with pytest.raises(AttributeError, match="no loss scaling"):
        mixed_precision.LossScaleOptimizer  # noqa: B018


def test_the_global_policy() -> None:
    assert config.dtype_policy() == DTypePolicy("float32")
    config.set_floatx("float64")
    assert config.dtype_policy() == DTypePolicy() == DTypePolicy("float64")
    assert layers.Dense(1).dtype == "float64"
    before = layers.Dense(1)
    config.set_dtype_policy(DTypePolicy("mixed_bfloat16"))
    assert config.floatx() == "float64"
    assert layers.Dense(1).dtype_policy == DTypePolicy("mixed_bfloat16")
    assert before.dtype_policy == DTypePolicy("float64")
    assert layers.Dense(1, dtype="float32").compute_dtype == "float32"
    model = fg.Sequential([layers.Dense(4, activation="relu"), layers.Dense(2)])
    assert {model.dtype_policy.name, model.layers[0].dtype_policy.name} == {"mixed_bfloat16"}


def test_a_layer_multiplies_in_its_compute_dtype() -> None:
    x = np.array([[ROUGH]], np.float32)
    for name, expected in (("float32", ROUGH), ("mixed_bfloat16", np.float32(1.0))):
        for activation in (None, lambda z: z * 1.0):
            layer = layers.Dense(1, activation, kernel_initializer="ones", dtype=name)
            assert layer(x).numpy().item() == expected
        head = layers.Dense(1, "sigmoid", kernel_initializer="ones", dtype=name)
        head.build((None, 1))
        assert head.pre_activation(x).numpy().item() == expected


def test_a_bias_is_not_rounded() -> None:
    layer = layers.Dense(1, bias_initializer=np.array([ROUGH]), dtype="mixed_bfloat16")
    assert layer([[0.0]]).numpy().item() == ROUGH


def test_setting_a_policy_takes_effect_in_compiled_models() -> None:
    x = np.full((4, 1), ROUGH)
    model = fg.Sequential([layers.Dense(1, kernel_initializer="ones")])
    assert (model.predict(x, verbose=0) == ROUGH).all()
    model.layers[0].dtype_policy = "mixed_bfloat16"
    assert (model.predict(x, verbose=0) == 1.0).all()
    assert "bfloat16" in str(model.layers[0].dtype_policy)
    with pytest.raises(ArgumentError, match=r"'dtype_policy'.*float32 weights"):
        model.layers[0].dtype_policy = "float64"
    unbuilt = layers.Dense(1)
    unbuilt.dtype_policy = "float64"
    assert unbuilt([[1.0]]).dtype == np.float64


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("mixed_float16", "'mixed_bfloat16', which needs no loss scaling"),
        ("bfloat16", "write 'mixed_bfloat16'"),
        ("float16", "write 'mixed_bfloat16'"),
        ("int32", "'float32', 'float64' or 'mixed_bfloat16'"),
        ("mixed_bfloat", "'mixed_bfloat16'"),
        (3, "'float32'"),
    ],
)
def test_refused(given: Any, hint: str) -> None:
    for where, argument, call in (
        ("DTypePolicy", "name", DTypePolicy),
        ("dtype_policies.get", "identifier", dtype_policies.get),
        ("Dense", "dtype", lambda value: layers.Dense(1, dtype=value)),
        ("set_dtype_policy", "policy", config.set_dtype_policy),
    ):
        with pytest.raises(ArgumentError, match=f"{where}.*'{argument}'") as caught:
            call(given)
        if not (where == "set_dtype_policy" and given == 3):
            assert hint in str(caught.value)
    assert config.dtype_policy() == DTypePolicy("float32")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"class_name": "Dense", "config": {}},
        {"class_name": "DTypePolicy", "config": {"name": "float32", "x": 1}},
        {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}},
    ],
)
def test_dicts_that_are_no_policies(given: Any) -> None:
    with pytest.raises(ArgumentError, match=r"dtype_policies\.deserialize"):
        dtype_policies.get(given)
