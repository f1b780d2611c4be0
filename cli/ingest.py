"""Builds what carries events from Kafka to raw: the one place where consumers, loaders and addresses meet."""

from __future__ import annotations

import fcntl
import logging
import os
import socket
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from cli.context import Context
from cli.pipeline import Pipeline
from consumers.assignment import Assignment
from consumers.bucket import S3Bucket
from consumers.dead_letter_topic import DeadLetterTopic
from consumers.dead_letters.bounds import Bounds
from consumers.dead_letters.unknown import UnknownSchemas
from consumers.decoder import FastavroDecoder
from consumers.decoding import Decoding
from consumers.fitting import Fitting
from consumers.kafka_feed import KafkaFeed, settings
from consumers.kafka_topics import KafkaTopics
from consumers.loop import Loop
from consumers.native_decoder import NativeDecoder
from consumers.ports import Lane
from consumers.registry import Registry
from consumers.settings import Batching
from consumers.stages import Stages
from consumers.storing import Storing
from consumers.streams import Shape, Stream
from consumers.threads import Threads
from loaders.decisions import SetAside
from loaders.postgres import Postgres
from loaders.raw_store import RawStore
from loaders.raw_stores import RawStores
from loaders.read_back import S3Objects
from loaders.source_changes import SourceChanges, subjects
from warehouse.session import Session
from waybill import addresses, raw
from waybill.clock import SystemClock
from waybill.errors import SettingsError

log = logging.getLogger(__name__)

SLOTS = Path(".waybill/run")
_MOST_SLOTS = 64
_OWN_MEMORY = 64 * 2**20
_CONNECTIONS = 32  # to the bucket's service, kept open for the next call


def streams(pipeline: Pipeline, tables: Sequence[str] = ()) -> list[Stream]:
    """What is carried: the pipeline's tables, and Debezium's own topics unless `tables` names a choice.

    Raises `SettingsError` for a table that is not in the pipeline file.
    """
    prefix = pipeline.source.topic_prefix
    own = [
        (pipeline.source.transaction_topic, raw.TRANSACTION_TABLE, Shape.TRANSACTIONS),
        (pipeline.source.notification_topic, raw.NOTIFICATION_TABLE, Shape.NOTIFICATIONS),
        (pipeline.source.schema_change_topic, raw.SCHEMA_CHANGE_TABLE, Shape.SCHEMA_CHANGES),
    ]
    # A transaction's END decides what a cycle can apply: it waits no longer than the most eager table.
    eager = Batching(seconds=min(entry.batch.seconds for entry in pipeline.tables))
    every = [Stream(e.source, e.raw, e.topic(prefix), Shape.ROWS, e.batch, int(e.memory)) for e in pipeline.tables] + [
        Stream(topic, table, topic, shape, eager, _OWN_MEMORY) for topic, table, shape in own
    ]
    if not tables:
        return every
    names = {name: stream for stream in every for name in (stream.name, stream.name.split(".")[-1], stream.raw)}
    unknown = [table for table in tables if table not in names]
    if unknown:
        raise SettingsError(f"no table {unknown[0]!r} in the pipeline file; it has {', '.join(s.name for s in every)}")
    return list({names[table].name: names[table] for table in tables}.values())


def to_consume(pipeline: Pipeline, tables: Sequence[str] = ()) -> list[Stream]:
    """The streams chosen, and the source's statements: no row is loaded before those that shaped its table are."""
    chosen = [*streams(pipeline, tables), *streams(pipeline, [pipeline.source.schema_change_topic])]
    return list({stream.name: stream for stream in chosen}.values())


