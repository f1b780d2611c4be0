"""Restarts, pauses, schedules and draining, on a clock that only moves when asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from operations.child import Spec
from operations.state import ProcessState
from operations.supervisor import Policy, Supervisor


class Clock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, 12, 0, 30, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


class Actor:
    """A child that plays its part: ends with `code` after `runs` seconds, or `drains` seconds after SIGTERM."""

    def __init__(self, clock: Clock, pid: int, runs: float, code: int, drains: float) -> None:
        self.pid, self._clock, self._code = pid, clock, code
        self._ends = clock.seconds + runs
        self._drains = drains
        self.killed = False

    def poll(self) -> int | None:
        return self._code if self._clock.seconds >= self._ends else None

    def terminate(self) -> None:
        self._ends, self._code = self._clock.seconds + self._drains, 0

    def kill(self) -> None:
        self._ends, self._code, self.killed = self._clock.seconds, -9, True

    def tail(self) -> Sequence[str]:
        return ["last words"]


class Stage:
    """A supervisor over one spec whose children all play the same part; stops at a time."""

    def __init__(self, runs: float, code: int, drains: float = 1, schedule: str | None = None) -> None:
        self.clock, self.begun, self.said = Clock(), list[float](), list[str]()
        self.states: list[ProcessState] = []
        self.children: list[Actor] = []

        def start(spec: Spec) -> Actor:
            self.begun.append(round(self.clock.seconds))
            self.children.append(Actor(self.clock, -len(self.begun), runs, code, drains))
            return self.children[-1]

        self.supervisor = Supervisor(
            [Spec("consume", ("true",), schedule)], start, self.said.append,
            lambda told: self.states.extend(told), self.clock, Policy(first=1, most=60, healthy=60, drain=10),
        )  # fmt: skip

    def until(self, seconds: float) -> Stage:
        self.supervisor.run(lambda: int(self.clock.seconds >= seconds))
        return self


def test_a_child_that_dies_is_started_again_with_a_growing_pause() -> None:
    stage = Stage(runs=0, code=1).until(40)
    assert stage.begun == [0, 1, 3, 8, 16, 32]
    assert stage.states[-2].restarts == 6


def test_its_exit_code_and_the_end_of_its_log_are_said() -> None:
    said = "\n".join(Stage(runs=5, code=-9).until(6).said)
    assert "consume ended after 5 s with signal 9; again in 1 s" in said
    assert "    last words" in said


def test_after_a_healthy_time_the_pause_begins_anew() -> None:
    assert Stage(runs=100, code=1).until(330).begun == [0, 101, 202, 303]


def test_what_a_person_has_to_mend_is_tried_seldom() -> None:
    assert Stage(runs=0, code=4).until(130).begun == [0, 60, 120]


def test_a_scheduled_child_runs_at_its_ticks_and_none_is_made_up() -> None:
    stage = Stage(runs=70, code=0, schedule="* * * * *").until(300)
    assert stage.begun == [30, 150, 270]
    assert stage.states[-2].restarts == 0


def test_children_are_asked_to_drain_and_the_end_is_awaited() -> None:
    stage = Stage(runs=10**9, code=0, drains=7).until(20)
    assert 27 <= stage.clock.seconds < 28
    assert not stage.children[0].killed
    assert stage.states[-1].state == "ended"


def test_a_child_that_does_not_drain_is_killed() -> None:
    stage = Stage(runs=10**9, code=0, drains=10**9).until(20)
    assert stage.children[0].killed
    assert 30 <= stage.clock.seconds < 31
    assert "did not end by itself" in "".join(stage.said)
