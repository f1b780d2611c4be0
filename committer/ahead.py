"""What has to stand before a cycle begins: history tables up to the half-year after this one. Never inside a cycle."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from committer.marts import MartTable
from committer.settings import History
from warehouse import history as tables
from warehouse.change import Change, apply
from warehouse.schema import own_columns
from warehouse.session import Session
from waybill.half_years import HalfYear


def half_years(history: History, now: datetime) -> tuple[HalfYear, ...]:
    """From the first of the settings to the one that follows `now`'s."""
    return tuple(history.first.through(HalfYear.of(now).next))


def make(session: Session, marts: Sequence[MartTable], history: History, now: datetime) -> list[Change]:
    """Make what is missing; answers what it was. Raises `ConflictError` when a table is held for too long."""
    wanted = half_years(history, now)
    changes = [
        change
        for mart in marts
        for change in tables.missing(
            session, mart.mart.name, mart.key, own_columns(session, mart.mart.name), wanted, history.readers
        )
    ]
    apply(session, changes)
    return changes
