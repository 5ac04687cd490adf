"""Write, or check, the bundled handwritten digits from scikit-learn's copy of them.

    python tools/make_digits.py           compare the bundled files with scikit-learn's numbers
    python tools/make_digits.py --write   write the files

The files are IDX, the format of MNIST, compressed with gzip and without a time stamp.
"""

from __future__ import annotations

import argparse
import gzip
import struct
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

FILES = Path(__file__).resolve().parents[1] / "python" / "fusegrad" / "datasets" / "files"


def idx_bytes(values: NDArray[np.uint8]) -> bytes:
    """Return `values` as an IDX file of unsigned bytes."""
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 0x08, values.ndim, *values.shape)
    return header + values.tobytes()


def main() -> int:
    """Write or check the two files; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write the files")
    write = parser.parse_args().write

    digits = load_digits()
    images = digits.images.astype(np.uint8)
    labels = digits.target.astype(np.uint8)
    if not np.array_equal(images, digits.images) or images.max() > 16:
        print("the source does not hold whole numbers from 0 to 16")
        return 1

    status = 0
    for name, values in (("digits-images.idx.gz", images), ("digits-labels.idx.gz", labels)):
        raw = idx_bytes(values)
        path = FILES / name
        if write:
            FILES.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(raw, compresslevel=9, mtime=0))
        same = path.is_file() and gzip.decompress(path.read_bytes()) == raw
        print(f"{name}: {'agrees' if same else 'DIFFERS'}")
        status |= not same
    return status


if __name__ == "__main__":
    sys.exit(main())
