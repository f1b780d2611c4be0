"""What lies in a span of offsets, counted by reading it from Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from consumers.decoder import HEADER
from consumers.messages import Place
from consumers.ports import Ends
from consumers.single_messages import SingleMessages
from consumers.source_time import SourceTimes, produced_at
from operations.offsets.history import Span
from operations.offsets.plan import Effect, Move

Progress = Callable[[int], None]


def counted(moves: Iterable[Move], reader: SingleMessages, times: SourceTimes, progress: Progress) -> list[Move]:
    """The same moves with what they skip and read again; `progress` is told of every 1,000 messages."""
    done = []
    for one in moves:
        again = [one.again] if one.again else []
        done.append(
            replace(
                one,
                skip_effect=_effect(reader, one.place, one.skipped, one.ends, times, progress),
                again_effect=_effect(reader, one.place, again, one.ends, times, progress),
            )
        )
    return done


def _effect(
    reader: SingleMessages, place: Place, spans: Iterable[Span], ends: Ends, times: SourceTimes, progress: Progress
) -> Effect:
    events = gone = 0
    keys: set[bytes] = set()
    first = last = None
    for begin, end in spans:
        there = max(begin, ends.low), min(end, ends.stable)
        gone += (end - begin) - max(0, there[1] - there[0])
        for record in reader.span(place, *there):
            first, last = first or record, record
            events += 1
            # The same key under another version of its schema is the same key.
            keys.add((record.key or b"")[HEADER:])
            if events % 1_000 == 0:
                progress(1_000)
    return Effect(
        events, len(keys),
        None if first is None else times.of(first) or produced_at(first),
        None if last is None else times.of(last) or produced_at(last),
        gone,
    )  # fmt: skip
