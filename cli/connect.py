"""`waybill connect`: the Debezium connector, from its settings in `connect/` to a running task."""

from __future__ import annotations

import sys
from typing import Any

import click

from cli.context import (
    Context,
    dry_run_option,
    json_option,
    pass_context,
    print_json,
    print_table,
    yes_option,
)
from connect.applying import Patience, apply, failed, wait_until_running
from connect.config import connector_config
from connect.declared import Declared, difference
from connect.failures import explain
from connect.offsets import gtid_set_of
from connect.registry import registry_answers
from connect.rest import ConnectRest
from waybill.clock import SystemClock
from waybill.errors import SettingsError

wait_option = click.option(
    "--wait", "seconds", default=120.0, show_default=True, help="Seconds to wait until it runs."
)  # fmt: skip


@click.group()
def connect() -> None:
    """The Debezium connector that reads MySQL's binlog into Kafka.

    Its settings are connect/mysql-source.json; names and tables come from the pipeline file, addresses and secrets
    from the environment of the Connect worker.
    """


@connect.command(name="apply")
@dry_run_option
@wait_option
@json_option
@pass_context
def apply_(context: Context, dry_run: bool, seconds: float, as_json: bool) -> None:
    """Bring the connector to its settings and wait until it runs. Example: waybill connect apply --dry-run

    A table that the running connector did not capture before is read by an incremental snapshot; make its raw table
    first (waybill schema apply). One that is gone from the file is captured no longer, its warehouse tables stay.
    """
    name, config = wanted(context)
    signal = context.pipeline.source.signal
    with _rest(context) as rest:
        changed = difference(rest.config(name), config)
        declared = Declared(context.addresses.mysql, signal, name)
        if changed.added and not dry_run:
            declared.note(changed.added)
        done = apply(rest, name, config, dry_run=dry_run, patience=Patience(total=seconds), say=_say)
        # A new connector reads every table in its first snapshot; what a deleted one left is void.
        wants = [] if done.created else [table.source for table in context.pipeline.tables]
        read = list(changed.added) if dry_run else declared.ask(wants, _say)
    if as_json:
        print_json(
            {
                "connector": name,
                "created": done.created,
                "written": done.written,
                "dry_run": dry_run,
                "changes": [{"key": c.key, "before": c.before, "after": c.after} for c in done.changes],
                "restarts": done.restarts,
                "read": read,
                "captured_no_longer": list(changed.gone),
                "seconds": round(done.seconds, 1),
            }
        )
        return
    for change in done.changes:
        click.echo(str(change))
    for table in read:
        click.echo(f"{table}: {'would be' if dry_run else 'is being'} read by an incremental snapshot")
    for table in changed.gone:
        click.echo(f"{table}: captured no longer; its tables in the warehouse are left alone")
    kinds = "new" if done.created else f"{len(done.changes)} of {len(config)} settings differ"
    if dry_run:
        click.echo(f"{name}: {kinds if done.changes else 'nothing to change'}; dry run, nothing was written")
    elif done.written:
        click.echo(f"{name}: {kinds}, written; it runs ({done.seconds:.1f} s)")
    else:
        click.echo(f"{name}: nothing to change; it runs")


@connect.command()
@json_option
@pass_context
def status(context: Context, as_json: bool) -> None:
    """Does it run, and how far has it read? Exit code 1 if it does not run. Example: waybill connect status"""
    name = context.pipeline.source.connector
    with _rest(context) as rest:
        found = rest.status(name)
        offsets = rest.offsets(name) if found else []
        others = [other for other in rest.connectors() if other != name]
    why = explain(found.failure) if found and found.failure is not None else None
    # A task whose converter waits for the registry counts as running for Connect.
    registry = registry_answers(context.addresses.registry.url)
    gtids = gtid_set_of(offsets)
    result: dict[str, Any] = {
        "connector": name,
        "state": found.state if found else "MISSING",
        "tasks": [{"task": task.number, "state": task.state} for task in found.tasks] if found else [],
        "runs": bool(found and found.runs),
        "failure": None
        if why is None
        else {"cause": why.cause, "sentence": why.sentence, "words": why.words, "todo": why.todo},
        "gtid_set": gtids,
        "registry_answers": registry,
        "other_connectors": others,
    }
    if as_json:
        print_json(result)
    else:
        tasks = ", ".join(f"{task['task']} {task['state']}" for task in result["tasks"]) or "none"
        print_table("", ["connector", "state", "tasks", "read up to"], [[name, result["state"], tasks, gtids or "-"]])
        if found is None:
            click.echo(f"{name} does not exist: waybill connect apply")
        if why is not None:
            click.echo(str(failed(name, why)))
        if not registry:
            click.echo(
                "the schema registry does not answer: the task waits for it, nothing is lost; see waybill stack status"
            )
    if not result["runs"]:
        sys.exit(1)


