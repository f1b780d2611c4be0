"""The services themselves, seen past the product: what a test asks them, and how it removes what it made there."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import boto3
import psycopg2
import pymysql
import pymysql.cursors
from botocore.config import Config
from confluent_kafka.admin import AdminClient

from waybill.addresses import Addresses


class Servers:
    """MySQL, Kafka, S3 and the warehouse of the stack; `database` is the warehouse database of one pipeline."""

    def __init__(self, addresses: Addresses, database: str) -> None:
        self.addresses = addresses
        self.database = database

    @contextlib.contextmanager
    def warehouse(self, database: str = "") -> Iterator[Any]:
        """A connection in autocommit, closed at the end."""
        at = self.addresses.warehouse
        connection = psycopg2.connect(
            host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(),
            dbname=database or self.database, connect_timeout=10, application_name="test",
        )  # fmt: skip
        connection.autocommit = True
        with contextlib.closing(connection):
            yield connection

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """The rows of a query in the warehouse."""
        with self.warehouse() as connection, connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return list(cursor.fetchall())

    def row(self, query: str, *parameters: Any) -> tuple[Any, ...]:
        """The only row of a query in the warehouse."""
        (found,) = self.rows(query, *parameters)
        return found

    def mysql(self, query: str, *parameters: Any, at: Any = None) -> list[tuple[Any, ...]]:
        """The rows of a statement in MySQL, committed."""
        at = at or self.addresses.plain()["mysql"]
        connection = pymysql.connect(
            host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], connect_timeout=10,
            autocommit=True,
        )  # fmt: skip
        with connection, connection.cursor() as cursor:
            cursor.execute(query, parameters or None)
            return list(cursor.fetchall())

    def executed(self) -> str:
        """MySQL's GTID set."""
        return str(self.mysql("SELECT @@global.gtid_executed")[0][0]).replace("\n", "")

    def gtid_subset(self, part: str, whole: str) -> bool:
        """Whether the set `whole` holds all of `part`, as MySQL itself says."""
        return self.mysql("SELECT GTID_SUBSET(%s, %s)", part, whole)[0][0] == 1

    @contextlib.contextmanager
    def held(self, table: str) -> Iterator[None]:
        """Whoever writes to the table of the warehouse waits, until the block ends; readers do not."""
        with self.warehouse() as connection, connection.cursor() as cursor:
            connection.autocommit = False
            cursor.execute(f"LOCK TABLE {table} IN SHARE MODE")
            yield

    def waiting_for(self, table: str) -> bool:
        """Whether somebody waits to write to it."""
        found = self.row("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = %s::regclass", table)
        return bool(found[0])

    def cut(self) -> str:
        """The GTID set that the marts are as of; '' before the first cycle."""
        return str(self.row("SELECT gtid_set FROM settlement_ods.as_of")[0])

    def create_warehouse(self) -> None:
        """The pipeline's empty database."""
        with self.warehouse(self.addresses.warehouse.database) as connection, connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{self.database}"')

    def forget(self, name: str, mysql_databases: Sequence[str]) -> None:
        """Remove the pipeline's databases, topics, consumer group and objects."""
        for database in mysql_databases:
            self.mysql(f"DROP DATABASE IF EXISTS `{database}`")
        with self.warehouse(self.addresses.warehouse.database) as connection, connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{self.database}" WITH (FORCE)')
        self._forget_topics(name)
        self._forget_objects(f"tests/{name}/")

    def _forget_topics(self, name: str) -> None:
        admin = AdminClient({"bootstrap.servers": self.addresses.kafka.bootstrap, "log_level": 0})
        topics = [
            topic for topic in admin.list_topics(timeout=15).topics
            if topic == name or topic.startswith((f"{name}.", f"__debezium-heartbeat.{name}"))
        ]  # fmt: skip
        if topics:
            for deleted in admin.delete_topics(topics, operation_timeout=15).values():
                deleted.result(20)
        found = admin.list_consumer_groups(request_timeout=15).result(20)
        groups = [g.group_id for g in found.valid if g.group_id.startswith(f"{name}.")]
        if groups:
            for removed in admin.delete_consumer_groups(groups, request_timeout=15).values():
                # A member that was killed is in it until its session ends; then Kafka forgets the group by itself.
                with contextlib.suppress(Exception):
                    removed.result(20)

    def _forget_objects(self, prefix: str) -> None:
        at = self.addresses.s3
        client = boto3.client(
            "s3", endpoint_url=at.url or None, aws_access_key_id=at.access_key, region_name=at.region,
            aws_secret_access_key=at.secret_key.get_secret_value(), config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=at.bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                client.delete_object(Bucket=at.bucket, Key=found["Key"])
