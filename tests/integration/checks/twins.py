"""The same rows written into MySQL and into a mart by SQL alone, nothing of the pipeline between.

Each value is drawn once, by MySQL's type, and written in two forms: as MySQL takes it and as the warehouse
should hold it. The rules here are the test's own, taken from the vendors' manuals.
"""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg2
import psycopg2.extras
import pymysql

LINEAGE = {"_era": 1, "_number": 1, "_order": 1, "_batch_id": 1, "_cycle": 1}
LETTERS = "abcXYZ 019-éß漢字😀𝒳'\"\\%\t\n"


@dataclass(frozen=True)
class Column:
    name: str
    kind: str
    full: str
    nullable: bool
    length: int
    precision: int
    scale: int
    digits: int

    @property
    def unsigned(self) -> bool:
        return "unsigned" in self.full

    @property
    def bits(self) -> int:
        return {"tinyint": 8, "smallint": 16, "mediumint": 24, "int": 32, "bigint": 64}[self.kind]

    @property
    def mart_type(self) -> str:
        fixed = {
            "tinyint": "smallint", "smallint": "integer", "mediumint": "integer", "year": "smallint", "int": "bigint",
            "bigint": "decimal(20,0)" if self.unsigned else "bigint", "float": "real", "double": "double precision",
            "decimal": f"decimal({self.precision},{self.scale})", "date": "date", "datetime": "timestamp",
            "timestamp": "timestamp", "time": "bigint",
        }  # fmt: skip
        if self.kind == "bit":
            return "boolean" if self.precision == 1 else "decimal(20,0)" if self.precision > 63 else "bigint"
        if self.kind.endswith(("blob", "binary")):
            return "bytea"
        return fixed.get(self.kind, "text")


def columns_of(mysql: pymysql.Connection[Any], database: str, table: str) -> list[Column]:
    with mysql.cursor() as cursor:
        cursor.execute(
            "SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, IS_NULLABLE = 'YES', COALESCE(CHARACTER_MAXIMUM_LENGTH, 0),"
            " COALESCE(NUMERIC_PRECISION, 0), COALESCE(NUMERIC_SCALE, 0), COALESCE(DATETIME_PRECISION, 0)"
            " FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
            (database, table),
        )
        return [Column(n, k, f, bool(y), int(le), int(p), int(s), int(d)) for n, k, f, y, le, p, s, d in cursor]


def draw(column: Column, rng: random.Random) -> tuple[Any, Any]:
    """One value: as given to MySQL, as the warehouse holds it."""
    kind = column.kind
    if column.nullable and rng.random() < 0.2:
        return None, None
    if kind in ("tinyint", "smallint", "mediumint", "int", "bigint"):
        low, high = (
            (0, 2**column.bits - 1) if column.unsigned else (-(2 ** (column.bits - 1)), 2 ** (column.bits - 1) - 1)
        )
        value = rng.choice([low, high, 0, rng.randint(low, high), rng.randint(low, high)])
        return value, value
    if kind == "year":
        value = rng.choice([0, 1901, 2026, 2155])
        return value, value
    if kind == "bit":
        value = rng.getrandbits(column.precision)
        return value, bool(value) if column.precision == 1 else value
    if kind == "decimal":
        digits = rng.randint(0, 10**column.precision - 1)
        exact = Decimal(digits * rng.choice([1, -1])).scaleb(-column.scale)
        return (value := rng.choice([exact, exact, Decimal(0)])), value
    if kind in ("float", "double"):
        return _floating(column, rng)
    if kind.endswith(("blob", "binary")):
        return _bytes(column, rng)
    if kind in ("date", "datetime", "timestamp", "time"):
        return _moment(column, rng)
    if kind == "json":
        return _document(rng)
    return _text(column, rng)


def _floating(column: Column, rng: random.Random) -> tuple[Any, Any]:
    value = rng.choice(
        [0.0, -0.0, 0.1, 1e15, 1e-5, 123456789012345.0, 5e-324, 1.7976931348623157e308, rng.uniform(-180, 180),
         rng.uniform(-1e-3, 1e-3), -1e-7 * rng.random(), 1e20 * rng.random()]
    )  # fmt: skip
    if column.scale:
        value = round(rng.uniform(-1e4, 1e4), column.scale)
    if column.kind == "float":
        value = value if abs(value) < 1e38 and (value == 0 or abs(value) > 1e-37) else 0.3
        value = struct.unpack("f", struct.pack("f", value))[0]
    return repr(value), repr(value)


def _bytes(column: Column, rng: random.Random) -> tuple[Any, Any]:
    size = column.length if column.kind == "binary" else rng.randint(0, min(column.length, 40))
    value = rng.randbytes(size)
    return value, value


