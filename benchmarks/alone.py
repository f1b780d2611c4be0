"""Each unavoidable part of ingesting alone: what two cores could do if nothing else had to be done."""

from __future__ import annotations

import time
from collections.abc import Callable

import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition

from benchmarks.filled import RAW, ROOT, Filled
from benchmarks.forge import TABLE
from benchmarks.processes import watched
from consumers import lineage
from consumers.decoder import HEADER, FastavroDecoder
from consumers.decoding import Decoding
from consumers.kafka_feed import settings
from consumers.messages import Message, Messages, MicroBatch
from consumers.native_decoder import NativeDecoder
from consumers.registry import Registry
from consumers.settings import Batching
from consumers.streams import Shape, Stream
from loaders.postgres import Postgres
from warehouse.session import Session
from warehouse.statements import table
from waybill.positions import Position

_BATCH = 20_000


def ceiling(topic: Filled, sample: int) -> dict[str, float]:
    """CPU seconds a million rows of consuming, decoding natively and binary COPY, servers' share included."""
    messages, consume = _consume(topic, sample)
    registry = Registry(topic.addresses.registry.url)
    stream = Stream(TABLE, RAW, topic.topic, Shape.ROWS, Batching(), 2**30)
    stage = Decoding(registry, NativeDecoder(FastavroDecoder()), 100)
    schema = stage._schema(int.from_bytes((messages.values[0] or b"")[1:HEADER], "big"))
    parts = [messages.part(start, start + _BATCH) for start in range(0, len(messages), _BATCH)]
    values = [[value or b"" for value in part.values] for part in parts]

    def decode(decoder: NativeDecoder | FastavroDecoder) -> Callable[[], None]:
        return lambda: [decoder.decode(schema, Shape.ROWS, each) for each in values] and None

    native, reference = _cpu(decode(NativeDecoder(FastavroDecoder()))), _cpu(decode(FastavroDecoder()))
    tables: list[pa.Table] = []

    def whole() -> None:
        for part in parts:
            batch = MicroBatch(part.offsets[0], part.offsets[-1] + 1, part, 1)
            tables.append(lineage.attach(stage.decode(stream, 0, batch).table, Position("t", "i", 0, 1, 1, 0, ""), 1))

    stage_seconds = _cpu(whole)
    copy = _copy(topic, tables)
    rows = len(messages)
    seconds = {
        "consume": consume, "decode": native, "copy": copy, "decode_fastavro": reference, "decode_stage": stage_seconds,
    }  # fmt: skip
    return {name: round(value / rows * 1e6, 3) for name, value in seconds.items()}


def _cpu(run: Callable[[], None]) -> float:
    """CPU seconds of this process; once before to warm up."""
    run()
    began = time.process_time()
    run()
    return time.process_time() - began


def _consume(topic: Filled, sample: int) -> tuple[Messages, float]:
    """The first messages of every partition, and the CPU seconds of taking them with the product's settings."""
    chosen = settings(topic.addresses.kafka.bootstrap, f"{topic.name}.alone", None)
    consumer = Consumer({**chosen, "auto.offset.reset": "earliest"})
    consumer.assign([TopicPartition(topic.topic, n, 0) for n in range(topic.partitions)])
    found = Messages()
    with watched(ROOT) as seen:
        began = time.process_time()
        while len(found) < sample:
            for message in consumer.consume(5_000, 1.0):
                if message.error() is None:
                    found.append(Message(len(found), message.timestamp()[1], message.key(), message.value()))
        spent = time.process_time() - began
    consumer.close()
    return found, spent + seen.cpu.get("broker", 0.0)


def _copy(topic: Filled, tables: list[pa.Table]) -> float:
    """Binary COPY into the raw table, the server's share included, rolled back."""
    half = tables[: len(tables) // 2]  # the run was done twice
    with Session(topic.warehouse, "bench") as session, watched(ROOT) as seen:
        began = time.process_time()
        try:
            with session.transaction():
                Postgres().copy(session, table("settlement_public", RAW), half, "bench")
                raise InterruptedError
        except InterruptedError:
            pass
        spent = time.process_time() - began
        server = _backend(session)
    return spent + max(server, seen.cpu.get("warehouse", 0.0))


def _backend(session: Session) -> float:
    """CPU seconds of the session's own server process, where it runs on this machine."""
    from benchmarks.processes import _cpu as cpu_of

    try:
        return cpu_of(session.process_id)
    except OSError:
        return 0.0
