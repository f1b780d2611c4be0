"""One row of a mart that follows another, back from history into the mart: judged and moved by the cycle's own steps.

A cycle does that by itself when the row followed comes back. This is for a row that somebody, or a defect, left behind:
the same steps look at one key, under the cycle's lock, by the rules of the last cycle, and prove conservation after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg2.sql import SQL, Identifier

from committer import rules, steps
from committer.cycle import LOCK
from committer.marts import MartTable, standing
from committer.placing import Moves, Placing
from committer.rules import Rules
from committer.settings import History
from committer.steps import Runner
from warehouse.session import Session
from warehouse.statements import statements, table, text_of
from waybill.errors import ConflictError, RefusedError, SettingsError, UnreachableError, WaybillError
from waybill.raw import MART_SCHEMA

_STEP_SECONDS = 60.0
_MISSING = "REACTIVATED_ORDER_MISSING_ECS"


@dataclass(frozen=True)
class Restored:
    """`stood_in` is the table that had the row; `changed` False: it stood in the mart already, or a dry run."""

    mart: str
    key: tuple[str, ...]
    stood_in: str
    changed: bool


class _NothingKept(Exception):
    """Ends a dry run's transaction."""


class _OneRow(Placing):
    """The steps of `Placing` for one key."""

    def __init__(
        self, session: Session, run: Runner, mart: MartTable, stands: Rules, cycle: int, now: datetime
    ) -> None:
        super().__init__(session, run, mart, History(), stands.cut_at, {"cycle": cycle, "now": now})
        self._values |= stands.bounds(stands)
        self._rules = stands

    def judge(self, key: Sequence[str]) -> dict[str, object]:
        """The row of step 020. Raises `SettingsError` when the key stands nowhere."""
        path = "sql/restore/010_one_key.each_mart.sql"
        # Nothing waits in raw for these: they leave the scratch tables that later steps read, empty.
        self._run.run(steps.BEGIN)
        for step in (steps.ROWS, steps.PLACED, steps.LATEST):
            self._step(step)
        create, insert = statements(path, self._mart.names(text_of(path)))
        self._session.run(create)
        try:
            self._session.run(insert, {"key": tuple(key)})
        except UnreachableError:
            raise
        except WaybillError as error:
            raise SettingsError(f"{'/'.join(key)} cannot be a key of {self._mart.mart.name}: {error.what}") from error
        for step in (steps.STANDING, steps.STANDING_HISTORY):
            self._each(step)
        self._none(steps.TWICE, "stand twice", todo="waybill check conservation")
        for step in (steps.LEADERS, steps.LEADERS_MART, steps.LEADERS_HISTORY, steps.VERDICT):
            self._each(step)
        path = "sql/restore/020_judged.each_mart.query.sql"
        found = self._session.row(statements(path, self._mart.names(text_of(path)))[0])
        if found is None:
            places = ", ".join(place.table for place in self._mart.places)
            raise SettingsError(f"{'/'.join(key)} stands nowhere: not in {places}")
        return found

    def move(self) -> None:
        """As judged, with the proof and the exceptions of a cycle."""
        moves = Moves(self._run.query(steps.MOVES, self._mart))
        self._move(moves, marked=False)
        self._prove()
        for step in (steps.EXCEPTIONS, steps.ALONE):
            self._each(step)
        self._carry_totals(moves)

    def refuse(self, key: Sequence[str], judged: dict[str, object]) -> None:
        """Raises `RefusedError` for a row that does not belong in the mart, saying why."""
        name, mart = "/".join(key), self._mart
        if judged["target"] == "removed":
            raise RefusedError(
                f"{name} was removed at the source; {mart.mart.name} keeps no removed rows", kept="nothing was changed"
            )
        if judged["target"] == "":
            return
        places = {place.name: place.table for place in mart.places}
        where = places[str(judged["stands"])]
        if judged["leader"] == "history" and mart.leader is not None:
            raise RefusedError(
                f"{name} belongs in {where}: the row that it follows stands in {self._leader_stands(key)}, not in"
                f" {mart.leader.mart.name}",
                kept="nothing was changed",
                todo="nothing: as soon as that row comes back to its mart, a cycle brings this one, too",
            )
        raise RefusedError(
            f"{name} belongs in {where}: it has no row to follow, and its {mart.event_time}"
            f" {_time(judged['event_time'])} is more than {self._rules.retention_seconds // 86_400} days"
            f" before the newest ({_time(self._rules.newest_event)})",
            kept="nothing was changed",
        )

    def _leader_stands(self, key: Sequence[str]) -> str:
        leader = self._mart.leader
        for place in leader.history if leader else ():
            assert leader is not None
            own = SQL(" AND ").join(SQL("{} = %s").format(Identifier(name)) for name in leader.key)
            found = self._session.row(
                SQL("SELECT {} AS event_time FROM {} WHERE {}").format(
                    Identifier(leader.event_time), table(MART_SCHEMA, place.table), own
                ),
                list(key),
            )
            if found:
                return f"{place.table} ({leader.event_time} {_time(found['event_time'])})"
        return "history"


