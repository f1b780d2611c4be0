"""Row envelopes: Debezium's events of one table, as rows of its raw table.

The row of a delete is its image before, of everything else its image after. An event that contradicts itself
(another table, another key, another transaction than its own) is a bad message.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from consumers import lineage
from consumers.limits import refuse_long, refuse_misfit, refuse_time
from consumers.shapes import Shaped, Wire, failures, places, same_keys
from consumers.streams import Stream
from consumers.values import REFUSED, convert, gtid_numbers, micros
from consumers.writer_schema import RowColumn, WriterSchema, WrongSchemaError
from waybill import raw
from waybill.errors import StoppedTable
from waybill.source_changes.history import Moment

_STREAMED = pa.array(["c", "u", "d"])
_KNOWN = pa.array(["c", "u", "d", "r"])
# A JSON text nested without end is a RecursionError.
_REFUSED = (*REFUSED, RecursionError)
_WIDTHS = {column.name: int(column.type.split("(")[1][:-1]) for column in raw.EVENT if "(" in column.type}
_OWN_LENGTHS = {
    wire: _WIDTHS[name]
    for wire, name in (("source.gtid", "_gtid"), ("source.file", "_binlog_file"), ("source.snapshot", "_snapshot"))
}


def shape_rows(wire: Wire) -> Shaped:
    """Raises `StoppedTable` when a column cannot be carried."""
    columns = columns_of(wire.stream, wire.schema)
    # A TRUNCATE has no key; an operation t with one is a damaged message.
    truncated = pc.index(wire.values["op"], "t").as_py() if wire.keys is None else -1
    if truncated >= 0:
        when = committed_at(wire.values)[truncated].as_py()
        moment = Moment(wire.values["source.gtid"][truncated].as_py() or "", when)
        return Shaped(wire.values.slice(0, 0), [], truncated=truncated, truncated_at=moment)
    values = wire.values
    numbers = gtid_numbers(values["source.gtid"])
    bad = failures(_checks(wire, columns, numbers))
    try:
        _own_fit(values)
    except _REFUSED:
        bad |= {row: text for row, text in _each_refused(values, _own_fit).items() if row not in bad}
    rows: dict[str, pa.ChunkedArray] = {}
    for column in columns:
        wanted = values[column.wire.name]
        try:
            rows[column.source.warehouse_name] = _exact(column, wanted)
        except _REFUSED:
            name = f"column {column.source.name!r} ({column.source.type})"
            found = _each_refused(wanted, partial(_exact, column))
            bad |= {row: f"{name}: {text}"[:1000] for row, text in found.items() if row not in bad}
    if not bad:
        return Shaped(_event(values, numbers, rows), list(range(values.num_rows)))
    good = [row for row in range(values.num_rows) if row not in bad]
    taken = places(good)
    rest = Wire(wire.stream, wire.schema, values.take(taken), wire.keys.take(taken) if wire.keys is not None else None)
    return Shaped(shape_rows(rest).rows, good, bad)


def columns_of(stream: Stream, schema: WriterSchema) -> tuple[RowColumn, ...]:
    """The source's columns.

    Raises `StoppedTable` when one of them cannot be carried, `WrongSchemaError` when it is no row envelope.
    """
    try:
        columns = schema.row_columns
        names = [column.source.warehouse_name for column in columns]
        for column in columns:
            _ = column.source.kind
    except KeyError as error:
        raise StoppedTable(
            stream.name,
            f"a column has the type {error}, which cannot be carried (schema {schema.id})",
            kept="its events stay in Kafka, nothing of them is loaded",
            todo="leave the column out with the connector's column.exclude.list",
        ) from error
    except WrongSchemaError:
        raise
    except ValueError as error:
        raise StoppedTable(
            stream.name,
            str(error),
            kept="its events stay in Kafka, nothing of them is loaded",
            todo="waybill connect apply (column.propagate.source.type must match every column)",
        ) from error
    taken = sorted({n for n in names if n in lineage.OWN or names.count(n) > 1})
    if taken:
        raise StoppedTable(
            stream.name,
            f"the column name {taken[0]!r} is taken, in lower case, by another column or by waybill",
            kept="its events stay in Kafka, nothing of them is loaded",
            todo="rename the column at the source",
        )
    return columns


def _checks(wire: Wire, columns: tuple[RowColumn, ...], numbers: pa.ChunkedArray) -> list[tuple[pa.ChunkedArray, str]]:
    values = wire.values
    database, _, table = wire.stream.name.partition(".")
    # A row of a snapshot belongs to no transaction.
    unstreamed = pc.and_(pc.invert(_is_streamed(values)), pc.is_null(values["transaction.id"]))
    own = pc.and_(
        pc.equal(values["transaction.id"], values["source.gtid"]),
        pc.and_(pc.is_valid(numbers), pc.greater(values["transaction.data_collection_order"], 0)),
    )
    return [
        (pc.is_in(values["op"], value_set=_KNOWN), "the operation is none of c, u, d, r, t"),
        (
            pc.fill_null(
                pc.and_(pc.equal(values["source.db"], database), pc.equal(values["source.table"], table)), False
            ),
            f"source.db and source.table are not those of {wire.stream.name}",
        ),
        *same_keys(wire, {column.wire.path[-1]: column.wire.name for column in columns}),
        (
            pc.or_(unstreamed, pc.fill_null(own, False)),
            "the GTID, the transaction id and the event's order within it do not agree",
        ),
    ]  # fmt: skip


def _is_streamed(values: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(values["op"], value_set=_STREAMED)


def _each_refused(wanted: Any, check: Callable[[Any], object]) -> dict[int, str]:
    """By row why `check` refuses it. `wanted` is a table or a column."""
    found: dict[int, str] = {}
    for row in range(len(wanted)):
        try:
            check(wanted.slice(row, 1))
        except _REFUSED as error:
            found[row] = str(error)[:1000] or type(error).__name__
    return found


def _exact(column: RowColumn, wanted: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column's values in their exact type. Raises one of `_REFUSED` for what it cannot hold."""
    made = convert(column, wanted)
    refuse_misfit(column.source, made)
    return made


