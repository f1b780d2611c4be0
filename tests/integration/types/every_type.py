"""A table with a column of every MySQL type, values that are hard to carry, and what raw must hold for each.

A value is (SQL literal, what the warehouse answers). Row n takes value n of each column, from the beginning again where
a column has fewer. `MYSQL` stands for "the text that MySQL itself makes", `LOCAL` for a moment in the session's zone.
"""

from __future__ import annotations

import struct
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

MYSQL = object()
LONG = "長い😀" * 10_000  # 100,000 bytes
BLOB = bytes(range(256)) * 300


class Local(NamedTuple):
    """A moment on the clock of the session that wrote it."""

    moment: datetime


class Planted(NamedTuple):
    """One column: its definition, and its values."""

    name: str
    definition: str
    values: list[tuple[str, Any]]


def _plain(*values: int) -> list[tuple[str, Any]]:
    return [(str(value), value) for value in values]


def _exact(*texts: str) -> list[tuple[str, Any]]:
    return [(text, Decimal(text)) for text in texts]


def _same(*texts: str) -> list[tuple[str, Any]]:
    return [("'" + text.replace("\\", "\\\\").replace("'", "''") + "'", text) for text in texts]


def _bytes(*values: bytes) -> list[tuple[str, Any]]:
    return [(f"x'{value.hex()}'", value) for value in values]


def _moments(*texts: str) -> list[tuple[str, Any]]:
    return [(f"'{text}'", datetime.fromisoformat(text)) for text in texts]


def _days(*texts: str) -> list[tuple[str, Any]]:
    return [(f"'{text}'", date.fromisoformat(text)) for text in texts]


def _local(*texts: str) -> list[tuple[str, Any]]:
    return [(f"'{text}'", Local(datetime.fromisoformat(text))) for text in texts]


def _times(seconds: dict[str, float]) -> list[tuple[str, Any]]:
    return [(f"'{text}'", round(value * 1e6)) for text, value in seconds.items()]


