"""A schema id that the registry does not know: wait and ask again, then stop the table. Never skip by itself.

It may be a damaged message, or a registry that lost what it knew; nobody can tell from here. Only a person sets such
a message aside (`waybill deadletters set-aside`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumers.streams import Stream
from waybill.clock import Clock
from waybill.errors import StoppedTable, UnknownSchema, UnreachableError, WaybillError


class Decided(Protocol):
    """What people decided. Raises `UnreachableError` while it cannot be asked."""

    def set_aside(self, raw: str, topic: str, partition: int, offsets: Sequence[int]) -> Mapping[int, str]:
        """Those of the offsets that are to be set aside, each with who said so and why."""


@dataclass(frozen=True, slots=True)
class _Since:
    shown: str
    monotonic: float


class UnknownSchemas:
    """Keeps since when the registry has answered that it does not know an id. `seconds` is how long that only waits."""

    def __init__(self, decided: Decided, clock: Clock, seconds: float) -> None:
        self._decided, self._clock, self._seconds = decided, clock, seconds
        self._since: dict[int, _Since] = {}

    def set_aside(self, stream: Stream, partition: int, offsets: Sequence[int]) -> Mapping[int, str]:
        """Those of the offsets that a person said to set aside."""
        return self._decided.set_aside(stream.raw, stream.topic, partition, offsets)

    def known(self, schema_id: int) -> None:
        """The registry has it (again)."""
        self._since.pop(schema_id, None)

    def error(self, error: UnknownSchema, stream: Stream, partition: int, offset: int) -> WaybillError:
        """What to raise for the first message of this id: `UnreachableError` to wait, `StoppedTable` after a while."""
        now = self._clock.monotonic()
        since = self._since.setdefault(error.schema_id, _Since(f"{self._clock.now():%Y-%m-%d %H:%M:%S} UTC", now))
        what = (
            f"{error.what}; {stream.topic} partition {partition}, offset {offset} is written with it"
            f" (asked again and again since {since.shown})"
        )
        kept = "everything before it is loaded; it and all that follows stay in Kafka, none is skipped"
        if now - since.monotonic < self._seconds:
            return UnreachableError(
                what, kept=kept, todo="give the registry its schemas back; the consumer keeps asking"
            )
        return StoppedTable(
            stream.name,
            what,
            kept=kept,
            todo="give the registry its schemas back (waybill doctor), and the table goes on by itself; or, if this one"
            f" message is damaged, waybill deadletters set-aside {stream.topic}/{partition}/{offset} --reason TEXT",
        )
