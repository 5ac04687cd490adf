"""MNIST and Fashion-MNIST under Keras's names: from folders, never from the network."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import fusegrad as fg
from fusegrad import datasets
from fusegrad.datasets import fashion_mnist, mnist
from fusegrad.errors import ArgumentError


def idx(array: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


@pytest.fixture
def parts() -> list[np.ndarray[Any, np.dtype[np.uint8]]]:
    rng = np.random.default_rng(5)
    arrays = []
    for rows in (6, 3):
        arrays.append(rng.integers(0, 256, (rows, 28, 28), dtype=np.uint8))
        arrays.append(rng.integers(0, 10, rows, dtype=np.uint8))
    return arrays


@pytest.fixture
def folder(tmp_path: Path, parts: list[Any]) -> Path:
    names = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    for i, (name, array) in enumerate(zip(names, parts, strict=True)):
        if i % 2:
            (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (tmp_path / f"{name}-ubyte").write_bytes(idx(array))
    return tmp_path


def flat(result: Any) -> list[Any]:
    return [array for part in result for array in part]


def test_mnist_from_a_folder(folder: Path, parts: list[Any]) -> None:
    assert fg.datasets.mnist is mnist
    for path in (folder, str(folder)):
        for got, expected in zip(flat(mnist.load_data(path=path)), parts, strict=True):
            np.testing.assert_array_equal(got, expected, strict=True)
            assert got.flags.writeable


def test_fashion_mnist_under_both_names(
    folder: Path, parts: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FUSEGRAD_FASHION_MNIST", str(folder))
    results = [fashion_mnist.load_data(), fashion_mnist.load_data(folder)]
    for result in results:  # Keras's labels are uint8, where a difference of labels wraps around
        for got, expected in zip(flat(result), parts, strict=True):
            assert got.dtype == np.uint8
            np.testing.assert_array_equal(got, expected)
    (_, labels), _ = datasets.load_fashion_mnist()
    assert labels.dtype == np.int64
    np.testing.assert_array_equal(labels, results[0][0][1])


def test_mnist_is_not_downloaded(tmp_path: Path) -> None:
    for path in (None, tmp_path, tmp_path / "mnist.npz"):
        with pytest.raises(
            FileNotFoundError, match=r"mnist\.load_data\(\): .*downloaded"
        ) as caught:
            mnist.load_data(path)
        assert "datasets.read_idx(path)" in str(caught.value)
        assert "mnist.load_data(path=folder)" in str(caught.value)
        assert path is None or str(path) in str(caught.value)


@pytest.mark.parametrize("module", [mnist, fashion_mnist])
def test_errors_name_the_function(module: ModuleType, folder: Path) -> None:
    name = module.__name__.removeprefix("fusegrad.datasets.")
    (folder / "train-images-idx3-ubyte").write_bytes(idx(np.zeros((6, 28), np.uint8)))
    with pytest.raises(ArgumentError, match=rf"^{name}\.load_data\(\): argument 'path'"):
        module.load_data(folder)
    (folder / "train-images-idx3-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match=rf"^{name}\.load_data\(\): .*train-images"):
        module.load_data(folder)


@pytest.mark.parametrize(
    "name", ["boston_housing", "california_housing", "cifar10", "cifar100", "imdb", "reuters"]
)
def test_other_data_sets_of_keras(name: str) -> None:
    with pytest.raises(AttributeError, match=f"'{name}'; nothing is downloaded") as caught:
        getattr(datasets, name)
    assert "read_idx(path)" in str(caught.value)
    with pytest.raises(ImportError, match=f"'{name}' .*; nothing is downloaded"):
        exec(f"from fusegrad.datasets import {name}")
    assert not hasattr(datasets, name)


def test_names() -> None:
    for name in datasets.__all__:
        assert getattr(datasets, name) is not None
    with pytest.raises(AttributeError, match="did you mean 'load_digits'"):
        datasets.load_digit  # noqa: B018
