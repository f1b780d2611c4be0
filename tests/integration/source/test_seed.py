"""The seed against a real MySQL."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from source import seeding
from source.databases import ORDER_TABLES, Databases, Server, columns, quoted, session, tables_of
from source.rows import Plan, Rows
from source.tsv import NULL, field
from tests.integration.source.conftest import NOW, one, rows_of
from waybill.errors import RefusedError

PLAN = Plan(300, 3, NOW)


def test_what_was_generated_is_what_mysql_holds_to_the_last_byte(mysql: Server, databases: Databases) -> None:
    report = seeding.seed(mysql.connect, databases, PLAN)
    generated: dict[str, list[list[str]]] = {table: [] for table in ORDER_TABLES}
    for block in Rows(PLAN):
        for table, lines in zip(ORDER_TABLES, (block.order, block.tracking, block.path), strict=True):
            generated[table].extend(line.split("\t") for line in lines)
    for table in ORDER_TABLES:
        names = columns(table)
        json_columns = {names.index(name) for name in ("attributes", "proof") if name in names}
        double_columns = {names.index(name) for name in ("lat", "lng") if name in names}
        key_at = [names.index(name) for name in ("order_id", "traceSeq") if name in names]
        found = {tuple(row[i] for i in key_at): row for row in rows_of(mysql, databases.orders, table)}
        assert len(found) == len(generated[table]) == report.rows[table]
        for want in generated[table]:
            key = tuple(want[i] for i in key_at)
            for position, (left, right) in enumerate(zip(want, found[key], strict=True)):
                text = NULL if right is None else field(right)
                if position in json_columns and right is not None:
                    assert json.loads(_unescaped(left)) == json.loads(right)
                elif position in double_columns and right is not None:
                    assert float(left) == float(right)
                else:
                    assert left == text, (table, names[position], key)


def _unescaped(text: str) -> str:
    return text.replace("\\\\", "\0").replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r").replace("\0", "\\")


def test_same_seed_and_now_load_the_same_tables_whatever_the_connections(mysql: Server, databases: Databases) -> None:
    other = Databases(f"{databases.orders}_b", databases.pipeline)
    try:
        seeding.seed(mysql.connect, databases, PLAN, connections=1)
        seeding.seed(mysql.connect, other, PLAN, connections=4)
        for table in ORDER_TABLES:
            sums = []
            for database in (databases.orders, other.orders):
                with session(mysql.connect, database) as cursor:
                    cursor.execute(f"CHECKSUM TABLE {table}")
                    row = cursor.fetchone()
                    assert row is not None
                    sums.append(row[1])
            assert sums[0] == sums[1] != 0
    finally:
        with session(mysql.connect) as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {quoted(other.orders)}")


def test_nulls_in_columns_with_a_default_are_null(mysql: Server, databases: Databases) -> None:
    seeding.seed(mysql.connect, databases, PLAN)
    for table in ORDER_TABLES:
        with session(mysql.connect) as cursor:
            cursor.execute(
                "SELECT column_name FROM information_schema.columns WHERE table_schema = %s AND table_name = %s "
                "AND is_nullable = 'YES' AND column_default IS NOT NULL",
                (databases.orders, table),
            )
            names = [row[0] for row in cursor.fetchall()]
        assert names
        for name in names:
            nulls = one(mysql, databases.orders, f"SELECT COUNT(*) FROM {table} WHERE {quoted(name)} IS NULL")
            assert nulls, (table, name)


def test_zero_dates_unsigned_and_long_text_arrive_unchanged(mysql: Server, databases: Databases) -> None:
    seeding.seed(mysql.connect, databases, PLAN)
    orders = databases.orders
    count = "SELECT COUNT(*) FROM "
    assert one(mysql, orders, count + "ecs_order_info WHERE CAST(pickup_at AS CHAR) = '0000-00-00 00:00:00'") > 0
    assert one(mysql, orders, count + "uni_tracking_info WHERE CAST(synced_at AS CHAR) = '0000-00-00 00:00:00'") > 0
    assert one(mysql, orders, count + "ecs_order_info WHERE barcode > 9223372036854775807") > 50
    assert one(mysql, orders, count + "ecs_order_info WHERE LENGTH(remark) = 65535") == 1
    assert one(mysql, orders, count + "ecs_order_info WHERE cutoff_time < 0 OR cutoff_time > '24:00:00'") >= 4
    assert one(mysql, orders, count + "ecs_order_info WHERE order_id IN (-42, 9007199254740992, 9007199254740993)") == 3


def test_a_second_seed_does_nothing_and_says_so(
    mysql: Server, databases: Databases, waybill_command: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    words = ("seed", "--orders", "120", "--database", databases.orders, "--pipeline-database", databases.pipeline)
    env = {
        "WAYBILL_MYSQL_HOST": mysql.host, "WAYBILL_MYSQL_PORT": str(mysql.port), "WAYBILL_MYSQL_USER": mysql.user,
        "WAYBILL_MYSQL_PASSWORD": mysql.password,
    }  # fmt: skip
    first = waybill_command(*words, "--json", env=env)
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["seeded"] is True
    before = [rows_of(mysql, databases.orders, table) for table in ORDER_TABLES]
    second = waybill_command(*words, env=env)
    assert second.returncode == 0
    assert "is seeded already" in second.stdout
    with session(mysql.connect, databases.pipeline) as cursor:
        cursor.execute("DROP TABLE freshness")
    assert waybill_command(*words, env=env).returncode == 0
    assert "freshness" in tables_of(mysql.connect, databases.pipeline), "a table of a later version is not made"
    assert before == [rows_of(mysql, databases.orders, table) for table in ORDER_TABLES]
    assert waybill_command(*words, "--force", env=env).returncode == 4
    dry = waybill_command(*words, "--force", "--dry-run", "--json", env=env)
    assert json.loads(dry.stdout)["would_drop"] is True
    assert before == [rows_of(mysql, databases.orders, table) for table in ORDER_TABLES]
    forced = waybill_command(*words, "--force", "--yes", "--seed", "9", "--json", env=env)
    assert json.loads(forced.stdout)["seeded"] is True
    assert before != [rows_of(mysql, databases.orders, table) for table in ORDER_TABLES]


def test_an_interrupted_seed_is_begun_again(mysql: Server, databases: Databases) -> None:
    class Interrupted(Exception):
        pass

    calls = []

    def interrupt(rows: int) -> None:
        calls.append(rows)
        if len(calls) == 2:
            raise Interrupted

    plan = Plan(11_000, 1, NOW)
    with pytest.raises(Interrupted):
        seeding.seed(mysql.connect, databases, plan, progress=interrupt)
    found = seeding.find(mysql.connect, databases)
    assert found.interrupted
    assert found.rows
    assert seeding.seed(mysql.connect, databases, PLAN).seeded
    assert one(mysql, databases.orders, "SELECT COUNT(*) FROM ecs_order_info") < 301
    assert seeding.find(mysql.connect, databases).complete


def test_rows_that_no_seed_wrote_are_refused(mysql: Server, databases: Databases) -> None:
    from source import databases as db

    db.create(mysql.connect, databases)
    with session(mysql.connect, databases.orders) as cursor:
        cursor.execute("INSERT INTO uni_tracking_spath (order_id, traceSeq, code) VALUES (1, 1, 190)")
    with pytest.raises(RefusedError, match="no seed wrote"):
        seeding.seed(mysql.connect, databases, PLAN)
    assert one(mysql, databases.orders, "SELECT COUNT(*) FROM uni_tracking_spath") == 1
    assert seeding.seed(mysql.connect, databases, PLAN, force=True).seeded


def test_a_row_that_mysql_would_bend_stops_the_load(mysql: Server, databases: Databases) -> None:
    from source import databases as db
    from source.loading import Loader
    from source.rows import Block

    db.create(mysql.connect, databases)
    path = next(iter(Rows(PLAN))).path[0]
    with pytest.raises(RefusedError, match="uni_tracking_spath took"):
        Loader(mysql.connect, databases).load([Block([], [], [path, path])])
    assert one(mysql, databases.orders, "SELECT COUNT(*) FROM uni_tracking_spath") == 0


def test_the_load_goes_through_the_binlog(mysql: Server, databases: Databases) -> None:
    before = one(mysql, "mysql", "SELECT @@GLOBAL.gtid_executed")
    seeding.seed(mysql.connect, databases, PLAN)
    new = one(mysql, "mysql", f"SELECT GTID_SUBTRACT(@@GLOBAL.gtid_executed, '{before}')")
    assert new
