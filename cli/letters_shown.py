"""Dead letters and what became of them, for a machine and for a person."""

from __future__ import annotations

import base64
import json
from typing import Any

import click

from cli.context import print_json
from consumers.dead_letters.trial import Opened
from operations.dead_letters.desk import Entry
from operations.dead_letters.redrive import Report

_SHOWN_BYTES = 64 * 1024


def plain(entry: Entry) -> dict[str, Any]:
    letter, decision = entry.letter, entry.decision
    return {
        "letter": str(letter.origin), "table": entry.table, "topic": letter.origin.topic,
        "topic_id": letter.origin.topic_id, "partition": letter.origin.partition, "offset": letter.origin.offset,
        "generation": letter.generation, "written_at": entry.message_at, "first_seen": letter.first_seen,
        "copies": letter.copies, "key_bytes": letter.key_size, "value_bytes": letter.value_size,
        "error": letter.error, "state": entry.state,
        "decision": None if decision is None else {
            "decision": decision.decision, "by": decision.by, "reason": decision.reason, "at": decision.at,
            "row_key": decision.row_key, "to_reconcile": decision.to_reconcile, "batch_id": decision.batch_id,
            "reconciled_at": decision.reconciled_at,
        },
    }  # fmt: skip


def part(data: bytes | None, opened: Opened, name: str) -> dict[str, Any] | None:
    """A key or value: its bytes as hexadecimal digits (the first 64 KiB), and what of it can be read."""
    if data is None:
        return None
    read = opened.key if name == "key" else opened.value
    return {
        "bytes": len(data),
        "hex": data[:_SHOWN_BYTES].hex(),
        "schema_id": int.from_bytes(data[1:5], "big") if len(data) >= 5 and data[0] == 0 else None,
        "readable": None if read is None else json.loads(json.dumps(read.found, default=_bytes)),
        "read_bytes": None if read is None else read.bytes,
        "problem": None if read is None else read.problem,
    }


def _bytes(value: Any) -> str:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else repr(value)


def print_letter(found: dict[str, Any]) -> None:
    for name, value in found.items():
        if name in ("key", "value") and value is not None:
            click.echo(f"{name}: {value['bytes']:,} bytes, schema id {value['schema_id']}")
            click.echo(f"  {value['hex']}{'...' if value['bytes'] > _SHOWN_BYTES else ''}")
            readable = json.dumps(value["readable"], ensure_ascii=False, indent=1)
            click.echo(f"  readable: {readable}")
            click.echo(f"  {value['problem'] or 'all of it can be read'}")
        elif name == "refused_now":
            click.echo(f"refused now: {value or 'no; waybill deadletters redrive ' + found['letter']}")
        else:
            click.echo(f"{name.replace('_', ' ')}: {'' if value is None else value}")


def told(report: Report, dry_run: bool, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "redriven": sum(report.redriven.values()), "tables": report.redriven, "dry_run": dry_run,
                "still_bad": {str(origin): text for origin, text in report.still_bad.items()}, "left": report.left,
            }
        )  # fmt: skip
        return
    for table, number in report.redriven.items():
        click.echo(f"{table}: {number:,} letters {'would be' if dry_run else 'were'} loaded")
    for origin, text in report.still_bad.items():
        click.echo(f"still bad: {origin}: {text}")
    for state, number in report.left.items():
        click.echo(f"left as they are: {number:,} {state}")
    if not (report.redriven or report.still_bad or report.left):
        click.echo("there is no such letter")
