"""Work that is under way while the loop goes on: nobody waits for it, and what comes back too late is thrown away."""

from __future__ import annotations

import logging
import threading
from dataclasses import replace

import pytest

from consumers.loop import Loop
from consumers.partition import MOST_AHEAD
from consumers.ports import Done, Lane, Task
from consumers.reading_back import MOST_READ
from consumers.settings import Batching, Consume
from consumers.tally import slowest
from consumers.threads import Threads
from tests.unit.consumers.debezium import Registry
from tests.unit.consumers.parcel import KEY, STREAM, VALUE, message, row
from tests.unit.consumers.world import Member, WhenSaid, World, consumer
from waybill.errors import StoppedTable, UnreachableError

TABLE = replace(STREAM, batching=Batching(rows=10, seconds=1), memory=2**20)
OTHER = replace(TABLE, name="kuaisong.other", raw="other_raw", topic="waybill.kuaisong.other")
PLACE, OTHER_PLACE = (TABLE.topic, 0), (OTHER.topic, 0)
STORE, READ, LOAD = f"store {TABLE.name}", f"read back {TABLE.name}", f"load {TABLE.name}"


class Bench:
    """A consumer of two tables whose workers do what the test says."""

    def __init__(self, **settings: float) -> None:
        self.world = World()
        self.world.topic(TABLE.topic)
        self.world.topic(OTHER.topic)
        self.workers = WhenSaid()
        self.loop, self.member = self.join("me", self.workers, Consume(**settings))  # type: ignore[arg-type]
        self.member.assigned([PLACE, OTHER_PLACE])
        self.turn("claim", "state")

    def join(self, owner: str, workers: WhenSaid, settings: Consume | None = None) -> tuple[Loop, Member]:
        return consumer(self.world, Registry(KEY, VALUE), TABLE, OTHER, owner=owner, settings=settings, workers=workers)

    def write(self, first: int, last: int, topic: str = TABLE.topic) -> None:
        self.world.write(topic, *(message(i, row(i), table=topic.rpartition(".")[2]) for i in range(first, last)))

    def turn(self, *names: str, times: int = 3) -> None:
        """Turns in which only tasks of these names are done."""
        for _ in range(times):
            self.loop.step()
            if names:
                self.workers.do(*names)
        self.loop.step()

    def waiting(self, name: str) -> int:
        return sum(task.name == name for task in self.workers.waiting)

    def loaded(self, topic: str = TABLE.topic) -> list[tuple[int, int]]:
        return [(b.first_offset, b.next_offset) for b in self.world.loaded if b.topic == topic]


def test_a_load_that_never_ends_holds_neither_reading_nor_another_table() -> None:
    bench = Bench()
    bench.write(0, 10)
    bench.turn(STORE)
    assert bench.waiting(LOAD) == 1
    bench.write(0, 10, OTHER.topic)
    before = bench.world.time.seconds
    bench.turn("store", f"load {OTHER.name}", times=20)
    assert (bench.loaded(), bench.loaded(OTHER.topic)) == ([], [(0, 10)])
    assert bench.world.time.seconds - before < 21 * 0.2 + 0.1
    assert bench.waiting(LOAD) == 1


def test_a_claim_that_never_ends_holds_no_other_table() -> None:
    bench = Bench()
    bench.member.revoked([PLACE])
    bench.member.assigned([PLACE])
    bench.turn()
    bench.write(0, 10, OTHER.topic)
    bench.turn("store", "load", times=5)
    assert bench.waiting(f"claim {TABLE.name}") == 1
    assert bench.loaded(OTHER.topic) == [(0, 10)]


def test_batches_of_one_partition_are_stored_one_after_the_other_while_the_one_before_loads() -> None:
    bench = Bench()
    bench.write(0, 40)
    bench.turn()
    assert bench.waiting(STORE) == 1
    bench.turn(STORE, times=1)
    assert (bench.waiting(STORE), bench.waiting(LOAD)) == (1, 1)
    bench.turn(STORE, times=5)
    assert (bench.waiting(LOAD), len(bench.world.objects)) == (1, 4)
    bench.turn(LOAD)
    assert bench.loaded() == [(0, 10), (10, 20), (20, 30), (30, 40)]


def test_what_stood_ready_while_a_load_was_under_way_goes_into_one_load() -> None:
    bench = Bench()
    bench.write(0, 40)
    bench.turn(STORE, times=6)
    bench.turn(LOAD, times=1)
    bench.turn(LOAD, times=1)
    assert len(bench.loaded()) == 4
    assert bench.loop.carried[TABLE.topic].tally.loads == 2


