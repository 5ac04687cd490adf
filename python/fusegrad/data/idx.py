"""A strict reader for IDX files, the format of MNIST and its relatives.

A file is the bytes 0, 0, a type code and the rank; one big-endian uint32 per axis; then the
elements, big-endian, in C order, and nothing after them.
"""

from __future__ import annotations

import gzip
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from fusegrad.errors import ArgumentError

_DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_MAX_RANK = 8
_CHUNK = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"


def read_idx(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Read an IDX file, plain or compressed with gzip, into an array.

    The sizes in the header are believed only as far as the file really holds that many bytes: a
    damaged or hostile file is refused, and never makes the reader allocate more than it holds.

    Parameters
    ----------
    path : str or path-like
        The file. Compression is recognised by the content, not by the name.

    Returns
    -------
    numpy.ndarray
        A fresh, writable, C-contiguous array of uint8, int8, int16, int32, float32 or float64 in
        the machine's byte order, of rank 1 to 8.

    Raises
    ------
    OSError
        The file cannot be opened or read; FileNotFoundError where there is none.
    fusegrad.errors.ArgumentError
        The file is not a well-formed IDX file: a wrong magic number, type code or rank, sizes that
        do not agree with its length, bytes after the end, or broken compression.

    Examples
    --------
    >>> import struct, tempfile
    >>> from pathlib import Path
    >>> from fusegrad import datasets
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "labels.idx"
    ...     _ = path.write_bytes(struct.pack(">BBBBI", 0, 0, 0x08, 1, 3) + bytes([5, 0, 4]))
    ...     datasets.read_idx(path)
    array([5, 0, 4], dtype=uint8)
    """
    path = checked_path("read_idx", path)
    with path.open("rb") as file:
        compressed = file.read(2) == _GZIP_MAGIC
        file.seek(0)
        if not compressed:
            length = os.fstat(file.fileno()).st_size
            return _parse(file, path, length)
        try:
            with gzip.GzipFile(fileobj=file) as stream:
                return _parse(stream, path, None)
        except (gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise _wrong(path, "a complete gzip file", str(error)) from error


def checked_path(where: str, path: Any) -> Path:
    """Return a path, or raise ArgumentError for what cannot be one."""
    try:
        text = os.fspath(path)
    except TypeError:
        raise ArgumentError(where, "path", "a path", f"{path!r} ({type(path).__name__})") from None
    if not isinstance(text, str) or not text or "\0" in text:
        raise ArgumentError(where, "path", "the path of a file", repr(path))
    return Path(text)


def _parse(file: IO[bytes] | gzip.GzipFile, path: Path, length: int | None) -> NDArray[Any]:
    """Parse an open file; `length` is its size in bytes where it is known beforehand."""
    magic = file.read(4)
    if len(magic) < 4 or magic[:2] != b"\x00\x00":
        raise _wrong(path, "an IDX file, which starts with two zero bytes", f"{magic[:4]!r}")
    code, rank = magic[2], magic[3]
    if code not in _DTYPES:
        known = ", ".join(f"0x{known:02X}" for known in _DTYPES)
        raise _wrong(path, f"an IDX type code among {known}", f"0x{code:02X}")
    if not 1 <= rank <= _MAX_RANK:
        raise _wrong(path, f"a rank from 1 to {_MAX_RANK}", str(rank))
    sizes = file.read(4 * rank)
    if len(sizes) < 4 * rank:
        raise _wrong(path, f"{4 * rank} bytes of sizes for rank {rank}", f"{len(sizes)} bytes")
    shape = struct.unpack(f">{rank}I", sizes)

    dtype = np.dtype(_DTYPES[code])
    count, extent = 1, dtype.itemsize
    for size in shape:
        count *= size
        extent *= max(size, 1)
    if extent > sys.maxsize:  # also for shapes with a zero, which NumPy could not represent
        raise _wrong(path, "sizes that an array can have", str(shape))
    needed = count * dtype.itemsize
    if length is not None and length != len(magic) + len(sizes) + needed:
        held = length - len(magic) - len(sizes)
        raise _wrong_length(path, needed, shape, dtype, f"{held} bytes")

    # Compressed data do not tell their length, so the buffer grows only with bytes that are there.
    data = bytearray()
    while len(data) < needed:
        chunk = file.read(min(_CHUNK, needed - len(data)))
        if not chunk:
            raise _wrong_length(path, needed, shape, dtype, f"{len(data)} bytes")
        data += chunk
    if file.read(1):
        raise _wrong_length(path, needed, shape, dtype, "more")
    array = np.frombuffer(data, dtype=dtype).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _wrong_length(
    path: Path, needed: int, shape: tuple[int, ...], dtype: np.dtype[Any], got: str
) -> ArgumentError:
    native = dtype.newbyteorder("=")
    return _wrong(path, f"{needed} bytes of elements for {native} of shape {shape}", got)


def _wrong(path: Path, expected: str, got: str) -> ArgumentError:
    return ArgumentError("read_idx", "path", expected, f"{got} in '{path}'")
