"""The rules: what may happen to consumers, in any order, at any moment. After each the law is checked."""

from __future__ import annotations

import sys
from collections import Counter
from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.simulation.law import Law
from tests.simulation.tasks import Scheduled
from tests.simulation.world import MOST_BAD, PLACES, Consumer, World, bounds

_ONE = st.integers(0, 7)  # which of those there are
_PLACE = st.sampled_from(PLACES)
# Of a call; some of them mean nothing to some calls, and are then a `fail`.
_OUTCOME = st.sampled_from(["ok", "lost", "fail", "unknown", "odd"])
# A call, and what becomes of it: the commit of a load, a put, any ("").
_IN_THE_WAREHOUSE = st.sampled_from(
    [("load commit", "lost"), ("load commit", "unknown"), ("load commit", "odd"), ("claim commit", "lost"),
     ("load commit", "fail"), ("load commit", "odd")]
)  # fmt: skip
_OUTSIDE = st.sampled_from(
    [("put", "lost"), ("load read", "fail"), ("put", "odd"), ("load read", "odd"), ("put", "fail"), ("letters", "fail"),
     ("load read", "fail"), ("put", "lost"), ("letters", "lost"), ("put", "odd")]
)  # fmt: skip
_FEW = st.text("gbt", max_size=3)
_THEN = st.sampled_from(["goes on", "goes on", "waits", "is late", "is killed"])
_DRAIN_ROUNDS, _DRAIN_SECONDS = 200, 5.0


