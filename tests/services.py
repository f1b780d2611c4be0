"""The stack's services as a fault test handles them: by the product's own commands, whichever way the stack runs."""

from __future__ import annotations

import json

from stack.layout import Layout
from tests.pipeline_on_stack import PipelineOnStack


class Services:
    """Kills services of the shared stack and starts them again."""

    def __init__(self, pipeline: PipelineOnStack) -> None:
        self.pipeline = pipeline

    def kill(self, name: str) -> None:
        """SIGKILL it; returns once it is gone."""
        done = self.pipeline.run("stack", "kill", name, seconds=60)
        assert done.returncode == 0, done.stderr
        assert name in self.down(), f"{name} survived its SIGKILL"

    def empty_registry(self) -> None:
        """Kill the registry and remove what it keeps; of the native stack. `up` starts it with nothing."""
        self.kill("registry")
        for path in (Layout.here().data / "registry").glob("*.db"):
            path.unlink()

    def up(self) -> None:
        """Start what does not run; returns when all of it works."""
        done = self.pipeline.run("stack", "up", seconds=240)
        assert done.returncode == 0, done.stderr[-4000:]

    def down(self) -> list[str]:
        """Names of the services that do not run."""
        done = self.pipeline.run("stack", "status", "--json")
        assert done.returncode in (0, 1), done.stderr
        return [each["name"] for each in json.loads(done.stdout)["services"] if each["state"] != "running"]
