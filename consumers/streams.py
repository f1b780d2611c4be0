"""What is carried: one stream a topic, each into one raw table. Nothing here knows a table by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from consumers.settings import Batching


class Shape(Enum):
    """What the messages of a topic are."""

    ROWS = "row envelopes of one table"
    TRANSACTIONS = "BEGIN and END records"
    NOTIFICATIONS = "notifications"
    SCHEMA_CHANGES = "statements that change tables"


@dataclass(frozen=True, slots=True)
class Stream:
    """One topic and the raw table its messages go to.

    `name` is what people call it (`database.table`, or the topic for Debezium's own topics); `memory` is the
    most bytes of messages held at a time.
    """

    name: str
    raw: str
    topic: str
    shape: Shape
    batching: Batching
    memory: int
