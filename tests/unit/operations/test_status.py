"""What `waybill status` makes of what it finds: one line for each thing a person should look at."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from consumers.lag import PartitionLag
from operations.cut import Cut
from operations.dead_letters.counts import LetterCounts
from operations.needs import allowed_age, words
from operations.parts import Part, away
from operations.state import ProcessState, RunState
from operations.status import Sources, Status, by_table, gather
from stack.processes import Identity
from waybill.errors import UnreachableError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
RUNNING = {"name": "waybill", "state": "RUNNING", "tasks": [], "why": "", "todo": ""}


def a_cut(age: float | None = 60, **changed: Any) -> Cut:
    at = (NOW - timedelta(seconds=age or 0)).replace(tzinfo=None)
    values: dict[str, Any] = {
        "cycle": 5, "cut_at": at, "age": age, "committed_at": at, "gtid_set": "", "consistent": True, "tables_out": "",
        "last": None, "stopped": (), "open_exceptions": 0,
    }  # fmt: skip
    return Cut(**{**values, **changed})


def look(
    cut: Cut | None = None, connector: dict[str, Any] = RUNNING, lag: tuple[PartitionLag, ...] = (),
    run: RunState | None = None,
) -> Status:  # fmt: skip
    sources = Sources(run, lambda: connector, lambda: lag, lambda: cut or a_cut(), "*/15 * * * *")
    return gather(sources, NOW)


def needs(status: Status) -> str:
    return "\n".join(f"{n.what} -> {n.todo}" for n in status.needs)


def partition(table: str, number: int, lag: int | None, note: str = "") -> PartitionLag:
    return PartitionLag(table, table, number, 0, 0, lag, "", 1, note)


def test_when_all_is_well_nobody_is_needed() -> None:
    assert look().needs == ()


def test_a_service_that_does_not_answer_is_a_need_and_the_rest_is_shown() -> None:
    def down() -> Any:
        raise UnreachableError("Kafka does not answer", todo="waybill stack up")

    found = gather(Sources(None, lambda: RUNNING, down, a_cut, "*/15 * * * *"), NOW)
    assert found.lag is None and found.cut is not None
    assert needs(found) == "Kafka does not answer -> waybill stack up"


def test_a_failed_connector_is_told_with_its_reason() -> None:
    failed = {**RUNNING, "state": "FAILED", "why": "MySQL refuses its user", "todo": "grant it"}
    assert needs(look(connector=failed)) == "the connector waybill is failed: MySQL refuses its user -> grant it"


def test_an_old_cut_is_told_with_what_holds_it() -> None:
    last = {"cycle": 5, "status": "committed", "waiting_for": "transaction x: 1 of 2 rows\nmore", "error": ""}
    assert look(a_cut(31 * 60)).needs == ()
    assert "the cut is 33 min old; held by transaction x: 1 of 2 rows" in needs(look(a_cut(33 * 60, last=last)))


def test_a_failed_cycle_is_told() -> None:
    last = {"cycle": 6, "status": "failed", "waiting_for": "", "error": "the clocks differ\n  by 70 s"}
    assert "cycle 6 failed: the clocks differ -> waybill cycles list" in needs(look(a_cut(last=last)))


def test_a_stopped_table_is_told_with_the_command_that_helps() -> None:
    stopped = ({"table_name": "kuaisong.a", "reason": "TRUNCATE", "kept": "", "todo": "waybill reconcile"},)
    assert "kuaisong.a is stopped: TRUNCATE -> waybill reconcile" in needs(look(a_cut(stopped=stopped)))


def test_before_the_first_cycle_it_says_what_to_type() -> None:
    assert "waybill commit --once" in needs(look(a_cut(cycle=0, age=None)))


def test_lag_is_summed_by_table() -> None:
    lags = [partition("a", 0, 5), partition("a", 1, 7), partition("b", 0, None, "no such topic yet")]
    assert [(t.table, t.partitions, t.messages) for t in by_table(lags)] == [("a", 2, 12), ("b", 1, None)]


def test_a_topic_made_again_is_a_need_and_one_without_events_is_not() -> None:
    odd = partition("a", 0, 5, "the topic was deleted and made again")
    assert "a: the topic was deleted and made again" in needs(look(lag=(odd, partition("b", 0, 0, "never read"))))
    assert len(look(lag=(odd,)).needs) == 1


def test_a_run_that_was_killed_is_told() -> None:
    gone = Identity(2**22 + 1, 1, "another boot")
    child = ProcessState("consume", "running", "", identity=gone)
    assert "waybill run was killed" in needs(look(run=RunState(gone, "", (child,))))
    ended = ProcessState("consume", "ended", "")
    assert look(run=RunState(gone, "", (ended,))).needs == ()


def test_the_cut_may_be_two_ticks_old() -> None:
    assert allowed_age("*/15 * * * *", NOW) == 1800 + 120
    assert allowed_age("* * * * *", NOW) == 120 + 120


def test_ages_are_told_in_fitting_units() -> None:
    assert [words(s) for s in (5, 300, 9000, 200_000)] == ["5 s", "5 min", "2.5 h", "2.3 days"]


def test_open_letters_and_drops_that_were_not_reconciled_are_needs() -> None:
    found = LetterCounts(Counter({"k.orders": 3}), Counter({"k.orders": 1}))
    status = gather(Sources(None, lambda: RUNNING, lambda: (), a_cut, "*/15 * * * *", letters=lambda: found), NOW)
    assert needs(status) == (
        "3 dead letters of k.orders are open: their events are in no table -> waybill deadletters list --state open\n"
        "1 dead letters of k.orders were dropped, not reconciled since -> waybill reconcile"
    )


def test_a_part_that_is_away_is_one_need_with_what_is_not_lost_and_nobody_asks_it_for_more() -> None:
    def never() -> Any:
        raise AssertionError("Kafka was asked, which is away")

    def down() -> None:
        raise UnreachableError("connection refused")

    kafka = Part("Kafka", "127.0.0.1:9092", down, "changes wait in the binlog", "waybill stack status")
    found = gather(Sources(None, lambda: RUNNING, never, a_cut, "*/15 * * * *", parts=(kafka,)), NOW)
    (need,) = found.needs
    assert need.what == "Kafka at 127.0.0.1:9092 does not answer: connection refused"
    assert (need.kept, need.todo) == ("changes wait in the binlog", "waybill stack status")
    assert found.lag is None and found.cut is not None


def test_a_part_that_stands_still_holds_the_screen_no_longer_than_its_limit() -> None:
    never = threading.Event()
    parts = [Part(name, "here", never.wait, "", "") for name in ("S3", "MySQL")]
    began = time.monotonic()
    found = away([*parts, Part("Kafka", "here", lambda: None, "", "")], seconds=0.2)
    assert time.monotonic() - began < 2
    assert {name: need.what for name, need in found.items()} == {
        "S3": "S3 at here does not answer: nothing came within 0.2 s",
        "MySQL": "MySQL at here does not answer: nothing came within 0.2 s",
    }
    never.set()
