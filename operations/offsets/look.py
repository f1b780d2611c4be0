"""By table and partition: where Kafka and the warehouse stand, the time there, and one word for how it goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from consumers.kafka_group import KafkaGroup, Member
from consumers.kafka_topics import KafkaTopics
from consumers.messages import Place
from consumers.ports import Ends, Record, TopicInfo
from consumers.single_messages import SingleMessages
from consumers.source_time import SourceTimes, produced_at
from consumers.streams import Stream
from operations.offsets import history, standing
from operations.offsets.history import Change
from operations.offsets.standing import Standing
from operations.offsets.states import PATIENCE_SECONDS, Look, State, judge, needs_second
from warehouse.session import Session
from waybill.clock import Clock
from waybill.errors import SettingsError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Point:
    """An offset, and the message read there: the first at or behind it (for `high` the last before it).

    `produced_at` is the message's own timestamp in Kafka, `committed_at` the commit time at the source that it
    carries; both None where there is no message, UTC.
    """

    offset: int | None = None
    message: int | None = None
    produced_at: datetime | None = None
    committed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PartitionView:
    """One partition; `partition` is None for a topic that Kafka does not have yet.

    `lag` counts offsets, control records among them. `lag_seconds` is the age of the next message not yet loaded, 0
    when none waits. `position` and `last_stable` are `committed.offset` and `high.offset`. `member` has the
    partition in the consumer group now; `owner` wrote the warehouse's position last.
    """

    table: str
    topic: str
    partition: int | None
    state: str
    note: str
    lag: int | None = None
    lag_seconds: float | None = None
    position: int | None = None
    last_stable: int | None = None
    low: Point = Point()
    committed: Point = Point()
    kafka: Point = Point()
    high: Point = Point()
    owner: str = ""
    member: str = ""
    epoch: int | None = None
    generation: int | None = None


@dataclass(frozen=True)
class Parts:
    """What a look asks. `open_session` opens a warehouse session."""

    streams: Sequence[Stream]
    topics: KafkaTopics
    group: KafkaGroup
    times: SourceTimes
    bootstrap: str
    open_session: Callable[[], Session]
    clock: Clock


@dataclass
class Facts:
    """What was found in one look."""

    now: datetime
    topics: Mapping[str, TopicInfo]
    ends: Mapping[Place, Ends]
    standing: dict[Place, Standing] = field(default_factory=dict)
    stopped: Mapping[str, str] = field(default_factory=dict)
    changes: Sequence[Change] = ()
    members: Mapping[Place, Member] = field(default_factory=dict)
    waiting: Mapping[Place, Record] = field(default_factory=dict)

    def position(self, place: Place) -> int | None:
        return self.standing[place].next_offset if place in self.standing else None


def facts(parts: Parts, reader: SingleMessages, session: Session) -> Facts:
    """Ask Kafka and the warehouse once. Raises `UnreachableError` when one of them does not answer."""
    described = parts.topics.describe(stream.topic for stream in parts.streams)
    # The warehouse first: a position read before the ends never seems to lie beyond them.
    found = Facts(parts.clock.now(), described, {})
    for stream in parts.streams:
        try:
            found.standing |= standing.read(session, stream.raw)
        except SettingsError:
            continue
    found.changes = _or_nothing(lambda: history.changes(session))
    states = _or_nothing(
        lambda: session.rows(
            "SELECT table_name, reason FROM settlement_public.table_states WHERE state = 'stopped'",
            doing="reading the tables' states",
        )
    )
    found.stopped = {row["table_name"]: row["reason"] for row in states}
    found.ends = parts.topics.ends((name, n) for name, info in described.items() for n in range(info.partitions))
    found.members = parts.group.owners()
    # Nothing is read where the position means nothing: below what Kafka has, or beyond it.
    waits = {place: max(end.low, found.position(place) or 0) for place, end in found.ends.items()}
    found.waiting = reader.first_from({p: at for p, at in waits.items() if at < found.ends[p].stable})
    found.now = parts.clock.now()
    return found


def _or_nothing(ask: Callable[[], Sequence[_T]]) -> Sequence[_T]:
    """Nothing from a table that `waybill schema apply` has still to make."""
    try:
        return ask()
    except SettingsError:
        return ()


def show(parts: Parts, window: float, *, points: bool = True) -> list[PartitionView]:
    """Every partition of every stream.

    Takes a second look `window` seconds later when one cannot tell how a partition goes. `points` False reads no
    times but those of the next messages.
    """
    with SingleMessages(parts.bootstrap) as reader, parts.open_session() as session:
        first = second = facts(parts, reader, session)
        if window > 0 and _cannot_tell(parts, first):
            parts.clock.sleep(window)
            second = facts(parts, reader, session)
        views = _every(parts, first, second)
        return _with_points(parts, reader, second, views) if points else views


def follow(parts: Parts, before: Facts | None) -> tuple[list[PartitionView], Facts]:
    """A look judged against the one before it, and what the next is to be judged against."""
    with SingleMessages(parts.bootstrap) as reader, parts.open_session() as session:
        now = facts(parts, reader, session)
    return _every(parts, before or now, now), now


def _every(parts: Parts, first: Facts, second: Facts) -> list[PartitionView]:
    return [view for stream in parts.streams for view in _views(stream, first, second)]


def allowed(stream: Stream) -> float:
    """Seconds a message of a stream may wait."""
    return stream.batching.seconds + PATIENCE_SECONDS


def _cannot_tell(parts: Parts, found: Facts) -> bool:
    return any(
        needs_second(_look(found, stream, place), allowed(stream))
        for stream in parts.streams
        for place in found.ends
        if place[0] == stream.topic
    )


def _views(stream: Stream, first: Facts, second: Facts) -> list[PartitionView]:
    info = second.topics.get(stream.topic)
    if info is None:
        return [PartitionView(stream.name, stream.topic, None, State.NONE.value, "no such topic yet")]
    found = []
    for number in range(info.partitions):
        place = (stream.topic, number)
        if place not in second.ends:
            continue
        now = _look(second, stream, place)
        then = _look(first, stream, place) if place in first.ends else now
        state, why = judge(then, now, allowed(stream))
        at = second.standing.get(place)
        found.append(
            PartitionView(
                stream.name, stream.topic, number, state.value, why or ("never read" if at is None else ""),
                now.lag, round(now.age or 0.0, 3), now.position, now.stable,
                owner=at.owner if at else "", member=now.member,
                epoch=at.epoch if at else None, generation=at.generation if at else None,
            )
        )  # fmt: skip
    return found


def _look(found: Facts, stream: Stream, place: Place) -> Look:
    at, end, record = found.standing.get(place), found.ends[place], found.waiting.get(place)
    info = found.topics.get(place[0])
    member = found.members.get(place)
    return Look(
        low=end.low, stable=end.stable, position=at.next_offset if at else None,
        generation=at.generation if at else 0,
        same_topic=at is None or info is None or at.topic_id == info.topic_id,
        age=None if record is None else max(0.0, (found.now - produced_at(record)).total_seconds()),
        idle=at.idle if at else float("inf"),
        member=f"{member.name} {member.host}" if member else "",
        stopped=found.stopped.get(stream.name, ""),
        reads_again_to=_reads_again_to(found.changes, at),
    )  # fmt: skip


def _reads_again_to(changes: Sequence[Change], at: Standing | None) -> int | None:
    """Where the reset that made the standing generation began, while the position has not passed that."""
    for change in changes:
        if at is None or (change.topic, change.kafka_partition, change.generation) != (*at.place, at.generation):
            continue
        begun = change.from_offset
        if begun is not None and change.from_topic_id == at.topic_id and at.next_offset < begun:
            return begun
    return None


def _with_points(
    parts: Parts, reader: SingleMessages, found: Facts, views: Sequence[PartitionView]
) -> list[PartitionView]:
    """The same views with the messages at their offsets, read one by one."""
    told = parts.group.committed(found.ends)
    filled = {place: end for place, end in found.ends.items() if end.low < end.stable}
    low = reader.first_from({place: end.low for place, end in filled.items()})
    kafka = reader.first_from(
        {p: told[p] for p, end in filled.items() if p in told and end.low <= told[p] < end.stable}
    )
    high = reader.last_before(filled)

    def point(offset: int | None, record: Record | None) -> Point:
        if record is None:
            return Point(offset)
        return Point(offset, record.offset, produced_at(record), parts.times.of(record))

    done = []
    for view in views:
        if view.partition is None:
            done.append(view)
            continue
        place = (view.topic, view.partition)
        at, end = found.position(place), found.ends[place]
        means = at is not None and end.low <= at <= end.stable
        done.append(
            replace(
                view,
                low=point(end.low, low.get(place)),
                committed=point(at, found.waiting.get(place) if means else None),
                kafka=point(told.get(place), kafka.get(place)),
                high=point(end.stable, high.get(place)),
            )
        )
    return done
