"""Who commits now: the lease names holder, token, session and expiry, and is renewed on a connection of its own.

Mutual exclusion is the cycle's lock, not the lease: the lease lets a newcomer know whom to wait for, and end the
session of a holder that no longer renews. Times are the warehouse's clock.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from types import TracebackType

from warehouse.session import Session
from waybill.errors import ConflictError, RefusedError, StaleOwner, WaybillError

_NOW = "timezone('UTC', clock_timestamp())"


class Lease:
    """Held inside `with`; `lost` is set, and `on_lost` called, when another took it or it could not be renewed.

    Raises `RefusedError` on entry while another holds it, naming the holder and until when.
    """

    def __init__(
        self, open_session: Callable[[str], Session], holder: str, session_id: int, seconds: float,
        on_lost: Callable[[], None],
    ) -> None:  # fmt: skip
        self._session = open_session("lease")
        self._holder = holder
        self._session_id = session_id
        self._seconds = seconds
        self._on_lost = on_lost
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self.token = str(uuid.uuid4())
        self.lost = threading.Event()

    def __enter__(self) -> Lease:
        try:
            self._take()
        except BaseException:
            self._session.close()
            raise
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        try:
            if not self._session.closed:
                self._session.run(
                    "UPDATE settlement_ods.cycle_lease SET holder = '', token = '', session_id = 0,"
                    f" expires_at = {_NOW} WHERE token = %s",
                    (self.token,),
                )
        except WaybillError:
            pass  # it expires by itself
        finally:
            self._session.close()

    def _take(self) -> None:
        old = self._session.row(
            f"SELECT holder, token, session_id, expires_at, expires_at > {_NOW} AS held FROM settlement_ods.cycle_lease"
        )
        if old is None:
            raise RefusedError("settlement_ods.cycle_lease is empty", todo="waybill schema apply")
        if old["token"] and old["held"]:
            raise RefusedError(
                f"another committer holds the lease: {old['holder']}, until {old['expires_at']} UTC",
                kept="nothing: it does the work",
                todo="nothing, or stop that one; its lease ends by itself when it no longer renews it",
            )
        if old["token"] and old["session_id"]:
            # The dead holder's session may still hold the cycle's lock. Only a session of a waybill committer is ended.
            self._session.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid = %s AND application_name LIKE 'waybill commit%%'",
                (old["session_id"],),
            )
        try:
            taken = self._session.run(
                f"UPDATE settlement_ods.cycle_lease SET holder = %s, token = %s, session_id = %s,"
                f" expires_at = {_NOW} + %s * interval '1 second' WHERE token = %s",
                (self._holder, self.token, self._session_id, self._seconds, old["token"]),
            )
        except ConflictError:
            taken = 0
        if not taken:
            raise RefusedError("another committer took the lease at the same moment", kept="nothing: it does the work")

    def _renew(self) -> None:
        while not self._done.wait(self._seconds / 3):
            try:
                renewed = self._session.run(
                    f"UPDATE settlement_ods.cycle_lease SET expires_at = {_NOW} + %s * interval '1 second'"
                    " WHERE token = %s",
                    (self._seconds, self.token),
                )
            except WaybillError:
                renewed = 0
            if not renewed:
                self.lost.set()
                self._on_lost()
                return

    def check(self) -> None:
        """Raises `StaleOwner` when the lease was lost."""
        if self.lost.is_set():
            raise StaleOwner("the commit lease was lost: another committer took over", kept="the cycle was rolled back")
