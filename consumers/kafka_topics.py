"""What Kafka knows of its topics: ids, partitions, first and last stable offsets."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection, TopicPartition
from confluent_kafka import admin as kafka_admin

from consumers.messages import Place
from consumers.ports import Ends, TopicInfo
from waybill.errors import UnreachableError

_SECONDS = 10.0
# The client's annotations do not export all of its public names.
_admin: Any = kafka_admin
_ABSENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Kafka's errors as waybill's, the cause kept."""
    try:
        yield
    except KafkaException as error:
        raise UnreachableError(f"{doing}: Kafka does not answer: {error.args[0]}") from error


class KafkaTopics:
    """Asks the broker each time: nothing is remembered."""

    def __init__(self, bootstrap: str) -> None:
        # The client's own log of lost connections says less than our errors do.
        self._admin = _admin.AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})

    def describe(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        wanted = sorted(set(names))
        if not wanted:
            return {}
        found: dict[str, TopicInfo] = {}
        futures = self._admin.describe_topics(TopicCollection(wanted), request_timeout=_SECONDS)
        for name, future in futures.items():
            described = self._result(future, f"describing topic {name}")
            if described is not None:
                found[name] = TopicInfo(_text(described.topic_id), len(described.partitions))
        return found

    def answers(self, seconds: float) -> None:
        """Raises `UnreachableError` when no broker answers within `seconds`."""
        with translated("asking who is there"):
            self._admin.list_topics(timeout=seconds)

    def others(self, prefix: str, known: Iterable[str]) -> dict[str, int]:
        """Topics `<prefix>database.table` beside the known ones, each with the offsets that stand in it."""
        with translated("listing topics"):
            listed = self._admin.list_topics(timeout=_SECONDS).topics
        found = sorted(t for t in listed if t.startswith(prefix) and t.removeprefix(prefix).count(".") == 1)
        names = [name for name in found if name not in set(known)]
        ends = self.ends((name, number) for name in names for number in listed[name].partitions)
        return {name: sum(e.stable - e.low for place, e in ends.items() if place[0] == name) for name in names}

    def ends(self, places: Iterable[Place]) -> dict[Place, Ends]:
        wanted = sorted(set(places))
        low = self._offsets(wanted, _admin.OffsetSpec.earliest())
        stable = self._offsets(wanted, _admin.OffsetSpec.latest())
        return {place: Ends(low[place], stable[place]) for place in wanted if place in low and place in stable}

    def at_time(self, places: Iterable[Place], moment: datetime) -> dict[Place, int]:
        """The first message whose own timestamp is not before `moment`; a partition that has none is left out."""
        found = self._offsets(sorted(set(places)), _admin.OffsetSpec.for_timestamp(int(moment.timestamp() * 1000)))
        return {place: offset for place, offset in found.items() if offset >= 0}

    def _offsets(self, places: list[Place], spec: Any) -> dict[Place, int]:
        if not places:
            return {}
        futures = self._admin.list_offsets(
            {TopicPartition(topic, partition): spec for topic, partition in places},
            isolation_level=IsolationLevel.READ_COMMITTED,
            request_timeout=_SECONDS,
        )
        found: dict[Place, int] = {}
        for place, future in futures.items():
            listed = self._result(future, f"asking for the offsets of {place.topic} partition {place.partition}")
            if listed is not None:
                found[place.topic, place.partition] = int(listed.offset)
        return found

    def _result(self, future: Any, doing: str) -> Any:
        """None for what does not exist."""
        try:
            error = future.exception(timeout=2 * _SECONDS)
        except TimeoutError as late:
            raise UnreachableError(f"{doing}: Kafka does not answer") from late
        # Not raised: the future would keep it, it the frames it passed, and they a batch of messages.
        if isinstance(error, KafkaException) and error.args[0].code() in _ABSENT:
            return None
        with translated(doing):
            return future.result()


def _text(uuid: Any) -> str:
    """As Kafka's own tools print it."""
    parts = (uuid.get_most_significant_bits(), uuid.get_least_significant_bits())
    data = b"".join((part & (2**64 - 1)).to_bytes(8, "big") for part in parts)
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
