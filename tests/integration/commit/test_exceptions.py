"""Exceptions as people handle them: resolving moves nothing, restoring moves one row as the laws want, or says no."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from committer.marts import MartTable
from committer.restoring import Restored, restore
from committer.settings import Mart
from operations.exceptions import rows
from operations.exceptions.resolve import resolve
from operations.exceptions.rows import Choice
from tests.laws.model import DAY, Event
from tests.laws.shop import RAW, Shop, template
from tests.laws.standing import GAPS, KEYS, MART, TIMES, VALUES, rules
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.errors import RefusedError, SettingsError, UnreachableError
from waybill.tables import Table

NOW = 1_709_294_400  # 1 March 2024
ORDERS, TRACKING, PATH = "shop.orders", "shop.tracking", "shop.path"
DECLARED = [
    MartTable(
        Table(source=table, key=list(KEYS[table]), event_time=TIMES[table], raw=RAW[table]),
        Mart(
            name=MART[table],
            follows=MART[TRACKING] if table == ORDERS else None,
            gap_exception=GAPS.get(table, "ARCHIVE_ROUTING_GAP"),
        ),
        (),
    )
    for table in MART
]


@pytest.fixture
def shop(warehouse_server: Warehouse) -> Iterator[Shop]:
    with template(warehouse_server, f"exceptions_{secrets.token_hex(4)}") as name:
        made = Shop(warehouse_server, name, f"exceptions_{secrets.token_hex(4)}", NOW)
        try:
            made.rules = rules([180, 180, 180], ["mark", "mark", "mark"])
            made.snapshot()
            yield made
        finally:
            made.close()


def _put(shop: Shop, number: int, *events: tuple[str, int, int | None]) -> None:
    """One transaction of (table, order, event time), applied at once."""
    for order, (table, key, when) in enumerate(events, 1):
        values = {"order_id": key, VALUES[table]: number, TIMES[table]: when}
        if table == PATH:
            values["seq"] = 1
        row = tuple(values[name] for name in KEYS[table])
        shop.load(table, [Event(table, row, "c", (2, number, order), 0, NOW, when, values)])  # type: ignore[arg-type]
    counts = {table: sum(e[0] == table for e in events) for table in dict.fromkeys(e[0] for e in events)}
    shop.end(number, counts, NOW)
    shop.cycle()


def _restore(shop: Shop, key: list[str], note: str, **options: Any) -> Restored:
    return restore(lambda name: Session(shop.address, name), DECLARED, "mart_orders", key, note, **options)


def _place(shop: Shop, table: str, key: int) -> list[str]:
    return [row.place for row in shop.stands(table).get((key,), [])]


def _move_by_hand(shop: Shop, key: int, half_year: str) -> None:
    """Somebody moves an order's row into history, totals and all."""
    shop.session.run(
        f"INSERT INTO settlement_ods.hist_orders_{half_year} SELECT * FROM settlement_ods.mart_orders"
        " WHERE order_id = %s",
        (key,),
    )
    for name in ("mart_orders", "mart_orders_alone"):
        shop.session.run(f"DELETE FROM settlement_ods.{name} WHERE order_id = %s", (key,))
    for place, more in (("", -1), (half_year, 1)):
        if not shop.session.run(
            "UPDATE settlement_ods.mart_totals SET row_count = row_count + %s"
            " WHERE mart = 'mart_orders' AND place = %s",
            (more, place),
        ):
            shop.session.run("INSERT INTO settlement_ods.mart_totals VALUES ('mart_orders', %s, %s)", (place, more))


def test_resolved_by_hand_nothing_moves_and_the_next_cycle_opens_it_again_while_its_cause_stands(shop: Shop) -> None:
    _put(shop, 11, (TRACKING, 1, NOW), (TRACKING, 2, None), (PATH, 1, NOW), (PATH, 2, None))
    before = shop.stands(TRACKING), shop.stands(PATH), shop.exceptions()
    assert before[2] == [
        (PATH, "2/1", "ARCHIVE_ROUTING_GAP_UTS"), (TRACKING, "2", "ARCHIVE_ROUTING_GAP"),
    ]  # fmt: skip
    found = rows.newest(shop.session, Choice(), 10)
    ids = [row.exception_id for row in found]
    assert [r.rechecked for r in resolve(shop.session, DECLARED, ids, "me: seen", dry_run=True)] == [True, True]
    assert len(shop.exceptions()) == 2, "a dry run changes nothing"
    assert [r.rechecked for r in resolve(shop.session, DECLARED, ids, "me: seen")] == [True, True]
    assert (shop.stands(TRACKING), shop.stands(PATH), shop.exceptions()) == (before[0], before[1], [])
    assert [r.before for r in resolve(shop.session, DECLARED, ids, "me: again")] == [True, True]
    shop.cycle()
    assert shop.exceptions() == before[2]
    assert {row.resolution_notes for row in rows.newest(shop.session, Choice(resolved=True), 10)} == {None, "me: seen"}
    shop.cycle()
    assert rows.open_by_type(shop.session, Choice()) == {"ARCHIVE_ROUTING_GAP": 1, "ARCHIVE_ROUTING_GAP_UTS": 1}


