"""Where everything stands, on one screen: processes, connector, lag, last cycle, the cut's age, and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from connect.failures import explain
from connect.rest import ConnectRest
from consumers.lag import PartitionLag
from operations import needs as needs_of
from operations import parts as parts_of
from operations.asking import put
from operations.cut import Cut
from operations.dead_letters.counts import LetterCounts
from operations.needs import Need
from operations.offsets.coverage import Gap
from operations.parts import Part
from operations.state import RunState
from waybill.errors import WaybillError

_T = TypeVar("_T")
_SECONDS = 20.0  # for one question, of parts that answer


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
    """Where it comes from; each function may raise a `WaybillError`. `parts` are asked first, by their names here."""

    run: RunState | None
    connector: Callable[[], dict[str, Any]]
    lag: Callable[[], Sequence[PartitionLag]]
    cut: Callable[[], Cut]
    schedule: str
    gaps: Callable[[], Sequence[Gap]] = tuple
    letters: Callable[[], LetterCounts] = LetterCounts
    parts: Sequence[Part] = ()


def gather(sources: Sources, now: datetime) -> Status:
    """Ask the parts whether they are there, then of those that are what they know; all at once each time.

    Never raises for a service that does not answer, nor waits for one that stands still: that is a need.
    """
    needs: list[Need] = list(needs_of.of_run(sources.run))
    away = parts_of.away(sources.parts)
    needs += away.values()

    def asked(question: Callable[[], _T], *of: str) -> Future[_T] | None:
        return None if away.keys() & set(of) else put(question)

    def answer(future: Future[_T] | None, what: str) -> _T | None:
        if future is None:
            return None
        try:
            return future.result(_SECONDS)
        except TimeoutError:
            needs.append(Need(f"{what}: no answer within {_SECONDS:g} s", "waybill doctor"))
        except WaybillError as error:
            needs.append(Need(error.what, error.todo or "waybill doctor", error.kept))
        return None

    connector = asked(sources.connector, "Kafka Connect", "Kafka")
    lag = asked(sources.lag, "Kafka", "the warehouse")
    cut = asked(sources.cut, "the warehouse")
    gaps = asked(sources.gaps, "the warehouse")
    letters = asked(sources.letters, "the warehouse")
    found_connector = answer(connector, "the connector's state")
    found_lag = answer(lag, "the lag")
    found_cut = answer(cut, "the cut")
    found_gaps = answer(gaps, "offsets left out by hand")
    found_letters = answer(letters, "dead letters")
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
