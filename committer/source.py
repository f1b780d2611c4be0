"""The source's side as the committer needs it: MySQL's clock, the end of the transaction topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pymysql
from confluent_kafka import IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from waybill.addresses import Kafka, Mysql
from waybill.errors import UnreachableError
from waybill.gtid import GtidSet
from waybill.positions import Origin


@dataclass
class Source:
    """Implements `committer.commit.SourceView`. `stored` reads Connect's stored GTID set, `letters` a table's
    open dead letters."""

    mysql: Callable[[], Mysql]
    kafka: Callable[[], Kafka]
    transaction_topic: str
    stored: Callable[[], str | None]
    topic_of: Callable[[str], str]
    letters: Callable[[str], list[Origin]]
    timeout_seconds: float = 10

    def now(self) -> datetime:
        address = self.mysql()
        try:
            connection = pymysql.connect(
                host=address.host, port=address.port, user=address.user,
                password=address.password.get_secret_value(), connect_timeout=int(self.timeout_seconds),
                read_timeout=int(self.timeout_seconds),
            )  # fmt: skip
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT UTC_TIMESTAMP(6)")
                    row = cursor.fetchone()
            finally:
                connection.close()
        except pymysql.MySQLError as error:
            raise UnreachableError(f"MySQL at {address.host}:{address.port} does not answer: {error}") from error
        assert row is not None
        found: datetime = row[0]
        return found.replace(tzinfo=UTC)

    def stored_gtid_set(self) -> GtidSet:
        text = self.stored()
        if not text:
            raise UnreachableError(
                "Connect has no stored GTID set for the connector yet", kept="the snapshot's rows wait in raw",
                todo="waybill connect status",
            )  # fmt: skip
        return GtidSet.parse(text)

    def transaction_topic_end(self) -> int:
        return self._ends(self.transaction_topic, [0])[0]

    def stable_offsets(self, table: str) -> dict[int, int]:
        topic = self.topic_of(table)
        admin = self._admin()
        try:
            found = admin.list_topics(topic, timeout=self.timeout_seconds).topics[topic].partitions
        except KafkaException as error:
            raise UnreachableError(f"Kafka does not tell the partitions of {topic}: {error}") from error
        return self._ends(topic, sorted(found))

    def open_letters(self, table: str) -> list[Origin]:
        return self.letters(table)

    def _admin(self) -> AdminClient:
        return AdminClient(
            {
                "bootstrap.servers": self.kafka().bootstrap,
                "socket.timeout.ms": int(self.timeout_seconds * 1000),
                "log_level": 4,
            }
        )

    def _ends(self, topic: str, numbers: Sequence[int]) -> dict[int, int]:
        """Last stable offsets."""
        partitions = [TopicPartition(topic, number) for number in numbers]
        admin = self._admin()  # its answers come only while it is there
        try:
            asked = admin.list_offsets(
                {partition: OffsetSpec.latest() for partition in partitions},  # type: ignore[no-untyped-call]
                isolation_level=IsolationLevel.READ_COMMITTED, request_timeout=self.timeout_seconds,
            )  # fmt: skip
            return {p.partition: int(asked[p].result(self.timeout_seconds).offset) for p in partitions}
        except (KafkaException, TimeoutError) as error:
            raise UnreachableError(f"Kafka does not tell the end of {topic}: {error}") from error
