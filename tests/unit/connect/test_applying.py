from __future__ import annotations

import httpx
import pytest

from connect.applying import Patience, apply, mend
from tests.unit.connect.fakes import FakeConnect, ManualClock
from waybill.errors import RefusedError, SettingsError, UnreachableError, WaybillError

WANTED = {"connector.class": "X", "tasks.max": "1"}
RUNS = ("RUNNING", "RUNNING", "")


def test_a_new_connector_is_written_and_waited_for() -> None:
    connect, clock = FakeConnect(states=[("RUNNING", "", ""), ("RUNNING", "UNASSIGNED", ""), RUNS]), ManualClock()
    with connect.rest(clock) as rest:
        done = apply(rest, "w", WANTED, clock=clock)
    assert (done.created, done.written, len(done.changes)) == (True, True, 2)
    assert connect.config == WANTED


def test_a_second_apply_writes_nothing() -> None:
    connect, clock = FakeConnect({**WANTED, "name": "w"}), ManualClock()
    with connect.rest(clock) as rest:
        done = apply(rest, "w", WANTED, clock=clock)
    assert not done.written
    assert connect.asked("PUT") == []


def test_a_dry_run_tells_and_writes_nothing() -> None:
    connect, clock = FakeConnect({"connector.class": "Y"}), ManualClock()
    with connect.rest(clock) as rest:
        done = apply(rest, "w", WANTED, dry_run=True, clock=clock)
    assert [change.key for change in done.changes] == ["connector.class", "tasks.max"]
    assert connect.asked("PUT") == connect.asked("POST") == []


def test_a_failure_that_may_pass_is_restarted_until_it_runs() -> None:
    failed = ("RUNNING", "FAILED", "Communications link failure")
    connect, clock = FakeConnect(WANTED, [failed, failed, RUNS]), ManualClock()
    with connect.rest(clock) as rest:
        done = apply(rest, "w", WANTED, clock=clock)
    assert done.restarts == 2
    assert connect.asked("POST") == ["/connectors/w/restart?includeTasks=true&onlyFailed=true"] * 2


def test_a_failure_that_will_not_pass_is_told_in_a_sentence_and_not_restarted() -> None:
    connect, clock = FakeConnect(WANTED, [("RUNNING", "FAILED", "Access denied for user 'debezium'")]), ManualClock()
    with connect.rest(clock) as rest, pytest.raises(WaybillError, match="MySQL refuses the connector's user") as raised:
        apply(rest, "w", WANTED, clock=clock)
    assert "grant it" in raised.value.todo
    assert connect.asked("POST") == []


def test_restarts_come_to_an_end() -> None:
    connect, clock = FakeConnect(WANTED, [("RUNNING", "FAILED", "Communications link failure")]), ManualClock()
    with connect.rest(clock) as rest, pytest.raises(WaybillError, match="MySQL does not answer"):
        apply(rest, "w", WANTED, patience=Patience(restarts=2), clock=clock)
    assert len(connect.asked("POST")) == 2


def test_a_task_that_fails_right_after_it_ran_does_not_count_as_running() -> None:
    connect = FakeConnect(WANTED, [RUNS, RUNS, ("RUNNING", "FAILED", "purged required binary logs")])
    clock = ManualClock()
    with connect.rest(clock) as rest, pytest.raises(WaybillError, match="no longer on the MySQL server"):
        apply(rest, "w", WANTED, clock=clock)


def test_a_paused_connector_is_left_paused() -> None:
    connect, clock = FakeConnect(WANTED, [("PAUSED", "PAUSED", "")]), ManualClock()
    with connect.rest(clock) as rest, pytest.raises(RefusedError, match="is paused"):
        apply(rest, "w", WANTED, clock=clock)


def test_one_that_never_runs_is_told_with_its_state() -> None:
    connect, clock = FakeConnect(WANTED, [("UNASSIGNED", "", "")]), ManualClock()
    with connect.rest(clock) as rest, pytest.raises(UnreachableError, match="after 30 s: it is unassigned"):
        apply(rest, "w", WANTED, patience=Patience(total=30), clock=clock)


def test_settings_that_connect_refuses_are_explained() -> None:
    connect, clock = FakeConnect(), ManualClock()
    connect.refuses = httpx.Response(
        400, json={"message": "1 error(s):\nUnable to connect: Communications link failure"}
    )
    with connect.rest(clock) as rest, pytest.raises(UnreachableError, match="MySQL does not answer the connector"):
        apply(rest, "w", WANTED, clock=clock)
    connect.refuses = httpx.Response(400, json={"message": "1 error(s):\nInvalid value x for tasks.max"})
    with connect.rest(clock) as rest, pytest.raises(SettingsError, match=r"Invalid value x for tasks\.max"):
        apply(rest, "w", WANTED, clock=clock)


def test_mending_restarts_only_what_failed_and_may_work_again() -> None:
    connect, clock = FakeConnect(WANTED), ManualClock()
    with connect.rest(clock) as rest:
        assert mend(rest, "w") is None
        assert connect.asked("POST") == []
        connect.states = [("RUNNING", "FAILED", "ProducerFencedException")]
        assert "was restarted" in (mend(rest, "w") or "")
        assert connect.asked("POST") == ["/connectors/w/restart?includeTasks=true&onlyFailed=true"]
        connect.states = [("RUNNING", "FAILED", "purged required binary logs")]
        with pytest.raises(WaybillError, match="no longer on the MySQL server"):
            mend(rest, "w")
