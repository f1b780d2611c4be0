"""`waybill exceptions`: the rows that could not be placed, and what the checks have found."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

from cli.commit import marts
from cli.context import (
    Context,
    by_whom,
    dry_run_option,
    json_option,
    pass_context,
    print_json,
    print_table,
    yes_option,
)  # fmt: skip
from committer import restoring
from operations.exceptions import resolve as by_hand
from operations.exceptions import rows
from operations.exceptions.rows import Choice
from warehouse.session import Session
from waybill.errors import SettingsError

_RESOLVE_EXAMPLES = """
\b
Examples:
  waybill exceptions resolve 12 --note "the shop corrects it tonight"
  waybill exceptions resolve 12 13 14 --note "seen" --yes
"""
_RESTORE_EXAMPLES = """
\b
Examples:
  waybill exceptions restore 123456 --dry-run
  waybill exceptions restore 123456 --note "was moved by hand in March"
"""


@click.group()
def exceptions() -> None:
    """Rows that could not be placed, and findings of the checks: every one by name, none dropped in silence."""


@exceptions.command(name="list")
@click.option("--type", "kind", default="", metavar="TYPE", help="Only this type, e.g. ARCHIVE_ROUTING_GAP_ECS.")
@click.option("--table", default="", metavar="TABLE", help="Only this source table.")
@click.option("--all", "every", is_flag=True, help="Resolved ones, too.")
@click.option("-n", "--last", default=50, show_default=True, help="How many, the newest first; all are counted.")
@json_option
@pass_context
def list_(context: Context, kind: str, table: str, every: bool, last: int, as_json: bool) -> int:
    """What is open; exit 1 when something is.

    Example: waybill exceptions list --type FUTURE_TIMESTAMP --table ecs_order_info
    """
    choice = Choice(kind, _source(context, table), every)
    with Session(context.addresses.warehouse, "exceptions") as session:
        found = rows.newest(session, choice, last)
        counts = rows.open_by_type(session, choice)
    if as_json:
        print_json({"open": sum(counts.values()), "open_by_type": counts, "exceptions": [asdict(row) for row in found]})
        return 1 if counts else 0
    header = ["id", "type", "table", "row", "detected (UTC)", "notes"]
    print_table("Exceptions", [*header, *(["resolved (UTC)", "how"] if every else [])], [
        [
            str(row.exception_id), row.exception_type, row.table_name, row.row_key or "(the table)",
            f"{row.detected_at:%Y-%m-%d %H:%M:%S}", row.notes,
            *(["" if row.resolved_at is None else f"{row.resolved_at:%Y-%m-%d %H:%M:%S}", row.resolution_notes]
              if every else []),
        ]
        for row in found
    ])  # fmt: skip
    said = ", ".join(f"{name} {number:,}" for name, number in counts.items())
    click.echo(f"{sum(counts.values()):,} open: {said}" if counts else "none is open")
    return 1 if counts else 0


@exceptions.command()
@click.argument("exception_id", type=int, metavar="ID")
@json_option
@pass_context
def show(context: Context, exception_id: int, as_json: bool) -> None:
    """One exception with all its words, and where its row stands now. Example: waybill exceptions show 12"""
    with Session(context.addresses.warehouse, "exceptions") as session:
        [row] = rows.by_id(session, [exception_id])
        mart = next((m for m in marts(context, session) if m.source.source == row.table_name), None)
        # The row of an INVALID_ROW is no key: topic partition and offset.
        keyed = mart is not None and row.row_key and row.exception_type != "INVALID_ROW"
        key = rows.key_of(session, mart, row.row_key) if mart is not None and keyed else None
        places = rows.stands_in(session, mart, key) if mart is not None and key is not None else []
    if as_json:
        print_json(asdict(row) | {"stands_in": places})
        return
    for name, value in asdict(row).items():
        click.echo(f"{name.replace('_', ' '):<16} {'' if value is None else value}")
    if keyed:
        click.echo(f"{'stands in':<16} {', '.join(places) or 'no table'}")
    if row.resolved_at is None:
        click.echo(f"to resolve it by hand: waybill exceptions resolve {row.exception_id} --note TEXT")


@exceptions.command(epilog=_RESOLVE_EXAMPLES)
@click.argument("ids", type=int, nargs=-1, required=True, metavar="ID...")
@click.option("--note", required=True, metavar="TEXT", help="Why; it is kept with the exception.")
@yes_option
@dry_run_option
@json_option
@pass_context
def resolve(context: Context, ids: tuple[int, ...], note: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Resolve exceptions by hand, with a note. It moves no row.

    Of a routing gap or a time in the future the next cycle looks at the row and opens a new exception while the cause
    stands. At a terminal it asks when there are several.
    """
    _noted(note)
    if len(ids) > 1 and not (yes or dry_run or as_json) and sys.stdin.isatty():
        click.confirm(f"Resolve {len(ids)} exceptions?", abort=True, err=True)
    with Session(context.addresses.warehouse, "exceptions") as session:
        done = by_hand.resolve(session, marts(context, session), ids, f"{by_whom()}: {note}", dry_run)
    if as_json:
        resolved = [
            {"exception_id": d.row.exception_id, "rechecked": d.rechecked, "was_resolved_before": d.before}
            for d in done
        ]
        print_json({"dry_run": dry_run, "exceptions": resolved})
        return
    for one in done:
        row = one.row
        name = f"{row.exception_id} ({row.exception_type} of {row.table_name} {row.row_key})"
        if one.before:
            click.echo(f"{name} was resolved before")
            continue
        again = "; the next cycle looks at the row again" if one.rechecked else ""
        click.echo(f"{name} {'would be' if dry_run else 'is'} resolved{again}")