def _text(column: Column, rng: random.Random) -> tuple[Any, Any]:
    if column.kind in ("enum", "set"):
        choices = [c.strip("'") for c in column.full.partition("(")[2].rstrip(")").split(",")]
        value = rng.choice(choices) if column.kind == "enum" else ",".join(c for c in choices if rng.random() < 0.5)
        return value, value
    letters = "abcéß " if "latin" in column.name else LETTERS
    size = rng.choice([0, 1, min(column.length, 12), min(column.length, 60)])
    value = "".join(rng.choice(letters) for _ in range(size))
    return (value := value.rstrip(" ") if column.kind == "char" else value), value


def _moment(column: Column, rng: random.Random) -> tuple[Any, Any]:
    micro = rng.randrange(10**6) // 10 ** (6 - column.digits) * 10 ** (6 - column.digits)
    if column.kind == "date":
        value = rng.choice([date(1000, 1, 1), date(9999, 12, 31), date(2024, 2, 29), date(1969, 12, 31), None])
        return value or "0000-00-00", value
    if column.kind == "time":
        total = rng.choice([0, 838 * 3600 + 59 * 60 + 58, rng.randrange(86_400)]) * 10**6 + micro
        sign = rng.choice(["", "-"]) if total else ""
        whole, part = divmod(total, 10**6)
        text = f"{sign}{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{part:06d}"
        return text, -total if sign else total
    base = _one_of(rng, "2026-11-22 23:59:59", "1970-01-02", "2038-01-18")
    if column.kind == "datetime":
        base = rng.choice([base, _one_of(rng, "1000-01-01", "9999-12-31 23:59:58", "1969-07-20")])
        if rng.random() < 0.1:
            return "0000-00-00 00:00:00", None
    value = base + timedelta(microseconds=micro)
    return value, value


def _one_of(rng: random.Random, *moments: str) -> datetime:
    return datetime.fromisoformat(rng.choice(moments))


def _document(rng: random.Random) -> tuple[Any, Any]:
    value = rng.choice(
        [
            {}, [], None, True, "", "x\"\\/\u0001é😀", 0, -1.5, 1e20, 1e-7, 2**63,
            {"bb": [1, {"a": None}], "a": rng.random(), "é": "ü", "zzz": rng.randint(0, 10**9)},
        ]
    )  # fmt: skip
    return json.dumps(value), json.dumps(
        value, separators=(rng.choice([",", ", "]), ":"), ensure_ascii=rng.random() < 0.5
    )


def _name(column: Column) -> str:
    """The mart's column: lower case."""
    return '"' + column.name.lower().replace('"', '""') + '"'


class Twins:
    """A table in MySQL (`database`) with its mart in the warehouse, filled alike."""

    def __init__(self, mysql: pymysql.Connection[Any], mart: Any, database: str) -> None:
        self.mysql, self.mart, self.database = mysql, mart, database

    def make(self, table: str, mart: str) -> list[Column]:
        """The mart beside a MySQL table that is there."""
        columns = columns_of(self.mysql, self.database, table)
        body = ", ".join(f"{_name(c)} {c.mart_type}" for c in columns)
        lineage = ", ".join(f'"{name}" bigint NOT NULL' for name in LINEAGE)
        with self.mart.cursor() as cursor:
            cursor.execute(
                f'CREATE TABLE settlement_ods."{mart}" ({body}, {lineage},'
                ' "_committed_at" timestamp, "_deleted_at" timestamp, "_source_deleted" timestamp)'
            )
        return columns

    def fill(
        self, table: str, mart: str, columns: list[Column], keys: Iterable[dict[str, Any]], rng: random.Random,
        drawing: Callable[[Column, random.Random], tuple[Any, Any]] = draw,
    ) -> None:  # fmt: skip
        """One row a key; values outside the key are drawn."""
        theirs, ours = [], []
        for key in keys:
            pairs = [(key[c.name], key[c.name]) if c.name in key else drawing(c, rng) for c in columns]
            theirs.append([p[0] for p in pairs])
            ours.append([*(p[1] for p in pairs), *LINEAGE.values()])
        names = ", ".join("`" + c.name.replace("`", "``") + "`" for c in columns)
        marks = ", ".join(["%s"] * len(columns))
        with self.mysql.cursor() as cursor:
            cursor.executemany(f"INSERT INTO `{self.database}`.`{table}` ({names}) VALUES ({marks})", theirs)
        self.mysql.commit()
        wanted = ", ".join([*map(_name, columns), *LINEAGE])
        with self.mart.cursor() as cursor:
            psycopg2.extras.execute_values(
                cursor, f'INSERT INTO settlement_ods."{mart}" ({wanted}) VALUES %s', ours, page_size=500
            )
