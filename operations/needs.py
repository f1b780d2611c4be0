"""What a person should look at, each with the command that helps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cronsim import CronSim

from operations.cut import Cut
from operations.dead_letters.counts import LetterCounts
from operations.offsets.coverage import Gap
from operations.state import BACKING_OFF, ENDED, RunState

_GRACE_SECONDS = 120.0


@dataclass(frozen=True)
class Need:
    """Something a person should look at. `todo` is the command that helps, `kept` what is not lost meanwhile."""

    what: str
    todo: str
    kept: str = ""


def of_run(run: RunState | None) -> Iterable[Need]:
    """A run that was killed, or a child that keeps ending."""
    if run is None:
        return
    if not run.runs:
        if any(p.state != ENDED for p in run.processes):
            yield Need("waybill run was killed; it goes on where it was", "waybill run")
        return
    for process in run.processes:
        if process.state == BACKING_OFF or (process.identity and not process.runs):
            code = "" if process.exit_code is None else f" (exit code {process.exit_code})"
            yield Need(
                f"{process.name} keeps ending{code}, {process.restarts} restarts", f"see .waybill/run/{process.log}"
            )


def of_connector(found: dict[str, Any]) -> Iterable[Need]:
    """One that does not run."""
    if found["state"] != "RUNNING":
        why = f": {found['why']}" if found["why"] else ""
        yield Need(
            f"the connector {found['name']} is {found['state'].lower()}{why}", found["todo"] or "waybill connect status"
        )


def of_cut(found: Cut, schedule: str, now: datetime) -> Iterable[Need]:
    """Paused and stopped tables, those to be read again, a failed cycle, a cut that is too old for the schedule."""
    paused = {table["table_name"] for table in found.paused}
    for table in found.paused:
        yield Need(
            f"{table['table_name']} is paused by {table['paused_by']} since {table['paused_at']} UTC:"
            f" {table['reason']}",
            f"waybill tables resume {table['table_name']} --reason TEXT",
        )
    for mark in found.to_read_again:
        asked = f"; asked for by {mark['read_how']}" if mark["read_how"] else ""
        yield Need(
            f"{mark['table_name']} is to be read again: {mark['must_read']}{asked}",
            f"waybill reconcile --table {mark['table_name']}; what differs:"
            f" waybill schema accept {mark['table_name']} --read-again --reason TEXT",
        )
    for table in found.stopped:
        if table["table_name"] in paused:
            continue
        reason = str(table["reason"]).removeprefix(f"{table['table_name']} is stopped: ")
        yield Need(f"{table['table_name']} is stopped: {reason}", table["todo"] or "waybill lag", table["kept"])
    if found.last and found.last["status"] == "failed":
        yield Need(f"cycle {found.last['cycle']} failed: {_first_line(found.last['error'])}", "waybill cycles list")
    if found.cycle == 0:
        yield Need("no commit cycle has finished yet", "waybill commit --once")
    elif found.age is not None and found.age > allowed_age(schedule, now):
        held = found.last["waiting_for"] if found.last else ""
        because = f"; held by {_first_line(held)}" if held else ""
        yield Need(f"the cut is {words(found.age)} old{because}", "waybill run, or waybill commit --once")
    if found.tables_out:
        yield Need(f"the cycles go on without {found.tables_out}", "waybill cycles list")


def of_gaps(found: Iterable[Gap]) -> Iterable[Need]:
    """Offsets that a move by hand left out: one need a table."""
    by_table: dict[str, list[Gap]] = {}
    for gap in found:
        by_table.setdefault(gap.span.table_name, []).append(gap)
    for table, gaps in by_table.items():
        whys = "; ".join(dict.fromkeys(gap.span.why for gap in gaps))
        places = ", ".join(sorted({str(gap.span.kafka_partition) for gap in gaps}))
        yield Need(
            f"{table}: events were left out by hand and not read since (partition {places}; {whys})",
            "waybill offsets gaps",
        )


def of_letters(found: LetterCounts) -> Iterable[Need]:
    """Bad messages that nobody has decided on; drops that were not reconciled."""
    for table, number in found.open.items():
        yield Need(
            f"{number:,} dead letters of {table} are open: their events are in no table",
            "waybill deadletters list --state open",
        )
    for table, number in found.unreconciled.items():
        yield Need(f"{number:,} dead letters of {table} were dropped, not reconciled since", "waybill reconcile")


def allowed_age(schedule: str, now: datetime) -> float:
    """Seconds a cut may be old: two ticks of the schedule and a little."""
    ticks = CronSim(schedule, now)
    first, _, third = next(ticks), next(ticks), next(ticks)
    return (third - first).total_seconds() + _GRACE_SECONDS


def words(seconds: float) -> str:
    """An age for a person: 12 s, 5 min, 3.2 h, 4.0 days."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 172_800 else f"{seconds / 86_400:.1f} days"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
