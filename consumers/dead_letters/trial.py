"""A dead letter before the decoder as it is now: is it still bad, and which row is it about?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from fastavro.schema import SchemaParseException

from consumers.dead_letters.letters import Letter
from consumers.dead_letters.partial import Partial, partial
from consumers.decoder import HEADER
from consumers.decoding import DecodedBatch, Decoding
from consumers.messages import Bytes, Messages, MicroBatch
from consumers.ports import Schemas
from consumers.streams import Stream
from consumers.writer_schema import WriterSchema, WrongSchemaError
from waybill.errors import StoppedTable, UnknownSchema


@dataclass(frozen=True)
class Verdict:
    """`decoded` when the message is good now; else `error` says why it is refused."""

    decoded: DecodedBatch | None
    error: str = ""


@dataclass(frozen=True)
class Opened:
    """A letter's parts as far as they can be read; None where a part has none or its schema is not to be had."""

    key: Partial | None
    value: Partial | None

    @property
    def row_key(self) -> str:
        """The row it is about, as JSON; '' when that is not certain."""
        if self.key is None or self.key.problem or not isinstance(self.key.found, dict) or not self.key.found:
            return ""
        image = _image(self.value.found if self.value else None)
        if any(name in image and image[name] != wanted for name, wanted in self.key.found.items()):
            return ""
        return json.dumps(self.key.found, default=repr, ensure_ascii=False)


class Trial:
    """Decodes single letters. `decoding` must have no bounds, and no memory of unknown ids."""

    def __init__(self, decoding: Decoding, schemas: Schemas) -> None:
        self._decoding, self._schemas = decoding, schemas

    def verdict(self, stream: Stream, letter: Letter) -> Verdict:
        """Raises `UnreachableError` when the registry is down."""
        message = letter.message
        batch = MicroBatch(message.offset, message.offset + 1, Messages.of([message]), 0)
        try:
            decoded = self._decoding.decode(stream, letter.origin.partition, batch)
        except UnknownSchema as error:
            return Verdict(None, error.what)
        except StoppedTable as error:
            return Verdict(None, f"it would stop the table: {error.what}")
        if decoded.letters:
            return Verdict(None, decoded.letters[0].error)
        return Verdict(decoded)

    def opened(self, letter: Letter) -> Opened:
        """Raises `UnreachableError` when the registry is down."""
        return Opened(self._part(letter.key), self._part(letter.value))

    def _part(self, data: Bytes) -> Partial | None:
        if data is None or len(data) < HEADER or data[0] != 0:
            return None
        try:
            schema_id = int.from_bytes(data[1:HEADER], "big")
            return partial(WriterSchema(schema_id, self._schemas.text(schema_id)), data)
        except (UnknownSchema, WrongSchemaError, ValueError, SchemaParseException):
            return None


def _image(record: Any) -> dict[str, Any]:
    """The row of an envelope, as far as it was read."""
    if not isinstance(record, dict):
        return {}
    found = record.get("after") or record.get("before")
    return found if isinstance(found, dict) else {}
