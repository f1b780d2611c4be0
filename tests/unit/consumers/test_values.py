"""Every MySQL type keeps its exact value on the way from the wire to Arrow."""

from __future__ import annotations

import base64
import math
import struct
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from tests.unit.consumers.parcel import decode, message, row


def value_of(column: str, wire: Any) -> Any:
    """One value there and back through a row of the stream."""
    table = decode(message(0, row(**{column: wire}))).table
    found = table[column.lower()]
    if pa.types.is_timestamp(found.type):
        return found.cast(pa.int64())[0].as_py()
    return found[0].as_py()


def micros(text: str) -> int:
    return (datetime.fromisoformat(text) - datetime.fromisoformat("1970-01-01")) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("column", "wire", "expected"),
    [
        ("traceSeq", 2**31 - 1, 2**31 - 1),
        ("pieces", 65535, 65535),
        ("grade", 2, 2),
        ("barcode", -3, Decimal(18446744073709551613)),
        ("barcode", -(2**63), Decimal(2**63)),
        ("barcode", 2**63 - 1, Decimal(2**63 - 1)),
        ("weight", "-0.001", Decimal("-0.001")),
        ("weight", "9999999.999", Decimal("9999999.999")),
        ("wide", "1" * 35 + "." + "2" * 30, "1" * 35 + "." + "2" * 30),
        ("rate", 0.5, 0.5),
        ("lat", -123.12345678901234, -123.12345678901234),
        ("flag", True, True),
        ("bits", (0b1000000001).to_bytes(2, "little"), 0b1000000001),
        ("bits64", b"\xff" * 8, Decimal(2**64 - 1)),
        ("name", "", ""),
        ("name", '王小明 😀 "quoted"\n\\N', '王小明 😀 "quoted"\n\\N'),
        ("level", "次日達", "次日達"),
        ("photo", base64.b64encode(b"\x00\xff\\x").decode(), b"\x00\xff\\x"),
        ("photo", "", b""),
        ("promised", -1, date(1969, 12, 31)),
        ("cutoff", -3_020_399_000_000, -3_020_399_000_000),
        ("picked", -1, micros("1969-12-31 23:59:59.999")),
        ("picked", 1_714_957_323_000, micros("2024-05-06 01:02:03")),
        ("scanned", -62_135_596_800_000_000, micros("0001-01-01 00:00:00")),
        ("scanned", 253_402_300_799_999_999, micros("9999-12-31 23:59:59.999999")),
        ("modified", "2024-01-02T03:04:05Z", micros("2024-01-02 03:04:05")),
        ("modified", "1970-01-01T00:00:01.000001Z", 1_000_001),
        ("attributes", '{"b": [1, 2.50], "a": 1e22}', '{"b": [1, 2.50], "a": 1e22}'),
    ],
)
def test_a_value_arrives_exactly(column: str, wire: Any, expected: Any) -> None:
    assert value_of(column, wire) == expected


def test_null_stays_null_in_every_column() -> None:
    table = decode(message(0, row())).table
    carried = [name for name in table.column_names if not name.startswith("_") and name != "order_id"]
    assert len(carried) == 20
    assert {name: table[name][0].as_py() for name in carried} == dict.fromkeys(carried)


def test_columns_have_the_types_of_the_source_whatever_the_values() -> None:
    schema = decode(message(0, row())).table.schema
    assert schema.field("barcode").type == pa.decimal128(20, 0)
    assert schema.field("weight").type == pa.decimal128(10, 3)
    assert schema.field("wide").type == pa.string()
    assert schema.field("traceseq").type == pa.int64()
    assert schema.field("pieces").type == pa.int32()
    assert schema.field("grade").type == pa.int16()
    assert schema.field("rate").type == pa.float32()
    assert schema.field("modified").type == schema.field("picked").type == pa.timestamp("us")


def test_a_float_is_not_widened_with_false_digits() -> None:
    shown = struct.unpack("f", struct.pack("f", 0.1))[0]
    assert value_of("rate", 0.1) == shown
    assert not math.isclose(shown, 0.1, abs_tol=1e-12)


@pytest.mark.parametrize(
    ("column", "wire"),
    [
        ("weight", "1.2345"),
        ("weight", "99999999.999"),
        ("weight", "twelve"),
        ("photo", "not base64!"),
        ("modified", "yesterday"),
    ],
)
def test_a_value_that_its_type_cannot_hold_makes_a_bad_message_and_spares_its_neighbours(
    column: str, wire: Any
) -> None:
    decoded = decode(message(0, row(1)), message(1, row(2, **{column: wire})), message(2, row(3)))
    assert decoded.table["order_id"].to_pylist() == [1, 3]
    assert [letter.offset for letter in decoded.letters] == [1]
    assert column in decoded.letters[0].error
