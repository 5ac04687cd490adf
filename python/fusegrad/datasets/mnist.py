"""MNIST, from the four files of its authors, which are not bundled."""

from __future__ import annotations

import os

from fusegrad.datasets.idx_folder import Part, read_idx_folder

_HINT = (
    "pass the folder that holds the four files, mnist.load_data(path=folder), "
    "or read one of them with datasets.read_idx(path)"
)


def load_data(path: str | os.PathLike[str] | None = None) -> tuple[Part, Part]:
    """Read MNIST from the four files of its authors, gzipped or not.

    Parameters
    ----------
    path : str or path-like
        The folder that holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, each with or without ``.gz``.
        It must be given: unlike Keras, fusegrad downloads nothing.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        As from Keras: images are uint8 of shape (n, 28, 28) with values from 0 to 255; labels are
        uint8 of shape (n,) with values from 0 to 9. The published files hold 60,000 and 10,000
        images.

    Raises
    ------
    FileNotFoundError
        No folder is given, or a file is missing.
    fusegrad.errors.ArgumentError
        A file is not a well-formed IDX file, or does not hold what its name says.

    Examples
    --------
    >>> from fusegrad.datasets import mnist
    >>> (x_train, y_train), (x_test, y_test) = mnist.load_data("files/mnist")  # doctest: +SKIP
    """
    where = "mnist.load_data"
    if path is None:
        raise FileNotFoundError(f"{where}(): MNIST is not bundled, nothing is downloaded; {_HINT}")
    return read_idx_folder(where, path, f"nothing is downloaded; {_HINT}")
