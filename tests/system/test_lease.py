"""Two committers on one pipeline: one works, the other says why it does not; a stopped or dead one is replaced."""

from __future__ import annotations

import os
import signal

import pytest

from tests.background import Background
from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until


def _holder(pipeline: PipelineOnStack) -> int:
    """The process that holds the lease now, 0 for nobody."""
    found = pipeline.servers.row("SELECT holder FROM settlement_ods.cycle_lease")[0]
    return int(found.rpartition(":")[2]) if found else 0


def _by(pipeline: PipelineOnStack, committer: Background) -> int:
    """Cycles that it has committed."""
    return int(
        pipeline.servers.row(
            "SELECT count(*) FROM settlement_ods.cycles WHERE status = 'committed' AND holder LIKE %s",
            f"%:{committer.pid}",
        )[0]
    )


@pytest.mark.timeout(900)
def test_a_committer_that_stands_still_or_dies_is_replaced_and_never_commits_beside_the_next(
    streaming: PipelineOnStack,
) -> None:
    # Longer than a command takes to begin on a busy machine: the second has to meet the lease.
    streaming.write_file(commit={"lease_seconds": 20})
    streaming.generate(80)
    first = streaming.beside("commit", "--continuous", "--floor", "0.1", name="first")
    until(lambda: _by(streaming, first) >= 2, "two cycles of the first committer", 60)
    until(lambda: _stopped_in_a_cycle(streaming, first), "the first one standing still with the lease", 60)
    second = streaming.beside("commit", "--continuous", "--floor", "0.1", name="second")
    until(lambda: "another committer holds the lease" in second.log.read_text(), "the second says why it waits", 30)
    until(lambda: _by(streaming, second) >= 2, "the second took over when the lease was over", 60)
    before = _by(streaming, first)
    os.kill(first.pid, signal.SIGCONT)
    until(lambda: "lease was lost" in first.log.read_text() or _ended(first), "the first one finds out", 60)
    assert _by(streaming, first) >= before
    until(lambda: _killed_in_a_cycle(streaming, second), "the second one killed with the lease", 60)
    before = _by(streaming, first)
    until(lambda: _by(streaming, first) > before, "the first took over again", 90)
    assert first.running()
    first.terminate()
    for each in streaming.backgrounds:
        if each.name.startswith("generate"):
            each.terminate()
    streaming.backgrounds[:] = [each for each in streaming.backgrounds if each.code != -signal.SIGKILL]
    streaming.drain()
    numbers = [
        row[0]
        for row in streaming.servers.rows(
            "SELECT cycle FROM settlement_ods.cycles WHERE status = 'committed' ORDER BY cycle"
        )
    ]
    assert numbers == list(range(1, len(numbers) + 1)), "a number twice, or left out"
    assert streaming.reconcile()["equal"]


def _stopped_in_a_cycle(pipeline: PipelineOnStack, committer: Background) -> bool:
    os.kill(committer.pid, signal.SIGSTOP)
    if _holder(pipeline) == committer.pid:
        return True
    os.kill(committer.pid, signal.SIGCONT)
    return False


def _killed_in_a_cycle(pipeline: PipelineOnStack, committer: Background) -> bool:
    if _stopped_in_a_cycle(pipeline, committer):
        committer.kill()
        return True
    return False


def _ended(committer: Background) -> bool:
    """A session that was ended under it shows as one that broke."""
    return "does not answer" in committer.log.read_text()
