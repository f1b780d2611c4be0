"""The checkout's own ports: chosen once, kept, chosen anew only where somebody else took one meanwhile."""

from __future__ import annotations

import hashlib
import json
import socket
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from waybill.errors import UnreachableError

LOWEST = 20000
BLOCK = 20
EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

IsFree = Callable[[int], bool]


def is_free(port: int) -> bool:
    """Whether this machine lets us listen on the port now. Ports of closed connections count as free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def first_ephemeral(path: Path = EPHEMERAL) -> int:
    """The lowest port the kernel gives to outgoing connections."""
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32768


def candidates(seed: str, highest: int) -> Iterable[int]:
    """Every port to try, in an order of its own for each seed: checkouts begin in different blocks.

    Below the ephemeral range, because there an outgoing connection may take a port while its service is down;
    a client that tries a port of that range again and again may even end up connected to itself.
    """
    blocks = max(1, (highest - LOWEST) // BLOCK)
    first = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "big") % blocks
    for offset in range(blocks * BLOCK):
        yield LOWEST + (first * BLOCK + offset) % (blocks * BLOCK)


def choose(
    names: Iterable[str],
    kept: Mapping[str, int],
    running: Collection[str],
    seed: str,
    free: IsFree = is_free,
    highest: int | None = None,
) -> dict[str, int]:
    """A port for each name: the kept one while it is ours (`running`) or free, else a new one.

    Raises UnreachableError when no port is left.
    """
    chosen = {name: kept[name] for name in names if name in kept and (name in running or free(kept[name]))}
    taken = set(chosen.values())
    tries = iter(candidates(seed, first_ephemeral() if highest is None else highest))
    for name in names:
        if name in chosen:
            continue
        port = next((port for port in tries if port not in taken and free(port)), None)
        if port is None:
            raise UnreachableError(f"no free port is left for {name}", todo="end what holds them: ss -ltnp")
        chosen[name] = port
        taken.add(port)
    return chosen


def read(path: Path) -> dict[str, int]:
    """The kept ports; none when the file is missing or torn."""
    try:
        found = json.loads(path.read_text())
        return {str(name): int(port) for name, port in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}


def write(path: Path, ports: Mapping[str, int]) -> None:
    """Keep the ports; a reader sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(dict(ports), indent=2) + "\n")
    part.replace(path)
