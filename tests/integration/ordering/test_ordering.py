"""Two events of one row are in the order of the binlog, whatever happened on the way (docs/ordering.md, case by case).

The cases run in this order on one pipeline; after each the proof compares every value with MySQL.
"""

from __future__ import annotations

import secrets

import pymysql
import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewPartitions

from stack import choose
from stack.replica import native_replica
from tests.integration.ordering.conftest import STEPS, TABLES, Ordered
from tests.waiting import until

ORDER = 1


def new_order(number: int, place: int = 1) -> str:
    return f"INSERT INTO {STEPS} VALUES ({number}, {place}, 1767225600)"


def moved(number: int, time: int) -> str:
    return f"UPDATE {STEPS} SET happened_at = {time} WHERE order_id = {number}"


def renumbered(number: int, to: int) -> str:
    return f"UPDATE {STEPS} SET order_id = {to} WHERE order_id = {number}"


def deleted(number: int) -> str:
    return f"DELETE FROM {STEPS} WHERE order_id = {number}"


def test_a_connector_restarted_while_it_reads_brings_each_event_in_its_place(ordered: Ordered) -> None:
    writer = ordered.write(6)
    ordered.rest.restart(ordered.name)
    assert writer.wait(120) == 0
    assert ordered.proven()["equal"]


def test_offsets_set_back_by_hand_bring_events_again_and_change_nothing(ordered: Ordered) -> None:
    before = ordered.rest.offsets(ordered.name)
    ordered.sql(new_order(ORDER), moved(ORDER, 1767225601))
    assert ordered.write(4).wait(120) == 0
    ordered.proven()
    rows = ordered.raw("SELECT count(*) FROM {raw} WHERE _snapshot = 'false'")
    ordered.set_back(before)
    again = "SELECT count(*) - count(DISTINCT (_tx_id, _tx_order)) FROM {raw} WHERE _snapshot = 'false'"
    until(lambda: ordered.raw(again) > 0, "events that came again", 120, ordered.pipeline.ends_of_logs)
    assert ordered.proven()["equal"]
    assert ordered.raw("SELECT count(*) FROM {raw} WHERE _snapshot = 'false'") > rows


def test_an_incremental_snapshot_of_live_tables_changes_nothing(ordered: Ordered) -> None:
    writer = ordered.write(12)
    ordered.read_again(*TABLES)
    read = "SELECT count(*) FROM {raw} WHERE _snapshot = 'incremental'"
    until(lambda: ordered.raw(read) > 0, "rows read again", 120, ordered.pipeline.ends_of_logs)
    assert writer.wait(120) == 0
    assert ordered.proven()["equal"]

    def applied() -> bool:
        ordered.pipeline.commit()
        pending = ordered.pipeline.servers.row(
            "SELECT count(*) FROM settlement_public.steps_raw_ledger l JOIN"
            " settlement_public.steps_raw r ON r._batch_id = l.batch_id AND r._snapshot = 'incremental'"
            " LEFT JOIN settlement_ods.applied_batches a ON a.raw_table = 'steps_raw'"
            " AND a.batch_id = l.batch_id AND a.complete WHERE a.batch_id IS NULL"
        )
        return bool(pending[0] == 0)

    until(applied, "every row read again has its place", 120)
    assert ordered.proven()["equal"]


def test_a_read_brings_back_what_raw_had_lost(ordered: Ordered) -> None:
    """The read rows win over what stands, so a re-read mends; a later event wins over them."""
    mart = "settlement_ods.mart_steps"
    with ordered.pipeline.servers.warehouse() as connection, connection.cursor() as cursor:
        cursor.execute(f"UPDATE {mart} SET happened_at = 7 WHERE order_id = {ORDER}")
    ordered.pipeline.reconcile(code=1)
    ordered.read_again("steps")

    def mended() -> bool:
        ordered.pipeline.commit()
        return bool(ordered.pipeline.servers.row(f"SELECT count(*) FROM {mart} WHERE happened_at = 7")[0] == 0)

    until(mended, "the mart's row as MySQL's", 180, ordered.pipeline.ends_of_logs)
    assert ordered.proven()["equal"]


