"""Envelopes with more in them than Debezium writes, and messages of them, for decoders that must agree."""

from __future__ import annotations

import copy
import random
from typing import Any

from tests.unit.consumers import debezium
from tests.unit.consumers.debezium import envelope
from tests.unit.consumers.parcel import COLUMNS, ID, NAMESPACE

_TEXTS = ["", "a", "waybill", "王 😀", "é" * 40, "x" * 300, "\0", "\u07ff\uffff\U0010ffff"]
_LONGS = [0, -1, 1, 63, 64, -65, 2**31 - 1, -(2**31), 2**63 - 1, -(2**63)]


def any_schema(chance: random.Random) -> dict[str, Any]:
    """An envelope of some columns of the parcel table in any order, with other fields strewn in."""
    columns = [ID, *chance.sample(COLUMNS[1:], chance.randrange(len(COLUMNS)))]
    schema = envelope(NAMESPACE, [_turned(copy.deepcopy(column), chance) for column in columns])
    for number in range(chance.randrange(4)):
        extra = {"name": f"extra{number}", "type": _type(chance, 3, f"Extra{number}")}
        schema["fields"].insert(chance.randrange(2, len(schema["fields"]) + 1), extra)
    return schema


def any_message(schema: dict[str, Any], chance: random.Random, number: int) -> bytes:
    """A good message of that schema, id 1."""
    names = {column["name"]: column["type"] for column in schema["fields"][0]["type"][1]["fields"]}
    image = {name: _value(kind, chance) for name, kind in names.items()}
    event = debezium.event(image, op=chance.choice("cudr"), number=number + 1)
    extras = {one["name"]: _value(one["type"], chance) for one in schema["fields"] if one["name"].startswith("extra")}
    return debezium.wire(1, schema, event | extras)


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


def _type(chance: random.Random, depth: int, name: str) -> Any:
    kinds = ["null", "boolean", "int", "long", "float", "double", "bytes", "string"]
    if depth:
        kinds += ["array", "map", "record", "optional"]
    match chance.choice(kinds):
        case "array":
            items = _type(chance, depth - 1, name + "I")
            # Of items without a byte a damaged count makes fastavro read for ever.
            return {"type": "array", "items": items if _has_bytes(items) else "long"}
        case "map":
            return {"type": "map", "values": _type(chance, depth - 1, name + "V")}
        case "record":
            fields = [
                {"name": f"f{n}", "type": _type(chance, depth - 1, f"{name}F{n}")} for n in range(chance.randrange(4))
            ]
            return {"type": "record", "name": name, "fields": fields}
        case "optional":
            inner = _type(chance, 0, name)
            return chance.sample(["null", inner], 2) if inner != "null" else "null"
        case kind:
            return kind


def _has_bytes(kind: Any) -> bool:
    if isinstance(kind, dict) and kind["type"] == "record":
        return any(_has_bytes(one["type"]) for one in kind["fields"])
    return bool(kind != "null")


def _value(kind: Any, chance: random.Random) -> Any:
    if isinstance(kind, list):
        return _value(chance.choice(kind), chance)
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
        case "array":
            return [_value(kind["items"], chance) for _ in range(chance.randrange(4))]
        case "map":
            return {f"k{n}": _value(kind["values"], chance) for n in range(chance.randrange(3))}
        case "record":
            return {one["name"]: _value(one["type"], chance) for one in kind["fields"]}
        case inner:
            return _value(inner, chance)
