"""Eras as the warehouse keeps them, for ever: `settlement_ods.eras`."""

from __future__ import annotations

from collections.abc import Sequence

from committer.eras import Attempt, Era
from warehouse.session import Session


def read(session: Session) -> list[Era]:
    """All of them, the oldest first."""
    found = session.rows("SELECT * FROM settlement_ods.eras ORDER BY era")
    return [
        Era(
            r["era"], (r["source_uuid"], r["source_tag"]), r["first_number"], r["last_number"],
            None if r["source_uuid"] else Attempt(r["snapshot_server_id"], r["snapshot_file"], r["snapshot_pos"]),
            r["snapshot_notification"] or "",
        )
        for r in found
    ]  # fmt: skip


def write(session: Session, before: Sequence[Era], after: Sequence[Era]) -> None:
    """Those that are new or have grown, in the cycle's transaction."""
    for era in after:
        if era in before:
            continue
        session.run("DELETE FROM settlement_ods.eras WHERE era = %s", (era.era,))
        attempt = era.snapshot
        session.run(
            "INSERT INTO settlement_ods.eras VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                era.era, *era.line, era.first, era.last, attempt.server_id if attempt else None,
                attempt.file if attempt else None, attempt.pos if attempt else None, era.notification or None,
            ),
        )  # fmt: skip
