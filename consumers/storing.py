"""From a decoded batch to an object in the bucket: the stage between decoding and loading."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass

from consumers import lineage, parquet
from consumers.decoding import DecodedBatch
from consumers.ports import Bucket, Outcome
from consumers.settings import Storage
from consumers.streams import Stream
from waybill.clock import Clock
from waybill.objects import StoredBatch, batch_time, new_batch_id, object_key
from waybill.positions import Position


class EpochTakenError(Exception):
    """Another object stands under the key that the batch's epoch gives it: claim a greater epoch, read again."""


@dataclass
class Written:
    """A batch as Parquet, not yet in the bucket; kept so that a put can be repeated with the same bytes."""

    batch_id: int
    body: bytes
    sha256: str
    rows: int


class Storing:
    """Writes and puts, for any number of threads. The batch id is given once, when the batch is written."""

    def __init__(self, bucket: Bucket, settings: Storage, clock: Clock) -> None:
        self._bucket = bucket
        self._settings = settings
        self._clock = clock
        self._last_id = 0
        self._lock = threading.Lock()

    def write(self, batch: DecodedBatch, position: Position) -> Written:
        """To Parquet bytes, in memory. A batch without rows has none."""
        batch_id = self._new_id()
        if not batch.table.num_rows:
            return Written(batch_id, b"", "", 0)
        table = lineage.attach(batch.table, position, batch_id)
        body = parquet.encode(table, self._settings.compression)
        return Written(batch_id, body, hashlib.sha256(body).hexdigest(), table.num_rows)

    def _new_id(self) -> int:
        with self._lock:
            self._last_id = max(new_batch_id(self._clock.now()), self._last_id + 1)
            return self._last_id

    def put(self, stream: Stream, batch: DecodedBatch, written: Written, position: Position) -> StoredBatch:
        """Into the bucket, unless it has no rows.

        Raises `UnreachableError` (put again) and `EpochTakenError`.
        """
        key = ""
        if written.rows:
            key = object_key(
                self._settings.prefix, stream.raw, batch_time(written.batch_id), self._settings.partitioning,
                topic=position.topic, partition=position.partition, first_offset=batch.first_offset,
                last_offset=batch.next_offset - 1, generation=position.generation, epoch=position.epoch,
            )  # fmt: skip
            if self._bucket.put(key, written.body, written.sha256) is Outcome.DIFFERENT:
                raise EpochTakenError(key)
        return StoredBatch(
            batch_id=written.batch_id, table=stream.raw, key=key, topic=position.topic,
            topic_id=position.topic_id, partition=position.partition, generation=position.generation,
            epoch=position.epoch, first_offset=batch.first_offset, next_offset=batch.next_offset,
            rows=written.rows, dead_letters=len(batch.letters), size=len(written.body), sha256=written.sha256,
        )  # fmt: skip

    def folder(self, stream: Stream) -> str:
        """What the key of every object of a stream begins with."""
        prefix = self._settings.prefix.strip("/")
        return f"{prefix}/{stream.raw}/" if prefix else f"{stream.raw}/"
