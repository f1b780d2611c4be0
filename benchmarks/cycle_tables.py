"""The tables that the cycle is measured on: tracking rows, orders that follow them, path events; 16, 16 and 6 columns.

Every value is an expression of the order's number `i`, of a version `v` (0 as first built) and, of path events, of the
place `k` in the order's path: what a batch changes and what was built come from the same text.
"""

from __future__ import annotations

from dataclasses import dataclass

from committer.marts import MartTable
from committer.settings import Mart
from warehouse.schema import MartTable as WantedMart
from warehouse.schema import RawTable
from waybill.half_years import HalfYear
from waybill.tables import Table
from waybill.types import SourceColumn

FIRST_HALF_YEAR = "2022h2"


@dataclass(frozen=True)
class Measured:
    """One table. `columns`: name -> (MySQL type, expression); the event time's expression is `:time`."""

    name: str
    columns: dict[str, tuple[str, str]]
    key: tuple[str, ...]
    event_time: str
    follows: str = ""

    @property
    def source(self) -> str:
        return f"bench.{self.name}"

    @property
    def raw(self) -> str:
        return f"{self.name}_raw"

    @property
    def mart(self) -> str:
        return f"mart_{self.name}"

    @property
    def names(self) -> str:
        return ", ".join(self.columns)

    def values(self, time: str) -> str:
        """The columns' expressions, as a list."""
        return ", ".join(f"{e.replace(':time', time)} AS {name}" for name, (_, e) in self.columns.items())

    def source_columns(self) -> list[SourceColumn]:
        return [
            SourceColumn(
                name, kind.split("(")[0], int(kind[8:-1]) if "(" in kind else None, nullable=name not in self.key
            )
            for name, (kind, _) in self.columns.items()
        ]

    def declared(self) -> MartTable:
        """As the committer takes it."""
        mart = Mart(name=self.mart, follows=f"mart_{self.follows}" if self.follows else None)
        return MartTable(
            Table(source=self.source, key=list(self.key), event_time=self.event_time, raw=self.raw), mart, ()
        )

    def wanted_raw(self) -> RawTable:
        return RawTable.of_source(self.raw, self.source_columns())

    def wanted_mart(self, until: HalfYear) -> WantedMart:
        half_years = HalfYear.parse(FIRST_HALF_YEAR).through(until)
        return WantedMart.of_source(self.mart, self.source_columns(), self.key, self.event_time, half_years=half_years)


TRACKING = Measured(
    "tracking",
    {
        "order_id": ("BIGINT", "i"),
        "state": ("INT", "(i + v) % 9"),
        "update_time": ("INT", ":time"),
        "partner_id": ("INT", "i % 331"),
        "carrier": ("VARCHAR(16)", "CASE WHEN i % 3 = 0 THEN 'north' ELSE 'south' END"),
        "tracking_no": ("VARCHAR(32)", "'KS' || i"),
        "zone": ("INT", "i % 47"),
        "weight": ("INT", "i % 30011"),
        "fee": ("BIGINT", "i % 99991 + v"),
        "origin": ("VARCHAR(16)", "'hub' || i % 211"),
        "destination": ("VARCHAR(16)", "'hub' || i % 199"),
        "attempts": ("INT", "v % 5"),
        "driver_id": ("INT", "i % 7919"),
        "hub_id": ("INT", "i % 211"),
        "note": ("VARCHAR(64)", "'left at the door, version ' || v"),
        "shift": ("INT", "i % 3"),
    },
    ("order_id",),
    "update_time",
)
ORDERS = Measured(
    "orders",
    {
        "order_id": ("BIGINT", "i"),
        "status": ("INT", "(i + v) % 9"),
        "add_time": ("INT", ":time"),
        "partner_id": ("INT", "i % 331"),
        "order_sn": ("VARCHAR(32)", "'SN' || i"),
        "sku": ("VARCHAR(32)", "'SKU-' || i % 50021"),
        "quantity": ("INT", "i % 7 + 1"),
        "price": ("BIGINT", "i % 99991"),
        "currency": ("VARCHAR(8)", "'EUR'"),
        "country": ("VARCHAR(8)", "'DE'"),
        "city": ("VARCHAR(32)", "'city ' || i % 1009"),
        "channel": ("INT", "i % 5"),
        "warehouse_id": ("INT", "i % 17"),
        "remark": ("VARCHAR(64)", "'ring twice, version ' || v"),
        "paid": ("INT", "i % 2"),
        "shipped": ("INT", "v % 2"),
    },
    ("order_id",),
    "add_time",
    follows="tracking",
)
PATH = Measured(
    "path",
    {
        "order_id": ("BIGINT", "i"),
        "seq": ("INT", "k"),
        "code": ("INT", "(i + k) % 40"),
        "path_time": ("INT", ":time"),
        "hub_id": ("INT", "(i + k) % 211"),
        "note": ("VARCHAR(64)", "'scanned at gate ' || k"),
    },
    ("order_id", "seq"),
    "path_time",
)
