"""Says of a message whether it is bad, without the product's code: fastavro, and what the raw table's columns hold.

Bad is what fastavro refuses, what names another table, row or transaction than it should, and what no column of its
raw table can hold.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import fastavro

GTID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:([a-z_][a-z0-9_]*:)?[1-9][0-9]{0,18}")
LONG = 2**63
_PREFIX = "__debezium.source.column."
_TEXTS = {"TINYTEXT": 255, "TEXT": 65_535, "ENUM": 255}  # MySQL's own limits
_BITS = {"smallint": 16, "integer": 32, "bigint": 64}


class Bad(Exception):
    """Why a message is bad."""


class Oracle:
    """`schemas` are the registry's by id; `columns` the raw table's: name -> (type, length, precision, scale)."""

    def __init__(self, schemas: Mapping[int, str], columns: Mapping[str, tuple[Any, ...]], table: str) -> None:
        self._declared = {number: json.loads(text) for number, text in schemas.items()}
        self._parsed: dict[int, Any] = {}
        self._columns, self._table = columns, table

    def verdict(self, key: bytes | None, value: bytes | None) -> str:
        """'' when the message must be loaded, else why it is bad."""
        try:
            schema, record = self._read("value", value)
            self._envelope(schema, record)
            row = record["before"] if record["op"] == "d" else record["after"]
            self._key(key, row)
            self._transaction(record)
            self._values(schema, record, row)
        except Bad as error:
            return str(error)
        return ""

    def _read(self, what: str, data: bytes | None) -> tuple[Any, Any]:
        if data is None or len(data) < 5 or data[0] != 0:
            raise Bad(f"{what}: no header")
        number = int.from_bytes(data[1:5], "big")
        stream = io.BytesIO(data)
        stream.seek(5)
        try:
            if number not in self._parsed:
                self._parsed[number] = fastavro.parse_schema(json.loads(json.dumps(self._declared[number])))
            record = fastavro.schemaless_reader(stream, self._parsed[number], None)
        except Exception as error:
            raise Bad(f"{what}: fastavro refuses it: {error!r}") from error
        if stream.tell() != len(data):
            raise Bad(f"{what}: {len(data) - stream.tell()} bytes are left over")
        if what == "key":
            _within(self._declared[number], record)
        return self._declared[number], record

    def _envelope(self, schema: Any, record: Any) -> None:
        if not isinstance(record, dict) or not {"before", "after", "source", "transaction", "op"} <= record.keys():
            raise Bad("no row event")
        if record["op"] not in ("c", "u", "d", "r"):
            raise Bad(f"operation {record['op']!r}")
        source = record["source"]
        if f"{source['db']}.{source['table']}" != self._table:
            raise Bad(f"of {source['db']}.{source['table']}")

    def _key(self, key: bytes | None, row: Any) -> None:
        _, found = self._read("key", key)
        if not isinstance(found, dict) or not found:
            raise Bad("key: not of a row")
        for name, wanted in found.items():
            if not isinstance(row, dict) or name not in row or row[name] != wanted:
                raise Bad(f"key {name!r} is not the row's")

    def _transaction(self, record: Any) -> None:
        transaction, gtid = record["transaction"], record["source"]["gtid"]
        if record["op"] == "r":
            if transaction is not None:
                raise Bad("a snapshot row with a transaction")
            return
        if transaction is None or gtid is None or transaction["id"] != gtid:
            raise Bad("GTID and transaction id differ")
        if not GTID.fullmatch(gtid) or int(gtid.rpartition(":")[2]) >= LONG:
            raise Bad(f"no GTID: {gtid!r}")
        if transaction["data_collection_order"] < 1:
            raise Bad("no place in its transaction")

    def _values(self, schema: Any, record: Any, row: Any) -> None:
        source = record["source"]
        micros = source["ts_us"] if source["ts_us"] is not None else source["ts_ms"] * 1000
        _time(micros)
        if not -(2**31) <= source["row"] < 2**31:
            raise Bad(f"source.row is {source['row']}")
        for name, size in (("file", 255), ("snapshot", 32), ("gtid", 65_535)):
            if source[name] is not None and len(source[name]) > size:
                raise Bad(f"source.{name} of {len(source[name])} characters")
        fields = schema["fields"][0]["type"][1]["fields"]
        for field in fields:
            value = row[field["name"]]
            if value is None:
                continue
            inner = field["type"][1] if isinstance(field["type"], list) else field["type"]
            said = {k.removeprefix(_PREFIX): v for k, v in inner["connect.parameters"].items()}
            try:
                self._value(said, inner, value, self._columns[field["name"].lower()])
            except Bad as error:
                raise Bad(f"{field['name']}: {error}") from error

    def _value(self, said: Mapping[str, str], inner: Any, value: Any, column: tuple[Any, ...]) -> None:
        kind, length, precision, scale = column
        source = said["type"].upper()
        if source == "JSON":
            return  # a text that MySQL wrote; what it says is its own affair
        if kind in _BITS:
            if not -(2 ** (_BITS[kind] - 1)) <= value < 2 ** (_BITS[kind] - 1):
                raise Bad(f"{value} is no {kind}")
        elif kind == "numeric":
            _decimal(value if isinstance(value, str) else str(value % 2**64), precision, scale)
        elif kind == "date":
            _time(value * 86_400_000_000)
        elif kind == "timestamp without time zone":
            if isinstance(value, str):
                _iso(value)
            else:
                _time(value * (1 if inner["connect.name"].endswith("Micro" + "Timestamp") else 1000))
        elif isinstance(value, str):
            if length is not None and len(value) > length:
                raise Bad(f"{len(value)} characters in varchar({length})")
            if len(value) > _TEXTS.get(source, len(value)):
                raise Bad(f"{len(value)} characters in {source}")
            if source in ("CHAR", "VARCHAR") and len(value) > int(said["length"]):
                raise Bad(f"{len(value)} characters in {source}({said['length']})")


def _within(schema: Any, value: Any) -> None:
    """Avro's int has 32 bits and its long 64: fastavro reads larger ones too."""
    kind = schema["type"] if isinstance(schema, dict) else schema
    if isinstance(schema, list):
        for branch in [b for b in schema if b != "null"] if value is not None else ():
            _within(branch, value)
    elif isinstance(kind, dict | list):
        _within(kind, value)
    elif kind in ("int", "long") and isinstance(value, int):
        bits = 31 if kind == "int" else 63
        if not -(2**bits) <= value < 2**bits:
            raise Bad(f"{value} is no Avro {kind}")
    elif kind == "record" and isinstance(value, dict):
        for field in schema["fields"]:
            _within(field["type"], value.get(field["name"]))


def _time(micros: int) -> None:
    """MySQL's times, and every warehouse's, lie between the years 0 and 9999."""
    if not -62_167_219_200_000_000 <= micros < 253_402_300_800_000_000:
        raise Bad(f"{micros} microseconds are beyond the years 0 to 9999")


def _iso(text: str) -> None:
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z", text)
    try:
        if not found:
            raise ValueError
        datetime.fromisoformat(found.group(1)).replace(tzinfo=UTC)
    except ValueError:
        raise Bad(f"no time: {text!r}") from None


def _decimal(text: str, precision: int, scale: int) -> None:
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
        raise Bad(f"no decimal: {text!r}")
    whole, _, part = text.lstrip("-").partition(".")
    if len(part.rstrip("0")) > scale or len(whole.lstrip("0")) > precision - scale:
        raise Bad(f"{Decimal(text)} is no decimal({precision},{scale})")
