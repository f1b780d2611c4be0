"""`waybill offsets seed` and `reset`: move positions by hand, dry run first, with a reason that is kept."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from cli.context import Context, dry_run_option, json_option, pass_context, print_json, print_table, yes_option
from cli.looking import group, parts, who
from consumers.messages import Place
from consumers.single_messages import SingleMessages
from loaders.postgres import Postgres
from operations.offsets import targets
from operations.offsets.effects import counted
from operations.offsets.moving import Order, apply, owned, plan
from operations.offsets.plan import Effect, Move, refusals
from warehouse.session import Session
from waybill.errors import RefusedError, SettingsError

_F = TypeVar("_F", bound=Callable[..., Any])

table_option = click.option("--table", "tables", multiple=True, help="Only this table. May be repeated.")
partition_option = click.option("--partition", type=click.IntRange(0), help="Only this partition of the table.")
reason_option = click.option("--reason", required=True, help="Why; it is kept.")


def _moving(command: _F) -> _F:
    """The options that both commands have."""
    to = click.option(
        "--to", "to", required=True, metavar="WHERE",
        help="now (or end), beginning, an offset, or a time such as 2026-11-24T02:00:00Z (Kafka's record time).",
    )  # fmt: skip
    skip = click.option("--skip", is_flag=True, help="Events may be left out; they are remembered as a gap.")
    owned_ = click.option(
        "--while-owned", is_flag=True, help="Though a consumer runs: it is made stale, restart it afterwards."
    )
    chosen = (
        to, table_option, partition_option, reason_option, skip, owned_, dry_run_option, yes_option, json_option,
    )  # fmt: skip
    for option in reversed(chosen):
        command = option(command)
    return command


@click.command()
@_moving
@pass_context
def seed(context: Context, /, **said: Any) -> None:
    """Set positions for a first run, or after a long downtime; never back.

    Refused (exit 4) while a consumer owns a partition, and when events would be left out unless --skip says so.
    Example: waybill offsets seed --to now --skip --reason "first run, history comes by migration" --dry-run
    """
    _run(context, "seed", **said)


@click.command()
@_moving
@pass_context
def reset(context: Context, /, **said: Any) -> None:
    """Read a window again, under a new generation; where nothing was wrong, the marts stay as they are.

    Refused (exit 4) while a consumer owns a partition, and when events would be left out unless --skip says so.
    Example: waybill offsets reset --table ecs_order_info --to 2026-11-23T00:00:00Z --reason "decoder mended"
    """
    _run(context, "reset", **said)


def _run(
    context: Context, change: str, to: str, tables: tuple[str, ...], partition: int | None, reason: str, skip: bool,
    while_owned: bool, dry_run: bool, yes: bool, as_json: bool,
) -> None:  # fmt: skip
    target = targets.parse(to)
    if partition is not None and len(tables) != 1:
        raise SettingsError("--partition needs one --table")
    if not reason.strip():
        raise SettingsError("--reason is empty: say why, it is kept")
    asked = parts(context, tables)
    with asked.open_session() as session:
        moves = plan(session, asked.topics, asked.streams, partition, target)
        if moves:
            moves = _counted(asked.bootstrap, moves, asked.times)
        owners = owned(moves, _members(context), _held(session))
        refused = refusals(moves, owners, seeding=change == "seed", skip=skip, while_owned=while_owned)
        done = bool(moves) and not refused and not dry_run
        if not as_json:
            _print(moves)
        if refused and not dry_run:
            raise RefusedError(
                f"{change} --to {to} is refused:\n  " + "\n  ".join(refused), kept="no position was changed",
                todo="give the same command with --dry-run to see what it would do",
            )  # fmt: skip
        if done:
            if not yes:
                click.confirm(f"Move {len(moves)} positions?", abort=True, err=True)
            apply(session, Postgres(), moves, Order(change, target, who(), reason))
    _say(change, moves, refused, done, dry_run, as_json)


def _members(context: Context) -> dict[Place, str]:
    return {place: f"{m.name} at {m.host}".strip() for place, m in group(context).owners().items()}


def _held(session: Session) -> list[str]:
    """Tables whose consumers hold nothing of them."""
    rows = session.rows(
        "SELECT table_name FROM settlement_public.table_states WHERE state <> 'running'",
        doing="reading the tables' states",
    )
    return [row["table_name"] for row in rows]


def _counted(bootstrap: str, moves: Sequence[Move], times: Any) -> list[Move]:
    offsets = sum(end - first for m in moves for first, end in (*m.skipped, *([m.again] if m.again else [])))
    with SingleMessages(bootstrap, spans=True) as reader, _progress(offsets) as progress:
        return counted(moves, reader, times, progress)


@contextmanager
def _progress(offsets: int) -> Any:
    """A bar on a terminal; it goes away when all is counted."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("counting events", total=offsets)
        yield lambda count: bar.advance(task, count)


def _print(moves: Sequence[Move]) -> None:
    print_table(
        "Positions",
        ["table", "partition", "from", "to", "generation", "skipped", "again", "keys", "first (UTC)", "last (UTC)"],
        [[m.table, m.place[1], _from(m), "removed" if m.removed else str(m.to), m.generation, m.skip_effect.events,
          m.again_effect.events, *_effect(m)] for m in moves],
    )  # fmt: skip
    for one in moves:
        gone = one.skip_effect.gone + one.again_effect.gone
        if gone:
            click.echo(f"{one.place[0]} partition {one.place[1]}: {gone:,} of these offsets are not in Kafka any more")
        if one.lost_from is not None:
            click.echo(
                f"{one.place[0]} partition {one.place[1]}: the topic was made again; what the old one had from offset"
                f" {one.lost_from} on is gone"
            )


def _from(one: Move) -> str:
    return "never read" if one.standing is None else str(one.standing.next_offset)


def _effect(one: Move) -> list[Any]:
    found: Effect = one.again_effect if one.again else one.skip_effect
    times = [f"{at:%Y-%m-%d %H:%M:%S}" if at else "-" for at in (found.first_at, found.last_at)]
    return [found.keys, *times]


def _say(change: str, moves: Sequence[Move], refused: list[str], done: bool, dry_run: bool, as_json: bool) -> None:
    if as_json:
        plain = [_plain(one) for one in moves]
        print_json({"change": change, "moved": done, "dry_run": dry_run, "refused": refused, "positions": plain})
        return
    for line in refused:
        click.echo(f"would be refused: {line}")
    if not moves:
        click.echo("every position stands there already, nothing to move")
    elif dry_run:
        click.echo("dry run, no position was changed")
    else:
        click.echo(f"{len(moves)} positions moved; the next consumer goes on from there: waybill lag --watch")


def _plain(one: Move) -> dict[str, Any]:
    def effect(found: Effect) -> dict[str, Any]:
        return {
            "events": found.events, "keys": found.keys, "first_at": found.first_at, "last_at": found.last_at,
            "gone": found.gone,
        }  # fmt: skip

    return {
        "table": one.table, "topic": one.place[0], "partition": one.place[1],
        "from": one.standing.next_offset if one.standing else None, "to": None if one.removed else one.to,
        "generation": one.generation, "again": effect(one.again_effect), "skipped": effect(one.skip_effect),
        "skipped_spans": [list(span) for span in one.skipped], "lost_from": one.lost_from,
    }  # fmt: skip
