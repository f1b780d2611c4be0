"""One raw table: how far it has been dealt with, and its next rows to go.

Every transaction takes the lock of the table's positions first, as a load does: while it is held no load is on its
way, so what is loaded later has a later load time than the marks. The ledger's rows and those of
`settlement_ods.applied_batches` stay for ever: they are what keeps a batch from being applied twice, and say which
cycle applied it. A cycle reads them from the mark on only (`sql/commit/020_pending`), so their number costs disk and
no time.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from loaders import ledger, positions
from loaders.ports import Engine
from warehouse.session import Session
from warehouse.statements import statements, table
from waybill.raw import RAW_SCHEMA

_EVER = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps carry no zone; all are UTC
_TICK = timedelta(microseconds=1)
_NO_LIMIT = 2**62


@dataclass(frozen=True)
class Policy:
    """`rows` and `batches`: most of one transaction. `seconds`: of one pass over all tables. `lock_seconds`: how long
    one waits for the lock before the table's turn is over. `apply_lag_seconds`: how far the cycles' mark stays behind
    now, for a warehouse clock that is set back."""

    rows: int = 50_000
    batches: int = 1_000
    seconds: float = 30
    lock_seconds: float = 5
    apply_lag_seconds: float = 3600


@dataclass(frozen=True)
class Subject:
    """A raw table, and how long its rows are kept after their load. `has_mart`: only what the marts have may go."""

    raw: str
    keep_seconds: float
    has_mart: bool


@dataclass
class Trimmed:
    """What happened to one raw table. Batches old enough whose rows stay: `waiting` for the marts, `undecided` because
    of dead letters, `kept` because something asks for them. `held`: why the table was left. `more`: time was up."""

    raw: str
    batches: int = 0
    rows: int = 0
    waiting: int = 0
    undecided: int = 0
    kept: int = 0
    held: str = ""
    more: bool = False

    @property
    def notes(self) -> list[str]:
        """What did not go, in words."""
        found = [self.held] if self.held else []
        found += [f"{self.waiting:,} batches are not wholly in the marts"] if self.waiting else []
        found += [f"{self.undecided:,} have dead letters to decide on"] if self.undecided else []
        found += (
            [f"{self.kept:,} are asked for: the newest, or what tables read again stand behind"] if self.kept else []
        )
        return [*found, "time was up; the next pass goes on"] if self.more else found


class TableTrim:
    """Trims one raw table. Not for two threads at a time; a second one meanwhile waits for the same lock.

    `kept` are batches that stay, however old. `emptied` are blocks that rows were taken from, for `warehouse.reclaim`.
    """

    def __init__(
        self, session: Session, engine: Engine, subject: Subject, policy: Policy, kept: Collection[int] = ()
    ) -> None:
        self._session, self._subject, self._policy = session, subject, policy
        self._lock = engine.lock(positions.name_of(subject.raw))
        self._names = {"raw": table(RAW_SCHEMA, subject.raw), "ledger": ledger.name_of(subject.raw)}
        self._values: dict[str, Any] = {"raw_table": subject.raw, "has_mart": subject.has_mart}
        self._kept, self.emptied = kept, set[int]()

    def preview(self) -> Trimmed:
        """What a whole pass would do; changes nothing."""
        done = Trimmed(self._subject.raw)
        with self._session.transaction():
            marks = self._marks(reading=True)
            found = self._query("030_left.each_raw.query.sql", marks)
            found += self._query("020_due.each_raw.query.sql", marks | {"most": _NO_LIMIT})
        _count(done, _ready(found), sum(row["row_count"] for row in _ready(found)))
        _count_left(done, found)
        return done

    def pass_mark(self) -> None:
        """Move the mark below which cycles need not read the ledger. Raises `ConflictError` when the lock is busy."""
        with self._locked():
            self._run("010_passed.each_raw.sql", self._marks())

    def left(self, done: Trimmed) -> None:
        """Trim what had to wait and may go now, a transaction's worth."""
        with self._locked():
            found = self._query("030_left.each_raw.query.sql", self._marks())
            ready = self._portion(_ready(found))
            _count(done, ready, self._delete(ready))
            if ready:
                self._session.run(
                    "DELETE FROM settlement_public.raw_left WHERE raw_table = %s AND why = 'not trimmed'"
                    " AND batch_id IN %s",
                    (self._subject.raw, tuple(row["batch_id"] for row in ready)),
                )
        gone = {row["batch_id"] for row in ready}
        _count_left(done, [row for row in found if row["batch_id"] not in gone])

    def due(self, done: Trimmed) -> bool:
        """Trim the next portion, in one transaction; False when it was the last. What may not go yet is remembered."""
        with self._locked():
            marks = self._marks()
            found = self._query("020_due.each_raw.query.sql", marks | {"most": self._policy.batches + 1})
            portion = self._portion(found)
            rest = found[len(portion) :]
            ready = _ready(portion)
            _count(done, ready, self._delete(ready))
            left = [row for row in portion if not _may_go(row)]
            for row in left:
                self._session.run(
                    "INSERT INTO settlement_public.raw_left VALUES (%s, %s, 'not trimmed')",
                    (self._subject.raw, row["batch_id"]),
                )
            more = len(found) > self._policy.batches or bool(rest)
            mark = rest[0]["loaded_at"] if rest else found[-1]["loaded_at"] + _TICK if more else marks["keep_from"]
            self._session.run(
                "UPDATE settlement_public.raw_marks SET trimmed_before = %s WHERE raw_table = %s",
                (mark, self._subject.raw),
            )
        _count_left(done, left)
        return more

    def _locked(self) -> Any:
        return self._session.transaction(lock=self._lock, lock_seconds=self._policy.lock_seconds)

    def _marks(self, reading: bool = False) -> dict[str, Any]:
        """Where both marks stand and where they are to go: never back. Made when there are none, unless `reading`."""
        row = self._session.row(
            "SELECT n.now, m.applied_before, m.trimmed_before"
            " FROM (SELECT timezone('UTC', clock_timestamp()) AS now) n"
            " LEFT JOIN settlement_public.raw_marks m ON m.raw_table = %s",
            (self._subject.raw,),
            doing="reading the marks of raw",
        )
        assert row is not None
        if row["applied_before"] is None:
            row |= {"applied_before": _EVER, "trimmed_before": _EVER}
            if not reading:
                self._session.run(
                    "INSERT INTO settlement_public.raw_marks VALUES (%s, %s, %s)", (self._subject.raw, _EVER, _EVER)
                )
        now: datetime = row["now"]
        passed = now - timedelta(seconds=self._policy.apply_lag_seconds)
        keep_from = now - timedelta(seconds=self._subject.keep_seconds)
        return row | {
            "apply_mark": max(passed, row["applied_before"]), "keep_from": max(keep_from, row["trimmed_before"]),
        }  # fmt: skip

    def _portion(self, found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """As many as one transaction may hold, at least one; batches of one load time are not parted."""
        rows = 0
        for number, row in enumerate(found):
            rows += row["row_count"]
            full = number >= self._policy.batches or rows > self._policy.rows
            if number and full and row["loaded_at"] != found[number - 1]["loaded_at"]:
                return list(found[:number])
        return list(found)

    def _delete(self, ready: Sequence[Mapping[str, Any]]) -> int:
        """Rows that were there: a table trimmed before by hand has none."""
        ids = [row["batch_id"] for row in ready if row["row_count"]]
        if not ids:
            return 0
        values = {"batches": tuple(ids), "first": min(ids), "last": max(ids)}
        found = self._query("040_rows.each_raw.postgres.query.sql", values)
        self.emptied |= {row["first_block"] for row in found}
        return sum(row["row_count"] for row in found)

    def _run(self, file: str, values: Mapping[str, Any]) -> None:
        for statement in statements(f"sql/trim/{file}", self._names):
            self._session.run(statement, {**self._values, **values}, doing=f"trimming {self._subject.raw}")

    def _query(self, file: str, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        [statement] = statements(f"sql/trim/{file}", self._names)
        found = self._session.rows(statement, {**self._values, **values}, doing=f"trimming {self._subject.raw}")
        return [row | {"kept": row.get("batch_id") in self._kept} for row in found]


def _ready(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in found if _may_go(row)]


def _may_go(row: Mapping[str, Any]) -> bool:
    return bool(row["applied"] and not row["undecided"] and not row["kept"])


def _count(done: Trimmed, ready: Sequence[Mapping[str, Any]], rows: int) -> None:
    done.batches += len(ready)
    done.rows += rows


def _count_left(done: Trimmed, left: Sequence[Mapping[str, Any]]) -> None:
    done.waiting += sum(not row["applied"] for row in left)
    done.undecided += sum(row["applied"] and row["undecided"] for row in left)
    done.kept += sum(row["applied"] and row["kept"] and not row["undecided"] for row in left)
