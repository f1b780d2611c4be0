"""The source's own description of its tables: columns with types, lengths and comments, and the primary key."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pymysql

from waybill.addresses import Mysql
from waybill.errors import SettingsError, UnreachableError
from waybill.types import SourceColumn

# Most bytes one character takes in UTF-8, by the column's character set.
_BYTES_A_CHARACTER = {"utf8mb4": 4, "utf8mb3": 3, "utf8": 3, "ascii": 1}
_TEXT_BLOBS = ("tinytext", "text", "mediumtext", "longtext")

_COLUMNS = """
SELECT column_name, data_type, column_type, character_maximum_length, character_set_name,
       numeric_precision, numeric_scale, datetime_precision, is_nullable, column_comment
FROM information_schema.columns WHERE table_schema = %s AND table_name = %s ORDER BY ordinal_position
"""
_KEY = """
SELECT column_name FROM information_schema.key_column_usage
WHERE table_schema = %s AND table_name = %s AND constraint_name = 'PRIMARY' ORDER BY ordinal_position
"""


@dataclass(frozen=True, slots=True)
class SourceTable:
    """A table as MySQL describes it."""

    name: str
    columns: tuple[SourceColumn, ...]
    primary_key: tuple[str, ...]

    def column(self, name: str) -> SourceColumn | None:
        """By name, None when there is no such column."""
        return next((c for c in self.columns if c.name == name), None)


def read(address: Mysql, names: Iterable[str]) -> dict[str, SourceTable]:
    """Describe tables, each named `database.table`; one that does not exist is left out.

    Raises `UnreachableError` when MySQL does not answer.
    """
    try:
        connection = pymysql.connect(
            host=address.host, port=address.port, user=address.user,
            password=address.password.get_secret_value(), charset="utf8mb4", connect_timeout=10,
            read_timeout=30,
        )  # fmt: skip
        with closing(connection), connection.cursor() as cursor:
            found = {}
            for name in names:
                place = tuple(name.split("."))
                cursor.execute(_COLUMNS, place)
                columns = tuple(_column(row) for row in cursor.fetchall())
                cursor.execute(_KEY, place)
                key = tuple(str(row[0]) for row in cursor.fetchall())
                if columns:
                    found[name] = SourceTable(name, columns, key)
            return found
    except pymysql.MySQLError as error:
        raise UnreachableError(
            f"MySQL at {address.host}:{address.port} does not answer: {error}", todo="waybill stack status"
        ) from error


def executed(address: Mysql) -> str:
    """The GTID set that MySQL has executed. Raises `UnreachableError` when it does not answer."""
    try:
        connection = pymysql.connect(
            host=address.host, port=address.port, user=address.user,
            password=address.password.get_secret_value(), charset="utf8mb4", connect_timeout=10,
            read_timeout=30,
        )  # fmt: skip
        with closing(connection), connection.cursor() as cursor:
            cursor.execute("SELECT @@global.gtid_executed")
            return "".join(str(cursor.fetchall()[0][0]).split())
    except pymysql.MySQLError as error:
        raise UnreachableError(
            f"MySQL at {address.host}:{address.port} does not answer: {error}", todo="waybill stack status"
        ) from error


def _column(row: tuple[Any, ...]) -> SourceColumn:
    name, data_type, column_type, characters, charset, precision, scale, fraction, nullable, comment = row
    unsigned = " UNSIGNED" if "unsigned" in str(column_type) else ""
    length = characters if characters is not None else precision if precision is not None else fraction
    width = 0
    if characters is not None and data_type not in ("json",):
        if data_type in _TEXT_BLOBS and charset in _BYTES_A_CHARACTER:
            width = int(characters)  # MySQL gives the length of TEXT types in bytes already
        else:
            width = int(characters) * (_BYTES_A_CHARACTER.get(charset, 3) if charset else 1)
    return SourceColumn(
        name=str(name), type=f"{data_type.upper()}{unsigned}", length=None if length is None else int(length),
        scale=None if scale is None else int(scale), nullable=nullable == "YES", width=width,
        comment=str(comment or ""),
    )  # fmt: skip


def refuse_mismatch(source: str, place: str, key: list[str], event_time: str | None, found: SourceTable | None) -> None:
    """Raises `SettingsError` with the place in the pipeline file when what it says is not so at the source.

    `place` is e.g. `tables[0]`.
    """
    if found is None:
        raise SettingsError(
            f"{place}.source: there is no table {source} at the source", todo="waybill seed, or correct the name"
        )
    names = ", ".join(c.name for c in found.columns)
    for number, name in enumerate(key):
        if found.column(name) is None:
            raise SettingsError(f"{place}.key[{number}]: {source} has no column {name!r}; it has {names}")
    if not found.primary_key:
        raise SettingsError(f"{place}: {source} has no primary key, so its rows cannot be told apart")
    if tuple(key) != found.primary_key:
        raise SettingsError(f"{place}.key: found {key}, the primary key of {source} is {list(found.primary_key)}")
    if event_time is not None and found.column(event_time) is None:
        raise SettingsError(f"{place}.event_time: {source} has no column {event_time!r}; it has {names}")
    for column in found.columns:
        try:
            _ = column.kind
        except KeyError as error:
            raise SettingsError(
                f"{place}: column {column.name} of {source} has type {column.type}, which cannot be carried"
            ) from error
