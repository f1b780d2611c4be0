"""The main job from end to end, by the commands a person types."""

from __future__ import annotations

import pytest

from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")


@pytest.mark.timeout(900)
def test_what_mysql_holds_arrives_in_the_marts_and_is_proven(pipeline: PipelineOnStack) -> None:
    seeded = pipeline.seed(500)
    assert seeded["seeded"] and set(seeded["rows"]) == set(TABLES)
    assert pipeline.does("schema", "apply")["changes"]
    consumer = pipeline.beside("consume")
    assert pipeline.does("connect", "apply", seconds=150)["created"]
    pipeline.first_snapshot()
    assert pipeline.reconcile()["equal"], "the first snapshot differs"
    writer = pipeline.generate(rate=150, seconds=8)
    cycles = [pipeline.commit()]
    while writer.code is None:
        cycles.append(pipeline.commit())
    assert writer.wait(1) == 0, writer.ends()
    cycles.append(pipeline.drain())
    proof = pipeline.reconcile()
    assert consumer.running()
    written = writer.answer()
    assert written["row_changes"] > 500 and all(written["tables"][t].get("delete") for t in TABLES), written
    assert sum(cycle["rows_applied"] for cycle in cycles) > 300, cycles
    standing = {table: _standing(pipeline, table) for table in TABLES}
    assert standing == {table: _source(pipeline, table) for table in TABLES}
    assert {t["table"].partition(".")[2]: t["rows"]["mart"] for t in proof["tables"]} == standing
    assert pipeline.does("cycles", "list", "-n", "1")["cycles"][0]["cycle"] == cycles[-1]["cycle"]


@pytest.mark.timeout(900)
def test_a_damaged_mart_is_found_and_named(streaming: PipelineOnStack) -> None:
    """The proof that the other tests lean on is able to fail."""
    assert streaming.reconcile()["equal"]
    with streaming.servers.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute(
            "UPDATE settlement_ods.mart_ecs_order_info SET order_status = order_status + 1"
            " WHERE order_id = (SELECT max(order_id) FROM settlement_ods.mart_ecs_order_info) RETURNING order_id"
        )
        damaged = cursor.fetchone()[0]
    done = streaming.run("reconcile")
    assert done.returncode == 1, done.stdout + done.stderr
    assert str(damaged) in done.stdout and "order_status" in done.stdout, done.stdout


@pytest.mark.timeout(900)
def test_consume_until_caught_up_ends_by_itself_with_everything_loaded(pipeline: PipelineOnStack) -> None:
    pipeline.seed(100)
    pipeline.does("schema", "apply")
    pipeline.does("connect", "apply", seconds=150)
    until(lambda: _snapshot_completed(pipeline), "COMPLETED in the notification topic, loaded", 120)
    for table in TABLES:
        loaded = pipeline.servers.row(f"SELECT count(*) FROM settlement_public.{table}_raw")
        assert loaded[0] == _source(pipeline, table)
    # The heartbeat has written on meanwhile: the cycle waits until that is loaded too.
    pipeline.beside("consume")
    pipeline.first_snapshot()
    assert pipeline.reconcile()["equal"]


def _snapshot_completed(pipeline: PipelineOnStack) -> bool:
    done = pipeline.run("consume", "--until-caught-up")
    assert done.returncode == 0, done.stdout + done.stderr
    return bool(
        pipeline.servers.rows(
            "SELECT 1 FROM settlement_public.notification_raw"
            " WHERE aggregate_type = 'Initial Snapshot' AND notification_type = 'COMPLETED'"
        )
    )


def _standing(pipeline: PipelineOnStack, table: str) -> int:
    return int(pipeline.servers.row(f"SELECT count(*) FROM settlement_ods.all_{table}")[0])


def _source(pipeline: PipelineOnStack, table: str) -> int:
    return int(pipeline.servers.mysql(f"SELECT count(*) FROM `{pipeline.orders}`.`{table}`")[0][0])
