"""The cut moves while the source is written to without pause, and each cycle stands at one binlog position."""

from __future__ import annotations

import os
import random
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.pipeline_on_stack import PipelineOnStack, stream
from tests.replicas import replica
from tests.waiting import until

CYCLES = 20
TABLES = ("ecs_order_info", "uni_tracking_info", "uni_tracking_spath")


@pytest.fixture
def drawn() -> Iterator[set[int]]:
    """Which of the cycles are proven, two and the last; WAYBILL_TEST_SEED repeats a draw."""
    seed = int(os.environ.get("WAYBILL_TEST_SEED") or secrets.randbelow(10**6))
    found = set(random.Random(seed).sample(range(1, CYCLES), 2)) | {CYCLES}
    print(f"WAYBILL_TEST_SEED={seed} proves cycles {sorted(found)} of {CYCLES}")
    yield found


@pytest.fixture
def uneven(pipeline: PipelineOnStack) -> PipelineOnStack:
    """A streaming pipeline whose tables load at their own pace, so that ENDs are there before the rows they count."""
    pipeline.write_file({"ecs_order_info": 0.8, "uni_tracking_spath": 1.2})
    stream(pipeline, 400)
    return pipeline


@pytest.mark.timeout(900)
def test_twenty_cycles_in_a_row_move_the_cut_and_three_equal_a_replica_stopped_there(
    uneven: PipelineOnStack, drawn: set[int], way: str
) -> None:
    with replica(uneven, way) as second:
        writer = uneven.generate(rate=60)
        until(lambda: uneven.commit()["rows_applied"], "what the writer writes in the marts", 60)
        cut = uneven.commit()["gtid_set"]
        proven = []
        for number in range(1, CYCLES + 1):
            until(lambda: _loaded_again(uneven), "two loads of every table since the last cycle", 60)
            cycle = uneven.commit()
            assert _moved(uneven, cut, cycle), f"cycle {number} of {CYCLES} did not move the cut: {cycle}"
            cut = cycle["gtid_set"]
            if number in drawn:
                # Nothing commits meanwhile, so the marts stay as of this cycle; writer and consumer go on.
                second.until(cut)
                proof = uneven.reconcile(*second.words())
                proven.append((cycle["cycle"], proof["equal"]))
            assert writer.running()
        assert [equal for _, equal in proven] == [True] * 3, proven
        assert writer.terminate() == 0, writer.ends()
    assert writer.answer()["transactions"]["committed"] > 100, "there was little to move the cut"


@pytest.mark.timeout(900)
def test_the_proof_refuses_a_replica_that_is_not_at_the_cut(streaming: PipelineOnStack, way: str) -> None:
    with replica(streaming, way) as second:
        before = streaming.drain()["gtid_set"]
        writer = streaming.generate(rate=100, seconds=2)
        assert writer.wait(30) == 0, writer.ends()
        streaming.drain()
        second.until(before)
        done = streaming.run("reconcile", *second.words())
    assert done.returncode == 4, done.stdout + done.stderr
    assert "lacks" in done.stderr, done.stderr


def _loaded_again(pipeline: PipelineOnStack) -> bool:
    """Whether every table was loaded twice since the last cycle: then whole transactions have arrived."""
    tables = [f"{table}_raw" for table in (*TABLES, "transaction")]
    loads = " UNION ALL ".join(
        f"SELECT count(DISTINCT loaded_at) AS loads FROM settlement_public.{table}_ledger l"
        f" WHERE NOT EXISTS (SELECT 1 FROM settlement_ods.applied_batches a"
        f" WHERE a.raw_table = '{table}' AND a.batch_id = l.batch_id AND a.complete)"
        for table in tables
    )
    return bool(pipeline.servers.row(f"SELECT min(loads) >= 2 FROM ({loads}) x")[0])


def _moved(pipeline: PipelineOnStack, cut: str, cycle: dict[str, Any]) -> bool:
    later = cycle["gtid_set"]
    return later != cut and pipeline.servers.gtid_subset(cut, later)
