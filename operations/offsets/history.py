"""What people did to positions, and which offsets that left out: the two tables of `ddl/014`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from warehouse.session import Session

Span = tuple[int, int]  # [first offset, next offset)


@dataclass(frozen=True, slots=True)
class Change:
    """A position moved by hand. Times UTC without zone."""

    change: str
    table_name: str
    raw_table: str
    topic: str
    kafka_partition: int
    from_topic_id: str
    from_offset: int | None
    from_generation: int
    to_topic_id: str
    to_offset: int
    generation: int
    asked: str
    events_skipped: int
    events_again: int
    changed_by: str
    reason: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Skipped:
    """Offsets left out by hand; `next_offset` None: to the end of a topic that is gone."""

    table_name: str
    raw_table: str
    topic: str
    topic_id: str
    kafka_partition: int
    first_offset: int
    next_offset: int | None
    generation: int
    why: str
    skipped_by: str
    skipped_at: datetime
    accepted_by: str
    accepted_reason: str
    accepted_at: datetime | None


_CHANGES = ", ".join(Change.__dataclass_fields__)
_SPANS = ", ".join(Skipped.__dataclass_fields__)


def changes(session: Session, tables: Sequence[str] = ()) -> list[Change]:
    """In the order they were made; `tables` are names as people call them, none means all."""
    rows = session.rows(
        f"SELECT {_CHANGES} FROM settlement_public.position_changes"
        " ORDER BY changed_at, table_name, kafka_partition, generation",
        doing="reading what positions were moved by hand",
    )
    return [change for change in (Change(**row) for row in rows) if not tables or change.table_name in tables]


def skipped(session: Session) -> list[Skipped]:
    """All that was ever left out, the accepted too."""
    rows = session.rows(
        f"SELECT {_SPANS} FROM settlement_public.skipped_spans"
        " ORDER BY table_name, kafka_partition, generation, first_offset",
        doing="reading the skipped spans",
    )
    return [Skipped(**row) for row in rows]


def accept(session: Session, spans: Iterable[Skipped], by: str, reason: str) -> int:
    """Write down that these stay unread; accepting again changes nothing. Answers how many were open."""
    count = 0
    with session.transaction():
        for span in spans:
            count += session.run(
                "UPDATE settlement_public.skipped_spans SET accepted_by = %s, accepted_reason = %s,"
                " accepted_at = timezone('UTC', clock_timestamp()) WHERE topic = %s AND topic_id = %s"
                " AND kafka_partition = %s AND first_offset = %s AND generation = %s AND accepted_at IS NULL",
                (by, reason, span.topic, span.topic_id, span.kafka_partition, span.first_offset, span.generation),
                doing=f"accepting a gap of {span.table_name}",
            )
    return count
