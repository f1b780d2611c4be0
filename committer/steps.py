"""The steps of a cycle as data: which file, for what, and what its row count means.

`sql/commit/NNN_name[.each_raw|.each_mart][.query].sql`, run in the order of their numbers. A `query` step returns
rows for the committer to judge; the others change the cycle's scratch tables or the marts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg2.sql import SQL, Composable, Identifier

from committer.settings import Mart
from warehouse.session import Session
from warehouse.statements import columns, matches, statements, table
from waybill.errors import UnreachableError
from waybill.raw import MART_SCHEMA, RAW_SCHEMA, TRANSACTION_TABLE, ledger_table
from waybill.tables import Table


@dataclass(frozen=True)
class MartTable:
    """A mart with its raw table and the columns both have, as the cycle needs them."""

    source: Table
    mart: Mart
    columns: tuple[str, ...]

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(name.lower() for name in self.source.key)

    def names(self) -> dict[str, Composable]:
        """What the step files' `{names}` stand for."""
        rows = f"rows_{self.source.raw}"
        return {
            "raw": table(RAW_SCHEMA, self.source.raw),
            "ledger": table(RAW_SCHEMA, ledger_table(self.source.raw)),
            "mart": table(MART_SCHEMA, self.mart.name),
            "rows": Identifier(rows),
            "placed": Identifier(f"placed_{self.source.raw}"),
            "latest": Identifier(f"latest_{self.source.raw}"),
            "truncated": Identifier(f"truncated_{self.source.raw}"),
            "raw_key": columns(self.key, "r"),
            "r_key": columns(self.key, "r"),
            "x_key": columns(self.key, "x"),
            "raw_columns": columns(self.columns, "r"),
            "columns": columns(self.columns),
            "latest_columns": columns(self.columns, "l"),
            "mart_is_latest": matches(self.key, "m", "l"),
            "key_is_null": _any_null(self.key, "p"),
            "key_is_null_w": _any_null(self.key, "w"),
        }

    def values(self) -> dict[str, Any]:
        """What the step files' parameters stand for."""
        return {"source": self.source.source, "raw_table": self.source.raw}


def _any_null(key: Sequence[str], prefix: str) -> Composable:
    return SQL(" OR ").join(SQL("{} IS NULL").format(Identifier(prefix, name)) for name in key)


@dataclass(frozen=True)
class Step:
    """One file. `counts` names what the rows of its last statement are in the summary, '' for nothing."""

    file: str
    counts: str = ""

    @property
    def name(self) -> str:
        return self.file.split(".")[0]

    @property
    def scope(self) -> str:
        return next((s for s in ("each_raw", "each_mart") if s in self.file.split(".")), "")


BEGIN = Step("010_begin.sql")
PENDING = Step("020_pending.each_raw.sql", "batches")
ROWS = Step("030_rows.each_mart.sql")
NOTIFICATIONS = Step("032_notifications.query.sql")
ATTEMPTS = Step("034_attempts.each_mart.query.sql")
STREAMED_SINCE = Step("036_streamed_since.query.sql")
ENDS = Step("040_ends.sql")
END_CONFLICTS = Step("050_end_conflicts.query.sql")
ARRIVALS = Step("060_arrivals.each_mart.sql")
CUT = Step("070_cut.sql", "transactions")
RUNS = Step("080_runs.query.sql")
READS = Step("090_reads.each_mart.query.sql")
PLACED = Step("100_placed.each_mart.sql")
INVALID = Step("110_invalid.each_mart.sql", "invalid")
LATEST = Step("120_latest.each_mart.sql")
DELETE_OLDER = Step("130_delete_older.each_mart.sql", "replaced")
INSERT = Step("140_insert.each_mart.sql", "applied")
TRUNCATED = Step("145_truncated.each_mart.sql", "truncated")
APPLIED = Step("150_applied.each_mart.sql")
APPLIED_ENDS = Step("160_applied_ends.sql")

ALL = (
    BEGIN, PENDING, ROWS, NOTIFICATIONS, ATTEMPTS, STREAMED_SINCE, ENDS, END_CONFLICTS, ARRIVALS, CUT, RUNS,
    READS, PLACED, INVALID, LATEST, DELETE_OLDER, INSERT, TRUNCATED, APPLIED, APPLIED_ENDS,
)  # fmt: skip
APPLY = (INVALID, LATEST, DELETE_OLDER, INSERT, TRUNCATED, APPLIED)


def effective(step: Step, mart: MartTable | None) -> list[Composable]:
    """A step's statements for one mart (or for none, when it runs once), identifiers filled in."""
    names = mart.names() if mart else {"ledger": table(RAW_SCHEMA, ledger_table(TRANSACTION_TABLE))}
    return statements(f"sql/commit/{step.file}", names)


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

    def run(self, step: Step, mart: MartTable | None = None, **values: Any) -> int:
        """Run a step; returns the rows its last statement touched."""
        count = 0
        for statement in self._each(step, mart):
            count = self.session.run(statement, {**self.values, **values}, doing=self._doing(step, mart))
        self._finish(step, mart, count)
        return count

    def query(self, step: Step, mart: MartTable | None = None, **values: Any) -> list[dict[str, Any]]:
        """Run a step of one query; returns its rows."""
        found: list[dict[str, Any]] = []
        for statement in self._each(step, mart):
            found = self.session.rows(statement, {**self.values, **values}, doing=self._doing(step, mart))
        self._finish(step, mart, len(found))
        return found

    def _doing(self, step: Step, mart: MartTable | None) -> str:
        return f"commit step {step.name}" + (f" of {mart.mart.name}" if mart else "")

    def _each(self, step: Step, mart: MartTable | None) -> list[Composable]:
        left = self.deadline - self.monotonic()
        if left <= 0:
            raise UnreachableError(f"{self._doing(step, mart)}: the cycle's time limit is used up, rolled back")
        limit = int(min(self.step_seconds, left) * 1000)
        self.session.run(f"SET LOCAL statement_timeout = {max(limit, 1)}")
        self._began = self.monotonic()
        return effective(step, mart)

    def _finish(self, step: Step, mart: MartTable | None, count: int) -> None:
        name = f"{step.name} {mart.mart.name}" if mart else step.name
        self.seconds[name] = round(self.seconds.get(name, 0) + self.monotonic() - self._began, 4)
        self.rows[name] = self.rows.get(name, 0) + max(count, 0)
