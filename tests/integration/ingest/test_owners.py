"""One owner a partition: whoever still believes it is one loads nothing, and nothing is loaded twice."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from cli import ingest
from loaders.postgres import Postgres
from loaders.raw_store import RawStore
from loaders.read_back import S3Objects
from tests.integration.ingest.workshop import RAW, Workshop
from tests.unit.consumers.parcel import row
from warehouse.session import Session, Statement
from waybill.addresses import Warehouse
from waybill.clock import SystemClock
from waybill.errors import CommitUnknown
from waybill.objects import StoredBatch


def test_a_consumer_whose_partition_was_claimed_by_another_loads_nothing_of_it(workshop: Workshop) -> None:
    loop = workshop.loop()
    workshop.join(loop)
    store = ingest.raw_store(workshop.context)
    taken = [position for position in store.positions(RAW) if position.partition == 0]
    store.claim(RAW, taken, "another", 0)
    workshop.write([workshop.event(row(1))], partition=0)
    workshop.write([workshop.event(row(2))], partition=1)
    workshop.turn(loop, lambda _: any(p.lost for p in workshop.partitions(loop)) and workshop.rows() == [(2,)])
    assert workshop.positions()[0] == 0
    workshop.leave(loop)
    workshop.consume()
    assert workshop.rows() == [(1,), (2,)]


def test_two_consumers_share_the_partitions_and_load_everything_once(workshop: Workshop) -> None:
    first, second = workshop.loop(), workshop.loop()
    workshop.join(first)

    def both(_: object) -> bool:
        workshop.turn(second, lambda _: True)
        second.step()
        return bool(workshop.partitions(first) and workshop.partitions(second))

    workshop.turn(first, both)
    for number in range(3):
        workshop.write([workshop.event(row(100 * number + i)) for i in range(60)], partition=number)

    def all_loaded(_: object) -> bool:
        second.step()
        return len(workshop.rows()) >= 180

    workshop.turn(first, all_loaded)
    found = workshop.rows('"_partition", "_offset"')
    assert len(found) == len(set(found)) == 180


def test_an_object_of_another_under_the_same_key_raises_the_epoch(workshop: Workshop) -> None:
    workshop.write([workshop.event(row(1))])
    loop = workshop.loop()
    client, bucket = ingest.bucket_client(workshop.addresses.s3), workshop.addresses.s3.bucket
    stages = loop._stages
    put = stages.storing._bucket.put
    seen: list[str] = []

    def collide(key: str, body: bytes, sha256: str) -> object:
        if not seen:
            client.put_object(Bucket=bucket, Key=key, Body=b"another owner's")
        seen.append(key)
        return put(key, body, sha256)

    stages.storing._bucket.put = collide  # type: ignore[method-assign,assignment]
    stopped: list[object] = []

    def loaded(_: object) -> bool:
        stopped.extend(c.stopped for c in loop.carried.values() if c.stopped)
        return workshop.rows() == [(1,)]

    workshop.turn(loop, loaded)
    assert stopped == []
    assert [key.rpartition("+")[2] for key in seen] == ["e0000000001.parquet", "e0000000002.parquet"]
    assert workshop.ledger("epoch") == [(2,)]


class Interrupted(Session):
    """A session whose first COMMIT of a load gets no answer; `arrives`: whether it took effect."""

    lost = 0
    arrives = True

    @contextmanager
    def transaction(self, lock: Statement | None = None, lock_seconds: float | None = None) -> Iterator[None]:
        kind = type(self)
        if kind.lost:
            kind.lost -= 1
            if not kind.arrives:
                with pytest.raises(ZeroDivisionError), super().transaction(lock, lock_seconds):
                    yield
                    raise ZeroDivisionError
                self.close()
                raise CommitUnknown("no answer to COMMIT")
            with super().transaction(lock, lock_seconds):
                yield
            self.close()
            raise CommitUnknown("no answer to COMMIT")
        with super().transaction(lock, lock_seconds):
            yield


def stored(workshop: Workshop, store: RawStore) -> list[StoredBatch]:
    """One batch in the bucket, ready to be loaded, and one that only moves the position."""
    workshop.write([workshop.event(row(i)) for i in range(5)])
    loop = workshop.loop()
    found: list[StoredBatch] = []

    def caught(_: object) -> bool:
        found[:] = [w.stored for p in workshop.partitions(loop) for w in p.ready if w.stored and w.stored.rows]
        return bool(found)

    loop._load = lambda carried: None  # type: ignore[method-assign]
    workshop.turn(loop, caught)
    workshop.leave(loop)
    last = found[-1]
    move = replace(
        last, batch_id=last.batch_id + 1, key="", first_offset=last.next_offset, next_offset=last.next_offset + 1,
        rows=0, size=0, sha256="",
    )  # fmt: skip
    return [*found, move]


@pytest.mark.parametrize("arrives", [True, False])
def test_a_commit_without_an_answer_is_looked_up_and_the_rows_stand_once(workshop: Workshop, arrives: bool) -> None:
    where: Warehouse = workshop.warehouse
    s3 = workshop.addresses.s3
    objects = S3Objects(ingest.bucket_client(s3), s3.bucket)
    store = RawStore(lambda: Interrupted(where, "test"), objects, Postgres(), SystemClock())
    batches = stored(workshop, store)
    Interrupted.lost, Interrupted.arrives = 2, arrives
    done = store.load(RAW, batches)
    assert (Interrupted.lost, len(done.batches), done.stale) == (0, 2, ())
    assert workshop.rows() == [(i,) for i in range(5)]
    assert store.load(RAW, batches).stale == ()
    assert workshop.rows() == [(i,) for i in range(5)]
    store.close()


def test_an_object_that_was_changed_in_the_bucket_is_not_loaded_but_read_again(workshop: Workshop) -> None:
    workshop.write([workshop.event(row(1))])
    loop = workshop.loop()
    client, bucket = ingest.bucket_client(workshop.addresses.s3), workshop.addresses.s3.bucket
    put = loop._stages.storing.put
    spoilt: list[str] = []

    def spoil(*arguments: object) -> StoredBatch:
        batch: StoredBatch = put(*arguments)  # type: ignore[arg-type]
        if not spoilt:
            body = client.get_object(Bucket=bucket, Key=batch.key)["Body"].read()
            client.put_object(Bucket=bucket, Key=batch.key, Body=body[:-1] + b"x")
            spoilt.append(hashlib.sha256(body).hexdigest())
        return batch

    loop._stages.storing.put = spoil  # type: ignore[method-assign]
    workshop.turn(loop, lambda _: any(c.stopped for c in loop.carried.values()))
    (carried,) = loop.carried.values()
    assert "is not what was written" in str(carried.stopped)
    assert workshop.rows() == []
    workshop.turn(loop, lambda _: workshop.rows() == [(1,)])
