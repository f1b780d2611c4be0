"""A failed connector task is mended beside the run, and nothing is said twice."""

from __future__ import annotations

from operations.connector_watch import ConnectorWatch
from tests.unit.connect.fakes import FakeConnect, ManualClock


def _watch(connect: FakeConnect, said: list[str]) -> ConnectorWatch:
    return ConnectorWatch(lambda: connect.rest(ManualClock()), "waybill", said.append)


def test_a_failure_that_may_pass_is_restarted_and_said() -> None:
    trace = "org.apache.kafka.connect.errors.ConnectException: Communications link failure"
    connect = FakeConnect({"connector.class": "x"}, [("RUNNING", "FAILED", trace)])
    said: list[str] = []
    _watch(connect, said).look()
    assert len(connect.asked("POST")) == 1
    assert "was restarted" in said[0]


def test_a_failure_that_will_not_pass_is_explained_once() -> None:
    connect = FakeConnect({"connector.class": "x"}, [("RUNNING", "FAILED", "Access denied for user 'debezium'")])
    said: list[str] = []
    watch = _watch(connect, said)
    watch.look()
    watch.look()
    assert connect.asked("POST") == []
    assert len(said) == 1
    assert "has failed" in said[0]


def test_a_running_connector_is_left_alone() -> None:
    said: list[str] = []
    connect = FakeConnect({"connector.class": "x"})
    _watch(connect, said).look()
    assert (said, connect.asked("POST")) == ([], [])
