"""Transactions of several source lines (a failover, and back; tags): one order, that of their first ENDs."""

from __future__ import annotations

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import A, Feed
from warehouse.session import Session
from waybill.gtid import GtidSet

B = "bbbbbbbb-0000-0000-0000-000000000002"
_OTHERS = (B, f"{A}:night")


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


@pytest.fixture
def begun(feed: Feed, committer: Committer) -> Feed:
    """Orders 1 to 3 from a first snapshot at A:1-10, then A:11 and A:12, are in the marts."""
    feed.first_snapshot([_order(n, 10) for n in (1, 2, 3)], [])
    feed.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 12, 1, _order(2, 12))])
    feed.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    committer.cycle()
    return feed


def _write(feed: Feed, line: str, number: int, order: int, status: int, order_in_it: int = 1) -> None:
    feed.line = line
    feed.rows("shop.orders", [("u", number, order_in_it, _order(order, status))])


def _end(feed: Feed, line: str, number: int, rows: int = 1) -> None:
    feed.line = line
    feed.ends([(number, {"shop.orders": rows} if rows else {})])


@pytest.mark.parametrize("other", _OTHERS)
@pytest.mark.parametrize("at_once", [True, False])
def test_a_smaller_number_of_the_line_that_followed_wins(
    begun: Feed, committer: Committer, session: Session, other: str, at_once: bool
) -> None:
    _write(begun, A, 13, 1, 13)
    _end(begun, A, 13)
    if not at_once:
        committer.cycle()
    _write(begun, other, 2, 1, 2002)
    _end(begun, other, 1, 0)
    _end(begun, other, 2)
    summary = committer.cycle()
    assert standing(session, "mart_orders") == {1: 2002, 2: 12, 3: 10}
    assert GtidSet.parse(summary.gtid_set) == GtidSet.parse(f"{A}:1-13,{other}:1-2")


@pytest.mark.parametrize("other", _OTHERS)
def test_there_and_back_again_the_order_of_ends_is_the_order_of_rows(
    begun: Feed, committer: Committer, session: Session, other: str
) -> None:
    for line, number, status in ((A, 13, 1), (other, 1, 2), (other, 2, 3), (A, 14, 4), (A, 15, 5), (other, 3, 6)):
        _write(begun, line, number, 1, status)
        _write(begun, line, number, 2, status, 2)
        _end(begun, line, number, 2)
    summary = committer.cycle()
    assert standing(session, "mart_orders") == {1: 6, 2: 6, 3: 10}
    assert GtidSet.parse(summary.gtid_set) == GtidSet.parse(f"{A}:1-15,{other}:1-3")
    eras = session.rows(
        "SELECT source_uuid, source_tag, first_number, last_number FROM settlement_ods.eras ORDER BY era"
    )
    uuid, _, tag = other.partition(":")
    assert [tuple(row.values()) for row in eras] == [
        (A, "", 1, 10), ("", "", 0, 0), (A, "", 11, 13), (uuid, tag, 1, 2), (A, "", 14, 15), (uuid, tag, 3, 3),
    ]  # fmt: skip
    _write(begun, A, 15, 2, 5, 1)
    _write(begun, other, 2, 3, 30, 1)
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 6, 2: 6, 3: 30}, "late rows take the place of their transaction"


@pytest.mark.parametrize("other", _OTHERS)
def test_lines_that_change_many_times_in_one_cycle_are_as_many_eras(
    begun: Feed, committer: Committer, session: Session, other: str
) -> None:
    numbers = {A: 12, other: 0}
    wanted = []
    for turn in range(12):
        line = (other, A)[turn % 2]
        first = numbers[line] + 1
        numbers[line] += 1 + turn % 4
        for number in range(first, numbers[line] + 1):
            _end(begun, line, number, 0)
        wanted.append((line.partition(":")[0], first, numbers[line]))
    committer.cycle()
    eras = session.rows("SELECT source_uuid, first_number, last_number FROM settlement_ods.eras ORDER BY era")
    assert [tuple(row.values()) for row in eras][3:] == wanted


