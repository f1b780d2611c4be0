"""Checks by name: `sql/checks/NAME/`, each file a query that answers the rows that should not be.

`NNN_what.each_mart.sql` is run for every mart: `{places}` are its rows as (key, place) over the mart (place ''), its
history tables and 'removed', `{p_key}` the key, `{row_key}` the key as one text. A query answers `row_key` and `what`.
A new check is a new folder with a line in `CHECKS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg2.sql import SQL, Composable, Identifier, Literal

from warehouse.session import Session
from warehouse.statements import ROOT, columns, statements, table
from waybill.errors import RefusedError, SettingsError
from waybill.raw import MART_SCHEMA

CHECKS = {
    "conservation": "every key stands once over mart, history and removed, and the cycles' totals are true",
}
"""By name: what holds when it finds nothing."""

_FOLDER = Path("sql/checks")


@dataclass(frozen=True)
class Mart:
    """A mart to check: `source` is database.table, `key` its columns in the warehouse."""

    source: str
    name: str
    key: tuple[str, ...]


@dataclass(frozen=True)
class Finding:
    """One row that should not be."""

    check: str
    step: str
    table: str
    row_key: str
    what: str


@dataclass(frozen=True)
class Outcome:
    """One check. At most the wanted number of findings is kept of each query and mart, `count` has all of them."""

    check: str
    holds: str
    count: int
    findings: tuple[Finding, ...]
    cycle: int
    seconds: float


def chosen(names: Sequence[str]) -> list[str]:
    """Those named, or all. Raises `SettingsError` for one that there is not."""
    unknown = [name for name in names if name not in CHECKS]
    if unknown:
        raise SettingsError(f"there is no check {unknown[0]!r}; there are {', '.join(CHECKS)}")
    return list(dict.fromkeys(names)) or list(CHECKS)


def run(session: Session, name: str, marts: Sequence[Mart], most: int, say: Callable[[str], None]) -> Outcome:
    """One check, all its queries in one snapshot: that of the last committed cycle. Changes nothing, takes no lock.

    Raises `RefusedError` before the first cycle.
    """
    began = time.monotonic()
    found: list[Finding] = []
    count = 0
    with session.transaction():
        row = session.row("SELECT cycle FROM settlement_ods.as_of", doing="reading the cut")
        if row is None or not row["cycle"]:
            raise RefusedError(
                "no commit cycle has finished yet: there is nothing to check", todo="waybill commit --once"
            )
        for step, mart in _queries(name, marts):
            say(f"{name}: {step} of {mart.name}")
            names, values = _names(session, mart), _values(mart)
            [query] = statements(f"{_FOLDER}/{name}/{step}.each_mart.sql", names)
            bounded = SQL("SELECT x.*, count(*) OVER () AS _all FROM ({}) x LIMIT {}").format(
                query, Literal(max(most, 1))
            )
            rows = session.rows(bounded, values, doing=f"check {name}, {step} of {mart.name}")
            count += rows[0]["_all"] if rows else 0
            found += [Finding(name, step, mart.source, r["row_key"], r["what"]) for r in rows[:most]]
    return Outcome(name, CHECKS[name], count, tuple(found), int(row["cycle"]), time.monotonic() - began)


def _queries(name: str, marts: Sequence[Mart]) -> Iterator[tuple[str, Mart]]:
    for path in sorted((ROOT / _FOLDER / name).glob("[0-9]*.each_mart.sql")):
        for mart in marts:
            yield path.name.removesuffix(".each_mart.sql"), mart


def _names(session: Session, mart: Mart) -> dict[str, Composable]:
    history = session.rows(
        "SELECT place, table_name FROM settlement_ods.mart_places WHERE mart = %s ORDER BY place", (mart.name,)
    )
    places = [("", mart.name), *((r["place"], r["table_name"]) for r in history), ("removed", f"{mart.name}_removed")]
    parts = [
        SQL("SELECT {}, CAST({} AS varchar(16)) AS place FROM {}").format(
            columns(mart.key), Literal(place), table(MART_SCHEMA, name)
        )
        for place, name in places
    ]
    texts = [SQL("CAST({} AS varchar)").format(Identifier("p", name)) for name in mart.key]
    return {
        "places": SQL(" UNION ALL ").join(parts), "p_key": columns(mart.key, "p"),
        "row_key": SQL(" || '/' || ").join(texts),
    }  # fmt: skip


def _values(mart: Mart) -> dict[str, str]:
    return {"mart": mart.name, "history": f"hist_{mart.name.removeprefix('mart_')}_"}
