"""Space of deleted rows given back to a table that is found by a block-range index (PostgreSQL only).

Such an index keeps the least and the greatest value of each range of blocks and never narrows a range by itself: once
the space of old rows holds new ones, their range spans everything between and every look-up reads it. So, after rows
were deleted: vacuum, then have the ranges summarized anew that rows were taken from.
"""

from __future__ import annotations

from collections.abc import Collection

from psycopg2.sql import SQL, Composable

from warehouse.session import Session


def reclaim(session: Session, table: Composable, index: Composable, blocks: Collection[int]) -> None:
    """Outside a transaction. `blocks`: one of each range that rows were deleted from."""
    session.run(SQL("VACUUM (TRUNCATE false) {}").format(table), doing="vacuum after trimming")
    session.rows(
        "SELECT brin_desummarize_range(r.index, b.block), brin_summarize_range(r.index, b.block)"
        " FROM (SELECT CAST(to_regclass(%s) AS regclass) AS index) r, unnest(CAST(%s AS bigint[])) AS b(block)"
        " WHERE b.block < pg_relation_size(CAST(%s AS regclass)) / current_setting('block_size')::bigint"
        " AND r.index IS NOT NULL",
        (session.text_of(index), sorted(blocks), session.text_of(table)),
        doing="summarizing the emptied blocks",
    )
