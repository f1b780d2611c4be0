"""What a cycle did: stored, printed, exported, also when it failed."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from warehouse.session import Session


@dataclass
class MartCounts:
    """One mart in one cycle.

    `rows_in`: raw rows in the cut not applied before; `keys` among them; `older`: keys whose newest such row lost
    against the standing one. `applied`: keys that got a new version; `replaced` of them stood before; `deleted` were
    deletes. `looked_at`: keys whose place was looked at. `archived`: put into history; `trimmed`: taken out of the
    mart; `returned`: from history into it; `corrected`: replaced in history; `removed`; `future`, `gaps`: stand under
    an exception. `marked`: why this cycle looked at every row, '' when it did not.
    """

    mart: str
    rows_in: int = 0
    keys: int = 0
    applied: int = 0
    replaced: int = 0
    deleted: int = 0
    older: int = 0
    invalid: int = 0
    looked_at: int = 0
    archived: int = 0
    trimmed: int = 0
    returned: int = 0
    corrected: int = 0
    removed: int = 0
    future: int = 0
    gaps: int = 0
    marked: str = ""


# Characters of a text; a varchar holds 65,535 bytes.
_MOST_TEXT = 60_000


@dataclass
class Summary:
    """One try at one cycle. Times UTC; `seconds` by step; `waiting` is what holds the cut."""

    cycle: int
    token: str
    holder: str
    started_at: datetime
    status: str = "running"
    finished_at: datetime | None = None
    cut_at: datetime | None = None
    gtid_set: str = ""
    transactions: int = 0
    marts: list[MartCounts] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    drift_seconds: dict[str, float] = field(default_factory=dict)
    error: str = ""

    @property
    def rows_in(self) -> int:
        return sum(m.rows_in for m in self.marts)

    @property
    def rows_applied(self) -> int:
        return sum(m.applied for m in self.marts)

    @property
    def rows_older(self) -> int:
        return sum(m.older for m in self.marts)

    def plain(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self) | {
            "rows_in": self.rows_in, "rows_applied": self.rows_applied, "rows_older": self.rows_older,
        }  # fmt: skip

    def store(self, session: Session) -> None:
        """Write it to `settlement_ods.cycles`, in the session's transaction if there is one."""
        session.run(
            "INSERT INTO settlement_ods.cycles (cycle, token, status, holder, started_at, finished_at, cut_at,"
            " gtid_set, transactions, rows_in, rows_applied, rows_older, waiting_for, error, summary)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                self.cycle, self.token, self.status, self.holder, self.started_at, self.finished_at, self.cut_at,
                self.gtid_set, self.transactions, self.rows_in, self.rows_applied, self.rows_older,
                "\n".join(self.waiting)[:_MOST_TEXT], self.error[:_MOST_TEXT], self._detail(),
            ),
            doing=f"storing the summary of cycle {self.cycle}",
        )  # fmt: skip

    def _detail(self) -> str:
        """The rest as JSON that fits its column: of very many marts a step's seconds together, then fewer notes."""
        by_step: dict[str, float] = {}
        for step, seconds in self.seconds.items():
            name = step.partition(" ")[0]
            by_step[name] = round(by_step.get(name, 0.0) + seconds, 4)
        marts = [asdict(m) for m in self.marts]
        for seconds_told, notes in ((self.seconds, self.notes), (by_step, self.notes), (by_step, self.notes[:3])):
            told = {"marts": marts, "seconds": seconds_told, "notes": notes, "drift": self.drift_seconds}
            if len(text := json.dumps(told)) <= _MOST_TEXT:
                return text
        return json.dumps({"marts": [], "seconds": by_step, "notes": ["there was more than can be kept"], "drift": {}})
