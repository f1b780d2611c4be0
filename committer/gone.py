"""What a table that was read anew did not bring is gone: a wipe, the position before which its rows count as deleted.

A read with bad messages among it proves nothing: a row that it seems not to have brought may be one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from committer import kept_eras, reads, steps
from committer.holes import watched
from committer.marts import MartTable
from committer.reads import Read
from committer.snapshot import Verdict
from committer.steps import Runner
from committer.summary import Summary
from committer.watching import READ
from warehouse.session import Session


class Gone:
    """In one cycle; wipes that it adds make the cycle a marked one for their mart."""

    def __init__(self, session: Session, run: Runner, summary: Summary) -> None:
        self._session, self._run, self._summary = session, run, summary

    def since_snapshot(self, mart: MartTable, verdict: Verdict) -> None:
        """A later first snapshot: what stood before it and did not come with it."""
        completed = verdict.completed
        if completed is None or self._bad(mart, completed.started_at):
            return
        newest = max(era.era for era in kept_eras.read(self._session) if era.snapshot)
        gone_at = verdict.read_until or completed.completed_at
        self._wipe(mart, f"first snapshot {completed.notification}", (newest, 0, 0), gone_at)

    def since_reads(self, mart: MartTable, found: Sequence[Read]) -> None:
        """Incremental snapshots that read the table to its end, once all of it is in raw and in the cut."""
        for read in found:
            if read.table != mart.source.source or not watched(self._run, mart).passed(READ + read.notification):
                continue
            unplaced = self._run.query(steps.UNPLACED_READS, mart)[0]
            before = self._run.query(steps.READ_BEGAN, began_at=read.began_at)
            behind = reads.began_after(kept_eras.read(self._session), before[0]["tx_id"] if before else None)
            if not unplaced["unplaced"] and behind is not None and not self._bad(mart, read.began_at):
                self._wipe(mart, reads.why(read), behind, read.ended_at)

    def _bad(self, mart: MartTable, since: datetime) -> bool:
        table = mart.source.source
        count = self._run.query(steps.BAD_SINCE, mart, began_at=since)[0]["dead_letters"]
        if count:
            self._summary.notes.append(
                f"{table} was read anew, but with {count} dead letters, so nothing counts as gone: redrive them and"
                f" read it again (waybill schema accept {table} --read-again --reason TEXT)"
            )
        return bool(count)

    def _wipe(self, mart: MartTable, why: str, behind: tuple[int, int, int], gone_at: datetime) -> None:
        self._session.run(
            "INSERT INTO settlement_ods.wipes (table_name, why, era, number, row_order, gone_at, cycle)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (mart.source.source, why, *behind, gone_at, self._summary.cycle),
        )
