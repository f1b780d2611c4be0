"""A file to read from over pieces of bytes that are made as they are asked for, as drivers want it for COPY."""

from __future__ import annotations

import io
from collections.abc import Iterator


class Pieces(io.RawIOBase):
    """`failed` is what the making of a piece raised: a driver hides it behind an error of its own."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self._pieces = pieces
        self._piece = b""
        self._at = 0
        self.failed: BaseException | None = None

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size` and perhaps fewer; b"" at the end."""
        while self._at >= len(self._piece):
            try:
                piece = next(self._pieces, None)
            except BaseException as error:
                self.failed = error
                raise
            if piece is None:
                return b""
            self._piece, self._at = piece, 0
        end = len(self._piece) if size < 0 else self._at + size
        found = self._piece if self._at == 0 and end >= len(self._piece) else self._piece[self._at : end]
        self._at = end
        return found
