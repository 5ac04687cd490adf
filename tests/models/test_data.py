"""Odd but good data: the same bits as the plain array."""

from __future__ import annotations

import array
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
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


def of_zero_stride(x: np.ndarray) -> np.ndarray:
    return np.broadcast_to(x, (1, *x.shape))[0]


LAYOUTS: dict[str, Callable[[np.ndarray], Any]] = {
    "fortran": np.asfortranarray,
    "reversed": lambda x: np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1],
    "slice": padded,
    "misaligned": misaligned,
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "read-only": read_only,
    "float64": lambda x: x.astype(np.float64),
    "longdouble": lambda x: x.astype(np.longdouble),
    "subclass": lambda x: np.asarray(x).view(np.recarray),
    "masked, none of it": np.ma.masked_invalid,
    "memoryview": memoryview,
    "broadcast": of_zero_stride,
    "list": lambda x: x.tolist(),
    "list of arrays": list,
    "tensor": fg.Tensor,
    "transposed": lambda x: np.ascontiguousarray(x.T).T,
}


def train(
    x: Any, y: Any, activation: str = "linear", loss: str = "mse", sample_weight: Any = None
) -> list[np.ndarray]:
    """Return the weights and what every entry point returns for these data."""
    fg.utils.set_random_seed(1)
    model = fg.Sequential([layers.Dense(7, activation="tanh"), layers.Dense(1, activation)])
    model.compile("adam", loss)
    more = {"sample_weight": sample_weight}
    fitted = model.fit(x, y, batch_size=16, epochs=2, validation_data=(x, y), verbose=0, **more)
    measured = [
        model.evaluate(x, y, verbose=0, **more),
        model.test_on_batch(x, y, **more),
        model.train_on_batch(x, y, **more),
        *fitted.history["loss"],
        *fitted.history["val_loss"],
    ]
    outputs = [model.predict(x, verbose=0), model.predict_on_batch(x)]
    return [*model.get_weights(), np.array(measured), *outputs]


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


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_weights(layout: str) -> None:
    x = plain()
    y = x[:, :1] * 2
    weights = x[:, 1:2] ** 2 + 1
    given = LAYOUTS[layout](weights.copy()) if layout != "slice" else weights
    assert same(train(x, y, sample_weight=given), train(x, y, sample_weight=weights))