def test_what_the_next_load_will_take_is_read_back_while_one_is_under_way() -> None:
    bench = Bench()
    bench.write(0, 40)
    bench.turn(STORE, times=6)
    assert (bench.waiting(LOAD), bench.waiting(READ)) == (1, 3)
    bench.turn(READ)
    assert sorted(bench.world.objects)[1:] == bench.world.read
    bench.turn(LOAD)
    assert len(bench.loaded()) == 4
    assert bench.world.used == bench.world.read, "read ahead, and read again by the load"
    assert bench.waiting(READ) == 0


@pytest.mark.parametrize("fails", [False, True])
def test_reading_ahead_that_hangs_or_fails_holds_no_load(fails: bool) -> None:
    bench = Bench()
    bench.write(0, 20)
    bench.turn(STORE, times=4)
    assert bench.waiting(READ) == 1
    if fails:
        bench.world.down.add("bucket")
        bench.turn(READ, times=1)
        bench.world.down.remove("bucket")
    bench.turn(LOAD)
    assert bench.loaded() == [(0, 10), (10, 20)]


def test_few_objects_are_read_ahead() -> None:
    bench = Bench()
    bench.member.assigned([(TABLE.topic, 1)])
    bench.world.topic(TABLE.topic, 2)
    bench.turn("claim")
    for partition in (0, 1):
        bench.world.write(TABLE.topic, *(message(i, row(i)) for i in range(100)), partition=partition)
    bench.turn(STORE, times=20)
    assert len(bench.world.objects) == 2 * MOST_AHEAD
    bench.turn(READ)
    assert len(bench.world.read) == MOST_READ


def test_few_batches_are_ahead_of_a_load_and_the_open_one_grows_instead() -> None:
    bench = Bench()
    for start in range(0, 400, 2):
        bench.write(start, start + 2)
        bench.world.time.sleep(1.5)
        bench.turn(STORE, times=2)
    partition = bench.loop.carried[TABLE.topic].partitions[PLACE]
    assert len(bench.world.objects) == MOST_AHEAD
    assert len(partition.work) == MOST_AHEAD
    assert bench.loop.carried[TABLE.topic].tally.queues == {"store": len(partition.batcher.closed), "load": MOST_AHEAD}  # type: ignore[union-attr]
    bench.turn(times=1)
    for _ in range(40):
        bench.turn("store", "load", times=3)
    assert bench.loaded()[-1][1] == 400
    assert sum(batch.rows for batch in bench.world.loaded) == 400
    assert len(bench.loaded()) <= MOST_AHEAD + 400 // 10


def test_an_object_stored_for_a_revoked_partition_is_not_loaded_and_its_messages_are_read_again_once() -> None:
    bench = Bench()
    bench.write(0, 10)
    bench.turn()
    assert bench.waiting(STORE) == 1
    bench.member.revoked([PLACE])
    bench.member.assigned([PLACE])
    bench.turn("claim")
    bench.turn("store", "load", times=6)
    assert bench.loaded() == [(0, 10)]
    assert {batch.epoch for batch in bench.world.loaded} == {2}


def test_a_load_that_commits_after_the_partition_was_revoked_is_not_repeated() -> None:
    bench = Bench()
    bench.write(0, 10)
    bench.turn(STORE)
    assert bench.waiting(LOAD) == 1
    bench.member.revoked([PLACE])
    bench.member.assigned([PLACE])
    bench.turn()
    assert bench.waiting(f"claim {TABLE.name}") == 0  # it would want the same lock
    bench.write(10, 20)
    bench.turn("load", times=1)
    bench.turn("claim", "store", "load", times=6)
    assert bench.loaded() == [(0, 10), (10, 20)]
    assert bench.member.committed == {PLACE: 20}


def test_a_load_that_comes_too_late_for_a_partition_of_another_member_loads_nothing_of_it() -> None:
    bench = Bench()
    bench.write(0, 10)
    bench.turn(STORE)
    bench.member.revoked([PLACE])
    second, other = bench.join("other", WhenSaid())
    other.assigned([PLACE])
    theirs = WhenSaid()
    second, other = bench.join("other", theirs)
    other.assigned([PLACE])
    for _ in range(8):
        second.step()
        theirs.do()
    assert bench.loaded() == [(0, 10)]
    bench.turn("load")
    assert bench.loaded() == [(0, 10)]
    assert bench.member.committed == {}


def test_a_late_claim_leaves_the_epoch_of_the_next_owner_alone() -> None:
    bench = Bench()
    bench.member.revoked([PLACE])
    bench.member.assigned([PLACE])
    bench.turn()
    bench.member.revoked([PLACE])
    epoch = bench.world.standing[PLACE].epoch
    bench.turn("claim")
    assert bench.world.standing[PLACE].epoch == epoch


