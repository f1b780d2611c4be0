"""One committer at a time; errors that may pass are repeated; a lost answer to COMMIT is read, never guessed."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import psycopg2
import pytest

from committer import steps
from committer.commit import Committer
from committer.cycle import Cycle
from committer.lease import Lease
from tests.integration.commit.conftest import SaidSource, standing
from tests.integration.commit.feed import A, Feed
from warehouse.session import Session
from waybill.addresses import Warehouse
from waybill.errors import CommitUnknown, ConflictError, RefusedError, StaleOwner, UnreachableError, WaybillError


def _begin(feed: Feed, committer: Committer) -> None:
    feed.first_snapshot([{"order_id": 1, "status": 10, "add_time": 1}], [])
    committer.cycle()


def _update(feed: Feed, number: int) -> None:
    feed.rows("shop.orders", [("u", number, 1, {"order_id": 1, "status": number, "add_time": 1})])
    feed.ends([(number, {"shop.orders": 1})])


def test_a_second_committer_is_told_who_holds_the_lease(
    warehouse: Warehouse, committer: Committer, session: Session
) -> None:
    lease = Lease(lambda name: Session(warehouse, name), "first", session.process_id, 30, lambda: None)
    with lease, pytest.raises(RefusedError, match="first"):
        committer.cycle()
    assert committer.cycle().status == "committed", "a lease given back is free at once"


def test_an_expired_lease_is_taken_and_the_dead_holders_session_is_ended(
    warehouse: Warehouse, committer: Committer, session: Session
) -> None:
    with Session(warehouse, "commit") as stuck:
        held = stuck.transaction(lock="LOCK TABLE settlement_ods.cycle_lock IN EXCLUSIVE MODE")
        held.__enter__()
        session.run(
            "UPDATE settlement_ods.cycle_lease SET holder = 'dead', token = 'x', session_id = %s,"
            " expires_at = timezone('UTC', clock_timestamp()) - interval '1 second'",
            (stuck.process_id,),
        )
        assert committer.cycle().status == "committed"
        with pytest.raises(UnreachableError):
            stuck.run("SELECT 1")


@pytest.mark.parametrize("busy_in", ["warehouse", "here"])
def test_a_holder_that_lost_its_lease_does_not_commit(
    feed: Feed, committer: Committer, session: Session, monkeypatch: pytest.MonkeyPatch, busy_in: str
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    original = Cycle._finish

    def slow(self: Cycle, eras: list[object]) -> None:
        original(self, eras)  # type: ignore[arg-type]
        session.run("UPDATE settlement_ods.cycle_lease SET token = 'thief'")
        if busy_in == "warehouse":
            self._session.run("SELECT pg_sleep(5)")
        else:
            time.sleep(2)

    monkeypatch.setattr(Cycle, "_finish", slow)
    with pytest.raises(StaleOwner, match="lease was lost"):
        committer.cycle()
    assert standing(session, "mart_orders") == {1: 10}


def test_two_committers_at_once_make_one_cycle_each_number_once(
    feed: Feed, warehouse: Warehouse, committer: Committer, session: Session
) -> None:
    _begin(feed, committer)
    refused: list[WaybillError] = []

    def work() -> None:
        for _ in range(8):
            try:
                committer.cycle()
            except WaybillError as error:
                refused.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(11, 31):
        _update(feed, number)
    for thread in threads:
        thread.join()
    committer.cycle()
    assert all(isinstance(error, RefusedError) for error in refused), refused
    numbers = [
        r["cycle"]
        for r in session.rows("SELECT cycle FROM settlement_ods.cycles WHERE status = 'committed' ORDER BY cycle")
    ]
    assert numbers == list(range(1, len(numbers) + 1))
    assert standing(session, "mart_orders") == {1: 30}


def test_a_cycle_waits_for_the_lock_even_when_the_lease_is_free(
    committer: Committer, session: Session, warehouse: Warehouse
) -> None:
    thread = threading.Thread(target=committer.cycle)
    with (
        Session(warehouse, "other") as other,
        other.transaction(lock="LOCK TABLE settlement_ods.cycle_lock IN EXCLUSIVE MODE"),
    ):
        thread.start()
        thread.join(1.0)
        assert thread.is_alive()
        assert session.row("SELECT cycle FROM settlement_ods.as_of") == {"cycle": 0}
    thread.join()
    assert session.row("SELECT cycle FROM settlement_ods.as_of") == {"cycle": 1}


def test_an_error_that_may_pass_is_repeated_and_one_that_will_not_is_not(
    feed: Feed, committer: Committer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[int] = []
    original = Cycle._pending

    def fails_twice(self: Cycle, until: object) -> None:
        tries.append(1)
        if len(tries) <= 2:
            raise ConflictError("another transaction won")
        original(self, until)  # type: ignore[arg-type]

    monkeypatch.setattr(Cycle, "_pending", fails_twice)
    assert committer.cycle().status == "committed"
    assert len(tries) == 3
    failed = session.rows("SELECT cycle, error FROM settlement_ods.cycles WHERE status = 'failed'")
    assert [row["cycle"] for row in failed] == [1, 1]

    def fails(self: Cycle, until: object) -> None:
        tries.append(1)
        raise WaybillError("a syntax error")

    monkeypatch.setattr(Cycle, "_pending", fails)
    with pytest.raises(WaybillError, match="syntax"):
        committer.cycle()
    assert len(tries) == 4


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_answer_to_commit_is_resolved_by_reading(
    feed: Feed, committer: Committer, session: Session, monkeypatch: pytest.MonkeyPatch, committed: bool
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    original = Cycle.apply
    tries: list[int] = []

    def lost(self: Cycle, *arguments: object) -> None:
        tries.append(1)
        if len(tries) > 1:
            original(self, *arguments)  # type: ignore[arg-type]
            return
        if committed:
            original(self, *arguments)  # type: ignore[arg-type]
        raise CommitUnknown("the connection broke during COMMIT")

    monkeypatch.setattr(Cycle, "apply", lost)
    assert committer.cycle().status == "committed"
    assert len(tries) == (1 if committed else 2)
    assert standing(session, "mart_orders") == {1: 11}
    numbers = [r["cycle"] for r in session.rows("SELECT cycle FROM settlement_ods.cycles WHERE status = 'committed'")]
    assert sorted(numbers) == [1, 2]


def test_clocks_that_differ_too_much_stop_the_cycle_and_an_unreachable_mysql_is_a_note(
    committer: Committer, source: SaidSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "now", lambda: datetime.now(UTC) - timedelta(seconds=75))
    with pytest.raises(WaybillError, match="clocks differ by 7"):
        committer.cycle()

    def down() -> datetime:
        raise UnreachableError("MySQL does not answer")

    monkeypatch.setattr(source, "now", down)
    assert "MySQL's clock could not be read" in committer.cycle().notes[0]


def test_a_step_over_its_time_limit_is_rolled_back_and_says_which(
    feed: Feed, committer: Committer, session: Session, warehouse: Warehouse
) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    committer.settings = committer.settings.model_copy(update={"step_seconds": 0.3, "retries": 0})
    blocker = psycopg2.connect(
        host=warehouse.host, port=warehouse.port, user=warehouse.user, dbname=warehouse.database,
        password=warehouse.password.get_secret_value(),
    )  # fmt: skip
    with blocker.cursor() as cursor:
        cursor.execute("LOCK TABLE settlement_ods.mart_orders IN ACCESS EXCLUSIVE MODE")
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="200_candidates of mart_orders"):
            committer.cycle()
        assert time.monotonic() - began < 30
    blocker.rollback()
    blocker.close()
    assert standing(session, "mart_orders") == {1: 10}


def test_every_step_has_its_file_and_every_file_its_step() -> None:
    from warehouse.statements import ROOT

    assert sorted(step.file for step in steps.ALL) == sorted(path.name for path in (ROOT / "sql/commit").glob("*.sql"))


def test_as_of_tells_readers_the_cut(feed: Feed, committer: Committer, session: Session) -> None:
    _begin(feed, committer)
    _update(feed, 11)
    summary = committer.cycle()
    row = session.row("SELECT cycle, gtid_set, cut_at, consistent, tables_out FROM settlement_ods.as_of")
    assert row == {"cycle": 2, "gtid_set": f"{A}:1-11", "cut_at": summary.cut_at, "consistent": True, "tables_out": ""}
