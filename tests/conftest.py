"""The one stack that all tests share, and what each test gets fresh on it: a database, a name, a pipeline.

Where the stack comes from: addresses in the environment, else containers where an engine answers, else native
(`WAYBILL_TEST_STACK` is `containers` or `native` to choose). A test asks for `stack`, or something made of it, when it
needs services; unit tests never do.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest

from stack import choose
from stack.install.cache import locked
from stack.layout import Layout
from waybill.addresses import Addresses, Warehouse

ROOT = Path(__file__).resolve().parent.parent
# What compares for the tests says what it compared.
pytest.register_assert_rewrite("tests.laws.comparison", "tests.system.histories.drawn")


def command(*words: str) -> list[str]:
    """How a test starts the product's command, from outside."""
    return [sys.executable, "-c", "from cli.main import main; main()", *words]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kills_services: kills services of the shared stack, so it runs last")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that kill services come last, the others stay in their order."""
    items.sort(key=lambda item: item.get_closest_marker("kills_services") is not None)


_SPENT: Counter[str] = Counter()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Seconds by suite; a folder of tests/integration is one of its own."""
    parts = report.nodeid.split("/")
    depth = 3 if parts[1:2] == ["integration"] else 2
    _SPENT["/".join(parts[:depth]).partition(".py")[0]] += report.duration


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each suite cost, of a run that had several: docs/testing.md holds the budget."""
    if len(_SPENT) > 1:
        terminalreporter.section("minutes by suite")
        for suite, seconds in _SPENT.most_common():
            terminalreporter.write_line(f"{seconds / 60:6.1f}  {suite}")


@pytest.fixture(scope="session")
def way() -> str:
    """How the tests' stack is run: brought, compose or native."""
    layout = Layout.here()
    wanted = os.environ.get("WAYBILL_TEST_STACK", "")
    if wanted not in ("", "containers", "native"):
        pytest.exit(f"WAYBILL_TEST_STACK={wanted}: it is containers or native", 2)
    if choose.brought(layout):
        return "brought"
    before = choose.taken(layout)
    runs = bool(before) and any(each.state == "running" for each in choose.way(str(before), layout).status())
    asked = {"": None, "containers": choose.COMPOSE, "native": choose.NATIVE}[wanted]
    if runs and asked not in (None, before):
        pytest.exit(f"WAYBILL_TEST_STACK={wanted}, but the {before} stack of this checkout runs: waybill stack down", 2)
    if runs or asked:
        return str(asked or before)
    reasons = {name: choose.way(name, layout).available() for name in (choose.COMPOSE, choose.NATIVE)}
    for name, reason in reasons.items():
        if reason is None:
            return name
    if os.environ.get("CI"):
        pytest.fail(f"no stack can be had here, and in CI that is a failure: {reasons}", pytrace=False)
    pytest.skip(f"no stack can be had here: {reasons}")


@pytest.fixture(scope="session")
def stack(way: str) -> Iterator[Addresses]:
    """Addresses of a running stack; started once for the whole run."""
    if way == choose.COMPOSE:
        from tests.containers import compose_stack

        # Another run of the tests may be at it (tests/side_by_side.py); the native way sees to that itself.
        with locked(Layout.here().state / "tests.lock"):
            addresses = compose_stack(ROOT)
        yield addresses
        return
    words = [] if way == "brought" else [f"--{way}"]
    started = subprocess.run(command("stack", "up", *words), cwd=ROOT, check=False, stdout=sys.stderr)
    assert started.returncode == 0, "the stack does not start; its own words are above"
    yield Addresses.load(ROOT)


@pytest.fixture
def fresh_name() -> str:
    """A name no other test has: eight hexadecimal digits after a letter."""
    return f"t{secrets.token_hex(4)}"


@pytest.fixture(scope="session")
def warehouse_server(request: pytest.FixtureRequest) -> Warehouse:
    """The warehouse alone: from the environment when it names one, else of the stack."""
    if "WAYBILL_WAREHOUSE_HOST" in os.environ:
        return Addresses.load(ROOT).warehouse
    found: Warehouse = request.getfixturevalue("stack").warehouse
    return found


@pytest.fixture
def warehouse(warehouse_server: Warehouse, fresh_name: str) -> Iterator[Warehouse]:
    """An empty database of this test's own, dropped after it."""
    with fresh_database(warehouse_server, fresh_name) as made:
        yield made


@contextmanager
def fresh_database(server: Warehouse, name: str, template: str = "") -> Iterator[Warehouse]:
    """A database on the server, empty or a clone of `template`, dropped with whoever is still connected to it."""

    def run(statement: str) -> None:
        connection = psycopg2.connect(
            host=server.host, port=server.port, user=server.user, password=server.password.get_secret_value(),
            dbname=server.database,
        )  # fmt: skip
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    run(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    try:
        yield server.model_copy(update={"database": name})
    finally:
        run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture
def waybill_command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `waybill` as a user does; its output is captured as text."""

    def run(*words: str, env: dict[str, str] | None = None, seconds: float = 240) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words), cwd=ROOT, env={**os.environ, **(env or {})}, capture_output=True, text=True,
            check=False, timeout=seconds,
        )  # fmt: skip

    return run
