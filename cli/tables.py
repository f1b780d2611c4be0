"""`waybill tables`: each table's state and what holds it; pause and resume one for maintenance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from cli import ingest
from cli.context import Context, by_whom, dry_run_option, json_option, pass_context, print_json, print_table
from warehouse.session import Session
from waybill.errors import RefusedError


@click.group()
def tables() -> None:
    """The tables that are carried: their state, and pausing one for maintenance."""


@tables.command(name="list")
@json_option
@pass_context
def list_(context: Context, as_json: bool) -> int:
    """Each table's state, since when, what holds it and what to type; exit 1 when one does not run.

    Example: waybill tables list
    """
    with Session(context.addresses.warehouse, "tables") as session:
        found = rows(session, [stream.name for stream in ingest.streams(context.pipeline)])
    found += [
        {
            "table": topic, "state": "not configured", "since": None, "todo": "add it to the pipeline file",
            "held_by": "no table of the pipeline file: its events are ignored", "events": count,
        }
        for topic, count in ingest.strangers(context).items()
    ]  # fmt: skip
    if as_json:
        print_json({"tables": found})
    else:
        print_table(
            "Tables", ["table", "state", "since (UTC)", "held by", "what to do"],
            [[r["table"], r["state"], r["since"], r["held_by"], r["todo"]] for r in found],
        )  # fmt: skip
    return 1 if any(row["state"] not in ("running", "not read yet", "not configured") for row in found) else 0


def rows(session: Session, names: Sequence[str]) -> list[dict[str, Any]]:
    """One row a table: paused, stopped, to be read again, running, or not read yet."""
    states = {r["table_name"]: r for r in session.rows("SELECT * FROM settlement_public.table_states")}
    pauses = {
        r["table_name"]: r
        for r in session.rows("SELECT * FROM settlement_public.table_pauses WHERE resumed_at IS NULL")
    }
    marks: dict[str, list[dict[str, Any]]] = {}
    for mark in session.rows(
        "SELECT * FROM settlement_public.source_changes WHERE must_read <> '' AND read_at IS NULL ORDER BY change_id"
    ):
        marks.setdefault(mark["table_name"], []).append(mark)
    return [_row(name, states.get(name), pauses.get(name), marks.get(name, [])) for name in names]


def _row(
    name: str, state: dict[str, Any] | None, pause: dict[str, Any] | None, marks: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    if pause:
        held, since = f"{pause['paused_by']}: {pause['reason']}", pause["paused_at"]
        return _shown(name, "paused", since, held, f"waybill tables resume {name} --reason TEXT")
    if state and state["state"] == "stopped":
        return _shown(name, "stopped", state["since"], state["reason"], state["todo"])
    if marks:
        todo = f"waybill reconcile --table {name}; waybill schema accept {name} --read-again --reason TEXT"
        why = "; ".join(mark["must_read"] for mark in marks)
        return _shown(name, "to be read again", marks[0]["recorded_at"], why, todo)
    return _shown(name, state["state"] if state else "not read yet", state["since"] if state else None, "", "")


def _shown(name: str, state: str, since: Any, held_by: str, todo: str) -> dict[str, Any]:
    return {"table": name, "state": state, "since": since, "held_by": held_by, "todo": todo}


@tables.command()
@click.argument("table")
@click.option("--reason", required=True, help="Why; it is kept, and shown by `waybill status`.")
@dry_run_option
@json_option
@pass_context
def pause(context: Context, table: str, reason: str, dry_run: bool, as_json: bool) -> None:
    """Load nothing more of a table, from its next batch on, and hold nothing of it in memory; nothing is lost.

    A table with a mart then holds the cut for all. Example: waybill tables pause ecs_order_info --reason "vacuum"
    """
    name = context.pipeline.table(table).source
    with Session(context.addresses.warehouse, "tables") as session:
        standing = _standing(session, name)
        if not standing and not dry_run:
            session.run(
                "INSERT INTO settlement_public.table_pauses (table_name, reason, paused_by, resumed_by, resume_reason)"
                " VALUES (%s, %s, %s, '', '')",
                (name, reason, by_whom()),
                doing=f"pausing {name}",
            )
    said = "was paused before" if standing else "would be paused" if dry_run else "is paused"
    _say(name, said, not (standing or dry_run), as_json)


@tables.command()
@click.argument("table")
@click.option("--reason", required=True, help="Why; it is kept.")
@dry_run_option
@json_option
@pass_context
def resume(context: Context, table: str, reason: str, dry_run: bool, as_json: bool) -> None:
    """Go on with a paused table where it was; consumers notice within consume.retry_stopped_seconds.

    Example: waybill tables resume ecs_order_info --reason "vacuum is done"
    """
    name = context.pipeline.table(table).source
    with Session(context.addresses.warehouse, "tables") as session:
        if not _standing(session, name):
            raise RefusedError(f"{name} is not paused", kept="nothing was changed", todo="waybill tables list")
        if not dry_run:
            session.run(
                "UPDATE settlement_public.table_pauses SET resumed_at = timezone('UTC', clock_timestamp()),"
                " resumed_by = %s, resume_reason = %s WHERE table_name = %s AND resumed_at IS NULL",
                (by_whom(), reason, name),
                doing=f"resuming {name}",
            )
    _say(name, "would go on" if dry_run else "goes on where it was", not dry_run, as_json)


def _standing(session: Session, name: str) -> bool:
    found = session.row(
        "SELECT 1 AS found FROM settlement_public.table_pauses WHERE table_name = %s AND resumed_at IS NULL", (name,)
    )
    return found is not None


def _say(name: str, what: str, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"table": name, "changed": changed, "what": what})
    else:
        click.echo(f"{name} {what}")
