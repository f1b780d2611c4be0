"""From a micro-batch of messages to one Arrow table: the stage between reading and writing.

Messages are grouped by the schema they were written with, each group decoded at once, what is bad set aside
with its bytes untouched. Tombstones only move the position.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import methodcaller
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from consumers.dead_letters.bounds import Bounds, Exceeded
from consumers.dead_letters.unknown import UnknownSchemas
from consumers.debezium_topics import shape_notifications, shape_schema_changes, shape_transactions
from consumers.decoder import HEADER, Decoder
from consumers.fitting import Fitting
from consumers.messages import Messages, MicroBatch
from consumers.ports import DeadLetter, Schemas
from consumers.rows import columns_of, shape_rows
from consumers.shapes import Shaped, Shaping, Wire, places
from consumers.streams import Shape, Stream
from consumers.values import arrow_type, micros
from consumers.writer_schema import WriterSchema, WrongSchemaError
from waybill.errors import StoppedTable, UnknownSchema, WaybillError
from waybill.source_changes.history import Moment

_SHAPING: dict[Shape, Shaping] = {
    Shape.ROWS: shape_rows,
    Shape.TRANSACTIONS: shape_transactions,
    Shape.NOTIFICATIONS: shape_notifications,
    Shape.SCHEMA_CHANGES: shape_schema_changes,
}
_MAGIC = 0
# Indexes of messages by the ids of their value's and key's schema.
_Groups = dict[tuple[int, int | None], list[int]]


@dataclass
class DecodedBatch:
    """The span `[first_offset, next_offset)` of a partition as rows and dead letters.

    `rest` is what follows in the same micro-batch but has to be written apart. When `stopped` is set, nothing
    at or after `next_offset` may be loaded before a person has decided.
    """

    first_offset: int
    next_offset: int
    table: pa.Table
    letters: list[DeadLetter] = field(default_factory=list)
    bad_in_a_row: int = 0
    rest: MicroBatch | None = None
    stopped: StoppedTable | None = None


class Decoding:
    """Decodes micro-batches. `bounds` is how many bad messages are too many (a number: so many in a row).

    Without `unknown` a schema id that the registry does not know only waits; without `fitting` rows are taken as they
    are. May be used by several threads.
    """

    def __init__(
        self, schemas: Schemas, decoder: Decoder, bounds: Bounds | int, unknown: UnknownSchemas | None = None,
        fitting: Fitting | None = None,
    ) -> None:  # fmt: skip
        self._schemas = schemas
        self._decoder = decoder
        self._bounds = Bounds(bounds, 100, 1) if isinstance(bounds, int) else bounds
        self._unknown = unknown
        self._fitting = fitting
        self._judging = threading.Lock()
        self._parsed: dict[int, WriterSchema] = {}

    def decode(self, stream: Stream, partition: int, batch: MicroBatch, bad_before: int = 0) -> DecodedBatch:
        """`bad_before` counts the bad messages that came directly before this batch.

        Raises `UnreachableError` when a schema cannot be had (ask again), `StoppedTable` when nothing of the
        batch may be loaded.
        """
        groups, bad = self._grouped(stream, batch)
        unknown = self._missing(stream, partition, batch, groups, bad)
        apart = unknown[0] if unknown else self._conflict(stream, groups)
        if apart:
            head, rest = batch.split(apart)
            decoded = self.decode(stream, partition, head, bad_before)
            if decoded.stopped is None and unknown and isinstance(unknown[1], StoppedTable):
                decoded.stopped = unknown[1]
            elif decoded.stopped is None:
                decoded.rest = rest
            return decoded
        if unknown:
            raise unknown[1]
        parts: list[pa.Table] = []
        for (value_id, key_id), indexes in groups.items():
            made = self._shaped(stream, batch, value_id, key_id, indexes)
            while made.truncated is not None:
                index = indexes[made.truncated]
                stopped = self._truncate(stream, partition, batch.messages.offsets[index], made.truncated_at)
                if stopped is not None:
                    return self._stopped_at(stream, partition, batch, index, stopped, bad_before)
                indexes = [other for other in indexes if other != index]
                made = self._shaped(stream, batch, value_id, key_id, indexes)
            bad |= {indexes[row]: text for row, text in made.bad.items()}
            part = _with_message(made, batch, value_id, indexes)
            try:
                parts.append(self._fitted(stream, value_id, part))
            except StoppedTable as stopped:
                return self._stopped_at(stream, partition, batch, indexes[0], stopped, bad_before)
        in_a_row = self._judge(stream, partition, batch, bad, bad_before)
        letters = [
            DeadLetter(stream.topic, partition, *batch.messages[index], error) for index, error in sorted(bad.items())
        ]
        return DecodedBatch(batch.first_offset, batch.next_offset, _joined(parts), letters, in_a_row)

    def _grouped(self, stream: Stream, batch: MicroBatch) -> tuple[_Groups, dict[int, str]]:
        """The messages by their schemas, and those without readable ids."""
        groups: dict[tuple[bytes, bytes | None], list[int]] = {}
        bad: dict[int, str] = {}
        one = _one_header(batch.messages)
        if one is not None:
            return {one: list(range(len(batch.messages)))}, {}
        for index, (key, value) in enumerate(zip(batch.messages.keys, batch.messages.values, strict=True)):
            if value is None:
                continue
            for what, data in (("value", value), ("key", key)):
                if data is not None and (len(data) < HEADER or data[0] != _MAGIC):
                    bad[index] = f"the {what} does not begin with a zero byte and a schema id ({len(data)} bytes)"
                    break
            else:
                groups.setdefault((value[:HEADER], key[:HEADER] if key is not None else None), []).append(index)
        found = {
            (_schema_id(value), _schema_id(key) if key else None): indexes for (value, key), indexes in groups.items()
        }
        return found, bad

    def _missing(
        self, stream: Stream, partition: int, batch: MicroBatch, groups: _Groups, bad: dict[int, str]
    ) -> tuple[int, WaybillError] | None:
        """Index of the first message whose schema the registry does not know, and the error that says so.

        Those that a person decided to set aside go from `groups` to `bad`.
        """
        missing: dict[int, UnknownSchema] = {}
        for value_id, key_id in list(groups):
            for schema_id in (value_id, key_id):
                try:
                    if schema_id is not None:
                        self._schema(schema_id)
                except UnknownSchema as error:
                    missing |= dict.fromkeys(groups.pop((value_id, key_id)), error)
                    break
                except WrongSchemaError:
                    continue  # said where the group is decoded
        if not missing:
            return None
        first = min(missing)
        if self._unknown is None:
            return first, missing[first]
        offsets = batch.messages.offsets
        decided = self._unknown.set_aside(stream, partition, [offsets[index] for index in sorted(missing)])
        for index, unknown in missing.items():
            if offsets[index] in decided:
                bad[index] = f"{unknown.what}; set aside by {decided[offsets[index]]}"
        left = [index for index in missing if index not in bad]
        if not left:
            return None
        return min(left), self._unknown.error(missing[min(left)], stream, partition, offsets[min(left)])

    def _schema(self, schema_id: int) -> WriterSchema:
        if schema_id not in self._parsed:
            text = self._schemas.text(schema_id)
            if self._unknown is not None:
                self._unknown.known(schema_id)
            try:
                self._parsed[schema_id] = WriterSchema(schema_id, text)
            except Exception as error:
                raise WrongSchemaError(f"schema {schema_id} is not an Avro schema: {error}") from error
        return self._parsed[schema_id]

    def _conflict(self, stream: Stream, groups: _Groups) -> int:
        """Index of the first message whose schema gives a column another type than one before it; 0 when none does."""
        if stream.shape is not Shape.ROWS or len({value_id for value_id, _ in groups}) < 2:
            return 0
        types: dict[str, pa.DataType] = {}
        for (value_id, _), indexes in sorted(groups.items(), key=lambda item: item[1][0]):
            try:
                columns = self._schema(value_id).row_columns
                found = {column.source.warehouse_name: arrow_type(column.source) for column in columns}
            except (ValueError, KeyError):
                continue  # said where the group is decoded
            if any(types.get(name, kind) != kind for name, kind in found.items()):
                return indexes[0]
            types |= found
        return 0

    def _shaped(
        self, stream: Stream, batch: MicroBatch, value_id: int, key_id: int | None, indexes: list[int]
    ) -> Shaped:
        """Rows, origins and bad ones by their place in `indexes`."""
        messages = batch.messages
        try:
            schema = self._schema(value_id)
            if stream.shape is Shape.ROWS:
                columns_of(stream, schema)
            values = self._decoder.decode(schema, stream.shape, _chosen(messages.values, indexes))
            keys, bad, good = None, values.bad, values.good
            table = values.table
            if key_id is not None:
                chosen = indexes if len(good) == len(indexes) else [indexes[i] for i in good]
                found = self._decoder.decode(self._schema(key_id), None, _chosen(messages.keys, chosen))
                keys = found.table
                if found.bad:
                    bad = bad | {good[i]: f"key: {text}" for i, text in found.bad.items()}
                    table, good = table.take(places(found.good)), [good[i] for i in found.good]
            made = _SHAPING[stream.shape](Wire(stream, schema, table, keys))
        except WrongSchemaError as error:
            return Shaped(pa.table({}), [], dict.fromkeys(range(len(indexes)), str(error)))
        return Shaped(
            made.rows,
            [good[row] for row in made.origins],
            bad | {good[row]: text for row, text in made.bad.items()},
            None if made.truncated is None else good[made.truncated],
            made.truncated_at,
        )

    def _fitted(self, stream: Stream, value_id: int, part: pa.Table) -> pa.Table:
        if self._fitting is None or stream.shape is not Shape.ROWS or not part.num_rows:
            return part
        columns = [column.source for column in columns_of(stream, self._schema(value_id))]
        return self._fitting.fit(stream, columns, part)

    def _truncate(self, stream: Stream, partition: int, offset: int, moment: Moment) -> StoppedTable | None:
        """Why a TRUNCATE stops the table; None when it was decided on."""
        if self._fitting is not None:
            return self._fitting.truncated(stream, moment, partition, offset)
        return StoppedTable(
            stream.name, f"TRUNCATE at the source ({stream.topic} partition {partition}, offset {offset})"
        )

    def _stopped_at(
        self, stream: Stream, partition: int, batch: MicroBatch, index: int, stopped: StoppedTable, bad_before: int
    ) -> DecodedBatch:
        """What lies before the message at `index` may be loaded, it and what follows may not."""
        if index == 0:
            raise stopped
        decoded = self.decode(stream, partition, batch.split(index)[0], bad_before)
        decoded.stopped = decoded.stopped or stopped
        return decoded

    def _judge(self, stream: Stream, partition: int, batch: MicroBatch, bad: dict[int, str], before: int) -> int:
        """How many bad messages stand in a row at the batch's end. Raises `StoppedTable` beyond a bound."""
        messages = batch.messages
        offsets: Sequence[int] = messages.offsets
        if None in messages.values:
            offsets = [offset for offset, value in zip(offsets, messages.values, strict=True) if value is not None]
        errors = {messages.offsets[index]: text for index, text in bad.items()}
        with self._judging:
            found = self._bounds.judge(stream.name, (stream.topic, partition), offsets, errors.keys(), before)
        if isinstance(found, Exceeded):
            raise StoppedTable(
                stream.name,
                f"{found.what} up to {stream.topic} partition {partition}, offset {found.offset};"
                f" the last: {errors[found.offset]}",
                kept="none of this batch was set aside or loaded, all of it stays in Kafka",
                todo=f"look at who writes the topic; to go on, raise {found.setting}",
            )
        return found


