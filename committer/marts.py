"""A declared mart with the tables it stands in, and what the step files' `{names}` stand for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from psycopg2.sql import SQL, Composable, Identifier, Literal

from committer.settings import Mart
from warehouse.schema import present_columns
from warehouse.session import Session
from warehouse.statements import columns, matches, table
from waybill.raw import MART_SCHEMA, RAW_SCHEMA, ledger_table, positions_table
from waybill.tables import Table

_PREFIXED = re.compile(r"\{([a-z])_(key_is_null|all_columns|columns|first_key|key|row_key|order_id)\}")
_MATCHED = re.compile(r"\{([a-z])_is_([a-z])\}")
# The cycle's scratch tables, one of each for a mart; they end with the session.
_SCRATCH = (
    "rows", "placed", "latest", "candidates", "standing", "leaders", "winners", "wiped", "verdict", "incoming",
    "moving", "after", "moved",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A table where rows of a mart may stand. `name` is '' for the mart itself, else the half-year."""

    name: str
    table: str


@dataclass(frozen=True)
class MartTable:
    """A mart with its raw table. `columns` are those that raw and mart have, `all_columns` all of the mart that are the
    source's; `history` are its history tables, `leader` the mart that it follows."""

    source: Table
    mart: Mart
    columns: tuple[str, ...]
    all_columns: tuple[str, ...] = ()
    history: tuple[Place, ...] = ()
    leader: MartTable | None = None

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(name.lower() for name in self.source.key)

    @property
    def event_time(self) -> str:
        return (self.source.event_time or "").lower()

    @property
    def places(self) -> tuple[Place, ...]:
        """The mart, then its history tables."""
        return (Place("", self.mart.name), *self.history)

    def as_it_stands(self, session: Session, leader: MartTable | None = None) -> MartTable:
        """With the columns and history tables that are there now: some may have come since the last cycle."""
        raw = set(present_columns(session, RAW_SCHEMA, self.source.raw))
        own = tuple(c for c in present_columns(session, MART_SCHEMA, self.mart.name) if not c.startswith("_"))
        found = session.rows(
            "SELECT place, table_name FROM settlement_ods.mart_places WHERE mart = %s ORDER BY place", (self.mart.name,)
        )
        history = tuple(Place(row["place"], row["table_name"]) for row in found)
        return replace(self, columns=tuple(c for c in own if c in raw), all_columns=own, history=history, leader=leader)

    def names(self, text: str, place: Place | None = None) -> dict[str, Composable]:
        """The identifiers and lists that the step `text` names."""
        raw, name = self.source.raw, self.mart.name
        found: dict[str, Composable] = {
            "raw": table(RAW_SCHEMA, raw),
            "ledger": table(RAW_SCHEMA, ledger_table(raw)),
            "positions": table(RAW_SCHEMA, positions_table(raw)),
            "mart": table(MART_SCHEMA, name),
            "key": columns(self.key),
            "columns": columns(self.columns),
            "all_columns": columns(self.all_columns),
            "raw_columns": columns(self.columns, "r"),
            "columns_of_n": self._set_from("n"),
            "event_time": Identifier(self.event_time),
            **{part: table(MART_SCHEMA, f"{name}_{part}") for part in ("removed", "alone", "recheck")},
            **{part: Identifier(f"{part}_{raw}") for part in _SCRATCH},
        }
        if self.leader:
            found["leader_mart"] = table(MART_SCHEMA, self.leader.mart.name)
            found["leader_moved"] = Identifier(f"moved_{self.leader.source.raw}")
        if place is not None:
            found["place"] = found["history"] = table(MART_SCHEMA, place.table)
        for prefix, what in _PREFIXED.findall(text):
            found[f"{prefix}_{what}"] = self._prefixed(prefix, what)
        for left, right in _MATCHED.findall(text):
            found[f"{left}_is_{right}"] = matches(self.key, left, right)
        return found

    def values(self) -> dict[str, Any]:
        """What the step files' parameters stand for."""
        return {
            "source": self.source.source, "raw_table": self.source.raw, "mart_name": self.mart.name,
            "on_delete": self.mart.on_delete, "gap_exception": self.mart.gap_exception,
            "follows": self.mart.follows is not None,
        }  # fmt: skip

    def _set_from(self, prefix: str) -> Composable:
        """`column = prefix.column`, and what only the mart has as it is without a value."""
        return SQL(", ").join(
            SQL("{} = {}").format(Identifier(c), Identifier(prefix, c) if c in self.columns else SQL("DEFAULT"))
            for c in self.all_columns or self.columns
        )

    def _prefixed(self, prefix: str, what: str) -> Composable:
        match what:
            case "key":
                return columns(self.key, prefix)
            case "first_key":
                return Identifier(prefix, self.key[0])
            case "columns":
                return columns(self.columns, prefix)
            case "all_columns":
                return columns(self.all_columns, prefix)
            case "key_is_null":
                return SQL(" OR ").join(SQL("{} IS NULL").format(Identifier(prefix, name)) for name in self.key)
            case "row_key":
                parts = (SQL("CAST({} AS varchar)").format(Identifier(prefix, name)) for name in self.key)
                return SQL(" || '/' || ").join(parts)
            case _:
                return Identifier(prefix, "order_id") if "order_id" in self.key else Literal(None)


def standing(session: Session, declared: Sequence[MartTable]) -> list[MartTable]:
    """All marts as they stand now, each with the one it follows. A leader is declared before its followers."""
    found: dict[str, MartTable] = {}
    for mart in declared:
        found[mart.mart.name] = mart.as_it_stands(session, found.get(mart.mart.follows or ""))
    return list(found.values())


def targets(scope: str, mart: MartTable) -> Iterator[Place | None]:
    """For what a step of this scope is run, for one mart: once, or for each table."""
    match scope:
        case "each_place":
            yield from mart.places
        case "each_history":
            yield from mart.history
        case "each_leader_history":
            yield from mart.leader.history if mart.leader else ()
        case "each_follower":
            yield from (None,) if mart.leader else ()
        case _:
            yield None
