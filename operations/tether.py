"""Run a command that ends when its supervisor ends, however that happens: `python -m operations.tether PID COMMAND...`

The kernel sends SIGTERM to this process when the parent dies, kill -9 included, so it drains like at any other
stop. The mark survives exec. Source: prctl(2), PR_SET_PDEATHSIG. Where there is no prctl, the next `waybill run`
ends what was left.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def tie_to_parent() -> None:
    """From now on the parent's death is a SIGTERM here. Does nothing where the system has no prctl."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def main(words: list[str]) -> None:
    """`words` is the parent's pid and the command. The process becomes the command."""
    parent, command = int(words[0]), words[1:]
    tie_to_parent()
    if os.getppid() != parent:
        sys.exit(143)  # it died before the mark was set
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
