"""The stack in containers through testcontainers: `docker-compose.yml` as it is, under this checkout's name."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from testcontainers.compose import DockerCompose

from stack import choose
from stack.compose import ComposeWay
from stack.layout import Layout
from stack.progress import Progress
from waybill.addresses import Addresses

# The stack outlives the tests, as it does when `waybill stack up` starts it: nothing must reap it.
TESTCONTAINERS = {"TESTCONTAINERS_RYUK_DISABLED": "true", "TESTCONTAINERS_HOST_OVERRIDE": "127.0.0.1"}


def compose_stack(root: Path) -> Addresses:
    """Addresses of the stack of the checkout at `root`, started through testcontainers where it does not run.

    It is left running: the next run of the tests, and a person with a question, find it there. `waybill stack down`
    ends it.
    """
    layout = Layout(root, Layout.here().cache)
    way = ComposeWay(layout)
    choose.remember(layout, choose.COMPOSE)
    with Progress() as progress, way.prepared(progress) as project:
        variables = {**TESTCONTAINERS, **project.variables, "COMPOSE_PROJECT_NAME": project.name}
        with environment(variables), progress.part("containers", "docker compose up, through testcontainers"):
            DockerCompose(
                context=root, compose_file_name=[project.file.name], build=way.image_is_outdated(), wait=True,
                keep_volumes=True,
            ).start()  # fmt: skip
        way.finish(progress)
    return Addresses.load(root)


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """These variables set, and as they were before in the end: testcontainers hands its own environment on."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
