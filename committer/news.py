"""Is there anything for a cycle to do? Asked between continuous cycles, so that a quiet source costs little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg2.sql import SQL

from committer.marts import MartTable
from warehouse.session import Session
from warehouse.statements import table
from waybill.clock import Clock
from waybill.errors import WaybillError
from waybill.raw import NOTIFICATION_TABLE, RAW_SCHEMA, TRANSACTION_TABLE, ledger_table

_IDLE_SECONDS = 60.0
_NEWEST = SQL("SELECT max(loaded_at) AS newest FROM {}")


class News:
    """Whether something was loaded since the last cycle began; after a minute without, yes all the same.

    So whatever else a cycle may find (a decision, a row whose future has come) waits a minute at most.
    """

    def __init__(self, open_session: Callable[[str], Session], marts: Sequence[MartTable], clock: Clock) -> None:
        self._open, self._clock = open_session, clock
        self._raws = [*(mart.source.raw for mart in marts), TRANSACTION_TABLE, NOTIFICATION_TABLE]
        self._seen: list[datetime | None] = []
        self._last = clock.monotonic()

    def came(self) -> bool:
        """Asks the warehouse; a warehouse that does not answer is for the cycle to tell of."""
        try:
            with self._open("news") as session:
                found = [self._newest(session, raw) for raw in self._raws]
        except WaybillError:
            return True
        now = self._clock.monotonic()
        if found == self._seen and now - self._last < _IDLE_SECONDS:
            return False
        self._seen, self._last = found, now
        return True

    def _newest(self, session: Session, raw: str) -> datetime | None:
        row = session.row(_NEWEST.format(table(RAW_SCHEMA, ledger_table(raw))))
        return row["newest"] if row else None
