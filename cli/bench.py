"""`waybill bench`: how fast this pipeline is, measured on it while it works."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from cli import ingest
from cli.context import Context, json_option, pass_context, print_json, print_table
from cli.source_options import server_of
from consumers.bucket import S3Bucket
from operations.freshness.board import Board
from operations.freshness.declared import Carried, carried
from operations.freshness.looking import BucketLook, WarehouseLook, begin_of
from operations.freshness.measuring import Plan, Watch, measure
from operations.freshness.report import Report, keep
from operations.freshness.writing import MarkerTable
from warehouse.session import Session
from waybill.clock import SystemClock

WAREHOUSE_SECONDS, BUCKET_SECONDS = 0.1, 0.2
"""Between two looks. A listing a partition costs more than the one query, of the machine that is measured too."""

KEPT = Path(".waybill/bench/freshness.jsonl")


@click.group()
def bench() -> None:
    """Figures of this pipeline, measured while it works."""


@bench.command()
@click.option(
    "--seconds", type=click.FloatRange(min=0, min_open=True), default=60.0, show_default=True, help="Markers so long."
)
@click.option("--every", type=click.FloatRange(min=0.01), default=0.25, show_default=True, help="Seconds between two.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=120.0, show_default=True,
    help="Seconds to wait for the last one; with cycles by schedule more than lies between two.",
)  # fmt: skip
@click.option(
    "--keep", "path", type=click.Path(dir_okay=False, path_type=Path), default=KEPT, show_default=True,
    help="File that every sample is added to, a JSON object a line.",
)  # fmt: skip
@json_option
@pass_context
def freshness(context: Context, seconds: float, every: float, wait: float, path: Path, as_json: bool) -> int:
    """Write marker rows at the source, and time them to Kafka, Parquet, raw and mart.

    Run it beside whatever load there is (`waybill generate`) and a pipeline that runs. Markers have a table of their
    own, <pipeline database>.freshness, which the pipeline file has to carry to a mart; where it does not, the
    command refuses and prints the entry. All marts of a cycle commit in one transaction, and a cycle's cut takes
    the source's transactions in their order: what a marker took to its mart, any row written then took to any mart.

    \b
    Seconds since right before the marker was sent to be committed:
      kafka    the connector's time on the message; readers see it some ms later
      parquet  a listing of the bucket showed its object
      raw      a query found it in the raw table
      mart     a query found it in the mart
    The last three by this machine's clock. The warehouse is asked every 0.1 s, the bucket every 0.2 s: left in.

    The rows stay at the source and are written again by the next run, 100,000 at most. Exit code 1: a marker did not
    arrive in time. Examples:

    \b
      waybill bench freshness
      waybill bench freshness --seconds 300 --every 0.1 --keep run.jsonl --json
    """
    chosen = chosen_table(context)
    plan, board, clock = Plan(secrets.token_hex(4), seconds, every, wait), Board(), SystemClock()
    where = context.addresses.warehouse

    def session() -> Session:
        return Session(where, "freshness", 60)

    table = MarkerTable(server_of(context).connect, chosen.source)
    try:
        if not as_json:
            click.echo(f"markers to {chosen.source} for {seconds:g} s, one every {every:g} s ...", err=True)
        watches = {
            "warehouse": Watch(WarehouseLook(session, chosen, board, clock), WAREHOUSE_SECONDS),
            "bucket": Watch(bucket_look(context, chosen, board, clock), BUCKET_SECONDS),
        }
        outcome = measure(plan, table, watches, board, clock)
    finally:
        table.close()
        keep(path, board.samples())
    report = Report(plan, board.samples(), outcome)
    if as_json:
        print_json({**report.plain(), "kept": str(path)})
    else:
        print_table("Seconds since the commit at the source", ["", "p50", "p95", "p99", "max", "arrived"], report.lines)
        for line in report.missing:
            click.echo(line)
        click.echo(f"{len(report.samples):,} samples added to {path}, run {plan.run}")
    return 1 if report.missing else 0


def chosen_table(context: Context) -> Carried:
    """The marker table of the pipeline file. Raises `SettingsError` with the entry when it is not carried."""
    pipeline = context.pipeline
    return carried(
        pipeline.source.heartbeat.partition(".")[0], [(entry, entry.mart) for entry in pipeline.tables],
        max((entry.batch.seconds for entry in pipeline.marts), default=5),
    )  # fmt: skip


def bucket_look(context: Context, chosen: Carried, board: Board, clock: SystemClock) -> BucketLook:
    """Lists the objects of the marker table."""
    pipeline, s3 = context.pipeline, context.addresses.s3
    topic = pipeline.table(chosen.source).topic(pipeline.source.topic_prefix)
    bucket = S3Bucket(ingest.bucket_client(s3), s3.bucket)

    begin = begin_of(pipeline.storage.prefix, chosen.raw, pipeline.storage.partitioning, topic)
    return BucketLook(bucket.keys_behind, begin, pipeline.source.partitions, board, clock)
