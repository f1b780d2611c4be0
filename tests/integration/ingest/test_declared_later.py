"""Any table with a primary key comes to raw by its lines in the pipeline file, on a pipeline that runs."""

from __future__ import annotations

from typing import Any

import pymysql
import yaml

from tests.pipeline_on_stack import PipelineOnStack, stream
from tests.waiting import until

TABLE, RAW = "Order", "order_raw"
FILLERS = 114
ROWS = 3_000


def create(pipeline: PipelineOnStack) -> None:
    """120 columns, reserved words as names, a key of text, date and number, no event time."""
    fillers = ", ".join(f"c{number} smallint" for number in range(FILLERS))
    pipeline.servers.mysql(
        f"CREATE TABLE `{pipeline.orders}`.`{TABLE}` (`group` varchar(30) NOT NULL COMMENT 'Who ordered', `from` date"
        f" NOT NULL, `Select` int unsigned NOT NULL, `user` varchar(200) COMMENT 'Name', `end` decimal(30,5),"
        f" `offset` bigint unsigned, {fillers}, PRIMARY KEY (`Select`, `group`, `from`)) DEFAULT CHARSET = utf8mb4"
    )


def write(pipeline: PipelineOnStack, first: int, count: int, user: str) -> None:
    """`count` rows in one transaction a hundred; a group has a sign that needs four bytes."""
    at = pipeline.servers.addresses.mysql
    connection = pymysql.connect(
        host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(), charset="utf8mb4",
        database=pipeline.orders,
    )  # fmt: skip
    with connection, connection.cursor() as cursor:
        for start in range(first, first + count, 100):
            cursor.executemany(
                f"INSERT INTO `{TABLE}` (`Select`, `group`, `from`, `user`, `end`, `offset`, c0, c113)"
                " VALUES (%s, %s, '2026-01-02', %s, '-0.00001', 18446744073709551615, %s, %s)",
                [(n, f"g{n % 7}😀", user, n % 100, -n % 100) for n in range(start, min(start + 100, first + count))],
            )
            connection.commit()


def declare(pipeline: PipelineOnStack, *, there: bool = True) -> None:
    path = pipeline.folder / "pipeline.yml"
    settings = yaml.safe_load(path.read_text())
    source = f"{pipeline.orders}.{TABLE}"
    settings["tables"] = [table for table in settings["tables"] if table["source"] != source]
    if there:
        settings["tables"].append({"source": source, "key": ["Select", "group", "from"], "batch": {"seconds": 0.5}})
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


def at_source(pipeline: PipelineOnStack) -> set[tuple[Any, ...]]:
    return {
        tuple(row)
        for row in pipeline.servers.mysql(
            f"SELECT `Select`, `group`, `from`, `user`, `end`, `offset`, c0, c113 FROM `{pipeline.orders}`.`{TABLE}`"
        )
    }


def latest_in_raw(pipeline: PipelineOnStack) -> set[tuple[Any, ...]]:
    """The newest event of each key: by GTID number, a row read again behind the highest of its set."""
    return set(
        pipeline.servers.rows(
            'SELECT "select", "group", "from", "user", "end", "offset", c0, c113 FROM (SELECT r.*, row_number() OVER ('
            ' PARTITION BY "select", "group", "from" ORDER BY number DESC, _tx_order DESC NULLS FIRST, _batch_id DESC,'
            " _offset DESC) AS newest FROM (SELECT *, coalesce(_gtid_number, substring(_gtid FROM '[0-9]+$')::bigint)"
            f" AS number FROM settlement_public.{RAW}) r) n WHERE newest = 1 AND _op <> 'd'"
        )
    )


def test_a_table_of_odd_shape_is_read_whole_while_it_is_written(pipeline: PipelineOnStack) -> None:
    stream(pipeline, 30).terminate()
    create(pipeline)
    write(pipeline, 0, ROWS, "before")
    declare(pipeline)
    pipeline.does("schema", "apply")
    dry = pipeline.does("connect", "apply", "--dry-run")
    assert dry["read"] == [f"{pipeline.orders}.{TABLE}"]
    consumer = pipeline.beside("consume")
    done = pipeline.does("connect", "apply", "--wait", "300", seconds=330)
    assert (done["read"], done["captured_no_longer"]) == ([f"{pipeline.orders}.{TABLE}"], [])
    # While its chunks are read: rows of all sorts are inserted, changed, deleted, and change their key.
    write(pipeline, ROWS, 500, "while it was read")
    for statement in (
        "UPDATE `{t}` SET `user` = 'changed', c5 = 1 WHERE `Select` % 11 = 0",
        "DELETE FROM `{t}` WHERE `Select` % 13 = 0",
        "UPDATE `{t}` SET `group` = 'moved' WHERE `Select` % 17 = 0",
    ):
        pipeline.servers.mysql(statement.replace("{t}", f"{pipeline.orders}`.`{TABLE}"))
    truth = at_source(pipeline)
    assert len(truth) > ROWS
    until(lambda: latest_in_raw(pipeline) == truth, "raw as the source", 300, pipeline.ends_of_logs)
    assert consumer.terminate() == 0
    read = pipeline.servers.row(f"SELECT count(*) FROM settlement_public.{RAW} WHERE _snapshot = 'incremental'")
    assert read[0] > 0
    assert_raw_is_typed_as_the_source(pipeline)
    assert_nothing_is_asked_twice(pipeline)
    assert_a_table_taken_out_is_left_alone(pipeline)


def assert_raw_is_typed_as_the_source(pipeline: PipelineOnStack) -> None:
    """Lengths in bytes, unsigned as decimal, comments carried; 120 columns beside waybill's own."""
    types = dict(
        pipeline.servers.rows(
            "SELECT a.attname, format_type(a.atttypid, a.atttypmod) || coalesce(' ' || col_description(a.attrelid,"
            f" a.attnum), '') FROM pg_attribute a WHERE a.attnum > 0"
            f" AND a.attrelid = 'settlement_public.{RAW}'::regclass"
        )
    )
    assert len([name for name in types if not name.startswith("_")]) == 6 + FILLERS
    assert types["group"] == "character varying(120) Who ordered"
    assert types["user"] == "character varying(800) Name"
    assert (types["end"], types["offset"], types["select"]) == ("numeric(30,5)", "numeric(20,0)", "bigint")


def assert_nothing_is_asked_twice(pipeline: PipelineOnStack) -> None:
    again = pipeline.does("connect", "apply")
    assert (again["read"], again["written"]) == ([], False)


def assert_a_table_taken_out_is_left_alone(pipeline: PipelineOnStack) -> None:
    (rows,) = pipeline.servers.row(f"SELECT count(*) FROM settlement_public.{RAW}")
    declare(pipeline, there=False)
    said = pipeline.run("connect", "apply", "--wait", "300", seconds=330)
    assert said.returncode == 0, said.stderr
    assert f"{pipeline.orders}.{TABLE}: captured no longer; its tables in the warehouse are left alone" in said.stdout
    assert pipeline.does("schema", "apply")["changes"] == []
    assert pipeline.servers.row(f"SELECT count(*) FROM settlement_public.{RAW}") == (rows,)
