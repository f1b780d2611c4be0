"""One mart in one cycle: the winners of what came, the place of every row that it touches, and the proof of it.

Everything it does is a step of `sql/commit/`; here is their order, and what their answers lead to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from committer import rules, steps
from committer.marts import MartTable, Place, targets
from committer.rules import Rules
from committer.settings import History
from committer.steps import Runner, Step
from committer.summary import MartCounts
from warehouse.session import Session
from waybill.errors import WaybillError


@dataclass(frozen=True)
class Moves:
    """What the verdicts come to: the rows of step 270."""

    rows: Sequence[Mapping[str, Any]]

    def into(self, place: str) -> int:
        """Rows that are to be put in: they stood elsewhere or nowhere."""
        return sum(r["keys"] for r in self.rows if r["target"] == place and r["stands"] != place)

    def out_of(self, place: str) -> int:
        """Rows that are to be taken out: they go elsewhere."""
        return sum(r["keys"] for r in self.rows if r["stands"] == place and r["target"] != place)

    def within(self, place: str) -> int:
        """Rows that stay and are replaced by a newer version."""
        return sum(r["keys"] for r in self.rows if r["stands"] == place == r["target"] and r["wins"])

    def by_themselves(self, place: str) -> bool:
        """Does a row leave this place though nothing new came of it?"""
        return any(r["stands"] == place and not r["wins"] and r["target"] not in (place, "removed") for r in self.rows)

    def count(self, counts: MartCounts) -> None:
        """What happened, for the summary."""
        for r in self.rows:
            keys, stood, target, wins = r["keys"], r["stands"], r["target"], r["wins"]
            archived = target not in ("", "removed")
            counts.looked_at += keys
            counts.applied += keys * wins
            counts.replaced += keys * (wins and stood is not None)
            counts.archived += keys * (archived and stood in (None, "", "removed"))
            counts.trimmed += keys * (stood == "" and target != "")
            counts.returned += keys * (stood not in (None, "", "removed") and target == "")
            counts.corrected += keys * (wins and archived and stood not in (None, "", "removed"))
            counts.removed += keys * (target == "removed" and stood != "removed")
            counts.future += keys * r["future"]
            counts.gaps += keys * r["gap"]


class Placing:
    """Applies one mart, in the cycle's transaction. `values` are the parameters that every step of the cycle shares.

    Raises `WaybillError`, for the cycle to be rolled back, when a key stands twice before or not once after.
    """

    def __init__(
        self, session: Session, run: Runner, mart: MartTable, history: History, cut_at: datetime,
        values: Mapping[str, Any], rebuild: bool = False,
    ) -> None:  # fmt: skip
        self._session, self._run, self._mart = session, run, mart
        self._history, self._cut_at, self._rebuild = history, cut_at, rebuild
        self._values = {**mart.values(), **values}

    def apply(self) -> MartCounts:
        """The whole of it; answers what happened."""
        counts = self._news()
        before = rules.stored(self._session, self._mart.mart.name)
        newest = self._newest_event(before)
        now = Rules.of(self._mart.mart, self._history, newest, self._cut_at)
        self._values |= now.bounds(before)
        self._step(steps.LATEST)
        self._step(steps.TRUNCATES)
        wiped = self._run.query(steps.NEW_WIPES, self._mart, **self._values)[0]["wipes"]
        changed = now.changed(before)
        if wiped:
            changed.append("rows of it were deleted without events")
        if self._rebuild:
            changed.append("places are rebuilt")
        counts.marked = "; ".join(changed)
        self._look(bool(counts.marked))
        moves = Moves(self._run.query(steps.MOVES, self._mart))
        moves.count(counts)
        counts.older = max(counts.keys - counts.applied - counts.invalid, 0)
        self._move(moves, bool(counts.marked))
        self._prove()
        for step in (steps.EXCEPTIONS, steps.ALONE, steps.MOVED):
            self._each(step)
        self._carry_totals(moves)
        now.store(self._session, self._mart.mart.name, self._values["cycle"])
        return counts

    def _newest_event(self, before: Rules | None) -> int | None:
        """T after this cycle. It never falls, except when places are rebuilt."""
        came = self._run.query(steps.EVENT_TIMES, self._mart, **self._values)[0]["newest"]
        if not self._rebuild:
            return rules.later(before.newest_event if before else None, came)
        again = self._run.query(steps.REBUILT_TIME, self._mart, **self._values)[0]["newest"]
        stand = [
            self._run.query(steps.REBUILT_TIME_PLACE, self._mart, place, **self._values)[0]["newest"]
            for place in self._mart.places
        ]
        return rules.later(came, again, *stand)

    def _news(self) -> MartCounts:
        counts = MartCounts(self._mart.mart.name)
        self._step(steps.PLACED)
        found = self._run.query(steps.NEWS, self._mart)[0]
        counts.rows_in, counts.keys, counts.deleted = (int(found[name]) for name in ("rows_in", "keys", "deleted"))
        counts.invalid = self._step(steps.INVALID)
        self._step(steps.HOLES_ARRIVED)
        return counts

    def _look(self, marked: bool) -> None:
        """Every candidate, where it stands, and the verdict on it."""
        self._step(steps.CANDIDATES)
        self._each(steps.FOLLOWERS)
        if marked:
            self._each(steps.EVERYTHING)
        for step in (steps.STANDING, steps.STANDING_HISTORY):
            self._each(step)
        self._none(steps.TWICE, "stand twice before the cycle", todo="waybill check conservation names all of them")
        for step in (steps.LEADERS, steps.LEADERS_MART, steps.LEADERS_HISTORY, steps.VERDICT):
            self._each(step)

    def _move(self, moves: Moves, marked: bool) -> None:
        """Replaced where they stand; then in first, then the safety check, then out."""
        self._step(steps.INCOMING)
        self._step(steps.MOVING)
        places = self._mart.places
        for place in places:
            if moves.by_themselves(place.name):
                self._step(steps.MOVING_PLACE, place)
        for place in places:
            if (due := moves.within(place.name)) and (done := self._step(steps.REPLACE, place)) != due:
                raise self._defect(steps.REPLACE, place, f"{done} of {due} rows were replaced")
        for place in places:
            if moves.into(place.name):
                self._step(steps.INSERT, place)
                self._none(steps.ARRIVED, f"did not arrive in {place.table}, nothing was trimmed", place)
        for place in places:
            if moves.out_of(place.name):
                self._step(steps.DELETE, place)
            if marked:
                self._step(steps.MARKS, place)
        self._step(steps.REMOVED)

    def _prove(self) -> None:
        for step in (steps.AFTER, steps.AFTER_PLACE):
            self._each(step)
        self._none(steps.CONSERVED, "do not stand exactly once, where they should, after the cycle")

    def _carry_totals(self, moves: Moves) -> None:
        name = self._mart.mart.name
        for place in (*(p.name for p in self._mart.places), "removed"):
            more = moves.into(place) - moves.out_of(place)
            if more and not self._session.run(
                "UPDATE settlement_ods.mart_totals SET row_count = row_count + %s WHERE mart = %s AND place = %s",
                (more, name, place),
            ):
                self._session.run("INSERT INTO settlement_ods.mart_totals VALUES (%s, %s, %s)", (name, place, more))

    def _step(self, step: Step, place: Place | None = None) -> int:
        return self._run.run(step, self._mart, place, **self._values)

    def _each(self, step: Step) -> None:
        for place in targets(step.scope, self._mart):
            self._step(step, place)

    def _none(self, step: Step, what: str, place: Place | None = None, todo: str = "") -> None:
        """The query finds what must not be."""
        found = self._run.query(step, self._mart, place, **self._values)
        if found:
            named = "; ".join(str(dict(row)) for row in found[:5])
            raise self._defect(step, place, f"{len(found)} or more keys {what}: {named}", todo)

    def _defect(self, step: Step, place: Place | None, what: str, todo: str = "") -> WaybillError:
        return WaybillError(
            f"{steps.doing(step, self._mart, place)}: {what}",
            kept="the cycle was rolled back; marts and history stand as the last cycle left them, raw is whole",
            todo=todo or "report it: this is a defect of waybill, or somebody changed a mart by hand",
        )
