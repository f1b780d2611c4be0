"""When bad messages are too many, and what is never answered with a dead letter."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

import fastavro
import pytest

from consumers.dead_letters.bounds import Bounds, Exceeded
from consumers.dead_letters.letters import Letter
from consumers.dead_letters.trial import Opened, Trial
from consumers.dead_letters.unknown import UnknownSchemas
from consumers.decoder import FastavroDecoder
from consumers.decoding import Decoding
from consumers.loop import Loop
from consumers.messages import Message
from consumers.settings import Batching
from tests.unit.consumers.debezium import Registry
from tests.unit.consumers.parcel import KEY, STREAM, VALUE, batch, message, row
from tests.unit.consumers.world import World, consumer
from waybill.errors import StoppedTable, UnreachableError
from waybill.positions import Origin

TABLE = replace(STREAM, batching=Batching(rows=10, seconds=1), memory=2**20)
PLACE, OTHER = ("topic", 0), ("topic", 1)
LOST = 77


def judged(bounds: Bounds, offsets: range, bad: Sequence[int] = (), place: tuple[str, int] = PLACE) -> int | str:
    found = bounds.judge("table", place, offsets, bad, 0)
    return f"{found.what} at {found.offset}" if isinstance(found, Exceeded) else found


def test_a_share_of_bad_messages_is_counted_over_batches_and_partitions_of_a_table() -> None:
    bounds = Bounds(100, 5, 100)
    assert judged(bounds, range(50), [31, 32, 33]) == 0
    assert judged(bounds, range(50), [4, 5], OTHER) == 0
    found = "6 bad messages among the last 100 of the table, over 5 %, at 53"
    assert judged(bounds, range(50, 60), [53]) == found  # 31 to 33 of partition 0 are still among the last 100
    assert bounds.judge("another table", PLACE, range(10), [1], 0) == 0


def test_one_more_than_the_share_is_too_many_and_then_nothing_is_counted() -> None:
    bounds = Bounds(100, 5, 100)
    assert judged(bounds, range(60), [1, 2, 3]) == 0
    for _ in range(3):
        assert "6 bad messages among the last 100" in str(judged(bounds, range(60, 80), [61, 62, 69]))
    assert judged(bounds, range(60, 80), [61, 62]) == 0


def test_bad_messages_that_the_window_has_left_behind_do_not_count() -> None:
    bounds = Bounds(100, 5, 100)
    for start in range(0, 2_000, 100):
        assert judged(bounds, range(start, start + 100), [start + 10 * i for i in range(5)]) == 0
    assert judged(bounds, range(2_000, 2_100), range(2_095, 2_100)) == 5
    assert "at 2105" in str(judged(bounds, range(2_100, 2_110), [2_105]))


def test_a_window_slides_within_a_batch_that_is_larger_than_it() -> None:
    assert judged(Bounds(100, 5, 100), range(10_000), range(0, 10_000, 20)) == 0
    assert "at 3002" in str(judged(Bounds(100, 5, 100), range(10_000), [*range(0, 3_000, 20), 3_001, 3_002, 3_003]))


def test_a_bad_message_that_is_read_again_is_not_counted_again() -> None:
    bounds = Bounds(100, 5, 100)
    for _ in range(30):
        assert judged(bounds, range(10), [1, 2, 3, 4, 5]) == 0


class Said:
    """What people decided: offsets to set aside."""

    def __init__(self) -> None:
        self.offsets: dict[int, str] = {}

    def set_aside(self, raw: str, topic: str, partition: int, offsets: Sequence[int]) -> Mapping[int, str]:
        return {offset: text for offset, text in self.offsets.items() if offset in offsets}


def lost(offset: int) -> Message:
    """An event whose schema id nobody knows."""
    whole = message(offset, row(offset))
    return whole._replace(value=b"\0" + LOST.to_bytes(4, "big") + (whole.value or b"")[5:])


def test_an_unknown_schema_id_waits_with_everything_before_it_loaded_then_stops_and_is_never_set_aside() -> None:
    world, said, registry = World(), Said(), Registry(KEY, VALUE)
    decoding = Decoding(registry, FastavroDecoder(), 3, UnknownSchemas(said, world.time, 60))
    head = decoding.decode(TABLE, 1, batch(message(0, row(0)), message(1, row(1)), lost(2), message(3, row(3))))
    assert (head.table["order_id"].to_pylist(), head.next_offset, head.letters) == ([0, 1], 2, [])
    assert head.rest is not None and head.rest.messages.offsets == [2, 3]
    with pytest.raises(UnreachableError, match=r"schema id 77.*offset 2 .*since 2026-01-01 00:00:00 UTC"):
        decoding.decode(TABLE, 1, head.rest)
    world.time.sleep(61)
    with pytest.raises(StoppedTable, match="schema id 77") as stopped:
        decoding.decode(TABLE, 1, head.rest)
    assert f"waybill deadletters set-aside {TABLE.topic}/1/2 --reason" in stopped.value.todo
    said.offsets[2] = "me: damaged on the way"
    rest = decoding.decode(TABLE, 1, head.rest)
    assert rest.table["order_id"].to_pylist() == [3]
    assert [(letter.offset, letter.value) for letter in rest.letters] == [(2, lost(2).value)]
    assert "damaged on the way" in rest.letters[0].error


def test_a_schema_that_comes_back_is_decoded_and_the_clock_of_its_id_begins_anew() -> None:
    world, registry = World(), Registry(KEY, VALUE)
    decoding = Decoding(registry, FastavroDecoder(), 3, UnknownSchemas(Said(), world.time, 60))
    with pytest.raises(UnreachableError):
        decoding.decode(TABLE, 1, batch(lost(0)))
    registry.known[LOST] = registry.known[2]
    assert decoding.decode(TABLE, 1, batch(lost(0))).table.num_rows == 1


def test_a_decision_that_cannot_be_asked_for_waits() -> None:
    class Down(Said):
        def set_aside(self, raw: str, topic: str, partition: int, offsets: Sequence[int]) -> Mapping[int, str]:
            raise UnreachableError("the warehouse is down")

    decoding = Decoding(Registry(KEY, VALUE), FastavroDecoder(), 3, UnknownSchemas(Down(), World().time, 0))
    with pytest.raises(UnreachableError, match="warehouse is down"):
        decoding.decode(TABLE, 1, batch(lost(0)))


@pytest.mark.parametrize("part", ["registry", "kafka", "bucket", "warehouse"])
def test_an_outage_however_long_is_never_answered_with_dead_letters_or_a_stop(part: str) -> None:
    world, registry = World(), Registry(KEY, VALUE)
    world.topic(TABLE.topic)
    loop, member = consumer(world, registry, TABLE)
    member.assigned([(TABLE.topic, 0)])
    world.write(TABLE.topic, *(message(i, row(i)) for i in range(5)))
    world.down.add(part)
    registry.down = part == "registry"
    _turn(loop, 2_000)
    assert world.time.seconds > 300
    assert (world.letters, world.loaded) == ([], [])
    assert loop.carried[TABLE.topic].stopped is None
    world.down.clear()
    registry.down = False
    _turn(loop, 200)
    assert (world.letters, sum(b.rows for b in world.loaded)) == ([], 5)


def _turn(loop: Loop, count: int) -> None:
    for _ in range(count):
        loop.step()


def opened(key: bytes | None, value: bytes | None) -> Opened:
    registry = Registry(KEY, VALUE)
    trial = Trial(Decoding(registry, FastavroDecoder(), 9), registry)
    return trial.opened(Letter(Origin(TABLE.topic, "id", 0, 0), 1, 0, "", "", 0, 0, 1, key, value))


def test_a_whole_message_is_read_as_fastavro_reads_it() -> None:
    image = row(5, name="王", rate=0.5, lat=-1.25, flag=True, bits=b"\x01\x02", barcode=-3, traceSeq=2**32)
    whole = message(0, image, op="u")
    found = opened(whole.key, whole.value).value
    assert found is not None
    assert found.problem == ""
    stream = io.BytesIO((whole.value or b"")[5:])
    assert found.found == fastavro.schemaless_reader(stream, fastavro.parse_schema(json.loads(json.dumps(VALUE))), None)


def test_of_a_damaged_message_everything_before_the_damage_is_shown() -> None:
    whole = message(0, row(5, name="kept", attributes="{}"))
    for end in range(5, len(whole.value or b"")):
        found = opened(whole.key, (whole.value or b"")[:end]).value
        assert found is not None and found.problem.startswith("at byte ")
    assert found.found["after"]["name"] == "kept" and found.found["source"]["db"] == "kuaisong"


def test_the_row_of_a_letter_is_named_only_when_its_parts_agree() -> None:
    whole, other = message(0, row(5)), message(0, row(6))
    value = whole.value or b""
    assert opened(whole.key, value).row_key == '{"order_id": 5}'
    assert opened(whole.key, value[:-3]).row_key == '{"order_id": 5}'
    assert opened(whole.key, b"\1").row_key == '{"order_id": 5}'
    assert opened(other.key, value).row_key == ""
    assert opened((whole.key or b"")[:-1], value).row_key == ""
    assert opened(None, value).row_key == ""
