"""Two ways to test the consumer on real services: topics that a test writes itself, and a pipeline behind Debezium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.ingest.commands import Commands
from tests.integration.ingest.workshop import Workshop
from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack
from waybill.addresses import Addresses, Warehouse


@pytest.fixture
def workshop(stack: Addresses, warehouse: Warehouse, fresh_name: str, tmp_path: Path) -> Iterator[Workshop]:
    """Topics, a raw table and a bucket prefix of this test's own."""
    made = Workshop(stack, warehouse, fresh_name, tmp_path)
    yield made
    made.clear()


@pytest.fixture
def pipeline(stack: Addresses, fresh_name: str, tmp_path: Path) -> Iterator[PipelineOnStack]:
    """A pipeline with a file and an empty warehouse database; the test starts what it needs."""
    with pipeline_on_stack(fresh_name, tmp_path, stack) as made:
        yield made


@pytest.fixture
def commands(workshop: Workshop, stack: Addresses, tmp_path: Path) -> Iterator[Commands]:
    made = Commands(workshop, stack, tmp_path)
    yield made
    for each in made.started:
        each.clear()
