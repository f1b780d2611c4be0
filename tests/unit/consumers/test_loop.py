"""What the loop does while something is down, slow or taken away: it waits, holds its bounds, and loses nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest

from consumers.loop import Loop
from consumers.messages import Place
from consumers.ports import Outcome
from consumers.settings import Batching, Consume
from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import Registry
from tests.unit.consumers.parcel import KEY, STREAM, VALUE, VALUE_ID, message, row
from tests.unit.consumers.world import Member, World, consumer
from waybill.errors import UnreachableError
from waybill.positions import Position

TABLE = replace(STREAM, batching=Batching(rows=10, seconds=1), memory=20_000)
OTHER = replace(TABLE, name="kuaisong.other", raw="other_raw", topic="waybill.kuaisong.other")
PLACE = (TABLE.topic, 0)


def world_of(*streams: object) -> World:
    world = World()
    world.topic(TABLE.topic)
    world.topic(OTHER.topic)
    return world


def turns(loop: Loop, count: int) -> None:
    for _ in range(count):
        loop.step()


def loaded(world: World, topic: str = TABLE.topic) -> list[tuple[int, int]]:
    return [(b.first_offset, b.next_offset) for b in world.loaded if b.topic == topic]


def started(world: World, registry: Registry | None = None, *streams: object) -> tuple[Loop, Member]:
    loop, member = consumer(world, registry or Registry(KEY, VALUE), TABLE, OTHER)
    member.assigned([PLACE, (OTHER.topic, 0)])
    return loop, member


def test_everything_is_loaded_once_and_kafka_is_told_after_the_load() -> None:
    world = world_of()
    loop, member = started(world)
    world.write(TABLE.topic, *(message(i, row(i)) for i in range(25)))
    turns(loop, 10)
    assert loaded(world) == [(0, 10), (10, 20), (20, 25)]
    assert member.committed[PLACE] == 25
    assert sum(batch.rows for batch in world.loaded) == 25


def test_a_partition_whose_reading_cannot_begin_yet_is_taken_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of()
    loop, member = started(world)
    start, refused = member.start, []

    def refuse_once(offsets: Mapping[Place, int]) -> None:
        if not refused:
            refused.append(offsets)
            raise UnreachableError("going to offset 0: erroneous state")
        start(offsets)

    monkeypatch.setattr(member, "start", refuse_once)
    world.write(TABLE.topic, *(message(i, row(i)) for i in range(10)))
    turns(loop, 20)
    assert refused
    assert loaded(world) == [(0, 10)]


@pytest.mark.parametrize("part", ["bucket", "warehouse"])
def test_an_outage_is_waited_for_with_bounded_memory_and_nothing_is_set_aside(part: str) -> None:
    world = world_of()
    loop, member = started(world)
    loop.step()
    world.down.add(part)
    world.write(TABLE.topic, *(message(i, row(i, attributes='"' + "x" * 1_000 + '"')) for i in range(200)))
    turns(loop, 400)
    held = loop.carried[TABLE.topic].partitions[PLACE].size
    assert PLACE in member.paused
    assert held < TABLE.memory + 2_000 * 1_500
    assert (world.loaded, world.letters) == ([], [])
    world.down.clear()
    turns(loop, 400)
    assert sum(batch.rows for batch in world.loaded) == 200
    assert PLACE not in member.paused


def test_memory_is_bounded_while_nothing_can_be_loaded() -> None:
    world = world_of()
    loop, _ = started(world)
    loop.step()
    world.down.add("warehouse")
    for start in range(0, 400, 5):
        world.write(
            TABLE.topic, *(message(i, row(i, attributes='"' + "x" * 1_000 + '"')) for i in range(start, start + 5))
        )
        loop.step()
    assert loop.carried[TABLE.topic].partitions[PLACE].size < TABLE.memory + 5 * 1_500


def test_a_schema_that_cannot_be_had_holds_its_table_and_no_other() -> None:
    world = world_of()
    registry = Registry(KEY, VALUE)
    loop, _ = started(world, registry)
    value = registry.known.pop(2)
    world.write(TABLE.topic, message(0, row(1)))
    world.write(OTHER.topic, message(0, row(1), table="other")._replace(value=None))
    turns(loop, 50)
    assert (loaded(world), loaded(world, OTHER.topic), world.letters) == ([], [(0, 1)], [])
    registry.known[2] = value
    turns(loop, 80)
    assert loaded(world) == [(0, 1)]


def test_the_position_does_not_move_while_dead_letters_cannot_be_stored() -> None:
    world = world_of()
    loop, _ = started(world)
    world.down.add("letters")
    world.write(TABLE.topic, message(0, row(1))._replace(value=b"bad"), message(1, row(2)))
    turns(loop, 50)
    assert loaded(world) == []
    world.down.clear()
    turns(loop, 80)
    assert [letter.offset for letter in world.letters] == [0]
    assert world.loaded[0].dead_letters == 1


def test_what_is_not_loaded_of_a_revoked_partition_is_dropped_and_the_next_owner_reads_it() -> None:
    world = world_of()
    loop, member = started(world)
    world.write(TABLE.topic, message(0, row(1)))
    world.down.add("bucket")
    turns(loop, 20)
    member.revoked([PLACE])
    world.down.clear()
    turns(loop, 20)
    assert loaded(world) == []
    second, other = consumer(world, Registry(KEY, VALUE), TABLE, OTHER, owner="other")
    other.assigned([PLACE])
    turns(second, 20)
    assert loaded(world) == [(0, 1)]


def test_an_owner_that_was_replaced_loads_nothing_and_leaves_the_partition_alone_while_it_moves() -> None:
    world = world_of()
    loop, _ = started(world)
    turns(loop, 2)
    thief, stolen = consumer(world, Registry(KEY, VALUE), TABLE, OTHER, owner="thief")
    stolen.assigned([PLACE])
    turns(thief, 2)
    world.write(TABLE.topic, message(0, row(1)))
    turns(loop, 20)
    assert loaded(world) == []
    turns(thief, 20)
    assert loaded(world) == [(0, 1)]
    epoch = world.standing[PLACE].epoch
    for offset in range(1, 40):
        world.write(TABLE.topic, message(offset, row(offset)))
        turns(thief, 12)
        turns(loop, 12)
    assert world.standing[PLACE].epoch == epoch
    assert world.standing[PLACE].owner == "thief"


def test_a_partition_whose_owner_went_silent_is_taken_back() -> None:
    world = world_of()
    loop, _ = started(world)
    turns(loop, 2)
    world.standing[PLACE] = replace(world.standing[PLACE], epoch=9, owner="silent")
    world.write(TABLE.topic, message(0, row(1)))
    turns(loop, 1_000)
    assert loaded(world) == [(0, 1)]
    assert world.standing[PLACE].epoch == 10


def test_a_stopped_table_says_why_and_is_tried_again() -> None:
    world = world_of()
    loop, member = consumer(
        world, Registry(KEY, VALUE), TABLE, settings=Consume(dead_letters_in_a_row=1, retry_stopped_seconds=10)
    )
    member.assigned([PLACE])
    world.write(TABLE.topic, *(message(i, row(1))._replace(value=b"bad") for i in range(3)))
    turns(loop, 20)
    assert world.states[-1] == (TABLE.name, "stopped")
    assert loop.carried[TABLE.topic].stopped is not None
    world.logs[PLACE] = [message(i, row(i)) for i in range(3)]
    turns(loop, 100)
    assert world.states[-1] == (TABLE.name, "running")
    assert sum(batch.rows for batch in world.loaded) == 3


def test_a_stopped_table_of_which_nothing_is_left_here_is_not_called_stopped_any_more() -> None:
    world = world_of()
    loop, member = consumer(world, Registry(KEY, VALUE), TABLE, settings=Consume(dead_letters_in_a_row=1))
    member.assigned([PLACE])
    world.write(TABLE.topic, *(message(i, row(1))._replace(value=b"bad") for i in range(3)))
    turns(loop, 20)
    carried = loop.carried[TABLE.topic]
    assert carried.stopped is not None
    member.revoked([PLACE])
    turns(loop, 200)
    assert (carried.stopped, carried.state) == (None, None)
    world.logs[PLACE] = [message(i, row(i)) for i in range(3)]
    member.assigned([PLACE])
    turns(loop, 100)
    assert world.states[-1] == (TABLE.name, "running")


def test_a_consumer_that_leaves_still_says_which_table_it_left_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    world = world_of()
    loop, member = consumer(world, Registry(KEY, VALUE), TABLE, settings=Consume(dead_letters_in_a_row=1))
    member.assigned([PLACE])
    world.write(TABLE.topic, *(message(i, row(1))._replace(value=b"bad") for i in range(3)))
    turns(loop, 20)
    monkeypatch.setattr(member, "close", lambda: member.revoked([PLACE]))  # as Kafka's client does
    loop.close()
    assert loop.carried[TABLE.topic].stopped is not None


def test_a_position_beyond_the_end_of_kafka_waits_a_minute_before_it_stops_the_table() -> None:
    world = world_of()
    world.standing[PLACE] = Position(*PLACE[:1], world.ids[TABLE.topic], 0, 1, 3, 100, "before")
    loop, _ = started(world)
    turns(loop, 50)
    assert loop.carried[TABLE.topic].stopped is None
    turns(loop, 600)
    stopped = loop.carried[TABLE.topic].stopped
    assert stopped is not None
    assert "Kafka ends at offset 0" in stopped.what
    assert world.standing[PLACE].epoch == 3


def test_an_epoch_that_stands_in_the_name_of_any_object_of_the_table_is_not_used_again() -> None:
    world = world_of()
    name = f"{TABLE.topic}+00000+{0:020d}-{4:020d}+g00001+e0000000041.parquet"
    world.objects[f"p/{TABLE.raw}/1999-01-01/00/{name}"] = b""
    world.objects[f"p/{OTHER.raw}/1999-01-01/00/{name.replace('041', '099')}"] = b""
    loop, _ = started(world)
    turns(loop, 2)
    assert world.standing[PLACE].epoch == 42


def test_a_topic_that_is_not_there_yet_is_waited_for() -> None:
    world = World()
    loop, member = consumer(world, Registry(KEY, VALUE), TABLE)
    turns(loop, 10)
    world.topic(TABLE.topic)
    world.write(TABLE.topic, message(0, row(1)))
    member.assigned([PLACE])
    turns(loop, 20)
    assert loaded(world) == [(0, 1)]


def test_truncate_stops_the_table_after_everything_before_it_is_loaded() -> None:
    world = world_of()
    loop, _ = started(world)
    truncate = debezium.event(row(1), op="t") | {"before": None, "after": None}
    event = debezium.message(1, None, debezium.wire(VALUE_ID, VALUE, truncate))
    world.write(TABLE.topic, message(0, row(1)), event, message(2, row(2)))
    turns(loop, 400)
    stopped = loop.carried[TABLE.topic].stopped
    assert stopped is not None
    assert "TRUNCATE" in stopped.what
    assert (loaded(world), world.states[-1]) == ([(0, 1)], (TABLE.name, "stopped"))


def test_what_is_down_is_not_asked_at_every_turn() -> None:
    world = world_of()
    loop, _ = started(world)
    asked: list[float] = []
    put = world.put

    def counted(key: str, body: bytes, sha256: str) -> Outcome:
        asked.append(world.time.seconds)
        return put(key, body, sha256)

    world.put = counted  # type: ignore[method-assign]
    loop.step()
    world.down.add("bucket")
    world.write(TABLE.topic, message(0, row(1)))
    turns(loop, 1_000)
    assert 15 < len(asked) < 40
    assert max(late - early for early, late in pairwise(asked)) < 11
