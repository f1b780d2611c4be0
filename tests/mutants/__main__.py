"""Break every step of the commit cycle and see a test fail: `python -m tests.mutants [--only TEXT]`.

Goes on where it was interrupted (build/mutants/state.json). Exits 1 when a mutant survives that is not listed in
equivalent.toml.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import tests.laws.machine
import tests.laws.story  # noqa: F401 - imported before the processes fork, so that each starts at once
from committer import steps
from tests.mutants.by_hand import broken
from tests.mutants.killing import ROOT, Ground, ground, kill
from tests.mutants.mechanical import Mutant, mutants
from tests.mutants.record import AnyMutant, Record, equivalent, suite_digest
from warehouse.statements import text_of
from waybill.addresses import Addresses, Warehouse, variable

_KILLED = ("caught", "refused")


def every() -> list[AnyMutant]:
    """By hand first: they say most."""
    return [*broken(), *mutants()]


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", default="", help="mutants whose name has this in it")
    parser.add_argument("--drawn", type=int, default=0, help="so many, drawn by SEED")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no mutant after so long")
    parser.add_argument("--budget", type=float, default=1e9, help="seconds after which a mutant is given up for now")
    parser.add_argument("--trust", action="store_true", help="do not try the original first")
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--again", action="store_true", help="also those that are known")
    parser.add_argument("--forget", action="store_true", help="neither read nor write what is known")
    parser.add_argument("--list", action="store_true", help="names alone")
    asked = parser.parse_args(words)
    found = every()
    same = equivalent(found)
    chosen = [m for m in found if asked.only in m.name and m.name not in same]
    if asked.drawn:
        seed = secrets.randbelow(1_000_000) if asked.seed is None else asked.seed
        print(f"seed {seed}")
        chosen = random.Random(seed).sample(chosen, asked.drawn)
    if asked.list:
        print("\n".join(m.name for m in chosen))
        return 0
    record = Record(kept=False) if asked.forget else Record.load()
    tests = suite_digest()
    todo = [m for m in chosen if asked.again or not record.knows(m, tests, asked.budget)]
    print(f"{len(found)} mutants, {len(same)} equivalent, {len(chosen)} chosen, {len(todo)} to be tried")
    # Mixed, so that the totals of a run that is broken off say something of all.
    random.Random(1).shuffle(todo)
    with ground(_one_warehouse()) as cloned:
        if todo and not asked.trust:
            _refuse_broken_original(cloned)
        _run(cloned, todo, record, tests, asked, time.monotonic() + asked.seconds)
    return _report(chosen, record, len(found), len(same))


def _one_warehouse() -> Warehouse:
    """The tests' processes are told where it is, so that none of them looks after the stack."""
    warehouse = Addresses.load(ROOT).warehouse
    for key in type(warehouse).model_fields:
        value = getattr(warehouse, key)
        text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
        os.environ[variable("warehouse", key)] = text
    return warehouse


def _refuse_broken_original(cloned: Ground) -> None:
    """Tests that fail without a mutant catch every one."""
    step = steps.BEGIN
    original = Mutant("the original", step.file, text_of(f"sql/commit/{step.file}"))
    verdict = kill(cloned, original)
    if verdict.outcome != "survived":
        sys.exit(f"the tests fail without any mutant: {verdict.by}: {verdict.why}")
    print(f"the original passes all tests in {verdict.seconds} s", flush=True)


def _run(
    cloned: Ground, todo: Sequence[AnyMutant], record: Record, tests: str, asked: argparse.Namespace, until: float
) -> None:
    began = time.monotonic()

    def one(mutant: AnyMutant) -> None:
        if time.monotonic() > until:
            return
        verdict = kill(cloned, mutant, record.killers(mutant.step), asked.budget)
        record.add(mutant, verdict, tests)
        print(f"{verdict.outcome:9s}{verdict.seconds:6.1f} s  {mutant.name}", flush=True)

    with ThreadPoolExecutor(asked.at_once) as pool:
        for number, done in enumerate(as_completed([pool.submit(one, mutant) for mutant in todo]), 1):
            done.result()
            if number % 25 == 0:
                print(f"-- {number} of {len(todo)}, {time.monotonic() - began:.0f} s", flush=True)


def _report(chosen: Sequence[AnyMutant], record: Record, total: int, same: int) -> int:
    outcomes = Counter(record.verdicts.get(m.name, {}).get("outcome", "not run") for m in chosen)
    for mutant in chosen:
        if record.verdicts.get(mutant.name, {}).get("outcome") not in (*_KILLED, None):
            print(f"{record.verdicts[mutant.name]['outcome']}: {mutant.name}")
    print(f"{total} mutants: {same} equivalent, " + ", ".join(f"{n} {what}" for what, n in outcomes.most_common()))
    return 0 if set(outcomes) <= set(_KILLED) else 1


if __name__ == "__main__":
    sys.exit(main())
