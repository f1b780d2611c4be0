"""A connection to the warehouse, and its errors in waybill's words. PostgreSQL's driver stays behind this file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import IO, Any, TypeAlias

import psycopg2
from psycopg2 import errors as pg
from psycopg2.extensions import ISOLATION_LEVEL_REPEATABLE_READ
from psycopg2.sql import Composable

from waybill.addresses import Warehouse
from waybill.errors import CommitUnknown, ConflictError, SettingsError, UnreachableError, WaybillError

Statement: TypeAlias = str | Composable
Parameters = Sequence[Any] | Mapping[str, Any] | None

_CONFLICTS = (pg.SerializationFailure, pg.DeadlockDetected, pg.LockNotAvailable)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the driver's errors into waybill's, the cause kept. `doing` says what was being done, to what."""
    try:
        yield
    except _CONFLICTS as error:
        raise ConflictError(f"{doing}: another transaction won: {_first_line(error)}") from error
    except pg.QueryCanceled as error:
        raise UnreachableError(f"{doing}: took longer than its time limit, rolled back") from error
    except pg.DiskFull as error:
        raise UnreachableError(
            f"{doing}: the warehouse's disk is full: {_first_line(error)}",
            kept="rolled back, nothing was changed; it is tried again", todo="make room on the warehouse's disk",
        ) from error  # fmt: skip
    except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
        raise UnreachableError(f"{doing}: the warehouse does not answer: {_first_line(error)}") from error
    except (pg.UndefinedTable, pg.InvalidSchemaName, pg.UndefinedColumn) as error:
        raise SettingsError(
            f"{doing}: {_first_line(error)}", kept="nothing was changed", todo="waybill schema apply"
        ) from error
    except psycopg2.Error as error:
        raise WaybillError(f"{doing}: {_first_line(error)}", kept="the transaction was rolled back") from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class Session:
    """One connection. Outside `transaction()` every statement commits by itself.

    Not for two threads at a time. A session that raised `UnreachableError` is closed: open another.
    """

    def __init__(self, address: Warehouse, name: str, statement_seconds: float = 600) -> None:
        self.name = name
        self._planned: dict[str, bool] = {}
        with translated(f"connecting to the warehouse at {address.host}:{address.port}"):
            self._connection = psycopg2.connect(
                host=address.host,
                port=address.port,
                user=address.user,
                password=address.password.get_secret_value(),
                dbname=address.database,
                application_name=f"waybill {name}",
                connect_timeout=10,
                options=f"-c TimeZone=UTC -c statement_timeout={int(statement_seconds * 1000)}",
                keepalives_idle=10,
                keepalives_interval=5,
                keepalives_count=3,
            )
            self._connection.set_session(isolation_level=ISOLATION_LEVEL_REPEATABLE_READ, autocommit=True)

    @property
    def process_id(self) -> int:
        """The server's id for this session."""
        return int(self._connection.get_backend_pid())

    @property
    def closed(self) -> bool:
        return bool(self._connection.closed)

    def close(self) -> None:
        self._connection.close()

    def cancel(self) -> None:
        """Cancel the running statement; the one method that another thread may call."""
        if not self.closed:
            self._connection.cancel()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, statement: Statement, parameters: Parameters = None, doing: str = "") -> int:
        """Run one statement; returns the rows it touched."""
        with translated(doing or self.name), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return int(cursor.rowcount)

    def rows(self, statement: Statement, parameters: Parameters = None, doing: str = "") -> list[dict[str, Any]]:
        """Run one query; every row as a dictionary by column name."""
        with translated(doing or self.name), self._connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def row(self, statement: Statement, parameters: Parameters = None, doing: str = "") -> dict[str, Any] | None:
        """The first row, None when there is none."""
        found = self.rows(statement, parameters, doing)
        return found[0] if found else None

    def stream(
        self, statement: Statement, parameters: Parameters = None, size: int = 10_000
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a large result, fetched `size` at a time through a server-side cursor.

        Inside `transaction()` they are read in its snapshot, else in one of their own.
        """
        scope = self.transaction() if self._connection.autocommit else nullcontext()
        with translated(self.name), scope, self._connection.cursor(name="waybill_stream") as cursor:
            cursor.itersize = size
            cursor.execute(statement, parameters)
            yield from cursor

    def limit_statements(self, seconds: float) -> None:
        """No later statement of this transaction takes longer."""
        self.run(f"SET LOCAL statement_timeout = {max(int(seconds * 1000), 1)}")

    def make_room(self) -> None:
        """In this transaction, before its first scratch table: a batch is sorted and joined in memory, and nothing is
        compiled. An engine that manages its memory by itself has nothing to set.
        """
        self.run("SET LOCAL work_mem = '64MB'; SET LOCAL temp_buffers = '64MB'; SET LOCAL jit = off")

    def plan_joins(self, look_ups: bool = False, loops: bool = True) -> None:
        """In this transaction, whatever the statistics say. `look_ups`: few rows of large tables are found by index.
        Not `loops`: many rows are joined with as many, never one by one.

        An engine without indexes has nothing to prefer.
        """
        wanted = dict.fromkeys(("enable_seqscan", "enable_hashjoin", "enable_mergejoin"), not look_ups)
        wanted["enable_nestloop"] = loops
        if changed := [name for name, on in wanted.items() if self._planned.get(name, True) != on]:
            self.run("; ".join(f"SET LOCAL {name} = {'on' if wanted[name] else 'off'}" for name in changed))
            self._planned = wanted

    def text_of(self, statement: Composable) -> str:
        """A composed statement as text, identifiers quoted for this engine."""
        return str(statement.as_string(self._connection))

    def copy_in(self, statement: Statement, data: IO[bytes], doing: str = "") -> int:
        """COPY ... FROM STDIN; returns the rows that arrived."""
        with translated(doing or self.name), self._connection.cursor() as cursor:
            cursor.copy_expert(statement, data, size=1 << 20)
            return int(cursor.rowcount)

    @contextmanager
    def transaction(self, lock: Statement | None = None, lock_seconds: float | None = None) -> Iterator[None]:
        """One transaction at REPEATABLE READ; `lock` is its first statement, sent alone.

        Rolled back when the block raises. Raises `CommitUnknown` when the connection broke during COMMIT.
        """
        with translated(self.name):
            self._connection.autocommit = False
        self._planned = {}
        try:
            if lock_seconds is not None:
                # SET takes no snapshot, so the lock is still the first statement that sees the tables.
                self.run(f"SET LOCAL lock_timeout = {int(lock_seconds * 1000)}")
            if lock is not None:
                self.run(lock, doing=f"{self.name}: taking its lock")
            yield
        except BaseException:
            self._rollback()
            raise
        try:
            self._connection.commit()
        except (psycopg2.OperationalError, psycopg2.InterfaceError) as error:
            if isinstance(error, _CONFLICTS):
                self._rollback()
                raise ConflictError(f"{self.name}: refused at COMMIT: {_first_line(error)}") from error
            self._connection.close()
            raise CommitUnknown(f"{self.name}: the connection broke during COMMIT: {_first_line(error)}") from error
        except psycopg2.Error as error:
            self._rollback()
            raise WaybillError(f"{self.name}: COMMIT failed: {_first_line(error)}", kept="rolled back") from error
        self._connection.autocommit = True

    def _rollback(self) -> None:
        try:
            self._connection.rollback()
            self._connection.autocommit = True
        except psycopg2.Error:
            self._connection.close()
