"""`waybill doctor`: every part that the pipeline needs, each with what to do if it is not well."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import click

from cli.connect import wanted as wanted_connector
from cli.context import Context, json_option, pass_context, print_json
from cli.ingest import bucket_client
from cli.pipeline import Entry
from cli.schema import wanted as wanted_tables
from connect import source_tables
from connect.source_tables import SourceTable
from operations.doctor import connect, examination, kafka, mysql, registry, s3, warehouse
from operations.doctor.examination import Check, Service
from warehouse.schema import plan
from waybill.clock import SystemClock

_MARKS = {
    examination.OK: click.style("ok   ", fg="green"),
    examination.NOTE: click.style("note ", fg="yellow"),
    examination.WRONG: click.style("WRONG", fg="red"),
    examination.UNREACHABLE: click.style("DOWN ", fg="red"),
}

_EXAMPLES = """
\b
Examples:
  waybill doctor
  waybill doctor --json | jq '.findings[] | select(.state != "ok")'
"""


@click.command(epilog=_EXAMPLES)
@click.option("--debezium-user", default="debezium", show_default=True, help="MySQL user of the connector.")
@json_option
@pass_context
def doctor(context: Context, debezium_user: str, as_json: bool) -> int:
    """Is every part reachable, allowed and configured as needed? Changes nothing.

    Every check runs, whatever the others find. Exit 0 all is well, 1 something is wrong, 3 a part is not reachable.
    """
    findings = examination.examine(_services(context, debezium_user))
    code = examination.exit_code(findings)
    if as_json:
        print_json({"ok": code == 0, "findings": examination.plain(findings)})
        return code
    width = max(len(f.service) + len(f.check) for f in findings) + 2
    for f in findings:
        click.echo(f"{_MARKS[f.state]} {f'{f.service}: {f.check}':<{width}}  {f.what}")
        if f.todo:
            click.echo(f"{'':6}what to do: {f.todo}")
    wrong = sum(1 for f in findings if f.state in (examination.WRONG, examination.UNREACHABLE))
    click.echo(f"{len(findings)} checks, {wrong} not well" if wrong else f"{len(findings)} checks, all well")
    return code


def _services(context: Context, debezium_user: str) -> list[Service]:
    pipeline, addresses, clock = context.pipeline, context.addresses, SystemClock()
    source, drift = pipeline.source, pipeline.commit.drift_seconds
    own = [source.heartbeat, source.signal]
    captured = [t.source for t in pipeline.tables]
    name, config = wanted_connector(context)
    topics = {
        t.topic(source.topic_prefix): 1 if t.source == source.heartbeat else source.partitions for t in pipeline.tables
    }
    return [
        Service("mysql", lambda: mysql.checks(addresses.mysql, captured, own, debezium_user, drift, clock)),
        Service("tables", lambda: _tables(context)),
        Service("kafka", lambda: kafka.checks(
            addresses.kafka.bootstrap,
            kafka.Topics(topics, source.transaction_topic, source.notification_topic),
        )),
        Service("registry", lambda: registry.checks(addresses.registry.url)),
        Service("connect", lambda: connect.checks(addresses.connect.url, name, config)),
        Service("s3", lambda: s3.checks(bucket_client(addresses.s3), addresses.s3.bucket, pipeline.storage.prefix)),
        Service("warehouse", lambda: warehouse.checks(
            addresses.warehouse, lambda session: len(plan(session, *wanted_tables(pipeline, addresses))), drift, clock,
        )),
    ]  # fmt: skip


def _tables(context: Context) -> Iterable[Check]:
    """Does the pipeline file fit the source? One check a table."""
    found = source_tables.read(context.addresses.mysql, [t.source for t in context.pipeline.tables])
    for number, entry in enumerate(context.pipeline.tables):
        yield entry.source, partial(_fits, f"tables[{number}]", entry, found.get(entry.source))


def _fits(place: str, entry: Entry, found: SourceTable | None) -> str:
    source_tables.refuse_mismatch(entry.source, place, entry.key, entry.event_time, found)
    return f"key {', '.join(entry.key)}" + (f", event time {entry.event_time}" if entry.event_time else "")
