"""A command that is given again changes nothing, nor does one that only says what it would do."""

from __future__ import annotations

import pytest

from tests.pipeline_on_stack import PipelineOnStack

TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")

pytestmark = pytest.mark.timeout(900)


def test_a_second_seed_changes_nothing(standing: PipelineOnStack) -> None:
    before = _source(standing)
    assert standing.seed(60)["seeded"] is False
    assert standing.seed(600, number=9)["seeded"] is False
    assert _source(standing) == before


def test_a_second_schema_apply_changes_nothing(standing: PipelineOnStack) -> None:
    before = _warehouse(standing)
    assert standing.does("schema", "apply")["changes"] == []
    assert standing.does("schema", "diff")["changes"] == []
    assert _warehouse(standing) == before


def test_a_second_connect_apply_changes_nothing(standing: PipelineOnStack) -> None:
    again = standing.does("connect", "apply")
    assert (again["created"], again["written"], again["changes"]) == (False, False, [])
    assert standing.does("connect", "status")["runs"] is True


def test_a_cycle_without_news_changes_no_row(standing: PipelineOnStack) -> None:
    standing.drain()
    before = _rows(standing)
    cycle = standing.commit()
    assert (cycle["rows_in"], cycle["rows_applied"]) == (0, 0), cycle
    assert _rows(standing) == before


def test_stack_up_on_a_running_stack_changes_nothing(standing: PipelineOnStack, way: str) -> None:
    if way == "brought":
        pytest.skip("the services were brought along: `stack up` has nothing to start")
    before = _services(standing)
    standing.does("stack", "up")
    assert _services(standing) == before
    assert all(pid for _, pid in before)


def test_a_dry_run_says_what_would_be_done_and_does_nothing(pipeline: PipelineOnStack) -> None:
    beats = ("--pipeline-database", pipeline.beats)
    assert pipeline.does("seed", "--orders", "20", "--dry-run", *beats)["would_seed"]
    assert pipeline.servers.mysql("SHOW DATABASES LIKE %s", pipeline.orders) == []
    pipeline.seed(20)
    before = _source(pipeline)
    assert pipeline.does("seed", "--force", "--dry-run", *beats)["would_drop"]
    assert pipeline.does("generate", "--seconds", "1", "--dry-run", *beats)["dry_run"]
    assert _source(pipeline) == before
    assert pipeline.does("schema", "apply", "--dry-run")["changes"]
    assert _warehouse(pipeline) == []
    assert pipeline.does("connect", "apply", "--dry-run")["changes"]
    assert pipeline.does("connect", "status", code=1)["state"] == "MISSING"


def test_a_changed_setting_is_named_by_a_dry_run_and_not_written(standing: PipelineOnStack) -> None:
    standing.write_file(source={"partitions": 5})
    try:
        wanted = standing.does("connect", "apply", "--dry-run")
    finally:
        standing.write_file()
    assert [change["key"] for change in wanted["changes"]] == ["topic.creation.default.partitions"]
    assert standing.does("connect", "apply", "--dry-run")["changes"] == []


def _source(pipeline: PipelineOnStack) -> list[tuple[object, ...]]:
    tables = ", ".join(f"`{pipeline.orders}`.`{table}`" for table in TABLES)
    return pipeline.servers.mysql(f"CHECKSUM TABLE {tables}")


def _warehouse(pipeline: PipelineOnStack) -> list[tuple[object, ...]]:
    return pipeline.servers.rows(
        "SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema LIKE 'settlement%' ORDER BY 1, 2, ordinal_position"
    )


def _rows(pipeline: PipelineOnStack) -> list[tuple[object, ...]]:
    return [
        row
        for table in TABLES
        for row in pipeline.servers.rows(f"SELECT m::text FROM settlement_ods.mart_{table} m ORDER BY 1")
    ]


def _services(pipeline: PipelineOnStack) -> list[tuple[str, int]]:
    return [(each["name"], each["pid"]) for each in pipeline.does("stack", "status")["services"]]
