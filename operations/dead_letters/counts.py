"""How many letters a person should look at. Asked by every `waybill status`, so it must not cost what lies in Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from loaders.decisions import DROPPED
from operations.dead_letters.desk import OPEN, UNKNOWN, Desk, Entry


@dataclass(frozen=True)
class LetterCounts:
    """By table: letters that wait for a decision; drops whose table was not found equal to MySQL since."""

    open: Counter[str] = field(default_factory=Counter)
    unreconciled: Counter[str] = field(default_factory=Counter)


def count(desk: Desk, reconcilable: Iterable[str]) -> LetterCounts:
    """By the warehouse's ledgers and decisions, whatever lies in the topic; of the pipeline file's tables.

    Only where positions were set back into the middle of a batch with open letters the topic is read: its letters
    alone say which of them were read again. `reconcilable` are the tables that `waybill reconcile` compares.
    """
    found = {stream.name: desk.store.waiting(stream.raw) for stream in desk.streams}
    if not all(one.certain for one in found.values()):
        return counted(desk.entries(), reconcilable)
    with_mart = set(reconcilable)
    dropped = desk.store.unreconciled()
    return LetterCounts(
        +Counter({name: one.number for name, one in found.items()}),
        Counter({table: number for table, number in dropped.items() if table in with_mart}),
    )


def counted(entries: Iterable[Entry], reconcilable: Iterable[str]) -> LetterCounts:
    """The same by the letters themselves, those of unknown tables among them."""
    entries, with_mart = list(entries), set(reconcilable)
    dropped = [
        entry.table
        for entry in entries
        if entry.decision and entry.decision.decision == DROPPED and entry.decision.reconciled_at is None
    ]
    return LetterCounts(
        Counter(entry.table for entry in entries if entry.state in (OPEN, UNKNOWN)),
        Counter(table for table in dropped if table in with_mart),
    )
