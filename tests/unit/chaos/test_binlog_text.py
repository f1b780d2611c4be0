"""The truth of the chaos rounds: what `mysqlbinlog -vv --print-table-metadata` prints, read into row events."""

from __future__ import annotations

import pytest

from tests.chaos.binlog_text import BinlogText
from tests.chaos.events import Transaction

SERVER = "0a5e5c31-e7ad-11f1-92f6-02fc00000001"
MAP = """# at 1406298
#261124  2:17:56 server id 223344  end_log_pos 1406606 CRC32 0xb7457abb \tTable_map: `shop`.`path` mapped to number 115
# has_generated_invisible_primary_key=0
# Columns(`order_id` BIGINT NOT NULL,
#         `traceSeq` INT NOT NULL,
#         `barcode` BIGINT UNSIGNED,
#         `level` ENUM NOT NULL('STANDARD', 'it\\'s, ok', '次日達') CHARSET utf8mb4 COLLATE utf8mb4_0900_ai_ci,
#         `note` TEXT CHARSET utf8mb4 COLLATE utf8mb4_0900_ai_ci)
# Primary Key(order_id, traceSeq)
# at 1406606
#261124  2:17:56 server id 223344  end_log_pos 1406810 CRC32 0x3293cf60 \tUpdate_rows: table id 115 flags: STMT_END_F
"""


def image(order_id: int, trace: int, barcode: str = "NULL", level: int = 1, note: str = "'a'") -> str:
    nullable = "nullable=1 is_null=0"
    return f"""###   @1={order_id} /* LONGINT meta=0 nullable=0 is_null=0 */
###   @2={trace} /* INT meta=0 nullable=0 is_null=0 */
###   @3={barcode} /* LONGINT meta=0 {nullable} */
###   @4={level} /* ENUM(1 byte) meta=63233 nullable=0 is_null=0 */
###   @5={note} /* BLOB/TEXT meta=2 {nullable} */
"""


def begin(number: int) -> str:
    return f"SET @@SESSION.GTID_NEXT= '{SERVER}:{number}'/*!*/;\n# at 1\n"


def commit(position: int) -> str:
    return f"#261124  2:17:56 server id 223344  end_log_pos {position} CRC32 0x3a4a0a81 \tXid = 941\nCOMMIT/*!*/;\n"


def insert(*rows: str) -> str:
    return "".join(f"### INSERT INTO `shop`.`path`\n### SET\n{row}" for row in rows)


def update(before: str, after: str) -> str:
    return f"### UPDATE `shop`.`path`\n### WHERE\n{before}### SET\n{after}"


def delete(row: str) -> str:
    return f"### DELETE FROM `shop`.`path`\n### WHERE\n{row}"


def read(text: str) -> tuple[list[Transaction], BinlogText]:
    reader = BinlogText("binlog.000001", 4, {"shop.path"})
    return list(reader.read(text.splitlines(keepends=True))), reader


def told(transaction: Transaction) -> list[tuple[int, str, tuple[str | None, ...]]]:
    return [(event.order, event.op, event.key) for event in transaction.events]


def test_events_are_counted_within_their_transaction_and_a_changed_key_is_two() -> None:
    text = begin(7) + MAP + insert(image(1, 1), image(1, 2)) + update(image(1, 2), image(1, 5))
    (found,), _ = read(text + delete(image(1, 1)) + commit(2000))
    assert (found.gtid, found.number) == (f"{SERVER}:7", 7)
    assert told(found) == [
        (1, "c", ("1", "1")), (2, "c", ("1", "2")), (3, "d", ("1", "2")), (4, "c", ("1", "5")), (5, "d", ("1", "1")),
    ]  # fmt: skip


def test_an_update_holds_the_row_after_it_and_a_delete_the_row_before() -> None:
    text = (
        begin(7) + MAP + update(image(1, 1, note="'old'"), image(1, 1, note="'new'")) + delete(image(1, 1, note="''"))
    )
    (found,), _ = read(text + commit(2000))
    assert [event.values["note"] for event in found.events] == ["new", ""]


def test_only_a_transaction_that_was_committed_whole_counts_and_moves_the_position() -> None:
    torn = begin(8) + MAP + insert(image(2, 1))
    (found,), reader = read(begin(7) + MAP + insert(image(1, 1)) + commit(2000) + torn)
    assert found.number == 7
    assert (reader.file, reader.position) == ("binlog.000001", 2000)


def test_the_position_follows_the_log_into_its_next_file() -> None:
    rotate = "#700101  0:00:00 server id 223344  end_log_pos 0 \tRotate to binlog.000002  pos: 4\n"
    _, reader = read(rotate + begin(9) + MAP + insert(image(1, 1)) + commit(777))
    assert (reader.file, reader.position) == ("binlog.000002", 777)


def test_values_are_what_the_columns_say() -> None:
    text = "'tab\\there, back\\\\slash, \\'single\\', \\x01 /* INT meta=0 nullable=0 is_null=0 */ é'"
    row = image(1, 1, "-1 (18446744073709551615)", 2, text)
    (found,), _ = read(begin(7) + MAP + insert(row) + commit(2000))
    assert found.events[0].values == {
        "order_id": "1", "traceseq": "1", "barcode": "18446744073709551615", "level": "it's, ok",
        "note": "tab\there, back\\slash, 'single', \x01 /* INT meta=0 nullable=0 is_null=0 */ é",
    }  # fmt: skip


def test_rows_of_tables_that_are_not_carried_are_passed_over() -> None:
    reader = BinlogText("binlog.000001", 4, {"shop.other"})
    text = begin(7) + MAP + insert(image(1, 1)) + commit(2000)
    (found,) = reader.read(text.splitlines(keepends=True))
    assert found.events == ()


def test_text_that_is_not_known_is_an_error_and_not_a_smaller_truth() -> None:
    with pytest.raises(ValueError, match="is not known here"):
        read(begin(7) + MAP + insert("###   @1=1 something new\n") + commit(2000))
