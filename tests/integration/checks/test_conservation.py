"""The full count finds what a cycle's own proof of the touched keys cannot: what somebody did beside the cycles."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import pytest

from checks.named import Mart, Outcome, chosen, run
from tests.laws.model import DAY, Event
from tests.laws.shop import Shop, template
from tests.laws.standing import KEYS, MART, TIMES, VALUES, rules
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.errors import RefusedError, SettingsError

NOW = 1_709_294_400  # 1 March 2024
MARTS = [Mart(table, MART[table], KEYS[table]) for table in MART]


@pytest.fixture
def shop(warehouse_server: Warehouse) -> Iterator[Shop]:
    with template(warehouse_server, f"conservation_{secrets.token_hex(4)}") as name:
        made = Shop(warehouse_server, name, f"conservation_{secrets.token_hex(4)}", NOW)
        try:
            made.rules = rules([180, 180, 180], ["remove", "mark", "mark"])
            made.snapshot()
            yield made
        finally:
            made.close()


def _fill(shop: Shop) -> None:
    """Rows in every place: marts, history of both half-years, removed."""
    number = 10
    for order, ago in enumerate((0, 10, 200, 300, 400), 1):
        number += 1
        for place, table in enumerate(MART, 1):
            values = {"order_id": order, "seq": 7, VALUES[table]: 1, TIMES[table]: NOW - ago * DAY}
            key = tuple(values[name] for name in KEYS[table])
            own = {name: values[name] for name in (*KEYS[table], VALUES[table], TIMES[table])}
            shop.load(table, [Event(table, key, "c", (2, number, place), 0, NOW, own[TIMES[table]], own)])
        shop.end(number, dict.fromkeys(MART, 1), NOW)
    number += 1
    gone = {"order_id": 2, "state": 1, "update_time": NOW}
    shop.load("shop.tracking", [Event("shop.tracking", (2,), "d", (2, number, 1), 0, NOW, NOW, gone)])
    shop.end(number, {"shop.tracking": 1}, NOW)
    shop.cycle()


def _check(shop: Shop, most: int = 20) -> Outcome:
    with Session(shop.address, "check") as session:
        return run(session, "conservation", MARTS, most, lambda _: None)


def _found(shop: Shop) -> list[tuple[str, str, str]]:
    return [(f.table, f.row_key, f.what) for f in _check(shop).findings]


def test_after_cycles_nothing_is_found(shop: Shop) -> None:
    with pytest.raises(RefusedError, match="no commit cycle"):
        _check(shop)
    _fill(shop)
    places = {place for table in MART for place in shop.totals(table)}
    assert places == {"", "2023_h1", "2023_h2", "removed"}
    outcome = _check(shop)
    assert (outcome.count, outcome.findings) == (0, ())


def test_a_row_that_somebody_deleted_is_missed_by_the_count(shop: Shop) -> None:
    _fill(shop)
    shop.session.run("DELETE FROM settlement_ods.hist_path_2023_h1 WHERE order_id = 4")
    shop.session.run("DELETE FROM settlement_ods.mart_orders WHERE order_id = 1")
    shop.session.run("DELETE FROM settlement_ods.mart_tracking_removed")
    found = {(table, place): what for table, place, what in _found(shop)}
    assert found.keys() == {("shop.path", "2023_h1"), ("shop.orders", "the mart"), ("shop.tracking", "removed")}
    assert found["shop.tracking", "removed"] == "0 rows stand there, the totals say 1"


def test_a_key_in_two_places_is_named_wherever_they_are(shop: Shop) -> None:
    _fill(shop)
    shop.session.run("INSERT INTO settlement_ods.hist_path_2024_h2 SELECT * FROM settlement_ods.hist_path_2023_h1")
    shop.session.run("INSERT INTO settlement_ods.mart_orders SELECT * FROM settlement_ods.mart_orders")
    shop.session.run(
        "INSERT INTO settlement_ods.mart_tracking_removed SELECT order_id, 1, 1, 1, 1, NULL, 1"
        " FROM settlement_ods.mart_tracking"
    )
    twice = [(table, key, what) for table, key, what in _found(shop) if "rows: in" in what]
    assert ("shop.path", "4/7", "2 rows: in 2023_h1 and 2024_h2") in twice
    assert ("shop.orders", "1", "2 rows: in the mart and the mart") in twice
    assert ("shop.tracking", "1", "2 rows: in the mart and removed") in twice


def test_a_history_table_that_no_cycle_knows_is_named(shop: Shop) -> None:
    _fill(shop)
    shop.session.run("DELETE FROM settlement_ods.mart_places WHERE table_name = 'hist_orders_2024_h2'")
    [(table, row, what)] = _found(shop)
    assert (table, row) == ("shop.orders", "hist_orders_2024_h2") and "does not name" in what


def test_all_findings_are_counted_and_the_first_are_shown(shop: Shop) -> None:
    _fill(shop)
    shop.session.run("DELETE FROM settlement_ods.mart_totals")
    some, none = _check(shop, 1), _check(shop, 0)
    assert len(some.findings) == 3 and some.count > 3
    assert (none.findings, none.count) == ((), some.count)


def test_a_check_that_there_is_not_is_refused() -> None:
    assert chosen([]) == ["conservation"] == chosen(["conservation"] * 2)
    with pytest.raises(SettingsError, match="no check 'conversation'; there are conservation"):
        chosen(["conversation"])
