"""`waybill run`: consumers and committer, supervised."""

from __future__ import annotations

import logging
import sys

import click

from cli.config import refuse_misfit
from cli.context import Context, pass_context
from cli.serving import Serving, metrics_options, serve
from connect.rest import ConnectRest
from operations.child import Spec
from operations.connector_watch import ConnectorWatch
from operations.metrics.processes import ProcessMetrics
from operations.run import run as supervise
from operations.run import stop as end_run
from operations.supervisor import Policy
from waybill.clock import SystemClock

_EXAMPLES = """
\b
Examples:
  waybill run
  waybill run --only consume      the committer runs elsewhere
  waybill run --stop              end it from another terminal
"""


@click.command(epilog=_EXAMPLES)
@click.option("--only", type=click.Choice(["consume", "commit"]), help="Only this one.")
@click.option("--stop", is_flag=True, help="End the one that runs in this checkout; nothing to end is fine.")
@click.option("--drain", type=click.FloatRange(0), default=30, show_default=True, help="Seconds to end in.")
@metrics_options
@pass_context
def run(
    context: Context, only: str | None, stop: bool, drain: float, metrics_host: str, metrics_port: int, no_metrics: bool
) -> None:  # fmt: skip
    """Run consumers and committer until SIGTERM or Ctrl-C; one that dies is restarted, a failed
    connector task too when that helps.

    Their logs are in .waybill/run/ and on stderr. `waybill status` shows each process. Each serves its metrics on a
    port of its own, --metrics-port is this one's.
    """
    if stop:
        end_run(context.root, _say, drain + 5)
        return
    refuse_misfit(context)
    names = [only] if only else ["consume", "commit"]
    watch = ConnectorWatch(lambda: ConnectRest(context.addresses.connect.url), context.pipeline.source.connector, _say)
    watch.start()
    try:
        serving = Serving(metrics_host, metrics_port, not no_metrics)
        specs = [_spec(context, name, serving) for name in names]
        with serve(context, "run", serving, [ProcessMetrics(context.root)], watch=True):
            supervise(context.root, specs, _say, SystemClock(), Policy(drain=drain))
    finally:
        watch.stop()


def _spec(context: Context, name: str, serving: Serving) -> Spec:
    waybill = (
        sys.executable, "-c", "from cli.main import main; main()",
        "--pipeline", str(context.pipeline_path), "--log-level", logging.getLevelName(logging.getLogger().level),
    )  # fmt: skip
    sync = context.pipeline.sync.schedule
    if name == "commit":
        return Spec(name, (*waybill, "commit", "--schedule", "--no-watch", *serving.for_children()))
    if sync == "continuous":
        return Spec(name, (*waybill, "consume", *serving.for_children()))
    return Spec(name, (*waybill, "consume", "--until-caught-up"), schedule=sync)


def _say(line: str) -> None:
    click.echo(line, err=True)
