"""One commit cycle: from raw to the marts, up to the cut, in one warehouse transaction (spec section 6)."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg2.sql import SQL

from committer import steps
from committer.eras import Attempt, Era, Run, begin_snapshot, extend, gtid_set, highest
from committer.lease import Lease
from committer.marts import MartTable, standing
from committer.placing import Placing
from committer.settings import Commit, History
from committer.snapshot import Verdict, judge
from committer.steps import Runner
from committer.summary import Summary
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
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._session = session
        self._marts, self._history = marts, history
        self._summary = summary
        self._sources = tuple(m.source.source for m in marts)
        self._run = Runner(
            session, {"sources": self._sources}, settings.step_seconds, monotonic() + settings.cycle_seconds, monotonic
        )

    def apply(self, lease: Lease, stored: GtidSet | None, until: GtidSet | None = None) -> None:
        """The whole cycle. `stored` is Connect's GTID set when a first snapshot is to be applied."""
        with self._session.transaction(lock=LOCK):
            self._session.make_room()
            self._begin()
            self._marts = standing(self._session, self._marts)
            self._pending(until)
            before = self._eras()
            verdict = self._snapshot(before)
            eras = self._accept(verdict, before, stored)
            held = bool(verdict.hold) or not eras
            if not held:
                eras = self._find_cut(eras, until)
                self._write_eras(before, eras)
                self._place_reads(eras)
                for mart in self._marts:
                    self._apply_to(mart, verdict, before)
                self._run.run(steps.APPLIED_ENDS, cycle=self._summary.cycle)
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

    def _pending(self, until: GtidSet | None) -> None:
        self._run.run(steps.PENDING, None, raw_table=TRANSACTION_TABLE)
        for mart in self._marts:
            self._run.run(steps.PENDING, mart, **mart.values())
            self._run.run(steps.ROWS, mart, **mart.values())
        for (uuid, tag), spans in until.lines() if until else ():
            for first, last in spans:
                self._session.run("INSERT INTO until_spans VALUES (%s, %s, %s, %s)", (uuid, tag, first, last))

    def _eras(self) -> list[Era]:
        found = self._session.rows("SELECT * FROM settlement_ods.eras ORDER BY era")
        return [
            Era(
                r["era"], (r["source_uuid"], r["source_tag"]), r["first_number"], r["last_number"],
                None if r["source_uuid"] else Attempt(r["snapshot_server_id"], r["snapshot_file"], r["snapshot_pos"]),
                r["snapshot_notification"] or "",
            )
            for r in found
        ]  # fmt: skip

    def _snapshot(self, eras: Sequence[Era]) -> Verdict:
        notifications = self._run.query(steps.NOTIFICATIONS)
        attempts = {m.source.source: self._run.query(steps.ATTEMPTS, m) for m in self._marts}
        dead: dict[str, int] = {}
        for mart in self._marts:
            names = table(RAW_SCHEMA, ledger_table(mart.source.raw))
            statement = SQL("SELECT coalesce(sum(dead_letters), 0) AS dead FROM {}").format(names)
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
        self._write_eras(eras, result)
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
        for mart in self._marts:
            self._run.run(steps.ARRIVALS, mart, **mart.values())
        self._summary.transactions = self._run.run(steps.CUT, until="set" if until is not None else "")
        for row in self._session.rows("SELECT * FROM waiting ORDER BY place LIMIT 3"):
            self._summary.waiting.append(
                f"transaction {row['tx_id']}: {row['arrived']} of {row['expected']} rows of"
                f" {row['data_collection']} are in raw"
            )
        runs = self._run.query(steps.RUNS)
        if runs:
            self._cut_reaches(max(r["ended_at"] for r in runs))
        return extend(eras, [Run((r["uuid"], r["tag"]), r["first_number"], r["last_number"]) for r in runs])

    def _cut_reaches(self, time_of_last: datetime | None) -> None:
        """The cut's time never falls."""
        known = [t for t in (time_of_last, self._summary.cut_at) if t is not None]
        self._summary.cut_at = max(known, default=None)

    def _write_eras(self, before: Sequence[Era], after: Sequence[Era]) -> None:
        for era in after:
            if era in before:
                continue
            self._session.run("DELETE FROM settlement_ods.eras WHERE era = %s", (era.era,))
            attempt = era.snapshot
            self._session.run(
                "INSERT INTO settlement_ods.eras VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (
                    era.era, *era.line, era.first, era.last, attempt.server_id if attempt else None,
                    attempt.file if attempt else None, attempt.pos if attempt else None, era.notification or None,
                ),
            )  # fmt: skip

    def _place_reads(self, eras: Sequence[Era]) -> None:
        """Where the rows of incremental snapshots stand; a row whose GTID set is not wholly in the cut has to wait."""
        sets = {str(row["gtid_set"]) for mart in self._marts for row in self._run.query(steps.READS, mart)}
        for text in sorted(sets):
            place = highest(eras, GtidSet.parse(text))
            if place is not None:
                self._session.run("INSERT INTO read_places VALUES (%s, %s, %s)", (text, *place))

    def _apply_to(self, mart: MartTable, verdict: Verdict, eras_before: Sequence[Era]) -> None:
        values = {"cycle": self._summary.cycle, "now": self._now}
        wiped = self._gone_since_snapshot(mart, verdict, eras_before)
        cut_at = self._summary.cut_at or _NEVER
        self._summary.marts.append(Placing(self._session, self._run, mart, self._history, cut_at, values).apply(wiped))
        void_before = verdict.void_before or _NEVER
        self._run.run(steps.APPLIED, mart, void_before=void_before, cycle=self._summary.cycle, **mart.values())

    def _gone_since_snapshot(self, mart: MartTable, verdict: Verdict, eras_before: Sequence[Era]) -> int:
        """A later first snapshot read the whole table: what stood before it and did not come with it is gone."""
        if verdict.accept is None or not eras_before:
            return 0
        return self._session.run(
            "INSERT INTO settlement_ods.wipes (table_name, why, era, number, row_order, gone_at, cycle)"
            " SELECT %s, %s, max(era), 0, 0, %s, %s FROM settlement_ods.eras WHERE source_uuid = ''",
            (
                mart.source.source, f"first snapshot {verdict.completed.notification if verdict.completed else ''}",
                verdict.read_until or self._summary.cut_at, self._summary.cycle,
            ),
        )  # fmt: skip

    def _finish(self, eras: Sequence[Era]) -> None:
        summary = self._summary
        if eras:
            summary.gtid_set = str(gtid_set(eras))
        summary.status = "committed"
        now = self._session.row("SELECT timezone('UTC', clock_timestamp()) AS now")
        summary.finished_at = now["now"] if now else None
        summary.seconds = self._run.seconds
        if not summary.rows_in and not summary.waiting:
            summary.notes.append("zero new rows")
        moved = self._session.run(
            "UPDATE settlement_ods.as_of SET cycle = %s, cut_at = %s, gtid_set = %s, consistent = %s, tables_out = '',"
            " committed_at = %s WHERE cycle = %s",
            (
                summary.cycle,
                summary.cut_at,
                summary.gtid_set,
                bool(summary.gtid_set),
                summary.finished_at,
                summary.cycle - 1,
            ),
        )
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
