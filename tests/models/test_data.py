"""Odd but good data: the same bits as the plain array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import layers

ROWS = 50


def plain() -> np.ndarray:
    return np.random.default_rng(3).normal(size=(ROWS, 6)).astype(np.float32)


def misaligned(x: np.ndarray) -> np.ndarray:
    raw = np.zeros(x.nbytes + 1, np.uint8)
    view = raw[1:].view(x.dtype).reshape(x.shape)
    view[...] = x
    return view


def read_only(x: np.ndarray) -> np.ndarray:
    x.setflags(write=False)
    return x


def padded(x: np.ndarray) -> np.ndarray:
    wide = np.zeros((2 * len(x), 9), x.dtype)
    wide[::2, 2:8] = x
    return wide[::2, 2:8]


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "fortran": np.asfortranarray,
    "reversed": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "slice": padded,
    "misaligned": misaligned,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "read-only": read_only,
    "float64": lambda x: x.astype(np.float64),
    "list": lambda x: x.tolist(),
    "list of arrays": list,
    "tensor": fg.Tensor,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
}


def train(x: Any, y: Any, activation: str = "linear", loss: str = "mse") -> list[np.ndarray]:
    fg.utils.set_random_seed(1)
    model = fg.Sequential([layers.Dense(7, activation="tanh"), layers.Dense(1, activation)])
    model.compile("adam", loss)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0)
    return [*model.get_weights(), model.predict(x, verbose=0)]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return all(left.tobytes() == right.tobytes() for left, right in zip(a, b, strict=True))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_x(layout: str) -> None:
    x = plain()
    y = x[:, :1] * 2
    assert same(train(LAYOUTS[layout](x.copy()), y), train(x, y))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_y(layout: str) -> None:
    x = plain()
    y = x[:, :1] * 2
    assert same(train(x, LAYOUTS[layout](y.copy()) if layout != "slice" else y), train(x, y))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint16", "float16", "bool"])
def test_other_dtypes_of_x(dtype: str) -> None:
    x = (plain() > 0).astype(dtype)
    y = np.ones(ROWS)
    assert same(train(x, y), train(x.astype(np.float32), y))


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64", "float32", "float64", "bool"])
def test_dtypes_of_binary_targets(dtype: str) -> None:
    x = plain()
    y = x[:, 0] > 0
    expected = train(x, y.astype(np.float32)[:, None], "sigmoid", "bce")
    assert same(train(x, y.astype(dtype), "sigmoid", "bce"), expected)


def test_one_axis_is_one_feature() -> None:
    x = np.linspace(-1, 1, 40)
    assert same(train(x, 2 * x), train(x[:, None], 2 * x[:, None]))


def test_broadcast_array() -> None:
    x = np.broadcast_to(np.float32(0.5), (ROWS, 6))
    assert same(train(x, np.ones(ROWS)), train(np.array(x), np.ones(ROWS)))


def test_frame() -> None:
    pandas = pytest.importorskip("pandas")
    x = plain()
    y = x[:, 0] * 2
    frame = pandas.DataFrame(x, columns=list("abcdef"))
    assert same(train(frame, pandas.Series(y)), train(x, y))
    mixed = frame.astype({"a": "float64"})
    assert same(train(mixed, y), train(x, y))


def test_input_is_not_written() -> None:
    x, y = plain(), np.ones(ROWS)
    copies = x.copy(), y.copy()
    train(x, y)
    assert np.array_equal(x, copies[0])
    assert np.array_equal(y, copies[1])


@pytest.mark.parametrize("eager", [False, True])
def test_bytes_are_scaled_while_they_are_gathered(eager: bool) -> None:
    rng = np.random.default_rng(0)
    raw = rng.integers(0, 256, (ROWS, 5, 2), dtype=np.uint8)
    y = rng.integers(0, 3, ROWS)

    def run(x: np.ndarray) -> list[np.ndarray]:
        fg.utils.set_random_seed(2)
        model = fg.Sequential(
            [layers.Rescaling(1 / 255, -0.5), layers.Flatten(), layers.Dense(3, "softmax")]
        )
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=eager)
        model.fit(x, y, batch_size=16, epochs=2, verbose=0)
        return [*model.get_weights(), model.predict(x, verbose=0), model(x).numpy()]

    assert same(run(raw), run(raw.astype(np.float32)))


@pytest.mark.parametrize("name", ["int8", "uint8", "int64", "uint64", "float32", "float64", "bool"])
def test_label_dtypes(name: str) -> None:
    x = plain()
    y = (x[:, 0] > 0).astype(np.int64)

    def run(labels: Any) -> list[np.ndarray]:
        fg.utils.set_random_seed(2)
        model = fg.Sequential([layers.Dense(3, "softmax")])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, labels, verbose=0)
        return model.get_weights()

    assert same(run(y.astype(name)), run(y))
    assert same(run(y[:, None].astype(name)), run(y))
    assert same(run(y.tolist()), run(y))
