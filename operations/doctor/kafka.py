"""Kafka: the topics, their partitions, and how long they keep what was not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from confluent_kafka import KafkaException
from confluent_kafka import admin as kafka_admin

from operations.doctor.examination import Check, Note, Wrong
from waybill.errors import UnreachableError

_admin: Any = kafka_admin
_SECONDS = 8.0
_LEAST_MS = 7 * 86_400_000


@dataclass(frozen=True)
class Topics:
    """Topics that should be there: of data with how many partitions, and Debezium's own with one."""

    data: Mapping[str, int]
    transactions: str
    notifications: str


def checks(bootstrap: str, topics: Topics) -> Iterable[Check]:
    """Asks the broker once, then looks at the answers."""
    client = _admin.AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    cluster = _ask(bootstrap, lambda: client.list_topics(timeout=_SECONDS))
    wanted = {**topics.data, topics.transactions: 1, topics.notifications: 1}
    there = [name for name in wanted if name in cluster.topics]
    configs = {name: _config(bootstrap, client, name) for name in there}
    yield "reachable", lambda: f"{bootstrap}, {len(cluster.brokers)} broker(s)"
    for name, number in wanted.items():
        yield f"topic {name}", partial(_topic, cluster, configs, name, number)
    if topics.transactions in configs:
        yield "transaction topic", lambda: _kept_as_long(configs, topics)


def _ask(bootstrap: str, question: Any) -> Any:
    try:
        return question()
    except KafkaException as error:
        raise UnreachableError(
            f"Kafka at {bootstrap} does not answer: {error.args[0]}", todo="waybill stack up; waybill stack logs kafka"
        ) from error


def _config(bootstrap: str, client: Any, name: str) -> dict[str, str]:
    resource = _admin.ConfigResource(_admin.ResourceType.TOPIC, name)
    found = _ask(bootstrap, lambda: client.describe_configs([resource], request_timeout=_SECONDS)[resource].result())
    return {key: str(entry.value) for key, entry in found.items()}


def _topic(cluster: Any, configs: Mapping[str, Mapping[str, str]], name: str, partitions: int) -> str:
    if name not in configs:
        raise Note("not there yet: the connector makes it with its first event", todo="waybill connect apply")
    found = len(cluster.topics[name].partitions)
    if found != partitions:
        raise Wrong(
            f"{name} has {found} partitions, the pipeline file wants {partitions}",
            todo=f"set source.partitions to {found}"
            if partitions > 1
            else "its order needs one partition: make it anew with one",
        )
    if "compact" in configs[name].get("cleanup.policy", ""):
        raise Wrong(
            f"{name} is compacted: earlier events of a row would be lost",
            todo=f"kafka-configs --alter --topic {name} --add-config cleanup.policy=delete",
        )
    kept = _kept(configs[name])
    if kept < _LEAST_MS:
        raise Wrong(
            f"{name} keeps events {kept / 3_600_000:.0f} hours: what is not loaded by then is lost",
            todo=f"kafka-configs --alter --topic {name} --add-config retention.ms={_LEAST_MS}",
        )
    return f"{found} partition(s), kept {_days(kept)}"


def _kept(config: Mapping[str, str]) -> float:
    """Milliseconds; infinite when nothing is dropped by age."""
    value = int(config.get("retention.ms", "-1"))
    return float("inf") if value < 0 else value


def _days(milliseconds: float) -> str:
    return "for ever" if milliseconds == float("inf") else f"{milliseconds / 86_400_000:g} days"


def _kept_as_long(configs: Mapping[str, Mapping[str, str]], topics: Topics) -> str:
    transactions = topics.transactions
    own = _kept(configs[transactions])
    longest = max([_kept(configs[name]) for name in topics.data if name in configs], default=0.0)
    if own < longest:
        raise Wrong(
            f"{transactions} keeps {_days(own)}, a data topic {_days(longest)}: a cut could not be found for the rest",
            todo=f"kafka-configs --alter --topic {transactions} --add-config retention.ms="
            + ("-1" if longest == float("inf") else f"{longest:.0f}"),
        )
    if configs[transactions].get("retention.bytes", "-1") != "-1":
        raise Wrong(
            f"{transactions} is also bounded by size, so it may end before the data",
            todo=f"kafka-configs --alter --topic {transactions} --add-config retention.bytes=-1",
        )
    return "kept as long as the data"
