"""A day is loaded and committed with a decoder that is wrong; the right one resets the window, and the marts are right.

The wrong decoder exists in this file only: a consumer is built as the command builds it, with that one part changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow.compute as pc
import pytest

from cli import ingest
from cli.context import Context
from consumers.decoder import Decoded
from consumers.native_decoder import NativeDecoder
from consumers.streams import Shape
from consumers.writer_schema import WriterSchema
from tests.pipeline_on_stack import PipelineOnStack, stream
from tests.waiting import until
from waybill.addresses import Addresses

MARTS = ("mart_ecs_order_info", "mart_uni_tracking_info", "mart_uni_tracking_spath")
OWN = ("_batch_id", "_cycle")  # lineage: where a row came from, not what it says


class AnHourOff(NativeDecoder):
    """Reads every path event's time an hour late."""

    def decode(self, schema: WriterSchema, shape: Shape | None, messages: Sequence[bytes]) -> Decoded:
        right = super().decode(schema, shape, messages)
        table = right.table
        for index, name in enumerate(table.column_names):
            if shape is Shape.ROWS and name.endswith("pathTime"):
                table = table.set_column(index, name, pc.add(table[name], 3600))
        return Decoded(table, right.good, right.bad)


def consume(pipeline: PipelineOnStack) -> None:
    pipeline.does("consume", "--until-caught-up")


def consume_wrongly(pipeline: PipelineOnStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same consumer in this process, with the wrong decoder."""
    context = Context(pipeline_path=pipeline.folder / "pipeline.yml", root=pipeline.folder)
    values = pipeline.servers.addresses.plain()
    values["warehouse"] = {**values["warehouse"], "database": pipeline.beats}
    context.__dict__["addresses"] = Addresses(values)
    with monkeypatch.context() as changed:
        changed.setattr(ingest, "NativeDecoder", AnHourOff)
        ingest.loop(context, ingest.streams(context.pipeline), None).run(until_caught_up=True)


def marts(pipeline: PipelineOnStack) -> dict[str, list[Any]]:
    """Every row of every mart, lineage aside."""
    found = {}
    for mart in MARTS:
        names = pipeline.servers.rows(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = 'settlement_ods'"
            " AND table_name = %s AND column_name NOT IN %s ORDER BY ordinal_position",
            mart, OWN,
        )  # fmt: skip
        columns = ", ".join(f'"{name}"' for (name,) in names)
        found[mart] = sorted(map(str, pipeline.servers.rows(f"SELECT {columns} FROM settlement_ods.{mart}")))
    return found


@pytest.mark.timeout(900)
def test_a_window_read_again_with_the_right_decoder_mends_the_marts_and_once_more_changes_nothing(
    pipeline: PipelineOnStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stream(pipeline, 100).terminate() == 0
    morning = datetime.now(UTC).isoformat()
    assert pipeline.generate(200, 4).wait(120) == 0

    def evening() -> bool:
        consume_wrongly(pipeline, monkeypatch)
        return pipeline.servers.gtid_subset(pipeline.servers.executed(), pipeline.commit()["gtid_set"])

    until(evening, "the day in the marts", 240, pipeline.ends_of_logs)
    wrong = pipeline.reconcile(code=1)
    assert not wrong["equal"]
    before = marts(pipeline)

    why = ("--reason", "path times were an hour off until today", "--yes")
    again = pipeline.does("offsets", "reset", "--to", morning, *why)
    assert again["moved"]
    events = {p["table"].split(".")[-1]: 0 for p in again["positions"]}
    for position in again["positions"]:
        events[position["table"].split(".")[-1]] += position["again"]["events"]
        assert position["skipped"]["events"] == 0
    assert events["uni_tracking_spath"] > 20
    consume(pipeline)
    pipeline.commit()
    assert pipeline.reconcile()["equal"]
    mended = marts(pipeline)
    assert mended != before
    # Nothing was wrong with these.
    assert [mended[m] for m in MARTS[:2]] == [before[m] for m in MARTS[:2]]

    pipeline.does("offsets", "reset", "--to", "beginning", *why)
    consume(pipeline)
    cycle = pipeline.commit()
    assert cycle["rows_in"] > sum(events[table.removeprefix("mart_")] for table in MARTS)
    assert marts(pipeline) == mended
    assert pipeline.reconcile()["equal"]
    assert pipeline.does("offsets", "gaps")["gaps"] == []
    raw, _ = pipeline.servers.row(
        "SELECT count(*), count(DISTINCT (_generation, _topic_id, _partition, _offset))"
        " FROM settlement_public.uni_tracking_spath_raw HAVING count(*) ="
        " count(DISTINCT (_generation, _topic_id, _partition, _offset))"
    )
    assert raw > 0