def test_deletes_changed_keys_and_tombstones_keep_their_order(ordered: Ordered) -> None:
    one, two, three = ORDER + 1, ORDER + 2, ORDER + 3
    ordered.sql(*(new_order(number) for number in (one, two)))
    for statements in (
        [deleted(one), new_order(one), moved(one, 5)],
        # Two rows change places by way of a third key, in one transaction.
        [renumbered(one, three), renumbered(two, one), renumbered(three, two)],
        [renumbered(two, three), deleted(three)],
        [new_order(three), deleted(three), new_order(three, 2)],
    ):
        in_one_transaction(ordered, statements)
    topic = f"{ordered.name}.{ordered.pipeline.orders}.steps"
    producer = Producer({"bootstrap.servers": ordered.pipeline.servers.addresses.kafka.bootstrap})
    for partition in range(3):
        producer.produce(topic, key=b"any key", value=None, partition=partition)
    assert producer.flush(30) == 0
    ordered.sql(moved(one, 6))
    assert ordered.proven()["equal"]


def in_one_transaction(ordered: Ordered, statements: list[str]) -> None:
    at = ordered.pipeline.servers.addresses.mysql
    connection = pymysql.connect(
        host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(), autocommit=False
    )
    with connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement.replace("{db}", f"`{ordered.pipeline.orders}`"))
        connection.commit()


def test_more_partitions_split_a_rows_events_and_their_order_stays(ordered: Ordered) -> None:
    admin = AdminClient({"bootstrap.servers": ordered.pipeline.servers.addresses.kafka.bootstrap})
    many = range(ORDER + 100, ORDER + 140)
    ordered.sql(*(new_order(number) for number in many))
    for table in TABLES:
        topic = f"{ordered.name}.{ordered.pipeline.orders}.{table}"
        admin.create_partitions([NewPartitions(topic, 7)])[topic].result(30)
    ordered.rest.restart(ordered.name)  # else its producer learns of the new partitions within five minutes
    used = "SELECT count(DISTINCT _partition) FROM {raw} WHERE _snapshot = 'false'"

    def spread() -> bool:
        ordered.sql(f"UPDATE {STEPS} SET happened_at = happened_at + 1 WHERE order_id > {ORDER + 99}")
        return bool(ordered.raw(used) > 3)

    until(spread, "events in a new partition", 120, ordered.pipeline.ends_of_logs)
    assert ordered.proven()["equal"]
    split = "SELECT order_id FROM {raw} GROUP BY order_id, place HAVING count(DISTINCT _partition) > 1"
    assert ordered.raw(f"SELECT count(*) FROM ({split}) s") > 0, "no row has events in two partitions"


def test_an_altered_key_column_changes_the_key_bytes_and_not_the_order(ordered: Ordered) -> None:
    number = ORDER + 10
    ordered.sql(new_order(number))
    ordered.sql("ALTER TABLE {db}.steps MODIFY place BIGINT NOT NULL")
    ordered.sql(moved(number, 1767225700))
    assert ordered.write(4).wait(120) == 0
    assert ordered.proven()["equal"]
    assert ordered.raw(f"SELECT count(DISTINCT _schema_id) FROM {{raw}} WHERE order_id = {number}") == 2


def test_a_window_that_is_read_again_changes_nothing(ordered: Ordered) -> None:
    """What a reset of offsets does: the positions go back under a new generation, and all is read again."""
    assert ordered.consumer is not None
    assert ordered.consumer.terminate() == 0
    for table in TABLES:
        ordered.pipeline.servers.rows(
            f"UPDATE settlement_public.{table}_raw_positions SET generation = generation + 1, epoch = epoch + 1,"
            " next_offset = next_offset / 2 RETURNING 1"
        )
    ordered.consume_anew()
    ordered.sql(moved(ORDER, 1767225701))
    until(lambda: ordered.raw("SELECT count(*) FROM {raw} WHERE _generation = 2") > 0, "rows read again", 120)
    assert ordered.proven()["equal"]


