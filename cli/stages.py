"""What the demo is made of: numbered stages with their times, and commands run as a user would type them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import click

from waybill.errors import FoundDifference, WaybillError

LOGS = Path(".waybill/run")
STOP_SECONDS = 30


@dataclass
class Stages:
    """Runs the demo's commands one after another, says each as the user would type it, and keeps its time."""

    seconds: list[tuple[str, float]] = field(default_factory=list)
    total: int = 9

    @contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """One stage: its number of how many, what it does, and at the end how long it took."""
        began = time.monotonic()
        click.secho(f"\n[{len(self.seconds) + 1}/{self.total}] {title}", bold=True)
        yield
        took = time.monotonic() - began
        self.seconds.append((title, took))
        click.echo(f"      done in {took:.1f} s")

    def run(self, *words: str) -> None:
        """One `waybill` command in the foreground. Raises when it fails; its own words are on the screen."""
        click.echo(f"      $ waybill {' '.join(words)}")
        code = subprocess.run(_command(words), check=False).returncode
        if code == 1 and words[0] == "reconcile":
            raise FoundDifference("the marts differ from MySQL; the differences are above")
        if code:
            raise WaybillError(
                f"`waybill {' '.join(words)}` ended with exit code {code}",
                kept="everything that was loaded; `make demo` again goes on from here",
                todo="read its words above, then: waybill doctor",
            )


def _command(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-c", "from cli.main import main; main()", *words]


@contextmanager
def background(*words: str, log: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command beside the demo, its output in a file; stopped by its own process id at the end."""
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    click.echo(f"      $ waybill {' '.join(words)} &      (its words: {path})")
    with path.open("wb") as out:
        # Tied to this process: killed with -9, the demo leaves nothing running.
        tied = [sys.executable, "-m", "operations.tether", str(os.getpid()), *_command(words)]
        process = subprocess.Popen(tied, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def still_runs(process: subprocess.Popen[bytes] | None, name: str) -> None:
    if process is not None and process.poll() is not None:
        tail = (LOGS / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
        raise WaybillError(
            f"`waybill {name}` ended with exit code {process.returncode}:\n  " + "\n  ".join(tail),
            kept="everything that was loaded; `make demo` again goes on from here",
        )
