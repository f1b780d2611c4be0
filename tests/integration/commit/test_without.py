"""A cycle goes on without a table only because a person said so; nothing of it is lost, and readers are told."""

from __future__ import annotations

import pytest

from committer import out
from committer.commit import Committer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import A, Feed
from tests.laws.standing import KEYS
from tests.laws.story import ORDERS, PATH, Story, put
from warehouse.session import Session
from waybill.errors import SettingsError

MARTS = ["shop.orders", "shop.tracking"]


def _order(number: int, status: int) -> dict[str, int]:
    return {"order_id": number, "status": status, "add_time": 1}


def _tracking(number: int, state: int) -> dict[str, int]:
    return {"order_id": number, "state": state, "update_time": 1}


@pytest.fixture
def stuck(feed: Feed, committer: Committer, session: Session) -> Feed:
    """Transactions 11 and 12 touch both tables; the rows of shop.tracking do not come."""
    feed.first_snapshot([_order(1, 10)], [_tracking(1, 10)])
    committer.cycle()
    feed.rows("shop.orders", [("u", n, 1, _order(1, n)) for n in (11, 12)])
    feed.ends([(n, {"shop.orders": 1, "shop.tracking": 1}) for n in (11, 12)])
    assert "shop.tracking" in committer.cycle().waiting[0]
    return feed


def _as_of(session: Session) -> tuple[str, bool, str]:
    row = session.row("SELECT gtid_set, consistent, tables_out FROM settlement_ods.as_of")
    assert row is not None
    return row["gtid_set"], row["consistent"], row["tables_out"]


def test_the_others_go_on_and_every_reader_is_told(stuck: Feed, committer: Committer, session: Session) -> None:
    out.leave_out(session, "shop.tracking", MARTS, "its consumer is being mended", "me@here")
    summary = committer.cycle()
    assert _as_of(session) == (f"{A}:1-12", False, "shop.tracking")
    assert standing(session, "mart_orders") == {1: 12}
    assert standing(session, "mart_tracking") == {1: 10}
    assert "its consumer is being mended" in summary.notes[0] and "commit --with shop.tracking" in summary.notes[0]


def test_a_table_that_is_taken_back_holds_the_cut_until_all_it_owes_has_arrived(
    stuck: Feed, committer: Committer, session: Session
) -> None:
    out.leave_out(session, "shop.tracking", MARTS, "broken", "me")
    committer.cycle()
    out.take_back(session, "shop.tracking")
    stuck.rows("shop.orders", [("u", 13, 1, _order(1, 13))])
    stuck.rows("shop.tracking", [("u", 12, 1, _tracking(1, 12))])
    stuck.ends([(13, {"shop.orders": 1})])
    summary = committer.cycle()
    assert f"0 of 1 of its rows of transaction {A}:11" in summary.waiting[0]
    assert _as_of(session) == (f"{A}:1-12", False, "shop.tracking")
    assert standing(session, "mart_tracking") == {1: 10}, "not before all of it is there"
    stuck.rows("shop.tracking", [("u", 11, 1, _tracking(1, 11))])
    committer.cycle()
    assert _as_of(session) == (f"{A}:1-13", True, "")
    assert (standing(session, "mart_orders"), standing(session, "mart_tracking")) == ({1: 13}, {1: 12})
    assert session.rows("SELECT * FROM settlement_ods.owed_rows") == []


def test_a_table_without_a_mart_an_empty_reason_and_the_last_mart_are_refused(
    committer: Committer, session: Session
) -> None:
    with pytest.raises(SettingsError, match="has no mart"):
        out.leave_out(session, "shop.other", MARTS, "why", "me")
    with pytest.raises(SettingsError, match="--reason"):
        out.leave_out(session, "shop.orders", MARTS, " ", "me")
    out.leave_out(session, "shop.orders", MARTS, "why", "me")
    with pytest.raises(SettingsError, match="no mart would be left"):
        out.leave_out(session, "shop.tracking", MARTS, "why", "me")
    with pytest.raises(SettingsError, match="do not go on without shop"):
        out.take_back(session, "shop.tracking")


def test_what_an_end_says_of_a_table_that_is_out_is_kept_once_by_its_first_one(
    stuck: Feed, committer: Committer, session: Session
) -> None:
    out.leave_out(session, "shop.tracking", MARTS, "broken", "me")
    stuck.ends([(12, {"shop.orders": 1, "shop.tracking": 3})])
    stuck.reset("transaction_raw", 0)
    stuck.ends([(11, {"shop.orders": 1, "shop.tracking": 1})])
    committer.cycle()
    owed = session.rows("SELECT tx_id, collection_count AS n FROM settlement_ods.owed_rows ORDER BY 1")
    assert owed == [{"tx_id": f"{A}:11", "n": 1}, {"tx_id": f"{A}:12", "n": 1}]


@pytest.mark.parametrize("numbers", [(12, 13), (13, 12)])
def test_the_earliest_transaction_that_lacks_rows_is_named(
    stuck: Feed, committer: Committer, session: Session, numbers: tuple[int, int]
) -> None:
    """By the cycle that took it in, then by its name."""
    out.leave_out(session, "shop.tracking", MARTS, "broken", "me")
    committer.cycle()
    stuck.ends([(13, {"shop.tracking": 1})])
    committer.cycle()
    session.run("UPDATE settlement_ods.owed_rows SET cycle = 9 - cycle WHERE %s > %s", numbers)
    session.run("CREATE TABLE turned AS SELECT * FROM settlement_ods.owed_rows ORDER BY tx_id DESC")
    session.run("DELETE FROM settlement_ods.owed_rows")
    session.run("INSERT INTO settlement_ods.owed_rows SELECT * FROM turned")
    out.take_back(session, "shop.tracking")
    first = 11 if numbers == (12, 13) else 13
    assert f"of its rows of transaction {A}:{first} " in committer.cycle().waiting[0]


def test_what_another_table_owes_holds_none_that_is_taken_back(story: Story) -> None:
    session = story.shop.session
    for table in (ORDERS, PATH):
        out.leave_out(session, table, list(KEYS), "broken", "me")
    made = story.commit(put(ORDERS, 1, story.now), put(PATH, (1, 1), story.now), load=False)
    story.shop.cycle()
    out.take_back(session, PATH)
    story.load(made[1:])
    assert story.shop.cycle().waiting == []
    assert story.place(PATH, (1, 1)) == ""
    assert ORDERS in str(session.rows("SELECT table_name FROM settlement_ods.owed_rows"))


def test_what_a_new_snapshot_did_not_bring_is_gone_from_a_table_that_was_out_meanwhile(
    feed: Feed, committer: Committer, session: Session
) -> None:
    feed.first_snapshot([_order(1, 10)], [_tracking(1, 10), _tracking(2, 10)])
    committer.cycle()
    out.leave_out(session, "shop.tracking", MARTS, "broken", "me")
    feed.first_snapshot([_order(1, 20)], [_tracking(1, 20)], pos=200)
    committer.cycle()
    committer.cycle()
    assert standing(session, "mart_tracking") == {1: 10, 2: 10}
    out.take_back(session, "shop.tracking")
    committer.cycle()
    assert standing(session, "mart_tracking") == {1: 20}
