"""Do the rows of a batch fit the tables they go to? The stage between decoding and writing.

Before rows are let through, every statement that stood in the schema-change topic is loaded and applied: a column
that was added is there, with its constant. Each row finds the columns of its own time, by its schema and, where the
table had that shape more than once, by its place in the binlog. So old events load after the change as before it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from consumers.ports import Topics
from consumers.streams import Stream
from consumers.values import arrow_type
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnreachableError
from waybill.source_changes import constants
from waybill.source_changes.compare import signature
from waybill.source_changes.history import History, Moment, Open, Version
from waybill.types import SourceColumn

_PAUSE_SECONDS = 1.0
_KEPT = "every event before it is loaded, this one and those after it stay in Kafka; no mart was changed"


class Changes(Protocol):
    """What the warehouse knows of the source's changes. Every call may raise `UnreachableError`."""

    def loaded(self) -> tuple[str, int]:
        """(topic id, next offset) up to which the schema-change topic is loaded."""

    def paused(self, table: str) -> str:
        """Who paused the table and why; '' when nobody did."""

    def advance(self, table: str) -> History:
        """Apply what was loaded since, up to a change that waits for a decision."""

    def unexplained(self, table: str, columns: Sequence[SourceColumn], began: Moment) -> History:
        """Judge a shape that no statement tells of."""

    def truncated(self, table: str, gtid: str, began: Moment) -> bool:
        """Whether this TRUNCATE was decided on."""


class Fitting:
    """Remembers what it read of each table until the schema-change topic has more. For several threads."""

    def __init__(self, changes: Changes, topics: Topics, topic: str, clock: Clock) -> None:
        self._changes, self._topics, self._topic, self._clock = changes, topics, topic, clock
        self._read_to = -1
        self._known: dict[str, History] = {}
        self._paused: dict[str, tuple[float, str]] = {}
        self._turn = threading.RLock()

    def fit(self, stream: Stream, columns: Sequence[SourceColumn], rows: pa.Table) -> pa.Table:
        """The rows under the names that the warehouse keeps their columns by.

        `rows` have waybill's own columns, then the source's by their lower-case names. Raises `StoppedTable` when
        they must not be loaded before a person has decided, `UnreachableError` when that is not known yet.
        """
        with self._turn:
            self._refuse_paused(stream)
            history = self._history(stream.name)
            wanted = signature(columns)
            found = history.matching(wanted)
            if not found:
                history, found = self._new_shape(stream, history, columns, rows)
        parts = [_named(history, version, columns, part) for version, part in _by_version(found, rows)]
        return pa.concat_tables(parts, promote_options="default") if len(parts) > 1 else parts[0]

    def truncated(self, stream: Stream, moment: Moment, partition: int, offset: int) -> StoppedTable | None:
        """Why a TRUNCATE stops the table; None once it was decided on."""
        with self._turn:
            if self._changes.truncated(stream.name, moment.gtid, moment):
                return None
        return StoppedTable(
            stream.name,
            f"TRUNCATE at the source ({stream.topic} partition {partition}, offset {offset})",
            kept="every event before it is loaded, every event after it stays in Kafka; no mart was emptied",
            todo=_decide(stream.name, "leave the mart's rows that stood before it to be deleted", "the table"),
        )

    def forget(self, table: str) -> None:
        """Ask again at the next batch, because a person may have decided."""
        self._known.pop(table, None)

    def _refuse_paused(self, stream: Stream) -> None:
        asked, why = self._paused.get(stream.name, (-_PAUSE_SECONDS, ""))
        now = self._clock.monotonic()
        if now - asked >= _PAUSE_SECONDS:
            why = self._changes.paused(stream.name)
            self._paused[stream.name] = (now, why)
        if why:
            raise StoppedTable(
                stream.name, why, kept="what is not loaded stays in Kafka, nothing of it is held in memory",
                todo=f"waybill tables resume {stream.name} --reason TEXT",
            )  # fmt: skip

    def _history(self, table: str) -> History:
        """Up to date with everything that stands in the schema-change topic now."""
        info = self._topics.describe([self._topic]).get(self._topic)
        end = self._topics.ends([(self._topic, 0)])[self._topic, 0].stable if info else 0
        if end > self._read_to:
            topic_id, reached = self._changes.loaded()
            if info is not None and (topic_id not in ("", info.topic_id) or reached < end):
                raise UnreachableError(
                    f"{table} waits: the schema changes are loaded up to offset {reached} of {end}",
                    todo=f"waybill lag shows {self._topic}; waybill consume carries it",
                )
            self._read_to = end
            self._known.clear()
        if table not in self._known:
            self._known[table] = self._changes.advance(table)
        return self._known[table]

    def _new_shape(
        self, stream: Stream, history: History, columns: Sequence[SourceColumn], rows: pa.Table
    ) -> tuple[History, list[Version]]:
        history = self._changes.advance(stream.name)
        found = history.matching(signature(columns))
        waiting = [one for one in history.open if one.kind == "schema"]
        if not found and not waiting:
            first = rows.slice(0, 1).to_pylist()
            moment = Moment(first[0]["_gtid"] or "", first[0]["_committed_at"]) if first else Moment()
            history = self._changes.unexplained(stream.name, columns, moment)
            found = history.matching(signature(columns))
            waiting = [one for one in history.open if one.kind == "schema"]
        if not found:
            raise self._stopped(stream, waiting, rows)
        self._known[stream.name] = history
        return history, found

    def _stopped(self, stream: Stream, waiting: Sequence[Open], rows: pa.Table) -> StoppedTable:
        self.forget(stream.name)
        what = waiting[0].what if waiting else "its events have columns that the warehouse cannot take"
        place = f", from offset {rows['_offset'][0]} on" if rows.num_rows else ""
        ddl = f", by: {waiting[0].ddl[:500]}" if waiting and waiting[0].ddl else ""
        return StoppedTable(
            stream.name, f"{what} ({stream.topic}{place}{ddl})", kept=_KEPT,
            todo=_decide(stream.name, "change raw and mart likewise", "the table"),
        )  # fmt: skip