def test_a_failover_and_the_way_back_are_three_eras(ordered: Ordered, way: str) -> None:
    if way == choose.COMPOSE:
        pytest.skip("the connector's container does not reach a replica beside the stack")
    pipeline = ordered.pipeline
    at = pipeline.servers.addresses.plain()["mysql"]
    number = ORDER + 20
    ordered.sql(new_order(number))
    own = ordered.rest.config(ordered.name)
    assert own is not None
    with native_replica(
        at, name=f"second-{ordered.name}", server_id=1_900_000_000 + secrets.randbelow(10_000), log_bin="second"
    ) as second:
        ours = f"CHANGE REPLICATION FILTER REPLICATE_WILD_DO_TABLE = ('{pipeline.orders}.%', '{pipeline.beats}.%')"
        pipeline.servers.mysql(ours, at=second.address())
        # The first is written no more, not even by the heartbeat.
        ordered.stopped()
        second.until(pipeline.servers.executed(), within=240)
        there = second.address()
        pipeline.servers.mysql("STOP REPLICA", at=there)
        quiet = {name: value for name, value in own.items() if name != "heartbeat.action.query"}
        ordered.rest.put_config(ordered.name, quiet | {
            "database.hostname": str(there["host"]), "database.port": str(there["port"]),
            "database.user": str(there["user"]), "database.password": str(there["password"]),
        })  # fmt: skip
        ordered.rest.resume(ordered.name)
        on_second = [
            moved(number, 1767225801),
            new_order(number + 1),
            deleted(number + 1),
            moved(number, 1767225802),
        ]
        ordered.sql(*on_second, at=there)
        (uuid,) = pipeline.servers.mysql("SELECT @@server_uuid", at=there)[0]
        last = f"SELECT count(*) FROM {{raw}} WHERE _gtid = '{uuid}:{len(on_second)}'"
        until(lambda: ordered.raw(last) > 0, "the second's events in raw", 180, pipeline.ends_of_logs)
        theirs = f"SELECT count(*) FROM {{raw}} WHERE _binlog_file LIKE 'second.%' AND order_id = {number}"
        assert ordered.raw(theirs) == 2
        ordered.stopped()
    # Back: the first has what the second did under the second's names, as replication would have brought it.
    connection = pymysql.connect(
        host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"], autocommit=True
    )
    with connection, connection.cursor() as cursor:
        for place, statement in enumerate(on_second, 1):
            cursor.execute(f"SET GTID_NEXT = '{uuid}:{place}'")
            cursor.execute(statement.replace("{db}", f"`{pipeline.orders}`"))
        cursor.execute("SET GTID_NEXT = AUTOMATIC")
    ordered.sql(moved(number, 1767225803))
    ordered.rest.put_config(ordered.name, own)
    ordered.rest.resume(ordered.name)
    assert ordered.write(4).wait(120) == 0
    assert ordered.proven()["equal"]
    lines = pipeline.servers.rows("SELECT source_uuid FROM settlement_ods.eras ORDER BY era DESC LIMIT 3")
    assert lines[1] == (uuid,)
    assert lines[0] == lines[2]
    stands = f"SELECT happened_at FROM settlement_ods.mart_steps WHERE order_id = {number}"
    assert ordered.raw(stands) == 1767225803


def test_a_blocking_snapshot_is_refused_and_a_new_first_snapshot_mends_it(ordered: Ordered) -> None:
    pipeline = ordered.pipeline
    data = f'{{"type": "blocking", "data-collections": ["{pipeline.orders}.steps"]}}'
    pipeline.servers.mysql(
        f"INSERT INTO `{pipeline.beats}`.`signal` (id, type, data) VALUES ('block', 'execute-snapshot', %s)", data
    )
    findings = pipeline.does("doctor", code=1)["findings"]
    (found,) = [f for f in findings if f["check"] == "blocking snapshots"]
    assert found["state"] == "wrong"
    until(
        lambda: any("blocking" in w for w in pipeline.commit()["waiting"]), "the cut held", 120, pipeline.ends_of_logs
    )
    cut = pipeline.servers.cut()
    ordered.sql(moved(ORDER, 1767225900))
    pipeline.commit()
    assert pipeline.servers.cut() == cut
    pipeline.servers.mysql(f"DELETE FROM `{pipeline.beats}`.`signal` WHERE id = 'block'")
    pipeline.does("connect", "delete", "--offsets", "--yes")
    pipeline.does("connect", "apply", "--wait", "300", seconds=330)
    assert ordered.proven()["equal"]
