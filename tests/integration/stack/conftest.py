"""A stack of a test's own, in a path with a space, of which single services are started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.layout import Layout, cache_folder, checkout_root
from stack.native import NativeWay


@pytest.fixture
def own_stack(tmp_path: Path) -> Iterator[NativeWay]:
    """Native services with ports and data of their own; nothing of them is left in the end."""
    root = tmp_path / "another checkout"
    root.mkdir()
    # The converter's sources are the only thing of a checkout that the native way reads.
    (root / "connect").symlink_to(checkout_root() / "connect")
    way = NativeWay(Layout(root, cache_folder()))
    yield way
    way.down(wipe=True)
