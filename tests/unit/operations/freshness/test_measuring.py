"""Writing at a pace, looking, and waiting for the last marker: with a clock and services by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from operations.freshness.board import Board
from operations.freshness.declared import Carried
from operations.freshness.looking import BucketLook, Looks, WarehouseLook, begin_of, keep_looking
from operations.freshness.markers import SLOTS, RawSight, Stage
from operations.freshness.measuring import Outcome, Plan, Watch, measure
from operations.freshness.report import Report, keep
from operations.freshness.writing import write
from tests.unit.operations.freshness.samples import BEGAN, HandClock, a_marker, a_sample
from waybill.clock import SystemClock
from waybill.errors import SettingsError, UnreachableError


class Table:
    """Commits take as long as they are told to."""

    def __init__(self, clock: HandClock, took: dict[int, float] | None = None) -> None:
        self.clock, self.took = clock, took or {}
        self.rows: list[tuple[int, str, float]] = []

    def write(self, marker_id: int, token: str) -> None:
        self.rows.append((marker_id, token, self.clock.seconds))
        self.clock.sleep(self.took.get(len(self.rows) - 1, 0.0))


def written(seconds: float, every: float, took: dict[int, float] | None = None) -> tuple[Table, Board, int]:
    clock = HandClock()
    table, board = Table(clock, took), Board()
    return table, board, write(table, board, "r", seconds, every, clock, lambda: None)


def test_markers_are_written_at_a_pace() -> None:
    table, board, left_out = written(2, 0.5)
    assert table.rows == [(1, "r-0", 0.0), (2, "r-1", 0.5), (3, "r-2", 1.0), (4, "r-3", 1.5)]
    assert [sample.marker.token for sample in board.samples()] == ["r-0", "r-1", "r-2", "r-3"] and left_out == 0


def test_a_slow_commit_is_in_the_latency_and_what_it_left_out_is_told() -> None:
    table, board, left_out = written(3, 0.5, {1: 1.2})
    assert [at for _, _, at in table.rows] == pytest.approx([0.0, 0.5, 1.7, 2.0, 2.5])
    assert left_out == 1
    slow = board.samples()[1]
    assert slow.committed_at is not None
    assert (slow.committed_at - slow.marker.sent_at).total_seconds() == pytest.approx(1.2)


def test_ids_are_taken_again_and_tokens_never() -> None:
    assert a_marker(SLOTS).id == a_marker(0).id and a_marker(SLOTS).token != a_marker(0).token


def sight(seconds: float, key: str = "k") -> RawSight:
    return RawSight(BEGAN + timedelta(seconds=seconds), BEGAN, BEGAN, key)


def test_the_first_sight_counts() -> None:
    board, marker = Board(), a_marker(0)
    board.sent(marker)
    for at in (1.0, 2.0):
        board.in_raw({marker.token: sight(at)})
        board.in_mart([marker.token], BEGAN + timedelta(seconds=at + 1))
        board.in_bucket(["k"], BEGAN + timedelta(seconds=at - 0.5))
    (sample,) = board.samples()
    assert {stage: sample.seconds(stage) for stage in Stage} == {"kafka": 0, "parquet": 0.5, "raw": 1, "mart": 2}
    assert board.complete()


def test_it_is_not_complete_before_the_object_and_the_mart_were_seen() -> None:
    board, marker = Board(), a_marker(0)
    board.sent(marker)
    board.in_raw({marker.token: sight(1.0)})
    assert board.awaited() == ([], [marker]) and board.oldest_open() == marker.sent_at
    board.in_mart([marker.token], BEGAN)
    assert board.awaited() == ([], []) and not board.complete()
    board.in_bucket(["k"], BEGAN)
    assert board.complete() and board.oldest_open() is None


class Answers:
    """A warehouse session that answers what it is told, or not at all."""

    closed = False

    def __init__(self, *answers: list[dict[str, Any]] | Exception) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def rows(self, _query: Any, parameters: dict[str, Any], doing: str) -> list[dict[str, Any]]:
        self.asked.append(parameters)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            self.closed = True
            raise answer
        return answer


def in_raw(token: str) -> dict[str, Any]:
    at = datetime(2026, 11, 26, 12, 0, 1)  # noqa: DTZ001 (as the warehouse has it, UTC)
    return {"token": token, "_produced_at": at, "_committed_at": at, "object_key": "k"}


def test_one_query_asks_for_what_is_awaited_in_raw_and_in_the_mart() -> None:
    board, clock = Board(), HandClock()
    for number in (0, 1):
        board.sent(a_marker(number, number))
    in_mart = {"token": "r-0", "_produced_at": None, "_committed_at": None, "object_key": None}
    session = Answers([in_raw("r-0"), in_raw("r-1")], [in_mart])
    look = WarehouseLook(lambda: session, Carried("w.f", "f_raw", "mart_f"), board, clock)
    clock.seconds = 3.0
    look()
    clock.seconds = 4.0
    look()
    first, second = session.asked
    assert (first["in_raw"], first["ids"], first["in_mart"]) == (("r-0", "r-1"), (1, 2), ("r-0", "r-1"))
    assert (second["in_raw"], second["in_mart"]) == (("",), ("r-0", "r-1"))
    found = [[sample.seconds(stage) for stage in (Stage.KAFKA, Stage.RAW, Stage.MART)] for sample in board.samples()]
    assert found == [[1.0, 3.0, 4.0], [0.0, 2.0, None]]


def test_nothing_is_asked_while_nothing_is_awaited() -> None:
    def refuse() -> Any:
        raise AssertionError("asked")

    WarehouseLook(refuse, Carried("w.f", "f_raw", "mart_f"), Board(), HandClock())()
    BucketLook(refuse, refuse, 3, Board(), HandClock())()


class Bucket:
    """Keys of one partition by number; what was asked of it."""

    def __init__(self) -> None:
        self.numbers = list[int]()
        self.asked = list[tuple[str, int]]()

    def listed(self, begin: str, after: str) -> list[str]:
        keys = [key(number) for number in sorted(self.numbers) if key(number).startswith(begin) and key(number) > after]
        self.asked.append((begin, len(keys)))
        return keys


def key(number: int) -> str:
    return f"p/f/26/t+00000+{number:05d}.parquet"


def test_the_bucket_is_listed_behind_the_last_objects_of_each_partition() -> None:
    board, clock, bucket, marker = Board(), HandClock(), Bucket(), a_marker(0)
    look = BucketLook(bucket.listed, begin_of("p", "f", "%d", "t"), 2, board, clock)
    board.sent(marker)
    bucket.numbers = list(range(100))
    clock.seconds = 0.5
    look()
    bucket.numbers.append(100)
    clock.seconds = 1.0
    look()
    assert [asked for asked in bucket.asked if "+00000+" in asked[0]] == [
        ("p/f/26/t+00000+", 100),
        ("p/f/26/t+00000+", 16),
    ]
    assert len(bucket.asked) == 4
    board.in_raw({marker.token: sight(1.2, key(100))})
    assert board.samples()[0].seconds(Stage.PARQUET) == 1.0


@pytest.mark.parametrize("others", [3, 500])
def test_an_object_that_others_behind_it_overtook_is_found(others: int) -> None:
    board, clock, bucket, marker = Board(), HandClock(), Bucket(), a_marker(0)
    look = BucketLook(bucket.listed, begin_of("p", "f", "%d", "t"), 1, board, clock)
    board.sent(marker)
    bucket.numbers = [1, *range(3, 3 + others)]
    look()
    bucket.numbers.append(2)
    clock.seconds = 1.0
    look()
    board.in_raw({marker.token: sight(1.2, key(2))})
    clock.seconds = 2.0
    look()
    assert board.samples()[0].seconds(Stage.PARQUET) == (1.0 if others == 3 else 2.0)


def test_a_partition_that_only_raw_knew_of_is_listed_too() -> None:
    begins = list[str]()
    board, clock, marker = Board(), HandClock(), a_marker(0)
    board.sent(marker)
    look = BucketLook(lambda begin, _: begins.append(begin) or [], begin_of("", "f", "%d", "t"), 1, board, clock)
    look()
    board.in_raw({marker.token: sight(1, "f/26/t+00004+x.parquet")})
    look()
    assert begins == ["f/26/t+00000+", "f/26/t+00000+", "f/26/t+00004+"]


def test_a_batch_closed_before_the_hour_is_found_after_it() -> None:
    begins = set[str]()

    def listed(begin: str, _after: str) -> list[str]:
        begins.add(begin)
        return []

    board, clock = Board(), HandClock()
    board.sent(a_marker(0, 59))
    clock.seconds = 61.0
    look = BucketLook(listed, begin_of("", "f", "%H-%M", "t"), 1, board, clock)
    look()
    assert begins == {"f/12-00/t+00000+", "f/12-01/t+00000+"}


def test_who_does_not_answer_is_asked_again_and_other_errors_end_the_looking() -> None:
    stop, answers = threading.Event(), iter([UnreachableError("away"), None, SettingsError("wrong")])

    def look() -> None:
        answer = next(answers)
        if answer is not None:
            raise answer

    with pytest.raises(SettingsError):
        keep_looking(look, 0, SystemClock(), stop)


def run(look: Callable[[], None], board: Board, wait: float) -> Outcome:
    class At:
        def write(self, _marker_id: int, _token: str) -> None:
            """Nowhere."""

    return measure(Plan("r", 0.03, 0.01, wait), At(), {"all": Watch(look, 0.1)}, board, SystemClock())


def test_a_run_ends_when_all_arrived() -> None:
    board = Board()

    def look() -> None:
        for marker in board.awaited()[1]:
            board.in_raw({marker.token: sight(1)})
            board.in_mart([marker.token], BEGAN)
            board.in_bucket(["k"], BEGAN)

    began = time.monotonic()
    outcome = run(look, board, 600)
    assert board.complete() and len(board.samples()) <= 3 and outcome.looks["all"].count > 0
    assert time.monotonic() - began < 60


def test_a_run_ends_when_its_time_is_over_and_says_what_is_missing() -> None:
    board = Board()
    outcome = run(lambda: None, board, 0)
    report = Report(Plan("r"), board.samples(), outcome)
    assert report.plain()["missing"] == {"kafka": len(board.samples())}
    assert len(report.missing) == 1 and "never seen in raw" in report.missing[0]


def test_a_run_ends_with_what_a_look_raised() -> None:
    def look() -> None:
        raise SettingsError("there is no mart")

    with pytest.raises(SettingsError, match="no mart"):
        run(look, Board(), 600)


def test_every_sample_is_kept_and_those_of_earlier_runs_stay(tmp_path: Any) -> None:
    path = tmp_path / "deep" / "freshness.jsonl"
    keep(path, [])
    assert not path.exists()
    keep(path, [a_sample(0, kafka=1), a_sample(1)])
    keep(path, [a_sample(2)])
    assert len(path.read_text().splitlines()) == 3


def test_the_report_says_never_where_nothing_came() -> None:
    samples = [a_sample(0, kafka=0.2, parquet=0.9, raw=1.234, mart=2.5), a_sample(1, kafka=0.4)]
    report = Report(Plan("r"), samples, Outcome(0, {"warehouse": Looks(3, 1, 0.2)}))
    assert report.lines[2] == ["raw", "1.23", "never", "never", "never", 1]
    assert report.plain()["looks"]["warehouse"] == {"count": 3, "failed": 1, "longest_pause": 0.2}
