"""What MySQL lost without an event, and tables that cycles go on without: the marts equal the source again."""

from __future__ import annotations

import contextlib

import pymysql
import pytest

from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until


def _without_binlog(pipeline: PipelineOnStack, *statements: str) -> None:
    """As a careless hand, or a broken replica that was promoted, leaves a table: the binlog knows nothing of it."""
    at = pipeline.servers.addresses.plain()["mysql"]
    connection = pymysql.connect(
        host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], autocommit=True,
        init_command="SET SESSION sql_log_bin = 0",
    )  # fmt: skip
    with contextlib.closing(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.mark.timeout(900)
def test_a_table_that_is_read_again_also_loses_what_the_source_lost_without_an_event(
    streaming: PipelineOnStack,
) -> None:
    table = f"{streaming.orders}.uni_tracking_info"
    orders = [
        row[0] for row in streaming.servers.mysql(f"SELECT order_id FROM {table} ORDER BY update_time LIMIT 3")
    ] + [row[0] for row in streaming.servers.mysql(f"SELECT order_id FROM {table} ORDER BY update_time DESC LIMIT 3")]
    _without_binlog(streaming, *(f"DELETE FROM {table} WHERE order_id = {number}" for number in orders))
    differs = streaming.reconcile(code=1)
    assert differs["differences"] == len(orders), differs
    streaming.does("schema", "accept", table, "--read-again", "--reason", "rows were lost", "--yes")
    streaming.generate(20, 8)

    def gone() -> bool:
        streaming.commit()
        found = streaming.servers.row(
            "SELECT count(*) FROM settlement_ods.all_uni_tracking_info WHERE order_id = ANY(%s)", orders
        )
        return int(found[0]) == 0

    until(gone, "the lost rows marked as deleted, in the mart and in history", 120)
    until(lambda: all(each.code == 0 for each in streaming.backgrounds[-1:]), "the writer's end", 60)
    streaming.backgrounds.pop()
    streaming.drain()
    assert streaming.reconcile()["equal"]
    wipes = streaming.servers.rows("SELECT why FROM settlement_ods.wipes")
    assert [why.startswith("read again") for (why,) in wipes] == [True]


@pytest.mark.timeout(900)
def test_cycles_go_on_without_a_paused_table_and_are_consistent_again_after_it_came_back(
    streaming: PipelineOnStack,
) -> None:
    table = f"{streaming.orders}.uni_tracking_spath"
    streaming.does("tables", "pause", table, "--reason", "maintenance")
    writer = streaming.generate(40)
    until(lambda: table in " ".join(streaming.commit()["waiting"]), "the cut held by the paused table", 60)
    held = streaming.servers.cut()
    streaming.does("commit", "--once", "--without", table, "--reason", "settlement cannot wait")
    until(lambda: streaming.commit()["transactions"] > 0 and streaming.servers.cut() != held, "the cut moving on", 60)
    as_of = streaming.servers.row("SELECT consistent, tables_out FROM settlement_ods.as_of")
    assert as_of == (False, table)
    streaming.does("tables", "resume", table, "--reason", "done")
    streaming.does("commit", "--once", "--with", table)
    until(
        lambda: streaming.commit() and streaming.servers.row("SELECT consistent FROM settlement_ods.as_of")[0],
        "consistent again",
        90,
    )
    assert writer.terminate() == 0, writer.ends()
    streaming.backgrounds.remove(writer)
    streaming.drain()
    assert streaming.reconcile()["equal"]
