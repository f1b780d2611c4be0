"""A warehouse with two small marts, a committer on it, and a source that says what the test wants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from committer.commit import Committer
from committer.marts import MartTable
from committer.settings import Commit, Mart
from tests.integration.commit.feed import COLUMNS, RAW, A, Feed
from warehouse.change import apply
from warehouse.schema import MartTable as WantedMart
from warehouse.schema import RawTable, plan
from warehouse.session import Session
from waybill import raw as lineage
from waybill.addresses import Warehouse
from waybill.clock import SystemClock
from waybill.gtid import GtidSet
from waybill.positions import Origin
from waybill.tables import Table

TIMES = {"shop.orders": "add_time", "shop.tracking": "update_time"}


@dataclass
class SaidSource:
    """A source that answers what it was told to."""

    stored: str = f"{A}:1-10"
    end: int = 0
    ends: dict[int, int] = field(default_factory=dict)
    letters: list[Origin] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    def stored_gtid_set(self) -> GtidSet:
        return GtidSet.parse(self.stored)

    def transaction_topic_end(self) -> int:
        return self.end

    def stable_offsets(self, table: str) -> dict[int, int]:
        return self.ends

    def open_letters(self, table: str) -> list[Origin]:
        return self.letters


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with Session(warehouse, "test") as opened:
        raws = [RawTable.of_source(RAW[name], columns) for name, columns in COLUMNS.items()]
        raws.append(RawTable.of_stream(lineage.TRANSACTION_TABLE, lineage.TRANSACTION))
        raws.append(RawTable.of_stream(lineage.NOTIFICATION_TABLE, lineage.NOTIFICATION))
        marts = [
            WantedMart.of_source(f"mart_{name.split('.')[1]}", columns, ["order_id"], TIMES[name])
            for name, columns in COLUMNS.items()
        ]
        apply(opened, plan(opened, raws, marts))
        yield opened


@pytest.fixture
def source() -> SaidSource:
    return SaidSource()


@pytest.fixture
def feed(session: Session) -> Feed:
    return Feed(session)


@pytest.fixture
def committer(session: Session, warehouse: Warehouse, source: SaidSource) -> Committer:
    marts = [
        MartTable(
            Table(source=name, key=["order_id"], event_time=TIMES[name], raw=RAW[name]),
            Mart(name=f"mart_{name.split('.')[1]}"),
            tuple(c.warehouse_name for c in columns),
        )
        for name, columns in COLUMNS.items()
    ]
    return Committer(
        lambda name: Session(warehouse, name), marts, Commit(retry_seconds=0.05, lease_seconds=2), source, SystemClock()
    )


def standing(session: Session, mart: str) -> dict[int, int | None]:
    """Order -> status (state) of the unmarked rows."""
    value = {"mart_orders": "status", "mart_tracking": "state"}[mart]
    found = session.rows(f"SELECT order_id, {value} AS value FROM settlement_ods.{mart} WHERE _deleted_at IS NULL")
    assert len(found) == len({row["order_id"] for row in found}), "a key stands twice"
    return {row["order_id"]: row["value"] for row in found}
