"""Where everything stands, on one screen: processes, connector, lag, last cycle, the cut's age, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from cronsim import CronSim

from connect.failures import explain
from connect.rest import ConnectRest
from consumers.lag import PartitionLag
from operations.state import BACKING_OFF, ENDED, RunState
from warehouse.session import Session
from waybill.errors import SettingsError, WaybillError

_T = TypeVar("_T")
_GRACE_SECONDS = 120.0


@dataclass(frozen=True)
class Need:
    """Something a person should look at. `todo` is the command that helps."""

    what: str
    todo: str


@dataclass(frozen=True)
class TableLag:
    """One stream's lag in messages over all its partitions; None when it is not known. `notes` are what is odd."""

    table: str
    partitions: int
    messages: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Cut:
    """What the marts are as of. Times UTC without zone, ages in seconds."""

    cycle: int
    cut_at: datetime | None
    age: float | None
    committed_at: datetime
    gtid_set: str
    consistent: bool
    tables_out: str
    last: dict[str, Any] | None
    stopped: tuple[dict[str, Any], ...]
    open_exceptions: int


@dataclass(frozen=True)
class Status:
    """All of it. A part that could not be asked is None, and a need says why."""

    run: RunState | None
    connector: dict[str, Any] | None
    lag: tuple[TableLag, ...] | None
    cut: Cut | None
    needs: tuple[Need, ...] = field(default=())


@dataclass(frozen=True)
class Sources:
    """Where the parts come from; each function may raise a `WaybillError`."""

    run: RunState | None
    connector: Callable[[], dict[str, Any]]
    lag: Callable[[], Sequence[PartitionLag]]
    cut: Callable[[], Cut]
    schedule: str


def gather(sources: Sources, now: datetime) -> Status:
    """Ask all services at once. Never raises for a service that does not answer: that is a need."""
    needs: list[Need] = []

    def asked(function: Callable[[], _T]) -> _T | WaybillError:
        try:
            return function()
        except WaybillError as error:
            return error

    def kept(answer: _T | WaybillError) -> _T | None:
        if isinstance(answer, WaybillError):
            needs.append(Need(answer.what, answer.todo or "waybill doctor"))
            return None
        return answer

    with ThreadPoolExecutor(3) as pool:
        connector = pool.submit(asked, sources.connector)
        lag = pool.submit(asked, sources.lag)
        cut = pool.submit(asked, sources.cut)
        needs += _run_needs(sources.run)
        found_connector = kept(connector.result())
        found_lag = kept(lag.result())
        found_cut = kept(cut.result())
    if found_connector:
        needs += _connector_needs(found_connector)
    if found_cut:
        needs += _cut_needs(found_cut, sources.schedule, now)
    tables = tuple(by_table(found_lag)) if found_lag is not None else None
    needs += [Need(f"{t.table}: {note}", "waybill lag") for t in tables or () for note in t.notes if _odd(note)]
    return Status(sources.run, found_connector, tables, found_cut, tuple(dict.fromkeys(needs)))


def connector(url: str, name: str) -> dict[str, Any]:
    """Its state and why it failed."""
    with ConnectRest(url) as rest:
        status = rest.status(name)
    if status is None:
        return {"name": name, "state": "MISSING", "tasks": [], "why": "", "todo": "waybill connect apply"}
    why = explain(status.failure) if status.failure is not None else None
    return {
        "name": name,
        "state": "RUNNING" if status.runs else "FAILED" if why else status.state,
        "tasks": [f"{t.number} {t.state}" for t in status.tasks],
        "why": why.sentence if why else "",
        "todo": why.todo if why else "waybill connect resume" if status.state in ("PAUSED", "STOPPED") else "",
    }


