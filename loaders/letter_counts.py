"""How many dead letters wait for a decision, by the ledger and the decisions alone: no letter is read in Kafka."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from psycopg2.sql import SQL

from loaders import ledger
from loaders.decisions import DROPPED, SET_ASIDE
from warehouse.session import Session

_Place = tuple[str, str, int]


class OpenLetters(NamedTuple):
    """Of one raw table. `certain` is False where a re-read cut through a batch with letters: on which side of the cut
    they lie, only the letters themselves say."""

    number: int
    certain: bool = True


class _Batch(NamedTuple):
    generation: int
    first: int
    end: int
    undecided: int


def waiting(session: Session, raw: str) -> OpenLetters:
    """Letters of loaded batches that nobody decided on and no later generation has read again."""
    batches: dict[_Place, list[_Batch]] = defaultdict(list)
    for row in session.rows(
        SQL(
            "SELECT l.topic, l.topic_id, l.kafka_partition, l.generation, l.first_offset, l.next_offset,"
            " l.dead_letters - count(DISTINCT d.kafka_offset) AS undecided"
            " FROM {} l LEFT JOIN settlement_public.dead_letter_decisions d ON d.topic = l.topic"
            " AND d.topic_id = l.topic_id AND d.kafka_partition = l.kafka_partition"
            " AND d.kafka_offset >= l.first_offset AND d.kafka_offset < l.next_offset AND d.decision <> %s"
            " WHERE l.dead_letters > 0 AND l.epoch > 0 GROUP BY l.batch_id, l.topic, l.topic_id, l.kafka_partition,"
            " l.generation, l.first_offset, l.next_offset, l.dead_letters"
        ).format(ledger.name_of(raw)),
        (SET_ASIDE,),
        doing=f"counting the dead letters of {raw}",
    ):
        *place, generation, first, end, undecided = row.values()
        if undecided > 0:
            batches[tuple(place)].append(_Batch(generation, first, end, undecided))
    if not batches:
        return OpenLetters(0)
    read = _read(session, raw)
    found = [_left(batch, read[place]) for place, ones in batches.items() for batch in ones]
    return OpenLetters(sum(one.number for one in found), all(one.certain for one in found))


def unreconciled(session: Session) -> dict[str, int]:
    """By table, letters that were dropped and whose table was not found equal to MySQL since."""
    rows = session.rows(
        "SELECT table_name, count(*) AS n FROM settlement_public.dead_letter_decisions"
        " WHERE decision = %s AND reconciled_at IS NULL GROUP BY table_name",
        (DROPPED,),
        doing="counting the dropped letters",
    )
    return {row["table_name"]: int(row["n"]) for row in rows}


def _read(session: Session, raw: str) -> dict[_Place, dict[int, tuple[int, int]]]:
    """By partition and generation, the offsets from the first batch's begin to the last one's end."""
    found: dict[_Place, dict[int, tuple[int, int]]] = defaultdict(dict)
    for row in session.rows(
        SQL(
            "SELECT topic, topic_id, kafka_partition, generation, min(first_offset) AS a, max(next_offset) AS b"
            " FROM {} WHERE epoch > 0 GROUP BY topic, topic_id, kafka_partition, generation"
        ).format(ledger.name_of(raw)),
        doing=f"asking the ledger of {raw}",
    ):
        found[row["topic"], row["topic_id"], row["kafka_partition"]][row["generation"]] = (row["a"], row["b"])
    return found


def _left(batch: _Batch, read: dict[int, tuple[int, int]]) -> OpenLetters:
    later = [span for generation, span in read.items() if generation > batch.generation]
    if any(first <= batch.first and batch.end <= end for first, end in later):
        return OpenLetters(0)
    cut = any(first < batch.end and batch.first < end for first, end in later)
    return OpenLetters(batch.undecided, not cut)
