"""A few random histories of fixed seeds."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.laws.machine import Histories
from waybill.addresses import Warehouse


def run(server: Warehouse, template: str, number: int, examples: int = 2) -> None:
    """Raises what the laws raise. `template` is a database to be cloned."""
    Histories.server, Histories.template = server, template
    run_state_machine_as_test(
        seed(number)(type("Histories", (Histories,), {})),
        settings=settings(
            max_examples=examples, stateful_step_count=30, database=None, deadline=None, print_blob=False,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