def test_what_was_stored_before_a_table_stops_is_loaded_first() -> None:
    bench = Bench(dead_letters_in_a_row=0, retry_stopped_seconds=1)
    bench.write(0, 10)
    bench.turn(STORE)
    bench.world.write(TABLE.topic, message(10, row(10))._replace(value=b"bad"))
    bench.turn(times=1)
    bench.world.time.sleep(2)
    bench.turn("store", times=2)
    assert bench.loop.carried[TABLE.topic].stopped is None
    assert bench.waiting(LOAD) == 1
    bench.turn("load", times=1)
    assert bench.loop.carried[TABLE.topic].stopped is not None
    assert bench.loaded() == [(0, 10)]
    bench.world.logs[PLACE][10] = message(10, row(10))
    bench.world.time.sleep(2)
    bench.turn("claim", "store", "load", "state", times=30)
    assert bench.loop.carried[TABLE.topic].stopped is None
    assert bench.loaded() == [(0, 10), (10, 11)]


def test_told_to_end_it_waits_for_the_load_under_way_and_for_nothing_else() -> None:
    bench = Bench()
    bench.write(0, 30)
    bench.turn(STORE, times=1)
    (load,) = [task for task in bench.workers.waiting if task.name == LOAD]
    sleep = bench.world.time.sleep

    def meanwhile(seconds: float) -> None:
        sleep(seconds)
        bench.workers.do("load")

    bench.world.time.sleep = meanwhile  # type: ignore[method-assign]
    bench.loop.finished.set()
    bench.loop.run()
    assert load not in bench.workers.waiting
    assert bench.loaded() == [(0, 10)]
    assert bench.member.committed == {PLACE: 10}


def test_the_slow_stage_has_a_name() -> None:
    bench = Bench()
    bench.write(0, 40)
    bench.turn(STORE, times=30)
    bench.turn("load")
    tallies = {carried.stream.name: carried.tally for carried in bench.loop.carried.values()}
    assert slowest(tallies) == f"{TABLE.name}: load"
    assert tallies[TABLE.name].rows == 40
    assert tallies[TABLE.name].waits["load"] > tallies[TABLE.name].waits["store"]


def test_a_thread_that_hangs_holds_no_other_lane_and_an_error_comes_back() -> None:
    workers = Threads({Lane.STORE: 1, Lane.WAREHOUSE: 2})
    hangs, arrived = threading.Event(), threading.Semaphore(0)

    def wait() -> None:
        hangs.wait(60)

    def fail() -> None:
        try:
            raise UnreachableError("down")
        finally:
            arrived.release()

    def ignore(_: Done) -> None:
        return

    stuck = Task(Lane.WAREHOUSE, "stuck", wait, ignore)
    failing = [Task(lane, "fails", fail, ignore) for lane in (Lane.WAREHOUSE, Lane.STORE)]
    for task in (stuck, *failing):
        workers.submit(task)
    assert all(arrived.acquire(timeout=30) for _ in failing)
    found: list[Done] = []
    while len(found) < 2:
        found += workers.finished()
    assert {done.task for done in found} == set(failing)
    assert all(isinstance(done.error, UnreachableError) for done in found)
    workers.close(0.0)
    hangs.set()


def test_what_has_no_answer_for_long_is_said_now_and_then_and_that_nothing_is_lost(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "consumers.under_way")
    bench = Bench()
    bench.write(0, 10)
    bench.turn(STORE)
    said: list[str] = []
    for _ in range(50):
        bench.world.time.sleep(1)
        bench.turn(times=1)
        said = [r.getMessage() for r in caplog.records if "no answer" in r.getMessage()]
    assert len(said) == 2, said
    assert LOAD in said[0] and "the warehouse" in said[0] and "nothing is lost" in said[0]
    bench.turn(LOAD)
    assert "was answered after" in caplog.records[-1].getMessage()


def test_a_stop_that_is_written_late_does_not_overwrite_what_the_new_owner_says() -> None:
    bench = Bench()
    bench.write(0, 10)
    bench.turn(STORE, LOAD, f"state {TABLE.name}")
    bench.loop._stop(bench.loop.carried[TABLE.topic], StoppedTable(TABLE.name, "a topic made again"))
    bench.loop.step()
    (late,) = [task for task in bench.workers.waiting if task.name == f"state {TABLE.name}"]

    bench.member.revoked([PLACE])
    theirs = WhenSaid()
    other, member = bench.join("other", theirs)
    member.assigned([PLACE])
    for _ in range(4):
        other.step()
        theirs.do(f"claim {TABLE.name}", STORE, LOAD, f"state {TABLE.name}")
    assert bench.world.states[-1] == (TABLE.name, "running")
    bench.workers.do(late.name)
    assert bench.world.states[-1] == (TABLE.name, "running")
