"""One form for a value, from the literal that mysqlbinlog prints and from the text that the warehouse prints.

Written for this comparison alone: it shares nothing with the conversions of the pipeline. NULL and zero dates are None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0"}
_UNSIGNED = re.compile(r"^-?\d+ \((\d+)\)$")
_NO_DATE = re.compile(r"^\d{4}[:-](00[:-]\d\d|\d\d[:-]00)")


@dataclass(frozen=True)
class Column:
    """A column as the binlog declares it: `declared` begins with MySQL's type; `labels` are those of an enum."""

    name: str
    declared: str
    labels: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """The first word of the declaration, in capitals."""
        found = re.match(r"[A-Za-z]+", self.declared)
        return found.group(0).upper() if found else ""


def from_binlog(column: Column, literal: str) -> str | None:
    """`literal` is what stands between `@n=` and the comment. Raises ValueError for a type that has no form here."""
    if literal == "NULL":
        return None
    text = unquoted(literal) if literal.startswith("'") else literal
    unsigned = _UNSIGNED.match(text)
    if unsigned:
        text = unsigned.group(1) if "UNSIGNED" in column.declared.upper() else text.split(" ")[0]
    if column.type == "ENUM":
        return column.labels[int(text) - 1] if int(text) else ""
    if column.type == "TIMESTAMP":
        return _from_epoch(text)
    if column.type == "JSON":
        return _json_of_binlog(text)
    return _form(column, text.replace(":", "-", 2) if column.type == "DATE" else text)


def from_warehouse(column: Column, text: str | None) -> str | None:
    """`text` is the value cast to text by the warehouse, its time zone UTC."""
    if text is None or column.type in ("ENUM", "TIME"):
        return text
    return _form(column, text)


def unquoted(literal: str) -> str:
    """The text of a quoted literal, its escapes undone."""
    return _ESCAPE.sub(_unescaped, literal[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    what = found.group(1)
    return chr(int(what[1:], 16)) if len(what) == 3 else _ESCAPED.get(what, what)


def _form(column: Column, text: str) -> str | None:
    return _FORMS[column.type](text)


def _same(text: str) -> str:
    return text


def _decimal(text: str) -> str:
    return f"{Decimal(text).normalize():f}"


def _double(text: str) -> str:
    return repr(float(text))


def _date(text: str) -> str | None:
    return None if _NO_DATE.match(text) else text


def _moment(text: str) -> str | None:
    """A fraction loses the zeros at its end."""
    return None if _NO_DATE.match(text) else text.rstrip("0").rstrip(".") if "." in text else text


def _from_epoch(text: str) -> str | None:
    if not Decimal(text):
        return None
    whole, _, fraction = text.partition(".")
    at = datetime.fromtimestamp(0, UTC) + timedelta(seconds=int(whole), microseconds=int(fraction.ljust(6, "0")))
    return _moment(at.strftime("%Y-%m-%d %H:%M:%S.%f"))


def _time(text: str) -> str:
    """Microseconds, signed."""
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = text.lstrip("-").split(":")
    whole, _, fraction = seconds.partition(".")
    micros = (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * 1_000_000 + int((fraction or "0").ljust(6, "0"))
    return str(sign * micros)


def _json(text: str) -> str:
    """MySQL's JSON has integers of 64 bits; a longer one is a double that was written out."""
    return json.dumps(json.loads(text, parse_int=_json_integer), sort_keys=True, ensure_ascii=True)


def _json_of_binlog(text: str) -> str:
    """mysqlbinlog prints a document that is one string without its quotes."""
    try:
        return _json(text)
    except ValueError:
        return json.dumps(text, ensure_ascii=True)


def _json_integer(text: str) -> int | float:
    value = int(text)
    return value if -(2**63) <= value < 2**64 else float(text)


_FORMS: dict[str, Callable[[str], str | None]] = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT", "YEAR"), _same),
    **dict.fromkeys(("CHAR", "VARCHAR", "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"), _same),
    "DECIMAL": _decimal,
    "DOUBLE": _double,
    "DATE": _date,
    "DATETIME": _moment,
    "TIMESTAMP": _moment,
    "TIME": _time,
    "JSON": _json,
}
