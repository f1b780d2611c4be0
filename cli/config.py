"""`waybill config`: the effective settings, whether they fit the source, and their references."""

from __future__ import annotations

import json
import os
from typing import Any

import click
import yaml
from dotenv import dotenv_values

from cli.context import Context, json_option, pass_context, print_json, print_table
from cli.pipeline import Pipeline
from cli.variables import Variable, variables
from connect import source_tables
from waybill.addresses import SERVICES, Addresses
from waybill.errors import SettingsError, UnreachableError

MASK = "********"


@click.group()
def config() -> None:
    """Effective settings: the pipeline file and the addresses."""


@config.command()
@json_option
@pass_context
def show(context: Context, as_json: bool) -> None:
    """Every setting as it takes effect, secrets masked. Example: waybill config show"""
    effective = {
        "pipeline": context.pipeline.model_dump(mode="json"),
        "addresses": masked(context.addresses),
    }
    if as_json:
        print_json(effective)
    else:
        click.echo(yaml.safe_dump(effective, sort_keys=False, allow_unicode=True).rstrip())


@config.command()
@json_option
@pass_context
def check(context: Context, as_json: bool) -> int:
    """Is the pipeline file right, and does it fit the source? Exit code 2 if not. Example: waybill config check"""
    problems, note = against_source(context.pipeline, context.addresses)
    if as_json:
        print_json({"ok": not problems, "problems": problems, "note": note})
    else:
        for problem in problems:
            click.echo(problem)
        if note:
            click.echo(note)
        if not problems:
            fits = "" if note else ", and fits the source"
            click.echo(f"{context.pipeline_path} is right{fits}: {len(context.pipeline.tables)} tables")
    return 2 if problems else 0


@config.command()
@pass_context
def schema(context: Context) -> None:
    """JSON Schema of the pipeline file, for editors. Example: waybill config schema > pipeline.schema.json"""
    click.echo(json_schema(), nl=False)


@config.command()
@json_option
@pass_context
def env(context: Context, as_json: bool) -> None:
    """The environment variables waybill reads, and what sets each now. Example: waybill config env"""
    rows = [(v, _origin(context, v)) for v in variables()]
    if as_json:
        print_json(
            {
                "variables": [
                    {"name": v.name, "meaning": v.meaning, "default": v.default, "secret": v.secret, "set_by": origin}
                    for v, origin in rows
                ]
            }
        )
        return
    print_table(
        "Environment before .env before the running local stack",
        ["variable", "default", "set by", "meaning"],
        [[v.name, "(required)" if v.default is None else v.default, origin, v.meaning] for v, origin in rows],
    )


def masked(addresses: Addresses) -> dict[str, dict[str, Any]]:
    """Addresses as plain data; secrets that are set show as asterisks, defaults are filled in."""
    shown: dict[str, dict[str, Any]] = {}
    for service, found in addresses.plain().items():
        known = {v.key: v for v in variables() if v.service == service}
        values = {key: found.get(key, v.default) for key, v in known.items()}
        shown[service] = {key: MASK if known[key].secret and value else value for key, value in values.items()}
    return shown


def against_source(pipeline: Pipeline, addresses: Addresses, gone_is_wrong: bool = True) -> tuple[list[str], str]:
    """What in the file does not fit MySQL, each with its place; and a note when MySQL could not be asked.

    `gone_is_wrong`: whether a table that MySQL does not have counts.
    """
    try:
        found = source_tables.read(addresses.mysql, [t.source for t in pipeline.tables])
    except (UnreachableError, SettingsError) as error:
        return [], f"not compared with the source: {error.what}"
    problems = []
    for number, entry in enumerate(pipeline.tables):
        if entry.source not in found and not gone_is_wrong:
            continue
        try:
            source_tables.refuse_mismatch(
                entry.source, f"tables[{number}]", entry.key, entry.event_time, found.get(entry.source)
            )
        except SettingsError as error:
            problems.append(str(error))
    return problems, ""


def refuse_misfit(context: Context) -> None:
    """Before anything long-lived starts: raises `SettingsError` when the file does not fit the source.

    A source that cannot be asked, or has a table no more, is no reason not to start: what was read of it before is
    still to be carried.
    """
    problems, _ = against_source(context.pipeline, context.addresses, gone_is_wrong=False)
    if problems:
        text = "\n".join(f"  {problem}" for problem in problems)
        raise SettingsError(f"{context.pipeline_path} is refused, nothing was started:\n{text}")


def json_schema() -> str:
    """The schema's text as it is committed in pipeline.schema.json."""
    found = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Pipeline.model_json_schema()}
    return json.dumps(found, indent=2, ensure_ascii=False) + "\n"


def _origin(context: Context, variable: Variable) -> str:
    if variable.name in os.environ:
        return "environment"
    if variable.name in dotenv_values(context.root / ".env"):
        return ".env"
    if variable.service in SERVICES and variable.key in context.addresses.plain()[variable.service]:
        return "local stack"
    return "default" if variable.default is not None else "nothing"
