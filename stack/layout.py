"""Where the stack keeps its things: state in the checkout, downloads in a cache that outlives it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


def checkout_root() -> Path:
    """The checkout this code runs from, whatever the current folder is."""
    return Path(__file__).resolve().parent.parent


def cache_folder(environ: Mapping[str, str] | None = None) -> Path:
    """`WAYBILL_CACHE`, else `waybill` in the user's cache folder. May not exist yet."""
    env = os.environ if environ is None else environ
    if env.get("WAYBILL_CACHE"):
        return Path(env["WAYBILL_CACHE"]).expanduser().absolute()
    base = env.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "waybill"


@dataclass(frozen=True)
class Layout:
    """Paths of one checkout's stack. None need exist; whoever writes makes the folder."""

    root: Path
    cache: Path

    @classmethod
    def here(cls, environ: Mapping[str, str] | None = None) -> Layout:
        return cls(checkout_root(), cache_folder(environ))

    @property
    def state(self) -> Path:
        return self.root / ".waybill" / "stack"

    @property
    def ports_file(self) -> Path:
        return self.state / "ports.json"

    @property
    def addresses_file(self) -> Path:
        return self.state / "addresses.json"

    @property
    def way_file(self) -> Path:
        """Holds the name of the way that was taken last: native or compose."""
        return self.state / "way"

    @property
    def monitoring_file(self) -> Path:
        """There while the monitoring services belong to the stack."""
        return self.state / "monitoring"

    @property
    def targets(self) -> Path:
        """Where the processes of this checkout write on which port they serve their metrics."""
        return self.root / ".waybill" / "run" / "metrics"

    @property
    def records(self) -> Path:
        """One file per process that was started: see `stack.processes`."""
        return self.state / "processes"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def config(self) -> Path:
        """Configuration files written anew at every start."""
        return self.state / "config"

    @property
    def data(self) -> Path:
        return self.state / "data"