def bucket_client(s3: addresses.S3) -> Any:
    """boto3's client for the bucket's service."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        endpoint_url=s3.url or None,
        aws_access_key_id=s3.access_key or None,
        aws_secret_access_key=s3.secret_key.get_secret_value() or None,
        region_name=s3.region,
        config=Config(
            connect_timeout=5, read_timeout=60, retries={"mode": "standard", "max_attempts": 2},
            max_pool_connections=_CONNECTIONS,
            s3={"addressing_style": "path" if s3.url else "auto"},
        ),
    )  # fmt: skip


def raw_store(context: Context, client: Any = None) -> RawStore:
    """The warehouse's raw tables; `client` of the bucket's service may be shared by many threads."""
    where, seconds = context.addresses.warehouse, context.pipeline.sync.query_seconds
    s3 = context.addresses.s3
    objects = S3Objects(client or bucket_client(s3), s3.bucket)
    return RawStore(lambda: Session(where, "loader", seconds), objects, Postgres(), SystemClock())


def strangers(context: Context) -> dict[str, int]:
    """Topics of tables that the pipeline file does not name, with the events that stand in them."""
    source = context.pipeline.source
    own = {stream.topic for stream in streams(context.pipeline)}
    own |= {f"{source.topic_prefix}.{name}" for name in (source.heartbeat, source.signal)}
    return topics(context).others(f"{source.topic_prefix}.", own | {f"{source.topic_prefix}.schema-history"})


def source_changes(context: Context) -> SourceChanges:
    """What the warehouse knows of the source's changes."""
    where, tables = context.addresses.warehouse, context.pipeline.tables
    return SourceChanges(
        lambda: Session(where, "source changes", 60),
        {t.source: subjects(t.raw, [t.mart.name] if t.mart else []) for t in tables},
    )


def topics(context: Context) -> KafkaTopics:
    """What Kafka knows of its topics."""
    return KafkaTopics(context.addresses.kafka.bootstrap)


class Slot:
    """A place among the consumers of this checkout, held by a lock that ends with the process.

    It gives a consumer the same static member id after a crash, so that it gets its partitions back at once, and
    a second consumer beside it another one.
    """

    def __init__(self, root: Path) -> None:
        (root / SLOTS).mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST_SLOTS + 1):
            self._file: IO[str] = (root / SLOTS / f"consumer-{number}.lock").open("w")
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._file.close()
                continue
            # Two checkouts on one machine may share a Kafka: the folder tells their consumers apart.
            self.member = f"{socket.gethostname()}-{zlib.crc32(str(root.resolve()).encode()):08x}-{number}"
            return
        raise SettingsError(f"{_MOST_SLOTS} consumers run from this checkout already")


def loop(context: Context, chosen: Sequence[Stream], member: str | None) -> Loop:
    """The consumer. `member` None: a short-lived one, which leaves its group when it ends."""
    pipeline, where, clock = context.pipeline, context.addresses, SystemClock()
    prefix = pipeline.source.topic_prefix
    s3, kafka = where.s3, where.kafka.bootstrap
    owner = f"{socket.gethostname()}:{os.getpid()}"
    client, consume = bucket_client(s3), pipeline.consume
    store, known_topics = RawStores(lambda: raw_store(context, client)), topics(context)
    bucket = S3Bucket(client, s3.bucket)
    storing = Storing(bucket, pipeline.storage, clock)
    feed = KafkaFeed(settings(kafka, pipeline.consume.group_of(prefix), member), known_topics)
    letters = DeadLetterTopic(kafka, pipeline.consume.dead_letter_topic(prefix), clock)
    fitting = Fitting(source_changes(context), known_topics, pipeline.source.schema_change_topic, clock)
    said = SetAside(lambda: Session(where.warehouse, "loader", pipeline.sync.query_seconds))
    unknown = UnknownSchemas(said, clock, pipeline.consume.unknown_schema_seconds)
    decoding = Decoding(
        Registry(where.registry.url), NativeDecoder(FastavroDecoder()), Bounds.of(pipeline.consume), unknown, fitting
    )
    stages = Stages(decoding, letters, storing, owner, clock)
    workers = Threads(
        {
            Lane.STORE: consume.parallel_stores, Lane.READ_BACK: 1,
            Lane.WAREHOUSE: consume.parallel_loads, Lane.ASK: 1,
        }
    )  # fmt: skip
    assignment = Assignment(feed, known_topics, store, bucket, storing, owner, clock)
    for topic, count in strangers(context).items():
        log.warning("%s: %d events of a table that the pipeline file does not name are ignored", topic, count)
    bucket.check()
    for stream in chosen:
        store.check(stream.raw)
    return Loop(chosen, feed, known_topics, store, workers, assignment, stages, consume, clock)
