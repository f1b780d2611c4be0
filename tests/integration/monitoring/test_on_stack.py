"""A `waybill run` under a small load, scraped by the stack's own Prometheus: what panels and rules ask is answered."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stack.install import prometheus as installed
from stack.layout import Layout
from stack.monitoring import picture
from stack.monitoring.panels import FOLDER, Panel, panels
from stack.monitoring.query import Prometheus
from tests.background import Background
from tests.conftest import ROOT, command
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from tests.waiting import until
from waybill.addresses import Addresses
from waybill.metrics import ALL

ORDERS = 80
PANELS = [panel for path in sorted(FOLDER.glob("*.json")) for panel in panels(path)]
# Their labels come with something that need not happen: an exception, a stage that today's consumer does not measure.
NEED_NOT_BE = {"waybill_open_exceptions"}
_COMMITTED = "SELECT count(*) FROM settlement_ods.cycles WHERE status = 'committed' AND transactions > 0"


@pytest.fixture(scope="module")
def services(stack: Addresses, way: str) -> dict[str, str]:
    """Addresses of the monitoring services of the tests' stack, by name; they stay up with it."""
    if way == "brought":
        pytest.skip("the services are brought along: the stack of this checkout is not ours to add to")
    with_monitoring = ("stack", "up", "--monitoring", f"--{way}", "--json")
    done = subprocess.run(command(*with_monitoring), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    told = subprocess.run(command("stack", "status", "--json"), cwd=ROOT, capture_output=True, text=True, check=False)
    return {
        each["name"]: f"http://{each['address']}" for each in json.loads(told.stdout)["services"] if each["address"]
    }


@pytest.fixture(scope="module")
def prometheus(services: dict[str, str]) -> Prometheus:
    return Prometheus(services["prometheus"])


@pytest.fixture(scope="module")
def run(
    stack: Addresses, services: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[PipelineOnStack, Background]]:
    """A pipeline with its `waybill run`, committed cycles and a writer; its targets are where Prometheus looks."""
    name = f"t{secrets.token_hex(4)}"
    looked_at = Layout.here().targets
    with pipeline_on_stack(name, tmp_path_factory.mktemp("monitored"), stack) as made:
        made.write_file(commit={"schedule": "*/10 * * * * *"})
        made.seed(ORDERS)
        made.does("schema", "apply")
        running = made.beside("run")
        made.does("connect", "apply", seconds=150)
        until(made.servers.cut, "the run's committer applies the first snapshot", 240, running.ends)
        made.generate(20, 0)
        written = made.folder / ".waybill/run/metrics"
        until(lambda: len(list(written.glob("*.json"))) == 3, "run, consume and commit serve their metrics", 60)
        copies = [looked_at / f"{name}-{path.name}" for path in written.glob("*.json")]
        try:
            for copy in copies:
                shutil.copy(written / copy.name.removeprefix(f"{name}-"), copy)
            until(lambda: made.servers.row(_COMMITTED)[0], "the run's committer commits what was written", 180)
            yield made, running
        finally:
            for copy in copies:
                copy.unlink(missing_ok=True)


@pytest.mark.timeout(600)
def test_every_declared_metric_is_told(run: tuple[PipelineOnStack, Background], prometheus: Prometheus) -> None:
    name = run[0].name
    wanted = {metric.name for metric in ALL} - NEED_NOT_BE
    asked = f'count by (__name__) ({{__name__=~"waybill_.*", pipeline="{name}"}})'

    def missing() -> set[str]:
        return wanted - {series.labels["__name__"] for series in prometheus.now(asked)}

    until(lambda: not missing(), "every metric in Prometheus", 120, lambda: f"missing: {sorted(missing())}")
    processes = {series.labels["process"]: series.points[0][1] for series in prometheus.now(f'up{{pipeline="{name}"}}')}
    assert processes == {"run-1": 1, "consume-1": 1, "commit-1": 1}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_answers_with_data(
    panel: Panel, run: tuple[PipelineOnStack, Background], prometheus: Prometheus
) -> None:
    for query in panel.queries:
        asked = query.asked(run[0].name)
        until(lambda asked=asked: prometheus.now(asked), f"an answer to {asked}", 90)  # type: ignore[misc]


@pytest.mark.timeout(300)
def test_what_is_told_is_what_the_warehouse_and_the_commands_say(
    run: tuple[PipelineOnStack, Background], prometheus: Prometheus
) -> None:
    pipeline = run[0]
    count = "SELECT count(*) FROM settlement_public.ecs_order_info_raw"

    def agree() -> bool:
        """Rows are loaded between two looks: a look between two counts that are equal is right."""
        before = pipeline.servers.row(count)[0]
        own = _scrape(pipeline, "consume-1", f'waybill_consumer_rows_total{{table="{pipeline.orders}.ecs_order_info"}}')
        return bool(own == before == pipeline.servers.row(count)[0])

    until(agree, "the consumer's rows of ecs_order_info are those in raw", 60)
    cycles = prometheus.now(f'waybill_cycle_number{{pipeline="{pipeline.name}"}}')
    assert 0 < cycles[0].points[0][1] <= pipeline.servers.row("SELECT cycle FROM settlement_ods.as_of")[0]


@pytest.mark.timeout(300)
def test_the_rules_are_loaded_and_evaluate(run: tuple[PipelineOnStack, Background], services: dict[str, str]) -> None:
    def rules() -> list[dict[str, Any]]:
        with urllib.request.urlopen(f"{services['prometheus']}/api/v1/rules", timeout=30) as answer:
            groups = json.load(answer)["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(
        lambda: rules() and all(rule["health"] == "ok" for rule in rules()),
        "every rule evaluated",
        90,
        lambda: str(rules()),
    )


@pytest.mark.timeout(300)
def test_the_picture_draws_every_panel(run: tuple[PipelineOnStack, Background], tmp_path: Path) -> None:
    assert picture.main([str(tmp_path / "drawn.svg"), "10", run[0].name]) == 0
    drawn = (tmp_path / "drawn.svg").read_text()
    assert all(panel.title in drawn for panel in PANELS) and "no answer" not in drawn


def test_promtool_agrees_with_the_rules(services: dict[str, str]) -> None:
    promtool = installed.program(Layout.here().cache, "promtool")
    if not promtool.is_file():
        pytest.skip("promtool comes with the native Prometheus, and this stack is in containers")
    rules = ROOT / "stack/monitoring/prometheus/rules.yml"
    done = subprocess.run([promtool, "check", "rules", str(rules)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_grafana_took_what_it_was_given(services: dict[str, str], way: str) -> None:
    if "grafana" not in services:
        assert way == "native"
        pytest.skip("Grafana is in containers only")
    for path in FOLDER.glob("*.json"):
        board = json.loads(path.read_text())
        url = f"{services['grafana']}/api/dashboards/uid/{urllib.parse.quote(board['uid'])}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert json.load(answer)["dashboard"]["title"] == board["title"]


def _scrape(pipeline: PipelineOnStack, process: str, series: str) -> float:
    """A value as the process itself tells it now."""
    (group,) = json.loads((pipeline.folder / f".waybill/run/metrics/{process}.json").read_text())
    with urllib.request.urlopen(f"http://{group['targets'][0]}/metrics", timeout=20) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line.rsplit(" ", 1)[1] for line in lines if line.startswith(series)))
