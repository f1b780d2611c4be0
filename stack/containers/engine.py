"""Docker and Compose as commands: what is asked of them, and what they answer when something is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waybill.errors import UnreachableError

ANSWER_SECONDS = 10.0
_STEP = re.compile(
    r"\s*(Container|Network|Volume) \S+\s+(Creat|Start|Stopp|Remov|Wait|Healthy|Runn|Recreat)|\s*$|#\d+ "
)
PULL_QUESTION_SECONDS = 20.0


def engine_obstacle() -> str | None:
    """None when a container engine with Compose answers, else the reason why not."""
    if shutil.which("docker") is None:
        return "there is no docker command"
    for words, what in ((("version", "--format", "{{.Server.Version}}"), "no container engine answers"),
                        (("compose", "version"), "docker has no compose plugin")):  # fmt: skip
        try:
            done = subprocess.run(
                ("docker", *words), capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            return f"docker {words[0]} did not answer within {ANSWER_SECONDS:g} s"
        if done.returncode:
            return f"{what} ({_first_line(done.stderr)})"
    return None


def image_is_here(image: str) -> bool:
    """Whether the engine has the image, so that nothing needs to be pulled."""
    return _quiet("image", "inspect", image, within=ANSWER_SECONDS) is None


def pull_obstacle(image: str) -> str | None:
    """None when the image can be pulled, else why not. Asks its registry, pulls nothing."""
    return _quiet("manifest", "inspect", image, within=PULL_QUESTION_SECONDS)


def _quiet(*words: str, within: float) -> str | None:
    try:
        done = subprocess.run(("docker", *words), capture_output=True, text=True, timeout=within, check=False)
    except subprocess.TimeoutExpired:
        return f"no answer within {within:g} s"
    return _first_line(done.stderr) if done.returncode else None


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no reason given")


@dataclass(frozen=True)
class Container:
    """A container of the project. `health` is '' without a health check."""

    service: str
    id: str
    name: str
    state: str
    health: str
    image: str


@dataclass(frozen=True)
class Project:
    """Compose on one file, under a name of its own. `variables` are those that the file reads, `profiles` those
    of its profiles that count."""

    name: str
    file: Path
    variables: Mapping[str, str]
    profiles: tuple[str, ...] = ()

    @classmethod
    def of(cls, root: Path, variables: Mapping[str, str], profiles: tuple[str, ...] = ()) -> Project:
        """The project of a checkout: named by its path, so that two checkouts do not meet."""
        digest = hashlib.sha256(str(root).encode()).hexdigest()[:10]
        return cls(f"waybill-{digest}", root / "docker-compose.yml", variables, profiles)

    @property
    def network(self) -> str:
        return f"{self.name}_default"

    def command(self, *words: str) -> list[str]:
        return [
            *("docker", "compose", "--ansi", "never", "--project-name", self.name),
            *("--project-directory", str(self.file.parent), "--file", str(self.file)),
            *(word for profile in self.profiles for word in ("--profile", profile)),
            *words,
        ]

    def run(self, *words: str, within: float | None = None) -> str:
        """Standard output. Raises UnreachableError with what Compose said."""
        try:
            done = subprocess.run(
                self.command(*words),
                capture_output=True, text=True, env=self._environment(), timeout=within, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(
                f"docker compose {words[0]} took longer than {within:g} s", todo="waybill stack status"
            ) from error
        if done.returncode:
            raise UnreachableError(f"docker compose {words[0]} failed: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def show(self, *words: str) -> int:
        """Run with what it says going to stderr as it comes, but for each container's every step. The exit code."""
        command = self.command(*words)
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self._environment()
        ) as running:
            for line in running.stdout or ():
                if not _STEP.match(line):
                    print(line, end="", file=sys.stderr, flush=True)
        return running.returncode

    def attach(self, *words: str) -> int:
        """Run with this process's own input and output. The exit code; Ctrl-C ends it quietly."""
        try:
            return subprocess.run(self.command(*words), env=self._environment(), check=False).returncode
        except KeyboardInterrupt:
            return 0

    def images(self) -> dict[str, str]:
        """The image of each service that has one; the others are built."""
        services = json.loads(self.run("config", "--format", "json"))["services"]
        return {name: service["image"] for name, service in services.items() if "build" not in service}

    def containers(self) -> list[Container]:
        """All containers of the project, running or not."""
        answer = self.run("ps", "--all", "--format", "json", within=30)
        return [
            Container(
                service=each["Service"], id=each["ID"], name=each["Name"], state=each["State"],
                health=each.get("Health", ""), image=each.get("Image", ""),
            )
            for each in _objects(answer)
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.variables}


def inspect(ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Docker's own description of containers, by full id."""
    if not ids:
        return {}
    done = subprocess.run(("docker", "inspect", *ids), capture_output=True, text=True, timeout=30, check=False)
    try:
        return {each["Id"]: each for each in json.loads(done.stdout or "[]")}
    except ValueError:
        return {}


def _objects(text: str) -> list[dict[str, Any]]:
    """Compose prints one object a line, older ones a list."""
    text = text.strip()
    if text.startswith("["):
        found: list[dict[str, Any]] = json.loads(text)
        return found
    return [json.loads(line) for line in text.splitlines() if line.strip()]
