"""END records and notifications become rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from consumers.decoder import FastavroDecoder
from consumers.decoding import DecodedBatch, Decoding
from consumers.messages import Messages, MicroBatch
from consumers.settings import Batching
from consumers.streams import Shape, Stream
from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import NOTIFICATION_VALUE, TRANSACTION_VALUE, UUID, Registry, key_schema

KEY = key_schema("io.debezium", [{"name": "id", "type": "string"}])


def decode(
    shape: Shape, schema: Mapping[str, Any], *records: Mapping[str, Any], key: str | None = None
) -> DecodedBatch:
    stream = Stream("waybill.own", "own_raw", "waybill.own", shape, Batching(), 2**20)
    messages = [
        debezium.message(i, debezium.wire(1, KEY, {"id": key or record["id"]}), debezium.wire(2, schema, record))
        for i, record in enumerate(records)
    ]
    batch = MicroBatch(0, len(messages), Messages.of(messages), 100)
    return Decoding(Registry(KEY, schema), FastavroDecoder(), 10).decode(stream, 0, batch)


def end(number: int, **counts: int) -> dict[str, Any]:
    found = [{"data_collection": name.replace("__", "."), "event_count": n} for name, n in counts.items()]
    return {
        "status": "END", "id": f"{UUID}:{number}", "event_count": sum(counts.values()), "data_collections": found,
        "ts_ms": 1_763_800_000_123,
    }  # fmt: skip


def test_an_end_is_one_row_a_table_and_a_begin_is_none() -> None:
    begin = {"status": "BEGIN", "id": f"{UUID}:1", "event_count": None, "data_collections": None, "ts_ms": 1}
    table = decode(Shape.TRANSACTIONS, TRANSACTION_VALUE, begin, end(1, k__a=2, k__b=1)).table
    assert [tuple(r[n] for n in ("_offset", "tx_id", "event_count", "data_collection", "collection_count"))
            for r in table.to_pylist()] == [
        (1, f"{UUID}:1", 3, "k.a", 2),
        (1, f"{UUID}:1", 3, "k.b", 1),
    ]  # fmt: skip
    assert table["ended_at"][0].as_py().isoformat() == "2025-11-22T08:26:40.123000"


def test_an_end_that_names_no_table_is_one_row_of_nothing() -> None:
    empty, none = end(1), end(2) | {"data_collections": None}
    table = decode(Shape.TRANSACTIONS, TRANSACTION_VALUE, empty, none).table
    assert table["data_collection"].to_pylist() == ["", ""]
    assert table["collection_count"].to_pylist() == [0, 0]


def test_a_transaction_record_under_another_key_is_bad() -> None:
    decoded = decode(Shape.TRANSACTIONS, TRANSACTION_VALUE, end(1, k__a=2), key=f"{UUID}:2")
    assert (decoded.table.num_rows, len(decoded.letters)) == (0, 1)


def test_a_status_that_is_neither_begin_nor_end_is_bad() -> None:
    decoded = decode(Shape.TRANSACTIONS, TRANSACTION_VALUE, end(1, k__a=2) | {"status": "ENE"})
    assert (decoded.table.num_rows, len(decoded.letters)) == (0, 1)


def test_a_notification_is_one_row_with_its_details_as_json() -> None:
    told = {
        "id": "n1", "type": "TABLE_SCAN_COMPLETED", "aggregate_type": "Initial Snapshot",
        "additional_data": {"total_rows_scanned": "5", "scanned_collection": "k.a"}, "timestamp": 1_763_800_000_123,
    }  # fmt: skip
    found = decode(Shape.NOTIFICATIONS, NOTIFICATION_VALUE, told, told | {"additional_data": None}).table.to_pylist()
    assert found[0]["additional_data"] == '{"scanned_collection":"k.a","total_rows_scanned":"5"}'
    assert found[1]["additional_data"] is None
    assert (found[0]["notification_type"], found[0]["notification_id"]) == ("TABLE_SCAN_COMPLETED", "n1")


def test_a_row_envelope_in_the_transaction_topic_is_bad_and_no_crash() -> None:
    decoded = decode(Shape.TRANSACTIONS, NOTIFICATION_VALUE, {
        "id": "n1", "type": "x", "aggregate_type": "y", "additional_data": None, "timestamp": 1,
    })  # fmt: skip
    assert (decoded.table.num_rows, len(decoded.letters)) == (0, 1)


def test_a_time_that_no_timestamp_holds_makes_its_message_bad_and_no_other() -> None:
    absurd = end(2, k__a=1) | {"ts_ms": 2**62}
    decoded = decode(Shape.TRANSACTIONS, TRANSACTION_VALUE, end(1, k__a=1), absurd, end(3, k__a=1))
    assert [letter.offset for letter in decoded.letters] == [1]
    assert decoded.table["_offset"].to_pylist() == [0, 2]
    note = {"id": "n", "type": "t", "aggregate_type": "a", "additional_data": None, "timestamp": -(2**62)}
    assert len(decode(Shape.NOTIFICATIONS, NOTIFICATION_VALUE, note).letters) == 1