@pytest.mark.parametrize("other", _OTHERS)
def test_a_number_that_is_in_the_cut_under_one_line_is_new_under_another(
    begun: Feed, committer: Committer, session: Session, other: str
) -> None:
    _end(begun, other, 11)
    assert f"{other}:11: 0 of 1" in committer.cycle().waiting[0]
    _write(begun, other, 11, 3, 33)
    assert committer.cycle().transactions == 1
    assert standing(session, "mart_orders") == {1: 11, 2: 12, 3: 33}
    _end(begun, other, 11)
    assert committer.cycle().transactions == 0


@pytest.mark.parametrize("other", _OTHERS)
def test_until_names_the_line_too(begun: Feed, committer: Committer, session: Session, other: str) -> None:
    for line, number in ((other, 1), (A, 13), (other, 2), (other, 3), (A, 14)):
        _write(begun, line, number, 1, number)
        _end(begun, line, number)
    bound = GtidSet.parse(f"{A}:1-13,{other}:1-2")
    assert GtidSet.parse(committer.cycle(bound).gtid_set) == bound
    assert standing(session, "mart_orders")[1] == 2
    committer.cycle()
    assert standing(session, "mart_orders")[1] == 14


@pytest.mark.parametrize("other", _OTHERS)
def test_a_row_read_again_stands_behind_all_lines_that_it_was_read_after(
    begun: Feed, committer: Committer, session: Session, other: str
) -> None:
    _write(begun, other, 1, 1, 2001)
    _end(begun, other, 1)
    _write(begun, other, 2, 2, 2002)
    _end(begun, other, 2)
    begun.read_again("shop.orders", f"{A}:1-12,{other}:1", [_order(1, 77), _order(2, 77), _order(3, 77)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 77, 2: 2002, 3: 77}


def test_a_second_first_snapshot_is_an_era_of_its_own_and_an_older_one_read_again_loses(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.first_snapshot([_order(1, 500), _order(2, 500)], [], pos=500)
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 500, 2: 500}, "what the new snapshot did not bring is gone"
    begun.line = A
    begun.rows("shop.orders", [("u", 12, 2, _order(1, 12))])
    begun.snapshot_rows("shop.orders", [_order(2, 10), _order(3, 10)], pos=100)
    assert committer.cycle().waiting == []
    assert standing(session, "mart_orders") == {1: 500, 2: 500}
    _write(begun, A, 13, 2, 13)
    _end(begun, A, 13)
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 500, 2: 13}


def test_one_cause_of_an_exception_does_not_resolve_another(
    begun: Feed, committer: Committer, session: Session
) -> None:
    """Same key, same type, another table; another key of the same table."""
    far = 4_000_000_000 // 2
    begun.line = A
    begun.rows("shop.orders", [("u", 13, n, _order(n, 1) | {"add_time": far}) for n in (1, 2)])
    begun.rows("shop.tracking", [("u", 13, n + 2, {"order_id": n, "state": 1, "update_time": far}) for n in (1, 2)])
    begun.ends([(13, {"shop.orders": 2, "shop.tracking": 2})])
    committer.cycle()

    def count() -> list[tuple[str, str]]:
        found = session.rows(
            "SELECT table_name, row_key FROM settlement_ods.order_tracking_exceptions WHERE resolved_at IS NULL"
            " AND exception_type = 'FUTURE_TIMESTAMP' ORDER BY 1, 2"
        )
        return [(row["table_name"], row["row_key"]) for row in found]

    assert count() == [("shop.orders", "1"), ("shop.orders", "2"), ("shop.tracking", "1"), ("shop.tracking", "2")]
    begun.rows("shop.orders", [("u", 14, 1, _order(1, 14))])
    begun.ends([(14, {"shop.orders": 1})])
    committer.cycle()
    assert count() == [("shop.orders", "2"), ("shop.tracking", "1"), ("shop.tracking", "2")]
    begun.rows("shop.orders", [("u", 15, 1, _order(1, 15) | {"add_time": far})])
    begun.ends([(15, {"shop.orders": 1})])
    committer.cycle()
    committer.cycle()
    assert count() == [("shop.orders", "1"), ("shop.orders", "2"), ("shop.tracking", "1"), ("shop.tracking", "2")]
    ids = session.rows("SELECT exception_id FROM settlement_ods.order_tracking_exceptions")
    assert len({row["exception_id"] for row in ids}) == len(ids) == 5
