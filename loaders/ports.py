"""What loaders need of the rest of the world."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import pyarrow as pa
from psycopg2.sql import Composable

from warehouse.session import Session

Connect = Callable[[], Session]


class Objects(Protocol):
    """The bucket, to be read."""

    def read(self, key: str) -> bytes:
        """The object's bytes. Raises `UnreachableError`, and `WaybillError` when it is not there."""


class Engine(Protocol):
    """What differs between warehouses when rows are copied."""

    def lock(self, table: Composable) -> Composable:
        """The statement that keeps other writers out until the transaction ends; readers stay."""

    def copy(self, session: Session, table: Composable, objects: Sequence[pa.Table], doing: str) -> int:
        """Append the rows of objects that have the same columns; answers how many arrived. Inside a transaction."""
