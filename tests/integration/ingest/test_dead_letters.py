"""Bad messages on the real services: set aside, shown, redriven, dropped; and what a redriven event does to a mart."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.letters_chosen import desk_of
from committer.commit import Committer
from committer.settings import Commit, Mart
from committer.steps import MartTable
from consumers.decoder import Decoded, FastavroDecoder
from consumers.decoding import Decoding
from consumers.shapes import places
from consumers.source_columns import source_column
from operations.dead_letters.counts import count, counted
from tests.integration.commit.conftest import SaidSource
from tests.integration.commit.feed import Feed
from tests.integration.ingest.test_commands import Commands
from tests.integration.ingest.workshop import RAW, Workshop
from tests.unit.consumers.debezium import UUID
from tests.unit.consumers.parcel import COLUMNS, row
from warehouse.change import apply
from warehouse.schema import MartTable as WantedMart
from warehouse.schema import plan
from warehouse.session import Session
from waybill.addresses import Addresses
from waybill.clock import SystemClock
from waybill.tables import Table

TABLE = "kuaisong.parcel"


class Wrong(FastavroDecoder):
    """A decoder with a defect: it refuses every row that is called 'defect'."""

    def decode(self, schema: Any, shape: Any, messages: Any) -> Decoded:
        found = super().decode(schema, shape, messages)
        bad = {i: "defect" for i, m in enumerate(messages) if b"defect" in m} if shape is not None else {}
        good = [i for i in found.good if i not in bad]
        kept = places([found.good.index(i) for i in good])
        return Decoded(found.table.take(kept), good, found.bad | bad)


@pytest.fixture
def commands(workshop: Workshop, stack: Addresses, tmp_path: Path) -> Iterator[Commands]:
    made = Commands(workshop, stack, tmp_path)
    yield made
    for each in made.started:
        each.clear()


def consume_wrongly(workshop: Workshop) -> None:
    """Load what there is with the defect."""
    loop = workshop.loop()
    decoding: Decoding = loop._stages.decoding
    decoding._decoder = Wrong()
    workshop.turn(loop, lambda goal: goal.reached(loop.carried.values()), 60)
    workshop.leave(loop)


def letters_sent(workshop: Workshop) -> int:
    topic = f"{workshop.name}.dead-letters"
    return len(workshop.read(topic)) if topic in workshop.admin.list_topics(timeout=10).topics else 0


def decided(workshop: Workshop, columns: str) -> list[tuple[Any, ...]]:
    found = workshop.session.rows(f"SELECT {columns} FROM settlement_public.dead_letter_decisions")
    return [tuple(one.values()) for one in found]


def letter(workshop: Workshop, offset: int, partition: int = 0) -> str:
    return f"{workshop.topic}/{partition}/{offset}"


def ask(commands: Commands, *words: str, code: int = 0) -> Any:
    done = commands.run("deadletters", *words, "--json")
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def test_letters_are_listed_shown_and_redriven_as_a_batch_of_their_own(workshop: Workshop, commands: Commands) -> None:
    good, cut = workshop.event(row(1)), workshop.event(row(2, name="truncated"))
    workshop.write([good, (cut[0], cut[1][:-3]), workshop.event(row(3, name="defect")), workshop.event(row(4))])
    workshop.write([workshop.event(row(5, name="defect"))], partition=2)
    consume_wrongly(workshop)
    assert workshop.rows() == [(1,), (4,)]
    before = workshop.positions()

    listed = ask(commands, "list", code=1)
    assert (listed["letters"], listed["states"]) == (3, {"open": 3})
    assert ask(commands, "list", "--error", "defect", "--table", "parcel", code=1)["letters"] == 2
    assert ask(commands, "list", "--before", "2001-01-01")["letters"] == 0

    shown = ask(commands, "show", letter(workshop, 1))
    assert shown["value"]["hex"] == cut[1][:-3].hex()
    assert shown["value"]["readable"]["after"]["name"] == "truncated"
    assert shown["refused_now"] and shown["value"]["problem"]
    assert shown["row_key"] == '{"order_id": 2}'
    assert ask(commands, "show", "parcel/2/0")["refused_now"] == ""

    dry = ask(commands, "redrive", "--all", "--dry-run", code=1)
    assert (dry["redriven"], list(dry["still_bad"])) == (2, [letter(workshop, 1)])
    assert len(workshop.rows()) == 2
    done = ask(commands, "redrive", "--all", "--reason", "mended", code=1)
    assert (done["redriven"], list(done["still_bad"])) == (2, [letter(workshop, 1)])
    assert workshop.rows('order_id, "_partition", "_offset", "_generation"') == [
        (1, 0, 0, 1), (3, 0, 2, 1), (4, 0, 3, 1), (5, 2, 0, 1),
    ]  # fmt: skip
    again = ask(commands, "redrive", "--all", code=1)
    assert (again["redriven"], again["left"]) == (0, {"redriven": 2})
    named = ask(commands, "redrive", letter(workshop, 2), "parcel/2/0")
    assert (named["redriven"], named["left"]) == (0, {"redriven": 2})
    assert len(workshop.rows()) == 4
    assert workshop.positions() == before
    batches = workshop.ledger("first_offset, next_offset, row_count, epoch, object_key")[-2:]
    assert sorted(b[:4] for b in batches) == [(0, 1, 1, 0), (2, 3, 1, 0)]
    assert all(f"tests/{workshop.name}/{RAW}/" in b[4] for b in batches)
    decisions = decided(workshop, "kafka_offset, decision, reason")
    assert sorted(decisions) == [(0, "redriven", "mended"), (2, "redriven", "mended")]


def test_a_crash_between_letter_and_load_leaves_no_second_letter_and_no_second_row(
    workshop: Workshop, commands: Commands
) -> None:
    workshop.write([workshop.event(row(1, name="defect")), workshop.event(row(2))])
    for times in (1, 2):  # the letter is sent, then the consumer dies before the load
        loop = workshop.loop()
        loop._stages.decoding._decoder = Wrong()
        loop._load = lambda carried: None  # type: ignore[method-assign]
        workshop.turn(loop, lambda _, n=times: letters_sent(workshop) >= n, 60)
        workshop.leave(loop)
    (one,) = ask(commands, "list")["shown"]
    assert (one["copies"], one["state"]) == (2, "waiting")
    assert ask(commands, "redrive", "--all")["left"] == {"waiting": 1}
    workshop.consume()  # the right decoder comes to it by itself
    assert workshop.rows() == [(1,), (2,)]
    assert ask(commands, "list")["states"] == {"loaded": 1}
    assert ask(commands, "redrive", "--all")["left"] == {"loaded": 1}
    assert workshop.rows() == [(1,), (2,)]


def test_a_drop_asks_wants_a_reason_and_marks_what_is_to_be_reconciled(workshop: Workshop, commands: Commands) -> None:
    first, second, third = (workshop.event(row(i)) for i in (1, 2, 3))
    workshop.write([(first[0], first[1][:-3]), (second[0], b""), (third[0], workshop.event(row(9))[1])])
    workshop.consume()
    assert commands.run("deadletters", "drop", letter(workshop, 0)).returncode == 2
    assert commands.run("deadletters", "drop", "--all", "--reason", "why").returncode == 4
    assert ask(commands, "list", code=1)["states"] == {"open": 3}
    words = ("drop", "--all", "--reason", "a test of another system")
    assert ask(commands, *words, "--dry-run")["dropped"] == 0
    found = ask(commands, *words, "--yes")
    assert [(d["row_key"], d["to_reconcile"]) for d in found["letters"]] == [
        ('{"order_id": 1}', "key"), ('{"order_id": 2}', "key"), ("", "table"),
    ]  # fmt: skip
    assert ask(commands, "list")["states"] == {"dropped": 3}
    assert ask(commands, "redrive", "--all")["left"] == {"dropped": 3}
    (made,) = decided(workshop, "DISTINCT decision, reason, decided_by")
    assert made[:2] == ("dropped", "a test of another system") and "@" in made[2]


def test_an_unknown_schema_id_stops_the_table_until_a_person_sets_the_message_aside(
    workshop: Workshop, commands: Commands
) -> None:
    workshop.write_file(unknown_schema_seconds=0)
    lost = workshop.event(row(2))
    lost = (lost[0], b"\0" + (2**31 - 1).to_bytes(4, "big") + lost[1][5:])
    workshop.write([workshop.event(row(1)), lost, workshop.event(row(3))])
    done = commands.run("consume", "--until-caught-up", "--json")
    assert done.returncode == 4
    assert "does not know schema 2147483647" in done.stdout and f"set-aside {letter(workshop, 1)}" in done.stdout
    assert workshop.rows() == [(1,)]
    assert f"{workshop.name}.dead-letters" not in workshop.admin.list_topics(timeout=10).topics
    refused = ["set-aside", letter(workshop, 2), "--reason", "r", "--yes"]
    assert "judges it by itself" in ask(commands, *refused, code=4)["error"]
    refused[1] = letter(workshop, 0)
    assert "has passed" in ask(commands, *refused, code=4)["error"]
    ask(commands, "set-aside", letter(workshop, 1), "--reason", "of another system", "--yes")
    workshop.consume()
    assert workshop.rows() == [(1,), (3,)]
    (found,) = ask(commands, "list", code=1)["shown"]
    assert found["offset"] == 1 and "of another system" in found["error"]


@pytest.fixture
def committer(workshop: Workshop) -> Committer:
    columns = [source_column(c) for c in COLUMNS]
    wanted = WantedMart.of_source("mart_parcel", columns, ["order_id"], "grade")
    apply(workshop.session, plan(workshop.session, [], [wanted]))
    mart = MartTable(
        Table(source=TABLE, key=["order_id"], event_time="grade", raw=RAW), Mart(name="mart_parcel"),
        tuple(c.warehouse_name for c in columns),
    )  # fmt: skip
    source = SaidSource(stored=f"{UUID}:1-10")
    return Committer(
        lambda name: Session(workshop.warehouse, name), [mart], Commit(retry_seconds=0.05, lease_seconds=2), source,
        SystemClock(),
    )  # fmt: skip


def ends(workshop: Workshop, feed: Feed, counts: dict[int, int]) -> None:
    """END records of these numbers, each with so many rows of the table."""
    feed.now = datetime.now(UTC).replace(tzinfo=None)
    feed.ends([(number, {TABLE: count} if count else {}) for number, count in counts.items()])
    for table, column in (("transaction_raw", "tx_id"),):
        workshop.session.run(
            f"UPDATE settlement_public.{table} SET {column} = %s || substring({column} from position(':' in {column}))",
            (UUID,),
        )


def snapshot(feed: Feed) -> None:
    feed.notify("STARTED")
    feed.notify("TABLE_SCAN_COMPLETED", scanned_collection=TABLE, total_rows_scanned="0", status="EMPTY")
    feed.notify("COMPLETED")


def standing(workshop: Workshop) -> list[tuple[int, str]]:
    found = workshop.session.rows("SELECT order_id, name FROM settlement_ods.mart_parcel ORDER BY 1")
    return [(one["order_id"], one["name"]) for one in found]


def test_the_cut_waits_for_a_letter_of_a_mart_table_and_goes_on_after_the_redrive(
    workshop: Workshop, commands: Commands, committer: Committer
) -> None:
    feed = Feed(workshop.session)
    snapshot(feed)
    workshop.write([
        workshop.event(row(1, name="old"), number=11),
        workshop.event(row(1, name="defect"), number=12, op="u"),
        workshop.event(row(1, name="new"), number=13, op="u"),
        workshop.event(row(2, name="defect"), number=14),
    ])  # fmt: skip
    consume_wrongly(workshop)
    ends(workshop, feed, {11: 1, 12: 1, 13: 1, 14: 1})
    summary = committer.cycle()
    assert summary.gtid_set == f"{UUID}:1-11"
    assert f"{UUID}:12: 0 of 1 rows of {TABLE}" in summary.waiting[0]
    assert standing(workshop) == [(1, "old")]
    assert ask(commands, "redrive", "--all")["redriven"] == 2
    assert committer.cycle().gtid_set == f"{UUID}:1-14"
    assert standing(workshop) == [(1, "new"), (2, "defect")]


def test_a_redriven_older_event_does_not_overwrite_a_newer_one_that_stands(
    workshop: Workshop, commands: Commands, committer: Committer
) -> None:
    feed = Feed(workshop.session)
    snapshot(feed)
    workshop.write([
        workshop.event(row(1, name="defect"), number=11),
        workshop.event(row(1, name="new"), number=12, op="u"),
        workshop.event(row(2, name="defect"), number=11, order=2),
    ])  # fmt: skip
    consume_wrongly(workshop)
    ends(workshop, feed, {11: 0, 12: 1})  # as when the cut has gone past the letters
    assert committer.cycle().gtid_set == f"{UUID}:1-12"
    assert standing(workshop) == [(1, "new")]
    assert ask(commands, "redrive", "--all")["redriven"] == 2
    summary = committer.cycle()
    assert summary.rows_in == 2
    assert standing(workshop) == [(1, "new"), (2, "defect")]
    assert workshop.rows("count(*)", "1") == [(3,)]


def test_status_counts_the_open_letters_by_the_warehouse_as_the_topic_itself_has_them(
    workshop: Workshop, commands: Commands
) -> None:
    assert counted_both_ways(workshop) == (0, 0, 0)
    workshop.write([workshop.event(row(i, name="defect" if i in (2, 3) else "good")) for i in (1, 2, 3, 4)])
    consume_wrongly(workshop)
    assert counted_both_ways(workshop) == (2, 0, 0)
    ask(commands, "drop", letter(workshop, 1), "--reason", "a test", "--yes")
    assert counted_both_ways(workshop) == (1, 1, 0)

    # Read again as a whole, by the right decoder: nothing is open, and no letter has to be read to know it.
    words = ("offsets", "reset", "--table", "parcel", "--partition", "0", "--reason", "a test", "--yes", "--to")
    assert commands.run(*words, "0").returncode == 0
    workshop.consume()
    assert counted_both_ways(workshop) == (0, 1, 0)

    # Read again from the middle of a batch: only the letters say on which side of it they are.
    begin = workshop.positions()[0]
    workshop.write([workshop.event(row(i, name="good" if i == 6 else "defect")) for i in (5, 6, 7)])
    consume_wrongly(workshop)
    assert counted_both_ways(workshop) == (2, 1, 0)
    assert commands.run(*words, str(begin + 1)).returncode == 0
    workshop.consume()
    assert counted_both_ways(workshop) == (1, 1, 1)
    assert ask(commands, "redrive", "--all")["redriven"] == 1
    assert counted_both_ways(workshop)[:2] == (0, 1)


def counted_both_ways(workshop: Workshop) -> tuple[int, int, int]:
    """Open letters, drops that were not reconciled, how often the topic was read for it."""
    with desk_of(workshop.context) as desk:
        desk.streams = [stream for stream in desk.streams if stream.raw == RAW]
        exact = counted(desk.entries(), [TABLE])
        read: list[bool] = []
        heads = desk.letters.heads
        desk.letters.heads = lambda: (read.append(True), heads())[1]  # type: ignore[method-assign]
        found = count(desk, [TABLE])
    assert (dict(found.open), dict(found.unreconciled)) == (dict(exact.open), dict(exact.unreconciled))
    return found.open[TABLE], found.unreconciled[TABLE], len(read)
