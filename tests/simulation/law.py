"""The law: raw = the stream, once each, in order. Looked at from outside, in what is stored."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from consumers.messages import Place
from tests.simulation.kafka import Log
from tests.simulation.world import PLACES, STREAMS, World
from waybill.raw import ledger_table, positions_table

_RAWS = {stream.topic: stream.raw for stream in STREAMS}


class Read(NamedTuple):
    """Offsets `[first, end)` that one generation of a position has read; `end` None: up to where it stands."""

    generation: int
    first: int
    end: int | None


class Law:
    """Knows which generations each position had; all else is read from what is stored."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = world.database
        self._reads: dict[Place, list[Read]] = {place: [Read(1, 0, None)] for place in PLACES}
        self._changes = -1
        self._seen: dict[Place, tuple[int, int]] = {}  # epoch and ledger rows at the last look

    def standing(self, place: Place) -> tuple[int, int] | None:
        """Generation and next offset of a position."""
        found = self._database.rows(
            f"SELECT generation, next_offset FROM settlement_public.{positions_table(_RAWS[place[0]])}"
            " WHERE topic = ? AND kafka_partition = ?",
            *place,
        )
        assert len(found) <= 1, f"{place} has {len(found)} positions"
        return found[0] if found else None

    def set_back(self, place: Place, to: int) -> None:
        """As `waybill offsets reset`: a new generation and a greater epoch, in one transaction."""
        found = self.standing(place)
        if found is None or found[1] < to:
            return
        generation, end = found
        self._database.rows(
            f"UPDATE settlement_public.{positions_table(_RAWS[place[0]])} SET generation = generation + 1,"
            " epoch = epoch + 1, next_offset = ?, owner = 'a person' WHERE topic = ? AND kafka_partition = ?",
            to, *place,
        )  # fmt: skip
        reads = self._reads[place]
        reads[-1] = reads[-1]._replace(end=end)
        reads.append(Read(generation + 1, to, None))
        self._world.seen["position set back"] += 1

    def check(self) -> None:
        """So far: what the positions say was read is in raw, and nothing else."""
        if self._database.connection.total_changes == self._changes:
            return
        self._changes = self._database.connection.total_changes
        for place in PLACES:
            self._check(place, self._world.broker.logs[place])

    def _check(self, place: Place, log: Log) -> None:
        found = self.standing(place)
        reads = self._reads[place]
        generation, next_offset = found or (1, 0)
        assert generation == reads[-1].generation, f"{place}: generation {generation}, not {reads[-1].generation}"
        assert next_offset <= log.end, f"{place}: the position lies behind the end"
        expected = []
        for read in reads:
            end = next_offset if read.end is None else read.end
            expected += [
                (read.generation, offset, serial) for offset, serial in log.good.items() if read.first <= offset < end
            ]
            lost = [o for o in log.bad if read.first <= o < end and (*place, o) not in self._world.broker.letters]
            assert not lost, f"{place}: the position passed the bad offsets {lost}, which are no dead letters"
        raw = self._database.rows(
            f"SELECT _generation, _offset, order_id, _topic_id FROM settlement_public.{_RAWS[place[0]]}"
            " WHERE _topic = ? AND _partition = ? ORDER BY rowid",
            *place,
        )
        assert [row[:3] for row in raw] == expected, f"{place}, position {next_offset}: raw is not the stream"
        assert {row[3] for row in raw} <= {f"id-of-{place[0]}"}
        self._check_ledger(place, log, reads, next_offset)

    def _check_ledger(self, place: Place, log: Log, reads: list[Read], next_offset: int) -> None:
        """Its spans follow each other; between them lies nothing that a row or a dead letter came of."""
        ledger = self._database.rows(
            "SELECT generation, first_offset, next_offset, row_count, dead_letters, batch_id, epoch"
            f" FROM settlement_public.{ledger_table(_RAWS[place[0]])}"
            " WHERE topic = ? AND kafka_partition = ? ORDER BY rowid",
            *place,
        )
        assert len({row[5] for row in ledger}) == len(ledger), f"{place}: a batch stands twice in the ledger"
        for read in reads:
            end = next_offset if read.end is None else read.end
            spans = [row[1:3] for row in ledger if row[0] == read.generation]
            for (_, before), (after, _) in pairwise([(read.first, read.first), *spans, (end, end)]):
                assert before <= after, f"{place}: the ledger overlaps at {after}, {before}"
                holes = [offset for offset in (*log.good, *log.bad) if before <= offset < after]
                assert not holes, f"{place}: the ledger leaves out {holes}"
        self._check_owner(place, [row[6] for row in ledger])
        for _, first, after, rows, letters, _, _ in ledger:
            assert rows == sum(first <= offset < after for offset in log.good), f"{place}: counts of {first}"
            assert letters == sum(first <= offset < after for offset in log.bad), f"{place}: letters of {first}"

    def _check_owner(self, place: Place, epochs: list[int]) -> None:
        """Nobody loads but the owner, whose epoch the position has."""
        found = self._database.rows(
            f"SELECT epoch FROM settlement_public.{positions_table(_RAWS[place[0]])}"
            " WHERE topic = ? AND kafka_partition = ?",
            *place,
        )
        now = found[0][0] if found else 0
        before, count = self._seen.get(place, (-1, 0))
        if now == before:
            assert set(epochs[count:]) <= {now}, f"{place}: loaded by {epochs[count:]}, the owner's epoch is {now}"
        self._seen[place] = (now, len(epochs))

    @property
    def fulfilled(self) -> bool:
        """Is everything loaded that was written?"""
        return all((self.standing(place) or (1, -1))[1] == self._world.broker.logs[place].end for place in PLACES)
