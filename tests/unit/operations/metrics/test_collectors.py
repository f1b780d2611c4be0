"""What the collectors tell of fakes: lag and retention, a consumer's loop, a look that fails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from consumers.lag import PartitionLag
from consumers.messages import Place
from operations.metrics.consumer import ConsumerMetrics, stages
from operations.metrics.of_kafka import KafkaLook
from operations.metrics.watch import Part, Watch
from waybill import metrics as m
from waybill.errors import UnreachableError
from waybill.metrics import Sample

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@dataclass
class StandingClock:
    """Stands until it is set."""

    at: float = 100.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return NOW

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


def values(samples: Iterable[Sample]) -> dict[tuple[str, ...], float]:
    return {(sample.metric.name, *sample.labels): sample.value for sample in samples}


def lag_of(number: int | None, position: int | None, behind: int | None, topic: str = "t") -> PartitionLag:
    return PartitionLag("a.b", topic, number, position, None, behind, "", None)


def look(lags: list[PartitionLag], written: Mapping[Place, float], keeps: Mapping[str, float | None]) -> KafkaLook:
    asked: list[Mapping[Place, int]] = []

    def times(offsets: Mapping[Place, int]) -> Mapping[Place, float]:
        asked.append(offsets)
        return written

    made = KafkaLook(lambda: lags, times, lambda topics: keeps, StandingClock())
    made.asked = asked  # type: ignore[attr-defined]
    return made


def test_lag_in_seconds_is_the_age_of_the_next_message_and_zero_when_none_waits() -> None:
    lags = [lag_of(0, 40, 5), lag_of(1, None, 9), lag_of(2, 7, 0), lag_of(3, 8, 1), lag_of(None, None, None, "absent")]
    made = look(lags, {("t", 0): NOW.timestamp() - 90, ("t", 1): NOW.timestamp() + 1}, {"t": 600.0})
    told = values(made())
    # Never read means from the beginning; a partition without lag is not asked for.
    assert cast(Any, made).asked == [{("t", 0): 40, ("t", 1): 0, ("t", 3): 8}]
    assert [told[m.LAG_SECONDS.name, "a.b", n] for n in "0123"] == [90, 0, 0, 0]
    assert [told[m.LAG_MESSAGES.name, "a.b", n] for n in "0123"] == [5, 9, 0, 1]
    assert told[m.TOPIC_LEFT.name, "a.b", "0"] == 510 and told[m.TOPIC_LEFT.name, "a.b", "2"] == 600
    assert len(told) == 12


def test_a_topic_that_keeps_its_messages_for_ever_has_no_time_left_to_tell() -> None:
    told = values(look([lag_of(0, 4, 0)], {}, {"t": None})())
    assert set(told) == {(m.LAG_MESSAGES.name, "a.b", "0"), (m.LAG_SECONDS.name, "a.b", "0")}


def test_a_look_that_fails_tells_that_it_failed_and_nothing_old() -> None:
    outcomes: list[list[Sample] | Exception] = [[Sample(m.CYCLE, (), 7)], UnreachableError("gone"), ZeroDivisionError()]

    def one() -> list[Sample]:
        outcome = outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    part = Part("marts", one, StandingClock())
    watch = Watch([part], StandingClock())
    assert values(watch.samples()) == {}
    seen = []
    for _ in range(3):
        part.refresh()
        told = values(watch.samples())
        seen.append((told[m.PART_UP.name, "marts"], told.get((m.CYCLE.name,))))
    assert seen == [(1, 7), (0, None), (0, None)]


@pytest.mark.parametrize(
    "tally",
    [
        SimpleNamespace(seconds=defaultdict(float, {"decode": 2.5, "dead letters": 1.0})),
        SimpleNamespace(
            work={"decode": SimpleNamespace(wall=2.5, cpu=2.0), "letters": SimpleNamespace(wall=1.0, cpu=0.5)},
            waits={"load": 4.0}, queues={"load": 3},
        ),
    ],
    ids=["seconds", "work"],
)  # fmt: skip
def test_stage_times_are_told_whichever_way_the_tally_keeps_them(tally: Any) -> None:
    told = values(stages("a.b", tally))
    assert told[m.STAGE_SECONDS.name, "a.b", "decode"] == 2.5 and told[m.STAGE_SECONDS.name, "a.b", "letters"] == 1
    if hasattr(tally, "work"):
        assert told[m.STAGE_CPU.name, "a.b", "letters"] == 0.5
        assert told[m.WAIT_SECONDS.name, "a.b", "load"] == 4 and told[m.QUEUE.name, "a.b", "load"] == 3


def test_a_consumer_without_a_loop_tells_nothing_and_with_one_what_its_tables_did() -> None:
    tally = SimpleNamespace(rows=5, batches=2, loads=1, bytes_stored=300, dead_letters=1, seconds={"put": 0.5})
    partition = SimpleNamespace(size=70, position=object())
    carried = SimpleNamespace(
        stream=SimpleNamespace(name="a.b", memory=1000), tally=tally, paused=True, stopped=None,
        partitions={("t", 0): partition, ("t", 1): SimpleNamespace(size=0, position=None)},
    )  # fmt: skip
    assert list(ConsumerMetrics(lambda: None).samples()) == []
    told = values(ConsumerMetrics(lambda: cast(Any, SimpleNamespace(carried={"t": carried}))).samples())
    assert told[m.ROWS.name, "a.b"] == 5 and told[m.HELD_BYTES.name, "a.b"] == 70 and told[m.PAUSED.name, "a.b"] == 1
    assert told[m.PARTITIONS.name, "a.b"] == 1 and told[m.STOPPED.name, "a.b"] == 0
