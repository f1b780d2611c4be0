"""The steps of a cycle as data: which file, for what, and what its row count means.

`sql/commit/NNN_name[.SCOPE][.query].sql`, run in the order of their numbers, mart by mart. SCOPE: each_raw, each_mart;
each_place (the mart and its history tables), each_history; each_follower (a mart that follows another),
each_leader_history (the history tables of the mart that it follows). A `query` step returns rows for the committer to
judge; the others change the cycle's scratch tables or the places.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from psycopg2.sql import Composable

from committer.marts import MartTable, Place
from warehouse.session import Session
from warehouse.statements import statements, table, text_of
from waybill.errors import UnreachableError
from waybill.raw import RAW_SCHEMA, TRANSACTION_TABLE, ledger_table


@dataclass(frozen=True)
class Step:
    """One file. `counts` says what its rows are, '' for nothing that counts. `looks_up`: it finds rows of marts and
    history tables by key, for few keys; an engine with indexes is told to use them. Not `loops`: it matches a batch's
    rows with raw, as many with as many, which must not go one by one when the statistics know neither."""

    file: str
    counts: str = ""
    looks_up: bool = False
    loops: bool = True

    @property
    def name(self) -> str:
        return self.file.split(".")[0]

    @property
    def scope(self) -> str:
        return next((part for part in self.file.split(".") if part.startswith("each_")), "")


BEGIN = Step("010_begin.sql")
PENDING = Step("020_pending.each_raw.sql", "batches")
ROWS = Step("030_rows.each_mart.sql")
NOTIFICATIONS = Step("032_notifications.query.sql")
ATTEMPTS = Step("034_attempts.each_mart.query.sql")
STREAMED_SINCE = Step("036_streamed_since.query.sql")
ENDS = Step("040_ends.sql")
END_CONFLICTS = Step("050_end_conflicts.query.sql")
ARRIVALS = Step("060_arrivals.each_mart.sql")
STILL_OWED = Step("065_still_owed.each_mart.query.sql")
PASSED = Step("067_passed.each_mart.query.sql")
SHORT = Step("068_short.query.sql")
CUT = Step("070_cut.sql", "transactions")
RUNS = Step("080_runs.query.sql")
OWED = Step("085_owed.sql", "counts kept of tables that are out")
READS = Step("090_reads.each_mart.query.sql")
READS_COMPLETED = Step("092_reads_completed.query.sql")
READ_BEGAN = Step("094_read_began.query.sql")
UNPLACED_READS = Step("096_unplaced_reads.each_mart.query.sql")
BAD_SINCE = Step("097_bad_since.each_mart.query.sql")
PLACED = Step("100_placed.each_mart.sql")
NEWS = Step("105_news.each_mart.query.sql")
INVALID = Step("110_invalid.each_mart.sql", "invalid")
HOLES_ARRIVED = Step("111_holes_arrived.each_mart.sql", "holes whose row came")
HOLES_MENDED = Step("112_holes_mended.sql", "holes mended")
HOLES_OPEN = Step("113_holes_open.sql", "holes named")
EVENT_TIMES = Step("115_event_times.each_mart.query.sql")
REBUILT_TIME = Step("117_rebuilt_time.each_mart.query.sql")
REBUILT_TIME_PLACE = Step("118_rebuilt_time.each_place.query.sql")
LATEST = Step("120_latest.each_mart.sql")
TRUNCATES = Step("130_truncates.each_mart.sql", "truncates reached")
NEW_WIPES = Step("135_new_wipes.each_mart.query.sql")
CANDIDATES = Step("200_candidates.each_mart.sql", looks_up=True)
FOLLOWERS = Step("210_followers.each_follower.sql", "keys whose leader moved or that aged alone")
EVERYTHING = Step("220_everything.each_place.sql", "keys of a marked cycle")
STANDING = Step("230_standing.each_mart.sql", looks_up=True)
STANDING_HISTORY = Step("235_standing.each_history.sql", "keys found in history", looks_up=True)
TWICE = Step("240_twice.each_mart.query.sql")
LEADERS = Step("250_leaders.each_mart.sql")
LEADERS_MART = Step("252_leaders.each_follower.sql", "keys with a leader in its mart", looks_up=True)
LEADERS_HISTORY = Step("254_leaders.each_leader_history.sql", "keys with a leader in its history", looks_up=True)
VERDICT = Step("260_verdict.each_mart.sql", "keys looked at")
MOVES = Step("270_moves.each_mart.query.sql")
INCOMING = Step("275_incoming.each_mart.sql", loops=False)
MOVING = Step("280_moving.each_mart.sql")
MOVING_PLACE = Step("285_moving.each_place.sql", "rows that move by themselves", looks_up=True)
REPLACE = Step("288_replace.each_place.sql", "rows replaced where they stand", looks_up=True)
INSERT = Step("290_insert.each_place.sql", "rows that came by moving")
ARRIVED = Step("300_arrived.each_place.query.sql", looks_up=True)
DELETE = Step("310_delete.each_place.sql", "rows taken out", looks_up=True)
MARKS = Step("320_marks.each_place.sql", "rows marked")
REMOVED = Step("330_removed.each_mart.sql", "keys removed", looks_up=True)
AFTER = Step("340_places_after.each_mart.sql", looks_up=True)
AFTER_PLACE = Step("345_places_after.each_place.sql", "keys found", looks_up=True)
CONSERVED = Step("350_conserved.each_mart.query.sql")
EXCEPTIONS = Step("360_exceptions.each_mart.sql", "exceptions opened")
ALONE = Step("370_alone.each_follower.sql", "rows without a leader", looks_up=True)
MOVED = Step("380_moved.each_mart.sql")
RECHECK = Step("382_recheck.each_mart.sql", "keys kept for a mart that is out")
UNMOVED = Step("384_unmoved.each_mart.sql")
APPLIED = Step("800_applied.each_mart.sql")
APPLIED_ENDS = Step("810_applied_ends.sql")

ALL = (
    BEGIN, PENDING, ROWS, NOTIFICATIONS, ATTEMPTS, STREAMED_SINCE, ENDS, END_CONFLICTS, ARRIVALS, STILL_OWED, PASSED,
    SHORT, CUT, RUNS, OWED, READS, READS_COMPLETED, READ_BEGAN, UNPLACED_READS, BAD_SINCE, PLACED, NEWS, INVALID,
    HOLES_ARRIVED, HOLES_MENDED, HOLES_OPEN, EVENT_TIMES, REBUILT_TIME, REBUILT_TIME_PLACE, LATEST, TRUNCATES,
    NEW_WIPES, CANDIDATES, FOLLOWERS, EVERYTHING, STANDING, STANDING_HISTORY, TWICE, LEADERS, LEADERS_MART,
    LEADERS_HISTORY, VERDICT, MOVES, INCOMING, MOVING, MOVING_PLACE, REPLACE, INSERT, ARRIVED, DELETE, MARKS, REMOVED,
    AFTER, AFTER_PLACE, CONSERVED, EXCEPTIONS, ALONE, MOVED, RECHECK, UNMOVED, APPLIED, APPLIED_ENDS,
)  # fmt: skip


def effective(step: Step, mart: MartTable | None, place: Place | None = None) -> list[Composable]:
    """A step's statements for one mart and place (or for none), identifiers filled in."""
    path = f"sql/commit/{step.file}"
    if mart is None:
        return statements(path, {"ledger": table(RAW_SCHEMA, ledger_table(TRANSACTION_TABLE))})
    return statements(path, mart.names(text_of(path), place))


