"""A reader for the four Fashion-MNIST files, which are not bundled."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fusegrad.data.idx import checked_path, read_idx
from fusegrad.errors import ArgumentError

_VARIABLE = "FUSEGRAD_FASHION_MNIST"
_DEBIAN_PACKAGE = "dataset-fashion-mnist"
_DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist"

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]


def load_fashion_mnist(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Read Fashion-MNIST from the four files of its authors, gzipped or not.

    Parameters
    ----------
    path : str or path-like, optional
        The folder that holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each with or without ``.gz``.
        The default is the environment variable ``FUSEGRAD_FASHION_MNIST`` where it is set, and
        otherwise the folder of Debian's package ``dataset-fashion-mnist``. Files of MNIST itself,
        which have the same names and layout, are read just as well.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images are uint8 of shape (n, 28, 28) with values from 0 to 255; labels are int64 of shape
        (n,) with values from 0 to 9. The published files hold 60,000 and 10,000 images.

    Raises
    ------
    FileNotFoundError
        A file is missing. The message names the folder, the variable and the package.
    fusegrad.errors.ArgumentError
        A file is not a well-formed IDX file, or does not hold what its name says.

    Examples
    --------
    >>> from fusegrad import datasets
    >>> (x_train, y_train), (x_test, y_test) = datasets.load_fashion_mnist()  # doctest: +SKIP
    """
    given: Any = path if path is not None else os.environ.get(_VARIABLE) or _DEBIAN_FOLDER
    folder = checked_path("load_fashion_mnist", given)
    return _read_part(folder, "train"), _read_part(folder, "t10k")


def _read_part(folder: Path, part: str) -> Split:
    image_file = _find(folder, f"{part}-images-idx3-ubyte")
    label_file = _find(folder, f"{part}-labels-idx1-ubyte")
    images = read_idx(image_file)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise _wrong(image_file, "uint8 images of shape (n, 28, 28)", images)
    labels = read_idx(label_file)
    if labels.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise _wrong(label_file, f"uint8 labels of shape ({images.shape[0]},)", labels)
    if labels.size and labels.max() > 9:
        at = int(np.argmax(labels > 9))
        raise ArgumentError(
            "load_fashion_mnist",
            "path",
            "labels from 0 to 9",
            f"{labels[at]} at index {at} in '{label_file}'",
        )
    return images, labels.astype(np.int64)


def _find(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(
        f"load_fashion_mnist(): there is no '{name}' or '{name}.gz' in '{folder}'; pass the folder "
        f"that holds the Fashion-MNIST files, name it in the environment variable {_VARIABLE}, or "
        f"install Debian's package {_DEBIAN_PACKAGE}"
    )


def _wrong(file: Path, expected: str, array: NDArray[Any]) -> ArgumentError:
    got = f"{array.dtype} array of shape {array.shape} in '{file}'"
    return ArgumentError("load_fashion_mnist", "path", expected, got)
