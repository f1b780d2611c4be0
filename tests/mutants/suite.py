"""The killing suite: its files, the databases that its tests clone, and the processes that it runs in."""

from __future__ import annotations

import hashlib
import os
import pickle
import secrets
import select
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.integration.commit import templates
from tests.laws import shop
from tests.mutants import histories
from tests.mutants.by_hand import Broken
from tests.mutants.mechanical import Mutant
from waybill.addresses import Warehouse

ROOT = Path(__file__).resolve().parent.parent.parent
_COMMIT = "tests/integration/commit"
# Not the EXPLAIN of a large mart, nor what leases and clocks do, nor commands: no mutant reaches their processes.
_LEFT_OUT = ("test_plans", "test_committer", "test_continuous", "test_exception_commands")
# Those that tell many mutants at a small price come first, random histories last.
_FIRST = (
    "test_bounds",
    "test_lines",
    "test_cut",
    "test_read_again",
    "test_reads",
    "test_holes",
    "test_holes_mended",
    "test_older_design",
)
_HISTORIES = ("history 1", "history 2", "history 3")
_LIMIT = 1800.0

AnyMutant = Mutant | Broken


def files() -> list[str]:
    """The test files of the suite and its random histories, in the order in which they are worth trying."""
    found = {path.stem: str(path.relative_to(ROOT)) for path in sorted((ROOT / _COMMIT).glob("test_*.py"))}
    order = [*(name for name in _FIRST if name in found), *(name for name in found if name not in _FIRST)]
    return [*(found[name] for name in order if name not in _LEFT_OUT), *_HISTORIES]


@cache
def file_digest(file: str) -> str:
    """Changes with what a test file, or the machine that draws histories, does."""
    drawn = [ROOT / f"tests/laws/{name}.py" for name in ("machine", "history", "model", "shop", "comparison")]
    read = drawn if file.startswith("history ") else [ROOT / file]
    return hashlib.sha256(file.encode() + b"".join(path.read_bytes() for path in read)).hexdigest()[:16]


def digest(mutant: AnyMutant) -> str:
    return hashlib.sha256(mutant.text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Ground:
    """The warehouse and the databases that every mutant's tests clone."""

    server: Warehouse
    shop: str
    two_marts: str

    def lend(self) -> None:
        """In this process tests clone these, and make none."""
        shop.template = lambda *_: nullcontext(self.shop)  # type: ignore[assignment]
        templates.two_marts = lambda *_: nullcontext(self.two_marts)  # type: ignore[assignment]


@contextmanager
def ground(server: Warehouse) -> Iterator[Ground]:
    suffix = secrets.token_hex(3)
    with (
        shop.template(server, f"mutants_shop_{suffix}") as first,
        templates.two_marts(server, f"mutants_marts_{suffix}") as second,
    ):
        yield Ground(server, first, second)


def live(ground: Ground, history: str) -> None:
    """Run `history N`. Raises what the laws raise."""
    histories.run(ground.server, ground.shop, int(history.split()[1]))


def run_tests(words: Sequence[str], *plugins: object) -> int:
    return int(pytest.main(["-q", "-p", "no:cacheprovider", *words], plugins=list(plugins)))


def in_a_child(work: Callable[[], Any]) -> Any:
    """What `work` returns in a process of its own, silent. Raises what it raises, and `RuntimeError` when it died, or
    did not end in half an hour."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(reading)
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, 1)
            os.dup2(nothing, 2)
            os.chdir(ROOT)
            try:
                done = work()
            except Exception as error:  # noqa: BLE001 - told to the parent
                done = error
            with os.fdopen(writing, "wb") as answer:
                pickle.dump(done, answer)
            status = 0
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
        raise RuntimeError("the tests' process died" if ready else f"no answer within {_LIMIT:.0f} s")
    done = pickle.loads(data)
    if isinstance(done, Exception):
        raise done
    return done