@dataclass
class Runner:
    """Runs steps in one session, each under its time limit, and keeps what each took.

    `deadline` is monotonic seconds for the whole cycle; `seconds` and `rows` are by step (and mart). A step that
    takes longer raises `UnreachableError` after the engine has cancelled it.
    """

    session: Session
    values: Mapping[str, Any]
    step_seconds: float
    deadline: float
    monotonic: Callable[[], float] = time.monotonic
    seconds: dict[str, float] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def run(self, step: Step, mart: MartTable | None = None, place: Place | None = None, **values: Any) -> int:
        """Run a step; returns the rows its last statement touched."""
        count = 0
        for statement in self._each(step, mart, place):
            count = self.session.run(statement, self._values(place, values), doing=doing(step, mart, place))
        self._finish(step, mart, count)
        return count

    def query(
        self, step: Step, mart: MartTable | None = None, place: Place | None = None, **values: Any
    ) -> list[dict[str, Any]]:
        """Run a step of one query; returns its rows."""
        found: list[dict[str, Any]] = []
        for statement in self._each(step, mart, place):
            found = self.session.rows(statement, self._values(place, values), doing=doing(step, mart, place))
        self._finish(step, mart, len(found))
        return found

    def _values(self, place: Place | None, values: Mapping[str, Any]) -> dict[str, Any]:
        return {**self.values, **values, "place": place.name if place else ""}

    def _each(self, step: Step, mart: MartTable | None, place: Place | None) -> list[Composable]:
        left = self.deadline - self.monotonic()
        if left <= 0:
            raise UnreachableError(f"{doing(step, mart, place)}: the cycle's time limit is used up, rolled back")
        self.session.limit_statements(min(self.step_seconds, left))
        self.session.plan_joins(step.looks_up, step.loops)
        self._began = self.monotonic()
        return effective(step, mart, place)

    def _finish(self, step: Step, mart: MartTable | None, count: int) -> None:
        name = f"{step.name} {mart.mart.name}" if mart else step.name
        self.seconds[name] = round(self.seconds.get(name, 0) + self.monotonic() - self._began, 4)
        self.rows[name] = self.rows.get(name, 0) + max(count, 0)


def doing(step: Step, mart: MartTable | None, place: Place | None = None) -> str:
    """What a step does, for an error."""
    return f"commit step {step.name}" + (f" of {place.table if place else mart.mart.name}" if mart else "")
