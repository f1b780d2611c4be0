"""The native decoder gives what fastavro gives: for good messages, for every kind of damage, for any schema."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consumers import native_decoder
from consumers.avro import library
from consumers.avro.layout import UnsupportedError
from consumers.avro.program import compiled
from consumers.decoder import Decoded, FastavroDecoder
from consumers.decoding import Decoding
from consumers.native_decoder import NativeDecoder
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.unit.consumers import debezium
from tests.unit.consumers.any_schema import any_end, any_message, any_schema, damaged
from tests.unit.consumers.debezium import NOTIFICATION_VALUE, TRANSACTION_VALUE, UUID, Registry, envelope
from tests.unit.consumers.parcel import COLUMNS, ID, KEY, NAMESPACE, STREAM, VALUE, batch, message, row
from waybill.errors import UnreachableError


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
    native.table.validate(full=True)
    # As text: not-a-number is no number that equals itself, and minus zero would equal zero.
    assert str(native.table.to_pylist()) == str(plain.table.to_pylist())
    return reference


def events(count: int, schema: dict[str, Any] = VALUE) -> list[bytes]:
    chance = random.Random(5)
    made = []
    for number in range(count):
        image = row(
            number, traceSeq=2**32 - 1, pieces=chance.choice([None, 65535, -1]), barcode=-3, weight="-1.500",
            rate=0.1, lat=chance.random(), flag=chance.choice([None, True, False]), bits=chance.randbytes(2),
            name=chance.choice([None, "", "王 😀"]), promised=-1, scanned=-(10**15), attributes='{"a": 1}',
        )  # fmt: skip
        event = debezium.event(image, op=chance.choice("cudr"), number=number + 1)
        made.append(debezium.wire(1, schema, event))
    return made


def test_good_events_need_no_reference_and_are_equal_in_every_value() -> None:
    assert both(VALUE, Shape.ROWS, events(500)).asked == 0


def test_keys_and_transactions_are_decoded_natively_too() -> None:
    counts = [{"data_collection": "k.a", "event_count": 2}, None, {"data_collection": "k.b", "event_count": 1}]
    ends = [
        {"status": "END", "id": f"{UUID}:{n}", "event_count": 3, "data_collections": found, "ts_ms": n}
        for n, found in enumerate([counts, [], None, counts * 1_000], 1)
    ]
    for shape, schema, records in (
        (Shape.TRANSACTIONS, TRANSACTION_VALUE, ends),
        (Shape.TRANSACTIONS, TRANSACTION_VALUE, ends[1:3]),
        (None, KEY, [{"order_id": n} for n in range(5)]),
    ):
        assert both(schema, shape, [debezium.wire(1, schema, record) for record in records]).asked == 0


def test_a_refused_message_leaves_nothing_in_lists() -> None:
    counts = [{"data_collection": f"k.{n}", "event_count": n} for n in range(7)]
    ends = [
        {"status": "END", "id": f"{UUID}:{n}", "event_count": n, "data_collections": counts[:n] or None, "ts_ms": n}
        for n in range(8)
    ]
    messages = [debezium.wire(1, TRANSACTION_VALUE, end) for end in ends]
    # Everything but the last byte is read before it is clear that the message is bad.
    for index in (1, 4, 7):
        messages[index] = messages[index][:-1]
    assert both(TRANSACTION_VALUE, Shape.TRANSACTIONS, messages).asked == 3


def test_lists_written_in_blocks_with_their_sizes_are_read() -> None:
    end = {"status": "END", "id": "i", "event_count": 2, "data_collections": [], "ts_ms": 1}
    plain = debezium.wire(1, TRANSACTION_VALUE, end)
    front, back = plain[:-2], plain[-1:]
    assert plain[-2:] == b"\0\x02"
    item = b"\x02\x06k.a\x04"
    blocks = b"\x01" + bytes([2 * len(item)]) + item + b"\x04" + item + b"\0" + b"\0"
    assert both(TRANSACTION_VALUE, Shape.TRANSACTIONS, [front + blocks + back, plain]).asked == 0


def test_what_the_native_code_does_not_know_goes_to_the_reference() -> None:
    note = {"id": "n", "type": "t", "aggregate_type": "a", "additional_data": {"b": "2", "a": "1"}, "timestamp": 1}
    messages = [debezium.wire(1, NOTIFICATION_VALUE, note)] * 3
    assert both(NOTIFICATION_VALUE, Shape.NOTIFICATIONS, messages).asked == 3
    level = {"name": "level", "type": {"type": "enum", "name": "Level", "symbols": ["LOW", "HIGH"]}}
    schema = envelope(NAMESPACE, COLUMNS)
    schema["fields"].append(level)
    event = debezium.event(row(1)) | {"level": "HIGH"}
    assert both(schema, Shape.ROWS, [debezium.wire(1, schema, event)] * 3).asked == 3


def test_a_record_that_holds_itself_goes_to_the_reference() -> None:
    chain = {"type": "record", "name": "Chain", "fields": [{"name": "next", "type": ["null", "Chain"]}]}
    schema = envelope(NAMESPACE, COLUMNS)
    schema["fields"].append({"name": "chain", "type": ["null", chain]})
    event = debezium.event(row(1)) | {"chain": {"next": {"next": None}}}
    assert both(schema, Shape.ROWS, [debezium.wire(1, schema, event)] * 3).asked == 3


def test_a_key_column_may_be_called_row() -> None:
    schema = debezium.key_schema(NAMESPACE, [{"name": "row", "type": "int"}, {"name": "op", "type": "string"}])
    assert both(schema, None, [debezium.wire(1, schema, {"row": n, "op": "d"}) for n in range(5)]).asked == 0


def test_a_list_whose_first_item_has_an_empty_name_is_read() -> None:
    counts = [{"data_collection": "", "event_count": 1}, {"data_collection": "k.a", "event_count": 2}]
    end = {"status": "END", "id": "i", "event_count": 3, "data_collections": counts, "ts_ms": 1}
    assert both(TRANSACTION_VALUE, Shape.TRANSACTIONS, [debezium.wire(1, TRANSACTION_VALUE, end)]).asked == 0


def test_an_envelope_without_an_image_after_goes_to_the_reference() -> None:
    schema = envelope(NAMESPACE, COLUMNS)
    del schema["fields"][1]
    messages = [debezium.wire(1, schema, debezium.event(row(1), op=op)) for op in "cd"]
    assert both(schema, Shape.ROWS, messages).asked == 2


def chained(levels: int, fields: int) -> dict[str, Any]:
    """A key with records that name each other, each twice as large as the one before when it has two fields."""
    records = [{"type": "record", "name": "R0", "namespace": "n", "fields": [{"name": "x", "type": "int"}]}]
    for level in range(1, levels):
        inner = [{"name": f"f{n}", "type": ["null", f"n.R{level - 1}"]} for n in range(fields)]
        records.append({"type": "record", "name": f"R{level}", "namespace": "n", "fields": inner})
    return envelope(NAMESPACE, [ID]) | {
        "fields": [
            *envelope(NAMESPACE, [ID])["fields"],
            *({"name": f"r{level}", "type": ["null", record]} for level, record in enumerate(records)),
        ]
    }


@pytest.mark.parametrize(("levels", "fields"), [(300, 1), (40, 2)], ids=["deep", "doubling"])
def test_a_schema_too_large_to_follow_goes_to_the_reference(levels: int, fields: int) -> None:
    schema = chained(levels, fields)
    event = debezium.event(row(1)) | {f"r{level}": None for level in range(levels)}
    event |= {"before": None, "after": {"order_id": 1}}
    assert both(schema, Shape.ROWS, [debezium.wire(1, schema, event)]).asked == 1


@pytest.mark.parametrize("items", ["null", {"type": "record", "name": "n.Empty", "fields": []}], ids=["null", "empty"])
def test_an_array_of_nothing_goes_to_the_reference(items: Any) -> None:
    schema = envelope(NAMESPACE, COLUMNS)
    schema["fields"].append({"name": "many", "type": {"type": "array", "items": items}})
    event = debezium.event(row(1)) | {"many": [None if items == "null" else {}] * 3}
    assert both(schema, Shape.ROWS, [debezium.wire(1, schema, event)]).asked == 1


def test_a_name_that_is_a_word_of_avro_goes_to_the_reference() -> None:
    schema = debezium.key_schema(NAMESPACE, [{"name": "value", "type": "long"}])
    columns = WriterSchema(1, Registry(schema).text(1)).wire_columns(None)
    record = {"type": "record", "name": "array", "fields": [{"name": "x", "type": "int"}]}
    fields = [*schema["fields"], {"name": "a", "type": record}, {"name": "b", "type": "array"}]
    with pytest.raises(UnsupportedError):
        compiled({"type": "record", "name": "k.Key", "fields": fields}, columns)


def test_a_field_that_is_there_twice_goes_to_the_reference() -> None:
    schema = debezium.key_schema(NAMESPACE, [{"name": "value", "type": "string"}] * 2)
    with pytest.raises(UnsupportedError):
        compiled(schema, WriterSchema(1, Registry(schema).text(1)).wire_columns(None)[:1])


def test_a_delete_with_an_image_after_is_left_to_the_reference() -> None:
    event = debezium.event(row(1, name="before"), op="d") | {"after": row(1, name="after")}
    messages = [debezium.wire(1, VALUE, event), *events(3)]
    assert both(VALUE, Shape.ROWS, messages).asked == 1


def test_more_bytes_than_one_array_can_name_are_decoded_in_halves(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = events(50)
    messages[31] = messages[31][:-1]
    monkeypatch.setattr(native_decoder, "_MOST", 3 * len(messages[0]))
    assert both(VALUE, Shape.ROWS, messages).asked == 1


@pytest.mark.parametrize("seed", range(8))
def test_damaged_messages_are_judged_as_fastavro_judges_them(seed: int) -> None:
    chance = random.Random(seed)
    messages = [damaged(m, chance) if chance.random() < 0.1 else m for m in events(400)]
    assert both(VALUE, Shape.ROWS, messages).asked > 0


def test_one_bad_message_among_thousands_costs_the_reference_only_itself() -> None:
    messages = events(1_000)
    messages[777] = messages[777][:-1]
    assert both(VALUE, Shape.ROWS, messages).asked == 1


def test_a_message_that_only_the_reference_takes_keeps_its_place() -> None:
    messages = events(20)
    place = next(index for index, message in enumerate(messages) if message[5] == 0)
    # That zero, no image before, written in two bytes: no writer does that, fastavro reads it.
    messages[place] = messages[place][:5] + b"\x80\0" + messages[place][6:]
    assert both(VALUE, Shape.ROWS, messages).asked == 1


def test_a_whole_micro_batch_becomes_the_same_rows_and_dead_letters() -> None:
    messages = [message(i, row(i), op="cud"[i % 3], number=i + 1) for i in range(100)]
    messages[50] = messages[50]._replace(value=(messages[50].value or b"")[:-2])
    decoded = [
        Decoding(Registry(KEY, VALUE), decoder, 3).decode(STREAM, 0, batch(*messages))
        for decoder in (FastavroDecoder(), NativeDecoder(FastavroDecoder()))
    ]
    assert decoded[0].table.equals(decoded[1].table)
    assert decoded[0].letters == decoded[1].letters


def key_of(kind: str) -> dict[str, Any]:
    return debezium.key_schema(NAMESPACE, [{"name": "value", "type": kind}])


def test_texts_are_taken_exactly_where_python_takes_them() -> None:
    """Every sequence of two bytes, and every lead of three and four with what is on either side of its borders."""
    edges = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    texts = [bytes(pair) for pair in product(range(256), repeat=2)]
    for lead in range(0xE0, 0x100):
        texts += [bytes((lead, *rest)) for rest in product(edges, repeat=2)]
        texts += [bytes((lead, *rest)) for rest in product(edges, repeat=3)]
    texts += [b"a" * n + b"\xff" + b"a" * m for n in range(20) for m in range(20)]
    texts += ["\u20ac".encode() * n + b"\xe2\x82" for n in range(10)]
    messages = [b"\0\0\0\0\1" + bytes(_varint(2 * len(text))) + text for text in texts]
    asked = both(key_of("string"), None, messages).asked
    assert asked == sum(not _is_text(text) for text in texts)


def _is_text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _varint(number: int) -> Iterator[int]:
    while number > 0x7F:
        yield number & 0x7F | 0x80
        number >>= 7
    yield number


def test_numbers_of_every_length_are_equal() -> None:
    body = [
        *(bytes(_varint(n)) for shift in range(65) for n in (2**shift - 1, 2**shift % 2**64, (2**shift + 1) % 2**64)),
        *(b"\xff" * n + bytes([last]) for n in range(12) for last in (0, 1, 2, 3, 0x7F, 0x80)),
    ]
    for kind in ("long", "int"):
        both(key_of(kind), None, [b"\0\0\0\0\1" + datum for datum in body])


def test_a_truth_value_that_is_neither_is_left_to_the_reference() -> None:
    messages = [b"\0\0\0\0\1" + bytes([value]) for value in range(256)]
    assert both(key_of("boolean"), None, messages).asked == 254


def test_only_the_operation_d_is_a_delete() -> None:
    messages = [
        debezium.wire(1, VALUE, debezium.event(row(1, name="before"), op="d") | {"op": op})
        for op in ("d", "dd", "", "D", "c")
    ]
    assert both(VALUE, Shape.ROWS, messages).asked == 0


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_any_schema_and_any_damage_is_judged_as_by_fastavro(seed: int) -> None:
    chance = random.Random(seed)
    schema = any_schema(chance)
    messages = [any_message(schema, chance, number) for number in range(12)]
    both(schema, Shape.ROWS, [damaged(one, chance) if chance.random() < 0.4 else one for one in messages])


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32))
def test_any_list_and_any_damage_is_judged_as_by_fastavro(seed: int) -> None:
    chance = random.Random(seed)
    ends = [any_end(chance) for _ in range(12)]
    both(
        TRANSACTION_VALUE,
        Shape.TRANSACTIONS,
        [damaged(end, chance) if chance.random() < 0.4 else end for end in ends],
    )


def test_a_decoder_that_is_not_compiled_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    library._library.cache_clear()
    try:
        with pytest.raises(UnreachableError, match=r"consumers/avro/decode\.c is not compiled") as caught:
            NativeDecoder(FastavroDecoder()).decode(schema_of(VALUE), Shape.ROWS, events(1))
    finally:
        library._library.cache_clear()
    assert caught.value.todo == "make setup"
