"""Simulated runs of the consumer, drawn from a seed. `make simulate RUNS=n SEED=s` is the long form."""

from __future__ import annotations

import logging
import os
import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulation.machine import Pipeline

_RUNS = int(os.environ.get("RUNS") or 500)
_SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
_PORTION = 100  # runs with a seed of their own, so that a failure is repeated soon
_RULES = 30  # a run
_LEAST = 4  # times that each kind of fault happens in 500 runs
_FAULTS = (
    "COMMIT took effect, answer lost", "COMMIT lost", "conflict", "warehouse away", "S3 put failed",
    "S3 put, answer lost", "S3 read failed", "object stood already", "name taken", "object spoiled", "call that hangs",
    "killed", "killed with work under way", "took effect after its process was killed", "left the group", "rebalanced",
    "rebalanced with work under way", "owner that never heard of it", "stale owner refused", "fenced by Kafka",
    "message delivered again", "Kafka refused", "broker restarted", "stopped table", "table goes on after a stop",
    "paused for memory", "position set back", "read back ahead",
)  # fmt: skip


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What consumers say of faults is not wanted here, and costs time."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.timeout(max(900, _RUNS))
def test_raw_is_the_stream_once_each_and_in_order_whatever_happens() -> None:
    Pipeline.seen = seen = Counter[str]()
    began = time.monotonic()
    for first in range(0, _RUNS, _PORTION):
        _portion(_SEED + first // _PORTION, min(_PORTION, _RUNS - first))
    print(f"\n{seen['run']} runs in {time.monotonic() - began:.0f} s, SEED={_SEED}")
    for fault in sorted(_FAULTS, key=lambda name: -seen[name]):
        print(f"{seen[fault]:8d}  {fault}")
    rare = {fault: seen[fault] for fault in _FAULTS if seen[fault] < _LEAST * (_RUNS // 500)}
    assert not rare, f"SEED={_SEED}: these faults happened too rarely to say anything: {rare}"


def _portion(number: int, runs: int) -> None:
    try:
        run_state_machine_as_test(
            seed(number)(type("Pipeline", (Pipeline,), {})),
            settings=settings(
                max_examples=runs, stateful_step_count=_RULES, database=None, deadline=None, print_blob=False,
                phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    except BaseException:
        print(f"\nto repeat it: make simulate SEED={number} RUNS={runs}")
        raise