def cut(session: Session, now: datetime) -> Cut:
    """Read the marts' state. Raises `SettingsError` before `waybill schema apply`."""
    as_of = session.row("SELECT * FROM settlement_ods.as_of", doing="reading the cut")
    if as_of is None:
        raise SettingsError("settlement_ods.as_of is empty", todo="waybill schema apply")
    last = session.row(
        "SELECT cycle, status, holder, started_at, finished_at, transactions, rows_in, rows_applied, waiting_for, error"
        " FROM settlement_ods.cycles ORDER BY started_at DESC LIMIT 1",
        doing="reading the last cycle",
    )
    stopped = session.rows(
        "SELECT table_name, reason, kept, todo FROM settlement_public.table_states WHERE state = 'stopped'",
        doing="reading the tables' states",
    )
    exceptions = session.row(
        "SELECT count(*) AS n FROM settlement_ods.order_tracking_exceptions WHERE resolved_at IS NULL"
    )
    at = as_of["cut_at"]
    return Cut(
        cycle=as_of["cycle"],
        cut_at=at,
        age=None if at is None else (now - at.replace(tzinfo=UTC)).total_seconds(),
        committed_at=as_of["committed_at"],
        gtid_set=as_of["gtid_set"],
        consistent=as_of["consistent"],
        tables_out=as_of["tables_out"],
        last=last,
        stopped=tuple(stopped),
        open_exceptions=int(exceptions["n"]) if exceptions else 0,
    )


def by_table(partitions: Iterable[PartitionLag]) -> Iterable[TableLag]:
    """Partitions summed up to tables, in their order."""
    grouped: dict[str, list[PartitionLag]] = {}
    for one in partitions:
        grouped.setdefault(one.table, []).append(one)
    for table, ones in grouped.items():
        known = [one.lag for one in ones if one.lag is not None]
        notes = tuple(dict.fromkeys(one.note for one in ones if one.note))
        yield TableLag(table, len(ones), sum(known) if known else None, notes)


def _odd(note: str) -> bool:
    """A topic without events is not, nor one that was never read."""
    return note not in ("no such topic yet", "never read")


def _run_needs(run: RunState | None) -> Iterable[Need]:
    if run is None:
        return
    if not run.runs:
        if any(p.state != ENDED for p in run.processes):
            yield Need("waybill run was killed; it goes on where it was", "waybill run")
        return
    for process in run.processes:
        if process.state == BACKING_OFF or (process.identity and not process.runs):
            code = "" if process.exit_code is None else f" (exit code {process.exit_code})"
            yield Need(
                f"{process.name} keeps ending{code}, {process.restarts} restarts", f"see .waybill/run/{process.log}"
            )


def _connector_needs(found: dict[str, Any]) -> Iterable[Need]:
    if found["state"] != "RUNNING":
        why = f": {found['why']}" if found["why"] else ""
        yield Need(
            f"the connector {found['name']} is {found['state'].lower()}{why}", found["todo"] or "waybill connect status"
        )


def _cut_needs(found: Cut, schedule: str, now: datetime) -> Iterable[Need]:
    for table in found.stopped:
        yield Need(f"{table['table_name']} is stopped: {table['reason']}", table["todo"] or "waybill lag")
    if found.last and found.last["status"] == "failed":
        yield Need(f"cycle {found.last['cycle']} failed: {_first_line(found.last['error'])}", "waybill cycles list")
    if found.cycle == 0:
        yield Need("no commit cycle has finished yet", "waybill commit --once")
    elif found.age is not None and found.age > allowed_age(schedule, now):
        held = found.last["waiting_for"] if found.last else ""
        because = f"; held by {_first_line(held)}" if held else ""
        yield Need(f"the cut is {words(found.age)} old{because}", "waybill run, or waybill commit --once")
    if found.tables_out:
        yield Need(f"the cycles go on without {found.tables_out}", "waybill cycles list")


def allowed_age(schedule: str, now: datetime) -> float:
    """Seconds a cut may be old: two ticks of the schedule and a little."""
    ticks = CronSim(schedule, now)
    first, _, third = next(ticks), next(ticks), next(ticks)
    return (third - first).total_seconds() + _GRACE_SECONDS


def words(seconds: float) -> str:
    """An age for a person: 12 s, 5 min, 3.2 h, 4.0 days."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
