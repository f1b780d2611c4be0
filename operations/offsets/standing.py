"""Where partitions stand in the warehouse, with how long ago they last moved."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.sql import SQL

from consumers.messages import Place
from loaders import positions
from warehouse.session import Session


@dataclass(frozen=True, slots=True)
class Standing:
    """A position. `idle`: seconds since it last moved, by the warehouse's clock."""

    topic: str
    topic_id: str
    partition: int
    generation: int
    epoch: int
    next_offset: int
    owner: str
    idle: float

    @property
    def place(self) -> Place:
        return (self.topic, self.partition)


def read(session: Session, raw: str) -> dict[Place, Standing]:
    """Every partition's. Raises `SettingsError` when the raw table has no positions."""
    rows = session.rows(
        SQL(
            "SELECT topic, topic_id, kafka_partition, generation, epoch, next_offset, owner,"
            " CAST(extract(epoch FROM timezone('UTC', clock_timestamp()) - updated_at) AS double precision) AS idle"
            " FROM {} ORDER BY topic, kafka_partition"
        ).format(positions.name_of(raw)),
        doing=f"reading the positions of {raw}",
    )
    found = [Standing(*row.values()) for row in rows]
    return {each.place: each for each in found}
