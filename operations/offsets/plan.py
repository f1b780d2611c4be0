"""What moving positions by hand would do, before anything is done: the arithmetic of windows, and what it refuses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from consumers.messages import Place
from consumers.ports import Ends
from operations.offsets.coverage import segments, without
from operations.offsets.history import Change, Span
from operations.offsets.standing import Standing


@dataclass(frozen=True, slots=True)
class Effect:
    """The messages of some offsets: how many, of how many keys, and when the first and the last were written.

    `gone` counts offsets that Kafka no longer has (or never showed), so that nobody can say what lay there.
    """

    events: int = 0
    keys: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    gone: int = 0


@dataclass(frozen=True)
class Move:
    """One partition's position, from where it stands to where it shall stand.

    `standing` None: never read. `generation` is the new one. `skipped` are offsets that would be left out though no
    generation has loaded them, `again` those that would be read a second time. `lost_from`: the topic was made
    again, everything of the old one from this offset on is gone. `removed`: the topic has no such partition any more.
    """

    table: str
    raw: str
    place: Place
    standing: Standing | None
    topic_id: str
    ends: Ends
    to: int
    generation: int
    skipped: tuple[Span, ...] = ()
    again: Span | None = None
    lost_from: int | None = None
    removed: bool = False
    skip_effect: Effect = field(default=Effect())
    again_effect: Effect = field(default=Effect())

    @property
    def skips(self) -> bool:
        return bool(self.skipped) or self.lost_from is not None

    @property
    def back(self) -> bool:
        """Is it set back on the same topic?"""
        return self.again is not None


def move(
    table: str, raw: str, place: Place, now: Standing | None, topic_id: str, ends: Ends, to: int,
    changes: Iterable[Change], newest_generation: int,
) -> Move:  # fmt: skip
    """The move of one partition; `changes` are all of its topic, `newest_generation` the newest it ever had."""
    generation = newest_generation + 1
    if now is not None and now.topic_id != topic_id:
        skipped: tuple[Span, ...] = ((0, to),) if to > 0 else ()
        return Move(table, raw, place, now, topic_id, ends, to, generation, skipped, lost_from=now.next_offset)
    begin = now.next_offset if now is not None else 0
    if to < begin:
        return Move(table, raw, place, now, topic_id, ends, to, generation, again=(to, begin))
    own = [change for change in changes if (change.topic, change.kafka_partition) == place]
    loaded = [(s.first, s.next_offset) for s in segments(own, now) if s.topic_id == topic_id]
    left = tuple(without((begin, to), loaded)) if begin < to else ()
    return Move(table, raw, place, now, topic_id, ends, to, generation, left)


def removed(table: str, raw: str, now: Standing) -> Move:
    """A partition that the topic, made again, does not have."""
    nothing = Ends(0, 0)
    return Move(
        table, raw, now.place, now, "", nothing, 0, now.generation, lost_from=now.next_offset, removed=True
    )  # fmt: skip


def stays(one: Move) -> bool:
    """Would nothing change?"""
    now = one.standing
    return now is not None and now.topic_id == one.topic_id and now.next_offset == one.to and not one.removed


def refusals(
    moves: Sequence[Move], owners: dict[Place, str], *, seeding: bool, skip: bool, while_owned: bool
) -> list[str]:
    """Why it is not safe, a sentence each; none when it is. `owners`: who consumes a partition now."""
    found = []
    for one in moves:
        what = f"{one.place[0]} partition {one.place[1]}"
        if one.place in owners and not while_owned:
            found.append(
                f"{what} is consumed by {owners[one.place]}: end it first (one that has just ended stays in its"
                " group for 10 s more), or say --while-owned"
            )
        if one.skips and not skip:
            found.append(f"{what}: {_skips(one)}; say --skip if that is meant")
        if seeding and one.back:
            found.append(
                f"{what} stands at offset {one.standing.next_offset if one.standing else 0}: to read again is"
                " `waybill offsets reset`"
            )
    return found


def _skips(one: Move) -> str:
    parts = [f"offsets {first} to {end - 1} would never be read" for first, end in one.skipped]
    if one.lost_from is not None:
        parts.insert(0, f"what the old topic had from offset {one.lost_from} on is gone")
    return " and ".join(parts)
