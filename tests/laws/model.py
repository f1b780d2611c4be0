"""The laws in a page: what marts, history and exceptions must hold, computed from the events alone (spec section 7).

Knows nothing of SQL, cycles or batches: the state is a function of the events up to the cut and of the settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

HOUR, DAY = 3600, 86_400
Key = tuple[int, ...]
Position = tuple[int, int, int]


@dataclass(frozen=True)
class Event:
    """`position` is (era, number, order); `written` counts what was written to raw; times in seconds since 1970."""

    table: str
    key: Key
    op: str
    position: Position
    written: int
    committed: int
    event_time: int | None
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """One mart: `follows` names another table."""

    retention: int
    on_delete: str
    follows: str = ""
    gap: str = "ARCHIVE_ROUTING_GAP"


@dataclass(frozen=True)
class Row:
    """Where a key stands: `place` is '' for the mart, a half-year, or 'removed'."""

    place: str
    values: Mapping[str, Any]
    gone: int | None
    exception: str = ""


def half_year(second: int) -> str:
    moment = datetime.fromtimestamp(second, UTC)
    return f"{moment.year:04d}_h{1 if moment.month < 7 else 2}"


def newest(events: Iterable[Event]) -> int | None:
    """T: also of versions that were replaced or deleted since."""
    return max(
        (
            e.event_time
            for e in events
            if e.op != "d" and e.event_time is not None and e.event_time <= e.committed + HOUR
        ),
        default=None,
    )


def state(
    events: Iterable[Event], rules: Mapping[str, Rules], cut_at: int, first: str, wipes: Mapping[str, Any]
) -> dict[str, dict[Key, Row]]:
    """Every key of every table. Leaders come before their followers in `rules`.

    `wipes` are by table (position, gone at): what is placed before counts as deleted.
    """
    found: dict[str, dict[Key, Row]] = {}
    all_events = list(events)
    for table, rule in rules.items():
        own = [e for e in all_events if e.table == table]
        latest = newest(own)
        winners: dict[Key, Event] = {}
        for event in own:
            standing = winners.get(event.key)
            if standing is None or (standing.position, standing.written) <= (event.position, event.written):
                winners[event.key] = event
        found[table] = {
            key: _row(winner, rule, latest, cut_at, first, found, wipes.get(table, ()))
            for key, winner in winners.items()
        }
    return found


def _row(
    winner: Event, rule: Rules, latest: int | None, cut_at: int, first: str, found: Mapping[str, Mapping[Key, Row]],
    wipes: Iterable[tuple[Position, int]],
) -> Row:  # fmt: skip
    time, gone = winner.event_time, winner.committed if winner.op == "d" else None
    if gone is None:
        gone = min((at for position, at in wipes if winner.position < position), default=None)
    if gone is not None and rule.on_delete == "remove":
        return Row("removed", winner.values, gone)
    if time is not None and time > cut_at + HOUR:
        return Row("", winner.values, gone, "FUTURE_TIMESTAMP")
    leader = found[rule.follows].get(winner.key) if rule.follows else None
    if leader is not None and leader.place != "removed":
        due = leader.place != ""
    else:
        due = latest is not None and (time is None or time < latest - rule.retention)
    if not due:
        return Row("", winner.values, gone)
    if time is None or half_year(time) < first:
        return Row("", winner.values, gone, rule.gap)
    return Row(half_year(time), winner.values, gone)
