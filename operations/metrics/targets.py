"""Where each process of a checkout serves its metrics, as files that Prometheus reads by itself (file_sd).

One file a process, named by its place among its kind: consume-1, consume-2, commit-1. The place is held by a lock that
ends with the process, so a restarted process takes its old name over, and a killed one that did not come back still
stands there and is seen as down. Source of the format: Prometheus documentation, "Configuration", file_sd_config.
"""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import IO

from waybill.errors import SettingsError

FOLDER = Path(".waybill/run/metrics")
_MOST = 64
_ANY_HOST = ("0.0.0.0", "::", "")


class Target:
    """The place of one process. `pipeline` tells two pipelines in one Prometheus apart."""

    def __init__(self, root: Path, kind: str, pipeline: str) -> None:
        folder = root / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, _MOST + 1):
            lock: IO[str] = (folder / f"{kind}-{number}.lock").open("w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                lock.close()
                continue
            self._lock = lock
            self.process, self.file, self._pipeline = f"{kind}-{number}", folder / f"{kind}-{number}.json", pipeline
            return
        raise SettingsError(f"{_MOST} processes `{kind}` run from this checkout already")

    def write(self, host: str, port: int) -> None:
        """Prometheus sees the old file or the new one."""
        reached = "127.0.0.1" if host in _ANY_HOST else host
        group = {"targets": [f"{reached}:{port}"], "labels": {"process": self.process, "pipeline": self._pipeline}}
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps([group]) + "\n", encoding="utf-8")
        part.replace(self.file)

    def remove(self) -> None:
        """The process ends as it should: nobody need miss it."""
        self.file.unlink(missing_ok=True)
        self._lock.close()
