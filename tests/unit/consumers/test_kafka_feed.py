"""Messages of the Kafka client as the loop takes them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from confluent_kafka import OFFSET_END, KafkaError, KafkaException, Message, TopicPartition

from consumers.kafka_feed import KafkaFeed, settings
from consumers.messages import Messages, Place
from consumers.ports import Arrived, End, Ends, Gone, Records, TopicInfo


class Known:
    """Topics that nobody asks for."""

    def describe(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        raise AssertionError(names)

    def ends(self, places: Iterable[Place]) -> dict[Place, Ends]:
        raise AssertionError(places)


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
    feed: Any = KafkaFeed(settings("localhost:1", "g", None), Known())
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


class Paused:
    """A client whose partitions stand still; `asked` is what it was told and asked, in order."""

    def __init__(self, answers: bool) -> None:
        self.asked: list[tuple[str, list[TopicPartition]]] = []
        self._answers = answers

    def seek(self, place: TopicPartition) -> None:
        self.asked.append(("seek", [place]))

    def resume(self, places: list[TopicPartition]) -> None:
        self.asked.append(("resume", places))

    def offsets_for_times(self, places: list[TopicPartition], _seconds: float) -> list[TopicPartition]:
        self.asked.append(("offsets", places))
        if not self._answers:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        return places


@pytest.mark.parametrize("answers", [True, False])
def test_the_leaders_are_asked_something_once_reading_goes_on(answers: bool) -> None:
    """Nothing else wakes the client's thread; whether they answer in time is all the same."""
    feed: Any = KafkaFeed(settings("localhost:1", "g", None), Known())
    feed._consumer = client = Paused(answers)
    feed.start({("t", 0): 7, ("t", 1): 9})
    assert client.asked == [
        ("seek", [TopicPartition("t", 0, 7)]),
        ("seek", [TopicPartition("t", 1, 9)]),
        ("resume", [TopicPartition("t", 0), TopicPartition("t", 1)]),
        ("offsets", [TopicPartition("t", 0, OFFSET_END), TopicPartition("t", 1, OFFSET_END)]),
    ]
