"""All raw tables, one after another, within a time: what may go, goes; the next pass goes on with the rest."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from loaders.ports import Engine
from operations.trim import ends
from operations.trim.one_table import Policy, Subject, TableTrim, Trimmed
from warehouse.reclaim import reclaim
from warehouse.session import Session
from warehouse.statements import table
from waybill.clock import Clock
from waybill.errors import ConflictError, WaybillError
from waybill.metrics import RAW_TRIMMED, Sample
from waybill.raw import RAW_SCHEMA, TRANSACTION_TABLE

log = logging.getLogger(__name__)


class Trimmer:
    """`subjects` are the tables whose rows may go at all; of END records the cut is asked first.

    `notifications` is that topic's name among the tables' states.
    """

    def __init__(
        self, open_session: Callable[[str], Session], engine: Engine, subjects: Sequence[Subject],
        notifications: str, clock: Clock, policy: Policy | None = None,
    ) -> None:  # fmt: skip
        self._open_session, self._engine, self._subjects = open_session, engine, subjects
        self._notifications, self._clock, self._policy = notifications, clock, policy or Policy()

    def preview(self) -> list[Trimmed]:
        """What a pass without a time limit would do; changes nothing and takes no lock."""
        with self._open_session("trim") as session:
            return [
                Trimmed(subject.raw, held=why)
                if (why := self._held(session, subject))
                else self._table(session, subject).preview()
                for subject in self._subjects
            ]

    def trim(self) -> list[Trimmed]:
        """One pass. A table that fails or whose lock is busy says so in `held`; the others go on.

        Raises `UnreachableError` when the warehouse does not answer.
        """
        until = self._clock.monotonic() + self._policy.seconds
        with self._open_session("trim") as session:
            return [self._one(session, subject, until) for subject in self._subjects]

    def _one(self, session: Session, subject: Subject, until: float) -> Trimmed:
        done = Trimmed(subject.raw)
        try:
            done.held = self._held(session, subject)
            if not done.held:
                one = self._table(session, subject)
                try:
                    self._pass(one, subject, done, until)
                finally:
                    if one.emptied and not session.closed:
                        index = table(RAW_SCHEMA, f"{subject.raw}_by_batch")
                        reclaim(session, table(RAW_SCHEMA, subject.raw), index, one.emptied)
        except ConflictError as error:
            done.held = f"loads had its lock for longer than {self._policy.lock_seconds:.0f} s ({error.what})"
        except WaybillError as error:
            if session.closed:
                raise
            done.held = error.what
        return done

    def _pass(self, one: TableTrim, subject: Subject, done: Trimmed, until: float) -> None:
        if subject.has_mart:
            one.pass_mark()
        one.left(done)
        while one.due(done):
            if self._clock.monotonic() > until:
                done.more = True
                return

    def _table(self, session: Session, subject: Subject) -> TableTrim:
        kept = ends.kept(session) if subject.raw == TRANSACTION_TABLE else frozenset()
        return TableTrim(session, self._engine, subject, self._policy, kept)

    def _held(self, session: Session, subject: Subject) -> str:
        """Why nothing of this table goes now."""
        return ends.held(session, self._notifications) if subject.raw == TRANSACTION_TABLE else ""


class AfterCycles:
    """A pass after a cycle, none sooner than `every_seconds` after the last began. Whatever fails is logged: it is the
    next pass's business, never the cycle's."""

    def __init__(self, trimmer: Trimmer, clock: Clock, every_seconds: float = 60) -> None:
        self._trimmer, self._clock, self._every = trimmer, clock, every_seconds
        self._next = clock.monotonic()
        self._rows: Counter[str] = Counter()

    def samples(self) -> Iterable[Sample]:
        """Metrics: rows taken out so far."""
        return [Sample(RAW_TRIMMED, (raw,), rows) for raw, rows in list(self._rows.items())]

    def __call__(self) -> None:
        if self._clock.monotonic() < self._next:
            return
        self._next = self._clock.monotonic() + self._every
        try:
            for done in self._trimmer.trim():
                self._rows[done.raw] += done.rows
                if done.rows:
                    log.info("trimmed %s: %d rows of %d batches", done.raw, done.rows, done.batches)
                for note in done.notes:
                    log.info("trimming %s: %s", done.raw, note)
        except WaybillError as error:
            log.warning("raw was not trimmed, the next pass tries again: %s", error.what)
