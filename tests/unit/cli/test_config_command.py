"""`waybill config` and `waybill completion`: references that stay true, secrets that stay hidden."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from dotenv import dotenv_values

from cli.config import json_schema, masked
from cli.main import waybill
from cli.variables import variables
from waybill.addresses import Addresses

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.chdir(ROOT)
    return CliRunner()


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "pipeline.schema.json").read_text(encoding="utf-8")
    assert committed == json_schema(), "waybill config schema > pipeline.schema.json"


def test_the_pipeline_file_names_its_schema() -> None:
    first = (ROOT / "pipeline.yml").read_text(encoding="utf-8").splitlines()[0]
    assert first == "# yaml-language-server: $schema=./pipeline.schema.json"


def test_env_example_has_every_variable() -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8").replace("# WAYBILL_", "WAYBILL_")
    assert {line.partition("=")[0] for line in text.splitlines() if line.startswith("WAYBILL_")} == {
        v.name for v in variables()
    }
    assert not any(v.secret and dotenv_values(ROOT / ".env.example").get(v.name) for v in variables())


def test_show_hides_secrets(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_MYSQL_PASSWORD", "very secret")
    monkeypatch.setenv("WAYBILL_S3_SECRET_KEY", "also secret")
    for words in (["config", "show"], ["config", "show", "--json"], ["config", "env", "--json"]):
        result = run.invoke(waybill, words)
        assert result.exit_code == 0, result.output
        assert "secret\n" not in result.output and "very" not in result.output and "also" not in result.output


def test_show_fills_in_defaults_and_keeps_an_empty_secret_empty() -> None:
    shown = masked(Addresses({"mysql": {"host": "h", "user": "u"}, "warehouse": {"password": "p"}}))
    assert shown["mysql"] == {"host": "h", "port": "3306", "user": "u", "password": "", "database": "kuaisong"}
    assert shown["warehouse"]["password"] == "********"


def test_env_says_what_sets_each_variable(run: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYBILL_MYSQL_HOST", "elsewhere")
    found = json.loads(run.invoke(waybill, ["config", "env", "--json"]).output)["variables"]
    assert {v["name"]: v["set_by"] for v in found}["WAYBILL_MYSQL_HOST"] == "environment"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run: CliRunner, shell: str) -> None:
    result = run.invoke(waybill, ["completion", shell], prog_name="waybill")
    assert result.exit_code == 0
    assert "_WAYBILL_COMPLETE" in result.output


def test_every_command_loads_and_shows_an_example(run: CliRunner) -> None:
    for name in ("reconcile", "run", "status", "doctor", "config", "completion"):
        result = run.invoke(waybill, [name, "--help"])
        assert result.exit_code == 0, result.output
