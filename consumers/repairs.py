"""What to type when a table cannot go on: the position is moved by hand, then the source is read anew."""

from __future__ import annotations

from waybill.raw import RAW_SCHEMA, positions_table

READ_ANEW = (
    "then `waybill connect delete --offsets --yes` and `waybill connect apply` take a new first snapshot, and"
    " `waybill reconcile` names what still differs"
)


def go_on_at(raw: str, topic: str, partition: int, offset: int | str) -> str:
    """Leave out what lies before `offset`, under a new generation."""
    return (
        f"in the warehouse: UPDATE {RAW_SCHEMA}.{positions_table(raw)} SET next_offset = {offset}, generation ="
        f" generation + 1 WHERE topic = '{topic}' AND kafka_partition = {partition}; {READ_ANEW}"
    )


def begin_again(raw: str, topic: str) -> str:
    """Forget the positions of a topic that is not the one they belong to; the new one is read from its beginning."""
    return f"in the warehouse: DELETE FROM {RAW_SCHEMA}.{positions_table(raw)} WHERE topic = '{topic}'; {READ_ANEW}"


def begin_at(raw: str, topic: str, topic_id: str, partition: int, offset: int) -> str:
    """A first position for a partition whose beginning Kafka has dropped."""
    return (
        f"in the warehouse: INSERT INTO {RAW_SCHEMA}.{positions_table(raw)} (topic, topic_id, kafka_partition,"
        f" generation, epoch, next_offset, owner) VALUES ('{topic}', '{topic_id}', {partition}, 1, 0, {offset}, '');"
        f" {READ_ANEW}"
    )
