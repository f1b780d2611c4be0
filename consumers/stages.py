"""The stages a micro-batch goes through before it is loaded: decode, dead letters, write, put.

Each is done once; when one cannot be done now, the error leaves the results of those before it in place.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from consumers.decoding import Decoding
from consumers.partition import Work
from consumers.ports import DeadLetters
from consumers.storing import Storing
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.objects import StoredBatch
from waybill.positions import Position
from waybill.stopwatch import Stopwatch


@dataclass
class Stages:
    """What the stages need, built once. May be used by several threads, each with another `work`."""

    decoding: Decoding
    letters: DeadLetters
    storing: Storing
    owner: str
    clock: Clock

    def store(self, stream: Stream, position: Position, bad_before: int, work: Work) -> StoredBatch:
        """Bring one batch into the bucket. `bad_before` counts the bad messages directly before it.

        Raises `UnreachableError` (call again later with the same `work`), `StoppedTable`, `EpochTakenError`.
        """
        watch = Stopwatch(self.clock.monotonic)
        try:
            return self._store(stream, position, bad_before, work, watch)
        finally:
            work.spent = watch.spent

    def _store(self, stream: Stream, position: Position, bad_before: int, work: Work, watch: Stopwatch) -> StoredBatch:
        if work.decoded is None:
            with watch.time("decode"):
                work.decoded = self.decoding.decode(stream, position.partition, work.batch, bad_before)
            # The bytes are decoded or copied into letters: let them go, their size still counts as held.
            work.batch = replace(work.batch, messages=type(work.batch.messages)())
        if not work.letters_sent:
            with watch.time("letters"):
                self.letters.send(work.decoded.letters, position)
            work.letters_sent = True
        if work.written is None:
            with watch.time("write"):
                work.written = self.storing.write(work.decoded, position)
        with watch.time("put"):
            return self.storing.put(stream, work.decoded, work.written, position)
