"""The gaps that are open now, over all tables that were ever skipped."""

from __future__ import annotations

from operations.offsets import history, standing
from operations.offsets.coverage import Gap, gaps
from operations.offsets.standing import Standing
from warehouse.session import Session
from waybill.errors import SettingsError


def open_gaps(session: Session) -> list[Gap]:
    """Raises `SettingsError` before `waybill schema apply`."""
    spans = [span for span in history.skipped(session) if span.accepted_at is None]
    if not spans:
        return []
    now: list[Standing] = []
    for raw in {span.raw_table for span in spans}:
        try:
            now += standing.read(session, raw).values()
        except SettingsError:  # a table that is no longer carried
            continue
    return gaps(spans, history.changes(session), now)
