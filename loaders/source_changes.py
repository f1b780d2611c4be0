"""The source's changes as the warehouse knows them: read from `schema_change_raw`, applied to raw and marts, kept.

Every writer holds the lock of `source_changes`, so that two consumers that meet the same change apply it once. What a
change asks for (a column added, widened) and its record are one short transaction, never inside a load.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from loaders import column_history as kept
from loaders.ports import Connect
from warehouse.evolution import follow
from warehouse.session import Session
from waybill.errors import SettingsError, UnreachableError
from waybill.gtid import GtidSet
from waybill.raw import MART_SCHEMA, RAW_SCHEMA
from waybill.source_changes import constants
from waybill.source_changes.compare import Difference, What, differences
from waybill.source_changes.history import History, Moment
from waybill.source_changes.message import Message, packed_columns, unpacked
from waybill.source_changes.plan import Step, next_version, why_read_again, zoned
from waybill.source_changes.statement import Statement, read
from waybill.types import SourceColumn

_T = TypeVar("_T")
_LOCK = "LOCK TABLE settlement_public.source_changes IN EXCLUSIVE MODE"
_LOCK_SECONDS = 5.0
_JOIN = "\n;\n"


class SourceChanges:
    """`subjects` are by source table the tables that follow it, each (schema, name), its raw table first.

    May be used by several threads. Every call raises `UnreachableError` while the warehouse does not answer or
    somebody holds a table that has to change: call again.
    """

    def __init__(self, connect: Connect, subjects: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        self._connect, self._subjects = connect, subjects
        self._session: Session | None = None
        self._turn = threading.RLock()

    def loaded(self) -> tuple[str, int]:
        """(topic id, next offset) up to which the schema-change topic is in the warehouse."""
        return self._asked(kept.loaded)

    def paused(self, table: str) -> str:
        """Who paused the table, since when and why; '' when nobody did."""
        return self._asked(lambda session: kept.paused(session, table))

    def history(self, table: str) -> History:
        """What is known, without looking for more. Raises `SettingsError` when nothing is."""
        return self._asked(lambda session: self._known(session, table))

    def advance(self, table: str) -> History:
        """Apply what was loaded of the schema-change topic since; up to a change that waits for a decision."""

        def run(session: Session) -> History:
            history = self._known(session, table)
            if not any(one.kind == "schema" for one in history.open):
                for message in kept.messages(session, table):
                    history = self._take(session, history, message)
                    if any(one.kind == "schema" for one in history.open):
                        break
            return history

        return self._locked(run)

    def unexplained(self, table: str, columns: Sequence[SourceColumn], began: Moment) -> History:
        """Events have a shape that no statement tells of: it is judged by itself, as if a statement had made it."""

        def run(session: Session) -> History:
            history = self._known(session, table)
            found = _width_kept(columns, history)
            message = Message("", -1, "", "", table, "", found, {}, {}, False, began)
            return self._judge(session, history, message, None, [])

        return self._locked(run)

    def truncated(self, table: str, gtid: str, began: Moment) -> bool:
        """Whether a decision on this TRUNCATE was taken; records that one is wanted."""

        def run(session: Session) -> bool:
            known = kept.truncate(session, table, gtid)
            if known is None:
                kept.record(session, kept.Change(table, "truncate", began=began, ddl="TRUNCATE", what="TRUNCATE",
                                                 state="open"))  # fmt: skip
            return known not in (None, "open")

        return self._locked(run)

    def accept(self, table: str, how: str, reason: str, by: str) -> list[str]:
        """Decide what is open; `how` is take or read again. Answers what was decided, nothing when nothing was open.

        Reading again marks the table, also when nothing was open.
        """

        def run(session: Session) -> list[str]:
            history, said = self._known(session, table), []
            for one in history.open:
                change = kept.change(session, table, one.change_id)
                must = [] if how == "take" else [f"{one.what}: to be read again, {by} decided"]
                if one.kind == "schema":
                    columns = unpacked(change.table_columns)[0] or ()
                    statement = _read_all(change.ddl, table) if change.ddl else None
                    found = differences([e.column for e in history.current], columns, statement)
                    defaults, _ = _defaults(found, change.table_columns, statement)
                    history, steps = next_version(
                        history, found, columns, defaults, one.began, follow_renames=how == "take"
                    )
                    self._follow(session, table, steps)
                    kept.write_columns(session, history)
                    must = must or why_read_again(found, set())
                kept.decide(session, table, one.change_id, history.newest if one.kind == "schema" else None, how,
                            "; ".join(must), by, reason)  # fmt: skip
                said.append(one.what)
            if how != "take" and not said:
                kept.record(session, kept.Change(table, "note", must_read=f"{by} asked for it: {reason}"))
            return said

        return self._locked(run)

    def asked_again(self, table: str, how: str) -> None:
        """The table's marks: a new reading was asked for, by this signal."""
        self._locked(lambda session: kept.asked_again(session, table, how))

    def proved(self, table: str, cut: GtidSet | None) -> list[str]:
        """The table was found equal to its source at `cut` (None: it was not): its marks up to there are done.

        Answers those left.
        """
        return self._locked(lambda session: kept.proved(session, table, cut))

    def close(self) -> None:
        """Close the session, if one is open."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _take(self, session: Session, history: History, message: Message) -> History:
        """One message of the topic. Nothing is recorded of one that changes nothing for this table."""
        statement = read(message.ddl, message.database)
        table = history.table
        away = next((new for old, new in statement.renamed_tables if old == table), "")
        if message.table != table:
            if away:
                self._note(
                    session, message, table, f"the table was renamed to {away}: no event tells of its rows there"
                )
            return kept.history(session, table) if away else history
        if message.snapshot:
            # A new connector describes what it found; a rename would not be told.
            return self._judge(session, history, message, Statement(), []) if message.columns else history
        must = []
        came = next((old for old, new in statement.renamed_tables if new == table), "")
        if came:
            must.append(f"the table {came} was renamed to it: no event tells of its rows")
            ddls = kept.statements_of(session, came, message)
            message = _with_ddl(message, _JOIN.join([*ddls, message.ddl]))
            statement = _read_all(message.ddl, table)
        if message.change in ("DROP", "CREATE"):
            must.append(
                f"the table was {'dropped' if message.change == 'DROP' else 'made anew'}: no event tells of its rows"
            )
        if statement.lost_partitions:
            must.append(f"{statement.lost_partitions}: no event tells of the rows in it")
        if message.columns is None:
            self._note(session, message, table, "; ".join(must))
            return kept.history(session, table)
        return self._judge(session, history, message, statement, must)

    def _judge(
        self, session: Session, history: History, message: Message, statement: Statement | None, must: list[str]
    ) -> History:
        table, columns = history.table, message.columns or ()
        found = differences([e.column for e in history.current], columns, statement)
        if not found and not must:
            return history
        shape = packed_columns(columns) if not message.offset >= 0 else kept.columns_text(session, message)
        stopping = [one for one in found if not one.passes]
        change = kept.Change(
            table, "schema", topic_id=message.topic_id, offset=message.offset, began=message.began, ddl=message.ddl,
            table_columns=shape, what="; ".join(map(str, stopping or found)),
        )  # fmt: skip
        if stopping:
            kept.record(session, change.but(state="open", must_read="; ".join(must)))
            return kept.history(session, table)
        defaults, unclear = _defaults(found, shape, statement)
        must = must + why_read_again(found, unclear)
        made, steps = next_version(history, found, columns, defaults, message.began)
        if not found:
            kept.record(session, change.but(kind="note", what="", must_read="; ".join(must)))
            return history
        self._follow(session, table, steps)
        kept.write_columns(session, made)
        kept.record(session, change.but(version=made.newest, must_read="; ".join(must)))
        return made

    def _note(self, session: Session, message: Message, table: str, must: str) -> None:
        kept.record(
            session,
            kept.Change(
                table, "note", topic_id=message.topic_id, offset=message.offset, began=message.began, ddl=message.ddl,
                must_read=must,
            ),
        )  # fmt: skip

    def _follow(self, session: Session, table: str, steps: Sequence[Step]) -> None:
        for schema, name in reversed(self._subjects.get(table, ())):
            follow(session, schema, name, steps)

    def _known(self, session: Session, table: str) -> History:
        found = kept.history(session, table)
        if not found.versions:
            raise SettingsError(
                f"the warehouse does not know the columns that {table} had when its raw table was made",
                kept="nothing was loaded", todo="waybill schema apply",
            )  # fmt: skip
        return found

    def _locked(self, run: Callable[[Session], _T]) -> _T:
        def inside(session: Session) -> _T:
            with session.transaction(lock=_LOCK, lock_seconds=_LOCK_SECONDS):
                return run(session)

        return self._asked(inside)

    def _asked(self, run: Callable[[Session], _T]) -> _T:
        with self._turn, self._opened() as session:
            return run(session)

    @contextmanager
    def _opened(self) -> Iterator[Session]:
        if self._session is None or self._session.closed:
            self._session = self._connect()
        try:
            yield self._session
        except UnreachableError:
            self.close()
            raise


def subjects(raw: str, marts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The tables that follow a source table: raw first, so that it changes last."""
    return ((RAW_SCHEMA, raw), *((MART_SCHEMA, mart) for mart in marts))


