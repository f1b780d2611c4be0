"""One load: rows, ledger and positions of one raw table in one transaction, its lock first.

Before the transaction every object is read back and compared, so that a slow bucket never holds the lock.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence

import pyarrow as pa

from loaders import ledger, positions
from loaders.ports import Engine, Objects
from loaders.positions import Place
from loaders.read_back import read_back
from warehouse.schema import present_columns
from warehouse.session import Session
from warehouse.statements import table
from waybill.errors import SettingsError, StaleOwner, StoppedTable, UnreachableError, WaybillError
from waybill.objects import StoredBatch
from waybill.positions import Loaded, Position
from waybill.raw import RAW_SCHEMA
from waybill.stopwatch import Stopwatch

_LOCK_SECONDS = 60.0


class _StaleError(Exception):
    """Some partitions of the load belong to others: roll back and repeat without them."""

    def __init__(self, refused: dict[Place, StaleOwner]) -> None:
        super().__init__()
        self.refused = refused


class Load:
    """Loads batches of one raw table. Nothing is remembered between calls."""

    def __init__(self, objects: Objects, engine: Engine) -> None:
        self._objects = objects
        self._engine = engine

    def run(
        self, session: Session, raw: str, batches: Sequence[StoredBatch], read: Mapping[int, pa.Table]
    ) -> Loaded:  # fmt: skip
        """Load what is not loaded yet; batches of stale owners are left out and named. `read`: read back before, by id.

        Loading a batch again does nothing. Raises `StoppedTable` when the rows do not fit the table,
        `CommitUnknown` and other `UnreachableError` (call again with a new session: the ledger is asked first).
        """
        watch = Stopwatch(time.monotonic)
        with watch.time("read_back"):
            tables = dict(read)
            for batch in batches:
                if batch.rows and batch.batch_id not in tables:
                    tables[batch.batch_id] = read_back(self._objects, batch)
        chains = positions.chains(batches)
        stale: list[tuple[StoredBatch, StaleOwner]] = []
        while chains:
            try:
                with watch.time("load"):
                    self._transaction(session, raw, chains, tables)
                break
            except _StaleError as found:
                for place, error in found.refused.items():
                    stale += [(batch, error) for batch in chains.pop(place)]
        return Loaded(tuple(batch for chain in chains.values() for batch in chain), tuple(stale), watch.spent)

    def _transaction(
        self, session: Session, raw: str, chains: dict[Place, list[StoredBatch]], tables: dict[int, pa.Table]
    ) -> None:
        with session.transaction(lock=self._engine.lock(positions.name_of(raw)), lock_seconds=_LOCK_SECONDS):
            every = [batch for chain in chains.values() for batch in chain]
            # Asked under the lock: a transaction whose COMMIT was never answered has ended by now.
            known = ledger.loaded_before(session, raw, [batch for batch in every if batch.rows or batch.dead_letters])
            left = {place: _not_loaded(chain, known) for place, chain in chains.items()}
            standing = positions.read(session, raw)
            left = {place: chain for place, chain in left.items() if chain and not _moved_only(chain, standing)}
            refused = positions.stale(left, standing)
            if refused:
                raise _StaleError(refused)
            todo = [batch for chain in left.values() for batch in chain]
            self.copy(session, raw, [batch for batch in todo if batch.rows], tables)
            ledger.write(session, raw, todo)
            for place, chain in left.items():
                if not positions.move(session, raw, chain):
                    raise _StaleError({place: StaleOwner(f"{place[0]} partition {place[1]} was moved by another")})

    def copy(self, session: Session, raw: str, batches: Sequence[StoredBatch], tables: dict[int, pa.Table]) -> None:
        """Append the rows of stored batches, inside a transaction; objects with the same columns go in one COPY."""
        groups: dict[tuple[str, ...], list[StoredBatch]] = {}
        for batch in batches:
            groups.setdefault(tuple(tables[batch.batch_id].column_names), []).append(batch)
        if groups:
            _refuse_unknown(session, raw, groups)
        for group in groups.values():
            sent = sum(batch.rows for batch in group)
            doing = f"copying {sent} rows into {raw}"
            try:
                arrived = self._engine.copy(
                    session, table(RAW_SCHEMA, raw), [tables[batch.batch_id] for batch in group], doing
                )
            except (UnreachableError, SettingsError):
                raise
            except WaybillError as error:
                raise StoppedTable(
                    raw,
                    f"the warehouse refused the rows of {', '.join(batch.key for batch in group)}: {error.what}",
                    kept="nothing of them was loaded; the objects stay in the bucket, the events in Kafka",
                    todo="waybill schema diff shows whether the table is narrower than its source",
                ) from error
            if arrived != sent:
                raise WaybillError(
                    f"{doing}: {arrived} arrived", kept="the load was rolled back", todo="it is tried again"
                )


def _not_loaded(chain: list[StoredBatch], known: set[int]) -> list[StoredBatch]:
    """A chain without its loaded beginning (and without moves that were made together with it)."""
    last = max((i for i, batch in enumerate(chain) if batch.batch_id in known), default=-1)
    return chain[last + 1 :]


def _moved_only(chain: list[StoredBatch], standing: Iterable[Position]) -> bool:
    """Batches without rows leave no ledger row: they are done when the position stands at their end."""
    last = chain[-1]
    if any(batch.rows or batch.dead_letters for batch in chain):
        return False
    return any(
        (p.topic, p.partition, p.topic_id, p.generation, p.epoch, p.next_offset)
        == (last.topic, last.partition, last.topic_id, last.generation, last.epoch, last.next_offset)
        for p in standing
    )


def _refuse_unknown(session: Session, raw: str, groups: Iterable[Sequence[str]]) -> None:
    """Raises `StoppedTable` naming the columns that the raw table lacks."""
    present = set(present_columns(session, RAW_SCHEMA, raw))
    if not present:
        raise SettingsError(f"there is no table {RAW_SCHEMA}.{raw}", todo="waybill schema apply")
    missing = sorted({name for names in groups for name in names if name not in present})
    if missing:
        raise StoppedTable(
            raw,
            f"the source has the column {', '.join(missing)}, which {RAW_SCHEMA}.{raw} has not",
            kept="nothing of these rows was loaded; their events stay in Kafka",
            todo="waybill schema apply",
        )
