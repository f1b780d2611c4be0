"""Which END records must stay: what a cycle may still ask of them though they are applied."""

from __future__ import annotations

from datetime import datetime

from committer import reads
from warehouse.session import Session
from warehouse.statements import statements
from waybill.raw import NOTIFICATION_TABLE

_NEVER = datetime(1970, 1, 1)  # noqa: DTZ001 - the warehouse's timestamps carry no zone; all are UTC


def held(session: Session, notifications: str) -> str:
    """Why all of them stay, '' when they may go. `notifications`: that topic's name among the tables' states."""
    cut = session.row("SELECT tables_out FROM settlement_ods.as_of")
    if cut and cut["tables_out"]:
        return f"the cut goes on without {cut['tables_out']}: its END records are counted when it is back"
    [asked] = statements("sql/trim/050_snapshot_in_hand.query.sql", {})
    snapshot = session.row(asked, doing=f"reading {NOTIFICATION_TABLE}")
    if snapshot:
        return f"a first snapshot is not in the marts yet ({snapshot['notification_type']} at {snapshot['noted_at']})"
    if session.row(
        "SELECT 1 AS found FROM settlement_public.table_states WHERE table_name = %(name)s AND state = 'stopped'"
        " UNION ALL"
        " SELECT 1 FROM settlement_public.table_pauses WHERE table_name = %(name)s AND resumed_at IS NULL",
        {"name": notifications},
    ):
        return f"{notifications} is not being read: a first snapshot may wait there"
    return ""


def kept(session: Session) -> frozenset[int]:
    """Batches that stay though others go: what tables that are being read again stand behind."""
    known = reads.completed(session)
    waiting = {read.began_at for read in reads.unhandled(session, known)}
    handled = {read.began_at for read in known} - waiting
    [asked] = statements("sql/trim/060_read_ends.query.sql", {})
    found = session.rows(asked, {"handled": tuple(handled) or (_NEVER,)}, doing="asking which END records stay")
    return frozenset(row["batch_id"] for row in found if row["batch_id"] is not None)
