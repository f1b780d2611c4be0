"""Runs the library named in LIBRARY, built with sanitizers, over good and damaged messages; any fault ends the process.

LIBRARY=decode.so python -m tests.unit.consumers.sanitized SEED SCHEMAS
"""

from __future__ import annotations

import os
import random
import sys
from importlib.machinery import ModuleSpec

from consumers.avro import library
from consumers.decoder import FastavroDecoder
from consumers.native_decoder import NativeDecoder
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.unit.consumers import debezium
from tests.unit.consumers.any_schema import any_message, any_schema, damaged
from tests.unit.consumers.debezium import TRANSACTION_VALUE, Registry


def main(seed: int, schemas: int) -> None:
    path = os.environ["LIBRARY"]
    library.find_spec = lambda name: ModuleSpec(name, None, origin=path)  # type: ignore[assignment,misc]
    chance = random.Random(seed)
    for _ in range(schemas):
        schema = any_schema(chance)
        decode(schema, Shape.ROWS, [any_message(schema, chance, number) for number in range(20)], chance)
    for size in (0, 1, 2_000):
        counts = [{"data_collection": f"k.{n}", "event_count": n} for n in range(size)]
        end = {"status": "END", "id": "i", "event_count": size, "data_collections": counts, "ts_ms": 1}
        decode(TRANSACTION_VALUE, Shape.TRANSACTIONS, [debezium.wire(1, TRANSACTION_VALUE, end)] * 20, chance)


def decode(schema: dict[str, object], shape: Shape, good: list[bytes], chance: random.Random) -> None:
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
