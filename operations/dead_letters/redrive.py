"""Redrive: decode dead letters as the decoder is now, store and load what is good. Nothing is produced to Kafka."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from consumers.dead_letters.letters import Letter
from consumers.dead_letters.trial import Trial
from consumers.decoding import DecodedBatch
from consumers.ports import Bucket, Outcome
from consumers.settings import Storage
from consumers.storing import Storing
from loaders.aside import Redriven
from loaders.decisions import REDRIVEN, Decision
from operations.dead_letters.desk import OPEN, Desk, Entry
from waybill.errors import WaybillError
from waybill.objects import StoredBatch, aside_key
from waybill.positions import Origin, Position

_LETTERS, _BYTES = 200, 32 * 2**20  # of one transaction


@dataclass
class Report:
    """What a redrive did: letters by table, those still bad with why, those left because of their state."""

    redriven: Counter[str] = field(default_factory=Counter)
    still_bad: dict[Origin, str] = field(default_factory=dict)
    left: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Redrive:
    """What it needs. `by` and `reason` are kept with every decision."""

    desk: Desk
    trial: Trial
    storing: Storing
    bucket: Bucket
    storage: Storage
    by: str
    reason: str

    def run(self, entries: Sequence[Entry], dry_run: bool, said: Callable[[int], None]) -> Report:
        """Those of the entries that are open. `said` is told after each transaction how many are done.

        Raises `UnreachableError` and `StoppedTable`; what was loaded before stays loaded, and a second call goes on.
        """
        report = Report(left=Counter(entry.state for entry in entries if entry.state != OPEN))
        wanted = {entry.letter.origin: entry for entry in entries if entry.state == OPEN}
        done = 0
        for chunk in self._chunks(wanted):
            good = self._tried(chunk, wanted, report)
            for table in dict.fromkeys(wanted[letter.origin].table for letter, _ in good):
                mine = [(one, decoded) for one, decoded in good if wanted[one.origin].table == table]
                report.redriven[table] += len(mine) if dry_run else self._load(mine, wanted)
            done += len(chunk)
            said(done)
        return report

    def _chunks(self, wanted: dict[Origin, Entry]) -> Iterator[list[Letter]]:
        chunk: list[Letter] = []
        size = 0
        for letter in self.desk.letters.whole(wanted.__contains__) if wanted else ():
            chunk.append(replace(letter, generation=wanted[letter.origin].letter.generation))
            size += (letter.key_size or 0) + (letter.value_size or 0)
            if len(chunk) >= _LETTERS or size >= _BYTES:
                yield chunk
                chunk, size = [], 0
        if chunk:
            yield chunk

    def _tried(
        self, chunk: list[Letter], wanted: dict[Origin, Entry], report: Report
    ) -> list[tuple[Letter, DecodedBatch]]:
        good = []
        for letter in chunk:
            stream = wanted[letter.origin].stream
            assert stream is not None, "an open letter has a table"
            verdict = self.trial.verdict(stream, letter)
            if verdict.decoded is None:
                report.still_bad[letter.origin] = verdict.error
            else:
                good.append((letter, verdict.decoded))
        return good

    def _load(self, good: list[tuple[Letter, DecodedBatch]], wanted: dict[Origin, Entry]) -> int:
        stored = [self._store(letter, decoded, wanted[letter.origin]) for letter, decoded in good]
        return len(self.desk.store.redrive(stored[0].batch.table, stored))

    def _store(self, letter: Letter, decoded: DecodedBatch, entry: Entry) -> Redriven:
        """Into the bucket, under a key of its own. What is not loaded then is an object that no ledger row names."""
        assert entry.stream is not None
        origin = letter.origin
        position = Position(
            origin.topic, origin.topic_id, origin.partition, letter.generation, 0, origin.offset, self.by
        )
        written = self.storing.write(decoded, position)
        batch = StoredBatch(
            batch_id=written.batch_id, table=entry.stream.raw, key="", topic=origin.topic, topic_id=origin.topic_id,
            partition=origin.partition, generation=letter.generation, epoch=0, first_offset=origin.offset,
            next_offset=origin.offset + 1, rows=written.rows, dead_letters=0, size=len(written.body),
            sha256=written.sha256,
        )  # fmt: skip
        if written.rows:
            batch = replace(batch, key=aside_key(self.storage.prefix, batch, self.storage.partitioning))
            if self.bucket.put(batch.key, written.body, written.sha256) is Outcome.DIFFERENT:
                raise WaybillError(f"another object stands at {batch.key}", kept="nothing of it was loaded")
        made = batch.batch_id if batch.rows else None
        decision = Decision(origin, REDRIVEN, entry.table, self.by, self.reason, entry.message_at, batch_id=made)
        return Redriven(batch, decision)
