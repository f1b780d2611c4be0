"""What must not go on by itself stops its table, says why and what to type, and goes on once it is mended."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable

import pytest
from confluent_kafka import TopicPartition

from cli import ingest
from consumers import assignment
from consumers.loop import Loop
from consumers.messages import Place
from tests.integration.ingest.commands import Commands
from tests.integration.ingest.workshop import RAW, Workshop
from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import column, envelope
from tests.unit.consumers.parcel import COLUMNS, KEY, NAMESPACE, VALUE, row
from warehouse.session import Session
from waybill.addresses import Addresses
from waybill.errors import StoppedTable


def stopped(loop: Loop) -> StoppedTable:
    (carried,) = loop.carried.values()
    assert carried.stopped is not None
    return carried.stopped


def type_what_is_said(error: StoppedTable, commands: Commands) -> None:
    """The `waybill offsets` command of a stopped table, as a person types it."""
    said = re.search(r"waybill (offsets .*? --reason) TEXT", error.todo)
    assert said, error.todo
    assert commands.does(*said.group(1).split(), "as it was said", "--yes")["moved"]


def test_truncate_stops_the_table_with_everything_before_it_loaded(workshop: Workshop) -> None:
    truncate = debezium.event(row(1), op="t", number=9) | {"before": None, "after": None}
    event = (None, debezium.wire(workshop.value_id, VALUE, truncate))
    workshop.write([workshop.event(row(1)), event, workshop.event(row(2))])
    for _ in range(2):  # a restart does not forget it
        error = stopped(workshop.consume())
        assert "TRUNCATE" in error.what
        assert "waybill schema accept kuaisong.parcel --take" in error.todo
        assert workshop.rows() == [(1,)]
        assert workshop.positions()[0] == 1
    waiting = workshop.session.row("SELECT gtid FROM settlement_public.source_changes WHERE state = 'open'")
    assert waiting == {"gtid": f"{debezium.UUID}:9"}
    ingest.source_changes(workshop.context).accept("kuaisong.parcel", "take", "emptied on purpose", "me")
    workshop.consume()
    assert workshop.rows() == [(1,), (2,)]


def test_a_column_that_no_statement_tells_of_is_added_and_old_events_still_load(workshop: Workshop) -> None:
    newer = [*COLUMNS, column("added", "int", "INT")]
    schema = envelope(NAMESPACE, newer)
    value_id = workshop.register("newer", schema)
    key = debezium.wire(workshop.key_id, KEY, {"order_id": 2})
    value = debezium.wire(value_id, schema, debezium.event(row(2, added=7)))
    workshop.write([workshop.event(row(1)), (key, value), workshop.event(row(3))])
    workshop.consume()
    assert workshop.rows("order_id, added") == [(1, None), (2, 7), (3, None)]
    assert workshop.session.row("SELECT state FROM settlement_public.table_states") == {"state": "running"}


def test_a_column_that_went_beside_one_that_came_stops_the_table_because_nobody_says_which(workshop: Workshop) -> None:
    newer = [*(c for c in COLUMNS if c["name"] != "pieces"), column("parts", "int", "SMALLINT UNSIGNED")]
    schema = envelope(NAMESPACE, newer)
    value_id = workshop.register("newer", schema)
    key = debezium.wire(workshop.key_id, KEY, {"order_id": 2})
    image = {name: value for name, value in row(2, parts=7).items() if name != "pieces"}
    workshop.write([workshop.event(row(1, pieces=5)), (key, debezium.wire(value_id, schema, debezium.event(image)))])
    error = stopped(workshop.consume())
    assert "'pieces' SMALLINT UNSIGNED went and 'parts' SMALLINT UNSIGNED came" in error.what
    assert "offset 1" in error.what
    assert workshop.rows() == [(1,)]
    ingest.source_changes(workshop.context).accept("kuaisong.parcel", "take", "a new column", "me")
    workshop.consume()
    assert workshop.rows("order_id, pieces, parts") == [(1, 5, None), (2, None, 7)]


def test_offsets_that_kafka_dropped_unread_stop_the_table_and_are_named(workshop: Workshop, commands: Commands) -> None:
    workshop.write([workshop.event(row(i)) for i in range(5)])
    workshop.consume()
    workshop.write([workshop.event(row(i)) for i in range(5, 10)])
    dropped = workshop.admin.delete_records([TopicPartition(workshop.topic, 0, 9)])
    for future in dropped.values():
        future.result(10)
    error = stopped(workshop.consume())
    assert "dropped the offsets 6 to 8" in error.what
    assert workshop.rows() == [(i,) for i in range(5)]
    type_what_is_said(error, commands)
    (gap,) = commands.does("offsets", "gaps", code=1)["gaps"]
    assert (gap["first_offset"], gap["next_offset"]) == (6, 9)
    workshop.consume()
    assert workshop.rows() == [(i,) for i in (0, 1, 2, 3, 4, 8, 9)]


def test_reading_begins_though_the_client_gave_the_partition_up(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    workshop.write([workshop.event(row(i)) for i in range(5)])
    workshop.consume()
    for future in workshop.admin.delete_records([TopicPartition(workshop.topic, 0, 6)]).values():
        future.result(10)
    workshop.write([workshop.event(row(i)) for i in range(5, 10)])
    loop = workshop.loop()
    pause = loop._feed.pause

    def late(places: Iterable[Place]) -> None:
        time.sleep(3)  # meanwhile the client asks for offset 0, which is gone
        pause(places)

    monkeypatch.setattr(loop._feed, "pause", late)
    workshop.turn(loop, lambda _: workshop.positions()[0] == 12, 90)
    assert workshop.rows() == [(i,) for i in range(10)]


def test_a_topic_that_lost_its_beginning_before_the_first_read_is_refused(
    workshop: Workshop, commands: Commands
) -> None:
    workshop.write([workshop.event(row(i)) for i in range(5)])
    for future in workshop.admin.delete_records([TopicPartition(workshop.topic, 0, 2)]).values():
        future.result(10)
    error = stopped(workshop.consume())
    assert "dropped its offsets 0 to 1" in error.what
    assert workshop.rows() == []
    type_what_is_said(error, commands)
    workshop.consume()
    assert workshop.rows() == [(2,), (3,), (4,)]


@pytest.mark.parametrize("running", [False, True])
def test_a_topic_deleted_and_made_again_is_noticed(workshop: Workshop, commands: Commands, running: bool) -> None:
    loop = workshop.loop() if running else None
    workshop.write([workshop.event(row(1))])
    if loop is None:
        workshop.consume()
    else:
        workshop.turn(loop, lambda _: workshop.rows() == [(1,)])
    workshop.admin.delete_topics([workshop.topic])[workshop.topic].result(30)
    workshop.make_topic()
    workshop.write([workshop.event(row(i)) for i in (7, 8, 9)])
    if loop is None:
        loop = workshop.consume()
    else:
        workshop.turn(loop, lambda _: any(c.stopped for c in loop.carried.values()), 60)
        # The consumer goes on running: one that is stopped holds nothing of the table.
        workshop.turn(loop, lambda _: any("made again" in str(c.stopped) for c in loop.carried.values()), 60)
    assert "made again" in stopped(loop).what
    assert workshop.rows() == [(1,)]
    type_what_is_said(stopped(loop), commands)
    if running:
        workshop.turn(loop, lambda _: len(workshop.rows()) == 4, 60)
    else:
        workshop.consume()
    assert workshop.rows("order_id, _generation", "1, 2") == [(1, 1), (7, 2), (8, 2), (9, 2)]
    (gap,) = [g for g in commands.does("offsets", "gaps", code=1)["gaps"] if g["partition"] == 0]
    # The control record behind the row may not have been counted yet.
    assert gap["first_offset"] in (1, 2) and gap["next_offset"] is None


def test_a_warehouse_restored_to_an_older_state_reads_on_from_there(workshop: Workshop, stack: Addresses) -> None:
    workshop.write([workshop.event(row(i)) for i in range(5)])
    workshop.consume()
    name = workshop.warehouse.database
    workshop.session.close()
    with Session(stack.warehouse, "test") as server:
        server.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        server.run(f'CREATE DATABASE "{name}_backup" TEMPLATE "{name}"')
    workshop.session = Session(workshop.warehouse, "test")
    workshop.write([workshop.event(row(i)) for i in range(5, 10)])
    workshop.consume()
    assert len(workshop.rows()) == 10
    workshop.session.close()
    with Session(stack.warehouse, "test") as server:
        server.run(f'DROP DATABASE "{name}" WITH (FORCE)')
        server.run(f'ALTER DATABASE "{name}_backup" RENAME TO "{name}"')
    workshop.session = Session(workshop.warehouse, "test")
    assert len(workshop.rows()) == 5
    workshop.consume()
    assert workshop.rows() == [(i,) for i in range(10)]
    # The objects of the time that is forgotten were not overwritten: the epoch went beyond theirs.
    assert max(epoch for (epoch,) in workshop.ledger("epoch")) >= 3


def test_a_kafka_that_ends_before_the_position_stops_the_table_and_all_it_has_is_read_again(
    workshop: Workshop, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assignment, "_BEHIND_SECONDS", 0.5)
    workshop.write([workshop.event(row(i)) for i in range(5)])
    workshop.consume()
    # As after Kafka was restored to an older state: the position is beyond its end.
    workshop.session.run(f"UPDATE settlement_public.{RAW}_positions SET next_offset = 60 WHERE kafka_partition = 0")
    loop = workshop.loop()
    workshop.turn(loop, lambda _: any(c.stopped for c in loop.carried.values()), 60)
    error = stopped(loop)
    assert "Kafka ends at offset 6, but the warehouse has loaded up to 60" in error.what
    workshop.leave(loop)
    workshop.write([workshop.event(row(7))])
    type_what_is_said(error, commands)
    workshop.consume()
    assert workshop.rows("DISTINCT order_id", "1") == [(i,) for i in (0, 1, 2, 3, 4, 7)]


def test_a_table_that_is_stopped_does_not_hold_the_others(workshop: Workshop) -> None:
    workshop.write([(b"", b"nonsense")] * 7)
    table_topic = workshop.topic
    loop = beside_a_notification(workshop)
    workshop.turn(loop, lambda _: loop.carried[table_topic].stopped is not None and noted(workshop))


def test_a_table_whose_load_hangs_in_the_warehouse_does_not_hold_the_others(workshop: Workshop) -> None:
    workshop.write([workshop.event(row(1))])
    table_topic = workshop.topic
    holder = Session(workshop.warehouse, "holds the lock")
    loop = workshop.loop()
    workshop.join(loop)
    workshop.leave(loop)
    with holder.transaction(lock="LOCK TABLE settlement_public.parcel_raw_positions IN EXCLUSIVE MODE"):
        loop = beside_a_notification(workshop)
        workshop.turn(loop, lambda _: loop.carried[table_topic].asking == "claim" and noted(workshop))
        assert loop.carried[table_topic].partitions
        assert workshop.rows() == []
    holder.close()
    workshop.turn(loop, lambda _: workshop.rows() == [(1,)])


def noted(workshop: Workshop) -> bool:
    """Is the notification in raw?"""
    return workshop.session.row("SELECT count(*) AS n FROM settlement_public.notification_raw") == {"n": 1}


def beside_a_notification(workshop: Workshop) -> Loop:
    """A consumer of all streams, not joined, with one notification to load."""
    prefix = workshop.name
    context = workshop.context
    loop = ingest.loop(context, ingest.streams(context.pipeline), None)
    told = {
        "id": "n1",
        "type": "STARTED",
        "aggregate_type": "Initial Snapshot",
        "additional_data": None,
        "timestamp": 1,
    }
    key_schema = debezium.key_schema("io.debezium", [{"name": "id", "type": "string"}])
    ids = workshop.register("nk", key_schema), workshop.register("nv", debezium.NOTIFICATION_VALUE)
    workshop.topic = f"{prefix}.notification"
    workshop.make_topic()
    message = debezium.wire(ids[0], key_schema, {"id": "n1"}), debezium.wire(ids[1], debezium.NOTIFICATION_VALUE, told)
    workshop.write([message])
    workshop._loops.append(loop)
    return loop
