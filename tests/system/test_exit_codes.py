"""A command says by its exit code how it ended, and in words what to do (spec section 16)."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.background import Background, command_line
from tests.pipeline_on_stack import PipelineOnStack
from tests.waiting import until

pytestmark = pytest.mark.timeout(900)

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def wrong_file(standing: PipelineOnStack, tmp_path: Path) -> Callable[[Change], dict[str, str]]:
    """Makes a pipeline file with one mistake; answers the environment that names it."""

    def made(change: Change) -> dict[str, str]:
        settings = yaml.safe_load((standing.folder / "pipeline.yml").read_text())
        change(settings)
        path = tmp_path / "wrong file.yml"
        path.write_text(yaml.safe_dump(settings))
        return {"WAYBILL_PIPELINE": str(path)}

    return made


@pytest.fixture
def closed_port() -> Iterator[str]:
    """A port at which nobody answers; it is held, so that nobody takes it meanwhile."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield str(held.getsockname()[1])


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda s: s["source"].update(topic_prefx="x"), "source.topic_prefx"),
        (lambda s: s["source"].update(partitions="three"), "source.partitions"),
        (lambda s: s["commit"].update(schedule="99 * * * *"), "commit.schedule"),
        (lambda s: s["tables"][0].update(batch={"rows": 0}), "tables[0].batch.rows"),
    ],
)
def test_a_wrong_pipeline_file_ends_with_2_and_its_place(
    standing: PipelineOnStack, wrong_file: Callable[[Change], dict[str, str]], change: Change, place: str
) -> None:
    variables = wrong_file(change)
    for words in (("commit", "--once"), ("connect", "status")):
        done = standing.run(*words, **variables)
        assert (done.returncode, place in done.stderr) == (2, True), (words, done.stdout + done.stderr)
        assert "Traceback" not in done.stderr


def test_a_key_column_that_the_source_lacks_ends_with_2(
    standing: PipelineOnStack, wrong_file: Callable[[Change], dict[str, str]]
) -> None:
    done = standing.run("schema", "diff", **wrong_file(lambda s: s["tables"][1].update(key=["order_number"])))
    assert done.returncode == 2, done.stdout + done.stderr
    assert "tables[1]" in done.stderr and "order_number" in done.stderr, done.stderr


@pytest.mark.parametrize("words", [("commit", "--everything"), ("comit",), ("commit", "--until", "nonsense")])
def test_wrong_use_ends_with_2(standing: PipelineOnStack, words: tuple[str, ...]) -> None:
    done = standing.run(*words)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr and "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("WAYBILL_WAREHOUSE_PORT", ("commit", "--once")),
        ("WAYBILL_WAREHOUSE_PORT", ("cycles", "list")),
        ("WAYBILL_MYSQL_PORT", ("seed",)),
        ("WAYBILL_MYSQL_PORT", ("schema", "diff")),
        ("WAYBILL_MYSQL_PORT", ("reconcile",)),
        ("WAYBILL_CONNECT_URL", ("connect", "status")),
    ],
)
def test_a_part_that_does_not_answer_ends_with_3_and_is_named(
    standing: PipelineOnStack, closed_port: str, variable: str, words: tuple[str, ...]
) -> None:
    value = f"http://127.0.0.1:{closed_port}" if variable.endswith("URL") else closed_port
    done = standing.run(*words, **{variable: value})
    assert done.returncode == 3, done.stdout + done.stderr
    assert closed_port in done.stderr and "Traceback" not in done.stderr, done.stderr


def test_a_second_committer_ends_with_4_while_the_first_is_in_its_cycle(standing: PipelineOnStack) -> None:
    written = "settlement_ods.as_of"  # by every cycle, whatever came
    with standing.servers.held(written):
        first = standing.beside("commit", "--once", "--json", name="first")
        until(lambda: first.running() and standing.servers.waiting_for(written), "a cycle held in its middle", 30)
        second = standing.run("commit", "--once", "--json")
        assert second.returncode == 4, second.stdout + second.stderr
        assert "another committer holds the lease" in second.stderr, second.stderr
        assert str(first.pid) in json.loads(second.stdout)["error"], "the holder is not named"
        assert first.running()
    assert first.wait(60) == 0, first.ends()


def test_a_second_run_ends_with_4_and_the_first_drains_when_told_to_end(pipeline: PipelineOnStack) -> None:
    pipeline.seed(20)
    pipeline.does("schema", "apply")
    first = pipeline.beside("run")
    until(lambda: first.running() and len(_workers(first)) == 2, "consumer and committer of `run`", 60, first.ends)
    workers = _workers(first)
    second = pipeline.run("run", seconds=60)
    assert second.returncode == 4, second.stdout + second.stderr
    assert first.running() and _workers(first) == workers
    assert first.terminate() == 0, first.ends()
    left = {pid: command_line(pid) for pid in workers if "cli.main" in command_line(pid)}
    assert not left, f"`run` left processes behind: {left}"


def _workers(supervisor: Background) -> set[int]:
    """Process ids of the consumer and the committer under a `run`; what those start for a moment is left out."""
    ends = (" consume", " commit --schedule --no-watch")
    return {pid for pid, words in supervisor.children().items() if words.endswith(ends)}
