"""The container way, on the stack that these tests run on when it is in containers."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

import httpx
import pytest

from stack import choose
from stack.compose import ComposeWay
from waybill.addresses import Addresses

SERVICES = ("mysql", "kafka", "registry", "connect", "s3", "warehouse")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def compose(way: str, stack: Addresses) -> ComposeWay:
    """The container way of the running stack."""
    if way != choose.COMPOSE:
        pytest.skip("the stack of this run is not in containers: make test-compose runs these tests")
    return ComposeWay()


def test_every_service_runs_and_tells_where(compose: ComposeWay, stack: Addresses) -> None:
    # Monitoring is there only when other tests have asked for it.
    found = {each.name: each for each in compose.status() if each.name in SERVICES}
    assert {each.name: each.state for each in found.values()} == dict.fromkeys(SERVICES, "running")
    assert found["mysql"].address == f"127.0.0.1:{stack.mysql.port}"
    assert found["kafka"].address == stack.kafka.bootstrap
    assert all(each.memory > 0 and each.uptime > 0 for each in found.values())


def test_up_on_a_running_stack_changes_nothing(compose: ComposeWay, waybill_command: Command) -> None:
    before = [each.pid for each in compose.status()]
    done = waybill_command("stack", "up", "--compose", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"way": "compose", "addresses": compose.addresses()}
    assert [each.pid for each in compose.status()] == before


def test_the_other_way_is_refused_while_this_one_runs(compose: ComposeWay, waybill_command: Command) -> None:
    done = waybill_command("stack", "up", "--native")
    assert done.returncode == 4
    assert "waybill stack down" in done.stderr


def test_the_logs_of_a_service_are_its_own(compose: ComposeWay, waybill_command: Command) -> None:
    done = waybill_command("stack", "logs", "mysql", "-n", "200")
    assert done.returncode == 0
    assert "ready for connections" in done.stdout


@pytest.mark.kills_services
def test_a_killed_service_is_seen_and_started_again(compose: ComposeWay, stack: Addresses) -> None:
    compose.kill("registry")
    try:
        assert {each.name: each.state for each in compose.status()}["registry"] == "dead"
    finally:
        compose.start("registry")
    assert httpx.get(f"{stack.registry.url}/apis/ccompat/v7/subjects").status_code == 200
