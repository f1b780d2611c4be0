"""`waybill cycles`: what the commit cycles did."""

from __future__ import annotations

import json
from typing import Any

import click

from cli.context import Context, json_option, pass_context, print_json, print_table
from cli.mart_counts import print_counts, short
from warehouse.session import Session
from waybill.errors import SettingsError


@click.group()
def cycles() -> None:
    """What the commit cycles did, also the failed ones."""


@cycles.command(name="list")
@click.option("-n", "--last", default=20, show_default=True, help="How many, the newest first.")
@json_option
@pass_context
def list_(context: Context, last: int, as_json: bool) -> None:
    """The newest cycles. Example: waybill cycles list -n 5"""
    with Session(context.addresses.warehouse, "cycles") as session:
        found = session.rows(
            "SELECT cycle, status, started_at, finished_at, cut_at, transactions, rows_in, rows_applied, rows_older,"
            " waiting_for, error, summary FROM settlement_ods.cycles ORDER BY started_at DESC LIMIT %s",
            (last,),
        )
    for row in found:
        row["marts"] = _summary(row.pop("summary")).get("marts", [])
    if as_json:
        print_json({"cycles": found})
        return
    print_table(
        "Cycles",
        [
            "cycle", "status", "started (UTC)", "seconds", "cut at (UTC)", "transactions", "rows in", "applied",
            "older", "places", "held by / error",
        ],
        [
            [
                r["cycle"], r["status"], f"{r['started_at']:%m-%d %H:%M:%S}",
                round((r["finished_at"] - r["started_at"]).total_seconds(), 2),
                f"{r['cut_at']:%m-%d %H:%M:%S}" if r["cut_at"] else "", r["transactions"],
                r["rows_in"], r["rows_applied"], r["rows_older"], short(r["marts"]),
                (r["error"] or r["waiting_for"]).split("\n")[0],
            ]
            for r in found
        ],
    )  # fmt: skip


@cycles.command()
@click.argument("number", type=int)
@json_option
@pass_context
def show(context: Context, number: int, as_json: bool) -> None:
    """One cycle, every try at it. Example: waybill cycles show 12"""
    with Session(context.addresses.warehouse, "cycles") as session:
        found = session.rows("SELECT * FROM settlement_ods.cycles WHERE cycle = %s ORDER BY started_at", (number,))
    if not found:
        raise SettingsError(f"there is no cycle {number}", todo="waybill cycles list")
    tries: list[dict[str, Any]] = [{**row, "summary": _summary(row["summary"])} for row in found]
    if as_json:
        print_json({"tries": tries})
        return
    for one in tries:
        click.echo(
            f"cycle {one['cycle']} {one['status']} by {one['holder']}, {one['started_at']} to {one['finished_at']} UTC"
        )
        click.echo(f"cut at {one['cut_at']} UTC, GTID set {one['gtid_set']}")
        summary = one["summary"]
        print_counts("", summary.get("marts", []))
        longest = sorted(summary.get("seconds", {}).items(), key=lambda step: -step[1])
        print_table("Seconds by step, the longest first", ["step", "seconds"], [list(step) for step in longest])
        for line in (one["error"], one["waiting_for"], *summary.get("notes", [])):
            if line:
                click.echo(line)


def _summary(text: str) -> dict[str, Any]:
    """As it was stored; one that was too long to be kept whole is cut off and cannot be read."""
    try:
        found: dict[str, Any] = json.loads(text)
    except ValueError:
        return {"notes": ["its summary was too long to be kept whole"]}
    return found
