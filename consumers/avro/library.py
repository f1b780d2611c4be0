"""`decode.c` called from Python: messages and a program in, Arrow arrays out."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from consumers.avro.layout import Kind
from consumers.avro.program import Program
from waybill.errors import UnreachableError

_WIDTHS = {Kind.INT: 4, Kind.FLOAT: 4, Kind.LONG: 8, Kind.DOUBLE: 8}


class _Column(ctypes.Structure):
    """Column of `decode.c`."""

    _fields_ = (
        ("kind", ctypes.c_int32),
        ("frame", ctypes.c_int32),
        ("items", ctypes.c_int32),
        ("padding", ctypes.c_int32),
        ("valid", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
        ("offsets", ctypes.c_void_p),
        ("used", ctypes.c_int64),
        ("capacity", ctypes.c_int64),
    )


class _Frame(ctypes.Structure):
    """Frame of `decode.c`."""

    _fields_ = (
        ("rows", ctypes.c_int64),
        ("capacity", ctypes.c_int64),
        ("first", ctypes.c_int32),
        ("count", ctypes.c_int32),
    )


class _Block:
    """A block of the library's memory, given back when nothing refers to it any more."""

    __slots__ = ("_address", "_free")

    def __init__(self, address: int) -> None:
        self._address = address
        self._free = _library().waybill_avro_free

    def __del__(self) -> None:
        self._free(self._address)


@cache
def _library() -> Any:
    found = find_spec("consumers.avro.decode")
    if found is None or found.origin is None:
        raise UnreachableError("the decoder in consumers/avro/decode.c is not compiled", todo="make setup")
    return opened(found.origin)


def opened(path: str) -> Any:
    """The library in that file, its functions with their types."""
    library = ctypes.CDLL(path)
    library.waybill_avro_decode.restype = ctypes.c_int64
    library.waybill_avro_decode.argtypes = [
        *(ctypes.c_void_p, ctypes.c_int32, ctypes.c_int32, ctypes.c_int32, ctypes.c_char_p, ctypes.c_void_p),
        *(ctypes.c_int64, ctypes.c_void_p, ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p),
    ]
    library.waybill_avro_free.restype = None
    library.waybill_avro_free.argtypes = [ctypes.c_void_p]
    return library


def decode(program: Program, types: Sequence[pa.DataType], messages: Sequence[bytes]) -> tuple[list[pa.Array], bytes]:
    """The first columns of the program in `types`, a row a message that was taken, and a byte a message: 1 if refused.

    `messages` with their header, less than 2 GiB of them. Raises MemoryError, and
    `UnreachableError` where the library is not compiled.
    """
    layout = program.layout
    code = array("i", program.code)
    lengths = array("q", map(len, messages))
    columns = (_Column * len(layout.places))(
        *(_Column(place.kind, place.frame, place.items) for place in layout.places)
    )
    frames = (_Frame * len(layout.frames))(*(_Frame(0, 0, first, count) for first, count in layout.frames))
    refused = bytearray(len(messages) or 1)
    taken = _library().waybill_avro_decode(
        *(code.buffer_info()[0], program.again, layout.operation, layout.after, b"".join(messages)),
        *(lengths.buffer_info()[0], len(messages), columns, len(columns), frames),
        (ctypes.c_char * len(refused)).from_buffer(refused),
    )
    made = _Columns(columns, frames)
    if taken < 0:
        raise MemoryError(f"no memory for {len(messages)} messages, {sum(lengths)} bytes")
    return [made.array(place, kind) for place, kind in enumerate(types)], bytes(refused[: len(messages)])


class _Columns:
    """The library's columns as Arrow arrays, which keep its memory."""

    def __init__(self, columns: Any, frames: Any) -> None:
        self._columns = columns
        self._frames = frames
        # Whatever comes: every block has an owner.
        self._blocks = {
            address: _Block(address)
            for column in columns
            for address in (column.valid, column.values, column.offsets)
            if address
        }

    def array(self, place: int, kind: pa.DataType) -> pa.Array:
        column = self._columns[place]
        rows = self._frames[column.frame].rows
        valid = self._buffer(column.valid, (rows + 7) // 8)
        match column.kind:
            case Kind.TEXT:
                buffers = [
                    valid,
                    self._buffer(column.offsets, 4 * (rows + 1)),
                    self._buffer(column.values, column.used),
                ]
            case Kind.LIST:
                offsets = self._buffer(column.offsets, 4 * (rows + 1))
                items = self._items(column.items, kind.value_type)
                return pa.Array.from_buffers(kind, rows, [valid, offsets], children=[items])
            case Kind.BOOLEAN:
                buffers = [valid, self._buffer(column.values, (rows + 7) // 8)]
            case _:
                buffers = [valid, self._buffer(column.values, rows * _WIDTHS[column.kind])]
        return pa.Array.from_buffers(kind, rows, buffers)

    def _items(self, frame: int, kind: pa.DataType) -> pa.Array:
        rows, first = self._frames[frame].rows, self._frames[frame].first
        fields = [self.array(first + 1 + number, one.type) for number, one in enumerate(kind)]
        valid = self._buffer(self._columns[first].valid, (rows + 7) // 8)
        return pa.Array.from_buffers(kind, rows, [valid], children=fields)

    def _buffer(self, address: int | None, size: int) -> pa.Buffer:
        if not address:
            # Of a list without any items: one offset, zero.
            return pa.py_buffer(bytes(max(size, 4)))
        return pa.foreign_buffer(address, size, base=self._blocks[address])