class Pipeline(RuleBasedStateMachine):
    """Two or three consumers of two topics, three partitions. `seen` counts what happened, over all runs."""

    seen: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self.seen)
        self.law = Law(self.world)
        self.seen["run"] += 1

    @initialize(consumers=st.integers(2, 3), kinds=st.text("gggbt", min_size=3, max_size=9))
    def begin(self, consumers: int, kinds: str) -> None:
        for _ in range(consumers):
            self.world.join()
        for number, place in enumerate(PLACES):
            self.world.write(place, kinds)
            self.world.give(place, self.world.consumers[number % consumers])
        for consumer in self.world.consumers:
            self.turn(consumer)

    def one(self, which: int) -> Consumer:
        return self.world.consumers[which % len(self.world.consumers)]

    def task(self, which: int) -> Scheduled:
        return self.waiting[which % len(self.waiting)]

    @property
    def waiting(self) -> list[Scheduled]:
        return [task for consumer in self.world.consumers for task in consumer.workers.waiting]

    def turn(self, consumer: Consumer) -> None:
        """It reads, everything it hands out is done, it takes the results."""
        for _ in range(2):
            self.world.step(consumer)
            for task in consumer.workers.waiting:
                task.finish()
        self.world.step(consumer)

    # The stream.

    @rule(place=_PLACE, kinds=st.text("ggggbtx", min_size=1, max_size=9))
    def write(self, place: tuple[str, int], kinds: str) -> None:
        self.world.write(place, kinds)

    @rule(place=_PLACE)
    def write_too_many_bad(self, place: tuple[str, int]) -> None:
        self.world.write(place, "g" + "b" * (MOST_BAD + 1) + "g")

    @rule(allowed=st.sampled_from([MOST_BAD, 1_000]))
    def change_the_bound_of_bad_messages(self, allowed: int) -> None:
        bounds().allow(allowed)

    # Work.

    @rule(which=_ONE, times=st.integers(1, 3))
    def step(self, which: int, times: int) -> None:
        consumer = self.one(which)
        for _ in range(times):
            self.world.step(consumer)

    @rule(which=_ONE)
    def all_goes_well(self, which: int) -> None:
        self.world.time.sleep(1)
        self.turn(self.one(which))

    @rule()
    def all_goes_well_for_everybody(self) -> None:
        self.world.time.sleep(1)
        for consumer in list(self.world.consumers):
            self.turn(consumer)

    @precondition(lambda self: self.waiting)
    @rule(which=_ONE, outcome=_OUTCOME, then=st.sampled_from(["waits", "goes on"]))
    def a_call_is_answered(self, which: int, outcome: str, then: str) -> None:
        task = self.task(which)
        task.resume(outcome)
        if then == "goes on":
            task.finish()

    @rule(which=_ONE, place=_PLACE, kinds=_FEW, fault=_IN_THE_WAREHOUSE, then=_THEN)
    def a_transaction_goes_wrong(
        self, which: int, place: tuple[str, int], kinds: str, fault: tuple[str, str], then: str
    ) -> None:
        self.goes_wrong(which, place, kinds, fault, then)

    @rule(which=_ONE, place=_PLACE, kinds=_FEW, fault=_OUTSIDE, then=_THEN)
    def a_call_goes_wrong(
        self, which: int, place: tuple[str, int], kinds: str, fault: tuple[str, str], then: str
    ) -> None:
        self.goes_wrong(which, place, kinds, fault, then)

    def goes_wrong(self, which: int, place: tuple[str, int], kinds: str, fault: tuple[str, str], then: str) -> None:
        """The next call of this kind that a consumer makes; what stands before it goes well."""
        meant, outcome = fault
        self.world.write(place, "g" + kinds)
        self.world.time.sleep(1)
        consumer = self.world.owners[place] if which else self.one(which)
        for _ in range(4):
            self.world.step(consumer)
            for task in consumer.workers.waiting:
                task.begin()
                while task.done is None and not task.stands_at(meant):
                    task.resume("ok")
                if task.done is None:
                    if then != "is late":
                        task.resume(outcome)
                    if then == "goes on":
                        task.finish()
                        self.world.time.sleep(1)
                        self.turn(consumer)
                    if then == "is killed":
                        self.seen["killed"] += 1
                        self.world.end(consumer)
                    return

    @precondition(lambda self: self.waiting)
    @rule(which=_ONE)
    def a_call_hangs(self, which: int) -> None:
        task = self.task(which)
        task.begin()
        task.hung = task.begun
        self.seen["call that hangs"] += task.begun

    @rule(seconds=st.sampled_from([0.2, 1.5, 12.0, 61.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.time.sleep(seconds)

    # Processes and their group.

    @rule(which=_ONE, calls=st.integers(0, 3), how=st.sampled_from(["killed", "left the group", "shut out"]))
    def a_process_ends(self, which: int, calls: int, how: str) -> None:
        """In the middle of a task, if it has any."""
        consumer = self.one(which)
        self.world.step(consumer)
        for task in consumer.workers.waiting[:1]:
            task.begin()
            for _ in range(calls):
                task.resume("ok")
        if how == "shut out":
            consumer.member.fenced = True
            return
        if how == "left the group":
            consumer.loop.close()
        self.seen[how] += 1
        self.world.end(consumer)

    @precondition(lambda self: self.world.ghosts)
    @rule(which=_ONE, arrives=st.booleans())
    def the_last_call_of_a_killed_process(self, which: int, arrives: bool) -> None:
        ghost = self.world.ghosts.pop(which % len(self.world.ghosts))
        if arrives:
            self.seen["took effect after its process was killed"] += 1
            ghost.resume("ok")
        ghost.kill()

    @precondition(lambda self: len(self.world.consumers) < 3)
    @rule(place=_PLACE)
    def join(self, place: tuple[str, int]) -> None:
        self.world.give(place, self.world.join())

    @rule(place=_PLACE, to=_ONE, heard=st.sampled_from([True, True, False]), begun=st.booleans())
    def rebalance(self, place: tuple[str, int], to: int, heard: bool, begun: bool) -> None:
        self.seen["rebalanced"] += 1
        before = self.world.owners[place]
        if begun:
            self.world.step(before)
            for task in before.workers.waiting:
                task.begin()
        if before in self.world.consumers:
            self.seen["rebalanced with work under way"] += any(task.begun for task in before.workers.tasks)
        self.world.give(place, self.one(to), heard)

    @rule()
    def everything_is_heard_and_answered(self) -> None:
        self.world.hear()
        for consumer in self.world.consumers:
            for task in consumer.workers.tasks:
                task.hung = False

    # Kafka.

    @rule(which=_ONE, again=st.integers(0, 6), refusals=st.integers(0, 2))
    def kafka_delivers_again_or_refuses(self, which: int, again: int, refusals: int) -> None:
        self.seen["Kafka refused"] += refusals
        member = self.one(which).member
        member.again, member.refusals = again, refusals

    @rule(behind=st.integers(0, 6), down=st.booleans())
    def broker_restarts(self, behind: int, down: bool) -> None:
        """With 0 it is back."""
        self.seen["broker restarted"] += behind > 0
        self.world.broker.down = down and behind > 0
        for log in self.world.broker.logs.values():
            log.behind = behind

    # By hand.

    @rule(place=_PLACE, to=st.integers(0, 12))
    def set_a_position_back(self, place: tuple[str, int], to: int) -> None:
        self.law.set_back(place, to)

    @invariant()
    def raw_is_what_the_positions_say(self) -> None:
        self.law.check()

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None:
                self.drain()
        finally:
            self.world.close()

    def drain(self) -> None:
        """All faults are over: everything written is loaded in the end, and the tables run."""
        self.world.calm()
        self.world.vanish()
        for place in PLACES:
            # An owner learns that its position was set back when it loads again.
            self.world.write(place, "g")
        for _ in range(_DRAIN_ROUNDS):
            self.world.time.sleep(_DRAIN_SECONDS)
            for consumer in list(self.world.consumers):
                self.turn(consumer)
                self.law.check()
            if self.law.fulfilled and not any(consumer.stopped for consumer in self.world.consumers):
                return
        states = [(c.name, str(o.stopped)) for c in self.world.consumers for o in c.loop.carried.values() if o.stopped]
        standing = {place: (self.law.standing(place), self.world.broker.logs[place].end) for place in PLACES}
        raise AssertionError(f"not everything was loaded: {standing} {states}")
