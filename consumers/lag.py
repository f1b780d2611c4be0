"""Lag in messages: what a committed reader can see in Kafka and the warehouse has not loaded yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.ports import Topics, Warehouse
from consumers.streams import Stream
from waybill.errors import SettingsError


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """One partition. `lag` counts offsets, control records among them; None where a part of it is not known.

    `partition` is None for a topic that Kafka does not have yet.
    """

    table: str
    topic: str
    partition: int | None
    position: int | None
    last_stable: int | None
    lag: int | None
    owner: str
    epoch: int | None
    note: str = ""


def lag(streams: Sequence[Stream], topics: Topics, warehouse: Warehouse) -> list[PartitionLag]:
    """Every partition of every stream. Raises `UnreachableError` when Kafka or the warehouse does not answer."""
    described = topics.describe(stream.topic for stream in streams)
    ends = topics.ends((name, n) for name, info in described.items() for n in range(info.partitions))
    found: list[PartitionLag] = []
    for stream in streams:
        info = described.get(stream.topic)
        try:
            positions = {p.place: p for p in warehouse.positions(stream.raw)}
        except SettingsError:
            positions = {}
        if info is None:
            found.append(PartitionLag(stream.name, stream.topic, None, None, None, None, "", None, "no such topic yet"))
            continue
        for number in range(info.partitions):
            place = (stream.topic, number)
            position, end = positions.get(place), ends.get(place)
            stable = end.stable if end else None
            note, at = "", position.next_offset if position else None
            if position is None:
                note = "never read"
            elif position.topic_id != info.topic_id:
                note = "the topic was deleted and made again"
            elif end and position.next_offset < end.low:
                note = f"Kafka has dropped offsets {position.next_offset} to {end.low - 1}"
            behind = None if stable is None else max(0, stable - (at or 0))
            found.append(
                PartitionLag(
                    stream.name, stream.topic, number, at, stable, behind,
                    position.owner if position else "", position.epoch if position else None, note,
                )
            )  # fmt: skip
    return found
