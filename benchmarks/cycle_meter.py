"""A cycle's cost: seconds by step, CPU seconds of its server process; in a run of its own blocks and rows."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from benchmarks.cycle_marts import Filled
from warehouse.session import Session

# Counters of this transaction, of marts, history tables and what the cycle keeps beside them, indexes included.
_COUNTERS = (
    "SELECT coalesce(sum(pg_stat_get_xact_blocks_fetched(oid)), 0)::bigint AS blocks,"
    " coalesce(sum(pg_stat_get_xact_blocks_fetched(oid) - pg_stat_get_xact_blocks_hit(oid)), 0)::bigint AS read,"
    " coalesce(sum(pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid)"
    " + pg_stat_get_xact_tuples_deleted(oid)), 0)::bigint AS changed"
    " FROM pg_class WHERE relnamespace = 'settlement_ods'::regnamespace AND relkind IN ('r', 'i')"
)


def cpu_of(process: int) -> float:
    """CPU seconds that a process of this machine has used."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9


class Timed(Session):
    """Keeps the CPU seconds of the newest session named `commit`, in all and by step."""

    cpu: ClassVar[float] = 0.0
    by_step: ClassVar[dict[str, float]] = {}

    def run(self, statement: Any, parameters: Any = None, doing: str = "") -> int:
        with self._kept(doing):
            return super().run(statement, parameters, doing)

    def rows(self, statement: Any, parameters: Any = None, doing: str = "") -> list[dict[str, Any]]:
        with self._kept(doing):
            return super().rows(statement, parameters, doing)

    @contextmanager
    def _kept(self, doing: str) -> Iterator[None]:
        began = cpu_of(self.process_id) if doing.startswith("commit step") else 0.0
        yield
        if began:
            name = doing.removeprefix("commit step ").split(" of ")[0]
            self.by_step[name] = round(self.by_step.get(name, 0.0) + cpu_of(self.process_id) - began, 4)

    def close(self) -> None:
        if self.name == "commit" and not self.closed:
            type(self).cpu = round(cpu_of(self.process_id), 3)
        super().close()


class Counted(Session):
    """Counts blocks and changed rows by step; the counting itself takes time, so such a run tells no seconds."""

    steps: ClassVar[dict[str, dict[str, int]]] = {}
    _last: ClassVar[dict[str, int]] = {}

    def run(self, statement: Any, parameters: Any = None, doing: str = "") -> int:
        found = super().run(statement, parameters, doing)
        self._count(doing)
        return found

    def rows(self, statement: Any, parameters: Any = None, doing: str = "") -> list[dict[str, Any]]:
        found = super().rows(statement, parameters, doing)
        self._count(doing)
        return found

    def _count(self, doing: str) -> None:
        if not doing.startswith("commit step"):
            return
        (now,) = super().rows(_COUNTERS)
        name = doing.removeprefix("commit step ").split(" of ")[0]
        last = type(self)._last if name != "010_begin" else {}
        step = self.steps.setdefault(name, {"blocks": 0, "read": 0, "changed": 0})
        for key, value in now.items():
            step[key] += max(value - last.get(key, 0), 0)
        type(self)._last = now


@dataclass
class Cost:
    """One cycle."""

    seconds: float
    cpu: float
    load: float
    by_step: dict[str, float] = field(default_factory=dict)
    cpu_by_step: dict[str, float] = field(default_factory=dict)
    marts: dict[str, dict[str, Any]] = field(default_factory=dict)
    without_cut: float = 0.0

    def top(self, count: int = 12) -> list[tuple[str, float]]:
        return sorted(self.cpu_by_step.items(), key=lambda item: -item[1])[:count]


def timed_cycle(filled: Filled) -> Cost:
    """One real cycle, from opening its sessions to the answer of COMMIT."""
    Timed.by_step.clear()
    load, began = os.getloadavg()[0], time.monotonic()
    summary = filled.committer(Timed).cycle()
    took = time.monotonic() - began
    assert summary.status == "committed", summary
    assert not summary.waiting, summary.waiting
    marts = {
        m.mart: {"rows_in": m.rows_in, "keys": m.keys, "applied": m.applied, "archived": m.archived,
                 "trimmed": m.trimmed, "returned": m.returned, "looked_at": m.looked_at, "marked": m.marked}
        for m in summary.marts
    }  # fmt: skip
    assert not any(m.marked for m in summary.marts), marts
    placing = sum(s for name, s in summary.seconds.items() if name >= "200" and name < "800")
    return Cost(
        round(took, 3), Timed.cpu, round(load, 1), summary.seconds, dict(Timed.by_step), marts, round(placing, 3)
    )


def counted_cycle(filled: Filled) -> dict[str, dict[str, int]]:
    """Blocks and changed rows by step of one real cycle."""
    Counted.steps.clear()
    filled.committer(Counted).cycle()
    return {name: dict(found) for name, found in Counted.steps.items() if any(found.values())}


@contextmanager
def measured(session: Session) -> Iterator[dict[str, float]]:
    """Seconds and CPU seconds of what a session does inside."""
    found: dict[str, float] = {"load": round(os.getloadavg()[0], 1)}
    began, used = time.monotonic(), cpu_of(session.process_id)
    yield found
    found["seconds"] = round(time.monotonic() - began, 3)
    found["cpu"] = round(cpu_of(session.process_id) - used, 2)
