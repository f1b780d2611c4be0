"""Where a position is to be set: what stands after `--to`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from consumers.kafka_topics import KafkaTopics
from consumers.messages import Place
from consumers.ports import Ends
from waybill.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Target:
    """`text` as it was typed. At most one of `offset` and `time` is set; neither: `beginning` or the end."""

    text: str
    beginning: bool = False
    offset: int | None = None
    time: datetime | None = None


def parse(text: str) -> Target:
    """`now`, `end`, `beginning`, an offset, or a time in ISO form (UTC where it names no zone).

    Raises `SettingsError` for anything else.
    """
    word = text.strip()
    if word in ("now", "end"):
        return Target(word)
    if word == "beginning":
        return Target(word, beginning=True)
    if word.isascii() and word.isdigit():
        return Target(word, offset=int(word))
    try:
        time = datetime.fromisoformat(word)
    except ValueError:
        raise SettingsError(
            f"--to {text}: neither now, end, beginning, an offset, nor a time", todo="e.g. --to 2026-11-24T02:00:00Z"
        ) from None
    return Target(word, time=time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC))


def resolve(target: Target, topics: KafkaTopics, ends: dict[Place, Ends]) -> dict[Place, int]:
    """The target as an offset of each partition.

    A time means the first message whose own timestamp is not before it, the end where there is none. Raises
    `SettingsError` for an offset that a partition does not have, or one offset for several partitions.
    """
    if target.time is not None:
        found = topics.at_time(ends, target.time)
        return {place: min(max(found.get(place, end.stable), end.low), end.stable) for place, end in ends.items()}
    if target.offset is None:
        return {place: end.low if target.beginning else end.stable for place, end in ends.items()}
    _one(ends)
    ((place, end),) = ends.items()
    if not end.low <= target.offset <= end.stable:
        raise SettingsError(
            f"{place[0]} partition {place[1]} has no offset {target.offset}: Kafka has {end.low} to {end.stable}",
            todo="waybill offsets show",
        )
    return {place: target.offset}


def _one(places: Iterable[Place]) -> None:
    every = sorted(places)
    if len(every) != 1:
        raise SettingsError(
            f"an offset means one partition, and {len(every)} are chosen", todo="name it: --table T --partition N"
        )
