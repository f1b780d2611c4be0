"""Dead letters do not hold the cut for ever: a transaction has holes then. Rows that are lost do, and it says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import SaidSource, standing
from tests.integration.commit.feed import A, Feed
from tests.integration.commit.holes import HERE, hole, open_holes, order
from warehouse.session import Session
from waybill.positions import Origin

LETTER = Origin("orders_raw", "t", 0, 5)


@pytest.fixture
def short(feed: Feed, committer: Committer, session: Session, source: SaidSource) -> Feed:
    """Of transaction 11 one of two rows has arrived, and a cycle has seen that it holds the cut."""
    feed.first_snapshot([order(1, 10), order(2, 10)], [])
    committer.cycle()
    feed.now -= timedelta(minutes=30)  # its END is older than a minute
    feed.rows("shop.orders", [("u", 11, 1, order(1, 11)), ("u", 12, 1, order(1, 12))])
    feed.ends([(11, {"shop.orders": 2}), (12, {"shop.orders": 1})])
    assert f"{A}:11: 1 of 2 rows" in committer.cycle().waiting[0]
    source.ends = {0: 6}
    return feed


def _loaded_to(session: Session, offset: int) -> None:
    session.run("DELETE FROM settlement_public.orders_raw_positions")
    session.run(
        "INSERT INTO settlement_public.orders_raw_positions (topic, topic_id, kafka_partition, generation, epoch,"
        " next_offset, owner) VALUES ('orders_raw', 't', 0, 1, 1, %s, '')",
        (offset,),
    )


def test_the_cut_goes_on_with_a_hole_once_all_is_loaded_and_the_letter_lies_there(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 5)
    assert committer.cycle().waiting, "not while rows may still come"
    _loaded_to(session, 6)
    summary = committer.cycle()
    assert summary.gtid_set == f"{A}:1-12"
    (note,) = summary.notes
    assert f"transaction {A}:11 is in the cut with 1 holes in shop.orders" in note
    assert standing(session, "mart_orders") == {1: 12, 2: 10}
    assert open_holes(session) == ["orders_raw/0/5"]


def test_without_a_letter_the_cut_stops_and_says_which_transaction_table_and_partitions(
    short: Feed, committer: Committer, session: Session
) -> None:
    _loaded_to(session, 6)
    summary = committer.cycle()
    assert summary.gtid_set == f"{A}:1-10"
    said = " ".join(summary.notes)
    assert f"transaction {A}:11: 1 rows of shop.orders are neither in raw nor dead letters" in said
    assert "partition 0 offset 6" in said and "commit --without shop.orders" in said


def test_a_letter_behind_the_end_or_of_another_hole_fills_none(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [Origin("orders_raw", "t", 0, 6)]
    _loaded_to(session, 9)
    assert committer.cycle().gtid_set == f"{A}:1-10"
    source.letters = [LETTER]
    assert committer.cycle().gtid_set == f"{A}:1-12"
    short.rows("shop.orders", [("u", 13, 1, order(1, 13))])
    short.ends([(13, {"shop.orders": 2})])
    committer.cycle()
    source.ends = {0: 8}
    assert committer.cycle().gtid_set == f"{A}:1-12", "one letter fills one hole"
    source.letters = [LETTER, Origin("orders_raw", "t", 0, 7)]
    assert committer.cycle().gtid_set == f"{A}:1-13", "of its own transaction"


def test_a_redriven_letter_is_applied_late_and_ends_its_exception(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    short.rows("shop.orders", [("u", 11, 2, order(2, 112))])
    session.run(
        "INSERT INTO settlement_public.dead_letter_decisions (topic, topic_id, kafka_partition, kafka_offset, decision,"
        " table_name, row_key, to_reconcile, message_at, decided_by, reason)"
        " VALUES ('orders_raw', 't', 0, 5, 'redriven', 'shop.orders', '', '', now(), 'me', 'why')"
    )
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 112}
    assert open_holes(session) == []


def test_a_hole_whose_window_is_read_again_by_a_better_decoder_is_none_any_more(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    assert open_holes(session) == ["orders_raw/0/5"]
    short.rows("shop.orders", [("u", 11, 2, order(2, 112))])
    session.run(
        "UPDATE settlement_public.orders_raw SET _offset = 5, _generation = 2 WHERE order_id = 2 AND status = 112"
    )
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 112}
    assert open_holes(session) == []


def test_a_hole_that_is_resolved_by_hand_is_opened_again_while_it_is_one(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    session.run("UPDATE settlement_ods.order_tracking_exceptions SET resolved_at = now(), resolution_notes = 'later'")
    assert open_holes(session) == []
    committer.cycle()
    assert open_holes(session) == ["orders_raw/0/5"]


def test_letters_of_one_table_fill_no_hole_of_another(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    begun.ends([(11, {"shop.orders": 1, "shop.tracking": 1})])
    hole(session, *HERE)
    waiting = committer.cycle().waiting
    assert len(waiting) == 1 and "shop.tracking" in waiting[0]


def test_the_first_transaction_that_is_short_gets_the_letter(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    short.ends([(13, {"shop.orders": 1})])
    session.run("CREATE TABLE turned AS SELECT * FROM settlement_public.transaction_raw ORDER BY _offset DESC")
    session.run("DELETE FROM settlement_public.transaction_raw")
    session.run("INSERT INTO settlement_public.transaction_raw SELECT * FROM turned")
    committer.cycle()
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    assert session.rows("SELECT tx_id FROM settlement_ods.holes") == [{"tx_id": f"{A}:11"}]


@pytest.mark.parametrize(
    ("positions", "passed"),
    [([(0, "t", 6)], False), ([(0, "t", 6), (1, "t", 3)], False), ([(0, "t", 6), (1, "t", 4)], True),
     ([(1, "t", 6)], False), ([(0, "t", 6), (0, "old", 2), (1, "t", 4), (1, "old", 1)], True)],
)  # fmt: skip
def test_raw_has_passed_when_every_partition_has(
    short: Feed, committer: Committer, session: Session, source: SaidSource,
    positions: list[tuple[int, str, int]], passed: bool,
) -> None:  # fmt: skip
    """In the topic as it is now; a partition of which nothing was loaded has not."""
    source.ends, source.letters = {0: 6, 1: 4}, [LETTER]
    for partition, topic_id, offset in positions:
        session.run(
            "INSERT INTO settlement_public.orders_raw_positions (topic, topic_id, kafka_partition, generation, epoch,"
            " next_offset, owner) VALUES ('orders_raw', %s, %s, 1, 1, %s, '')",
            (topic_id, partition, offset),
        )
    committer.cycle()
    assert (committer.cycle().gtid_set == f"{A}:1-12") == passed


def test_letters_of_a_table_fill_its_holes_though_another_tables_are_filled(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    begun.now -= timedelta(minutes=30)
    begun.ends([(11, {"shop.orders": 1, "shop.tracking": 1})])
    hole(session, *HERE)
    committer.cycle()
    source.ends, source.letters = {0: 6}, [Origin("tracking_raw", "t", 0, 5)]
    session.run(
        "INSERT INTO settlement_public.tracking_raw_positions (topic, topic_id, kafka_partition, generation, epoch,"
        " next_offset, owner) VALUES ('tracking_raw', 't', 0, 1, 1, 6, '')"
    )
    assert committer.cycle().gtid_set == f"{A}:1-11"


def _two_tables(feed: Feed, committer: Committer) -> None:
    """Transaction 11 has a row of each table; a cycle has seen that rows are missing."""
    feed.now -= timedelta(minutes=30)
    feed.ends([(11, {"shop.orders": 1, "shop.tracking": 1})])
    committer.cycle()


def test_rows_of_another_table_fill_no_place_of_one_that_is_a_letter(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    begun.rows("shop.tracking", [("c", 11, 1, {"order_id": 1, "state": 11, "update_time": 1})])
    _two_tables(begun, committer)
    source.ends, source.letters = {0: 6}, [LETTER]
    _loaded_to(session, 6)
    assert committer.cycle().gtid_set == f"{A}:1-11"
    assert session.rows("SELECT table_name FROM settlement_ods.holes") == [{"table_name": "shop.orders"}]


def test_a_table_has_passed_by_its_own_ends_whatever_another_was_watched_for(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    """Its holes are filled once: then another table holds the cut, and nothing more is said of this one."""
    _two_tables(begun, committer)
    session.run(
        "INSERT INTO settlement_ods.watched_ends VALUES (%s, 'shop.orders', 0, 6, now()),"
        " (%s, 'shop.tracking', 0, 99, now())",
        (f"hole {A}:11",) * 2,
    )
    source.letters = [LETTER]
    _loaded_to(session, 6)
    summary = committer.cycle()
    assert session.rows("SELECT table_name FROM settlement_ods.holes") == [{"table_name": "shop.orders"}]
    assert len(summary.waiting) == 1 and "shop.tracking" in summary.waiting[0]
    source.letters = [LETTER, Origin("orders_raw", "t", 0, 4)]
    assert committer.cycle().notes == []


def test_of_many_that_are_short_the_first_gets_the_letter(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    numbers = list(range(11, 215))
    begun.now -= timedelta(minutes=30)
    begun.ends([(n, {"shop.orders": 1}) for n in numbers])
    session.run("CREATE TABLE turned AS SELECT * FROM settlement_public.transaction_raw ORDER BY _offset DESC")
    session.run("DELETE FROM settlement_public.transaction_raw")
    session.run("INSERT INTO settlement_public.transaction_raw SELECT * FROM turned")
    committer.cycle()
    source.ends, source.letters = {0: 6}, [LETTER]
    _loaded_to(session, 6)
    assert committer.cycle().gtid_set == f"{A}:1-11"


def test_more_rows_than_expected_take_no_letter(
    begun: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    begun.rows("shop.orders", [("u", 11, n, order(1, 11)) for n in (1, 2)])
    begun.now -= timedelta(minutes=30)
    begun.ends([(11, {"shop.orders": 1})])
    session.run("INSERT INTO settlement_ods.watched_ends VALUES (%s, 'shop.orders', 0, 6, now())", (f"hole {A}:11",))
    source.letters = [LETTER, Origin("orders_raw", "t", 0, 4)]
    _loaded_to(session, 6)
    assert f"{A}:11: 2 of 1 rows" in committer.cycle().waiting[0]
    assert session.rows("SELECT * FROM settlement_ods.holes") == []
