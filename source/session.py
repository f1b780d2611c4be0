"""A connection that comes back: reconnects for as long as it takes, and never guesses what a COMMIT did."""

from __future__ import annotations

import logging
import threading
import time
from enum import Enum

import pymysql
from pymysql.connections import Connection
from pymysql.cursors import Cursor

from source.databases import Connect, is_lost, number, quoted, translated
from source.loading import DEADLOCK, LOCK_TIMEOUT
from source.transaction import Proof
from waybill.errors import UnreachableError

log = logging.getLogger(__name__)

DUPLICATE = 1062
AGAIN = frozenset({DEADLOCK, LOCK_TIMEOUT, DUPLICATE})
"""Errors after which the same transaction is tried again: another process was there first."""

Lost = (pymysql.err.MySQLError, UnreachableError, OSError)


class Stopped(Exception):
    """The generator was asked to stop while MySQL was away."""


class Outcome(Enum):
    """What became of a COMMIT."""

    COMMITTED = "committed"
    FOUND_COMMITTED = "found committed"
    """The answer was lost; the row was there."""
    FOUND_LOST = "found lost"
    """The answer was lost; the row was not there, so nothing of the transaction is."""
    UNKNOWN = "unknown"
    """The answer was lost and MySQL did not come back before the stop."""


class Session:
    """One connection at a time in `database`. The first failure to connect is raised, later ones are waited out.

    `stop` ends every wait, but a lost COMMIT is looked up for at least `patience` seconds.
    """

    def __init__(self, connect: Connect, database: str, stop: threading.Event, patience: float = 15.0) -> None:
        self._connect = connect
        self._database = database
        self._stop = stop
        self._patience = patience
        self._connection: Connection[Cursor] | None = self._open()
        self.reconnects = 0

    def cursor(self) -> Cursor:
        """A cursor on a living connection; waits for MySQL. Raises `Stopped` if the stop comes first."""
        while self._connection is None:
            self._reconnect(deadline=None)
        return self._connection.cursor()

    def commit(self, proof: Proof | None) -> Outcome:
        """Commit; if the answer is lost, connect again and look. Without a proof nothing was written."""
        assert self._connection is not None
        try:
            self._connection.commit()
            return Outcome.COMMITTED
        except (pymysql.err.MySQLError, OSError) as error:
            if not is_lost(error):
                raise
            self.drop()
            return self._look(proof) if proof else Outcome.FOUND_LOST

    def rollback(self) -> None:
        """Roll back; a connection that cannot is dropped, which rolls back too."""
        try:
            if self._connection is not None:
                self._connection.rollback()
        except (pymysql.err.MySQLError, OSError):
            self.drop()

    def drop(self) -> None:
        """Close without asking; MySQL rolls back what was open."""
        if self._connection is not None:
            try:
                self._connection.close()
            except (pymysql.err.MySQLError, OSError):
                log.debug("closing a dead connection failed", exc_info=True)
        self._connection = None

    def _open(self) -> Connection[Cursor]:
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"USE {quoted(self._database)}")
        except pymysql.err.MySQLError as error:
            connection.close()
            raise translated(error, f"database {self._database}") from error
        return connection

    def _reconnect(self, deadline: float | None) -> None:
        """Until there is a connection; with a deadline (monotonic seconds) also after a stop."""
        pause, told = 0.1, 0.0
        while True:
            try:
                self._connection = self._open()
                self.reconnects += 1
                log.info("MySQL answers again")
                return
            except Lost as error:
                if not (isinstance(error, UnreachableError) or is_lost(error)):
                    raise
                if time.monotonic() - told > 10:
                    log.warning("MySQL is away, trying again: %s", str(error).splitlines()[0])
                    told = time.monotonic()
            if deadline is None and self._stop.wait(pause):
                raise Stopped
            if deadline is not None:
                if self._stop.is_set() and time.monotonic() > deadline:
                    raise Stopped
                time.sleep(pause)
            pause = min(pause * 2, 1.0)

    def _look(self, proof: Proof) -> Outcome:
        deadline = time.monotonic() + self._patience
        while True:
            try:
                if self._connection is None:
                    self._reconnect(deadline)
                with self.cursor() as cursor:
                    committed = proof.holds(cursor)
                self.rollback()
                outcome = Outcome.FOUND_COMMITTED if committed else Outcome.FOUND_LOST
                log.info("the answer to a COMMIT was lost; looked it up in %s: %s", proof.table, outcome.value)
                return outcome
            except Stopped:
                return Outcome.UNKNOWN
            except (pymysql.err.MySQLError, OSError) as error:
                if number(error) in AGAIN:
                    self.rollback()
                elif is_lost(error):
                    self.drop()
                else:
                    raise
