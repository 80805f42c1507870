"""What the bytes of a file hold: pages of SQLite, packed batches of Kafka, packed columns of Parquet, zipped copies."""

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

SQLITE, PARQUET = b"SQLite format 3\0", b"PAR1"
ZIPPED = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}
_CHUNK = 1 << 22

# https://kafka.apache.org/documentation/#recordbatch
_LENGTH = struct.Struct(">qi")  # base offset, length of what follows
_ATTRIBUTES, _RECORDS = 21, 61  # where they stand in a batch
_MAGIC, _MAGIC_AT = 2, 16
_CODECS = {1: "gzip", 2: "snappy", 3: "lz4", 4: "zstd"}
_XERIAL, _XERIAL_HEADER = b"\x82SNAPPY\0", 16  # how Java's snappy frames its blocks


class Damaged(Exception):
    """The file is not what its beginning says."""


def chunks(file: BinaryIO, overlap: int) -> Iterator[tuple[int, bytes]]:
    """The file in pieces with their offsets; each begins with the last ``overlap`` bytes of the one before."""
    kept, offset = b"", 0
    while read := file.read(_CHUNK):
        piece = kept + read
        yield offset - len(kept), piece
        offset += len(read)
        kept = piece[-overlap:] if overlap else b""


def free_pages(path: Path) -> tuple[int, frozenset[int]]:
    """The size of an SQLite file's pages, and the numbers of those that hold nothing any more.

    https://www.sqlite.org/fileformat2.html#the_freelist
    """
    with path.open("rb") as file:
        header = file.read(100)
        size = struct.unpack_from(">H", header, 16)[0]
        size = 65536 if size == 1 else size
        trunk, free = struct.unpack_from(">I", header, 32)[0], set()
        while trunk and trunk not in free:
            free.add(trunk)
            file.seek((trunk - 1) * size)
            page = file.read(size)
            trunk, leaves = struct.unpack_from(">II", page)
            free.update(struct.unpack_from(f">{leaves}I", page, 8))
    return size, frozenset(free)


def is_kafka(beginning: bytes) -> bool:
    """Whether a file that is called ``.log`` begins with a batch of records."""
    return len(beginning) > _MAGIC_AT and beginning[_MAGIC_AT] == _MAGIC


def batches(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """The record batches of a Kafka segment: offset of the first record, and the unpacked records.

    Raises Damaged; what was preallocated and not yet written ends it.
    """
    while len(head := file.read(_LENGTH.size)) == _LENGTH.size:
        offset, length = _LENGTH.unpack(head)
        if length <= 0:
            return
        batch = head + file.read(length)
        if len(batch) < _RECORDS or len(batch) < _LENGTH.size + length:
            return  # the broker is writing it
        packed = _CODECS.get(struct.unpack_from(">h", batch, _ATTRIBUTES)[0] & 7)
        yield offset, batch[_RECORDS:] if packed is None else unpacked(batch[_RECORDS:], packed)


def unpacked(data: bytes, codec: str) -> bytes:
    """What was packed with ``codec``. Raises Damaged."""
    try:
        if codec == "snappy":
            return b"".join(_snappy(data))
        return b"".join(piece for _, piece in chunks(unpacking(io.BytesIO(data), codec), 0))
    except (OSError, zlib.error, struct.error, pa.ArrowException) as error:
        raise Damaged(f"its {codec} cannot be unpacked ({error})") from error


def unpacking(file: BinaryIO, codec: str) -> BinaryIO:
    """A file that reads what ``file`` holds packed."""
    return pa.CompressedInputStream(pa.PythonFile(file, "r"), codec)  # type: ignore[no-any-return]


def _snappy(data: bytes) -> Iterator[bytes]:
    blocks = [data]
    if data.startswith(_XERIAL):
        blocks, at = [], _XERIAL_HEADER
        while at < len(data):
            size = struct.unpack_from(">i", data, at)[0]
            blocks.append(data[at + 4 : at + 4 + size])
            at += 4 + size
    for block in blocks:
        size = shift = 0  # the length of the unpacked block comes first, seven bits to a byte
        for byte in block:
            size |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        yield pa.decompress(block, size, "snappy", asbytes=True)


def columns(path: Path) -> Iterator[tuple[str, bytes]]:
    """The columns of a Parquet file by name, as bytes, row group by row group. Raises Damaged."""
    try:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                for name, column in zip(table.column_names, table.itercolumns(), strict=True):
                    yield name, b"\n".join(map(_bytes, column.to_pylist()))
    except (pa.ArrowException, OSError) as error:
        raise Damaged(f"it cannot be read as Parquet ({error})") from error


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")
