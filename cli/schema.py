"""`waybill schema`: waybill's tables in the warehouse against what is wanted."""

from __future__ import annotations

import click

from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table
from cli.pipeline import Pipeline
from connect import source_tables
from warehouse.schema import Change, MartTable, RawTable, apply, plan, present_columns
from warehouse.session import Session
from waybill import raw as lineage
from waybill.addresses import Addresses


@click.group()
def schema() -> None:
    """waybill's tables in the warehouse: what is there, what is missing, and making it."""


def wanted(pipeline: Pipeline, addresses: Addresses) -> tuple[list[RawTable], list[MartTable]]:
    """The raw tables and marts that the pipeline file asks for, typed as the source types them.

    Raises `SettingsError` when the file does not fit the source.
    """
    found = source_tables.read(addresses.mysql, [t.source for t in pipeline.tables])
    for number, entry in enumerate(pipeline.tables):
        source_tables.refuse_mismatch(
            entry.source, f"tables[{number}]", entry.key, entry.event_time, found.get(entry.source)
        )
    raws = [RawTable.of_source(t.raw, found[t.source].columns) for t in pipeline.tables]
    raws.append(RawTable.of_stream(lineage.TRANSACTION_TABLE, lineage.TRANSACTION))
    raws.append(RawTable.of_stream(lineage.NOTIFICATION_TABLE, lineage.NOTIFICATION))
    marts = [MartTable.of_source(t.mart.name, found[t.source].columns, t.key) for t in pipeline.marts if t.mart]
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