def test_the_list_is_chosen_by_type_table_and_state(shop: Shop) -> None:
    _put(
        shop,
        11,
        (TRACKING, 1, NOW),
        (TRACKING, 2, None),
        (PATH, 1, NOW),
        (PATH, 2, None),
        (TRACKING, 3, NOW + 300 * DAY),
    )
    assert rows.open_by_type(shop.session, Choice("FUTURE_TIMESTAMP")) == {"FUTURE_TIMESTAMP": 1}
    assert [row.row_key for row in rows.newest(shop.session, Choice(table=PATH), 10)] == ["2/1"]
    first = rows.newest(shop.session, Choice(table=PATH), 10)[0]
    resolve(shop.session, DECLARED, [first.exception_id], "seen")
    assert rows.newest(shop.session, Choice(table=PATH), 10) == []
    assert len(rows.newest(shop.session, Choice(table=PATH, resolved=True), 10)) == 1
    with pytest.raises(SettingsError, match="there is no exception 99"):
        resolve(shop.session, DECLARED, [first.exception_id, 99], "seen")


def test_an_orders_row_comes_back_when_the_row_it_follows_is_in_its_mart(shop: Shop) -> None:
    _put(shop, 11, (TRACKING, 1, NOW), (ORDERS, 1, NOW - 300 * DAY), (TRACKING, 2, NOW), (ORDERS, 2, NOW))
    _move_by_hand(shop, 1, "2023_h1")
    shop.session.run(
        "INSERT INTO settlement_ods.order_tracking_exceptions VALUES"
        " (77, 'shop.orders', '1', 1, 'REACTIVATED_ORDER_MISSING_ECS', '2024-03-01', 'n', NULL, NULL)"
    )
    shop.cycle()
    assert _place(shop, ORDERS, 1) == ["2023_h1"], "no news of it: the cycle does not look"
    assert not _restore(shop, ["1"], "me", dry_run=True).changed
    assert _place(shop, ORDERS, 1) == ["2023_h1"]
    done = _restore(shop, ["1"], "me")
    assert (done.changed, done.stood_in) == (True, "hist_orders_2023_h1")
    assert _place(shop, ORDERS, 1) == [""]
    assert shop.totals(ORDERS) == {"": 2}
    assert shop.exceptions() == []
    again = _restore(shop, ["1"], "me")
    assert (again.changed, again.stood_in) == (False, "mart_orders")
    shop.cycle()
    assert _place(shop, ORDERS, 1) == [""]


def test_a_row_without_one_to_follow_comes_back_while_it_is_not_due(shop: Shop) -> None:
    _put(shop, 11, (TRACKING, 9, NOW), (ORDERS, 9, NOW), (ORDERS, 1, NOW - 10 * DAY), (ORDERS, 2, NOW - 200 * DAY))
    assert _place(shop, ORDERS, 2) == ["2023_h2"]
    _move_by_hand(shop, 1, "2024_h1")
    assert _restore(shop, ["1"], "me").changed
    assert _place(shop, ORDERS, 1) == [""]
    alone = shop.session.rows("SELECT order_id FROM settlement_ods.mart_orders_alone")
    assert [row["order_id"] for row in alone] == [1], "it leaves by its own time from now on"
    with pytest.raises(RefusedError, match=r"has no row to follow.* more than 180 days"):
        _restore(shop, ["2"], "me")
    assert _place(shop, ORDERS, 2) == ["2023_h2"]


def test_a_row_stays_in_history_with_the_row_it_follows(shop: Shop) -> None:
    _put(shop, 11, (TRACKING, 9, NOW), (TRACKING, 1, NOW - 200 * DAY), (ORDERS, 1, NOW - 210 * DAY))
    with pytest.raises(RefusedError, match=r"follows stands in hist_tracking_2023_h2 \(update_time 2023-08-14"):
        _restore(shop, ["1"], "me")
    assert _place(shop, ORDERS, 1) == ["2023_h2"]
    _put(shop, 12, (TRACKING, 1, NOW))
    assert _place(shop, ORDERS, 1) == [""], "a cycle brings it back by itself"


def test_what_cannot_be_restored_says_why(shop: Shop) -> None:
    _put(shop, 11, (TRACKING, 1, NOW), (ORDERS, 1, NOW))
    with pytest.raises(SettingsError, match="5 stands nowhere: not in mart_orders, hist_orders_2023_h1"):
        _restore(shop, ["5"], "me")
    with pytest.raises(SettingsError, match="follows no other mart"):
        restore(lambda name: Session(shop.address, name), DECLARED, "mart_tracking", ["1"], "me")
    with pytest.raises(SettingsError, match="abc cannot be a key"):
        _restore(shop, ["abc"], "me")
    shop.session.run("UPDATE settlement_ods.as_of SET tables_out = 'shop.tracking'")
    with pytest.raises(RefusedError, match=r"go on without shop\.tracking"):
        _restore(shop, ["1"], "me")


def test_both_wait_for_the_cycle_that_runs(shop: Shop) -> None:
    _put(shop, 11, (TRACKING, 2, None), (TRACKING, 1, NOW))
    with shop.session.transaction(lock="LOCK TABLE settlement_ods.cycle_lock IN EXCLUSIVE MODE"):
        refused: list[BaseException] = []

        def act(which: int) -> None:
            with Session(shop.address, "other") as other:
                try:
                    if which:
                        _restore(shop, ["1"], "me", lock_seconds=0.2)
                    else:
                        resolve(other, DECLARED, [1], "seen", lock_seconds=0.2)
                except UnreachableError as error:
                    refused.append(error)

        threads = [threading.Thread(target=act, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refused) == 2 and all("a cycle is running" in str(error) for error in refused)