def _one_header(messages: Messages) -> tuple[int, int | None] | None:
    """The schema ids that all messages share, as nearly always; None when they differ or one is not readable."""
    value, key = _shared(messages.values), _shared(messages.keys)
    if value is None or (key is None and any(key is not None for key in messages.keys)):
        return None
    return _schema_id(value), None if key is None else _schema_id(key)


def _shared(found: list[bytes | None]) -> bytes | None:
    """The magic byte and schema id with which every one of these begins; None when they do not."""
    header = (found[0] or b"")[:HEADER] if found else b""
    if len(header) < HEADER or header[0] != _MAGIC:
        return None
    begins: Callable[[Any], bool] = methodcaller("startswith", header)
    try:
        return header if all(map(begins, found)) else None
    except AttributeError:  # None: a tombstone, or a message without a key
        return None


def _chosen(found: list[bytes | None], indexes: list[int]) -> list[bytes]:
    """Those at `indexes`, in order; nearly always all of them."""
    if len(indexes) == len(found) and all(found):
        return cast(list[bytes], found)
    return [found[index] or b"" for index in indexes]


def _schema_id(header: bytes) -> int:
    return int.from_bytes(header[1:HEADER], "big")


def _with_message(made: Shaped, batch: MicroBatch, schema_id: int, indexes: list[int]) -> pa.Table:
    """Put what is known of each row's message in front of it."""
    origins = pa.array(indexes, pa.int64()).take(places(made.origins))
    produced = pa.chunked_array([pa.array(batch.messages.times, pa.int64()).take(origins)])
    front = {
        "_offset": pa.chunked_array([pa.array(batch.messages.offsets, pa.int64()).take(origins)]),
        "_produced_at": micros(produced, "ms"),
        "_schema_id": pa.chunked_array([pa.repeat(pa.scalar(schema_id, pa.int32()), len(origins))]),
    }
    return pa.table([*front.values(), *made.rows.columns], names=[*front, *made.rows.column_names])


def _joined(parts: list[pa.Table]) -> pa.Table:
    """All parts in the order of their offsets; a column that a part lacks is NULL in it."""
    filled = [part for part in parts if part.num_rows]
    if len(filled) < 2:
        return filled[0] if filled else pa.table({})
    joined = pa.concat_tables(filled, promote_options="default")
    return joined.take(pc.sort_indices(joined["_offset"]))
