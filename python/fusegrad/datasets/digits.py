"""The UCI handwritten digits, bundled with the package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fusegrad.data.idx import read_idx

_FILES = Path(__file__).parent / "files"
_HELD_OUT = 5  # one image in this many is held out ...
_OFFSET = 2  # ... starting here, so that each class gives the nearest whole number to a fifth

Split = tuple[NDArray[np.uint8], NDArray[np.int64]]


def load_digits() -> tuple[Split, Split]:
    """Return the UCI handwritten digits: 1,797 images of 8x8 pixels, bundled with fusegrad.

    A fixed, stratified fifth is held out: of the images of each class, in the order of the
    original file, the 3rd, the 8th, the 13th and so on. No random number is involved, so the split
    is the same everywhere and for ever.

    Returns
    -------
    (x_train, y_train), (x_test, y_test)
        Images are uint8 of shape (n, 8, 8) with values from 0 to 16; labels are int64 of shape
        (n,) with values from 0 to 9. n is 1,438 for training and 359 held out. The arrays are
        fresh at each call and may be written.

    Notes
    -----
    The data are the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
    C. Kaynak (1998), UCI Machine Learning Repository, https://doi.org/10.24432/C50P49, used under
    the Creative Commons Attribution 4.0 licence (CC BY 4.0).

    Examples
    --------
    >>> from fusegrad import datasets
    >>> (x_train, y_train), (x_test, y_test) = datasets.load_digits()
    >>> x_train.shape, x_test.shape
    ((1438, 8, 8), (359, 8, 8))
    >>> y_test[:10]
    array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """
    images = read_idx(_FILES / "digits-images.idx.gz")
    labels = read_idx(_FILES / "digits-labels.idx.gz").astype(np.int64)
    test = held_out(labels)
    return (images[~test], labels[~test]), (images[test], labels[test])


def held_out(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the mask of the held-out rows: per class and in order, rows 2, 7, 12, ..."""
    mask = np.zeros(labels.shape, dtype=np.bool_)
    for label in np.unique(labels):
        mask[np.flatnonzero(labels == label)[_OFFSET::_HELD_OUT]] = True
    return mask
