"""Exceptions as they stand, and where their rows do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg2.sql import SQL, Identifier

from committer.marts import MartTable
from warehouse.session import Session
from warehouse.statements import columns, table
from waybill.errors import SettingsError
from waybill.raw import MART_SCHEMA

_ALL = (
    "SELECT exception_id, table_name, row_key, order_id, exception_type, detected_at, notes, resolved_at,"
    " resolution_notes FROM settlement_ods.order_tracking_exceptions"
)
_FILTER = " WHERE (%(all)s OR resolved_at IS NULL) AND (%(type)s = '' OR exception_type = %(type)s)" + (
    " AND (%(table)s = '' OR table_name = %(table)s)"
)


@dataclass(frozen=True)
class Row:
    """One exception. `row_key` is '' for a whole table. Times UTC; `resolved_at` None: open."""

    exception_id: int
    table_name: str
    row_key: str
    order_id: int | None
    exception_type: str
    detected_at: datetime
    notes: str
    resolved_at: datetime | None
    resolution_notes: str | None


@dataclass(frozen=True)
class Choice:
    """Which ones: '' is any; `resolved` those too that are resolved."""

    type: str = ""
    table: str = ""
    resolved: bool = False

    @property
    def values(self) -> dict[str, object]:
        return {"type": self.type, "table": self.table, "all": self.resolved}


def newest(session: Session, choice: Choice, most: int) -> list[Row]:
    """At most `most`, open ones first, the newest first."""
    found = session.rows(
        _ALL + _FILTER + " ORDER BY resolved_at IS NOT NULL, exception_id DESC LIMIT %(most)s",
        choice.values | {"most": most},
        doing="reading the exceptions",
    )
    return [Row(**row) for row in found]


def open_by_type(session: Session, choice: Choice) -> dict[str, int]:
    """How many are open of each type, whether `newest` shows them or not."""
    found = session.rows(
        "SELECT exception_type, count(*) AS n FROM settlement_ods.order_tracking_exceptions"
        + _FILTER
        + " GROUP BY exception_type ORDER BY exception_type",
        Choice(choice.type, choice.table).values,
    )
    return {row["exception_type"]: row["n"] for row in found}


def by_id(session: Session, ids: Sequence[int]) -> list[Row]:
    """These, in this order. Raises `SettingsError` naming those that there are not."""
    found = {row["exception_id"]: Row(**row) for row in session.rows(_ALL + " WHERE exception_id IN %s", (tuple(ids),))}
    unknown = [number for number in dict.fromkeys(ids) if number not in found]
    if unknown:
        raise SettingsError(
            f"there is no exception {', '.join(map(str, unknown))}", todo="waybill exceptions list --all"
        )
    return [found[number] for number in dict.fromkeys(ids)]


def key_of(session: Session, mart: MartTable, row_key: str) -> tuple[str, ...] | None:
    """The key's columns as text, for the engine to read as their types; None when no row of the mart has it.

    A text in a key may hold the '/' that stands between two columns: then the mart is searched, which is slow.
    """
    parts = tuple(row_key.split("/"))
    if len(parts) == len(mart.key):
        return parts
    if len(mart.key) == 1:
        return (row_key,)
    texts = [SQL("CAST({} AS varchar)").format(Identifier(name)) for name in mart.key]
    found = session.row(
        SQL("SELECT {} FROM {} WHERE {} = %s").format(
            columns(mart.key), table(MART_SCHEMA, mart.mart.name), SQL(" || '/' || ").join(texts)
        ),
        (row_key,),
    )
    return tuple(str(value) for value in found.values()) if found else None


def stands_in(session: Session, mart: MartTable, key: Sequence[str]) -> list[str]:
    """The tables in which a row of this key stands: one, unless something is wrong."""
    own = SQL(" AND ").join(SQL("{} = %s").format(Identifier(name)) for name in mart.key)
    tables = [place.table for place in mart.places] + [f"{mart.mart.name}_removed"]
    return [
        name
        for name in tables
        if session.row(SQL("SELECT 1 AS found FROM {} WHERE {}").format(table(MART_SCHEMA, name), own), list(key))
    ]
