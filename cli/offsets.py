"""`waybill offsets`: where consumers stand, moving them by hand, and what that left out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click

from cli import ingest
from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table, yes_option
from cli.looking import parts, who
from cli.offsets_moving import partition_option, reason_option, reset, seed, table_option
from consumers.streams import Stream
from operations.needs import words
from operations.offsets import history as kept
from operations.offsets.coverage import Gap
from operations.offsets.look import PartitionView, Point, show
from operations.offsets.open_gaps import open_gaps
from warehouse.session import Session


@click.group()
def offsets() -> None:
    """Consumer positions by table and partition: show them, move them, see what a move left out.

    The warehouse's position is the truth; what is committed in Kafka only shows lag in other tools.
    """


offsets.add_command(seed)
offsets.add_command(reset)


@offsets.command(name="show")
@table_option
@click.option(
    "--window", type=click.FloatRange(0), default=2.0, show_default=True,
    help="Seconds until a second look, when one cannot tell whether a consumer moves.",
)  # fmt: skip
@json_option
@pass_context
def show_(context: Context, tables: tuple[str, ...], window: float, as_json: bool) -> None:
    """Low, committed in the warehouse and in Kafka, high; the message's times at each; lag, state, owner.

    Under each offset stands the commit time at the source of the message there (of the last one, for high), "-" where
    there is none. Example: waybill offsets show --table ecs_order_info
    """
    found = show(parts(context, tables), window)
    if as_json:
        print_json({"lag": sum(v.lag or 0 for v in found), "partitions": [asdict(view) for view in found]})
        return
    print_table("Offsets, and the source time at each (UTC)", [
        "table", "partition", "state", "lag", "oldest waits", "low", "warehouse", "Kafka group", "high", "epoch", "gen",
        "owner", "note",
    ], [_cells(view) for view in found])  # fmt: skip


def _cells(view: PartitionView) -> list[Any]:
    waits = "" if view.lag_seconds is None else words(view.lag_seconds)
    return [
        view.table, view.partition, view.state, view.lag, waits,
        *(_point(point) for point in (view.low, view.committed, view.kafka, view.high)),
        view.epoch, view.generation, view.owner, view.note,
    ]  # fmt: skip


def _point(point: Point) -> str:
    at = point.committed_at
    return f"{'-' if point.offset is None else f'{point.offset:,}'}\n{_time(at)}"


def _time(at: datetime | None) -> str:
    return "-" if at is None else f"{at:%m-%d %H:%M:%S}"


@offsets.command()
@table_option
@click.option("-n", "--last", default=50, show_default=True, help="How many, the newest last.")
@json_option
@pass_context
def history(context: Context, tables: tuple[str, ...], last: int, as_json: bool) -> None:
    """Positions moved by hand: who, why, when, from, to. Example: waybill offsets history"""
    names = [stream.name for stream in _streams(context, tables)] if tables else []
    with _session(context) as session:
        found = kept.changes(session, names)[-last:]
    if as_json:
        print_json({"changes": [asdict(change) for change in found]})
        return
    print_table(
        "Positions moved by hand",
        ["when (UTC)", "what", "table", "partition", "from", "to", "asked", "gen", "skipped", "again", "who", "why"],
        [
            [f"{c.changed_at:%Y-%m-%d %H:%M:%S}", c.change, c.table_name, c.kafka_partition,
             "never read" if c.from_offset is None else str(c.from_offset), str(c.to_offset), c.asked, c.generation,
             c.events_skipped, c.events_again, c.changed_by, c.reason]
            for c in found
        ],
    )  # fmt: skip


@offsets.command()
@table_option
@json_option
@pass_context
def gaps(context: Context, tables: tuple[str, ...], as_json: bool) -> int:
    """Offsets that a move by hand left out, and that nobody has read since or accepted.

    Exit 0 there are none, 1 there are some. Example: waybill offsets gaps
    """
    found = _gaps(context, tables, None)
    if as_json:
        print_json({"gaps": [_plain(gap) for gap in found]})
    elif not found:
        click.echo("no gaps: every offset was loaded, or its loss was accepted")
    else:
        _print_gaps("Gaps", found)
        click.echo(
            "to read one after all: waybill offsets reset --to OFFSET; to leave it: waybill offsets accept --table T"
        )
    return 1 if found else 0


@offsets.command()
@click.option("--table", required=True, help="The table whose gaps are accepted.")
@partition_option
@reason_option
@dry_run_option
@yes_option
@json_option
@pass_context
def accept(
    context: Context, table: str, partition: int | None, reason: str, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Leave a table's open gaps unread for good, with a reason that is kept.

    Example: waybill offsets accept --table ecs_order_info --reason "new first snapshot taken, reconciled"
    """
    found = _gaps(context, (table,), partition)
    count = 0
    if found and not as_json:
        _print_gaps("Would be accepted" if dry_run else "Gaps", found)
    if found and not dry_run:
        if not yes:
            click.confirm(f"Accept that {len(found)} gaps are never read?", abort=True, err=True)
        with _session(context) as session:
            count = kept.accept(session, {gap.span: None for gap in found}, who(), reason)
    if as_json:
        print_json({"gaps": [_plain(gap) for gap in found], "accepted": count, "dry_run": dry_run})
    elif not found:
        click.echo("no open gaps there, nothing to accept")
    elif not dry_run:
        click.echo(f"{count} accepted")


def _session(context: Context) -> Session:
    return Session(context.addresses.warehouse, "offsets", statement_seconds=60)


def _streams(context: Context, tables: tuple[str, ...]) -> list[Stream]:
    return ingest.streams(context.pipeline, tables)


def _gaps(context: Context, tables: tuple[str, ...], partition: int | None) -> list[Gap]:
    with _session(context) as session:
        found = open_gaps(session)
    names = {stream.name for stream in _streams(context, tables)} if tables else None
    return [
        gap for gap in found
        if (names is None or gap.span.table_name in names) and partition in (None, gap.span.kafka_partition)
    ]  # fmt: skip


def _plain(gap: Gap) -> dict[str, Any]:
    span = gap.span
    return {
        "table": span.table_name, "topic": span.topic, "topic_id": span.topic_id, "partition": span.kafka_partition,
        "first_offset": gap.first_offset, "next_offset": gap.next_offset, "generation": span.generation,
        "why": span.why, "skipped_by": span.skipped_by, "skipped_at": span.skipped_at,
    }  # fmt: skip


def _print_gaps(title: str, found: list[Gap]) -> None:
    print_table(
        title,
        ["table", "partition", "first offset", "last offset", "offsets", "skipped (UTC)", "by", "why"],
        [
            [g.span.table_name, g.span.kafka_partition, str(g.first_offset),
             "end of a topic that is gone" if g.next_offset is None else str(g.next_offset - 1),
             "?" if g.next_offset is None else g.next_offset - g.first_offset,
             f"{g.span.skipped_at:%Y-%m-%d %H:%M:%S}", g.span.skipped_by, g.span.why]
            for g in found
        ],
    )  # fmt: skip
