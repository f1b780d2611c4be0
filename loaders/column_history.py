"""`source_changes` and `source_columns`: what is read and written of a table's history, one statement each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from warehouse.session import Session
from waybill.errors import RefusedError
from waybill.gtid import Gtid, GtidSet
from waybill.source_changes.history import NO_MOMENT, Entry, History, Moment, Open, Version
from waybill.source_changes.message import Message, unpacked
from waybill.types import SourceColumn

_CHANGES = "settlement_public.source_changes"
_MESSAGE = (
    "_topic_id, _offset, ddl, database_name, table_name, change_type, table_columns, statement_gtid, snapshot,"
    " changed_at"
)


@dataclass(frozen=True)
class Change:
    """One row of `source_changes`, to be recorded. `began`: GTID and time of the statement."""

    table: str
    kind: str  # begin, schema, note, truncate
    version: int | None = None
    topic_id: str = ""
    offset: int = -1
    began: Moment = NO_MOMENT
    ddl: str = ""
    table_columns: str | None = None
    what: str = ""
    state: str = "applied"
    must_read: str = ""

    def but(self, **changes: Any) -> Change:
        return replace(self, **changes)


def record(session: Session, change: Change) -> None:
    """Add a row. The caller holds the table's lock."""
    session.run(
        f"INSERT INTO {_CHANGES} (table_name, change_id, kind, version, topic_id, change_offset, gtid, changed_at, ddl,"
        " table_columns, what, state, must_read, read_how, decided_by, reason)"
        f" SELECT %s, coalesce(max(change_id), 0) + 1, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, '', '', ''"
        f" FROM {_CHANGES}",
        (
            change.table, change.kind, change.version, change.topic_id, change.offset, change.began.gtid,
            change.began.at, change.ddl, change.table_columns, change.what, change.state, change.must_read,
        ),
        doing=f"recording a change of {change.table}",
    )  # fmt: skip


def history(session: Session, table: str) -> History:
    """All that is known; empty when the table was never recorded."""
    columns = session.rows(
        "SELECT * FROM settlement_public.source_columns WHERE table_name = %s", (table,),
        doing=f"reading the columns of {table}",
    )  # fmt: skip
    changes = session.rows(
        f"SELECT change_id, kind, version, gtid, changed_at, ddl, what, state FROM {_CHANGES}"
        " WHERE table_name = %s ORDER BY change_id",
        (table,),
        doing=f"reading the changes of {table}",
    )
    entries = tuple(
        Entry(
            SourceColumn(
                r["column_name"], r["source_type"], r["length"], r["scale"], r["nullable"], r["width"]
            ),
            r["warehouse_name"], r["place"], r["default_text"], r["added_version"], r["dropped_version"],
        )
        for r in columns
    )  # fmt: skip
    return History(
        table,
        entries,
        tuple(
            Version(r["version"], Moment() if r["kind"] == "begin" else _moment(r))
            for r in sorted((c for c in changes if c["version"] is not None), key=lambda c: c["version"])
        ),
        tuple(
            Open(r["change_id"], r["kind"], _moment(r), r["what"], r["ddl"]) for r in changes if r["state"] == "open"
        ),
    )


def write_columns(session: Session, known: History) -> None:
    """Put the history's columns in the place of those recorded."""
    session.run("DELETE FROM settlement_public.source_columns WHERE table_name = %s", (known.table,))
    for e in known.entries:
        session.run(
            "INSERT INTO settlement_public.source_columns (table_name, column_name, warehouse_name, place, source_type,"
            " length, scale, nullable, width, default_text, added_version, dropped_version)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                known.table, e.column.name, e.warehouse_name, e.place, e.column.type, e.column.length, e.column.scale,
                e.column.nullable, e.column.width, e.default, e.added, e.dropped,
            ),
        )  # fmt: skip


def loaded(session: Session) -> tuple[str, int]:
    """(topic id, next offset) of the schema-change topic in the warehouse; ('', 0) when nothing was read."""
    found = session.row(
        "SELECT topic_id, next_offset FROM settlement_public.schema_change_raw_positions"
        " ORDER BY next_offset DESC LIMIT 1",
        doing="asking how far the schema changes are loaded",
    )
    return (found["topic_id"], int(found["next_offset"])) if found else ("", 0)


def messages(session: Session, table: str) -> list[Message]:
    """The statements loaded and not recorded yet that may concern the table, in their order.

    What MySQL had executed when the table was first described is left out.
    """
    begun = session.row(
        f"SELECT gtid FROM {_CHANGES} WHERE table_name = %s AND kind = 'begin'", (table,),
    )  # fmt: skip
    executed = GtidSet.parse(begun["gtid"] if begun else "")
    rows = session.rows(
        f"SELECT DISTINCT {_MESSAGE} FROM settlement_public.schema_change_raw m"
        " WHERE (m.table_name = %s OR lower(m.ddl) LIKE '%%rename%%')"
        f" AND m._offset > (SELECT coalesce(max(c.change_offset), -1) FROM {_CHANGES} c"
        "   WHERE c.table_name = %s AND c.topic_id = m._topic_id)"
        " ORDER BY m._offset",
        (table, table),
        doing=f"reading the statements that changed {table}",
    )
    return [message for message in map(_message, rows) if not _before(message, executed)]


