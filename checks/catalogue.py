"""What is compared: a MySQL table and its mart, column by column, as the two databases describe themselves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from checks.column_text import MysqlColumn, Pair, WarehouseColumn, pair
from checks.mysql import MysqlSession
from warehouse.session import Session
from waybill.errors import SettingsError

# When a row was deleted at the source, by what the mart does with such rows: MySQL has none of them.
GONE = ("_deleted_at", "_source_deleted")


@dataclass(frozen=True)
class Subject:
    """A table to compare: `source` is database.table, the mart stands in `schema`."""

    source: str
    schema: str
    mart: str

    @property
    def database(self) -> str:
        return self.source.partition(".")[0]

    @property
    def table(self) -> str:
        return self.source.partition(".")[2]


@dataclass(frozen=True)
class Shape:
    """The columns that both have, the key in the order of MySQL's PRIMARY KEY.

    `absent` are columns of MySQL that the mart lacks; `estimate` is MySQL's guess of the rows. `history` are the mart's
    history tables: a row stands in one of them or in the mart.
    """

    subject: Subject
    columns: tuple[Pair, ...]
    key: tuple[Pair, ...]
    absent: tuple[str, ...]
    estimate: int
    history: tuple[str, ...] = ()

    @property
    def rest(self) -> tuple[Pair, ...]:
        """The columns outside the key."""
        return tuple(c for c in self.columns if c not in self.key)


def read(mysql: MysqlSession, session: Session, subject: Subject) -> Shape:
    """Raises `SettingsError` when either table is not there or the source has no primary key."""
    source = _mysql_columns(mysql, subject)
    mart = _warehouse_columns(session, subject)
    if not source:
        raise SettingsError(f"{mysql.where} has no table {subject.source}")
    if not mart:
        raise SettingsError(f"the warehouse has no {subject.schema}.{subject.mart}", todo="waybill schema apply")
    # Warehouse names are the source's in lower case, for engines that fold them.
    pairs = {c.name: pair(c, mart[c.name.lower()]) for c in source if c.name.lower() in mart}
    key = _primary_key(mysql, subject)
    missing = [name for name in key if name not in pairs]
    if not key or missing:
        raise SettingsError(
            f"{subject.source} cannot be compared: "
            + (f"its key column {missing[0]} is not in {subject.mart}" if missing else "it has no primary key")
        )
    return Shape(
        subject,
        tuple(pairs.values()),
        tuple(pairs[name] for name in key),
        tuple(c.name for c in source if c.name not in pairs),
        _estimate(mysql, subject),
        _history(session, subject),
    )


def _mysql_columns(mysql: MysqlSession, subject: Subject) -> list[MysqlColumn]:
    rows = mysql.rows(
        "SELECT COLUMN_NAME AS name, LOWER(DATA_TYPE) AS data_type, COLUMN_TYPE AS full_type,"
        " NUMERIC_SCALE AS scale FROM information_schema.COLUMNS"
        " WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s ORDER BY ORDINAL_POSITION",
        (subject.database, subject.table),
    )
    return [
        MysqlColumn(r["name"], str(r["data_type"]), "unsigned" in str(r["full_type"]).lower(), int(r["scale"] or 0))
        for r in rows
    ]


def _primary_key(mysql: MysqlSession, subject: Subject) -> list[str]:
    rows = mysql.rows(
        "SELECT COLUMN_NAME AS name FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = %s"
        " AND TABLE_NAME = %s AND INDEX_NAME = 'PRIMARY' ORDER BY SEQ_IN_INDEX",
        (subject.database, subject.table),
    )
    return [str(r["name"]) for r in rows]


def _estimate(mysql: MysqlSession, subject: Subject) -> int:
    found = mysql.value(
        "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = %s AND TABLE_NAME = %s",
        (subject.database, subject.table),
    )
    return int(found or 0)


def _history(session: Session, subject: Subject) -> tuple[str, ...]:
    if session.row("SELECT to_regclass('settlement_ods.mart_places') AS found") == {"found": None}:
        return ()
    found = session.rows(
        "SELECT table_name FROM settlement_ods.mart_places WHERE mart = %s ORDER BY place", (subject.mart,)
    )
    return tuple(str(row["table_name"]) for row in found)


def _warehouse_columns(session: Session, subject: Subject) -> dict[str, WarehouseColumn]:
    rows: Iterable[dict[str, object]] = session.rows(
        "SELECT column_name, data_type, numeric_scale FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s",
        (subject.schema, subject.mart),
    )
    return {
        str(r["column_name"]): WarehouseColumn(
            str(r["column_name"]),
            str(r["data_type"]),
            None if r["numeric_scale"] is None else int(str(r["numeric_scale"])),
        )
        for r in rows
    }
