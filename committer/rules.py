"""By which rules a mart stands: its T, its bounds of this cycle, and whether a setting has changed since the last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from committer.settings import History, Mart
from warehouse.session import Session
from waybill.errors import SettingsError
from waybill.half_years import HalfYear

FUTURE_SECONDS = 3600
_EVER = -(2**62)


@dataclass(frozen=True)
class Rules:
    """One mart's rules. `newest_event` is T: seconds since 1970, None before the first event that counts."""

    newest_event: int | None
    cut_at: datetime
    retention_seconds: int
    on_delete: str
    first_half_year: str
    follows: str

    @classmethod
    def of(cls, mart: Mart, history: History, newest_event: int | None, cut_at: datetime) -> Rules:
        """As the settings have them now."""
        return cls(newest_event, cut_at, mart.retention_seconds, mart.on_delete, str(history.first), mart.follows or "")

    @property
    def due_before(self) -> int | None:
        """Rows of an earlier event time are due to leave; None: none is."""
        return None if self.newest_event is None else self.newest_event - self.retention_seconds

    @property
    def future_after(self) -> int:
        """Rows of a later event time lie in the future."""
        return int(self.cut_at.replace(tzinfo=UTC).timestamp()) + FUTURE_SECONDS

    def bounds(self, before: Rules | None) -> dict[str, Any]:
        """The step files' parameters, the rules `before` being those of the last cycle."""
        was = before.due_before if before else None
        due = self.due_before
        return {
            "due_before": due, "has_due": due is not None, "first_due": due is not None and was is None,
            "was_due_before": _EVER if was is None else was,
            "future_after": self.future_after,
            "was_future_after": before.future_after if before else self.future_after,
        }  # fmt: skip

    def changed(self, before: Rules | None) -> list[str]:
        """The settings that differ from the last cycle's, in words.

        Raises `SettingsError` for a change that has no way back.
        """
        if before is None:
            return ["the mart is new to the cycle"]
        if HalfYear.parse(self.first_half_year) > HalfYear.parse(before.first_half_year):
            raise SettingsError(
                f"history.first_half_year was raised from {before.first_half_year} to {self.first_half_year}",
                kept="nothing was changed; rows stand in the older half-years",
                todo=f"set it to {before.first_half_year} again, or lower",
            )
        if before.on_delete == "remove" != self.on_delete:
            raise SettingsError(
                f"on_delete was changed from remove to {self.on_delete}: what was removed cannot come back",
                kept="nothing was changed", todo="set it to remove again",
            )  # fmt: skip
        names = ("retention_seconds", "on_delete", "first_half_year", "follows")
        return [
            f"{name} from {getattr(before, name) or 'nothing'} to {getattr(self, name) or 'nothing'}"
            for name in names
            if getattr(before, name) != getattr(self, name)
        ]

    def store(self, session: Session, mart: str, cycle: int) -> None:
        """In the cycle's transaction."""
        session.run("DELETE FROM settlement_ods.mart_rules WHERE mart = %s", (mart,))
        session.run(
            "INSERT INTO settlement_ods.mart_rules VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                mart, self.newest_event, self.cut_at, self.retention_seconds, self.on_delete, self.first_half_year,
                self.follows, cycle,
            ),
        )  # fmt: skip


def stored(session: Session, mart: str) -> Rules | None:
    """The rules of the mart's last cycle; None when it had none."""
    row: Mapping[str, Any] | None = session.row("SELECT * FROM settlement_ods.mart_rules WHERE mart = %s", (mart,))
    if row is None:
        return None
    return Rules(
        row["newest_event"], row["cut_at"], row["retention_seconds"], row["on_delete"], row["first_half_year"],
        row["follows"],
    )  # fmt: skip


def later(*times: int | None) -> int | None:
    """T never falls."""
    return max((t for t in times if t is not None), default=None)
