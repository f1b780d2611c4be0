"""TSV blocks into MySQL: LOAD DATA LOCAL INFILE on several connections at once."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from source.databases import ORDER_TABLES, Connect, Databases, first_row, number, quoted, translated
from source.rows import Block
from waybill.errors import RefusedError, SettingsError

DEADLOCK, LOCK_TIMEOUT = 1213, 1205


class Loader:
    """Loads blocks while the next ones are being made.

    A block of a table is one transaction. Every row is counted: LOAD DATA LOCAL turns errors into warnings, so
    a warning or a row too few stops the load with `RefusedError`.
    """

    def __init__(self, connect: Connect, databases: Databases, connections: int = 3) -> None:
        self._connect = connect
        self._databases = databases
        self._jobs: queue.Queue[tuple[str, Path, int] | None] = queue.Queue(maxsize=4 * connections)
        self._failure: BaseException | None = None
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(connections)]
        self.rows = dict.fromkeys(ORDER_TABLES, 0)

    def load(self, blocks: Iterable[Block], progress: Callable[[int], None] = lambda rows: None) -> None:
        """Load all blocks; `progress` hears the number of rows loaded so far, from this thread.

        Raises the first failure of any connection; what other blocks loaded stays.
        """
        allow_local_infile(self._connect)
        with tempfile.TemporaryDirectory(prefix="waybill-seed-") as folder:
            for thread in self._threads:
                thread.start()
            try:
                for n, block in enumerate(blocks):
                    for table, lines in zip(ORDER_TABLES, (block.order, block.tracking, block.path), strict=True):
                        path = Path(folder) / f"{n:06d}-{table}.tsv"
                        path.write_bytes(("\n".join(lines) + "\n").encode() if lines else b"")
                        self._put((table, path, len(lines)))
                    progress(sum(self.rows.values()))
            except BaseException as error:
                self._failure = self._failure or error
                raise
            finally:
                for _ in self._threads:
                    self._put(None)
                for thread in self._threads:
                    thread.join()
        if self._failure:
            raise self._failure
        progress(sum(self.rows.values()))

    def _put(self, job: tuple[str, Path, int] | None) -> None:
        while True:
            if self._failure and job is not None:
                raise self._failure
            try:
                self._jobs.put(job, timeout=0.2)
                return
            except queue.Full:
                if not any(thread.is_alive() for thread in self._threads):
                    return

    def _work(self) -> None:
        try:
            connection = self._connect()
            try:
                with connection.cursor() as cursor:
                    cursor.execute(f"USE {quoted(self._databases.orders)}")
                    cursor.execute("SET unique_checks = 0, foreign_key_checks = 0")
                while (job := self._jobs.get()) is not None:
                    if not self._failure:
                        self._load(connection, *job)
                    job[1].unlink(missing_ok=True)
            finally:
                connection.close()
        except pymysql.err.MySQLError as error:
            self._failure = self._failure or translated(error, "MySQL")
        except BaseException as error:  # noqa: BLE001 - handed to the thread that called load
            self._failure = self._failure or error

    def _load(self, connection: Connection[Cursor], table: str, path: Path, rows: int) -> None:
        for attempt in range(5):
            try:
                with connection.cursor() as cursor:
                    loaded = cursor.execute(
                        f"LOAD DATA LOCAL INFILE %s INTO TABLE {quoted(table)} CHARACTER SET utf8mb4 "
                        r"FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n'",
                        (str(path),),
                    )
                    cursor.execute("SHOW WARNINGS")
                    warnings = cursor.fetchall()
                if warnings or loaded != rows:
                    connection.rollback()
                    first = f": {warnings[0][2]}" if warnings else ""
                    raise RefusedError(f"{table} took {loaded} of {rows} rows of a block{first}")
                connection.commit()
                break
            except pymysql.err.OperationalError as error:
                if number(error) not in (DEADLOCK, LOCK_TIMEOUT) or attempt == 4:
                    raise
                connection.rollback()
        with self._lock:
            self.rows[table] += rows


def allow_local_infile(connect: Connect) -> None:
    """Switch the server's `local_infile` on if it is off; it stays on, as another seed may be using it.

    Raises `SettingsError` if this user may not.
    """
    connection = connect()
    try:
        with connection.cursor() as cursor:
            row = first_row(cursor, "SELECT @@GLOBAL.local_infile")
            if row and not row[0]:
                cursor.execute("SET GLOBAL local_infile = ON")
    except pymysql.err.MySQLError as error:
        raise SettingsError(
            f"MySQL does not take LOAD DATA LOCAL and does not let this user allow it: {error.args[-1]}",
            todo="SET GLOBAL local_infile = ON as an administrator, or start mysqld with --local-infile=ON",
        ) from error
    finally:
        connection.close()
