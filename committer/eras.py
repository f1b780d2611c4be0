"""Eras: what orders transactions of different source UUIDs, and what is in the cut (spec section 4).

Pure values; the committer reads and writes them as `settlement_ods.eras`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from waybill.gtid import GtidSet, Line


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at a first snapshot, by what all its rows share."""

    server_id: int
    file: str
    pos: int


@dataclass(frozen=True, slots=True)
class Era:
    """Numbers `first`..`last` of one source line; or a first snapshot, whose line is ('', '')."""

    era: int
    line: Line
    first: int
    last: int
    snapshot: Attempt | None = None
    notification: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive transactions of one source line up to `last`, as the transaction topic has them."""

    line: Line
    last: int


def last_number(eras: Sequence[Era], line: Line) -> int:
    """The greatest number of a line that is in the cut, 0 if none."""
    return max((e.last for e in eras if e.line == line), default=0)


def extend(eras: Sequence[Era], runs: Sequence[Run]) -> list[Era]:
    """The eras after these runs. A run of the newest era's line lengthens it; another line begins a new era.

    A number of the line that never came (DDL, GRANT) counts as in: a new era begins right after the last number
    its line had before.
    """
    result = sorted(eras, key=lambda e: e.era)
    for run in runs:
        newest = result[-1] if result else None
        if newest and newest.line == run.line:
            result[-1] = replace(newest, last=max(newest.last, run.last))
        else:
            first = last_number(result, run.line) + 1
            result.append(Era((newest.era if newest else 0) + 1, run.line, first, max(first, run.last)))
    return result


def begin_snapshot(eras: Sequence[Era], taken_at: GtidSet, attempt: Attempt, notification: str) -> list[Era]:
    """The eras with a first snapshot on top: what it covers stands below it, what follows above."""
    result = sorted(eras, key=lambda e: e.era)
    number = result[-1].era if result else 0
    for line, spans in taken_at.lines():
        first = last_number(result, line) + 1
        if spans[-1][1] >= first:
            number += 1
            result.append(Era(number, line, first, spans[-1][1]))
    result.append(Era(number + 1, ("", ""), 0, 0, attempt, notification))
    return result


def highest(eras: Sequence[Era], gtids: GtidSet) -> tuple[int, int] | None:
    """(era, number) of the latest transaction of a set; None while the cut does not hold all of it.

    A number below the last of its line that never came counts as in the cut.
    """
    if any(spans[-1][1] > last_number(eras, line) for line, spans in gtids.lines()):
        return None
    found = [
        (e.era, min(e.last, last))
        for e in eras
        for first, last in gtids.spans.get(e.line, ())
        if first <= e.last and last >= e.first
    ]
    return max(found, default=None)


def gtid_set(eras: Sequence[Era]) -> GtidSet:
    """Everything in the cut, as one GTID set."""
    result = GtidSet()
    for line in {e.line for e in eras if e.line[0]}:
        result = result.filled(line, last_number(eras, line))
    return result
