"""Rows of an incremental snapshot have their place among the transactions, and wait for the cut like them."""

from __future__ import annotations

import pytest

from committer.commit import Committer
from committer.summary import Summary
from tests.integration.commit.conftest import SaidSource, standing
from tests.integration.commit.feed import EPOCH, A, Feed
from tests.laws.story import TRACKING, Story, put, read
from warehouse.session import Session


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


def _pending(session: Session) -> int:
    found = session.row("SELECT count(*) AS open FROM settlement_ods.applied_batches WHERE NOT complete")
    return int(found["open"]) if found else -1


def test_a_row_read_again_waits_until_its_gtid_set_is_in_the_cut(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.read_again("shop.orders", f"{A}:1-12", [_order(1, 12), _order(3, 12)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 10, 2: 10}
    begun.rows("shop.orders", [("u", 11, 1, _order(1, 11))])
    begun.ends([(11, {"shop.orders": 1}), (12, {})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 10, 3: 12}
    assert _pending(session) == 0


def test_an_event_after_the_read_wins_and_one_before_it_loses_whenever_they_come(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.rows("shop.orders", [("u", 13, 1, _order(1, 13))])
    begun.read_again("shop.orders", f"{A}:1-12", [_order(1, 12), _order(2, 12)])
    begun.ends([(11, {}), (12, {"shop.orders": 1}), (13, {"shop.orders": 1})])
    begun.rows("shop.orders", [("u", 12, 1, _order(2, 11))])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 13, 2: 12}


def test_of_two_reads_at_one_gtid_set_the_later_written_wins(
    begun: Feed, committer: Committer, session: Session
) -> None:
    begun.ends([(11, {})])
    begun.read_again("shop.orders", f"{A}:1-11", [_order(1, 1)])
    begun.read_again("shop.orders", f"{A}:1-11", [_order(1, 2)])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 2, 2: 10}


def test_rows_of_two_reads_have_each_its_own_place(begun: Feed, committer: Committer, session: Session) -> None:
    begun.rows("shop.orders", [("u", 12, 1, _order(1, 12))])
    begun.read_again("shop.orders", f"{A}:1-11", [_order(1, 77)])
    begun.read_again("shop.orders", f"{A}:1-12", [_order(2, 88)])
    begun.ends([(11, {}), (12, {"shop.orders": 1})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 88}


def test_a_read_before_the_first_transaction_finds_what_the_first_snapshot_brought_and_it_did_not(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.ends = {0: 0}
    begun.notify("STARTED", "Incremental Snapshot", data_collections="shop.orders")
    begun.ends([(11, {})])  # of the signal that asked for it
    begun.read_again("shop.orders", f"{A}:1-11", [_order(1, 77)])
    begun.notify("TABLE_SCAN_COMPLETED", "Incremental Snapshot", scanned_collection="shop.orders", status="SUCCEEDED")
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 77}


def _tell(feed: Feed, kind: str, topic: str = "t") -> None:
    """Debezium's word of a read of shop.orders; the other topics stay as they are."""
    feed.topic_id = topic
    what = {"data_collections": "shop.orders"} if kind == "STARTED" else {"scanned_collection": "shop.orders"}
    feed.notify(kind, "Incremental Snapshot", status="SUCCEEDED", **what)
    feed.topic_id = "t"


def _read(feed: Feed, number: int, orders: list[int], topic: str = "t") -> None:
    """A whole read behind transaction `number`, that of its signal."""
    _tell(feed, "STARTED", topic)
    feed.ends([(number, {})])
    feed.read_again("shop.orders", f"{A}:1-{number}", [_order(order, number) for order in orders])
    _tell(feed, "TABLE_SCAN_COMPLETED", topic)


def test_the_end_of_a_first_snapshot_ends_no_other_read(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.ends = {0: 0}
    _tell(begun, "STARTED")
    begun.ends([(11, {})])
    begun.first_snapshot([_order(1, 20)], [], pos=200)
    committer.cycle()
    committer.cycle()
    why = [row["why"] for row in session.rows("SELECT why FROM settlement_ods.wipes WHERE table_name = 'shop.orders'")]
    assert len(why) == 1 and why[0].startswith("first snapshot ")


@pytest.mark.parametrize("again", ["a", "z"])
def test_reads_told_in_a_topic_made_again_follow_those_of_the_one_before_it(
    begun: Feed, committer: Committer, session: Session, source: SaidSource, again: str
) -> None:
    """Also when that one is read once more."""
    source.ends = {0: 0}
    _read(begun, 11, [1, 2])
    before = begun.offsets["notification_raw"]
    begun.offsets["notification_raw"] = 0
    begun.ends([(12, {})])
    _read(begun, 13, [1], again)
    begun.offsets["notification_raw"], begun.generation = before - 2, 2
    now = begun.now
    begun.now = EPOCH
    _tell(begun, "STARTED")
    _tell(begun, "TABLE_SCAN_COMPLETED")
    begun.now = now
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 13}


def test_the_last_transaction_before_a_read_may_be_of_a_topic_made_again(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    """There its END has a smaller offset than those before it."""
    source.ends = {0: 0}
    begun.ends([(11, {}), (12, {})])
    begun.rows("shop.orders", [("c", 13, 1, _order(3, 13))])
    begun.made_again("transaction_raw")
    begun.ends([(13, {"shop.orders": 1})])
    _read(begun, 14, [1, 2], begun.topic_id)
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 14, 2: 14}


def test_a_begin_that_is_read_once_more_does_not_begin_the_next_read(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.ends = {0: 0}
    _read(begun, 11, [1, 2])
    committer.cycle()
    begun.rows("shop.orders", [("c", 12, 1, _order(3, 12))])
    begun.ends([(12, {"shop.orders": 1})])
    after, begun.offsets["notification_raw"] = begun.offsets["notification_raw"], 4
    begun.generation = 2
    _tell(begun, "STARTED")
    session.run(
        "UPDATE settlement_public.notification_raw SET _produced_at = (SELECT min(_produced_at)"
        " FROM settlement_public.notification_raw WHERE _offset = 4) WHERE _offset = 4"
    )
    begun.offsets["notification_raw"] = after
    _read(begun, 13, [1, 2])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 13, 2: 13}


# A table read to its end: what it did not bring is gone, as soon as that is certain.


class _Whole:
    """A read of all of shop.tracking behind transaction `number`, which brings order 1 and not order 2."""

    def __init__(self, story: Story) -> None:
        self.story = story
        story.commit(put(TRACKING, 1, story.now), put(TRACKING, 2, story.now))
        story.shop.cycle()
        story.pass_days(1)

    def tell(self, kind: str, table: str = TRACKING) -> None:
        self.story.shop.notify(kind, table)

    def bring(self, number: int) -> None:
        self.story.load([read(TRACKING, (1,), number, self.story.now)])

    def run(self) -> tuple[Summary, list[int]]:
        """A cycle, and the orders that count as gone after it."""
        summary = self.story.shop.cycle()
        stands = self.story.shop.stands(TRACKING)
        return summary, sorted(key[0] for key, (row,) in stands.items() if row.gone is not None)


@pytest.fixture
def whole(story: Story) -> _Whole:
    return _Whole(story)


def test_what_a_whole_read_did_not_bring_is_gone_and_what_came_since_it_began_is_not(whole: _Whole) -> None:
    whole.tell("STARTED")
    whole.story.pass_days(1)
    whole.story.commit(put(TRACKING, 3, whole.story.now))
    whole.bring(whole.story.number)
    whole.tell("TABLE_SCAN_COMPLETED")
    summary, gone = whole.run()
    assert gone == [2]
    assert [m.mart for m in summary.marts if m.marked] == ["mart_tracking"]
    assert whole.run()[1] == [2]


def test_a_transaction_that_ended_at_the_moment_a_read_began_is_not_before_it(whole: _Whole) -> None:
    whole.story.commit(put(TRACKING, 3, whole.story.now))
    whole.tell("STARTED")
    whole.bring(whole.story.number - 1)
    whole.tell("TABLE_SCAN_COMPLETED")
    assert whole.run()[1] == [2]


@pytest.mark.parametrize("lie", ["ASC", "DESC"])
def test_the_last_transaction_before_a_read_began_counts_wherever_its_end_lies(whole: _Whole, lie: str) -> None:
    whole.story.commit(put(TRACKING, 3, whole.story.now))
    whole.story.commit(put(TRACKING, 4, whole.story.now))
    session = whole.story.shop.session
    session.run(f"CREATE TABLE turned AS SELECT * FROM settlement_public.transaction_raw ORDER BY _offset {lie}")
    session.run("DELETE FROM settlement_public.transaction_raw")
    session.run("INSERT INTO settlement_public.transaction_raw SELECT * FROM turned")
    whole.story.pass_days(1)
    whole.tell("STARTED")
    whole.bring(whole.story.number)
    whole.tell("TABLE_SCAN_COMPLETED")
    assert whole.run()[1] == [2, 3, 4]


def test_while_rows_of_a_read_wait_for_the_cut_nothing_is_gone(whole: _Whole) -> None:
    whole.tell("STARTED")
    whole.bring(whole.story.number)
    whole.story.load([read(TRACKING, (2,), whole.story.number + 1, whole.story.now)])
    whole.tell("TABLE_SCAN_COMPLETED")
    assert whole.run()[1] == []
    whole.story.commit(put(TRACKING, 4, whole.story.now))
    assert whole.run()[1] == []


def test_events_that_wait_for_the_cut_keep_nothing_from_being_gone(whole: _Whole) -> None:
    whole.tell("STARTED")
    whole.bring(whole.story.number)
    whole.tell("TABLE_SCAN_COMPLETED")
    made = whole.story.commit(put(TRACKING, 4, whole.story.now), put(TRACKING, 5, whole.story.now), load=False)
    whole.story.load(made[:1])
    assert whole.run()[1] == [2]


@pytest.mark.parametrize(("hours", "letters", "gone"), [(-1, 1, [2]), (0, 1, []), (1, 1, []), (1, 0, [2])])
def test_with_dead_letters_since_it_began_nothing_is_gone(
    whole: _Whole, hours: int, letters: int, gone: list[int]
) -> None:
    whole.tell("STARTED")
    session = whole.story.shop.session
    session.run(
        "INSERT INTO settlement_public.tracking_raw_ledger (batch_id, object_key, topic, topic_id, kafka_partition,"
        " generation, epoch, first_offset, next_offset, row_count, dead_letters, size_bytes, sha256, loaded_at)"
        " SELECT 9999, 'k', 'tracking_raw', 't', 0, 1, 1, 900, 901, 0, %s, 1, '',"
        " max(_produced_at) + %s * interval '1 hour' FROM settlement_public.notification_raw",
        (letters, hours),
    )
    session.run("UPDATE settlement_public.tracking_raw_ledger SET loaded_at = '1970-01-02' WHERE batch_id <> 9999")
    whole.bring(whole.story.number)
    whole.tell("TABLE_SCAN_COMPLETED")
    summary, found = whole.run()
    assert found == gone
    assert any("dead letters" in note for note in summary.notes) == (not gone)


def test_another_kind_of_notification_and_another_snapshot_end_no_read(whole: _Whole) -> None:
    """A read that was broken off and begun again counts from its first begin, also as the messages are read again."""
    whole.tell("STARTED")
    whole.tell("IN_PROGRESS")
    whole.story.shop.session.run(
        "UPDATE settlement_public.notification_raw SET additional_data = replace(additional_data, 'status', 's')"
        " WHERE notification_type = 'IN_PROGRESS'"
    )
    whole.bring(whole.story.number)
    assert whole.run()[1] == []
    whole.tell("TABLE_SCAN_COMPLETED")
    assert whole.run()[1] == [2]
