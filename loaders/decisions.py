"""What people decided about bad messages: read and written beside the raw tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg2.sql import SQL

from loaders import positions
from warehouse.session import Session
from waybill.positions import Origin

SET_ASIDE, REDRIVEN, DROPPED = "set aside", "redriven", "dropped"


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. `to_reconcile` is 'key', 'table' or ''; times in UTC, `at` None before it is written."""

    origin: Origin
    decision: str
    table: str
    by: str
    reason: str
    message_at: datetime
    row_key: str = ""
    to_reconcile: str = ""
    batch_id: int | None = None
    at: datetime | None = None
    reconciled_at: datetime | None = None


def latest(session: Session, *, but: str = SET_ASIDE) -> dict[Origin, Decision]:
    """The last decision about every letter. Those of the kind `but` are decisions about no letter yet."""
    rows = session.rows(
        "SELECT topic, topic_id, kafka_partition, kafka_offset, decision, table_name, decided_by, reason, message_at,"
        " row_key, to_reconcile, batch_id, decided_at, reconciled_at FROM settlement_public.dead_letter_decisions"
        " WHERE decision <> %s ORDER BY decided_at",
        (but,),
        doing="reading the decisions about dead letters",
    )
    found = [tuple(row.values()) for row in rows]
    return {Origin(*row[:4]): Decision(Origin(*row[:4]), *row[4:]) for row in found}


def write(session: Session, decisions: Iterable[Decision]) -> None:
    """One row each."""
    for one in decisions:
        session.run(
            "INSERT INTO settlement_public.dead_letter_decisions (topic, topic_id, kafka_partition, kafka_offset,"
            " decision, table_name, decided_by, reason, message_at, row_key, to_reconcile, batch_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                *one.origin, one.decision, one.table, one.by, one.reason, one.message_at,
                one.row_key, one.to_reconcile, one.batch_id,
            ),
            doing="recording a decision about a dead letter",
        )  # fmt: skip


def reconciled(session: Session, tables: Sequence[str], cut_at: datetime) -> int:
    """These tables were found equal to MySQL at a cut: drops of messages before it are reconciled. How many."""
    if not tables:
        return 0
    return session.run(
        "UPDATE settlement_public.dead_letter_decisions SET reconciled_at = timezone('UTC', clock_timestamp())"
        " WHERE decision = %s AND reconciled_at IS NULL AND table_name IN %s AND message_at < %s",
        (DROPPED, tuple(tables), cut_at),
        doing="recording that dropped letters were reconciled",
    )


class SetAside:
    """What a consumer asks when the registry does not know a schema id. A session of its own, opened for each question:
    it is asked seldom, and from any thread."""

    def __init__(self, connect: Callable[[], Session]) -> None:
        self._connect = connect

    def set_aside(self, raw: str, topic: str, partition: int, offsets: Sequence[int]) -> Mapping[int, str]:
        """Those that a person said to set aside, of the topic that the position belongs to."""
        if not offsets:
            return {}
        with self._connect() as session:
            rows = session.rows(
                SQL(
                    "SELECT d.kafka_offset, d.decided_by, d.reason FROM settlement_public.dead_letter_decisions d"
                    " JOIN {} p ON p.topic = d.topic AND p.topic_id = d.topic_id"
                    " AND p.kafka_partition = d.kafka_partition"
                    " WHERE d.decision = %s AND d.topic = %s AND d.kafka_partition = %s AND d.kafka_offset IN %s"
                ).format(positions.name_of(raw)),
                (SET_ASIDE, topic, partition, tuple(offsets)),
                doing="asking which messages are to be set aside",
            )
        return {row["kafka_offset"]: f"{row['decided_by']}: {row['reason']}" for row in rows}
