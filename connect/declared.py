"""Tables that are declared while the connector already runs: it captures them from then on, and has to read what stood
in them before, by an incremental snapshot.

What is still to be read is kept in the signal table (rows of type `waybill-declared`, which Debezium passes over), so
that an apply that was broken off between the settings and the signal is made up for by the next.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import pymysql
from pymysql.cursors import Cursor

from connect import signals
from waybill.addresses import Mysql
from waybill.errors import RefusedError, SettingsError, UnreachableError

_KIND = "waybill-declared"
_ESCAPED = re.compile(r"\\(.)")


@dataclass(frozen=True)
class Difference:
    """Tables, each `database.table`, that new settings of a connector capture for the first time or no longer."""

    added: tuple[str, ...]
    gone: tuple[str, ...]


def difference(before: Mapping[str, str] | None, after: Mapping[str, str]) -> Difference:
    """Empty for a new connector, which reads every table in its first snapshot.

    Raises `RefusedError` for a table of a database that the connector has not followed: it knows no table of it.
    """
    if before is None:
        return Difference((), ())
    old, new = _names(before, "table.include.list"), _names(after, "table.include.list")
    databases = _names(before, "database.include.list")
    strange = sorted(table for table in new - old if table.split(".")[0] not in databases)
    if strange:
        raise RefusedError(
            f"{strange[0]} is in a database that the connector has not followed, so it knows none of its tables",
            kept="the connector goes on with its present settings",
            todo="give that database a pipeline of its own, or begin anew: waybill connect delete --offsets,"
            " waybill connect apply (a new first snapshot of every table)",
        )
    return Difference(tuple(sorted(new - old)), tuple(sorted(old - new)))


def _names(config: Mapping[str, str], key: str) -> set[str]:
    return {_ESCAPED.sub(r"\1", name) for name in config.get(key, "").split(",") if name}


class Declared:
    """What of `connector`'s tables is still to be read, in the signal table `database.table`.

    Methods raise `UnreachableError` when MySQL does not answer, `SettingsError` when it refuses.
    """

    def __init__(self, address: Mysql, signal_table: str, connector: str) -> None:
        self._address = address
        self._signal_table = signal_table
        self._table = ".".join(f"`{part}`" for part in signal_table.split("."))
        self._connector = connector

    def note(self, tables: Sequence[str]) -> None:
        """These are to be read once the connector captures them. Noting again changes nothing."""
        with self._cursor() as cursor:
            for table in tables:
                cursor.execute(
                    f"INSERT IGNORE INTO {self._table} (id, type, data) VALUES (%s, %s, %s)",
                    (self._id(table), _KIND, f"{self._connector} {table}"),
                )

    def waiting(self) -> list[str]:
        """Those noted and not asked for yet."""
        with self._cursor() as cursor:
            cursor.execute(f"SELECT data FROM {self._table} WHERE type = %s ORDER BY data", (_KIND,))
            found = [str(row[0]).partition(" ") for row in cursor.fetchall()]
        return [table for connector, _, table in found if connector == self._connector]

    def ask(self, wanted: Sequence[str], say: Callable[[str], None]) -> list[str]:
        """Ask the running connector for an incremental snapshot of all that wait; answers their names.

        Only of `wanted`: what has been taken out of the file since is forgotten. A snapshot asked for twice is read
        twice and changes nothing.
        """
        waiting = self.waiting()
        asked = [table for table in waiting if table in wanted]
        if asked:
            number = signals.read_again(self._address, self._signal_table, asked)
            say(f"{', '.join(asked)}: the connector reads what stands there (incremental snapshot, signal {number})")
        if waiting:
            with self._cursor() as cursor:
                for table in waiting:
                    cursor.execute(f"DELETE FROM {self._table} WHERE id = %s", (self._id(table),))
        return asked

    def _id(self, table: str) -> str:
        return f"declared-{hashlib.sha256(f'{self._connector} {table}'.encode()).hexdigest()[:32]}"

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        at = self._address
        try:
            connection = pymysql.connect(
                host=at.host, port=at.port, user=at.user, password=at.password.get_secret_value(), autocommit=True,
                charset="utf8mb4", connect_timeout=10, read_timeout=30,
            )  # fmt: skip
        except pymysql.MySQLError as error:
            raise UnreachableError(
                f"MySQL at {at.host}:{at.port} does not answer: {error}", todo="waybill stack status"
            ) from error
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except pymysql.MySQLError as error:
            raise SettingsError(
                f"MySQL refuses the signal table {self._signal_table}: {error}",
                kept="the connector goes on with its present settings",
                todo="the user needs SELECT, INSERT and DELETE on it; waybill doctor",
            ) from error
