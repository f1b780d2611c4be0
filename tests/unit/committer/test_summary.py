"""A cycle's summary is kept as JSON that can be read, however many marts there are."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, cast

import pytest

from committer.summary import MartCounts, Summary
from warehouse.session import Session


class Kept:
    """A session that keeps what it is given."""

    def run(self, _: str, parameters: tuple[Any, ...], **__: str) -> int:
        self.row = parameters
        return 1


@pytest.mark.parametrize("marts", [3, 60, 2000])
def test_the_summary_of_many_marts_fits_and_keeps_the_seconds_of_every_step(marts: int) -> None:
    summary = Summary(1, "t", "h", datetime(2026, 11, 1))  # noqa: DTZ001 - as the warehouse has it
    summary.marts = [MartCounts(f"mart_{number}") for number in range(marts)]
    summary.seconds = {f"{step}_step mart_{number}": 0.25 for step in range(50) for number in range(marts)}
    summary.notes = ["n" * 100] * 20
    session = Kept()
    summary.store(cast(Session, session))
    text = session.row[-1]
    told = json.loads(text)
    assert len(text) <= 60_000
    assert sum(told["seconds"].values()) == pytest.approx(0.25 * 50 * marts)
    assert len(told["marts"]) == (marts if marts < 1000 else 0)