@exceptions.command(epilog=_RESTORE_EXAMPLES)
@click.argument("order_id", metavar="ORDER_ID")
@click.option("--table", default="", metavar="TABLE", help="Needed when several marts follow another.")
@click.option("--note", default="", metavar="TEXT", help="Why; it is kept with the exception that this resolves.")
@yes_option
@dry_run_option
@json_option
@pass_context
def restore(
    context: Context, order_id: str, table: str, note: str, yes: bool, dry_run: bool, as_json: bool
) -> None:  # fmt: skip
    """Bring an order's row of a mart that follows another (ecs) back from history into the mart.

    In one transaction under the cycle's lock. Refused (exit 4) where the row belongs in history, saying why. A cycle
    does the same by itself when the order comes back. At a terminal it asks.
    """
    with Session(context.addresses.warehouse, "exceptions") as session:
        declared = marts(context, session)
        followers = [
            m for m in declared if m.mart.follows and (not table or m.source.source == _source(context, table))
        ]
        if len(followers) != 1:
            names = ", ".join(m.source.source for m in declared if m.mart.follows) or "none"
            raise SettingsError(f"say --table: the tables whose marts follow another are {names}")
    mart = followers[0].mart.name
    if not (yes or dry_run or as_json) and sys.stdin.isatty():
        click.confirm(f"Bring {order_id} back into {mart}?", abort=True, err=True)
    said = f"restored by {by_whom()}{': ' + note if note else ''}"
    done = restoring.restore(
        lambda name: Session(context.addresses.warehouse, name), declared, mart, order_id.split("/"), said, dry_run
    )
    if as_json:
        print_json({"dry_run": dry_run, **asdict(done)})
    elif done.stood_in == mart:
        click.echo(f"{order_id} stands in {mart} already")
    else:
        click.echo(f"{order_id} {'would come' if dry_run else 'came'} from {done.stood_in} into {mart}")


def _noted(note: str) -> None:
    if not note.strip():
        raise SettingsError("--note is empty: it is kept for those who read the exception later")


def _source(context: Context, table: str) -> str:
    """`database.table`; a name that is not in the pipeline file may still be of an old exception."""
    try:
        return context.pipeline.table(table).source if table else ""
    except SettingsError:
        if "." in table:
            return table
        raise
