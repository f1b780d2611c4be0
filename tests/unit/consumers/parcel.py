"""A table with one column of every kind, and messages of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consumers.decoder import FastavroDecoder
from consumers.decoding import DecodedBatch, Decoding
from consumers.messages import Message, Messages, MicroBatch
from consumers.settings import Batching
from consumers.streams import Shape, Stream
from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import Registry, column, envelope, key_schema

NAMESPACE = "waybill.kuaisong.parcel"
ID = column("order_id", "long", "BIGINT", nullable=False)
COLUMNS = [
    ID,
    column("traceSeq", "long", "INT UNSIGNED"),
    column("pieces", "int", "SMALLINT UNSIGNED"),
    column("grade", "int", "TINYINT", length=1),
    column("barcode", "long", "BIGINT UNSIGNED"),
    column("weight", "string", "DECIMAL", length=10, scale=3),
    column("wide", "string", "DECIMAL", length=65, scale=30),
    column("rate", "float", "FLOAT"),
    column("lat", "double", "DOUBLE"),
    column("flag", "boolean", "BIT", length=1),
    column("bits", "bytes", "BIT", length=10),
    column("bits64", "bytes", "BIT", length=64),
    column("name", "string", "VARCHAR", length=120),
    column("level", "string", "ENUM", length=1, connect_name="io.debezium.data.Enum"),
    column("photo", "string", "VARBINARY", length=16),
    column("promised", "int", "DATE", connect_name="io.debezium.time.Date"),
    column("cutoff", "long", "TIME", connect_name="io.debezium.time.MicroTime"),
    column("picked", "long", "DATETIME", connect_name="io.debezium.time.Timestamp"),
    column("scanned", "long", "DATETIME", length=6, connect_name="io.debezium.time.MicroTimestamp"),
    column("modified", "string", "TIMESTAMP", connect_name="io.debezium.time.ZonedTimestamp"),
    column("attributes", "string", "JSON", connect_name="io.debezium.data.Json"),
]
EMPTY: dict[str, Any] = {field["name"]: None for field in COLUMNS}

KEY = key_schema(NAMESPACE, [ID])
VALUE = envelope(NAMESPACE, COLUMNS)
KEY_ID, VALUE_ID = 1, 2
STREAM = Stream("kuaisong.parcel", "parcel_raw", "waybill.kuaisong.parcel", Shape.ROWS, Batching(), 2**20)


def row(order_id: int = 1, **values: Any) -> dict[str, Any]:
    """A row that is NULL where nothing else is said."""
    return {**EMPTY, "order_id": order_id, **values}


def message(offset: int, image: Mapping[str, Any], *, key: int | None = None, **event: Any) -> Message:
    """One event. `key` overrides the order_id in the key's bytes."""
    order_id = image["order_id"] if key is None else key
    return debezium.message(
        offset,
        debezium.wire(KEY_ID, KEY, {"order_id": order_id}),
        debezium.wire(VALUE_ID, VALUE, debezium.event(image, **event)),
    )


def batch(*messages: Message, end: int | None = None) -> MicroBatch:
    """A micro-batch of these messages, from its first offset on."""
    first = messages[0].offset
    size = sum(len(m.key or b"") + len(m.value or b"") for m in messages)
    return MicroBatch(first, messages[-1].offset + 1 if end is None else end, Messages.of(messages), size)


def decode(
    *messages: Message, most_bad: int = 3, bad_before: int = 0, registry: Registry | None = None
) -> DecodedBatch:
    """Decode messages as one micro-batch of partition 1."""
    decoding = Decoding(registry or Registry(KEY, VALUE), FastavroDecoder(), most_bad)
    return decoding.decode(STREAM, 1, batch(*messages), bad_before)
