"""What the warehouse knows: the newest loads, stopped tables, the cut, the cycles, the exceptions.

Every question is cheap: the ledger's last batches by its index, never a whole raw table or mart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from psycopg2.sql import SQL, Identifier

from consumers.streams import Shape, Stream
from warehouse.session import Session
from warehouse.statements import table
from waybill import metrics as m
from waybill.errors import SettingsError, UnreachableError
from waybill.metrics import Sample
from waybill.raw import RAW_SCHEMA, ledger_table

NEWEST_BATCHES = 3
# A try at one of so many newest cycles may still end, and be added, behind them.
_MAY_CHANGE, _ANY = 100, 2**62
_SUMMED = ("n", "seconds", "transactions", "rows_in", "rows_applied", "rows_older")
Totals = dict[str, dict[str, float]]
"""By status: what cycles came to."""
_TIME_OF = {
    Shape.ROWS: "_committed_at",
    Shape.TRANSACTIONS: "ended_at",
    Shape.NOTIFICATIONS: "noted_at",
    Shape.SCHEMA_CHANGES: "changed_at",
}


class OnSession:
    """A look on a warehouse session of its own, opened when it is needed and again after it broke."""

    def __init__(self, connect: Callable[[], Session], look: Callable[[Session], Iterator[Sample]]) -> None:
        self._connect, self._look = connect, look
        self._session: Session | None = None

    def __call__(self) -> list[Sample]:
        if self._session is None or self._session.closed:
            self._session = self._connect()
        try:
            return list(self._look(self._session))
        except UnreachableError:
            self._session.close()
            self._session = None
            raise


def loads(streams: Sequence[Stream]) -> Callable[[Session], Iterator[Sample]]:
    """The newest loads of every stream that has any."""

    def look(session: Session) -> Iterator[Sample]:
        for stream in streams:
            try:
                yield from _newest(session, stream)
            except SettingsError:
                continue  # no such raw table yet
        for row in session.rows("SELECT table_name, state FROM settlement_public.table_states"):
            yield Sample(m.TABLE_STOPPED, (row["table_name"],), float(row["state"] == "stopped"))

    return look


def _newest(session: Session, stream: Stream) -> Iterator[Sample]:
    batches = session.rows(
        SQL("SELECT batch_id, loaded_at FROM {} WHERE row_count > 0 ORDER BY batch_id DESC LIMIT %s").format(
            table(RAW_SCHEMA, ledger_table(stream.raw))
        ),
        (NEWEST_BATCHES,),
    )
    if not batches:
        return
    yield Sample(m.LAST_LOAD, (stream.name,), _seconds(max(row["loaded_at"] for row in batches)))
    times = session.row(
        SQL(
            'SELECT max({}) AS newest, extract(epoch FROM max("_loaded_at" - "_produced_at")) AS lag FROM {}'
            ' WHERE "_batch_id" IN %s'
        ).format(Identifier(_TIME_OF[stream.shape]), table(RAW_SCHEMA, stream.raw)),
        (tuple(row["batch_id"] for row in batches),),
    )
    # Trimmed raw has nothing of them any more.
    if times and times["newest"] is not None:
        yield Sample(m.NEWEST_EVENT, (stream.name,), _seconds(times["newest"]))
        yield Sample(m.LOAD_LAG, (stream.name,), max(0.0, float(times["lag"])))


class Marts:
    """The cut, the cycles and the exceptions. Remembers what old cycles came to: a look reads the newest alone."""

    def __init__(self) -> None:
        self._behind = 0  # cycles up to this number are added up
        self._old: Totals = {}

    def __call__(self, session: Session) -> Iterator[Sample]:
        as_of = session.row("SELECT * FROM settlement_ods.as_of", doing="reading the cut")
        if as_of is not None:
            yield Sample(m.CYCLE, (), as_of["cycle"])
            yield Sample(m.CONSISTENT, (), float(as_of["consistent"]))
            if as_of["cycle"]:
                yield Sample(m.CYCLE_AT, (), _seconds(as_of["committed_at"]))
            if as_of["cut_at"] is not None:
                yield Sample(m.CUT_AT, (), _seconds(as_of["cut_at"]))
            yield from _told(self._totals(session, as_of["cycle"]))
        yield from _last_cycle(session)
        for row in session.rows(
            "SELECT exception_type, count(*) AS n FROM settlement_ods.order_tracking_exceptions"
            " WHERE resolved_at IS NULL GROUP BY exception_type"
        ):
            yield Sample(m.EXCEPTIONS, (row["exception_type"],), row["n"])

    def _totals(self, session: Session, newest: int) -> Totals:
        settled = newest - _MAY_CHANGE
        if settled > self._behind:
            self._old = _plus(self._old, _added_up(session, self._behind, settled))
            self._behind = settled
        return _plus(self._old, _added_up(session, self._behind, _ANY))


def _added_up(session: Session, after: int, up_to: int) -> Totals:
    """Tries at the cycles of those numbers."""
    found = session.rows(
        "SELECT status, count(*) AS n, extract(epoch FROM sum(finished_at - started_at)) AS seconds,"
        " sum(transactions) AS transactions, sum(rows_in) AS rows_in, sum(rows_applied) AS rows_applied,"
        " sum(rows_older) AS rows_older FROM settlement_ods.cycles WHERE cycle > %s AND cycle <= %s GROUP BY status",
        (after, up_to),
        doing="adding up the cycles",
    )
    return {row["status"]: {what: float(row[what]) for what in _SUMMED} for row in found}


def _plus(some: Totals, others: Totals) -> Totals:
    nothing = dict.fromkeys(_SUMMED, 0.0)
    return {
        status: {what: some.get(status, nothing)[what] + others.get(status, nothing)[what] for what in _SUMMED}
        for status in {*some, *others}
    }


def _told(totals: Totals) -> Iterator[Sample]:
    nothing = dict.fromkeys(_SUMMED, 0.0)
    for status in ("committed", "failed"):
        yield Sample(m.CYCLES, (status,), totals.get(status, nothing)["n"])
        yield Sample(m.CYCLE_SECONDS, (status,), totals.get(status, nothing)["seconds"])
    committed = totals.get("committed", nothing)
    yield Sample(m.CYCLE_TRANSACTIONS, (), committed["transactions"])
    for what in ("in", "applied", "older"):
        yield Sample(m.CYCLE_ROWS, (what,), committed[f"rows_{what}"])


def _last_cycle(session: Session) -> Iterator[Sample]:
    last = session.row(
        "SELECT summary, extract(epoch FROM finished_at - started_at) AS seconds FROM settlement_ods.cycles"
        " WHERE status = 'committed' ORDER BY cycle DESC LIMIT 1"
    )
    if last is not None:
        yield Sample(m.LAST_CYCLE_SECONDS, (), float(last["seconds"]))
        for step, seconds in _steps(last["summary"]).items():
            yield Sample(m.LAST_STEP_SECONDS, (step,), seconds)


def _steps(summary: str) -> dict[str, float]:
    """None of a summary that an earlier release cut off."""
    try:
        return {str(step): float(seconds) for step, seconds in json.loads(summary)["seconds"].items()}
    except (ValueError, KeyError, AttributeError):
        return {}


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
