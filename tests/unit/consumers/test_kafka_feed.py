"""Messages of the Kafka client as the loop takes them."""

from __future__ import annotations

from typing import Any

from confluent_kafka import KafkaError, Message

from consumers.kafka_feed import KafkaFeed, settings
from consumers.messages import Messages
from consumers.ports import Arrived, End, Gone, Records


class Client:
    """Gives what it was told to."""

    def __init__(self, *given: Message) -> None:
        self._given = list(given)

    def consume(self, _limit: int, _seconds: float) -> list[Message]:
        return self._given


def message(partition: int, offset: int, value: bytes | None = b"v", error: int | None = None) -> Message:
    made: Any = Message
    return made(
        topic="t", partition=partition, offset=offset, key=b"k%d" % offset, value=value, timestamp=(1, 1000 + offset),
        error=KafkaError(error) if error is not None else None,
    )  # fmt: skip


def arrived(*given: Message) -> list[Arrived]:
    feed: Any = KafkaFeed(settings("localhost:1", "g", None))
    feed._consumer = Client(*given)
    return list(feed.poll(100, 0.1))


def test_messages_come_in_runs_of_one_partition_in_their_order() -> None:
    assert arrived(message(0, 5), message(0, 6), message(1, 5), message(0, 9, None)) == [
        Records("t", 0, Messages([5, 6], [1005, 1006], [b"k5", b"k6"], [b"v", b"v"])),
        Records("t", 1, Messages([5], [1005], [b"k5"], [b"v"])),
        Records("t", 0, Messages([9], [1009], [b"k9"], [None])),
    ]


def test_the_end_of_a_partition_parts_what_came_before_it_from_what_comes_after() -> None:
    eof = KafkaError._PARTITION_EOF
    assert arrived(message(0, 5), message(0, 7, error=eof), message(1, 3, error=eof), message(0, 7)) == [
        Records("t", 0, Messages([5], [1005], [b"k5"], [b"v"])),
        End("t", 0, 7),
        End("t", 1, 3),
        Records("t", 0, Messages([7], [1007], [b"k7"], [b"v"])),
    ]


def test_an_offset_that_kafka_has_no_more_is_told_and_nothing_is_skipped() -> None:
    (found,) = arrived(message(0, 5, error=KafkaError._AUTO_OFFSET_RESET))
    assert isinstance(found, Gone)
    assert (found.topic, found.partition) == ("t", 0)
