"""A reader for folders with the four IDX files of MNIST and its relatives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad.data.idx import checked_path, read_idx
from fusegrad.errors import ArgumentError

Part = tuple[NDArray[np.uint8], NDArray[np.uint8]]


def read_idx_folder(where: str, path: Any, hint: str) -> tuple[Part, Part]:
    """Return ``(x_train, y_train), (x_test, y_test)`` as uint8, or raise what `where` documents.

    `hint` ends the message about a missing file: how to say where the files are.
    """
    folder = checked_path(where, path)
    return _read_part(where, folder, "train", hint), _read_part(where, folder, "t10k", hint)


def _read_part(where: str, folder: Path, part: str, hint: str) -> Part:
    image_file = _find(where, folder, f"{part}-images-idx3-ubyte", hint)
    label_file = _find(where, folder, f"{part}-labels-idx1-ubyte", hint)
    images = read_idx(image_file)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise _wrong(where, image_file, "uint8 images of shape (n, 28, 28)", images)
    labels = read_idx(label_file)
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise _wrong(where, label_file, f"uint8 labels of shape ({images.shape[0]},)", labels)
    if labels.size and labels.max() > 9:
        at = int(np.argmax(labels > 9))
        got = f"{labels[at]} at index {at} in '{label_file}'"
        raise ArgumentError(where, "path", "labels from 0 to 9", got)
    return images, labels


def _find(where: str, folder: Path, name: str, hint: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"{where}(): there is no '{name}' or '{name}.gz' in '{folder}'; {hint}")


def _wrong(where: str, file: Path, expected: str, array: NDArray[Any]) -> ArgumentError:
    got = f"{array.dtype} array of shape {array.shape} in '{file}'"
    return ArgumentError(where, "path", expected, got)
