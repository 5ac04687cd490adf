"""The IDX reader: round trips, every way a file can be wrong, and arbitrary bytes."""

from __future__ import annotations

import gzip
import math
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fusegrad import datasets
from fusegrad.data.idx import read_idx
from fusegrad.errors import ArgumentError

pytestmark = pytest.mark.quick

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
ITEM_SIZES = {0x08: 1, 0x09: 1, 0x0B: 2, 0x0C: 4, 0x0D: 4, 0x0E: 8}


def idx_bytes(array: NDArray[Any]) -> bytes:
    code = CODES[array.dtype.str[1:]]
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(folder: Path, data: bytes) -> Path:
    path = folder / "file.idx"
    path.write_bytes(data)
    return path


def sample(code: str, shape: tuple[int, ...]) -> NDArray[Any]:
    values = np.arange(math.prod(shape)) * 37 % 251 - (0 if code == "u1" else 125)
    return values.astype(code).reshape(shape)


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("shape", [(1,), (7,), (0,), (3, 4), (2, 0, 5), (2, 3, 4, 1, 1, 2, 1, 2)])
@pytest.mark.parametrize("code", CODES)
def test_round_trip(tmp_path: Path, code: str, shape: tuple[int, ...], compress: bool) -> None:
    array = sample(code, shape)
    raw = idx_bytes(array)
    result = read_idx(write(tmp_path, gzip.compress(raw) if compress else raw))
    np.testing.assert_array_equal(result, array, strict=True)
    assert result.dtype.isnative
    assert result.flags.c_contiguous
    assert result.flags.writeable


def test_large_gzip_is_read_in_full(tmp_path: Path) -> None:
    array = sample("i4", (1500, 701))  # larger than the reader's chunk
    result = read_idx(write(tmp_path, gzip.compress(idx_bytes(array), compresslevel=1)))
    np.testing.assert_array_equal(result, array)


def test_is_the_public_function() -> None:
    assert datasets.read_idx is read_idx


GOOD = idx_bytes(sample("i2", (2, 3)))

MALFORMED = {
    "empty": b"",
    "short magic": GOOD[:3],
    "first byte": b"\x01" + GOOD[1:],
    "second byte": b"\x00\x01" + GOOD[2:],
    "unknown type": GOOD[:2] + b"\x0a" + GOOD[3:],
    "rank 0": GOOD[:3] + b"\x00" + GOOD[4:],
    "rank 9": GOOD[:3] + b"\x09" + bytes(4 * 9),
    "rank 255": GOOD[:3] + b"\xff" + bytes(4 * 255),
    "short sizes": GOOD[:9],
    "no elements": GOOD[:12],
    "one byte short": GOOD[:-1],
    "one byte long": GOOD + b"\x00",
    "huge size": GOOD[:4] + b"\xff\xff\xff\xff" + GOOD[8:],
    "overflow": b"\x00\x00\x0e\x08" + b"\xff" * 32,
    "overflow beside a zero": b"\x00\x00\x0e\x08" + bytes(4) + b"\xff" * 28,
    "wrap to the true length": b"\x00\x00\x08\x03" + b"\x80\x00\x00\x00" * 2 + b"\x00\x00\x00\x04",
}


@pytest.mark.parametrize("compress", [False, True], ids=["plain", "gzip"])
@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_is_refused(tmp_path: Path, data: bytes, compress: bool) -> None:
    path = write(tmp_path, gzip.compress(data) if compress else data)
    with pytest.raises(ArgumentError) as caught:
        read_idx(path)
    assert caught.value.argument == "path"
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("keep", [2, 9, 12, 25, -8, -1])
def test_truncated_gzip_is_refused(tmp_path: Path, keep: int) -> None:
    with pytest.raises(ArgumentError):
        read_idx(write(tmp_path, gzip.compress(GOOD)[:keep]))


def test_wrong_checksum_is_refused(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(GOOD))
    data[-8] ^= 0xFF
    with pytest.raises(ArgumentError, match="gzip"):
        read_idx(write(tmp_path, bytes(data)))


def test_sizes_are_not_trusted_with_memory(tmp_path: Path) -> None:
    claims_4_gb = b"\x00\x00\x08\x01\xff\xff\xff\xff" + bytes(100)
    bomb = b"\x00\x00\x08\x01\x00\x00\x00\x0a" + bytes(50_000_000)
    for data in (claims_4_gb, gzip.compress(claims_4_gb), gzip.compress(bomb)):
        path = write(tmp_path, data)
        tracemalloc.start()
        try:
            with pytest.raises(ArgumentError):
                read_idx(path)
            assert tracemalloc.get_traced_memory()[1] < 4_000_000
        finally:
            tracemalloc.stop()


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "absent.idx")


def well_formed(data: bytes) -> bool:
    """Say, independently of the reader and in the words of the format, whether `data` is IDX."""
    if len(data) < 4 or data[0] or data[1] or data[2] not in ITEM_SIZES or not 1 <= data[3] <= 8:
        return False
    start = 4 + 4 * data[3]
    if len(data) < start:
        return False
    sizes = struct.unpack(f">{data[3]}I", data[4:start])
    if math.prod(max(size, 1) for size in sizes) * ITEM_SIZES[data[2]] >= 2**63:
        return False  # no array can have this shape, even if a zero makes it empty
    count = math.prod(sizes)
    return len(data) - start == count * ITEM_SIZES[data[2]]


header_like = st.builds(
    lambda code, rank, sizes, rest: bytes([0, 0, code, rank]) + b"".join(sizes) + rest,
    st.sampled_from([*ITEM_SIZES, 0x0A]),
    st.integers(0, 9),
    st.lists(st.integers(0, 4).map(lambda size: struct.pack(">I", size)), max_size=9),
    st.binary(max_size=64),
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=64) | header_like, compress=st.booleans())
def test_any_bytes(tmp_path: Path, data: bytes, compress: bool) -> None:
    path = write(tmp_path, gzip.compress(data) if compress else data)
    if well_formed(data):
        result = read_idx(path)
        assert idx_bytes(result) == data
    else:
        with pytest.raises(ArgumentError):
            read_idx(path)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=80))
def test_any_broken_gzip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ArgumentError):
        read_idx(write(tmp_path, b"\x1f\x8b" + data))
