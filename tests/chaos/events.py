"""What both sides of the comparison are brought to: transactions of row events, and the names that tell them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Values = Mapping[str, str | None]
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class RowEvent:
    """One change of one row, as raw must hold it: a changed key is a delete and an insert.

    `order` counts from 1 within the transaction's events of its table; `values` is the row after the change, of a
    delete before it, by lower-case column, each in the one form of `tests.chaos.forms`.
    """

    table: str
    number: int
    order: int
    op: str
    key: Key
    values: Values

    @property
    def identity(self) -> tuple[int, int]:
        """What raw must hold exactly once in this table."""
        return self.number, self.order

    def __str__(self) -> str:
        return f"{self.table} {self.op} {','.join(map(str, self.key))} of GTID number {self.number}, event {self.order}"


@dataclass(frozen=True)
class Transaction:
    """One committed transaction. `number` is its GTID's; `events` are those of the carried tables, in binlog order."""

    gtid: str
    number: int
    events: tuple[RowEvent, ...]

    def counts(self) -> dict[str, int]:
        """Events by table."""
        found: dict[str, int] = {}
        for event in self.events:
            found[event.table] = found.get(event.table, 0) + 1
        return found
