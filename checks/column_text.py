"""The text that each database makes of a column by itself, so that equal values have equal texts.

Written from MySQL's catalogue and the two vendors' manuals alone; nothing of the pipeline's own conversions is
used, so a fault there cannot hide here. What is deliberate: a zero date (also one with a zero month or day)
reads as NULL; the character NUL reads as U+2400, because no text of the warehouse can hold it; TIME is its
microseconds; BIT is its number; JSON is MySQL's own text, which the warehouse is to hold letter by letter.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from psycopg2.sql import SQL, Composable, Identifier, Literal

from checks import float_text

INTEGERS = ("tinyint", "smallint", "mediumint", "int", "bigint", "year")
FLOATS = ("float", "double")
_BINARIES = ("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob", "geometry", "vector")
_MOMENTS = ("datetime", "timestamp")
NUL_SHOWN = "␀"
WAREHOUSE_INTEGERS = ("smallint", "integer", "bigint")


@dataclass(frozen=True)
class MysqlColumn:
    """One row of information_schema.COLUMNS. `data_type` in lower case without its length."""

    name: str
    data_type: str
    unsigned: bool = False
    scale: int = 0


@dataclass(frozen=True)
class WarehouseColumn:
    """One row of information_schema.columns."""

    name: str
    data_type: str
    scale: int | None = None


@dataclass(frozen=True)
class Pair:
    """A column of both databases with the SQL of its text in each."""

    mysql: MysqlColumn
    warehouse: WarehouseColumn
    mysql_text: str
    warehouse_text: Composable

    @property
    def name(self) -> str:
        return self.mysql.name

    @property
    def whole(self) -> bool:
        """Both hold whole numbers, so both can sort and divide by value."""
        integral = self.warehouse.data_type in WAREHOUSE_INTEGERS or (
            self.warehouse.data_type == "numeric" and self.warehouse.scale == 0
        )
        return self.mysql.data_type in INTEGERS and integral


def quoted(name: str) -> str:
    """A MySQL identifier."""
    return "`" + name.replace("`", "``") + "`"


def pair(mysql: MysqlColumn, warehouse: WarehouseColumn) -> Pair:
    """The two text forms of one column."""
    return Pair(mysql, warehouse, mysql_text(mysql), warehouse_text(mysql, warehouse))


def mysql_text(column: MysqlColumn) -> str:
    """SQL expression in MySQL; its session must be at time zone +00:00 and in utf8mb4."""
    value, kind = quoted(column.name), column.data_type
    if kind in INTEGERS:
        # Not CAST AS CHAR alone: ZEROFILL would pad, YEAR would write 0000.
        return f"CAST(CAST({value} AS {'UNSIGNED' if column.unsigned else 'SIGNED'}) AS CHAR)"
    if kind == "bit":
        return f"CAST(CAST({value} AS UNSIGNED) AS CHAR)"
    if kind in FLOATS:
        return float_text.of_mysql(value)
    if kind in _BINARIES:
        return f"LOWER(HEX({value}))"
    if kind in ("date", *_MOMENTS):
        form = "%Y-%m-%d" if kind == "date" else "%Y-%m-%d %H:%i:%s.%f"
        return f"IF(MONTH({value}) = 0 OR DAYOFMONTH({value}) = 0, NULL, DATE_FORMAT({value}, '{form}'))"
    if kind == "time":
        # TIME_TO_SEC forgets the sign of less than a second.
        sign = f"IF(LEFT(CAST({value} AS CHAR), 1) = '-', -1, 1)"
        return f"CAST({sign} * (ABS(TIME_TO_SEC({value})) * 1000000 + MICROSECOND({value})) AS CHAR)"
    if kind in ("json", "decimal"):
        return f"CAST({value} AS CHAR)"
    text = f"CONVERT({value} USING utf8mb4)"
    return text if kind in ("enum", "set") else f"REPLACE({text}, _utf8mb4 0x00, '{NUL_SHOWN}')"


def warehouse_text(mysql: MysqlColumn, warehouse: WarehouseColumn) -> Composable:
    """SQL expression in the warehouse for what MySQL's column should have become.

    A column of another type than expected is compared by its plain text: it shows as different, never as equal.
    """
    value: Composable = Identifier(warehouse.name)
    made = _FORMS.get(warehouse.data_type)
    numeric = mysql.data_type == "decimal" and warehouse.data_type == "numeric"
    if numeric and warehouse.scale is not None and warehouse.scale < mysql.scale:
        return SQL("round({}, {})::text").format(value, Literal(mysql.scale))
    return made(value) if made else SQL("{}::text").format(value)


def _moment(form: str) -> Callable[[Composable], Composable]:
    # to_char answers NULL for infinity, which must not pass for a NULL.
    return lambda value: SQL("coalesce(to_char({}, {}), {}::text)").format(value, Literal(form), value)


_FORMS: dict[str, Callable[[Composable], Composable]] = {
    "boolean": lambda value: SQL("{}::integer::text").format(value),
    "real": float_text.of_warehouse,
    "double precision": float_text.of_warehouse,
    "bytea": lambda value: SQL("encode({}, 'hex')").format(value),
    "date": _moment("YYYY-MM-DD"),
    "timestamp without time zone": _moment("YYYY-MM-DD HH24:MI:SS.US"),
}
