"""When a message's event was committed at the source, read out of the one message."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import fastavro

from consumers.decoder import HEADER
from consumers.ports import Record, Schemas
from consumers.writer_schema import WriterSchema
from waybill.errors import UnreachableError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class SourceTimes:
    """`source.ts_us` of a row, `ts_ms` of a transaction's record, `timestamp` of a notification."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._parsed: dict[int, WriterSchema] = {}

    def of(self, record: Record) -> datetime | None:
        """None for a tombstone, for what cannot be decoded, and while the registry does not give its schema."""
        value = record.value
        if value is None or len(value) < HEADER or value[0] != 0:
            return None
        schema_id = int.from_bytes(value[1:HEADER], "big")
        try:
            if schema_id not in self._parsed:
                self._parsed[schema_id] = WriterSchema(schema_id, self._schemas.text(schema_id))
            found: Any = fastavro.schemaless_reader(io.BytesIO(value[HEADER:]), self._parsed[schema_id].parsed, None)
            return _time_in(found)
        except UnreachableError:
            return None
        except Exception:  # noqa: BLE001 (a damaged message fails in any way; it has no time then)
            return None


def _time_in(value: dict[str, Any]) -> datetime | None:
    source = value.get("source")
    if source is not None:
        micros = source.get("ts_us")
        return _at(micros if micros is not None else source["ts_ms"] * 1000)
    millis = value.get("ts_ms", value.get("timestamp"))
    return None if millis is None else _at(millis * 1000)


def _at(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def produced_at(record: Record) -> datetime:
    """The message's own timestamp in Kafka, UTC."""
    return _EPOCH + timedelta(milliseconds=record.time)