def _read_all(ddl: str, table: str) -> Statement:
    """Several statements of one table as one."""
    found = Statement()
    for one in ddl.split(_JOIN):
        found = found.and_then(read(one, table.split(".")[0]))
    return found


def _with_ddl(message: Message, ddl: str) -> Message:
    return replace(message, ddl=ddl.encode()[:65_535].decode(errors="ignore"))


def _defaults(
    found: Sequence[Difference], shape: str | None, statement: Statement | None
) -> tuple[dict[str, str | None], set[str]]:
    """The constants of the columns that came, and those that have something else than a constant."""
    _, told, members = unpacked(shape)
    defaults: dict[str, str | None] = {}
    unclear: set[str] = set()
    for one in found:
        column = one.after
        if column is None or one.what not in (What.ADDED, What.MADE_ANEW):
            continue
        name = column.name.lower()
        if statement is not None and name in statement.computed:
            unclear.add(name)
            continue
        in_ddl = statement is not None and name in statement.added
        said = (statement.constants if in_ddl and statement else told).get(name)
        text = said if said is not None else constants.implicit(column, members.get(name))
        try:
            constants.value(column, text)
        except ValueError:
            unclear.add(name)
            continue
        defaults[name] = text
        if said is not None and zoned(column, text):
            unclear.add(name)
    return defaults, unclear


def _width_kept(columns: Sequence[SourceColumn], history: History) -> tuple[SourceColumn, ...]:
    """An event's schema tells no widths: those that are known stay."""
    known = {entry.column.name.lower(): entry.column for entry in history.current}
    found = []
    for column in columns:
        before = known.get(column.name.lower())
        same = before is not None and before.length == column.length and before.type == column.type
        found.append(replace(column, width=before.width, comment=before.comment) if before and same else column)
    return tuple(found)
