"""The connector's settings at work: what the rest of the pipeline relies on."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import pytest

from connect.offsets import stored_gtid_set
from stack import choose
from stack.layout import Layout
from stack.way import Controls
from tests.integration.connect.conftest import Captured
from tests.waiting import until
from waybill.errors import UnreachableError, WaybillError

TABLE = "CREATE TABLE {db}.parcels (id INT PRIMARY KEY, state INT NOT NULL DEFAULT 1)"


def test_a_snapshot_says_when_it_is_complete_and_how_many_rows_it_read(captured: Captured) -> None:
    captured.execute(TABLE, "INSERT INTO {db}.parcels VALUES (1, 1), (2, 2), (3, 3)")
    captured.start(captured.config("parcels"))
    captured.after("parcels", 3)
    notes = until(
        lambda: notes if (notes := captured._read(f"{captured.name}.notification"))[-1]["type"] == "COMPLETED" else [],
        "COMPLETED in the notification topic", 60,
    )  # fmt: skip
    assert notes[0]["type"] == "STARTED"
    scans = [n["additional_data"] for n in notes if n["type"] == "TABLE_SCAN_COMPLETED"]
    counts = {scan["scanned_collection"]: scan["total_rows_scanned"] for scan in scans}
    assert counts == {f"{captured.database}.parcels": "3", f"{captured.beats}.heartbeat": "0"}


def test_a_transaction_is_told_with_the_count_of_each_table(captured: Captured) -> None:
    captured.execute(TABLE)
    captured.start(captured.config("parcels"))
    captured.execute("INSERT INTO {db}.parcels VALUES (1, 1), (2, 2)", "UPDATE {db}.parcels SET id = 9 WHERE id = 1")
    events = captured.events(f"{captured.database}.parcels", 4)
    ids = {event["transaction"]["id"] for event in events}

    def ends() -> dict[str, dict[str, int]]:
        return {
            end["id"]: {each["data_collection"]: each["event_count"] for each in end["data_collections"]}
            for end in captured._read(f"{captured.name}.transaction")
            if end["status"] == "END" and end["id"] in ids
        }

    found = until(lambda: ends() if len(ends()) == 2 else {}, "both END records", 60)
    assert list(found.values()) == [{f"{captured.database}.parcels": 2}] * 2
    changed = sorted((e["transaction"]["data_collection_order"], e["op"]) for e in events if e["op"] in "d")
    assert changed == [(1, "d")]
    assert all(event["source"]["gtid"] == event["transaction"]["id"] for event in events)


def test_a_truncate_is_seen(captured: Captured) -> None:
    captured.execute(TABLE, "INSERT INTO {db}.parcels VALUES (1, 1)")
    captured.start(captured.config("parcels"))
    captured.events(f"{captured.database}.parcels", 1)
    captured.execute("TRUNCATE TABLE {db}.parcels")
    assert captured.events(f"{captured.database}.parcels", 2)[-1]["op"] in ("t", "r")
    assert {event["op"] for event in captured.events(f"{captured.database}.parcels", 2)} == {"r", "t"}


def test_the_stored_gtid_set_follows_the_source(captured: Captured) -> None:
    captured.execute(TABLE)
    assert stored_gtid_set(captured.addresses.connect.url, captured.name) is None
    captured.start(captured.config("parcels"))
    captured.execute("INSERT INTO {db}.parcels VALUES (1, 1)")
    goal = captured.events(f"{captured.database}.parcels", 1)[0]["source"]["gtid"]
    # The heartbeat is a later transaction, so the one of the row gets into the stored set without another write.
    until(
        lambda: captured.servers.gtid_subset(
            goal, stored_gtid_set(captured.addresses.connect.url, captured.name) or ""
        ), f"{goal} in the stored offset", 60,
    )  # fmt: skip


def test_apply_is_idempotent_and_tells_what_it_changes(captured: Captured) -> None:
    captured.execute(TABLE)
    first = captured.start(captured.config("parcels"))
    assert first.created
    assert captured.start(captured.config("parcels")).written is False
    second = captured.start(captured.config("parcels", poll__interval__ms="77"))
    assert [(change.key, change.after) for change in second.changes] == [("poll.interval.ms", "77")]


@pytest.mark.parametrize(
    ("user", "password"),
    [("debezium", "wrong"), ("nobody", "no-rights")],
)
def test_a_user_who_may_not_is_told_in_a_sentence(captured: Captured, user: str, password: str) -> None:
    captured.execute(TABLE, "CREATE USER IF NOT EXISTS 'nobody'@'%' IDENTIFIED BY 'no-rights'")
    with pytest.raises(WaybillError, match="MySQL refuses the connector's user") as raised:
        captured.start(captured.config("parcels", database__user=user, database__password=password))
    assert "grant" in raised.value.todo
    assert captured.rest.config(captured.name) is None


def test_a_mysql_that_is_not_there_is_told_in_a_sentence(captured: Captured) -> None:
    with pytest.raises(UnreachableError, match="MySQL does not answer the connector"):
        captured.start(captured.config("parcels", database__port="1"))


def test_the_command_applies_pauses_resumes_and_tells_as_json(
    captured: Captured, waybill_command: Callable[..., subprocess.CompletedProcess[str]], tmp_path: object
) -> None:
    captured.execute(TABLE)
    pipeline = f"{tmp_path}/pipe line.yml"
    with open(pipeline, "w") as file:  # noqa: PTH123
        json.dump(
            {
                "source": {
                    "connector": captured.name, "topic_prefix": captured.name, "server_id": 300_001,
                    "heartbeat": f"{captured.beats}.heartbeat", "signal": f"{captured.beats}.signal",
                },
                "tables": [{"source": f"{captured.database}.parcels", "key": ["id"]}],
            }, file,
        )  # fmt: skip

    def command(*words: str) -> tuple[int, dict[str, object]]:
        done = waybill_command("--pipeline", pipeline, "connect", *words, "--json")
        return done.returncode, json.loads(done.stdout)

    assert command("status")[1]["state"] == "MISSING"
    assert command("apply", "--dry-run")[1]["written"] is False
    assert command("apply")[1]["created"] is True
    code, found = command("status")
    assert (code, found["runs"]) == (0, True)
    assert command("pause")[0] == 0
    until(lambda: command("status")[0] == 1, "the connector paused", 30)
    assert command("apply")[0] == 4
    assert command("resume") == (0, {"connector": captured.name, "state": "runs"})
    assert command("restart")[0] == 0


@pytest.mark.kills_services
def test_a_registry_that_is_down_while_a_task_starts_is_waited_for(captured: Captured, way: str) -> None:
    services = choose.way(way, Layout.here()) if way != "brought" else None
    if not isinstance(services, Controls):
        pytest.skip("the services were brought along: they are not this test's to stop")
    captured.execute(TABLE, "INSERT INTO {db}.parcels VALUES (1, 1)")
    services.stop("registry")
    try:
        captured.start(captured.config("parcels"))
        # Long enough for the first conversions to have been refused: a plain converter's task has failed by now.
        seen: list[str] = []
        until(lambda: seen.append(_state(captured)) or len(seen) > 100, "a hundred looks at the task", 60)
        assert set(seen) == {"RUNNING"}
    finally:
        services.start("registry")
    assert captured.after("parcels", 1) == {1: {"id": 1, "state": 1}}


def _state(captured: Captured) -> str:
    status = captured.rest.status(captured.name)
    return status.tasks[0].state if status and status.tasks else "no task"
