"""When a micro-batch closes: on rows, bytes or seconds, whichever comes first. The policy is `settings.Batching`."""

from __future__ import annotations

from collections import deque

from consumers.messages import Message, Messages, MicroBatch
from consumers.settings import Batching


class Batcher:
    """The open micro-batch of one partition, and those that are closed and wait. Times are monotonic seconds.

    Everything from `start` on is kept in order and without a gap: each batch begins where the one before it ends.
    """

    def __init__(self, policy: Batching, start: int, now: float) -> None:
        self._policy = policy
        self._first = start
        self._next = start
        self._open = Messages()
        self._open_bytes = 0
        self._since = now
        self.closed: deque[MicroBatch] = deque()

    @property
    def next_offset(self) -> int:
        """The next offset to be read."""
        return self._next

    @property
    def size(self) -> int:
        """Bytes of the messages in the open batch."""
        return self._open_bytes

    def add(self, message: Message, now: float) -> None:
        """Take the next message. One that lies before the next offset was delivered again and is left out."""
        if message.offset < self._next:
            return
        if not len(self._open):
            self._since = now
        self._open.append(message)
        self._open_bytes += len(message.key or b"") + len(message.value or b"")
        self._next = message.offset + 1
        if len(self._open) >= self._policy.rows or self._open_bytes >= self._policy.bytes:
            self.close(now)

    def take(self, messages: Messages, now: float) -> None:
        """Take messages that follow each other, as `add` takes each; all at once where no limit is in sight."""
        size = messages.size
        if (
            messages.offsets[0] < self._next
            or len(self._open) + len(messages) >= self._policy.rows
            or self._open_bytes + size >= self._policy.bytes
        ):
            for index in range(len(messages)):
                self.add(messages[index], now)
            return
        if not len(self._open):
            self._since = now
        self._open.extend(messages)
        self._open_bytes += size
        self._next = messages.offsets[-1] + 1

    def reached_end(self, offset: int) -> None:
        """The partition's last stable offset was met: control records up to it belong to the open batch."""
        self._next = max(self._next, offset)

    def due(self, now: float) -> bool:
        """Is the open batch old enough? One without messages is due too when only control records moved it."""
        return self._next > self._first and now - self._since >= self._policy.seconds

    def close(self, now: float) -> None:
        """Close the open batch, if it holds anything."""
        if self._next == self._first:
            return
        self.closed.append(MicroBatch(self._first, self._next, self._open, self._open_bytes))
        self._open, self._open_bytes = Messages(), 0
        self._first, self._since = self._next, now
