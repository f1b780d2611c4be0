"""Is there a first snapshot to apply, and is it whole? (spec section 6, "First snapshot")

Debezium's notifications tell which attempt counts: the one of the last STARTED before COMPLETED. Rows that an
earlier, broken attempt left are void. Nothing of a snapshot is applied before all of it can be.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from committer.eras import Attempt, Era


@dataclass(frozen=True, slots=True)
class Completed:
    """The snapshot that counts: Kafka's times, UTC, of its STARTED and COMPLETED records, and rows scanned by table."""

    notification: str
    started_at: datetime
    completed_at: datetime
    scanned: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a cycle does about first snapshots.

    `hold` non-empty: nothing is applied and the old cut stays, for that reason. `accept`: apply this attempt now.
    `void_before`: first-snapshot rows written before it belong to a broken attempt.
    `read_until`: the source time of the accepted attempt's last row.
    """

    hold: str = ""
    accept: Attempt | None = None
    completed: Completed | None = None
    void_before: datetime | None = None
    read_until: datetime | None = None


def newest_completed(notifications: Sequence[Mapping[str, Any]]) -> tuple[Completed | None, datetime | None]:
    """The last completed first snapshot, and when a later one was started that has not completed (or None).

    `notifications` are rows of `notification_raw` in order.
    """
    started: datetime | None = None
    scanned: dict[str, int] = {}
    newest: Completed | None = None
    for row in notifications:
        match row["notification_type"]:
            case "STARTED":
                started, scanned = row["_produced_at"], {}
            case "TABLE_SCAN_COMPLETED":
                data = json.loads(row["additional_data"] or "{}")
                if "total_rows_scanned" in data:
                    scanned[str(data["scanned_collection"])] = int(data["total_rows_scanned"])
            case "COMPLETED" if started is not None:
                newest = Completed(row["notification_id"], started, row["_produced_at"], scanned)
                started = None
    return newest, started


def judge(
    notifications: Sequence[Mapping[str, Any]],
    attempts: Mapping[str, Sequence[Mapping[str, Any]]],
    dead_letters: Mapping[str, int],
    eras: Sequence[Era],
) -> Verdict:
    """Decide from what is loaded. `attempts` and `dead_letters` are by source table, for every mart."""
    completed, running_since = newest_completed(notifications)
    if running_since is not None:
        return Verdict(
            hold=f"a first snapshot is running since {running_since:%Y-%m-%d %H:%M:%S} UTC; the old cut stays"
        )
    if completed is None:
        return Verdict(hold="no first snapshot has completed yet (waybill connect status shows the connector)")
    waiting = [(source, a) for source, found in attempts.items() for a in found]
    if any(e.notification == completed.notification for e in eras):
        newer = [source for source, a in waiting if a["last_written"] > completed.completed_at]
        if newer:
            return Verdict(
                hold=f"rows of a newer first snapshot wait in {', '.join(sorted(set(newer)))},"
                " its COMPLETED is not loaded yet"
            )
        return Verdict(completed=completed, void_before=completed.started_at)
    if eras and completed.scanned and not completed.scanned.keys() >= attempts.keys():
        return Verdict(
            hold=f"a snapshot of only {', '.join(sorted(completed.scanned))} has run (a blocking one, by a signal): its"
            " rows have no place in the order. Take a new first snapshot: waybill connect delete --offsets, then"
            " waybill connect apply; the old cut stays until then"
        )
    counting = [(source, a) for source, a in waiting if a["last_written"] >= completed.started_at]
    missing = []
    for source in attempts:
        expected = completed.scanned.get(source)
        if expected is None:
            missing.append(f"{source}: its scan sent no count (set snapshot.max.threads to 1)")
            continue
        arrived = sum(a["keys"] for s, a in counting if s == source) + dead_letters.get(source, 0)
        if arrived < expected:
            missing.append(f"{source}: {arrived:,} of {expected:,} rows loaded")
    if missing:
        return Verdict(hold=f"the first snapshot is not wholly loaded: {'; '.join(missing)}")
    identities = {Attempt(a["server_id"], a["file"], a["pos"]) for _, a in counting}
    if len(identities) > 1:
        return Verdict(
            hold=f"rows of {len(identities)} snapshot attempts lie between STARTED and COMPLETED:"
            f" {sorted(map(str, identities))}"
        )
    attempt = identities.pop() if identities else Attempt(0, "", 0)
    read_until = max((a["last_read"] for _, a in counting), default=completed.completed_at)
    return Verdict(accept=attempt, completed=completed, void_before=completed.started_at, read_until=read_until)
