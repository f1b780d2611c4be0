"""How long topics keep their messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka import admin as kafka_admin

from consumers.kafka_topics import translated
from waybill.errors import UnreachableError

_SECONDS = 10.0
_ABSENT = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC)
# The client's annotations do not export all of its public names.
_admin: Any = kafka_admin


def retention(bootstrap: str, topics: Iterable[str]) -> dict[str, float | None]:
    """Seconds by topic, None for one that drops nothing by time; a topic that does not exist is left out.

    Raises `UnreachableError` when Kafka does not answer.
    """
    client = _admin.AdminClient({"bootstrap.servers": bootstrap, "log_level": 2})
    wanted = [_admin.ConfigResource(_admin.ResourceType.TOPIC, topic) for topic in sorted(set(topics))]
    found: dict[str, float | None] = {}
    if not wanted:
        return found
    with translated("asking how long topics keep their messages"):
        for resource, future in client.describe_configs(wanted, request_timeout=_SECONDS).items():
            try:
                settings = future.result(2 * _SECONDS)
            except KafkaException as error:
                if error.args[0].code() in _ABSENT:
                    continue
                raise
            except TimeoutError as error:
                raise UnreachableError(f"the settings of topic {resource.name}: Kafka does not answer") from error
            kept = int(settings["retention.ms"].value)
            deletes = "delete" in settings["cleanup.policy"].value
            found[resource.name] = kept / 1000 if kept >= 0 and deletes else None
    return found
