"""A replica can be stopped at an exact GTID set of the stack's MySQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pymysql

from stack.containers.replica import compose_replica
from stack.layout import checkout_root
from stack.replica import Replica, native_replica
from waybill.addresses import Addresses


def _replica(way: str, primary: Mapping[str, Any], name: str) -> AbstractContextManager[Replica]:
    return compose_replica(name=name) if way == "compose" else native_replica(primary, name=name)


@contextmanager
def _cursor(at: Mapping[str, Any]) -> Iterator[Any]:
    with (
        pymysql.connect(
            host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], autocommit=True
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


def test_a_replica_stops_where_it_is_told_and_can_be_led_on(stack: Addresses, way: str, fresh_name: str) -> None:
    primary = stack.plain()["mysql"]
    marks: list[tuple[str, int]] = []
    with _cursor(primary) as source:
        source.execute(f"CREATE DATABASE {fresh_name}")
        source.execute(f"CREATE TABLE {fresh_name}.t (i int PRIMARY KEY AUTO_INCREMENT)")
        try:
            for _ in range(3):
                for _ in range(5):
                    source.execute(f"INSERT INTO {fresh_name}.t VALUES ()")
                source.execute(f"SELECT @@global.gtid_executed, (SELECT count(*) FROM {fresh_name}.t)")
                marks.append(source.fetchone())
            with _replica(way, primary, f"replica-{fresh_name}") as replica:
                for gtid_set, rows in marks[:2]:
                    replica.until(gtid_set)
                    with _cursor(replica.address()) as cursor:
                        cursor.execute(f"SELECT count(*), @@global.gtid_executed FROM {fresh_name}.t")
                        assert cursor.fetchone()[0] == rows
        finally:
            source.execute(f"DROP DATABASE {fresh_name}")
    assert not (checkout_root() / ".waybill/stack/replicas" / f"replica-{fresh_name}").exists()
