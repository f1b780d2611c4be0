"""`waybill consume` and `waybill lag` from outside."""

from __future__ import annotations

import json

from tests.integration.ingest.commands import Commands
from tests.integration.ingest.workshop import Workshop
from tests.unit.consumers.parcel import row
from tests.waiting import until


def test_consume_until_caught_up_says_what_it_did_and_lag_shows_the_rest(
    workshop: Workshop, commands: Commands
) -> None:
    workshop.write([workshop.event(row(i)) for i in range(60)])
    before = commands.does("lag", "--table", "parcel")
    assert before["lag"] == 61
    assert {one["note"] for one in before["partitions"]} == {"never read"}
    (done,) = [t for t in commands.does("consume", "--until-caught-up")["tables"] if t["rows"]]
    assert (done["table"], done["rows"], done["dead_letters"], done["stopped"]) == ("kuaisong.parcel", 60, 0, None)
    after = commands.does("lag")
    (first,) = [p for p in after["partitions"] if p["topic"] == workshop.topic and p["partition"] == 0]
    assert (first["position"], first["last_stable"], first["lag"], first["epoch"]) == (61, 61, 0, 1)
    assert first["owner"]
    assert {p["note"] for p in after["partitions"] if p["partition"] is None} == {"no such topic yet"}


def test_a_running_consumer_ends_at_once_and_cleanly_when_it_is_told_to(workshop: Workshop, commands: Commands) -> None:
    consumer = commands.beside("consume")
    workshop.write([workshop.event(row(1))])
    until(lambda: consumer.running() and workshop.rows() == [(1,)], "the row in raw", 60, consumer.ends)
    assert consumer.terminate(15) == 0


def test_two_running_consumers_of_one_checkout_share_and_one_under_the_same_name_shuts_the_first_out(
    workshop: Workshop, commands: Commands
) -> None:
    first, second = commands.beside("consume"), commands.beside("consume")

    def owners() -> bool:
        found = workshop.session.rows("SELECT DISTINCT owner FROM settlement_public.parcel_raw_positions")
        return first.running() and second.running() and len(found) == 2

    until(owners, "two owners", 60, lambda: first.ends() + second.ends())
    second.terminate()
    named = commands.beside("consume", "--member", "one")
    until(lambda: "owns" in named.log.read_text(), "a third consumer that owns something", 60, named.ends)
    usurper = commands.beside("consume", "--member", "one")
    assert named.wait(60) == 4
    assert "member name 'one'" in named.log.read_text()
    assert usurper.running()


def test_wrong_use_is_refused_before_anything_is_read(workshop: Workshop, commands: Commands) -> None:
    unknown = commands.run("consume", "--table", "nothing")
    assert unknown.returncode == 2
    assert "kuaisong.parcel" in unknown.stderr
    workshop.session.run("DROP TABLE settlement_public.parcel_raw_positions")
    missing = commands.run("consume", "--until-caught-up")
    assert missing.returncode == 2
    assert "waybill schema apply" in missing.stderr


def test_a_stopped_table_is_said_with_exit_code_4(workshop: Workshop, commands: Commands) -> None:
    workshop.write([(b"", b"nonsense")] * 7)
    done = commands.run("consume", "--until-caught-up", "--json")
    assert done.returncode == 4
    (stopped,) = [t["stopped"] for t in json.loads(done.stdout)["tables"] if t["stopped"]]
    assert "bad messages in a row" in stopped
