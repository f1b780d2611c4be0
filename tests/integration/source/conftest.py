"""A MySQL for the source's tests: from the environment when it names one, else of the stack; fresh databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from source.databases import Databases, Server, columns, quoted, session
from waybill.addresses import Addresses

ROOT = Path(__file__).resolve().parents[3]
NOW = 1_790_000_000


@pytest.fixture
def mysql(request: pytest.FixtureRequest) -> Server:
    given = "WAYBILL_MYSQL_HOST" in os.environ
    found = Addresses.load(ROOT).mysql if given else request.getfixturevalue("stack").mysql
    return Server(found.host, found.port, found.user, found.password.get_secret_value())


@pytest.fixture
def databases(mysql: Server, fresh_name: str) -> Iterator[Databases]:
    names = Databases(f"kuaisong_{fresh_name}", f"waybill_{fresh_name}")
    yield names
    with session(mysql.connect) as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted(names.orders)}")
        cursor.execute(f"DROP DATABASE IF EXISTS {quoted(names.pipeline)}")


def rows_of(server: Server, database: str, table: str, without: tuple[str, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows in key order, each value as MySQL's own text."""
    names = [quoted(name) for name in columns(table) if name not in without]
    key = "order_id, traceSeq" if table == "uni_tracking_spath" else "order_id"
    with session(server.connect, database) as cursor:
        cursor.execute(f"SELECT {', '.join(f'CAST({name} AS CHAR)' for name in names)} FROM {table} ORDER BY {key}")
        return [tuple(row) for row in cursor.fetchall()]


def one(server: Server, database: str, sql: str) -> Any:
    """The only value of a query."""
    with session(server.connect, database) as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        assert row is not None
        return row[0]
