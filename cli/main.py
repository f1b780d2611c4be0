"""`waybill`: registers the commands, loads each only when it is called, turns errors into exit codes."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cli.context import Context
from waybill import __version__, log
from waybill.errors import WaybillError

# command -> (module, one line). The module has a click command of the same name, "-" and keywords aside.
COMMANDS = {
    "stack": ("cli.stack", "The local stack: up, down, status, logs, env."),
    "seed": ("cli.seed", "Fill MySQL with realistic, reproducible orders."),
    "generate": ("cli.generate", "Keep writing to MySQL as a carrier would."),
    "connect": ("cli.connect", "The Debezium connector: apply, status, restart, pause, resume."),
    "schema": ("cli.schema", "waybill's tables in the warehouse: show, diff, apply; accept a change."),
    "tables": ("cli.tables", "Each table's state: list, pause, resume."),
    "consume": ("cli.consume", "Kafka to Parquet to raw."),
    "commit": ("cli.commit", "The commit cycle: raw to marts."),
    "cycles": ("cli.cycles", "What the commit cycles did."),
    "exceptions": ("cli.exceptions", "Rows that could not be placed: list, show, resolve, restore."),
    "raw": ("cli.raw", "The raw tables: trim what has done its work."),
    "run": ("cli.run", "Everything long-lived in one process group."),
    "status": ("cli.status", "One screen of where everything stands."),
    "deadletters": ("cli.deadletters", "Bad messages: list, show, redrive, drop, set-aside."),
    "lag": ("cli.lag", "Lag in messages and seconds by partition."),
    "offsets": ("cli.offsets", "Consumer positions: show, seed, reset, history, gaps, accept."),
    "reconcile": ("cli.reconcile", "Prove that the marts equal MySQL at one binlog position."),
    "check": ("cli.check", "Checks over the warehouse, by name; exit 1 when one finds something."),
    "bench": ("cli.bench", "Figures of this pipeline while it works: freshness."),
    "doctor": ("cli.doctor", "Is every part reachable, allowed and configured as needed?"),
    "config": ("cli.config", "Effective settings: show, check, schema, env."),
    "demo": ("cli.demo", "The main job from end to end, proven."),
    "completion": ("cli.completion", "Shell completion."),
}


class Commands(click.Group):
    """Loads a command's module when it is asked for, so that `--help` and completion stay fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(COMMANDS[name][0]), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--pipeline", type=click.Path(path_type=Path), default=Path("pipeline.yml"), envvar="WAYBILL_PIPELINE",
    show_default=True, help="The pipeline file.",
)  # fmt: skip
@click.option(
    "--log-level", default="INFO", envvar="WAYBILL_LOG_LEVEL", show_default=True, help="DEBUG, INFO, WARNING."
)
@click.version_option(__version__, prog_name="waybill")
@click.pass_context
def waybill(ctx: click.Context, pipeline: Path, log_level: str) -> None:
    """Order tracking from the MySQL binlog to the analysts' marts, nothing lost, nothing twice.

    Exit codes: 0 done; 1 found something; 2 wrong use or settings; 3 a part is not reachable; 4 refused, not safe.
    """
    log.configure(log_level)
    ctx.obj = Context(pipeline_path=pipeline)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the console script."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        result = waybill.main(args=words, prog_name="waybill", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except WaybillError as error:
        if "--json" in words:
            click.echo(json.dumps({"error": error.what, "kept": error.kept, "todo": error.todo}))
        click.echo(f"waybill: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        sys.exit(0)
    sys.exit(result if isinstance(result, int) else 0)
