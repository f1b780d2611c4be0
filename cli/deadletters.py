"""`waybill deadletters`: bad messages, and what is decided about them."""

from __future__ import annotations

from collections import Counter

import click

from cli.context import Context, json_option, pass_context, print_json, print_table
from cli.letters_chosen import choice_options, desk_of, matching, trial_of
from cli.letters_decided import drop, redrive, set_aside
from cli.letters_shown import part, plain, print_letter
from operations.dead_letters.desk import OPEN, STATES


@click.group()
def deadletters() -> None:
    """Bad messages that were set aside: see them, redrive them, drop them.

    A letter is called by its origin, TOPIC/PARTITION/OFFSET; a table's name may stand for its topic.
    """


@deadletters.command(name="list")
@choice_options
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("-n", "--last", default=50, show_default=True, type=click.IntRange(0), help="How many are shown.")
@json_option
@pass_context
def list_(
    context: Context, tables: tuple[str, ...], error: str | None, since: str | None, before: str | None,
    state: str | None, last: int, as_json: bool,
) -> int:  # fmt: skip
    """Letters and how they stand; exit 1 when some are open. Example: waybill deadletters list --state open"""
    with desk_of(context) as desk:
        chosen = matching(context, desk.entries(), tables, error, since, before)
    chosen = [entry for entry in chosen if state in (None, entry.state)]
    counts = Counter(entry.state for entry in chosen)
    shown = chosen[len(chosen) - min(last, len(chosen)) :]
    if as_json:
        print_json({"letters": len(chosen), "states": counts, "shown": [plain(entry) for entry in shown]})
    else:
        rows = [
            [
                str(e.letter.origin), e.table, e.message_at, e.state, e.letter.value_size, e.letter.error[:120],
            ]
            for e in shown
        ]  # fmt: skip
        print_table("Dead letters", ["letter", "table", "written (UTC)", "state", "bytes", "error"], rows)
        every = ", ".join(f"{number:,} {name}" for name, number in counts.items())
        click.echo(f"{len(chosen):,} letters{': ' + every if every else ''}" + _hidden(len(chosen) - len(shown)))
    return 1 if counts[OPEN] else 0


@deadletters.command()
@click.argument("letter")
@json_option
@pass_context
def show(context: Context, letter: str, as_json: bool) -> None:
    """One letter: where it came from, its bytes, what can be read of it, why it is refused now.

    Example: waybill deadletters show waybill.kuaisong.ecs_order_info/2/1045
    """
    trial = trial_of(context)
    with desk_of(context) as desk:
        entries = desk.named(letter)
        for whole in desk.letters.whole({entry.letter.origin for entry in entries}.__contains__):
            entry = next(one for one in entries if one.letter.origin == whole.origin)
            opened = trial.opened(whole)
            if entry.stream is None:
                now = "its topic is in no table of the pipeline file"
            else:
                now = trial.verdict(entry.stream, whole).error
            found = plain(entry) | {
                "refused_now": now,
                "row_key": opened.row_key,
                "key": part(whole.key, opened, "key"),
                "value": part(whole.value, opened, "value"),
            }
            if as_json:
                print_json(found)
            else:
                print_letter(found)


def _hidden(number: int) -> str:
    return f"; {number:,} older ones are not shown (-n)" if number else ""


for each in (redrive, drop, set_aside):
    deadletters.add_command(each)