@connect.command()
@click.option("--failed", "only_failed", is_flag=True, help="Only what has failed.")
@wait_option
@json_option
@pass_context
def restart(context: Context, only_failed: bool, seconds: float, as_json: bool) -> None:
    """Restart connector and task; nothing is lost or repeated. Example: waybill connect restart --failed"""
    name = _existing(context)
    with _rest(context) as rest:
        rest.restart(name, only_failed=only_failed)
        SystemClock().sleep(1)
        wait_until_running(rest, name, Patience(total=seconds), SystemClock(), _say)
    _told(name, "runs", as_json)


@connect.command()
@json_option
@pass_context
def pause(context: Context, as_json: bool) -> None:
    """Stop reading until `resume`; mind how long MySQL keeps its binlogs. Example: waybill connect pause"""
    name = _existing(context)
    with _rest(context) as rest:
        rest.pause(name)
    _told(name, "paused", as_json)


@connect.command()
@wait_option
@json_option
@pass_context
def resume(context: Context, seconds: float, as_json: bool) -> None:
    """Go on where it was paused. Example: waybill connect resume"""
    name = _existing(context)
    with _rest(context) as rest:
        rest.resume(name)
        SystemClock().sleep(1)
        wait_until_running(rest, name, Patience(total=seconds), SystemClock(), _say)
    _told(name, "runs", as_json)


@connect.command()
@click.option("--offsets", is_flag=True, help="Forget where it stood too: the next apply takes a new first snapshot.")
@yes_option
@dry_run_option
@json_option
@pass_context
def delete(context: Context, offsets: bool, yes: bool, dry_run: bool, as_json: bool) -> None:
    """Remove the connector; topics stay. Example: waybill connect delete --offsets --yes"""
    name = _existing(context)
    what = f"connector {name}" + (" and where it stood in the binlog" if offsets else "")
    if dry_run:
        _told(name, f"would be removed: {what}", as_json)
        return
    if not yes:
        click.confirm(f"Remove {what}?", abort=True, err=True)
    with _rest(context) as rest:
        if offsets:
            rest.forget_offsets(name)
        rest.delete(name)
    _told(name, "removed", as_json)


def wanted(context: Context) -> tuple[str, dict[str, str]]:
    """The connector's name and its settings, by the pipeline file."""
    source = context.pipeline.source
    config = connector_config(
        name=source.connector,
        prefix=source.topic_prefix,
        tables=[table.source for table in context.pipeline.tables],
        heartbeat=source.heartbeat,
        signal=source.signal,
        server_id=source.server_id,
        partitions=source.partitions,
    )
    return source.connector, config


def _rest(context: Context) -> ConnectRest:
    return ConnectRest(context.addresses.connect.url)


def _existing(context: Context) -> str:
    name = context.pipeline.source.connector
    with _rest(context) as rest:
        if rest.config(name) is None:
            raise SettingsError(f"there is no connector {name}", todo="waybill connect apply")
    return name


def _say(line: str) -> None:
    click.echo(line, err=True)


def _told(name: str, state: str, as_json: bool) -> None:
    if as_json:
        print_json({"connector": name, "state": state})
    else:
        click.echo(f"{name}: {state}")
