"""The dead-letter topic: bad messages with their bytes untouched, before the position moves past them.

A letter may stand there twice after a crash; its origin tells (topic, partition, offset in the headers).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka import admin as kafka_admin

from consumers.kafka_topics import translated
from consumers.ports import DeadLetter
from waybill.clock import Clock
from waybill.errors import UnreachableError
from waybill.positions import Position

log = logging.getLogger(__name__)

_SECONDS = 30.0
_admin: Any = kafka_admin
_MOST_BYTES = 64 * 2**20
# Headers. All values are UTF-8 text: numbers as decimal digits, the record's time in milliseconds since 1970, when it
# was first seen in ISO form. Topic id and generation are those of the position under which the message was read.
TOPIC, PARTITION, OFFSET, TIME = "waybill.topic", "waybill.partition", "waybill.offset", "waybill.time_ms"
TOPIC_ID, GENERATION = "waybill.topic_id", "waybill.generation"
ERROR, FIRST_SEEN = "waybill.error", "waybill.first_seen"


class DeadLetterTopic:
    """Made when the first letter is sent; kept without end, because what lies there is nowhere else loaded."""

    def __init__(self, bootstrap: str, topic: str, clock: Clock) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
        self._clock = clock
        self._producer: Any = None

    def send(self, letters: Sequence[DeadLetter], position: Position) -> None:
        if not letters:
            return
        producer = self._producer or self._open()
        failed: list[str] = []

        def answered(error: Any, _message: Any) -> None:
            if error is not None:
                failed.append(str(error))

        for letter in letters:
            self._produce(producer, letter, position, answered)
        left = producer.flush(_SECONDS)
        if left or failed:
            self._producer = None
            raise UnreachableError(
                f"{len(failed) or left} of {len(letters)} dead letters were not stored in {self._topic}"
                f"{': ' + failed[0] if failed else ''}",
                kept="the position stays before them; they are sent again",
            )
        log.warning("%d bad messages of %s set aside in %s", len(letters), letters[0].topic, self._topic)

    def _produce(self, producer: Any, letter: DeadLetter, position: Position, answered: Any) -> None:
        headers = {
            TOPIC: letter.topic,
            PARTITION: str(letter.partition),
            OFFSET: str(letter.offset),
            TOPIC_ID: position.topic_id,
            GENERATION: str(position.generation),
            TIME: str(letter.time),
            ERROR: letter.error,
            FIRST_SEEN: self._clock.now().isoformat(),
        }
        encoded = [(name, value.encode()) for name, value in headers.items()]
        while True:
            try:
                producer.produce(self._topic, key=letter.key, value=letter.value, headers=encoded, on_delivery=answered)
                return
            except BufferError:
                producer.poll(1.0)
            except KafkaException as error:
                raise UnreachableError(f"a dead letter was not taken for {self._topic}: {error}") from error

    def _open(self) -> Any:
        admin = _admin.AdminClient({"bootstrap.servers": self._bootstrap, "log_level": 2})
        config = {"retention.ms": "-1", "cleanup.policy": "delete", "max.message.bytes": str(_MOST_BYTES)}
        future = admin.create_topics([_admin.NewTopic(self._topic, num_partitions=1, config=config)])[self._topic]
        with translated(f"making the topic {self._topic}"):
            try:
                future.result(timeout=_SECONDS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                    raise
        self._producer = Producer(
            {
                "bootstrap.servers": self._bootstrap,
                "acks": "all",
                "enable.idempotence": True,
                "compression.type": "lz4",
                "message.max.bytes": _MOST_BYTES,
                "delivery.timeout.ms": int(_SECONDS * 1000),
                "log_level": 2,
            }
        )
        return self._producer
