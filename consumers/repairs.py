"""What to type when a table cannot go on: the position is moved by hand, then the source is read anew.

Each moves to a place under a new generation, remembers what it leaves out (`waybill offsets gaps`), and is refused
while it is not said that events may be left out, which is why `--skip` stands here.
"""

from __future__ import annotations


def go_on_at(table: str, partition: int, offset: int | str) -> str:
    """Leave out what lies before `offset` (or before `beginning`, what Kafka still has)."""
    return f"waybill offsets reset --table {table} --partition {partition} --to {offset} --skip --reason TEXT"


def read_again(table: str, partition: int) -> str:
    """Read all that Kafka has once more: what is loaded already changes nothing."""
    return (
        f"waybill offsets reset --table {table} --partition {partition} --to beginning --skip --reason TEXT reads again"
        f" all that Kafka has; {read_anew(table)}"
    )


def begin_again(table: str) -> str:
    """All partitions of a topic that is not the one their positions belong to."""
    return f"waybill offsets reset --table {table} --to beginning --skip --reason TEXT; {read_anew(table)}"


def begin_at(table: str, partition: int) -> str:
    """A first position for a partition whose beginning Kafka has dropped."""
    return f"waybill offsets seed --table {table} --partition {partition} --to beginning --skip --reason TEXT"


def read_anew(table: str) -> str:
    """How events that are nowhere any more are made up for."""
    return (
        "then `waybill connect delete --offsets --yes` and `waybill connect apply` take a new first snapshot,"
        f" `waybill reconcile` proves it, and `waybill offsets accept --table {table} --reason TEXT` closes the gap"
    )
