"""Tables that an incremental snapshot read to their end: what it did not bring is gone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from committer.eras import Era, last_number
from warehouse.session import Session
from warehouse.statements import text_of
from waybill.gtid import Gtid

LAST = 2**63 - 1


@dataclass(frozen=True)
class Read:
    """One table read to its end. `began_at`: Kafka's time of the notification that it began; `ended_at` of the end."""

    notification: str
    table: str
    began_at: datetime
    ended_at: datetime


def completed(session: Session) -> list[Read]:
    """All there were, in order.

    A read that was broken off and begun again counts from its first begin: that finds fewer rows gone, never too many.
    """
    return pair(session.rows(text_of("sql/commit/092_reads_completed.query.sql")))


def pair(notifications: Iterable[Mapping[str, Any]]) -> list[Read]:
    """Begins and ends brought together."""
    began: dict[str, datetime] = {}
    found = []
    for row in notifications:
        data = json.loads(row["additional_data"] or "{}")
        if row["notification_type"] == "STARTED":
            for table in str(data.get("data_collections", "")).split(","):
                began.setdefault(table.strip(), row["_produced_at"])
            continue
        table = str(data.get("scanned_collection", ""))
        if table in began:
            begin = began.pop(table)
            if data.get("status") in ("SUCCEEDED", "EMPTY"):
                found.append(Read(row["notification_id"], table, begin, row["noted_at"]))
    return found


def unhandled(session: Session, reads: Sequence[Read]) -> list[Read]:
    """The last read of each table, if no cycle has looked for what it missed; it says all that one before it does."""
    newest = {read.table: read for read in reads}.values()
    done = {row["why"] for row in session.rows("SELECT why FROM settlement_ods.wipes WHERE why LIKE 'read again %'")}
    return [read for read in newest if why(read) not in done]


def why(read: Read) -> str:
    """How a wipe names its read."""
    return f"read again {read.notification}"


def began_after(eras: Sequence[Era], tx_id: str | None) -> tuple[int, int, int] | None:
    """The position that everything read stands behind: of the last transaction `tx_id` before the read began.

    None while that one is not in the cut. Without one it is the newest first snapshot.
    """
    if tx_id is None:
        snapshots = [era.era for era in eras if era.snapshot]
        return (max(snapshots), 0, 1) if snapshots else None
    gtid = Gtid.parse(tx_id)
    if gtid.number > last_number(eras, gtid.line):
        return None
    found = [era.era for era in eras if era.line == gtid.line and era.first <= gtid.number <= era.last]
    return (found[0], gtid.number, LAST) if found else None
