"""PostgreSQL's way of a load: COPY of CSV from this process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, cast

import pyarrow as pa
from psycopg2.sql import SQL, Composable

from loaders import copy_text
from warehouse.session import Session
from warehouse.statements import columns


class Postgres:
    """An `Engine`."""

    def lock(self, table: Composable) -> Composable:
        return SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(table)

    def copy(self, session: Session, table: Composable, objects: Sequence[pa.Table], doing: str) -> int:
        statement = SQL("COPY {} ({}) FROM STDIN WITH ({})").format(
            table, columns(objects[0].column_names), SQL(copy_text.OPTIONS)
        )
        reader = copy_text.Reader(copy_text.chunks(objects))
        return session.copy_in(statement, cast(IO[bytes], reader), doing)
