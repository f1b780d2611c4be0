"""A warehouse with two small marts, a committer on it, and a source that says what the test wants; and the shop of
the laws, for stories told by hand. The empty tables are made once and cloned."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from committer.commit import Committer
from committer.marts import MartTable
from committer.settings import Commit, History, Mart
from tests.conftest import fresh_database
from tests.integration.commit import templates
from tests.integration.commit.feed import COLUMNS, RAW, TIMES, A, Feed
from tests.integration.commit.holes import order
from tests.laws import shop
from tests.laws.story import Story
from tests.laws.story import story as told
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.clock import SystemClock
from waybill.gtid import GtidSet
from waybill.positions import Origin
from waybill.tables import Table


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


@pytest.fixture(scope="session")
def shop_template(warehouse_server: Warehouse) -> Iterator[str]:
    with shop.template(warehouse_server, f"shop_template_{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture
def story(warehouse_server: Warehouse, shop_template: str) -> Iterator[Story]:
    """The shop's three marts, orders following tracking, with history from 2023 on."""
    with told(warehouse_server, shop_template) as one:
        yield one


@pytest.fixture(scope="session")
def two_marts(warehouse_server: Warehouse) -> Iterator[str]:
    with templates.two_marts(warehouse_server, f"marts_template_{secrets.token_hex(3)}") as name:
        yield name


@pytest.fixture
def warehouse(warehouse_server: Warehouse, two_marts: str, fresh_name: str) -> Iterator[Warehouse]:
    """A database with the two marts, of this test's own, dropped after it."""
    with fresh_database(warehouse_server, fresh_name, two_marts) as made:
        yield made


@pytest.fixture
def session(warehouse: Warehouse) -> Iterator[Session]:
    with Session(warehouse, "test") as opened:
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
        lambda name: Session(warehouse, name), marts, Commit(retry_seconds=0.05, lease_seconds=2), source,
        SystemClock(), History(first_half_year="2026h1"),
    )  # fmt: skip


def standing(session: Session, mart: str) -> dict[int, int | None]:
    """Order -> status (state) of the unmarked rows."""
    value = {"mart_orders": "status", "mart_tracking": "state"}[mart]
    found = session.rows(f"SELECT order_id, {value} AS value FROM settlement_ods.{mart} WHERE _deleted_at IS NULL")
    assert len(found) == len({row["order_id"] for row in found}), "a key stands twice"
    return {row["order_id"]: row["value"] for row in found}


@pytest.fixture
def begun(feed: Feed, committer: Committer) -> Feed:
    """Two orders from a first snapshot, taken at A:1-10, are in the marts."""
    feed.first_snapshot([order(1, 10), order(2, 10)], [])
    committer.cycle()
    return feed
