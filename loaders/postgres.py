"""PostgreSQL's way of a load: COPY from this process, binary where the types are the table's own, else CSV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, cast

import pyarrow as pa
from psycopg2.sql import SQL, Composable

from loaders import copy_binary, copy_text
from loaders.pieces import Pieces
from warehouse.session import Session
from warehouse.statements import columns
from waybill.errors import WaybillError


class Postgres:
    """An `Engine`."""

    def lock(self, table: Composable) -> Composable:
        return SQL("LOCK TABLE {} IN EXCLUSIVE MODE").format(table)

    def copy(self, session: Session, table: Composable, objects: Sequence[pa.Table], doing: str) -> int:
        schema = copy_binary.wanted(objects[0].schema, self._types(session, table))
        # Columns of the same names may differ in type between objects.
        if schema is None or any(each.schema != objects[0].schema for each in objects):
            pieces, options = Pieces(copy_text.chunks(objects)), copy_text.OPTIONS
        else:
            pieces, options = Pieces(copy_binary.chunks(objects, schema)), copy_binary.OPTIONS
        statement = SQL("COPY {} ({}) FROM STDIN WITH ({})").format(
            table, columns(objects[0].column_names), SQL(options)
        )
        try:
            return session.copy_in(statement, cast(IO[bytes], pieces), doing)
        except WaybillError as error:
            if pieces.failed is not None:
                raise WaybillError(
                    f"{doing}: the rows cannot be written for COPY: {pieces.failed}", kept="nothing of them was loaded"
                ) from error
            raise

    def _types(self, session: Session, table: Composable) -> dict[str, str]:
        """PostgreSQL's names of the types of a table's columns."""
        found = session.rows(
            "SELECT a.attname AS name, t.typname AS type FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
            " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped",
            (session.text_of(table),),
        )
        return {row["name"]: row["type"] for row in found}