def _single(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def _floats(*values: float) -> list[tuple[str, Any]]:
    # With an exponent: -0.0 alone would be a decimal, which has no minus zero.
    return [(f"{value!r}e0" if "e" not in repr(value) else repr(value), value) for value in values]


SINGLES = (0.1, -0.0, 1 / 3, 16777215.0, 3.4028234663852886e38, 1e-37, 1.401298464324817e-45, -123456.789)
NO_DATE = ("'0000-00-00'", None)
NO_MOMENT = ("'0000-00-00 00:00:00'", None)
NUMBERS = (
    "[1e-300, 1e22, 0.30000000000000004, -0.0, 0.0, 5.0, 10000000.0, 1e15, 1e14, 1e-15, 1e-16, 123456789012345.6, 1e20,"
    " 1234567890123456.5, 1.7976931348623157e308, 5e-324, 5.684341886080802e-14, 2.0E-3, 0.1, 100.50]"
)
WHOLE = (
    "[0, -1, 123456789012345678, 9223372036854775807, -9223372036854775808, 18446744073709551615, 18446744073709551616]"
)
TYPED = (
    "JSON_OBJECT('d', CAST(1.500 AS DECIMAL(10,3)), 'small', CAST('0.00000000000000010' AS DECIMAL(40,20)), 'zero',"
    " CAST(0 AS DECIMAL(6,3)), 'wide', CAST('-12345678901234567890123456789012345.678901234567890' AS DECIMAL(60,15)),"
    " 'whole', CAST(5 AS DECIMAL(10,0)), 'at', CAST('2026-01-02 03:04:05' AS DATETIME), 'at6',"
    " CAST('1000-01-01 00:00:00.000001' AS DATETIME(6)), 'day', CAST('2026-01-02' AS DATE), 'took',"
    " CAST('-00:30:00.5' AS TIME(1)), 'long', CAST('838:59:58' AS TIME), 'bytes', x'00ff', 'yes', true, 'no', false,"
    " 'n', null)"
)
KEYS = (
    """'{"b": 1, "aaa": {"é": [], "z": {}}, "": "x", "a\\\\"b": "q\\\\"\\\\\\\\/\\\\n\\\\u0001\\\\u0000 שלום 😀","""
    """ "ab": [[1.5, "1.50"]]}'"""
)

COLUMNS = [
    Planted("tiny", "tinyint", _plain(-128, 127, 0)),
    Planted("tiny_u", "tinyint unsigned", _plain(0, 255)),
    Planted("tiny_1", "tinyint(1)", _plain(-128, 0, 1, 2, 127)),
    Planted("small_u", "smallint unsigned", _plain(0, 65535)),
    Planted("medium", "mediumint", _plain(-(2**23), 2**23 - 1)),
    Planted("int_u", "int unsigned", _plain(0, 2**32 - 1)),
    Planted("filled", "int(10) unsigned zerofill", _plain(0, 7)),
    Planted("big", "bigint", _plain(-(2**63), 2**63 - 1, 0)),
    Planted("big_u", "bigint unsigned", [(str(v), Decimal(v)) for v in (0, 2**63 - 1, 2**63, 2**64 - 1)]),
    Planted("big_default", "bigint unsigned NULL DEFAULT 7", [("NULL", None), *_exact("18446744073709551615")]),
    Planted("dec0", "decimal(10,0)", _exact("0", "-9999999999")),
    Planted("dec38", "decimal(38,10)", _exact("9" * 28 + "." + "9" * 10, "-0.0000000001", "0")),
    Planted("dec38_30", "decimal(38,30)", _exact("-99999999." + "9" * 30, "0." + "0" * 29 + "1", "0")),
    Planted("dec30", "decimal(30,30)", _exact("0." + "1" * 30, "-0." + "0" * 29 + "1", "0")),
    Planted(
        "dec65",
        "decimal(65,30)",
        [(t, t) for t in ("9" * 35 + "." + "9" * 30, "-0." + "0" * 29 + "1", "0." + "0" * 30, "1." + "0" * 30)],
    ),
    # More digits than the six that MySQL's text has of a float; the smallest there are; a declared scale.
    Planted("single", "float", [(t, _single(v)) for t, v in _floats(*SINGLES)]),
    Planted("single_scale", "float(9,2)", [(t, _single(v)) for t, v in _floats(123456.79, -0.01, 9999999.0)]),
    Planted(
        "twofold", "double", _floats(0.1 + 0.2, -0.0, 5e-324, 1.7976931348623157e308, 1e22, 1 / 3, 123456789012345680.0)
    ),
    Planted("bit1", "bit(1)", [("0", False), ("1", True)]),
    Planted("bit7", "bit(7)", _plain(0, 1, 127)),
    Planted("bit24", "bit(24)", _plain(0, 1, 2**24 - 1, 0x010203)),
    Planted("bit63", "bit(63)", _plain(2**63 - 1, 1)),
    Planted("bit64", "bit(64)", [(str(v), Decimal(v)) for v in (0, 2**64 - 1, 2**63)]),
    Planted("fixed", "char(10)", _same("", "ab", "日本語")),
    Planted("vc", "varchar(120)", [*_same("", "שלום عالم 😀 👩‍👩‍👧", "a'b\\c\n\t\"", " x "), ("NULL", None)]),
    Planted("nul", "varchar(20)", [("'a\\0b'", "a␀b"), *_same("plain")]),
    Planted("latin", "varchar(60) CHARACTER SET latin1", _same("Füße café ÿ €", "")),
    Planted("note", "text", [*_same("", "text"), ("NULL", None)]),
    Planted("novel", "longtext", [(f"'{LONG}'", LONG), ("''", "")]),
    Planted("chosen", "enum('', 'small', 'BIG', '次日達')", _same("", "次日達", "BIG")),
    Planted("several", "set('a', 'b', 'é')", _same("", "a,é", "b")),
    Planted("bin4", "binary(4)", [("x'00ff'", b"\x00\xff\x00\x00"), *_bytes(b"\\xab")]),
    Planted("varbin", "varbinary(300)", _bytes(b"", bytes(range(256)))),
    Planted("photo", "mediumblob", [*_bytes(BLOB, b""), ("NULL", None)]),
    Planted("day", "date", [*_days("1000-01-01", "9999-12-31", "1582-10-10", "0099-03-01", "1969-12-31"), NO_DATE]),
    Planted("day_needed", "date NOT NULL", [NO_DATE, *_days("2024-02-29")]),
    Planted("took", "time", _times({"-838:59:59": -3_020_399, "838:59:59": 3_020_399, "24:00:00": 86_400})),
    Planted("took6", "time(6)", _times({"-00:00:00.000001": -1e-6, "25:00:00.5": 90_000.5, "00:00:00": 0})),
    Planted(
        "moment",
        "datetime",
        [*_moments("1500-02-28 23:59:59", "9999-12-31 23:59:59", "1969-12-31 23:59:59"), NO_MOMENT],
    ),
    Planted("moment3", "datetime(3)", _moments("1582-10-04 10:10:10.123", "2024-03-10 02:30:00.001")),
    Planted(
        "moment6",
        "datetime(6)",
        [*_moments("1000-01-01 00:00:00.000001", "9999-12-31 23:59:59.999999"), NO_MOMENT],
    ),
    Planted("moment_needed", "datetime NOT NULL", [NO_MOMENT, *_moments("1700-01-01 00:00:00")]),
    Planted(
        "stamp",
        "timestamp NULL",
        [*_local("2024-03-31 02:30:00", "1970-01-02 00:00:00", "2038-01-17 03:14:07"), NO_MOMENT],
    ),
    Planted("stamp6", "timestamp(6) NULL", _local("2024-10-27 02:30:00.123456")),
    Planted("year_", "year", _plain(0, 1901, 2155)),
    Planted(
        "js",
        "json",
        [(f"'{text}'", MYSQL) for text in (NUMBERS, WHOLE, "null", '""', "{}", "true", "1e7")]
        + [(TYPED, MYSQL), (KEYS, MYSQL), ("NULL", None)],
    ),
]
ROWS = max(len(column.values) for column in COLUMNS)


def table(name: str, columns: list[Planted]) -> str:
    """CREATE TABLE of these columns behind id and happened_at."""
    body = ", ".join(f"`{column.name}` {column.definition}" for column in columns)
    return f"CREATE TABLE {name} (id int PRIMARY KEY, happened_at int, {body}) DEFAULT CHARSET = utf8mb4"


def inserts(name: str, columns: list[Planted], first: int) -> list[str]:
    """One INSERT a row, ids from `first` on."""
    return [
        f"INSERT INTO {name} VALUES ({first + row}, 1767225600, "
        + ", ".join(column.values[row % len(column.values)][0] for column in columns) + ")"
        for row in range(ROWS)
    ]  # fmt: skip


def planted(columns: list[Planted], row: int) -> dict[str, Any]:
    """What raw is to hold of a row, by column; see the module's words for what is not a value."""
    return {column.name: column.values[row % len(column.values)][1] for column in columns}
