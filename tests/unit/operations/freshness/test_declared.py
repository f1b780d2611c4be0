"""The marker table in the pipeline file, and what is said where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from cli.context import Context
from cli.main import main, waybill
from cli.pipeline import Pipeline, load
from committer.settings import Mart
from operations.freshness.declared import Carried, carried, entry
from waybill.errors import SettingsError
from waybill.tables import Table

OWN = Path("pipeline.yml")


def with_entry(path: Path, text: str) -> Pipeline:
    """The product's own file with the entry behind its tables, as a person would put it there."""
    path.write_text(OWN.read_text() + "\n" + text)
    return load(path)


def test_the_products_own_file_does_not_carry_it_and_the_command_refuses(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--pipeline", str(OWN), "bench", "freshness", "--json"])
    assert ended.value.code == 2
    said = json.loads(capsys.readouterr().out)
    assert "waybill.freshness" in said["error"] and said["kept"] == "nothing was written"
    assert "  - source: waybill.freshness" in said["todo"]
    assert all(f"waybill {words}" in said["todo"] for words in ("seed", "schema apply", "connect apply", "run"))


def test_the_printed_entry_is_all_that_the_file_lacks(tmp_path: Path) -> None:
    pipeline = with_entry(tmp_path / "pipeline.yml", entry("waybill", 5, 2))
    found = carried("waybill", [(e, e.mart) for e in pipeline.tables], 5)
    assert found == Carried("waybill.freshness", "freshness_raw", "mart_freshness")
    assert [e.mart.name for e in pipeline.marts if e.mart][-1] == "mart_freshness"


def test_the_entry_is_as_slow_as_the_slowest_mart_and_applied_last() -> None:
    table = Table(source="shop.orders", key=["id"], event_time="at")
    with pytest.raises(SettingsError) as refused:
        carried("ops", [(table, Mart(name="mart_orders", order=4))], 7.5)
    assert "--pipeline-database ops" in refused.value.todo
    lines = refused.value.todo.split("\n\n")[1]
    (made,) = yaml.safe_load(lines)
    assert (made["source"], made["batch"]["seconds"], made["mart"]["order"]) == ("ops.freshness", 7.5, 5)


@pytest.mark.parametrize("mart", [None, Mart(name="m")])
def test_without_a_mart_or_with_another_key_it_is_refused(mart: Mart | None) -> None:
    key = ["id"] if mart is None else ["token"]
    with pytest.raises(SettingsError):
        carried("waybill", [(Table(source="waybill.freshness", key=key, event_time="written_at"), mart)], 5)


def test_help_says_what_its_figures_are_of() -> None:
    said = " ".join(CliRunner().invoke(waybill, ["bench", "freshness", "--help"], obj=Context()).output.split())
    assert "any row written then took to any mart" in said and "Exit code 1" in said
