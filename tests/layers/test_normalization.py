"""Normalization: moments of data against NumPy in float64, given moments, data that cannot be."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers, ops
from fusegrad.errors import ArgumentError

LIMITS = {"float32": 1e-6, "float64": 1e-14}


def data(shape: tuple[int, ...] = (50, 4), kind: str = "float64") -> np.ndarray:
    rng = np.random.default_rng(3)
    if kind == "uint8":
        return rng.integers(0, 256, shape, dtype=np.uint8)
    return rng.normal(5.0, 3.0, shape).astype(kind)


def weights(layer: layers.Layer) -> list[bytes]:
    return [array.tobytes() for array in layer.get_weights()]


# ---- adapt


@pytest.mark.parametrize("dtype", LIMITS)
@pytest.mark.parametrize("kind", ["float64", "float32", "uint8", "int64"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [
        ((50, 4), -1),
        ((50, 4), 1),
        ((50, 4), None),
        ((20, 3, 4), -1),
        ((20, 3, 4), (1, 2)),
        ((20, 3, 4), (-1, -2)),
        ((20, 3, 4), 1),
        ((20, 3, 4), ()),
    ],
)
def test_adapt(shape: tuple[int, ...], axis: Any, kind: str, dtype: str) -> None:
    x = data(shape, kind)
    layer = layers.Normalization(axis, dtype=dtype)
    layer.adapt(x)
    kept = axis if isinstance(axis, tuple) else () if axis is None else (axis,)
    kept = tuple(i % x.ndim for i in kept)
    others = tuple(i for i in range(x.ndim) if i not in kept)
    wide = x.astype(np.float64)
    mean, variance = wide.mean(axis=others), wide.var(axis=others)
    for found, expected in zip(layer.get_weights(), (mean, variance), strict=False):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, expected, rtol=LIMITS[dtype])
    spread = [size if i in kept else 1 for i, size in enumerate(shape)]
    expected = (wide - mean.reshape(spread)) / np.sqrt(variance).reshape(spread)
    out = layer(x)
    assert out.dtype == dtype
    np.testing.assert_allclose(
        out.numpy(), expected, rtol=4 * LIMITS[dtype], atol=4 * LIMITS[dtype]
    )
    back = layers.Normalization(axis, invert=True, dtype=dtype)
    back.adapt(x)
    np.testing.assert_allclose(
        back(out).numpy(), wide, rtol=4 * LIMITS[dtype], atol=1e3 * LIMITS[dtype]
    )


def test_weights_are_those_of_keras() -> None:
    layer = layers.Normalization(name="norm")
    layer.adapt(data())
    assert [weight.path for weight in layer.weights] == ["norm/mean", "norm/variance", "norm/count"]
    assert [array.dtype.name for array in layer.get_weights()] == ["float32", "float32", "int32"]
    assert layer.get_weights()[2] == 0
    assert layer.count_params() == 9
    assert layer.trainable_weights == []
    assert layer.mean is not None
    assert layer.variance is not None
    assert layer.mean.shape == layer.variance.shape == (1, 4)
    given = layers.Normalization(mean=1.0, variance=4.0)
    assert given.mean is None
    given(data())
    assert given.weights == []
    assert given.mean is not None
    assert given.mean.tolist() == [[1.0] * 4]


def test_float64_data_are_not_rounded_before_the_sums() -> None:
    x = 1e9 + np.arange(8.0)[:, np.newaxis]  # in float32 all the same
    layer = layers.Normalization()
    layer.adapt(x)
    assert layer.get_weights()[1] == np.float32(x.var())


@pytest.mark.parametrize(
    "form",
    [
        lambda x: x.tolist(),
        np.asfortranarray,
        lambda x: x.astype(">f8"),
        lambda x: np.repeat(x, 2, axis=0)[::2],
        fg.Tensor,
    ],
    ids=["list", "fortran", "big-endian", "strided", "tensor"],
)
def test_forms_of_data(form: Any) -> None:
    expected, layer = layers.Normalization(), layers.Normalization()
    expected.adapt(data())
    layer.adapt(form(data()))
    assert weights(layer) == weights(expected)


def test_frames() -> None:
    pandas = pytest.importorskip("pandas")
    layer, expected = layers.Normalization(), layers.Normalization()
    frame = pandas.DataFrame(data(), columns=list("abcd"))
    layer.adapt(frame)
    expected.adapt(data())
    assert weights(layer) == weights(expected)
    frame.iloc[3, 2] = np.nan
    with pytest.raises(ArgumentError, match=r"'c' at row 3"):
        layer.adapt(frame)


@pytest.mark.parametrize("axis", [-1, None])
def test_one_feature(axis: int | None) -> None:
    x = np.array([1.0, 2.0, 3.0])
    layer = layers.Normalization(axis)
    layer.adapt(x)
    expected = (x - 2.0) / np.sqrt(2 / 3)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-6)
    np.testing.assert_allclose(layer(x[:, np.newaxis]).numpy()[:, 0], expected, rtol=1e-6)
    if axis is None:
        assert layer(2.0).item() == 0.0


def test_a_constant_feature_becomes_zero() -> None:
    x = np.column_stack([np.full(9, 0.1), np.arange(9.0)])
    layer = layers.Normalization()
    layer.adapt(x.astype(np.float32))
    assert not layer(x).numpy()[:, 0].any()


def test_adapt_again_and_before_or_after_build() -> None:
    first, second = data(), data() * 2 + 1
    before, after = layers.Normalization(), layers.Normalization()
    before.adapt(first)
    before.adapt(second)
    after.build((None, 4))
    after.adapt(second)
    assert weights(before) == weights(after)


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    ("bad", "match"),
    [
        (None, "an array of numbers"),
        ("abc", "an array of numbers"),
        ([["a"]], "array of real numbers"),
        ([[1.0], [2.0, 3.0]], "rectangular"),
        (np.empty((0, 4)), "at least one row"),
        (np.empty((3, 0)), "at least one feature"),
        (np.array([[1.0, 2.0, np.nan, 4.0]]), "NaN at row 0, column 2"),
        (np.array([[1.0, 2.0, np.inf, 4.0]]), "inf at row 0"),
        (np.array([[1e39, 2.0, 3.0, 4.0]]), "range of float32"),
        (np.array([[1e30, 0.0, 0.0, 0.0], [-1e30, 0.0, 0.0, 0.0]]), "variance within the range"),
        (np.ones((2, 4), complex), "real numbers"),
        (iter([np.ones((2, 4))]), "an array of numbers"),
    ],
)
def test_bad_data(bad: Any, match: str, built: bool) -> None:
    layer = layers.Normalization()
    if built:
        layer.adapt(data())
    before = dict(layer.__dict__), weights(layer)
    with pytest.raises(ArgumentError, match=rf"Normalization.adapt.*data.*{match}"):
        layer.adapt(bad)
    assert (layer.__dict__, weights(layer)) == before
    assert layer.built == built


@pytest.mark.parametrize("shape", [(5, 3), (5,), (5, 2, 4)])
def test_data_of_another_shape(shape: tuple[int, ...]) -> None:
    layer = layers.Normalization(name="norm")
    layer.adapt(data())
    before = weights(layer)
    with pytest.raises(ArgumentError, match=r"shape \(None, 4\), which 'norm' was built for"):
        layer.adapt(np.ones(shape))
    assert weights(layer) == before
    with pytest.raises(ArgumentError, match=r"'norm'.*shape \(n, 4\)"):
        layer(np.ones(shape))


@pytest.mark.parametrize(
    ("axis", "match"), [(2, "axis 2"), (0, "known sizes"), ((1, -1), "known sizes")]
)
def test_axes_that_data_do_not_have(axis: Any, match: str) -> None:
    layer = layers.Normalization(axis)
    with pytest.raises(ArgumentError, match=match):
        layer.adapt(data())
    assert not layer.built
    assert layer.weights == []


def test_adapt_where_moments_were_given() -> None:
    layer = layers.Normalization(mean=0.0, variance=1.0, name="norm")
    with pytest.raises(ArgumentError, match="not given mean and variance, got 'norm'"):
        layer.adapt(data())


# ---- given moments


@pytest.mark.parametrize(
    ("axis", "mean", "variance"),
    [
        (-1, 3.0, 4.0),
        (None, 3, 4),
        (-1, [1.0, 2.0, 3.0, 4.0], [1.0, 4.0, 9.0, 0.25]),
        ((1, 2), np.arange(12.0).reshape(3, 4), np.arange(1.0, 13.0).reshape(3, 4)),
        ((1, 2), np.arange(4.0), np.arange(1.0, 5.0)),
        ((1, 2), [[1.0], [2.0], [3.0]], [[1.0], [2.0], [3.0]]),
        (1, [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]),
    ],
)
def test_given_moments(axis: Any, mean: Any, variance: Any) -> None:
    x = data((6, 3, 4))
    layer = layers.Normalization(axis, mean, variance, dtype="float64")
    m, v = np.asarray(mean, np.float64), np.asarray(variance, np.float64)
    if axis == 1:
        m, v = m[:, np.newaxis], v[:, np.newaxis]
    np.testing.assert_allclose(layer(x).numpy(), (x - m) / np.sqrt(v), rtol=1e-14)
    same = layers.deserialize(layers.serialize(layer))
    assert np.array_equal(same(x).numpy(), layer(x).numpy())


def test_no_deviation_is_divided_by_as_by_keras() -> None:
    layer = layers.Normalization(mean=1.0, variance=0.0, dtype="float64")
    np.testing.assert_allclose(layer([[1.0, 1.5]]).numpy(), [[0.0, 0.5e7]], rtol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"mean": 1.0}, "variance.*both or none"),
        ({"variance": 1.0}, "mean.*both or none"),
        ({"mean": [1.0], "variance": 1.0}, r"variance.*the shape of 'mean', \(1,\)"),
        ({"mean": [[1.0]], "variance": [[1.0]]}, r"mean.*each of 1 axes.*\(1, 1\)"),
        ({"axis": None, "mean": [1.0], "variance": [1.0]}, r"mean.*each of 0 axes"),
        ({"mean": 1.0, "variance": -1.0}, "variance.*>= 0"),
        ({"mean": "a", "variance": 1.0}, "mean.*finite numbers"),
        ({"mean": 1.0, "variance": float("nan")}, "variance.*finite numbers"),
        ({"mean": True, "variance": 1.0}, "mean.*finite numbers"),
        ({"mean": [1.0, [2.0]], "variance": 1.0}, "mean.*ragged"),
        ({"mean": [], "variance": []}, "mean"),
        ({"axis": 1.5}, "axis.*an integer"),
        ({"axis": "all"}, "axis.*an integer"),
        ({"axis": (1, None)}, "axis.*an integer"),
        ({"invert": "yes"}, "invert.*True or False"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(ArgumentError, match=rf"Normalization.*{match}"):
        layers.Normalization(**arguments)


@pytest.mark.parametrize(
    ("mean", "match"),
    [([1.0, 2.0], r"mean.*broadcasts to \(4,\).*\(2,\)"), (1e39, r"mean.*range of float32")],
)
def test_given_moments_that_do_not_fit(mean: Any, match: str) -> None:
    layer = layers.Normalization(mean=mean, variance=mean)
    with pytest.raises(ArgumentError, match=match):
        layer.build((None, 4))
    assert not layer.built


def test_misspelled_argument() -> None:
    with pytest.raises(TypeError, match="did you mean 'variance'"):
        layers.Normalization(mean=1.0, varience=1.0)  # type: ignore[call-arg]


# ---- in a model


def model(first: layers.Layer, **settings: Any) -> fg.Sequential:
    fg.utils.set_random_seed(1)
    result = fg.Sequential([first, layers.Dense(3), layers.Softmax()])
    result.compile("adam", "sparse_categorical_crossentropy", **settings)
    return result


@pytest.mark.parametrize("kind", ["uint8", "float64"])
def test_first_layer_of_a_model(kind: str) -> None:
    x, y = data(kind=kind), np.arange(50) % 3
    layer = layers.Normalization()
    layer.adapt(x)
    before = weights(layer)
    results = []
    for eager in (False, True):
        trained = model(copy.deepcopy(layer), run_eagerly=eager)
        trained.fit(x, y, epochs=2, verbose=0)
        results.append((weights(trained), trained.predict(x, verbose=0).tobytes()))
    assert results[0] == results[1]
    assert weights(trained.layers[0]) == before
    assert weights(pickle.loads(pickle.dumps(trained))) == weights(trained)
    outside = model(layers.Rescaling(1.0))
    outside.fit(layer(x).numpy(), y, epochs=2, verbose=0)
    assert weights(outside) == weights(trained)[3:]


def test_adapting_again_takes_effect_in_a_compiled_model() -> None:
    layer = layers.Normalization()
    layer.adapt(data())
    whole = fg.Sequential([fg.Input((4,)), layer])
    first = whole.predict(data(), verbose=0)
    layer.adapt(data() * 2)
    np.testing.assert_allclose(whole.predict(data() * 2, verbose=0), first, rtol=1e-5, atol=1e-5)
    layer.invert = True
    np.testing.assert_allclose(whole.predict(first, verbose=0), data() * 2, rtol=1e-5, atol=1e-5)


def test_configuration_and_weights_make_the_same_layer() -> None:
    layer = layers.Normalization((1, 2))
    layer.adapt(data((9, 3, 4)))
    whole = fg.Sequential([fg.Input((3, 4)), layer])
    same = fg.Sequential.from_config(whole.get_config())
    same.set_weights(whole.get_weights())
    x = data((9, 3, 4))
    assert np.array_equal(same.predict(x, verbose=0), whole.predict(x, verbose=0))  # no warning


def test_without_data_it_warns_once() -> None:
    layer = layers.Normalization(name="norm")
    unadapted = model(layer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        unadapted.fit(data(), np.arange(50) % 3, epochs=2, verbose=0)
        unadapted.predict(data(), verbose=0)
    assert [str(entry.message)[:34] for entry in caught] == ["layer 'norm' has seen no data and "]
    assert caught[0].filename == __file__
    assert np.array_equal(layer(data()).numpy(), data().astype(np.float32))
    layer.adapt(data())
    assert not np.array_equal(layer(data()).numpy(), data().astype(np.float32))


def test_gradient() -> None:
    layer = layers.Normalization(mean=[1.0, 2.0], variance=[4.0, 0.25])
    found = fg.grad(lambda x: ops.sum(layer(x)))(np.ones((3, 2))).numpy()
    assert np.array_equal(found, np.tile([0.5, 2.0], (3, 1)))
    assert layer.compute_output_shape((None, 2)) == (None, 2)
