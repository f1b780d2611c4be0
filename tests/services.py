"""The stack's services as a fault test handles them, by the product's own commands or by compose."""

from __future__ import annotations

import subprocess

from tests.pipeline_on_stack import ROOT, PipelineOnStack

NAMES = ("mysql", "kafka", "registry", "connect", "s3", "warehouse")


class Services:
    """`way` is native, or compose for containers."""

    def __init__(self, pipeline: PipelineOnStack, way: str) -> None:
        self.pipeline = pipeline
        self.way = way

    def kill(self, name: str) -> None:
        """SIGKILL it; returns once it is gone."""
        if self.way == "native":
            done = self.pipeline.run("stack", "kill", name, seconds=60)
            assert done.returncode == 0, done.stderr
        else:
            self._compose("kill", name)
        assert name in self.down(), f"{name} survived its SIGKILL"

    def up(self) -> None:
        """Start what does not run; returns when all of it works."""
        if self.way == "native":
            done = self.pipeline.run("stack", "up", seconds=180)
            assert done.returncode == 0, done.stderr[-4000:]
        else:
            self._compose("up", "--detach", "--wait")

    def down(self) -> list[str]:
        """Names of the services that do not run."""
        if self.way == "native":
            found = self.pipeline.run("stack", "status", "--json")
            assert found.returncode in (0, 1), found.stderr
            import json

            return [s["name"] for s in json.loads(found.stdout)["services"] if s["state"] != "running"]
        running = self._compose("ps", "--services", "--status", "running").split()
        return [name for name in NAMES if name not in running]

    def _compose(self, *words: str) -> str:
        done = subprocess.run(
            ["docker", "compose", *words], cwd=ROOT, env=self.pipeline.environment, capture_output=True, text=True,
            check=False, timeout=240,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout
