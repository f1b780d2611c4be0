"""The shop's three tables, and what stands of them in a warehouse."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.laws.model import Key, Row, Rules
from warehouse.session import Session
from waybill.raw import MART_SCHEMA
from waybill.types import SourceColumn

_ID = SourceColumn("order_id", "BIGINT", nullable=False)
COLUMNS = {
    "shop.tracking": (_ID, SourceColumn("state", "INT"), SourceColumn("update_time", "INT")),
    "shop.orders": (_ID, SourceColumn("status", "INT"), SourceColumn("add_time", "INT")),
    "shop.path": (
        _ID, SourceColumn("seq", "INT", nullable=False), SourceColumn("code", "INT"), SourceColumn("path_time", "INT"),
    ),
}  # fmt: skip
KEYS = {"shop.tracking": ("order_id",), "shop.orders": ("order_id",), "shop.path": ("order_id", "seq")}
TIMES = {"shop.tracking": "update_time", "shop.orders": "add_time", "shop.path": "path_time"}
VALUES = {"shop.tracking": "state", "shop.orders": "status", "shop.path": "code"}
MART = {name: f"mart_{name.split('.')[1]}" for name in COLUMNS}
GAPS = {"shop.orders": "ARCHIVE_ROUTING_GAP_ECS", "shop.path": "ARCHIVE_ROUTING_GAP_UTS"}
NOTE = "note"


class Standing:
    """Marts, history, exceptions and totals of one shop; `noted` once its tables have the column `note`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.rules: Mapping[str, Rules] = {}
        self.noted = False

    def mart(self, table: str) -> str:
        """The table's mart."""
        return MART[table]

    def source_name(self, table: str) -> str:
        """As the warehouse calls the table."""
        return table

    def stands(self, table: str) -> dict[Key, list[Row]]:
        """Every row of every place, without lineage."""
        value, time = VALUES[table], TIMES[table]
        keys = KEYS[table]
        places = self.session.rows(
            f"SELECT place, table_name FROM {MART_SCHEMA}.mart_places WHERE mart = %s", (self.mart(table),)
        )
        note = NOTE if self.noted else "NULL"
        parts = [
            f"SELECT '{p['place']}' AS place, {', '.join(keys)}, {value}, {time}, {note} AS note,"
            f" extract(epoch FROM coalesce(_deleted_at, _source_deleted))::bigint AS gone,"
            f" _deleted_at IS NOT NULL AS marked FROM {MART_SCHEMA}.{p['table_name']}"
            for p in [{"place": "", "table_name": self.mart(table)}, *places]
        ]
        found: dict[Key, list[Row]] = {}
        for r in self.session.rows(" UNION ALL ".join(parts)):
            values = {**{k: r[k] for k in keys}, value: r[value], time: r[time], NOTE: r["note"]}
            found.setdefault(tuple(r[k] for k in keys), []).append(Row(r["place"], values, r["gone"]))
        for r in self.session.rows(f"SELECT {', '.join(keys)} FROM {MART_SCHEMA}.{self.mart(table)}_removed"):
            found.setdefault(tuple(r[k] for k in keys), []).append(Row("removed", {}, None))
        return found

    def view(self, table: str) -> list[tuple[Any, ...]]:
        """What a reader of the all-time view sees: key and value."""
        names = (*KEYS[table], VALUES[table])
        view = self.mart(table).replace("mart_", "all_")
        found = self.session.rows(f"SELECT {', '.join(names)} FROM {MART_SCHEMA}.{view}")
        return sorted(tuple(r[n] for n in names) for r in found)

    def exceptions(self) -> list[tuple[str, str, str]]:
        """Open ones."""
        found = self.session.rows(
            f"SELECT table_name, row_key, exception_type FROM {MART_SCHEMA}.order_tracking_exceptions"
            " WHERE resolved_at IS NULL"
        )
        names = {self.source_name(table): table for table in COLUMNS}
        return sorted(
            (names[r["table_name"]], r["row_key"], r["exception_type"]) for r in found if r["table_name"] in names
        )

    def totals(self, table: str) -> dict[str, int]:
        found = self.session.rows(
            f"SELECT place, row_count FROM {MART_SCHEMA}.mart_totals WHERE mart = %s AND row_count <> 0",
            (self.mart(table),),
        )
        return {r["place"]: r["row_count"] for r in found}


def rules(retentions: Iterable[int], on_delete: Iterable[str]) -> dict[str, Rules]:
    """The shop's marts: orders follow tracking."""
    days, deletes = list(retentions), list(on_delete)
    return {
        table: Rules(
            days[i] * 86_400,
            deletes[i],
            "shop.tracking" if table == "shop.orders" else "",
            GAPS.get(table, "ARCHIVE_ROUTING_GAP"),
        )
        for i, table in enumerate(COLUMNS)
    }