def statements_of(session: Session, table: str, until: Message) -> list[str]:
    """The statements that made a table what it was when it was renamed, since it was created."""
    rows = session.rows(
        "SELECT DISTINCT _offset, ddl, change_type FROM settlement_public.schema_change_raw"
        " WHERE table_name = %s AND _topic_id = %s AND _offset < %s ORDER BY _offset",
        (table, until.topic_id, until.offset),
    )
    first = max((i for i, row in enumerate(rows) if row["change_type"] == "CREATE"), default=-1)
    return [row["ddl"] for row in rows[first + 1 :]]


def columns_text(session: Session, message: Message) -> str | None:
    """A message's columns as they are kept in raw."""
    row = session.row(
        "SELECT table_columns FROM settlement_public.schema_change_raw"
        " WHERE _topic_id = %s AND _offset = %s AND table_name = %s",
        (message.topic_id, message.offset, message.table),
    )
    return row["table_columns"] if row else None


def truncate(session: Session, table: str, gtid: str) -> str | None:
    """The state of a TRUNCATE; None when it is not recorded."""
    row = session.row(
        f"SELECT state FROM {_CHANGES} WHERE table_name = %s AND kind = 'truncate' AND gtid = %s", (table, gtid)
    )
    return row["state"] if row else None


def change(session: Session, table: str, change_id: int) -> Change:
    """One recorded change. Raises `RefusedError` when it is no longer open."""
    row = session.row(
        f"SELECT * FROM {_CHANGES} WHERE table_name = %s AND change_id = %s AND state = 'open'", (table, change_id)
    )
    if row is None:
        raise RefusedError(f"change {change_id} of {table} is decided already", todo="waybill tables list")
    return Change(
        table, row["kind"], row["version"], row["topic_id"], row["change_offset"], _moment(row), row["ddl"],
        row["table_columns"], row["what"], row["state"], row["must_read"],
    )  # fmt: skip


def decide(
    session: Session, table: str, change_id: int, version: int | None, how: str, must: str, by: str, reason: str
) -> None:
    """Write a decision into an open change; what it asks to be read again is added to what it asked before."""
    session.run(
        f"UPDATE {_CHANGES} SET version = %s, state = %s, decided_by = %s, reason = %s,"
        " must_read = must_read || CASE WHEN must_read <> '' AND %s <> '' THEN '; ' ELSE '' END || %s,"
        " decided_at = timezone('UTC', clock_timestamp()) WHERE table_name = %s AND change_id = %s",
        (version, how, by, reason, must, must, table, change_id),
        doing=f"deciding on a change of {table}",
    )


def asked_again(session: Session, table: str, how: str) -> None:
    """Note on the table's marks how a new reading was asked for."""
    session.run(
        f"UPDATE {_CHANGES} SET read_how = %s WHERE table_name = %s AND must_read <> '' AND read_at IS NULL",
        (how, table),
    )


def proved(session: Session, table: str, cut: GtidSet | None) -> list[str]:
    """End the marks of statements that the cut holds; why the others stand."""
    left = []
    for row in session.rows(
        f"SELECT change_id, gtid, must_read FROM {_CHANGES}"
        " WHERE table_name = %s AND must_read <> '' AND read_at IS NULL ORDER BY change_id",
        (table,),
        doing=f"reading whether {table} is to be read again",
    ):
        try:
            reached = cut is not None and (not row["gtid"] or Gtid.parse(row["gtid"]) in cut)
        except ValueError:
            reached = True
        if not reached:
            left.append(row["must_read"])
            continue
        session.run(
            f"UPDATE {_CHANGES} SET read_at = timezone('UTC', clock_timestamp()),"
            " read_how = CASE WHEN read_how = '' THEN 'found equal' ELSE read_how || '; found equal' END"
            " WHERE table_name = %s AND change_id = %s",
            (table, row["change_id"]),
        )
    return left


def paused(session: Session, table: str) -> str:
    """Who paused the table and why; '' when nobody did."""
    row = session.row(
        "SELECT paused_by, reason, paused_at FROM settlement_public.table_pauses"
        " WHERE table_name = %s AND resumed_at IS NULL ORDER BY paused_at LIMIT 1",
        (table,),
        doing="asking for paused tables",
    )
    if row is None:
        return ""
    return f"paused by {row['paused_by']} since {row['paused_at']:%Y-%m-%d %H:%M:%S} UTC: {row['reason']}"


def _moment(row: dict[str, Any]) -> Moment:
    return Moment(row["gtid"], row["changed_at"])


def _message(row: dict[str, Any]) -> Message:
    columns, defaults, members = unpacked(row["table_columns"])
    return Message(
        row["_topic_id"], row["_offset"], row["ddl"], row["database_name"], row["table_name"], row["change_type"],
        columns, defaults, members, bool(row["snapshot"]), Moment(row["statement_gtid"] or "", row["changed_at"]),
    )  # fmt: skip


def _before(message: Message, executed: GtidSet) -> bool:
    try:
        return bool(message.began.gtid) and Gtid.parse(message.began.gtid) in executed
    except ValueError:
        return False
