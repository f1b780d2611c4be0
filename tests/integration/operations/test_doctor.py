"""`waybill doctor` and `waybill status` on the real services, from outside."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from waybill.addresses import Addresses

ROOT = Path(__file__).resolve().parents[3]
Run = Callable[..., subprocess.CompletedProcess[str]]


def doctor(run: Run, *words: str, **env: str) -> tuple[int, dict[tuple[str, str], dict[str, Any]]]:
    done = run(*words, "doctor", "--json", env=env)
    findings = json.loads(done.stdout)["findings"]
    return done.returncode, {(f["service"], f["check"]): f for f in findings}


def test_every_service_of_the_stack_is_as_needed(stack: Addresses, waybill_command: Run) -> None:
    code, found = doctor(waybill_command)
    assert {s for s, _ in found} == {"mysql", "tables", "kafka", "registry", "connect", "s3", "warehouse"}
    # Whether the source was seeded and the connector applied is another test's business.
    settings = {k: f for k, f in found.items() if k[0] in ("mysql", "registry", "s3")}
    assert {k: f["what"] for k, f in settings.items() if f["state"] not in ("ok", "note")} == {}
    for check in ("Debezium's plugin", "converter plugin"):
        assert found["connect", check]["state"] == "ok"
    assert "honoured" in found["s3", "a second put is refused"]["what"]
    assert code in (0, 1)


def test_parts_that_are_down_are_named_and_the_others_still_looked_at(stack: Addresses, waybill_command: Run) -> None:
    code, found = doctor(
        waybill_command, WAYBILL_KAFKA_BOOTSTRAP="127.0.0.1:1", WAYBILL_REGISTRY_URL="http://127.0.0.1:1"
    )
    assert code == 3
    for service in ("kafka", "registry"):
        assert found[service, "reachable"]["state"] == "unreachable"
        assert found[service, "reachable"]["todo"]
    assert found["mysql", "gtid_mode"]["state"] == "ok"
    assert found["s3", "put"]["state"] == "ok"


def test_what_the_pipeline_file_says_wrongly_is_told_with_its_place(
    stack: Addresses, waybill_command: Run, tmp_path: Path
) -> None:
    data = yaml.safe_load((ROOT / "pipeline.yml").read_text())
    data["tables"] = [
        {"source": "mysql.user", "key": ["Host", "Nobody"]},
        {"source": "mysql.db", "key": ["Host", "User"], "event_time": "never"},
        {"source": "mysql.no_such_table", "key": ["a"]},
        {"source": "mysql.help_topic", "key": ["help_topic_id"]},
    ]
    path = tmp_path / "pipeline.yml"
    path.write_text(yaml.safe_dump(data))
    code, found = doctor(waybill_command, "--pipeline", str(path))
    assert code in (1, 3)
    assert "tables[0].key[1]" in found["tables", "mysql.user"]["what"]
    assert "tables[1]" in found["tables", "mysql.db"]["what"]
    assert "tables[2].source" in found["tables", "mysql.no_such_table"]["what"]
    assert found["tables", "mysql.help_topic"]["state"] == "ok"
    checked = waybill_command("--pipeline", str(path), "config", "check")
    assert checked.returncode == 2
    assert "tables[0].key[1]" in checked.stdout


def test_status_answers_even_when_everything_is_down(waybill_command: Run) -> None:
    nowhere = {
        "WAYBILL_KAFKA_BOOTSTRAP": "127.0.0.1:1", "WAYBILL_CONNECT_URL": "http://127.0.0.1:1",
        "WAYBILL_WAREHOUSE_HOST": "127.0.0.1", "WAYBILL_WAREHOUSE_PORT": "1", "WAYBILL_WAREHOUSE_USER": "nobody",
    }  # fmt: skip
    done = waybill_command("status", "--json", env=nowhere)
    assert done.returncode == 1
    found = json.loads(done.stdout)
    assert found["connector"] is None and found["cut"] is None
    assert len(found["needs"]) >= 2


def test_status_shows_connector_lag_and_cut(stack: Addresses, waybill_command: Run) -> None:
    done = waybill_command("status", "--json")
    assert done.returncode in (0, 1)
    assert json.loads(done.stdout).keys() >= {"processes", "connector", "lag", "cut", "needs"}
