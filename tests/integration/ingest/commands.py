"""The product's commands on a workshop's topics, typed as a user types them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tests.background import Background
from tests.conftest import ROOT, command
from tests.integration.ingest.workshop import Workshop
from waybill.addresses import Addresses


class Commands:
    """Commands with the workshop's pipeline file and warehouse, in a folder that is not the checkout."""

    def __init__(self, workshop: Workshop, addresses: Addresses, folder: Path) -> None:
        self.folder = folder / "some where"
        self.folder.mkdir()
        self.environment = {
            **os.environ,
            **addresses.environment(),
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            "WAYBILL_WAREHOUSE_DATABASE": workshop.warehouse.database,
            "WAYBILL_PIPELINE": str(workshop.path),
        }
        self.started: list[Background] = []

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*words), env=self.environment, cwd=self.folder, capture_output=True, text=True, check=False,
            timeout=90,
        )  # fmt: skip

    def does(self, *words: str, code: int = 0) -> Any:
        """The object that a command prints; it must end with `code`."""
        done = self.run(*words, "--json")
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def beside(self, *words: str) -> Background:
        made = Background(f"{words[0]}-{len(self.started)}", command(*words), self.environment, self.folder)
        self.started.append(made)
        return made
