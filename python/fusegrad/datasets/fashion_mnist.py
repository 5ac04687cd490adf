"""Fashion-MNIST, from the four files of its authors, which are not bundled."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import NDArray

from fusegrad.datasets.idx_folder import Part, read_idx_folder

_VARIABLE = "FUSEGRAD_FASHION_MNIST"
_DEBIAN_PACKAGE = "dataset-fashion-mnist"
_DEBIAN_FOLDER = "/usr/share/datasets/fashion-mnist"
_HINT = (
    f"pass the folder that holds the Fashion-MNIST files, name it in the environment variable "
    f"{_VARIABLE}, or install Debian's package {_DEBIAN_PACKAGE}"
)

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]


def load_fashion_mnist(path: str | os.PathLike[str] | None = None) -> tuple[Split, Split]:
    """Read Fashion-MNIST from the four files of its authors, gzipped or not.

    Parameters
    ----------
    path : str or path-like, optional
        The folder that holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each with or without ``.gz``.
        The default is the environment variable ``FUSEGRAD_FASHION_MNIST`` where it is set, and
        otherwise the folder of Debian's package ``dataset-fashion-mnist``. Files of MNIST itself
        have the same names and layout.

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
    train, test = _load("load_fashion_mnist", path)
    return (train[0], train[1].astype(np.int64)), (test[0], test[1].astype(np.int64))


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Part, Part]:
    """Do the same as `load_fashion_mnist` under Keras's name, with labels of Keras's dtype, uint8.

    Examples
    --------
    >>> from fusegrad.datasets import fashion_mnist
    >>> (x_train, y_train), (x_test, y_test) = fashion_mnist.load_data()  # doctest: +SKIP
    """
    return _load("fashion_mnist.load_data", path)


def _load(where: str, path: str | os.PathLike[str] | None) -> tuple[Part, Part]:
    folder = path if path is not None else os.environ.get(_VARIABLE) or _DEBIAN_FOLDER
    return read_idx_folder(where, folder, _HINT)
