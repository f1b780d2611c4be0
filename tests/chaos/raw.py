"""Raw as it stands in the warehouse, read by plain SQL: stream rows of a window of GTID numbers, and END counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.chaos.events import RowEvent
from tests.chaos.forms import Column, from_warehouse
from tests.servers import Servers

SCHEMA = "settlement_public"
ENDS = f"{SCHEMA}.transaction_raw"


@dataclass(frozen=True)
class RawRow:
    """One row of a raw table: the event it claims to be, and the place in Kafka it claims to come from."""

    event: RowEvent
    topic_id: str
    generation: int
    partition: int
    offset: int

    @property
    def place(self) -> tuple[int, str, int, int]:
        """What raw must be unique by."""
        return self.generation, self.topic_id, self.partition, self.offset


@dataclass(frozen=True)
class Window:
    """GTID numbers from behind `after` up to `upto`."""

    after: int
    upto: int

    def holds(self, number: int) -> bool:
        return self.after < number <= self.upto


class Raw:
    """`tables` is database.table -> raw table."""

    def __init__(self, servers: Servers, tables: Mapping[str, str]) -> None:
        self._servers = servers
        self._tables = tables

    def rows(self, table: str, columns: Sequence[Column], key: Sequence[str], window: Window) -> list[RawRow]:
        """The stream rows of a window, in no order; those without a GTID number too, which no window can hold."""
        names = ", ".join(f'"{column.name}"::text' for column in columns)
        found = self._servers.rows(
            'SELECT "_topic_id", "_generation", "_partition", "_offset", "_op", coalesce("_gtid_number", 0),'
            f' coalesce("_tx_order", 0), {names} FROM {SCHEMA}.{self._tables[table]} WHERE "_snapshot" = \'false\''
            ' AND ("_gtid_number" IS NULL OR "_gtid_number" > %s AND "_gtid_number" <= %s)',
            window.after, window.upto,
        )  # fmt: skip
        return [self._row(table, columns, key, row) for row in found]

    def _row(self, table: str, columns: Sequence[Column], key: Sequence[str], row: tuple[object, ...]) -> RawRow:
        topic_id, generation, partition, offset, op, number, order = row[:7]
        values = {c.name: from_warehouse(c, text) for c, text in zip(columns, row[7:], strict=True)}  # type: ignore[arg-type]
        event = RowEvent(
            table, int(str(number)), int(str(order)), str(op), tuple(values.get(name) for name in key), values
        )
        return RawRow(event, str(topic_id), int(str(generation)), int(str(partition)), int(str(offset)))

    def counted(self, window: Window) -> dict[str, int]:
        """Stream rows of the window, by table."""
        return {
            table: self._servers.row(
                f'SELECT count(*) FROM {SCHEMA}.{raw} WHERE "_gtid_number" > %s AND "_gtid_number" <= %s'
                " AND \"_snapshot\" = 'false'",
                window.after, window.upto,
            )[0]
            for table, raw in self._tables.items()
        }  # fmt: skip

    def twice(self) -> dict[str, int]:
        """By table, how many rows stand at a place in Kafka that another row has already; of the whole table."""
        return {
            table: self._servers.row(
                'SELECT count(*) - count(DISTINCT ("_generation", "_topic_id", "_partition", "_offset"))'
                f" FROM {SCHEMA}.{raw}"
            )[0]
            for table, raw in self._tables.items()
        }

    def ends(self, window: Window) -> dict[int, dict[str, set[int]]]:
        """What the END records say: GTID number -> table -> the counts said (one, if all is well)."""
        found: dict[int, dict[str, set[int]]] = {}
        for number, table, count in self._servers.rows(
            "SELECT DISTINCT number, data_collection, collection_count FROM (SELECT"
            f" split_part(tx_id, ':', 2)::bigint AS number, data_collection, collection_count FROM {ENDS}) e"
            " WHERE number > %s AND number <= %s",
            window.after, window.upto,
        ):  # fmt: skip
            found.setdefault(number, {}).setdefault(table, set()).add(count)
        return found
