"""A whole pipeline of a test's own on the shared stack: nothing in it is called as in another test's.

Its MySQL databases, topics, connector, consumer group, warehouse database and bucket prefix carry one name. All that
the product does is done by its commands, run in a folder that is not the checkout and has a space in its name.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.background import Background, end_of
from tests.servers import Servers
from tests.waiting import until
from waybill.addresses import Addresses

ROOT = Path(__file__).resolve().parent.parent

Environment = dict[str, str]


class PipelineOnStack:
    """One pipeline. `name` is letters and digits; `folder` holds its pipeline file and the logs of its commands."""

    def __init__(self, name: str, folder: Path, addresses: Addresses) -> None:
        self.name = name
        self.folder = folder
        self.orders, self.beats = f"kuaisong_{name}", f"waybill_{name}"
        self.servers = Servers(addresses, self.beats)
        self.environment: Environment = {
            **os.environ,
            **addresses.environment(),
            "PYTHONPATH": str(ROOT),
            "WAYBILL_MYSQL_DATABASE": self.orders,
            "WAYBILL_WAREHOUSE_DATABASE": self.beats,
            "WAYBILL_PIPELINE": str(folder / "pipeline.yml"),
        }
        self.backgrounds: list[Background] = []
        self._began = time.time()

    def write_file(self, seconds: Mapping[str, float] | None = None, **changes: dict[str, Any]) -> Path:
        """The product's own pipeline.yml under this pipeline's names, made for haste.

        `seconds` is by table how long a micro-batch stays open, half a second for those it does not name; `changes`
        are by section of the file.
        """
        settings = yaml.safe_load((ROOT / "pipeline.yml").read_text())
        settings["source"] |= {
            "connector": self.name,
            "topic_prefix": self.name,
            "server_id": 100_000 + zlib.crc32(self.name.encode()) % 1_000_000_000,
            "heartbeat": f"{self.beats}.heartbeat",
            "signal": f"{self.beats}.signal",
        }
        settings["storage"]["prefix"] = f"tests/{self.name}"
        settings["commit"] |= {"lease_seconds": 5, "retry_seconds": 1}
        for table in settings["tables"]:
            database, _, table_name = table["source"].partition(".")
            table["source"] = f"{database}_{self.name}.{table_name}"
            table["batch"]["seconds"] = (seconds or {}).get(table_name, 0.5)
        for section, values in changes.items():
            settings[section] = settings.get(section, {}) | values
        path = self.folder / "pipeline.yml"
        path.write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True))
        return path

    def run(self, *words: str, seconds: float = 120, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command as a user types it; its output is text. Fails the test when it takes longer than `seconds`."""
        try:
            return subprocess.run(
                _command(words), env={**self.environment, **variables}, cwd=self.folder, capture_output=True, text=True,
                check=False, timeout=seconds, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            said = (error.stderr or b"").decode(errors="replace")
            raise AssertionError(f"`waybill {' '.join(words)}` took over {seconds:g} s:\n{said[-3000:]}") from None

    def does(self, *words: str, seconds: float = 120, code: int = 0) -> Any:
        """A command with `--json` that must end with `code`; returns the object it printed."""
        done = self.run(*words, "--json", seconds=seconds)
        assert done.returncode == code, (
            f"`waybill {' '.join(words)}` ended with {done.returncode}, not {code}:\n"
            f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        )
        return json.loads(done.stdout)

    def beside(self, *words: str, name: str = "", **variables: str) -> Background:
        """A command that runs while the test goes on; ended with the pipeline at the latest."""
        name = f"{name or words[0]}-{len(self.backgrounds)}"
        started = Background(name, _command(words), {**self.environment, **variables}, self.folder)
        self.backgrounds.append(started)
        return started

    def seed(self, orders: int, number: int = 1) -> Any:
        return self.does("seed", "--orders", str(orders), "--seed", str(number), "--pipeline-database", self.beats)

    def generate(self, rate: int, seconds: int = 0, number: int = 1, *words: str) -> Background:
        """The live writer; with `seconds` 0 it writes until it is terminated."""
        return self.beside(
            "generate", "--rate", str(rate), "--seconds", str(seconds), "--seed", str(number),
            "--pipeline-database", self.beats, "--json", *words,
        )  # fmt: skip

    def commit(self) -> dict[str, Any]:
        """One cycle; its summary."""
        found: dict[str, Any] = self.does("commit", "--once")
        return found

    def first_snapshot(self, seconds: float = 120) -> dict[str, Any]:
        """Cycles until the first snapshot is in the marts; the summary of the one that applied it."""
        return self._cycles(lambda cycle: bool(cycle["gtid_set"]), "the first snapshot in the marts", seconds)

    def drain(self, seconds: float = 90) -> dict[str, Any]:
        """Cycles until the cut holds all that MySQL has executed now; the last one's summary."""
        goal = self.servers.executed()
        return self._cycles(
            lambda cycle: self.servers.gtid_subset(goal, cycle["gtid_set"]), f"{goal} in the cut", seconds
        )

    def _cycles(self, reached: Any, what: str, seconds: float) -> dict[str, Any]:
        last: dict[str, Any] = {}

        def look() -> bool:
            for each in self.backgrounds:
                assert each.code in (None, 0, -15), f"`{each.name}` ended with {each.code}:\n{each.ends()}"
            last.update(self.commit())
            return bool(reached(last))

        until(look, what, seconds, lambda: f"held by {last.get('waiting')}")
        return last

    def reconcile(self, *words: str, code: int = 0) -> Any:
        """The proof; fails the test with what differs unless it ends with `code`."""
        return self.does("reconcile", *words, code=code)

    def ends_of_logs(self) -> str:
        """What the commands beside the test said last, and the services that said something since it began."""
        children = [f"--- end of {path.name} of `run`\n{end_of(path)}" for path in self._logs(self.folder, "run")]
        services = [f"--- end of {path.name}\n{end_of(path, 6)}" for path in self._logs(ROOT, "stack/logs")]
        return "\n".join(
            [*(each.ends() for each in self.backgrounds), *children, *(services or self._container_logs())]
        )

    def _container_logs(self) -> list[str]:
        names = ("mysql", "kafka", "registry", "connect", "s3", "warehouse")
        return [f"--- end of {name}'s log\n{self.run('stack', 'logs', name, '-n', '6').stdout}" for name in names]

    def _logs(self, root: Path, folder: str) -> list[Path]:
        logs = (root / ".waybill" / folder).glob("*.log")
        return sorted(path for path in logs if path.stat().st_mtime > self._began)

    def clear(self) -> None:
        """End every command, remove everything that carries the name. May be called in any state."""
        try:
            for each in reversed(self.backgrounds):
                each.clear()
            self.run("connect", "delete", "--offsets", "--yes", seconds=60)
        finally:
            self.servers.forget(self.name, [self.orders, self.beats])


def _command(words: tuple[str, ...]) -> list[str]:
    return [sys.executable, "-c", "from cli.main import main; main()", *words]


@contextmanager
def pipeline_on_stack(name: str, folder: Path, addresses: Addresses) -> Iterator[PipelineOnStack]:
    """A pipeline with its file and its empty warehouse database; nothing is seeded or started yet."""
    place = folder / f"pipe line {name}"
    place.mkdir(parents=True)
    made = PipelineOnStack(name, place, addresses)
    made.write_file()
    made.servers.create_warehouse()
    try:
        yield made
    finally:
        made.clear()


def stream(pipeline: PipelineOnStack, orders: int) -> Background:
    """Seed it, make its tables, start consumer and connector, take the first snapshot into the marts."""
    pipeline.seed(orders)
    pipeline.does("schema", "apply")
    consumer = pipeline.beside("consume")
    pipeline.does("connect", "apply", seconds=150)
    pipeline.first_snapshot()
    return consumer