def restore(
    open_session: Callable[[str], Session], declared: Sequence[MartTable], mart: str, key: Sequence[str], note: str,
    dry_run: bool = False, lock_seconds: float = 60,
) -> Restored:  # fmt: skip
    """Bring a row back into `mart`, in one transaction under the cycle's lock; doing it again changes nothing.

    Raises `RefusedError` where section 7 wants the row in history, `SettingsError` for a mart that follows none or a
    key that stands nowhere, `UnreachableError` while a cycle runs for longer than `lock_seconds`.
    """
    try:
        # A session of its own: the steps' scratch tables end with it.
        with open_session("restore") as session, session.transaction(lock=LOCK, lock_seconds=lock_seconds):
            done = _restore(session, declared, mart, key, note)
            if dry_run:
                raise _NothingKept
    except ConflictError as error:
        raise UnreachableError(
            f"a cycle is running for longer than {lock_seconds:.0f} s: {error.what}", kept="nothing was changed",
            todo="again when it is done: waybill cycles list",
        ) from error  # fmt: skip
    except _NothingKept:
        return Restored(done.mart, done.key, done.stood_in, False)
    return done


def _restore(session: Session, declared: Sequence[MartTable], name: str, key: Sequence[str], note: str) -> Restored:
    mart = next((m for m in standing(session, declared) if m.mart.name == name), None)
    if mart is None or mart.leader is None:
        raise SettingsError(f"{name} follows no other mart: its rows leave and come back by their own event time")
    if len(key) != len(mart.key):
        raise SettingsError(f"{'/'.join(key)} is no key of {name}: {'/'.join(mart.key)}")
    as_of = session.row("SELECT cycle, tables_out, timezone('UTC', clock_timestamp()) AS now FROM settlement_ods.as_of")
    stands = rules.stored(session, name)
    if as_of is None or stands is None:
        raise SettingsError(f"no cycle has applied {name} yet", todo="waybill commit --once")
    if as_of["tables_out"]:
        raise RefusedError(
            f"the cycles go on without {as_of['tables_out']}: where rows belong is not known until it is back",
            kept="nothing was changed", todo="waybill commit --with TABLE",
        )  # fmt: skip
    run = Runner(session, {}, _STEP_SECONDS, time.monotonic() + 4 * _STEP_SECONDS)
    one = _OneRow(session, run, mart, stands, as_of["cycle"], as_of["now"])
    judged = one.judge(key)
    places = {place.name: place.table for place in mart.places}
    if judged["stands"] == "":
        return Restored(name, tuple(key), name, False)
    one.refuse(key, judged)
    one.move()
    session.run(
        "UPDATE settlement_ods.order_tracking_exceptions SET resolved_at = %s, resolution_notes = %s"
        " WHERE table_name = %s AND row_key = %s AND exception_type = %s AND resolved_at IS NULL",
        (as_of["now"], note, mart.source.source, "/".join(key), _MISSING),
    )
    return Restored(name, tuple(key), places.get(str(judged["stands"]), "removed"), True)


def _time(second: object) -> str:
    if not isinstance(second, int):
        return "NULL"
    try:
        return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (ValueError, OverflowError, OSError):
        return str(second)
