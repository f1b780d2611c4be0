"""What the native way knows of a service: how to prepare, start, probe and end it."""

from __future__ import annotations

import hashlib
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stack.catalogue import Service
from stack.install.parts import Parts
from stack.layout import Layout

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Place:
    """Where this checkout's stack runs: folders, ports by name, programs, and the addresses that follow."""

    layout: Layout
    parts: Parts
    ports: Mapping[str, int]
    addresses: Mapping[str, Mapping[str, Any]]

    def data(self, service: Service) -> Path:
        return self.layout.data / service.name

    def config(self, name: str) -> Path:
        return self.layout.config / name


@dataclass(frozen=True)
class Launch:
    """One process to start. `files` are written before; `environment` comes on top of a small clean one."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    cwd: Path = Path("/")

    def fingerprint(self) -> str:
        """Changes with anything that would make the running process another one."""
        told = repr((self.argv, sorted(self.environment.items()), sorted(self.files.items()), self.cwd))
        return hashlib.sha256(told.encode()).hexdigest()[:16]

    def write_files(self) -> None:
        for path, text in self.files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def full_environment(self) -> dict[str, str]:
        """PATH, HOME and the locale of this shell, no more: settings meant for others must not leak in."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        return {**kept, "LANG": "C.UTF-8", "TZ": "UTC", **self.environment}


@dataclass(frozen=True)
class Native:
    """One service, natively.

    `prepare` makes its data folder on the first start and may be interrupted; `launch` changes nothing;
    `probe` raises whatever its driver raises while the service is not ready, and makes what users take for
    granted (bucket, database). Every function may be called again.
    """

    service: Service
    prepare: Callable[[Place], None]
    launch: Callable[[Place], Launch]
    probe: Callable[[Place], None]
    stop_signal: signal.Signals = signal.SIGTERM
    passing: tuple[str, ...] = ()
    """Words in the log of a start that failed for a reason that passes by itself."""


def nothing_to_prepare(place: Place) -> None:
    """For services that make their data folder themselves."""


def properties(settings: Mapping[str, object]) -> str:
    """A Java properties file. Backslashes and non-Latin letters are escaped, spaces in values are fine."""
    return "".join(f"{key}={_escaped(str(value))}\n" for key, value in settings.items())


def _escaped(value: str) -> str:
    value = value.replace("\\", "\\\\")
    return "".join(
        letter if " " <= letter <= "~" else "".join(f"\\u{unit:04x}" for unit in _utf16(letter)) for letter in value
    )


def _utf16(letter: str) -> list[int]:
    raw = letter.encode("utf-16-be")
    return [int.from_bytes(raw[at : at + 2], "big") for at in range(0, len(raw), 2)]
