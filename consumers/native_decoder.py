"""The fast decoder: messages become Arrow in native code at once (`consumers/avro`), many times as fast as by fastavro.

fastavro stays the judge: it decodes the schemas that the native code does not know, and every message that it refuses.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from consumers.avro.layout import UnsupportedError
from consumers.avro.library import decode
from consumers.avro.program import Program, compiled
from consumers.decoder import Decoded, Decoder
from consumers.streams import Shape
from consumers.writer_schema import WireColumn, WriterSchema

_MOST = 2**31 - 1  # bytes that the offsets of one Arrow array can name


class NativeDecoder:
    """Gives what `reference` gives, faster. Keeps the programs of the schemas it met."""

    def __init__(self, reference: Decoder) -> None:
        self._reference = reference
        self._programs: dict[tuple[int, Shape | None], Program | None] = {}

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        columns = schema.wire_columns(shape)
        program = self._program(schema, shape, columns)
        if program is None or not messages:
            return self._reference.decode(schema, shape, messages)
        if len(messages) > 1 and sum(map(len, messages)) > _MOST:
            return self._halved(schema, shape, messages)
        arrays, refused = decode(program, [column.type for column in columns], messages)
        table = pa.table(arrays, names=[column.name for column in columns])
        if not any(refused):
            return Decoded(table, list(range(len(messages))), {})
        left = [index for index, one in enumerate(refused) if one]
        judged = self._reference.decode(schema, shape, [messages[index] for index in left])
        taken = [index for index, one in enumerate(refused) if not one]
        bad = {left[index]: text for index, text in judged.bad.items()}
        if not judged.good:
            return Decoded(table, taken, bad)
        good = taken + [left[index] for index in judged.good]
        order = sorted(range(len(good)), key=good.__getitem__)
        both = pa.concat_tables([table, judged.table]).take(pa.array(order, pa.int64()))
        return Decoded(both, sorted(good), bad)

    def _program(self, schema: WriterSchema, shape: Shape | None, columns: tuple[WireColumn, ...]) -> Program | None:
        """What to do with datums of this schema; None when the native code must not see them."""
        known = (schema.id, shape)
        if known not in self._programs:
            try:
                self._programs[known] = compiled(schema.parsed, columns)
            except UnsupportedError:
                self._programs[known] = None
        return self._programs[known]

    def _halved(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        middle = len(messages) // 2
        first = self.decode(schema, shape, messages[:middle])
        second = self.decode(schema, shape, messages[middle:])
        return Decoded(
            pa.concat_tables([first.table, second.table]),
            first.good + [middle + index for index in second.good],
            first.bad | {middle + index: text for index, text in second.bad.items()},
        )
