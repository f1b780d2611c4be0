"""Debezium's own topics as rows: END records of transactions, notifications of snapshots, statements."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consumers import lineage
from consumers.shapes import Shaped, Wire, failures, places, same_keys
from consumers.values import micros
from consumers.writer_schema import WrongSchemaError
from waybill import raw
from waybill.source_changes.message import packed, table_name

_FIRST_MILLI, _LAST_MILLI = -62_167_219_200_000, 253_402_300_799_999


def _columns(wire: Wire, *names: str) -> list[pa.ChunkedArray]:
    missing = [name for name in names if name not in wire.values.column_names]
    if missing:
        raise WrongSchemaError(f"schema {wire.schema.id} has no field {missing[0]!r}")
    return [wire.values[name] for name in names]


def times_fit(times: pa.ChunkedArray) -> list[tuple[pa.ChunkedArray, str]]:
    """The check that milliseconds since 1970 lie within the years 0 to 9999."""
    holds = pc.and_(pc.greater_equal(times, _FIRST_MILLI), pc.less_equal(times, _LAST_MILLI))
    return [(pc.fill_null(holds, True), "its time lies beyond the years 0 to 9999")]


def shape_transactions(wire: Wire) -> Shaped:
    """One row a data collection of an END; one with '' and 0 when it names none; BEGIN is no row."""
    status, ids, counts, collections, times = _columns(wire, "status", "id", "event_count", "data_collections", "ts_ms")
    bad = failures(
        [
            (pc.is_in(status, value_set=pa.array(["BEGIN", "END"])), "the status is neither BEGIN nor END"),
            *same_keys(wire, {"id": "id"}),
            *times_fit(times),
        ]
    )
    origins: list[int] = []
    names: list[str] = []
    sizes: list[int] = []
    for row, (state, found) in enumerate(zip(status.to_pylist(), collections.to_pylist(), strict=True)):
        if row in bad or state != "END":
            continue
        for one in [one for one in found or () if one] or [{"data_collection": "", "event_count": 0}]:
            origins.append(row)
            names.append(one["data_collection"])
            sizes.append(one["event_count"])
    rows = pa.table(
        {
            "tx_id": ids.take(places(origins)),
            "event_count": pc.fill_null(counts.take(places(origins)), 0),
            "ended_at": micros(times.take(places(origins)), "ms"),
            "data_collection": pa.array(names, pa.string()),
            "collection_count": pa.array(sizes, pa.int64()),
        }
    )
    return Shaped(lineage.shaped(rows, raw.TRANSACTION), origins, bad)


def shape_notifications(wire: Wire) -> Shaped:
    """One row a notification."""
    ids, kinds, aggregates, more, times = _columns(wire, "id", "type", "aggregate_type", "additional_data", "timestamp")
    bad = failures([*same_keys(wire, {"id": "id"}), *times_fit(times)])
    good = [row for row in range(wire.values.num_rows) if row not in bad]
    rows = pa.table(
        {
            "notification_id": ids.take(places(good)),
            "aggregate_type": aggregates.take(places(good)),
            "notification_type": kinds.take(places(good)),
            "additional_data": pa.array([_text(pairs) for pairs in more.take(places(good)).to_pylist()], pa.string()),
            "noted_at": micros(times.take(places(good)), "ms"),
        }
    )
    return Shaped(lineage.shaped(rows, raw.NOTIFICATION), good, bad)


def shape_schema_changes(wire: Wire) -> Shaped:
    """One row a table that the statement touched; one with '' when it names none."""
    values = wire.values
    found: dict[str, list[Any]] = {column.name: [] for column in raw.SCHEMA_CHANGE}
    origins: list[int] = []
    for row, message in enumerate(values.to_pylist()):
        micros_at = message["source.ts_us"] or (message["source.ts_ms"] or 0) * 1000
        database = message["databaseName"] or message["source.db"] or ""
        for one in message["tableChanges"] or [{"type": "", "id": "", "table": None}]:
            origins.append(row)
            table = one["table"]
            for name, value in (
                ("ddl", _cut(message["ddl"] or "")),
                ("database_name", database),
                ("table_name", table_name(one["id"])),
                ("change_type", one["type"]),
                ("table_columns", packed(table["columns"]) if table else None),
                ("statement_gtid", message["source.gtid"]),
                ("snapshot", message["source.snapshot"] not in (None, "false", "incremental")),
                ("binlog_file", message["source.file"]),
                ("binlog_pos", message["source.pos"]),
                ("changed_at", micros_at),
            ):
                found[name].append(value)
    found["changed_at"] = micros(pa.chunked_array([pa.array(found["changed_at"], pa.int64())]), "us")
    return Shaped(lineage.shaped(pa.table(found), raw.SCHEMA_CHANGE), origins)


def _cut(text: str) -> str:
    """At most 65,535 bytes."""
    return text.encode()[:65_535].decode(errors="ignore")


def _text(pairs: Any) -> str | None:
    return None if pairs is None else json.dumps(dict(pairs), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
