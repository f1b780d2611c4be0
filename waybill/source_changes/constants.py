"""The constant that rows older than a column have in it, without any row event: text to value."""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any

from waybill.types import Kind, SourceColumn, decimal_shape


def implicit(column: SourceColumn, members: list[str] | None = None) -> str | None:
    """What MySQL puts into rows there are when a NOT NULL column without DEFAULT is added. None: NULL.

    Source: MySQL Reference Manual, "Data Type Default Values". Zero dates are NULL throughout waybill.
    """
    if column.nullable or column.kind in (Kind.DATE, Kind.DATETIME, Kind.TIMESTAMP):
        return None
    if column.type.upper() == "ENUM":
        return members[0] if members else ""
    if column.kind is Kind.JSON:
        return "null"
    return "" if column.kind in (Kind.TEXT, Kind.BINARY) else "0"


def value(column: SourceColumn, text: str | None) -> Any:
    """The constant as a Python value of the column's kind; None for NULL and for zero dates.

    Raises ValueError for a text that is no such constant.
    """
    if text is None:
        return None
    match column.kind:
        case Kind.INTEGER | Kind.UNSIGNED_BIGINT | Kind.BITS:
            return int(_number(text))
        case Kind.DECIMAL:
            shape = decimal_shape(column)
            return _number(text).quantize(Decimal(1).scaleb(-shape[1]), ROUND_HALF_UP) if shape else text
        case Kind.REAL | Kind.DOUBLE:
            return float(_number(text))
        case Kind.BOOLEAN:
            return text.lower() in ("1", "true")
        case Kind.BINARY:
            return text.encode()
        case Kind.DATE:
            return None if text.startswith("0000-00") else date.fromisoformat(text[:10])
        case Kind.DATETIME | Kind.TIMESTAMP:
            if text.startswith("0000-00"):
                return None
            found = datetime.fromisoformat(text)
            return found if column.length else found.replace(microsecond=0)
        case Kind.TIME:
            return _microseconds(text)
        case _:
            return text


def _number(text: str) -> Decimal:
    try:
        return Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is no number") from error


def _microseconds(text: str) -> int:
    found = re.fullmatch(r"(-?)(\d+):(\d+)(?::(\d+)(?:\.(\d+))?)?", text.strip())
    if found is None:
        if re.fullmatch(r"0+(\.0+)?", text.strip()):
            return 0
        raise ValueError(f"{text!r} is no time of the form hh:mm:ss")
    hours, minutes, seconds = int(found[2]), int(found[3]), int(found[4] or 0)
    micros = int((found[5] or "0").ljust(6, "0")[:6])
    total = ((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros
    return -total if found[1] else total
