"""`waybill offsets` from outside: positions are shown, moved by hand, and what that left out is never silent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.integration.ingest.commands import Commands
from tests.integration.ingest.workshop import RAW, Workshop
from tests.unit.consumers.parcel import row
from tests.waiting import until

T = ("--table", "parcel", "--partition", "0")
WHY = ("--reason", "because of a test", "--yes")


@pytest.fixture
def loaded(workshop: Workshop, commands: Commands) -> Workshop:
    """Ten events and a control record in partition 0, loaded: the position is 11."""
    workshop.write([workshop.event(row(i)) for i in range(10)])
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    return workshop


def partition(found: Any, number: int = 0) -> Any:
    (one,) = [p for p in found["partitions"] if p["partition"] == number and p["table"] == "kuaisong.parcel"]
    return one


def offsets_twice(workshop: Workshop) -> list[tuple[int, int]]:
    """Offsets that raw holds more than once, with how often."""
    found = workshop.session.rows(
        f'SELECT "_offset" AS o, count(*) AS n FROM settlement_public.{RAW} GROUP BY 1 HAVING count(*) > 1 ORDER BY 1'
    )
    return [(r["o"], r["n"]) for r in found]


def test_show_reads_the_time_at_each_offset_from_the_message_there(loaded: Workshop, commands: Commands) -> None:
    committed = datetime.fromtimestamp(1_700_000_000, UTC)
    loaded.write([loaded.event(row(20), ts_us=1_700_000_000_000_000)])
    shown = partition(commands.does("offsets", "show", "--window", "0"))
    (message,) = [m for m in loaded.read(loaded.topic) if m.offset() == 11]
    assert [shown[p]["offset"] for p in ("low", "committed", "kafka", "high")] == [0, 11, 11, 13]
    assert [shown[p]["message"] for p in ("low", "committed", "kafka", "high")] == [0, 11, 11, 11]
    assert datetime.fromisoformat(shown["committed"]["committed_at"]) == committed
    assert datetime.fromisoformat(shown["committed"]["produced_at"]).timestamp() * 1000 == message.timestamp()[1]
    assert (shown["state"], shown["lag"], shown["epoch"], shown["generation"]) == ("OK", 2, 1, 1)
    assert 0 < shown["lag_seconds"] < 600
    quiet = partition(commands.does("offsets", "show", "--window", "0"), 1)
    assert quiet["high"] == {"offset": 0, "message": None, "produced_at": None, "committed_at": None}
    assert quiet["lag_seconds"] == 0
    assert "parcel" in commands.run("offsets", "show").stdout
    # Only once: no group is made by looking.
    assert partition(commands.does("lag"))["lag"] == 2


def test_a_reset_reads_a_window_again_under_a_new_generation_and_the_rest_once(
    loaded: Workshop, commands: Commands
) -> None:
    dry = commands.does("offsets", "reset", *T, "--to", "6", "--dry-run", *WHY)
    assert not dry["moved"]
    (one,) = dry["positions"]
    assert (one["from"], one["to"], one["again"]["events"], one["again"]["keys"]) == (11, 6, 4, 4)
    assert one["again"]["first_at"] and one["again"]["last_at"]
    assert loaded.positions()[0] == 11
    assert commands.does("offsets", "reset", *T, "--to", "6", *WHY)["moved"]
    assert loaded.positions()[0] == 6
    loaded.write([loaded.event(row(20))])
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    assert loaded.rows("order_id, _generation", "2, 1") == [
        *((i, 1) for i in range(10)), *((i, 2) for i in range(6, 10)), (20, 2)
    ]  # fmt: skip
    assert offsets_twice(loaded) == [(i, 2) for i in range(6, 10)]
    (kept,) = commands.does("offsets", "history")["changes"]
    assert (kept["change"], kept["from_offset"], kept["to_offset"], kept["generation"]) == ("reset", 11, 6, 2)
    assert (kept["reason"], kept["events_again"], kept["asked"]) == ("because of a test", 4, "6")
    assert "@" in kept["changed_by"]
    assert commands.does("offsets", "gaps")["gaps"] == []


def test_moving_is_refused_while_a_consumer_owns_the_partition(loaded: Workshop, commands: Commands) -> None:
    consumer = commands.beside("consume", "--table", "parcel")
    until(lambda: consumer.running() and consumer.log.read_text().count("owns") == 3, "the owner", 60, consumer.ends)
    done = commands.run("offsets", "reset", *T, "--to", "0", *WHY)
    assert done.returncode == 4
    assert "is consumed by" in done.stderr and "--while-owned" in done.stderr
    assert loaded.positions()[0] == 11
    # Said explicitly, the consumer that runs is stale: it loads nothing from where it was.
    commands.does("offsets", "reset", *T, "--to", "0", "--while-owned", *WHY)
    loaded.write([loaded.event(row(20))])
    until(lambda: "belongs to reset by" in consumer.log.read_text(), "the consumer is stale", 60, consumer.ends)
    assert loaded.positions()[0] == 0
    consumer.terminate(30)
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    assert offsets_twice(loaded) == [(i, 2) for i in range(10)]
    assert loaded.rows()[-1] == (20,)


def test_what_would_be_skipped_is_refused_then_named_until_it_is_read(loaded: Workshop, commands: Commands) -> None:
    loaded.write([loaded.event(row(i)) for i in range(20, 25)])  # offsets 11 to 15, and a control record
    refused = commands.run("offsets", "seed", *T, "--to", "now", *WHY)
    assert refused.returncode == 4
    assert "offsets 11 to 16 would never be read" in refused.stderr
    assert loaded.positions()[0] == 11
    done = commands.does("offsets", "seed", *T, "--to", "now", "--skip", *WHY)
    assert done["positions"][0]["skipped"]["events"] == 5
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    assert len(loaded.rows()) == 10
    (gap,) = commands.does("offsets", "gaps", code=1)["gaps"]
    assert (gap["first_offset"], gap["next_offset"], gap["why"]) == (11, 17, "because of a test")
    assert "waybill offsets gaps" in commands.run("status").stdout
    # To read it after all is a reset; seed never goes back.
    assert commands.run("offsets", "seed", *T, "--to", "11", *WHY).returncode == 4
    commands.does("offsets", "reset", *T, "--to", "11", *WHY)
    commands.does("offsets", "gaps", code=1)
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    assert commands.does("offsets", "gaps")["gaps"] == []
    assert len(loaded.rows()) == 15


def test_a_gap_that_is_accepted_is_not_named_again(loaded: Workshop, commands: Commands) -> None:
    loaded.write([loaded.event(row(i)) for i in range(20, 25)])
    commands.does("offsets", "seed", "--table", "parcel", "--to", "end", "--skip", *WHY)
    commands.does("offsets", "accept", "--table", "parcel", "--dry-run", *WHY)
    commands.does("offsets", "gaps", code=1)
    assert commands.does("offsets", "accept", "--table", "parcel", *WHY)["accepted"] == 1
    assert commands.does("offsets", "gaps")["gaps"] == []
    assert commands.does("offsets", "accept", "--table", "parcel", *WHY)["accepted"] == 0
    assert "waybill offsets gaps" not in commands.run("status").stdout


def test_a_first_run_can_begin_at_a_time(workshop: Workshop, commands: Commands) -> None:
    workshop.write([workshop.event(row(1))])
    later = max(m.timestamp()[1] for m in workshop.read(workshop.topic)) + 1
    moment = datetime.fromtimestamp(later / 1000, UTC).isoformat()
    until(lambda: datetime.now(UTC).timestamp() * 1000 > later, "the next millisecond", 5)
    workshop.write([workshop.event(row(2))])
    commands.does("offsets", "seed", "--table", "parcel", "--to", moment, "--skip", *WHY)
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    assert workshop.rows("order_id, _generation") == [(2, 1)]


def test_a_position_that_moved_since_it_was_looked_at_is_not_overwritten(loaded: Workshop, commands: Commands) -> None:
    """The answer to "Move?" may come much later: the position is compared under the lock."""
    from cli import ingest
    from loaders.postgres import Postgres
    from operations.offsets import targets
    from operations.offsets.moving import Order, apply, plan
    from waybill.errors import RefusedError

    context = loaded.context
    chosen = ingest.streams(context.pipeline, ["parcel"])
    target = targets.parse("beginning")
    moves = plan(loaded.session, ingest.topics(context), chosen, 0, target)
    loaded.write([loaded.event(row(20))])
    commands.does("consume", "--until-caught-up", "--table", "parcel")
    with pytest.raises(RefusedError, match="was moved"):
        apply(loaded.session, Postgres(), moves, Order("reset", target, "me@here", "why"))
    assert loaded.positions()[0] == 13


@pytest.mark.parametrize(
    "words",
    [
        ("--to", "yesterday", *WHY),
        ("--to", "5", "--reason", "several partitions"),
        ("--to", "999", *T, *WHY),
        ("--to", "now", "--partition", "1", *WHY),
        ("--to", "now", *T, "--reason", " "),
        ("--to", "now", "--table", "nothing", *WHY),
    ],
)
def test_wrong_use_is_refused(loaded: Workshop, commands: Commands, words: tuple[str, ...]) -> None:
    done = commands.run("offsets", "reset", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False), done.stderr


def test_lag_watches_until_it_is_told_to_end(loaded: Workshop, commands: Commands) -> None:
    watched = commands.beside("lag", "--watch", "--interval", "0.5", "--json")
    until(lambda: watched.running() and watched.out.read_text().count("\n") >= 2, "two looks", 60, watched.ends)
    assert partition(watched.answer())["lag"] == 0
    loaded.write([loaded.event(row(20))])
    until(lambda: watched.running() and partition(watched.answer())["lag"] == 2, "the lag", 60, watched.ends)
    assert partition(watched.answer())["state"] == "OK"
    assert 0 < partition(watched.answer())["lag_seconds"] < 600
    watched.terminate(10)
