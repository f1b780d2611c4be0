"""Raw against the truth: nothing lost, nothing twice, nothing invented, every value equal, order held."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tests.chaos.events import RowEvent, Transaction
from tests.chaos.raw import RawRow

MOST = 10
"""How many differences of one kind are spelled out."""


def rows_against_truth(table: str, truth: Sequence[RowEvent], raw: Sequence[RawRow]) -> list[str]:
    """What differs, a sentence each; empty when raw is the truth. `truth` and `raw` are of one table and window."""
    wanted = {event.identity: event for event in truth}
    found = {row.event.identity: row for row in raw}
    missing = [f"lost: {event}" for identity, event in wanted.items() if identity not in found]
    invented = [f"not in the binlog: {_at(row)}" for identity, row in found.items() if identity not in wanted]
    times = Counter(row.event.identity for row in raw)
    twice = [
        f"{times[identity]} times: {', '.join(_at(row) for row in raw if row.event.identity == identity)}"
        for identity, count in times.items()
        if count > 1
    ]
    places = Counter(row.place for row in raw)
    same_place = [f"{count} rows of {table} at {place}" for place, count in places.items() if count > 1]
    other = [
        difference
        for identity, event in wanted.items()
        if identity in found
        for difference in _differences(event, found[identity])
    ]
    kinds = (missing, twice, same_place, invented, other, list(_out_of_order(raw)))
    return [sentence for kind in kinds for sentence in _some(kind)]


def ends_against_truth(truth: Iterable[Transaction], ends: Mapping[int, Mapping[str, set[int]]]) -> list[str]:
    """END must have come for each transaction, and say of each carried table what the binlog holds of it."""
    found: list[str] = []
    known = {transaction.number: transaction.counts() for transaction in truth}
    for number, counts in known.items():
        if number not in ends:
            found += [f"lost: END of GTID number {number}"] if counts else []
            continue
        for table in sorted({*counts, *ends[number]} - {""}):
            said = ends[number].get(table, set())
            if said != {counts.get(table, 0)} and (table in counts or any(said)):
                found.append(f"END of GTID number {number} says {sorted(said)} of {table}, not {counts.get(table, 0)}")
    found += [f"END of GTID number {number}, which is not in the binlog" for number in ends if number not in known]
    return list(_some(found))


def _at(row: RawRow) -> str:
    return f"{row.event} at partition {row.partition} offset {row.offset} (generation {row.generation})"


def _differences(event: RowEvent, row: RawRow) -> list[str]:
    if (event.op, event.key) != (row.event.op, row.event.key):
        return [f"{event} is in raw as {_at(row)}"]
    return [
        f"{event}: {name} is {_shown(event.values[name])}, in raw {_shown(row.event.values.get(name))}"
        for name in event.values
        if event.values[name] != row.event.values.get(name)
    ]


def _out_of_order(raw: Sequence[RawRow]) -> Iterable[str]:
    """Within a partition, the events of one key must stand in the order of the binlog."""
    latest: dict[tuple[int, str, int, object], RawRow] = {}
    for row in sorted(raw, key=lambda each: each.place):
        of_key = (row.generation, row.topic_id, row.partition, row.event.key)
        before = latest.get(of_key)
        if before is not None and before.event.identity > row.event.identity:
            yield f"out of order: {_at(row)} stands behind {_at(before)}"
        latest[of_key] = row


def _shown(value: str | None) -> str:
    return "NULL" if value is None else repr(value if len(value) <= 120 else f"{value[:117]}...")


def _some(sentences: Sequence[str]) -> Iterable[str]:
    yield from sentences[:MOST]
    if len(sentences) > MOST:
        yield f"... and {len(sentences) - MOST} more like the last"
