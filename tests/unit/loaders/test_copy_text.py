"""The text that COPY reads: NULL and '' stay apart, nothing in a value can end a field, a row or the copy."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pyarrow as pa
import pytest

from loaders.copy_text import chunks
from loaders.pieces import Pieces


def text_of(*columns: pa.Array) -> str:
    table = pa.table(list(columns), names=[f"c{i}" for i in range(len(columns))])
    return b"".join(chunks([table])).decode()


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (pa.array(["", None, " "]), '""\n\n" "\n'),
        (pa.array(["\\.", "\\N", "NULL", "a,b"]), '"\\."\n"\\N"\n"NULL"\n"a,b"\n'),
        (pa.array(['say "hi"', "two\nlines\r\n"]), '"say ""hi"""\n"two\nlines\r\n"\n'),
        (pa.array(["a\0b"]), '"a␀b"\n'),
        (pa.array([b"\x00\xff\\", b"", None]), '"\\x00ff5c"\n"\\x"\n\n'),
        (pa.array([Decimal("18446744073709551615"), None], pa.decimal128(20, 0)), "18446744073709551615\n\n"),
        (pa.array([Decimal("-0.001")], pa.decimal128(10, 3)), "-0.001\n"),
        (pa.array([float("inf"), float("-inf"), 5e-324, 0.1]), "inf\n-inf\n5e-324\n0.1\n"),
        (pa.array([0.1], pa.float32()), "0.1\n"),
        (pa.array([-1, None], pa.timestamp("us")), "1969-12-31 23:59:59.999999\n\n"),
        (pa.array([-719_163], pa.int32()).view(pa.date32()), '"0001-12-31 BC"\n'),
        (pa.array([-62_135_596_800_000_001], pa.int64()).view(pa.timestamp("us")), '"0001-12-31 23:59:59.999999 BC"\n'),
        (pa.array(["a", None, "a"]).dictionary_encode(), '"a"\n\n"a"\n'),
        (pa.array([True, False, None]), "true\nfalse\n\n"),
    ],
)
def test_every_value_has_one_text(array: pa.Array, expected: str) -> None:
    assert text_of(array) == expected


def test_rows_of_many_pieces_and_objects_come_in_order_and_once() -> None:
    tables = [pa.table({"n": pa.array(range(start, start + 9_000)), "t": ["x"] * 9_000}) for start in (0, 9_000)]
    rows = list(csv.reader(io.StringIO(b"".join(chunks(tables)).decode())))
    assert [int(row[0]) for row in rows] == list(range(18_000))


def test_the_reader_hands_out_every_byte_whatever_is_asked_for() -> None:
    pieces = [b"abc", b"", b"defgh", b"i"]
    for size in (1, 2, 100, -1):
        reader = Pieces(iter(pieces))
        found = b""
        while part := reader.read(size):
            found += part
        assert found == b"abcdefghi"
