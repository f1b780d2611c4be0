"""What the marts are as of, as the warehouse tells it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from warehouse.session import Session
from waybill.errors import SettingsError


@dataclass(frozen=True)
class Cut:
    """What the marts are as of. Times UTC without zone, ages in seconds."""

    cycle: int
    cut_at: datetime | None
    age: float | None
    committed_at: datetime
    gtid_set: str
    consistent: bool
    tables_out: str
    last: dict[str, Any] | None
    stopped: tuple[dict[str, Any], ...]
    open_exceptions: int
    paused: tuple[dict[str, Any], ...] = ()
    to_read_again: tuple[dict[str, Any], ...] = ()


def read_cut(session: Session, now: datetime) -> Cut:
    """Read the marts' state. Raises `SettingsError` before `waybill schema apply`."""
    as_of = session.row("SELECT * FROM settlement_ods.as_of", doing="reading the cut")
    if as_of is None:
        raise SettingsError("settlement_ods.as_of is empty", todo="waybill schema apply")
    last = session.row(
        "SELECT cycle, status, holder, started_at, finished_at, transactions, rows_in, rows_applied, waiting_for, error"
        " FROM settlement_ods.cycles ORDER BY started_at DESC LIMIT 1",
        doing="reading the last cycle",
    )
    stopped = session.rows(
        "SELECT table_name, reason, kept, todo FROM settlement_public.table_states WHERE state = 'stopped'",
        doing="reading the tables' states",
    )
    paused = session.rows(
        "SELECT table_name, paused_by, paused_at, reason FROM settlement_public.table_pauses WHERE resumed_at IS NULL",
        doing="reading the paused tables",
    )
    to_read_again = session.rows(
        "SELECT table_name, must_read, read_how FROM settlement_public.source_changes"
        " WHERE must_read <> '' AND read_at IS NULL ORDER BY table_name, change_id",
        doing="reading the tables to be read again",
    )
    exceptions = session.row(
        "SELECT count(*) AS n FROM settlement_ods.order_tracking_exceptions WHERE resolved_at IS NULL"
    )
    at = as_of["cut_at"]
    return Cut(
        cycle=as_of["cycle"],
        cut_at=at,
        age=None if at is None else (now - at.replace(tzinfo=UTC)).total_seconds(),
        committed_at=as_of["committed_at"],
        gtid_set=as_of["gtid_set"],
        consistent=as_of["consistent"],
        tables_out=as_of["tables_out"],
        last=last,
        stopped=tuple(stopped),
        open_exceptions=int(exceptions["n"]) if exceptions else 0,
        paused=tuple(paused),
        to_read_again=tuple(to_read_again),
    )
