"""`waybill schema`: waybill's tables in the warehouse against what is wanted."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cli import ingest
from cli.context import Context, by_whom, dry_run_option, json_option, pass_context, print_json, print_table, yes_option
from cli.pipeline import Pipeline
from committer.ahead import half_years
from connect import signals, source_tables
from warehouse.change import Change, apply
from warehouse.schema import MartTable, RawTable, plan, present_columns
from warehouse.session import Session
from waybill import raw as lineage
from waybill.addresses import Addresses
from waybill.clock import utc_now
from waybill.errors import RefusedError
from waybill.source_changes.history import Open


@click.group()
def schema() -> None:
    """waybill's tables in the warehouse: what is there, what is missing, and making it."""


def wanted(pipeline: Pipeline, addresses: Addresses) -> tuple[list[RawTable], list[MartTable]]:
    """The raw tables and marts that the pipeline file asks for, typed as the source types them.

    Raises `SettingsError` when the file does not fit the source.
    """
    executed = source_tables.executed(addresses.mysql)  # asked first: what it holds is in the columns for certain
    found = source_tables.read(addresses.mysql, [t.source for t in pipeline.tables])
    for number, entry in enumerate(pipeline.tables):
        source_tables.refuse_mismatch(
            entry.source, f"tables[{number}]", entry.key, entry.event_time, found.get(entry.source)
        )
    raws = [RawTable.of_source(t.raw, found[t.source].columns, t.source, executed) for t in pipeline.tables]
    raws.append(RawTable.of_stream(lineage.TRANSACTION_TABLE, lineage.TRANSACTION))
    raws.append(RawTable.of_stream(lineage.NOTIFICATION_TABLE, lineage.NOTIFICATION))
    raws.append(RawTable.of_stream(lineage.SCHEMA_CHANGE_TABLE, lineage.SCHEMA_CHANGE))
    marts = [
        MartTable.of_source(
            t.mart.name, found[t.source].columns, t.key, t.event_time or "", t.source,
            half_years(pipeline.history, utc_now()), pipeline.history.readers,
        )
        for t in pipeline.marts if t.mart
    ]  # fmt: skip
    return raws, marts


def _plain(changes: list[Change]) -> list[dict[str, str]]:
    return [{"step": c.step, "table": c.subject, "what": c.what} for c in changes]


@schema.command()
@json_option
@pass_context
def show(context: Context, as_json: bool) -> None:
    """The tables there are. Example: waybill schema show"""
    raws, marts = wanted(context.pipeline, context.addresses)
    with Session(context.addresses.warehouse, "schema") as session:
        rows = [
            {
                "schema": where, "table": t.name, "columns": len(present_columns(session, where, t.name)),
                "wanted": len(t.columns),
            }
            for where, tables in ((lineage.RAW_SCHEMA, raws), (lineage.MART_SCHEMA, marts))
            for t in tables
        ]  # fmt: skip
    if as_json:
        print_json({"tables": rows})
    else:
        print_table("Tables", ["schema", "table", "columns", "wanted"], [list(r.values()) for r in rows])


@schema.command()
@json_option
@pass_context
def diff(context: Context, as_json: bool) -> int:
    """What `schema apply` would do; exit 1 when there is something. Example: waybill schema diff"""
    with Session(context.addresses.warehouse, "schema") as session:
        changes = plan(session, *wanted(context.pipeline, context.addresses))
    if as_json:
        print_json({"changes": _plain(changes)})
    elif changes:
        print_table("Missing in the warehouse", ["step", "table", "what"], [list(c.values()) for c in _plain(changes)])
    else:
        click.echo("the warehouse has all that is wanted")
    return 1 if changes else 0


@schema.command(name="apply")
@dry_run_option
@json_option
@pass_context
def apply_(context: Context, dry_run: bool, as_json: bool) -> None:
    """Make what is missing, in place, each step in a short transaction. Example: waybill schema apply --dry-run"""
    with Session(context.addresses.warehouse, "schema") as session:
        changes = plan(session, *wanted(context.pipeline, context.addresses))
        if not dry_run:
            apply(session, changes)
    if as_json:
        print_json({"applied": not dry_run, "changes": _plain(changes)})
    elif not changes:
        click.echo("nothing to do: the warehouse has all that is wanted")
    else:
        for change in _plain(changes):
            click.echo(
                f"{'would ' if dry_run else ''}{change['what']}{' for ' + change['table'] if change['table'] else ''}"
            )


@schema.command()
@click.argument("table")
@click.option("--take", "how", flag_value="take", help="Take the change: raw and mart are changed likewise.")
@click.option("--read-again", "how", flag_value="read again", help="Read the table again, by an incremental snapshot.")
@click.option("--reason", required=True, help="Why; it is kept.")
@dry_run_option
@yes_option
@json_option
@pass_context
def accept(context: Context, table: str, how: str, reason: str, dry_run: bool, yes: bool, as_json: bool) -> None:
    """Decide on what stops a table at the source's change; it then goes on where it was.

    --take after a TRUNCATE marks every row that stood before it as deleted. --read-again may be given at any time.

    Example: waybill schema accept ecs_order_info --take --reason "renamed with the application's release 7"
    """
    if how not in ("take", "read again"):
        raise click.UsageError("choose one: --take or --read-again")
    entry = context.pipeline.table(table)
    changes = ingest.source_changes(context)
    try:
        history = changes.advance(entry.source) if not dry_run else changes.history(entry.source)
        if how == "take" and not history.open:
            raise RefusedError(
                f"{entry.source}: no change waits for a decision", kept="nothing was changed",
                todo="waybill tables list; a consumer finds a change when it meets the first event of it",
            )  # fmt: skip
        if dry_run:
            _say_decision(entry.source, how, history.open, [], True, as_json)
            return
        if not yes and not as_json:
            for one in history.open:
                click.echo(f"{entry.source}: {one.what}")
            click.confirm(f"{how}?", abort=True)
        decided = changes.accept(entry.source, how, reason, by_whom())
        signal = ""
        if how == "read again":
            signal = signals.read_again(context.addresses.mysql, context.pipeline.source.signal, [entry.source])
            changes.asked_again(entry.source, f"incremental snapshot, signal {signal}")
    finally:
        changes.close()
    _say_decision(entry.source, how, history.open, decided, False, as_json, signal)


def _say_decision(
    table: str, how: str, waiting: Sequence[Open], decided: Sequence[str], dry_run: bool, as_json: bool,
    signal: str = "",
) -> None:  # fmt: skip
    changes = [one.what for one in waiting] if dry_run else list(decided)
    if as_json:
        print_json({"table": table, "how": how, "applied": not dry_run, "decided": changes, "signal": signal or None})
        return
    for what in changes:
        click.echo(f"{'would decide' if dry_run else 'decided'} ({how}): {what}")
    if signal:
        click.echo(f"the connector reads {table} again (signal {signal}); then: waybill reconcile --table {table}")
    elif not dry_run:
        click.echo(f"{table} goes on where it was")
