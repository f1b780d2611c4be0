"""Where in memory the native decoder puts what is wanted of a datum.

A *place* is one column of values, a *frame* the columns of one length: the messages have frame 0, the items of each
list one of their own. The wire columns have the first places, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import pyarrow as pa

from consumers.writer_schema import WireColumn


class UnsupportedError(Exception):
    """A schema, or a column of it, that the native decoder does not know."""


class Kind(IntEnum):
    """How a place's values lie in memory; the numbers of `decode.c`."""

    BOOLEAN = 1
    INT = 2
    LONG = 3
    FLOAT = 4
    DOUBLE = 5
    TEXT = 6
    LIST = 7
    RECORD = 8


_KINDS = {
    pa.bool_(): (Kind.BOOLEAN, "boolean"),
    pa.int32(): (Kind.INT, "int"),
    pa.int64(): (Kind.LONG, "long"),
    pa.float32(): (Kind.FLOAT, "float"),
    pa.float64(): (Kind.DOUBLE, "double"),
    pa.string(): (Kind.TEXT, "string"),
    pa.binary(): (Kind.TEXT, "bytes"),
}


@dataclass
class Wanted:
    """What is wanted of a part of the schema; nothing, unless said.

    `place` is that of a value or list, `avro` the type that the value must have, `fields` are a record's, `present` the
    place that tells whether the record stands there, `items` what is wanted of each item of a list.
    """

    place: int = -1
    avro: str = ""
    fields: dict[str, Wanted] = field(default_factory=dict)
    present: int = -1
    items: Wanted | None = None


@dataclass(frozen=True)
class Place:
    """`frame` is the frame it belongs to, `items` that of a list's items."""

    kind: Kind
    frame: int = 0
    items: int = 0


@dataclass
class Layout:
    """`frames` are (first place, number of places). `row` is what is wanted of an image, where a row has images;
    `operation` and `after` are then the places of the operation and of whether the image after stands there."""

    places: list[Place] = field(default_factory=list)
    frames: list[tuple[int, int]] = field(default_factory=list)
    wanted: Wanted = field(default_factory=Wanted)
    row: Wanted | None = None
    operation: int = 0
    after: int = 0

    @staticmethod
    def of(columns: Sequence[WireColumn]) -> Layout:
        """Raises `UnsupportedError` for a column that is neither a value nor a list of records of values."""
        made = Layout()
        leaves = [Wanted(number) for number in range(len(columns))]
        for column, leaf in zip(columns, leaves, strict=True):
            made.places.append(Place(Kind.LIST))
            if not pa.types.is_list(column.type):
                made.places[-1], leaf.avro = _value(column.type, 0)
        images = {c.path[1]: leaf for c, leaf in zip(columns, leaves, strict=True) if _of_image(c)}
        for column, leaf in zip(columns, leaves, strict=True):
            if not _of_image(column):
                block = made.wanted
                for name in column.path[:-1]:
                    block = block.fields.setdefault(name, Wanted())
                block.fields[column.path[-1]] = leaf
        if images:
            operation = made.wanted.fields.get("op", Wanted())
            if operation.avro != "string":
                raise UnsupportedError
            made.operation, made.after = operation.place, len(made.places)
            made.places.append(Place(Kind.RECORD))
            made.row = Wanted(fields=images)
            made.wanted.fields["after"] = Wanted(fields=images, present=made.after)
        made.frames.append((0, len(made.places)))
        for column, leaf in zip(columns, leaves, strict=True):
            if pa.types.is_list(column.type):
                leaf.items = made._items(leaf.place, column.type.value_type)
        return made

    def _items(self, place: int, items: pa.DataType) -> Wanted:
        """Lays out the frame of a list: whether its item stands there, then the item's fields."""
        if not pa.types.is_struct(items):
            raise UnsupportedError
        frame, first = len(self.frames), len(self.places)
        self.places[place] = Place(Kind.LIST, 0, frame)
        self.places.append(Place(Kind.RECORD, frame))
        wanted = Wanted(present=first)
        for one in items:
            at, avro = _value(one.type, frame)
            wanted.fields[one.name] = Wanted(len(self.places), avro)
            self.places.append(at)
        self.frames.append((first, len(self.places) - first))
        return wanted


def _of_image(column: WireColumn) -> bool:
    """A column of the row; one of a key may be called `row` itself."""
    return len(column.path) > 1 and column.path[0] == "row"


def _value(kind: pa.DataType, frame: int) -> tuple[Place, str]:
    if kind not in _KINDS:
        raise UnsupportedError
    found, avro = _KINDS[kind]
    return Place(found, frame), avro
