"""Dead letters do not hold the cut for ever: a transaction has holes then. Rows that are lost do, and it says so."""

from __future__ import annotations

from datetime import timedelta

import pytest

from committer.commit import Committer
from tests.integration.commit.conftest import SaidSource, standing
from tests.integration.commit.feed import A, Feed
from warehouse.session import Session
from waybill.positions import Origin

LETTER = Origin("orders_raw", "t", 0, 5)


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


@pytest.fixture
def short(feed: Feed, committer: Committer, session: Session, source: SaidSource) -> Feed:
    """Of transaction 11 one of two rows has arrived, and a cycle has seen that it holds the cut."""
    feed.first_snapshot([_order(1, 10), _order(2, 10)], [])
    committer.cycle()
    feed.now -= timedelta(minutes=30)  # its END is older than a minute
    feed.rows("shop.orders", [("u", 11, 1, _order(1, 11)), ("u", 12, 1, _order(1, 12))])
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


def _open(session: Session) -> list[str]:
    found = session.rows(
        "SELECT row_key FROM settlement_ods.order_tracking_exceptions"
        " WHERE exception_type = 'INVALID_ROW' AND resolved_at IS NULL"
    )
    return [row["row_key"] for row in found]


def test_the_cut_goes_on_with_a_hole_once_all_is_loaded_and_the_letter_lies_there(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 5)
    assert committer.cycle().waiting, "not while rows may still come"
    _loaded_to(session, 6)
    summary = committer.cycle()
    assert summary.gtid_set == f"{A}:1-12"
    assert "with 1 holes in shop.orders" in " ".join(summary.notes)
    assert standing(session, "mart_orders") == {1: 12, 2: 10}
    assert _open(session) == ["orders_raw/0/5"]


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
    short.rows("shop.orders", [("u", 13, 1, _order(1, 13))])
    short.ends([(13, {"shop.orders": 2})])
    committer.cycle()
    source.ends = {0: 8}
    assert committer.cycle().gtid_set == f"{A}:1-12", "one letter fills one hole"


def test_a_redriven_letter_is_applied_late_and_ends_its_exception(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    short.rows("shop.orders", [("u", 11, 2, _order(2, 112))])
    session.run(
        "INSERT INTO settlement_public.dead_letter_decisions (topic, topic_id, kafka_partition, kafka_offset, decision,"
        " table_name, row_key, to_reconcile, message_at, decided_by, reason)"
        " VALUES ('orders_raw', 't', 0, 5, 'redriven', 'shop.orders', '', '', now(), 'me', 'why')"
    )
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 112}
    assert _open(session) == []


def test_a_hole_whose_window_is_read_again_by_a_better_decoder_is_none_any_more(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    assert _open(session) == ["orders_raw/0/5"]
    short.rows("shop.orders", [("u", 11, 2, _order(2, 112))])
    session.run(
        "UPDATE settlement_public.orders_raw SET _offset = 5, _generation = 2 WHERE order_id = 2 AND status = 112"
    )
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 12, 2: 112}
    assert _open(session) == []


def test_a_hole_that_is_resolved_by_hand_is_opened_again_while_it_is_one(
    short: Feed, committer: Committer, session: Session, source: SaidSource
) -> None:
    source.letters = [LETTER]
    _loaded_to(session, 6)
    committer.cycle()
    session.run("UPDATE settlement_ods.order_tracking_exceptions SET resolved_at = now(), resolution_notes = 'later'")
    assert _open(session) == []
    committer.cycle()
    assert _open(session) == ["orders_raw/0/5"]
