"""A micro-batch becomes rows and dead letters; what contradicts itself is bad, and its neighbours are not touched."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from consumers.messages import Message
from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import UUID, Registry, column, envelope
from tests.unit.consumers.parcel import (
    COLUMNS,
    KEY,
    KEY_ID,
    NAMESPACE,
    STREAM,
    VALUE,
    VALUE_ID,
    decode,
    message,
    row,
)  # fmt: skip
from waybill.errors import StoppedTable, UnreachableError


def errors(*messages: Message, **more: Any) -> dict[int, str]:
    return {letter.offset: letter.error for letter in decode(*messages, **more).letters}


def test_a_streamed_event_carries_what_orders_it() -> None:
    table = decode(message(7, row(), number=42, order=3)).table
    found = table.to_pylist()[0]
    assert (found["_op"], found["_gtid"], found["_gtid_number"]) == ("c", f"{UUID}:42", 42)
    assert (found["_tx_id"], found["_tx_order"], found["_tx_total_order"]) == (f"{UUID}:42", 3, 3)
    assert (found["_snapshot"], found["_server_id"]) == ("false", 7)
    assert (found["_binlog_file"], found["_binlog_pos"], found["_binlog_row"]) == ("binlog.000003", 4711, 0)
    assert found["_committed_at"].isoformat() == "2025-11-22T08:26:40.123456"
    assert (found["_offset"], found["_schema_id"]) == (7, VALUE_ID)


def test_a_snapshot_row_has_no_position_within_transactions() -> None:
    found = decode(message(0, row(), op="r")).table.to_pylist()[0]
    assert (found["_op"], found["_snapshot"]) == ("r", "true")
    assert [found[n] for n in ("_gtid", "_gtid_number", "_tx_id", "_tx_order")] == [None] * 4


def test_an_incremental_snapshot_row_keeps_its_gtid_set_and_no_number() -> None:
    given = message(0, row(), op="r", gtid=f"{UUID}:5", snapshot="incremental")
    found = decode(given).table.to_pylist()[0]
    assert (found["_gtid"], found["_gtid_number"], found["_snapshot"]) == (f"{UUID}:5", None, "incremental")


def test_a_delete_is_the_row_as_it_was() -> None:
    table = decode(message(0, row(9, name="gone"), op="d")).table
    assert (table["_op"][0].as_py(), table["name"][0].as_py()) == ("d", "gone")


def test_an_update_is_the_row_as_it_is() -> None:
    event = debezium.event(row(9, name="before"), op="u")
    event["after"] = row(9, name="after")
    value = debezium.wire(VALUE_ID, VALUE, event)
    table = decode(debezium.message(0, debezium.wire(KEY_ID, KEY, {"order_id": 9}), value)).table
    assert table["name"].to_pylist() == ["after"]


def test_a_tombstone_is_no_row_and_not_bad() -> None:
    decoded = decode(message(0, row(1)), debezium.message(1, b"key", None), message(2, row(2)))
    assert (decoded.table["order_id"].to_pylist(), decoded.letters, decoded.next_offset) == ([1, 2], [], 3)


GOOD = message(0, row(5))


@pytest.mark.parametrize(
    ("what", "bad"),
    [
        ("empty", GOOD._replace(offset=1, value=b"")),
        ("magic", GOOD._replace(offset=1, value=b"\x01" + (GOOD.value or b"")[1:])),
        ("truncated", GOOD._replace(offset=1, value=(GOOD.value or b"")[:-1])),
        ("longer", GOOD._replace(offset=1, value=(GOOD.value or b"") + b"\x00")),
        ("header only", GOOD._replace(offset=1, value=(GOOD.value or b"")[:5])),
        ("key magic", GOOD._replace(offset=1, key=b"\x01" + (GOOD.key or b"")[1:])),
        ("no key", GOOD._replace(offset=1, key=None)),
        ("other schema", GOOD._replace(offset=1, value=b"\0\0\0\0\1" + (GOOD.value or b"")[5:])),
        ("other key", message(1, row(5), key=6)),
        ("other table", message(1, row(5), table="other")),
        ("other database", message(1, row(5), database="other")),
        ("other transaction", message(1, row(5), gtid=f"{UUID}:6")),
        ("no GTID", message(1, row(5), gtid=None)),
        ("not a GTID", message(1, row(5), number="x")),
        ("order 0", message(1, row(5), order=0)),
        ("unknown operation", message(1, row(5), op="m")),
        ("TRUNCATE of one key", message(1, row(5), op="t")),
        ("commit time beyond the year 9999", message(1, row(5), ts_us=253_402_300_800_000_000)),
        ("commit time that no 64 bits hold", message(1, row(5), ts_us=None, ts_ms=2**62)),
        ("binlog file of 300 characters", message(1, row(5), file="b" * 300)),
        ("text longer than its column", message(1, row(5, name="x" * 121))),
        ("date beyond the year 9999", message(1, row(5, promised=2_932_897))),
        ("time beyond the year 9999", message(1, row(5, scanned=253_402_300_800_000_000))),
    ],
)
def test_a_bad_message_is_set_aside_with_its_bytes_and_the_rest_goes_on(what: str, bad: Message) -> None:
    decoded = decode(GOOD, bad, message(2, row(7)))
    assert decoded.table["order_id"].to_pylist() == [5, 7], what
    (letter,) = decoded.letters
    assert letter[:6] == (STREAM.topic, 1, *bad)
    assert letter.error


def test_more_bad_messages_in_a_row_than_the_bound_stop_the_table() -> None:
    bad = [GOOD._replace(offset=i, value=b"\1") for i in range(1, 5)]
    assert len(errors(GOOD, *bad[:3], most_bad=3)) == 3
    with pytest.raises(StoppedTable, match="offset 4"):
        decode(GOOD, *bad, most_bad=3)


def test_bad_messages_are_counted_over_the_border_of_batches() -> None:
    bad = [GOOD._replace(offset=i, value=b"\1") for i in range(2)]
    assert decode(*bad, most_bad=3, bad_before=1).bad_in_a_row == 3
    with pytest.raises(StoppedTable):
        decode(*bad, most_bad=3, bad_before=2)
    assert decode(bad[0], GOOD._replace(offset=1), bad_before=2).bad_in_a_row == 0


def test_a_registry_that_does_not_answer_is_waited_for_and_nothing_is_set_aside() -> None:
    registry = Registry(KEY)
    with pytest.raises(UnreachableError):
        decode(GOOD, GOOD._replace(offset=1, value=b"\1"), registry=registry)


def test_truncate_stops_the_table_after_everything_before_it() -> None:
    truncate = debezium.event(row(1), op="t")
    truncate["before"] = truncate["after"] = None
    event = debezium.message(1, None, debezium.wire(VALUE_ID, VALUE, truncate))
    decoded = decode(GOOD, event, message(2, row(7)))
    assert decoded.table["order_id"].to_pylist() == [5]
    assert (decoded.next_offset, decoded.letters) == (1, [])
    assert decoded.stopped is not None
    assert "TRUNCATE" in decoded.stopped.what
    with pytest.raises(StoppedTable, match="TRUNCATE"):
        decode(event)


def test_events_of_an_older_and_a_newer_schema_share_a_batch_in_the_order_of_their_offsets() -> None:
    newer = envelope(NAMESPACE, [*COLUMNS, column("added", "int", "INT")])
    event = debezium.event(row(2, added=8))
    late = debezium.message(1, debezium.wire(KEY_ID, KEY, {"order_id": 2}), debezium.wire(3, newer, event))
    decoded = decode(message(0, row(1)), late, message(2, row(3)), registry=Registry(KEY, VALUE, newer))
    assert decoded.table["order_id"].to_pylist() == [1, 2, 3]
    assert decoded.table["added"].to_pylist() == [None, 8, None]
    assert decoded.table["_schema_id"].to_pylist() == [2, 3, 2]


def test_a_column_whose_type_changes_is_written_apart() -> None:
    wider = [column("name", "long", "BIGINT") if c["name"] == "name" else c for c in COLUMNS]
    newer = envelope(NAMESPACE, wider)
    event = debezium.event(row(2, name=8))
    late = debezium.message(1, debezium.wire(KEY_ID, KEY, {"order_id": 2}), debezium.wire(3, newer, event))
    decoded = decode(message(0, row(1)), late, message(2, row(3)), registry=Registry(KEY, VALUE, newer))
    assert (decoded.next_offset, decoded.table["order_id"].to_pylist()) == (1, [1])
    assert decoded.rest is not None
    assert (decoded.rest.first_offset, decoded.rest.next_offset, decoded.rest.messages.offsets) == (1, 3, [1, 2])


@pytest.mark.parametrize(
    ("broken", "word"),
    [
        (column("place", "bytes", "GEOMETRY"), "GEOMETRY"),
        ({"name": "plain", "type": "int"}, "plain"),
        (column("Name", "string", "TEXT"), "name"),
        (column("_op", "string", "TEXT"), "_op"),
    ],
)
def test_a_column_that_cannot_be_carried_stops_the_table_and_is_named(broken: dict[str, Any], word: str) -> None:
    newer = envelope(NAMESPACE, [*COLUMNS, broken])
    value = b"" if broken["name"] != "plain" else 1
    event = debezium.wire(2, newer, debezium.event(row(1, **{broken["name"]: value or None if value == b"" else 1})))
    with pytest.raises(StoppedTable, match=word):
        decode(GOOD._replace(value=event), registry=Registry(KEY, newer))


def test_a_row_of_a_snapshot_that_names_a_transaction_is_bad() -> None:
    event = debezium.event(row(5), op="r")
    event["transaction"] = {"id": f"{UUID}:6", "total_order": 1, "data_collection_order": 1}
    value = debezium.wire(VALUE_ID, VALUE, event)
    assert list(errors(GOOD, debezium.message(1, GOOD.key, value))) == [1]


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("string", "5"),
        ("int", 5),
        ({"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 0}, Decimal(5)),
        (None, None),
    ],
)
def test_a_key_of_another_type_is_bad_unless_its_number_is_the_row_s(kind: Any, key: Any) -> None:
    fields = [{"name": "order_id", "type": kind}] if kind else []
    schema = debezium.key_schema("other", fields)
    registry = Registry(KEY, VALUE, schema)
    other = debezium.wire(3, schema, {"order_id": key})
    found = [GOOD._replace(offset=1, key=other), message(2, row(5 + 2**32))._replace(key=other)]
    assert list(errors(GOOD, *found, registry=registry)) == ([2] if kind == "int" else [1, 2])
