"""Exceptions that a cycle opens and resolves: each once, by table, key and type, and none of somebody else's."""

from __future__ import annotations

from typing import Any

import pytest

from committer.commit import Committer
from tests.integration.commit.feed import Feed
from tests.laws.model import DAY
from tests.laws.story import PATH, TRACKING, Story, put
from warehouse.session import Session


def _all(session: Session) -> list[dict[str, Any]]:
    return session.rows("SELECT * FROM settlement_ods.order_tracking_exceptions ORDER BY exception_id")


def _open(session: Session) -> list[tuple[str, str, str]]:
    found = [r for r in _all(session) if r["resolved_at"] is None]
    return sorted((r["table_name"], r["row_key"], r["exception_type"]) for r in found)


def _somebodys(session: Session, table: str, key: str, kind: str, resolved: bool = False) -> None:
    session.run(
        "INSERT INTO settlement_ods.order_tracking_exceptions SELECT coalesce(max(exception_id), 0) + 1, %s, %s, NULL,"
        " %s, now(), 'a check found it', CASE WHEN %s THEN now() END, CASE WHEN %s THEN 'seen' END"
        " FROM settlement_ods.order_tracking_exceptions",
        (table, key, kind, resolved, resolved),
    )


def test_an_exception_says_what_the_row_is_due_to_and_why_it_stays(story: Story) -> None:
    story.commit(put(TRACKING, 1, None), put(TRACKING, 2, story.ago(900)), put(TRACKING, 3, story.now + 9 * DAY))
    story.commit(put(TRACKING, 9, story.now))
    story.cycle()
    said = {row["row_key"]: row["notes"] for row in _all(story.shop.session)}
    assert said == {
        "1": "due to leave mart_tracking, but its event time is NULL",
        "2": f"due to leave mart_tracking, but no history table holds its event time {story.ago(900)}",
        "3": f"its event time {story.now + 9 * DAY} lies more than an hour after the cut",
    }


def test_a_check_s_exception_of_the_same_row_neither_hides_one_nor_is_resolved_by_a_cycle(story: Story) -> None:
    session = story.shop.session
    story.commit(put(TRACKING, 1, story.now), put(TRACKING, 9, story.now))
    story.cycle()
    _somebodys(session, TRACKING, "1", "ORDER_MISSING_SPATH")
    _somebodys(session, PATH, "1", "ARCHIVE_ROUTING_GAP")
    _somebodys(session, TRACKING, "1", "ARCHIVE_ROUTING_GAP", resolved=True)
    both = [(PATH, "1", "ARCHIVE_ROUTING_GAP"), (TRACKING, "1", "ORDER_MISSING_SPATH")]
    for time, kind in ((None, "ARCHIVE_ROUTING_GAP"), (story.now + 9 * DAY, "FUTURE_TIMESTAMP"), (story.now, "")):
        story.commit(put(TRACKING, 1, time))
        story.shop.cycle()
        assert _open(session) == sorted([*both, *([(TRACKING, "1", kind)] if kind else [])])
    notes = [row["resolution_notes"] for row in _all(session) if row["resolved_at"] is not None]
    assert notes[0] == "seen", "what a person resolved stays as it was said"
    assert all(note.startswith("its cause is gone (cycle ") for note in notes[1:])


def test_an_exception_of_a_row_without_an_order_hides_none(story: Story) -> None:
    """No `NOT IN` over what may be NULL."""
    story.commit(put(TRACKING, 9, story.now))
    story.cycle()
    _somebodys(story.shop.session, TRACKING, "77", "ARCHIVE_ROUTING_GAP")
    story.commit(put(TRACKING, 1, None))
    story.shop.cycle()
    assert [key for _, key, _ in _open(story.shop.session)] == ["1", "77"]


