"""Beside `waybill run`: a connector task that failed is restarted when that helps, and explained when it does not."""

from __future__ import annotations

import threading
from collections.abc import Callable

from connect.applying import mend
from connect.rest import ConnectRest
from waybill.errors import UnreachableError, WaybillError


class ConnectorWatch(threading.Thread):
    """Looks every `every` seconds until `stop` is called. Says each thing once, until it changes.

    A Connect that does not answer is no news here: `waybill status` shows it.
    """

    def __init__(
        self, rest: Callable[[], ConnectRest], connector: str, say: Callable[[str], None], every: float = 30
    ) -> None:
        super().__init__(name="connector watch", daemon=True)
        self._rest, self._connector, self._say, self._every = rest, connector, say, every
        self._stopped = threading.Event()
        self._said = ""

    def run(self) -> None:
        while not self._stopped.wait(self._every):
            self.look()

    def look(self) -> None:
        """Once."""
        try:
            with self._rest() as rest:
                done = mend(rest, self._connector)
        except UnreachableError:
            return
        except WaybillError as error:
            self._tell(str(error))
            return
        if done is None:
            self._said = ""
        else:
            self._tell(done)

    def stop(self) -> None:
        """End without waiting for the next look."""
        self._stopped.set()

    def _tell(self, words: str) -> None:
        if words != self._said:
            self._said = words
            self._say(words)
