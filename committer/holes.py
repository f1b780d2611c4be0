"""Transactions that can never be whole: their missing rows are dead letters (spec section 6, "Holes").

Such a transaction is taken as complete, with a hole a letter, once everything of the table that was written by a minute
after its END is in raw and enough dead letters lie there. Step 113 opens `INVALID_ROW` for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from committer import steps
from committer.marts import MartTable
from committer.steps import Runner
from committer.watching import HOLE
from warehouse.session import Session
from waybill.positions import Origin


@dataclass
class Watched:
    """Where a table's partitions ended when they were asked for, by purpose: partition -> offset; and those passed."""

    ends: dict[str, dict[int, int]] = field(default_factory=dict)
    behind: set[str] = field(default_factory=set)

    def passed(self, purpose: str) -> bool:
        """Was it asked for, and is all of it in raw?"""
        return purpose in self.ends and purpose not in self.behind


def watched(run: Runner, mart: MartTable) -> Watched:
    """Of one table."""
    found = Watched()
    for row in run.query(steps.PASSED, mart, **mart.values()):
        found.ends.setdefault(row["purpose"], {})[row["kafka_partition"]] = row["stable_offset"]
        if row["next_offset"] < row["stable_offset"]:
            found.behind.add(row["purpose"])
    return found


class Holes:
    """Fills holes of the transactions that hold the cut. `letters` are the open dead letters by table."""

    def __init__(
        self, session: Session, run: Runner, marts: Sequence[MartTable], letters: Mapping[str, Sequence[Origin]]
    ) -> None:
        self._session, self._run, self._letters = session, run, letters
        self._watched = {mart.source.source: watched(run, mart) for mart in marts}
        taken = session.rows("SELECT topic, topic_id, kafka_partition, kafka_offset FROM settlement_ods.holes")
        self._taken = {Origin(*row.values()) for row in taken}

    def fill(self, cycle: int) -> list[str]:
        """Answers what was done, and what cannot be: rows that are neither in raw nor a dead letter."""
        said = []
        for short in self._run.query(steps.SHORT):
            table, purpose = short["data_collection"], HOLE + short["tx_id"]
            seen = self._watched.get(table, Watched())
            if not seen.passed(purpose):
                continue
            free = self._free(table, seen.ends[purpose])
            if len(free) < short["missing"]:
                said.append(
                    f"transaction {short['tx_id']}: {short['missing']} rows of {table} are neither in raw nor dead"
                    f" letters ({len(free)} of those are free), though all partitions are loaded past"
                    f" {_ends(seen.ends[purpose])}: Kafka lost them, or somebody deleted them. Read the table again"
                    f" (waybill schema accept {table} --read-again --reason TEXT) and go on without it meanwhile"
                    f" (waybill commit --without {table} --reason TEXT)"
                )
                break
            for letter in free[: short["missing"]]:
                self._record(short, letter, cycle)
            said.append(
                f"transaction {short['tx_id']} is in the cut with {short['missing']} holes in {table}: dead letters"
                " (waybill deadletters list)"
            )
        return said

    def _free(self, table: str, ends: Mapping[int, int]) -> list[Origin]:
        """Letters before those ends that fill no other hole."""
        return [
            letter
            for letter in self._letters.get(table, ())
            if letter not in self._taken and letter.offset < ends.get(letter.partition, 0)
        ]

    def _record(self, short: Mapping[str, Any], letter: Origin, cycle: int) -> None:
        self._taken.add(letter)
        self._session.run(
            "INSERT INTO settlement_ods.holes VALUES (%s, %s, %s, %s, %s, %s, %s)",
            (short["tx_id"], short["data_collection"], *letter, cycle),
        )


def _ends(ends: Mapping[int, int]) -> str:
    return ", ".join(f"partition {partition} offset {offset}" for partition, offset in sorted(ends.items()))