def _decide(table: str, take: str, again: str) -> str:
    return (
        f"choose: `waybill schema accept {table} --take --reason TEXT` ({take}),"
        f" or `waybill schema accept {table} --read-again --reason TEXT` (read {again} again)"
    )


def _by_version(found: Sequence[Version], rows: pa.Table) -> list[tuple[Version, pa.Table]]:
    """The rows of each version. What is before all of them belongs to the first."""
    if len(found) == 1:
        return [(found[0], rows)]
    chosen: dict[int, list[int]] = {}
    for place, (gtid, at) in enumerate(zip(rows["_gtid"].to_pylist(), rows["_committed_at"].to_pylist(), strict=True)):
        index = max((i for i, version in enumerate(found) if version.began.reached_by(gtid, at)), default=0)
        chosen.setdefault(index, []).append(place)
    if len(chosen) == 1:
        return [(found[next(iter(chosen))], rows)]
    return [(found[index], rows.take(pa.array(places, pa.int64()))) for index, places in chosen.items()]


def _named(history: History, version: Version, columns: Sequence[SourceColumn], rows: pa.Table) -> pa.Table:
    """Each column under its warehouse name; columns that came later with their constant, dropped ones NULL."""
    kept = {e.column.warehouse_name: e.warehouse_name for e in history.at(version.number)}
    names = [kept.get(name, name) for name in rows.column_names]
    arrays = list(rows.columns)
    for name, entry in history.defaults(version.number).items():
        column = entry.column if entry else _last(history, name)
        kind = arrow_type(column)
        constant = pa.scalar(constants.value(column, entry.default) if entry else None, kind)
        arrays.append(pa.chunked_array([pa.repeat(constant, rows.num_rows)]))
        names.append(name)
    return pa.table(arrays, names=names)


def _last(history: History, name: str) -> SourceColumn:
    return max((e for e in history.entries if e.warehouse_name == name), key=lambda e: e.added).column
