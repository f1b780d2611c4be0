"""Arrow to the bytes of one Parquet object: exact types, dictionaries only where values repeat, no statistics."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

_REPEATING = frozenset(
    (
        "_topic", "_topic_id", "_partition", "_generation", "_schema_id", "_batch_id", "_op", "_snapshot",
        "_server_id", "_binlog_file",
    )
)  # fmt: skip
_SAMPLE_ROWS = 1_000
_MOST_DISTINCT = 64


def encode(table: pa.Table, compression: str) -> bytes:
    """The object's bytes. Timestamps are UTC in microseconds."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        table,
        sink,
        version="2.6",
        compression=compression,
        compression_level=1 if compression == "zstd" else None,
        use_dictionary=_dictionary_columns(table),
        write_statistics=False,
        store_schema=True,
    )
    return bytes(sink.getvalue())


def _dictionary_columns(table: pa.Table) -> list[str]:
    """waybill's own repeating columns, and those of the source whose first rows hold few distinct texts."""
    sample = table.slice(0, _SAMPLE_ROWS)
    return [
        name
        for name in table.column_names
        if name in _REPEATING
        or (pa.types.is_string(table.schema.field(name).type) and len(sample[name].unique()) <= _MOST_DISTINCT)
    ]
