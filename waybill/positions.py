"""Where partitions stand in the warehouse, and what became of a load: consumers and loaders meet here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from waybill.errors import StaleOwner
from waybill.objects import StoredBatch
from waybill.stopwatch import Spent


@dataclass(frozen=True, slots=True)
class Position:
    """Where a partition stands: `next_offset` is the next to be loaded, by the owner of `epoch`."""

    topic: str
    topic_id: str
    partition: int
    generation: int
    epoch: int
    next_offset: int
    owner: str

    @property
    def place(self) -> tuple[str, int]:
        """Topic and partition."""
        return (self.topic, self.partition)


class Origin(NamedTuple):
    """Where a message came from: what it is known by, for ever."""

    topic: str
    topic_id: str
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Loaded(NamedTuple):
    """What became of the batches of a load: `stale` ones were left out, somebody else owns their partition.

    `spent` is seconds by stage (read_back, load).
    """

    batches: tuple[StoredBatch, ...]
    stale: tuple[tuple[StoredBatch, StaleOwner], ...]
    spent: Mapping[str, Spent] = MappingProxyType({})
