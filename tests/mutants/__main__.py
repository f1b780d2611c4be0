"""Break every step of the commit cycle and see a test fail: `python -m tests.mutants [--only TEXT]`.

First the tests run with the original, and every mutant is tried beside each step (telling.py); then each mutant runs
with the tests that can tell it, up to the first that fails. Goes on where it was interrupted (build/mutants/). Exits 1
when a mutant lives that is not listed in equivalent.toml.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import UTC, datetime

import tests.laws.machine
import tests.laws.story  # noqa: F401 - imported before the processes fork, so that each starts at once
from tests.mutants.by_hand import broken
from tests.mutants.killing import kill
from tests.mutants.mechanical import mutants
from tests.mutants.record import KILLED, Record, caught, equivalent, keep_caught
from tests.mutants.suite import ROOT, AnyMutant, Ground, ground
from tests.mutants.telling import ENOUGH, Telling
from waybill.addresses import Addresses, Warehouse, variable

_ALL = 1_000_000


def every() -> list[AnyMutant]:
    """By hand first: they say most."""
    return [*broken(), *mutants()]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name has this in it")
    parser.add_argument("--drawn", type=int, default=0, help="so many, drawn by SEED")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no mutant after so long")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="also those that are known")
    parser.add_argument("--caught", action="store_true", help="those in caught.toml, each by the test named there")
    parser.add_argument("--keep", action="store_true", help="write caught.toml from what is known, and end")
    parser.add_argument("--list", action="store_true", help="names alone")
    asked = parser.parse_args(words)
    found = every()
    same = equivalent(found)
    by = caught(found) if asked.caught else {}
    chosen = [m for m in found if asked.only in m.name and m.name not in same and (m.name in by or not asked.caught)]
    if asked.drawn:
        seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
        print(f"seed {seed}")
        chosen = random.Random(seed).sample(chosen, asked.drawn)
    if asked.list:
        print("\n".join(m.name for m in chosen))
        return 0
    if asked.keep:
        _keep(found, chosen, len(same))
        return 0
    record = Record(kept=False) if asked.caught else Record.load()
    todo = [m for m in chosen if asked.again or not record.knows(m)]
    print(f"{len(found)} mutants, {len(same)} equivalent, {len(chosen)} chosen, {len(todo)} to be tried")
    with ground(one_warehouse()) as cloned:
        if asked.caught:
            _run(cloned, todo, record, lambda mutant: [by[mutant.name]], asked)
            return _report(chosen, record, len(found), len(same))
        telling = Telling()
        telling.look(cloned, todo)
        _run(cloned, todo, record, telling.tests, asked)
        # What lived through the first few tests that tell it meets all of them.
        lived = [m for m in todo if not record.knows(m) and len(telling.of(m).tests) >= ENOUGH]
        telling.look(cloned, lived, _ALL)
        _run(cloned, lived, record, telling.tests, asked)
    return _report(chosen, record, len(found), len(same))


def _keep(found: Sequence[AnyMutant], chosen: Sequence[AnyMutant], same: int) -> None:
    """What is known becomes caught.toml, the counts at its head."""
    record = Record.load()
    counts = Counter(record.outcome(m) for m in chosen)
    said = ", ".join(f"{n} {what}" for what, n in counts.most_common())
    keep_caught(
        chosen, record,
        f"{datetime.now(UTC):%d %B %Y}, python -m tests.mutants: {len(found)} mutants, {same} equivalent, {said}.\n"
        "A mutant, and the digest of the step file that it makes; draws are from what fits.",
    )  # fmt: skip


def one_warehouse() -> Warehouse:
    """The tests' processes are told where it is, so that none of them looks after the stack."""
    warehouse = Addresses.load(ROOT).warehouse
    for key in type(warehouse).model_fields:
        value = getattr(warehouse, key)
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        os.environ[variable("warehouse", key)] = text
    return warehouse


def _run(
    cloned: Ground, todo: Sequence[AnyMutant], record: Record, tests_of: Callable[[AnyMutant], Sequence[str]],
    asked: argparse.Namespace,
) -> None:  # fmt: skip
    began = time.monotonic()

    def one(mutant: AnyMutant) -> None:
        if time.monotonic() > began + asked.seconds:
            return
        verdict = kill(cloned, mutant, tests_of(mutant))
        record.add(mutant, verdict)
        print(f"{verdict.outcome:9s}{verdict.seconds:6.1f} s  {mutant.name}", flush=True)

    with ThreadPoolExecutor(asked.at_once) as pool:
        for number, done in enumerate(as_completed([pool.submit(one, mutant) for mutant in todo]), 1):
            done.result()
            if number % 25 == 0:
                print(f"-- {number} of {len(todo)}, {time.monotonic() - began:.0f} s", flush=True)


def _report(chosen: Sequence[AnyMutant], record: Record, total: int, same: int) -> int:
    outcomes = Counter(record.outcome(m) for m in chosen)
    for mutant in chosen:
        if (outcome := record.outcome(mutant)) not in KILLED:
            print(f"{outcome}: {mutant.name}")
    print(f"{total} mutants: {same} equivalent, " + ", ".join(f"{n} {what}" for what, n in outcomes.most_common()))
    return 0 if set(outcomes) <= set(KILLED) else 1


if __name__ == "__main__":
    sys.exit(main())
