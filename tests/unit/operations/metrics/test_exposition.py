"""A scrape gets what is known, whatever is broken; a target's file tells where, for as long as it is true."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from operations.metrics.exposition import Exposition
from operations.metrics.targets import FOLDER, Target
from waybill.errors import SettingsError
from waybill.metrics import LAG_MESSAGES, ROWS, Sample


class Fixed:
    """A collector that tells the same every time."""

    def __init__(self, *samples: Sample) -> None:
        self._samples = samples

    def samples(self) -> Iterable[Sample]:
        return self._samples


class Broken:
    def samples(self) -> Iterable[Sample]:
        yield Sample(ROWS, ("half",), 1)
        raise ZeroDivisionError


def scraped(url: str) -> dict[tuple[str, tuple[str, ...]], float]:
    with urllib.request.urlopen(url, timeout=20) as answer:
        text = answer.read().decode()
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_is_told_is_served_where_the_file_says_and_a_broken_collector_is_left_out(tmp_path: Path) -> None:
    told = Fixed(
        Sample(ROWS, ("a.b",), 7), Sample(LAG_MESSAGES, ("a.b", "0"), 3), Sample(LAG_MESSAGES, ("a.b", "1"), 4)
    )
    target = Target(tmp_path, "consume", "pre")
    with Exposition([Broken(), told], "127.0.0.1", 0, target):
        (group,) = json.loads((tmp_path / FOLDER / "consume-1.json").read_text())
        assert group["labels"] == {"process": "consume-1", "pipeline": "pre"}
        found = scraped(f"http://{group['targets'][0]}/metrics")
    assert found[ROWS.name, ("a.b",)] == 7 and found[LAG_MESSAGES.name, ("1", "a.b")] == 4
    assert (ROWS.name, ("half",)) not in found
    assert "process_cpu_seconds_total" in {name for name, _ in found}
    assert not (tmp_path / FOLDER / "consume-1.json").exists()


def test_a_port_that_is_taken_is_refused_at_start(tmp_path: Path) -> None:
    with (
        Exposition([], "127.0.0.1", 0, Target(tmp_path, "commit", "p")) as first,
        pytest.raises(SettingsError) as refused,
    ):
        Exposition([], "127.0.0.1", first.port, Target(tmp_path, "commit", "p"))
    assert str(first.port) in refused.value.what and "--metrics-port" in refused.value.todo


def test_processes_of_a_kind_have_names_of_their_own_and_a_name_is_taken_over(tmp_path: Path) -> None:
    first, second = Target(tmp_path, "consume", "p"), Target(tmp_path, "consume", "p")
    assert [first.process, second.process] == ["consume-1", "consume-2"]
    second.write("0.0.0.0", 4711)
    assert json.loads(second.file.read_text())[0]["targets"] == ["127.0.0.1:4711"]
    first.remove()
    assert Target(tmp_path, "consume", "p").process == "consume-1"
