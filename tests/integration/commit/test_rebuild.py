"""T never falls, not even when the row that set it is repaired; rebuilding the places sets it right."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import EPOCH, A, Feed
from warehouse.session import Session

NOW = int(EPOCH.replace(tzinfo=UTC).timestamp())
DAY = 86_400


def _tracking(number: int, time: int) -> dict[str, int]:
    return {"order_id": number, "state": number, "update_time": time}


def test_a_repaired_row_leaves_t_and_rebuilding_the_places_brings_back_what_it_had_sent_away(
    feed: Feed, committer: Committer, session: Session
) -> None:
    feed.first_snapshot([], [_tracking(1, NOW - 300 * DAY), _tracking(2, NOW - 200 * DAY)])
    committer.cycle()
    assert standing(session, "mart_tracking") == {1: 1, 2: 2}
    feed.rows("shop.tracking", [("u", 11, 1, _tracking(3, NOW))])  # wrongly decoded: it was of 190 days ago
    feed.ends([(11, {"shop.tracking": 1})])
    committer.cycle()
    assert standing(session, "mart_tracking") == {3: 3}
    feed.rows("shop.tracking", [("u", 11, 1, _tracking(3, NOW - 190 * DAY))])
    committer.cycle()
    assert standing(session, "mart_tracking") == {}, "T does not fall"
    summary = committer.cycle(rebuild=True)
    assert standing(session, "mart_tracking") == {1: 1, 2: 2, 3: 3}
    assert all("places are rebuilt" in mart.marked for mart in summary.marts)
    again = committer.cycle()
    assert not any(mart.marked or mart.looked_at for mart in again.marts)


def _event(
    feed: Feed, number: int, *rows: tuple[int | None, float], op: str = "u", end: bool = True, order: int = 0
) -> None:
    """One transaction, one batch: (order, event time in days before now)."""
    feed.rows(
        "shop.tracking",
        [
            (op, number, order or n, {"order_id": key, "state": n, "update_time": NOW - round(days * DAY)})
            for n, (key, days) in enumerate(rows, 1)
        ],
    )
    if end:
        feed.ends([(number, {"shop.tracking": 1 if order else len(rows)})])


def _a_delete_does_not_count(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, 5), op="d")
    _event(feed, 12, (1, 60))
    return 60


def _an_event_more_than_an_hour_ahead_does_not_count(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, -2))
    _event(feed, 12, (1, 60))
    return 60


def _an_event_an_hour_ahead_counts(feed: Feed, committer: Committer) -> float:
    committed = int(feed.now.replace(tzinfo=UTC).timestamp()) + 1
    _event(feed, 11, (1, (NOW - committed - 3600) / DAY))
    _event(feed, 12, (1, 60))
    return (NOW - committed - 3600) / DAY


def _one_that_is_not_in_the_cut_does_not_count(feed: Feed, committer: Committer) -> float:
    """Nor is it taken for one when another table's batch has its number."""
    _event(feed, 11, (1, 60))
    feed.batch, feed.offsets["orders_raw"] = 99, 70
    feed.rows("shop.orders", [("u", 12, 1, {"order_id": 1, "status": 1, "add_time": 1})])
    feed.ends([(12, {"shop.orders": 1})])
    feed.batch = 99
    _event(feed, 13, (5, 1), end=False)
    return 60


def _one_of_a_batch_that_is_cut_counts(feed: Feed, committer: Committer) -> float:
    feed.rows(
        "shop.tracking",
        [
            ("u", number, 1, {"order_id": key, "state": 1, "update_time": NOW - days * DAY})
            for number, key, days in ((11, 2, 10), (13, 5, 1))
        ],
    )
    feed.ends([(11, {"shop.tracking": 1})])
    committer.cycle()
    _event(feed, 12, (2, 40))
    return 10


def _a_row_without_a_key_does_not_count(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (None, 3), (1, 60))
    return 60


def _a_reading_that_was_repaired_does_not_count(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, 4))
    feed.reset("tracking_raw", 0)
    _event(feed, 11, (1, 70), end=False)
    return 70


def _nor_does_one_delivered_twice_and_repaired_once(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, 4), (1, 4), order=1)
    feed.reset("tracking_raw", 0)
    _event(feed, 11, (1, 70), end=False)
    return 70


def _nor_the_first_of_two_deliveries_in_one_batch(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, 4), (1, 70), order=1)
    return 70


def _every_row_of_a_snapshot_counts(feed: Feed, committer: Committer) -> float:
    feed.first_snapshot(
        [], [{"order_id": key, "state": 1, "update_time": NOW - days * DAY} for key, days in ((7, 9), (8, 80))], pos=200
    )
    committer.cycle()
    _event(feed, 11, (7, 90))
    return 9


def _every_change_of_one_transaction_counts(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, 8), (1, 85))
    return 8


def _a_version_that_was_replaced_counts(feed: Feed, committer: Committer) -> float:
    _event(feed, 11, (1, 8))
    _event(feed, 12, (1, 85))
    return 8


def _every_reading_of_a_row_by_another_snapshot_counts(feed: Feed, committer: Committer) -> float:
    for number, days in ((11, 7), (12, 88)):
        feed.ends([(number, {})])
        values = {"order_id": 1, "state": 1, "update_time": NOW - days * DAY}
        feed.read_again("shop.tracking", f"{A}:1-{number}", [values])
    return 7


@pytest.mark.parametrize(
    "told",
    [
        _a_delete_does_not_count, _an_event_more_than_an_hour_ahead_does_not_count, _an_event_an_hour_ahead_counts,
        _one_that_is_not_in_the_cut_does_not_count, _one_of_a_batch_that_is_cut_counts,
        _a_row_without_a_key_does_not_count, _a_reading_that_was_repaired_does_not_count,
        _nor_does_one_delivered_twice_and_repaired_once, _nor_the_first_of_two_deliveries_in_one_batch,
        _every_row_of_a_snapshot_counts, _every_change_of_one_transaction_counts, _a_version_that_was_replaced_counts,
        _every_reading_of_a_row_by_another_snapshot_counts,
    ],
)  # fmt: skip
def test_t_is_found_again_from_the_events_in_raw(
    feed: Feed, committer: Committer, session: Session, told: Callable[[Feed, Committer], float]
) -> None:
    feed.first_snapshot([], [])
    days = told(feed, committer)
    committer.cycle()
    committer.cycle(rebuild=True)
    assert session.row("SELECT newest_event AS t FROM settlement_ods.mart_rules WHERE mart = 'mart_tracking'") == {
        "t": NOW - round(days * DAY)
    }


@pytest.mark.parametrize(("late", "counts"), [(0, True), (1, False)])
def test_without_raw_t_is_found_from_what_stands(
    feed: Feed, committer: Committer, session: Session, late: int, counts: bool
) -> None:
    feed.first_snapshot([], [])
    ahead = int(feed.now.replace(tzinfo=UTC).timestamp()) + 1 + 3600 + late
    _event(feed, 11, (1, (NOW - ahead) / DAY), (2, 60))
    committer.cycle()
    session.run("DELETE FROM settlement_public.tracking_raw")
    committer.cycle(rebuild=True)
    assert session.row("SELECT newest_event AS t FROM settlement_ods.mart_rules WHERE mart = 'mart_tracking'") == {
        "t": ahead if counts else NOW - 60 * DAY
    }
