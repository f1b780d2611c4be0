"""Raw rows go when the marts have them and they are old enough; what was applied is never applied again, nor lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from committer.commit import Committer
from committer.cycle import Cycle
from loaders.aside import AsideStore, Standing
from loaders.postgres import Postgres
from operations.trim.one_table import Policy, Subject, Trimmed
from operations.trim.trimmer import AfterCycles, Trimmer
from tests.integration.commit.conftest import standing
from tests.integration.commit.feed import Feed
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.clock import SystemClock
from waybill.errors import UnreachableError
from waybill.positions import Origin

DAY = 24 * 3600.0
SUBJECTS = [Subject("orders_raw", DAY, True), Subject("tracking_raw", DAY, True), Subject("transaction_raw", DAY, True)]
Trim = Callable[..., dict[str, Trimmed]]


@pytest.fixture
def trim(warehouse: Warehouse) -> Trim:
    def run(policy: Policy | None = None, subjects: list[Subject] | None = None) -> dict[str, Trimmed]:
        made = Trimmer(
            lambda name: Session(warehouse, name), Postgres(), subjects or SUBJECTS, "notes", SystemClock(), policy
        )
        return {one.raw: one for one in made.trim()}

    return run


def _age(session: Session, hours: float = 25, *raws: str) -> None:
    """All that was loaded so far was loaded that much earlier."""
    for raw in raws or ("orders_raw", "tracking_raw", "transaction_raw", "notification_raw"):
        session.run(
            f"UPDATE settlement_public.{raw}_ledger SET loaded_at = loaded_at - %s * interval '1 hour'", (hours,)
        )


def _rows(session: Session, raw: str) -> int:
    found = session.row(f"SELECT count(*) AS n FROM settlement_public.{raw}")
    return int(found["n"]) if found else 0


def _update(feed: Feed, number: int, status: int | None = None) -> None:
    values = {"order_id": 1, "status": number if status is None else status, "add_time": 1}
    feed.rows("shop.orders", [("u", number, 1, values)])
    feed.ends([(number, {"shop.orders": 1})])


def _begin(feed: Feed, committer: Committer) -> None:
    feed.first_snapshot([{"order_id": 1, "status": 10, "add_time": 1}], [])
    committer.cycle()


def test_rows_go_that_the_marts_have_and_that_were_loaded_a_day_ago(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    committer.cycle()
    _age(session)
    _update(feed, 12)
    committer.cycle()
    done = trim()
    assert (done["orders_raw"].rows, done["transaction_raw"].rows) == (2, 1)
    assert (_rows(session, "orders_raw"), _rows(session, "transaction_raw")) == (1, 1)
    assert _rows(session, "notification_raw") == 4, "notifications are kept"
    assert session.row("SELECT count(*) AS n FROM settlement_public.orders_raw_ledger") == {"n": 3}
    assert trim()["orders_raw"].rows == 0
    assert committer.cycle().rows_in == 0
    assert standing(session, "mart_orders") == {1: 12}


def test_old_rows_that_the_cut_has_not_reached_stay_and_are_applied_when_it_does(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    feed.rows("shop.orders", [("u", 11, 1, {"order_id": 1, "status": 11, "add_time": 1})])
    _age(session)
    assert trim()["orders_raw"].notes == ["1 batches are not wholly in the marts"]
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 10}, "its END has not come"
    feed.ends([(11, {"shop.orders": 1})])
    committer.cycle()
    assert standing(session, "mart_orders") == {1: 11}
    assert trim()["orders_raw"].rows == 1
    assert session.rows("SELECT * FROM settlement_public.raw_left WHERE why = 'not trimmed'") == []


def test_a_cycle_reads_the_ledger_from_the_mark_on_and_what_was_left_behind_it(
    feed: Feed, committer: Committer, session: Session, trim: Trim, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending: list[int] = []
    original = Cycle._snapshot

    def look(self: Cycle, eras: object) -> object:
        found = self._session.rows("SELECT batch_id FROM pending_batches WHERE raw_table = 'orders_raw'")
        pending[:] = [row["batch_id"] for row in found]
        return original(self, eras)  # type: ignore[arg-type]

    monkeypatch.setattr(Cycle, "_snapshot", look)
    _begin(feed, committer)
    for number in range(11, 15):
        _update(feed, number)
    feed.rows("shop.orders", [("u", 20, 1, {"order_id": 1, "status": 20, "add_time": 1})])
    waiting = feed.batch
    committer.cycle()
    _age(session)
    trim()
    session.run("DELETE FROM settlement_ods.applied_batches WHERE raw_table = 'orders_raw'")
    _update(feed, 15)
    committer.cycle()
    assert set(pending) == {waiting, feed.batch - 1}
    assert standing(session, "mart_orders") == {1: 15}


def test_a_reset_and_a_redriven_row_come_in_after_the_trimming(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11, status=1)
    _update(feed, 12, status=2)
    committer.cycle()
    _age(session)
    trim()
    feed.reset("orders_raw", 2)
    feed.rows("shop.orders", [("u", 12, 1, {"order_id": 1, "status": 22, "add_time": 1})])
    assert committer.cycle().rows_applied == 1, "read again with a mended decoder, it wins at the same position"
    assert standing(session, "mart_orders") == {1: 22}
    feed.reset("orders_raw", 1)
    feed.rows("shop.orders", [("u", 11, 1, {"order_id": 1, "status": 99, "add_time": 1})])
    summary = committer.cycle()
    assert (summary.rows_in, summary.rows_applied) == (1, 0), "an older event changes nothing"
    feed.ends([(11, {"shop.orders": 1})])
    assert committer.cycle().transactions == 0, "an END that comes again is not counted again"


def test_end_records_stay_while_a_table_is_out_or_a_first_snapshot_is_in_hand(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    committer.cycle()
    _age(session)
    session.run("UPDATE settlement_ods.as_of SET tables_out = 'shop.tracking'")
    done = trim()
    assert "goes on without shop.tracking" in done["transaction_raw"].held
    assert (done["orders_raw"].rows, _rows(session, "transaction_raw")) == (2, 1)
    session.run("UPDATE settlement_ods.as_of SET tables_out = ''")
    feed.notify("STARTED")
    assert "a first snapshot is not in the marts yet (STARTED" in trim()["transaction_raw"].held
    feed.notify("COMPLETED")
    assert "a first snapshot is not in the marts yet (COMPLETED" in trim()["transaction_raw"].held
    session.run("UPDATE settlement_ods.eras SET snapshot_notification = %s WHERE source_uuid = ''",
                (f"n{feed.offsets['notification_raw'] - 1}",))  # fmt: skip
    session.run(
        "INSERT INTO settlement_public.table_pauses (table_name, reason, paused_by, resumed_by, resume_reason)"
        " VALUES ('notes', 'test', 'me', '', '')"
    )
    assert "notes is not being read" in trim()["transaction_raw"].held
    session.run("DELETE FROM settlement_public.table_pauses")
    feed.ends([(12, {})])
    assert trim()["transaction_raw"].rows == 1


def test_the_newest_end_and_what_a_read_stands_behind_stay(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    read_began_behind = feed.batch
    feed.batch += 1
    data = {"data_collections": "shop.orders", "scanned_collection": "shop.orders", "status": "SUCCEEDED"}
    for kind in ("STARTED", "TABLE_SCAN_COMPLETED"):
        feed.notify(kind, **data)
        session.run(
            "UPDATE settlement_public.notification_raw SET aggregate_type = 'Incremental Snapshot'"
            " WHERE _batch_id = %s",
            (feed.batch,),
        )
    for number in (12, 13):
        _update(feed, number)
    committer.cycle()
    session.run("DELETE FROM settlement_ods.wipes")
    _age(session)
    done = trim()["transaction_raw"]
    assert (done.rows, done.kept) == (1, 2)
    left = session.rows("SELECT _batch_id FROM settlement_public.transaction_raw ORDER BY _batch_id")
    assert [row["_batch_id"] for row in left] == [read_began_behind, feed.batch]
    notification = session.rows("SELECT notification_id AS id FROM settlement_public.notification_raw")[-1]["id"]
    session.run(
        "INSERT INTO settlement_ods.wipes VALUES ('shop.orders', %s, 2, 11, 1, now(), 1)",
        (f"read again {notification}",),
    )
    done = trim()["transaction_raw"]
    assert (done.rows, done.kept) == (1, 1), "a cycle has looked for what it did not bring"


def test_a_batch_with_letters_to_decide_on_stays_whole_until_somebody_did(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    committer.cycle()
    session.run(
        "UPDATE settlement_public.orders_raw_ledger SET dead_letters = 1 WHERE batch_id = %s", (feed.batch - 1,)
    )
    _age(session)
    assert trim()["orders_raw"].notes == ["1 have dead letters to decide on"]
    assert _rows(session, "orders_raw") == 1
    decided = (
        "INSERT INTO settlement_public.dead_letter_decisions (topic, topic_id, kafka_partition, kafka_offset, decision,"
        " table_name, row_key, to_reconcile, message_at, decided_by, reason)"
        " VALUES ('orders_raw', 't', 0, 1, %s, 'shop.orders', '', '', '2026-11-01', 'me', 'test')"
    )
    session.run(decided, ("set aside",))
    assert trim()["orders_raw"].rows == 0
    session.run(decided, ("dropped",))
    assert trim()["orders_raw"].rows == 1


def test_a_letter_whose_message_was_loaded_after_all_is_not_open_again_once_raw_is_trimmed(
    feed: Feed, committer: Committer, session: Session, warehouse: Warehouse, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    committer.cycle()
    _age(session)
    trim()
    store = AsideStore(lambda: Session(warehouse, "desk"), None, Postgres(), SystemClock())  # type: ignore[arg-type]
    letter = Origin("orders_raw", "t", 0, 1)
    assert store.standing("orders_raw", {letter: 1}) == {letter: Standing.LOADED}
    session.run("UPDATE settlement_public.orders_raw_ledger SET dead_letters = 1")
    assert store.standing("orders_raw", {letter: 1}) == {letter: Standing.OPEN}


@pytest.mark.parametrize("policy", [Policy(rows=3), Policy(batches=2), Policy(rows=1, batches=1)])
def test_each_transaction_takes_a_bounded_portion_and_all_go(
    feed: Feed, committer: Committer, session: Session, trim: Trim, policy: Policy
) -> None:
    _begin(feed, committer)
    for number in range(11, 20):
        _update(feed, number)
    committer.cycle()
    _age(session)
    done = trim(policy)
    assert (done["orders_raw"].rows, done["orders_raw"].batches) == (10, 10)
    assert _rows(session, "orders_raw") == 0


def test_a_pass_ends_when_its_time_is_up_and_the_next_goes_on(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    _begin(feed, committer)
    for number in range(11, 15):
        _update(feed, number)
    committer.cycle()
    _age(session)
    first = trim(Policy(batches=1, seconds=0))["orders_raw"]
    assert first.more and 0 < first.rows < 5
    rows = first.rows
    while (done := trim(Policy(batches=1, seconds=0))["orders_raw"]).more:
        rows += done.rows
    assert rows + done.rows == 5


def test_a_table_without_a_mart_goes_by_its_own_retention_alone(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    feed.rows("shop.orders", [("c", 11, 1, {"order_id": 1, "status": 1, "add_time": 1})])
    _age(session)
    assert trim(subjects=[Subject("orders_raw", 2 * DAY, False)])["orders_raw"].rows == 0
    assert trim(subjects=[Subject("orders_raw", DAY, False)])["orders_raw"].rows == 1


def test_a_busy_lock_ends_only_that_tables_turn(
    feed: Feed, committer: Committer, session: Session, warehouse: Warehouse, trim: Trim
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    _update(feed, 12)
    committer.cycle()
    _age(session)
    with (
        Session(warehouse, "load") as load,
        load.transaction(lock="LOCK TABLE settlement_public.orders_raw_positions IN EXCLUSIVE MODE"),
    ):
        done = trim(Policy(lock_seconds=0.2))
    assert "loads had its lock" in done["orders_raw"].held
    assert (done["orders_raw"].rows, done["transaction_raw"].rows) == (0, 1)


def test_a_preview_says_what_would_go_and_changes_nothing(
    feed: Feed, committer: Committer, session: Session, warehouse: Warehouse
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    feed.ends([(12, {})])
    committer.cycle()
    _age(session)
    made = Trimmer(lambda name: Session(warehouse, name), Postgres(), SUBJECTS, "notes", SystemClock())
    assert {one.raw: one.rows for one in made.preview()} == {"orders_raw": 2, "tracking_raw": 0, "transaction_raw": 1}
    assert _rows(session, "orders_raw") == 2
    assert session.rows("SELECT * FROM settlement_public.raw_marks") == []


def test_after_cycles_a_failure_is_logged_and_passes_keep_their_distance(caplog: pytest.LogCaptureFixture) -> None:
    class Failing(Trimmer):
        passes = 0

        def __init__(self) -> None:
            pass

        def trim(self) -> list[Trimmed]:
            Failing.passes += 1
            raise UnreachableError("the warehouse does not answer")

    class Clock(SystemClock):
        at = 100.0

        def monotonic(self) -> float:
            return self.at

    clock = Clock()
    after = AfterCycles(Failing(), clock, every_seconds=60)
    after()
    after()
    assert Failing.passes == 1 and "the next pass tries again" in caplog.text
    clock.at += 60
    after()
    assert Failing.passes == 2


def test_freed_space_does_not_make_every_look_up_read_all_of_raw(
    feed: Feed, committer: Committer, session: Session, trim: Trim
) -> None:
    """Blocks that hold new rows where old ones were would else be read for every batch between the two."""
    _begin(feed, committer)

    def load(first: int) -> None:
        for batch in range(first, first + 10):
            session.run(
                "INSERT INTO settlement_public.orders_raw (_topic, _topic_id, _partition, _offset, _generation,"
                " _produced_at, _schema_id, _batch_id, _op, _snapshot, _gtid, order_id)"
                " SELECT 'orders_raw', 't', 0, n, 1, now(), 1, %s, 'u', 'false', repeat('x', 500), n"
                " FROM generate_series(1, 2000) n",
                (batch * 1000,),
            )
            session.run(
                "INSERT INTO settlement_public.orders_raw_ledger (batch_id, object_key, topic, topic_id,"
                " kafka_partition, generation, epoch, first_offset, next_offset, row_count, dead_letters, size_bytes,"
                " sha256) VALUES (%s, 'k', 'orders_raw', 't', 0, 1, 1, 1, 2001, 2000, 0, 1, '')",
                (batch * 1000,),
            )
            session.run(
                "INSERT INTO settlement_ods.applied_batches VALUES ('orders_raw', %s, 2000, true, 1)", (batch * 1000,)
            )

    load(1)
    _age(session)
    load(11)
    session.rows("SELECT brin_summarize_new_values('settlement_public.orders_raw_by_batch')")
    trim()
    load(21)
    session.run("SET enable_seqscan = off")
    plan = session.rows(
        "EXPLAIN (ANALYZE, FORMAT JSON) SELECT _offset FROM settlement_public.orders_raw WHERE _batch_id = 15000"
    )
    scan = plan[0]["QUERY PLAN"][0]["Plan"]
    assert scan["Actual Rows"] == 2000
    assert scan["Rows Removed by Index Recheck"] < 2500, "it read the blocks of other batches, too"
