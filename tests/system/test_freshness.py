"""`waybill bench freshness` on a pipeline that runs: every marker arrives, in the order of its stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pipeline_on_stack import PipelineOnStack

STAGES = ("kafka", "parquet", "raw", "mart")
LOOK = 0.2
"""Seconds between two looks, when nobody is late."""


def put_entry(pipeline: PipelineOnStack, todo: str) -> dict[str, Any]:
    """What the refusal prints, put under `tables:` as it says."""
    path = pipeline.folder / "pipeline.yml"
    settings = yaml.safe_load(path.read_text())
    (entry,) = yaml.safe_load(todo.split("\n\n")[1])
    settings["tables"].append(entry)
    path.write_text(yaml.safe_dump(settings, sort_keys=False))
    return dict(entry)


@pytest.mark.timeout(900)
def test_markers_are_timed_from_the_source_to_the_mart(pipeline: PipelineOnStack) -> None:
    refused = pipeline.does("bench", "freshness", code=2)
    assert put_entry(pipeline, refused["todo"])["source"] == f"{pipeline.beats}.freshness"
    pipeline.seed(60)
    pipeline.does("schema", "apply")
    pipeline.beside("consume", "--no-metrics")
    pipeline.does("connect", "apply", seconds=150)
    pipeline.first_snapshot()
    pipeline.beside("commit", "--continuous", "--no-metrics", "--no-watch")
    writer = pipeline.generate(rate=50, seconds=600)
    kept = pipeline.folder / "kept" / "freshness.jsonl"
    words = ("bench", "freshness", "--seconds", "10", "--every", "0.2", "--wait", "240", "--keep", str(kept))
    done = pipeline.does(*words, seconds=300)
    assert writer.running()
    assert done["missing"] == {} and done["markers"] + done["left_out"] == 50
    assert [done["stages"][stage]["arrived"] for stage in STAGES] == [done["markers"]] * 4
    for stage in STAGES:
        found = done["stages"][stage]
        assert 0 < found["p50"] <= found["p95"] <= found["p99"] <= found["max"], done
    samples = [json.loads(line) for line in kept.read_text().splitlines()]
    assert len({sample["token"] for sample in samples}) == len(samples) == done["markers"]
    assert_in_order(samples, done["looks"])
    assert_rows_stay_bounded(pipeline, samples, words)


def assert_in_order(samples: list[dict[str, Any]], looks: dict[str, dict[str, float]]) -> None:
    """Another thread looks at the bucket than at the warehouse: what is in raw was put, but perhaps not listed yet."""
    pause = max(each["longest_pause"] for each in looks.values())
    for sample in samples:
        kafka, parquet, raw, mart = (sample["seconds"][stage] for stage in STAGES)
        assert kafka <= parquet + 0.001 and kafka <= raw + 0.001 and parquet <= raw + pause + LOOK, sample
        assert raw <= mart, sample
        assert sample["sent_at"] <= sample["committed_at"], sample


def assert_rows_stay_bounded(pipeline: PipelineOnStack, samples: list[dict[str, Any]], words: tuple[str, ...]) -> None:
    """A second run writes the same ids and nothing else; its samples are added."""
    again = pipeline.does(*words[:2], "--seconds", "1", *words[4:], seconds=300)
    assert again["missing"] == {} and again["run"] != samples[0]["run"]
    ((rows, least, greatest),) = pipeline.servers.mysql(
        f"SELECT count(*), min(id), max(id) FROM `{pipeline.beats}`.freshness"
    )
    assert (least, greatest) == (1, max(sample["id"] for sample in samples)) and rows == len(samples)
    assert pipeline.servers.row("SELECT count(*) FROM settlement_ods.mart_freshness") == (rows,)
    kept = Path(words[words.index("--keep") + 1])
    assert len(kept.read_text().splitlines()) == len(samples) + again["markers"]
