"""Redriven messages into raw: each is a batch of its own, beside the partition's position, which does not move.

One transaction under the positions' lock, as every load: rows, ledger and the decision that says so. A letter that
was redriven before, or whose rows a batch brought meanwhile, is left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from psycopg2.sql import SQL

from loaders import decisions, ledger, letter_counts, positions
from loaders.decisions import REDRIVEN, Decision
from loaders.letter_counts import OpenLetters
from loaders.ports import Connect, Engine, Objects
from loaders.raw_store import RawStore
from loaders.read_back import read_back
from warehouse.session import Session
from warehouse.statements import table
from waybill.clock import Clock
from waybill.objects import StoredBatch
from waybill.positions import Origin
from waybill.raw import RAW_SCHEMA

_LOCK_SECONDS = 60.0


class Standing(Enum):
    """Where a letter's message stands in the warehouse."""

    AHEAD = "the position has not passed it: the consumer has yet to decide"
    OPEN = "passed, and its rows are missing"
    LOADED = "its rows are in raw"


@dataclass(frozen=True, slots=True)
class Redriven:
    """A letter that could be decoded: its stored rows (a batch of no rows when it makes none) and the decision."""

    batch: StoredBatch
    decision: Decision


class AsideStore(RawStore):
    """The raw tables as the dead letters' commands see them. Not for two threads at a time."""

    def __init__(self, connect: Connect, objects: Objects, engine: Engine, clock: Clock) -> None:
        super().__init__(connect, objects, engine, clock)
        self._objects = objects

    def decisions(self) -> dict[Origin, Decision]:
        """The last one about each letter."""
        return self._repeated(decisions.latest)

    def standing(self, raw: str, letters: Mapping[Origin, int]) -> dict[Origin, Standing]:
        """Where letters of one raw table stand. `letters`: each with the generation it was last read under."""
        return self._repeated(lambda session: _standing(session, raw, letters))

    def waiting(self, raw: str) -> OpenLetters:
        """How many letters of one raw table wait for a decision. Reads no letter."""
        return self._repeated(lambda session: letter_counts.waiting(session, raw))

    def unreconciled(self) -> dict[str, int]:
        """By table, drops that were not reconciled since."""
        return self._repeated(letter_counts.unreconciled)

    def decide(self, raw: str, made: Sequence[Decision]) -> None:
        """Record decisions that load nothing. After a lost COMMIT one may stand twice, which says the same."""

        def run(session: Session) -> None:
            with session.transaction(lock=self._engine.lock(positions.name_of(raw)), lock_seconds=_LOCK_SECONDS):
                decisions.write(session, made)

        self._repeated(run)

    def redrive(self, raw: str, letters: Sequence[Redriven]) -> set[Origin]:
        """Load those that are open; answers which. Redriving one again does nothing.

        Raises `StoppedTable` when the rows do not fit the table, `WaybillError` when an object is not what was stored.
        """
        tables = {one.batch.batch_id: read_back(self._objects, one.batch) for one in letters if one.batch.rows}

        def run(session: Session) -> set[Origin]:
            with session.transaction(lock=self._engine.lock(positions.name_of(raw)), lock_seconds=_LOCK_SECONDS):
                known = decisions.latest(session)
                # A COMMIT without an answer took effect: these very batches are named.
                done = {o for o, d in known.items() if d.decision == REDRIVEN}
                mine = {one.decision.origin for one in letters} & {
                    o for o in done if known[o].batch_id in {one.batch.batch_id for one in letters}
                }
                left = [one for one in letters if one.decision.origin not in done]
                found = _standing(session, raw, {one.decision.origin: one.batch.generation for one in left})
                left = [one for one in left if found[one.decision.origin] is Standing.OPEN]
                self._load.copy(session, raw, [one.batch for one in left if one.batch.rows], tables)
                ledger.write(session, raw, [one.batch for one in left])
                decisions.write(session, [one.decision for one in left])
            return mine | {one.decision.origin for one in left}

        return self._repeated(run)


def _standing(session: Session, raw: str, letters: Mapping[Origin, int]) -> dict[Origin, Standing]:
    """By the ledger: the batches whose span holds the offset, and whether one of them brought its rows.

    Trimmed raw has no rows of old batches; a batch without dead letters brought them all, and one whose letters are not
    decided on is not trimmed (`operations.trim`).
    """
    places: dict[tuple[str, str, int], list[Origin]] = defaultdict(list)
    for origin in letters:
        places[origin.topic, origin.topic_id, origin.partition].append(origin)
    found: dict[Origin, Standing] = {}
    covering: dict[Origin, list[int]] = {}
    for place, origins in places.items():
        spans = _spans(session, raw, place, [origin.offset for origin in origins])
        for origin in origins:
            batches = _covering(spans, origin.offset)
            later = any(generation > letters[origin] for generation, _, _ in batches)
            whole = any(not dead for _, _, dead in batches)
            # Read again under a later generation and no letter of that one: it was decoded then.
            found[origin] = Standing.LOADED if later or whole else Standing.OPEN if batches else Standing.AHEAD
            if found[origin] is Standing.OPEN:
                covering[origin] = [batch_id for _, batch_id, _ in batches]
    for origin in _in_raw(session, raw, covering):
        found[origin] = Standing.LOADED
    return found


_Spans = dict[int, tuple[list[int], list[int], list[int], list[int]]]


def _spans(session: Session, raw: str, place: tuple[str, str, int], offsets: Sequence[int]) -> _Spans:
    """By generation the consumers' batches of one partition around these offsets: firsts, nexts, ids, letters."""
    rows = session.rows(
        SQL(
            "SELECT generation, first_offset, next_offset, batch_id, dead_letters FROM {} WHERE topic = %s"
            " AND topic_id = %s AND kafka_partition = %s AND epoch > 0 AND next_offset > %s AND first_offset <= %s"
            " ORDER BY first_offset"
        ).format(ledger.name_of(raw)),
        (*place, min(offsets), max(offsets)),
        doing=f"asking the ledger of {raw}",
    )
    spans: _Spans = {}
    for row in rows:
        lists = spans.setdefault(row["generation"], ([], [], [], []))
        for found, name in zip(lists, ("first_offset", "next_offset", "batch_id", "dead_letters"), strict=True):
            found.append(row[name])
    return spans


def _covering(spans: _Spans, offset: int) -> list[tuple[int, int, int]]:
    """(generation, batch id, dead letters) of the batches whose span holds the offset."""
    held = []
    for generation, (firsts, nexts, ids, letters) in spans.items():
        index = bisect_right(firsts, offset) - 1
        if index >= 0 and offset < nexts[index]:
            held.append((generation, ids[index], letters[index]))
    return held


def _in_raw(session: Session, raw: str, covering: Mapping[Origin, Iterable[int]]) -> set[Origin]:
    """Those whose rows one of the batches brought. Batch ids bound what the engine reads."""
    if not covering:
        return set()
    rows = session.rows(
        SQL(
            'SELECT DISTINCT "_topic", "_topic_id", "_partition", "_offset" FROM {}'
            ' WHERE "_batch_id" IN %s AND "_offset" IN %s'
        ).format(table(RAW_SCHEMA, raw)),
        (
            tuple({batch_id for ids in covering.values() for batch_id in ids}),
            tuple({origin.offset for origin in covering}),
        ),
        doing=f"looking for rows in {raw}",
    )
    return {Origin(*row.values()) for row in rows} & covering.keys()
