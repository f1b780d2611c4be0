"""Random histories against the model, drawn from a seed. `make laws RUNS=n SEED=s` is the long form."""

from __future__ import annotations

import os
import random
import secrets
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.machine import Histories
from tests.laws.record import Record
from tests.laws.shop import template
from waybill.addresses import Warehouse

_RUNS = int(os.environ.get("RUNS") or 60)
# `make test` draws the same histories every time, so that whether a commit passes depends on the commit alone. The long
# form draws new ones.
_SHORT_FORM = 26
_NEW = random.SystemRandom().randrange(1_000_000)
_SEED = int(os.environ.get("SEED") or (_NEW if os.environ.get("KEEP") else _SHORT_FORM))
_PORTION = 20  # histories with a seed of their own, so that a failure is repeated soon
_RULES = 40
_LEAST = 30
# A history takes seconds, so making a failing one small takes minutes: WHOLE=1 shows it as it is.
_PHASES = (Phase.generate,) if os.environ.get("WHOLE") else (Phase.generate, Phase.shrink)
_WANTED = (
    "archived", "reactivated", "corrected in history", "removed and replayed", "gap opened", "gap healed", "future",
    "half-year border crossed", "replay",
)  # fmt: skip


@pytest.mark.timeout(max(1800, _RUNS * 30))
def test_rows_places_and_exceptions_follow_from_the_events_alone(warehouse_server: Warehouse) -> None:
    Histories.seen = seen = Counter[str]()
    Histories.server = warehouse_server
    kept = Path(os.environ["KEEP"]) if os.environ.get("KEEP") else None
    record = Record.read(kept, int(os.environ.get("SEED") or 0)) if kept else Record(_SEED)
    record.seed = record.seed or _SEED
    began = time.monotonic()
    with template(warehouse_server, f"laws_template_{secrets.token_hex(3)}") as Histories.template:
        for first in range(0, _RUNS, _PORTION):
            before, started = Counter(seen), time.monotonic()
            _portion(record.seed + record.portions, min(_PORTION, _RUNS - first))
            record.add(seen - before, time.monotonic() - started)
            if kept:
                record.write(kept)
    print(f"\n{seen['history']} histories in {time.monotonic() - began:.0f} s, SEED={record.seed}")
    if kept:
        print(f"in all: {record.seen['history']} histories, {record.seconds / 60:.0f} minutes")
    for name, count in Counter(record.seen).most_common():
        print(f"{count:8d}  {name}")
    rare = {name: seen[name] for name in _WANTED if seen[name] < _LEAST * _RUNS // 60}
    assert not rare, f"SEED={record.seed}: these happened too rarely to say anything: {rare}"


def _portion(number: int, runs: int) -> None:
    try:
        run_state_machine_as_test(
            seed(number)(type("Histories", (Histories,), {})),
            settings=settings(
                max_examples=runs, stateful_step_count=_RULES, database=None, deadline=None, print_blob=False,
                phases=_PHASES, suppress_health_check=list(HealthCheck),
            ),
        )  # fmt: skip
    except BaseException:
        print(f"\nto repeat it: make laws SEED={number} RUNS={runs}")
        raise
