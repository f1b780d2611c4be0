"""`waybill raw`: the raw tables' own upkeep."""

from __future__ import annotations

from dataclasses import asdict

import click

from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table
from loaders.postgres import Postgres
from operations.trim.one_table import Subject
from operations.trim.trimmer import Trimmer
from warehouse.session import Session
from waybill.clock import SystemClock
from waybill.raw import TRANSACTION_TABLE

_HOUR = 3600.0


@click.group()
def raw() -> None:
    """The raw tables: trimming what has done its work."""


def trimmer(context: Context) -> Trimmer:
    """For this pipeline: tables with a mart and END records by `commit.raw_keep_hours`, others by their own setting.

    Notifications and schema changes are not among them: they are kept for ever.
    """
    pipeline, where = context.pipeline, context.addresses.warehouse
    keep = pipeline.commit.raw_keep_hours * _HOUR
    # END records last: what they count is still there.
    subjects = [
        *(Subject(entry.raw, keep, True) for entry in pipeline.tables if entry.mart),
        *(
            Subject(entry.raw, entry.raw_keep_hours * _HOUR, False)
            for entry in pipeline.tables
            if not entry.mart and entry.raw_keep_hours is not None
        ),
        # When a table began to be read again is told by a notification that may come late: END records are asked then.
        Subject(TRANSACTION_TABLE, max(keep, _HOUR), True),
    ]
    return Trimmer(
        lambda name: Session(where, name, pipeline.sync.query_seconds), Postgres(), subjects,
        pipeline.source.notification_topic, SystemClock(),
    )  # fmt: skip


@raw.command()
@dry_run_option
@json_option
@pass_context
def trim(context: Context, dry_run: bool, as_json: bool) -> None:
    """Take out raw rows that are in the marts and were loaded more than commit.raw_keep_hours ago.

    In short transactions; what time does not allow, the next call does. `waybill run` and `commit --schedule` do it
    after their cycles. Ledgers, notifications and schema changes stay. Example: waybill raw trim --dry-run
    """
    made = trimmer(context)
    found = made.preview() if dry_run else made.trim()
    if as_json:
        print_json({"dry_run": dry_run, "tables": [asdict(one) | {"notes": one.notes} for one in found]})
        return
    print_table(
        "Would be trimmed" if dry_run else "Trimmed", ["raw table", "batches", "rows", "what stays, and why"],
        [[one.raw, one.batches, one.rows, "; ".join(one.notes)] for one in found],
    )  # fmt: skip
