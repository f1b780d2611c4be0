"""Reading tables again: by a signal, and by a new first snapshot."""

from __future__ import annotations

import json

from tests.integration.connect.conftest import Captured

TABLE = "CREATE TABLE {db}.parcels (id INT PRIMARY KEY, state INT NOT NULL DEFAULT 1)"


def test_a_signal_reads_a_table_again_with_the_gtid_set_it_was_read_at(captured: Captured) -> None:
    captured.execute(TABLE, "INSERT INTO {db}.parcels VALUES (1, 1), (2, 2)")
    captured.start(captured.config("parcels"))
    captured.after("parcels", 2)
    data = json.dumps({"data-collections": [f"{captured.database}.parcels"], "type": "incremental"})
    captured.servers.mysql(
        f"INSERT INTO `{captured.beats}`.`signal` (id, type, data) VALUES ('again', 'execute-snapshot', %s)", data
    )
    events = captured.events(f"{captured.database}.parcels", 4)
    read_again = [event for event in events if event["source"]["snapshot"] == "incremental"]
    assert sorted((event["op"], event["after"]["id"]) for event in read_again) == [("r", 1), ("r", 2)]
    for event in read_again:
        assert captured.servers.gtid_subset(event["source"]["gtid"], captured.servers.executed())


def test_forgotten_offsets_bring_a_new_first_snapshot(captured: Captured) -> None:
    captured.execute(TABLE, "INSERT INTO {db}.parcels VALUES (1, 1)")
    captured.start(captured.config("parcels"))
    captured.after("parcels", 1)
    captured.rest.forget_offsets(captured.name)
    captured.rest.delete(captured.name)
    captured.execute("DELETE FROM {db}.parcels", "INSERT INTO {db}.parcels VALUES (2, 2)")
    captured.start(captured.config("parcels"))
    events = captured.events(f"{captured.database}.parcels", 2)
    assert {(event["op"], event["after"]["id"]) for event in events} == {("r", 1), ("r", 2)}


def test_a_table_that_is_declared_later_is_captured_from_then_on(captured: Captured) -> None:
    captured.execute(TABLE, "CREATE TABLE {db}.lines (id INT PRIMARY KEY, text VARCHAR(9) NULL DEFAULT 'x')")
    captured.start(captured.config("parcels"))
    captured.execute("INSERT INTO {db}.parcels VALUES (1, 1)")
    captured.after("parcels", 1)
    changed = captured.start(captured.config("parcels", "lines"))
    assert [change.key for change in changed.changes] == ["table.include.list"]
    captured.execute("INSERT INTO {db}.lines VALUES (1, NULL)")
    assert captured.after("lines", 1) == {1: {"id": 1, "text": None}}
