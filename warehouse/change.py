"""One thing that the warehouse's tables lack, with the statements that make it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from psycopg2.sql import Composable

from warehouse.session import Session

_LOCK_SECONDS = 5.0


@dataclass(frozen=True)
class Change:
    """`subject` is '' for a step that is applied once. With a `sha256` it is recorded as applied."""

    step: str
    subject: str
    what: str
    statements: tuple[Composable, ...] = field(repr=False)
    sha256: str = ""


def apply(session: Session, changes: Iterable[Change]) -> None:
    """Each change in a short transaction of its own, with a lock time-out. Applying again does nothing."""
    for change in changes:
        with session.transaction(lock_seconds=_LOCK_SECONDS):
            for statement in change.statements:
                session.run(statement, doing=f"{change.what} ({change.subject or 'once'})")
            if change.sha256:
                session.run(
                    "INSERT INTO settlement_public.schema_versions (step, subject, sha256) VALUES (%s, %s, %s)",
                    (change.step, change.subject, change.sha256),
                )
