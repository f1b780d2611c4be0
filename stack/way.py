"""A way to run the stack. There are two: processes of this machine (native) and containers (compose)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

Addresses = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class ServiceStatus:
    """One line of `stack status`. `state` is running, stopped or dead (it ended without being told to).

    `pid` is 0 where there is none to tell, `address` empty likewise; `memory` is resident MB, `uptime`
    seconds.
    """

    name: str
    state: str
    version: str = ""
    address: str = ""
    pid: int = 0
    memory: int = 0
    uptime: float = 0.0
    note: str = ""


class Way(Protocol):
    """What `waybill stack` asks of either way. Every method may be called again and from another process."""

    def available(self) -> str | None:
        """None when this way can be taken here, else the reason why not, in a sentence."""

    def up(self, monitoring: bool = False) -> None:
        """Install what is missing, start what does not run, return when every service has passed its probe.

        `monitoring` adds the monitoring services, which then belong to the stack until it is taken down.

        Writes `addresses.json`. A second call on a running stack is a quick no-op. Raises UnreachableError
        with the end of the log of the service that did not get ready; what did start stays up, and the next
        call goes on from there.
        """

    def down(self, wipe: bool) -> None:
        """Stop every service, also those of a broken start; `wipe` removes the data too."""

    def status(self) -> list[ServiceStatus]:
        """Every service, in the catalogue's order; asks processes, not services: well under a second."""

    def logs(self, service: str, lines: int, follow: bool) -> None:
        """Print the last `lines` lines of a service's log to stdout; `follow` goes on until interrupted."""

    def addresses(self) -> Addresses:
        """Addresses of the running stack in the form of `waybill stack env --json`."""


@runtime_checkable
class Controls(Protocol):
    """Hands on one service: what fault tests need."""

    def start(self, service: str) -> None:
        """Start one service and wait for its probe; nothing when it runs. What it needs must run."""

    def stop(self, service: str) -> None:
        """End one service in its own way (SIGTERM), data kept."""

    def kill(self, service: str) -> None:
        """SIGKILL one service, at once: for tests of what survives that."""
