"""`waybill consume` with a defect: rows that hold the text of the environment's DEFECT do not decode.

Run as `python -m tests.system.histories.wrong_consumer`. Such rows become dead letters, as a real defect's would.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

from cli import ingest
from cli.main import main
from consumers.decoder import Decoded, FastavroDecoder
from consumers.shapes import places


class Wrong(FastavroDecoder):
    """Refuses what holds `defect`; rows alone, not END records or notifications."""

    def __init__(self, defect: bytes) -> None:
        super().__init__()
        self._defect = defect

    def decode(self, schema: Any, shape: Any, messages: Sequence[bytes]) -> Decoded:
        found = super().decode(schema, shape, messages)
        bad = {i: "a defect" for i, message in enumerate(messages) if self._defect in message} if shape else {}
        good = [i for i in found.good if i not in bad]
        kept = places([found.good.index(i) for i in good])
        return Decoded(found.table.take(kept), good, found.bad | bad)


if __name__ == "__main__":
    wrong = Wrong(os.environ["DEFECT"].encode())
    ingest.NativeDecoder = lambda _: wrong  # type: ignore[assignment,misc]
    sys.argv[1:1] = ["consume"]
    main()
