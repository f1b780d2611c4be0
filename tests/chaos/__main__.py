"""`make chaos ROUNDS=n SEED=s`: rounds on a pipeline of their own, added to those of earlier calls."""

from __future__ import annotations

import argparse
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from stack import choose
from stack.layout import Layout
from tests.chaos import rounds
from tests.chaos.draw import PARTS, Round, draw
from tests.chaos.record import Record, commit_of
from tests.chaos.truth import program
from tests.chaos.world import World, world
from tests.pipeline_on_stack import ROOT, PipelineOnStack
from waybill.addresses import Addresses

FOLDER = ROOT / "build" / "chaos"
PROVEN_EVERY = 10


def main() -> int:
    """Exit code 0: no difference; 1: a round found one; 2: it could not be run."""
    asked = _asked()
    record = Record(FOLDER / "state.json")
    if asked.report:
        print(record.report())
        return 0
    if asked.forget:
        _forget()
        return 0
    if program() is None:
        print("there is no mysqlbinlog: make setup brings it with MySQL, or install MySQL's client", file=sys.stderr)
        return 2
    seed = asked.seed if asked.seed is not None else record.seed
    seed = secrets.randbelow(10**6) if seed is None else seed
    first = asked.round or record.next_number(seed)
    numbers = [asked.round] if asked.round else list(range(first, first + asked.rounds))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    _stack_up()
    way = choose.taken(Layout.here()) or choose.NATIVE
    print(f"seed {seed}, rounds {numbers[0]} to {numbers[-1]}, the {way} way; kept in {FOLDER}", flush=True)
    record.begin(seed)
    failed = _run(record, seed, numbers, asked.without, way)
    print(record.report())
    return 1 if failed else 0


def _run(record: Record, seed: int, numbers: list[int], without: list[str], way: str) -> bool:
    """True when a round found a difference or broke: then the rounds end, and the pipeline's data stay for a look."""
    name = f"c{secrets.token_hex(4)}"
    place = FOLDER / "pipelines" / name
    place.mkdir(parents=True)
    pipeline = PipelineOnStack(name, place, Addresses.load(ROOT))
    pipeline.servers.create_warehouse()
    commit = commit_of(ROOT)
    try:
        with world(pipeline, way, seed) as made:
            for done, number in enumerate(numbers, 1):
                drawn = draw(seed, number, without)
                print(drawn, flush=True)
                outcome = _round(made, drawn, proven=done % PROVEN_EVERY == 0 or done == len(numbers))
                record.add(outcome, commit, way)
                print(f"    {outcome}", flush=True)
                if not outcome.passed:
                    _keep(place, pipeline, outcome.differences)
                    return True
    except KeyboardInterrupt:
        print("interrupted: the round that was going on does not count; make chaos goes on with it", flush=True)
        _stack_up()
    except BaseException as error:
        _keep(place, pipeline, [f"{type(error).__name__}: {error}"])
        raise
    pipeline.clear()
    return False


def _round(made: World, drawn: Round, proven: bool) -> rounds.Outcome:
    """The round, and the proof of the marts after it. One that breaks has failed like one that finds a difference."""
    began = time.monotonic()
    try:
        outcome = rounds.run(made, drawn)
    except Exception as error:  # noqa: BLE001
        return rounds.broken(drawn, time.monotonic() - began, error)
    if proven:
        try:
            made.proven()
        except AssertionError as error:
            return replace(outcome, differences=(*outcome.differences, f"the marts are not proven: {error}"))
        print("    the marts are proven equal", flush=True)
    return outcome


def _keep(place: Path, pipeline: PipelineOnStack, found: Sequence[str]) -> None:
    """Write down what is known; the connector pauses, so that it takes no time from later rounds."""
    report = place / "failure.txt"
    report.write_text("\n".join([*found, "", pipeline.ends_of_logs()]))
    for each in reversed(pipeline.backgrounds):
        each.clear()
    pipeline.run("connect", "pause")
    print("\n".join(found))
    print(f"more in {report}; its data stay: databases, topics and objects called *{pipeline.name}*", flush=True)
    print("make chaos FORGET=1 removes the data of all kept pipelines", flush=True)


def _stack_up() -> None:
    subprocess.run([sys.executable, "-c", "from cli.main import main; main()", "stack", "up"], cwd=ROOT, check=True)


def _forget() -> None:
    """Remove what pipelines of failed rounds left on the stack; their folders stay."""
    for place in sorted((FOLDER / "pipelines").glob("c*")):
        if (place / "failure.txt").exists() and not (place / "forgotten").exists():
            PipelineOnStack(place.name, place, Addresses.load(ROOT)).clear()
            (place / "forgotten").touch()
            print(f"{place.name} is removed from the stack; its logs stay in {place}")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20, help="how many to add; default 20")
    parser.add_argument("--seed", type=int, help="default: that of the last call, else a random one")
    parser.add_argument("--round", type=int, help="repeat this one round of the seed")
    parser.add_argument("--without", action="append", default=[], choices=PARTS, help="leave this part alone")
    parser.add_argument("--forget", action="store_true", help="remove the data that failed rounds left on the stack")
    parser.add_argument("--report", action="store_true", help="only print what was done so far")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
