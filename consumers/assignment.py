"""Becoming the owner of partitions: their epochs are raised in the warehouse, and reading begins where it stands.

Before that it is judged whether that place still means what it meant: the same topic, nothing lost below it,
nothing missing above it. What does not fit stops the table with the commands that repair it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from consumers.messages import Place
from consumers.partition import Lost, Partition
from consumers.ports import Bucket, Ends, Feed, TopicInfo, Topics, Warehouse
from consumers.repairs import begin_again, begin_at, go_on_at, read_again, read_anew
from consumers.storing import Storing
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnreachableError
from waybill.positions import Position

log = logging.getLogger(__name__)

_BEHIND_SECONDS = 60.0  # a broker that has just started may not know its last records yet
_LOST_SECONDS = 60.0


class Claims(NamedTuple):
    """What came of a claim: the positions now owned, and the partitions that another owner still moves."""

    claimed: dict[Place, Position]
    held: dict[Place, Lost]


class Assignment:
    """Claims partitions for one consumer process."""

    def __init__(
        self, feed: Feed, topics: Topics, warehouse: Warehouse, bucket: Bucket, storing: Storing, owner: str,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._feed, self._topics, self._warehouse = feed, topics, warehouse
        self._bucket, self._storing, self._owner, self._clock = bucket, storing, owner, clock
        self._least_epochs: dict[str, int] = {}
        self._behind_since: dict[Place, float] = {}
        self._epochs: dict[Place, int] = {}

    def claim(self, stream: Stream, asked: Mapping[Place, Lost | None], wanted: Callable[[Place], bool]) -> Claims:
        """Own these partitions of one stream in the warehouse. Any thread may call it: only the epochs it saw are kept.

        `asked` says of each whose it was last seen to be; `wanted` whether it is still assigned to this member, asked
        again right before the epochs are raised, so that a late claim does not shut out the next owner.
        Raises `UnreachableError` (call again later) and `StoppedTable`.
        """
        info = self._topics.describe([stream.topic]).get(stream.topic)
        if info is None:
            raise UnreachableError(f"topic {stream.topic} is not there yet")
        known = {position.place: position for position in self._warehouse.positions(stream.raw)}
        self._epochs.update({place: known[place].epoch for place in asked if place in known})
        held = {place: found for place, lost in asked.items() if (found := self._held(lost, known.get(place)))}
        free = [place for place in asked if place not in held]
        if not free:
            return Claims({}, held)
        ends = self._topics.ends(free)
        judged = [self._judged(stream, place, info, known, ends) for place in free]
        least = self._least_epoch(stream)
        mine = [position for position in judged if wanted(position.place)]
        claimed = self._warehouse.claim(stream.raw, mine, self._owner, least) if mine else []
        self._epochs.update({position.place: position.epoch for position in claimed})
        return Claims({position.place: position for position in claimed}, held)

    def epochs(self, places: Iterable[Place]) -> dict[Place, int]:
        """As they stood when this consumer last looked or claimed; 0 where there was no position."""
        return {place: self._epochs.get(place, 0) for place in places}

    def begin(self, partitions: Sequence[Partition], claims: Claims) -> None:
        """Start reading the claimed ones of these partitions; leave those alone that another owner moves."""
        # First, because it may fail: what is not read from its position must not count as claimed.
        offsets = {
            p.place: claims.claimed[p.place].next_offset for p in partitions if p.place in claims.claimed
        }  # fmt: skip
        if offsets:
            self._feed.start(offsets)
        for partition in partitions:
            position = claims.claimed.get(partition.place)
            if position is None:
                partition.lost = claims.held.get(partition.place, partition.lost)
                continue
            partition.claimed(position, self._clock.monotonic())
            log.info(
                "%s: owns %s partition %d from offset %d on (epoch %d)",
                partition.stream.name, *position.place, position.next_offset, position.epoch,
            )  # fmt: skip

    def lost(self, partition: Partition) -> None:
        """Somebody else raised the epoch of a partition: leave it alone while that owner moves it."""
        seen = partition.position
        partition.drop()
        if seen is not None:
            partition.lost = Lost(seen.epoch, seen.next_offset, self._clock.monotonic() + _LOST_SECONDS)

    def _held(self, lost: Lost | None, position: Position | None) -> Lost | None:
        """Of a partition that was lost: how its other owner stands, None when that one has gone silent."""
        if lost is None or position is None:
            return None
        now = self._clock.monotonic()
        if now < lost.until:
            return lost
        if (position.epoch, position.next_offset) == (lost.epoch, lost.next_offset):
            return None
        return Lost(position.epoch, position.next_offset, now + _LOST_SECONDS)

    def _least_epoch(self, stream: Stream) -> int:
        """Epochs never repeat, also after the warehouse was restored to an older state: the bucket is asked, once."""
        if stream.raw not in self._least_epochs:
            self._least_epochs[stream.raw] = self._bucket.greatest_epoch(self._storing.folder(stream))
        return self._least_epochs[stream.raw]

    def _judged(
        self, stream: Stream, place: Place, info: TopicInfo, known: dict[Place, Position], ends: dict[Place, Ends]
    ) -> Position:
        if place not in ends:
            raise UnreachableError(f"{place[0]} partition {place[1]} is not there yet")
        low, stable = ends[place]
        position = known.get(place)
        siblings = [p for p in known.values() if p.topic == place[0]]
        foreign = next((p for p in siblings if p.topic_id != info.topic_id), None)
        if foreign is not None:
            raise self._stopped(
                stream, place, f"the topic was deleted and made again (id {foreign.topic_id}, now {info.topic_id})",
                "what was loaded stays; nothing of the new topic is loaded", begin_again(stream.name),
            )  # fmt: skip
        if position is None:
            if low != 0:
                raise self._stopped(
                    stream, place, f"it was never read, and Kafka has dropped its offsets 0 to {low - 1}",
                    f"what Kafka still has, from offset {low} on",
                    f"{begin_at(stream.name, place[1])}; {read_anew(stream.name)}",
                )  # fmt: skip
            generation = max((p.generation for p in siblings), default=1)
            return Position(place[0], info.topic_id, place[1], generation, 0, 0, "")
        if position.next_offset < low:
            raise self._stopped(
                stream, place, f"Kafka has dropped the offsets {position.next_offset} to {low - 1}, not loaded yet",
                f"what was loaded, and what Kafka still has from offset {low} on",
                f"{go_on_at(stream.name, place[1], 'beginning')}; {read_anew(stream.name)}",
            )  # fmt: skip
        self._not_behind(stream, place, position, stable)
        return position

    def _not_behind(self, stream: Stream, place: Place, position: Position, stable: int) -> None:
        if position.next_offset <= stable:
            self._behind_since.pop(place, None)
            return
        since = self._behind_since.setdefault(place, self._clock.monotonic())
        what = f"Kafka ends at offset {stable}, but the warehouse has loaded up to {position.next_offset}"
        if self._clock.monotonic() - since < _BEHIND_SECONDS:
            raise UnreachableError(f"{place[0]} partition {place[1]}: {what}; waiting for Kafka to catch up")
        kept = "what was loaded; Kafka lost what it ends before"
        raise self._stopped(stream, place, what, kept, read_again(stream.name, place[1]))

    def _stopped(self, stream: Stream, place: Place, what: str, kept: str, todo: str) -> StoppedTable:
        return StoppedTable(stream.name, f"{place[0]} partition {place[1]}: {what}", kept=kept, todo=todo)


def gone(partition: Partition, error: str) -> StoppedTable:
    """Kafka refused the offset while it was being read."""
    topic, number = partition.place
    offset = partition.batcher.next_offset if partition.batcher else "?"
    return StoppedTable(
        partition.stream.name,
        f"{topic} partition {number}: Kafka no longer has offset {offset} ({error})",
        kept="what was loaded, and what Kafka still has",
        todo="nothing yet: the partition is looked at again, and what to type is said with the offsets that are gone",
    )


def moved(position: Position, next_offset: int) -> Position:
    """The position after a load."""
    return replace(position, next_offset=next_offset)
