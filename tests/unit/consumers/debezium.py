"""Avro schemas and messages in the form that Debezium and Apicurio's converter write them, built by hand.

The real ones are read in tests/integration/ingest; this form was taken from them.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import fastavro

from consumers.messages import Message
from waybill.errors import UnknownSchema, UnreachableError

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"

SOURCE_FIELDS: list[dict[str, Any]] = [
    {"name": "version", "type": "string"},
    {"name": "connector", "type": "string"},
    {"name": "name", "type": "string"},
    {"name": "ts_ms", "type": "long"},
    {
        "name": "snapshot",
        "type": [
            "null",
            {
                "type": "string",
                "connect.version": 1,
                "connect.parameters": {"allowed": "true,first,last,false,incremental"},
                "connect.name": "io.debezium.data.Enum",
            },
        ],
        "default": None,
    },
    {"name": "db", "type": "string"},
    {"name": "sequence", "type": ["null", "string"], "default": None},
    {"name": "ts_us", "type": ["null", "long"], "default": None},
    {"name": "ts_ns", "type": ["null", "long"], "default": None},
    {"name": "table", "type": ["null", "string"], "default": None},
    {"name": "server_id", "type": "long"},
    {"name": "gtid", "type": ["null", "string"], "default": None},
    {"name": "file", "type": "string"},
    {"name": "pos", "type": "long"},
    {"name": "row", "type": "int"},
    {"name": "thread", "type": ["null", "long"], "default": None},
    {"name": "query", "type": ["null", "string"], "default": None},
]


def column(
    name: str, avro: str, mysql: str, *, length: int | None = None, scale: int | None = None,
    nullable: bool = True, connect_name: str | None = None,
) -> dict[str, Any]:  # fmt: skip
    """One field of a row as the connector writes it with column.propagate.source.type."""
    parameters = {"__debezium.source.column.type": mysql, "__debezium.source.column.name": name}
    if length is not None:
        parameters["__debezium.source.column.length"] = str(length)
    if scale is not None:
        parameters["__debezium.source.column.scale"] = str(scale)
    inner: dict[str, Any] = {"type": avro, "connect.parameters": parameters}
    if connect_name:
        inner["connect.name"] = connect_name
    if nullable:
        return {"name": name, "type": ["null", inner], "default": None}
    return {"name": name, "type": inner}


def envelope(namespace: str, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Value schema of a data topic."""
    value = {"type": "record", "name": "Value", "namespace": namespace, "fields": list(columns)}
    block = {
        "type": "record",
        "name": "block",
        "namespace": "event",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total_order", "type": "long"},
            {"name": "data_collection_order", "type": "long"},
        ],
    }
    source = {
        "type": "record", "name": "Source", "namespace": "io.debezium.connector.mysql", "fields": SOURCE_FIELDS,
    }  # fmt: skip
    return {
        "type": "record",
        "name": "Envelope",
        "namespace": namespace,
        "connect.name": f"{namespace}.Envelope",
        "fields": [
            {"name": "before", "type": ["null", value], "default": None},
            {"name": "after", "type": ["null", f"{namespace}.Value"], "default": None},
            {"name": "source", "type": source},
            {"name": "transaction", "type": ["null", block], "default": None},
            {"name": "op", "type": "string"},
            {"name": "ts_ms", "type": ["null", "long"], "default": None},
            {"name": "ts_us", "type": ["null", "long"], "default": None},
            {"name": "ts_ns", "type": ["null", "long"], "default": None},
        ],
    }


def key_schema(namespace: str, columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Key schema of a data topic."""
    return {"type": "record", "name": "Key", "namespace": namespace, "fields": list(columns)}


TRANSACTION_VALUE: dict[str, Any] = {
    "type": "record",
    "name": "TransactionMetadataValue",
    "namespace": "io.debezium.connector.common",
    "fields": [
        {"name": "status", "type": "string"},
        {"name": "id", "type": "string"},
        {"name": "event_count", "type": ["null", "long"], "default": None},
        {
            "name": "data_collections",
            "type": [
                "null",
                {
                    "type": "array",
                    "items": [
                        "null",
                        {
                            "type": "record",
                            "name": "collection",
                            "namespace": "event",
                            "fields": [
                                {"name": "data_collection", "type": "string"},
                                {"name": "event_count", "type": "long"},
                            ],
                        },
                    ],
                },
            ],
            "default": None,
        },
        {"name": "ts_ms", "type": "long"},
    ],
}

NOTIFICATION_VALUE: dict[str, Any] = {
    "type": "record",
    "name": "Notification",
    "namespace": "io.debezium.connector.common",
    "fields": [
        {"name": "id", "type": "string"},
        {"name": "type", "type": "string"},
        {"name": "aggregate_type", "type": "string"},
        {"name": "additional_data", "type": ["null", {"type": "map", "values": "string"}], "default": None},
        {"name": "timestamp", "type": "long"},
    ],
}


class Registry:
    """Schemas by id, as the registry would give them; `known` may be emptied, `down` plays an outage."""

    down = False

    def __init__(self, *schemas: Mapping[str, Any]) -> None:
        self.known = {i: json.dumps(schema) for i, schema in enumerate(schemas, 1)}

    def text(self, schema_id: int) -> str:
        if self.down:
            raise UnreachableError("the registry is down")
        if schema_id not in self.known:
            raise UnknownSchema(f"schema id {schema_id} is not known to the registry", schema_id)
        return self.known[schema_id]


def wire(schema_id: int, schema: Mapping[str, Any], record: Mapping[str, Any]) -> bytes:
    """Confluent's wire format: magic 0, the id in four bytes, the datum."""
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(json.loads(json.dumps(schema))), dict(record))
    return struct.pack(">bI", 0, schema_id) + out.getvalue()


def source(database: str, table: str, *, gtid: str | None, **more: Any) -> dict[str, Any]:
    """The `source` block of one event."""
    return {
        "version": "3.6.1.Final", "connector": "mysql", "name": "waybill", "ts_ms": 1_763_800_000_123,
        "snapshot": None, "db": database, "sequence": None, "ts_us": 1_763_800_000_123_456,
        "ts_ns": 1_763_800_000_123_456_000, "table": table, "server_id": 7, "gtid": gtid,
        "file": "binlog.000003", "pos": 4711, "row": 0, "thread": 12, "query": None, **more,
    }  # fmt: skip


def event(
    row: Mapping[str, Any], *, op: str = "c", number: int | str = 5, order: int = 1,
    database: str = "kuaisong", table: str = "parcel", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """One row event of the stream (op r: of a first snapshot)."""
    gtid = f"{UUID}:{number}"
    streamed = op != "r"
    place = {"gtid": gtid} if streamed else {"gtid": None, "snapshot": "true"}
    return {
        "before": dict(row) if op in ("u", "d") else None,
        "after": dict(row) if op != "d" else None,
        "source": source(database, table, **{**place, **more}),
        "transaction": (
            {"id": gtid, "total_order": order, "data_collection_order": order} if streamed else None
        ),
        "op": op, "ts_ms": 1_763_800_000_200, "ts_us": 1_763_800_000_200_000, "ts_ns": 1_763_800_000_200_000_000,
    }  # fmt: skip


def message(offset: int, key: bytes | None, value: bytes | None) -> Message:
    """A message as the feed hands it over, produced at a fixed time."""
    return Message(offset, 1_763_800_001_000 + offset, key, value)
