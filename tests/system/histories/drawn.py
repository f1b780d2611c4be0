"""One history drawn by a seed: MySQL statements on three small tables, and the events that the model is told of them.

The tables are those of the laws' shop with one column more, `memo`, which holds the text that a defective decoder
refuses. Known of an event are its row, its place among the history's transactions and the second of its commit; nothing
is asked of the pipeline.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pymysql
from pymysql.cursors import Cursor

from tests.laws import model
from tests.laws.comparison import compare
from tests.laws.model import DAY, Event, Key, Position, Row
from tests.laws.standing import COLUMNS, KEYS, TIMES, VALUES, Standing, rules
from warehouse.session import Session

LAST = 2**63 - 1
FIRST_HALF_YEAR = "2024h1"
_KINDS = ("put", "put", "put", "put", "put", "delete", "rekey")
_AGES = (0, 0, 0, 0, 60, 200 * DAY, 370 * DAY, 560 * DAY, 4 * 365 * DAY, -300 * DAY, None)


@dataclass
class Letter:
    """An event whose message does not decode until it is redriven, or until its table is read by a decoder that can."""

    event: Event
    open: bool = True


class Drawn(Standing):
    """History `number` of a pipeline; `database` is its own at the source. `phases` are when what happens to it."""

    def __init__(self, number: int, seed: int, database: str, session: Session, phases: int) -> None:
        super().__init__(session)
        self.number, self.database = number, database
        self._draw = random.Random(f"{seed}/{number}")
        self.rules: Mapping[str, model.Rules] = rules(
            [self._draw.choice([180, 180, 30]) for _ in COLUMNS],
            [self._draw.choice(["mark", "remove", "ignore"]) for _ in COLUMNS],
        )
        # A hole is believed after a minute, so that defects are in few phases.
        self.defect_in = self._draw.randrange(0, phases, 2)
        self.redriven_in = self._draw.randrange(self.defect_in, phases)
        self.read_again_in, self.reset_in = self._draw.randrange(phases), self._draw.randrange(phases)
        self.events: list[Event] = []
        self.letters: list[Letter] = []
        self.wipes: dict[str, list[tuple[Position, int]]] = {}
        self.compared = 0
        self._rows: dict[str, dict[Key, dict[str, Any]]] = {table: {} for table in COLUMNS}
        self._transactions = self._values = 0
        self._began = int(time.time())

    # What it is called.

    def mart(self, table: str) -> str:
        return f"mart_{table.split('.')[1]}_{self.number}"

    def source_name(self, table: str) -> str:
        return f"{self.database}.{table.split('.')[1]}"

    def raw(self, table: str) -> str:
        """The table's raw table."""
        return f"{table.split('.')[1]}_{self.number}_raw"

    def any_table(self) -> str:
        """One of its tables."""
        return self._draw.choice(tuple(COLUMNS))

    def entries(self) -> list[dict[str, Any]]:
        """Its tables as the pipeline file declares them."""
        return [
            {
                "source": self.source_name(table), "key": list(KEYS[table]), "event_time": TIMES[table],
                "raw": self.raw(table),
                "batch": {"rows": 20_000, "bytes": "64MiB", "seconds": 0.3}, "memory": "16MiB",
                "mart": {
                    "name": self.mart(table), "on_delete": rule.on_delete, "retention_days": rule.retention // DAY,
                    "follows": self.mart(rule.follows) if rule.follows else None, "gap_exception": rule.gap,
                    "order": len(rule.follows),
                },
            }
            for table, rule in self.rules.items()
        ]  # fmt: skip

    # The source.

    def create(self, connection: pymysql.Connection[Cursor]) -> None:
        """Its empty tables."""
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {self.database}")
            for table, columns in COLUMNS.items():
                listed = ", ".join(f"{c.name} {c.type}{'' if c.nullable else ' NOT NULL'}" for c in columns)
                cursor.execute(
                    f"CREATE TABLE {self.source_name(table)} ({listed}, memo VARCHAR(40), PRIMARY KEY"
                    f" ({', '.join(KEYS[table])}))"
                )

    def write(self, connection: pymysql.Connection[Cursor], transactions: int, phase: int, wrong: bool) -> None:
        """Some transactions. `wrong`: the decoder refuses the phase's defect, which some rows hold if it is theirs."""
        for turn in range(transactions):
            made: list[Event] = []
            self._transactions += 1
            connection.begin()
            with connection.cursor() as cursor:
                for _ in range(self._draw.randint(1, 4)):
                    memo = f"defect {phase}" if wrong and phase == self.defect_in and turn == 0 else ""
                    made += self._change(cursor, memo, f"defect {phase}" if wrong else "", len(made))
            connection.commit()
            self._transactions -= not made

    def _change(self, cursor: Cursor, memo: str, refused: str, before: int) -> list[Event]:
        table = self.any_table()
        kind = "put" if memo else self._draw.choice(_KINDS)
        order, seq = self._draw.randint(1, 6), self._draw.randint(1, 2)
        key = (order, seq)[: len(KEYS[table])]
        rows, name = self._rows[table], self.source_name(table)
        old = rows.get(key)
        if kind == "put":
            self._values += 1
            age = self._draw.choice(_AGES)
            row = dict(zip(KEYS[table], key, strict=True)) | {
                VALUES[table]: self._values, TIMES[table]: None if age is None else int(time.time()) - age,
                "memo": memo,
            }  # fmt: skip
            marks = ", ".join(["%s"] * len(row))
            sets = ", ".join(f"{n} = %s" for n in row)
            cursor.execute(
                f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks}) ON DUPLICATE KEY UPDATE {sets}",
                [*row.values(), *row.values()],
            )
            rows[key] = row
            return [self._event(table, key, "u" if old else "c", row, before + 1, refused, old)]
        if old is None:
            return []
        del rows[key]
        where = " AND ".join(f"{n} = %s" for n in KEYS[table])
        made = [self._event(table, key, "d", old, before + 1, refused, old)]
        other = (order + 10, *key[1:])
        if kind == "rekey" and other not in rows:
            cursor.execute(f"UPDATE {name} SET order_id = %s WHERE {where}", [other[0], *key])
            rows[other] = {**old, "order_id": other[0]}
            made.append(self._event(table, other, "c", rows[other], before + 2, refused, None))
        else:
            cursor.execute(f"DELETE FROM {name} WHERE {where}", list(key))
        return made

    def _event(
        self, table: str, key: Key, op: str, row: Mapping[str, Any], order: int, refused: str,
        before: Mapping[str, Any] | None,
    ) -> Event:  # fmt: skip
        position = (1, self._transactions, order)
        values = {name: value for name, value in row.items() if name != "memo"}
        event = Event(table, key, op, position, len(self.events), int(time.time()), row[TIMES[table]], values)
        # The message holds the row before the change too.
        if refused and refused in (row["memo"], (before or {}).get("memo")):
            self.letters.append(Letter(event))
        self.events.append(event)
        return event

    # What is done to the pipeline.

    def redriven(self) -> None:
        """Its letters are loaded."""
        for letter in self.letters:
            letter.open = False

    def reset(self, table: str) -> None:
        """The table is read once more from the beginning, by a decoder that can."""
        for letter in self.letters:
            letter.open = letter.open and letter.event.table != table

    def loses(self, connection: pymysql.Connection[Cursor], table: str) -> None:
        """A row goes that no event tells of."""
        if self._rows[table]:
            key = self._draw.choice(sorted(self._rows[table]))
            where = " AND ".join(f"{n} = %s" for n in KEYS[table])
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION sql_log_bin = 0")
                cursor.execute(f"DELETE FROM {self.source_name(table)} WHERE {where}", list(key))
                connection.commit()
                cursor.execute("SET SESSION sql_log_bin = 1")
            del self._rows[table][key]

    def read_again(self, table: str) -> None:
        """The table was read, to its end, by an incremental snapshot: what it did not bring is gone."""
        position = (1, self._transactions, LAST)
        for key, row in self._rows[table].items():
            values = {name: value for name, value in row.items() if name != "memo"}
            self.events.append(
                Event(table, key, "r", position, len(self.events), int(time.time()), row[TIMES[table]], values)
            )
        self.wipes.setdefault(table, []).append((position, int(time.time())))

    # What must stand.

    def stands(self, table: str) -> dict[Key, list[Row]]:
        """When a row went is known to the second by the source alone: whether it went is compared."""
        found = super().stands(table)
        return {key: [replace(row, gone=row.gone and 1) for row in rows] for key, rows in found.items()}

    def exceptions(self) -> list[tuple[str, str, str]]:
        """Those of rows; a row that nobody could decode has no key."""
        return [one for one in super().exceptions() if one[2] != "INVALID_ROW"]

    def compare(self, cut_at: int) -> None:
        """All of it against the model; every transaction is in the cut."""
        missing = {id(letter.event) for letter in self.letters if letter.open}
        loaded = [event for event in self.events if id(event) not in missing]
        first = FIRST_HALF_YEAR.replace("h", "_h")
        wanted = model.state(loaded, self.rules, cut_at, first, self.wipes)
        compare(
            self,
            {t: {k: replace(row, gone=row.gone and 1) for k, row in rows.items()} for t, rows in wanted.items()},
        )
        holes = Counter(table for table, _, kind in super().exceptions() if kind == "INVALID_ROW")
        assert holes == Counter(letter.event.table for letter in self.letters if letter.open), "holes"
        self.compared += 1

    def kinds(self) -> Counter[str]:
        """What happened in it."""
        return Counter(event.op for event in self.events) + Counter(letter=len(self.letters))
