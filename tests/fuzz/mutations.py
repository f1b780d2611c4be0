"""Ways to spoil a real message. Each takes (key, value) and chance, and gives (key, value); many leave it good."""

from __future__ import annotations

import copy
import io
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import fastavro

Pair = tuple[bytes | None, bytes | None]


def _field(name: str, kind: Any) -> Any:
    return {"name": name, "type": kind}


def _key(kind: Any) -> Any:
    return {"type": "record", "name": "Key", "fields": [_field("order_id", kind)]}


# Schemas that exist and are of no row: their ids come into headers.
STRANGERS: tuple[Any, ...] = (
    "string",
    "long",
    {"type": "record", "name": "Nothing", "fields": []},
    {"type": "record", "name": "Node", "fields": [_field("next", ["null", "Node"])]},
    _key({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 0}),
    _key("string"),
    _key("int"),
    _key({"type": "array", "items": "long"}),
    {"type": "record", "name": "Envelope", "fields": [_field("op", "string"), _field("before", "int")]},
    {"type": "enum", "name": "Colour", "symbols": ["RED"]},
)  # fmt: skip

_GIANTS = (b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x0f", b"\x80" * 9 + b"\x01")


class Mutations:
    """`ids` are the schema ids that the registry knows; `parsed` gives the parsed schema of each."""

    def __init__(self, chance: random.Random, ids: Sequence[int], parsed: Mapping[int, Any]) -> None:
        self._chance, self._ids, self._parsed = chance, list(ids), parsed
        self._ways: list[tuple[int, Callable[[bytes, bytes, Sequence[Pair]], Pair]]] = [
            (14, self.truncated), (30, self.flipped), (10, self.other_schema), (5, self.wrong_magic), (8, self.random),
            (4, self.empty), (1, self.huge), (9, self.foreign_transaction), (9, self.key_of_another_row),
            (6, self.giant_number), (4, self.longer),
        ]  # fmt: skip

    def mutate(self, pair: Pair, others: Sequence[Pair]) -> tuple[str, Pair]:
        """The way's name and what came of it. The ids in its headers are known ones or unreadable."""
        weights = [weight for weight, _ in self._ways]
        while True:
            (_, way) = self._chance.choices(self._ways, weights)[0]
            found = way(pair[0] or b"", pair[1] or b"", others)
            if found[1] is not None and all(self._id_is_known(data) for data in found):
                return way.__name__, found

    def _id_is_known(self, data: bytes | None) -> bool:
        """An unknown id waits for a person: that has a test of its own."""
        return data is None or len(data) < 5 or data[0] != 0 or int.from_bytes(data[1:5], "big") in self._ids

    def _either(self, key: bytes, value: bytes, change: Callable[[bytes], bytes | None], often: float = 0.8) -> Pair:
        return (key, change(value)) if self._chance.random() < often else (change(key), value)

    def truncated(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        return self._either(key, value, lambda data: data[: self._chance.randrange(1, len(data))])

    def flipped(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        def change(data: bytes) -> bytes:
            body = bytearray(data)
            for _ in range(self._chance.choice((1, 1, 1, 2, 3))):
                body[self._chance.randrange(5, len(body))] ^= 1 << self._chance.randrange(8)
            return bytes(body)

        return self._either(key, value, change)

    def other_schema(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        number = self._chance.choice(self._ids).to_bytes(4, "big")
        return self._either(key, value, lambda data: data[:1] + number + data[5:], 0.6)

    def wrong_magic(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        return self._either(key, value, lambda data: bytes([self._chance.randrange(1, 256)]) + data[1:])

    def random(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        size = self._chance.choice((3, 30, 300, 3_000))
        head = self._chance.choice((b"", value[:5]))
        return self._either(key, value, lambda data: head + self._chance.randbytes(size))

    def empty(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        return self._chance.choice(((key, b""), (b"", value), (None, value), (b"", b""), (key, value[:5])))

    def huge(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        size = self._chance.randrange(1 << 20, 3 << 20)
        match self._chance.randrange(4):
            case 0:
                return key, value + self._chance.randbytes(size)
            case 1:
                return key, value[:5] + self._chance.randbytes(size)
            case 2:
                return key + bytes(size), value
            case _:
                nested = "[" * 100_000
                return key, self._changed(value, lambda row: _set_texts(row, self._chance.choice((nested, "x" * size))))

    def giant_number(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        place = self._chance.randrange(5, len(value))
        number = self._chance.choice(
            (b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f", b"\xff\xff\xff\xff\x0f", b"\x80" * 9 + b"\x01")
        )
        return key, value[:place] + number + value[place + 1 :]

    def longer(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        return self._either(key, value, lambda data: data + self._chance.randbytes(self._chance.randrange(1, 9)))

    def foreign_transaction(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        def change(record: Any) -> None:
            number = self._chance.randrange(1, 10**6)
            foreign = f"00000000-0000-0000-0000-{number:012x}:{number}"
            match self._chance.randrange(3):
                case 0:
                    record["source"]["gtid"] = foreign
                case 1:
                    record["transaction"] = {"id": foreign, "total_order": 1, "data_collection_order": 1}
                case _:
                    record["source"]["db" if number % 2 else "table"] += "x"

        return key, self._changed(value, change)

    def key_of_another_row(self, key: bytes, value: bytes, others: Sequence[Pair]) -> Pair:
        return self._chance.choice(others)[0], value

    def _changed(self, value: bytes, change: Callable[[Any], None]) -> bytes:
        """The message written again with a changed record."""
        schema = self._parsed[int.from_bytes(value[1:5], "big")]
        record = copy.deepcopy(fastavro.schemaless_reader(io.BytesIO(value[5:]), schema, None))
        change(record)
        out = io.BytesIO()
        fastavro.schemaless_writer(out, schema, record)
        return value[:5] + out.getvalue()


def _set_texts(record: Any, text: str) -> None:
    """A text that is far too long, in one column that holds texts."""
    row = record["before"] if record["op"] == "d" else record["after"]
    names = [name for name, value in row.items() if isinstance(value, str)]
    row[names[len(text) % len(names)]] = text
