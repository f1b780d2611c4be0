"""Runs the library named in LIBRARY, built with sanitizers, over good and damaged messages; any fault ends the process.

LIBRARY=decode.so python -m tests.unit.consumers.sanitized SEED SCHEMAS
"""

from __future__ import annotations

import ctypes
import os
import random
import sys
from typing import Any

from consumers.avro import library
from consumers.decoder import FastavroDecoder
from consumers.native_decoder import NativeDecoder
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.unit.consumers.any_schema import any_end, any_message, any_schema, damaged
from tests.unit.consumers.debezium import TRANSACTION_VALUE, Registry


class Exact:
    """The library, given the messages in a block of their very size: Python's bytes have one more behind their end."""

    def __init__(self, real: Any) -> None:
        self._real = real
        self.waybill_avro_free = real.waybill_avro_free
        self._memory = ctypes.CDLL(None)
        self._memory.malloc.restype = ctypes.c_void_p
        self._memory.malloc.argtypes = [ctypes.c_size_t]
        self._memory.free.argtypes = [ctypes.c_void_p]

    def waybill_avro_decode(self, *arguments: Any) -> int:
        before, data, after = arguments[:4], arguments[4], arguments[5:]
        block = self._memory.malloc(len(data))
        ctypes.memmove(block, data, len(data))
        try:
            return int(self._real.waybill_avro_decode(*before, ctypes.cast(block, ctypes.c_char_p), *after))
        finally:
            self._memory.free(block)


def main(seed: int, schemas: int) -> None:
    exact = Exact(library.opened(os.environ["LIBRARY"]))
    library._library = lambda: exact
    chance = random.Random(seed)
    for number in range(schemas):
        schema = any_schema(chance, strange=False)
        decode(schema, Shape.ROWS, [any_message(schema, chance, place) for place in range(20)], chance)
        if number % 3 == 0:
            decode(TRANSACTION_VALUE, Shape.TRANSACTIONS, [any_end(chance) for _ in range(10)], chance)


def decode(schema: dict[str, Any], shape: Shape, good: list[bytes], chance: random.Random) -> None:
    """Together, where one bad message stands before others, and each alone, where nothing lies behind its end."""
    writer, decoder = WriterSchema(1, Registry(schema).text(1)), NativeDecoder(FastavroDecoder())
    messages = [damaged(one, chance) if chance.random() < 0.5 else one for one in good]
    decoder.decode(writer, shape, messages)
    for message in messages:
        decoder.decode(writer, shape, [message])
        decoder.decode(writer, shape, [message[:5]])
        decoder.decode(writer, shape, [message[:3]])


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
