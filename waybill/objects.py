"""Names of the Parquet objects and ids of micro-batches: what consumers write and loaders read.

    <prefix>/<table>/<date partition>/<topic>+<partition>+<first>-<last>+g<generation>+e<epoch>.parquet

Offsets are zero-padded, so names sort as offsets do; the owner's epoch is part of the name, so two owners can
never write one key with two contents (spec section 5).
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_TAIL = re.compile(r"([^/]+)\+(\d{5})\+(\d{20})-(\d{20})\+g(\d{5})\+e(\d{10})\.parquet$")
_RANDOM_BITS = 10


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A micro-batch as it stands in the bucket: what a load needs to know of it.

    `first_offset` is where its partition's position stood before it, `next_offset` where it stands after (the
    next to be read); offsets between that hold no row (control records, dead letters) belong to it. `rows`
    counts the rows of the object; a batch of only dead letters has none and `key` is ''. `size` in bytes.
    """

    batch_id: int
    table: str
    key: str
    topic: str
    topic_id: str
    partition: int
    generation: int
    epoch: int
    first_offset: int
    next_offset: int
    rows: int
    dead_letters: int
    size: int
    sha256: str


def new_batch_id(now: datetime) -> int:
    """Microseconds since 1970 in the high bits, so that a later batch has a greater id; chance in the low ten.

    The ledger refuses an id twice, so chance only has to make that rare.
    """
    micros = int(now.timestamp() * 1_000_000)
    return (micros << _RANDOM_BITS) | random.getrandbits(_RANDOM_BITS)


def least_batch_id(at: datetime) -> int:
    """No batch that was closed at `at` or later has a smaller id, as far as the clocks agree."""
    return int(at.timestamp() * 1_000_000) << _RANDOM_BITS


def batch_time(batch_id: int) -> datetime:
    """When the batch was closed, UTC."""
    return datetime.fromtimestamp((batch_id >> _RANDOM_BITS) / 1_000_000, UTC)


def object_key(
    prefix: str, table: str, closed_at: datetime, partitioning: str, *, topic: str, partition: int,
    first_offset: int, last_offset: int, generation: int, epoch: int,
) -> str:  # fmt: skip
    """The object's key. `partitioning` is a strftime pattern, e.g. `%Y-%m-%d/%H`."""
    begin = key_begin(prefix, table, closed_at, partitioning, topic=topic, partition=partition)
    return f"{begin}{first_offset:020d}-{last_offset:020d}+g{generation:05d}+e{epoch:010d}.parquet"


def key_begin(prefix: str, table: str, closed_at: datetime, partitioning: str, *, topic: str, partition: int) -> str:
    """What the keys of a partition begin with in the folder of a time: behind it they sort as offsets do."""
    folder = closed_at.astimezone(UTC).strftime(partitioning)
    return "/".join(part for part in (prefix.strip("/"), table, folder, f"{topic}+{partition:05d}+") if part)


def aside_key(prefix: str, batch: StoredBatch, partitioning: str) -> str:
    """The key of a redriven batch: no owner's epoch is in it but the batch's own id, so no two are ever the same."""
    folder = batch_time(batch.batch_id).strftime(partitioning)
    span = f"{batch.first_offset:020d}-{batch.next_offset - 1:020d}"
    name = f"{batch.topic}+{batch.partition:05d}+{span}+g{batch.generation:05d}+b{batch.batch_id:020d}.parquet"
    return "/".join(part for part in (prefix.strip("/"), batch.table, folder, name) if part)


def epoch_of(key: str) -> int | None:
    """The epoch in an object's name, None when it is not one of ours. Epochs never repeat: the bucket is asked."""
    found = _TAIL.search(key)
    return int(found.group(6)) if found else None


def partition_of(key: str) -> int:
    """The Kafka partition in the name of an object of ours, also of a redriven one. Raises for other names."""
    return int(key.rpartition("/")[2].split("+")[1])
