"""The positions of a raw table: read, claimed and moved. Every writer holds the table's lock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

from psycopg2.sql import SQL, Composable

from warehouse.session import Session
from warehouse.statements import table
from waybill.errors import StaleOwner, WaybillError
from waybill.objects import StoredBatch
from waybill.positions import Position
from waybill.raw import RAW_SCHEMA, positions_table

Place = tuple[str, int]


def name_of(raw: str) -> Composable:
    """The positions table of a raw table."""
    return table(RAW_SCHEMA, positions_table(raw))


def read(session: Session, raw: str) -> list[Position]:
    """All of a raw table."""
    rows = session.rows(
        SQL(
            "SELECT topic, topic_id, kafka_partition, generation, epoch, next_offset, owner FROM {}"
            " ORDER BY topic, kafka_partition"
        ).format(name_of(raw)),
        doing=f"reading the positions of {raw}",
    )
    return [Position(*row.values()) for row in rows]


def claim(session: Session, raw: str, asked: Sequence[Position], owner: str, least_epoch: int) -> list[Position]:
    """Raise the epochs, under the lock. A partition without a position gets the one asked for."""
    known = {(p.topic, p.partition): p for p in read(session, raw)}
    claimed = []
    for wanted in asked:
        found = known.get((wanted.topic, wanted.partition))
        base = found or wanted
        if base.topic_id != wanted.topic_id:
            raise StaleOwner(f"{raw}: the position of {wanted.topic} partition {wanted.partition} was reset meanwhile")
        epoch = max(base.epoch, least_epoch) + 1
        values = {
            "topic": base.topic, "topic_id": base.topic_id, "partition": base.partition, "owner": owner,
            "generation": base.generation, "epoch": epoch, "next_offset": base.next_offset,
        }  # fmt: skip
        session.run(
            SQL(
                "UPDATE {} SET epoch = %(epoch)s, owner = %(owner)s, updated_at = timezone('UTC', clock_timestamp())"
                " WHERE topic = %(topic)s AND kafka_partition = %(partition)s"
                if found
                else "INSERT INTO {} (topic, topic_id, kafka_partition, generation, epoch, next_offset, owner) VALUES"
                " (%(topic)s, %(topic_id)s, %(partition)s, %(generation)s, %(epoch)s, %(next_offset)s, %(owner)s)"
            ).format(name_of(raw)),
            values,
            doing=f"claiming {wanted.topic} partition {wanted.partition}",
        )
        claimed.append(
            Position(base.topic, base.topic_id, base.partition, base.generation, epoch, base.next_offset, owner)
        )
    return claimed


def chains(batches: Iterable[StoredBatch]) -> dict[Place, list[StoredBatch]]:
    """Batches by partition. Raises `WaybillError` when those of one partition do not follow each other."""
    found: dict[Place, list[StoredBatch]] = {}
    for batch in batches:
        found.setdefault((batch.topic, batch.partition), []).append(batch)
    for chain in found.values():
        for before, after in pairwise(chain):
            if before.next_offset != after.first_offset or before.epoch != after.epoch:
                raise WaybillError(
                    f"batches of {before.topic} partition {before.partition} do not follow each other:"
                    f" one ends before offset {before.next_offset}, the next begins at {after.first_offset}"
                )
    return found


def stale(found: dict[Place, list[StoredBatch]], known: Iterable[Position]) -> dict[Place, StaleOwner]:
    """Partitions whose position is not where, or not whose, their first batch says."""
    positions = {(p.topic, p.partition): p for p in known}
    refused: dict[Place, StaleOwner] = {}
    for place, chain in found.items():
        first, position = chain[0], positions.get(place)
        if position is None:
            refused[place] = StaleOwner(f"{place[0]} partition {place[1]} has no position in the warehouse any more")
        elif (position.topic_id, position.generation, position.epoch, position.next_offset) != (
            first.topic_id, first.generation, first.epoch, first.first_offset,
        ):  # fmt: skip
            refused[place] = StaleOwner(
                f"{place[0]} partition {place[1]} belongs to {position.owner} now (epoch {position.epoch}, at offset"
                f" {position.next_offset}; this consumer had epoch {first.epoch}, at {first.first_offset})",
                kept="nothing was loaded twice; whoever owns it goes on from there",
            )
    return refused


def move(session: Session, raw: str, chain: Sequence[StoredBatch]) -> bool:
    """Compare and set: from where the first batch begins to where the last ends. False when it did not stand there."""
    first, last = chain[0], chain[-1]
    touched = session.run(
        SQL(
            "UPDATE {} SET next_offset = %s, updated_at = timezone('UTC', clock_timestamp())"
            " WHERE topic = %s AND topic_id = %s AND kafka_partition = %s AND generation = %s AND epoch = %s"
            " AND next_offset = %s"
        ).format(name_of(raw)),
        (
            last.next_offset, first.topic, first.topic_id, first.partition, first.generation, first.epoch,
            first.first_offset,
        ),
        doing=f"moving the position of {first.topic} partition {first.partition}",
    )  # fmt: skip
    return touched == 1
