"""The native decoder gives what fastavro gives: for good messages, for every kind of damage, for any schema."""

from __future__ import annotations

import random
from typing import Any

import pytest

from consumers.decoder import Decoded, FastavroDecoder
from consumers.decoding import Decoding
from consumers.native_decoder import NativeDecoder
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import NOTIFICATION_VALUE, TRANSACTION_VALUE, UUID, Registry, envelope
from tests.unit.consumers.parcel import COLUMNS, KEY, NAMESPACE, STREAM, VALUE, batch, message, row

# pyruhvro never sees Avro bytes; without them the table goes the native way.
NATIVE = envelope(NAMESPACE, [c for c in COLUMNS if not c["name"].startswith("bits")])


class Counting(FastavroDecoder):
    """The reference, counting the messages it was asked for."""

    asked = 0

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Any) -> Decoded:
        self.asked += len(messages)
        return super().decode(schema, shape, messages)


def schema_of(schema: dict[str, Any]) -> WriterSchema:
    return WriterSchema(1, Registry(schema).text(1))


def both(schema: dict[str, Any], shape: Shape | None, messages: list[bytes]) -> Counting:
    """Decode both ways, compare everything; answers the reference behind the native one."""
    reference = Counting()
    native = NativeDecoder(reference).decode(schema_of(schema), shape, messages)
    plain = FastavroDecoder().decode(schema_of(schema), shape, messages)
    assert native.good == plain.good
    assert native.bad == plain.bad
    assert native.table.schema == plain.table.schema
    assert native.table.to_pylist() == plain.table.to_pylist()
    return reference


def events(count: int, schema: dict[str, Any] = NATIVE) -> list[bytes]:
    chance = random.Random(5)
    made = []
    for number in range(count):
        image = row(
            number, traceSeq=2**32 - 1, pieces=chance.choice([None, 65535, -1]), barcode=-3, weight="-1.500",
            rate=0.1, lat=chance.random(), flag=chance.choice([None, True, False]),
            name=chance.choice([None, "", "王 😀"]), promised=-1, scanned=-(10**15), attributes='{"a": 1}',
        )  # fmt: skip
        event = debezium.event(image, op=chance.choice("cudr"), number=number + 1)
        made.append(debezium.wire(1, schema, event))
    return made


def test_good_events_need_no_reference_and_are_equal_in_every_value() -> None:
    assert both(NATIVE, Shape.ROWS, events(500)).asked == 0


@pytest.mark.parametrize("number", [1, 127, 128, 200, 256, 0x7F7F7F7F, 2**31 - 1])
def test_every_id_of_a_schema_is_read_natively(number: int) -> None:
    """A header of bytes under 128 is decoded with the datum, any other is cut off before."""
    header = b"\0" + number.to_bytes(4, "big")
    schema = WriterSchema(number, Registry(NATIVE).text(1))
    messages = [header + message[5:] for message in events(100)]
    reference = Counting()
    found = NativeDecoder(reference).decode(schema, Shape.ROWS, messages)
    assert found.table.to_pylist() == FastavroDecoder().decode(schema, Shape.ROWS, messages).table.to_pylist()
    assert (len(found.good), found.bad, reference.asked) == (100, {}, 0)


def test_a_schema_with_bytes_goes_to_the_reference() -> None:
    assert both(VALUE, Shape.ROWS, events(20, VALUE)).asked == 20


def test_keys_transactions_and_notifications_are_equal_too() -> None:
    counts = [{"data_collection": "k.a", "event_count": 2}, {"data_collection": "k.b", "event_count": 1}]
    ends = [
        {"status": "END", "id": f"{UUID}:{n}", "event_count": 3, "data_collections": found, "ts_ms": n}
        for n, found in enumerate([counts, [], None], 1)
    ]
    notes = [
        {"id": "n", "type": "t", "aggregate_type": "a", "additional_data": found, "timestamp": 1}
        for found in (None, {}, {"b": "2", "a": "1"})
    ]
    for shape, schema, records in (
        (Shape.TRANSACTIONS, TRANSACTION_VALUE, ends),
        (Shape.NOTIFICATIONS, NOTIFICATION_VALUE, notes),
        (None, KEY, [{"order_id": n} for n in range(5)]),
    ):
        assert both(schema, shape, [debezium.wire(1, schema, record) for record in records]).asked == 0


def damaged(good: bytes, chance: random.Random) -> bytes:
    body = bytearray(good)
    match chance.randrange(7):
        case 0:
            body[chance.randrange(5, len(body))] ^= 1 << chance.randrange(8)
        case 1:
            del body[chance.randrange(5, len(body)) :]
        case 2:
            body[5:] = chance.randbytes(chance.randrange(1, 200))
        case 3:
            place = chance.randrange(5, len(body))
            body[place : place + 1] = b"\xfe\xff\xff\xff\xff\xff\xff\xff\x7f"
        case 4:
            body += chance.randbytes(3)
        case 5:
            body += b"\x10waybill!"
        case _:
            body[5:] = b""
    return bytes(body)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_messages_are_judged_as_fastavro_judges_them(seed: int) -> None:
    chance = random.Random(seed)
    messages = [damaged(m, chance) if chance.random() < 0.1 else m for m in events(400)]
    assert both(NATIVE, Shape.ROWS, messages).asked > 0


def test_one_bad_message_among_thousands_costs_the_reference_only_its_neighbours() -> None:
    messages = events(1_000)
    messages[777] = messages[777][:-1]
    assert both(NATIVE, Shape.ROWS, messages).asked <= 128


def test_a_whole_micro_batch_becomes_the_same_rows_and_dead_letters() -> None:
    messages = [message(i, row(i), op="cud"[i % 3], number=i + 1) for i in range(100)]
    messages[50] = messages[50]._replace(value=(messages[50].value or b"")[:-2])
    decoded = [
        Decoding(Registry(KEY, VALUE), decoder, 3).decode(STREAM, 0, batch(*messages))
        for decoder in (FastavroDecoder(), NativeDecoder(FastavroDecoder()))
    ]
    assert decoded[0].table.equals(decoded[1].table)
    assert decoded[0].letters == decoded[1].letters
