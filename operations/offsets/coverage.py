"""Which offsets of a partition were loaded, by which generation: what makes a skipped span a gap or not.

Within one generation a position only moves forward, without a gap, so the changes made by hand and the position
now say all of it: generation g was read from where it was set to up to where it was moved away from.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from operations.offsets.history import Change, Skipped, Span
from operations.offsets.standing import Standing


@dataclass(frozen=True, slots=True)
class Segment:
    """Offsets `[first, next_offset)` of one topic were loaded under one generation."""

    topic_id: str
    generation: int
    first: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Offsets that nobody loaded or accepted. `next_offset` None: to the end of a topic that is gone."""

    span: Skipped
    first_offset: int
    next_offset: int | None


def segments(changes: Iterable[Change], now: Standing | None) -> list[Segment]:
    """What was loaded of one partition; `changes` are that partition's, `now` its position."""
    found: list[Segment] = []
    begun: tuple[str, int, int] | None = None  # topic id, generation, offset
    for change in sorted(changes, key=lambda c: c.generation):
        if change.from_offset is not None:
            topic_id, generation, first = begun or (change.from_topic_id, change.from_generation, 0)
            found.append(Segment(topic_id, generation, first, change.from_offset))
        begun = (change.to_topic_id, change.generation, change.to_offset)
    if now is not None:
        topic_id, generation, first = begun or (now.topic_id, now.generation, 0)
        found.append(Segment(topic_id, generation, first, now.next_offset))
    return [segment for segment in found if segment.first < segment.next_offset]


def without(span: Span, taken: Iterable[Span]) -> list[Span]:
    """What is left of a span when others are taken out of it, in order."""
    left = [span]
    for first, end in taken:
        left = [
            part
            for begin, stop in left
            for part in ((begin, min(stop, first)), (max(begin, end), stop))
            if part[0] < part[1]
        ]
    return sorted(set(left))


def gaps(spans: Sequence[Skipped], changes: Sequence[Change], standing: Iterable[Standing]) -> list[Gap]:
    """The open ones: what no newer generation has loaded and nobody has accepted."""
    now = {each.place: each for each in standing}
    found: list[Gap] = []
    for span in spans:
        if span.accepted_at is not None:
            continue
        place = (span.topic, span.kafka_partition)
        if span.next_offset is None:
            found.append(Gap(span, span.first_offset, None))
            continue
        own = [c for c in changes if (c.topic, c.kafka_partition) == place]
        newer = [
            (s.first, s.next_offset)
            for s in segments(own, now.get(place))
            if s.topic_id == span.topic_id and s.generation > span.generation
        ]
        found += [Gap(span, *left) for left in without((span.first_offset, span.next_offset), newer)]
    return found
