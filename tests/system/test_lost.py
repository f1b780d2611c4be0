"""What is lost is named with the commands that repair it, and those commands repair it (spec section 13)."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from tests.pipeline_on_stack import PipelineOnStack, stream
from tests.services import Services
from tests.waiting import until

_COMMAND = re.compile(r"waybill (offsets (?:reset|seed) .*? --reason) TEXT")


@pytest.mark.timeout(900)
def test_what_is_lost_in_kafka_is_named_and_the_commands_that_are_said_repair_it(pipeline: PipelineOnStack) -> None:
    assert stream(pipeline, 60).terminate() == 0
    admin = AdminClient({"bootstrap.servers": pipeline.servers.addresses.kafka.bootstrap, "log_level": 0})

    # The connector is deleted: it is named, and goes on from where it stood.
    pipeline.does("connect", "delete", "--yes")
    assert _needs(pipeline, "missing") == ["waybill connect apply"]
    _touch(pipeline, "ecs_order_info", "one")
    pipeline.does("connect", "apply", seconds=150)
    _consume(pipeline)
    _drain(pipeline)
    assert pipeline.reconcile()["equal"]
    (snapshots,) = pipeline.servers.row(
        "SELECT count(*) FROM settlement_public.notification_raw WHERE notification_type = 'STARTED'"
        " AND aggregate_type = 'Initial Snapshot'"
    )
    assert snapshots == 1

    # Events are dropped unread by Kafka's retention, and another topic is deleted and made again.
    orders = f"{pipeline.name}.{pipeline.orders}.ecs_order_info"
    paths = f"{pipeline.name}.{pipeline.orders}.uni_tracking_spath"
    ends = _ends(admin, orders)
    _touch(pipeline, "ecs_order_info", "two")
    until(lambda: all(_ends(admin, orders)[p] > end for p, end in ends.items()), "the events in Kafka", 90)
    lost = [TopicPartition(orders, p, end) for p, end in _ends(admin, orders).items()]
    for dropped in admin.delete_records(lost).values():
        dropped.result(20)
    pipeline.does("connect", "delete", "--yes")
    admin.delete_topics([paths])[paths].result(20)
    _touch(pipeline, "uni_tracking_spath", "two")
    pipeline.does("connect", "apply", seconds=150)
    until(lambda: sum(_ends(admin, paths).values()) > 0, "events in the topic made again", 90)

    typed = _type_what_is_said(pipeline)
    assert len([words for words in typed if "ecs_order_info" in " ".join(words)]) == len(ends)
    assert len([words for words in typed if "uni_tracking_spath" in " ".join(words)]) == 1
    gaps = pipeline.does("offsets", "gaps", code=1)["gaps"]
    assert {gap["table"].split(".")[1] for gap in gaps} == {"ecs_order_info", "uni_tracking_spath"}
    assert _needs(pipeline, "left out by hand")

    _new_first_snapshot(pipeline)
    for table in ("ecs_order_info", "uni_tracking_spath"):
        pipeline.does("offsets", "accept", "--table", table, "--reason", "a new first snapshot", "--yes")
    assert pipeline.does("offsets", "gaps")["gaps"] == []
    assert _needs(pipeline, "left out by hand") == []


@pytest.mark.kills_services
@pytest.mark.timeout(900)
def test_a_registry_that_was_emptied_is_waited_for_and_a_new_first_snapshot_mends_it(
    pipeline: PipelineOnStack, way: str
) -> None:
    if way != "native":
        pytest.skip("the registry's data can be emptied on the native stack only")
    services = Services(pipeline)
    assert stream(pipeline, 60).terminate() == 0
    _touch(pipeline, "ecs_order_info", "unread")
    try:
        services.empty_registry()
    finally:
        services.up()
    waiting = pipeline.beside("consume")
    until(lambda: waiting.running() and "does not know schema" in waiting.log.read_text(), "its word", 90, waiting.ends)
    assert "none is skipped" in waiting.log.read_text()
    assert waiting.terminate() == 0

    pipeline.does("connect", "delete", "--offsets", "--yes")
    words = ("offsets", "reset", "--to", "end", "--skip", "--reason", "the registry was emptied", "--yes")
    # The consumer that has just ended stays in its group for 10 s.
    until(lambda: pipeline.run(*words).returncode == 0, "the positions moved", 60)
    _new_first_snapshot(pipeline)
    tables = {gap["table"] for gap in pipeline.does("offsets", "gaps", code=1)["gaps"]}
    assert any(table.endswith("ecs_order_info") for table in tables)


def _touch(pipeline: PipelineOnStack, table: str, text: str) -> None:
    """Change every row of a table in one transaction."""
    column = {"ecs_order_info": "remark", "uni_tracking_spath": "pathInfo"}[table]
    pipeline.servers.mysql(f"UPDATE `{pipeline.orders}`.`{table}` SET {column} = %s", text)


def _ends(admin: Any, topic: str) -> dict[int, int]:
    found = admin.list_topics(timeout=20).topics.get(topic)
    if found is None or found.error:
        return {0: 0}
    asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in found.partitions}
    return {place.partition: future.result(20).offset for place, future in admin.list_offsets(asked).items()}


def _needs(pipeline: PipelineOnStack, what: str) -> list[str]:
    """The commands that `status` says for a need with these words."""
    done = pipeline.run("status", "--json")
    return [need["todo"] for need in json.loads(done.stdout)["needs"] if what in need["what"]]


def _consume(pipeline: PipelineOnStack) -> list[str]:
    """What the stopped tables say."""
    done = pipeline.run("consume", "--until-caught-up", "--json")
    assert done.returncode in (0, 4), done.stderr
    return [table["stopped"] for table in json.loads(done.stdout)["tables"] if table["stopped"]]


def _type_what_is_said(pipeline: PipelineOnStack) -> list[list[str]]:
    """Type each command that a stopped table names, until no table is stopped."""
    typed: list[list[str]] = []
    while stopped := _consume(pipeline):
        assert len(typed) < 10, stopped
        for text in stopped:
            said = _COMMAND.search(text)
            assert said, text
            words = [*shlex.split(said.group(1)), "lost by Kafka", "--yes"]
            pipeline.does(*words)
            typed.append(words)
    return typed


def _drain(pipeline: PipelineOnStack) -> None:
    goal = pipeline.servers.executed()

    def look() -> bool:
        _consume(pipeline)
        return pipeline.servers.gtid_subset(goal, pipeline.commit()["gtid_set"])

    until(look, f"{goal} in the marts", 180, pipeline.ends_of_logs)


def _new_first_snapshot(pipeline: PipelineOnStack) -> None:
    """As the repair says it, then the proof."""
    if pipeline.run("connect", "delete", "--offsets", "--yes").returncode not in (0, 2):
        raise AssertionError("the connector cannot be deleted")
    pipeline.does("connect", "apply", seconds=150)
    # A cycle asks how far the transaction topic is written, and waits until that is loaded.
    consumer = pipeline.beside("consume")
    pipeline.drain(240)
    assert pipeline.reconcile()["equal"]
    assert consumer.terminate() == 0, consumer.ends()
