"""The connector's state, and whether MySQL still keeps the binlog that it needs next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from checks.mysql import MysqlSession
from connect.offsets import gtid_set_of
from connect.rest import ConnectRest, Status
from waybill import metrics as m
from waybill.addresses import Mysql
from waybill.clock import Clock
from waybill.gtid import GtidSet
from waybill.metrics import Sample

STATES = ("RUNNING", "FAILED", "PAUSED", "STOPPED", "UNASSIGNED", "MISSING")


def connector(rest: Callable[[], ConnectRest], name: str) -> Iterator[Sample]:
    """Its state and its tasks'. A connector that is not there is MISSING."""
    with rest() as asked:
        status = asked.status(name)
    state = "MISSING" if status is None else _worst(status)
    for one in STATES:
        yield Sample(m.CONNECTOR, (one,), float(one == state))
    tasks = Counter(task.state for task in status.tasks) if status else Counter()
    for one in (*STATES[:-1], *sorted(set(tasks) - set(STATES))):
        yield Sample(m.TASKS, (one,), tasks[one])


def _worst(status: Status) -> str:
    """RUNNING only when its tasks run too; states that pass by themselves count as UNASSIGNED."""
    if status.runs:
        return "RUNNING"
    if status.failure is not None:
        return "FAILED"
    return status.state if status.state in ("PAUSED", "STOPPED") else "UNASSIGNED"


def binlog(rest: Callable[[], ConnectRest], name: str, mysql: Mysql, clock: Clock) -> Iterator[Sample]:
    """Nothing while the connector has stored no position yet."""
    with rest() as asked:
        offsets = asked.offsets(name)
    stored = gtid_set_of(offsets)
    if stored is None:
        return
    with MysqlSession(mysql, connect_seconds=5) as session:
        row = session.rows("SELECT @@GLOBAL.gtid_purged AS purged, @@GLOBAL.binlog_expire_logs_seconds AS keeps")[0]
    purged = GtidSet.parse(str(row["purged"]))
    yield Sample(m.BINLOG_THERE, (), float(purged <= GtidSet.parse(stored)))
    read_at, keeps = _time_of(offsets), float(row["keeps"])
    if read_at is not None and keeps > 0:
        yield Sample(m.BINLOG_LEFT, (), keeps - max(0.0, clock.now().timestamp() - read_at))


def _time_of(offsets: Sequence[Mapping[str, Any]]) -> float | None:
    """When the event of the stored position was written, seconds since 1970."""
    for entry in offsets:
        offset = entry.get("offset") or {}
        if offset.get("ts_sec"):
            return float(offset["ts_sec"])
    return None
