"""Envelopes with more in them than Debezium writes, and messages of them, for decoders that must agree."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import TRANSACTION_VALUE, envelope
from tests.unit.consumers.parcel import COLUMNS, ID, NAMESPACE

_TEXTS = ["", "a", "waybill", "王 😀", "é" * 40, "x" * 300, "\0", "\u07ff\uffff\U0010ffff"]
_LONGS = [0, -1, 1, 63, 64, -65, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)]
_PLAIN = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]


def any_schema(chance: random.Random, strange: bool = True) -> dict[str, Any]:
    """An envelope of some columns of the parcel table in any order, with other fields strewn in.

    Some of those the native decoder does not know; none when not `strange`.
    """
    columns = [ID, *chance.sample(COLUMNS[1:], chance.randrange(len(COLUMNS)))]
    schema = envelope(NAMESPACE, [_turned(copy.deepcopy(column), chance) for column in columns])
    extras = _Extras(chance, strange)
    place = 2
    for number in range(chance.randrange(5)):
        place = chance.randrange(place, len(schema["fields"]) + 1)
        schema["fields"].insert(place, {"name": f"extra{number}", "type": extras.kind(3)})
        place += 1
    return schema


def any_message(schema: dict[str, Any], chance: random.Random, number: int) -> bytes:
    """A good message of that schema, id 1."""
    values = _Values(chance)
    names = {column["name"]: column["type"] for column in schema["fields"][0]["type"][1]["fields"]}
    image = {name: values.of(kind) for name, kind in names.items()}
    event = debezium.event(image, op=chance.choice("cudr"), number=number + 1)
    extras = {one["name"]: values.of(one["type"]) for one in schema["fields"] if one["name"].startswith("extra")}
    return debezium.wire(1, schema, event | extras)


def any_end(chance: random.Random) -> bytes:
    """A good END record of some tables, some of them missing or without a name."""
    found = [
        chance.choice([None, {"data_collection": chance.choice(_TEXTS), "event_count": chance.choice(_LONGS)}])
        for _ in range(chance.choice([0, 1, 2, 9, 700]))
    ]
    end = {"status": "END", "id": "i", "event_count": 1, "data_collections": chance.choice([None, found]), "ts_ms": 1}
    return debezium.wire(1, TRANSACTION_VALUE, end)


def damaged(good: bytes, chance: random.Random) -> bytes:
    """The message after one of the things that can happen to bytes; its header is left whole."""
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
            place = chance.randrange(5, len(body))
            body[place:place] = chance.choice([b"\x80", b"\xff", b"\xed\xa0\x80", b"\0", b"\x02"])
        case _:
            body[5:] = b""
    return bytes(body)


def _turned(column: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A column that may be NULL says so first or last."""
    if isinstance(column["type"], list) and chance.random() < 0.3:
        column["type"].reverse()
        del column["default"]
    return column


class _Extras:
    """Types of any kind, some of them names of records that were declared before."""

    def __init__(self, chance: random.Random, strange: bool) -> None:
        self._chance = chance
        self._strange = strange
        self._made = 0
        self._records: list[str] = []

    def kind(self, depth: int) -> Any:
        kinds = list(_PLAIN)
        if depth:
            kinds += ["array", "map", "record", "optional"] * 2
        if self._records:
            kinds += ["name"] * 2
        if self._strange and self._chance.random() < 0.1:
            kinds = ["enum", "fixed", "logical", "union"]
        match self._chance.choice(kinds):
            case "array":
                # Of items without a byte a damaged count makes fastavro read for ever.
                return {"type": "array", "items": self._solid(depth - 1)}
            case "map":
                return {"type": "map", "values": self.kind(depth - 1)}
            case "record":
                return self._record(depth - 1)
            case "optional":
                return self._chance.sample(["null", self._solid(depth - 1, union=False)], 2)
            case "name":
                return self._chance.choice(self._records)
            case "enum":
                return {"type": "enum", "name": self._name(), "symbols": ["LOW", "HIGH"]}
            case "fixed":
                return {"type": "fixed", "name": self._name(), "size": 3}
            case "logical":
                return {"type": "int", "logicalType": "date"}
            case "union":
                return ["null", "long", "string"]
            case kind:
                return kind

    def _name(self) -> str:
        self._made += 1
        return f"N{self._made}"

    def _record(self, depth: int) -> dict[str, Any]:
        name, space = self._name(), self._chance.choice(["one", "two.three"])
        fields = [{"name": "f", "type": "long"}]
        fields += [{"name": f"f{n}", "type": self.kind(depth)} for n in range(self._chance.randrange(4))]
        # Known by its full name once it is complete.
        self._records.append(f"{space}.{name}")
        return {"type": "record", "name": name, "namespace": space, "fields": fields}

    def _solid(self, depth: int, union: bool = True) -> Any:
        """A type that has bytes, and is none of a union where it stands in one."""
        known = list(self._records)
        while True:
            self._records = list(known)
            kind = self.kind(depth)
            if kind != "null" and (union or not isinstance(kind, list)):
                return kind


class _Values:
    """Values of any type; records by name are remembered where they were declared."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._named: dict[str, Any] = {}

    def of(self, kind: Any) -> Any:
        chance = self._chance
        if isinstance(kind, str) and "." in kind:
            kind = self._named[kind]
        if isinstance(kind, list):
            self._declare(kind)
            return self.of(chance.choice(kind))
        match kind["type"] if isinstance(kind, dict) else kind:
            case "null":
                return None
            case "boolean":
                return chance.random() < 0.5
            case "int":
                return chance.choice([n for n in _LONGS if -(2**31) <= n < 2**31])
            case "long":
                return chance.choice(_LONGS)
            case "float":
                return chance.choice([0.0, 0.5, -1.5e10])
            case "double":
                return chance.choice([0.0, -0.0, 1e-300, 0.1])
            case "bytes":
                return chance.randbytes(chance.randrange(9))
            case "string":
                return chance.choice(_TEXTS)
            case "enum":
                return chance.choice(kind["symbols"])
            case "fixed":
                return chance.randbytes(kind["size"])
            case "array":
                self._declare(kind["items"])
                return [self.of(kind["items"]) for _ in range(chance.randrange(4))]
            case "map":
                self._declare(kind["values"])
                return {f"k{n}": self.of(kind["values"]) for n in range(chance.randrange(3))}
            case "record":
                self._declare(kind)
                return {one["name"]: self.of(one["type"]) for one in kind["fields"]}
            case inner:
                return self.of(inner)

    def _declare(self, kind: Any) -> None:
        """Remember every record in it, also of what no value is made of."""
        if isinstance(kind, list):
            for branch in kind:
                self._declare(branch)
        elif isinstance(kind, dict):
            for inner in ("items", "values"):
                self._declare(kind.get(inner))
            for one in kind.get("fields", ()):
                self._declare(one["type"])
            if kind["type"] == "record" and "namespace" in kind:
                self._named[f"{kind['namespace']}.{kind['name']}"] = kind
