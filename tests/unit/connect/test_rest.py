from __future__ import annotations

import httpx
import pytest

from connect.offsets import gtid_set_of
from connect.rest import ConnectRest
from tests.unit.connect.fakes import FakeConnect, ManualClock
from waybill.errors import SettingsError, UnreachableError


def test_an_unknown_connector_is_none_and_not_an_error() -> None:
    with FakeConnect().rest(ManualClock()) as rest:
        assert rest.config("w") is None
        assert rest.status("w") is None
        assert rest.offsets("w") == []


def test_a_rebalance_is_waited_for() -> None:
    connect, clock = FakeConnect({"a": "1"}), ManualClock()
    connect.conflicts = 3
    with connect.rest(clock) as rest:
        assert rest.config("w") == {"a": "1"}
    assert clock.seconds > 0


def test_a_rebalance_without_end_is_told() -> None:
    connect, clock = FakeConnect({"a": "1"}), ManualClock()
    connect.conflicts = 10_000
    with connect.rest(clock) as rest, pytest.raises(UnreachableError, match="busy"):
        rest.pause("w")


def test_a_silent_connect_is_told_with_its_address() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    rest = ConnectRest("http://connect.test/", ManualClock(), httpx.MockTransport(refuse))
    with rest, pytest.raises(UnreachableError, match=r"http://connect\.test: Connection refused"):
        rest.connectors()


def test_a_name_with_odd_characters_stays_one_part_of_the_path() -> None:
    connect = FakeConnect({"a": "1"})
    with connect.rest(ManualClock()) as rest:
        rest.config("a/b c")
    assert connect.asked("GET") == ["/connectors/a%2Fb%20c/config"]


@pytest.mark.parametrize(
    ("offsets", "gtids"),
    [
        ([], None),
        ([{"partition": {"server": "p"}, "offset": None}], None),
        ([{"partition": {"server": "p"}, "offset": {"file": "b.1", "pos": 4}}], ""),
        ([{"partition": {"server": "p"}, "offset": {"gtids": "u:1-5,\n v:1"}}], "u:1-5,v:1"),
    ],
)
def test_the_stored_gtid_set_is_read_from_the_offsets(offsets: list[dict[str, object]], gtids: str | None) -> None:
    assert gtid_set_of(offsets) == gtids


def test_objections_that_connect_loses_on_the_way_are_asked_for() -> None:
    """Connect 4.3 answers 500 and a NullPointerException where Debezium objects to a value."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/config/validate"):
            password = {"name": "database.hostname", "errors": ["Unable to connect: Access denied for user 'd'"]}
            return httpx.Response(200, json={"configs": [{"value": password}, {"value": None}, {}]})
        return httpx.Response(500, json={"message": 'Cannot invoke "ConfigValueInfo.errors()"'})

    rest = ConnectRest("http://connect.test", ManualClock(), httpx.MockTransport(answer))
    with rest, pytest.raises(SettingsError, match=r"database\.hostname: Unable to connect: Access denied"):
        rest.put_config("w", {"connector.class": "X"})
