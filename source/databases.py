"""How the source's databases are reached and made: names, connections, tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from waybill.errors import RefusedError, SettingsError, UnreachableError

SCHEMA = Path(__file__).parent / "schema"
ORDER_TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")
PIPELINE_TABLES = ("heartbeat", "signal", "freshness")

# Strict, but zero dates are allowed: the source is older than NO_ZERO_DATE.
SQL_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION"

LOST = frozenset({1053, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2013, 2014, 2055, 3169, 4031})
"""Error numbers after which the connection is gone and the server may be back in a moment."""

DENIED = frozenset({1044, 1045, 1142, 1227, 1698})

Connect = Callable[[], "Connection[Cursor]"]
"""Opens a connection in no database, with the session settings of `connect`."""


@dataclass(frozen=True)
class Databases:
    """Names of the two databases: the carrier's orders, and the pipeline's heartbeat, signals and markers."""

    orders: str = "kuaisong"
    pipeline: str = "waybill"


@dataclass(frozen=True)
class Server:
    """Where a MySQL answers. `password` is not printed. `encrypted`: use TLS where the server offers it."""

    host: str
    port: int
    user: str
    password: str
    encrypted: bool = True

    def __repr__(self) -> str:
        return f"{self.user}@{self.host}:{self.port}"

    def connect(self) -> Connection[Cursor]:
        """A connection in UTC, utf8mb4, strict but with zero dates, autocommit off, LOAD DATA LOCAL allowed.

        Raises `UnreachableError` if nobody answers, `SettingsError` if the user is refused.
        """
        try:
            return pymysql.connect(
                host=self.host,
                port=self.port,
                user=self.user,
                password=self.password,
                charset="utf8mb4",
                sql_mode=SQL_MODE,
                init_command="SET time_zone = '+00:00', transaction_isolation = 'READ-COMMITTED'",
                autocommit=False,
                local_infile=True,
                ssl_disabled=not self.encrypted,
                connect_timeout=5,
                read_timeout=120,
                write_timeout=120,
            )
        except pymysql.err.MySQLError as error:
            raise translated(error, f"MySQL at {self!r}") from error


def number(error: BaseException) -> int:
    """MySQL's error number, 0 if there is none."""
    args = getattr(error, "args", ())
    return args[0] if args and isinstance(args[0], int) else 0


def is_lost(error: BaseException) -> bool:
    """Whether the connection is gone, so that nobody knows what a COMMIT did."""
    return number(error) in LOST or isinstance(error, pymysql.err.InterfaceError | OSError)


def translated(error: pymysql.err.MySQLError, what: str) -> Exception:
    """The driver's error as one of waybill's, by what the caller should do."""
    text = str(error.args[1]) if len(error.args) > 1 else str(error)
    if number(error) in DENIED:
        return SettingsError(
            f"{what} refuses the user: {text}",
            todo="set WAYBILL_MYSQL_USER and WAYBILL_MYSQL_PASSWORD to a user who may create databases",
        )
    if is_lost(error):
        return UnreachableError(
            f"{what} does not answer: {text}",
            kept="what was committed stays; an unfinished transaction is rolled back by MySQL",
            todo="waybill stack status, then the same command again",
        )
    return RefusedError(f"{what} refuses: {text} (error {number(error)})")


@contextmanager
def session(connect: Connect, database: str = "") -> Iterator[Cursor]:
    """A cursor in `database`, committed at the end, rolled back on an error, its connection closed.

    Driver errors become waybill's.
    """
    connection = connect()
    try:
        with connection.cursor() as cursor:
            if database:
                cursor.execute(f"USE {quoted(database)}")
            yield cursor
        connection.commit()
    except pymysql.err.MySQLError as error:
        raise translated(error, "MySQL") from error
    finally:
        if connection.open:
            connection.close()


def quoted(name: str) -> str:
    """An identifier in back quotes."""
    return "`" + name.replace("`", "``") + "`"


def create(connect: Connect, databases: Databases) -> None:
    """Make both databases and their tables where they are missing. A second call changes nothing."""
    for database, tables in ((databases.orders, ORDER_TABLES), (databases.pipeline, PIPELINE_TABLES)):
        with session(connect) as cursor:
            cursor.execute("SELECT 1 FROM information_schema.schemata WHERE schema_name = %s", (database,))
            if not cursor.fetchone():
                cursor.execute(f"CREATE DATABASE {quoted(database)} CHARACTER SET utf8mb4 COLLATE utf8mb4_0900_ai_ci")
        present = tables_of(connect, database)
        with session(connect, database) as cursor:
            for table in tables:
                if table not in present:
                    cursor.execute((SCHEMA / f"{table}.sql").read_text(encoding="utf-8"))


def drop_orders(connect: Connect, databases: Databases) -> None:
    """Drop the three tables of orders; the databases and the pipeline's tables stay."""
    present = tables_of(connect, databases.orders)
    if not present:
        return
    with session(connect, databases.orders) as cursor:
        for table in ORDER_TABLES:
            if table in present:
                cursor.execute(f"DROP TABLE {quoted(table)}")


def tables_of(connect: Connect, database: str) -> set[str]:
    """Names of the tables of a database; empty if there is no such database."""
    with session(connect) as cursor:
        cursor.execute("SELECT table_name FROM information_schema.tables WHERE table_schema = %s", (database,))
        return {str(row[0]) for row in cursor.fetchall()}


def columns(table: str) -> tuple[str, ...]:
    """Column names of one of the tables, in order, as its SQL file declares them."""
    names: list[str] = []
    inside = False
    for line in (SCHEMA / f"{table}.sql").read_text(encoding="utf-8").splitlines():
        if line.startswith("CREATE TABLE"):
            inside = True
        elif inside and line.startswith("  "):
            word = line.split()[0]
            if word not in ("PRIMARY", "UNIQUE", "KEY"):
                names.append(word.strip("`"))
    return tuple(names)


def first_row(cursor: Cursor, sql: str, params: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
    """The first row of a query, or None."""
    cursor.execute(sql, params)
    row = cursor.fetchone()
    return tuple(row) if row is not None else None
