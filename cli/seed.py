"""`waybill seed`: fill MySQL with realistic, reproducible orders."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime

import click

from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table, yes_option
from cli.source_options import database_options, databases_of, server_of
from source import seeding
from source.moment import parse_moment
from source.rows import Plan
from waybill.errors import RefusedError

ROWS_AN_ORDER = 12.3
"""About: for progress only."""


@click.command()
@click.option(
    "--orders", type=click.IntRange(1, 20_000_000), default=50_000, show_default=True, help="Number of orders."
)
@click.option("--seed", "number", type=int, default=1, show_default=True, help="Same seed and same --now: same rows.")
@click.option(
    "--now", "moment", default="now", show_default=True, metavar="TIME", help="Ages are counted from here (UTC)."
)
@click.option("--connections", type=click.IntRange(1, 32), default=3, show_default=True, help="Loads at the same time.")
@click.option("--force", is_flag=True, help="Drop the three tables, whatever they hold, and seed anew.")
@database_options
@yes_option
@dry_run_option
@json_option
@pass_context
def seed(
    context: Context, orders: int, number: int, moment: str, connections: int, force: bool, database: str | None,
    pipeline_database: str, yes: bool, dry_run: bool, as_json: bool,
) -> None:  # fmt: skip
    """Make the source's databases and fill them: orders of all ages up to 14 months, their tracking, their path.

    About ten path events an order; the rows include what breaks pipelines. A second seed does nothing and says
    so; an interrupted one is begun again.

    \b
    Examples:
      waybill seed
      waybill seed --orders 2000 --seed 7 --now 2026-03-31T00:00:00Z
      waybill seed --force --yes --json
    """
    plan = Plan(orders, number, parse_moment(moment, int(time.time())))
    connect = server_of(context).connect
    databases = databases_of(context, database, pipeline_database)
    found = seeding.find(connect, databases)
    will_drop = found.rows and (force or found.interrupted)
    will_seed = not (found.rows and found.complete) or force
    if dry_run:
        _say_plan(as_json, plan, databases.orders, will_seed, will_drop)
        return
    if force and found.rows and not yes:
        question = f"Drop the three tables of {databases.orders} ({found.note or 'no seed of ours'}) and seed anew?"
        if as_json or not sys.stdin.isatty():
            raise RefusedError(
                f"--force drops the three tables of {databases.orders}", kept="nothing was changed", todo="add --yes"
            )
        click.confirm(question, abort=True, err=True)
    with click.progressbar(
        length=int(orders * ROWS_AN_ORDER), label="seeding", file=sys.stderr,
        hidden=not will_seed or not sys.stderr.isatty(),
    ) as bar:  # fmt: skip
        report = seeding.seed(
            connect, databases, plan, force=force, connections=connections,
            progress=lambda rows: bar.update(rows - bar.pos),
        )  # fmt: skip
    if as_json:
        print_json({
            "seeded": report.seeded, "note": report.note, "database": databases.orders, "rows": report.rows,
            "seconds": round(report.seconds, 3), "rows_per_second": report.rows_per_second,
        })  # fmt: skip
    elif not report.seeded:
        click.echo(f"{databases.orders} is seeded already ({report.note}); no row was changed.")
        click.echo("To start anew: waybill seed --force")
    else:
        click.echo(
            f"seeded {databases.orders} as of {_iso(plan.now)} in {report.seconds:.1f} s, "
            f"{report.rows_per_second:,} rows/s"
        )
        print_table("", ("table", "rows"), list(report.rows.items()))


def _say_plan(as_json: bool, plan: Plan, database: str, will_seed: bool, will_drop: bool) -> None:
    if as_json:
        print_json(
            {
                "dry_run": True,
                "would_seed": will_seed,
                "would_drop": will_drop,
                "database": database,
                "orders": plan.orders,
                "seed": plan.seed,
                "now": plan.now,
            }
        )
    elif not will_seed:
        click.echo(f"{database} is seeded already: no row would change.")
    else:
        first = "drop its three tables, then " if will_drop else ""
        click.echo(
            f"Would {first}seed {database} with {plan.orders:,} orders as of {_iso(plan.now)}, seed {plan.seed}."
        )


def _iso(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
