"""The raw tables as consumers see them: claim partitions, load batches, record a table's state.

One warehouse session, opened when it is needed and again after it broke. A transaction that lost to another is
repeated as a whole; after a COMMIT without an answer the ledger is asked.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeVar

import pyarrow as pa

from loaders import positions, states
from loaders.load import Load
from loaders.ports import Connect, Engine, Objects
from loaders.positions import Place
from loaders.read_back import read_back
from warehouse.schema import present_columns
from warehouse.session import Session
from warehouse.statements import table
from waybill.clock import Clock
from waybill.errors import CommitUnknown, ConflictError, SettingsError, StoppedTable, UnreachableError
from waybill.objects import StoredBatch
from waybill.positions import Loaded, Position
from waybill.raw import RAW_SCHEMA, ledger_table, positions_table

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_TRIES = 6
_FIRST_WAIT = 0.1  # seconds
_LOCK_SECONDS = 60.0
_NONE: Mapping[int, pa.Table] = MappingProxyType({})


class RawStore:
    """Not for two threads at a time."""

    def __init__(self, connect: Connect, objects: Objects, engine: Engine, clock: Clock) -> None:
        self._connect = connect
        self._engine = engine
        self._objects = objects
        self._load = Load(objects, engine)
        self._clock = clock
        self._session: Session | None = None

    def check(self, raw: str) -> None:
        """Raises `SettingsError` when the raw table, its ledger or its positions are not there."""

        def look(session: Session) -> None:
            for name in (raw, ledger_table(raw), positions_table(raw)):
                if not present_columns(session, RAW_SCHEMA, name):
                    raise SettingsError(f"the warehouse has no table {RAW_SCHEMA}.{name}", todo="waybill schema apply")

        self._repeated(look)

    def positions(self, raw: str) -> list[Position]:
        """Every partition's position, by topic and partition."""
        return self._repeated(lambda session: positions.read(session, raw))

    def claim(self, raw: str, places: Sequence[Position], owner: str, least_epoch: int) -> list[Position]:
        """Own these partitions from now on. Claiming again, also after an unknown COMMIT, raises the epoch more."""

        def run(session: Session) -> list[Position]:
            lock = self._engine.lock(positions.name_of(raw))
            with session.transaction(lock=lock, lock_seconds=_LOCK_SECONDS):
                return positions.claim(session, raw, places, owner, least_epoch)

        return self._repeated(run)

    def read_back(self, batch: StoredBatch) -> pa.Table:
        """The rows of a stored batch, compared with what its writer said of them; the warehouse is not asked."""
        return read_back(self._objects, batch)

    def load(self, raw: str, batches: Sequence[StoredBatch], tables: Mapping[int, pa.Table] = _NONE) -> Loaded:
        """One transaction for all batches; what is not in `tables` (read back before, by batch id) is read now.

        Loading a batch again does nothing.
        """
        return self._repeated(lambda session: self._load.run(session, raw, batches, tables))

    def state(self, name: str, raw: str, stopped: StoppedTable | None, by: str, held: Mapping[Place, int]) -> bool:
        """Record that a table runs, or is stopped and why. The time of a state that stands already is kept.

        `held`: the epochs under which the writer knows its partitions. Looked at under the states' lock, so whoever
        claimed one since either finds this state and replaces it, or has it refused here (False).
        """
        row = ("running", "", "", "") if stopped is None else ("stopped", stopped.what, stopped.kept, stopped.todo)

        def run(session: Session) -> bool:
            with session.transaction(
                lock=self._engine.lock(table(RAW_SCHEMA, "table_states")), lock_seconds=_LOCK_SECONDS
            ):
                standing = {(p.topic, p.partition): p.epoch for p in positions.read(session, raw)}
                if any(standing.get(place, epoch) > epoch for place, epoch in held.items()):
                    return False
                states.write(session, name, row, by)
            return True

        return self._repeated(run)

    def close(self) -> None:
        """Close the session, if one is open."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def _repeated(self, run: Callable[[Session], _T]) -> _T:
        """Repeat after a conflict or a COMMIT without an answer, a few times; any other outage goes to the caller."""
        wait = _FIRST_WAIT
        for attempt in range(1, _TRIES + 1):
            try:
                return run(self._opened())
            except UnreachableError as error:
                if not isinstance(error, ConflictError):
                    self.close()
                if not isinstance(error, ConflictError | CommitUnknown) or attempt == _TRIES:
                    raise
                log.info("repeating (%d of %d): %s", attempt, _TRIES, error.what)
                self._clock.sleep(wait)
                wait *= 2
        raise AssertionError("not reached")

    def _opened(self) -> Session:
        if self._session is None or self._session.closed:
            self._session = self._connect()
        return self._session
