"""Which tests can tell a mutant: those in which its step leaves, or answers, something else than the original.

The tests run with the original; at every step each mutant of it is tried beside, in a savepoint that is rolled back,
and what both leave is compared. A test in which a mutant never differed runs the same with it, so only the others are
worth running; and a mutant that no test can tell is equivalent or wants a test.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import cursor
from psycopg2.sql import SQL, Composable

from committer import steps
from committer.marts import MartTable, Place
from committer.steps import Runner, Step
from tests.mutants.suite import ROOT, AnyMutant, Ground, digest, file_digest, files, in_a_child, live, run_tests
from warehouse.statements import split, table
from waybill.raw import RAW_SCHEMA, TRANSACTION_TABLE, ledger_table

STATE = ROOT / "build/mutants/telling.json"
ENOUGH = 2  # tests that tell a mutant: more are looked for only when it lives through these
_TOUCHED = re.compile(rb"(?:INSERT INTO|DELETE FROM|UPDATE|CREATE TEMP TABLE)\s+([\w.\"]+)")


@dataclass
class Told:
    """Of one mutant: the tests that tell it, in the order they were run, each with its file's digest; and the files
    that were looked at wholly, as they were."""

    digest: str
    by: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def tests(self) -> list[str]:
        """Those whose files are as they were."""
        return [test for test, known in self.by.items() if known == file_digest(test.partition("::")[0])]


class Telling:
    """What is known, kept in build/mutants/telling.json."""

    def __init__(self) -> None:
        kept = json.loads(STATE.read_text()) if STATE.exists() else {}
        self.told = {name: Told(**one) for name, one in kept.items()}

    def of(self, mutant: AnyMutant) -> Told:
        """Nothing when its text is another than it was."""
        found = self.told.get(mutant.name)
        if found is None or found.digest != digest(mutant):
            found = self.told[mutant.name] = Told(digest(mutant))
        return found

    def tests(self, mutant: AnyMutant) -> list[str]:
        """Those that tell it; every test for one that is no other text."""
        return files() if getattr(mutant, "patch", None) is not None else self.of(mutant).tests

    def wanted(self, mutant: AnyMutant, file: str, enough: int) -> bool:
        """Is this file to be looked at for it?"""
        told = self.of(mutant)
        return told.files.get(file) != file_digest(file) and len(told.tests) < enough

    def look(self, ground: Ground, mutants: Iterable[AnyMutant], enough: int = ENOUGH) -> None:
        """Run what has to be run so that each of these is told by `enough` tests, or every file was looked at."""
        own = [m for m in mutants if getattr(m, "patch", None) is None]
        for file in files():
            todo = [m for m in own if self.wanted(m, file, enough)]
            if not todo:
                continue
            print(f"looking at {file} for {len(todo)} mutants", flush=True)
            for test, names in in_a_child(partial(_try_beside, ground, file, todo, enough, self)).items():
                for name in names:
                    self.told[name].by[test] = file_digest(file)
            for mutant in todo:
                told = self.of(mutant)
                if len(told.tests) < enough:
                    told.files[file] = file_digest(file)
            self._save()

    def _save(self) -> None:
        STATE.parent.mkdir(parents=True, exist_ok=True)
        new = STATE.with_suffix(".new")
        new.write_text(json.dumps({name: asdict(one) for name, one in self.told.items()}, indent=1))
        new.replace(STATE)


def _try_beside(
    ground: Ground, file: str, mutants: Iterable[AnyMutant], enough: int, telling: Telling
) -> dict[str, list[str]]:
    """Test -> the mutants that it tells. Runs in a process of its own."""
    trials = _Trials(mutants, {m.name: enough - len(telling.of(m).tests) for m in mutants})
    Runner.run, Runner.query = _with(trials, Runner.run), _with(trials, Runner.query)  # type: ignore[method-assign]
    ground.lend()
    if file.startswith("history "):
        trials.test = file
        live(ground, file)
    elif (code := run_tests(["-x", file], trials)) and not trials.done:
        raise RuntimeError(f"{file} fails without any mutant, in {trials.test} (pytest {code})")
    return trials.tell


class _Trials:
    """The mutants of each step file, and which test has told which. `left`: how many more may tell a mutant."""

    def __init__(self, mutants: Iterable[AnyMutant], left: dict[str, int]) -> None:
        self.of_file: dict[str, list[AnyMutant]] = defaultdict(list)
        for mutant in mutants:
            self.of_file[mutant.file].append(mutant)
        self.left = left
        self.test = ""
        self.tell: dict[str, list[str]] = defaultdict(list)

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self.done:
            item.session.shouldstop = "every mutant is told"
            pytest.skip("every mutant is told")
        self.test = item.nodeid

    @property
    def done(self) -> bool:
        return not any(more > 0 for more in self.left.values())

    def wanted(self, step: Step) -> list[AnyMutant]:
        known = self.tell[self.test]
        return [m for m in self.of_file[step.file] if self.left[m.name] > 0 and m.name not in known]

    def told(self, mutant: AnyMutant) -> None:
        self.tell[self.test].append(mutant.name)
        self.left[mutant.name] -= 1


def _with(trials: _Trials, original: Any) -> Any:
    """The runner's method, every mutant of the step tried before it."""

    def run(self: Runner, step: Step, mart: MartTable | None = None, place: Place | None = None, **values: Any) -> Any:
        connection = self.session._connection
        todo = trials.wanted(step) if not connection.closed and not connection.autocommit else []
        if todo:
            given = {**self.values, **values, "place": place.name if place else ""}
            self.session.plan_joins(step.looks_up, step.loops)
            with connection.cursor() as runs:
                runs.execute("SAVEPOINT beside")
                source = steps.text_of(f"sql/commit/{step.file}")
                right = _left_by(runs, _composed(runs, source, mart, place, given))
                for mutant in todo:
                    wrong = _left_by(runs, _composed(runs, mutant.text, mart, place, given), right[0])
                    if wrong[1] != right[1]:
                        trials.told(mutant)
                runs.execute("RELEASE SAVEPOINT beside")
        return original(self, step, mart, place, **values)

    return run


def _composed(
    runs: cursor, text: str, mart: MartTable | None, place: Place | None, values: Mapping[str, Any]
) -> list[bytes]:
    ledger: dict[str, Composable] = {"ledger": table(RAW_SCHEMA, ledger_table(TRANSACTION_TABLE))}
    names = mart.names(text, place) if mart else ledger
    return [runs.mogrify(SQL(statement).format(**names), values) for statement in split(text)]


def _left_by(runs: cursor, texts: list[bytes], touched: frozenset[bytes] = frozenset()) -> tuple[frozenset[bytes], Any]:
    """What these statements answer, or leave in the tables that they and `touched` name; it is undone."""
    touched |= frozenset(_TOUCHED.findall(b"\n".join(texts)))
    rows = b" || '#' || ".join(
        b"coalesce((SELECT string_agg(t::text, E'\\n' ORDER BY t::text) FROM " + name + b" t), '')"
        for name in sorted(touched)
    )
    found: Any
    try:
        runs.execute(b";\n".join([*texts, *([b"SELECT " + rows] if touched else [])]) or b"SELECT NULL")
        found = runs.fetchall() if runs.description else None
    except psycopg2.Error as error:
        found = f"error {error.pgcode}"
    runs.execute("ROLLBACK TO SAVEPOINT beside")
    return touched, found
