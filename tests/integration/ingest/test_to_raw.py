"""From a topic to the raw table on real Kafka, registry, S3 and PostgreSQL."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.integration.ingest.workshop import Workshop
from tests.unit.consumers.parcel import EMPTY, row

VALUES: dict[str, tuple[Any, str]] = {
    # column: (on the wire, as PostgreSQL shows it)
    "traceSeq": (2**32 - 1, "4294967295"),
    "pieces": (65535, "65535"),
    "grade": (-1, "-1"),
    "barcode": (-3, "18446744073709551613"),
    "weight": ("-9999999.001", "-9999999.001"),
    "wide": ("-" + "1" * 35 + "." + "2" * 30, "-" + "1" * 35 + "." + "2" * 30),
    "rate": (0.1, "0.1"),
    "lat": (-123.12345678901234, "-123.12345678901234"),
    "flag": (True, "true"),
    "bits": ((513).to_bytes(2, "little"), "513"),
    "bits64": (b"\xff" * 8, "18446744073709551615"),
    "name": ('a,"b"\n\\.\n\\N 😀 王\t\r\n', 'a,"b"\n\\.\n\\N 😀 王\t\r\n'),
    "level": ("次日達", "次日達"),
    "photo": (base64.b64encode(b"\x00\\x\xff").decode(), "\\x005c78ff"),
    "promised": (-719_162, "0001-01-01"),
    "cutoff": (-3_020_399_000_000, "-3020399000000"),
    "picked": (-1, "1969-12-31 23:59:59.999"),
    "scanned": (253_402_300_799_999_999, "9999-12-31 23:59:59.999999"),
    "modified": ("1970-01-01T00:00:01.000001Z", "1970-01-01 00:00:01.000001"),
    "attributes": ('{"b": 1, "a": [1.50, "é"]}', '{"b": 1, "a": [1.50, "é"]}'),
}


def test_every_kind_of_value_stands_exactly_in_the_raw_table(workshop: Workshop) -> None:
    assert {*VALUES, "order_id"} == {*EMPTY}
    full = {column: wire for column, (wire, _) in VALUES.items()}
    workshop.write([workshop.event(row(2**62, **full)), workshop.event(row(2, name="")), workshop.event(row(3))])
    workshop.consume()
    names = [column.lower() for column in VALUES]
    found = workshop.rows(", ".join(f"{name}::text" for name in names))
    assert dict(zip(VALUES, found[0], strict=True)) == {column: shown for column, (_, shown) in VALUES.items()}
    assert found[1] == tuple("" if name == "name" else None for name in names)
    assert found[2] == (None,) * len(names)


def test_raw_holds_what_is_committed_once_and_positions_stand_at_the_last_stable_offset(workshop: Workshop) -> None:
    for number in range(4):
        events = [workshop.event(row(100 * number + i)) for i in range(40)]
        workshop.write(events, partition=number % 3)
        workshop.write(events, partition=number % 3, commit=False)
    workshop.consume()
    read = [(m.partition(), m.offset()) for m in workshop.read(workshop.topic)]
    assert len(read) == 160
    assert workshop.rows('"_partition", "_offset"') == read
    # Two transactions of 40 and their marks in partition 0, one each and their marks in the others.
    assert workshop.positions() == {0: 164, 1: 82, 2: 82}
    assert sum(n for (n,) in workshop.ledger("row_count")) == 160


def test_what_is_loaded_is_what_the_ledger_and_the_bucket_say(workshop: Workshop) -> None:
    workshop.write([workshop.event(row(i)) for i in range(120)])
    workshop.consume()
    spans = workshop.ledger("first_offset, next_offset, row_count, object_key")
    assert [span[0] for span in spans] == [0, 50, 100]
    assert [span[1] for span in spans] in ([50, 100, 120], [50, 100, 121])  # with or without the mark of COMMIT
    assert all(key.startswith(f"tests/{workshop.name}/parcel_raw/") and key.endswith("+g00001+e0000000001.parquet")
               for *_, key in spans)  # fmt: skip
    counted = workshop.session.rows(
        'SELECT l.batch_id, l.row_count, count(r."_offset") AS rows FROM settlement_public.parcel_raw_ledger l'
        ' JOIN settlement_public.parcel_raw r ON r."_batch_id" = l.batch_id'
        ' AND r."_offset" >= l.first_offset AND r."_offset" < l.next_offset GROUP BY 1, 2'
    )
    assert [(one["row_count"], one["rows"]) for one in counted] == [(50, 50), (50, 50), (20, 20)]


def test_a_restart_goes_on_where_the_warehouse_stands_under_a_greater_epoch(workshop: Workshop) -> None:
    workshop.write([workshop.event(row(1))])
    workshop.consume()
    workshop.write([workshop.event(row(2))])
    workshop.consume()
    assert workshop.rows() == [(1,), (2,)]
    assert workshop.ledger("epoch") == [(1,), (2,)]


def test_an_epoch_is_not_used_again_after_the_warehouse_was_restored(workshop: Workshop) -> None:
    workshop.write([workshop.event(row(1))])
    workshop.consume()
    for table in ("parcel_raw", "parcel_raw_ledger", "parcel_raw_positions"):
        workshop.session.run(f"DELETE FROM settlement_public.{table}")
    workshop.consume()
    assert workshop.rows() == [(1,)]
    assert workshop.ledger("epoch") == [(2,)]


def test_a_bad_message_goes_to_the_dead_letters_untouched_and_the_rest_is_loaded(workshop: Workshop) -> None:
    good = workshop.event(row(1))
    bad = (good[0], good[1][:-3])
    workshop.write([good, bad, workshop.event(row(3))], partition=2)
    workshop.consume()
    assert workshop.rows() == [(1,), (3,)]
    (letter,) = workshop.read(f"{workshop.name}.dead-letters")
    assert (letter.key(), letter.value()) == bad
    headers = {name: value.decode() for name, value in letter.headers() or []}
    assert (headers["waybill.topic"], headers["waybill.partition"], headers["waybill.offset"]) == (
        workshop.topic,
        "2",
        "1",
    )
    assert headers["waybill.error"]
    assert headers["waybill.first_seen"]
    assert workshop.ledger("row_count, dead_letters, first_offset") == [(2, 1, 0)]
    assert workshop.positions()[2] == 4


def test_a_batch_of_only_dead_letters_moves_the_position_and_leaves_a_ledger_row(workshop: Workshop) -> None:
    workshop.write([(b"", b"nonsense"), (None, b"more")])
    workshop.consume()
    assert workshop.rows() == []
    assert workshop.positions()[0] == 3
    assert workshop.ledger("row_count, dead_letters, object_key") == [(0, 2, "")]


@pytest.mark.parametrize("partition", [0, 1])
def test_too_many_bad_messages_stop_the_table_and_none_is_set_aside(workshop: Workshop, partition: int) -> None:
    workshop.write([(b"", b"nonsense")] * 6, partition=partition)
    loop = workshop.consume()
    (carried,) = loop.carried.values()
    assert carried.stopped is not None
    assert "6 bad messages in a row" in carried.stopped.what
    state = workshop.session.row("SELECT state, reason, todo FROM settlement_public.table_states")
    assert state is not None
    assert state["state"] == "stopped"
    assert "dead_letters_in_a_row" in state["todo"]
    assert f"{workshop.name}.dead-letters" not in workshop.admin.list_topics(timeout=10).topics
