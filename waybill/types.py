"""What each MySQL type becomes: one row a type, for Parquet, PostgreSQL and Redshift alike.

The same value is built from MySQL's own catalogue (when tables are made) and from the Avro schema of an event
(when it is decoded; the connector propagates the source's types), so both sides agree without talking.
Lengths of text are in bytes. Sources: Debezium documentation, "MySQL connector: data type mappings"; MySQL
Reference Manual, "Data Types"; Amazon Redshift Developer Guide, "Data types".
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

MAX_VARCHAR = 65_535
MAX_PRECISION = 38


class Kind(Enum):
    """How a value travels on the wire and what is made of it; see `consumers/values.py`."""

    INTEGER = "integer"
    UNSIGNED_BIGINT = "unsigned bigint"  # a signed long, read as unsigned
    DECIMAL = "decimal"  # text
    REAL = "real"
    DOUBLE = "double"
    BOOLEAN = "boolean"  # bit(1)
    BITS = "bits"  # little-endian bytes
    TEXT = "text"
    BINARY = "binary"  # base64 text
    DATE = "date"  # days
    TIME = "time"  # microseconds, may be negative or over a day
    DATETIME = "datetime"  # milliseconds or microseconds, see the schema's name
    TIMESTAMP = "timestamp"  # ISO text with Z
    JSON = "json"  # the text that MySQL writes, see connect/converter/JsonText


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """One column of a MySQL table.

    `type` is MySQL's type name in capitals with UNSIGNED where it has it; `length` is characters for text,
    precision for decimals, bits for BIT, fraction digits for times; `width` is the most bytes a text value
    can have (0: not known, or more than a varchar holds).
    """

    name: str
    type: str
    length: int | None = None
    scale: int | None = None
    nullable: bool = True
    width: int = 0
    comment: str = ""

    @property
    def warehouse_name(self) -> str:
        """Lower case: Redshift folds names, and an analyst's unquoted `pathTime` must find it on both engines."""
        return self.name.lower()

    @property
    def kind(self) -> Kind:
        """Raises KeyError for a type that cannot be carried (geometry, vector)."""
        base = self.type.upper().replace(" ZEROFILL", "")
        if base.startswith("BIGINT") and "UNSIGNED" in base:
            return Kind.UNSIGNED_BIGINT
        word = base.split(" ")[0].split("(")[0]
        if word == "BIT":
            return Kind.BOOLEAN if self.length in (None, 1) else Kind.BITS
        return _KINDS[word]

    @property
    def postgres(self) -> str:
        """The column's type in PostgreSQL."""
        return _sql_type(self, redshift=False)

    @property
    def redshift(self) -> str:
        """The column's type in Redshift."""
        return _sql_type(self, redshift=True)


_KINDS = {
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "YEAR", "BOOL", "BOOLEAN"),
        Kind.INTEGER,
    ),
    **dict.fromkeys(("DECIMAL", "NUMERIC", "DEC", "FIXED"), Kind.DECIMAL),
    "FLOAT": Kind.REAL,
    "DOUBLE": Kind.DOUBLE,
    "REAL": Kind.DOUBLE,
    **dict.fromkeys(
        ("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "ENUM", "SET", "NCHAR", "NVARCHAR"),
        Kind.TEXT,
    ),
    **dict.fromkeys(("BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"), Kind.BINARY),
    "DATE": Kind.DATE,
    "TIME": Kind.TIME,
    "DATETIME": Kind.DATETIME,
    "TIMESTAMP": Kind.TIMESTAMP,
    "JSON": Kind.JSON,
}


def integer_bits(column: SourceColumn) -> int:
    """16, 32 or 64: the signed integer that holds every value of the column."""
    base = column.type.upper().split(" ")[0].split("(")[0]
    unsigned = "UNSIGNED" in column.type.upper()
    if base in ("TINYINT", "BOOL", "BOOLEAN", "YEAR"):
        return 16
    if base == "SMALLINT":
        return 32 if unsigned else 16
    if base == "MEDIUMINT":
        return 32
    if base in ("INT", "INTEGER"):
        return 64 if unsigned else 32
    return 64


def decimal_shape(column: SourceColumn) -> tuple[int, int] | None:
    """(precision, scale) of a decimal column, or None when no decimal is wide enough and text carries it."""
    if column.kind is Kind.UNSIGNED_BIGINT:
        return (20, 0)
    if column.kind is Kind.BITS:
        return (20, 0) if (column.length or 1) > 63 else None
    precision = 10 if column.length is None else column.length
    return (precision, column.scale or 0) if precision <= MAX_PRECISION else None


def _text_type(width: int, redshift: bool) -> str:
    if 0 < width <= MAX_VARCHAR:
        return f"varchar({width})"
    return f"varchar({MAX_VARCHAR})" if redshift else "text"


def _sql_type(column: SourceColumn, redshift: bool) -> str:
    kind = column.kind
    shape = decimal_shape(column) if kind in (Kind.DECIMAL, Kind.UNSIGNED_BIGINT, Kind.BITS) else None
    if shape:
        return f"decimal({shape[0]},{shape[1]})"
    match kind:
        case Kind.INTEGER:
            return {16: "smallint", 32: "integer", 64: "bigint"}[integer_bits(column)]
        case Kind.DECIMAL:
            return _text_type((column.length or 65) + 3, redshift)
        case Kind.REAL:
            return "real"
        case Kind.DOUBLE:
            return "double precision"
        case Kind.BOOLEAN:
            return "boolean"
        case Kind.BITS | Kind.TIME:
            return "bigint"
        case Kind.BINARY:
            return f"varbyte({min(column.width or 1_024_000, 1_024_000)})" if redshift else "bytea"
        case Kind.DATE:
            return "date"
        case Kind.DATETIME | Kind.TIMESTAMP:
            return "timestamp"
        case _:
            return _text_type(column.width, redshift)