def committed_at(values: pa.Table) -> pa.ChunkedArray:
    """Commit time at the source, UTC, microseconds."""
    found = values["source.ts_us"].cast(pa.int64())
    if found.null_count:
        whole = pc.if_else(pc.is_null(found), values["source.ts_ms"].cast(pa.int64()), None)
        found = pc.coalesce(found, pc.multiply_checked(whole, 1000))
    return micros(found, "us")


def _own_fit(values: pa.Table) -> None:
    """Raises one of `_REFUSED` when waybill's own columns cannot hold what the source block says."""
    refuse_time(committed_at(values))
    for name, most in _OWN_LENGTHS.items():
        refuse_long(values[name], most)


def _event(values: pa.Table, numbers: pa.ChunkedArray, rows: dict[str, pa.ChunkedArray]) -> pa.Table:
    streamed = _is_streamed(values)
    found = {
        "_op": values["op"],
        "_gtid": values["source.gtid"],
        "_gtid_number": pc.if_else(streamed, numbers, None),
        "_tx_id": values["transaction.id"],
        "_tx_order": values["transaction.data_collection_order"],
        "_tx_total_order": values["transaction.total_order"],
        # The converter strips defaults, so that a row of the stream carries no mark at all.
        "_snapshot": pc.fill_null(values["source.snapshot"], "false"),
        "_server_id": values["source.server_id"],
        "_binlog_file": values["source.file"],
        "_binlog_pos": values["source.pos"],
        "_binlog_row": values["source.row"],
        "_committed_at": committed_at(values),
    }
    own = lineage.shaped(pa.table(found), raw.EVENT)
    return pa.table([*own.columns, *rows.values()], names=[*own.column_names, *rows])
