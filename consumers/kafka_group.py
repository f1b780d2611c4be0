"""The consumer group as Kafka knows it: who has which partition, and the offsets it was told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka import admin as kafka_admin

from consumers.kafka_topics import translated
from consumers.messages import Place

_SECONDS = 10.0
# The client's annotations do not export all of its public names.
_admin: Any = kafka_admin
_NO_GROUP = (KafkaError.GROUP_ID_NOT_FOUND, KafkaError.INVALID_GROUP_ID)


class Member(NamedTuple):
    """A consumer. `name` is its static id, else the one Kafka gave it; one that ended stays for its session (10 s)."""

    name: str
    host: str


class KafkaGroup:
    """Asks the broker each time. Raises `UnreachableError` when it does not answer."""

    def __init__(self, bootstrap: str, group: str) -> None:
        self._admin = _admin.AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
        self._group = group

    def owners(self) -> dict[Place, Member]:
        """Every partition that a member of the group has now."""
        found: dict[Place, Member] = {}
        with translated(f"describing the consumer group {self._group}"):
            future = self._admin.describe_consumer_groups([self._group], request_timeout=_SECONDS)[self._group]
            try:
                described = future.result(2 * _SECONDS)
            except KafkaException as error:
                if error.args[0].code() in _NO_GROUP:
                    return {}
                raise
        for member in described.members:
            who = Member(member.group_instance_id or member.member_id, member.host)
            for each in member.assignment.topic_partitions if member.assignment else ():
                found[each.topic, each.partition] = who
        return found

    def committed(self, places: Iterable[Place]) -> dict[Place, int]:
        """What consumers told Kafka; nothing depends on it. A partition it was never told of is left out."""
        wanted = [TopicPartition(*place) for place in sorted(set(places))]
        if not wanted:
            return {}
        asked = ConsumerGroupTopicPartitions(self._group, wanted)
        with translated(f"asking for the offsets of the consumer group {self._group}"):
            future = self._admin.list_consumer_group_offsets([asked], request_timeout=_SECONDS)[self._group]
            try:
                answered = future.result(2 * _SECONDS)
            except KafkaException as error:
                if error.args[0].code() in _NO_GROUP:
                    return {}
                raise
        return {(p.topic, p.partition): p.offset for p in answered.topic_partitions if p.offset >= 0 and not p.error}