DTYPES = [
    *("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "longdouble", "bool"),
]


@pytest.mark.parametrize("order", ["=", ">", "<"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_other_dtypes_of_x(dtype: str, order: str) -> None:
    x = (plain() > 0).astype(np.dtype(dtype).newbyteorder(order))
    y = np.ones(ROWS)
    assert same(train(x, y), train(x.astype(np.float32), y))
    assert same(train(x[::-1, ::-1], y), train(x[::-1, ::-1].astype(np.float32), y))


@pytest.mark.parametrize("dtype", DTYPES)
def test_other_dtypes_of_y(dtype: str) -> None:
    x = plain()
    y = (x[:, 0] > 0).astype(dtype)
    assert same(train(x, y), train(x, y.astype(np.float32)[:, np.newaxis]))


def test_images_as_lists_of_integers() -> None:
    x = np.random.default_rng(0).integers(0, 256, (ROWS, 6), dtype=np.uint8)
    y = np.ones(ROWS)
    assert same(train(x.tolist(), y), train(x, y))


def test_other_sequences_of_numbers(tmp_path: Path) -> None:
    x = plain()
    y = np.arange(ROWS) / 1.0
    expected = train(x, y)
    assert same(train(x, range(ROWS)), expected)
    assert same(train(x, array.array("d", y.tolist())), expected)
    mapped = np.memmap(tmp_path / "x", np.float32, "w+", shape=x.shape)
    mapped[...] = x
    assert same(train(mapped, y), expected)


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


FRAMES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "plain": lambda frame: frame,
    "mixed": lambda frame: frame.astype({"a": "float64"}),
    "nullable": lambda frame: frame.convert_dtypes(),
    "one nullable": lambda frame: frame.astype({"c": "Float64"}),
    "sparse": lambda frame: frame.astype(pd.SparseDtype("float32", 0.0)),
    "Fortran": lambda frame: pd.DataFrame(np.asfortranarray(frame), columns=frame.columns),
    "objects": lambda frame: frame.astype(object),
    "own index": lambda frame: frame.set_axis([f"row {i}" for i in range(ROWS)]),
    "columns of levels": lambda frame: frame.set_axis([list("aabbcc"), [1, 2] * 3], axis=1),
    "every second row": lambda frame: frame.loc[frame.index.repeat(2)].iloc[::2],
}


@pytest.mark.parametrize("kind", FRAMES)
def test_frames(kind: str) -> None:
    x = plain()
    y = x[:, 0] * 2
    frame = FRAMES[kind](pd.DataFrame(x, columns=list("abcdef")))
    column = pd.Series(y, index=frame.index)
    expected = train(x, y)
    assert same(train(frame, column), expected)
    assert same(train(frame, column.to_frame()), expected)
    assert same(train(frame, column.astype(object)), expected)
    assert same(train(frame, y, sample_weight=column * 0 + 1), train(x, y, sample_weight=y * 0 + 1))


@pytest.mark.parametrize("dtype", ["int8", "Int8", "UInt64", "Int64", "Float32", "boolean", "bool"])
def test_dtypes_of_columns(dtype: str) -> None:
    x = (plain() > 0).astype(np.float32)
    y = np.ones(ROWS)
    assert same(train(pd.DataFrame(x).astype(dtype), y), train(x, y))
    assert same(train(plain(), pd.Series(x[:, 0]).astype(dtype)), train(plain(), x[:, 0]))


@pytest.mark.peers
@pytest.mark.parametrize("dtype", ["float", "double", "int64", "uint8", "bool"])
def test_columns_of_pyarrow(dtype: str) -> None:
    pytest.importorskip("pyarrow")
    x = (plain() > 0).astype(np.float32)
    y = np.ones(ROWS)
    frame = pd.DataFrame(x).astype(f"{dtype}[pyarrow]")
    assert same(train(frame, y), train(x, y))
    assert same(train(frame, frame[0]), train(x, x[:, 0]))


def test_rows_in_another_order_with_names_of_their_own() -> None:
    x = pd.DataFrame(plain())
    y = pd.Series(np.arange(ROWS) / 4)
    expected = train(x.to_numpy(), y.to_numpy()[::-1])
    assert same(train(x, y.to_numpy()[::-1]), expected)
    assert same(train(x, y[::-1].reset_index(drop=True)), expected)
    assert same(train(x, y[::-1].set_axis(range(100, 100 + ROWS))), expected)  # other rows


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


@pytest.mark.parametrize(
    ("y", "text"),
    [
        (np.ones((16, 3)), "sum to 1: 3 at row 0 .*BinaryCrossentropy"),
        (np.vstack([np.eye(3)[:2], np.zeros((14, 3))]), "sum to 1: 0 at row 2 .*none per row"),
        (np.full((16, 3), 0.25), "sum to 1: 0.75 at row 0$"),
    ],
)
@pytest.mark.parametrize("entry", ["fit", "evaluate", "train_on_batch"])
def test_targets_that_are_no_distributions(entry: str, y: np.ndarray, text: str) -> None:
    """They are used as they are, as in Keras, after a warning."""
    x = np.random.default_rng(1).normal(size=(16, 4))
    model = fg.Sequential([layers.Dense(3, "softmax", dtype="float64")])
    model.compile("sgd", "categorical_crossentropy")
    model.build((None, 4))
    p = model(x).numpy()
    with pytest.warns(UserWarning, match=rf"^{entry}\(\): rows of 'y' do not {text}"):
        result = getattr(model, entry)(x, y)
    loss = result.history["loss"][0] if entry == "fit" else result
    if entry != "fit":  # there the weights have moved between the batches
        assert loss == pytest.approx(np.mean(-np.sum(y * np.log(p), axis=1)), rel=1e-12)
