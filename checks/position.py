"""May MySQL, as it stands, be compared with the marts: is it at the cut, or ahead of it by what does not matter?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from warehouse.session import Session
from warehouse.statements import split, text_of
from waybill.clock import Clock
from waybill.errors import RefusedError
from waybill.gtid import Gtid, GtidSet, Line

# More than this is not asked one by one: somebody is writing.
_MOST_TRANSACTIONS = 100_000

Touched = Mapping[Gtid, frozenset[str]]
Ask = Callable[[GtidSet], Touched]
"""Which compared tables each of these transactions touched; those it does not know are left out."""


@dataclass(frozen=True)
class Cut:
    """What `settlement_ods.as_of` says."""

    cycle: int
    at: datetime | None
    gtid_set: GtidSet
    consistent: bool
    tables_out: tuple[str, ...]


def read_cut(session: Session) -> Cut:
    """Raises `RefusedError` before the first cycle."""
    row = session.row("SELECT * FROM settlement_ods.as_of", doing="reading settlement_ods.as_of")
    if row is None or not row["gtid_set"]:
        raise RefusedError(
            "no commit cycle has finished yet: there is nothing to compare", todo="waybill commit --once"
        )
    out = tuple(name.strip() for name in row["tables_out"].split(",") if name.strip())
    return Cut(int(row["cycle"]), row["cut_at"], GtidSet.parse(row["gtid_set"]), bool(row["consistent"]), out)


def ends(session: Session, tables: Collection[str]) -> Ask:
    """Asks the END records that the pipeline has loaded."""

    def ask(gtids: GtidSet) -> Touched:
        found: dict[Gtid, set[str]] = {}
        for line, spans in gtids.lines():
            for first, last in spans:
                for row in session.rows(
                    split(text_of("sql/checks/ends.warehouse.sql"))[0],
                    {"line": _prefix(line), "first": first, "last": last},
                    doing="reading END records",
                ):
                    names = found.setdefault(Gtid.parse(row["tx_id"]), set())
                    names.update({row["data_collection"]} & set(tables))
        return {gtid: frozenset(names) for gtid, names in found.items() if gtid in gtids}

    return ask


def _prefix(line: Line) -> str:
    return "".join(f"{part}:" for part in line if part)


def accept(cut: Cut, mysql: GtidSet, where: str, ends: Ask, binlog: Ask, wait_seconds: float, clock: Clock) -> str:
    """Decide whether MySQL at `mysql` may stand for the cut; returns a note, '' when it is exactly there.

    `ends` is asked first, then `binlog`, then `ends` again until `wait_seconds` have passed. Raises
    `RefusedError` when MySQL lacks transactions of the cut, when a transaction beyond it touched a compared
    table, or when that cannot be found out.
    """
    lacking = cut.gtid_set - mysql
    if lacking:
        raise RefusedError(
            f"{where} lacks {lacking.count():,} transactions that are in the marts ({_short(lacking)})",
            todo="compare with the server that the connector reads, or wait until this replica has applied them",
        )
    beyond = mysql - cut.gtid_set
    if not beyond:
        return ""
    if beyond.count() > _MOST_TRANSACTIONS:
        raise _not_at_cut(where, beyond, f"{beyond.count():,} transactions have happened since")
    until = clock.monotonic() + wait_seconds
    left = _untold(where, beyond, beyond, ends)
    if left:
        left = _untold(where, beyond, left, binlog)
    while left and clock.monotonic() < until:
        clock.sleep(min(0.5, wait_seconds))
        left = _untold(where, beyond, left, ends)
    if left:
        raise _not_at_cut(where, beyond, f"what {_short(left)} changed is not known")
    return f"{where} is {beyond.count():,} transactions beyond the cut; none of them touched a compared table"


def _untold(where: str, beyond: GtidSet, gtids: GtidSet, ask: Ask) -> GtidSet:
    """What is left of `gtids` after asking; raises for one that touched a compared table."""
    known = ask(gtids)
    for gtid, tables in known.items():
        if tables:
            raise _not_at_cut(where, beyond, f"{gtid} has since changed {', '.join(sorted(tables))}")
    return gtids - GtidSet.parse(",".join(map(str, known)))


def _short(gtids: GtidSet) -> str:
    text = str(gtids)
    return text if len(text) <= 120 else f"{text[:117]}..."


def _not_at_cut(where: str, beyond: GtidSet, why: str) -> RefusedError:
    return RefusedError(
        f"{where} is not at the cut: {why} ({_short(beyond)} is beyond it)",
        kept="the marts are whole and stand at their cut; they only cannot be compared with this server now",
        todo="run a cycle when nothing writes (waybill commit --once), or compare a replica that was stopped"
        " at the cut: waybill reconcile --mysql-host HOST --mysql-port PORT",
    )
