"""One mutant against the tests, in a process of its own, up to the first that fails. The tree is not touched."""

from __future__ import annotations

import os
import pickle
import re
import secrets
import select
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from committer import steps
from tests.integration.commit import templates
from tests.laws import shop
from tests.mutants import histories
from tests.mutants.by_hand import Broken
from tests.mutants.mechanical import Mutant
from warehouse import statements
from waybill.addresses import Warehouse

ROOT = Path(__file__).resolve().parent.parent.parent
_CUT = ("test_cut", "test_lines", "test_read_again", "test_reads")
_COMMIT = "tests/integration/commit"
# Not the EXPLAIN of a large mart, nor what leases and clocks do: no step file has a part in them.
_LEFT_OUT = ("test_plans", "test_committer")
_LIMIT = 600.0
# A machine with too much to do breaks these, not a mutant.
_NOT_THE_MUTANT = re.compile(r"lease|Timeout|does not answer|connection|too many clients|recovery", re.IGNORECASE)
_REFUSED = re.compile(
    r"syntax error|is ambiguous|does not exist|must appear in the GROUP BY|missing FROM-clause", re.IGNORECASE
)


@dataclass(frozen=True)
class Verdict:
    """`outcome`: caught; survived; refused (by the warehouse: a table or a column is missing); unfinished (no test
    failed in the seconds it was given); too long."""

    outcome: str
    by: str = ""
    why: str = ""
    seconds: float = 0


def suite() -> list[str]:
    """The files of the killing suite."""
    found = sorted(str(path.relative_to(ROOT)) for path in (ROOT / _COMMIT).glob("test_*.py"))
    return [f for f in found if Path(f).stem not in _LEFT_OUT]


def files_first(mutant: Mutant | Broken) -> list[str]:
    """The files of the suite, the likeliest to kill first: what reads raw for the cut, or what places rows."""
    return sorted(suite(), key=lambda file: ((Path(file).stem in _CUT) != _reads_raw(mutant), file))


def _reads_raw(mutant: Mutant | Broken) -> bool:
    """Is the step about raw, the cut and what was applied, not about places?"""
    return not "200" <= mutant.file < "800"


@dataclass(frozen=True)
class Ground:
    """The warehouse and the databases that every mutant's tests clone."""

    server: Warehouse
    shop: str
    two_marts: str


@contextmanager
def ground(server: Warehouse) -> Iterator[Ground]:
    suffix = secrets.token_hex(3)
    with (
        shop.template(server, f"mutants_shop_{suffix}") as first,
        templates.two_marts(server, f"mutants_marts_{suffix}") as second,
    ):
        yield Ground(server, first, second)


class _Plugin:
    """Applies the mutant and remembers what failed. `first` are tests that killed its like before."""

    def __init__(self, ground: Ground, mutant: Mutant | Broken, first: Sequence[str], budget: float) -> None:
        self.ground, self.mutant, self.first = ground, mutant, list(first)
        self.until = time.monotonic() + budget
        self.by = self.why = ""

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if time.monotonic() > self.until and not self.by:
            self.why = "unfinished"
            item.session.shouldstop = "no time left"
            pytest.skip("no time left")

    def apply(self) -> None:
        """Once, before anything runs."""
        if isinstance(self.mutant, Broken) and self.mutant.patch is not None:
            self.mutant.patch()
        path, text, original = f"sql/commit/{self.mutant.file}", self.mutant.text, statements.text_of

        def mutated(asked: str) -> str:
            return text if asked == path else original(asked)

        statements.text_of = steps.text_of = mutated  # type: ignore[assignment]
        shop.template = lambda *_: nullcontext(self.ground.shop)  # type: ignore[assignment]
        templates.two_marts = lambda *_: nullcontext(self.ground.two_marts)  # type: ignore[assignment]

    def live_through_a_history(self, number: int) -> None:
        try:
            histories.run(self.ground.server, self.ground.shop, number)
        except Exception as error:  # noqa: BLE001 - whatever a mutant leads to
            self.by, self.why = f"history {number}", f"{type(error).__name__}: {error}"[:1000]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        rank = {name: n for n, name in enumerate(self.first)}
        items.sort(key=lambda item: rank.get(item.nodeid, len(rank)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed and not self.by:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.by, self.why = report.nodeid, str(crash.message if crash else report.longrepr)[:1000]


def kill(
    ground: Ground, mutant: Mutant | Broken, first: Sequence[str] = (), budget: float = 1e9, again: bool = True
) -> Verdict:
    """Run the suite with this mutant, no new test after `budget` seconds. A failure that a busy machine may cause is
    tried once more."""
    began = time.monotonic()
    by, why = _in_a_child(ground, mutant, first, budget)
    seconds = round(time.monotonic() - began, 1)
    if not by:
        return Verdict("unfinished" if why == "unfinished" else "too long" if why else "survived", "", "", seconds)
    if again and _NOT_THE_MUTANT.search(why):
        return kill(ground, mutant, [by, *first], budget, again=False)
    line = re.sub(r"\s+", " ", why)[:300]
    return Verdict("refused" if _REFUSED.search(why) else "caught", by, line, seconds)


def _in_a_child(ground: Ground, mutant: Mutant | Broken, first: Sequence[str], budget: float) -> tuple[str, str]:
    """(test that failed, its message); ('', '') when all passed, ('', reason) when it did not end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        status = 1
        try:
            status = _child(_Plugin(ground, mutant, first, budget), writing)
        finally:
            os._exit(status)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        ready, _, _ = select.select([answer], [], [], _LIMIT)
        if not ready:
            os.kill(child, signal.SIGKILL)
        data = answer.read()
    os.waitpid(child, 0)
    if not data:
        return "", f"no answer within {_LIMIT:.0f} s" if not ready else "the tests' process died"
    by, why = pickle.loads(data)
    return str(by), str(why)


def _child(plugin: _Plugin, writing: int) -> int:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.chdir(ROOT)
    plugin.apply()
    late = _reads_raw(plugin.mutant)
    if not late:
        plugin.live_through_a_history(1)
    if not plugin.by:
        files = files_first(plugin.mutant)
        code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *files], plugins=[plugin])
        if code not in (0, 1, 2) and not plugin.by:
            plugin.by, plugin.why = "pytest", f"exit code {code}"
    if late and not plugin.by and not plugin.why:
        plugin.live_through_a_history(1)
    with os.fdopen(writing, "wb") as answer:
        pickle.dump((plugin.by, plugin.why), answer)
    return 0
