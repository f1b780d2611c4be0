"""The warehouse's part of a state's write: under the states' lock, only for partitions that are still the writer's."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.bucket import Bucket
from tests.simulation.tasks import Switch
from tests.simulation.warehouse import Database, Warehouse
from tests.simulation.world import STREAMS
from waybill.errors import StoppedTable
from waybill.positions import Position

STREAM = STREAMS[0]
PLACE, SIBLING = (STREAM.topic, 0), (STREAM.topic, 1)
STOPPED = StoppedTable(STREAM.name, "a topic made again")


@pytest.fixture
def database() -> Database:
    made = Database([STREAM.raw])
    made.empty(["order_id"])
    return made


@pytest.fixture
def store(database: Database) -> Warehouse:
    switch = Switch()
    return Warehouse(database, Bucket(switch, Counter()), switch, Counter())


def claim(store: Warehouse, owner: str, place: tuple[str, int]) -> int:
    (claimed,) = store.claim(STREAM.raw, [Position(place[0], "id", place[1], 1, 0, 0, "")], owner, 0)
    return claimed.epoch


def said(database: Database) -> list[tuple[str, str]]:
    return database.rows("SELECT state, changed_by FROM settlement_public.table_states")  # type: ignore[return-value]


def test_a_late_stop_of_the_owner_before_is_refused_and_the_new_ones_word_stands(
    database: Database, store: Warehouse
) -> None:
    mine = claim(store, "me", PLACE)
    theirs = claim(store, "other", PLACE)
    assert store.state(STREAM.name, STREAM.raw, None, "other", {PLACE: theirs})
    assert not store.state(STREAM.name, STREAM.raw, STOPPED, "me", {PLACE: mine})
    assert said(database) == [("running", "other")]


def test_a_sibling_partition_that_another_claims_does_not_silence_the_one_that_stops(
    database: Database, store: Warehouse
) -> None:
    mine = claim(store, "me", PLACE)
    claim(store, "other", SIBLING)
    assert store.state(STREAM.name, STREAM.raw, STOPPED, "me", {PLACE: mine})
    assert said(database) == [("stopped", "me")]


def test_a_table_that_stops_before_its_first_claim_says_so(database: Database, store: Warehouse) -> None:
    assert store.state(STREAM.name, STREAM.raw, STOPPED, "me", {PLACE: 0})
    assert said(database) == [("stopped", "me")]
