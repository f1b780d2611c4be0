"""`waybill deadletters redrive, drop, set-aside`: the decisions about bad messages."""

from __future__ import annotations

import sys

import click

from cli import ingest
from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table, yes_option
from cli.letters_chosen import choice_options, desk_of, trial_of, wanted
from cli.letters_shown import told
from cli.looking import who
from consumers.bucket import S3Bucket
from consumers.registry import Registry
from consumers.storing import Storing
from operations.dead_letters import decide
from operations.dead_letters.desk import OPEN
from operations.dead_letters.redrive import Redrive
from waybill.clock import SystemClock
from waybill.errors import RefusedError

reason_option = click.option("--reason", required=True, metavar="TEXT", help="Why; it is kept with the decision.")


@click.command()
@click.argument("letters", nargs=-1)
@choice_options
@click.option("--all", "every", is_flag=True, help="Every open letter that the filters leave.")
@click.option("--reason", default="", metavar="TEXT", help="Why; it is kept with the decision.")
@dry_run_option
@json_option
@pass_context
def redrive(
    context: Context, letters: tuple[str, ...], tables: tuple[str, ...], error: str | None, since: str | None,
    before: str | None, every: bool, reason: str, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Decode letters as the decoder is now, and load the good ones under their own topic, partition and offset.

    One that is still bad stays and is named (exit 1). Doing it again does nothing; nothing is written to Kafka.
    Example: waybill deadletters redrive --all --table ecs_order_info --reason 'decoder mended'
    """
    where, pipeline, clock = context.addresses, context.pipeline, SystemClock()
    bucket = S3Bucket(ingest.bucket_client(where.s3), where.s3.bucket)
    with desk_of(context) as desk:
        chosen = wanted(context, desk, letters, every, tables, error, since, before)
        work = Redrive(
            desk, trial_of(context), Storing(bucket, pipeline.storage, clock), bucket, pipeline.storage, who(), reason
        )
        report = work.run(chosen, dry_run, lambda done: _progress(f"{done:,} letters decoded"))
    told(report, dry_run, as_json)
    return 1 if report.still_bad else 0


@click.command()
@click.argument("letters", nargs=-1)
@choice_options
@click.option("--all", "every", is_flag=True, help="Every open letter that the filters leave.")
@reason_option
@yes_option
@dry_run_option
@json_option
@pass_context
def drop(
    context: Context, letters: tuple[str, ...], tables: tuple[str, ...], error: str | None, since: str | None,
    before: str | None, every: bool, reason: str, yes: bool, dry_run: bool, as_json: bool,
) -> int:  # fmt: skip
    """Give letters up: their events will not be loaded. The letters stay in Kafka, the decision is kept.

    The key of each, or where it is not certain its table, is marked to be reconciled.
    Example: waybill deadletters drop waybill.kuaisong.ecs_order_info/2/1045 --reason 'test message'
    """
    with desk_of(context) as desk:
        chosen = [
            entry
            for entry in wanted(context, desk, letters, every, tables, error, since, before)
            if entry.state == OPEN
        ]
        made = decide.drops(desk, trial_of(context), chosen, who(), reason)
        if made and not dry_run:
            _ask(f"Drop {len(made)} letters of {', '.join(sorted({d.table for d in made}))}?", yes, as_json)
            decide.record(desk, made)
    found = [
        {"letter": str(d.origin), "table": d.table, "row_key": d.row_key, "to_reconcile": d.to_reconcile} for d in made
    ]
    if as_json:
        print_json({"dropped": 0 if dry_run else len(made), "dry_run": dry_run, "letters": found})
    else:
        print_table("Would be dropped" if dry_run else "Dropped", ["letter", "table", "row", "to reconcile"], [
            list(one.values()) for one in found
        ])  # fmt: skip
        click.echo(f"{len(made):,} letters; then: waybill reconcile" if made else "none of them is open")
    return 0


@click.command(name="set-aside")
@click.argument("message")
@reason_option
@yes_option
@dry_run_option
@json_option
@pass_context
def set_aside(context: Context, message: str, reason: str, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Let the consumer set one message aside whose schema id the registry does not know.

    Only for a damaged message: when the registry lost its schemas, give them back instead. Refused (exit 4) when the
    position has passed it or the registry knows the id.
    Example: waybill deadletters set-aside waybill.kuaisong.ecs_order_info/2/1045 --reason 'bytes of another system'
    """
    with desk_of(context) as desk:
        schemas = Registry(context.addresses.registry.url)
        made, unknown = decide.setting_aside(desk, schemas, context.addresses.kafka.bootstrap, message, who(), reason)
        if not dry_run:
            _ask(f"{unknown}. Set {made.origin} aside?", yes, as_json)
            decide.record(desk, [made])
    if as_json:
        print_json({"message": str(made.origin), "table": made.table, "why": unknown, "dry_run": dry_run})
    else:
        click.echo(
            f"{unknown}; {made.origin} {'would be' if dry_run else 'is'} set aside when the consumer next comes to it"
        )


def _ask(question: str, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise RefusedError(question, kept="nothing was decided", todo="add --yes")
    click.confirm(question, abort=True, err=True)


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        click.echo(text, err=True)
