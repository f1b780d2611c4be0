"""A source and its marts made by hand: the proof is tested without the pipeline."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pymysql
import pytest
from psycopg2.sql import SQL, Identifier

from tests.integration.checks.pairing import ROOT, THREE, Pairing
from tests.integration.checks.twins import Twins
from waybill.addresses import Addresses, Warehouse


@pytest.fixture(scope="module")
def pairing(request: pytest.FixtureRequest) -> Iterator[Pairing]:
    addresses = _addresses(request)
    suffix = uuid.uuid4().hex[:8]
    database, mart_database = f"kuaisong_{suffix}", f"waybill_{suffix}"
    mysql, warehouse = addresses.mysql, addresses.warehouse.model_copy(update={"database": mart_database})
    source = pymysql.connect(
        host=mysql.host, port=mysql.port, user=mysql.user, password=mysql.password.get_secret_value(),
        charset="utf8mb4", init_command="SET SESSION sql_mode = '', time_zone = '+00:00'",
    )  # fmt: skip
    admin = _warehouse(addresses.warehouse)
    with source.cursor() as cursor:
        cursor.execute("FLUSH BINARY LOGS")  # what tests read of it stays short
        cursor.execute(f"CREATE DATABASE `{database}`")
    source.select_db(database)
    with admin.cursor() as cursor:
        cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(mart_database)))
    mart = _warehouse(warehouse)
    try:
        made = Pairing(mysql, warehouse, source, mart, database)
        _fill(made)
        yield made
    finally:
        mart.close()
        with source.cursor() as cursor:
            cursor.execute(f"DROP DATABASE `{database}`")
        source.close()
        with admin.cursor() as cursor:
            cursor.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(mart_database)))
        admin.close()


def _addresses(request: pytest.FixtureRequest) -> Addresses:
    """MySQL and the warehouse are enough; the environment may name both, else the stack has them."""
    if {"WAYBILL_MYSQL_HOST", "WAYBILL_WAREHOUSE_HOST"} <= os.environ.keys():
        return Addresses.load(ROOT)
    found: Addresses = request.getfixturevalue("stack")
    return found


def _warehouse(address: Warehouse) -> Any:
    connection = psycopg2.connect(
        host=address.host, port=address.port, user=address.user,
        password=address.password.get_secret_value(), dbname=address.database,
    )  # fmt: skip
    connection.autocommit = True
    return connection


def _fill(made: Pairing) -> None:
    rng = random.Random(20261122)
    here = Path(__file__).parent
    texts = [(ROOT / "source" / "schema" / f"{t}.sql").read_text() for t in THREE]
    texts += (here / "every_type.sql").read_text().strip().split(";\n")
    with made.source.cursor() as cursor:
        for text in texts:
            cursor.execute(text.strip().rstrip(";"))
    with made.mart.cursor() as cursor:
        cursor.execute("CREATE SCHEMA settlement_ods; CREATE SCHEMA settlement_public")
        for name in ("ddl/021_as_of.sql",):
            cursor.execute((ROOT / name).read_text())
        cursor.execute(
            "CREATE TABLE settlement_public.transaction_raw"
            " (tx_id varchar(128), data_collection varchar(255), collection_count bigint)"
        )
    twins = Twins(made.source, made.mart, made.database)
    keys: dict[str, list[dict[str, Any]]] = {
        "ecs_order_info": [{"order_id": n} for n in range(1000, 1900)],
        "uni_tracking_info": [{"order_id": n, "id": n} for n in range(1000, 1900)],
        "uni_tracking_spath": [
            {"order_id": n, "traceSeq": s, "id": n * 10 + s} for n in range(1000, 1300) for s in range(1, 6)
        ],
        "every_type": [{"id": n, "code": c} for n in range(-150, 150) for c in ("a", "A", "é😀", "")],
        "by_text": [
            {"code": c, "day": f"2026-01-{d:02d}"}
            for c in ("a", "B", "b", "é", "z", "😀", "", "10", "9")
            for d in (1, 9, 10)
        ],
    }
    for table, rows in keys.items():
        columns = twins.make(table, f"mart_{table}")
        twins.fill(table, f"mart_{table}", columns, rows, rng)
    made.cut_here()
