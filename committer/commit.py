"""The committer: clocks, lease, retries, and what to do when the answer to COMMIT is lost. One cycle at a time."""

from __future__ import annotations

import logging
import os
import socket
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from psycopg2.sql import SQL

from committer import ahead, watching
from committer.cycle import Cycle, snapshot_waits
from committer.lease import Lease
from committer.marts import MartTable
from committer.settings import Commit, History
from committer.summary import Summary
from committer.watching import Asked, TopicView
from warehouse.session import Session
from warehouse.statements import table
from waybill.clock import Clock
from waybill.errors import CommitUnknown, UnreachableError, WaybillError
from waybill.gtid import GtidSet
from waybill.raw import RAW_SCHEMA, TRANSACTION_TABLE, positions_table

log = logging.getLogger("committer")


class SourceView(TopicView, Protocol):
    """What a cycle asks of the source's side. Every method may raise `UnreachableError`."""

    def now(self) -> datetime:
        """MySQL's clock, UTC."""

    def stored_gtid_set(self) -> GtidSet:
        """What Connect has stored as streamed."""

    def transaction_topic_end(self) -> int:
        """The transaction topic's last stable offset."""


@dataclass
class Committer:
    """Runs cycles. `open_session` opens a warehouse session with the given name."""

    open_session: Callable[[str], Session]
    marts: Sequence[MartTable]
    settings: Commit
    source: SourceView
    clock: Clock
    history: History = field(default_factory=History)
    load_wait_seconds: float = 60

    def cycle(self, until: GtidSet | None = None, rebuild: bool = False) -> Summary:
        """One cycle, repeated after an error that may pass, at most `settings.retries` times.

        `rebuild`: a marked cycle over all places, with T anew.

        Returns the summary of a committed cycle. Otherwise the failed one is stored as far as the warehouse can
        be reached, and the error raised.
        """
        pause = self.settings.retry_seconds
        for attempt in range(self.settings.retries + 1):
            summary = Summary(
                0, str(uuid.uuid4()), f"{socket.gethostname()}:{os.getpid()}", self.clock.now().replace(tzinfo=None)
            )
            try:
                self._once(summary, until, rebuild)
                return summary
            except WaybillError as error:
                self._store_failure(summary, error)
                if not isinstance(error, UnreachableError) or attempt == self.settings.retries:
                    raise
                log.warning("cycle %d failed and is repeated in %.0f s: %s", summary.cycle, pause, error.what)
            self.clock.sleep(pause)
            pause *= 2
        raise AssertionError("unreachable")

    def _once(self, summary: Summary, until: GtidSet | None, rebuild: bool) -> None:
        with self.open_session("commit") as session:
            standing = session.row("SELECT cycle FROM settlement_ods.as_of", doing="reading the last cut")
            summary.cycle = (standing["cycle"] if standing else 0) + 1
            self._compare_clocks(session, summary)
            summary.notes += [change.what for change in ahead.make(session, self.marts, self.history, self.clock.now())]
            with Lease(
                self.open_session, summary.holder, session.process_id, self.settings.lease_seconds, session.cancel
            ) as lease:
                stored = self._ask_source(session) if snapshot_waits(session) else None
                asked = self._ask_kafka(session, summary)
                try:
                    Cycle(
                        session, self.marts, self.settings, self.history, summary, self.clock.monotonic, rebuild
                    ).apply(lease, stored, until, asked)
                except CommitUnknown as error:
                    if not self._was_committed(summary):
                        raise UnreachableError(
                            f"cycle {summary.cycle} was not committed: {error.what}", kept="rolled back"
                        ) from error
                except UnreachableError:
                    lease.check()
                    raise

    def _compare_clocks(self, session: Session, summary: Summary) -> None:
        here = self.clock.now()
        row = session.row("SELECT extract(epoch FROM clock_timestamp()) AS epoch")
        clocks = {"warehouse": float(row["epoch"]) if row else 0.0}
        try:
            clocks["mysql"] = self.source.now().timestamp()
        except UnreachableError as error:
            last = session.row(
                "SELECT cycle, summary FROM settlement_ods.cycles WHERE status = 'committed'"
                " ORDER BY cycle DESC LIMIT 1"
            )
            known = (
                f"; last measured in cycle {last['cycle']}: {last['summary']}"
                if last and '"mysql"' in last["summary"]
                else ""
            )
            summary.notes.append(f"MySQL's clock could not be read ({error.what.splitlines()[0]}){known[:300]}")
        summary.drift_seconds = {name: round(value - here.timestamp(), 3) for name, value in clocks.items()}
        spread = [0.0, *summary.drift_seconds.values()]
        if max(spread) - min(spread) > self.settings.drift_seconds:
            raise WaybillError(
                f"the clocks differ by {max(spread) - min(spread):.0f} s (against this host: {summary.drift_seconds})",
                kept="nothing was changed; events wait in raw",
                todo="set the clocks (NTP), then run the next cycle",
            )

    def _ask_kafka(self, session: Session, summary: Summary) -> Asked:
        """Kafka is asked only while something waits for it."""
        now = session.row("SELECT timezone('UTC', clock_timestamp()) AS now")
        assert now is not None
        asked = watching.ask(session, self.source, self.marts, now["now"])
        summary.notes += asked.notes
        return asked

    def _ask_source(self, session: Session) -> GtidSet | None:
        """Connect's stored set, then wait until the transaction topic is loaded to where it ended after that."""
        stored = self.source.stored_gtid_set()
        end = self.source.transaction_topic_end()
        deadline = self.clock.monotonic() + self.load_wait_seconds
        positions = table(RAW_SCHEMA, positions_table(TRANSACTION_TABLE))
        while True:
            row = session.row(SQL("SELECT coalesce(max(next_offset), 0) AS loaded FROM {}").format(positions))
            if row and row["loaded"] >= end:
                return stored
            if self.clock.monotonic() > deadline:
                log.warning(
                    "the transaction topic is loaded to %s of %s; the first snapshot waits", row and row["loaded"], end
                )
                return None
            self.clock.sleep(0.5)

    def _was_committed(self, summary: Summary) -> bool:
        """After a lost answer: the cycle's own row says it, in a new session."""
        with self.open_session("commit check") as session:
            row = session.row(
                "SELECT status FROM settlement_ods.cycles WHERE token = %s AND status = 'committed'", (summary.token,)
            )
            return row is not None

    def _store_failure(self, summary: Summary, error: WaybillError) -> None:
        summary.status, summary.error = "failed", str(error)
        summary.finished_at = datetime.now(UTC).replace(tzinfo=None)
        try:
            with self.open_session("commit failure") as session:
                summary.store(session)
        except WaybillError as second:
            log.warning("the failed cycle's summary could not be stored: %s", second.what)
