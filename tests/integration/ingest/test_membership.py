"""A member of the group that starts again reads every topic of its subscription, also one made meanwhile."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from consumers.kafka_feed import KafkaFeed, settings
from consumers.kafka_topics import KafkaTopics
from consumers.messages import Place
from tests.waiting import until
from waybill.addresses import Addresses


class Member:
    """One start of a static member; `owned` are the partitions it was given."""

    def __init__(self, bootstrap: str, group: str, topics: list[str]) -> None:
        self.owned: set[Place] = set()
        self.feed = KafkaFeed(settings(bootstrap, group, "member"), KafkaTopics(bootstrap))
        self.feed.subscribe(topics, self.owned.update, self.owned.difference_update)

    def reads(self, topics: set[str]) -> bool:
        self.feed.poll(100, 0.2)
        return {topic for topic, _ in self.owned} == topics


@pytest.fixture
def topics(stack: Addresses) -> Iterator[tuple[AdminClient, str, str]]:
    admin = AdminClient({"bootstrap.servers": stack.kafka.bootstrap, "log_level": 0})
    early, late = (f"t{secrets.token_hex(4)}.{name}" for name in ("early", "late"))
    _make(admin, early)
    yield admin, early, late
    for deleted in admin.delete_topics([early, late], operation_timeout=15).values():
        deleted.exception(20)


def _make(admin: AdminClient, topic: str) -> None:
    for made in admin.create_topics([NewTopic(topic, 3, 1)]).values():
        made.result(20)


def test_a_member_that_starts_again_reads_a_topic_that_was_made_meanwhile(
    stack: Addresses, topics: tuple[AdminClient, str, str]
) -> None:
    admin, early, late = topics
    group = f"{early}.consume"
    first = Member(stack.kafka.bootstrap, group, [early, late])
    until(lambda: first.reads({early}), "the first start reads what there is", 30)
    first.feed.close()
    _make(admin, late)
    again = Member(stack.kafka.bootstrap, group, [early, late])
    until(lambda: again.reads({early, late}), "the second start reads both", 30)
    again.feed.close()


def test_a_member_that_starts_again_with_one_topic_more_reads_it(
    stack: Addresses, topics: tuple[AdminClient, str, str]
) -> None:
    admin, early, late = topics
    group = f"{early}.consume"
    _make(admin, late)
    first = Member(stack.kafka.bootstrap, group, [early])
    until(lambda: first.reads({early}), "the first start", 30)
    first.feed.close()
    again = Member(stack.kafka.bootstrap, group, [early, late])
    until(lambda: again.reads({early, late}), "the second start reads both", 30)
    again.feed.close()
