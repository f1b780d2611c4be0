"""One commit cycle: from raw to the marts, up to the cut, in one warehouse transaction (spec section 6)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg2.sql import SQL

from committer import kept_eras, out, reads, steps
from committer.eras import Era, Run, begin_snapshot, extend, gtid_set, highest
from committer.gone import Gone
from committer.holes import Holes
from committer.lease import Lease
from committer.marts import MartTable, standing
from committer.placing import Placing
from committer.reads import Read
from committer.settings import Commit, History
from committer.snapshot import Verdict, judge
from committer.steps import Runner
from committer.summary import Summary
from committer.watching import Asked
from warehouse.session import Session
from warehouse.statements import table
from waybill.errors import RefusedError, StaleOwner
from waybill.gtid import Gtid, GtidSet
from waybill.raw import NOTIFICATION_TABLE, RAW_SCHEMA, TRANSACTION_TABLE, ledger_table

LOCK = "LOCK TABLE settlement_ods.cycle_lock IN EXCLUSIVE MODE"
_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps carry no zone; all are UTC


class Cycle:
    """One try at one cycle, in a session of its own.

    `apply` runs every step and commits; a failure leaves the warehouse as it was. Raises `RefusedError` for END
    records that contradict each other, `StaleOwner` when another committer got in between.
    """

    def __init__(
        self, session: Session, marts: Sequence[MartTable], settings: Commit, history: History, summary: Summary,
        monotonic: Callable[[], float] = time.monotonic, rebuild: bool = False,
    ) -> None:  # fmt: skip
        self._session = session
        self._marts, self._history = marts, history
        self._in = list(marts)
        self._asked = Asked()
        self._reads: list[Read] = []
        self._out: list[out.Out] = []
        self._returning: list[out.Out] = []
        self._summary, self._rebuild = summary, rebuild
        self._run = Runner(session, {}, settings.step_seconds, monotonic() + settings.cycle_seconds, monotonic)

    def apply(
        self, lease: Lease, stored: GtidSet | None, until: GtidSet | None = None, asked: Asked | None = None
    ) -> None:
        """The whole cycle. `stored` is Connect's GTID set when a first snapshot is to be applied."""
        self._asked = asked or Asked()
        with self._session.transaction(lock=LOCK):
            self._session.make_room()
            self._begin()
            self._marts = standing(self._session, self._marts)
            self._leave_out()
            self._pending(until)
            before = kept_eras.read(self._session)
            verdict = self._snapshot(before)
            eras = self._accept(verdict, before, stored)
            if not (verdict.hold or not eras or self._owes()):
                eras = self._find_cut(eras, until)
                kept_eras.write(self._session, before, eras)
                self._place_reads(eras)
                self._reads = reads.unhandled(self._session, reads.pair(self._run.query(steps.READS_COMPLETED)))
                for mart in self._marts:
                    self._apply_to(mart, verdict, before)
                self._run.run(steps.HOLES_MENDED, now=self._now, cycle=self._summary.cycle)
                self._run.run(steps.HOLES_OPEN, now=self._now)
                self._run.run(steps.APPLIED_ENDS, cycle=self._summary.cycle)
                for one in self._returning:
                    out.is_back(self._session, one.table)
                self._returning = []
            self._finish(eras)
            lease.check()
        self._summary.seconds = self._run.seconds

    def _begin(self) -> None:
        found = self._session.row("SELECT cycle, cut_at, gtid_set FROM settlement_ods.as_of")
        if found is None:
            raise RefusedError("settlement_ods.as_of is empty", todo="waybill schema apply")
        if found["cycle"] != self._summary.cycle - 1:
            raise StaleOwner(f"cycle {found['cycle']} was committed by another committer", kept="nothing was changed")
        self._summary.cut_at, self._summary.gtid_set = found["cut_at"], found["gtid_set"]
        now = self._session.row("SELECT timezone('UTC', clock_timestamp()) AS now")
        self._now = now["now"] if now else _NEVER
        self._run.run(steps.BEGIN)

    def _leave_out(self) -> None:
        """Tables that a person said to go on without, and those taken back that may owe rows."""
        found = out.read(self._session)
        self._out = [one for one in found if not one.returning]
        self._returning = [one for one in found if one.returning]
        names = {one.table for one in self._out}
        self._in = [mart for mart in self._marts if mart.source.source not in names]
        # An empty list is no SQL.
        self._run.values = {
            "sources": tuple(mart.source.source for mart in self._in), "out": tuple(names) or ("",),
        }  # fmt: skip
        self._summary.notes += [f"goes on without {one}; undo: waybill commit --with {one.table}" for one in self._out]

    def _owes(self) -> bool:
        """Are rows of a table that was taken back still missing? Then there is no new cut."""
        for one in self._returning:
            mart = next(m for m in self._marts if m.source.source == one.table)
            self._run.run(steps.ARRIVALS, mart, **mart.values())
            missing = self._run.query(steps.STILL_OWED, mart, **mart.values())
            self._session.run("DELETE FROM arrivals")
            if missing:
                first = missing[0]
                self._summary.waiting.append(
                    f"{one.table} is taken back: {first['arrived']} of {first['expected']} of its rows of transaction"
                    f" {first['tx_id']} are in raw, which is in the cut already"
                )
                return True
        return False

    def _pending(self, until: GtidSet | None) -> None:
        marks = self._session.rows("SELECT raw_table, applied_before FROM settlement_public.raw_marks")
        before = {row["raw_table"]: row["applied_before"] for row in marks}
        self._run.run(
            steps.PENDING, None, raw_table=TRANSACTION_TABLE, applied_before=before.get(TRANSACTION_TABLE, _NEVER)
        )
        for mart in self._in:
            mark = before.get(mart.source.raw, _NEVER)
            self._run.run(steps.PENDING, mart, applied_before=mark, **mart.values())
            self._run.run(steps.ROWS, mart, **mart.values())
        for (uuid, tag), spans in until.lines() if until else ():
            for first, last in spans:
                self._session.run("INSERT INTO until_spans VALUES (%s, %s, %s, %s)", (uuid, tag, first, last))

    def _snapshot(self, eras: Sequence[Era]) -> Verdict:
        notifications = self._run.query(steps.NOTIFICATIONS)
        attempts = {m.source.source: self._run.query(steps.ATTEMPTS, m) for m in self._in}
        dead: dict[str, int] = {}
        for mart in self._in:
            names = table(RAW_SCHEMA, ledger_table(mart.source.raw))
            statement = SQL("SELECT coalesce(sum(dead_letters), 0) AS dead FROM {} WHERE dead_letters > 0").format(
                names
            )
            dead[mart.source.source] = int((self._session.row(statement) or {"dead": 0})["dead"])
        return judge(notifications, attempts, dead, eras)

    def _accept(self, verdict: Verdict, eras: list[Era], stored: GtidSet | None) -> list[Era]:
        if verdict.hold:
            self._summary.waiting.append(verdict.hold)
            return eras
        if verdict.accept is None or verdict.completed is None:
            return eras
        if stored is None:
            self._summary.waiting.append("a first snapshot has just completed; the next cycle applies it")
            return []
        streamed = self._run.query(steps.STREAMED_SINCE, completed_at=verdict.completed.completed_at)
        # From the first streamed number on nothing belongs to the snapshot, also numbers without END (DDL, GRANT).
        since = GtidSet.of(Gtid.parse(row["tx_id"]) for row in streamed)
        taken_at = stored - GtidSet({line: ((spans[0][0], 2**63 - 1),) for line, spans in since.lines()})
        result = begin_snapshot(eras, taken_at, verdict.accept, verdict.completed.notification)
        kept_eras.write(self._session, eras, result)
        self._summary.notes.append(f"first snapshot applied, taken at {taken_at}")
        self._cut_reaches(verdict.read_until)
        return result

    def _find_cut(self, eras: list[Era], until: GtidSet | None) -> list[Era]:
        self._run.run(steps.ENDS)
        conflicts = self._run.query(steps.END_CONFLICTS)
        if conflicts:
            raise RefusedError(
                f"two END records of one transaction disagree, so the cut stops: {conflicts[:5]}",
                kept="raw is whole, the marts stay at the last cut",
                todo="read both records (topic offsets above); a connector below 3.6.1 resets its counters on restart",
            )
        for mart in self._in:
            self._run.run(steps.ARRIVALS, mart, **mart.values())
        filled = Holes(self._session, self._run, self._in, self._asked.letters).fill(self._summary.cycle)
        self._summary.notes += filled
        self._run.run(steps.CUT, until="set" if until is not None else "")
        counted = self._session.row("SELECT count(*) AS transactions FROM cut")
        self._summary.transactions = counted["transactions"] if counted else 0
        for row in self._session.rows("SELECT * FROM waiting ORDER BY place LIMIT 3"):
            self._summary.waiting.append(
                f"transaction {row['tx_id']}: {row['arrived']} of {row['expected']} rows of"
                f" {row['data_collection']} are in raw"
            )
        runs = self._run.query(steps.RUNS)
        if self._out:
            self._run.run(steps.OWED, cycle=self._summary.cycle)
        if runs:
            self._cut_reaches(max(r["ended_at"] for r in runs))
        return extend(eras, [Run((r["uuid"], r["tag"]), r["last_number"]) for r in runs])

    def _cut_reaches(self, time_of_last: datetime | None) -> None:
        """The cut's time never falls."""
        known = [t for t in (time_of_last, self._summary.cut_at) if t is not None]
        self._summary.cut_at = max(known, default=None)

    def _place_reads(self, eras: Sequence[Era]) -> None:
        """Where the rows of incremental snapshots stand; a row whose GTID set is not wholly in the cut has to wait."""
        sets = {str(row["gtid_set"]) for mart in self._in for row in self._run.query(steps.READS, mart)}
        for text in sorted(sets):
            place = highest(eras, GtidSet.parse(text))
            if place is not None:
                self._session.run("INSERT INTO read_places VALUES (%s, %s, %s)", (text, *place))

    def _apply_to(self, mart: MartTable, verdict: Verdict, eras_before: Sequence[Era]) -> None:
        gone = Gone(self._session, self._run, self._summary)
        if verdict.accept is not None and eras_before:
            gone.since_snapshot(mart, verdict)
        if mart not in self._in:
            self._run.run(steps.UNMOVED, mart)
            if mart.leader is not None:
                self._run.run(steps.RECHECK, mart)
            return
        gone.since_reads(mart, self._reads)
        values = {"cycle": self._summary.cycle, "now": self._now}
        cut_at = self._summary.cut_at or _NEVER
        placing = Placing(self._session, self._run, mart, self._history, cut_at, values, self._rebuild)
        self._summary.marts.append(placing.apply())
        void_before = verdict.void_before or _NEVER
        self._run.run(steps.APPLIED, mart, void_before=void_before, cycle=self._summary.cycle, **mart.values())

    def _finish(self, eras: Sequence[Era]) -> None:
        summary = self._summary
        if eras:
            summary.gtid_set = str(gtid_set(eras))
        without = [one.table for one in (*self._out, *self._returning)]
        summary.status = "committed"
        now = self._session.row("SELECT timezone('UTC', clock_timestamp()) AS now")
        summary.finished_at = now["now"] if now else None
        summary.seconds = self._run.seconds
        if not summary.rows_in and not summary.waiting:
            summary.notes.append("zero new rows")
        moved = self._session.run(
            "UPDATE settlement_ods.as_of SET cycle = %s, cut_at = %s, gtid_set = %s, consistent = %s, tables_out = %s,"
            " committed_at = %s WHERE cycle = %s",
            (
                summary.cycle, summary.cut_at, summary.gtid_set, bool(summary.gtid_set) and not without,
                ", ".join(without), summary.finished_at, summary.cycle - 1,
            ),
        )  # fmt: skip
        if moved != 1:
            raise StaleOwner(
                f"cycle {summary.cycle} was committed by another committer", kept="this one was rolled back"
            )
        summary.store(self._session)


def snapshot_waits(session: Session) -> bool:
    """Is a completed first snapshot loaded that no era holds? Then the source has to be asked before the cycle.

    The newest counts; a topic made again begins at offset 0, what of it was loaded first tells which came first.
    """
    found = session.row(
        "SELECT count(*) AS waiting FROM ("
        " SELECT n.notification_id FROM settlement_public.notification_raw n"
        " JOIN (SELECT _topic_id, min(_batch_id) AS begun FROM settlement_public.notification_raw GROUP BY _topic_id) t"
        "   ON t._topic_id = n._topic_id"
        " WHERE n.aggregate_type = 'Initial Snapshot' AND n.notification_type = 'COMPLETED'"
        " ORDER BY t.begun DESC, n._offset DESC LIMIT 1) newest"
        " WHERE NOT EXISTS (SELECT 1 FROM settlement_ods.eras e"
        "   WHERE e.snapshot_notification = newest.notification_id)",
        doing=f"reading {NOTIFICATION_TABLE}",
    )
    return bool(found and found["waiting"])
