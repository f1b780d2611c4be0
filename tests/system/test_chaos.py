"""Whatever is killed or stands still, raw holds what MySQL's own binlog holds: some rounds of `make chaos`."""

from __future__ import annotations

import os
import secrets
import shutil

import pytest

from stack import choose
from tests.chaos import rounds
from tests.chaos.draw import draw
from tests.chaos.truth import program
from tests.chaos.world import world
from tests.pipeline_on_stack import PipelineOnStack

ROUNDS = 4


@pytest.mark.kills_services
@pytest.mark.timeout(1200)
def test_four_rounds_of_chaos_leave_raw_equal_to_the_binlog(pipeline: PipelineOnStack, way: str) -> None:
    if way == "brought":
        pytest.skip("the services were brought along: they are not ours to kill")
    if program() is None:
        assert way == choose.COMPOSE and not shutil.which("apt-get"), "make setup brings mysqlbinlog with MySQL"
        pytest.skip("this machine has no mysqlbinlog")
    seed = int(os.environ.get("WAYBILL_TEST_SEED") or secrets.randbelow(10**6))
    print(f"WAYBILL_TEST_SEED={seed} repeats these rounds")
    events = 0
    with world(pipeline, way, seed) as made:
        for number in range(1, ROUNDS + 1):
            drawn = draw(seed, number)
            outcome = rounds.run(made, drawn)
            print(f"{drawn}: caught up after {outcome.caught_up} s, {outcome.events} row events")
            assert outcome.passed, "\n".join([str(drawn), *outcome.differences])
            events += outcome.events
        made.proven()
    assert events > 100, "little was written meanwhile"
