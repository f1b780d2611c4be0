"""The ledger of a raw table: one row a loaded micro-batch. What it names is loaded, what it does not name is not."""

from __future__ import annotations

from collections.abc import Sequence

from psycopg2.sql import SQL, Composable

from warehouse.session import Session
from warehouse.statements import table
from waybill.errors import WaybillError
from waybill.objects import StoredBatch
from waybill.raw import RAW_SCHEMA, ledger_table


def name_of(raw: str) -> Composable:
    """The ledger of a raw table."""
    return table(RAW_SCHEMA, ledger_table(raw))


def loaded_before(session: Session, raw: str, batches: Sequence[StoredBatch]) -> set[int]:
    """Ids of those batches that the ledger names already.

    Raises `WaybillError` when it names another batch by the same id.
    """
    if not batches:
        return set()
    rows = session.rows(
        SQL(
            "SELECT batch_id, object_key, topic, kafka_partition, first_offset, next_offset, row_count FROM {}"
            " WHERE batch_id IN %s"
        ).format(name_of(raw)),
        (tuple(batch.batch_id for batch in batches),),
        doing=f"asking the ledger of {raw}",
    )
    given = {batch.batch_id: batch for batch in batches}
    for row in rows:
        batch = given[row["batch_id"]]
        if tuple(row.values())[1:] != (
            batch.key, batch.topic, batch.partition, batch.first_offset, batch.next_offset, batch.rows,
        ):  # fmt: skip
            raise WaybillError(
                f"the ledger of {raw} knows batch {batch.batch_id} as another: {row}",
                kept="nothing was loaded",
                todo="restart the consumer: the batch is read again and gets a new id",
            )
    return {int(row["batch_id"]) for row in rows}


def write(session: Session, raw: str, batches: Sequence[StoredBatch]) -> None:
    """One row a batch that has rows or dead letters; one that only moves a position leaves none."""
    for batch in batches:
        if not batch.rows and not batch.dead_letters:
            continue
        session.run(
            SQL(
                "INSERT INTO {} (batch_id, object_key, topic, topic_id, kafka_partition, generation, epoch,"
                " first_offset, next_offset, row_count, dead_letters, size_bytes, sha256)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)"
            ).format(name_of(raw)),
            (
                batch.batch_id, batch.key, batch.topic, batch.topic_id, batch.partition, batch.generation,
                batch.epoch, batch.first_offset, batch.next_offset, batch.rows, batch.dead_letters, batch.size,
                batch.sha256,
            ),
            doing=f"writing the ledger of {raw}",
        )  # fmt: skip
