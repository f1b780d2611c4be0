"""What system tests share: a pipeline of their own, and the ends of all logs when one fails."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline_on_stack import PipelineOnStack, pipeline_on_stack, stream
from waybill.addresses import Addresses


@pytest.fixture
def pipeline(stack: Addresses, fresh_name: str, tmp_path: Path) -> Iterator[PipelineOnStack]:
    """A pipeline with a file and an empty warehouse database; the test starts what it needs."""
    with pipeline_on_stack(fresh_name, tmp_path, stack) as made:
        yield made


@pytest.fixture
def streaming(pipeline: PipelineOnStack) -> PipelineOnStack:
    """A pipeline with 400 orders in its marts, its connector and consumer running, nothing writing."""
    stream(pipeline, 400)
    return pipeline


@pytest.fixture(scope="session")
def standing(stack: Addresses, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PipelineOnStack]:
    """A small pipeline whose connector and consumer run; for tests that leave its data as they are."""
    name = f"t{secrets.token_hex(4)}"
    with pipeline_on_stack(name, tmp_path_factory.mktemp("standing"), stack) as made:
        stream(made, 60)
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Show the ends of the logs of the test's commands and of the services under a failure."""
    report = yield
    if report.failed:
        for used in getattr(item, "funcargs", {}).values():
            if isinstance(used, PipelineOnStack):
                report.sections.append((f"ends of logs of pipeline {used.name}", used.ends_of_logs()))
                break
    return report
