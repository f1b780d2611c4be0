"""Where everything stands, on one screen: processes, connector, lag, last cycle, the cut's age, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from connect.failures import explain
from connect.rest import ConnectRest
from consumers.lag import PartitionLag
from operations import needs as needs_of
from operations.cut import Cut
from operations.dead_letters.desk import LetterCounts
from operations.needs import Need
from operations.offsets.coverage import Gap
from operations.state import RunState
from waybill.errors import WaybillError

_T = TypeVar("_T")


@dataclass(frozen=True)
class TableLag:
    """One stream's lag in messages over all its partitions; None when it is not known. `notes` are what is odd."""

    table: str
    partitions: int
    messages: int | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Status:
    """All of it. A part that could not be asked is None, and a need says why."""

    run: RunState | None
    connector: dict[str, Any] | None
    lag: tuple[TableLag, ...] | None
    cut: Cut | None
    letters: LetterCounts | None
    needs: tuple[Need, ...] = field(default=())


@dataclass(frozen=True)
class Sources:
    """Where the parts come from; each function may raise a `WaybillError`."""

    run: RunState | None
    connector: Callable[[], dict[str, Any]]
    lag: Callable[[], Sequence[PartitionLag]]
    cut: Callable[[], Cut]
    schedule: str
    gaps: Callable[[], Sequence[Gap]] = tuple
    letters: Callable[[], LetterCounts] = LetterCounts


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

    with ThreadPoolExecutor(4) as pool:
        connector = pool.submit(asked, sources.connector)
        lag = pool.submit(asked, sources.lag)
        cut = pool.submit(asked, sources.cut)
        gaps = pool.submit(asked, sources.gaps)
        letters = pool.submit(asked, sources.letters)
        needs += needs_of.of_run(sources.run)
        found_connector = kept(connector.result())
        found_lag = kept(lag.result())
        found_cut = kept(cut.result())
        found_gaps = kept(gaps.result())
        found_letters = kept(letters.result())
    if found_connector:
        needs += needs_of.of_connector(found_connector)
    if found_cut:
        needs += needs_of.of_cut(found_cut, sources.schedule, now)
    needs += needs_of.of_gaps(found_gaps or ())
    if found_letters:
        needs += needs_of.of_letters(found_letters)
    tables = tuple(by_table(found_lag)) if found_lag is not None else None
    needs += [Need(f"{t.table}: {note}", "waybill lag") for t in tables or () for note in t.notes if _odd(note)]
    return Status(sources.run, found_connector, tables, found_cut, found_letters, tuple(dict.fromkeys(needs)))


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
