"""Many events from few: recorded envelopes with fresh keys, GTIDs, transaction ids and JSON texts.

Each recorded event is encoded once with marks of a fixed length in place of what must be fresh; making an event
is then replacing bytes, so that millions take seconds.
"""

from __future__ import annotations

import copy
import io
import json
import random
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import fastavro

from benchmarks.record import Recorded
from consumers.decoder import HEADER

TABLE = "kuaisong.ecs_order_info"
PER_TRANSACTION = 4
_ORDER_MARK = 2**42 + 0x2A5C3D1E7  # every number from here up to 2**48 takes as many bytes
_FIRST_ORDER = 2**43
_NUMBER_MARK, _FIRST_NUMBER = "987654321", 100_000_000
_SKU = re.compile(rb"SKU-\d{4}")


class Forged(NamedTuple):
    """One message to produce; `order` decides its partition, None for a message of the transaction topic."""

    key: bytes
    value: bytes
    order: int | None


class Forge:
    """`columns`: how many columns the table has; the recorded ones are cut, or repeated under other names."""

    def __init__(self, recorded: Recorded, columns: int = 0) -> None:
        first_key, first_value = recorded.events[0]
        same = [(k, v) for k, v in recorded.events if v[:HEADER] == first_value[:HEADER]]
        self.value_schema = recorded.schema_of(first_value)
        self.key_schema, self.end_schema = recorded.schema_of(first_key), recorded.schema_of(recorded.end[1])
        self.end_key_schema = recorded.schema_of(recorded.end[0])
        reading = fastavro.parse_schema(copy.deepcopy(self.value_schema))
        events = [_decode(reading, value) for _, value in same]
        self._events = [event for event in events if event["op"] in "cud"]
        self._names = self._widen(columns)
        end = _decode(fastavro.parse_schema(copy.deepcopy(self.end_schema)), recorded.end[1])
        self._end, self._uuid = end, end["id"].rpartition(":")[0]

    @property
    def fields(self) -> list[dict[str, Any]]:
        """The row's fields in the value's schema."""
        (found,) = [field for field in self.value_schema["fields"] if field["name"] == "before"]
        (record,) = [branch for branch in found["type"] if isinstance(branch, dict)]
        fields: list[dict[str, Any]] = record["fields"]
        return fields

    def _widen(self, columns: int) -> list[tuple[str, str]]:
        """(new name, recorded name) of every column."""
        fields = self.fields
        names = [(field["name"], field["name"]) for field in fields]
        if columns:
            originals = list(fields)
            for number in range(len(fields), columns):
                source = originals[1 + number % (len(originals) - 1)]
                text = json.dumps(source).replace(f'"{source["name"]}"', f'"{source["name"]}_{number}"')
                fields.append(json.loads(text))
                names.append((fields[-1]["name"], source["name"]))
            del fields[columns:], names[columns:]
        return names

    def messages(self, ids: dict[str, int], events: int, seed: int = 1) -> Iterator[Forged]:
        """`events` row events in transactions of four, each followed by its END. `ids`: of the registered schemas."""
        templates = [self._templates(event, ids) for event in self._events]
        end_key, end_value = self._end_template(ids)
        key_mark, number_mark = _long(_ORDER_MARK), f":{_NUMBER_MARK}".encode()
        chance = random.Random(seed)
        order, number = _FIRST_ORDER, _FIRST_NUMBER
        for made in range(0, events, PER_TRANSACTION):
            number += 1
            tail = f":{number}".encode()
            for place in range(min(PER_TRANSACTION, events - made)):
                order += 1
                key, values, has_sku = templates[chance.randrange(len(templates))]
                fresh = _long(order)
                value = values[place].replace(key_mark, fresh).replace(number_mark, tail)
                if has_sku:
                    value = _SKU.sub(b"SKU-%04d" % (order % 9973), value)
                yield Forged(key.replace(key_mark, fresh), value, order)
            yield Forged(end_key.replace(number_mark, tail), end_value.replace(number_mark, tail), None)

    def _templates(self, event: dict[str, Any], ids: dict[str, int]) -> tuple[bytes, list[bytes], bool]:
        marked = copy.deepcopy(event)
        for image in ("before", "after"):
            if marked[image] is not None:
                marked[image] = {new: marked[image][old] for new, old in self._names} | {"order_id": _ORDER_MARK}
        gtid = f"{self._uuid}:{_NUMBER_MARK}"
        marked["source"] |= {"gtid": gtid, "db": TABLE.partition(".")[0]}
        values = []
        for place in range(1, PER_TRANSACTION + 1):
            marked["transaction"] = {"id": gtid, "total_order": place, "data_collection_order": place}
            values.append(_encode(ids["value"], self.value_schema, marked))
        return _encode(ids["key"], self.key_schema, {"order_id": _ORDER_MARK}), values, b"SKU-" in values[0]

    def _end_template(self, ids: dict[str, int]) -> tuple[bytes, bytes]:
        gtid = f"{self._uuid}:{_NUMBER_MARK}"
        collections = [{"data_collection": TABLE, "event_count": PER_TRANSACTION}]
        end = self._end | {"id": gtid, "event_count": PER_TRANSACTION, "data_collections": collections}
        return (
            _encode(ids["end_key"], self.end_key_schema, {"id": gtid}), _encode(ids["end"], self.end_schema, end)
        )  # fmt: skip


def _decode(schema: Any, message: bytes) -> Any:
    data = io.BytesIO(message)
    data.seek(HEADER)
    return fastavro.schemaless_reader(data, schema, None)


def _encode(schema_id: int, schema: Any, datum: Any) -> bytes:
    data = io.BytesIO()
    fastavro.schemaless_writer(data, fastavro.parse_schema(copy.deepcopy(schema)), datum)
    return b"\0" + schema_id.to_bytes(4, "big") + data.getvalue()


def _long(number: int) -> bytes:
    """Avro's form of a long that is not negative."""
    left, found = number << 1, bytearray()
    while left > 0x7F:
        found.append(left & 0x7F | 0x80)
        left >>= 7
    found.append(left)
    return bytes(found)
