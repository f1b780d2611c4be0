"""A wrong pipeline file is refused at start: place in the file, what was found, what is allowed, exit code 2."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli import pipeline
from cli.main import main
from waybill.errors import SettingsError

ROOT = Path(__file__).resolve().parents[3]
GOOD = yaml.safe_load((ROOT / "pipeline.yml").read_text(encoding="utf-8"))


def refusal(tmp_path: Path, change: Callable[[Any], None]) -> str:
    data = copy.deepcopy(GOOD)
    change(data)
    path = tmp_path / "pipeline.yml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    with pytest.raises(SettingsError) as refused:
        pipeline.load(path)
    assert refused.value.exit_code == 2
    assert "nothing was started" in refused.value.what
    return refused.value.what


def put(place: str, value: Any) -> Callable[[Any], None]:
    """Set what stands at e.g. `tables.0.batch.rows`."""

    def change(data: Any) -> None:
        *path, last = place.split(".")
        for part in path:
            data = data[int(part)] if part.isdigit() else data.setdefault(part, {})
        data[last] = value

    return change


def test_the_file_of_the_checkout_is_right() -> None:
    assert pipeline.load(ROOT / "pipeline.yml").marts[0].name == "uni_tracking_info"


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("sink", {}, "  sink: unknown key"),
        ("commit.shedule", "* * * * *", "  commit.shedule: unknown key; did you mean 'schedule'?"),
        ("tables.1.batch.row", 5, "  tables[1].batch.row: unknown key; did you mean 'rows'?"),
        ("tables.0.mart.retention", 1, "  tables[0].mart.retention: unknown key"),
        ("tables.2.batch.rows", "many", "  tables[2].batch.rows: Input should be a valid integer"),
        ("tables.2.batch.rows", "many", "found 'many'"),
        ("tables.2.batch.rows", 0, "  tables[2].batch.rows: Input should be greater than or equal to 1, found 0"),
        ("tables.0.key", "order_id", "  tables[0].key: Input should be a valid list, found 'order_id'"),
        ("tables.0.key", [], "  tables[0].key: List should have at least 1 item"),
        ("tables.0.source", "orders", "  tables[0].source: must be database.table, found 'orders'"),
        ("tables.0.memory", "lots", "  tables[0].memory: "),
        ("tables.0.mart.name", "Mart Orders", "  tables[0].mart.name: must be lower case letters"),
        ("tables.0.mart.on_delete", "erase", "  tables[0].mart.on_delete: Input should be 'mark'"),
        ("tables.0.event_time", None, "kuaisong.uni_tracking_info has a mart, so it needs an event_time"),
        ("commit.schedule", "every day", "  commit.schedule: not a cron expression"),
        ("commit.schedule", "61 * * * *", "found '61 * * * *'"),
        ("sync.schedule", "sometimes", "  sync.schedule: not a cron expression"),
        ("source.server_id", 0, "  source.server_id: Input should be greater than or equal to 1, found 0"),
        ("storage.compression", "gzip", "  storage.compression: Input should be 'snappy' or 'zstd', found 'gzip'"),
        ("version", 2, "  version: Input should be 1, found 2"),
        ("tables", [], "  tables: List should have at least 1 item"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(tmp_path: Path, place: str, value: Any, said: str) -> None:
    assert said in refusal(tmp_path, put(place, value))


def test_a_table_declared_twice_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, lambda data: data["tables"].append(data["tables"][0]))
    assert "source 'kuaisong.uni_tracking_info' is declared twice" in said


def test_a_mart_declared_twice_is_named(tmp_path: Path) -> None:
    said = refusal(tmp_path, put("tables.1.mart.name", "mart_uni_tracking_info"))
    assert "mart.name 'mart_uni_tracking_info' is declared twice" in said


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    def change(data: Any) -> None:
        put("tables.0.batch.rows", 0)(data)
        put("commit.schedule", "never")(data)

    said = refusal(tmp_path, change)
    assert "tables[0].batch.rows" in said and "commit.schedule" in said


@pytest.mark.parametrize("text", ["tables: [", "just text", "", "- a list"])
def test_what_is_no_pipeline_at_all_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pipeline.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        pipeline.load(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        pipeline.load(tmp_path / "no.yml")


def test_the_command_line_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pipeline.yml"
    path.write_text("tabels: []\n", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["--pipeline", str(path), "config", "show"])
    assert ended.value.code == 2
    assert "tabels: unknown key; did you mean 'tables'?" in capsys.readouterr().err
