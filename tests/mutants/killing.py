"""One mutant against tests, in a process of its own, up to the first that fails. The tree is not touched."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import pytest

from committer import reads, steps
from tests.mutants.by_hand import Broken
from tests.mutants.suite import AnyMutant, Ground, in_a_child, live, run_tests
from warehouse import statements

# A machine with too much to do breaks these, not a mutant.
_NOT_THE_MUTANT = re.compile(r"lease|Timeout|does not answer|connection|too many clients|recovery", re.IGNORECASE)
_REFUSED = re.compile(r"syntax error|is ambiguous|does not exist|must appear in|missing FROM-clause", re.IGNORECASE)


@dataclass(frozen=True)
class Verdict:
    """`outcome`: caught; refused (by the warehouse: a table or a column is missing); survived every test that was run;
    untold: there was no test to run, because its step leaves the same in all; broken: the tests' process did not
    end."""

    outcome: str
    by: str = ""
    why: str = ""
    seconds: float = 0


def kill(ground: Ground, mutant: AnyMutant, tests: Sequence[str], again: bool = True) -> Verdict:
    """Run these tests with this mutant, in their order. A failure that a busy machine may cause is tried once more."""
    if not tests:
        return Verdict("untold")
    began = time.monotonic()
    try:
        by, why = in_a_child(partial(_run, ground, mutant, tests))
    except RuntimeError as error:
        return Verdict("broken", "", str(error), round(time.monotonic() - began, 1))
    seconds = round(time.monotonic() - began, 1)
    if not by:
        return Verdict("survived", "", "", seconds)
    if again and _NOT_THE_MUTANT.search(why):
        return kill(ground, mutant, [by, *(t for t in tests if t != by)], again=False)
    line = re.sub(r"\s+", " ", why)[:300]
    return Verdict("refused" if _REFUSED.search(why) else "caught", by, line, seconds)


def _run(ground: Ground, mutant: AnyMutant, tests: Sequence[str]) -> tuple[str, str]:
    """(test that failed, its message); ('', '') when all passed."""
    if isinstance(mutant, Broken) and mutant.patch is not None:
        mutant.patch()
    path, original = f"sql/commit/{mutant.file}", statements.text_of

    def mutated(asked: str) -> str:
        return mutant.text if asked == path else original(asked)

    statements.text_of = steps.text_of = reads.text_of = mutated  # type: ignore[assignment]
    ground.lend()
    failed = _Failed()
    written = [test for test in tests if not test.startswith("history ")]
    if written:
        code = run_tests(["-x", *written], failed)
        if code not in (0, 1, 2):
            raise RuntimeError(f"pytest ended with {code}: a test that is not there?")
    for history in (test for test in tests if test.startswith("history ")):
        if not failed.by:
            try:
                live(ground, history)
            except Exception as error:  # noqa: BLE001 - whatever a mutant leads to
                failed.by, failed.why = history, f"{type(error).__name__}: {error}"[:1000]
    return failed.by, failed.why


class _Failed:
    """The first test that failed."""

    by = why = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.by:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.by, self.why = report.nodeid, str(crash.message if crash else report.longrepr)[:1000]
