"""A proxy in front of MySQL that cuts connections around a COMMIT: before it is sent on, or before its answer is."""

from __future__ import annotations

import contextlib
import socket
import threading
from random import Random


class CuttingProxy:
    """Listens on 127.0.0.1. Of the COMMITs that pass, `share` are cut: half unsent, half with the answer lost.

    Reads the protocol, so connections through it must not be encrypted.
    """

    def __init__(self, host: str, port: int, share: float, seed: int = 1) -> None:
        self._target = (host, port)
        self._share = share
        self._r = Random(seed)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.unsent = 0
        self.unanswered = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(self._target)
            mute = threading.Event()
            threading.Thread(target=self._answers, args=(server, client, mute), daemon=True).start()
            threading.Thread(target=self._requests, args=(client, server, mute), daemon=True).start()

    def _requests(self, client: socket.socket, server: socket.socket, mute: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := client.recv(1 << 16):
                if data[4:5] == b"\x03" and data[5:] == b"COMMIT" and self._r.random() < self._share:
                    if self._r.random() < 0.5:
                        self.unsent += 1
                        break
                    self.unanswered += 1
                    mute.set()
                server.sendall(data)
        _shut(client, server)

    def _answers(self, server: socket.socket, client: socket.socket, mute: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(1 << 16):
                if mute.is_set():
                    break
                client.sendall(data)
        _shut(client, server)


def _shut(*sockets: socket.socket) -> None:
    for each in sockets:
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
        each.close()
