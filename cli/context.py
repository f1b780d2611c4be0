"""What every command shares: the pipeline file, the addresses, output for a person or a machine."""

from __future__ import annotations

import getpass
import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from cli import pipeline
from waybill.addresses import Addresses

json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object on stdout, for a machine.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Say what would change; change nothing.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")


@dataclass
class Context:
    """Built once by `cli.main`; loads what a command asks for when it asks."""

    pipeline_path: Path = pipeline.DEFAULT_FILE
    root: Path = Path()

    @cached_property
    def pipeline(self) -> pipeline.Pipeline:
        return pipeline.load(self.pipeline_path)

    @cached_property
    def addresses(self) -> Addresses:
        return Addresses.load(self.root)


def by_whom() -> str:
    """Who types: user@host, to be kept with a decision."""
    return f"{getpass.getuser()}@{socket.gethostname()}"


pass_context = click.make_pass_decorator(Context)


def print_json(value: Any) -> None:
    """One object on stdout; times as ISO text."""
    click.echo(json.dumps(value, default=str, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def print_table(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for a person on stdout; numbers stand to the right."""
    from rich.console import Console

    Console(width=width()).print(table_of(title, header, rows))


def width() -> int | None:
    """Columns of the screen; None lets the terminal say."""
    return None if sys.stdout.isatty() else 200


def table_of(title: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Any:
    """The same, to be printed or shown in place of an older one."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, name in enumerate(header):
        numeric = bool(rows) and all(isinstance(row[i], int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*("" if v is None else f"{v:,}" if isinstance(v, int) else str(v) for v in row))
    return table
