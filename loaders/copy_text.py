"""Arrow to the CSV that PostgreSQL's COPY reads: NULL is nothing at all, the empty text is "".

Every valid text is in quotes, so that no text can be taken for NULL or for COPY's end mark.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

log = logging.getLogger(__name__)

OPTIONS = "FORMAT csv, HEADER false, NULL '', DELIMITER ',', QUOTE '\"', ESCAPE '\"', ENCODING 'UTF8'"
NUL_SHOWN = "␀"
_ROWS = 8_192
_WRITE = pacsv.WriteOptions(include_header=False, quoting_style="needed", batch_size=_ROWS)
_YEAR_ONE_DAYS = -719_162
_YEAR_ONE_MICROS = _YEAR_ONE_DAYS * 86_400_000_000


def chunks(tables: Sequence[pa.Table]) -> Iterator[bytes]:
    """The rows of tables with equal columns, in pieces of some thousand rows."""
    for table in tables:
        shown = _shown(table)
        for start in range(0, shown.num_rows, _ROWS):
            piece = io.BytesIO()
            pacsv.write_csv(shown.slice(start, _ROWS), piece, _WRITE)
            yield piece.getvalue()


def _shown(table: pa.Table) -> pa.Table:
    """The same rows in types whose CSV form PostgreSQL reads back as the same values."""
    columns = []
    for field, column in zip(table.schema, table.columns, strict=True):
        columns.append(_column(field, column))
    return pa.table(columns, names=table.column_names)


def _column(field: pa.Field, column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = field.type
    if pa.types.is_dictionary(kind):
        return _column(pa.field(field.name, kind.value_type), column.cast(kind.value_type))
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return _each(column, lambda value: "\\x" + value.hex())
    if pa.types.is_string(kind):
        return without_nul(field.name, column)
    if pa.types.is_date32(kind) and _before(column.cast(pa.int32()), _YEAR_ONE_DAYS):
        return _each_text(column.cast(pa.string()), _bc)
    if pa.types.is_timestamp(kind) and _before(column.cast(pa.int64()), _YEAR_ONE_MICROS):
        return _each_text(column.cast(pa.string()), _bc)
    return column


def _before(numbers: pa.ChunkedArray, border: int) -> bool:
    least = pc.min(numbers).as_py()
    return least is not None and least < border


def without_nul(name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """PostgreSQL's text cannot hold the character NUL: it is shown as U+2400. The Parquet object keeps it."""
    # The bytes of all values lie together: looking through (a copy of) them at once is far cheaper than value by value.
    if not any(b"\0" in letters.to_pybytes() for chunk in column.chunks if (letters := chunk.buffers()[2]) is not None):
        return column
    holding = pc.sum(pc.match_substring(column, "\0")).as_py()
    if not holding:
        return column
    log.warning("%d values of column %s hold the character NUL, shown as %s in the warehouse", holding, name, NUL_SHOWN)
    return pc.replace_substring(column, "\0", NUL_SHOWN)


def _bc(text: str) -> str:
    """PostgreSQL has no year 0: 0000 is 1 BC."""
    return f"0001{text[4:]} BC" if text.startswith("0000") else text


def _each(column: pa.ChunkedArray, function: Callable[[bytes], str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([None if v is None else function(v) for v in column.to_pylist()], pa.string())])


def _each_text(column: pa.ChunkedArray, function: Callable[[str], str]) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([None if v is None else function(v) for v in column.to_pylist()], pa.string())])
