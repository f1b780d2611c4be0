"""What a column of the source can hold at most: a damaged message may carry what its own schema says it cannot.

Without these checks such a value would be refused by the warehouse only, and stop its table for one bad message.
Checked on whole columns; the usual answer comes from one minimum and maximum.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from waybill.types import Kind, SourceColumn

# The years 0000 to 9999: MySQL's, and inside every warehouse's.
_FIRST_DAY, _LAST_DAY = -719_528, 2_932_896
_MICROS_A_DAY = 86_400_000_000
_TEXTS = {"TINYTEXT": 255, "TEXT": 65_535, "ENUM": 255, "SET": 64 * 256}  # characters, bytes at most
_SIZED = ("CHAR", "VARCHAR", "NCHAR", "NVARCHAR")


def refuse_misfit(column: SourceColumn, values: pa.ChunkedArray) -> None:
    """Raises ValueError when a value is none that MySQL's column can hold. `values` are in their exact type."""
    match column.kind:
        case Kind.DATE:
            outside(values.cast(pa.int32()), _FIRST_DAY, _LAST_DAY, "a day beyond the years 0 to 9999")
        case Kind.DATETIME | Kind.TIMESTAMP:
            refuse_time(values)
        case Kind.TEXT:
            word = column.type.split(" ")[0].split("(")[0]
            most = column.length if word in _SIZED else _TEXTS.get(word)
            if most is not None:
                refuse_long(values, most)


def refuse_time(values: pa.ChunkedArray) -> None:
    """Raises ValueError for a timestamp in microseconds that lies beyond the years 0 to 9999."""
    first, last = _FIRST_DAY * _MICROS_A_DAY, (_LAST_DAY + 1) * _MICROS_A_DAY - 1
    outside(values.cast(pa.int64()), first, last, "a time beyond the years 0 to 9999")


def refuse_long(values: pa.ChunkedArray, most: int) -> None:
    """Raises ValueError for a text of more than `most` characters."""
    # A text has no more characters than bytes, and bytes need not be looked at to be counted.
    longest = pc.max(pc.binary_length(values)).as_py()
    if longest is not None and longest > most:
        longest = pc.max(pc.utf8_length(values)).as_py()
        if longest > most:
            raise ValueError(f"a text of {longest} characters, where {most} are the most")


def outside(values: pa.ChunkedArray, first: int, last: int, what: str) -> None:
    """Raises ValueError with `what` when an integer is not within [first, last]."""
    found = pc.min_max(values).as_py()
    if found["min"] is not None and (found["min"] < first or found["max"] > last):
        raise ValueError(what)
