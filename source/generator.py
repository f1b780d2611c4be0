"""`generate`: one writer that does what a carrier's systems do, one transaction at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

import pymysql

from source.databases import Connect, Databases, is_lost, number, translated
from source.keys import Keys
from source.kinds import KINDS, ROLLBACK, default_mix
from source.kinds.work import Work
from source.pace import Pace
from source.session import AGAIN, DUPLICATE, Outcome, Session, Stopped
from source.summary import Summary
from source.transaction import Transaction
from waybill.errors import SettingsError

ATTEMPTS = 10


@dataclass(frozen=True)
class Step:
    """One transaction: its kind, the row changes it brought, and whether they are in the source."""

    kind: str
    row_changes: int
    committed: bool


class Generator:
    """One writer. Its choices follow from `seed`, the tables' state and `clock`.

    `clock` gives epoch seconds for event times. Of several writers on one source each gets its own number
    `writer` below `writers` and touches only the orders that leave this remainder. `mix` gives weights by kind;
    kinds it does not name are off. `run_id` marks this run in `last_request`; runs must not share it.
    A COMMIT whose answer was lost is looked up for at least `patience` seconds, stop or not.

    Connects when made: raises `UnreachableError` then. Later outages are waited out.
    """

    def __init__(
        self,
        connect: Connect,
        databases: Databases,
        seed: int = 1,
        *,
        mix: Mapping[str, float] | None = None,
        writer: int = 0,
        writers: int = 1,
        clock: Callable[[], float] = time.time,
        stop: threading.Event | None = None,
        run_id: str | None = None,
        patience: float = 15.0,
    ) -> None:
        self._mix = checked_mix(mix)
        self._r = Random(f"waybill generate {seed} {writer}/{writers}")
        self._clock = clock
        self._stop = stop or threading.Event()
        self._session = Session(connect, databases.orders, self._stop, patience)
        self._run_id = run_id or f"{time.time_ns() // 1_000_000:x}"
        self._keys = Keys(writer, writers)
        self._keys_read = False
        self._number = 0
        self.summary = Summary(seed=seed)

    def step(self) -> Step:
        """One transaction, whatever it takes: deadlocks are repeated, outages waited out.

        A kind that finds nothing to do is drawn again. Raises `Stopped` if the stop comes during an outage,
        `SettingsError` if nothing can be done at all with this mix.
        """
        for _ in range(50):
            drawn = self._draw()
            kind = self._draw(without=ROLLBACK) if drawn == ROLLBACK else drawn
            step = self._transact(drawn, kind)
            if step is not None:
                return step
        raise SettingsError(
            "this mix finds nothing to do in these tables",
            todo="waybill seed first, or add new_order to --mix",
        )

    def run(self, rate: float, seconds: float = 0.0) -> Summary:
        """Steps at `rate` row changes a second (0: as fast as it goes) for `seconds` (0: until the stop).

        The time of the last transaction may exceed `seconds`; the connection is closed at the end.
        """
        begin = time.monotonic()
        pace = Pace(rate, self._stop)
        try:
            while not self._stop.is_set() and (not seconds or time.monotonic() - begin < seconds):
                if pace.wait(self.summary.row_changes, begin + seconds if seconds else None):
                    self.step()
        except Stopped:
            pass
        finally:
            self.close()
            self.summary.seconds = time.monotonic() - begin
            self.summary.rate = rate
        return self.summary

    def close(self) -> None:
        """Close the connection; nothing is open in it."""
        self._session.drop()
        self.summary.reconnects = self._session.reconnects

    def _draw(self, without: str = "") -> str:
        names = [name for name in self._mix if name != without]
        return self._r.choices(names, [self._mix[name] for name in names])[0]

    def _transact(self, drawn: str, kind: str) -> Step | None:
        """One kind, repeated until it went through; None if it found nothing to do."""
        for _ in range(ATTEMPTS):
            self._number += 1
            try:
                tx = self._work(kind)
                if not tx.row_changes:
                    self._session.rollback()
                    return None
                if drawn == ROLLBACK:
                    self._session.rollback()
                    self.summary.rolled_back += 1
                    self.summary.kinds[ROLLBACK] += 1
                    return Step(ROLLBACK, 0, False)
                outcome = self._session.commit(tx.proof)
            except (pymysql.err.MySQLError, OSError) as error:
                self._again(error)
                continue
            self.summary.outcomes[outcome] += 1
            if outcome in (Outcome.COMMITTED, Outcome.FOUND_COMMITTED):
                self.summary.committed += 1
                self.summary.kinds[kind] += 1
                self.summary.changes += tx.changes
                return Step(kind, tx.row_changes, True)
            if outcome is Outcome.UNKNOWN:
                raise Stopped
        return None

    def _work(self, kind: str) -> Transaction:
        with self._session.cursor() as cursor:
            tx = Transaction(cursor, f"{self._run_id}.{self._keys.writer}.{self._number}")
            if not self._keys_read:
                self._keys.read(tx)
                self._keys_read = True
            KINDS[kind][1](Work(self._r, tx, self._keys, int(self._clock())))
        return tx

    def _again(self, error: pymysql.err.MySQLError | OSError) -> None:
        """After an error before COMMIT, when MySQL has nothing of the transaction: make ready to repeat it."""
        self.summary.retried += 1
        if is_lost(error):
            self._session.drop()
        elif number(error) in AGAIN:
            self._session.rollback()
            self._keys_read = number(error) != DUPLICATE
        else:
            self._session.rollback()
            assert isinstance(error, pymysql.err.MySQLError)
            raise translated(error, "MySQL") from error


def checked_mix(mix: Mapping[str, float] | None) -> dict[str, float]:
    """The mix with kinds in a fixed order. Raises `SettingsError` for unknown kinds and useless weights."""
    allowed = default_mix()
    if mix is None:
        return allowed
    for name, weight in mix.items():
        if name not in allowed:
            raise SettingsError(f"no kind {name!r} in the mix; there are {', '.join(allowed)}")
        if weight < 0:
            raise SettingsError(f"the weight of {name} is {weight}; it must not be negative")
    chosen = {name: float(mix[name]) for name in allowed if mix.get(name, 0) > 0}
    if not set(chosen) - {ROLLBACK}:
        raise SettingsError("the mix has no kind with a weight above 0")
    return chosen
