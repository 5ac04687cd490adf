"""The bundled digits against scikit-learn's copy, the rule of their split, and Fashion-MNIST."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits as sklearn_digits

from fusegrad import datasets
from fusegrad.errors import ArgumentError

FASHION_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def test_shapes_and_types() -> None:
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    for x, y in ((x_train, y_train), (x_test, y_test)):
        assert x.dtype == np.uint8
        assert x.shape == (len(y), 8, 8)
        assert x.flags.c_contiguous
        assert x.flags.writeable
        assert (int(x.min()), int(x.max())) == (0, 16)
        assert y.dtype == np.int64
        assert y.shape == (len(x),)
        assert set(y.tolist()) == set(range(10))
    assert (len(x_train), len(x_test)) == (1438, 359)


def test_same_numbers_as_scikit_learn() -> None:
    source = sklearn_digits()
    (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    test = np.zeros(len(source.target), dtype=bool)
    seen = [0] * 10
    for row, label in enumerate(source.target):  # the documented rule, spelled out
        test[row] = seen[label] % 5 == 2
        seen[label] += 1
    np.testing.assert_array_equal(x_train, source.images[~test])
    np.testing.assert_array_equal(y_train, source.target[~test])
    np.testing.assert_array_equal(x_test, source.images[test])
    np.testing.assert_array_equal(y_test, source.target[test])


def test_split_is_stratified() -> None:
    (_, y_train), (_, y_test) = datasets.load_digits()
    train, test = np.bincount(y_train), np.bincount(y_test)
    assert np.all(np.abs(test - (train + test) / 5) < 1)


def test_each_call_returns_fresh_arrays() -> None:
    (x_first, _), _ = datasets.load_digits()
    x_first[:] = 0
    (x_second, _), _ = datasets.load_digits()
    assert x_second.max() == 16


def test_licence_is_beside_the_data() -> None:
    text = Path(datasets.__file__).parent.joinpath("files", "LICENSE-digits.txt").read_text()
    assert "10.24432/C50P49" in text
    assert "CC BY 4.0" in text
    assert "Alpaydin" in text


def write_fashion(folder: Path, *, images: tuple[int, ...], labels: NDArray[np.uint8]) -> None:
    for name in FASHION_FILES:
        if "images" in name:
            raw = struct.pack(f">BBBB{len(images)}I", 0, 0, 8, len(images), *images)
            raw += bytes(int(np.prod(images)))
        else:
            raw = struct.pack(">BBBBI", 0, 0, 8, 1, len(labels)) + labels.tobytes()
        if name.startswith("train"):
            (folder / name).write_bytes(raw)
        else:
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))


def test_fashion_mnist_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = np.array([0, 9, 3], dtype=np.uint8)
    write_fashion(tmp_path, images=(3, 28, 28), labels=labels)
    monkeypatch.setenv("FUSEGRAD_FASHION_MNIST", str(tmp_path))
    for parts in (datasets.load_fashion_mnist(), datasets.load_fashion_mnist(tmp_path)):
        for x, y in parts:
            assert x.dtype == np.uint8
            assert x.shape == (3, 28, 28)
            np.testing.assert_array_equal(y, labels.astype(np.int64), strict=True)


def test_fashion_mnist_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FUSEGRAD_FASHION_MNIST", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="FUSEGRAD_FASHION_MNIST") as caught:
        datasets.load_fashion_mnist()
    assert "dataset-fashion-mnist" in str(caught.value)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ((3, 28, 27), [0, 1, 2]),
        ((3, 784), [0, 1, 2]),
        ((3, 28, 28), [0, 1]),
        ((3, 28, 28), [0, 10, 2]),
    ],
)
def test_fashion_mnist_wrong_content(
    tmp_path: Path, images: tuple[int, ...], labels: list[int]
) -> None:
    write_fashion(tmp_path, images=images, labels=np.array(labels, dtype=np.uint8))
    with pytest.raises(ArgumentError, match=str(tmp_path)):
        datasets.load_fashion_mnist(tmp_path)


def test_fashion_mnist_published_files() -> None:
    try:
        (x_train, y_train), (x_test, y_test) = datasets.load_fashion_mnist()
    except FileNotFoundError as error:
        pytest.skip(str(error))
    assert (x_train.shape, x_test.shape) == ((60_000, 28, 28), (10_000, 28, 28))
    assert np.bincount(y_train).tolist() == [6_000] * 10
    assert np.bincount(y_test).tolist() == [1_000] * 10
    assert (int(x_train.max()), int(x_test.max())) == (255, 255)
