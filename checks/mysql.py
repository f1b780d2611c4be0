"""A MySQL connection for checks: one consistent snapshot whose GTID set is known exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pymysql
import pymysql.cursors
from pymysql.constants import ER

from waybill.addresses import Mysql
from waybill.clock import Clock
from waybill.errors import SettingsError, UnreachableError, WaybillError
from waybill.gtid import GtidSet

_TRIES = 40
_PAUSE_SECONDS = 0.05
_LOCK_SECONDS = 5
_DENIED = (
    ER.ACCESS_DENIED_ERROR,
    ER.DBACCESS_DENIED_ERROR,
    ER.SPECIFIC_ACCESS_DENIED_ERROR,
    ER.TABLEACCESS_DENIED_ERROR,
)
_MISSING = (ER.NO_SUCH_TABLE, ER.BAD_DB_ERROR, ER.BAD_FIELD_ERROR)

# UTC and no mode, so that a zero date is read and CHAR is not padded; a slow reader is waited for.
_SESSION = (
    "SET SESSION time_zone = '+00:00', sql_mode = '', max_execution_time = 0, net_write_timeout = 3600,"
    f" wait_timeout = 28800, lock_wait_timeout = {_LOCK_SECONDS}, transaction_isolation = 'REPEATABLE-READ'"
)


class MysqlSession:
    """One connection at UTC in utf8mb4. Not for two threads at a time.

    A server that says nothing for `read_seconds` is not reachable: it is stopped, or gone without a word.
    """

    def __init__(self, address: Mysql, connect_seconds: int = 10, read_seconds: int = 600) -> None:
        self.where = f"MySQL at {address.host}:{address.port}"
        with self._translated("connecting"):
            self._connection = pymysql.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password.get_secret_value(),
                charset="utf8mb4",
                autocommit=True,
                connect_timeout=connect_seconds,
                read_timeout=read_seconds,
                init_command=_SESSION,
                program_name="waybill checks",
            )

    def __enter__(self) -> MysqlSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        try:
            yield
        except pymysql.err.MySQLError as error:
            code, text = (*error.args, "", "")[:2]
            what = f"{self.where}: {doing}: {text or code} (error {code})"
            if code in _DENIED:
                raise SettingsError(
                    what, todo="check WAYBILL_MYSQL_USER and WAYBILL_MYSQL_PASSWORD, and the user's grants"
                ) from error
            if code in _MISSING:
                raise SettingsError(what, todo="waybill config check compares the pipeline file with MySQL") from error
            if code == ER.TABLE_DEF_CHANGED:
                raise UnreachableError(
                    f"{what}: a table was altered meanwhile", todo="run the same command again"
                ) from error
            if isinstance(error, pymysql.err.OperationalError | pymysql.err.InterfaceError):
                raise UnreachableError(what, todo="waybill stack status; check WAYBILL_MYSQL_HOST") from error
            raise WaybillError(what) from error

    def rows(self, statement: str, parameters: Sequence[Any] | None = None, doing: str = "") -> list[dict[str, Any]]:
        """Every row as a dictionary. Without parameters a % in the statement is only a %."""
        with self._translated(doing or "asking"), self._connection.cursor(pymysql.cursors.DictCursor) as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())

    def value(self, statement: str, parameters: Sequence[Any] | None = None) -> Any:
        """First column of the first row, None when there is no row."""
        found = self.rows(statement, parameters)
        return next(iter(found[0].values())) if found else None

    def stream(self, statement: str, doing: str = "") -> Iterator[tuple[Any, ...]]:
        """Rows of a large result as the server sends them, none kept."""
        with self._translated(doing or "reading"), self._connection.cursor(pymysql.cursors.SSCursor) as cursor:
            cursor.execute(statement)
            while rows := cursor.fetchmany(2000):
                yield from rows

    def snapshot(self, clock: Clock) -> GtidSet:
        """Begin one consistent snapshot of all InnoDB tables; returns the GTID set it holds, exactly.

        A transaction is seen by a snapshot only while its GTID is owned or already executed. So a snapshot
        between two readings that agree, with none owned at the second, holds exactly that set. Under
        unceasing writes FLUSH TABLES WITH READ LOCK makes the pause, for an instant. Raises
        `UnreachableError` when neither succeeds.
        """
        for attempt in range(_TRIES):
            before = self._executed()
            self._begin()
            owned = str(self.value("SELECT @@GLOBAL.gtid_owned") or "")
            if not owned.strip() and self._executed() == before:
                return before
            self.rows("ROLLBACK")
            clock.sleep(_PAUSE_SECONDS * (1 + attempt % 4))
        return self._locked_snapshot()

    def _begin(self) -> None:
        self.rows("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def _executed(self) -> GtidSet:
        return GtidSet.parse(str(self.value("SELECT @@GLOBAL.gtid_executed") or ""))

    def _locked_snapshot(self) -> GtidSet:
        try:
            self.rows("FLUSH TABLES WITH READ LOCK", doing="stopping writes for an instant")
        except WaybillError as error:
            raise UnreachableError(
                f"{self.where}: writes never paused for {_TRIES} tries, and it could not be locked: {error.what}",
                todo="try again, give the user RELOAD, or compare a replica (waybill reconcile --mysql-host)",
            ) from error
        try:
            self._begin()
            return self._executed()
        finally:
            self.rows("UNLOCK TABLES")