def test_an_exception_stays_the_same_one_while_its_cause_stands(story: Story) -> None:
    story.commit(put(TRACKING, 1, None), put(TRACKING, 3, story.now + 9 * DAY), put(TRACKING, 9, story.now))
    story.cycle()
    before = _all(story.shop.session)
    story.commit(put(TRACKING, 1, None), put(TRACKING, 3, story.now + 8 * DAY), put(TRACKING, 4, None))
    story.cycle()
    after = _all(story.shop.session)
    assert after[: len(before)] == before
    assert [row["exception_id"] for row in after] == [1, 2, 3]


def _without_key(feed: Feed, source: str, number: int, rows: int = 1) -> None:
    feed.rows(source, [("c", number, n, {"order_id": None}) for n in range(1, rows + 1)])


@pytest.fixture
def begun(feed: Feed, committer: Committer) -> Feed:
    feed.first_snapshot([], [])
    committer.cycle()
    return feed


def test_rows_without_a_key_are_named_by_table_and_place_once_they_are_in_the_cut(
    begun: Feed, committer: Committer, session: Session
) -> None:
    _somebodys(session, "shop.orders", "0/0", "INVALID_ROW", resolved=True)
    _somebodys(session, "shop.orders", "0/1", "ORDER_MISSING_SPATH")
    _without_key(begun, "shop.orders", 11, 2)
    _without_key(begun, "shop.tracking", 11)
    _without_key(begun, "shop.orders", 12)
    begun.ends([(11, {"shop.orders": 2, "shop.tracking": 1})])
    committer.cycle()
    named = [("shop.orders", "0/0"), ("shop.orders", "0/1"), ("shop.tracking", "0/0")]
    assert [(t, k) for t, k, kind in _open(session) if kind == "INVALID_ROW"] == named
    begun.ends([(12, {"shop.orders": 1})])
    committer.cycle()
    named = [*named[:2], ("shop.orders", "0/2"), named[2]]
    assert [(t, k) for t, k, kind in _open(session) if kind == "INVALID_ROW"] == named
    ids = [row["exception_id"] for row in _all(session)]
    assert ids == list(range(1, 7))


def test_one_that_is_read_again_hides_no_other(begun: Feed, committer: Committer, session: Session) -> None:
    _without_key(begun, "shop.orders", 11, 3)
    begun.reset("orders_raw", 1)
    begun.rows("shop.orders", [("c", 11, 2, {"order_id": None})])
    session.run("UPDATE settlement_public.orders_raw SET _partition = 1 WHERE _offset = 2")
    session.run("UPDATE settlement_public.orders_raw SET _offset = 1 WHERE _partition = 1")
    begun.ends([(11, {"shop.orders": 3})])
    committer.cycle()
    assert [key for _, key, _ in _open(session)] == ["0/0", "0/1", "1/1"]


def test_one_that_is_read_again_with_a_key_before_its_cut_is_none(
    begun: Feed, committer: Committer, session: Session
) -> None:
    """But a row of a topic made again that has one, at the same place, is another row."""
    _without_key(begun, "shop.orders", 11, 2)
    begun.reset("orders_raw", 0)
    begun.rows("shop.orders", [("c", 11, 1, {"order_id": 5})])
    begun.made_again("orders_raw")
    begun.rows("shop.orders", [("c", 12, n, {"order_id": n}) for n in (1, 2)])
    begun.topic_id = "t"
    begun.ends([(11, {"shop.orders": 2}), (12, {"shop.orders": 2})])
    committer.cycle()
    assert [key for _, key, _ in _open(session)] == ["0/1"]


def test_rows_at_one_place_of_a_topic_and_of_the_one_made_again_are_one_exception(
    begun: Feed, committer: Committer, session: Session
) -> None:
    """At most one is open by table, key and type."""
    _without_key(begun, "shop.orders", 11)
    begun.made_again("orders_raw")
    _without_key(begun, "shop.orders", 12)
    begun.topic_id = "t"
    begun.ends([(11, {"shop.orders": 1}), (12, {"shop.orders": 1})])
    committer.cycle()
    assert [key for _, key, _ in _open(session)] == ["0/0"]
