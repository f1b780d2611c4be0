"""`waybill lag`: what is in Kafka and not yet loaded."""

from __future__ import annotations

from dataclasses import asdict

import click

from cli import ingest
from cli.context import Context, json_option, pass_context, print_json, print_table
from consumers.lag import lag as lag_of


@click.command()
@click.option("--table", "tables", multiple=True, help="Only this table. May be repeated.")
@json_option
@pass_context
def lag(context: Context, tables: tuple[str, ...], as_json: bool) -> None:
    """Lag in messages by table and partition, against the last stable offset. Example: waybill lag

    An offset counts as a message: control records of transactions take some.
    """
    store = ingest.raw_store(context)
    found = lag_of(ingest.streams(context.pipeline, tables), ingest.topics(context), store)
    store.close()
    total = sum(one.lag or 0 for one in found)
    if as_json:
        print_json({"lag": total, "partitions": [asdict(one) for one in found]})
        return
    header = ["table", "partition", "position", "last stable", "lag", "epoch", "owner", "note"]
    print_table(
        f"Lag: {total:,} messages",
        header,
        [[o.table, o.partition, o.position, o.last_stable, o.lag, o.epoch, o.owner, o.note] for o in found],
    )
