"""Markers written at the source, one transaction each, at a steady pace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pymysql

from operations.freshness.board import Board
from operations.freshness.markers import Marker
from source.databases import Connect, quoted, translated
from waybill.clock import Clock
from waybill.errors import RefusedError, SettingsError

_NO_TABLE = {1049, 1146}


class Writes(Protocol):
    """Where markers go."""

    def write(self, marker_id: int, token: str) -> None:
        """Write and commit the row; returns when it is committed."""


class MarkerTable:
    """The table at the source, on a connection of its own, by one run at a time.

    A marker replaces the row of an earlier run that has its id. Raises `RefusedError` when another run writes there,
    `SettingsError` when there is no such table, `UnreachableError` when MySQL does not answer.
    """

    def __init__(self, connect: Connect, source: str) -> None:
        self._source = source
        self._place = ".".join(quoted(part) for part in source.split("."))
        self._connection = connect()
        try:
            self._only_one()
        except BaseException:
            self.close()
            raise

    def _only_one(self) -> None:
        """MySQL keeps the lock until this connection ends, however it ends."""
        try:
            self._connection.autocommit(True)
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT GET_LOCK(%s, 0)", (f"waybill {self._source}"[-64:],))
                got = cursor.fetchone()
                cursor.execute(f"SELECT 1 FROM {self._place} LIMIT 1")
        except pymysql.err.MySQLError as error:
            raise self._said(error) from error
        if not got or got[0] != 1:
            raise RefusedError(
                f"another run writes markers to {self._source}", kept="nothing was written", todo="wait until it ends"
            )

    def write(self, marker_id: int, token: str) -> None:
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(
                    f"INSERT INTO {self._place} (id, written_at, token) VALUES (%s, UNIX_TIMESTAMP(), %s) AS new"
                    " ON DUPLICATE KEY UPDATE written_at = new.written_at, token = new.token",
                    (marker_id, token),
                )
        except pymysql.err.MySQLError as error:
            raise self._said(error) from error

    def close(self) -> None:
        if self._connection.open:
            self._connection.close()

    def _said(self, error: pymysql.err.MySQLError) -> Exception:
        if error.args and error.args[0] in _NO_TABLE:
            return SettingsError(
                f"there is no table {self._source} at the source",
                todo="waybill seed makes it, or source/schema/freshness.sql in the pipeline's database",
            )
        return translated(error, f"writing a marker to {self._source}")


def write(
    table: Writes, board: Board, run: str, seconds: float, every: float, clock: Clock, each: Callable[[], None]
) -> int:
    """Markers for `seconds`, `every` so many; returns how many ticks were left out because a write took longer.

    `each` is called before every marker; what it raises ends the writing.
    """
    began, tick, number, left_out = clock.monotonic(), 0, 0, 0
    while tick * every < seconds:
        clock.sleep(max(0.0, began + tick * every - clock.monotonic()))
        each()
        marker = Marker(run, number, clock.now())
        board.sent(marker)
        table.write(marker.id, marker.token)
        board.committed(marker, clock.now())
        number += 1
        due = max(tick + 1, int((clock.monotonic() - began) / every))
        left_out += due - tick - 1
        tick = due
    return left_out
