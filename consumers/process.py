"""How a process that decodes large batches uses memory: set once, when it starts."""

from __future__ import annotations

import ctypes
import gc
import logging

log = logging.getLogger(__name__)

# <malloc.h>; the GNU C library takes no greater threshold for mmap than 32 MiB.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_KEPT_FREE, _FROM_SYSTEM = 512 * 2**20, 32 * 2**20
# A poll of 5,000 messages makes as many objects that the collector looks at, none of which is in a cycle.
_YOUNG_OBJECTS = 10_000


def prepare() -> None:
    """Keep freed memory for the next batch, and look for garbage cycles seldom. Calling it again changes nothing.

    Without it a tenth of the CPU goes into getting pages from the system, zeroed, again and again, and as much into
    looking at messages that are in no cycle (docs/batching.md, "Memory").
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        taken = mallopt(_M_MMAP_THRESHOLD, _FROM_SYSTEM) and mallopt(_M_TRIM_THRESHOLD, _KEPT_FREE)
        log.debug("the allocator %s", "keeps freed memory" if taken else "has no such settings")
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
