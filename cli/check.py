"""`waybill check`: checks over the warehouse by name; findings are rows."""

from __future__ import annotations

import logging
import sys
from dataclasses import asdict

import click

from checks import named
from checks.named import CHECKS, Mart
from cli.context import Context, json_option, pass_context, print_json, print_table
from warehouse.session import Session
from waybill.errors import WaybillError

log = logging.getLogger(__name__)

_STATEMENT_SECONDS = 1800.0
_EPILOG = (
    "\b\nChecks:\n"
    + "\n".join(f"  {name:<14} {holds}" for name, holds in CHECKS.items())
    + ("\n\n\b\nExamples:\n  waybill check\n  waybill check conservation --limit 100 --json")
)


@click.command(epilog=_EPILOG)
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--limit", type=click.IntRange(0), default=20, show_default=True,
    help="Findings shown of each query and table; all are counted.",
)  # fmt: skip
@json_option
@pass_context
def check(context: Context, names: tuple[str, ...], limit: int, as_json: bool) -> int:
    """Run checks, all when none is named, over the marts as the last cycle left them. They may read every row.

    Exit 0 nothing was found, 1 something was. One that cannot be run does not hide the others.
    """
    marts = [
        Mart(entry.source, entry.mart.name, tuple(name.lower() for name in entry.key))
        for entry in context.pipeline.marts
        if entry.mart
    ]
    chosen = named.chosen(names)
    outcomes, failed = [], []
    for name in chosen:
        try:
            with Session(context.addresses.warehouse, "check", _STATEMENT_SECONDS) as session:
                outcomes.append(named.run(session, name, marts, limit, _say))
        except WaybillError as error:
            failed.append(error)
            log.error("check %s could not be run: %s", name, error)
    if failed and not outcomes:
        raise failed[0]
    if as_json:
        print_json({"ok": not any(one.count for one in outcomes), "checks": [asdict(one) for one in outcomes]})
    for one in outcomes if not as_json else ():
        if one.findings:
            print_table(f"{one.check}: {one.count:,} found", ["query", "table", "row", "what"], [
                [f.step, f.table, f.row_key, f.what] for f in one.findings
            ])  # fmt: skip
        said = f"{one.count:,} found" if one.count else f"ok: {one.holds}"
        click.echo(f"{one.check} {said} (cycle {one.cycle}, {one.seconds:.1f} s)")
    if any(one.count for one in outcomes):
        return 1
    return failed[0].exit_code if failed else 0


def _say(line: str) -> None:
    if sys.stderr.isatty():
        click.echo(line, err=True)
